#include "support/scratch.h"

#include "base/bytes.h"
#include "image/memory_sink.h"
#include "image/meta_schema.h"
#include "image/meta_tree.h"
#include "support/no_memory.h"

/* A tree with what it stands on. */
typedef struct bench {
    wlk_limits limits;
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
    meta_tree *tree;
} bench;

static void bench_open(bench *b) {
    wlk_limits_default(&b->limits);
    b->sink = memory_sink_new(&b->limits);
    b->interface = memory_sink_interface(b->sink);
    b->builder = image_builder_new(&b->limits, &b->interface);
    b->tree = meta_tree_new(b->builder, &b->limits);
    assert_non_null(b->tree);
}

static void bench_close(bench *b) {
    meta_tree_free(b->tree);
    image_builder_free(b->builder);
    memory_sink_free(b->sink);
}

typedef struct entry {
    const char *path;
    wlk_meta_type type;
    int64_t value; /* of containers: their size, in the result */
} entry;

/* Any order goes in; sorted pre-order comes out, by the keys' own bytes. */
static void test_order(void **state) {
    (void)state;
    static const entry given[] = {
        {"/version", WLK_META_STRING, 0},
        {"/x-z/b", WLK_META_INT, 1},
        {"/x-z/a/y", WLK_META_INT, 2},
        {"/x-z/a~0", WLK_META_INT, 3},
        {"/x-z/a~1", WLK_META_INT, 4},
        {"/x-z/a", WLK_META_MAP, 0},
        {"/x-z/a0", WLK_META_INT, 5},
        {"/x-z/", WLK_META_INT, 6},
        {"/x-z/a/x", WLK_META_NULL, 0},
        {"/kind", WLK_META_STRING, 0},
        {"/metadata/tags", WLK_META_ARRAY, 0},
        {"/metadata/tags/0", WLK_META_STRING, 0},
        {"/metadata/tags/1", WLK_META_STRING, 0},
        {"/metadata/metrics", WLK_META_MAP, 0},
        {"/x-list", WLK_META_ARRAY, 0},
        {"/x-list/0/a", WLK_META_BOOL, 1},
        {"/x-list/1", WLK_META_ARRAY, 0},
        {"/x-list/1/0", WLK_META_FLOAT, 0},
    };
    static const entry expected[] = {
        {"/kind", WLK_META_STRING, 0},
        {"/metadata", WLK_META_MAP, 2},
        {"/metadata/metrics", WLK_META_MAP, 0},
        {"/metadata/tags", WLK_META_ARRAY, 2},
        {"/metadata/tags/0", WLK_META_STRING, 0},
        {"/metadata/tags/1", WLK_META_STRING, 0},
        {"/version", WLK_META_STRING, 0},
        {"/x-list", WLK_META_ARRAY, 2},
        {"/x-list/0", WLK_META_MAP, 1},
        {"/x-list/0/a", WLK_META_BOOL, 1},
        {"/x-list/1", WLK_META_ARRAY, 1},
        {"/x-list/1/0", WLK_META_FLOAT, 0},
        {"/x-z", WLK_META_MAP, 6},
        {"/x-z/", WLK_META_INT, 6},
        {"/x-z/a", WLK_META_MAP, 2},
        {"/x-z/a/x", WLK_META_NULL, 0},
        {"/x-z/a/y", WLK_META_INT, 2},
        {"/x-z/a~1", WLK_META_INT, 4}, /* a/ comes before a0, */
        {"/x-z/a0", WLK_META_INT, 5},
        {"/x-z/a~0", WLK_META_INT, 3}, /* and a~ behind it */
        {"/x-z/b", WLK_META_INT, 1},
    };
    bench b;
    wlk_model *model;
    wlk_error error = {0};
    bench_open(&b);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        const entry *e = &given[i];
        EXPECT_OK(e->type == WLK_META_STRING
                      ? meta_tree_set_text(b.tree, e->path, "text", &error)
                      : meta_tree_set(b.tree, e->path, e->type, (uint64_t)e->value, &error));
    }
    EXPECT_OK(meta_tree_finish(b.tree, &error));
    EXPECT_OK(image_build_model(b.builder, b.sink, 0, &b.limits, &model, &error));
    assert_int_equal(wlk_model_count(model, WLK_SECTION_METADATA),
                     sizeof expected / sizeof *expected);
    for (uint32_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const wlk_meta meta = wlk_model_meta(model, i);
        assert_string_equal(meta.path, expected[i].path);
        assert_int_equal(meta.type, expected[i].type);
        if (meta.type != WLK_META_STRING && meta.type != WLK_META_FLOAT) {
            assert_int_equal(meta.i, expected[i].value);
        }
    }
    wlk_model_free(model);
    bench_close(&b);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        entry first[2]; /* set before, if they have a path */
        entry bad;
        const char *rule;
    } rows[] = {
        {{{0}}, {"", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{0}}, {"kind", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{0}}, {"/x-a~2", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{0}}, {"/x-a~", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{"/x-a", WLK_META_INT, 0}}, {"/x-a/b", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{"/x-a", WLK_META_ARRAY, 0}}, {"/x-a/1", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{"/x-a", WLK_META_ARRAY, 0}}, {"/x-a/00", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{"/x-a", WLK_META_ARRAY, 0}}, {"/x-a/k", WLK_META_INT, 0}, "assemble.metadata-path"},
        {{{"/x-a", WLK_META_ARRAY, 0}, {"/x-a/0", WLK_META_INT, 0}},
         {"/x-a/2", WLK_META_INT, 0},
         "assemble.metadata-path"},
        {{{"/x-a", WLK_META_INT, 0}}, {"/x-a", WLK_META_INT, 0}, "assemble.metadata-duplicate"},
        {{{"/x-a", WLK_META_MAP, 0}}, {"/x-a", WLK_META_MAP, 0}, "assemble.metadata-duplicate"},
        {{{"/x-a/b", WLK_META_INT, 0}}, {"/x-a", WLK_META_ARRAY, 0}, "assemble.metadata-duplicate"},
        {{{"/x-a/b", WLK_META_INT, 0}}, {"/x-a", WLK_META_INT, 0}, "assemble.metadata-duplicate"},
        {{{0}}, {"/", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/graphs", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/tensors", WLK_META_ARRAY, 0}, "assemble.metadata-key"},
        {{{0}}, {"/kinds", WLK_META_STRING, 0}, "assemble.metadata-key"},
        {{{0}}, {"/kind", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/kind/x", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/metadata", WLK_META_ARRAY, 0}, "assemble.metadata-key"},
        {{{0}}, {"/metadata/metric", WLK_META_MAP, 0}, "assemble.metadata-key"},
        {{{0}}, {"/metadata/metrics", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/metadata/tags", WLK_META_MAP, 0}, "assemble.metadata-key"},
        {{{"/metadata/tags", WLK_META_ARRAY, 0}},
         {"/metadata/tags/0", WLK_META_INT, 0},
         "assemble.metadata-key"},
        {{{0}}, {"/metadata/libraries/numpy", WLK_META_INT, 0}, "assemble.metadata-key"},
        {{{0}}, {"/metadata/libraries/a/b", WLK_META_STRING, 0}, "assemble.metadata-key"},
        {{{0}}, {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f", WLK_META_INT, 0}, NULL},
        {{{0}}, {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f", WLK_META_MAP, 0}, "limit.header-depth"},
        {{{0}}, {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g", WLK_META_INT, 0}, "limit.header-depth"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        wlk_error error = {0};
        bench_open(&b);
        for (int j = 0; j < 2 && rows[i].first[j].path; j++) {
            EXPECT_OK(
                meta_tree_set(b.tree, rows[i].first[j].path, rows[i].first[j].type, 0, &error));
        }
        const wlk_status status =
            meta_tree_set(b.tree, rows[i].bad.path, rows[i].bad.type, 0, &error);
        if (rows[i].rule) {
            expect_refused(rows[i].bad.path, status, &error, rows[i].rule, NULL);
        } else {
            EXPECT_OK(status);
        }
        bench_close(&b);
    }
}

static void test_limits(void **state) {
    (void)state;
    bench b;
    wlk_error error = {0};
    char *path = calloc(1, 5000);
    memcpy(path, "/x-", 3);
    memset(path + 3, 'k', 4000);
    bench_open(&b);
    meta_tree_free(b.tree);
    b.limits.name_bytes = 4000;
    b.tree = meta_tree_new(b.builder, &b.limits);
    expect_refused("path", meta_tree_set(b.tree, path, WLK_META_INT, 0, &error), &error,
                   "limit.name-bytes", NULL);
    path[4000] = '\0'; /* as long as is allowed */
    EXPECT_OK(meta_tree_set(b.tree, path, WLK_META_INT, 0, &error));
    bench_close(&b);
    bench_open(&b);
    meta_tree_free(b.tree);
    b.limits.metadata_entries = 3;
    b.tree = meta_tree_new(b.builder, &b.limits);
    EXPECT_OK(meta_tree_set(b.tree, "/x-a/b/c", WLK_META_INT, 0, &error));
    expect_refused("entries", meta_tree_set(b.tree, "/x-b", WLK_META_INT, 0, &error), &error,
                   "limit.metadata-entries", NULL);
    bench_close(&b);
    free(path);
}

static void test_path_append(void **state) {
    (void)state;
    char path[16] = "/x";
    size_t length = 2;
    assert_true(meta_path_append(path, &length, sizeof path, "a/b~c"));
    assert_string_equal(path, "/x/a~1b~0c");
    assert_int_equal(length, 10);
    assert_false(meta_path_append(path, &length, sizeof path, "12345"));
    assert_string_equal(path, "/x/a~1b~0c");
    assert_true(meta_path_append(path, &length, sizeof path, "1234"));
    assert_false(meta_path_append(path, &length, sizeof path, ""));
    assert_string_equal(path, "/x/a~1b~0c/1234");
}

static void test_known_keys(void **state) {
    (void)state;
    size_t count;
    assert_non_null(meta_schema_keys("", &count));
    assert_int_equal(count, 6);
    assert_non_null(meta_schema_keys("/metadata", &count));
    assert_int_equal(count, 6);
    assert_null(meta_schema_keys("/metadata/metrics", &count));
    assert_false(meta_schema_allows("/kind/of", WLK_META_INT));
    assert_false(meta_schema_allows("/xa", WLK_META_INT));
    assert_false(meta_schema_allows("/metadata/xa", WLK_META_INT));
    assert_int_equal(count, 0);
}

static wlk_status fill(meta_tree *tree, wlk_error *error) {
    char path[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof path, "/x-%d/a/b", i);
        TRY(meta_tree_set_text(tree, path, "a text", error));
    }
    return meta_tree_finish(tree, error);
}

static wlk_status make(const void *context, wlk_error *error) {
    bench b = {.sink = NULL};
    (void)context;
    wlk_limits_default(&b.limits);
    b.sink = memory_sink_new(&b.limits);
    if (b.sink) {
        b.interface = memory_sink_interface(b.sink);
        b.builder = image_builder_new(&b.limits, &b.interface);
    }
    if (b.builder) b.tree = meta_tree_new(b.builder, &b.limits);
    const wlk_status status =
        b.tree ? fill(b.tree, error) : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    bench_close(&b);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    no_memory_everywhere("metadata", make, NULL);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_path_append),
        cmocka_unit_test(test_known_keys), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
