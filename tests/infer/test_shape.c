/* Shape arithmetic with unknown dims. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "infer/shape.h"

enum { U = WLK_UNKNOWN_DIM };

static void test_one_dim(void **state) {
    (void)state;
    static const struct {
        int64_t a, b;
        bool fits;
        int64_t out;
    } rows[] = {
        {1, 1, true, 1}, {3, 1, true, 3}, {1, 3, true, 3}, {3, 3, true, 3},  {3, 2, false, 0},
        {0, 1, true, 0}, {1, 0, true, 0}, {0, 0, true, 0}, {0, 2, false, 0}, {U, 1, true, U},
        {1, U, true, U}, {U, U, true, U}, {U, 3, true, 3}, {3, U, true, 3},  {U, 0, true, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t out[WLK_MAX_RANK] = {0};
        assert_int_equal(dims_broadcast(&rows[i].a, 1, &rows[i].b, 1, out), rows[i].fits);
        if (rows[i].fits) assert_int_equal(out[0], rows[i].out);
    }
}

static void test_products(void **state) {
    (void)state;
    static const int64_t dims[5] = {2, 3, U, 0, INT64_MAX};
    static const int64_t large[3] = {INT64_C(1) << 40, INT64_C(1) << 40, 0};
    assert_int_equal(dim_product(dims, 0, 0), 1);
    assert_int_equal(dim_product(dims, 0, 2), 6);
    assert_int_equal(dim_product(dims, 0, 3), U);
    assert_int_equal(dim_product(dims, 3, 5), 0);
    assert_int_equal(dim_product(dims, 4, 5), INT64_MAX);
    assert_int_equal(dim_product(large, 0, 2), U);
}

static void test_stretching(void **state) {
    (void)state;
    static const int64_t target[2] = {U, 3};
    static const struct {
        op_tensor from;
        bool fits;
    } rows[] = {
        {{.rank = 0}, true},
        {{.rank = 1, .dims = {3}}, true},
        {{.rank = 1, .dims = {1}}, true},
        {{.rank = 1, .dims = {2}}, false},
        {{.rank = 1, .dims = {U}}, true},
        {{.rank = 2, .dims = {7, 1}}, true},
        {{.rank = 2, .dims = {7, 2}}, false},
        {{.rank = 3, .dims = {1, 1, 1}}, false},
        {{.rank = WLK_NONE}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(dims_stretch(&rows[i].from, target, 2), rows[i].fits);
    }
}

static void test_texts(void **state) {
    (void)state;
    char text[TENSOR_TEXT_BYTES];
    op_tensor t = {.dtype = WLK_F32, .rank = 0};
    assert_string_equal(tensor_text(&t, text), "f32[]");
    t = (op_tensor){.dtype = WLK_STR, .rank = 3, .dims = {U, 2, 0}};
    assert_string_equal(tensor_text(&t, text), "str[?,2,0]");
    t = (op_tensor){.dtype = WLK_I64, .rank = WLK_NONE};
    assert_string_equal(tensor_text(&t, text), "i64 of unknown rank");
    t = (op_tensor){.dtype = WLK_F64, .rank = 8}; /* longer than there is room for */
    for (uint32_t i = 0; i < 8; i++) t.dims[i] = INT64_MAX;
    assert_int_equal(strlen(tensor_text(&t, text)), TENSOR_TEXT_BYTES - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_dim),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_stretching),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
