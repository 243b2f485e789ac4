/* Invariants 5 and 6: whatever a child says, the parent gives an exact verdict, in
 * time, hands out no model, and leaves nothing behind. Each row of the table is
 * one way to misbehave of hostile_cases.h. */
#include "support/gate_kit.h"

#include "base/envelope.h"
#include "gate/hostile_cases.h"
#include "wire/frame.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"
#define ACCEPTED "accepted"
#define SHORT_DEADLINE 300 /* ms: for children that never end */
#define DATA_AT 4096       /* of tensor a; b is 64 bytes behind it */

typedef struct hostile_row {
    enum hostile_case number;
    const char *rule;  /* alternatives are separated by | where two processes race */
    uint64_t offset;   /* of the error; 0 is not looked at */
    const char *text;  /* what the error's text must say */
    const char *limit; /* a limit that is set to: */
    uint64_t value;
    uint64_t tensors; /* another one, 0: as it is */
    wlk_transport transport;
    wlk_layers layers;
    bool lazy;            /* the file is opened for its tensors to be read later */
    bool pooled;          /* the child has waited: every row that is not lazy is run so, too */
    const char *ordinary; /* for an ordinary user's gate, where that is another rule */
} hostile_row;

static const char *const case_names[] = {
#define HOSTILE_NAME(name) [HOSTILE_##name] = #name,
    HOSTILE_CASES(HOSTILE_NAME)
#undef HOSTILE_NAME
};

#define CASE(name) .number = HOSTILE_##name
#define DEADLINE .limit = "deadline_ms", .value = SHORT_DEADLINE, .rule = "limit.deadline"
#define MAP .transport = WLK_TRANSPORT_MAP
#define LAZY .lazy = true
#define FEW_LAYERS .layers = WLK_LAYERS_REQUIRED

static const hostile_row rows[] = {
    {CASE(good), .rule = ACCEPTED},
    {CASE(good), .rule = ACCEPTED, MAP},
    {CASE(good), .rule = ACCEPTED, FEW_LAYERS},

    /* before HELLO */
    {CASE(exits_0_at_once), .rule = "wire.truncated"},
    {CASE(exits_1_at_once), .rule = "cage.exit", .text = "exit code 1"},
    {CASE(silent_at_once), DEADLINE},
    /* the first of a PID namespace cannot */
    {CASE(stops_itself), .limit = "deadline_ms", .value = SHORT_DEADLINE, .rule = "cage.stopped",
     FEW_LAYERS},
    {CASE(kills_itself), .rule = "cage.killed", .text = "signal 9", FEW_LAYERS},
    {CASE(crashes_at_once), .rule = "cage.crash", .text = "signal 11"},
    {CASE(data_before_hello), .rule = "wire.state"},
    {CASE(refuse_before_hello), .rule = "wire.state"},
    {CASE(end_before_hello), .rule = "wire.state"},
    {CASE(hello_build), .rule = "cage.build"},
    {CASE(hello_protocol), .rule = "cage.build"},
    {CASE(hello_magic), .rule = "wire.header"},
    {CASE(hello_sequence), .rule = "wire.sequence"},
    {CASE(hello_short), .rule = "wire.header"},
    {CASE(hello_long), .rule = "wire.header"},
    {CASE(hello_cut), .rule = "wire.truncated"},
    {CASE(hello_drips), DEADLINE},
    {CASE(hello_layer_count), .rule = "wire.hello"},
    {CASE(hello_layer_order), .rule = "wire.hello"},
    {CASE(hello_held_2), .rule = "wire.hello"},
    {CASE(hello_unused), .rule = "wire.hello"},
    {CASE(hello_twice), .rule = "wire.state"},
    {CASE(exits_0_after_hello), .rule = "wire.truncated|cage.attest"},
    {CASE(exits_1_after_hello), .rule = "cage.exit|cage.attest"},

    /* frames */
    {CASE(sequence_skips), .rule = "wire.sequence"},
    {CASE(sequence_repeats), .rule = "wire.sequence"},
    {CASE(sequence_restarts), .rule = "wire.sequence"},
    {CASE(magic), .rule = "wire.header"},
    {CASE(type_zero), .rule = "wire.state"},
    {CASE(type_unknown), .rule = "wire.header"},
    {CASE(type_huge), .rule = "wire.header"},
    {CASE(type_order), .rule = "wire.state"},
    {CASE(type_go), .rule = "wire.state"},
    {CASE(type_hello), .rule = "wire.state"},
    {CASE(end_flags), .rule = "wire.header"},
    {CASE(end_length), .rule = "wire.header"},
    {CASE(header_cut), .rule = "wire.truncated"},
    {CASE(data_flags), .rule = "wire.header"},
    {CASE(data_empty), .rule = "wire.header"},
    {CASE(data_huge), .rule = "wire.range"},
    {CASE(data_not_raw), .rule = "wire.header"},
    {CASE(data_cut), .rule = "wire.truncated"},
    {CASE(data_long), .rule = "wire.header"},
    {CASE(data_short), .rule = "wire.altered", .offset = DATA_AT + 64 + 12},
    {CASE(raw_outside), .rule = "wire.range"},
    {CASE(raw_across_the_end), .rule = "wire.range"},
    {CASE(raw_wraps), .rule = "wire.range"},
    {CASE(raw_altered_first), .rule = "wire.altered", .offset = DATA_AT + 64},
    {CASE(raw_altered_last), .rule = "wire.altered", .offset = DATA_AT + 64 + 15},
    {CASE(raw_altered_last), .rule = "wire.altered", .offset = DATA_AT + 64 + 15, FEW_LAYERS},
    {CASE(raw_from_elsewhere), .rule = "wire.altered", .offset = DATA_AT + 2},
    {CASE(mapped), .rule = "wire.header"}, /* over the pipe nothing is mapped */
    {CASE(mapped_not_raw), .rule = "wire.header", MAP},
    {CASE(mapped_misaligned), .rule = "wire.range", MAP},
    {CASE(mapped_outside), .rule = "wire.range", MAP},
    {CASE(mapped_wraps), .rule = "wire.range", MAP},
    {CASE(mapped_nothing), .rule = "wire.range", MAP},
    {CASE(mapped_body_length), .rule = "wire.header", MAP},
    {CASE(mapped_cut), .rule = "wire.truncated", MAP},
    {CASE(mapped_before_the_data), .rule = "wire.range", MAP},
    {CASE(mapped_too_long), .rule = "image.buffer", MAP},
    {CASE(mapped_all), .rule = "image.buffer", MAP},
    {CASE(too_many_buffers), .rule = "wire.buffers", .limit = "tensors", .value = 8},
    {CASE(too_much_output), .rule = "limit.output-bytes", .limit = "output_bytes", .value = 40},
    {CASE(endless_frames), .rule = "wire.buffers"},
    {CASE(endless_frames), DEADLINE, .tensors = UINT64_MAX},
    {CASE(endless_garbage), .rule = "wire.header"},

    /* the image */
    {CASE(image_huge), .rule = "limit.image-bytes"},
    {CASE(good), .rule = "limit.image-bytes", .limit = "image_bytes", .value = 500},
    {CASE(image_tiny), .rule = "wire.header"},
    {CASE(image_flags), .rule = "wire.header"},
    {CASE(image_cut), .rule = "wire.truncated"},
    {CASE(image_zero), .rule = "image.header"},
    {CASE(image_garbage), .rule = "image.header"},
    {CASE(image_garbage_hangs), .rule = "image.header"},
    {CASE(image_short), .rule = "image.length"},
    {CASE(image_counts), .rule = "image.length"},
    {CASE(image_other_file), .rule = "image.header"},
    {CASE(image_name_index), .rule = "image.reference"},
    {CASE(image_buffer_index), .rule = "image.reference"},
    {CASE(image_buffer_range), .rule = "image.tensor"},
    {CASE(image_edge), .rule = "image.reference"},
    {CASE(image_gap), .rule = "image.span"},
    {CASE(image_unused_buffer), .rule = "image.buffer"},
    {CASE(image_missing_buffer), .rule = "image.reference"},

    /* order and end */
    {CASE(image_twice), .rule = "wire.state"},
    {CASE(data_after_image), .rule = "wire.state"},
    {CASE(no_image), .rule = "wire.state"},
    {CASE(no_end), .rule = "wire.truncated"},
    {CASE(end_twice), .rule = "wire.trailing"},
    {CASE(byte_after_end), .rule = "wire.trailing"},
    {CASE(flood_after_end), .rule = "wire.trailing"},
    {CASE(hangs_after_end), DEADLINE},
    {CASE(exits_1_after_end), .rule = "cage.exit", .text = "exit code 1"},
    {CASE(crashes_after_end), .rule = "cage.crash", .text = "signal 11"},
    {CASE(calls_after_end), .rule = "cage.syscall"},
    {CASE(says_nothing), .rule = "wire.truncated"},
    {CASE(silent), DEADLINE},
    {CASE(drips), DEADLINE},
    {CASE(trickles), DEADLINE},
    {CASE(burns), .rule = "limit.cpu-seconds", .limit = "cpu_seconds", .value = 1},
    {CASE(burns), .rule = "limit.cpu-seconds", .limit = "cpu_seconds", .value = 1, FEW_LAYERS},
    {CASE(burns), DEADLINE},

    /* REFUSE */
    {CASE(refuses), .rule = "format.unknown", .offset = 77},
    {CASE(refuses_after_image), .rule = "format.unknown", .offset = 77},
    {CASE(refuse_rule_zero), .rule = "wire.refuse"},
    {CASE(refuse_rule_unknown), .rule = "wire.refuse"},
    {CASE(refuse_other_verdict), .rule = "wire.refuse"},
    {CASE(refuse_verdict_ok), .rule = "wire.refuse"},
    {CASE(refuse_text_endless), .rule = "wire.refuse"},
    {CASE(refuse_text_not_utf8), .rule = "wire.refuse"},
    {CASE(refuse_text_behind_its_end), .rule = "wire.refuse"},
    {CASE(refuse_length), .rule = "wire.header"},
    {CASE(refuse_cut), .rule = "wire.truncated"},
    {CASE(refuse_trailing), .rule = "wire.trailing"},
    {CASE(refuse_twice), .rule = "wire.trailing"},
    {CASE(refuse_floods), .rule = "wire.trailing"},
    {CASE(refuses_and_exits_1), .rule = "cage.exit", .text = "exit code 1"},
    {CASE(refuses_and_hangs), DEADLINE},

    /* in the middle of its work */
    {CASE(crashes), .rule = "cage.crash", .text = "signal 11"},
    {CASE(overflows_stack), .rule = "cage.crash", .text = "signal 11"},
    {CASE(traps), .rule = "cage.crash", .text = "signal 4"},
    {CASE(opens_file), .rule = "cage.syscall"},
    {CASE(reads_parent), .rule = "cage.syscall"},
    {CASE(writes_elsewhere), .rule = "cage.syscall"},

    /* lazy: the child has no payloads, and the parent no bytes to compare; what it names
     * must lie in the data of a file that is larger than what it was given */
    {CASE(good), .rule = ACCEPTED, LAZY},
    {CASE(good), .rule = ACCEPTED, LAZY, FEW_LAYERS},
    {CASE(sends_what_is_absent), .rule = "wire.header", LAZY},
    {CASE(data_not_raw), .rule = "wire.header", LAZY},
    {CASE(data_empty), .rule = "wire.header", LAZY},
    {CASE(data_huge), .rule = "wire.header", LAZY},
    {CASE(raw_outside), .rule = "wire.range", LAZY},
    {CASE(raw_across_the_end), .rule = "wire.range", LAZY},
    {CASE(raw_wraps), .rule = "wire.range", LAZY},
    {CASE(mapped_not_raw), .rule = "wire.header", LAZY},
    {CASE(mapped_misaligned), .rule = "wire.range", LAZY},
    {CASE(mapped_outside), .rule = "wire.range", LAZY},
    {CASE(mapped_before_the_data), .rule = "wire.range", LAZY},
    {CASE(mapped_too_long), .rule = "image.buffer", LAZY},
    {CASE(mapped_all), .rule = "image.buffer", LAZY},
    {CASE(mapped_wraps), .rule = "wire.range", LAZY},
    {CASE(mapped_nothing), .rule = "wire.range", LAZY},
    {CASE(mapped_body_length), .rule = "wire.header", LAZY},
    {CASE(mapped_cut), .rule = "wire.truncated", LAZY},
    {CASE(endless_frames), .rule = "wire.header", LAZY},
    {CASE(too_many_buffers), .rule = "wire.header", .limit = "tensors", .value = 8, LAZY},
    {CASE(image_garbage), .rule = "image.header", LAZY},
    {CASE(image_other_file), .rule = "image.header", LAZY},
    {CASE(image_buffer_index), .rule = "image.reference", LAZY},
    {CASE(image_buffer_range), .rule = "image.tensor", LAZY},
    {CASE(image_gap), .rule = "image.span", LAZY},
    {CASE(image_unused_buffer), .rule = "image.buffer", LAZY},
    {CASE(image_missing_buffer), .rule = "image.reference", LAZY},
    {CASE(no_end), .rule = "wire.truncated", LAZY},
    {CASE(byte_after_end), .rule = "wire.trailing", LAZY},
    {CASE(exits_1_after_end), .rule = "cage.exit", .text = "exit code 1", LAZY},
    {CASE(crashes_after_end), .rule = "cage.crash", .text = "signal 11", LAZY},
    {CASE(hangs_after_end), DEADLINE, LAZY},
    {CASE(silent), DEADLINE, LAZY},
    {CASE(refuses), .rule = "format.unknown", .offset = 77, LAZY},
    {CASE(opens_file), .rule = "cage.syscall", LAZY},
    {CASE(makes_dumpable), .rule = "cage.attest", .text = "not-dumpable", LAZY},

    /* claims about the cage that are not true; what an ordinary user may not see of
     * another process is the child's word */
    {CASE(makes_dumpable), .rule = "cage.attest", .text = "not-dumpable"},
    {CASE(adds_filter), .rule = "cage.attest", .text = "seccomp"},
    {CASE(adds_thread), .rule = "cage.attest", .text = "seccomp"},
    {CASE(keeps_descriptor), .rule = "cage.attest", .text = "descriptors",
     .ordinary = "cage.attest|" ACCEPTED},
    {CASE(keeps_groups), .rule = "cage.attest", .text = "ids", .ordinary = ACCEPTED},
    {CASE(keeps_saved_uid), .rule = "cage.attest", .text = "ids", .ordinary = ACCEPTED},
    {CASE(takes_other_uid), .rule = "cage.attest", .text = "ids", .ordinary = ACCEPTED},
};

#define ROWS (sizeof rows / sizeof *rows)

/* What the row's gate is opened with. */
static wlk_load_options options_of(const hostile_row *row) {
    wlk_load_options options = kit_options(HOSTILE_CHILD);
    options.transport = row->transport ? row->transport : WLK_TRANSPORT_PIPE;
    options.layers = row->layers;
    options.pool = row->pooled;
    options.policy.limits.deadline_ms = 60000;
    options.policy.limits.columns = row->number;
    if (row->tensors) options.policy.limits.tensors = row->tensors;
    if (row->limit) {
        assert_int_equal(wlk_limits_set(&options.policy.limits, row->limit, row->value), WLK_OK);
    }
    return options;
}

/* Is `rule` one of the alternatives? */
static bool expected(const char *alternatives, const char *rule) {
    const size_t length = strlen(rule);
    for (const char *at = alternatives; at; at = strchr(at, '|')) {
        if (*at == '|') at++;
        if (strncmp(at, rule, length) == 0 && strchr("|", at[length])) return true;
    }
    return false;
}

/* From Linux 6.2 on the size of /proc/PID/fd is the number of descriptors. */
static bool descriptors_are_counted(void) {
    struct stat status;
    return stat("/proc/self/fd", &status) == 0 && status.st_size > 0;
}

static const char *rule_of(const hostile_row *row) {
    if (geteuid() == 0 || !row->ordinary) return row->rule;
    const bool seen = row->number == HOSTILE_keeps_descriptor && descriptors_are_counted();
    return seen ? row->rule : row->ordinary;
}

/* What is wrong with how a load ended; NULL if nothing is. */
static const char *fault(const hostile_row *row, wlk_status status, const wlk_error *error,
                         bool handed_out, double took) {
    const bool to_deadline = strcmp(row->rule, "limit.deadline") == 0;
    const char *want = rule_of(row);
    if (!expected(want, status == WLK_OK ? ACCEPTED : wlk_rule_name(error->rule))) return "rule";
    if ((status == WLK_OK) != handed_out) return "model";
    if (took > (to_deadline ? 10 : 30)) return "too late";
    if (status == WLK_OK) return NULL;
    if (status != error->status || status != rule_status(error->rule)) return "verdict";
    if (row->offset && error->offset != row->offset) return "offset";
    if (row->text && !strchr(want, '|') && !strstr(error->text, row->text)) return "text";
    return to_deadline && took < SHORT_DEADLINE / 1000.0 ? "too early" : NULL;
}

/* Opens the sample to be read later; *handed_out if there is something to read. */
static wlk_status open_lazily(const wlk_load_options *options, bool *handed_out,
                              wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    wlk_lazy *lazy = (wlk_lazy *)(uintptr_t)1;
    const wlk_status status = wlk_gate_open_lazy(gate, &artifact, &lazy, report, error);
    *handed_out = lazy != NULL;
    wlk_lazy_close(lazy);
    (void)close(artifact.fd);
    wlk_gate_close(gate);
    return status;
}

/* Does it behave well until GO, so that the pool takes it in? */
static bool waits_for_go(enum hostile_case number) {
    return number == HOSTILE_good || number == HOSTILE_hello_twice ||
           number >= HOSTILE_sequence_skips;
}

static bool pool_is_full(wlk_gate *gate) {
    const double end = kit_seconds() + 10;
    while (wlk_gate_waiting(gate) == 0 && kit_seconds() < end) (void)usleep(200);
    return wlk_gate_waiting(gate) == 1;
}

static wlk_status load_at_once(const wlk_load_options *options, bool *handed_out,
                               wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    const int fd = kit_memfd(&kit.sample, ALL_SEALS);
    if (options->pool && waits_for_go((enum hostile_case)options->policy.limits.columns)) {
        assert_true(pool_is_full(gate));
    }
    const wlk_status status = wlk_gate_load_fd(gate, fd, &model, report, error);
    *handed_out = model != NULL;
    wlk_model_free(model);
    (void)close(fd);
    wlk_gate_close(gate);
    return status;
}

static bool row_holds(const hostile_row *row) {
    const wlk_load_options options = options_of(row);
    const unsigned descriptors = kit_descriptors();
    bool handed_out;
    wlk_load_report report;
    wlk_error error;
    const double start = kit_seconds();
    const wlk_status status = row->lazy ? open_lazily(&options, &handed_out, &report, &error)
                                        : load_at_once(&options, &handed_out, &report, &error);
    const double took = kit_seconds() - start;
    const char *wrong = fault(row, status, &error, handed_out, took);
    if (!wrong && !report.child_started) wrong = "report";
    if (!wrong && row->pooled && waits_for_go(row->number) && !report.pooled) wrong = "not pooled";
    if (!wrong && !kit_is_clean(descriptors)) wrong = "something is left behind";
    if (wrong) {
        (void)fprintf(stderr, "%s%s%s: %s: %s at %llu (%s), %f s\n", case_names[row->number],
                      row->lazy ? ", lazy" : "", row->pooled ? ", pooled" : "", wrong,
                      status == WLK_OK ? ACCEPTED : wlk_rule_name(error.rule),
                      (unsigned long long)error.offset, error.text, took);
    }
    return !wrong;
}

static bool is_slow(const hostile_row *row) {
    return strcmp(row->rule, "limit.deadline") == 0 || row->number == HOSTILE_burns;
}

/* Row `index` by a child that starts for it, for an index from ROWS on by one that has
 * waited; false if there is no such row. */
static bool variant(size_t index, hostile_row *row) {
    *row = rows[index % ROWS];
    row->pooled = index >= ROWS;
    return !(row->pooled && row->lazy);
}

static void test_every_quick_misbehaviour(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < 2 * ROWS; i++) {
        hostile_row row;
        all &= !variant(i, &row) || is_slow(&row) || row_holds(&row);
    }
    assert_true(all);
}

/* Those that only a clock ends: all at once, each from a process of its own. */
static void test_every_slow_misbehaviour(void **state) {
    (void)state;
    pid_t processes[2 * ROWS];
    unsigned count = 0;
    bool all = true;
    (void)fflush(NULL);
    for (size_t i = 0; i < 2 * ROWS; i++) {
        hostile_row row;
        if (!variant(i, &row) || !is_slow(&row)) continue;
        processes[count] = fork();
        if (processes[count] == 0) {
            kit_crash_as_usual();
            _exit(!row_holds(&row));
        }
        assert_true(processes[count++] > 0);
    }
    for (unsigned i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
        all &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    assert_true(count >= 10);
    assert_true(all);
}

static void test_no_way_to_misbehave_is_forgotten(void **state) {
    (void)state;
    static const enum hostile_case elsewhere[] = {
        HOSTILE_claims_layer,  HOSTILE_admits_layer,        HOSTILE_loses_layer,
        HOSTILE_image_swapped, HOSTILE_waits_without_layer, HOSTILE_reads_no_go,
        HOSTILE_ends_in_go,    HOSTILE_crashes_in_go,       HOSTILE_speaks_in_go,
        HOSTILE_floods_in_go};
    const unsigned with_parameter = HOSTILE_frame_stranger; /* from here on: test_hostile_*.c */
    unsigned ways = 0;
    for (unsigned number = 0; number < with_parameter; number++) {
        bool found = false;
        for (size_t i = 0; i < ROWS; i++) found |= rows[i].number == number;
        for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
            found |= elsewhere[i] == number;
        }
        if (!found) fail_msg("no row for %s", case_names[number]);
        ways += found;
    }
    assert_true(ways >= 100);
}

/* What a captured child can still do (docs/threat-model.md): choose which of the
 * file's bytes are called which tensor. It cannot make up bytes. */
static void test_limit_a_captured_child_can_swap_tensors(void **state) {
    (void)state;
    const wlk_transport transports[] = {WLK_TRANSPORT_PIPE, WLK_TRANSPORT_MAP};
    for (size_t i = 0; i < 2; i++) {
        const hostile_row row = {CASE(image_swapped), .transport = transports[i]};
        const wlk_load_options options = options_of(&row);
        wlk_model *model;
        wlk_error error;
        EXPECT_OK(kit_load(&options, &kit.sample, &model, NULL, &error));
        const wlk_tensor a = wlk_model_tensor(model, wlk_model_find_tensor(model, "a"));
        const wlk_tensor b = wlk_model_tensor(model, wlk_model_find_tensor(model, "b"));
        assert_memory_equal(a.data, kit.sample.data + DATA_AT + 64, 16);
        assert_memory_equal(b.data, kit.sample.data + DATA_AT, 16);
        wlk_model_free(model);
    }
}

static double cpu_seconds(void) {
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

/* A parent that stayed awake for each byte would use all of the time that they take. */
static void test_a_trickling_child_does_not_keep_the_parent_awake(void **state) {
    (void)state;
    const hostile_row row = {CASE(trickles), .limit = "deadline_ms", .value = 1000};
    const wlk_load_options options = options_of(&row);
    bool handed_out;
    wlk_load_report report;
    wlk_error error;
    const double before = cpu_seconds();
    const wlk_status status = load_at_once(&options, &handed_out, &report, &error);
    expect_refused("trickle", status, &error, "limit.deadline", NULL);
    assert_true(cpu_seconds() - before < 0.25);
}

/* The altered byte lies in the second mebibyte of a tensor, and on its border. */
static void test_offset_of_an_altered_byte_in_a_large_tensor(void **state) {
    (void)state;
    const hostile_row row = {CASE(raw_altered_last)};
    const wlk_load_options options = options_of(&row);
    for (uint64_t odd = 0; odd < 2; odd++) {
        wlk_writer *w;
        wlk_model *model;
        wlk_error error;
        const uint64_t nbytes = (1u << 20) + odd;
        uint8_t *zeros = calloc(1, nbytes);
        assert_non_null(zeros);
        wlk_tensor tensor = {
            .name = "a", .dtype = WLK_U8, .rank = 1, .shape = {1}, .data = zeros, .nbytes = 1};
        EXPECT_OK(wlk_writer_new(NULL, &w, &error));
        (void)wlk_writer_tensor(w, &tensor);
        tensor.name = "b";
        tensor.shape[0] = tensor.nbytes = nbytes;
        (void)wlk_writer_tensor(w, &tensor);
        EXPECT_OK(wlk_writer_finish(w, &model, &error));
        wlk_writer_free(w);
        kit_file file = kit_written(model, kit.key);
        const wlk_status status = kit_load(&options, &file, &model, NULL, &error);
        expect_refused("large tensor", status, &error, "wire.altered", NULL);
        assert_int_equal(error.offset, file.size - 1);
        free(file.data);
        free(zeros);
    }
}

static int setup(void **state) {
    if (kit_sample_setup(state) != 0) return 1;
    return kit.sample.size == DATA_AT + 64 + 16 ? 0 : 1;
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_quick_misbehaviour),
        cmocka_unit_test(test_every_slow_misbehaviour),
        cmocka_unit_test(test_no_way_to_misbehave_is_forgotten),
        cmocka_unit_test(test_limit_a_captured_child_can_swap_tensors),
        cmocka_unit_test(test_a_trickling_child_does_not_keep_the_parent_awake),
        cmocka_unit_test(test_offset_of_an_altered_byte_in_a_large_tensor),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){HOSTILE_CHILD, NULL});
}
