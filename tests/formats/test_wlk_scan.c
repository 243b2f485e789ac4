/* The structural pre-scan: canonical msgpack, whatever it means. */
#include "formats/wlk_case.h"

#include "formats/wlk/element.h"
#include "formats/wlk/scan.h"

#define BASE 256

typedef struct scan_row {
    const char *text;
    const char *rule; /* NULL: accepted; else the mark says where */
} scan_row;

/* Every byte that can begin an object, at the borders of its range. */
static const scan_row rows[] = {
    {"0 ", NULL},
    {"127", NULL},
    {"128", NULL},
    {"255", NULL},
    {"256", NULL},
    {"65535", NULL},
    {"65536", NULL},
    {"4294967295", NULL},
    {"4294967296", NULL},
    {"18446744073709551615", NULL},
    {"-1", NULL},
    {"-32", NULL},
    {"-33", NULL},
    {"-128", NULL},
    {"-129", NULL},
    {"-32768", NULL},
    {"-32769", NULL},
    {"-2147483648", NULL},
    {"-2147483649", NULL},
    {"-9223372036854775808", NULL},
    {"null", NULL},
    {"true", NULL},
    {"false", NULL},
    {"1.5", NULL},
    {"nan", NULL},
    {"''", NULL},
    {"a", NULL},
    {"[]", NULL},
    {"{}", NULL},
    {"{'':1}", NULL},
    {"{a:1, aa:2, b:{a:1}}", NULL},
    {"{'\\xc3\\xa9':'\\xf0\\x9f\\x92\\xa9'}", NULL},
    /* integers that are too long */
    {"@<cc 7f>", "header.not-canonical"},
    {"@<cd 00 ff>", "header.not-canonical"},
    {"@<ce 00 00 ff ff>", "header.not-canonical"},
    {"@<cf 00 00 00 00 ff ff ff ff>", "header.not-canonical"},
    {"@<d0 00>", "header.not-canonical"},
    {"@<d0 7f>", "header.not-canonical"},
    {"@<d0 e0>", "header.not-canonical"},
    {"@<d1 ff 80>", "header.not-canonical"},
    {"@<d1 7f ff>", "header.not-canonical"},
    {"@<d2 ff ff 80 00>", "header.not-canonical"},
    {"@<d2 7f ff ff ff>", "header.not-canonical"},
    {"@<d3 ff ff ff ff 80 00 00 00>", "header.not-canonical"},
    {"@<d3 7f ff ff ff ff ff ff ff>", "header.not-canonical"},
    /* lengths that are too long */
    {"@<d9 00>", "header.not-canonical"},
    {"@<d9 1f 61>", "header.not-canonical"},
    {"@<da 00 ff>", "header.not-canonical"},
    {"@<db 00 00 ff ff>", "header.not-canonical"},
    {"@<dc 00 00>", "header.not-canonical"},
    {"@<dc 00 0f>", "header.not-canonical"},
    {"@<dd 00 00 ff ff>", "header.not-canonical"},
    {"@<de 00 00>", "header.not-canonical"},
    {"@<de 00 0f>", "header.not-canonical"},
    {"@<df 00 00 ff ff>", "header.not-canonical"},
    /* what the format does not use */
    {"@<c1>", "header.type-byte"},
    {"@<c4 00>", "header.type-byte"},
    {"@<c5 00 00>", "header.type-byte"},
    {"@<c6 00 00 00 00>", "header.type-byte"},
    {"@<c7 00 00>", "header.type-byte"},
    {"@<c8 00 00 00>", "header.type-byte"},
    {"@<c9 00 00 00 00 00>", "header.type-byte"},
    {"@<ca 3f 80 00 00>", "header.type-byte"},
    {"@<d4 00 00>", "header.type-byte"},
    {"@<d5 00 00 00>", "header.type-byte"},
    {"@<d6 00 00 00 00 00>", "header.type-byte"},
    {"@<d7 00 00 00 00 00 00 00 00 00>", "header.type-byte"},
    {"@<d8 00>", "header.type-byte"},
    {"[1, @<c1>]", "header.type-byte"},
    /* counts and lengths that cannot be true: invariant 7 */
    {"@<dd ff ff ff ff>", "header.count"},
    {"@<df ff ff ff ff>", "header.count"},
    {"@<df 80 00 00 00>", "header.count"},
    {"@<dc ff ff>", "header.count"},
    {"@<92> 1", "header.count"},
    {"@<82> 1 2 3", "header.count"},
    {"[1, @<dd ff ff ff ff>]", "header.count"},
    {"@<db ff ff ff ff>", "header.truncated"},
    {"@<a1>", "header.truncated"},
    {"[1, @<a5 61 62 63>]", "header.truncated"},
    {"@<cf 00 00 00>", "header.truncated"},
    {"@<cb 00 00 00 00 00 00 00>", "header.truncated"},
    {"@<d9>", "header.truncated"},
    {"@<dd ff ff ff>", "header.truncated"},
    {"<92> <92> 1 2 @", "header.truncated"},
    {"@", "header.truncated"},
    {"1 @2", "header.trailing"},
    {"{a:1} @{a:1}", "header.trailing"},
    {"[] @<00>", "header.trailing"},
    /* text */
    {"@'\\xff'", "header.utf8"},
    {"@'\\xc0\\xaf'", "header.utf8"},
    {"@'\\xed\\xa0\\x80'", "header.utf8"},
    {"@'\\xf4\\x90\\x80\\x80'", "header.utf8"},
    {"[@'a\\xe2\\x82']", "header.utf8"},
    {"@'a\\x00b'", "header.utf8"},
    {"{@'\\x00':1}", "header.utf8"},
    /* keys */
    {"{@1:2}", "header.key-type"},
    {"{@null:2}", "header.key-type"},
    {"{@[]:2}", "header.key-type"},
    {"{a:1, @a:2}", "header.key-duplicate"},
    {"{'':1, @'':2}", "header.key-duplicate"},
    {"{b:1, @a:2}", "header.key-order"},
    {"{aa:1, @a:2}", "header.key-order"},
    {"{'\\xc3\\xa9':1, @z:2}", "header.key-order"},
    {"{a:{b:1, @a:2}}", "header.key-order"},
    {"[{a:{z:1}, b:1, @b:1}]", "header.key-duplicate"},
};

static void every_head_is_read_as_the_format_says(void **state) {
    (void)state;
    wlk_limits limits;
    wlk_limits_default(&limits);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t mark;
        wlk_buffer bytes = wlk_text_encode(rows[i].text, &mark);
        wlk_error error = {.status = WLK_OK};
        const cursor header = cursor_over(bytes.data, bytes.size, BASE);
        const wlk_status status = scan_header(header, &limits, &error);
        const bool right = rows[i].rule ? status == WLK_REFUSED && error.offset == BASE + mark &&
                                              strcmp(wlk_rule_name(error.rule), rows[i].rule) == 0
                                        : status == WLK_OK;
        if (!right) {
            print_error("%s: %s at %llu\n", rows[i].text, wlk_rule_name(error.rule),
                        (unsigned long long)error.offset);
        }
        free(bytes.data);
        assert_true(right);
    }
}

/* Strings, arrays and maps at the borders between their heads. */
static void each_length_has_one_head(void **state) {
    (void)state;
    static const size_t lengths[] = {15, 16, 31, 32, 255, 256, 65535, 65536};
    static const char *const openings[] = {"'", "[", "{"};
    wlk_limits limits;
    wlk_limits_default(&limits);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (size_t form = 0; form < 3; form++) {
            wlk_buffer text = {0};
            wlk_buffer_print(&text, "%s", openings[form]);
            for (size_t k = 0; k < lengths[i]; k++) {
                if (form == 0) wlk_buffer_print(&text, "a");
                if (form == 1) wlk_buffer_print(&text, "1 ");
                if (form == 2) wlk_buffer_print(&text, "k%06zu:1 ", k);
            }
            wlk_buffer_print(&text, "%s", form == 0 ? "'" : form == 1 ? "]" : "}");
            wlk_buffer bytes = wlk_text_encode((const char *)text.data, NULL);
            const cursor header = cursor_over(bytes.data, bytes.size, BASE);
            wlk_error error;
            assert_int_equal(scan_header(header, &limits, &error), WLK_OK);
            free(bytes.data);
            free(text.data);
        }
    }
}

/* `levels` arrays within each other. */
static wlk_buffer nested(size_t levels) {
    wlk_buffer bytes = {0};
    for (size_t i = 1; i < levels; i++) wlk_buffer_add(&bytes, "\x91", 1);
    wlk_buffer_add(&bytes, "\x90", 1);
    return bytes;
}

static void nesting_ends_at_the_limit_and_at_sixteen(void **state) {
    (void)state;
    static const struct {
        size_t levels;
        uint64_t limit;
        const char *rule;
        size_t at;
    } depths[] = {
        {16, 16, NULL, 0},
        {17, 16, "header.depth", 16},
        {100000, 16, "header.depth", 16},
        {16, 1000, NULL, 0},
        {17, 1000, "header.depth", 16},
        {5, 5, NULL, 0},
        {6, 5, "limit.header-depth", 5},
        {1, 0, "limit.header-depth", 0},
    };
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        wlk_limits limits;
        wlk_limits_default(&limits);
        limits.header_depth = depths[i].limit;
        wlk_buffer bytes = nested(depths[i].levels);
        wlk_error error = {.status = WLK_OK};
        const cursor header = cursor_over(bytes.data, bytes.size, BASE);
        const wlk_status status = scan_header(header, &limits, &error);
        free(bytes.data);
        assert_int_equal(status == WLK_OK, depths[i].rule == NULL);
        if (status == WLK_OK) continue;
        assert_string_equal(wlk_rule_name(error.rule), depths[i].rule);
        assert_int_equal(error.offset, BASE + depths[i].at);
    }
}

static void a_slice_is_one_object_and_counts_what_is_in_it(void **state) {
    (void)state;
    wlk_buffer bytes = wlk_text_encode("{a:[1,2,{b:c}]} 7", NULL);
    cursor c = cursor_over(bytes.data, bytes.size, BASE);
    uint64_t objects;
    cursor slice = scan_slice(&c, &objects);
    assert_int_equal(objects, 8);
    assert_int_equal(slice.base, BASE);
    assert_int_equal(slice.size, bytes.size - 1);
    slice = scan_slice(&c, NULL);
    assert_int_equal(slice.base, BASE + bytes.size - 1);
    assert_int_equal(cursor_left(&c), 0);
    /* nothing is left, or something that the scan would have refused: an empty object */
    slice = scan_slice(&c, NULL);
    assert_int_equal(slice.size, 0);
    assert_int_equal(scan_head(&c).kind, 0);
    cursor wrong = cursor_over((const uint8_t *)"\xdf\xff\xff\xff\xff", 5, BASE);
    assert_int_equal(scan_head(&wrong).count, 0);
    free(bytes.data);
}

/* ---- elements */

/* The offset of every object of the tree, in the order in which they stand. */
static void collect(const element *e, const msgpack_object *object, uint64_t *offsets,
                    size_t *count) {
    offsets[(*count)++] = element_offset(e, object);
    if (object->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            collect(e, &object->via.array.ptr[i], offsets, count);
        }
    }
    if (object->type == MSGPACK_OBJECT_MAP) {
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            collect(e, &object->via.map.ptr[i].key, offsets, count);
            collect(e, &object->via.map.ptr[i].val, offsets, count);
        }
    }
}

static void an_element_knows_where_each_object_lies(void **state) {
    (void)state;
    wlk_buffer bytes = wlk_text_encode("{a:[1,300,-5,null,2.5],bb:{c:''},d:[],e:true}", NULL);
    cursor c = cursor_over(bytes.data, bytes.size, BASE);
    element e = ELEMENT_NONE;
    wlk_error error;
    assert_int_equal(element_next(&e, &c, 16, &error), WLK_OK);
    static const uint64_t expected[] = {0, 1, 3, 4, 5, 8, 9, 10, 19, 22, 23, 25, 26, 28, 29, 31};
    uint64_t offsets[16];
    size_t count = 0;
    collect(&e, e.root, offsets, &count);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < count; i++) assert_int_equal(offsets[i], BASE + expected[i]);
    element_close(&e);
    free(bytes.data);
}

/* The name table keeps pointers to texts when their element is gone. */
static void texts_of_an_element_lie_in_the_artifact(void **state) {
    (void)state;
    wlk_buffer bytes = wlk_text_encode("[a,'']", NULL);
    cursor c = cursor_over(bytes.data, bytes.size, BASE);
    element e = ELEMENT_NONE;
    wlk_error error;
    assert_int_equal(element_next(&e, &c, 3, &error), WLK_OK);
    const msgpack_object *texts = e.root->via.array.ptr;
    assert_ptr_equal(texts[0].via.str.ptr, bytes.data + 2);
    assert_int_equal(element_text_offset(&e, &texts[0].via.str), BASE + 1);
    assert_int_equal(element_text_offset(&e, &texts[1].via.str), BASE);
    element_close(&e);
    free(bytes.data);
}

/* The offset of a text of any length is that of its head. */
static void the_offset_of_a_text_is_that_of_its_head(void **state) {
    (void)state;
    static const size_t lengths[] = {1, 31, 32, 255, 256, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        wlk_buffer text = {0};
        wlk_buffer_print(&text, "1 ");
        for (size_t k = 0; k < lengths[i]; k++) wlk_buffer_print(&text, "a");
        wlk_buffer bytes = wlk_text_encode((const char *)text.data, NULL);
        cursor c = cursor_over(bytes.data, bytes.size, BASE);
        element e = ELEMENT_NONE;
        wlk_error error;
        assert_int_equal(element_next(&e, &c, 1, &error), WLK_OK);
        assert_int_equal(element_next(&e, &c, 1, &error), WLK_OK);
        assert_int_equal(e.root->via.str.size, lengths[i]);
        assert_int_equal(element_text_offset(&e, &e.root->via.str), BASE + 1);
        element_close(&e);
        free(bytes.data);
        free(text.data);
    }
}

static void an_element_of_too_many_objects_is_not_unpacked(void **state) {
    (void)state;
    wlk_buffer bytes = wlk_text_encode("1 [1,2,3]", NULL);
    for (uint64_t most = 3; most <= 4; most++) {
        cursor c = cursor_over(bytes.data, bytes.size, BASE);
        element e = ELEMENT_NONE;
        wlk_error error;
        assert_int_equal(element_next(&e, &c, most, &error), WLK_OK);
        const wlk_status status = element_next(&e, &c, most, &error);
        assert_int_equal(status, most == 3 ? WLK_LIMIT : WLK_OK);
        if (most == 3) {
            assert_string_equal(wlk_rule_name(error.rule), "limit.element-objects");
            assert_int_equal(error.offset, BASE + 1);
        }
        element_close(&e);
    }
    free(bytes.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_is_read_as_the_format_says),
        cmocka_unit_test(each_length_has_one_head),
        cmocka_unit_test(nesting_ends_at_the_limit_and_at_sixteen),
        cmocka_unit_test(a_slice_is_one_object_and_counts_what_is_in_it),
        cmocka_unit_test(an_element_knows_where_each_object_lies),
        cmocka_unit_test(texts_of_an_element_lie_in_the_artifact),
        cmocka_unit_test(the_offset_of_a_text_is_that_of_its_head),
        cmocka_unit_test(an_element_of_too_many_objects_is_not_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
