/* An ONNX file from end to end: parsed, planned, then run on rows that mean harm
 * (kit/feed.h). Subgraphs, sequences, functions and forests come in by this way. */
#include <weighlock/parse.h>

#include "kit/feed.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_protobuf;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    fuzz_random random = {fuzz_hash(data, size)};
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    wlk_status status = wlk_parse_memory(data, size, WLK_FORMAT_ONNX, fuzz_limits(), &model, error);
    if (status == WLK_OK) status = wlk_plan_create(model, fuzz_limits(), &plan, error);
    if (status == WLK_OK) {
        feed_check_ports(model, plan);
        status = feed_run(plan, &random, error);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = FEED_MEMORY, .memory_per_byte = 2048},
                    data, size);
}
