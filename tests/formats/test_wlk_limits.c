/* Each limit that a .wlk file can reach, from both sides: what it allows is
 * accepted, one more is refused by its own rule at the right place.
 * Invariant 7: no length is believed. */
#include "formats/wlk_whole.h"

#include "formats/wlk/element.h"

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* longer than any name in `whole` */
#define LONG_BYTES 40

typedef struct limit_row {
    const char *limit;
    uint64_t enough;
    const char *rule;
    const char *from; /* replaced in the whole file */
    const char *to;   /* by this, in which a mark says where the refusal points */
} limit_row;

static const limit_row limits[] = {
    {"header_depth", 8, "limit.header-depth", "shape:[n, 3]", "shape:@[n, 3]"},
    {"tensors", 5, "limit.tensors", "tensors:[", "tensors:@["},
    {"values", 5, "limit.values", "out:[j]", "out:[@j]"},
    {"values", 5, "limit.values", "inputs:[{name:i}], nodes:[{in:[i, x], op:Add, out:[j]}]",
     "inputs:[{name:i}, {name:@j}], nodes:[]"},
    {"graphs", 2, "limit.graphs", "{graphs:[", "{graphs:@["},
    {"graph_depth", 1, "limit.graph-depth", "{graph:1}", "{graph:@1}"},
    {"nodes", 3, "limit.nodes", "nodes:[{in:[i", "nodes:@[{in:[i"},
    {"node_edges", 2, "limit.node-edges", "in:[x, w]", "in:@[x, w]"},
    {"node_edges", 3, "limit.node-edges", "out:[y, '']", "out:@[y, '', '']"},
    {"attributes", 3, "limit.attributes", "k:{ints", "@k:{ints"},
    {"attribute_values", 4, "limit.attribute-values", "k:{ints", "@k:{ints"},
    {"metadata_entries", 6, "limit.metadata-entries", "tags:[a]", "tags:[@a]"},
    {"selftests", 1, "limit.selftests", "selftest:[", "selftest:@["},
    {"output_bytes", 76, "limit.output-bytes", "{codec:raw, dtype:str", "@{codec:raw, dtype:str"},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "name:s", "name:@" LONG},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "out:[y, '']", "out:[y, @" LONG "]"},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "name:main", "name:@" LONG},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "name:first", "name:@" LONG},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "op:Relu", "op:@" LONG},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "alpha:0.5", "@" LONG ":0.5"},
    {"name_bytes", LONG_BYTES + 1, "limit.name-bytes", "my:1}", "my:1, @z" LONG ":1}"},
    {"name_bytes", LONG_BYTES, "limit.name-bytes", "shape:[n, 3]", "shape:[@" LONG ", 3]"},
    {"name_bytes", 20 + LONG_BYTES, "limit.name-bytes", "numpy:", "@" LONG ":"},
    {"string_bytes", LONG_BYTES, "limit.string-bytes", "kind:model", "kind:@" LONG},
    {"string_bytes", LONG_BYTES, "limit.string-bytes", "alpha:0.5", "alpha:@" LONG},
    {"string_bytes", LONG_BYTES, "limit.string-bytes", "{ints:[1, 2]}", "{strings:[a, @" LONG "]}"},
};

static wlk_case limit_case(const limit_row *row, uint64_t *mark) {
    uint8_t data[DATA_BYTES];
    whole_data(data);
    char *text = wlk_case_replace(whole, row->from, row->to);
    const wlk_case c = wlk_case_text(text, data, sizeof data, mark);
    free(text);
    return c;
}

static void check_limit(const limit_row *row) {
    uint64_t mark;
    wlk_case c = limit_case(row, &mark);
    assert_int_equal(wlk_limits_set(&c.limits, row->limit, row->enough), WLK_OK);
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, row->to);
    assert_int_equal(c.status, WLK_OK);
    wlk_model_free(c.model);
    c.model = NULL;
    assert_int_equal(wlk_limits_set(&c.limits, row->limit, row->enough - 1), WLK_OK);
    wlk_case_parse(&c);
    if (!wlk_case_refused(&c, row->rule, WLK_LIMIT, mark)) {
        wlk_case_show(&c, row->to);
        print_error("  wanted %s at %llu\n", row->rule, (unsigned long long)mark);
    }
    assert_true(wlk_case_refused(&c, row->rule, WLK_LIMIT, mark));
    assert_true(c.refused_by_parser);
    wlk_case_free(&c);
}

static void every_limit_holds_on_both_sides(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) check_limit(&limits[i]);
}

/* The header's length stands in the envelope: nothing of a header that is too
 * long is looked at. */
static void the_length_of_the_header_is_limited(void **state) {
    (void)state;
    wlk_buffer header = wlk_text_encode("{kind:a, tensors:[]}", NULL);
    for (uint64_t limit = header.size - 1; limit <= header.size; limit++) {
        wlk_case c = wlk_case_of(header.data, header.size, NULL, 0);
        c.limits.header_bytes = limit;
        wlk_case_parse(&c);
        if (limit == header.size) {
            assert_int_equal(c.status, WLK_OK);
        } else {
            assert_true(wlk_case_refused(&c, "limit.header-bytes", WLK_LIMIT, 14));
        }
        wlk_case_free(&c);
    }
    free(header.data);
}

/* What is built is limited as a whole too: the smallest limit under which this
 * file is accepted, and one less. */
static void the_bytes_of_the_image_are_limited(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    uint64_t low = 0, high = 1u << 20; /* refused, accepted */
    while (high - low > 1) {
        wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
        c.limits.image_bytes = low + (high - low) / 2;
        wlk_case_parse(&c);
        if (c.status == WLK_OK) {
            high = c.limits.image_bytes;
        } else {
            assert_int_equal(c.status, WLK_LIMIT);
            assert_string_equal(wlk_rule_name(c.error.rule), "limit.image-bytes");
            low = c.limits.image_bytes;
        }
        wlk_case_free(&c);
    }
    assert_in_range(high, 1000, 10000);
}

/* A tensor that could be unpacked is refused for its rank, one that holds more
 * objects than any element can need is not unpacked at all. */
static void the_objects_of_an_element_are_limited(void **state) {
    (void)state;
    wlk_limits small;
    wlk_limits_default(&small);
    small.node_edges = 1;
    small.attributes = 1;
    small.attribute_values = 1;
    small.values = 1;
    const uint64_t most = element_max_objects(&small);
    for (uint64_t objects = most; objects <= most + 1; objects++) {
        uint64_t mark;
        wlk_buffer text = {0};
        const bool fits = objects == most;
        wlk_buffer_print(&text, "{kind:a, tensors:[%s{codec:raw, dtype:u8, name:a, nbytes:1,",
                         fits ? "" : "@");
        wlk_buffer_print(&text, "offset:0, shape:%s[", fits ? "@" : "");
        for (uint64_t i = 13; i < objects; i++) wlk_buffer_print(&text, "1 ");
        wlk_buffer_print(&text, "]}]}");
        wlk_case c = wlk_case_text((const char *)text.data, "", 1, &mark);
        c.limits = small;
        wlk_case_parse(&c);
        const bool right = fits ? wlk_case_refused(&c, "tensor.shape", WLK_REFUSED, mark)
                                : wlk_case_refused(&c, "limit.element-objects", WLK_LIMIT, mark);
        if (!right) wlk_case_show(&c, "an element");
        assert_true(right);
        wlk_case_free(&c);
        free(text.data);
    }
}

/* Golden rows need an element of their own, however few attributes there may be. */
static void golden_rows_of_many_inputs_are_an_element(void **state) {
    (void)state;
    enum { INPUTS = 1000 };
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{graphs:[{inputs:[");
    for (int i = 0; i < INPUTS; i++) {
        wlk_buffer_print(&text, "{name:i%d, type:{tensor:{dtype:u8}}},", i);
    }
    wlk_buffer_print(&text,
                     "], nodes:[], outputs:[]}], kind:a, opset:{}, selftest:[{atol:0.0, inputs:[");
    for (int i = 0; i < INPUTS; i++) wlk_buffer_print(&text, "w ");
    wlk_buffer_print(&text, "], outputs:[], rtol:0.0}], tensors:[{codec:raw, dtype:u8, name:w,");
    wlk_buffer_print(&text, "nbytes:1, offset:0, shape:[]}]}");
    wlk_case c = wlk_case_text((const char *)text.data, "", 1, NULL);
    c.limits.node_edges = 0;
    c.limits.attributes = 0;
    c.limits.attribute_values = 0;
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, "golden rows");
    assert_int_equal(c.status, WLK_OK);
    wlk_case_free(&c);
    free(text.data);
}

/* Limits are the operator's: none of them, however large, makes arithmetic wrap. */
static void limits_without_end_allow_everything(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
    wlk_limit_row row;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        assert_int_equal(wlk_limits_set(&c.limits, row.name, UINT64_MAX), WLK_OK);
    }
    assert_int_equal(element_max_objects(&c.limits), UINT64_MAX);
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, "no limits");
    assert_int_equal(c.status, WLK_OK);
    wlk_case_free(&c);
}

/* And none at all allows nothing, whatever the order of checks. */
static void limits_of_zero_refuse_one_by_one(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    static const char *const names[] = {
        "header_bytes", "header_depth", "image_bytes", "output_bytes",     "name_bytes",
        "string_bytes", "tensors",      "values",      "graphs",           "graph_depth",
        "nodes",        "node_edges",   "attributes",  "attribute_values", "metadata_entries",
        "selftests"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
        assert_int_equal(wlk_limits_set(&c.limits, names[i], 0), WLK_OK);
        wlk_case_parse(&c);
        if (c.status != WLK_LIMIT) wlk_case_show(&c, names[i]);
        assert_int_equal(c.status, WLK_LIMIT);
        wlk_case_free(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_holds_on_both_sides),
        cmocka_unit_test(the_length_of_the_header_is_limited),
        cmocka_unit_test(the_bytes_of_the_image_are_limited),
        cmocka_unit_test(the_objects_of_an_element_are_limited),
        cmocka_unit_test(golden_rows_of_many_inputs_are_an_element),
        cmocka_unit_test(limits_without_end_allow_everything),
        cmocka_unit_test(limits_of_zero_refuse_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
