/* The parse kit (weighlock/parse.h): what child and parent do between them, in one
 * process. */
#include <weighlock/parse.h>

#include "formats/formats.h"
#include "image/memory_sink.h"

wlk_format wlk_format_detect(const uint8_t *data, uint64_t size) {
    const format_row *row;
    return format_detect(data, size, &row, NULL) == WLK_OK ? row->id : WLK_FORMAT_NONE;
}

typedef struct work {
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
} work;

static void work_end(work *w) {
    image_builder_free(w->builder);
    memory_sink_free(w->sink);
}

static wlk_status work_begin(work *w, const wlk_limits *limits, wlk_error *error) {
    w->sink = memory_sink_new(limits);
    if (!w->sink) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    w->interface = memory_sink_interface(w->sink);
    w->builder = image_builder_new(limits, &w->interface);
    return w->builder ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* A payload that cannot be used has its place in the input. All else that validation
 * refuses lies in the image, of which who called knows nothing. */
static wlk_status validate(uint8_t *image, uint64_t length, const work *w,
                           const format_input *input, wlk_model **model, wlk_error *error) {
    const image_payloads payloads = memory_sink_payloads(w->sink);
    const wlk_status status =
        image_validate(image, length, input->size, &payloads, input->limits, model, error);
    if (status != WLK_OK && error->rule != RULE_TENSOR_PAYLOAD) error->offset = WLK_NO_OFFSET;
    return status;
}

static wlk_status build(const format_row *format, const format_input *input, wlk_model **model,
                        wlk_error *error) {
    __attribute__((cleanup(work_end))) work w = {0};
    uint8_t *image;
    uint64_t length;
    TRY(work_begin(&w, input->limits, error));
    TRY(format->parse(input, w.builder, error));
    TRY(image_builder_status(w.builder, error));
    image_format(w.builder, format->id);
    TRY(image_finish(w.builder, input->size, &image, &length, error));
    return validate(image, length, &w, input, model, error);
}

wlk_status wlk_parse_memory(const uint8_t *data, uint64_t size, wlk_format format,
                            const wlk_limits *limits, wlk_model **model, wlk_error *error) {
    wlk_limits standard;
    wlk_error unwanted;
    if (!error) error = &unwanted;
    *model = NULL;
    if (!limits) {
        wlk_limits_default(&standard);
        limits = &standard;
    }
    if (size == 0) return error_at(error, RULE_FORMAT_EMPTY, 0);
    if (size > limits->file_bytes) {
        return error_at(error, RULE_LIMIT_FILE_BYTES, limits->file_bytes);
    }
    const format_row *row = format_find((uint32_t)format);
    if (format == WLK_FORMAT_NONE) {
        TRY(format_detect(data, size, &row, error));
    } else if (!row) {
        return error_at(error, RULE_FORMAT_UNKNOWN, 0);
    }
    const format_input input = {.data = data, .size = size, .limits = limits};
    return build(row, &input, model, error);
}
