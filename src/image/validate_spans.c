#include "base/checked.h"
#include "image/checks.h"
#include "image/validate_internal.h"

/* ---- findings */

static bool finding_valid(const validation *v, const finding_record *finding) {
    return finding->rule > RULE_NONE && finding->rule < RULE_COUNT &&
           finding->severity >= WLK_NOTE && finding->severity < WLK_SEVERITY_COUNT &&
           range_within(finding->offset, finding->length, v->file_bytes) &&
           v->view.strings[finding->evidence].length <= IMAGE_MAX_EVIDENCE;
}

wlk_status validate_findings(validation *v) {
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_FINDINGS]; i++) {
        const finding_record *finding = &v->view.findings[i];
        if (finding->zero != 0) {
            return validation_fail(v, RULE_IMAGE_PADDING, WLK_SECTION_FINDINGS, i);
        }
        TRY(validation_text(v, finding->evidence, WLK_SECTION_FINDINGS, i));
        if (!finding_valid(v, finding)) {
            return validation_fail(v, RULE_IMAGE_FINDING, WLK_SECTION_FINDINGS, i);
        }
    }
    return WLK_OK;
}

/* ---- the byte map */

/* A payload's span names the tensor that begins there, if the file holds its
 * bytes as they are. */
static bool span_tensor_fits(const validation *v, const span_record *span) {
    if (span->kind != WLK_SPAN_PAYLOAD) return span->tensor == IMAGE_NONE;
    if (span->tensor >= v->counts[WLK_SECTION_TENSORS]) return false;
    const tensor_record *tensor = &v->view.tensors[span->tensor];
    if (tensor->buffer == IMAGE_NONE) return false;
    const uint64_t file_offset = v->payloads->buffers[tensor->buffer].file_offset;
    return file_offset == WLK_NO_OFFSET || file_offset == span->offset;
}

wlk_status validate_spans(validation *v) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < v->counts[WLK_SECTION_SPANS]; i++) {
        const span_record *span = &v->view.spans[i];
        const bool kind_known = span->kind >= WLK_SPAN_ENVELOPE && span->kind < WLK_SPAN_KIND_COUNT;
        if (span->offset != at || span->length == 0 || !kind_known || !span_tensor_fits(v, span) ||
            !checked_add(at, span->length, &at)) {
            return validation_fail(v, RULE_IMAGE_SPAN, WLK_SECTION_SPANS, i);
        }
    }
    if (at == v->file_bytes) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_SPAN, WLK_SECTION_SPANS, v->counts[WLK_SECTION_SPANS]);
}

/* ---- buffers against the byte map, which has been seen to tile the file */

/* The span that holds byte `offset` of the file, which is in the file. */
static const span_record *span_at(const validation *v, uint64_t offset) {
    uint32_t low = 0;
    uint32_t high = v->counts[WLK_SECTION_SPANS] - 1;
    while (low < high) {
        const uint32_t middle = low + (high - low + 1) / 2;
        if (v->view.spans[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &v->view.spans[low];
}

/* A buffer that is used has a byte at least. */
static bool lies_in_payload(const validation *v, const image_buffer *buffer) {
    if (!range_within(buffer->file_offset, buffer->length, v->file_bytes)) return false;
    const span_record *span = span_at(v, buffer->file_offset);
    return span->kind == WLK_SPAN_PAYLOAD &&
           range_within(buffer->file_offset - span->offset, buffer->length, span->length);
}

wlk_status validate_buffers(validation *v) {
    for (uint32_t i = 0; i < v->payloads->count; i++) {
        const image_buffer *buffer = &v->payloads->buffers[i];
        if (!v->buffer_used[i]) return error_at(v->error, RULE_IMAGE_BUFFER, WLK_NO_OFFSET);
        if (buffer->file_offset != WLK_NO_OFFSET && !lies_in_payload(v, buffer)) {
            return error_at(v->error, RULE_IMAGE_BUFFER, buffer->file_offset);
        }
    }
    return WLK_OK;
}
