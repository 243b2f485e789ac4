#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "formats/onnx/reader.h"

#define MOST_FINDINGS 64 /* of fields that nothing looks into; the byte map has them all */
#define EVIDENCE_ROOM 64

wlk_status onnx_byte_map_add(reader *r, wlk_span_kind kind, uint64_t offset, uint64_t length,
                             uint32_t tensor, wlk_error *error) {
    const span_record span = {offset, length, (uint32_t)kind, tensor};
    if (length == 0) return WLK_OK;
    if (r->spans.count >= r->limits->image_bytes / sizeof span) {
        return error_at(error, RULE_LIMIT_IMAGE_BYTES, offset);
    }
    return onnx_add(&r->spans, &span, sizeof span, error);
}

/* "field 77 of NodeProto", or the text alone. */
static uint32_t evidence(const reader *r, const char *what, uint32_t field) {
    char text[EVIDENCE_ROOM] = "field ";
    char digits[10];
    uint64_t count = 0, at = 6;
    if (field == 0) return image_string(r->builder, what, strlen(what), WLK_NO_OFFSET);
    for (uint32_t left = field; left > 0; left /= 10) digits[count++] = (char)('0' + left % 10);
    while (count > 0) text[at++] = digits[--count];
    memcpy(text + at, " of ", 4);
    at += 4;
    const uint64_t length = strlen(what);
    const uint64_t room = sizeof text - at;
    memcpy(text + at, what, length < room ? length : room);
    return image_string(r->builder, text, at + (length < room ? length : room), WLK_NO_OFFSET);
}

/* Does the latest range end where this one begins? Then it becomes longer. */
static bool continues(const reader *r, uint64_t offset, uint64_t length) {
    if (r->spans.count == 0) return false;
    span_record *latest = (span_record *)r->spans.items + r->spans.count - 1;
    if (latest->kind != WLK_SPAN_UNCLAIMED || latest->offset + latest->length != offset) {
        return false;
    }
    latest->length += length;
    return true;
}

wlk_status onnx_byte_map_skip(reader *r, wlk_rule rule, const char *what, uint32_t field,
                              uint64_t offset, uint64_t length, wlk_error *error) {
    if (continues(r, offset, length)) return WLK_OK;
    TRY(onnx_byte_map_add(r, WLK_SPAN_UNCLAIMED, offset, length, IMAGE_NONE, error));
    if (r->findings++ >= MOST_FINDINGS) return WLK_OK;
    (void)image_finding(r->builder, rule, WLK_NOTE, offset, length, evidence(r, what, field));
    return onnx_built(r, error);
}

static int compare(const void *context, uint32_t a, uint32_t b) {
    const span_record *spans = context;
    return (spans[a].offset > spans[b].offset) - (spans[a].offset < spans[b].offset);
}

/* What lies between the ranges is structure. A range within another, as an unknown field of a
 * function that nothing calls, is explained already. */
static void build_sorted(const reader *r, const uint32_t *order) {
    const span_record *spans = r->spans.items;
    uint64_t at = 0;
    for (uint32_t i = 0; i < r->spans.count; i++) {
        const span_record *span = &spans[order[i]];
        if (span->offset < at) continue;
        (void)image_span(r->builder, WLK_SPAN_HEADER, at, span->offset - at, IMAGE_NONE);
        (void)image_span(r->builder, (wlk_span_kind)span->kind, span->offset, span->length,
                         span->tensor);
        at = span->offset + span->length;
    }
    (void)image_span(r->builder, WLK_SPAN_HEADER, at, r->input->size - at, IMAGE_NONE);
}

wlk_status onnx_byte_map_build(reader *r, wlk_error *error) {
    const uint32_t count = r->spans.count;
    uint32_t *order = mem_zeroed((size_t)count + 1, sizeof *order);
    uint32_t *scratch = mem_zeroed((size_t)count + 1, sizeof *scratch);
    if (order && scratch) {
        for (uint32_t i = 0; i < count; i++) order[i] = i;
        sort_u32(order, count, compare, r->spans.items, scratch);
        build_sorted(r, order);
    }
    const bool memory = order && scratch;
    mem_free(order);
    mem_free(scratch);
    if (!memory) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    return onnx_built(r, error);
}
