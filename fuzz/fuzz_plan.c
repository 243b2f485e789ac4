/* A model image, and the inference core's plan of it. What is accepted has ports that a
 * caller can rely on, and takes rows that fit them (invariant 11). */
#include "kit/feed.h"
#include "kit/input_image.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_image;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    fuzz_random random = {fuzz_hash(data, size)};
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    wlk_status status = image_input_validate(data, size, fuzz_limits(), &model, error);
    if (status == WLK_OK && model) status = wlk_plan_create(model, fuzz_limits(), &plan, error);
    if (plan) {
        feed_check_ports(model, plan);
        status = feed_run(plan, &random, error);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run,
                                   .memory = FEED_MEMORY + IMAGE_INPUT_MEMORY,
                                   .memory_per_byte = IMAGE_INPUT_MEMORY_PER_BYTE},
                    data, size);
}
