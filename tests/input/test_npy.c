#include "support/scratch.h"

#include "base/bytes.h"
#include "input/npy.h"

static wlk_limits limits;

static wlk_status parse(const uint8_t *bytes, size_t length, input_array *array, wlk_error *error) {
    uint8_t *copy = exact_copy(bytes, length);
    const wlk_status status = npy_parse(copy, length, &limits, array, error);
    free(copy);
    return status;
}

/* ---- against NumPy */

typedef struct list_line {
    char name[64];
    char dtype[16];
    int same; /* does numpy.save write these bytes? */
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
} list_line;

static bool next_line(FILE *list, list_line *line) {
    if (fscanf(list, "%63s %15s %d %u", line->name, line->dtype, &line->same, &line->rank) != 4) {
        return false;
    }
    assert_true(line->rank <= WLK_MAX_RANK);
    for (uint32_t i = 0; i < line->rank; i++) {
        assert_int_equal(fscanf(list, "%lu", &line->shape[i]), 1);
    }
    return true;
}

static void check_file(const list_line *line) {
    char name[80];
    size_t length, raw_length;
    input_array array;
    wlk_error error = {0};
    (void)snprintf(name, sizeof name, "%s.npy", line->name);
    uint8_t *bytes = read_bytes(in_scratch(name), &length);
    (void)snprintf(name, sizeof name, "%s.raw", line->name);
    uint8_t *raw = read_bytes(in_scratch(name), &raw_length);
    EXPECT_OK(parse(bytes, length, &array, &error));
    assert_string_equal(wlk_dtype_name(array.tensor.dtype), line->dtype);
    assert_int_equal(array.tensor.rank, line->rank);
    assert_memory_equal(array.tensor.shape, line->shape, line->rank * sizeof(uint64_t));
    assert_int_equal(array.tensor.nbytes, raw_length);
    assert_int_equal((uintptr_t)array.tensor.data % 64, 0);
    if (memcmp(array.tensor.data, raw, raw_length) != 0) fail_msg("%s differs", line->name);
    if (line->same) {
        uint8_t *written;
        uint64_t size;
        EXPECT_OK(npy_format(&array.tensor, &written, &size, &error));
        assert_int_equal(size, length);
        if (memcmp(written, bytes, length) != 0) fail_msg("%s is written differently", line->name);
        free(written);
    }
    input_array_free(&array);
    free(bytes);
    free(raw);
}

/* Every dtype, byte order, memory order and version that numpy writes. */
static void test_what_numpy_writes(void **state) {
    (void)state;
    list_line line = {0};
    int count = 0;
    FILE *list = fopen(in_scratch("list"), "re");
    assert_non_null(list);
    for (; next_line(list, &line); count++) check_file(&line);
    (void)fclose(list);
    assert_true(count > 250);
}

static void test_what_numpy_writes_and_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *rule;
        wlk_status verdict;
    } rows[] = {
        {"object.npy", "npy.object", WLK_REFUSED},
        {"structured.npy", "npy.dtype", WLK_UNSUPPORTED},
        {"datetime.npy", "npy.dtype", WLK_UNSUPPORTED},
        {"void.npy", "npy.dtype", WLK_UNSUPPORTED},
        {"longdouble.npy", "npy.dtype", WLK_UNSUPPORTED},
        {"rank9.npy", "npy.rank", WLK_UNSUPPORTED},
        {"latin1.npy", "npy.value", WLK_REFUSED},
        {"bool2.npy", "npy.value", WLK_REFUSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length;
        input_array array;
        wlk_error error = {0};
        uint8_t *bytes = read_bytes(in_scratch(rows[i].file), &length);
        const wlk_status status = parse(bytes, length, &array, &error);
        expect_refused(rows[i].file, status, &error, rows[i].rule, NULL);
        assert_int_equal(status, rows[i].verdict);
        assert_null(array.owned);
        free(bytes);
    }
}

/* ---- by hand */

/* A version 1.0 file with this header text and `body` zero bytes behind it. */
static size_t make_file(const char *header, size_t body, uint8_t *file) {
    const size_t length = strlen(header);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    store_u16(file + 8, (uint16_t)length);
    memcpy(file + 10, header, length);
    memset(file + 10 + length, 0, body);
    return 10 + length + body;
}

static void test_headers_that_are_accepted(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t body;
        wlk_dtype dtype;
        uint32_t rank;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8, WLK_F32, 1},
        {"{\"shape\":(),\"descr\":\"<f4\",\"fortran_order\":True}\n", 4, WLK_F32, 0},
        {"{ 'shape' : ( 1 , 2 , ) , 'fortran_order' : False , 'descr' : '<u1' }     \n", 2, WLK_U8,
         2},
        {"{'descr': '>i1', 'fortran_order': True, 'shape': (3, 1)}\n", 3, WLK_I8, 2},
        {"{'descr': '|S4', 'fortran_order': False, 'shape': (0,)}\n", 0, WLK_STR, 1},
        {"{'descr': '<U99999999999', 'fortran_order': False, 'shape': (0,)}\n", 0, WLK_STR, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t file[512];
        input_array array;
        wlk_error error = {0};
        const size_t length = make_file(rows[i].header, rows[i].body, file);
        EXPECT_OK(parse(file, length, &array, &error));
        assert_int_equal(array.tensor.dtype, rows[i].dtype);
        assert_int_equal(array.tensor.rank, rows[i].rank);
        input_array_free(&array);
    }
}

#define ENTRY "'descr': '<f4', 'fortran_order': False, "

/* offset: of the fault in the file, whose header begins at 10. */
static void test_headers_that_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t body;
        const char *rule;
        uint64_t offset;
    } rows[] = {
        {"", 0, "npy.header", 10},
        {"[]\n", 0, "npy.header", 10},
        {"{}\n", 0, "npy.header", 12},
        {"{" ENTRY "}\n", 0, "npy.header", 52},
        {"{" ENTRY "'shape': (2,), }", 8, "npy.header", 67},
        {"{" ENTRY "'shape': (2,), }\n\n", 8, "npy.header", 68},
        {"{" ENTRY "'shape': (2,), } x\n", 8, "npy.header", 68},
        {"{" ENTRY "'shape': (2,),, }\n", 8, "npy.header", 65},
        {"{" ENTRY "'shape': (2,) 'shape': (2,)}\n", 8, "npy.header", 65},
        {"{" ENTRY "'shape': (2,), 'shape': (2,)}\n", 8, "npy.header", 66},
        {"{" ENTRY "'shape': (2,), 'extra': 1}\n", 8, "npy.header", 66},
        {"{" ENTRY "'shape': (2)}\n", 8, "npy.header", 63},
        {"{" ENTRY "'shape': 2}\n", 8, "npy.header", 60},
        {"{" ENTRY "'shape': [2]}\n", 8, "npy.header", 60},
        {"{" ENTRY "'shape': (,)}\n", 4, "npy.header", 61},
        {"{" ENTRY "'shape': (2,,)}\n", 8, "npy.header", 63},
        {"{" ENTRY "'shape': (1 2)}\n", 8, "npy.header", 63},
        {"{" ENTRY "'shape': (-1,)}\n", 0, "npy.header", 61},
        {"{" ENTRY "'shape': (02,)}\n", 8, "npy.header", 62},
        {"{" ENTRY "'shape': (2l,)}\n", 8, "npy.header", 62},
        {"{" ENTRY "'shape': (2LL,)}\n", 8, "npy.header", 63},
        {"{" ENTRY "'shape': (0x2,)}\n", 8, "npy.header", 62},
        {"{" ENTRY "'shape': (2.0,)}\n", 8, "npy.header", 62},
        {"{" ENTRY "'shape': (18446744073709551616,)}\n", 0, "npy.header", 80},
        {"{" ENTRY "'shape': (9223372036854775808,)}\n", 0, "input.shape", 82},
        {"{" ENTRY "'shape': (4294967296, 4294967296)}\n", 0, "input.shape", 84},
        {"{" ENTRY "'shape': (4294967296, 4294967296, 0)}\n", 0, "input.shape", 87},
        {"{" ENTRY "'shape': (1,1,1,1,1,1,1,1,1)}\n", 4, "npy.rank", 78},
        {"{'descr': f4, 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.header", 20},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<\\x664', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.header", 23},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}\n", 8, "npy.header", 44},
        {"{'descr': '<f4', 'fortran_order': Falsey, 'shape': (2,)}\n", 8, "npy.header", 49},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.header", 19},
        {"{descr: '<f4', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.header", 11},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '=f4', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<f44', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<U', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '<U0', 'fortran_order': False, 'shape': (2,)}\n", 0, "npy.dtype", 21},
        {"{'descr': '|U1', 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 21},
        {"{'descr': '|S0', 'fortran_order': False, 'shape': (2,)}\n", 0, "npy.dtype", 21},
        {"{'descr': '<U4611686018427387904', 'fortran_order': False, 'shape': (0,)}\n", 0,
         "npy.dtype", 21},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}\n", 16, "npy.object", 21},
        {"{'descr': '<O8', 'fortran_order': False, 'shape': (2,)}\n", 16, "npy.object", 21},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}\n", 8, "npy.dtype", 20},
        {"{" ENTRY "'shape': (2,)}\n", 7, "npy.truncated", 73},
        {"{" ENTRY "'shape': (2,)}\n", 0, "npy.truncated", 66},
        {"{" ENTRY "'shape': (2,)}\n", 9, "npy.trailing", 74},
        {"{" ENTRY "'shape': (0,)}\n", 1, "npy.trailing", 66},
        {"{" ENTRY "'shape': (4611686018427387904,)}\n", 8, "input.shape", 10},
        {"{" ENTRY "'shape': (1000000000000,)}\n", 8, "npy.truncated", 86},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t file[512];
        input_array array;
        wlk_error error = {0};
        const size_t length = make_file(rows[i].header, rows[i].body, file);
        const wlk_status status = parse(file, length, &array, &error);
        expect_refused(rows[i].header, status, &error, rows[i].rule, NULL);
        if (error.offset != rows[i].offset) {
            fail_msg("%s: offset %lu, not %lu", rows[i].header, error.offset, rows[i].offset);
        }
        assert_null(array.owned);
    }
}

static void test_starts_that_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *rule;
        uint64_t offset;
    } rows[] = {
        {"", 0, "npy.magic", 0},
        {"\x93NUMP", 5, "npy.magic", 0},
        {"\x92NUMPY\x01\x00\x00\x00", 10, "npy.magic", 0},
        {"PK\x03\x04 a zip file", 15, "npy.magic", 0},
        {"\x93NUMPY", 6, "npy.truncated", 6},
        {"\x93NUMPY\x01", 7, "npy.truncated", 7},
        {"\x93NUMPY\x01\x00", 8, "npy.truncated", 8},
        {"\x93NUMPY\x01\x00\x10", 9, "npy.truncated", 9},
        {"\x93NUMPY\x01\x00\x10\x00", 10, "npy.truncated", 10},
        {"\x93NUMPY\x01\x00\x10\x00{", 11, "npy.truncated", 11},
        {"\x93NUMPY\x00\x00\x10\x00", 10, "npy.version", 6},
        {"\x93NUMPY\x04\x00\x10\x00", 10, "npy.version", 6},
        {"\x93NUMPY\x01\x01\x10\x00", 10, "npy.version", 6},
        {"\x93NUMPY\x02\x00\xff\xff\xff", 11, "npy.truncated", 11},
        {"\x93NUMPY\x02\x00\xff\xff\xff\xff", 12, "npy.header", 12},
        {"\x93NUMPY\x03\x00\x01\x00\x01\x00", 12, "npy.header", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_array array;
        wlk_error error = {0};
        const wlk_status status =
            parse((const uint8_t *)rows[i].bytes, rows[i].length, &array, &error);
        expect_refused("start", status, &error, rows[i].rule, NULL);
        assert_int_equal(error.offset, rows[i].offset);
    }
}

/* Text that is none, and where. */
static void test_text_that_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *descr;
        uint8_t item[8];
        size_t length;
        uint64_t bad; /* offset within the array; 8: none */
    } rows[] = {
        {"<U2", {0x41, 0, 0, 0, 0, 0, 0x11, 0}, 8, 4},    /* above U+10FFFF */
        {"<U2", {0, 0xd8, 0, 0, 0x41, 0, 0, 0}, 8, 0},    /* a surrogate */
        {"<U2", {0xff, 0xff, 0x10, 0, 0, 0, 0, 0}, 8, 8}, /* U+10FFFF */
        {">U2", {0, 0, 0xdf, 0xff, 0, 0, 0, 0}, 8, 0},
        {">U2", {0, 0, 0x00, 0xe9, 0, 0, 0, 0}, 8, 8},
        {"|S2", {0xc3, 0xa9}, 2, 8},
        {"|S2", {0xc3, 0x28}, 2, 0},
        {"|S2", {0xc3, 0x00}, 2, 0},
        {"|S1", {0x80}, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[128];
        uint8_t file[256];
        input_array array;
        wlk_error error = {0};
        (void)snprintf(header, sizeof header,
                       "{'descr': '%s', 'fortran_order': False, 'shape': ()}\n", rows[i].descr);
        const size_t length = make_file(header, rows[i].length, file);
        memcpy(file + length - rows[i].length, rows[i].item, rows[i].length);
        const wlk_status status = parse(file, length, &array, &error);
        if (rows[i].bad == 8) {
            EXPECT_OK(status);
            input_array_free(&array);
            continue;
        }
        expect_refused(rows[i].descr, status, &error, "npy.value", NULL);
        assert_int_equal(error.offset, length - rows[i].length + rows[i].bad);
    }
}

/* Invariant 7: strings grow when they are read; the limit holds for the result. */
static void test_limits(void **state) {
    (void)state;
    static uint8_t file[2048];
    input_array array;
    wlk_error error = {0};
    const wlk_limits before = limits;
    const size_t length =
        make_file("{'descr': '|S1', 'fortran_order': False, 'shape': (1000,)}\n", 1000, file);
    limits.input_bytes = 8 * 1001;
    EXPECT_OK(parse(file, length, &array, &error));
    input_array_free(&array);
    limits.input_bytes = 8 * 1001 - 1;
    expect_refused("strings", parse(file, length, &array, &error), &error, "input.size", NULL);
    limits.input_bytes = length - 1;
    expect_refused("file", parse(file, length, &array, &error), &error, "input.size", NULL);
    limits = before;
}

static void test_dtypes_without_a_name_in_numpy(void **state) {
    (void)state;
    static const wlk_dtype none[] = {WLK_BF16, WLK_I4, WLK_F8E5M2, WLK_BLOCK};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        uint8_t *data;
        uint64_t size;
        wlk_error error = {0};
        const wlk_tensor tensor = {.dtype = none[i], .rank = 1, .shape = {0}, .data = ""};
        expect_refused("dtype", npy_format(&tensor, &data, &size, &error), &error, "npy.dtype",
                       wlk_dtype_name(none[i]));
    }
}

static int make_files(void **state) {
    wlk_limits_default(&limits);
    if (scratch_make(state) != 0) return -1;
    run_python("tests/input/make_npy.py", scratch);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_numpy_writes),
        cmocka_unit_test(test_what_numpy_writes_and_is_refused),
        cmocka_unit_test(test_headers_that_are_accepted),
        cmocka_unit_test(test_headers_that_are_refused),
        cmocka_unit_test(test_starts_that_are_refused),
        cmocka_unit_test(test_text_that_is_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_dtypes_without_a_name_in_numpy),
    };
    return cmocka_run_group_tests(tests, make_files, scratch_remove);
}
