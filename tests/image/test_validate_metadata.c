/* Metadata trees: the builder takes any list of entries, the validator only one
 * that is the pre-order of a tree. */
#include "support/image_support.h"

#define M WLK_META_MAP
#define A WLK_META_ARRAY
#define N WLK_META_NULL

typedef struct entry {
    const char *path;
    wlk_meta_type type;
    uint64_t value;
} entry;

typedef struct tree {
    const char *what;
    bool accepted;
    entry entries[8]; /* up to the first without a path */
} tree;

static const tree trees[] = {
    {"nothing", true, {{NULL, N, 0}}},
    {"a leaf", true, {{"/a", N, 0}}},
    {"an empty key", true, {{"/", N, 0}}},
    {"empty keys in each other", true, {{"/", M, 1}, {"//", M, 1}, {"///", N, 0}}},
    {"unsorted keys", true, {{"/b", N, 0}, {"/a", N, 0}}},
    {"both escapes", true, {{"/~0~1", N, 0}}},
    {"array of two", true, {{"/a", A, 2}, {"/a/0", N, 0}, {"/a/1", N, 0}}},
    {"digits as a map's keys", true, {{"/a", M, 2}, {"/a/1", N, 0}, {"/a/01", N, 0}}},
    {"siblings after a container", true, {{"/a", M, 1}, {"/a/b", M, 0}, {"/c", N, 0}}},
    {"a key that begins like its sibling", true, {{"/a", M, 1}, {"/a/b", N, 0}, {"/ab", N, 0}}},
    {"no slash", false, {{"a", N, 0}}},
    {"the root itself", false, {{"", N, 0}}},
    {"a slash inside", false, {{"/a/b", N, 0}}},
    {"a lone tilde", false, {{"/~", N, 0}}},
    {"an unknown escape", false, {{"/~2", N, 0}}},
    {"a tilde at the end", false, {{"/a~0~", N, 0}}},
    {"the same key twice", false, {{"/a", N, 0}, {"/a", N, 0}}},
    {"the same key twice, apart", false, {{"/a", M, 1}, {"/a/b", N, 0}, {"/a", N, 0}}},
    {"too few children", false, {{"/a", M, 2}, {"/a/b", N, 0}}},
    {"too few children, seen at the end", false, {{"/a", M, 2}, {"/a/b", M, 1}, {"/a/b/c", N, 0}}},
    {"too many children", false, {{"/a", M, 1}, {"/a/b", N, 0}, {"/a/c", N, 0}}},
    {"a child of a leaf", false, {{"/a", N, 0}, {"/a/b", N, 0}}},
    {"a child elsewhere", false, {{"/a", M, 1}, {"/b/c", N, 0}}},
    {"a child that skips a level", false, {{"/a", M, 1}, {"/a/b/c", N, 0}}},
    {"a child without a slash", false, {{"/a", M, 1}, {"/ab", N, 0}}},
    {"a child that is its parent", false, {{"/a", M, 1}, {"/a", N, 0}}},
    {"array from one", false, {{"/a", A, 1}, {"/a/1", N, 0}}},
    {"array with a leading zero", false, {{"/a", A, 1}, {"/a/00", N, 0}}},
    {"array with a word", false, {{"/a", A, 1}, {"/a/x", N, 0}}},
    {"array with an empty index", false, {{"/a", A, 1}, {"/a/", N, 0}}},
    {"array out of order", false, {{"/a", A, 2}, {"/a/1", N, 0}, {"/a/0", N, 0}}},
    {"array index with a sign", false, {{"/a", A, 1}, {"/a/+0", N, 0}}},
};

static wlk_status build(const entry *entries, uint32_t count, const wlk_limits *limits,
                        wlk_error *error) {
    image_fixture f;
    wlk_model *model = NULL;
    image_fixture_open(&f, limits);
    for (uint32_t i = 0; i < count && entries[i].path; i++) {
        const uint32_t path = image_literal(f.builder, entries[i].path);
        assert_int_equal(image_meta(f.builder, path, entries[i].type, entries[i].value, 0), WLK_OK);
    }
    const wlk_status status = image_build_model(f.builder, f.sink, 0, limits, &model, error);
    if (status == WLK_OK) (void)model_walk_all(model);
    wlk_model_free(model);
    image_fixture_close(&f);
    return status;
}

static void test_trees(void **state) {
    (void)state;
    wlk_limits limits;
    wlk_limits_default(&limits);
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++) {
        wlk_error error = {0};
        const wlk_status status = build(trees[i].entries, 8, &limits, &error);
        if (status != (trees[i].accepted ? WLK_OK : WLK_CAGE)) fail_msg("%s", trees[i].what);
        if (!trees[i].accepted) assert_refusal(&error, RULE_IMAGE_METADATA);
    }
}

static void test_long_array(void **state) {
    (void)state;
    enum { COUNT = 1002 };
    static entry entries[COUNT];
    static char paths[COUNT][16];
    wlk_limits limits;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    entries[0] = (entry){"/a", A, COUNT - 1};
    for (uint32_t i = 1; i < COUNT; i++) {
        char *at = paths[i] + 15;
        uint32_t number = i - 1;
        do {
            *--at = (char)('0' + number % 10);
            number /= 10;
        } while (number > 0);
        memcpy(at - 3, "/a/", 3);
        entries[i] = (entry){at - 3, N, 0};
    }
    assert_int_equal(build(entries, COUNT, &limits, &error), WLK_OK);
}

/* Invariant 7: the depth is bounded, the root is level 1. */
static void test_depth(void **state) {
    (void)state;
    enum { DEEPEST = 40 };
    entry entries[DEEPEST];
    char paths[DEEPEST][2 * DEEPEST + 1];
    wlk_limits limits;
    wlk_limits_default(&limits);
    for (uint32_t i = 0; i < DEEPEST; i++) {
        for (uint32_t j = 0; j <= i; j++) memcpy(paths[i] + 2 * j, "/k", 3);
        entries[i] = (entry){paths[i], M, 1};
    }
    for (uint32_t depth = 1; depth < DEEPEST; depth++) {
        wlk_error error = {0};
        entries[depth - 1].value = 0; /* containers at the levels 2 to depth + 1 */
        limits.header_depth = depth + 1;
        assert_int_equal(build(entries, depth, &limits, &error), WLK_OK);
        limits.header_depth = depth;
        assert_int_equal(build(entries, depth, &limits, &error), WLK_LIMIT);
        assert_refusal(&error, RULE_LIMIT_HEADER_DEPTH);
        entries[depth - 1].value = 1;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_long_array),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
