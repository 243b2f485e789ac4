#include "image/memory_sink.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"

#define PAYLOAD_ALIGN 64
#define FIRST_CAPACITY 16

/* The buffers of one model: what image_payloads.owner points to. */
typedef struct buffer_list {
    image_buffer *buffers;
    uint32_t count;
    uint32_t capacity;
} buffer_list;

struct memory_sink {
    buffer_list *list; /* NULL after it was handed over, until the next buffer */
    uint8_t *filling;  /* the latest buffer */
    uint64_t filled;
    uint64_t total;
    uint64_t output_bytes;
};

static void list_release(void *owner) {
    buffer_list *list = owner;
    if (!list) return;
    for (uint32_t i = 0; i < list->count; i++) mem_free((void *)(uintptr_t)list->buffers[i].data);
    mem_free(list->buffers);
    mem_free(list);
}

static bool list_reserve(buffer_list *list) {
    if (list->count < list->capacity) return true;
    if (list->capacity > UINT32_MAX / 2) return false;
    const uint32_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    image_buffer *buffers = mem_resize_array(list->buffers, capacity, sizeof *buffers);
    if (!buffers) return false;
    list->buffers = buffers;
    list->capacity = capacity;
    return true;
}

static uint8_t *payload_new(uint64_t length) {
    uint64_t size;
    if (!checked_align(length, PAYLOAD_ALIGN, &size)) return NULL;
    return mem_aligned(PAYLOAD_ALIGN, size ? size : PAYLOAD_ALIGN);
}

static wlk_status sink_begin(void *context, uint64_t length, uint64_t file_offset,
                             wlk_error *error) {
    memory_sink *sink = context;
    uint64_t total;
    if (!checked_add(sink->total, length, &total) || total > sink->output_bytes) {
        return error_at(error, RULE_LIMIT_OUTPUT_BYTES, file_offset);
    }
    if (!sink->list) sink->list = mem_zeroed(1, sizeof *sink->list);
    if (!sink->list || !list_reserve(sink->list)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    sink->filling = payload_new(length);
    if (!sink->filling) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    sink->list->buffers[sink->list->count++] = (image_buffer){sink->filling, length, file_offset};
    sink->filled = 0;
    sink->total = total;
    return WLK_OK;
}

static wlk_status sink_append(void *context, const uint8_t *data, uint64_t length,
                              wlk_error *error) {
    memory_sink *sink = context;
    const buffer_list *list = sink->list;
    if (!list || list->count == 0 || (!data && length > 0) ||
        !range_within(sink->filled, length, list->buffers[list->count - 1].length)) {
        return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    }
    if (length > 0) memcpy(sink->filling + sink->filled, data, length);
    sink->filled += length;
    return WLK_OK;
}

memory_sink *memory_sink_new(const wlk_limits *limits) {
    memory_sink *sink = mem_zeroed(1, sizeof *sink);
    if (sink) sink->output_bytes = limits->output_bytes;
    return sink;
}

void memory_sink_free(memory_sink *sink) {
    if (!sink) return;
    list_release(sink->list);
    mem_free(sink);
}

image_sink memory_sink_interface(memory_sink *sink) {
    return (image_sink){.context = sink, .begin = sink_begin, .append = sink_append};
}

image_payloads memory_sink_payloads(memory_sink *sink) {
    buffer_list *list = sink->list;
    sink->list = NULL;
    sink->filling = NULL;
    sink->filled = 0;
    sink->total = 0;
    return (image_payloads){
        .buffers = list ? list->buffers : NULL,
        .count = list ? list->count : 0,
        .owner = list,
        .release = list_release,
    };
}

wlk_status image_build_model(image_builder *builder, memory_sink *sink, uint64_t file_bytes,
                             const wlk_limits *limits, wlk_model **model, wlk_error *error) {
    uint8_t *image;
    uint64_t length;
    *model = NULL;
    TRY(image_finish(builder, file_bytes, &image, &length, error));
    const image_payloads payloads = memory_sink_payloads(sink);
    return image_validate(image, length, file_bytes, &payloads, limits, model, error);
}
