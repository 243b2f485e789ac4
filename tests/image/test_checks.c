/* What builder and validator share, asked what neither lets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/checks.h"

static void test_sizes(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        uint64_t shape, count;
        block_record block;
        uint64_t nbytes;
        bool fits;
    } rows[] = {
        {WLK_BLOCK, 64, 64, {.elements = 32, .bytes = 18}, 36, true},
        {WLK_BLOCK, 64, 64, {.elements = 32, .bytes = 18}, 35, false},
        {WLK_BLOCK, 63, 63, {.elements = 32, .bytes = 18}, 36, false},
        {WLK_BLOCK, UINT64_MAX, UINT64_MAX, {.elements = 1, .bytes = 2}, UINT64_MAX - 1, false},
        {WLK_STR, 1, 1, {.elements = 0}, 16, true},
        {WLK_STR, 1, UINT64_MAX, {.elements = 0}, UINT64_MAX, false},
        {WLK_STR, 1, UINT64_MAX / 8, {.elements = 0}, UINT64_MAX, false},
        {WLK_F64, 1, UINT64_MAX, {.elements = 0}, UINT64_MAX, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tensor_size_fits(rows[i].dtype, &rows[i].shape, 1, rows[i].count,
                                          &rows[i].block, rows[i].nbytes),
                         rows[i].fits);
    }
    assert_false(tensor_size_fits(WLK_BLOCK, &rows[0].shape, 1, 64, NULL, 36));
}

static void test_names_of_block_layouts(void **state) {
    (void)state;
    assert_true(block_kind_valid("q4_0", 4));
    assert_true(block_kind_valid("az09", 4));
    assert_false(block_kind_valid("", 0));
    for (const char *bad = "`{/:^~AZ \n"; *bad; bad++) assert_false(block_kind_valid(bad, 1));
}

static void test_containers(void **state) {
    (void)state;
    const type_record sequence = {.kind = WLK_TYPE_SEQUENCE, .element = 0};
    type_record of_rank = sequence;
    of_rank.rank = 1;
    assert_true(type_form_valid(&sequence, 1));
    assert_false(type_form_valid(&sequence, 0)); /* what it holds stands before it */
    assert_false(type_form_valid(&of_rank, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_names_of_block_layouts),
        cmocka_unit_test(test_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
