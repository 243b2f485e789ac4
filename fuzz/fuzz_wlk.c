/* A .wlk file whole: what the parser accepts the image validator accepts, and every byte of
 * it has a meaning. */
#include <weighlock/parse.h>

#include "kit/kit.h"
#include "kit/oracle.h"
#include "kit/wlk_file.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_WLK, fuzz_limits(), &model, error);
    /* Of the rules about an image, all of which have this verdict, none is broken. */
    FUZZ_CHECK(5, parsed != WLK_CAGE);
    FUZZ_CHECK(6, (parsed == WLK_OK) == (model != NULL));
    if (parsed != WLK_OK) return parsed;
    oracle_model(model, size);
    wlk_model_free(model);
    return WLK_OK;
}

/* A nil among metadata is one byte here, and at most 92 of builder and image while both are
 * there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run,
                                   .memory = (1u << 16) + wlk_packed_memory(data, size),
                                   .memory_per_byte = 112},
                    data, size);
}
