/* A pickle or a joblib file whole: what the parser accepts the image validator accepts, and
 * every byte of it has a meaning. */
#include <weighlock/parse.h>

#include "kit/input_pickle.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_pickle;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_PICKLE, pickle_limits(), &model, error);
    FUZZ_CHECK(5, parsed != WLK_CAGE);
    FUZZ_CHECK(6, (parsed == WLK_OK) == (model != NULL));
    if (parsed != WLK_OK) return parsed;
    oracle_model(model, size);
    wlk_model_free(model);
    return WLK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(
        &(fuzz_target){
            .run = run, .memory = PICKLE_MEMORY, .memory_per_byte = PICKLE_MEMORY_PER_BYTE},
        data, size);
}
