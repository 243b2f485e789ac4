#include "formats/onnx/numbers.h"

#include "base/dtype.h"
#include "base/utf8.h"

#define CHUNK 4096

/* ---- finding and counting */

/* A varint ends with its first byte below 128. */
static uint64_t count_varints(const cursor *piece) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < piece->size; i++) count += piece->data[i] < 0x80;
    return count;
}

static wlk_status count_piece(number_list *list, const cursor *piece, wlk_error *error) {
    const uint64_t width = list->kind == FIELD_FLOAT ? 4 : 8;
    const bool ints = list->kind == FIELD_INT;
    const bool ends =
        ints ? piece->size == 0 || piece->data[piece->size - 1] < 0x80 : piece->size % width == 0;
    if (!ends) return error_at(error, RULE_ONNX_TRUNCATED, piece->base + piece->size);
    list->count += ints ? count_varints(piece) : piece->size / width;
    return WLK_OK;
}

wlk_status onnx_numbers_find(cursor message, uint32_t field, field_kind kind, number_list *list,
                             wlk_error *error) {
    proto_field found;
    uint64_t times = 0;
    *list = (number_list){.message = message, .field = field, .kind = kind};
    while (onnx_proto_each_of(&message, field, &found)) {
        times++;
        list->whole = times == 1 && found.wire == PROTO_BYTES && kind != FIELD_TEXT;
        list->piece = found.bytes;
        if (kind == FIELD_TEXT) {
            list->count++;
            list->text_bytes += found.bytes.size; /* all within the file */
        } else if (found.wire == PROTO_BYTES) {
            TRY(count_piece(list, &found.bytes, error));
        } else {
            list->count += 1 + onnx_proto_skip_alike(&message, &found);
        }
    }
    return WLK_OK;
}

number_walk onnx_numbers_walk(const number_list *list) {
    return (number_walk){.message = list->message, .field = list->field, .kind = list->kind};
}

static inline wlk_rule read_number(field_kind kind, cursor *c, uint64_t *value) {
    uint32_t bits;
    if (kind == FIELD_INT) return onnx_proto_varint(c, value);
    if (kind == FIELD_DOUBLE) return cursor_u64(c, value) ? RULE_NONE : RULE_ONNX_TRUNCATED;
    if (!cursor_u32(c, &bits)) return RULE_ONNX_TRUNCATED;
    *value = bits;
    return RULE_NONE;
}

/* Does a number follow behind one with the same tag, as most do where each has one? Then the
 * tag is passed. */
static inline bool follows_alike(number_walk *walk) {
    cursor *c = &walk->message;
    uint8_t tag;
    if (walk->tag == 0 || !cursor_peek_u8(c, &tag) || tag != walk->tag) return false;
    walk->offset = cursor_offset(c);
    return cursor_skip(c, 1);
}

/* Of a field below 16, as all are that hold numbers: one byte. */
static uint8_t short_tag(const proto_field *field) {
    return field->number < 16 ? (uint8_t)(field->number << 3 | field->wire) : 0;
}

wlk_rule onnx_numbers_next(number_walk *walk, uint64_t *value) {
    proto_field field;
    *value = 0;
    while (cursor_left(&walk->piece) == 0) {
        if (follows_alike(walk)) return read_number(walk->kind, &walk->message, value);
        if (!onnx_proto_each_of(&walk->message, walk->field, &field)) return RULE_NONE;
        walk->offset = field.offset;
        *value = field.value;
        if (field.wire != PROTO_BYTES) {
            walk->tag = short_tag(&field);
            return RULE_NONE;
        }
        walk->piece = field.bytes;
    }
    walk->offset = cursor_offset(&walk->piece);
    return read_number(walk->kind, &walk->piece, value);
}

/* ---- elements */

#define INT32S(width, least, most) \
    { TENSOR_INT32S, FIELD_INT, 1, width, least, most }

static const element_form forms[WLK_DTYPE_COUNT] = {
    [WLK_F64] = {TENSOR_DOUBLES, FIELD_DOUBLE, 1, 8, 0, UINT64_MAX},
    [WLK_F32] = {TENSOR_FLOATS, FIELD_FLOAT, 1, 4, 0, UINT64_MAX},
    [WLK_C64] = {TENSOR_FLOATS, FIELD_FLOAT, 2, 4, 0, UINT64_MAX},
    [WLK_C128] = {TENSOR_DOUBLES, FIELD_DOUBLE, 2, 8, 0, UINT64_MAX},
    [WLK_I64] = {TENSOR_INT64S, FIELD_INT, 1, 8, INT64_MIN, INT64_MAX},
    [WLK_U64] = {TENSOR_UINT64S, FIELD_INT, 1, 8, 0, UINT64_MAX},
    [WLK_U32] = {TENSOR_UINT64S, FIELD_INT, 1, 4, 0, UINT32_MAX},
    [WLK_I32] = INT32S(4, INT32_MIN, INT32_MAX),
    [WLK_I16] = INT32S(2, INT16_MIN, INT16_MAX),
    [WLK_I8] = INT32S(1, INT8_MIN, INT8_MAX),
    [WLK_U16] = INT32S(2, 0, UINT16_MAX),
    [WLK_U8] = INT32S(1, 0, UINT8_MAX),
    [WLK_BOOL] = INT32S(1, 0, 1),
    [WLK_F16] = INT32S(2, 0, UINT16_MAX),
    [WLK_BF16] = INT32S(2, 0, UINT16_MAX),
    [WLK_F8E4M3FN] = INT32S(1, 0, UINT8_MAX),
    [WLK_F8E5M2] = INT32S(1, 0, UINT8_MAX),
    [WLK_F8E4M3FNUZ] = INT32S(1, 0, UINT8_MAX),
    [WLK_F8E5M2FNUZ] = INT32S(1, 0, UINT8_MAX),
    [WLK_F8E8M0] = INT32S(1, 0, UINT8_MAX),
    /* two elements in a number, the first in the low bits: the payload's byte */
    [WLK_I4] = INT32S(1, 0, UINT8_MAX),
    [WLK_U4] = INT32S(1, 0, UINT8_MAX),
    [WLK_F4E2M1] = INT32S(1, 0, UINT8_MAX),
    /* one element in a number; packed when they are built */
    [WLK_F6E2M3] = INT32S(1, 0, 63),
    [WLK_F6E3M2] = INT32S(1, 0, 63),
    [WLK_STR] = {TENSOR_STRINGS, FIELD_TEXT, 1, 8, 0, 0},
};

const element_form *onnx_element_form(wlk_dtype dtype) {
    return forms[dtype].field == 0 ? NULL : &forms[dtype];
}

/* An int's value is its 64 bits, whatever its type. */
static bool in_range(const element_form *form, uint64_t value) {
    if (form->least < 0) {
        return (int64_t)value >= form->least && (int64_t)value <= (int64_t)form->most;
    }
    return value <= form->most;
}

static inline wlk_status next_element(number_walk *walk, const element_form *form, uint64_t *value,
                                      wlk_error *error) {
    const wlk_rule rule = onnx_numbers_next(walk, value);
    if (rule != RULE_NONE) return error_at(error, rule, walk->offset);
    return in_range(form, *value) ? WLK_OK : error_at(error, RULE_ONNX_NUMBER, walk->offset);
}

wlk_status onnx_numbers_copy(const number_list *list, const element_form *form, uint8_t *memory,
                             wlk_error *error) {
    number_walk walk = onnx_numbers_walk(list);
    for (uint64_t i = 0; i < list->count; i++) {
        uint64_t value;
        TRY(next_element(&walk, form, &value, error));
        memcpy(memory + i * form->width, &value, form->width); /* little-endian, as all here */
    }
    return WLK_OK;
}

/* ---- tensors of numbers */

static wlk_status stream_numbers(reader *r, const number_list *list, const element_form *form,
                                 wlk_error *error) {
    uint8_t chunk[CHUNK + 8];
    uint64_t used = 0;
    number_walk walk = onnx_numbers_walk(list);
    for (uint64_t i = 0; i < list->count; i++) {
        uint64_t value;
        TRY(next_element(&walk, form, &value, error));
        store_u64(chunk + used, value); /* the next one overwrites what is too much */
        used += form->width;
        if (used < CHUNK) continue;
        (void)image_payload(r->builder, chunk, used);
        used = 0;
    }
    (void)image_payload(r->builder, chunk, used);
    return onnx_built(r, error);
}

/* Four elements of 6 bits in three bytes, the first in the lowest bits. */
static wlk_status stream_sixes(reader *r, const number_list *list, const element_form *form,
                               wlk_error *error) {
    number_walk walk = onnx_numbers_walk(list);
    uint32_t bits = 0, used = 0;
    for (uint64_t i = 0; i < list->count; i++) {
        uint64_t element;
        TRY(next_element(&walk, form, &element, error));
        bits |= (uint32_t)element << used;
        used += 6;
        for (; used >= 8 || (used > 0 && i + 1 == list->count); bits >>= 8) {
            const uint8_t byte = (uint8_t)bits;
            (void)image_payload(r->builder, &byte, 1);
            used -= used < 8 ? used : 8;
        }
    }
    return onnx_built(r, error);
}

static wlk_status stream(reader *r, const number_list *list, wlk_dtype dtype, wlk_error *error) {
    const element_form *form = onnx_element_form(dtype);
    if (wlk_dtype_bits(dtype) == 6) return stream_sixes(r, list, form, error);
    return stream_numbers(r, list, form, error);
}

/* Do the bytes lie in the file as in the payload? Floats do; booleans, if each takes a byte. */
static bool lies_unchanged(const number_list *list, const image_tensor_spec *spec) {
    uint64_t bad;
    if (!list->whole || list->piece.size != spec->nbytes) return false;
    if (list->kind != FIELD_INT) return true;
    return spec->dtype == WLK_BOOL &&
           payload_valid(WLK_BOOL, list->count, list->piece.data, list->piece.size, &bad);
}

static wlk_status build_numbers(reader *r, const number_list *list, image_tensor_spec *spec,
                                uint32_t *tensor, wlk_error *error) {
    if (lies_unchanged(list, spec)) {
        spec->data = list->piece.data;
        spec->file_offset = list->piece.base;
        *tensor = image_tensor(r->builder, spec);
    } else {
        spec->file_offset = WLK_NO_OFFSET;
        *tensor = image_tensor_begin(r->builder, spec);
        TRY(onnx_built(r, error));
        TRY(stream(r, list, spec->dtype, error));
    }
    TRY(onnx_built(r, error));
    if (!list->whole) return WLK_OK;
    return onnx_byte_map_add(r, WLK_SPAN_PAYLOAD, list->piece.base, list->piece.size, *tensor,
                             error);
}

/* ---- tensors of texts: where each begins, then all of them */

static void stream_offsets(reader *r, const number_list *list) {
    uint8_t chunk[CHUNK];
    uint64_t used = 8, at = 0;
    cursor message = list->message;
    proto_field field;
    store_u64(chunk, 0);
    while (onnx_proto_each_of(&message, list->field, &field)) {
        if (used == CHUNK) {
            (void)image_payload(r->builder, chunk, used);
            used = 0;
        }
        at += field.bytes.size;
        store_u64(chunk + used, at);
        used += 8;
    }
    (void)image_payload(r->builder, chunk, used);
}

static wlk_status stream_texts(reader *r, const number_list *list, wlk_error *error) {
    uint8_t chunk[CHUNK];
    uint64_t used = 0;
    cursor message = list->message;
    proto_field field;
    while (onnx_proto_each_of(&message, list->field, &field)) {
        const cursor *text = &field.bytes;
        if (!utf8_valid_payload(text->data, text->size)) {
            return error_at(error, RULE_STRING_UTF8, text->base);
        }
        if (used + text->size > CHUNK) {
            (void)image_payload(r->builder, chunk, used);
            used = 0;
        }
        if (text->size > CHUNK) {
            (void)image_payload(r->builder, text->data, text->size);
        } else if (text->size > 0) {
            memcpy(chunk + used, text->data, text->size);
            used += text->size;
        }
    }
    (void)image_payload(r->builder, chunk, used);
    return WLK_OK;
}

static wlk_status build_texts(reader *r, const number_list *list, image_tensor_spec *spec,
                              uint32_t *tensor, wlk_error *error) {
    spec->nbytes = (list->count + 1) * 8 + list->text_bytes; /* at most 9 times the file */
    spec->file_offset = WLK_NO_OFFSET;
    *tensor = image_tensor_begin(r->builder, spec);
    TRY(onnx_built(r, error));
    stream_offsets(r, list);
    TRY(stream_texts(r, list, error));
    return onnx_built(r, error);
}

wlk_status onnx_numbers_build(reader *r, const number_list *list, image_tensor_spec *spec,
                              uint32_t *tensor, wlk_error *error) {
    if (spec->dtype == WLK_STR) return build_texts(r, list, spec, tensor, error);
    return build_numbers(r, list, spec, tensor, error);
}
