#include "support/scratch.h"

#include "write/everything.h"

/* One call that is wrong, after calls that are right. */
typedef void (*wrong_call)(wlk_writer *w);

static void duplicate_tensor(wlk_writer *w) {
    const wlk_tensor t = {.name = "w", .dtype = WLK_U8, .rank = 0, .data = "", .nbytes = 1};
    assert_int_equal(wlk_writer_tensor(w, &t), WLK_NONE);
}
static void short_tensor(wlk_writer *w) {
    const wlk_tensor t = {.name = "t", .dtype = WLK_F64, .rank = 0, .data = "1234", .nbytes = 4};
    assert_int_equal(wlk_writer_tensor(w, &t), WLK_NONE);
}
static void endless_strings(wlk_writer *w) {
    const uint64_t shape[] = {1ull << 40, 1ull << 40};
    assert_int_equal(wlk_writer_strings(w, "s", 2, shape, NULL), WLK_NONE);
}
static void bad_utf8_string(wlk_writer *w) {
    (void)wlk_writer_strings(w, "s", 0, NULL, (const char *const[]){"\xff"});
}
static void bad_metadata_text(wlk_writer *w) {
    wlk_writer_meta_string(w, "/name", "\xc3");
}
static void unknown_metadata(wlk_writer *w) {
    wlk_writer_meta_string(w, "/metadata/acuracy", "1");
}
static void metadata_twice(wlk_writer *w) {
    wlk_writer_meta_int(w, "/x-a", 1);
    wlk_writer_meta_int(w, "/x-a", 2);
}
static void unknown_type(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", 77);
}
static void bad_type(wlk_writer *w) {
    const wlk_type type = {.kind = WLK_TYPE_SEQUENCE, .element = 5};
    assert_int_equal(wlk_writer_type(w, &type), WLK_NONE);
}
static void rank_nine(wlk_writer *w) {
    const int64_t dims[9] = {0};
    assert_int_equal(wlk_writer_tensor_type(w, WLK_F32, 9, dims), WLK_NONE);
}
static void undefined_name(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_node(w, "A", "", "", LIST("nothing"), NO_NAMES);
}
static void missing_output(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_output(w, "y", WLK_NONE);
}
static void unknown_domain(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_node(w, "A", "other", "", NO_NAMES, NO_NAMES);
}
static void attribute_first(wlk_writer *w) {
    wlk_writer_attr_int(w, "a", 1);
}
static void attribute_twice(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_node(w, "A", "", "", NO_NAMES, NO_NAMES);
    wlk_writer_attr_int(w, "a", 1);
    wlk_writer_attr_string(w, "a", "1");
}
static void missing_subgraph(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_node(w, "A", "", "", NO_NAMES, NO_NAMES);
    wlk_writer_attr_graph(w, "g", 1);
}
static void nameless_tensor(wlk_writer *w) {
    const wlk_tensor t = {.name = "", .dtype = WLK_U8, .rank = 0, .data = "", .nbytes = 1};
    (void)wlk_writer_tensor(w, &t);
}
static void rows_of_nothing(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_selftest(w, LIST("none"), NO_NAMES, 0, 0);
}
static void too_many_rows(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_selftest(w, LIST("w"), NO_NAMES, 0, 0);
}
static void negative_tolerance(wlk_writer *w) {
    (void)wlk_writer_graph(w, "");
    wlk_writer_selftest(w, NO_NAMES, NO_NAMES, -1, 0);
}

static const struct {
    wrong_call call;
    const char *rule;
    const char *says;
} wrong[] = {
    {duplicate_tensor, "assemble.duplicate-name", "\"w\""},
    {short_tensor, "tensor.size", "tensor \"t\""},
    {endless_strings, "tensor.shape", "tensor \"s\""},
    {bad_utf8_string, "tensor.payload", "tensor \"s\""},
    {bad_metadata_text, "string.utf8", NULL},
    {unknown_metadata, "assemble.metadata-key", "/metadata/acuracy"},
    {metadata_twice, "assemble.metadata-duplicate", "/x-a"},
    {unknown_type, "type.form", "\"x\""},
    {bad_type, "type.form", NULL},
    {rank_nine, "type.form", NULL},
    {undefined_name, "assemble.undefined", "\"nothing\""},
    {missing_output, "assemble.undefined", "\"y\""},
    {unknown_domain, "assemble.opset", "\"other\""},
    {attribute_first, "assemble.order", "\"a\""},
    {attribute_twice, "assemble.duplicate-name", "\"a\""},
    {missing_subgraph, "assemble.subgraph", "graph 1"},
    {nameless_tensor, "assemble.empty-name", NULL},
    {rows_of_nothing, "assemble.undefined", "\"none\""},
    {too_many_rows, "assemble.selftest", "0 inputs"},
    {negative_tolerance, "selftest.tolerance", NULL},
};

/* The first error is the one that finish tells, whatever comes behind it. */
static void test_the_first_error_sticks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wlk_model *model;
        wlk_error error = {0};
        wlk_writer *w = writer_new();
        const wlk_tensor t = {.name = "w", .dtype = WLK_U8, .rank = 0, .data = "", .nbytes = 1};
        wlk_writer_opset(w, "", 13);
        assert_int_equal(wlk_writer_tensor(w, &t), 0);
        wrong[i].call(w);
        const bool at_the_end = wrong[i].call == missing_output ||
                                wrong[i].call == missing_subgraph ||
                                wrong[i].call == nameless_tensor;
        if (!at_the_end) {
            wlk_writer_meta_string(w, "/nonsense", "");
            wlk_writer_attr_graph(w, "", 99);
            assert_int_equal(wlk_writer_graph(w, ""), WLK_NONE);
        }
        expect_refused(wrong[i].rule, wlk_writer_finish(w, &model, &error), &error, wrong[i].rule,
                       wrong[i].says);
        assert_null(model);
        wlk_writer_free(w);
    }
    wlk_writer_free(NULL);
}

static void test_a_finished_writer_is_finished(void **state) {
    (void)state;
    wlk_model *model, *second;
    wlk_error error = {0};
    wlk_writer *w = writer_new();
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_model_free(model);
    expect_refused("again", wlk_writer_finish(w, &second, &error), &error, "assemble.order", NULL);
    assert_null(second);
    wlk_writer_meta_int(w, "/x-a", 1);
    wlk_writer_free(w);
}

/* Nothing of what was given has to stay. */
static void test_everything_is_copied(void **state) {
    (void)state;
    char name[] = "name", path[] = "/x-p", text[] = "text";
    float data[] = {1.0f};
    uint64_t size;
    uint8_t *bytes;
    wlk_error error = {0};
    wlk_writer *w = writer_new();
    wlk_tensor t = {.name = name, .dtype = WLK_F32, .rank = 0, .data = data, .nbytes = 4};
    (void)wlk_writer_tensor(w, &t);
    wlk_writer_meta_string(w, path, text);
    memset(name, 'X', 4);
    memset(path, 'X', 4);
    memset(text, 'X', 4);
    data[0] = 0;
    wlk_model *model = writer_end(w);
    EXPECT_OK(wlk_write_memory(model, NULL, &bytes, &size, &error));
    wlk_model *back = read_back(bytes, size);
    assert_int_equal(wlk_model_find_tensor(back, "name"), 0);
    assert_memory_equal(wlk_model_tensor(back, 0).data, "\x00\x00\x80\x3f", 4);
    assert_string_equal(wlk_model_meta(back, wlk_model_find_meta(back, "/x-p")).s, "text");
    free(bytes);
    wlk_model_free(back);
    wlk_model_free(model);
}

static void test_limits_are_kept(void **state) {
    (void)state;
    wlk_limits limits;
    wlk_writer *w;
    wlk_model *model;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    limits.output_bytes = 3;
    EXPECT_OK(wlk_writer_new(&limits, &w, &error));
    const wlk_tensor t = {.name = "w", .dtype = WLK_F32, .rank = 0, .data = "1234", .nbytes = 4};
    (void)wlk_writer_tensor(w, &t);
    expect_refused("bytes", wlk_writer_finish(w, &model, &error), &error, "limit.output-bytes",
                   "\"w\"");
    wlk_writer_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_error_sticks),
        cmocka_unit_test(test_a_finished_writer_is_finished),
        cmocka_unit_test(test_everything_is_copied),
        cmocka_unit_test(test_limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
