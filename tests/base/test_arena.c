/* Memory of an arena: zeroed, aligned, its own for each that takes it, whatever the sizes, and
 * none where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "support/no_memory.h"

static void test_sizes(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0, 1, 15, 16, 17, 1000, 16384, 16385, 70000, 3, 200000, 8};
    enum { SIZES = sizeof sizes / sizeof *sizes, ROUNDS = 20 };
    unsigned char *taken[ROUNDS * SIZES];
    arena a = {0};
    for (size_t i = 0; i < ROUNDS * SIZES; i++) {
        taken[i] = arena_take(&a, 1, sizes[i % SIZES]);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % _Alignof(max_align_t), 0);
        for (uint64_t k = 0; k < sizes[i % SIZES]; k++) assert_int_equal(taken[i][k], 0);
        memset(taken[i], (int)(i % 251 + 1), sizes[i % SIZES]);
    }
    for (size_t i = 0; i < ROUNDS * SIZES; i++) {
        for (uint64_t k = 0; k < sizes[i % SIZES]; k++) {
            if (taken[i][k] != i % 251 + 1) fail_msg("piece %zu is another's", i);
        }
    }
    arena_free(&a);
    assert_null(a.chunks);
}

/* Invariant 7: no product and no length is believed. */
static void test_too_much(void **state) {
    (void)state;
    arena a = {0};
    assert_null(arena_take(&a, UINT64_MAX, 2));
    assert_null(arena_take(&a, 1, UINT64_MAX));
    assert_null(arena_text(&a, "", UINT64_MAX));
    assert_null(a.chunks);
    assert_string_equal(arena_text(&a, "texts", 4), "text");
    arena_free(&a);
}

static wlk_status take_all(const void *context, wlk_error *error) {
    static const uint64_t sizes[] = {20000, 1, 16000, 16000, 16000, 16000, 16000, 20000};
    arena a = {0};
    bool all = true;
    (void)context;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        all &= arena_take(&a, 1, sizes[i]) != NULL;
    arena_free(&a);
    return all ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static void test_no_memory(void **state) {
    (void)state;
    no_memory_everywhere("arena", take_all, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_no_memory),
    };
    points_set();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
