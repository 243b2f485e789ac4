/* Headers that differ from the good one in a corner, and limits at the ends of their range. */
#include "formats/wlk/element.h"
#include "formats/wlk_whole.h"

/* The whole file with each `from` replaced by its `to`; NULL ends the list. */
static wlk_case altered(const char *const (*pairs)[2], uint64_t *mark) {
    uint8_t data[DATA_BYTES];
    whole_data(data);
    char *text = strdup(whole);
    assert_non_null(text);
    for (; (*pairs)[0]; pairs++) {
        char *next = wlk_case_replace(text, (*pairs)[0], (*pairs)[1]);
        free(text);
        text = next;
    }
    const wlk_case c = wlk_case_text(text, data, sizeof data, mark);
    free(text);
    return c;
}

static void each_corner_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        const char *pairs[4][2];
    } rows[] = {
        {"header.key-unknown", {{"shape:[2]}]}", "shape:[2]}], @xa:1}"}}},
        {"header.key-unknown", {{"k:{ints:[1, 2]}", "k:{type:{@none:1}}"}}},
        {"tensor.block", {{"{bytes:5", "@{bytes:4294967297"}}},
        {"tensor.block", {{"{bytes:5, elements:2", "@{bytes:5, elements:4294967298"}}},
        /* of two names that stand there twice, the one that comes again first */
        {"header.name-duplicate", {{"name:o", "name:@g"}, {"name:s", "name:w"}}},
        {"header.name-duplicate", {{"name:o", "name:@w"}, {"name:s", "name:g"}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t mark;
        wlk_case c = altered(rows[i].pairs, &mark);
        wlk_case_parse(&c);
        if (!wlk_case_refused(&c, rows[i].rule, WLK_REFUSED, mark)) wlk_case_show(&c, rows[i].rule);
        assert_true(wlk_case_refused(&c, rows[i].rule, WLK_REFUSED, mark));
        wlk_case_free(&c);
    }
}

/* A path of the metadata is a name: from the limit at which all fit, every smaller one
 * refuses, wherever in a path it ends. */
static void paths_are_limited_to_the_byte(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"{libraries:{numpy:'1.24'}, tags:[a]}",
         "{x-l:[[1], {'a~/b':[2]}, 3, 4, 5, 6, 7, 8, 9, 10, [11]]}"},
        {NULL}};
    bool fitted = false;
    for (uint64_t limit = 0; limit <= 40; limit++) {
        wlk_case c = altered(pairs, NULL);
        c.limits.name_bytes = limit;
        wlk_case_parse(&c);
        if (c.status != WLK_OK) {
            assert_false(fitted);
            assert_string_equal(wlk_rule_name(c.error.rule), "limit.name-bytes");
        }
        fitted = c.status == WLK_OK;
        wlk_case_free(&c);
    }
    assert_true(fitted);
}

/* A version of an opset is an element: one that holds more than any may is not unpacked. */
static void an_opset_is_no_place_to_hide(void **state) {
    (void)state;
    uint64_t mark;
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{kind:a, opset:{my:@[");
    for (int i = 0; i < 1000; i++) wlk_buffer_print(&text, "1 ");
    wlk_buffer_print(&text, "]}, tensors:[]}");
    wlk_case c = wlk_case_text((const char *)text.data, NULL, 0, &mark);
    c.limits.node_edges = 1;
    c.limits.attributes = 1;
    c.limits.attribute_values = 1;
    c.limits.values = 1;
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "limit.element-objects", WLK_LIMIT, mark));
    wlk_case_free(&c);
    free(text.data);
}

/* Invariant 7: limits without an end do not wrap into small ones. */
static void the_objects_of_an_element_do_not_wrap(void **state) {
    (void)state;
    static const struct {
        uint64_t node_edges, attributes, attribute_values, values;
    } rows[] = {
        {UINT64_MAX, 1, 1, 1},
        {1, UINT64_MAX, 1, 1},
        {UINT64_MAX / 2, UINT64_MAX / 8, 1, 1},
        {1, 1, UINT64_MAX, 1},
        {1, 1, UINT64_MAX - 100, 1},
        {1, 1, 1, UINT64_MAX},
        {1, 1, 1, UINT64_MAX / 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_limits limits;
        wlk_limits_default(&limits);
        limits.node_edges = rows[i].node_edges;
        limits.attributes = rows[i].attributes;
        limits.attribute_values = rows[i].attribute_values;
        limits.values = rows[i].values;
        assert_true(element_max_objects(&limits) == UINT64_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_corner_is_refused),
        cmocka_unit_test(paths_are_limited_to_the_byte),
        cmocka_unit_test(an_opset_is_no_place_to_hide),
        cmocka_unit_test(the_objects_of_an_element_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
