#include "formats/formats.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "formats/pickle/inflate.h"
#include "formats/pickle/opcodes.h"
#include "formats/pickle/plain.h"

int pickle_begins(const uint8_t *data, uint64_t size) {
    return inflate_detect(data, size) != INFLATE_NONE || pickle_looks_like(data, size);
}

typedef struct reader {
    const format_input *input;
    image_builder *builder;
    inflate_codec codec;
    uint8_t *inflated; /* NULL: the file is not compressed */
    pickle p;
    plain_payloads payloads;
} reader;

static void reader_close(reader *r) {
    pickle_close(&r->p);
    mem_free(r->inflated);
}

/* ---- the byte map */

static int compare_ranges(const void *context, uint32_t a, uint32_t b) {
    const plain_payload *ranges = context;
    return (ranges[a].offset > ranges[b].offset) - (ranges[a].offset < ranges[b].offset);
}

/* Payloads first: of equal ranges the one that comes first stays first. */
static void collect_ranges(const reader *r, plain_payload *ranges, uint32_t *order) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->payloads.count; i++) ranges[count++] = r->payloads.list[i];
    for (uint32_t i = 0; i < r->p.raw_count; i++) {
        const uint64_t *raw = r->p.raw + 2 * (size_t)i;
        ranges[count++] = (plain_payload){raw[0], raw[1], IMAGE_NONE};
    }
    for (uint32_t i = 0; i < count; i++) order[i] = i;
}

static void put_span(const reader *r, wlk_span_kind kind, uint64_t from, uint64_t to,
                     uint32_t tensor) {
    (void)image_span(r->builder, kind, from, to - from, tensor);
}

static void put_ranges(const reader *r, const plain_payload *ranges, const uint32_t *order,
                       uint32_t count) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const plain_payload *range = &ranges[order[i]];
        if (range->offset < at) continue; /* one that two tensors, or a wrapper too, lie in */
        put_span(r, WLK_SPAN_OPCODES, at, range->offset, IMAGE_NONE);
        at = range->offset + range->length;
        put_span(r, range->tensor == IMAGE_NONE ? WLK_SPAN_ARRAY : WLK_SPAN_PAYLOAD, range->offset,
                 at, range->tensor);
    }
    put_span(r, WLK_SPAN_OPCODES, at, r->input->size, IMAGE_NONE);
}

static wlk_status put_byte_map(reader *r, wlk_error *error) {
    if (r->inflated) {
        put_span(r, WLK_SPAN_COMPRESSED, 0, r->input->size, IMAGE_NONE);
        return WLK_OK;
    }
    const uint64_t count = (uint64_t)r->payloads.count + r->p.raw_count;
    plain_payload *ranges = arena_take(&r->p.memory, count, sizeof *ranges);
    uint32_t *order = arena_take(&r->p.memory, count, 2 * sizeof *order);
    if (!ranges || !order) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    collect_ranges(r, ranges, order);
    sort_u32(order, (uint32_t)count, compare_ranges, ranges, order + count);
    put_ranges(r, ranges, order, (uint32_t)count);
    return WLK_OK;
}

/* ---- the streams */

#define MOST_FINDINGS 64 /* of streams behind the first one */

/* Streams behind the first one are read by the same rules. None may name a class: what they
 * hold is not used, and is then no more than plain data. */
static wlk_status read_more(reader *r, wlk_error *error) {
    cursor *stream = &r->p.stream;
    py_value *value;
    for (uint32_t streams = 0; cursor_left(stream) > 0; streams++) {
        const cursor rest = cursor_rest(stream);
        if (!pickle_looks_like(rest.data, rest.size)) {
            return error_at(error, RULE_PICKLE_TRAILING, rest.base);
        }
        const uint32_t named = r->p.named;
        TRY(pickle_read(&r->p, &value, error));
        if (r->p.named > named) return error_at(error, RULE_PICKLE_MORE, rest.base);
        if (streams >= MOST_FINDINGS || r->inflated) continue;
        const uint32_t kind = image_string(r->builder, py_kind_name(value->kind),
                                           strlen(py_kind_name(value->kind)), rest.base);
        (void)image_finding(r->builder, RULE_PICKLE_SECOND, WLK_LOW, rest.base,
                            cursor_offset(stream) - rest.base, kind);
    }
    return WLK_OK;
}

static wlk_status build(reader *r, const py_value *root, wlk_error *error) {
    const sk_source source = {.serializer = r->p.wraps_arrays ? "joblib" : "pickle",
                              .compression = r->inflated ? inflate_name(r->codec) : NULL,
                              .protocol = r->p.protocol};
    if (sk_is_estimator(root)) return sk_build(&r->p, root, &source, r->builder, error);
    const uint64_t size = r->inflated ? 0 : r->input->size;
    return plain_build(&r->p, root, &source, r->input->data, size, r->builder, &r->payloads, error);
}

static wlk_status parse(reader *r, wlk_error *error) {
    py_value *root;
    TRY(py_allowlist_read(&r->p.memory, r->input->pickle_rows, r->input->pickle_rows_bytes,
                          &r->p.allowed, error));
    TRY(pickle_read(&r->p, &root, error));
    TRY(read_more(r, error));
    TRY(build(r, root, error));
    TRY(put_byte_map(r, error));
    return image_builder_status(r->builder, error);
}

/* ---- compressed files */

/* What was read lies nowhere in the file. */
static void relocate(wlk_error *error) {
    char text[WLK_ERROR_TEXT_BYTES];
    if (!error || error->offset == WLK_NO_OFFSET) return;
    memcpy(text, error->text, sizeof text);
    (void)error_text(error, (wlk_rule)error->rule, WLK_NO_OFFSET,
                     "at byte %llu of the decompressed data%s%s", (unsigned long long)error->offset,
                     text[0] != '\0' ? ": " : "", text);
}

static wlk_status parse_compressed(reader *r, wlk_error *error) {
    uint64_t length;
    TRY(inflate_all(r->codec, r->input->data, r->input->size, r->p.limits, &r->inflated, &length,
                    error));
    r->p.stream = cursor_over(r->inflated, length, 0);
    const wlk_status status = parse(r, error);
    if (status != WLK_OK) relocate(error);
    return status;
}

/* The builder says what it had no memory for when it is asked: a refusal may come before that,
 * and may follow from it. */
static wlk_status first_failure(const reader *r, wlk_status status, wlk_error *error) {
    wlk_error built = {.status = WLK_OK};
    if (status == WLK_OK || image_builder_status(r->builder, &built) == WLK_OK) return status;
    if (built.rule != RULE_INTERNAL_MEMORY) return status;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status format_parse_pickle(const format_input *input, image_builder *builder,
                               wlk_error *error) {
    __attribute__((cleanup(reader_close))) reader r = {
        .input = input,
        .builder = builder,
        .codec = inflate_detect(input->data, input->size),
        .p = {.limits = input->limits, .stream = cursor_over(input->data, input->size, 0)},
    };
    if (input->absent > 0) return error_at(error, RULE_PICKLE_TRUNCATED, input->size);
    const wlk_status status =
        r.codec == INFLATE_NONE ? parse(&r, error) : parse_compressed(&r, error);
    return first_failure(&r, status, error);
}
