#include "support/scratch.h"

#include "write/json_text.h"

static wlk_status read_text(const char *text, size_t length, meta_node **value, wlk_error *error) {
    uint8_t *copy = exact_copy(text, length);
    const wlk_status status = json_text_read((const char *)copy, length, value, error);
    free(copy);
    return status;
}

static meta_node *value_of(const char *text) {
    meta_node *value;
    wlk_error error = {0};
    EXPECT_OK(read_text(text, strlen(text), &value, &error));
    assert_null(value->key);
    return value;
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        wlk_meta_type type;
        uint64_t value;
    } rows[] = {
        {"0", WLK_META_INT, 0},
        {"-0", WLK_META_INT, 0},
        {" 7\n", WLK_META_INT, 7},
        {"-1", WLK_META_INT, UINT64_MAX},
        {"9223372036854775807", WLK_META_INT, INT64_MAX},
        {"9223372036854775808", WLK_META_UINT, 1ull << 63},
        {"18446744073709551615", WLK_META_UINT, UINT64_MAX},
        {"-9223372036854775808", WLK_META_INT, 1ull << 63},
        {"true", WLK_META_BOOL, 1},
        {"false", WLK_META_BOOL, 0},
        {"null", WLK_META_NULL, 0},
        {"1.0", WLK_META_FLOAT, 0x3ff0000000000000},
        {"-0.0", WLK_META_FLOAT, 0x8000000000000000},
        {"1e2", WLK_META_FLOAT, 0x4059000000000000},
        {"1E+2", WLK_META_FLOAT, 0x4059000000000000},
        {"12.5e-1", WLK_META_FLOAT, 0x3ff4000000000000},
        {"4.9e-324", WLK_META_FLOAT, 1},
        {"1e-999", WLK_META_FLOAT, 0},
        {"1.7976931348623157e308", WLK_META_FLOAT, 0x7fefffffffffffff},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        meta_node *value = value_of(rows[i].text);
        if (value->type != rows[i].type || value->value != rows[i].value) {
            fail_msg("%s: type %d, value %llx", rows[i].text, (int)value->type,
                     (unsigned long long)value->value);
        }
        meta_node_free(value);
    }
}

static void test_strings(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"\"\"", ""},
        {"\"a b\"", "a b"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
        {"\"\\ud83d\\udea2\"", "\xf0\x9f\x9a\xa2"},
        {"\"\xf0\x9f\x9a\xa2\"", "\xf0\x9f\x9a\xa2"},
        {"\"\\u0001\x7f\"", "\x01\x7f"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        meta_node *value = value_of(rows[i].text);
        assert_int_equal(value->type, WLK_META_STRING);
        assert_string_equal(value->text, rows[i].want);
        meta_node_free(value);
    }
}

static void test_lists_and_maps(void **state) {
    (void)state;
    meta_node *value = value_of(" { \"a\" : [ 1 , \"x\" , { } , [ ] ] , \"\" : null } ");
    assert_int_equal(value->type, WLK_META_MAP);
    assert_int_equal(value->children, 2);
    const meta_node *list = value->first_child;
    assert_string_equal(list->key, "a");
    assert_int_equal(list->type, WLK_META_ARRAY);
    assert_int_equal(list->children, 4);
    assert_null(list->first_child->key);
    assert_int_equal(list->last_child->type, WLK_META_ARRAY);
    assert_int_equal(list->last_child->children, 0);
    assert_string_equal(value->last_child->key, "");
    meta_node_free(value);
}

/* `at`: the byte that the error names. */
static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *says;
        size_t at;
    } rows[] = {
        {"", "no value", 0},
        {"  ", "no value", 2},
        {"nul", "no value", 0},
        {"True", "no value", 0},
        {"nan", "no value", 0},
        {"Infinity", "no value", 0},
        {"'a'", "no value", 0},
        {"+1", "no value", 0},
        {".5", "no value", 0},
        {"-", "no value", 0},
        {"1.", "no value", 0},
        {"1e", "no value", 0},
        {"1e+", "no value", 0},
        {"01", "behind the value", 1},
        {"0x10", "behind the value", 1},
        {"1 2", "behind the value", 2},
        {"1,", "behind the value", 1},
        {"nullx", "behind the value", 4},
        {"[] []", "behind the value", 3},
        {"18446744073709551616", "too large", 0},
        {"-9223372036854775809", "too large", 0},
        {"1e999", "too large", 0},
        {"[1e309]", "too large", 1},
        {"\"a", "without an end", 2},
        {"\"\\", "escape", 1},
        {"\"\\x\"", "escape", 1},
        {"\"\\u12\"", "escape", 1},
        {"\"\\u12g4\"", "escape", 1},
        {"\"\\u0000\"", "escape", 1},
        {"\"\\ud800\"", "escape", 1},
        {"\"\\udc00\"", "escape", 1},
        {"\"\\ud800\\u0041\"", "escape", 1},
        {"\"\\ud800\\ud800\"", "escape", 1},
        {"\"a\nb\"", "control", 2},
        {"\"\x1f\"", "control", 1},
        {"\"\xff\"", "UTF-8", 0},
        {"\"\xed\xa0\x80\"", "UTF-8", 0},
        {"\xef\xbb\xbf"
         "1",
         "no value", 0},
        {"[1", "comma", 2},
        {"[1,]", "no value", 3},
        {"[,1]", "no value", 1},
        {"[1 2]", "comma", 3},
        {"[1}", "comma", 2},
        {"{", "key", 1},
        {"{1:2}", "key", 1},
        {"{\"a\"}", "colon", 4},
        {"{\"a\" 1}", "colon", 5},
        {"{\"a\":}", "no value", 5},
        {"{\"a\":1,}", "key", 7},
        {"{\"a\":1]", "comma", 6},
        {"// 1", "no value", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char place[32];
        meta_node *value;
        wlk_error error = {0};
        const wlk_status status = read_text(rows[i].text, strlen(rows[i].text), &value, &error);
        expect_refused(rows[i].text, status, &error, "write.json", rows[i].says);
        (void)snprintf(place, sizeof place, "at byte %zu of", rows[i].at);
        expect_refused(rows[i].text, status, &error, "write.json", place);
        assert_int_equal(status, WLK_USAGE);
        assert_null(value);
    }
}

static void test_a_nul_ends_nothing(void **state) {
    (void)state;
    meta_node *value;
    wlk_error error = {0};
    expect_refused("NUL", read_text("1\0", 2, &value, &error), &error, "write.json", "UTF-8");
}

static void test_nesting(void **state) {
    (void)state;
    for (size_t depth = 16; depth <= 17; depth++) {
        char text[64];
        meta_node *value;
        wlk_error error = {0};
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        const wlk_status status = read_text(text, 2 * depth, &value, &error);
        if (depth == 16) EXPECT_OK(status);
        if (depth == 17) expect_refused("17", status, &error, "write.json", "too deep");
        meta_node_free(value);
    }
}

/* Time and stack are bounded whatever the text is. */
static void test_long_texts(void **state) {
    (void)state;
    const size_t length = 1 << 20;
    char *text = malloc(length);
    assert_non_null(text);
    for (const char *fill = "[{\"1 "; *fill; fill++) {
        meta_node *value;
        wlk_error error = {0};
        memset(text, *fill, length);
        const wlk_status status = read_text(text, length, &value, &error);
        expect_refused("long", status, &error, "write.json", NULL);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_lists_and_maps),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_nul_ends_nothing),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
