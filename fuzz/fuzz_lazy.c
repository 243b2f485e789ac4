/* A .wlk file parsed whole, and from what lies before its data alone: what the first accepts
 * the second must accept, as the same model, payloads in the data (invariants 5 and 12). */
#include <stdlib.h>
#include <string.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "formats/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
typedef struct bounds {
    uint64_t from, to;
} bounds;

static wlk_status begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    const bounds *b = context;
    (void)error;
    if (offset < b->from || offset > b->to || length > b->to - offset) abort();
    return WLK_OK;
}

static wlk_status append(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

static wlk_status parse(const format_input *input, bounds *b, uint8_t **image, uint64_t *length) {
    const image_sink sink = {b, begin, append};
    image_builder *builder = image_builder_new(input->limits, &sink);
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = wlk_parse(input, builder, &error);
    if (status == WLK_OK) status = image_finish(builder, b->to, image, length, &error);
    image_builder_free(builder);
    if (status != WLK_OK && error.offset != WLK_NO_OFFSET && error.offset > b->to) abort();
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    envelope e;
    wlk_limits limits;
    uint8_t *whole = NULL, *lazy = NULL;
    uint64_t length = 0, lazy_length = 0;
    if (envelope_decode(data, size, &e, NULL) != WLK_OK) return 0;
    wlk_limits_default(&limits);
    bounds in_data = {e.data_off, size};
    uint8_t *head = malloc(e.data_off); /* so that a sanitizer sees every step beyond it */
    memcpy(head, data, e.data_off);
    const format_input all = {.data = data, .size = size, .limits = &limits};
    const format_input part = {
        .data = head, .size = e.data_off, .limits = &limits, .absent = size - e.data_off};
    const wlk_status status = parse(&all, &in_data, &whole, &length);
    const bool same = parse(&part, &in_data, &lazy, &lazy_length) == WLK_OK && whole &&
                      length == lazy_length && memcmp(whole, lazy, length) == 0;
    if (status == WLK_OK && !same) abort();
    mem_free(whole);
    mem_free(lazy);
    free(head);
    return 0;
}
