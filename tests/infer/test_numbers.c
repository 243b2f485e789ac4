/* Numbers of every dtype: 16-bit floats bit by bit, text in any locale. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "infer/number_text.h"

static number real(double value) {
    return (number){NUMBER_FLOAT, {.f = value}};
}

/* Every pattern that is not NaN survives; NaN stays NaN. */
static void test_every_16_bit_pattern_survives(void **state) {
    (void)state;
    static const wlk_dtype dtypes[] = {WLK_F16, WLK_BF16};
    for (uint32_t d = 0; d < 2; d++) {
        for (uint32_t bits = 0; bits < 65536; bits++) {
            const uint16_t from = (uint16_t)bits;
            uint16_t to = 0;
            const number value = number_load(dtypes[d])(&from, 0);
            number_store(dtypes[d])(&to, 0, value);
            if (isnan(value.f)) {
                assert_true(isnan(number_load(dtypes[d])(&to, 0).f));
            } else {
                assert_int_equal(to, from);
            }
        }
    }
}

/* The same for dtypes of 8 and 4 bits; whatever is not saturated too. */
static void test_every_small_pattern_survives(void **state) {
    (void)state;
    static const wlk_dtype dtypes[] = {WLK_F8E4M3FN, WLK_F8E5M2, WLK_F8E4M3FNUZ, WLK_F8E5M2FNUZ,
                                       WLK_F8E8M0,   WLK_F4E2M1, WLK_I4,         WLK_U4};
    for (uint32_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        const wlk_dtype dtype = dtypes[d];
        for (uint32_t bits = 0; bits < 1u << wlk_dtype_bits(dtype); bits++) {
            const uint8_t from = (uint8_t)bits;
            uint8_t to[2] = {0, 0};
            const number value = number_load(dtype)(&from, 0);
            number_store(dtype)(&to[0], 0, value);
            number_store_as(dtype, false, ROUND_DOWN)(&to[1], 0, value);
            for (uint32_t i = 0; i < 2; i++) {
                if (value.kind == NUMBER_FLOAT && isnan(value.f)) {
                    assert_true(isnan(number_load(dtype)(&to[i], 0).f));
                } else if (value.kind != NUMBER_FLOAT || !isinf(value.f)) {
                    assert_int_equal(to[i], from);
                }
            }
        }
    }
}

/* Between two neighbours: below the middle down, above it up, at it to even. */
static void test_16_bit_floats_round_to_even(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        uint16_t last; /* largest finite pattern */
    } rows[] = {{WLK_F16, 0x7bff}, {WLK_BF16, 0x7f7f}};
    for (uint32_t r = 0; r < 2; r++) {
        for (uint32_t bits = 0; bits < rows[r].last; bits++) {
            const uint16_t pair[2] = {(uint16_t)bits, (uint16_t)(bits + 1)};
            const double low = number_load(rows[r].dtype)(pair, 0).f;
            const double high = number_load(rows[r].dtype)(pair, 1).f;
            const double middle = low + (high - low) / 2;
            uint16_t got[3];
            number_store(rows[r].dtype)(got, 0, real(nextafter(middle, low)));
            number_store(rows[r].dtype)(got, 1, real(middle));
            number_store(rows[r].dtype)(got, 2, real(nextafter(middle, high)));
            assert_int_equal(got[0], pair[0]);
            assert_int_equal(got[1], bits % 2 ? pair[1] : pair[0]);
            assert_int_equal(got[2], pair[1]);
        }
        const double largest = number_load(rows[r].dtype)(&rows[r].last, 0).f;
        uint16_t got = 0;
        number_store(rows[r].dtype)(&got, 0, real(largest * 1.01));
        assert_int_equal(got, rows[r].last + 1); /* infinity */
        number_store(rows[r].dtype)(&got, 0, real(-1e300));
        assert_int_equal(got, 0x8000 | (rows[r].last + 1));
    }
}

static void test_saturation(void **state) {
    (void)state;
    static const struct {
        double from;
        int64_t to;
    } rows[] = {
        {NAN, 0},
        {(double)INFINITY, INT64_MAX},
        {-(double)INFINITY, INT64_MIN},
        {0x1p63, INT64_MAX},
        {-0x1p63, INT64_MIN},
        {0x1.fffffffffffffp62, INT64_MAX - 1023},
        {-1.9, -1},
        {1.9, 1},
        {-0.0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(saturate_i64(rows[i].from), rows[i].to);
    }
}

static void assert_parsed(const char *text, double want) {
    number value;
    assert_true(number_parse(WLK_F64, text, strlen(text), &value));
    assert_int_equal(value.kind, NUMBER_FLOAT);
    assert_true(value.f == want);
}

/* A host that writes decimal commas changes nothing, and keeps its locale. */
static void test_the_locale_has_no_say(void **state) {
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR"};
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++) {
        if (setlocale(LC_ALL, commas[i])) break; /* none of them need be there */
    }
    const struct lconv before = *localeconv();
    char text[NUMBER_TEXT_BYTES];
    assert_int_equal(number_format(WLK_F64, real(0.1), text), 3);
    assert_string_equal(text, "0.1");
    assert_parsed("2.5", 2.5);
    assert_string_equal(localeconv()->decimal_point, before.decimal_point);
    (void)setlocale(LC_ALL, "C");
}

static void test_long_texts(void **state) {
    (void)state;
    char text[512];
    number value;
    memset(text, '0', sizeof text);
    assert_true(number_parse(WLK_F64, text, 400, &value));
    assert_false(number_parse(WLK_F64, text, 401, &value));
    assert_false(number_parse(WLK_F64, text, 0, &value));
    text[0] = '1';
    assert_true(number_parse(WLK_I64, text, 400, &value)); /* no integer: a double */
    assert_int_equal(value.kind, NUMBER_FLOAT);
    assert_true(isinf(value.f));
}

/* The longest texts there are fit. */
static void test_formats_fit(void **state) {
    (void)state;
    char text[NUMBER_TEXT_BYTES];
    const number lowest = {NUMBER_INT, {.i = INT64_MIN}};
    const number highest = {NUMBER_UINT, {.u = UINT64_MAX}};
    assert_int_equal(number_format(WLK_F64, real(-2.2250738585072014e-308), text), 24);
    assert_int_equal(number_format(WLK_I64, lowest, text), 20);
    assert_string_equal(text, "-9223372036854775808");
    assert_int_equal(number_format(WLK_U64, highest, text), 20);
    assert_string_equal(text, "18446744073709551615");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_16_bit_pattern_survives),
        cmocka_unit_test(test_every_small_pattern_survives),
        cmocka_unit_test(test_16_bit_floats_round_to_even),
        cmocka_unit_test(test_saturation),
        cmocka_unit_test(test_the_locale_has_no_say),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_formats_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
