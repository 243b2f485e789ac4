
#include "base/checked.h"
#include "base/dtype.h"
#include "base/memory.h"
#include "formats/wlk/reader.h"
#include "image/checks.h"

enum { BLOCK_BYTES, BLOCK_ELEMENTS, BLOCK_KIND, BLOCK_KEYS };
static const schema_key block_keys[BLOCK_KEYS] = {
    [BLOCK_BYTES] = {"bytes", KIND_UINT, true, false},
    [BLOCK_ELEMENTS] = {"elements", KIND_UINT, true, false},
    [BLOCK_KIND] = {"kind", KIND_STR, true, false},
};
static const schema block_schema = SCHEMA_OF(block_keys);

enum {
    TENSOR_BLOCK,
    TENSOR_CODEC,
    TENSOR_DTYPE,
    TENSOR_NAME,
    TENSOR_NBYTES,
    TENSOR_OFFSET,
    TENSOR_SHAPE,
    TENSOR_KEYS
};
static const schema_key tensor_keys[TENSOR_KEYS] = {
    [TENSOR_BLOCK] = {"block", KIND_MAP, false, false},
    [TENSOR_CODEC] = {"codec", KIND_STR, true, false},
    [TENSOR_DTYPE] = {"dtype", KIND_STR, true, false},
    [TENSOR_NAME] = {"name", KIND_STR, true, true},
    [TENSOR_NBYTES] = {"nbytes", KIND_UINT, true, false},
    [TENSOR_OFFSET] = {"offset", KIND_UINT, true, false},
    [TENSOR_SHAPE] = {"shape", KIND_ARRAY, true, false},
};
static const schema tensor_schema = SCHEMA_OF(tensor_keys);

/* The parent has been told by the envelope, which is signed, whether to expect any. */
static wlk_status read_codec(const reader *r, const element *e, const msgpack_object *codec,
                             tensor_entry *tensor, wlk_error *error) {
    tensor->packed = schema_is_word(codec, "zstd");
    if (!tensor->packed && !schema_is_word(codec, "raw")) {
        return element_refuse(e, codec, RULE_HEADER_CODEC_UNKNOWN, error);
    }
    const bool expected = r->envelope.codecs == ENVELOPE_CODEC_ZSTD;
    return tensor->packed && !expected ? element_refuse(e, codec, RULE_HEADER_CODEC, error)
                                       : WLK_OK;
}

static wlk_status read_dtype(const element *e, const msgpack_object *name, tensor_entry *tensor,
                             wlk_error *error) {
    tensor->dtype = wlk_dtype_from_name(name->via.str.ptr, name->via.str.size);
    if (tensor->dtype != WLK_DTYPE_NONE) return WLK_OK;
    return element_refuse(e, name, RULE_TENSOR_DTYPE, error);
}

static wlk_status read_shape(const element *e, const msgpack_object *shape, tensor_entry *tensor,
                             uint64_t *count, wlk_error *error) {
    const msgpack_object_array *dims = &shape->via.array;
    if (dims->size > WLK_MAX_RANK) return element_refuse(e, shape, RULE_TENSOR_SHAPE, error);
    TRY(schema_check_list(e, shape, KIND_UINT, error));
    tensor->rank = dims->size;
    for (uint32_t i = 0; i < dims->size; i++) tensor->shape[i] = dims->ptr[i].via.u64;
    if (shape_count(tensor->shape, tensor->rank, count)) return WLK_OK;
    return element_refuse(e, shape, RULE_TENSOR_SHAPE, error);
}

static bool narrow(uint64_t value, uint32_t *out) {
    *out = (uint32_t)value;
    return value <= UINT32_MAX;
}

static wlk_status read_geometry(const element *e, const msgpack_object *block, tensor_entry *tensor,
                                wlk_error *error) {
    const msgpack_object *fields[BLOCK_KEYS];
    TRY(schema_read(e, block, &block_schema, fields, error));
    const msgpack_object_str *kind = &fields[BLOCK_KIND]->via.str;
    if (!block_kind_valid(kind->ptr, kind->size)) {
        return element_refuse(e, fields[BLOCK_KIND], RULE_TENSOR_BLOCK, error);
    }
    const bool fits = narrow(fields[BLOCK_ELEMENTS]->via.u64, &tensor->block_elements) &&
                      narrow(fields[BLOCK_BYTES]->via.u64, &tensor->block_bytes);
    if (!fits || !block_geometry_valid(tensor->block_elements, tensor->block_bytes)) {
        return element_refuse(e, block, RULE_TENSOR_BLOCK, error);
    }
    tensor->block_kind = reader_text(e, fields[BLOCK_KIND]);
    return WLK_OK;
}

/* A layout of blocks, for dtype block and no other; blocks lie along the last
 * dimension, and none holds parts of two rows. */
static wlk_status read_block(const element *e, const msgpack_object *const *fields,
                             tensor_entry *tensor, wlk_error *error) {
    const msgpack_object *block = fields[TENSOR_BLOCK];
    if ((tensor->dtype == WLK_BLOCK) != (block != NULL)) {
        return element_refuse(e, block ? block : e->root, RULE_TENSOR_BLOCK, error);
    }
    if (!block) return WLK_OK;
    TRY(read_geometry(e, block, tensor, error));
    if (tensor->rank == 0 || tensor->shape[tensor->rank - 1] % tensor->block_elements != 0) {
        return element_refuse(e, fields[TENSOR_SHAPE], RULE_TENSOR_BLOCK, error);
    }
    return WLK_OK;
}

static bool size_fits(const tensor_entry *tensor, uint64_t count) {
    const block_record block = {.elements = tensor->block_elements, .bytes = tensor->block_bytes};
    return tensor_size_fits(tensor->dtype, tensor->shape, tensor->rank, count,
                            tensor->dtype == WLK_BLOCK ? &block : NULL, tensor->nbytes);
}

/* Tensors follow each other without a choice: *end is where the one before ended
 * and where this one does. */
static wlk_status read_place(const element *e, const msgpack_object *const *fields,
                             uint64_t data_len, tensor_entry *tensor, uint64_t *end,
                             wlk_error *error) {
    uint64_t expected;
    tensor->offset = fields[TENSOR_OFFSET]->via.u64;
    tensor->stored = tensor->nbytes = fields[TENSOR_NBYTES]->via.u64;
    if (!checked_align(*end, ENVELOPE_TENSOR_ALIGN, &expected) || tensor->offset != expected) {
        return element_refuse(e, fields[TENSOR_OFFSET], RULE_HEADER_TENSOR_OFFSET, error);
    }
    if (!range_within(tensor->offset, tensor->stored, data_len)) {
        return element_refuse(e, fields[TENSOR_NBYTES], RULE_HEADER_TENSOR_RANGE, error);
    }
    *end = tensor->offset + tensor->stored;
    return WLK_OK;
}

/* What the tensor is, where it lies, and that it has as many bytes as that needs. */
static wlk_status read_form(const reader *r, const element *e, const msgpack_object *const *fields,
                            tensor_entry *tensor, uint64_t *end, wlk_error *error) {
    uint64_t count;
    TRY(read_codec(r, e, fields[TENSOR_CODEC], tensor, error));
    TRY(read_dtype(e, fields[TENSOR_DTYPE], tensor, error));
    TRY(read_shape(e, fields[TENSOR_SHAPE], tensor, &count, error));
    TRY(read_block(e, fields, tensor, error));
    tensor->nbytes = fields[TENSOR_NBYTES]->via.u64;
    if (!tensor->packed && !size_fits(tensor, count)) {
        return element_refuse(e, fields[TENSOR_NBYTES], RULE_TENSOR_SIZE, error);
    }
    TRY(read_place(e, fields, r->envelope.data_len, tensor, end, error));
    if (!tensor->packed) return WLK_OK;
    TRY(packed_measure(r, tensor, error));
    return size_fits(tensor, count)
               ? WLK_OK
               : error_at(error, RULE_TENSOR_SIZE, r->envelope.data_off + tensor->offset);
}

static wlk_status read_tensor(reader *r, const element *e, uint32_t index, uint64_t *end,
                              wlk_error *error) {
    const msgpack_object *fields[TENSOR_KEYS];
    TRY(schema_read(e, e->root, &tensor_schema, fields, error));
    tensor_entry *tensor = &r->tensors[index];
    *tensor =
        (tensor_entry){.name = reader_text(e, fields[TENSOR_NAME]), .described_at = e->slice.base};
    TRY(read_form(r, e, fields, tensor, end, error));
    const name_entry name = {.text = tensor->name.text,
                             .length = (uint32_t)tensor->name.length,
                             .kind = NAME_TENSOR,
                             .offset = tensor->name.offset,
                             .index = index};
    return names_add(&r->names, &name, error);
}

wlk_status tensors_read(reader *r, wlk_error *error) {
    cursor at;
    uint64_t end = 0;
    bool any = false;
    TRY(reader_array(r->fields[HEADER_TENSORS], r->limits->tensors, RULE_LIMIT_TENSORS, &at,
                     &r->tensor_count, error));
    r->tensors = mem_zeroed(r->tensor_count, sizeof *r->tensors);
    if (!r->tensors) return error_at(error, RULE_INTERNAL_MEMORY, at.base);
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < r->tensor_count; i++) {
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(read_tensor(r, &e, i, &end, error));
        any |= r->tensors[i].packed;
    }
    const bool expected = r->envelope.codecs == ENVELOPE_CODEC_ZSTD;
    return any == expected ? WLK_OK : error_at(error, RULE_HEADER_CODEC, at.base);
}

static uint32_t build_block(const reader *r, const tensor_entry *tensor) {
    if (tensor->dtype != WLK_BLOCK) return IMAGE_NONE;
    return image_block(r->builder, reader_name(r, tensor->block_kind), tensor->block_elements,
                       tensor->block_bytes, tensor->described_at);
}

/* The payload, which lies within the artifact; NULL where it is absent. */
static const uint8_t *payload_of(const reader *r, uint64_t file_offset, uint64_t nbytes) {
    cursor file = cursor_over(r->input->data, r->input->size, 0);
    return cursor_skip(&file, file_offset) ? cursor_take(&file, nbytes) : NULL;
}

static wlk_status build_tensor(const reader *r, uint32_t index, wlk_error *error) {
    const tensor_entry *tensor = &r->tensors[index];
    const uint64_t file_offset = r->envelope.data_off + tensor->offset;
    const image_tensor_spec spec = {
        .name = reader_name(r, tensor->name),
        .dtype = tensor->dtype,
        .rank = tensor->rank,
        .shape = tensor->shape,
        .block = build_block(r, tensor),
        .data = tensor->packed ? NULL : payload_of(r, file_offset, tensor->nbytes),
        .nbytes = tensor->nbytes,
        .file_offset = tensor->packed ? WLK_NO_OFFSET : file_offset,
        .offset = tensor->described_at,
    };
    const uint32_t built =
        tensor->packed ? image_tensor_begin(r->builder, &spec) : image_tensor(r->builder, &spec);
    TRY(reader_built(r, error));
    if (built != index) return error_at(error, RULE_INTERNAL_DEFECT, tensor->described_at);
    return tensor->packed ? packed_build(r, tensor, error) : WLK_OK;
}

wlk_status tensors_build(const reader *r, wlk_error *error) {
    for (uint32_t i = 0; i < r->tensor_count; i++) TRY(build_tensor(r, i, error));
    return WLK_OK;
}
