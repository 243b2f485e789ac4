/* An attacker in the child's place: whatever comes out of the result pipe, the parent takes
 * no more than its budgets, believes no byte that is said to lie in the file, and ends with a
 * model that can be read to its last byte or with a refusal (invariants 5, 6 and 7). The
 * input: input_wire.h. */
#include <string.h>

#include "kit/input_wire.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_wire;

/* A child can refuse only what a parser can, word for word; all else the parent said itself. */
static wlk_status check_refused(const wire_hearing *h, wlk_status status, const wlk_error *error) {
    const char *name = wlk_rule_name(error->rule);
    const bool parents = strncmp(name, "wire.", 5) == 0 || strncmp(name, "image.", 6) == 0 ||
                         error->rule == RULE_CAGE_BUILD || error->status == WLK_LIMIT ||
                         error->rule == RULE_INTERNAL_MEMORY || error->rule == RULE_TENSOR_PAYLOAD;
    wire_refuse said;
    FUZZ_CHECK(5, error->rule != RULE_LIMIT_DEADLINE); /* there is none here: no child's word */
    if (parents) return status;
    FUZZ_CHECK(5, h->receiver.state == WIRE_DONE && !h->ended && status != WLK_TRUST);
    memcpy(&said, h->parts.frames + h->parts.frame_bytes - sizeof said, sizeof said);
    FUZZ_CHECK(9, said.rule == error->rule && said.status == (uint32_t)status);
    return error->rule == RULE_INTERNAL_DEFECT ? WLK_OK : status; /* its defect, not ours */
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wire_hearing h;
    wlk_model *model;
    wlk_status status = wire_hear(&h, data, size, &model, error);
    FUZZ_CHECK(6, (status == WLK_OK) == (model != NULL));
    if (model) {
        wire_check_taken(&h);
        oracle_model(model, h.parts.head.file_bytes);
    } else {
        status = check_refused(&h, status, error);
    }
    wlk_model_free(model);
    wire_hearing_drop(&h);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(
        &(fuzz_target){
            .run = run, .memory = WIRE_INPUT_MEMORY, .memory_per_byte = WIRE_INPUT_MEMORY_PER_BYTE},
        data, size);
}
