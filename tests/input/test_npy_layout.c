#include "support/scratch.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "input/array.h"
#include "input/npy.h"
#include "input/npy_layout.h"

typedef struct collected {
    uint8_t bytes[70000];
    size_t used;
    uint32_t calls;
} collected;

static wlk_status put_collected(void *context, const void *bytes, uint64_t length,
                                wlk_error *error) {
    collected *c = context;
    (void)error;
    assert_true(length > 0 && length <= sizeof c->bytes - c->used);
    memcpy(c->bytes + c->used, bytes, length);
    c->used += length;
    c->calls++;
    return WLK_OK;
}

static collected all;

/* The whole file, and its array. */
static const uint8_t *put(const wlk_tensor *tensor, npy_layout *layout) {
    wlk_error error = {0};
    const npy_output output = {&all, put_collected};
    all.used = all.calls = 0;
    EXPECT_OK(npy_layout_of(tensor, UINT64_MAX, layout, &error));
    EXPECT_OK(npy_put(tensor, layout, &output, &error));
    assert_int_equal(all.used, layout->size);
    assert_int_equal(layout->header_bytes % 64, 0);
    return all.bytes + layout->header_bytes;
}

typedef struct few_bytes {
    uint8_t at[8];
    size_t count;
} few_bytes;

/* What becomes of each dtype that numpy has not; those that it has are in test_npy.c. */
static void test_what_numpy_has_no_type_for(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        const char *descr;
        const char *as;
        uint64_t count;
        few_bytes data;
        few_bytes want;
    } rows[] = {
        {WLK_BF16,
         "<u2",
         "uint16: the bits of bfloat16",
         2,
         {{0x80, 0x3f, 0xc0, 0xff}, 4},
         {{0x80, 0x3f, 0xc0, 0xff}, 4}},
        {WLK_F8E4M3FN,
         "|u1",
         "uint8: the bits of float8 e4m3fn",
         2,
         {{1, 0xff}, 2},
         {{1, 0xff}, 2}},
        {WLK_F8E5M2, "|u1", "uint8: the bits of float8 e5m2", 1, {{0x7c}, 1}, {{0x7c}, 1}},
        {WLK_F8E4M3FNUZ, "|u1", "uint8: the bits of float8 e4m3fnuz", 1, {{0x80}, 1}, {{0x80}, 1}},
        {WLK_F8E5M2FNUZ, "|u1", "uint8: the bits of float8 e5m2fnuz", 1, {{0x80}, 1}, {{0x80}, 1}},
        {WLK_F8E8M0, "|u1", "uint8: the bits of float8 e8m0", 1, {{0x7f}, 1}, {{0x7f}, 1}},
        {WLK_F6E2M3,
         "|u1",
         "uint8: the bits of float6 e2m3, one in each",
         4,
         {{0x81, 0x30, 0xfc}, 3},
         {{1, 2, 3, 0x3f}, 4}},
        {WLK_F6E3M2,
         "|u1",
         "uint8: the bits of float6 e3m2, one in each",
         5,
         {{0x81, 0x30, 0xfc, 0x2a}, 4},
         {{1, 2, 3, 0x3f, 0x2a}, 5}},
        {WLK_F4E2M1,
         "|u1",
         "uint8: the bits of float4 e2m1, one in each",
         3,
         {{0x21, 0x0f}, 2},
         {{1, 2, 15}, 3}},
        {WLK_I4,
         "|i1",
         "int8: one int4 in each",
         5,
         {{0x70, 0xf8, 0x01}, 3},
         {{0, 7, 0xf8, 0xff, 1}, 5}},
        {WLK_U4, "|u1", "uint8: one uint4 in each", 3, {{0x21, 0x0f}, 2}, {{1, 2, 15}, 3}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        npy_layout layout;
        uint8_t *data = exact_copy(rows[i].data.at, rows[i].data.count);
        const wlk_tensor t = {.dtype = rows[i].dtype,
                              .rank = 1,
                              .shape = {rows[i].count},
                              .count = rows[i].count,
                              .data = data,
                              .nbytes = rows[i].data.count};
        const uint8_t *array = put(&t, &layout);
        assert_string_equal(layout.descr, rows[i].descr);
        assert_string_equal(layout.as, rows[i].as);
        assert_int_equal(all.used - layout.header_bytes, rows[i].want.count);
        assert_memory_equal(array, rows[i].want.at, rows[i].want.count);
        free(data);
    }
}

/* Every dtype has a form, and those of numpy's own say nothing of it. */
static void test_every_dtype(void **state) {
    (void)state;
    static const char offsets[8];
    for (uint32_t dtype = 1; dtype < WLK_DTYPE_COUNT; dtype++) {
        npy_layout layout;
        wlk_error error = {0};
        uint8_t *file;
        uint64_t size;
        const wlk_tensor t = {.dtype = (wlk_dtype)dtype,
                              .rank = 2,
                              .shape = {0, 6},
                              .data = offsets,
                              .nbytes = dtype == WLK_STR ? 8 : 0,
                              .block_elements = 3,
                              .block_bytes = 5};
        EXPECT_OK(npy_layout_of(&t, 0, &layout, &error));
        assert_int_equal(layout.size, layout.header_bytes);
        const wlk_status own = npy_format(&t, &file, &size, &error);
        if (own == WLK_OK) free(file);
        assert_true((own == WLK_OK) == (layout.as == NULL));
        if (own != WLK_OK) expect_refused("own", own, &error, "npy.dtype", NULL);
    }
    npy_layout layout;
    wlk_error error = {0};
    const wlk_tensor none = {.dtype = WLK_DTYPE_NONE};
    expect_refused("none", npy_layout_of(&none, 0, &layout, &error), &error, "npy.dtype", NULL);
}

/* Blocks along the last axis become their bytes along it. */
static void test_blocks(void **state) {
    (void)state;
    static const uint8_t data[2 * 2 * 7] = {1, 2, 3};
    npy_layout layout;
    const wlk_tensor t = {.dtype = WLK_BLOCK,
                          .rank = 2,
                          .shape = {2, 8},
                          .count = 16,
                          .data = data,
                          .nbytes = sizeof data,
                          .block_kind = "q",
                          .block_elements = 4,
                          .block_bytes = 7};
    const uint8_t *array = put(&t, &layout);
    assert_int_equal(layout.shape[0], 2);
    assert_int_equal(layout.shape[1], 14);
    assert_memory_equal(array, data, sizeof data);
    assert_non_null(strstr((const char *)all.bytes + 10, "'shape': (2, 14), }"));
}

static void make_strings(input_array *array, const char *const *texts, uint64_t count) {
    uint64_t bytes = 0;
    wlk_error error = {0};
    for (uint64_t i = 0; i < count; i++) bytes += strlen(texts[i]);
    EXPECT_OK(input_array_new(WLK_STR, 1, &count, bytes, UINT64_MAX, array, &error));
    for (uint64_t i = 0; i < count; i++) {
        input_array_put_string(array, i, texts[i], strlen(texts[i]));
    }
}

static void test_strings(void **state) {
    (void)state;
    static const char *const texts[] = {"", "a\xc3\xa9", "\xf0\x9f\x9a\xa2", "abc"};
    static const uint32_t want[] = {0, 0, 0, 'a', 0xe9, 0, 0x1f6a2, 0, 0, 'a', 'b', 'c'};
    npy_layout layout;
    input_array array;
    make_strings(&array, texts, 4);
    const uint8_t *items = put(&array.tensor, &layout);
    assert_string_equal(layout.descr, "<U3");
    assert_int_equal(all.used - layout.header_bytes, sizeof want);
    assert_memory_equal(items, want, sizeof want);
    input_array_free(&array);
}

/* A long string among many short ones is what a hostile model would hold: the limit is
 * held before a byte is put out. */
static void test_strings_and_their_limit(void **state) {
    (void)state;
    static const char *const texts[] = {"aaaaa", "", "b"};
    npy_layout layout;
    input_array array;
    wlk_error error = {0};
    make_strings(&array, texts, 3);
    EXPECT_OK(npy_layout_of(&array.tensor, 60, &layout, &error));
    expect_refused("limit", npy_layout_of(&array.tensor, 59, &layout, &error), &error, "npy.width",
                   "3 strings, the longest of 5 characters");
    assert_int_equal(error.status, WLK_LIMIT);
    input_array_free(&array);
}

/* Longer than the pieces in which converted elements are put out. */
static void test_long_arrays_come_in_pieces(void **state) {
    (void)state;
    static uint8_t data[20001];
    npy_layout layout;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 3);
    const wlk_tensor t = {.dtype = WLK_U4,
                          .rank = 1,
                          .shape = {40001},
                          .count = 40001,
                          .data = data,
                          .nbytes = sizeof data};
    const uint8_t *array = put(&t, &layout);
    for (size_t i = 0; i < 40001; i++) {
        assert_int_equal(array[i], i % 2 ? data[i / 2] >> 4 : data[i / 2] & 15);
    }
    assert_true(all.calls > 3);
    char text[5001] = {0};
    input_array strings;
    memset(text, 't', 5000);
    make_strings(&strings, (const char *const[]){text, "", "end"}, 3);
    array = put(&strings.tensor, &layout);
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(load_u32(array + 4 * i), 't');
        assert_int_equal(load_u32(array + 4 * (5000 + i)), 0);
    }
    assert_int_equal(load_u32(array + 4 * 10002), 'd');
    assert_int_equal(load_u32(array + 4 * 10003), 0);
    input_array_free(&strings);
}

static wlk_status put_nothing(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    uint32_t *calls = context;
    (void)bytes, (void)length;
    return (*calls)-- == 0 ? error_at(error, RULE_CLI_OUTPUT, WLK_NO_OFFSET) : WLK_OK;
}

/* An output that fails ends it, wherever it does. */
static void test_output_that_fails(void **state) {
    (void)state;
    static const uint8_t data[20001];
    wlk_error error = {0};
    npy_layout layout;
    input_array strings;
    char text[5001] = {0};
    memset(text, 't', 5000);
    make_strings(&strings, (const char *const[]){text, ""}, 2);
    const wlk_tensor packed = {.dtype = WLK_U4,
                               .rank = 1,
                               .shape = {40000},
                               .count = 40000,
                               .data = data,
                               .nbytes = 20000};
    const wlk_tensor plain = {
        .dtype = WLK_U8, .rank = 1, .shape = {9}, .count = 9, .data = data, .nbytes = 9};
    const wlk_tensor *tensors[] = {&packed, &plain, &strings.tensor};
    for (size_t i = 0; i < 3; i++) {
        EXPECT_OK(npy_layout_of(tensors[i], UINT64_MAX, &layout, &error));
        for (uint32_t fails = 0; fails < (i == 1 ? 2 : 4); fails++) {
            uint32_t calls = fails;
            const npy_output output = {&calls, put_nothing};
            expect_refused("output", npy_put(tensors[i], &layout, &output, &error), &error,
                           "cli.output", NULL);
        }
    }
    input_array_free(&strings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_numpy_has_no_type_for),
        cmocka_unit_test(test_every_dtype),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_strings_and_their_limit),
        cmocka_unit_test(test_long_arrays_come_in_pieces),
        cmocka_unit_test(test_output_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
