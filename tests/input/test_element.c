#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "input/element.h"

static void test_integers_as_text(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool negative;
        uint64_t magnitude;
    } rows[] = {
        {"0", false, 0},
        {"-0", true, 0},
        {"007", false, 7},
        {"+12", false, 12},
        {" -12\t", true, 12},
        {"9223372036854775807", false, INT64_MAX},
        {"-9223372036854775808", true, 1ull << 63},
        {"18446744073709551615", false, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        number n;
        assert_true(element_parse(rows[i].text, &n));
        assert_true(n.is_integer);
        assert_int_equal(n.negative, rows[i].negative);
        assert_true(n.magnitude == rows[i].magnitude);
    }
}

static void test_floats_as_text(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"1.5", 1.5},
        {"1.", 1.0},
        {".5", 0.5},
        {"-.5e1", -5.0},
        {"1e3", 1000.0},
        {"1E+3", 1000.0},
        {"1e-3", 0.001},
        {"1e-400", 0.0},
        {"5e-324", 5e-324},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"inf", (double)INFINITY},
        {"-Infinity", -(double)INFINITY},
        {"+INF", (double)INFINITY},
        {"18446744073709551616", 18446744073709551616.0},
        {"0.1000000000000000055511151231257827021181583404541015625", 0.1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        number n;
        if (!element_parse(rows[i].text, &n)) fail_msg("%s", rows[i].text);
        assert_false(n.is_integer);
        assert_true(n.value == rows[i].value);
    }
}

static void test_what_is_no_number(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",      " ",      "+",     "-",   ".",   "e5",    "1e",    "1e+",        "0x10",    "1x",
        "1 2",   "1,5",    "1_000", "--1", "+-1", "1.2.3", "nan",   "nan(1)",     "infinit", "inf1",
        "1e999", "-1e999", "１",    "1\n", "1f",  "0b1",   "1e1.5", "\xc2\xa0 1",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        number n;
        if (element_parse(rows[i], &n)) fail_msg("\"%s\" is a number", rows[i]);
    }
}

/* The decimal point is '.' whatever the program's locale says. */
static void test_every_locale(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        number n;
        (void)setlocale(LC_ALL, names[i]);
        assert_true(element_parse("1.5", &n));
        assert_true(n.value == 1.5);
        assert_false(element_parse("1,5", &n));
    }
    (void)setlocale(LC_ALL, "C");
}

static void test_integer_ranges(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        int64_t low;
        int64_t high;
    } rows[] = {
        {WLK_I4, -8, 7},          {WLK_I8, -128, 127},
        {WLK_I16, -32768, 32767}, {WLK_I32, INT32_MIN, INT32_MAX},
        {WLK_U4, 0, 15},          {WLK_U8, 0, 255},
        {WLK_U16, 0, 65535},      {WLK_U32, 0, UINT32_MAX},
        {WLK_BOOL, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[16] = {0};
        const int64_t good[] = {rows[i].low, rows[i].high, 0, 1};
        const int64_t bad[] = {rows[i].low - 1, rows[i].high + 1, INT64_MIN, INT64_MAX};
        for (int j = 0; j < 4; j++) {
            memset(data, 0, sizeof data);
            const number in = number_of_int(good[j]), out = number_of_int(bad[j]);
            assert_true(element_put(rows[i].dtype, data, 1, &in));
            const number got = element_get(rows[i].dtype, data, 1);
            assert_true(got.is_integer && got.negative == in.negative &&
                        got.magnitude == in.magnitude);
            assert_false(element_put(rows[i].dtype, data, 0, &out));
            assert_true(element_get(rows[i].dtype, data, 0).magnitude == 0);
        }
        const number half = number_of_float(0.5);
        assert_false(element_put(rows[i].dtype, data, 0, &half));
    }
}

static void test_wide_integers(void **state) {
    (void)state;
    uint8_t data[8];
    number n;
    assert_true(element_parse("18446744073709551615", &n));
    assert_true(element_put(WLK_U64, data, 0, &n));
    assert_true(load_u64(data) == UINT64_MAX);
    assert_false(element_put(WLK_I64, data, 0, &n));
    assert_true(element_parse("-9223372036854775808", &n));
    assert_true(element_put(WLK_I64, data, 0, &n));
    assert_true(load_u64(data) == 1ull << 63);
    assert_false(element_put(WLK_U64, data, 0, &n));
    assert_true(element_parse("9223372036854775808", &n));
    assert_false(element_put(WLK_I64, data, 0, &n));
}

static void test_nibbles_share_bytes(void **state) {
    (void)state;
    uint8_t data[2] = {0};
    for (int i = 0; i < 3; i++) {
        const number n = number_of_int(i + 1);
        assert_true(element_put(WLK_U4, data, (uint64_t)i, &n));
    }
    assert_int_equal(data[0], 0x21); /* docs/format.md, section 4.2 */
    assert_int_equal(data[1], 0x03);
    const number minus = number_of_int(-1);
    assert_true(element_put(WLK_I4, data, 0, &minus));
    assert_int_equal(data[0], 0x2f);
    const number back = element_get(WLK_I4, data, 0);
    assert_true(back.negative && back.magnitude == 1);
}

/* Values beside every border of rounding; bits are those of IEEE 754. */
static void test_small_floats(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        double value;
        uint16_t bits;
    } rows[] = {
        {WLK_F16, 0.0, 0x0000},
        {WLK_F16, -0.0, 0x8000},
        {WLK_F16, 1.0, 0x3c00},
        {WLK_F16, -2.0, 0xc000},
        {WLK_F16, 65504.0, 0x7bff},
        {WLK_F16, 65519.999, 0x7bff},
        {WLK_F16, 6.103515625e-05, 0x0400},
        {WLK_F16, 5.960464477539063e-08, 0x0001},
        {WLK_F16, 2.98023223876953125e-08, 0x0000}, /* half of the smallest: to even */
        {WLK_F16, 2.9802322387695316e-08, 0x0001},
        {WLK_F16, 1.00048828125, 0x3c00}, /* halfway: to even */
        {WLK_F16, 1.00146484375, 0x3c02},
        {WLK_F16, 1.0004882812500002, 0x3c01},
        {WLK_F16, 0.33325195312500006, 0x3555},
        {WLK_BF16, 1.0, 0x3f80},
        {WLK_BF16, 3.3895313892515355e38, 0x7f7f},
        {WLK_BF16, 1.00390625, 0x3f80},
        {WLK_BF16, 1.01171875, 0x3f82},
        {WLK_BF16, 9.183549615799121e-41, 0x0001},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[2];
        const number n = number_of_float(rows[i].value);
        assert_true(element_put(rows[i].dtype, data, 0, &n));
        assert_int_equal(load_u16(data), rows[i].bits);
    }
}

static void test_every_small_float_comes_back(void **state) {
    (void)state;
    static const wlk_dtype dtypes[] = {WLK_F16, WLK_BF16};
    for (size_t d = 0; d < 2; d++) {
        for (uint32_t bits = 0; bits < 65536; bits++) {
            uint8_t data[2], again[2];
            store_u16(data, (uint16_t)bits);
            const number n = element_get(dtypes[d], data, 0);
            assert_true(element_put(dtypes[d], again, 0, &n));
            if (!isnan(n.value)) assert_memory_equal(data, again, 2);
            if (isnan(n.value)) assert_true(isnan(element_get(dtypes[d], again, 0).value));
        }
    }
}

static void test_floats_that_do_not_fit(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        double value;
        bool fits;
    } rows[] = {
        {WLK_F16, 65520.0, false},    {WLK_F16, -1e300, false},  {WLK_F16, (double)INFINITY, true},
        {WLK_F32, 1e39, false},       {WLK_F32, 3.4e38, true},   {WLK_F32, -(double)INFINITY, true},
        {WLK_F32, (double)NAN, true}, {WLK_BF16, 3.4e38, false}, {WLK_F64, 1e308, true},
        {WLK_F8E5M2, 1.0, false},     {WLK_STR, 1.0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[8] = {0};
        const number n = number_of_float(rows[i].value);
        assert_int_equal(element_put(rows[i].dtype, data, 0, &n), rows[i].fits);
    }
}

static void test_which_dtypes(void **state) {
    (void)state;
    for (uint32_t i = 0; i < WLK_DTYPE_COUNT; i++) {
        uint8_t data[16] = {0};
        const number one = number_of_int(1);
        assert_int_equal(element_is_numeric((wlk_dtype)i),
                         element_put((wlk_dtype)i, data, 0, &one));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_as_text),
        cmocka_unit_test(test_floats_as_text),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_every_locale),
        cmocka_unit_test(test_integer_ranges),
        cmocka_unit_test(test_wide_integers),
        cmocka_unit_test(test_nibbles_share_bytes),
        cmocka_unit_test(test_small_floats),
        cmocka_unit_test(test_every_small_float_comes_back),
        cmocka_unit_test(test_floats_that_do_not_fit),
        cmocka_unit_test(test_which_dtypes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
