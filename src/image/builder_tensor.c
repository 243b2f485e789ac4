#include "image/builder_internal.h"

#include "base/checked.h"
#include "base/dtype.h"
#include "image/checks.h"

static wlk_status kind_check(image_builder *b, uint32_t kind) {
    if (!builder_knows_string(b, kind)) return b->error.status;
    const string_record *record = (const string_record *)b->parts[PART_STRINGS].data + kind;
    const char *text = (const char *)b->parts[PART_TEXT].data + record->offset;
    if (block_kind_valid(text, record->length)) return WLK_OK;
    return builder_fail(b, RULE_TENSOR_BLOCK);
}

uint32_t image_block(image_builder *b, uint32_t kind, uint32_t elements, uint32_t bytes,
                     uint64_t offset) {
    const block_record record = {.kind = kind, .elements = elements, .bytes = bytes};
    if (!builder_ready(b, offset) || kind_check(b, kind) != WLK_OK) return IMAGE_NONE;
    if (!block_geometry_valid(elements, bytes)) {
        (void)builder_fail(b, RULE_TENSOR_BLOCK);
        return IMAGE_NONE;
    }
    return builder_append(b, PART_BLOCKS, &record, 1);
}

/* The tensor's block layout, NULL if it has none; WLK_OK if that fits its dtype. */
static wlk_status block_of(image_builder *b, const image_tensor_spec *spec,
                           const block_record **block) {
    *block = NULL;
    if (spec->dtype != WLK_BLOCK) {
        return spec->block == IMAGE_NONE ? WLK_OK : builder_fail(b, RULE_TENSOR_BLOCK);
    }
    if (spec->block >= b->parts[PART_BLOCKS].count) return builder_fail(b, RULE_TENSOR_BLOCK);
    *block = (const block_record *)b->parts[PART_BLOCKS].data + spec->block;
    return WLK_OK;
}

static wlk_status tensor_check(image_builder *b, const image_tensor_spec *spec) {
    uint64_t count;
    const block_record *block;
    if (!builder_knows_string(b, spec->name)) return b->error.status;
    if (!dtype_known((uint32_t)spec->dtype)) return builder_fail(b, RULE_TENSOR_DTYPE);
    if (!shape_count(spec->shape, spec->rank, &count)) return builder_fail(b, RULE_TENSOR_SHAPE);
    if (spec->rank > b->limits.rank) return builder_fail(b, RULE_LIMIT_RANK);
    TRY(block_of(b, spec, &block));
    if (!tensor_size_fits(spec->dtype, spec->shape, spec->rank, count, block, spec->nbytes)) {
        return builder_fail(b, RULE_TENSOR_SIZE);
    }
    if (b->parts[PART_TENSORS].count >= EDGE_TENSOR - 1) { /* an edge must be able to name it */
        return builder_fail(b, RULE_LIMIT_TENSORS);
    }
    return WLK_OK;
}

/* Announces the payload to the sink, within the budget. */
static wlk_status payload_begin(image_builder *b, const image_tensor_spec *spec) {
    uint64_t total;
    if (!checked_add(b->payload_total, spec->nbytes, &total) || total > b->limits.output_bytes) {
        return builder_fail(b, RULE_LIMIT_OUTPUT_BYTES);
    }
    wlk_error error = {0};
    const wlk_status status =
        b->sink.begin(b->sink.context, spec->nbytes, spec->file_offset, &error);
    if (status != WLK_OK) {
        b->error = error;
        b->error.status = status;
        return status;
    }
    b->payload_total = total;
    b->payload_left = spec->nbytes;
    b->buffers++;
    return WLK_OK;
}

uint32_t image_tensor_begin(image_builder *b, const image_tensor_spec *spec) {
    if (!builder_ready(b, spec->offset)) return IMAGE_NONE;
    if (b->payload_left != 0) { /* the tensor before this one got too few bytes */
        (void)builder_fail(b, RULE_TENSOR_SIZE);
        return IMAGE_NONE;
    }
    if (tensor_check(b, spec) != WLK_OK) return IMAGE_NONE;
    tensor_record record = {
        .name = spec->name,
        .dtype = (uint8_t)spec->dtype,
        .rank = (uint8_t)spec->rank,
        .block = spec->block,
        .buffer = spec->nbytes > 0 ? b->buffers : IMAGE_NONE,
        .nbytes = spec->nbytes,
    };
    for (uint32_t i = 0; i < spec->rank; i++) record.shape[i] = spec->shape[i];
    const uint32_t index = builder_append(b, PART_TENSORS, &record, 1);
    if (index == IMAGE_NONE) return IMAGE_NONE;
    if (spec->nbytes > 0 && payload_begin(b, spec) != WLK_OK) return IMAGE_NONE;
    return index;
}

wlk_status image_payload(image_builder *b, const uint8_t *data, uint64_t length) {
    if (!builder_ready(b, b->offset)) return b->error.status;
    if (length > b->payload_left) return builder_fail(b, RULE_TENSOR_SIZE);
    if (length == 0) return WLK_OK;
    wlk_error error = {0};
    const wlk_status status = b->sink.append(b->sink.context, data, length, &error);
    if (status != WLK_OK) {
        b->error = error;
        b->error.status = status;
        return status;
    }
    b->payload_left -= length;
    return WLK_OK;
}

uint32_t image_tensor(image_builder *b, const image_tensor_spec *spec) {
    const uint32_t index = image_tensor_begin(b, spec);
    if (index == IMAGE_NONE || image_payload(b, spec->data, spec->nbytes) != WLK_OK) {
        return IMAGE_NONE;
    }
    return index;
}
