/* Deterministic noise: what a user hands in, altered at random, is read or refused
 * with a rule, and never more than that. Under a sanitizer this finds reads and
 * writes out of range; here, that what is accepted is well-formed
 * (invariants 7 and 11). */
#include "support/scratch.h"

#include "base/bytes.h"
#include "base/dtype.h"
#include "input/csv.h"
#include "input/json_spec.h"
#include "input/npy.h"

#define ROUNDS 20000
#define ROOM 4096

static wlk_limits limits;

/* Every refusal names a rule, with its verdict. */
static void check_status(wlk_status status, const wlk_error *error) {
    if (status == WLK_OK) return;
    assert_int_not_equal(error->rule, RULE_NONE);
    assert_int_equal(status, rule_status(error->rule));
    assert_int_not_equal(error->rule, RULE_INTERNAL_DEFECT);
}

static void check_array(const wlk_tensor *t) {
    uint64_t count, nbytes, bad;
    assert_true(shape_count(t->shape, t->rank, &count));
    assert_int_equal(count, t->count);
    if (t->dtype != WLK_STR) {
        assert_true(dtype_nbytes(t->dtype, count, &nbytes));
        assert_int_equal(nbytes, t->nbytes);
    }
    assert_true(payload_valid(t->dtype, count, t->data, t->nbytes, &bad));
}

/* ---- .npy */

static bool read_npy(const uint8_t *bytes, size_t length) {
    input_array array;
    uint8_t *written;
    uint64_t size;
    wlk_error error = {0};
    const wlk_status status = npy_parse(bytes, length, &limits, &array, &error);
    check_status(status, &error);
    if (status != WLK_OK) return false;
    check_array(&array.tensor);
    EXPECT_OK(npy_format(&array.tensor, &written, &size, &error));
    free(written);
    input_array_free(&array);
    return true;
}

/* ---- CSV */

static void take_all(const csv_table *table, wlk_dtype dtype) {
    uint32_t columns[64];
    input_array array;
    wlk_error error = {0};
    const uint32_t count = csv_columns(table) < 64 ? csv_columns(table) : 64;
    for (uint32_t i = 0; i < count; i++) columns[i] = i;
    const wlk_status status = csv_take(table, columns, count, 2, dtype, &limits, &array, &error);
    check_status(status, &error);
    if (status != WLK_OK) return;
    check_array(&array.tensor);
    input_array_free(&array);
}

static bool read_csv(const uint8_t *bytes, size_t length) {
    static const csv_options options = {0};
    csv_table *table;
    wlk_error error = {0};
    const wlk_status status = csv_parse(bytes, length, &options, &limits, &table, &error);
    check_status(status, &error);
    if (status != WLK_OK) return false;
    for (uint64_t row = 0; row < csv_rows(table); row++) {
        for (uint32_t column = 0; column < csv_columns(table); column++) {
            assert_true(csv_cell_offset(table, row, column) <= length);
        }
    }
    take_all(table, WLK_F32);
    take_all(table, WLK_I8);
    take_all(table, WLK_STR);
    csv_free(table);
    return true;
}

/* ---- JSON */

static bool read_json(const uint8_t *bytes, size_t length) {
    wlk_model *model;
    wlk_error error = {0};
    const wlk_status status =
        json_spec_parse((const char *)bytes, length, scratch, &limits, &model, &error);
    check_status(status, &error);
    /* What was checked by name leaves nothing for the validator of images. */
    assert_int_not_equal(status, WLK_CAGE);
    wlk_model_free(model);
    return status == WLK_OK;
}

/* ---- the loop */

typedef bool (*reader)(const uint8_t *bytes, size_t length);

/* How many of the rounds were accepted. */
static int run(const char *seed, size_t length, reader read, uint64_t random) {
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t bytes[ROOM];
        size_t mutated = length;
        memcpy(bytes, seed, length);
        mutate(bytes, &mutated, ROOM, &random);
        uint8_t *copy = exact_copy(bytes, mutated);
        accepted += read(copy, mutated);
        free(copy);
    }
    return accepted;
}

/* Some mutants must get through, or the loop would test the first check only. */
static void check_seeds(const char *const *seeds, const size_t *lengths, size_t count,
                        reader read) {
    for (size_t i = 0; i < count; i++) {
        const size_t length = lengths ? lengths[i] : strlen(seeds[i]);
        assert_true(read((const uint8_t *)seeds[i], length));
        const int accepted = run(seeds[i], length, read, i + 1);
        assert_true(accepted > ROUNDS / 1000 && accepted < ROUNDS);
    }
}

/* A seed of version 1.0: header text and array. */
static size_t make_npy(const char *header, const void *body, size_t length, char *seed) {
    memcpy(seed, "\x93NUMPY\x01", 8);
    store_u16(seed + 8, (uint16_t)strlen(header));
    strcpy(seed + 10, header);
    memcpy(seed + 10 + strlen(header), body, length);
    return 10 + strlen(header) + length;
}

static void test_npy(void **state) {
    (void)state;
    static const struct {
        const char *header;
        const char *body;
        size_t length;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
         "abcdefghijklmnopqrstuvwx", 24},
        {"{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3, 2), }\n",
         "abcdefghijklmnopqrstuvwx", 24},
        {"{'descr': '|b1', 'fortran_order': True, 'shape': (2, 2), }\n", "\0\1\1\0", 4},
        {"{'descr': '<U2', 'fortran_order': True, 'shape': (2, 2), }\n",
         "a\0\0\0b\0\0\0\xe9\0\0\0\0\0\0\0\x11\x11\0\0\x22\x22\1\0z\0\0\0y\0\0\0", 32},
        {"{'descr': '|S3', 'fortran_order': False, 'shape': (4,), }\n", "abc\xc3\xa9\0z\0\0\0\0\0",
         12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char seed[256];
        const char *seeds[] = {seed};
        const size_t length = make_npy(rows[i].header, rows[i].body, rows[i].length, seed);
        check_seeds(seeds, &length, 1, read_npy);
    }
}

static void test_csv(void **state) {
    (void)state;
    static const char *const seeds[] = {
        "a,b,c\n1,2,3\n4,,nan\n-5e3,.5,inf\n",
        "\"a\",\"b\"\"c\"\r\n\"1\n2\",3\r\n,\r\n",
        "\xef\xbb\xbf"
        "1;\xc3\xa9,\"\xf0\x9f\x9a\xa2\"\n"
        "x,y",
    };
    check_seeds(seeds, NULL, 3, read_csv);
}

static const char *const json_seeds[] = {
    "{\"kind\":\"m\",\"opset\":{\"\":13},\"tensors\":[{\"name\":\"w\",\"dtype\":\"f32\","
    "\"values\":"
    "[1,2.5,\"nan\"],\"shape\":[3]},{\"name\":\"s\",\"strings\":[\"a\",\"b\"]}],\"graph\":{"
    "\"inputs\":"
    "[{\"name\":\"x\",\"type\":{\"tensor\":{\"dtype\":\"f32\",\"shape\":[3]}}}],\"outputs\":"
    "[{\"name\":\"y\"}],\"nodes\":[{\"op\":\"Add\",\"in\":[\"x\",\"w\"],\"out\":[\"y\"],"
    "\"attr\":"
    "{\"a\":1,\"b\":[1.5],\"c\":{\"tensor\":\"w\"}}}]},\"selftest\":[{\"inputs\":[\"w\"],"
    "\"outputs\":"
    "[\"w\"],\"rtol\":0,\"atol\":1e-6}]}",
    "{\"kind\":\"m\",\"opset\":{\"\":1},\"graphs\":[{\"inputs\":[],\"outputs\":[],\"nodes\":[{"
    "\"op\":\"I\","
    "\"in\":[],\"out\":[\"a\"],\"attr\":{\"t\":{\"graph\":1},\"u\":{\"graphs\":[2]}}}]},{"
    "\"inputs\":"
    "[{\"name\":\"i\"}],\"outputs\":[{\"name\":\"b\"}],\"nodes\":[{\"op\":\"J\",\"in\":[\"i\","
    "\"\"],\"out\":"
    "[\"b\"]}]},{\"inputs\":[],\"outputs\":[],\"nodes\":[]}],\"metadata\":{\"tags\":[\"a\"],"
    "\"metrics\":{\"m\":1.5}},\"x-n\":[null,true,{\"k\":[]}]}",
};

static void test_json(void **state) {
    (void)state;
    check_seeds(json_seeds, NULL, 2, read_json);
}

/* The end of the JSON value that begins at `at`. */
static size_t value_end(const char *text, size_t at) {
    size_t depth = 0;
    bool quoted = false;
    for (;; at++) {
        const char c = text[at];
        if (c == '"') quoted = !quoted;
        if (!quoted && (c == '[' || c == '{')) depth++;
        if (!quoted && (c == ']' || c == '}')) depth--;
        if (!quoted && depth == 0 && (c == '"' || c == ']' || c == '}')) return at + 1;
        if (!quoted && depth == 0 && strchr(",:]}", text[at + 1])) return at + 1;
    }
}

/* Where a JSON value or key begins, chosen at random. */
static size_t some_value(const char *text, uint64_t *random) {
    for (;;) {
        const size_t at = next_random(random) % strlen(text);
        const bool start = at == 0 || strchr(",:[{", text[at - 1]);
        if (start && !strchr(",:]}", text[at])) return at;
    }
}

/* Puts a copy of one value in the place of another: well-formed JSON that says
 * something else. The seeds have no quotes within quotes, nor spaces. */
static void swap_values(char *text, uint64_t *random) {
    char copy[ROOM], result[2 * ROOM];
    const size_t from = some_value(text, random), to = some_value(text, random);
    const size_t end = value_end(text, to);
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(value_end(text, from) - from), text + from);
    const int length = snprintf(result, sizeof result, "%.*s%s%s", (int)to, text, copy, text + end);
    if (length > 0 && length < ROOM) memcpy(text, result, (size_t)length + 1);
}

static void test_json_values(void **state) {
    (void)state;
    uint64_t random = 1;
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char text[ROOM];
        strcpy(text, json_seeds[round % 2]);
        for (uint64_t i = next_random(&random) % 3 + 1; i > 0; i--) swap_values(text, &random);
        accepted += read_json((const uint8_t *)text, strlen(text));
    }
    assert_true(accepted > ROUNDS / 100 && accepted < ROUNDS);
}

static int start(void **state) {
    wlk_limits_default(&limits);
    limits.input_bytes = 1 << 20; /* a mutant must not ask for much */
    limits.output_bytes = 1 << 20;
    limits.run_bytes = 1 << 20;
    return scratch_make(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_values),
    };
    return cmocka_run_group_tests(tests, start, scratch_remove);
}
