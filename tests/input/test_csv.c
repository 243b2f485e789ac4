#include "support/scratch.h"

#include <math.h>

#include "base/bytes.h"
#include "input/csv.h"

static wlk_limits limits;
static const csv_options automatic = {0};

/* A table and the bytes that it refers to. */
typedef struct parsed {
    uint8_t *bytes;
    csv_table *table;
} parsed;

static wlk_status parse_bytes(const void *bytes, size_t length, const csv_options *options,
                              parsed *out, wlk_error *error) {
    out->bytes = exact_copy(bytes, length);
    return csv_parse(out->bytes, length, options, &limits, &out->table, error);
}

static wlk_status parse(const char *text, const csv_options *options, parsed *out,
                        wlk_error *error) {
    return parse_bytes(text, strlen(text), options, out, error);
}

static void close_parsed(parsed *p) {
    csv_free(p->table);
    free(p->bytes);
}

/* ---- structure */

/* The whole table as one text: fields in <>, rows ended by ;, the header by :. */
static void show(const csv_table *table, char *text) {
    *text = '\0';
    for (uint32_t c = 0; csv_name(table, 0) && c < csv_columns(table); c++) {
        text += sprintf(text, "<%s>", csv_name(table, c));
    }
    if (csv_name(table, 0)) text += sprintf(text, ":");
    for (uint64_t r = 0; r < csv_rows(table); r++) {
        for (uint32_t c = 0; c < csv_columns(table); c++) {
            text += sprintf(text, "<%s>", csv_cell(table, r, c));
        }
        text += sprintf(text, ";");
    }
}

static void test_structure(void **state) {
    (void)state;
    static const struct {
        const char *text;
        csv_header header;
        const char *table;
    } rows[] = {
        {"1,2\n3,4\n", CSV_HEADER_NO, "<1><2>;<3><4>;"},
        {"1,2\n3,4", CSV_HEADER_NO, "<1><2>;<3><4>;"},
        {"1,2\r\n3,4\r\n", CSV_HEADER_NO, "<1><2>;<3><4>;"},
        {"1,2\r\n3,4", CSV_HEADER_NO, "<1><2>;<3><4>;"},
        {"\xef\xbb\xbf"
         "1,2\n",
         CSV_HEADER_NO, "<1><2>;"},
        {"1,2\n", CSV_HEADER_YES, NULL},
        {"1,2\n3,4\n", CSV_HEADER_YES, "<1><2>:<3><4>;"},
        {"a,b\n3,4\n", CSV_HEADER_NO, "<a><b>;<3><4>;"},
        {"\"a\",\"b\"\n", CSV_HEADER_NO, "<a><b>;"},
        {"\"a,b\",\"c\"\"d\"\n", CSV_HEADER_NO, "<a,b><c\"d>;"},
        {"\"two\nlines\",\"\"\"\"\n", CSV_HEADER_NO, "<two\nlines><\">;"},
        {"\"a\r\nb\"\r\n", CSV_HEADER_NO, "<a\r\nb>;"},
        {",\n,\n", CSV_HEADER_NO, "<><>;<><>;"},
        {",", CSV_HEADER_NO, "<><>;"},
        {"a,", CSV_HEADER_NO, "<a><>;"},
        {"\"\",\"\"", CSV_HEADER_NO, "<><>;"},
        {"\n", CSV_HEADER_NO, "<>;"},
        {"1\n\n3\n", CSV_HEADER_NO, "<1>;<>;<3>;"},
        {" a , b \n", CSV_HEADER_NO, "< a >< b >;"},
        {"\xc3\xa9,\xf0\x9f\x9a\xa2\n", CSV_HEADER_NO, "<\xc3\xa9><\xf0\x9f\x9a\xa2>;"},
        {"a;b\n", CSV_HEADER_NO, "<a;b>;"},
        {"a,b\n1,2\n", CSV_HEADER_AUTO, "<a><b>:<1><2>;"},
        {"a,1\n1,2\n", CSV_HEADER_AUTO, "<a><1>;<1><2>;"},
        {"a,\n1,2\n", CSV_HEADER_AUTO, "<a><>:<1><2>;"},
        {"nan,\n1,2\n", CSV_HEADER_AUTO, "<nan><>;<1><2>;"},
        {"nan,a\n1,2\n", CSV_HEADER_AUTO, "<nan><a>:<1><2>;"},
        {"inf,a\n1,2\n", CSV_HEADER_AUTO, "<inf><a>;<1><2>;"},
        {"\"1\",\"2\"\n1,2\n", CSV_HEADER_AUTO, "<1><2>;<1><2>;"},
        {"red\nblue\n", CSV_HEADER_AUTO, "<red>:<blue>;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        parsed p;
        wlk_error error = {0};
        const csv_options options = {.header = rows[i].header};
        const wlk_status status = parse(rows[i].text, &options, &p, &error);
        if (!rows[i].table) {
            expect_refused(rows[i].text, status, &error, "csv.empty", NULL);
        } else {
            EXPECT_OK(status);
            show(p.table, text);
            assert_string_equal(text, rows[i].table);
        }
        close_parsed(&p);
    }
}

static void test_refused_structure(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length; /* 0: of the string */
        const char *rule;
        uint64_t offset;
        const char *says;
    } rows[] = {
        {"", 0, "csv.empty", 0, NULL},
        {"\xef\xbb\xbf", 0, "csv.empty", 0, NULL},
        {"a,b\n", 0, "csv.empty", 4, "only a header"},
        {"1,2\n3\n", 0, "csv.ragged", 4, "row 2 has 1 fields, the first row 2"},
        {"1,2\n3,4,5\n", 0, "csv.ragged", 4, "row 2 has 3 or more fields, the first row 2"},
        {"1,2\n3,4\n\n", 0, "csv.ragged", 8, "row 3 has 1 fields, the first row 2"},
        {"1,2\n\n3,4\n", 0, "csv.ragged", 4, "row 2"},
        {"a,b\n\"x\ny\",2\n5\n", 0, "csv.ragged", 12, "row 3"},
        {"1,a\"b\n", 0, "csv.quote", 3, NULL},
        {"1, \"b\"\n", 0, "csv.quote", 3, NULL},
        {"1,\"b\"c\n", 0, "csv.quote", 5, NULL},
        {"1,\"b\" \n", 0, "csv.quote", 5, NULL},
        {"1,\"b\n2,3\n", 0, "csv.unterminated", 2, NULL},
        {"\"", 0, "csv.unterminated", 0, NULL},
        {"\"a\"\"", 0, "csv.unterminated", 0, NULL},
        {"1,2\r3,4\n", 0, "csv.line-end", 3, NULL},
        {"1\r", 0, "csv.line-end", 1, NULL},
        {"\"1\"\r\r\n", 0, "csv.line-end", 3, NULL},
        {"1,\xff\n", 0, "csv.encoding", 2, NULL},
        {"1,\"\xc3\"\n", 0, "csv.encoding", 2, NULL},
        {"a,b\n1,2\0\n", 9, "csv.encoding", 6, NULL},
        {"\xff\xfe"
         "1\0\n\0",
         6, "csv.encoding", 0, NULL}, /* UTF-16 */
        {"\xed\xa0\x80\n", 0, "csv.encoding", 0, NULL},
        {"1,2,3,4,5\n", 0, "csv.columns", 8, NULL},
    };
    limits.columns = 4;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parsed p;
        wlk_error error = {0};
        const size_t length = rows[i].length ? rows[i].length : strlen(rows[i].text);
        const wlk_status status = parse_bytes(rows[i].text, length, &automatic, &p, &error);
        expect_refused(rows[i].text, status, &error, rows[i].rule, rows[i].says);
        if (error.offset != rows[i].offset) {
            fail_msg("%s: offset %lu, not %lu", rows[i].text, error.offset, rows[i].offset);
        }
        assert_null(p.table);
        close_parsed(&p);
    }
    wlk_limits_default(&limits);
}

static void test_size_limit(void **state) {
    (void)state;
    parsed p;
    wlk_error error = {0};
    limits.input_bytes = 4;
    EXPECT_OK(parse("1,2\n", &automatic, &p, &error));
    close_parsed(&p);
    expect_refused("size", parse("1,2\n3", &automatic, &p, &error), &error, "input.size", NULL);
    assert_int_equal(error.offset, 4);
    close_parsed(&p);
    wlk_limits_default(&limits);
}

/* ---- columns */

static wlk_status take(const char *text, const csv_options *options, wlk_dtype dtype,
                       input_array *array, wlk_error *error) {
    uint32_t columns[8];
    parsed p;
    expect_ok(parse(text, options, &p, error), error);
    for (uint32_t i = 0; i < csv_columns(p.table); i++) columns[i] = i;
    const wlk_status status =
        csv_take(p.table, columns, csv_columns(p.table), 2, dtype, &limits, array, error);
    close_parsed(&p);
    return status;
}

static void test_numbers(void **state) {
    (void)state;
    static const char text[] = "a,b,c\n1, -2.5 ,1e3\n\"4\",,NaN\n-inf,n/a,-\n";
    static const char *const missing[] = {"n/a", "-"};
    static const double expected[] = {
        1, -2.5, 1e3, 4, (double)NAN, (double)NAN, -(double)INFINITY, (double)NAN, (double)NAN};
    const csv_options options = {.missing = missing, .missing_count = 2};
    input_array array;
    wlk_error error = {0};
    EXPECT_OK(take(text, &options, WLK_F64, &array, &error));
    assert_int_equal(array.tensor.rank, 2);
    assert_int_equal(array.tensor.shape[0], 3);
    assert_int_equal(array.tensor.shape[1], 3);
    for (size_t i = 0; i < 9; i++) {
        const double got = load_f64(array.owned + 8 * i);
        if (isnan(expected[i])) {
            assert_true(isnan(got));
        } else {
            assert_true(got == expected[i]);
        }
    }
    input_array_free(&array);
}

static void test_other_dtypes(void **state) {
    (void)state;
    input_array array;
    wlk_error error = {0};
    EXPECT_OK(take("1\n-2\n", &automatic, WLK_I16, &array, &error));
    assert_memory_equal(array.owned, "\x01\x00\xfe\xff", 4);
    input_array_free(&array);
    EXPECT_OK(take("x\n1\ntrue\nFALSE\n0\n", &automatic, WLK_BOOL, &array, &error));
    assert_memory_equal(array.owned, "\x01\x01\x00\x00", 4);
    input_array_free(&array);
    EXPECT_OK(take("x,y\nTrue,2\nfalse,-3\n", &automatic, WLK_F64, &array, &error));
    assert_memory_equal(array.owned, ((const double[]){1, 2, 0, -3}), 4 * sizeof(double));
    input_array_free(&array);
    EXPECT_OK(take("x\n0.1\n", &automatic, WLK_F32, &array, &error));
    assert_memory_equal(array.owned, "\xcd\xcc\xcc\x3d", 4);
    input_array_free(&array);
    /* Text is taken as it is: only numbers have missing values. */
    EXPECT_OK(take("x,y\nnan,\"a,b\"\n,\xc3\xa9\n", &automatic, WLK_STR, &array, &error));
    static const char *const texts[] = {"nan", "a,b", "", "\xc3\xa9"};
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t length;
        const char *got = input_array_string(&array.tensor, i, &length);
        assert_int_equal(length, strlen(texts[i]));
        assert_memory_equal(got, texts[i], length);
    }
    input_array_free(&array);
}

static void test_refused_fields(void **state) {
    (void)state;
    static const struct {
        const char *text;
        wlk_dtype dtype;
        const char *rule;
        uint64_t offset;
        const char *says;
    } rows[] = {
        {"x,y\n1,2\n3,abc\n", WLK_F64, "csv.number", 10, "row 3, column \"y\": \"abc\" as f64"},
        {"1,2\n3,0x10\n", WLK_F64, "csv.number", 6, "row 2, column 2: \"0x10\""},
        {"1,\"a,b\"\"\"\n\"3\",\"4 5\"\n", WLK_F64, "csv.number", 2, "row 1, column 2: \"a,b\"\""},
        {"1,2\n\"3\",\"4 5\"\n", WLK_F64, "csv.number", 8, "\"4 5\""},
        {"1,2\r\n\"a\nb\",5\r\n", WLK_F64, "csv.number", 5, NULL},
        {"\xef\xbb\xbf"
         "1,2\n3,4,\n",
         WLK_F64, NULL, 0, NULL},
        {"\xef\xbb\xbf"
         "1,x\n",
         WLK_F64, "csv.number", 5, "\"x\""},
        {"1\n1e999\n", WLK_F64, "csv.number", 2, NULL},
        {"1\n1e39\n", WLK_F32, "csv.number", 2, "as f32"},
        {"1\n1.0\n", WLK_I64, "csv.number", 2, "as i64"},
        {"1\n128\n", WLK_I8, "csv.number", 2, NULL},
        {"1\n-1\n", WLK_U8, "csv.number", 2, NULL},
        {"1\n2\n", WLK_BOOL, "csv.number", 2, NULL},
        {"1\nyes\n", WLK_BOOL, "csv.number", 2, NULL},
        {"1,2\n3,\n", WLK_I64, "csv.missing", 6, "row 2, column 2"},
        {"x\n1\nNaN\n", WLK_I32, "csv.missing", 4, "row 3, column \"x\""},
        {"1\n", WLK_C64, "input.dtype", WLK_NO_OFFSET, "c64"},
        {"1\n", WLK_F8E5M2, "input.dtype", WLK_NO_OFFSET, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_array array;
        wlk_error error = {0};
        parsed p;
        if (!rows[i].rule) {
            expect_refused(rows[i].text, parse(rows[i].text, &automatic, &p, &error), &error,
                           "csv.ragged", NULL);
            close_parsed(&p);
            continue;
        }
        const wlk_status status = take(rows[i].text, &automatic, rows[i].dtype, &array, &error);
        expect_refused(rows[i].text, status, &error, rows[i].rule, rows[i].says);
        if (error.offset != rows[i].offset) {
            fail_msg("%s: offset %lu, not %lu", rows[i].text, error.offset, rows[i].offset);
        }
        assert_null(array.owned);
    }
}

static void test_memory_limit(void **state) {
    (void)state;
    input_array array;
    wlk_error error = {0};
    limits.run_bytes = 31;
    expect_refused("memory", take("1,2\n3,4\n", &automatic, WLK_F64, &array, &error), &error,
                   "input.size", "32 bytes");
    limits.run_bytes = 32;
    EXPECT_OK(take("1,2\n3,4\n", &automatic, WLK_F64, &array, &error));
    input_array_free(&array);
    wlk_limits_default(&limits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),    cmocka_unit_test(test_refused_structure),
        cmocka_unit_test(test_size_limit),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_other_dtypes), cmocka_unit_test(test_refused_fields),
        cmocka_unit_test(test_memory_limit),
    };
    wlk_limits_default(&limits);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
