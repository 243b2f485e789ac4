/* A .wlk file read, and what is made of its model: what is written is read as the same model,
 * and written again as the same bytes. */
#include <weighlock/parse.h>

#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_WLK, fuzz_limits(), &model, error);
    if (parsed != WLK_OK) return parsed;
    const wlk_status status = oracle_fixed_point(model, error);
    wlk_model_free(model);
    return status;
}

/* A nil among metadata is one byte here, and at most 114 of two models, what was written, and
 * the builder of the second. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 16, .memory_per_byte = 144}, data,
                    size);
}
