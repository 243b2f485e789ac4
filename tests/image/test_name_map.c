#include "support/scratch.h"

#include "image/name_map.h"
#include "support/no_memory.h"

static void test_what_was_set_is_found(void **state) {
    (void)state;
    static const char *const names[] = {"",     "a", "b",  "ab",  "aa", "abc", "\xff",
                                        "\x80", "x", "xx", "xxx", "A",  "a/b", "~"};
    name_map *map = name_map_new();
    assert_non_null(map);
    uint32_t value;
    assert_false(name_map_get(map, "", &value));
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(name_map_get(map, names[i], &value));
        assert_true(name_map_set(map, names[i], i));
        for (uint32_t j = 0; j <= i; j++) {
            assert_true(name_map_get(map, names[j], &value));
            assert_int_equal(value, j);
        }
    }
    assert_true(name_map_set(map, "ab", 1000));
    assert_true(name_map_get(map, "ab", &value));
    assert_int_equal(value, 1000);
    assert_false(name_map_get(map, "abcd", &value));
    assert_false(name_map_get(map, "y", &value));
    name_map_free(map);
}

/* The name of a number: short, long, alike, as the number's bits say. */
static void name_of(uint64_t number, char name[64]) {
    uint64_t random = number;
    const uint64_t bits = next_random(&random);
    size_t length = bits % 40;
    memset(name, bits & 1 << 20 ? 'a' : 'b', length);
    (void)snprintf(name + length, 64 - length, "%llu", (unsigned long long)number);
}

static void test_many_names(void **state) {
    (void)state;
    enum { COUNT = 50000 };
    name_map *map = name_map_new();
    char name[64];
    uint32_t value;
    for (uint32_t i = 0; i < COUNT; i++) {
        name_of(i, name);
        assert_true(name_map_set(map, name, i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        name_of(i, name);
        assert_true(name_map_get(map, name, &value));
        assert_int_equal(value, i);
        strcat(name, "x");
        assert_false(name_map_get(map, name, &value));
    }
    name_map_free(map);
    name_map_free(NULL);
}

static wlk_status fill(const void *context, wlk_error *error) {
    name_map *map = name_map_new();
    char name[64];
    (void)context;
    bool set = map != NULL;
    for (uint32_t i = 0; set && i < 100; i++) {
        name_of(i, name);
        set = name_map_set(map, name, i);
    }
    name_map_free(map);
    return set ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static void test_no_memory(void **state) {
    (void)state;
    no_memory_everywhere("a hundred names", fill, NULL);
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_set_is_found),
        cmocka_unit_test(test_many_names),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
