#include "support/scratch.h"

#include <math.h>

#include "base/bytes.h"
#include "input/csv_write.h"

/* What csv_write gives for these outputs; the caller frees. */
static char *written(const csv_output *outputs, uint32_t count, bool header) {
    char *text;
    size_t length;
    wlk_error error = {0};
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    EXPECT_OK(csv_write(out, outputs, count, header, &error));
    (void)fclose(out);
    return text;
}

static void test_probabilities_and_labels(void **state) {
    (void)state;
    static const double probability[] = {0.1, 0.9, 1.0 / 3, 5e-324};
    static const int64_t label[] = {1, -2};
    static const char *const names[] = {"setosa", "not, setosa"};
    const wlk_tensor p = {
        .dtype = WLK_F64, .rank = 2, .shape = {2, 2}, .count = 4, .data = probability};
    const wlk_tensor l = {.dtype = WLK_I64, .rank = 1, .shape = {2}, .count = 2, .data = label};
    const csv_output outputs[] = {{&l, "label", NULL}, {&p, "probability", names}};
    char *text = written(outputs, 2, true);
    assert_string_equal(text,
                        "label,setosa,\"not, setosa\"\n"
                        "1,0.10000000000000001,0.90000000000000002\n"
                        "-2,0.33333333333333331,4.9406564584124654e-324\n");
    free(text);
    const csv_output unnamed[] = {{&p, "p", NULL}};
    text = written(unnamed, 1, true);
    assert_memory_equal(text, "p_0,p_1\n", 8);
    free(text);
    text = written(unnamed, 1, false);
    assert_memory_equal(text, "0.1000", 6);
    free(text);
}

static void test_text_is_quoted_where_needed(void **state) {
    (void)state;
    static const char *const texts[] = {"plain",      "",   "a,b",      "say \"x\"",
                                        "two\nlines", " x", "\xc3\xa9", "\xef\xbb\xbfmark"};
    uint8_t data[256] = {0};
    uint64_t end = 0;
    for (size_t i = 0; i < 8; i++) {
        memcpy(data + 72 + end, texts[i], strlen(texts[i]));
        end += strlen(texts[i]);
        store_u64(data + 8 * i + 8, end);
    }
    const wlk_tensor t = {.dtype = WLK_STR, .rank = 1, .shape = {8}, .count = 8, .data = data};
    const csv_output outputs[] = {{&t, "class", NULL}};
    char *text = written(outputs, 1, false);
    assert_string_equal(text,
                        "plain\n\n\"a,b\"\n\"say \"\"x\"\"\"\n\"two\nlines\"\n\" x\"\n\xc3\xa9\n"
                        "\"\xef\xbb\xbfmark\"\n");
    free(text);
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        wlk_dtype dtype;
        uint8_t data[8];
        const char *text;
    } rows[] = {
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, "nan"},
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0xf8, 0xff}, "nan"},
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0xf0, 0x7f}, "inf"},
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0xf0, 0xff}, "-inf"},
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0, 0x80}, "-0"},
        {WLK_F64, {0, 0, 0, 0, 0, 0, 0x59, 0x40}, "100"},
        {WLK_F32, {0xcd, 0xcc, 0xcc, 0x3d}, "0.10000000149011612"},
        {WLK_F16, {0x00, 0x3e}, "1.5"},
        {WLK_BF16, {0xc0, 0x3f}, "1.5"},
        {WLK_U64, {255, 255, 255, 255, 255, 255, 255, 255}, "18446744073709551615"},
        {WLK_I64, {0, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775808"},
        {WLK_I8, {0xff}, "-1"},
        {WLK_U4, {0x0f}, "15"},
        {WLK_BOOL, {1}, "1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[64];
        const wlk_tensor t = {
            .dtype = rows[i].dtype, .rank = 1, .shape = {1}, .count = 1, .data = rows[i].data};
        const csv_output outputs[] = {{&t, "x", NULL}};
        char *text = written(outputs, 1, false);
        (void)snprintf(expected, sizeof expected, "%s\n", rows[i].text);
        assert_string_equal(text, expected);
        free(text);
    }
}

static void test_what_is_no_table(void **state) {
    (void)state;
    static const double data[4];
    const wlk_tensor two = {.dtype = WLK_F64, .rank = 1, .shape = {2}, .count = 2, .data = data};
    const wlk_tensor three = {.dtype = WLK_F64, .rank = 1, .shape = {3}, .count = 3, .data = data};
    const wlk_tensor scalar = {.dtype = WLK_F64, .rank = 0, .count = 1, .data = data};
    const wlk_tensor complex = {
        .dtype = WLK_C64, .rank = 1, .shape = {2}, .count = 2, .data = data};
    const struct {
        csv_output outputs[2];
        const char *rule;
    } rows[] = {
        {{{&two, "a", NULL}, {&three, "b", NULL}}, "input.rows"},
        {{{&scalar, "a", NULL}, {&scalar, "b", NULL}}, "input.rows"},
        {{{&two, "a", NULL}, {&complex, "b", NULL}}, "input.dtype"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text;
        size_t length;
        wlk_error error = {0};
        FILE *out = open_memstream(&text, &length);
        expect_refused("table", csv_write(out, rows[i].outputs, 2, true, &error), &error,
                       rows[i].rule, NULL);
        (void)fclose(out);
        assert_int_equal(length, 0); /* nothing of it was written */
        free(text);
    }
}

static void test_a_full_disk_is_told(void **state) {
    (void)state;
    static const double data[2];
    const wlk_tensor t = {.dtype = WLK_F64, .rank = 1, .shape = {2}, .count = 2, .data = data};
    const csv_output outputs[] = {{&t, "x", NULL}};
    wlk_error error = {0};
    FILE *out = fopen("/dev/full", "we");
    assert_non_null(out);
    expect_refused("full", csv_write(out, outputs, 1, true, &error), &error, "input.write", NULL);
    (void)fclose(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probabilities_and_labels),
        cmocka_unit_test(test_text_is_quoted_where_needed),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_what_is_no_table),
        cmocka_unit_test(test_a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
