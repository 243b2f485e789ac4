#include "kit/head_parse.h"

#include "formats/formats.h"
#include "kit/kit.h"

static wlk_status begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    const parsed_head *p = context;
    (void)error;
    if (offset == WLK_NO_OFFSET) return WLK_OK; /* decoded: they lie nowhere */
    FUZZ_CHECK(12, offset >= p->from && offset <= p->to && length <= p->to - offset);
    return WLK_OK;
}

static wlk_status append(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

wlk_status head_parse(const uint8_t *data, uint64_t size, parsed_head *p, wlk_error *error) {
    const format_input input = {
        .data = data, .size = size, .limits = fuzz_limits(), .absent = p->to - size};
    const image_sink sink = {p, begin, append};
    image_builder *builder = image_builder_new(input.limits, &sink);
    if (!builder) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = format_parse_wlk(&input, builder, error);
    if (status == WLK_OK) status = image_finish(builder, p->to, &p->image, &p->length, error);
    image_builder_free(builder);
    return status;
}
