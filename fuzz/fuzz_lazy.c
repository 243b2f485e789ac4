/* A .wlk file parsed whole, and from what lies before its data alone: what the first accepts
 * the second must accept, as the same model, payloads in the data. */
#include <string.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "kit/head_parse.h"
#include "kit/kit.h"
#include "kit/wlk_file.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

/* Of so many inputs one is parsed whole too, of accepted heads every second. */
#define WHOLE_SHARE 4

static wlk_status parse_whole(const uint8_t *data, size_t size, const parsed_head *head,
                              wlk_status status, wlk_error *error) {
    parsed_head whole = {.from = head->from, .to = head->to};
    wlk_error found = {0};
    const wlk_status all = head_parse(data, size, &whole, &found);
    if (all == WLK_OK && error->rule != RULE_INTERNAL_MEMORY) {
        FUZZ_CHECK(5, status == WLK_OK && whole.length == head->length);
        FUZZ_CHECK(5, memcmp(whole.image, head->image, whole.length) == 0);
    }
    mem_free(whole.image);
    if (status != WLK_OK && found.rule != RULE_INTERNAL_MEMORY) return status;
    *error = found;
    return all;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    envelope e;
    TRY(envelope_decode(data, size, &e, error));
    parsed_head head = {.from = e.data_off, .to = size};
    uint8_t *copy = mem_alloc(e.data_off); /* with a fence where the data would be */
    if (!copy) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memcpy(copy, data, e.data_off);
    wlk_status status = head_parse(copy, e.data_off, &head, error);
    const uint64_t drawn = fuzz_hash(data, size) % WHOLE_SHARE;
    /* Compressed tensors have no head to themselves: such a file is loaded whole. */
    if (e.codecs == ENVELOPE_CODEC_RAW && (drawn == 0 || (drawn == 1 && status == WLK_OK))) {
        status = parse_whole(data, size, &head, status, error);
    }
    mem_free(head.image);
    mem_free(copy);
    return status;
}

/* One byte can announce a tensor, for which there are 152 bytes before it is looked at; the
 * head is held twice, and one image while the other is made. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run,
                                   .memory = (1u << 16) + wlk_packed_memory(data, size),
                                   .memory_per_byte = 160},
                    data, size);
}
