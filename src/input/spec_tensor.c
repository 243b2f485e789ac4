/* Tensors of a specification: from a .npy file, from text, from numbers, or from
 * raw bytes (spec_reader.h). */
#include <string.h>

#include "base/dtype.h"
#include "base/memory.h"
#include "input/file.h"
#include "input/npy.h"
#include "input/spec_reader.h"

typedef enum tensor_key {
    TENSOR_NAME,
    TENSOR_FILE,
    TENSOR_STRINGS,
    TENSOR_VALUES,
    TENSOR_RAW,
    TENSOR_DTYPE,
    TENSOR_SHAPE,
    TENSOR_BLOCK,
    TENSOR_KEYS
} tensor_key;

static const spec_key tensor_keys[TENSOR_KEYS] = {
    [TENSOR_NAME] = {"name", SPEC_STRING, true},
    [TENSOR_FILE] = {"file", SPEC_STRING, false},
    [TENSOR_STRINGS] = {"strings", SPEC_ARRAY, false},
    [TENSOR_VALUES] = {"values", SPEC_ARRAY, false},
    [TENSOR_RAW] = {"raw", SPEC_STRING, false},
    [TENSOR_DTYPE] = {"dtype", SPEC_STRING, false},
    [TENSOR_SHAPE] = {"shape", SPEC_ARRAY, false},
    [TENSOR_BLOCK] = {"block", SPEC_OBJECT, false},
};

typedef enum block_key { BLOCK_BYTES, BLOCK_ELEMENTS, BLOCK_KIND, BLOCK_KEYS } block_key;

static const spec_key block_keys[BLOCK_KEYS] = {
    [BLOCK_BYTES] = {"bytes", SPEC_INTEGER, true},
    [BLOCK_ELEMENTS] = {"elements", SPEC_INTEGER, true},
    [BLOCK_KIND] = {"kind", SPEC_STRING, true},
};

/* The four forms: the key that says which it is, and the others that go with it. */
typedef struct tensor_form {
    tensor_key source;
    uint32_t with; /* bit i: key i may be there */
    uint32_t needs;
    wlk_status (*read)(spec_reader *r, const spec_path *at, const json_t *const *values,
                       wlk_error *error);
} tensor_form;

static wlk_status add_array(spec_reader *r, const spec_path *at, const char *name,
                            input_array *array, uint32_t *index, wlk_error *error) {
    array->tensor.name = name;
    const wlk_status status = assembler_tensor(r->assembler, &array->tensor, index, error);
    input_array_free(array);
    return spec_locate(status, at, error);
}

/* A model's own arrays are bounded like a model's payloads, not like rows. */
static wlk_limits file_limits(const spec_reader *r) {
    wlk_limits limits = *r->limits;
    limits.input_bytes = limits.output_bytes;
    return limits;
}

static wlk_status read_npy(spec_reader *r, const char *name, input_array *array, wlk_error *error) {
    const wlk_limits limits = file_limits(r);
    input_file file;
    TRY(input_file_read_below(r->folder, name, limits.input_bytes, &file, error));
    wlk_status status = npy_parse(file.data, file.size, &limits, array, error);
    input_file_free(&file);
    if (status != WLK_OK && error && error->text[0] == '\0') {
        status = error_text(error, (wlk_rule)error->rule, error->offset, "%.128s", name);
    }
    return status;
}

wlk_status spec_add_file(spec_reader *r, const spec_path *at, const char *name, const char *file,
                         uint32_t *index, wlk_error *error) {
    input_array array;
    TRY(spec_locate(read_npy(r, file, &array, error), at, error));
    return add_array(r, at, name, &array, index, error);
}

wlk_status spec_shape(const spec_path *at, const json_t *array, uint32_t *rank,
                      uint64_t shape[WLK_MAX_RANK], wlk_error *error) {
    const size_t length = json_array_size(array);
    if (length > WLK_MAX_RANK) {
        return spec_refuse(at, RULE_SPEC_VALUE, error, "more than %d dimensions", WLK_MAX_RANK);
    }
    for (size_t i = 0; i < length; i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(spec_count(&here, json_array_get(array, i), INT64_MAX, &shape[i], error));
    }
    *rank = (uint32_t)length;
    return WLK_OK;
}

/* The shape that is given, or [length]; it must have `length` elements. */
static wlk_status list_shape(const spec_path *at, const json_t *shape_value, uint64_t length,
                             uint32_t *rank, uint64_t shape[WLK_MAX_RANK], wlk_error *error) {
    uint64_t count;
    const spec_path here = spec_key_at(at, "shape");
    *rank = 1;
    shape[0] = length;
    if (!shape_value) return WLK_OK;
    TRY(spec_shape(&here, shape_value, rank, shape, error));
    if (shape_count(shape, *rank, &count) && count == length) return WLK_OK;
    return spec_refuse(&here, RULE_SPEC_VALUE, error, "not the shape of %llu elements",
                       (unsigned long long)length);
}

/* ---- the forms */

static wlk_status read_file_form(spec_reader *r, const spec_path *at, const json_t *const *values,
                                 wlk_error *error) {
    const spec_path here = spec_key_at(at, "file");
    return spec_add_file(r, &here, spec_text(values[TENSOR_NAME]), spec_text(values[TENSOR_FILE]),
                         NULL, error);
}

static wlk_status text_array(const spec_path *at, const char *const *texts, uint64_t count,
                             uint32_t rank, const uint64_t *shape, const wlk_limits *limits,
                             input_array *array, wlk_error *error) {
    uint64_t text_bytes = 0;
    for (uint64_t i = 0; i < count; i++) text_bytes += strlen(texts[i]);
    TRY(spec_locate(
        input_array_new(WLK_STR, rank, shape, text_bytes, limits->output_bytes, array, error), at,
        error));
    for (uint64_t i = 0; i < count; i++) {
        input_array_put_string(array, i, texts[i], strlen(texts[i]));
    }
    return WLK_OK;
}

static wlk_status read_strings_form(spec_reader *r, const spec_path *at,
                                    const json_t *const *values, wlk_error *error) {
    const spec_path here = spec_key_at(at, "strings");
    uint64_t shape[WLK_MAX_RANK];
    uint32_t count, rank;
    const char **texts;
    input_array array;
    TRY(spec_texts(&here, values[TENSOR_STRINGS], &texts, &count, error));
    wlk_status status = list_shape(at, values[TENSOR_SHAPE], count, &rank, shape, error);
    if (status == WLK_OK) {
        status = text_array(at, texts, count, rank, shape, r->limits, &array, error);
    }
    mem_free(texts);
    TRY(status);
    return add_array(r, at, spec_text(values[TENSOR_NAME]), &array, NULL, error);
}

static wlk_status put_value(const spec_path *at, const json_t *value, input_array *array,
                            uint64_t index, wlk_error *error) {
    number n;
    if (array->tensor.dtype == WLK_BOOL && json_is_boolean(value)) {
        n = number_of_int(json_is_true(value));
    } else {
        TRY(spec_number(at, value, &n, error));
    }
    if (element_put(array->tensor.dtype, array->owned, index, &n)) return WLK_OK;
    return spec_refuse(at, RULE_SPEC_VALUE, error, "does not fit %s",
                       wlk_dtype_name(array->tensor.dtype));
}

static wlk_status put_values(const spec_path *at, const json_t *list, input_array *array,
                             wlk_error *error) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(put_value(&here, json_array_get(list, i), array, i, error));
    }
    return WLK_OK;
}

static wlk_status read_values_form(spec_reader *r, const spec_path *at, const json_t *const *values,
                                   wlk_error *error) {
    const spec_path list_at = spec_key_at(at, "values"), dtype_at = spec_key_at(at, "dtype");
    const uint64_t length = json_array_size(values[TENSOR_VALUES]);
    uint64_t shape[WLK_MAX_RANK];
    uint32_t rank;
    wlk_dtype dtype;
    input_array array;
    TRY(spec_dtype(&dtype_at, values[TENSOR_DTYPE], &dtype, error));
    if (!element_is_numeric(dtype)) {
        return spec_refuse(&dtype_at, RULE_INPUT_DTYPE, error, "%s; give the bytes as \"raw\"",
                           wlk_dtype_name(dtype));
    }
    TRY(list_shape(at, values[TENSOR_SHAPE], length, &rank, shape, error));
    TRY(spec_locate(input_array_new(dtype, rank, shape, 0, r->limits->output_bytes, &array, error),
                    at, error));
    const wlk_status status = put_values(&list_at, values[TENSOR_VALUES], &array, error);
    if (status != WLK_OK) {
        input_array_free(&array);
        return status;
    }
    return add_array(r, at, spec_text(values[TENSOR_NAME]), &array, NULL, error);
}

static wlk_status read_block(const spec_path *at, const json_t *object, wlk_tensor *tensor,
                             wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(block_keys);
    const json_t *values[BLOCK_KEYS];
    uint64_t bytes, elements;
    TRY(spec_object(at, object, &schema, values, error));
    const spec_path bytes_at = spec_key_at(at, "bytes"), elements_at = spec_key_at(at, "elements");
    TRY(spec_count(&bytes_at, values[BLOCK_BYTES], UINT16_MAX + 1, &bytes, error));
    TRY(spec_count(&elements_at, values[BLOCK_ELEMENTS], UINT16_MAX + 1, &elements, error));
    tensor->block_bytes = (uint32_t)bytes;
    tensor->block_elements = (uint32_t)elements;
    tensor->block_kind = spec_text(values[BLOCK_KIND]);
    return WLK_OK;
}

/* dtype, shape and block; the bytes come from the file. */
static wlk_status read_raw_description(const spec_path *at, const json_t *const *values,
                                       wlk_tensor *tensor, wlk_error *error) {
    const spec_path dtype_at = spec_key_at(at, "dtype"), shape_at = spec_key_at(at, "shape");
    const spec_path block_at = spec_key_at(at, "block");
    tensor->name = spec_text(values[TENSOR_NAME]);
    TRY(spec_dtype(&dtype_at, values[TENSOR_DTYPE], &tensor->dtype, error));
    TRY(spec_shape(&shape_at, values[TENSOR_SHAPE], &tensor->rank, tensor->shape, error));
    if ((tensor->dtype == WLK_BLOCK) != (values[TENSOR_BLOCK] != NULL)) {
        return spec_refuse(at, RULE_SPEC_CONFLICT, error,
                           "\"block\" is there exactly if the dtype is \"block\"");
    }
    if (!values[TENSOR_BLOCK]) return WLK_OK;
    return read_block(&block_at, values[TENSOR_BLOCK], tensor, error);
}

static wlk_status read_raw_form(spec_reader *r, const spec_path *at, const json_t *const *values,
                                wlk_error *error) {
    const spec_path here = spec_key_at(at, "raw");
    wlk_tensor tensor = {0};
    input_file file;
    TRY(read_raw_description(at, values, &tensor, error));
    TRY(spec_locate(input_file_read_below(r->folder, spec_text(values[TENSOR_RAW]),
                                          r->limits->output_bytes, &file, error),
                    &here, error));
    tensor.data = file.data;
    tensor.nbytes = file.size;
    const wlk_status status = assembler_tensor(r->assembler, &tensor, NULL, error);
    input_file_free(&file);
    return spec_locate(status, &here, error);
}

#define BIT(key) (1u << (key))

static const tensor_form forms[] = {
    {TENSOR_FILE, 0, 0, read_file_form},
    {TENSOR_STRINGS, BIT(TENSOR_SHAPE), 0, read_strings_form},
    {TENSOR_VALUES, BIT(TENSOR_DTYPE) | BIT(TENSOR_SHAPE), BIT(TENSOR_DTYPE), read_values_form},
    {TENSOR_RAW, BIT(TENSOR_DTYPE) | BIT(TENSOR_SHAPE) | BIT(TENSOR_BLOCK),
     BIT(TENSOR_DTYPE) | BIT(TENSOR_SHAPE), read_raw_form},
};

static wlk_status check_form(const tensor_form *form, const spec_path *at,
                             const json_t *const *values, wlk_error *error) {
    for (uint32_t i = TENSOR_FILE; i < TENSOR_KEYS; i++) {
        const bool expected = i == form->source || (form->with & BIT(i));
        if (values[i] && !expected) {
            return spec_refuse(at, RULE_SPEC_CONFLICT, error, "\"%s\" and \"%s\"",
                               tensor_keys[form->source].name, tensor_keys[i].name);
        }
        if (!values[i] && (form->needs & BIT(i))) {
            return spec_refuse(at, RULE_SPEC_MISSING_KEY, error, "\"%s\"", tensor_keys[i].name);
        }
    }
    return WLK_OK;
}

static wlk_status read_tensor(spec_reader *r, const spec_path *at, const json_t *object,
                              wlk_error *error) {
    static const spec_schema schema = SPEC_SCHEMA(tensor_keys);
    const json_t *values[TENSOR_KEYS];
    TRY(spec_object(at, object, &schema, values, error));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!values[forms[i].source]) continue;
        TRY(check_form(&forms[i], at, values, error));
        return forms[i].read(r, at, values, error);
    }
    return spec_refuse(at, RULE_SPEC_MISSING_KEY, error,
                       "one of \"file\", \"strings\", \"values\", \"raw\"");
}

wlk_status spec_read_tensors(spec_reader *r, const spec_path *at, const json_t *array,
                             wlk_error *error) {
    for (size_t i = 0; i < json_array_size(array); i++) {
        const spec_path here = spec_index_at(at, i);
        TRY(read_tensor(r, &here, json_array_get(array, i), error));
    }
    return WLK_OK;
}
