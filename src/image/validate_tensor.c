#include "base/checked.h"
#include "base/dtype.h"
#include "image/checks.h"
#include "image/validate_internal.h"

#define PAYLOAD_ALIGN 64

wlk_status validate_blocks(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_BLOCKS]; i++) {
        const block_record *block = &v->view.blocks[i];
        TRY(validation_name(v, block->kind, WLK_SECTION_BLOCKS, i));
        const string_record *kind = &v->view.strings[block->kind];
        if (block->reserved != 0) {
            return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_BLOCKS, i);
        }
        if (!block_kind_valid(v->view.text + kind->offset, kind->length) ||
            !block_geometry_valid(block->elements, block->bytes)) {
            return validation_fail(v, RULE_IMAGE_BLOCK, WLK_SECTION_BLOCKS, i);
        }
    }
    return WLK_OK;
}

/* ---- tensors */

static bool shape_is_canonical(const tensor_record *tensor) {
    for (uint32_t i = tensor->rank; i < WLK_MAX_RANK; i++) {
        if (tensor->shape[i] != 0) return false;
    }
    return tensor->zero == 0;
}

/* Dtype, shape, block layout and size agree; *count is the number of elements. */
static wlk_status check_form(const validation *v, uint32_t index, uint64_t *count) {
    const tensor_record *tensor = &v->view.tensors[index];
    const block_record *block = NULL;
    if (!dtype_known(tensor->dtype) || !shape_count(tensor->shape, tensor->rank, count)) {
        return validation_fail(v, RULE_IMAGE_TENSOR, WLK_SECTION_TENSORS, index);
    }
    if (!shape_is_canonical(tensor)) {
        return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_TENSORS, index);
    }
    if (tensor->rank > v->limits->rank) {
        return validation_fail(v, RULE_LIMIT_RANK, WLK_SECTION_TENSORS, index);
    }
    if (tensor->dtype == WLK_BLOCK) {
        if (tensor->block >= v->counts[WLK_SECTION_BLOCKS]) {
            return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_TENSORS, index);
        }
        block = &v->view.blocks[tensor->block];
    } else if (tensor->block != IMAGE_NONE) {
        return validation_fail(v, RULE_IMAGE_TENSOR, WLK_SECTION_TENSORS, index);
    }
    if (!tensor_size_fits((wlk_dtype)tensor->dtype, tensor->shape, tensor->rank, *count, block,
                          tensor->nbytes)) {
        return validation_fail(v, RULE_IMAGE_TENSOR, WLK_SECTION_TENSORS, index);
    }
    return WLK_OK;
}

/* The tensor lies in its buffer, aligned; without bytes it has none. */
static wlk_status check_place(validation *v, uint32_t index) {
    const tensor_record *tensor = &v->view.tensors[index];
    if (tensor->nbytes == 0) {
        const bool nowhere = tensor->buffer == IMAGE_NONE && tensor->buffer_offset == 0;
        if (nowhere) return WLK_OK;
        return validation_fail(v, RULE_IMAGE_TENSOR, WLK_SECTION_TENSORS, index);
    }
    if (tensor->buffer >= v->payloads->count) {
        return validation_fail(v, RULE_IMAGE_REFERENCE, WLK_SECTION_TENSORS, index);
    }
    const image_buffer *buffer = &v->payloads->buffers[tensor->buffer];
    if (tensor->buffer_offset % PAYLOAD_ALIGN != 0 ||
        !range_within(tensor->buffer_offset, tensor->nbytes, buffer->length)) {
        return validation_fail(v, RULE_IMAGE_TENSOR, WLK_SECTION_TENSORS, index);
    }
    v->buffer_used[tensor->buffer] = 1;
    return WLK_OK;
}

/* Many tensors may name the same bytes. Reading them once for each must not take
 * longer than reading everything that may be sent. */
static wlk_status charge_content(validation *v, const tensor_record *tensor) {
    if (tensor->dtype != WLK_STR && tensor->dtype != WLK_BOOL) return WLK_OK;
    if (!checked_add(v->content_bytes, tensor->nbytes, &v->content_bytes) ||
        v->content_bytes > v->limits->output_bytes) {
        return error_at(v->error, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

/* What a file's own author can get wrong: the artifact's fault, not the child's. */
wlk_status image_check_payload(const wlk_tensor *tensor, const uint8_t *data, uint64_t file_offset,
                               wlk_error *error) {
    uint64_t bad, offset = WLK_NO_OFFSET;
    if (payload_valid(tensor->dtype, tensor->count, data, tensor->nbytes, &bad)) return WLK_OK;
    if (file_offset != WLK_NO_OFFSET) (void)checked_add(file_offset, bad, &offset);
    return error_at(error, RULE_TENSOR_PAYLOAD, offset);
}

static wlk_status check_content(validation *v, uint32_t index, uint64_t count) {
    const tensor_record *record = &v->view.tensors[index];
    if (record->nbytes == 0 || v->payloads->absent) return WLK_OK;
    TRY(charge_content(v, record));
    const image_buffer *buffer = &v->payloads->buffers[record->buffer];
    const wlk_tensor tensor = {
        .dtype = (wlk_dtype)record->dtype, .count = count, .nbytes = record->nbytes};
    uint64_t offset = WLK_NO_OFFSET;
    if (buffer->file_offset != WLK_NO_OFFSET) {
        (void)checked_add(buffer->file_offset, record->buffer_offset, &offset);
    }
    return image_check_payload(&tensor, buffer->data + record->buffer_offset, offset, v->error);
}

static wlk_status check_tensor(validation *v, uint32_t index) {
    const tensor_record *tensor = &v->view.tensors[index];
    uint64_t count;
    TRY(check_form(v, index, &count));
    if (tensor->name != 0) {
        TRY(validation_claim(v, tensor->name, EDGE_TENSOR | index, WLK_SECTION_TENSORS, index));
    }
    TRY(check_place(v, index));
    return check_content(v, index, count);
}

/* The parent's own promise to whoever computes with these arrays. */
static wlk_status check_buffers_aligned(const validation *v) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < v->payloads->count; i++) {
        const image_buffer *buffer = &v->payloads->buffers[i];
        if (!buffer->data != v->payloads->absent || (uintptr_t)buffer->data % PAYLOAD_ALIGN != 0) {
            return error_at(v->error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
        }
        if (!checked_add(total, buffer->length, &total) || total > v->limits->output_bytes) {
            return error_at(v->error, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
        }
    }
    return WLK_OK;
}

wlk_status validate_tensors(validation *v) {
    if (v->counts[WLK_SECTION_TENSORS] >= EDGE_TENSOR) { /* an edge could not name them all */
        return error_at(v->error, RULE_LIMIT_TENSORS, WLK_NO_OFFSET);
    }
    TRY(check_buffers_aligned(v));
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_TENSORS]; i++) TRY(check_tensor(v, i));
    return WLK_OK;
}

/* ---- types */

static wlk_status check_symbols(validation *v, uint32_t index) {
    const type_record *type = &v->view.types[index];
    for (uint32_t i = 0; i < type->rank; i++) {
        TRY(validation_name(v, type->symbols[i], WLK_SECTION_TYPES, index));
    }
    return WLK_OK;
}

wlk_status validate_types(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_TYPES]; i++) {
        const type_record *type = &v->view.types[i];
        if (!type_form_valid(type, i)) {
            return validation_fail(v, RULE_IMAGE_TYPE, WLK_SECTION_TYPES, i);
        }
        if (type->rank > v->limits->rank) {
            return validation_fail(v, RULE_LIMIT_RANK, WLK_SECTION_TYPES, i);
        }
        TRY(check_symbols(v, i));
        v->type_depths[i] = type->element == IMAGE_NONE ? 1 : v->type_depths[type->element] + 1;
        if (v->type_depths[i] > v->limits->header_depth) {
            return validation_fail(v, RULE_LIMIT_HEADER_DEPTH, WLK_SECTION_TYPES, i);
        }
    }
    return WLK_OK;
}
