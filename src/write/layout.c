#include "write/layout.h"

#include "base/checked.h"
#include "base/memory.h"
#include "trust/digest.h"
#include "trust/ready.h"
#include "write/header.h"
#include "write/meta_edit.h"

#define STANDARD_CHUNK_LOG2 20
#define STANDARD_THREADS 2
/* What is rounded up to a page counts as slack too. */
#define MAX_SLACK (ENVELOPE_MAX_SLACK - ENVELOPE_DATA_ALIGN)

static wlk_status too_large(wlk_error *error) {
    return error_at(error, RULE_WRITE_SIZE, WLK_NO_OFFSET);
}

/* Payloads as they will be in the file, and where. */
static wlk_status place_payloads(file_layout *layout, bool compress, wlk_error *error) {
    const tensor_source *source = &layout->source;
    envelope *e = &layout->envelope;
    TRY(packed_payloads(source, compress, &layout->payloads, error));
    e->codecs = packed_any(source, layout->payloads) ? ENVELOPE_CODEC_ZSTD : ENVELOPE_CODEC_RAW;
    return packed_place(source, layout->payloads, &e->data_len) ? WLK_OK : too_large(error);
}

static wlk_status place_parts(file_layout *layout, uint32_t slack, wlk_error *error) {
    envelope *e = &layout->envelope;
    uint64_t at;
    e->header_len = layout->header.buffer.size;
    e->table_len = envelope_table_len(e->data_len, e->chunk_log2);
    if (!checked_add(ENVELOPE_BYTES, e->header_len, &at) || !checked_add(at, e->table_len, &at) ||
        !checked_add(at, slack, &at) || !checked_align(at, ENVELOPE_DATA_ALIGN, &e->data_off) ||
        !checked_add(e->data_off, e->data_len, &layout->size)) {
        return too_large(error);
    }
    return WLK_OK;
}

static wlk_status compute_digests(file_layout *layout, uint32_t threads, wlk_error *error) {
    envelope *e = &layout->envelope;
    layout->table = mem_alloc(e->table_len ? e->table_len : 1);
    if (!layout->table) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(layout_digest(layout, threads, error));
    digest_bytes((const uint8_t *)layout->header.buffer.data, e->header_len, e->header_digest);
    digest_bytes(layout->table, e->table_len, e->table_digest);
    return WLK_OK;
}

/* One tensor for each input and output of the main graph. */
static bool golden_fits(const wlk_model *model, const wlk_golden *golden) {
    const wlk_graph main_graph = wlk_model_graph(model, 0);
    return wlk_model_count(model, WLK_SECTION_GRAPHS) > 0 &&
           golden->input_count == main_graph.inputs && golden->output_count == main_graph.outputs;
}

static wlk_status check_options(const wlk_model *model, const wlk_write_options *options,
                                wlk_error *error) {
    const uint32_t chunk = options->chunk_log2;
    if (chunk != 0 && (chunk < ENVELOPE_MIN_CHUNK_LOG2 || chunk > ENVELOPE_MAX_CHUNK_LOG2)) {
        return error_text(error, RULE_WRITE_OPTIONS, WLK_NO_OFFSET, "chunk_log2 %u", chunk);
    }
    if (options->golden && !golden_fits(model, options->golden)) {
        return error_text(error, RULE_WRITE_OPTIONS, WLK_NO_OFFSET, "golden");
    }
    if (options->slack > MAX_SLACK) {
        return error_text(error, RULE_WRITE_OPTIONS, WLK_NO_OFFSET, "slack %u", options->slack);
    }
    return WLK_OK;
}

/* The metadata as the caller wants them. */
static wlk_status edit_metadata(const wlk_write_options *options, file_layout *layout,
                                wlk_error *error) {
    wlk_limits limits;
    if (options->edit_count == 0) return WLK_OK;
    wlk_limits_default(&limits);
    return meta_edited(layout->source.model, options->edits, options->edit_count, &limits,
                       &layout->metadata, error);
}

wlk_status layout_open(const wlk_model *model, const wlk_write_options *options,
                       file_layout *layout, wlk_error *error) {
    static const wlk_write_options standard = {0};
    const wlk_write_options *use = options ? options : &standard;
    *layout = (file_layout){.source = {.model = model, .golden = use->golden}};
    layout->tensors = source_count(&layout->source);
    msgpack_sbuffer_init(&layout->header.buffer);
    TRY(check_options(model, use, error));
    TRY(sodium_ready(error));
    layout->envelope.chunk_log2 = use->chunk_log2 ? (uint8_t)use->chunk_log2 : STANDARD_CHUNK_LOG2;
    TRY(edit_metadata(use, layout, error));
    TRY(place_payloads(layout, use->compress, error));
    TRY(header_encode(&layout->source, layout->metadata ? layout->metadata : model,
                      layout->payloads, &layout->header, error));
    TRY(place_parts(layout, use->slack, error));
    TRY(compute_digests(layout, use->threads ? use->threads : STANDARD_THREADS, error));
    envelope_encode(&layout->envelope, layout->envelope_bytes);
    return WLK_OK;
}

void layout_close(file_layout *layout) {
    msgpack_sbuffer_destroy(&layout->header.buffer);
    packed_free(&layout->source, layout->payloads);
    mem_free(layout->table);
    wlk_model_free(layout->metadata);
    *layout = (file_layout){0};
}

/* ---- putting it out */

static wlk_status put(const file_output *output, const void *bytes, uint64_t length,
                      wlk_error *error) {
    return length > 0 ? output->put(output->context, bytes, length, error) : WLK_OK;
}

static wlk_status put_zeros(const file_output *output, uint64_t length, wlk_error *error) {
    static const uint8_t zeros[4096];
    while (length > 0) {
        const uint64_t some = length < sizeof zeros ? length : sizeof zeros;
        TRY(put(output, zeros, some, error));
        length -= some;
    }
    return WLK_OK;
}

wlk_status layout_put(const file_layout *layout, const file_output *output, wlk_error *error) {
    const envelope *e = &layout->envelope;
    TRY(put(output, layout->envelope_bytes, ENVELOPE_BYTES, error));
    TRY(put(output, layout->header.buffer.data, e->header_len, error));
    TRY(put(output, layout->table, e->table_len, error));
    TRY(put_zeros(output, e->data_off - e->table_len - e->header_len - ENVELOPE_BYTES, error));
    uint32_t tensor = 0;
    for (uint64_t at = 0; at < e->data_len;) {
        const data_run run = layout_run(layout, at, &tensor);
        TRY(put(output, run.bytes, run.length, error));
        at += run.length;
    }
    return WLK_OK;
}
