/* A compressed joblib file whole. An input that is not compressed is another target's. */
#include <weighlock/parse.h>

#include "base/error.h"
#include "formats/pickle/inflate.h"
#include "kit/input_pickle.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_compressed;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    if (inflate_detect(data, size) == INFLATE_NONE) return error_at(error, RULE_INFLATE_HEADER, 0);
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_PICKLE, pickle_limits(), &model, error);
    FUZZ_CHECK(5, parsed != WLK_CAGE);
    FUZZ_CHECK(6, (parsed == WLK_OK) == (model != NULL));
    if (parsed != WLK_OK) return parsed;
    oracle_model(model, size);
    wlk_model_free(model);
    return WLK_OK;
}

/* Besides what a pickle takes: what it was made of while it grew, and a decompressor; of each
 * byte of the input a thousand more may come. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = PICKLE_MEMORY + (9u << 20)}, data, size);
}
