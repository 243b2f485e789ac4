/* Each of the decompressors, on what begins like its own, else on any bytes: within its limits,
 * and the same with a limit that it just reaches. */
#include "base/error.h"
#include "base/memory.h"
#include "formats/pickle/inflate.h"
#include "kit/input_pickle.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_compressed;

static inflate_codec choose(const uint8_t *data, size_t size) {
    const inflate_codec codec = inflate_detect(data, size);
    if (codec != INFLATE_NONE) return codec;
    return (inflate_codec)(1 + fuzz_hash(data, size) % (INFLATE_CODEC_COUNT - 1));
}

/* One byte less than it makes is too little (invariant 7). */
static wlk_status check_limit(inflate_codec codec, const uint8_t *data, size_t size,
                              uint64_t length, wlk_error *error) {
    wlk_limits limits = *pickle_limits();
    uint8_t *out = NULL;
    uint64_t made = 0;
    if (length == 0) return WLK_OK;
    limits.inflated_bytes = length - 1;
    const wlk_status status = inflate_all(codec, data, size, &limits, &out, &made, error);
    FUZZ_CHECK(7, status != WLK_OK);
    FUZZ_CHECK(7, error->rule == RULE_LIMIT_INFLATED_BYTES || error->rule == RULE_INTERNAL_MEMORY);
    return error->rule == RULE_INTERNAL_MEMORY ? status : WLK_OK;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    const inflate_codec codec = choose(data, size);
    const wlk_limits *limits = pickle_limits();
    uint8_t *out = NULL;
    uint64_t length = 0;
    TRY(inflate_all(codec, data, size, limits, &out, &length, error));
    FUZZ_CHECK(7, length <= limits->inflated_bytes);
    FUZZ_CHECK(7, fuzz_hash(out, length) | 1); /* all is there */
    mem_free(out);
    return check_limit(codec, data, size, length, error);
}

/* A decompressor, and twice what it makes while that grows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 10u << 20}, data, size);
}
