# Fuzzing (docs/fuzzing.md). fuzz/Makefile builds targets, fuzz/run.py runs them.
#
# Variables: SECONDS a target has (60; fuzz-check: FUZZ_SECONDS, 10; fuzz-afl: 5), JOBS that
# run at once, TARGETS (all). What runs find, keep and count is in $(BUILD)/fuzzing.

FUZZING := $(abspath $(BUILD))/fuzzing
FUZZ_TARGETS := $(patsubst fuzz/fuzz_%.c,%,$(sort $(wildcard fuzz/fuzz_*.c)))
FUZZ_CC ?= clang
AFL_CC ?= afl-clang-fast
AFL_DRIVER ?= /usr/lib/afl/libAFLDriver.a
SECONDS ?= 60
FUZZ_SECONDS ?= 10
AFL_SECONDS ?= 5
TARGETS ?=

FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# $(1) a folder of $(FUZZING), $(2) goals and variables
fuzz_build = +$(Q)$(MAKE) --no-print-directory -C fuzz OUT=$(FUZZING)/$(1) PYTHON=$(PYTHON) V=$(V) \
             $(if $(TARGETS),TARGETS='$(TARGETS)') $(2)
# $(1) a command of fuzz/run.py, $(2) seconds
fuzz_run = $(Q)$(PYTHON) -B fuzz/run.py $(1) --build $(FUZZING) --seconds $(2) --jobs $(JOBS)
FUZZ_ENGINE = CC=$(FUZZ_CC) CFLAGS='-O2 -g $(FUZZ_SAN) -fsanitize=fuzzer-no-link' \
              LIB_FUZZING_ENGINE=-fsanitize=fuzzer

.PHONY: fuzz fuzz-build fuzz-check fuzz-bench fuzz-effect fuzz-coverage fuzz-afl fuzz-show \
        fuzz-minimise fuzz-record fuzz-selftest install-fuzz uninstall-fuzz check-install-fuzz

fuzz-build:
	$(call fuzz_build,engine,all $(FUZZ_ENGINE))

## fuzz         every fuzz target for SECONDS (60), JOBS at once; what they found is kept,
##              merged and minimised, in $(BUILD)/fuzzing/corpus (fuzz*: needs deps-ci)
fuzz: fuzz-build
	$(call fuzz_run,fuzz,$(SECONDS)) $(TARGETS)

## fuzz-TARGET  one of them
FUZZ_ONE := $(FUZZ_TARGETS:%=fuzz-%)
.PHONY: $(FUZZ_ONE)
$(foreach t,$(FUZZ_TARGETS),$(eval fuzz-$(t): TARGETS := $(t)))
$(FUZZ_ONE): fuzz-%: fuzz-build
	$(call fuzz_run,fuzz,$(SECONDS)) $*

## fuzz-check   for continuous integration: regressions and seeds, then FUZZ_SECONDS (10) each
fuzz-check: fuzz-build
	$(call fuzz_run,check,$(FUZZ_SECONDS)) $(TARGETS)

## fuzz-bench   executions a second, beside what they should be
fuzz-bench: fuzz-build
	$(call fuzz_build,bench-build,targets CC=$(FUZZ_CC) CFLAGS='-O2 -g $(FUZZ_SAN)')
	$(call fuzz_run,bench,$(SECONDS)) $(TARGETS)

## fuzz-effect  what is covered after SECONDS with and without structure; EMPTY=1: without seeds
fuzz-effect: fuzz-build
	$(call fuzz_run,effect,$(SECONDS)) $(if $(EMPTY),--empty) $(TARGETS)

## fuzz-coverage  branches of each file that seeds, corpora and regressions reach; HTML
fuzz-coverage: fuzz-build
	$(call fuzz_build,coverage-build,targets CC=$(FUZZ_CC) \
	    CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping')
	$(call fuzz_run,coverage,$(SECONDS)) $(TARGETS)

## fuzz-afl     every target under AFL++ with the mutator of its structure, AFL_SECONDS (5) each
fuzz-afl: fuzz-build
	$(call fuzz_build,afl,targets mutators CC=$(AFL_CC) ENGINE_HOOKS=bytes \
	    CFLAGS='-O2 -g $(FUZZ_SAN)' LIB_FUZZING_ENGINE=$(AFL_DRIVER))
	$(call fuzz_run,afl,$(AFL_SECONDS)) $(TARGETS)

## fuzz-selftest  plants one bug at a time in a copy of the sources: each must be found within 60 s
fuzz-selftest: fuzz-build
	$(Q)$(FUZZ_ENGINE) $(PYTHON) -B fuzz/run.py selftest --build $(FUZZING) --jobs $(JOBS) \
	    $(BUGS:%=--bug=%)

## fuzz-show    prints what is in an input: FILE=... TARGET=...
fuzz-show: $(BUILD)/fuzz/fuzz_$(TARGET)
	$(Q)$< -s $(FILE)

## fuzz-minimise  the smallest input that still fails: FILE=... TARGET=...
fuzz-minimise: TARGETS = $(TARGET)
fuzz-minimise: fuzz-build
	$(call fuzz_run,minimise,$(SECONDS)) --file $(FILE) $(TARGET)

## fuzz-record  adds the runs since the last time to the table of docs/fuzzing.md
fuzz-record:
	$(call fuzz_run,record,$(SECONDS))

# ---- the kit for others' pipelines
FUZZ_KIT_AT := $(DESTDIR)$(SHARE)/weighlock/fuzz

## install-fuzz everything that builds and feeds the targets, below $(PREFIX)/share/weighlock/fuzz
install-fuzz:
	$(call fuzz_build,plain,seeds CC=$(CC) CFLAGS=-O1 LIB_FUZZING_ENGINE= TARGETS='$(FUZZ_TARGETS)')
	$(Q)sh fuzz/install.sh '$(FUZZ_KIT_AT)' '$(FUZZING)/plain' \
	    $$($(MAKE) --no-print-directory -s -C fuzz files)

uninstall-fuzz:
	$(Q)sh fuzz/install.sh --remove '$(FUZZ_KIT_AT)'
uninstall: uninstall-fuzz

# It needs clang, so it is no part of `make check`.
check-install-fuzz:
	$(Q)BUILD=$(BUILD) MAKE='$(MAKE)' PYTHON=$(PYTHON) TEST_SECONDS=300 sh tests/run.sh $(FUZZ_INSTALL_TEST)
