# Packages, and builds for machines other than this one (docs/packaging.md).

# ---- another architecture
AARCH64 := $(BUILD)-aarch64
SYSROOT := $(AARCH64)/sysroot/usr
AARCH64_PACKAGES := libsodium-dev libsodium23 libmsgpack-dev libmsgpackc2 libcap-dev libjansson-dev \
                    libjansson4 libcmocka-dev libcmocka0 zlib1g-dev zlib1g \
                    libbz2-dev libbz2-1.0 liblzma-dev liblzma5 liblz4-dev liblz4-1 libzstd-dev libzstd1
AARCH64_FLAGS := -isystem $(SYSROOT)/include -L$(SYSROOT)/lib/aarch64-linux-gnu \
                 -Wl,-rpath-link,$(SYSROOT)/lib/aarch64-linux-gnu

## cross-aarch64  programs, libraries and tests for aarch64, in $(BUILD)-aarch64; none of it
##              is run (needs deps-ci, and packages that stay in that folder)
cross-aarch64:
	$(Q)sh packaging/sysroot.sh arm64 $(AARCH64)/sysroot $(AARCH64_PACKAGES)
	$(Q)$(MAKE) --no-print-directory BUILD=$(AARCH64) CROSS=aarch64-linux-gnu- \
	    CROSS_FLAGS='$(AARCH64_FLAGS)' all tests
	$(Q)cmp $(AARCH64)/gen/filter.pfc tests/cage/filter.aarch64.pfc
	$(Q)for file in $(AARCH64)/bin/* $(AARCH64)/lib/*.so; do \
	    LC_ALL=C readelf -h $$file | grep -q 'Machine:.*AArch64' || { echo "$$file is for another machine"; exit 1; }; done

# ---- Debian packages
DEB := $(BUILD)/deb
DEB_SOURCES := $(wildcard Makefile *.md LICENSE docs include packaging policy src tests fuzz .github .clusterfuzzlite)
DEB_TREE := $(DEB)/weighlock
# Tests are `make check`: DEB_BUILD_OPTIONS= runs them here too.
DEB_BUILD_OPTIONS ?= nocheck parallel=$(JOBS)

## deb          Debian packages, in $(BUILD)/deb (needs deps-ci)
deb:
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB_TREE)
	$(Q)cp -R $(DEB_SOURCES) $(DEB_TREE)/
	$(Q)cp -R packaging/debian $(DEB_TREE)/debian
	$(Q)cd $(DEB_TREE) && env -i PATH="$$PATH" HOME="$$HOME" LC_ALL=C.UTF-8 DEB_BUILD_PROFILES=nocheck \
	    DEB_BUILD_OPTIONS='$(DEB_BUILD_OPTIONS)' dpkg-buildpackage -us -uc -b >../log.txt 2>&1 || \
	    { tail -n 40 ../log.txt; exit 1; }
	@ls $(DEB)/*.deb

## deb-check    ... linted, built again elsewhere, installed into a fresh Debian in a folder,
##              used, and purged (needs deps-ci, and root or sudo; changes nothing of this system)
deb-check: deb
	$(Q)BUILD=$(BUILD) MAKE='$(MAKE)' sh tests/build/deb.sh
