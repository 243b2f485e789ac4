#include "support/scratch.h"

#include "write/pack.h"

/* Golden bytes: https://github.com/msgpack/msgpack/blob/master/spec.md, the
 * shortest form of everything (docs/format.md, section 3). */
static void check(packer *p, const char *bytes, size_t length) {
    assert_false(p->failed);
    assert_int_equal(p->buffer.size, length);
    assert_memory_equal(p->buffer.data, bytes, length);
    msgpack_sbuffer_clear(&p->buffer);
}
#define CHECK(call, bytes)                  \
    do {                                    \
        call;                               \
        check(&p, bytes, sizeof bytes - 1); \
    } while (0)

static packer p;

static void test_integers(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t length;
    } rows[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\xcc\x80", 2},
        {255, "\xcc\xff", 2},
        {256, "\xcd\x01\x00", 3},
        {65535, "\xcd\xff\xff", 3},
        {65536, "\xce\x00\x01\x00\x00", 5},
        {4294967295, "\xce\xff\xff\xff\xff", 5},
        {4294967296, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
        {INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {-1, "\xff", 1},
        {-32, "\xe0", 1},
        {-33, "\xd0\xdf", 2},
        {-128, "\xd0\x80", 2},
        {-129, "\xd1\xff\x7f", 3},
        {-32768, "\xd1\x80\x00", 3},
        {-32769, "\xd2\xff\xff\x7f\xff", 5},
        {INT32_MIN, "\xd2\x80\x00\x00\x00", 5},
        {INT32_MIN - 1ll, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 9},
        {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pack_int(&p, rows[i].value);
        check(&p, rows[i].bytes, rows[i].length);
        if (rows[i].value < 0) continue;
        pack_uint(&p, (uint64_t)rows[i].value);
        check(&p, rows[i].bytes, rows[i].length);
    }
    CHECK(pack_uint(&p, UINT64_MAX), "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
}

static void test_floats_are_64_bits_wide(void **state) {
    (void)state;
    CHECK(pack_float(&p, 0.0), "\xcb\x00\x00\x00\x00\x00\x00\x00\x00");
    CHECK(pack_float(&p, -0.0), "\xcb\x80\x00\x00\x00\x00\x00\x00\x00");
    CHECK(pack_float(&p, 1.0), "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00");
    CHECK(pack_float(&p, 0.5), "\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00");
}

static void test_the_rest(void **state) {
    (void)state;
    CHECK(pack_nil(&p), "\xc0");
    CHECK(pack_bool(&p, false), "\xc2");
    CHECK(pack_bool(&p, true), "\xc3");
    CHECK(pack_map(&p, 0), "\x80");
    CHECK(pack_map(&p, 15), "\x8f");
    CHECK(pack_map(&p, 16), "\xde\x00\x10");
    CHECK(pack_map(&p, 65535), "\xde\xff\xff");
    CHECK(pack_map(&p, 65536), "\xdf\x00\x01\x00\x00");
    CHECK(pack_array(&p, 0), "\x90");
    CHECK(pack_array(&p, 15), "\x9f");
    CHECK(pack_array(&p, 16), "\xdc\x00\x10");
    CHECK(pack_array(&p, 65536), "\xdd\x00\x01\x00\x00");
    CHECK(pack_text(&p, ""), "\xa0");
    CHECK(pack_text(&p, "a"),
          "\xa1"
          "a");
}

static void test_lengths_of_text(void **state) {
    (void)state;
    static char text[70000];
    static const struct {
        size_t length;
        const char *head;
        size_t head_length;
    } rows[] = {
        {31, "\xbf", 1},          {32, "\xd9\x20", 2},        {255, "\xd9\xff", 2},
        {256, "\xda\x01\x00", 3}, {65535, "\xda\xff\xff", 3}, {65536, "\xdb\x00\x01\x00\x00", 5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(text, 'x', rows[i].length);
        text[rows[i].length] = '\0';
        pack_text(&p, text);
        assert_int_equal(p.buffer.size, rows[i].head_length + rows[i].length);
        assert_memory_equal(p.buffer.data, rows[i].head, rows[i].head_length);
        assert_memory_equal(p.buffer.data + rows[i].head_length, text, rows[i].length);
        msgpack_sbuffer_clear(&p.buffer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_floats_are_64_bits_wide),
        cmocka_unit_test(test_the_rest),
        cmocka_unit_test(test_lengths_of_text),
    };
    msgpack_sbuffer_init(&p.buffer);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    msgpack_sbuffer_destroy(&p.buffer);
    return failed;
}
