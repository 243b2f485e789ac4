# Weighlock. `make help` lists the targets.
#
# Variables: CC, CFLAGS, LDFLAGS; CHILD_CC (the confined child's compiler, for
# example musl-gcc); BUILD (output folder); SAN=address,undefined (sanitizers in
# everything that runs outside the cage); CROSS=aarch64-linux-gnu- (a cross compiler;
# `make cross-aarch64` does the rest); PREFIX, LIBDIR, DESTDIR; V=1 shows commands.

VERSION  := 0.1.0
SOVERSION := 0
BUILD    ?= build
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
SAN      ?=
COVERAGE ?=
WERROR   ?= -Werror
CROSS    ?=
ifneq ($(CROSS),)
override CC := $(CROSS)gcc $(CROSS_FLAGS)
AR      := $(CROSS)ar
LD      := $(CROSS)ld
OBJCOPY := $(CROSS)objcopy
HOST_CC ?= gcc
endif
OBJCOPY  ?= objcopy
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
# A program of a coverage build adds to one file of its own in PROFILES when it ends.
PROFILES := $(abspath $(BUILD))/profile
COVERAGE_FLAGS := $(if $(COVERAGE),-fprofile-instr-generate -fcoverage-mapping)
COVERAGE_OBJECT := $(if $(COVERAGE),$(BUILD)/coverage/profile.o)
SANFLAGS += $(COVERAGE_FLAGS)
ALL_CFLAGS := $(STD) $(WARN) $(CFLAGS) $(HARDEN) -fPIC $(SANFLAGS) -MMD -MP
ALL_LDFLAGS := $(LDFLAGS) $(SANFLAGS) $(COVERAGE_OBJECT) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
CHILD_CFLAGS := $(STD) $(WARN) $(CFLAGS) $(fortify) -fstack-protector-strong \
                $(call autovar,$(CHILD_CC)) -fno-strict-aliasing -fPIE -MMD -MP
CHILD_HARDEN := -Wl,-z,relro,-z,now,-z,noexecstack
CHILD_LDFLAGS := $(LDFLAGS) -static-pie $(CHILD_HARDEN)
# Decompressors: of files that joblib has compressed, and of tensors.
INFLATE_LIBS := -lz -lbz2 -llzma -llz4 -lzstd
CHILD_LIBS := -lmsgpackc -lcap $(INFLATE_LIBS)

# Debian's musl-gcc has neither the kernel's headers nor static-pie, and no build of
# the child's libraries. Their glibc archives do: what the child takes from them calls
# nothing that musl lacks (the link would fail), but for what bzip2 prints when its own
# state is broken, and for its functions on files, which nothing calls: those end the process.
ifneq ($(findstring musl,$(CHILD_CC)),)
MACHINE := $(shell uname -m)-linux
MUSL_INCLUDE := $(BUILD)/musl-include
MUSL_LIB := /usr/lib/$(MACHINE)-musl
MUSL_DEFINED := -Wl,--undefined=abort,--defsym=__fprintf_chk=abort,--defsym=__ctype_b_loc=abort
CHILD_CFLAGS += -isystem $(MUSL_INCLUDE) -D__rlimit_resource_t=int
CHILD_LDFLAGS := $(LDFLAGS) -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text \
                 $(CHILD_HARDEN) $(MUSL_DEFINED) $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o
CHILD_LIBS := $(patsubst %,/usr/lib/$(MACHINE)-gnu/%,libmsgpackc.a libcap.a libz.a libbz2.a liblzma.a liblz4.a libzstd.a) $(MUSL_LIB)/crtn.o
endif

# ---- modules: src/NAME is one archive; who may use whom is tests/lint/includes
MODULES := base image wire formats file trust gate input infer write cli
TOP := .
GEN := $(BUILD)/gen
include src/generated.mk
# What the command line shows of the filter and of calls.
SHOWN := $(addprefix $(BUILD)/gen/,syscalls.inc filter_listing.inc syscall_names.inc)

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
DEPS_file    := file base
DEPS_trust   := trust file base
DEPS_gate    := gate trust file wire write formats image base
DEPS_cage    := gate trust file wire write formats image base
DEPS_input   := input image base
DEPS_infer   := infer image base
DEPS_write   := write infer trust file formats image base
DEPS_cli     := write infer input gate trust file formats wire image base
DEPS_fuzz    := fuzz_kit cli write infer input gate trust file formats wire image base
DEPS_faults  := cli write infer input gate trust file formats wire image base
DEPS_conformance := infer gate trust file wire write formats image base
DEPS_peers   := infer gate trust file wire write formats image base
DEPS_bench   := gate trust file wire write formats image base
DEPS_build   := infer gate write trust file wire formats image base
EXTERNAL := -lmsgpackc -lsodium -ljansson $(INFLATE_LIBS) -lcap -lm -lpthread

CLI_MODULES := cli write infer input gate trust file wire formats image base

# The libraries. Who only wants weights does not link the inference core.
LIB_MODULES := gate write trust file wire image base
PARSE_MODULES := formats image wire base
LIB_EXTERNAL := -lsodium -lmsgpackc -lzstd -lm -lpthread
INFER_EXTERNAL := -lm

BIN := $(BUILD)/bin
LIB := $(BUILD)/lib
TEST_SOURCES := $(sort $(wildcard tests/*/test_*.c))
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SOURCES))
FUZZ_INSTALL_TEST := tests/build/test_install_fuzz.sh
# What asks the child alone, which is neither sanitized nor measured: not run in such builds.
CHILD_TESTS := $(sort $(wildcard tests/hostile/test_*.py))
SCRIPT_TESTS := $(filter-out $(FUZZ_INSTALL_TEST) $(if $(SAN)$(COVERAGE),$(CHILD_TESTS)), \
    $(sort $(wildcard tests/*/test_*.py tests/*/test_*.sh)))
# Children that misbehave: run by tests in the place of weighlock-child.
HOSTILE := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/*/child_*.c)))
# Programs that test scripts ask.
TOOLS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(sort $(wildcard tests/*/tool_*.c)))
FUZZ_KIT := $(filter-out %/engine.c %/afl.c,$(sort $(wildcard fuzz/kit/*.c)))
FUZZERS := $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard fuzz/fuzz_*.c)))
# What `make check-faults` runs, and what its matrices need; child_*.c are among HOSTILE.
# inject.c knows the registers of one architecture. In what a sanitizer has instrumented,
# failing calls would disturb the sanitizer, so the matrices are not run there.
FAULTS := $(patsubst tests/%.c,$(BUILD)/tests/%,\
    $(sort $(filter-out tests/faults/child_%,$(wildcard tests/faults/*.c))))
FAULT_TOOLS := $(addprefix $(BUILD)/tests/faults/,inject loader)
FAULT_MATRICES := $(if $(SAN),,$(sort $(wildcard tests/faults/matrix_*.py)))
ifneq ($(firstword $(subst -, ,$(CROSS)) $(shell uname -m)),x86_64)
FAULTS := $(filter-out $(BUILD)/tests/faults/inject,$(FAULTS))
FAULT_MATRICES :=
endif
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/*.c)))

.DEFAULT_GOAL := all
.PHONY: all libraries completions child-musl tests check check-onnx check-parity check-options check-options-peers check-peers coverage coverage-run check-faults demo \
        bench lint lint-format lint-tidy lint-man lint-tests \
        check-ci deps deps-ci deps-peers install uninstall threads cross-aarch64 deb deb-check clean \
        help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
# `make -j deps check`: packages first.
ifneq ($(filter deps%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

## all          the programs and libraries, in $(BUILD)/bin and $(BUILD)/lib (the default)
all: $(BIN)/weighlock $(BIN)/weighlock-child libraries $(if $(CROSS),,completions)

help:
	@sed -n 's/^## //p' Makefile fuzz/fuzz.mk packaging/packages.mk
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
$(eval $(call remember,$(BUILD)/gen/prefix,$$(PREFIX) $$(LIBDIR) $$(VERSION)))
$(eval $(call remember,$(BUILD)/gen/files,$$(foreach m,$$(MODULES) cage,$$(call sources,$$(m)))))

# ---- generated
# The child's files may be fewer than before: that changes the digest too.
$(GEN)/build_id.inc: $(BUILD)/gen/files

# The filter is compiled at build time, so the child needs no libseccomp.
$(BUILD)/gen/filter.inc $(BUILD)/gen/filter.pfc &: $(BUILD)/filter_compile policy/syscalls.policy
	@mkdir -p $(@D)
	$(Q)$(BUILD)/filter_compile policy/syscalls.policy $(BUILD)/gen/filter.inc $(BUILD)/gen/filter.pfc \
	    $(firstword $(subst -, ,$(CROSS)))

$(BUILD)/filter_compile: src/cage/filter_compile.c $(BUILD)/gen/flags
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(STD) $(WARN) $(CFLAGS) -o $@ $< -lseccomp

$(BUILD)/gen/flags: | $(COVERAGE_OBJECT)
$(BUILD)/coverage/profile.o: tests/coverage/profile.c
	@mkdir -p $(@D) $(PROFILES) && chmod 777 $(PROFILES)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) -O2 -fPIC -fvisibility=hidden -DPROFILES='"$(PROFILES)"' -c $< -o $@

# Names of system calls, for people: of the architecture that is built for.
$(BUILD)/gen/syscall_names.inc: $(BUILD)/syscall_names_compile
	@mkdir -p $(@D)
	$(Q)$(BUILD)/syscall_names_compile $@ $(firstword $(subst -, ,$(CROSS)))

$(BUILD)/syscall_names_compile: src/cage/syscall_names_compile.c $(BUILD)/gen/flags
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) $(STD) $(WARN) $(CFLAGS) -o $@ $< -lseccomp

$(BUILD)/gen/syscalls.inc: policy/syscalls.policy src/cli/gen_syscalls.awk
	@mkdir -p $(@D)
	$(Q)awk -f src/cli/gen_syscalls.awk policy/syscalls.policy > $@

$(BUILD)/gen/filter_listing.inc: $(BUILD)/gen/filter.pfc src/cli/gen_listing.awk
	@mkdir -p $(@D)
	$(Q)awk -f src/cli/gen_listing.awk $< > $@

# ---- objects, archives, programs
$(BUILD)/obj/%.o: src/%.c $(BUILD)/gen/flags | $(GENERATED) $(SHOWN)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(DEFINES) $(LOOPS) -c $< -o $@

# Kernels are loops over elements, which gcc makes vectors of at this level only.
ifeq ($(SAN)$(COVERAGE)$(filter -O0,$(CFLAGS)),)
$(BUILD)/obj/infer/ops_%.o $(BUILD)/obj/infer/conv.o $(BUILD)/obj/infer/blas.o \
$(addprefix $(BUILD)/obj/infer/,reducers.o rnn_activations.o rnn_cells.o strided.o fft.o): \
    LOOPS := -O3 -fno-math-errno -fno-trapping-math
endif

$(BUILD)/obj/gate/gate.o: DEFINES := -DWLK_CHILD_PATH='"$(PREFIX)/libexec/weighlock/weighlock-child"'
$(BUILD)/obj/cli/main.o: DEFINES := -DWLK_VERSION='"$(VERSION)"'
$(BUILD)/obj/gate/gate.o $(BUILD)/obj/cli/main.o: $(BUILD)/gen/prefix

$(BUILD)/child/%.o: src/%.c $(BUILD)/gen/child_flags | $(GENERATED) $(BUILD)/gen/filter.inc $(MUSL_INCLUDE)
	@mkdir -p $(@D)
	$(Q)$(CHILD_CC) $(CHILD_CFLAGS) -c $< -o $@

define module_rule
$(BUILD)/mod/$(1).a: $(call objects,$(1)) $(BUILD)/gen/files
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $(AR) rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))

archives = $(foreach m,$(1),$(BUILD)/mod/$(m).a)

$(BUILD)/mod/child.a: $(CHILD_OBJECTS) $(BUILD)/gen/files
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

$(BIN)/weighlock: $(call archives,$(CLI_MODULES))
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CC) -pie -o $@ $(ALL_LDFLAGS) -Wl,--start-group $^ -Wl,--end-group $(EXTERNAL)

# Linked from an archive, so that it holds no code that it does not use.
$(BIN)/weighlock-child: $(CHILD_MAIN) $(BUILD)/mod/child.a
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(CHILD_CC) -o $@ $(CHILD_LDFLAGS) $^ $(CHILD_LIBS)

# Completion scripts of shells come from the program's own tables.
COMPLETION_FILES := $(addprefix $(BUILD)/completion/,bash zsh fish)
$(COMPLETION_FILES): $(BUILD)/completion/%: $(BIN)/weighlock
	@mkdir -p $(@D)
	$(Q)$(BIN)/weighlock completion $* > $@
completions: $(COMPLETION_FILES)

$(BUILD)/musl-include:
	@mkdir -p $@/sys
	$(Q)ln -sfn $(addprefix /usr/include/,linux asm-generic $(MACHINE)-gnu/asm msgpack msgpack.h \
	    zlib.h zconf.h bzlib.h lzma lzma.h lz4.h lz4frame.h zstd.h zstd_errors.h) $@/
	$(Q)ln -sfn /usr/include/sys/capability.h $@/sys/

## child-musl   the child against musl, in $(BUILD)-musl/bin
child-musl:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)-musl CHILD_CC=musl-gcc $(BUILD)-musl/bin/weighlock-child

## libraries    libweighlock, libweighlock-infer, libweighlock-parse.a
SO_CORE  := $(LIB)/libweighlock.so.$(VERSION)
SO_INFER := $(LIB)/libweighlock-infer.so.$(VERSION)
LIBRARIES := $(SO_CORE) $(SO_INFER) \
             $(addprefix $(LIB)/,libweighlock.a libweighlock-infer.a libweighlock-parse.a)
PKGCONFIGS := $(addprefix $(LIB)/pkgconfig/,weighlock.pc weighlock-infer.pc weighlock-parse.pc)
libraries: $(LIBRARIES) $(PKGCONFIGS)

# What each makes public: the WLK_API functions of its headers.
HEADERS := $(sort $(wildcard include/weighlock/*.h))
PUBLIC_libweighlock-infer := include/weighlock/infer.h
PUBLIC_libweighlock       := $(filter-out $(addprefix include/weighlock/,infer.h parse.h),$(HEADERS))
PUBLIC_libweighlock-parse := $(PUBLIC_libweighlock) include/weighlock/parse.h

# Which objects each is made of. libweighlock-infer has its own copy of what it uses of
# image and base, but not of base/allocator: the host sets one allocator for both.
PARTS_libweighlock       := $(foreach m,$(LIB_MODULES),$(call objects,$(m)))
PARTS_libweighlock-infer := $(call objects,infer) $(BUILD)/whole/below_infer.a
PARTS_libweighlock-parse := $(foreach m,$(PARSE_MODULES),$(call objects,$(m)))

$(BUILD)/whole/below_infer.a: $(filter-out %/allocator.o,$(call objects,image) $(call objects,base)) \
                              $(BUILD)/gen/files
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

# A library is one object, in which everything but its public functions is local: what
# is not promised cannot be linked to, and no name of the user's can collide with it.
define whole_rule
$(BUILD)/gen/$(1).exports: $$(PUBLIC_$(1)) packaging/exports.sh
	@mkdir -p $$(@D)
	$$(Q)sh packaging/exports.sh $$(PUBLIC_$(1)) > $$@

$(BUILD)/whole/$(1).o: $$(PARTS_$(1)) $(BUILD)/gen/files $(BUILD)/gen/$(1).exports
	@mkdir -p $$(@D)
	$$(Q)$$(LD) -r -o $$@ $$(filter %.o %.a,$$^)
	$$(Q)$$(OBJCOPY) --keep-global-symbols=$(BUILD)/gen/$(1).exports $(2) $$@

$(LIB)/$(1).a: $(BUILD)/whole/$(1).o
	@mkdir -p $$(@D)
	@echo "ar    $$@"
	$$(Q)rm -f $$@ && $$(AR) rcsD $$@ $$<
endef
$(eval $(call whole_rule,libweighlock,))
$(eval $(call whole_rule,libweighlock-infer,))
# It shares functions with libweighlock. Weak, so that a program can be linked with both; but
# not what it needs of other libraries, or the linker would do without.
$(eval $(call whole_rule,libweighlock-parse,--weaken-symbols=$(BUILD)/gen/libweighlock-parse.exports))

# All symbols have one version as long as the number in the soname stays the same.
$(BUILD)/gen/%.map: $(BUILD)/gen/%.exports
	$(Q){ echo 'WEIGHLOCK_$(SOVERSION) {' && echo 'global:' && sed 's/$$/;/' $< && \
	    echo 'local: *;' && echo '};'; } > $@

# $(1) the library's name. A sanitizer's runtime comes with the program.
link_library = $(CC) -shared -o $@ $(ALL_LDFLAGS) $(NO_UNDEFINED) -Wl,-soname,$(1).so.$(SOVERSION) \
               -Wl,--version-script=$(BUILD)/gen/$(1).map $(filter %.o,$^)
link_names = ln -sf $(@F) $(LIB)/$(1).so.$(SOVERSION) && ln -sf $(@F) $(LIB)/$(1).so
NO_UNDEFINED := $(if $(SAN),,-Wl$(,)--no-undefined)

$(SO_CORE): $(BUILD)/whole/libweighlock.o $(BUILD)/gen/libweighlock.map
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(call link_library,libweighlock) $(LIB_EXTERNAL)
	$(Q)$(call link_names,libweighlock)

$(SO_INFER): $(BUILD)/whole/libweighlock-infer.o $(BUILD)/gen/libweighlock-infer.map $(SO_CORE)
	@mkdir -p $(@D)
	@echo "link  $@"
	$(Q)$(call link_library,libweighlock-infer) $(SO_CORE) $(INFER_EXTERNAL)
	$(Q)$(call link_names,libweighlock-infer)

$(LIB)/pkgconfig/%.pc: packaging/%.pc.in $(BUILD)/gen/prefix
	@mkdir -p $(@D)
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|; s|@VERSION@|$(VERSION)|' \
	    $< > $@

# ---- tests
test_module = $(firstword $(subst /, ,$(1)))
# $(1) path below tests/ without .c, $(2) external libraries
define test_rule
$(BUILD)/$(1): tests/$(2).c $(call archives,$(DEPS_$(call test_module,$(2)))) $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -MT $$@ -MF $$@.d -Itests -Ifuzz -o $$@ $$< $$(ALL_LDFLAGS) -Wl,--start-group \
	    $$(filter %.a,$$^) -Wl,--end-group $(3) $$(EXTERNAL)
endef
$(foreach t,$(patsubst tests/%.c,%,$(TEST_SOURCES)),$(eval $(call test_rule,tests/$(t),$(t),-lcmocka)))

$(foreach t,$(patsubst $(BUILD)/%,%,$(FAULTS)),$(eval $(call test_rule,$(t),$(t:tests/%=%),-lcmocka)))

$(foreach t,$(TOOLS:$(BUILD)/%=%),$(eval $(call test_rule,$(t),$(t:tests/%=%),)))

$(eval $(call test_rule,tests/conformance/run_model,conformance/run_model,))

# It runs the child's own filter.
$(BUILD)/tests/cage/test_filter: | $(BUILD)/gen/filter.inc

# A hostile child is made like the real one: never sanitized, with everything of the
# cage at hand, its heap too (16 KiB until heap_reserve).
$(HOSTILE): $(BUILD)/tests/%: tests/%.c $(BUILD)/mod/child.a $(BUILD)/gen/child_flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CHILD_CC) $(CHILD_CFLAGS) -MT $@ -MF $@.d -Itests -o $@ $(CHILD_LDFLAGS) $< \
	    $(BUILD)/mod/child.a $(CHILD_LIBS)

# Each call that a layer makes can be made to fail in it.
$(BUILD)/tests/cage/child_faulty: tests/cage/faulty.wrap
$(BUILD)/tests/cage/child_faulty: private CHILD_LDFLAGS += -Wl,@tests/cage/faulty.wrap

tests: $(TESTS) $(TOOLS) $(HOSTILE) $(FUZZERS) $(if $(CROSS),$(BUILD)/fuzz/make_seeds,$(BUILD)/fuzz/seeds.made)

# A fuzz target as a program of its own, which runs it over files. Fuzzers are built by
# fuzz/Makefile; this is so that a target never stops building.
$(BUILD)/fuzz/kit/%.o: fuzz/kit/%.c $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ifuzz -c $< -o $@

$(BUILD)/mod/fuzz_kit.a: $(patsubst %.c,$(BUILD)/%.o,$(FUZZ_KIT))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(BUILD)/fuzz/%: fuzz/%.c $(BUILD)/mod/fuzz_kit.a $(call archives,$(DEPS_fuzz)) $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ifuzz -MT $@ -MF $@.d -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXTERNAL)

# Inputs and dictionaries made from the project's own tables, in $(BUILD)/fuzz/seeds and dict.
$(BUILD)/fuzz/make_seeds: $(sort $(wildcard fuzz/seeds/*.c)) $(call archives,$(DEPS_fuzz)) $(BUILD)/gen/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Ifuzz -Itests -o $@ $(filter %.c,$^) $(ALL_LDFLAGS) \
	    -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(EXTERNAL)

$(BUILD)/fuzz/make_seeds: $(wildcard fuzz/seeds/*.h tests/formats/wlk_*.h tests/support/wlk_*.h)

$(BUILD)/fuzz/seeds.made: $(BUILD)/fuzz/make_seeds
	@rm -rf $(BUILD)/fuzz/seeds $(BUILD)/fuzz/dict
	$(Q)$< $(BUILD)/fuzz > $@.new && mv $@.new $@

## check        builds everything and runs every test
check: all tests
	$(Q)BUILD=$(BUILD) PYTHON=$(PYTHON) CC=$(CC) sh tests/run.sh $(TESTS) $(SCRIPT_TESTS)

# ONNX's own models and what they give, from Debian's libonnx-testdata.
ONNX_DATA ?= /usr/share/libonnx-testdata/data
ONNX_SUITES := node simple pytorch-converted pytorch-operator

## check-onnx   ONNX's own test models, each through the cage: what passes, and whether that is
##              what tests/conformance/misses.txt says (SAN=address,undefined CC=clang too)
check-onnx: $(BIN)/weighlock-child $(BUILD)/tests/conformance/run_model
	$(Q)$(BUILD)/tests/conformance/run_model -c $(BIN)/weighlock-child \
	    -m tests/conformance/misses.txt $(addprefix $(ONNX_DATA)/,$(ONNX_SUITES))

# scikit-learn, its exporter and onnxruntime, in an environment of their own.
PEERS := $(BUILD)/peers
PEERS_PYTHON := $(PEERS)/bin/python -B

$(PEERS)/made: tests/peers/requirements.txt
	$(Q)rm -rf $(PEERS) && $(PYTHON) -m venv $(PEERS)
	$(Q)$(PEERS)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: -r $<
	@touch $@

# Other versions of scikit-learn, in a folder of their own.
PARITY := $(BUILD)/parity

$(PARITY)/made: tests/parity/versions.sh $(wildcard tests/parity/requirements-*.txt)
	$(Q)PYTHON=$(PYTHON) sh tests/parity/versions.sh install $(PARITY)
	@touch $@

## check-peers  fitted pipelines and whole networks against onnxruntime, the operator table against
##              the standard's list, and estimators of five versions of scikit-learn, as
##              check-parity does (needs deps-peers, and PyPI the first time)
check-peers: $(BIN)/weighlock $(BIN)/weighlock-child $(BUILD)/tests/peers/tool_peer $(PEERS)/made $(PARITY)/made \
        $(BUILD)/tests/formats/tool_sklearn_rows
	$(Q)$(PEERS_PYTHON) tests/peers/check.py $(BUILD)
	$(Q)sh tests/parity/versions.sh run $(PARITY) $(BUILD)

## check-parity fitted estimators of the system's scikit-learn, each in seven files, predict what
##              scikit-learn predicts (needs deps-ci)
check-parity: $(BIN)/weighlock $(BIN)/weighlock-child
	$(Q)$(PYTHON) -B tests/parity/run.py $(BUILD) --table

## check-options every option of every supported class of the system's scikit-learn is honoured or
##              refused by name: never a wrong prediction (needs deps-ci); check-options-peers:
##              of the five other versions too (needs deps-peers)
check-options-peers: check-options $(PARITY)/made
	$(Q)sh tests/parity/versions.sh options $(PARITY) $(BUILD)

check-options: $(BIN)/weighlock $(BIN)/weighlock-child $(BUILD)/tests/formats/tool_sklearn_rows
	$(Q)$(PYTHON) -B tests/parity/options.py $(BUILD) --table

## check-faults every call of parent and child fails, is killed and stopped; memory, files and
##              disks run out; hostile answers, races, thousands of loads (below 10 minutes)
check-faults: all $(FAULTS) $(HOSTILE)
	$(Q)BUILD=$(BUILD) PYTHON=$(PYTHON) CC=$(CC) sh tests/faults/run.sh \
	    $(FAULT_MATRICES) $(filter-out $(FAULT_TOOLS),$(FAULTS))

# What the tests reach, by clang's source-based coverage. tests/build/test_libraries.sh looks
# at all symbols, of which such a build has more.
COVERED := $(TESTS) $(filter-out tests/build/test_libraries.sh,$(SCRIPT_TESTS))
COVERED_FAULTS := $(BUILD)/tests/faults/alloc_library

## coverage     every test, and which branches and rules they reach: fails below the floor, and
##              where tests/coverage does not say why not (needs deps-ci; HTML=1 writes pages)
coverage:
	$(Q)$(MAKE) --no-print-directory CC=clang COVERAGE=1 coverage-run

coverage-run: all tests $(COVERED_FAULTS)
	$(Q)rm -rf $(PROFILES) && mkdir -m 777 $(PROFILES)
	$(Q)BUILD=$(BUILD) PYTHON=$(PYTHON) CC=$(CC) sh tests/run.sh $(COVERED)
	$(Q)for program in $(COVERED_FAULTS); do $$program || exit 1; done
	$(Q)$(PYTHON) -B tests/coverage/report.py $(BUILD) $(if $(HTML),--html $(BUILD)/coverage/html)

# What the headers call safe from several threads; SAN=thread looks for races.
threads: $(BIN)/weighlock-child $(BUILD)/tests/build/test_threads
	$(Q)BUILD=$(BUILD) sh tests/run.sh $(BUILD)/tests/build/test_threads

## demo         a model is packed, signed, loaded through the cage and predicts; bad ones are refused
demo: all
	$(Q)BUILD=$(BUILD) sh tests/demo.sh

## bench        speed and memory beside their targets (1.1 GiB in BENCH_FOLDER), beside
##              onnxruntime (needs deps-peers, and PyPI the first time), joblib and pickle;
##              BENCH_QUICK=1 leaves large files out, and shows a missed target without failing
BENCH_FOLDER ?= $(BUILD)/bench
bench: all $(BENCHES) $(BUILD)/tests/peers/tool_peer
	$(if $(SAN),$(error bench measures nothing under SAN))
	$(Q)missed=0; \
	$(BUILD)/bench/bench $(BIN)/weighlock-child $(NOOP) $(BENCH_FOLDER) || missed=$$?; \
	$(MAKE) --no-print-directory $(PEERS)/made || exit 2; \
	$(PEERS_PYTHON) tests/peers/bench.py $(BUILD) || [ $$missed -gt 1 ] || missed=$$?; \
	$(PYTHON) -B tests/parity/bench.py $(BUILD) || [ $$missed -gt 1 ] || missed=$$?; \
	[ $$missed -le $(if $(BENCH_QUICK),1,0) ]

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
FORMATTED = $(sort $(wildcard $(addsuffix .[ch],src/*/* src/*/*/* tests/*/* fuzz/* fuzz/*/* include/weighlock/*)))
TIDIED = $(sort $(wildcard src/*/*.c src/*/*/*.c))
LINT_TESTS := $(sort $(wildcard tests/lint/test_*.sh))

## lint         layout, static analysis, the include rule, man pages (needs deps-ci)
lint: lint-format lint-tidy lint-man lint-tests

lint-format:
	$(Q)clang-format --dry-run -Werror $(FORMATTED)

lint-tidy: $(GENERATED) $(SHOWN) $(BUILD)/gen/filter.inc
	$(Q)printf '%s\n' $(TIDIED) | xargs -P $(JOBS) -n 1 \
	    sh -c 'clang-tidy --quiet "$$@" -- $(STD) 2> $(BUILD)/tidy.txt || exit 1' tidy

lint-man:
	$(Q)$(if $(MAN_PAGES),mandoc -T lint -W warning $(MAN_PAGES))

lint-tests: $(GENERATED) $(SHOWN) $(BUILD)/gen/filter.inc
	$(Q)BUILD=$(BUILD) CC=$(CC) sh tests/run.sh $(LINT_TESTS)

# Each configuration has a folder of its own. The child is never sanitized, so the
# sanitizers' run is also the one with a child of musl.
ci = @echo "== $(1): $(2)"; $(MAKE) --no-print-directory -j$(JOBS) BUILD=$(BUILD)-ci-$(1) $(2)

# One target a structure: that a second engine still drives them.
AFL_CHECKED := digests csv npy header wlk image wire

## check-ci     all that continuous integration runs
check-ci: deps-ci deps-peers
	$(call ci,gcc,CC=gcc check)
	$(call ci,gcc,CC=gcc check-onnx)
	$(call ci,gcc,CC=gcc check-parity)
	$(call ci,gcc,CC=gcc check-options)
	$(call ci,gcc,CC=gcc check-peers)
	$(call ci,gcc,CC=gcc lint)
	$(call ci,clang,CC=clang coverage)
	$(call ci,san,CC=clang CHILD_CC=musl-gcc SAN=address$(,)undefined TEST_SECONDS=300 check)
	$(call ci,san,CC=clang CHILD_CC=musl-gcc SAN=address$(,)undefined check-onnx)
	$(call ci,thread,CC=clang SAN=thread threads)
	$(call ci,gcc,CC=gcc check-faults)
	$(call ci,gcc,CC=gcc fuzz-check)
	$(call ci,gcc,CC=gcc fuzz-selftest)
	$(call ci,gcc,CC=gcc TARGETS='$(AFL_CHECKED)' fuzz-afl)
	$(call ci,gcc,CC=gcc check-install-fuzz)
	$(call ci,gcc,CC=gcc child-musl)
	$(call ci,gcc,CC=gcc cross-aarch64)
	$(call ci,gcc,CC=gcc deb-check)
	$(call ci,gcc,CC=gcc demo)
	$(call ci,gcc,CC=gcc BENCH_QUICK=1 bench)
	@echo "== as an ordinary user"
	@sh tests/as_user.sh 'make -j$(JOBS) CC=gcc check && make CC=gcc demo'

# ---- packages (Debian 12 or later)
DEPS := gcc libc6-dev \
        libseccomp-dev libcap-dev libsodium-dev libmsgpack-dev \
        libjansson-dev \
        zlib1g-dev libbz2-dev liblzma-dev liblz4-dev libzstd-dev \
        libcmocka-dev \
        libonnx-testdata \
        g++ \
        minisign \
        pkgconf \
        strace \
        python3 python3-numpy python3-msgpack python3-nacl \
        python3-sklearn python3-pandas python3-lz4 python3-jsonschema python3-onnx
# libjansson-dev          JSON specifications of `weighlock pack`
# zlib1g-dev              checksums of .npz files; how far tensors would shrink
# libonnx-testdata        the models that operators are judged by (21 MB)
# g++                     the public headers are compiled as C++ too
# pkgconf                 the examples are built with what weighlock.pc says
# minisign                keys and signatures are exchanged with it, both ways
# strace                  shows what the child calls after its filter
# python3-msgpack, -nacl  a second implementation of the format, signatures included
# python3-sklearn         trains the example models again and gives their probabilities
# python3-pandas, -lz4    columns with names; what joblib compresses with
# python3-onnx            reads the same ONNX files, with another protobuf
# python3-jsonschema      what every verb prints with --json is held against docs/schema

# What check-ci needs besides: the second compiler with its sanitizers, llvm-cov (llvm, 50 MB
# installed), a second engine for fuzzing (afl++, 2 MB), linters, the second libc, the other
# architecture, Debian packages and a system to install them in.
DEPS_CI := clang libclang-rt-14-dev llvm clang-format clang-tidy afl++ mandoc musl-tools \
           gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
           debhelper lintian debootstrap bubblewrap

# What comparisons with other programs need besides: they come from PyPI into a
# virtual environment.
DEPS_PEERS := python3-venv

## deps         installs with apt-get what build, demo and check need (about 200 MB)
deps:
	@sh tests/install_packages.sh $(DEPS)

## deps-ci      ... and what lint and check-ci need besides (about 200 MB)
deps-ci:
	@sh tests/install_packages.sh $(DEPS) $(DEPS_CI)

## deps-peers   ... and what comparisons with other programs need
deps-peers:
	@sh tests/install_packages.sh $(DEPS) $(DEPS_PEERS)

# ---- installation
LIBEXEC := $(PREFIX)/libexec/weighlock
SHARE   := $(PREFIX)/share
DOC     := $(SHARE)/doc/weighlock
SONAMES := $(foreach l,libweighlock libweighlock-infer,$(l).so $(l).so.$(SOVERSION))

# What is installed where, one row MODE:FILE:TARGET. SONAMES are links beside them.
install_into = $(foreach file,$(3),$(1):$(file):$(2)/$(notdir $(file)))
INSTALLED := \
    755:$(BIN)/weighlock:$(PREFIX)/bin/weighlock \
    755:$(BIN)/weighlock-child:$(LIBEXEC)/weighlock-child \
    $(call install_into,644,$(LIBDIR),$(LIBRARIES)) \
    $(call install_into,644,$(LIBDIR)/pkgconfig,$(PKGCONFIGS)) \
    $(call install_into,644,$(PREFIX)/include/weighlock,$(HEADERS)) \
    $(foreach page,$(MAN_PAGES),644:$(page):$(SHARE)/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
    $(call install_into,644,$(DOC),$(wildcard README.md CHANGELOG.md SECURITY.md LICENSE docs/*.md)) \
    $(call install_into,644,$(DOC)/examples,$(wildcard docs/examples/*)) \
    $(call install_into,644,$(SHARE)/weighlock/schema,$(wildcard docs/schema/*.json)) \
    $(call install_into,644,$(SHARE)/weighlock/policy,$(wildcard policy/*.policy policy/*.allow)) \
    $(if $(CROSS),, \
        644:$(BUILD)/completion/bash:$(SHARE)/bash-completion/completions/weighlock \
        644:$(BUILD)/completion/zsh:$(SHARE)/zsh/site-functions/_weighlock \
        644:$(BUILD)/completion/fish:$(SHARE)/fish/vendor_completions.d/weighlock.fish)
INSTALLED_FOLDERS := $(LIBEXEC) $(PREFIX)/include/weighlock $(addprefix $(SHARE)/weighlock/,schema policy) \
                     $(SHARE)/weighlock $(DOC)/examples $(DOC)

## install      programs, libraries, headers, man pages, completions below $(DESTDIR)$(PREFIX)
install: all
	$(Q)for row in $(INSTALLED); do \
	    mode=$${row%%:*} to=$${row##*:} file=$${row#*:}; \
	    install -D -m $$mode "$${file%:*}" "$(DESTDIR)$$to" || exit 1; done
	$(Q)cp -d $(addprefix $(LIB)/,$(SONAMES)) $(DESTDIR)$(LIBDIR)/

## uninstall    removes what install put there
uninstall:
	$(Q)for row in $(INSTALLED); do rm -f "$(DESTDIR)$${row##*:}"; done
	$(Q)rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,$(SONAMES))
	$(Q)for folder in $(INSTALLED_FOLDERS); do \
	    rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$folder" 2>/dev/null || true; done

include packaging/packages.mk
include fuzz/fuzz.mk

## clean        removes the output folders
clean:
	rm -rf $(BUILD) $(BUILD)-musl $(BUILD)-aarch64 $(BUILD)-ci-*

-include $(shell find $(BUILD) \( -path $(BUILD)/deb -o -path $(BUILD)/fuzzing \) -prune -o -type f -name '*.d' -print 2>/dev/null)
