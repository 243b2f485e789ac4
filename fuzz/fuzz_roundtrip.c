/* A .wlk file read, and what is made of its model: what is written, compressed or not, is read
 * as the same model, and written again as the same bytes. */
#include <weighlock/parse.h>

#include "kit/kit.h"
#include "kit/oracle.h"
#include "kit/wlk_file.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

/* Compressing takes memory and time: one input in so many is. */
#define COMPRESSED_SHARE 8

static bool is_compressed(const uint8_t *data, size_t size) {
    return fuzz_hash(data, size) / 16 % COMPRESSED_SHARE == 0;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_WLK, fuzz_limits(), &model, error);
    if (parsed != WLK_OK) return parsed;
    wlk_status status = oracle_fixed_point(model, error);
    if (status == WLK_OK && is_compressed(data, size)) status = oracle_compressed(model, error);
    wlk_model_free(model);
    return status;
}

/* A nil among metadata is one byte here, and at most 114 of two models, what was written, and
 * the builder of the second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint64_t packed = is_compressed(data, size) ? 32u << 20 : wlk_packed_memory(data, size);
    return fuzz_run(
        &(fuzz_target){.run = run, .memory = (1u << 16) + packed, .memory_per_byte = 144}, data,
        size);
}
