/* NaN and infinity of every dtype, against codes that are listed bit by bit. */
#include "support/image_support.h"

#include "base/dtype.h"
#include "image/nonfinite.h"

/* ---- which codes are special */

typedef struct code_row {
    wlk_dtype dtype;
    uint64_t code;
    char what; /* 'n' NaN, 'i' infinity, 'f' finite */
} code_row;

/* Both sides of each edge: the largest finite number, infinity, the first and the last
 * NaN; and the same with the sign bit. */
static const code_row codes[] = {
    {WLK_F64, 0x7fefffffffffffff, 'f'},
    {WLK_F64, 0x7ff0000000000000, 'i'},
    {WLK_F64, 0x7ff0000000000001, 'n'},
    {WLK_F64, 0x7fffffffffffffff, 'n'},
    {WLK_F64, 0xffefffffffffffff, 'f'},
    {WLK_F64, 0xfff0000000000000, 'i'},
    {WLK_F64, 0xfff8000000000000, 'n'},
    {WLK_F64, 0xffffffffffffffff, 'n'},
    {WLK_F64, 0x8000000000000000, 'f'},
    {WLK_F64, 0x000fffffffffffff, 'f'},
    {WLK_F64, 0x7ff0000100000000, 'n'},
    {WLK_F64, 0x3ff00000ffffffff, 'f'},
    {WLK_F32, 0x7f7fffff, 'f'},
    {WLK_F32, 0x7f800000, 'i'},
    {WLK_F32, 0x7f800001, 'n'},
    {WLK_F32, 0x7fffffff, 'n'},
    {WLK_F32, 0xff7fffff, 'f'},
    {WLK_F32, 0xff800000, 'i'},
    {WLK_F32, 0xffc00000, 'n'},
    {WLK_F32, 0xffffffff, 'n'},
    {WLK_F32, 0x80000000, 'f'},
    {WLK_F32, 0x007fffff, 'f'},
    {WLK_F16, 0x7bff, 'f'},
    {WLK_F16, 0x7c00, 'i'},
    {WLK_F16, 0x7c01, 'n'},
    {WLK_F16, 0x7fff, 'n'},
    {WLK_F16, 0xfbff, 'f'},
    {WLK_F16, 0xfc00, 'i'},
    {WLK_F16, 0xfe00, 'n'},
    {WLK_F16, 0x8000, 'f'},
    {WLK_BF16, 0x7f7f, 'f'},
    {WLK_BF16, 0x7f80, 'i'},
    {WLK_BF16, 0x7f81, 'n'},
    {WLK_BF16, 0x7fff, 'n'},
    {WLK_BF16, 0xff7f, 'f'},
    {WLK_BF16, 0xff80, 'i'},
    {WLK_BF16, 0xffc0, 'n'},
    {WLK_BF16, 0x7c00, 'f'},
};

/* Of the float8 formats all special codes. */
typedef struct float8_row {
    wlk_dtype dtype;
    const char *nan;
    const char *infinity;
} float8_row;

static const float8_row float8[] = {
    {WLK_F8E4M3FN, "\x7f\xff", ""}, {WLK_F8E5M2, "\x7d\x7e\x7f\xfd\xfe\xff", "\x7c\xfc"},
    {WLK_F8E4M3FNUZ, "\x80", ""},   {WLK_F8E5M2FNUZ, "\x80", ""},
    {WLK_F8E8M0, "\xff", ""},
};

static nonfinite count_one(wlk_dtype dtype, uint64_t code) {
    return nonfinite_count(dtype, &code, 1);
}

static void expect(wlk_dtype dtype, uint64_t code, char what) {
    const nonfinite found = count_one(dtype, code);
    const bool holds = found.nan == (what == 'n') && found.infinity == (what == 'i') &&
                       found.first == (what == 'f' ? NONFINITE_NONE : 0);
    if (!holds) {
        fail_msg("%s 0x%llx: %llu NaN, %llu infinite", wlk_dtype_name(dtype),
                 (unsigned long long)code, (unsigned long long)found.nan,
                 (unsigned long long)found.infinity);
    }
}

static void test_codes_at_the_edges(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        expect(codes[i].dtype, codes[i].code, codes[i].what);
    }
}

static void test_every_code_of_the_float8_formats(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof float8 / sizeof *float8; i++) {
        expect(float8[i].dtype, 0, 'f');
        for (int code = 1; code < 256; code++) {
            const char what = strchr(float8[i].nan, code)        ? 'n'
                              : strchr(float8[i].infinity, code) ? 'i'
                                                                 : 'f';
            expect(float8[i].dtype, (uint64_t)code, what);
        }
    }
}

/* Every code, against the exponent and the mantissa read one by one. */
static void test_every_code_of_16_bits(void **state) {
    (void)state;
    for (uint32_t code = 0; code < 65536; code++) {
        const bool f16 = (code >> 10 & 31) == 31, bf16 = (code >> 7 & 255) == 255;
        expect(WLK_F16, code, !f16 ? 'f' : (code & 1023) ? 'n' : 'i');
        expect(WLK_BF16, code, !bf16 ? 'f' : (code & 127) ? 'n' : 'i');
    }
}

static void test_dtypes_that_have_no_such_codes(void **state) {
    (void)state;
    uint8_t ones[64];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i <= WLK_DTYPE_COUNT; i++) {
        const bool special = nonfinite_possible((wlk_dtype)i);
        const nonfinite found = nonfinite_count((wlk_dtype)i, ones, 4);
        assert_int_equal(special,
                         (i >= WLK_F64 && i <= WLK_F8E8M0) || i == WLK_C64 || i == WLK_C128);
        if (special) continue;
        assert_int_equal(found.nan + found.infinity, 0);
        assert_true(found.first == NONFINITE_NONE);
    }
}

/* ---- complex numbers count once */

typedef struct complex_row {
    double real, imaginary;
    char what;
} complex_row;

static const double nan_value = __builtin_nan(""), infinity_value = __builtin_inf();

static void test_complex_numbers_count_once(void **state) {
    (void)state;
    const complex_row rows[] = {
        {1, 2, 'f'},
        {nan_value, 2, 'n'},
        {1, nan_value, 'n'},
        {nan_value, nan_value, 'n'},
        {infinity_value, 2, 'i'},
        {1, -infinity_value, 'i'},
        {infinity_value, infinity_value, 'i'},
        {infinity_value, nan_value, 'n'},
        {nan_value, infinity_value, 'n'},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double wide[2] = {rows[i].real, rows[i].imaginary};
        const float narrow[2] = {(float)rows[i].real, (float)rows[i].imaginary};
        const nonfinite found[2] = {nonfinite_count(WLK_C128, wide, 1),
                                    nonfinite_count(WLK_C64, narrow, 1)};
        for (int k = 0; k < 2; k++) {
            assert_int_equal(found[k].nan, rows[i].what == 'n');
            assert_int_equal(found[k].infinity, rows[i].what == 'i');
            assert_true(found[k].first == (rows[i].what == 'f' ? NONFINITE_NONE : 0));
        }
    }
}

/* ---- where they stand */

/* One NaN and, behind it, one infinity, at places around the ends of blocks; the data
 * begin at an odd address and end where the sanitizers' guard begins. */
static void check_places(wlk_dtype dtype, uint64_t nan_code, uint64_t infinity_code,
                         uint64_t count) {
    static const uint64_t places[] = {0, 1, 7, 511, 512, 1023, 1024, 1025, 2047, 2048, 3000};
    const uint64_t bytes = wlk_dtype_bits(dtype) / 8;
    uint8_t *memory = malloc(count * bytes + 1);
    assert_non_null(memory);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const uint64_t at = places[i];
        if (at >= count) continue;
        const bool both = infinity_code != 0 && at + 1 < count;
        memset(memory, 0, count * bytes + 1);
        memcpy(memory + 1 + at * bytes, &nan_code, bytes < 8 ? bytes : 8);
        if (both) memcpy(memory + 1 + (at + 1) * bytes, &infinity_code, bytes < 8 ? bytes : 8);
        const nonfinite found = nonfinite_count(dtype, memory + 1, count);
        assert_int_equal(found.nan, 1);
        assert_int_equal(found.infinity, both);
        assert_int_equal(found.first, at);
    }
    free(memory);
}

static void test_every_place(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        uint64_t nan, infinity;
    } rows[] = {
        {WLK_F64, 0x7ff0000000000001, 0x7ff0000000000000},
        {WLK_F32, 0x7f800001, 0xff800000},
        {WLK_F16, 0x7c01, 0x7c00},
        {WLK_BF16, 0xffff, 0xff80},
        {WLK_F8E5M2, 0x7d, 0x7c},
        {WLK_F8E4M3FN, 0x7f, 0},
        {WLK_F8E4M3FNUZ, 0x80, 0},
        {WLK_F8E5M2FNUZ, 0x80, 0},
        {WLK_F8E8M0, 0xff, 0},
        {WLK_C64, 0x7f80000100000000, 0xff800000},
        {WLK_C128, 0x7ff8000000000000, 0xfff0000000000000},
    };
    static const uint64_t counts[] = {1, 2, 8, 513, 1023, 1024, 1026, 2048, 3001};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            check_places(rows[i].dtype, rows[i].nan, rows[i].infinity, counts[k]);
        }
    }
}

static void test_nothing_but_nan(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static uint8_t ones[COUNT * 16];
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = WLK_F64; i < WLK_DTYPE_COUNT; i++) {
        if (!nonfinite_possible((wlk_dtype)i) || i == WLK_F8E4M3FNUZ || i == WLK_F8E5M2FNUZ) {
            continue;
        }
        const nonfinite found = nonfinite_count((wlk_dtype)i, ones, COUNT);
        assert_int_equal(found.nan, COUNT);
        assert_int_equal(found.infinity, 0);
        assert_int_equal(found.first, 0);
    }
}

/* A tensor that is cut into ranges gives what it gives as a whole, in any order. */
static void add_range(nonfinite *sum, const float *data, uint64_t count, uint64_t at,
                      uint64_t step) {
    const uint64_t length = count - at < step ? count - at : step;
    const nonfinite range = nonfinite_count(WLK_F32, data + at, length);
    nonfinite_add(sum, &range, at);
}

static void test_ranges_add_up(void **state) {
    (void)state;
    enum { COUNT = 4000 };
    static float data[COUNT];
    for (int i = 0; i < COUNT; i++) {
        data[i] = i % 700 == 300 ? (float)nan_value : i % 900 == 899 ? (float)infinity_value : 1.0f;
    }
    const nonfinite whole = nonfinite_count(WLK_F32, data, COUNT);
    assert_int_equal(whole.nan, 6);
    assert_int_equal(whole.infinity, 4);
    assert_int_equal(whole.first, 300);
    for (uint64_t step = 1; step <= COUNT; step = step * 3 + 1) {
        nonfinite sum = {.first = NONFINITE_NONE};
        const uint64_t ranges = (COUNT + step - 1) / step;
        for (uint64_t k = ranges; k-- > 0;) add_range(&sum, data, COUNT, k * step, step);
        assert_memory_equal(&sum, &whole, sizeof sum);
        sum = (nonfinite){.first = NONFINITE_NONE};
        for (uint64_t k = 0; k < ranges; k++) add_range(&sum, data, COUNT, k * step, step);
        assert_memory_equal(&sum, &whole, sizeof sum);
    }
}

/* ---- the public function */

static void test_tensors(void **state) {
    (void)state;
    const float values[4] = {1, (float)infinity_value, (float)nan_value, (float)nan_value};
    const wlk_tensor tensor = {.name = "w",
                               .dtype = WLK_F32,
                               .rank = 1,
                               .shape = {4},
                               .count = 4,
                               .data = values,
                               .nbytes = sizeof values};
    wlk_tensor absent = tensor, short_of_bytes = tensor, integers = tensor, endless = tensor;
    absent.data = NULL; /* as in a lazy model */
    short_of_bytes.nbytes = 15;
    integers.dtype = WLK_I32;
    endless.count = UINT64_MAX;
    const struct {
        const wlk_tensor *tensor;
        uint64_t nan, infinity, first;
    } rows[] = {{&tensor, 2, 1, 1},
                {&absent, 0, 0, 4},
                {&short_of_bytes, 0, 0, 4},
                {&integers, 0, 0, 4},
                {&endless, 0, 0, UINT64_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t nan = 9, infinity = 9, first = 9;
        wlk_tensor_nonfinite(rows[i].tensor, &nan, &infinity, &first);
        assert_int_equal(nan, rows[i].nan);
        assert_int_equal(infinity, rows[i].infinity);
        assert_int_equal(first, rows[i].first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_at_the_edges),
        cmocka_unit_test(test_every_code_of_the_float8_formats),
        cmocka_unit_test(test_every_code_of_16_bits),
        cmocka_unit_test(test_dtypes_that_have_no_such_codes),
        cmocka_unit_test(test_complex_numbers_count_once),
        cmocka_unit_test(test_every_place),
        cmocka_unit_test(test_nothing_but_nan),
        cmocka_unit_test(test_ranges_add_up),
        cmocka_unit_test(test_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
