/* What a captured child can still do (docs/threat-model.md). Each row is accepted on
 * purpose, or refused as the child says: the parent has no parser, and takes from the
 * child what the bytes of a file mean. Of a `.wlk` file a captured child
 *
 *   - chooses which of the file's bytes are called which tensor: two change places
 *     (image_swapped in test_hostile.c), both have the bytes of one, one begins in the
 *     middle of another, or is left out;
 *   - chooses their dtype and shape, as long as the size fits;
 *   - names the kinds of ranges in the byte map, but for where payloads lie;
 *   - makes up the graph, names, metadata and golden rows;
 *   - hides findings, and makes them up;
 *   - refuses a good file, by a rule about files, at an offset of its choice;
 *   - takes its time, up to the deadline, and as much memory of the parent as the limits
 *     allow.
 *
 * It cannot make up a byte of a tensor, name bytes outside the data, or say anything about
 * keys, users and the machine. */
#include "gate/hostile_load.h"
#include "gate/hostile_pipes.h"

#define DATA_AT 4096 /* of tensor a; b is 64 bytes behind it */

static wlk_model *forged(enum hostile_forgery what, wlk_transport transport) {
    wlk_load_options options = hostile_options(HOSTILE_forges, what);
    options.transport = transport;
    options.layers = WLK_LAYERS_ALL;
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(kit_load(&options, &kit.sample, &model, NULL, &error));
    check_usable(model, &kit.sample, DATA_AT, false);
    return model;
}

static wlk_tensor tensor_of(const wlk_model *model, const char *name) {
    const uint32_t index = wlk_model_find_tensor(model, name);
    assert_int_not_equal(index, WLK_NONE);
    return wlk_model_tensor(model, index);
}

/* ---- tensors: the bytes are the file's, what they are called is not */

static void expect_other_dtype(const wlk_model *model) {
    const wlk_tensor a = tensor_of(model, "a");
    assert_int_equal(a.dtype, WLK_I32); /* f32 in the file */
    assert_memory_equal(a.data, kit.sample.data + DATA_AT, 16);
}

static void expect_other_shape(const wlk_model *model) {
    const wlk_tensor a = tensor_of(model, "a");
    assert_int_equal(a.rank, 2); /* a vector of 4 in the file */
    assert_int_equal(a.shape[0] * 10 + a.shape[1], 22);
}

static void expect_same_bytes(const wlk_model *model) {
    assert_memory_equal(tensor_of(model, "a").data, kit.sample.data + DATA_AT, 16);
    assert_memory_equal(tensor_of(model, "b").data, kit.sample.data + DATA_AT, 16);
}

static void expect_left_out(const wlk_model *model) {
    assert_int_equal(wlk_model_count(model, WLK_SECTION_TENSORS), 1);
    assert_int_equal(wlk_model_find_tensor(model, "b"), WLK_NONE);
}

static void expect_middle(const wlk_model *model) {
    const wlk_tensor a = tensor_of(model, "a");
    assert_int_equal(a.nbytes, 8);
    assert_memory_equal(a.data, kit.sample.data + DATA_AT + 4, 8);
}

static void expect_map_kinds(const wlk_model *model) {
    assert_int_equal(wlk_model_span(model, 0).kind, WLK_SPAN_DIGESTS);   /* it is the envelope */
    assert_int_equal(wlk_model_span(model, 2).kind, WLK_SPAN_UNCLAIMED); /* zeros */
}

/* ---- what is said of them */

static void expect_graph(const wlk_model *model) {
    assert_string_equal(wlk_model_node(model, 0).op, "Mul"); /* Add in the file */
}

static void expect_metadata(const wlk_model *model) {
    assert_string_equal(wlk_model_meta(model, wlk_model_find_meta(model, "/kind")).s, "approved");
}

static void expect_golden_rows(const wlk_model *model) {
    assert_int_equal(wlk_model_count(model, WLK_SECTION_SELFTESTS), 1); /* that anything passes */
    assert_true(wlk_model_selftest(model, 0).atol >= 1e30);
}

static void expect_finding(const wlk_model *model) {
    assert_int_equal(wlk_model_count(model, WLK_SECTION_FINDINGS), 1); /* the file is good */
    assert_string_equal(wlk_model_finding(model, 0).evidence, "made up");
}

/* That it can hide one follows: whether there is one is its word alone. */
static void expect_no_finding(const wlk_model *model) {
    assert_int_equal(wlk_model_count(model, WLK_SECTION_FINDINGS), 0);
}

/* Text is valid UTF-8, and nothing more: whoever prints it makes it harmless
 * (test_hostile_text.py). */
static void expect_hostile_text(const wlk_model *model) {
    assert_non_null(strchr(wlk_model_tensor(model, 0).name, 0x1b));
    assert_non_null(strchr(wlk_model_finding(model, 0).evidence, 0x1b));
}

static const struct {
    const char *can;
    enum hostile_forgery what;
    void (*expect)(const wlk_model *model);
    bool unaligned; /* what is not aligned in the file cannot be mapped */
} forgeries[] = {
    {"call a tensor's bytes another dtype", FORGE_other_dtype, expect_other_dtype, false},
    {"call a tensor another shape", FORGE_other_shape, expect_other_shape, false},
    {"give two tensors the bytes of one", FORGE_same_bytes, expect_same_bytes, false},
    {"leave a tensor out", FORGE_left_out, expect_left_out, false},
    {"begin a tensor in the middle of another", FORGE_middle, expect_middle, true},
    {"name ranges of the byte map wrongly", FORGE_map_kinds, expect_map_kinds, false},
    {"make up the graph", FORGE_graph, expect_graph, false},
    {"make up metadata", FORGE_metadata, expect_metadata, false},
    {"make up golden rows", FORGE_golden_rows, expect_golden_rows, false},
    {"make up findings", FORGE_finding, expect_finding, false},
    {"hide findings", FORGE_graph, expect_no_finding, false},
    {"say what a terminal would obey", FORGE_hostile_text, expect_hostile_text, false},
};

static void test_what_is_accepted_though_the_file_does_not_say_it(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
        (void)printf("a captured child can %s\n", forgeries[i].can);
        for (unsigned map = 0; map < (forgeries[i].unaligned ? 1 : 2); map++) {
            wlk_model *model =
                forged(forgeries[i].what, map ? WLK_TRANSPORT_MAP : WLK_TRANSPORT_PIPE);
            forgeries[i].expect(model);
            wlk_model_free(model);
        }
    }
}

/* ---- and where it ends: payloads lie where the byte map says, and tensors in payloads */

static void test_what_is_refused_all_the_same(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum hostile_forgery what;
        const char *rule;
    } rows[] = {
        {"a payload called padding", FORGE_called_padding, "image.buffer"},
        {"a payload in two ranges", FORGE_in_two_ranges, "image.buffer"},
        {"a payload of another tensor", FORGE_of_another, "image.span"},
        {"a payload beyond its range", FORGE_outside, "image.buffer"},
    };
    bool all = true;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = hostile_options(HOSTILE_forges, rows[i / 2].what);
        if (i % 2) options.transport = WLK_TRANSPORT_MAP;
        all &= hostile_ends_with(rows[i / 2].name, &options, &kit.sample, rows[i / 2].rule);
    }
    assert_true(all);
}

/* ---- refusing */

static void test_it_can_refuse_a_good_file(void **state) {
    (void)state;
    static const struct {
        wlk_rule rule;
        const char *rule_seen; /* it has no say in what the parent looks after */
    } rows[] = {
        {RULE_HEADER_TRAILING, "header.trailing"},
        {RULE_DATA_PADDING, "data.padding"},
        {RULE_FORMAT_UNKNOWN, "format.unknown"},
        {RULE_LIMIT_HEAP_BYTES, "limit.heap-bytes"},
        {RULE_TENSOR_PAYLOAD, "tensor.payload"},
        {RULE_GRAPH_UNDEFINED, "graph.undefined"},
        {RULE_TRUST_SIGNATURE, "wire.refuse"},
        {RULE_ENVELOPE_MAGIC, "wire.refuse"},
        {RULE_GATE_CHANGED, "wire.refuse"},
        {RULE_CAGE_KILLED, "wire.refuse"},
        {RULE_WIRE_ALTERED, "wire.refuse"},
        {RULE_IMAGE_SPAN, "wire.refuse"},
        {RULE_CLI_USAGE, "wire.refuse"},
        {RULE_RUN_MEMORY, "wire.refuse"},
        {RULE_LOAD_CHANGED, "wire.refuse"},
        {RULE_NONE, "wire.refuse"},
        {RULE_COUNT, "wire.refuse"},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_load_options options = hostile_options(HOSTILE_refuses_with, rows[i].rule);
        all &= hostile_ends_with(wlk_rule_name(rows[i].rule), &options, &kit.sample,
                                 rows[i].rule_seen);
    }
    assert_true(all);
}

/* ---- time and memory */

static void test_it_can_take_its_time_up_to_the_deadline(void **state) {
    (void)state;
    wlk_load_options options = hostile_options(HOSTILE_takes_its_time, 200);
    assert_true(hostile_ends_with("slow", &options, &kit.sample, ACCEPTED));
    options.policy.limits.json_bytes = 60000;
    options.policy.limits.deadline_ms = 300;
    assert_true(hostile_ends_with("too slow", &options, &kit.sample, "limit.deadline"));
}

/* Invariant 7: the limits bound what an answer takes, and nothing else does: a million
 * tensors that have not one byte. */
static void test_it_can_use_what_the_limits_allow(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t tensors;                    /* that are said */
        uint64_t tensors_limit, image_bytes; /* 0: as they are by default */
        const char *rule;
    } rows[] = {
        {"a million", 1000000, 1000000, 0, ACCEPTED},
        {"one more", 1000001, 1000000, 0, "limit.tensors"},
        {"a million by default", 1000000, 0, 0, "limit.tensors"},
        {"as many as by default", 65536, 0, 0, ACCEPTED},
        {"one more than by default", 65537, 0, 0, "limit.tensors"},
        {"a million in a small image", 1000000, 1000000, 1u << 20, "limit.image-bytes"},
        {"more than an image may have", 1200000, 2000000, 0, "limit.image-bytes"},
        {"none", 0, 0, 0, ACCEPTED},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = hostile_options(HOSTILE_empty_tensors, rows[i].tensors);
        if (rows[i].tensors_limit) options.policy.limits.tensors = rows[i].tensors_limit;
        if (rows[i].image_bytes) options.policy.limits.image_bytes = rows[i].image_bytes;
        all &= hostile_ends_with(rows[i].name, &options, &kit.sample, rows[i].rule);
    }
    assert_true(all);
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_sample_setup(state) != 0) return 1;
    return kit.sample.size == DATA_AT + 64 + 16 ? 0 : 1;
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_accepted_though_the_file_does_not_say_it),
        cmocka_unit_test(test_what_is_refused_all_the_same),
        cmocka_unit_test(test_it_can_refuse_a_good_file),
        cmocka_unit_test(test_it_can_take_its_time_up_to_the_deadline),
        cmocka_unit_test(test_it_can_use_what_the_limits_allow),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){HOSTILE_CHILD, NULL});
}
