/* Pickles under every limit, without memory, with rows that an operator adds, compressed: what
 * asks for more than one file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pickle_rows.h"
#include "formats/formats.h"
#include "image/memory_sink.h"
#include "support/no_memory.h"

typedef struct pickle_case {
    const char *stream;
    size_t size;
    wlk_limits limits;
    const char *rows; /* of the operator's */
    size_t rows_bytes;
} pickle_case;

#define STREAM(text) .stream = text, .size = sizeof text - 1
#define CASE(name, ...)               \
    pickle_case name = {__VA_ARGS__}; \
    wlk_limits_default(&name.limits)

static wlk_status parse(const pickle_case *c, wlk_model **model, wlk_error *error) {
    *model = NULL;
    memory_sink *sink = memory_sink_new(&c->limits);
    if (!sink) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&c->limits, &interface);
    const format_input input = {.data = (const uint8_t *)c->stream,
                                .size = c->size,
                                .limits = &c->limits,
                                .pickle_rows = (const uint8_t *)c->rows,
                                .pickle_rows_bytes = c->rows_bytes};
    wlk_status status = builder ? format_find(WLK_FORMAT_PICKLE)->parse(&input, builder, error)
                                : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (status == WLK_OK) {
        image_format(builder, WLK_FORMAT_PICKLE);
        status = image_build_model(builder, sink, c->size, &c->limits, model, error);
    }
    image_builder_free(builder);
    memory_sink_free(sink);
    return status;
}

static void expect(const pickle_case *c, const char *rule, uint64_t offset) {
    wlk_model *model;
    wlk_error error = {.rule = RULE_NONE};
    const wlk_status status = parse(c, &model, &error);
    wlk_model_free(model);
    if (status == WLK_OK) fail_msg("accepted, not %s", rule);
    assert_string_equal(wlk_rule_name(error.rule), rule);
    assert_int_equal(error.offset, offset);
}

/* ---- limits (invariant 7) */

#define LISTS "\x80\2](K\1K\2K\3Nq\0e."

static void opcodes_are_limited(void **state) {
    (void)state;
    CASE(c, STREAM(LISTS));
    wlk_model *model;
    c.limits.pickle_opcodes = 10;
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    wlk_model_free(model);
    c.limits.pickle_opcodes = 9;
    expect(&c, "limit.pickle-opcodes", 14);
}

/* A list, four values, one of them remembered, and each again in the list. */
static void objects_are_limited(void **state) {
    static const uint64_t offsets[] = {2, 4, 6, 8, 10, 13, 4, 6, 8, 10};
    (void)state;
    CASE(c, STREAM(LISTS));
    wlk_model *model;
    c.limits.pickle_objects = 10;
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    wlk_model_free(model);
    for (uint64_t i = 0; i < 10; i++) {
        c.limits.pickle_objects = i;
        expect(&c, "limit.pickle-objects", offsets[i]);
    }
}

/* Marks and values that are there many times are counted too. */
static void the_stack_is_limited(void **state) {
    char stream[4096];
    (void)state;
    memset(stream, '(', sizeof stream);
    CASE(c, .stream = stream, .size = sizeof stream);
    c.limits.pickle_objects = 1024;
    expect(&c, "limit.pickle-objects", 1024);
    memset(stream, '2', sizeof stream);
    stream[0] = 'N';
    expect(&c, "limit.pickle-objects", 1024);
}

/* Paths have a room of their own, whatever the limit on names: a key, a number or "tensor" that
 * no longer fits is refused, and where they fit all of it is read. */
#define OBJECTS                                                                 \
    "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"            \
    "C\1b\x87R(K\1K\2\x85"                                                      \
    "cnumpy\ndtype\nX\2\0\0\0O8\x89\x88\x87R(K\3X\1\0\0\0|NNNJ\xff\xff\xff\xff" \
    "J\xff\xff\xff\xffK?tb\x89](X\1\0\0\0aC\1betb"

/* [a, (masked) b] of u8 */
#define MASKED                                                                        \
    "cnumpy.ma.core\n_mareconstruct\n(cnumpy.ma.core\nMaskedArray\ncnumpy\nndarray\n" \
    "K\0\x85"                                                                         \
    "C\1btR(K\1K\2\x85"                                                               \
    "cnumpy\ndtype\nX\2\0\0\0u1\x89\x88\x87R(K\3X\1\0\0\0|"                           \
    "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"                                  \
    "C\2ab"                                                                           \
    "C\2\0\1Ntb"

static void paths_are_limited(void **state) {
    static const struct {
        const char *value;
        size_t size;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        ROW("N"), ROW("C\1a"), ROW("]Na"), ROW("}X\1\0\0\0bNs"), ROW(OBJECTS), ROW(MASKED),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned accepted = 0, refused = 0;
        for (uint32_t length = 4060; length < 4100; length++) {
            char stream[8192] = "\x80\2}X";
            size_t size = 4;
            memcpy(stream + size, &length, 4);
            memset(stream + size + 4, 'k', length);
            size += 4 + length;
            memcpy(stream + size, rows[i].value, rows[i].size);
            memcpy(stream + size + rows[i].size, "s.", 2);
            CASE(c, .stream = stream, .size = size + rows[i].size + 2);
            c.limits.name_bytes = sizeof stream;
            wlk_model *model;
            wlk_error error = {.rule = RULE_NONE};
            const wlk_status status = parse(&c, &model, &error);
            wlk_model_free(model);
            if (status != WLK_OK)
                assert_string_equal(wlk_rule_name(error.rule), "limit.name-bytes");
            if (status == WLK_OK) assert_int_equal(refused, 0);
            *(status == WLK_OK ? &accepted : &refused) += 1;
        }
        assert_true(accepted > 5);
        assert_true(refused > 5);
    }
}

/* What is put out again and again may be as much as the file and a compressed one may hold. */
static void what_is_repeated_is_limited(void **state) {
#define TEXT "X\x0a\0\0\0abcdefghij"
    (void)state;
    CASE(c, STREAM("\x80\2](" TEXT "q\0h\0h\0h\0h\0h\0h\0h\0e."));
    wlk_model *model;
    const uint64_t more = 80 - c.size; /* eight times ten bytes */
    c.limits.inflated_bytes = more;
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    wlk_model_free(model);
    c.limits.inflated_bytes = UINT64_MAX;
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    wlk_model_free(model);
    c.limits.inflated_bytes = more - 1;
    expect(&c, "limit.inflated-bytes", 4);
}

/* ---- rows of the operator's policy */

#define ROWS                                                \
    "\1\x0azoo.Animal\2\x09zoo.Plant\2\x0azoo.Animal\1\x0c" \
    "builtins.set"

static void an_operator_adds_what_is_inert(void **state) {
    static const struct {
        const char *stream;
        size_t size;
        const char *rule;
        uint64_t offset;
    } rows[] = {
#define ROW(text, rule, offset) {text, sizeof text - 1, rule, offset}
        ROW("\x80\2czoo\nAnimal\n)\x81.", "pickle.value", 15),
        ROW("\x80\2czoo\nAnimal\nN\x85R}b.", "pickle.value", 16),
        ROW("\x80\2czoo\nPlant\n)R(N\x90.", "pickle.value", 14),
        ROW("\x80\2czoo\nAnimal\n)\x81(N\x90.", "pickle.type", 18),
        ROW("\x80\2czoo\nAnima\n.", "pickle.global", 2),
        ROW("\x80\2cbuiltins\nset\n]\x85R.", NULL, 0),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CASE(c, .stream = rows[i].stream, .size = rows[i].size, .rows = ROWS,
             .rows_bytes = sizeof ROWS - 1);
        wlk_model *model;
        assert_true(pickle_rows_valid((const uint8_t *)c.rows, c.rows_bytes));
        if (rows[i].rule) {
            expect(&c, rows[i].rule, rows[i].offset);
        } else {
            assert_int_equal(parse(&c, &model, NULL), WLK_OK);
            wlk_model_free(model);
        }
    }
}

/* ---- what is said */

/* A place in what was decompressed is none of the file's (invariant 9). */
static void a_compressed_file_says_where(void **state) {
    /* zlib of "cos\nsystem\n." */
    static const char stream[] =
        "\x78\x9c\x4b\xce\x2f\xe6\x2a\xae\x2c\x2e\x49\xcd\xe5\xd2\x03\x00\x1d\x47\x04\x2d";
    wlk_model *model;
    wlk_error error;
    (void)state;
    CASE(c, STREAM(stream));
    assert_int_equal(parse(&c, &model, &error), WLK_REFUSED);
    assert_string_equal(wlk_rule_name(error.rule), "pickle.global");
    assert_int_equal(error.offset, WLK_NO_OFFSET);
    assert_string_equal(error.text, "at byte 0 of the decompressed data: os.system");
}

/* Streams that hold no more than data are noted, each (invariant 12). */
static void more_streams_are_findings(void **state) {
    wlk_model *model;
    (void)state;
    CASE(c, STREAM("\x80\2N.]K\1a.\x80\2}."));
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    assert_int_equal(wlk_model_count(model, WLK_SECTION_FINDINGS), 2);
    const wlk_finding first = wlk_model_finding(model, 0), second = wlk_model_finding(model, 1);
    assert_string_equal(wlk_rule_name(first.rule), "pickle.second");
    assert_int_equal(first.offset, 4);
    assert_int_equal(first.length, 5);
    assert_string_equal(first.evidence, "list");
    assert_int_equal(second.offset, 9);
    assert_string_equal(second.evidence, "dict");
    wlk_model_free(model);
}

/* Who wants no error gets the same verdict. */
static void no_error_is_wanted(void **state) {
    static const struct {
        const char *data;
        size_t size;
        wlk_format format;
    } rows[] = {
#define ROW(format, text) {text, sizeof text - 1, format}
        ROW(WLK_FORMAT_PICKLE,
            "\x78\x9c\x4b\xce\x2f\xe6\x2a\xae\x2c\x2e\x49\xcd\xe5\xd2\x03\x00\x1d\x47\x04\x2d"),
        ROW(WLK_FORMAT_NPY,
            "\x93NUMPY\1\0\x4b\0{'descr': '<f8', 'fortran_order': False, "
            "'shape': (4294967296,4294967296)}\n"),
        ROW(WLK_FORMAT_NPY,
            "\x93NUMPY\1\0\x3a\0{'descr': '|S1', 'fortran_order': False, "
            "'shape': (1,), }\n\xff"),
#undef ROW
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_limits limits;
        wlk_limits_default(&limits);
        memory_sink *sink = memory_sink_new(&limits);
        const image_sink interface = memory_sink_interface(sink);
        image_builder *builder = image_builder_new(&limits, &interface);
        const format_input input = {
            .data = (const uint8_t *)rows[i].data, .size = rows[i].size, .limits = &limits};
        assert_int_equal(format_find(rows[i].format)->parse(&input, builder, NULL), WLK_REFUSED);
        image_builder_free(builder);
        memory_sink_free(sink);
    }
}

static void a_part_of_a_file_is_truncated(void **state) {
    (void)state;
    wlk_error error;
    wlk_limits limits;
    wlk_limits_default(&limits);
    const format_input input = {
        .data = (const uint8_t *)"N.", .size = 2, .absent = 1, .limits = &limits};
    assert_int_equal(format_parse_pickle(&input, NULL, &error), WLK_REFUSED);
    assert_int_equal(error.rule, RULE_PICKLE_TRUNCATED);
    assert_int_equal(error.offset, 2);
}

/* ---- memory */

static wlk_status parse_and_free(const void *context, wlk_error *error) {
    wlk_model *model;
    const wlk_status status = parse(context, &model, error);
    wlk_model_free(model);
    return status;
}

/* Something of every kind, more than the first room of every list, a memo out of order. */
static size_t write_all(char *stream) {
    static const char head[] =
        "\x80\2}(Va\\u0041\nS'b\\x41'\nL1234567890123456789L\nF1.5\nVset\n"
        "cbuiltins\nset\n]Va\na\x85Rr\0\0\0\x80r\1\0\0\x90"
        "Vdict\ncbuiltins\ndict\n](K\1N\x86"
        "e\x85R"
        "Vraw\nc_codecs\nencode\nX\2\0\0\0\xc3\xbfU\6latin1\x86R"
        "Vcomplex\ncbuiltins\ncomplex\nG\0\0\0\0\0\0\0\0G\0\0\0\0\0\0\0\0\x86R"
        "u(Vmany\n](";
    size_t size = sizeof head - 1;
    memcpy(stream, head, size);
    for (int i = 0; i < 600; i++) {
        stream[size++] = 'N';
        stream[size++] = '\x94';
    }
    memcpy(stream + size, "eu.N.", 5);
    return size + 5;
}

/* More rows than one piece of memory holds. */
static void many_rows(void **state) {
    static char rows[1500 * 66];
    (void)state;
    for (size_t i = 0; i < 1500; i++) {
        char *row = rows + i * 66;
        memcpy(row, "\1\x40zoo.", 6);
        memset(row + 6, (char)('a' + i % 26), 60);
    }
    CASE(c,
         STREAM("\x80\2czoo\n"
                "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n"
                ")\x81N."),
         .rows = rows, .rows_bytes = sizeof rows);
    assert_true(pickle_rows_valid((const uint8_t *)rows, sizeof rows));
    wlk_model *model;
    assert_int_equal(parse(&c, &model, NULL), WLK_OK);
    wlk_model_free(model);
    no_memory_everywhere("rows", parse_and_free, &c);
}

static void every_allocation_may_fail(void **state) {
    char stream[4096];
    (void)state;
    const size_t size = write_all(stream);
    CASE(c, .stream = stream, .size = size, .rows = ROWS, .rows_bytes = sizeof ROWS - 1);
    no_memory_everywhere("pickle", parse_and_free, &c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opcodes_are_limited),
        cmocka_unit_test(objects_are_limited),
        cmocka_unit_test(the_stack_is_limited),
        cmocka_unit_test(paths_are_limited),
        cmocka_unit_test(what_is_repeated_is_limited),
        cmocka_unit_test(an_operator_adds_what_is_inert),
        cmocka_unit_test(a_compressed_file_says_where),
        cmocka_unit_test(more_streams_are_findings),
        cmocka_unit_test(a_part_of_a_file_is_truncated),
        cmocka_unit_test(no_error_is_wanted),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(every_allocation_may_fail),
    };
    points_set();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
