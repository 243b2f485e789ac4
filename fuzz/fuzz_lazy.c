/* A .wlk file parsed whole, and from what lies before its data alone: what the first accepts
 * the second must accept, as the same model, payloads in the data. */
#include <string.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "formats/formats.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

typedef struct parsed {
    uint64_t from, to; /* where the data are */
    uint8_t *image;
    uint64_t length;
} parsed;

static wlk_status begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    const parsed *p = context;
    (void)error;
    FUZZ_CHECK(12, offset >= p->from && offset <= p->to && length <= p->to - offset);
    return WLK_OK;
}

static wlk_status append(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

static wlk_status parse(const uint8_t *data, uint64_t size, parsed *p, wlk_error *error) {
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

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    envelope e;
    wlk_error lazy_error = {0};
    TRY(envelope_decode(data, size, &e, error));
    parsed whole = {.from = e.data_off, .to = size}, lazy = whole;
    wlk_status status = parse(data, size, &whole, error);
    uint8_t *head = mem_alloc(e.data_off); /* with a fence where the data would be */
    if (head) memcpy(head, data, e.data_off);
    const wlk_status lazy_status = head
                                       ? parse(head, e.data_off, &lazy, &lazy_error)
                                       : error_at(&lazy_error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const bool starved = lazy_error.rule == RULE_INTERNAL_MEMORY;
    if (starved) *error = lazy_error;
    if (status == WLK_OK && !starved) {
        FUZZ_CHECK(5, lazy_status == WLK_OK && whole.length == lazy.length);
        FUZZ_CHECK(5, memcmp(whole.image, lazy.image, whole.length) == 0);
    }
    mem_free(whole.image);
    mem_free(lazy.image);
    mem_free(head);
    return starved ? lazy_status : status;
}

/* One byte can announce a tensor, for which there are 152 bytes before it is looked at; the
 * head is held twice, and one image while the other is made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 16, .memory_per_byte = 160}, data,
                    size);
}
