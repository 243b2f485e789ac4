# Weighlock. `make help` lists the targets.
#
# Variables: CC, CFLAGS, LDFLAGS; CHILD_CC (the confined child's compiler, for
# example musl-gcc); BUILD (output folder); SAN=address,undefined (sanitizers in
# everything that runs outside the cage); PREFIX, LIBDIR, DESTDIR; V=1 shows commands.

VERSION  := 0.1.0
SOVERSION := 0
BUILD    ?= build
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
SAN      ?=
WERROR   ?= -Werror
CHILD_CC ?= $(CC)
HOST_CC  ?= $(CC)
PYTHON   ?= /usr/bin/python3
V        ?=
Q        := $(if $(V),,@)
CFLAGS   ?= -O2 -g
, := ,

WARN := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wvla \
        -Wswitch-enum -Wmissing-prototypes -Wformat=2 -Wundef $(WERROR)
# clang 14 has only the pattern form of automatic initialisation.
autovar = -ftrivial-auto-var-init=$(if $(findstring clang,$(1)),pattern,zero)
# glibc refuses to fortify what is not optimised.
fortify := -U_FORTIFY_SOURCE $(if $(filter -O0,$(CFLAGS)),,-D_FORTIFY_SOURCE=3)
HARDEN := $(if $(SAN),,$(fortify)) -fstack-protector-strong $(call autovar,$(CC)) \
          -fno-strict-aliasing -fvisibility=hidden
STD := -std=c17 -D_GNU_SOURCE -Iinclude -Isrc -I$(BUILD)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS := $(STD) $(WARN) $(CFLAGS) $(HARDEN) -fPIC $(SANFLAGS) -MMD -MP
ALL_LDFLAGS := $(LDFLAGS) $(SANFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
CHILD_CFLAGS := $(STD) $(WARN) $(CFLAGS) $(fortify) -fstack-protector-strong \
                $(call autovar,$(CHILD_CC)) -fno-strict-aliasing -fPIE -MMD -MP
CHILD_HARDEN := -Wl,-z,relro,-z,now,-z,noexecstack
CHILD_LDFLAGS := $(LDFLAGS) -static-pie $(CHILD_HARDEN)
CHILD_LIBS := -lmsgpackc -lcap

# Debian's musl-gcc has neither the kernel's headers nor static-pie, and no build of
# the child's two libraries. Their glibc archives do: what the child takes from
# them calls nothing that musl lacks (the link would fail).
ifneq ($(findstring musl,$(CHILD_CC)),)
MACHINE := $(shell uname -m)-linux
MUSL_INCLUDE := $(BUILD)/musl-include
MUSL_LIB := /usr/lib/$(MACHINE)-musl
CHILD_CFLAGS += -isystem $(MUSL_INCLUDE) -D__rlimit_resource_t=int
CHILD_LDFLAGS := $(LDFLAGS) -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text \
                 $(CHILD_HARDEN) $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o
CHILD_LIBS := $(patsubst %,/usr/lib/$(MACHINE)-gnu/%,libmsgpackc.a libcap.a) $(MUSL_LIB)/crtn.o
endif

# ---- modules: src/NAME is one archive; who may use whom is tests/lint/includes
MODULES := base image wire formats trust gate input infer write cli
CHILD_MODULES := base image wire formats cage
GENERATED := $(BUILD)/gen/rules.inc $(BUILD)/gen/limits.inc $(BUILD)/gen/build_id.inc

sources = $(sort $(wildcard src/$(1)/*.c) $(wildcard src/$(1)/*/*.c))
objects = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call sources,$(1)))
# *_compile.c are programs of the build.
child_objects = $(patsubst src/%.c,$(BUILD)/child/%.o,$(filter-out %_compile.c,$(call sources,$(1))))

CHILD_MAIN := $(BUILD)/child/cage/main.o
CHILD_OBJECTS := $(filter-out $(CHILD_MAIN),$(foreach m,$(CHILD_MODULES),$(call child_objects,$(m))))

# What a test of a module links: the module and everything below it.
DEPS_base    := base
DEPS_image   := image base
DEPS_wire    := wire base
DEPS_formats := formats image base
DEPS_trust   := trust base
DEPS_gate    := gate trust wire write formats image base
DEPS_cage    := gate trust wire write formats image base
DEPS_input   := input image base
DEPS_infer   := infer image base
DEPS_write   := write trust formats image base
DEPS_cli     := write infer input gate trust formats wire image base
DEPS_fuzz    := write infer input gate trust formats wire image base
DEPS_bench   := gate trust wire write formats image base
EXTERNAL := -lmsgpackc -lsodium -ljansson -lopenblas -lcap -lm -lpthread

CLI_MODULES := cli write infer input gate trust wire formats image base

# The libraries. Who only wants weights does not link a BLAS.
LIB_MODULES := gate write trust wire image base
PARSE_MODULES := formats image wire base
LIB_EXTERNAL := -lsodium -lmsgpackc -lm -lpthread
INFER_EXTERNAL := -lopenblas -lm

BIN := $(BUILD)/bin
LIB := $(BUILD)/lib
TEST_SOURCES := $(sort $(wildcard tests/*/test_*.c))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SOURCES))
SCRIPT_TESTS := $(sort $(wildcard tests/*/test_*.py tests/*/test_*.sh))
# Children that misbehave: run by tests in the place of weighlock-child.
HOSTILE := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/*/child_*.c)))
FUZZERS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard fuzz/fuzz_*.c)))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/*.c)))

.DEFAULT_GOAL := all
.PHONY: all libraries child-musl tests check demo bench lint lint-format lint-tidy lint-man lint-tests \
        check-ci deps deps-ci deps-peers install uninstall clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
# `make -j deps check`: packages first.
ifneq ($(filter deps%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

## all          the programs and libraries, in $(BUILD)/bin and $(BUILD)/lib (the default)
all: $(BIN)/weighlock $(BIN)/weighlock-child libraries

help:
	@sed -n 's/^## //p' Makefile
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

# ---- what a rebuild depends on besides files: each is rewritten only when it changes
define remember
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$(2))' > $$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
$(eval $(call remember,$(BUILD)/gen/flags,$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS)))
$(eval $(call remember,$(BUILD)/gen/child_flags,$$(CHILD_CC) $$(CHILD_CFLAGS) $$(CHILD_LDFLAGS)))
$(eval $(call remember,$(BUILD)/gen/prefix,$$(PREFIX) $$(VERSION)))
$(eval $(call remember,$(BUILD)/gen/files,$$(foreach m,$$(MODULES) cage,$$(call sources,$$(m)))))

# ---- generated
$(BUILD)/gen/rules.inc: policy/rules.policy src/base/gen_rules.awk
	@mkdir -p $(@D)
	$(Q)awk -f src/base/gen_rules.awk policy/rules.policy > $@

$(BUILD)/gen/limits.inc: policy/limits.policy src/base/gen_limits.awk
	@mkdir -p $(@D)
	$(Q)awk -f src/base/gen_limits.awk policy/limits.policy > $@

# Parent and child agree on this digest of everything the child is made of.
BUILD_ID_INPUTS := $(sort $(wildcard policy/*) $(wildcard include/weighlock/*.h) \
    $(foreach m,$(CHILD_MODULES),$(wildcard src/$(m)/*.[ch] src/$(m)/*/*.[ch])))
$(BUILD)/gen/build_id.inc: $(BUILD_ID_INPUTS) $(BUILD)/gen/files
	@mkdir -p $(@D)
	$(Q)cat $(BUILD_ID_INPUTS) | sha256sum | cut -c1-64 | sed 's/../0x&,/g' > $@

# The filter is compiled at build time, so the child needs no libseccomp.
$(BUILD)/gen/filter.inc $(BUILD)/gen/filter.pfc &: $(BUILD)/filter_compile policy/syscalls.policy
	@mkdir -p $(@D)
	$(Q)$(BUILD)/filter_compile policy/syscalls.policy $(BUILD)/gen/filter.inc $(BUILD)/gen/filter.pfc

$(BUILD)/filter_compile: src/cage/filter_compile.c $(BUILD)/gen/flags
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(STD) $(WARN) $(CFLAGS) -o $@ $< -lseccomp

# ---- objects, archives, programs
$(BUILD)/obj/%.o: src/%.c $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEFINES) -c $< -o $@

$(BUILD)/obj/gate/gate.o: DEFINES := -DWLK_CHILD_PATH='"$(PREFIX)/libexec/weighlock/weighlock-child"'
$(BUILD)/obj/cli/main.o: DEFINES := -DWLK_VERSION='"$(VERSION)"'
$(BUILD)/obj/gate/gate.o $(BUILD)/obj/cli/main.o: $(BUILD)/gen/prefix

$(BUILD)/child/%.o: src/%.c $(BUILD)/gen/child_flags | $(GENERATED) $(BUILD)/gen/filter.inc $(MUSL_INCLUDE)
	@mkdir -p $(@D)
	$(Q)$(CHILD_CC) $(CHILD_CFLAGS) -c $< -o $@

define module_rule
$(BUILD)/mod/$(1).a: $(call objects,$(1)) $(BUILD)/gen/files
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

archives = $(foreach m,$(1),$(BUILD)/mod/$(m).a)

$(BUILD)/mod/child.a: $(CHILD_OBJECTS) $(BUILD)/gen/files
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcsD $@ $(filter %.o,$^)

$(BIN)/weighlock: $(call archives,$(CLI_MODULES))
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CC) -pie -o $@ $(ALL_LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(EXTERNAL)

# Linked from an archive, so that it holds no code that it does not use.
$(BIN)/weighlock-child: $(CHILD_MAIN) $(BUILD)/mod/child.a
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CHILD_CC) -o $@ $(CHILD_LDFLAGS) $^ $(CHILD_LIBS)

$(BUILD)/musl-include:
	@mkdir -p $@/sys
	$(Q)ln -sfn $(addprefix /usr/include/,linux asm-generic $(MACHINE)-gnu/asm msgpack msgpack.h) $@/
	$(Q)ln -sfn /usr/include/sys/capability.h $@/sys/

## child-musl   the child against musl, in $(BUILD)-musl/bin
child-musl:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)-musl CHILD_CC=musl-gcc $(BUILD)-musl/bin/weighlock-child

## libraries    libweighlock, libweighlock-infer (needs a BLAS), libweighlock-parse.a
SO_CORE  := $(LIB)/libweighlock.so.$(VERSION)
SO_INFER := $(LIB)/libweighlock-infer.so.$(VERSION)
LIBRARIES := $(SO_CORE) $(SO_INFER) \
             $(addprefix $(LIB)/,libweighlock.a libweighlock-infer.a libweighlock-parse.a)
libraries: $(LIBRARIES)

# $(1) the library's name. A sanitizer's runtime comes with the program.
link_library = $(CC) -shared -o $@ $(ALL_LDFLAGS) $(NO_UNDEFINED) -Wl,-soname,$(1).so.$(SOVERSION)
link_names = ln -sf $(@F) $(LIB)/$(1).so.$(SOVERSION) && ln -sf $(@F) $(LIB)/$(1).so
NO_UNDEFINED := $(if $(SAN),,-Wl$(,)--no-undefined)
whole = -Wl,--whole-archive $(1) -Wl,--no-whole-archive

$(SO_CORE): $(call archives,$(LIB_MODULES))
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(call link_library,libweighlock) $(call whole,$^) $(LIB_EXTERNAL)
	$(Q)$(call link_names,libweighlock)

# It has its own hidden copy of what it uses of image and base.
$(SO_INFER): $(call archives,infer image base) $(SO_CORE)
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(call link_library,libweighlock-infer) $(call whole,$(BUILD)/mod/infer.a) $(SO_CORE) \
	    -Wl,--exclude-libs,image.a:base.a -Wl,--start-group $(call archives,image base) \
	    -Wl,--end-group $(INFER_EXTERNAL)
	$(Q)$(call link_names,libweighlock-infer)

$(LIB)/libweighlock.a: $(foreach m,$(LIB_MODULES),$(call objects,$(m))) $(BUILD)/gen/files
$(LIB)/libweighlock-infer.a: $(call objects,infer) $(BUILD)/gen/files
$(LIB)/libweighlock-parse.a: $(foreach m,$(PARSE_MODULES),$(call objects,$(m))) $(BUILD)/gen/files
$(LIB)/%.a:
	@mkdir -p $(@D)
	@echo "ar    $@"
	$(Q)rm -f $@ && ar rcsD $@ $(filter %.o,$^)

# ---- tests
test_module = $(firstword $(subst /, ,$(1)))
# $(1) path below tests/ without .c, $(2) external libraries
define test_rule
$(BUILD)/$(1): tests/$(2).c $(call archives,$(DEPS_$(call test_module,$(2)))) $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -MT $$@ -MF $$@.d -Itests -o $$@ $$< $$(ALL_LDFLAGS) -Wl,--start-group \
	    $$(filter %.a,$$^) -Wl,--end-group $(3) $$(EXTERNAL)
endef
$(foreach t,$(patsubst tests/%.c,%,$(TEST_SOURCES)),$(eval $(call test_rule,tests/$(t),$(t),-lcmocka)))

# It runs the child's own filter.
$(BUILD)/tests/cage/test_filter: | $(BUILD)/gen/filter.inc

# A hostile child is made like the real one: never sanitized, with everything of the
# cage at hand, its heap too (16 KiB until heap_reserve).
$(HOSTILE): $(BUILD)/tests/%: tests/%.c $(BUILD)/mod/child.a $(BUILD)/gen/child_flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CHILD_CC) $(CHILD_CFLAGS) -MT $@ -MF $@.d -Itests -o $@ $(CHILD_LDFLAGS) $< \
	    $(BUILD)/mod/child.a $(CHILD_LIBS)

tests: $(TESTS) $(HOSTILE) $(FUZZERS)

# A fuzz target as a program of its own, which runs it over files.
$(BUILD)/fuzz/%: fuzz/%.c fuzz/replay.c $(call archives,$(DEPS_fuzz)) $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MT $@ -MF $@.d -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXTERNAL)

## check        builds everything and runs every test
check: all tests
	$(Q)BUILD=$(BUILD) PYTHON=$(PYTHON) CC=$(CC) sh tests/run.sh $(TESTS) $(SCRIPT_TESTS)

## demo         a model is packed, signed, loaded through the cage and predicts; bad ones are refused
demo: all
	$(Q)BUILD=$(BUILD) sh tests/demo.sh

## bench        speed and memory beside their targets (1.1 GiB in BENCH_FOLDER); BENCH_QUICK=1
##              leaves large files out, and shows a missed target without failing
BENCH_FOLDER ?= $(BUILD)/bench
bench: all $(BENCHES)
	$(if $(SAN),$(error bench measures nothing under SAN))
	$(Q)$(BUILD)/bench/bench $(BIN)/weighlock-child $(NOOP) $(BENCH_FOLDER) \
	    $(if $(BENCH_QUICK),|| [ $$? -eq 1 ])

NOOP := $(BUILD)/bench/noop
$(foreach t,$(patsubst $(BUILD)/%,%,$(filter-out $(NOOP),$(BENCHES))),$(eval $(call test_rule,$(t),$(t),)))

# The least that a program of the child's kind can cost.
$(NOOP): tests/bench/noop.c $(BUILD)/gen/child_flags | $(MUSL_INCLUDE)
	@mkdir -p $(@D)
	$(Q)$(CHILD_CC) $(CHILD_CFLAGS) -MT $@ -MF $@.d -o $@ $(CHILD_LDFLAGS) $< \
	    $(filter %.o,$(CHILD_LIBS))

# ---- linters and continuous integration
JOBS := $(shell nproc 2>/dev/null || echo 1)
MAN_PAGES := $(wildcard docs/man/*.[1357])
FORMATTED = $(sort $(wildcard $(addsuffix .[ch],src/*/* src/*/*/* tests/*/* fuzz/* include/weighlock/*)))
TIDIED = $(sort $(wildcard src/*/*.c src/*/*/*.c))
LINT_TESTS := $(sort $(wildcard tests/lint/test_*.sh))

## lint         layout, static analysis, the include rule, man pages (needs deps-ci)
lint: lint-format lint-tidy lint-man lint-tests

lint-format:
	$(Q)clang-format --dry-run -Werror $(FORMATTED)

lint-tidy: $(GENERATED) $(BUILD)/gen/filter.inc
	$(Q)printf '%s\n' $(TIDIED) | xargs -P $(JOBS) -n 1 \
	    sh -c 'clang-tidy --quiet "$$@" -- $(STD) 2> $(BUILD)/tidy.txt || exit 1' tidy

lint-man:
	$(Q)$(if $(MAN_PAGES),mandoc -T lint -W warning $(MAN_PAGES))

lint-tests: $(GENERATED) $(BUILD)/gen/filter.inc
	$(Q)BUILD=$(BUILD) CC=$(CC) sh tests/run.sh $(LINT_TESTS)

# Each configuration has a folder of its own. The child is never sanitized, so the
# sanitizers' run is also the one with a child of musl.
ci = @echo "== $(1): $(2)"; $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)-ci-$(1) $(2)

## check-ci     all that continuous integration runs
check-ci: deps-ci
	$(call ci,gcc,CC=gcc check)
	$(call ci,gcc,CC=gcc lint)
	$(call ci,clang,CC=clang check)
	$(call ci,san,CC=clang CHILD_CC=musl-gcc SAN=address$(,)undefined TEST_SECONDS=300 check)
	$(call ci,gcc,CC=gcc demo)
	$(call ci,gcc,CC=gcc BENCH_QUICK=1 bench)
	@echo "== as an ordinary user"
	@sh tests/as_user.sh 'make -j$(JOBS) CC=gcc check && make CC=gcc demo'

# ---- packages (Debian 12 or later)
DEPS := gcc libc6-dev \
        libseccomp-dev libcap-dev libsodium-dev libmsgpack-dev \
        libjansson-dev \
        libopenblas-serial-dev \
        libcmocka-dev \
        g++ \
        minisign \
        strace \
        python3 python3-numpy python3-msgpack python3-nacl \
        python3-sklearn
# libjansson-dev          JSON specifications of `weighlock pack`
# libopenblas-serial-dev  the BLAS without threads: small, and repeatable
# g++                     the public headers are compiled as C++ too
# minisign                keys and signatures are exchanged with it, both ways
# strace                  shows what the child calls after its filter
# python3-msgpack, -nacl  a second implementation of the format, signatures included
# python3-sklearn         trains the example models again and gives their probabilities

# What check-ci needs besides: the second compiler with its sanitizers, linters, the
# second libc.
DEPS_CI := clang libclang-rt-14-dev clang-format clang-tidy mandoc musl-tools

# What comparisons with other programs need besides: they come from PyPI into a
# virtual environment.
DEPS_PEERS := python3-venv

## deps         installs with apt-get what build, demo and check need (about 130 MB)
deps:
	@sh tests/install_packages.sh $(DEPS)

## deps-ci      ... and what lint and check-ci need besides (about 75 MB)
deps-ci:
	@sh tests/install_packages.sh $(DEPS) $(DEPS_CI)

## deps-peers   ... and what comparisons with other programs need
deps-peers:
	@sh tests/install_packages.sh $(DEPS) $(DEPS_PEERS)

# ---- installation
TO := $(DESTDIR)$(PREFIX)
TO_LIB := $(DESTDIR)$(LIBDIR)
DOCUMENTS := $(wildcard README.md CHANGELOG.md SECURITY.md LICENSE docs/*.md)
INSTALLED_HEADERS := $(wildcard include/weighlock/*.h)

## install      programs, libraries, headers, man pages below $(DESTDIR)$(PREFIX)
install: all
	$(Q)install -D -m 755 $(BIN)/weighlock $(TO)/bin/weighlock
	$(Q)install -D -m 755 $(BIN)/weighlock-child $(TO)/libexec/weighlock/weighlock-child
	$(Q)install -D -m 644 -t $(TO)/include/weighlock $(INSTALLED_HEADERS)
	$(Q)install -D -m 644 -t $(TO_LIB) $(LIBRARIES)
	$(Q)cp -d $(LIB)/*.so $(LIB)/*.so.$(SOVERSION) $(TO_LIB)/
	$(Q)install -D -m 644 -t $(TO)/share/doc/weighlock $(DOCUMENTS)
	$(Q)for page in $(notdir $(MAN_PAGES)); do \
	    install -D -m 644 docs/man/$$page $(TO)/share/man/man$${page##*.}/$$page || exit 1; done

## uninstall    removes what install put there
uninstall:
	$(Q)rm -f $(TO)/bin/weighlock $(TO_LIB)/libweighlock.* $(TO_LIB)/libweighlock-*
	$(Q)rm -rf $(TO)/libexec/weighlock $(TO)/include/weighlock $(TO)/share/doc/weighlock
	$(Q)for page in $(notdir $(MAN_PAGES)); do rm -f $(TO)/share/man/man$${page##*.}/$$page; done

## clean        removes the output folders
clean:
	rm -rf $(BUILD) $(BUILD)-musl $(BUILD)-ci-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
