/* A small ONNX file with something of everything: what it becomes; cut at every length and
 * altered at every byte; without memory; under every limit. The tables of refusals and of what
 * functions become are in test_onnx_refuse.py and test_onnx_functions.py. */
#include "formats/onnx_case.h"

#include <stdlib.h>

#include "support/no_memory.h"

static onnx_case case_of(const uint8_t *file, size_t size) {
    onnx_case c = {.file = file, .size = size};
    wlk_limits_default(&c.limits);
    return c;
}

static void something_of_everything(void **state) {
    (void)state;
    const proto file = whole_onnx();
    onnx_case c = case_of(file.bytes, file.size);
    assert_int_equal(onnx_case_parse(&c, &c.error), WLK_OK);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_TENSORS), 9);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_GRAPHS), 3);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_NODES), 8);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_FINDINGS), 1);
    const wlk_tensor packed = wlk_model_tensor(c.model, wlk_model_find_tensor(c.model, "packed"));
    const int64_t numbers[] = {1, 300, 3};
    assert_memory_equal(packed.data, numbers, sizeof numbers);
    const wlk_tensor sparse = wlk_model_tensor(c.model, wlk_model_find_tensor(c.model, "sparse"));
    const float dense[] = {0, 0, 0, 2.5f};
    assert_memory_equal(sparse.data, dense, sizeof dense);
    const wlk_tensor sixes = wlk_model_tensor(c.model, wlk_model_find_tensor(c.model, "sixes"));
    assert_memory_equal(sixes.data, "\x81\x30\x00", 3);
    wlk_model_free(c.model);
}

/* A payload that lies in the file as it is needs no copy: the byte map names its tensor. */
static void raw_data_stay_where_they_lie(void **state) {
    (void)state;
    const proto file = whole_onnx();
    onnx_case c = case_of(file.bytes, file.size);
    assert_int_equal(onnx_case_parse(&c, &c.error), WLK_OK);
    unsigned found = 0;
    for (uint32_t i = 0; i < wlk_model_count(c.model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(c.model, i);
        if (span.kind != WLK_SPAN_PAYLOAD) continue;
        const wlk_tensor tensor = wlk_model_tensor(c.model, span.tensor);
        if (strcmp(tensor.name, "raw") != 0) continue;
        assert_int_equal(span.length, tensor.nbytes);
        assert_memory_equal(tensor.data, file.bytes + span.offset, span.length);
        found++;
    }
    assert_int_equal(found, 1);
    wlk_model_free(c.model);
}

/* ---- hostile bytes */

static void check_outcome(const onnx_case *c, wlk_status status) {
    if (status == WLK_OK) {
        uint64_t at = 0;
        for (uint32_t i = 0; i < wlk_model_count(c->model, WLK_SECTION_SPANS); i++) {
            const wlk_span span = wlk_model_span(c->model, i);
            assert_int_equal(span.offset, at);
            at += span.length;
        }
        assert_int_equal(at, c->size); /* invariant 12: every byte is explained */
        return;
    }
    /* Invariant 9: every refusal says why, and where. */
    if (status != WLK_REFUSED && status != WLK_UNSUPPORTED && status != WLK_LIMIT) {
        fail_msg("%s at %llu", wlk_rule_name(c->error.rule), (unsigned long long)c->error.offset);
    }
    assert_int_equal(c->error.status, status);
    assert_int_not_equal(c->error.rule, 0);
    assert_in_range(c->error.offset, 0, c->size);
}

static void parse_and_check(const uint8_t *bytes, size_t size) {
    /* Its own allocation, so that a sanitizer sees a read behind its end. */
    uint8_t *exact = test_malloc(size);
    memcpy(exact, bytes, size);
    onnx_case c = case_of(exact, size);
    check_outcome(&c, onnx_case_parse(&c, &c.error));
    wlk_model_free(c.model);
    test_free(exact);
}

static void cut_at_any_length(void **state) {
    (void)state;
    const proto file = whole_onnx();
    for (size_t size = 1; size < file.size; size++) parse_and_check(file.bytes, size);
}

static void altered_at_any_byte(void **state) {
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    (void)state;
    proto file = whole_onnx();
    for (size_t i = 0; i < file.size; i++) {
        const uint8_t was = file.bytes[i];
        for (size_t j = 0; j < sizeof values + 2; j++) {
            file.bytes[i] = j < sizeof values    ? values[j]
                            : j == sizeof values ? (uint8_t)(was + 1)
                                                 : (uint8_t)(was ^ 8);
            parse_and_check(file.bytes, file.size);
        }
        file.bytes[i] = was;
    }
}

static void a_byte_more_or_less_anywhere(void **state) {
    (void)state;
    const proto file = whole_onnx();
    uint8_t changed[sizeof file.bytes + 1];
    for (size_t i = 0; i < file.size; i++) {
        memcpy(changed, file.bytes, i);
        memcpy(changed + i, file.bytes + i + 1, file.size - i - 1);
        parse_and_check(changed, file.size - 1);
        memcpy(changed + i + 1, file.bytes + i, file.size - i);
        changed[i] = 0x80;
        parse_and_check(changed, file.size + 1);
    }
}

/* ---- memory and limits */

static wlk_status run(const void *context, wlk_error *error) {
    onnx_case c = *(const onnx_case *)context;
    const wlk_status status = onnx_case_parse(&c, error);
    wlk_model_free(c.model);
    return status;
}

static void memory_runs_out(void **state) {
    (void)state;
    const proto file = whole_onnx();
    const onnx_case c = case_of(file.bytes, file.size);
    no_memory_everywhere("an ONNX file", run, &c);
}

/* Invariant 7: each limit is the largest value that is still accepted. */
static void limits_are_exact(void **state) {
    static const struct {
        const char *limit;
        uint64_t most;
        const char *rule;
    } rows[] = {
        {"name_bytes", 11, "limit.name-bytes"},
        {"string_bytes", 36, "limit.string-bytes"},
        {"tensors", 9, "limit.tensors"},
        {"rank", 2, "limit.rank"},
        {"graphs", 3, "limit.graphs"},
        {"graph_depth", 2, "limit.graph-depth"},
        {"nodes", 8, "limit.nodes"},
        {"node_edges", 1, "limit.node-edges"},
        {"attributes", 11, "limit.attributes"},
        {"attribute_values", 13, "limit.attribute-values"},
        {"header_depth", 4, "limit.header-depth"},
        {"metadata_entries", 12, "limit.metadata-entries"},
        {"output_bytes", 8 + 24 + 27 + 2 + 2 + 3 + 16 + 8800 + 4, "limit.output-bytes"},
    };
    const proto file = whole_onnx();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (uint64_t below = 0; below < 2; below++) {
            onnx_case c = case_of(file.bytes, file.size);
            assert_int_equal(wlk_limits_set(&c.limits, rows[i].limit, rows[i].most - below),
                             WLK_OK);
            const wlk_status status = onnx_case_parse(&c, &c.error);
            const char *rule = status == WLK_OK ? "accepted" : wlk_rule_name(c.error.rule);
            if (strcmp(rule, below ? rows[i].rule : "accepted") != 0) {
                fail_msg("%s %llu: %s", rows[i].limit, (unsigned long long)(rows[i].most - below),
                         rule);
            }
            wlk_model_free(c.model);
        }
    }
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(something_of_everything),
        cmocka_unit_test(raw_data_stay_where_they_lie),
        cmocka_unit_test(cut_at_any_length),
        cmocka_unit_test(altered_at_any_byte),
        cmocka_unit_test(a_byte_more_or_less_anywhere),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(limits_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
