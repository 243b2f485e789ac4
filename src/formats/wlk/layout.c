#include "formats/wlk/reader.h"

/* The bytes [from, to) of the artifact are zero, as far as they are at hand. At most
 * ENVELOPE_MAX_SLACK of them: gaps are never the length of a payload. */
static wlk_status check_zeros(const reader *r, uint64_t from, uint64_t to, wlk_rule rule,
                              wlk_error *error) {
    cursor file = cursor_over(r->input->data, r->input->size, 0);
    if (to <= from || !cursor_skip(&file, from)) return WLK_OK;
    const uint64_t left = cursor_left(&file), length = to - from < left ? to - from : left;
    const uint64_t zeros = zeros_before(cursor_take(&file, length), length);
    return zeros == length ? WLK_OK : error_at(error, rule, from + zeros);
}

static uint64_t table_end(const reader *r) {
    return ENVELOPE_BYTES + r->envelope.header_len + r->envelope.table_len;
}

wlk_status layout_check(const reader *r, wlk_error *error) {
    const uint64_t data_off = r->envelope.data_off;
    uint64_t end = data_off;
    TRY(check_zeros(r, table_end(r), data_off, RULE_ENVELOPE_SLACK_ZERO, error));
    for (uint32_t i = 0; i < r->tensor_count; i++) {
        const tensor_entry *tensor = &r->tensors[i];
        TRY(check_zeros(r, end, data_off + tensor->offset, RULE_DATA_PADDING, error));
        end = data_off + tensor->offset + tensor->stored;
    }
    if (end == reader_file_bytes(r)) return WLK_OK;
    return error_at(error, RULE_DATA_TRAILING, end);
}

/* [*at, end) is of that kind; *at becomes end. */
static void span_to(const reader *r, uint64_t *at, uint64_t end, wlk_span_kind kind,
                    uint32_t tensor) {
    if (end > *at) (void)image_span(r->builder, kind, *at, end - *at, tensor);
    *at = end;
}

wlk_status layout_build(const reader *r, wlk_error *error) {
    const uint64_t data_off = r->envelope.data_off;
    uint64_t at = 0;
    span_to(r, &at, ENVELOPE_BYTES, WLK_SPAN_ENVELOPE, IMAGE_NONE);
    span_to(r, &at, ENVELOPE_BYTES + r->envelope.header_len, WLK_SPAN_HEADER, IMAGE_NONE);
    span_to(r, &at, table_end(r), WLK_SPAN_DIGESTS, IMAGE_NONE);
    span_to(r, &at, data_off, WLK_SPAN_PADDING, IMAGE_NONE);
    for (uint32_t i = 0; i < r->tensor_count; i++) {
        const uint64_t start = data_off + r->tensors[i].offset;
        span_to(r, &at, start, WLK_SPAN_PADDING, IMAGE_NONE);
        span_to(r, &at, start + r->tensors[i].stored, WLK_SPAN_PAYLOAD, i);
    }
    return reader_built(r, error);
}
