#include "formats/onnx/tensor.h"

#include <string.h>

#include "base/dtype.h"

wlk_status onnx_tensor_dims(const reader *r, cursor message, uint32_t field, uint64_t *shape,
                            uint32_t *rank, wlk_error *error) {
    number_list list;
    TRY(onnx_numbers_find(message, field, FIELD_INT, &list, error));
    if (list.count > WLK_MAX_RANK || list.count > r->limits->rank) {
        return error_at(error, RULE_LIMIT_RANK, message.base);
    }
    number_walk walk = onnx_numbers_walk(&list);
    *rank = (uint32_t)list.count;
    for (uint32_t i = 0; i < *rank; i++) {
        const wlk_rule rule = onnx_numbers_next(&walk, &shape[i]);
        if (rule != RULE_NONE) return error_at(error, rule, walk.offset);
        if (shape[i] > INT64_MAX) return error_at(error, RULE_ONNX_DIMENSION, walk.offset);
    }
    return WLK_OK;
}

/* Where the elements of a tensor are said to lie: the value of the entry "location". */
static cursor external_location(cursor message) {
    static const char key[] = "location";
    proto_field field;
    while (onnx_proto_each_of(&message, TENSOR_EXTERNAL, &field)) {
        const cursor said = onnx_proto_bytes_of(field.bytes, ENTRY_KEY);
        if (said.size == sizeof key - 1 && memcmp(said.data, key, said.size) == 0) {
            return onnx_proto_bytes_of(field.bytes, ENTRY_VALUE);
        }
    }
    return cursor_over((const uint8_t *)"", 0, 0);
}

#define MOST_QUOTED 160 /* bytes of a path: what there is room for */

/* The path is quoted, and never opened. */
static wlk_status refuse_external(cursor message, uint64_t offset, wlk_error *error) {
    const cursor path = external_location(message);
    const int length = path.size < MOST_QUOTED ? (int)path.size : MOST_QUOTED;
    if (length == 0) return error_at(error, RULE_ONNX_EXTERNAL_DATA, offset);
    return error_text(error, RULE_ONNX_EXTERNAL_DATA, offset, "\"%.*s\"", length,
                      (const char *)path.data);
}

/* Elements outside of this file, or a part of a tensor, are nothing that can be read here. */
static wlk_status check_place(cursor message, wlk_error *error) {
    const cursor all = message;
    proto_field field;
    if (onnx_proto_each_of(&message, TENSOR_EXTERNAL, &field)) {
        return refuse_external(all, field.offset, error);
    }
    message = all;
    if (onnx_proto_each_of(&message, TENSOR_LOCATION, &field) && field.value != 0) {
        return refuse_external(all, field.offset, error);
    }
    message = all;
    if (onnx_proto_each_of(&message, TENSOR_SEGMENT, &field)) {
        return error_at(error, RULE_ONNX_SEGMENT, field.offset);
    }
    return WLK_OK;
}

/* Is it one of the fields that hold elements? */
static bool holds_elements(uint32_t number) {
    return number == TENSOR_FLOATS || number == TENSOR_INT32S || number == TENSOR_STRINGS ||
           number == TENSOR_INT64S || number == TENSOR_DOUBLES || number == TENSOR_UINT64S;
}

/* All elements lie in the field of their dtype, or in raw_data. An empty packed field holds
 * nothing. */
static wlk_status check_fields(const tensor_form *form, const element_form *elements,
                               wlk_error *error) {
    cursor message = form->message;
    proto_field field;
    while (onnx_proto_each(&message, &field)) {
        const bool empty =
            field.wire == PROTO_BYTES && field.bytes.size == 0 && field.number != TENSOR_STRINGS;
        if (!holds_elements(field.number) || empty) continue;
        if (form->is_raw) return error_at(error, RULE_ONNX_DATA_TWICE, field.offset);
        if (!elements || field.number != elements->field) {
            return error_at(error, RULE_ONNX_DATA_FIELD, field.offset);
        }
    }
    return WLK_OK;
}

static wlk_status open_raw(tensor_form *form, wlk_error *error) {
    uint64_t bad, nbytes;
    if (form->dtype == WLK_STR) return error_at(error, RULE_ONNX_DATA_FIELD, form->raw.base);
    if (!dtype_nbytes(form->dtype, form->count, &nbytes) || nbytes != form->raw.size) {
        return error_at(error, RULE_ONNX_DATA_COUNT, form->raw.base);
    }
    if (payload_valid(form->dtype, form->count, form->raw.data, nbytes, &bad)) return WLK_OK;
    return error_at(error, RULE_TENSOR_PAYLOAD, form->raw.base + bad);
}

/* How many numbers the shape needs; the payload's size, but for strings. */
static bool numbers_needed(tensor_form *form, const element_form *elements, uint64_t *count) {
    *count = form->count;
    if (form->dtype == WLK_STR) return true;
    if (!dtype_nbytes(form->dtype, form->count, &form->nbytes)) return false;
    if (wlk_dtype_bits(form->dtype) != 6) *count = form->nbytes / elements->width;
    return true;
}

static wlk_status open_typed(tensor_form *form, const element_form *elements, wlk_error *error) {
    uint64_t needed;
    if (!elements) return error_at(error, RULE_ONNX_DATA_FIELD, form->message.base);
    TRY(onnx_numbers_find(form->message, elements->field, (field_kind)elements->kind, &form->list,
                          error));
    if (numbers_needed(form, elements, &needed) && needed == form->list.count) return WLK_OK;
    return error_at(error, RULE_ONNX_DATA_COUNT, form->message.base);
}

wlk_status onnx_tensor_open(const reader *r, cursor message, tensor_form *form, wlk_error *error) {
    proto_field raw;
    cursor rest = message;
    *form = (tensor_form){.message = message};
    TRY(check_place(message, error));
    TRY(onnx_type_dtype(onnx_proto_value_of(message, TENSOR_TYPE, 0), message.base, &form->dtype,
                        error));
    TRY(onnx_tensor_dims(r, message, TENSOR_DIMS, form->shape, &form->rank, error));
    if (!shape_count(form->shape, form->rank, &form->count)) {
        return error_at(error, RULE_TENSOR_SHAPE, message.base);
    }
    form->is_raw = onnx_proto_each_of(&rest, TENSOR_RAW, &raw);
    if (form->is_raw) form->raw = raw.bytes;
    const element_form *elements = onnx_element_form(form->dtype);
    TRY(check_fields(form, elements, error));
    return form->is_raw ? open_raw(form, error) : open_typed(form, elements, error);
}

static wlk_status build_raw(reader *r, const tensor_form *form, image_tensor_spec *spec,
                            uint32_t *tensor, wlk_error *error) {
    spec->data = form->raw.data;
    spec->nbytes = form->raw.size;
    spec->file_offset = form->raw.base;
    *tensor = image_tensor(r->builder, spec);
    TRY(onnx_built(r, error));
    return onnx_byte_map_add(r, WLK_SPAN_PAYLOAD, form->raw.base, form->raw.size, *tensor, error);
}

/* Last number of a nibble type: the bits behind the last element are zero. */
static wlk_status check_nibbles(const tensor_form *form, wlk_error *error) {
    number_walk walk = onnx_numbers_walk(&form->list);
    uint64_t value = 0;
    if (wlk_dtype_bits(form->dtype) != 4 || form->count % 2 == 0) return WLK_OK;
    for (uint64_t i = 0; i < form->list.count; i++) {
        const wlk_rule rule = onnx_numbers_next(&walk, &value);
        if (rule != RULE_NONE) return error_at(error, rule, walk.offset);
    }
    return value < 16 ? WLK_OK : error_at(error, RULE_TENSOR_PAYLOAD, walk.offset);
}

wlk_status onnx_tensor_read(reader *r, cursor message, uint32_t name, uint32_t *tensor,
                            wlk_error *error) {
    tensor_form form;
    TRY(onnx_tensor_open(r, message, &form, error));
    image_tensor_spec spec = {.name = name,
                              .dtype = form.dtype,
                              .rank = form.rank,
                              .shape = form.shape,
                              .block = IMAGE_NONE,
                              .nbytes = form.nbytes,
                              .offset = message.base};
    if (form.is_raw) return build_raw(r, &form, &spec, tensor, error);
    TRY(check_nibbles(&form, error));
    return onnx_numbers_build(r, &form.list, &spec, tensor, error);
}

/* ---- one tensor for each place in the file */

typedef struct place_key {
    char text[11];
} place_key;

static place_key key_of(cursor message) {
    place_key key;
    char *upper = onnx_key_number(key.text, (uint32_t)message.base);
    *onnx_key_number(upper, (uint32_t)(message.base >> 32)) = '\0';
    return key;
}

uint32_t onnx_tensor_shared(const reader *r, cursor message) {
    const place_key key = key_of(message);
    uint32_t tensor = IMAGE_NONE;
    (void)name_map_get(r->shared, key.text, &tensor);
    return tensor;
}

/* Without functions nothing is read twice. */
wlk_status onnx_tensor_share(reader *r, cursor message, uint32_t tensor, wlk_error *error) {
    const place_key key = key_of(message);
    if (r->functions.count == 0 || name_map_set(r->shared, key.text, tensor)) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status onnx_tensor_once(reader *r, cursor message, uint32_t *tensor, wlk_error *error) {
    *tensor = onnx_tensor_shared(r, message);
    if (*tensor != IMAGE_NONE) return WLK_OK;
    TRY(onnx_tensor_read(r, message, 0, tensor, error));
    return onnx_tensor_share(r, message, *tensor, error);
}
