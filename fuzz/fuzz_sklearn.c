/* An estimator from end to end: read, planned, then run on rows that mean harm (kit/feed.h):
 * what is accepted of its state runs. */
#include <weighlock/parse.h>

#include "base/error.h"
#include "kit/feed.h"
#include "kit/input_pickle.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_pickle;

/* No graph that was made here is one that the core does not run. */
static wlk_status plan_of(const wlk_model *model, wlk_plan **plan, wlk_error *error) {
    if (wlk_model_count(model, WLK_SECTION_GRAPHS) == 0) return error_at(error, RULE_PLAN_GRAPH, 0);
    const wlk_status status = wlk_plan_create(model, fuzz_limits(), plan, error);
    FUZZ_CHECK(11, status == WLK_OK || status == WLK_LIMIT || status == WLK_SYSTEM);
    return status;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    fuzz_random random = {fuzz_hash(data, size)};
    wlk_model *model = NULL;
    wlk_plan *plan = NULL;
    wlk_status status =
        wlk_parse_memory(data, size, WLK_FORMAT_PICKLE, pickle_limits(), &model, error);
    if (status == WLK_OK) status = plan_of(model, &plan, error);
    if (status == WLK_OK) {
        feed_check_ports(model, plan);
        status = feed_run(plan, &random, error);
    }
    wlk_plan_free(plan);
    wlk_model_free(model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(
        &(fuzz_target){.run = run, .memory = PICKLE_MEMORY + FEED_MEMORY, .memory_per_byte = 2048},
        data, size);
}
