/* Memory runs out anywhere while arrays are read, converted and made tensors: the refusal is
 * internal.memory, and nothing is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "formats/formats.h"
#include "formats/numpy_pickles.h"
#include "formats/pickle/machine.h"
#include "formats/pickle/numpy.h"
#include "support/no_memory.h"

typedef struct pickled {
    const char *name;
    const uint8_t *data;
    size_t size;
} pickled;

#define PICKLED(name) \
    { #name, name##_pickle, sizeof name##_pickle }

static const pickled files[] = {PICKLED(everything), PICKLED(wrapped), PICKLED(nested),
                                PICKLED(latin1)};

/* All texts of a list of arrays are read too. */
static wlk_status read_texts(pickle *p, const py_value *value, wlk_error *error) {
    for (uint32_t i = 0; value->kind == PY_LIST && i < value->items.count; i++) {
        const py_value *item = value->items.list[i];
        py_text text;
        if (item->kind != PY_ARRAY || item->array->dtype->kind != 'U') continue;
        TRY(py_array_text(item->array, 0, &p->memory, &text, error));
        assert_int_equal(text.length, 1);
    }
    return WLK_OK;
}

static wlk_status read(const void *context, wlk_error *error) {
    const pickled *file = context;
    wlk_limits limits;
    py_value *value;
    wlk_limits_default(&limits);
    pickle p = {.limits = &limits, .stream = cursor_over(file->data, file->size, 0)};
    wlk_status status = pickle_read(&p, &value, error);
    if (status == WLK_OK) status = read_texts(&p, value, error);
    pickle_close(&p);
    return status;
}

static void test_reading(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        no_memory_everywhere(files[i].name, read, &files[i]);
    }
}

/* ---- as tensors */

static wlk_status ignore_begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    (void)context;
    (void)length;
    (void)offset;
    (void)error;
    return WLK_OK;
}

static wlk_status ignore_append(void *context, const uint8_t *data, uint64_t length,
                                wlk_error *error) {
    (void)context;
    (void)data;
    (void)length;
    (void)error;
    return WLK_OK;
}

static wlk_status parse_npy(const void *context, wlk_error *error) {
    const pickled *file = context;
    wlk_limits limits;
    wlk_limits_default(&limits);
    const image_sink sink = {NULL, ignore_begin, ignore_append};
    const format_input input = {.data = file->data, .size = file->size, .limits = &limits};
    image_builder *builder = image_builder_new(&limits, &sink);
    if (!builder) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = format_parse_npy(&input, builder, error);
    image_builder_free(builder);
    return status;
}

#define HEADER(descr, shape) "{'descr': '" descr "', 'fortran_order': True, 'shape': " shape "}\n"

/* A header's length stands where its NUL would be. */
static size_t with_header(uint8_t *file, const char *header, const char *body, size_t size) {
    const size_t length = strlen(header);
    memcpy(file, "\x93NUMPY\x01\0", 8);
    file[8] = (uint8_t)length;
    file[9] = 0;
    memcpy(file + 10, header, length);
    memcpy(file + 10 + length, body, size);
    return 10 + length + size;
}

static void test_tensors(void **state) {
    (void)state;
    static const struct {
        const char *header;
        const char *body;
        size_t size;
    } rows[] = {
        {HEADER(">i2", "(2, 2)"), "abcdefgh", 8},
        {HEADER("<U1", "(2,)"), "a\0\0\0b\0\0\0", 8},
        {HEADER("|b1", "(0,)"), "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t data[256];
        const pickled file = {rows[i].header, data,
                              with_header(data, rows[i].header, rows[i].body, rows[i].size)};
        no_memory_everywhere(file.name, parse_npy, &file);
    }
}

/* A file of which only the beginning is at hand is no .npy file to be read. */
/* What is asked of values that have nothing of the kind. */
static void test_nothing_there(void **state) {
    (void)state;
    const py_dtype bytes = {.kind = 'S', .itemsize = 1}, objects = {.kind = 'O', .itemsize = 8};
    const py_array text = {.dtype = &bytes, .count = 1, .data = (const uint8_t *)"7"};
    const double real = py_array_real(&text, 0);
    assert_true(real != real);
    assert_null(py_dtype_field(&bytes, "left"));
    assert_null(py_get(NULL, "key"));
    assert_false(py_is_object(NULL, "Tree"));
    py_value number = {.kind = PY_FLOAT, .real = 1.5}, missing = {.kind = PY_FLOAT};
    missing.real = __builtin_nan("");
    py_value *list[] = {&number, &missing};
    const py_array array = {.dtype = &objects, .count = 2, .objects = list};
    arena memory = {0};
    py_text found;
    wlk_error error;
    assert_int_equal(py_array_text(&array, 0, &memory, &found, &error), WLK_REFUSED);
    assert_int_equal(error.rule, RULE_NUMPY_TEXT);
    assert_int_equal(py_array_text(&array, 1, &memory, &found, &error), WLK_OK);
    assert_null(found.data);
    arena_free(&memory);
}

/* Of an object that is a dict too, its own entries come before its state's. */
static void test_own_entries(void **state) {
    (void)state;
    py_value key = {.kind = PY_STR, .text = {(const uint8_t *)"a", 1}};
    py_value other = {.kind = PY_STR, .text = {(const uint8_t *)"b", 1}};
    py_value own = {.kind = PY_NONE}, its = {.kind = PY_NONE};
    py_value *entries[] = {&key, &own}, *attributes[] = {&key, &its, &other, &its};
    py_value dict = {.kind = PY_DICT, .items = {attributes, 4, 4}};
    py_object object = {.state = &dict, .items = {entries, 2, 2}, .keyed = true};
    const py_value value = {.kind = PY_OBJECT, .object = &object};
    assert_ptr_equal(py_get(&value, "a"), &own);
    assert_ptr_equal(py_get(&value, "b"), &its);
    object.keyed = false;
    assert_ptr_equal(py_get(&value, "a"), &its);
}

static void test_absent(void **state) {
    (void)state;
    uint8_t data[256];
    wlk_limits limits;
    wlk_error error;
    wlk_limits_default(&limits);
    const size_t size = with_header(data, HEADER("|i1", "(1,)"), "a", 1);
    const format_input input = {.data = data, .size = size, .limits = &limits, .absent = 1};
    assert_int_equal(format_parse_npy(&input, NULL, &error), WLK_UNDECIDED);
    assert_string_equal(wlk_rule_name(error.rule), "npy.truncated");
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),     cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_absent),      cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_own_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
