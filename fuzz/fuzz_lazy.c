/* A .wlk file parsed whole, and from what lies before its data alone: what the first accepts
 * the second must accept, as the same model, payloads in the data. */
#include <string.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "kit/head_parse.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    envelope e;
    wlk_error lazy_error = {0};
    TRY(envelope_decode(data, size, &e, error));
    parsed_head whole = {.from = e.data_off, .to = size}, lazy = whole;
    wlk_status status = head_parse(data, size, &whole, error);
    uint8_t *head = mem_alloc(e.data_off); /* with a fence where the data would be */
    if (head) memcpy(head, data, e.data_off);
    const wlk_status lazy_status = head
                                       ? head_parse(head, e.data_off, &lazy, &lazy_error)
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
