/* RegexFullMatch. */
#include <string.h>

#include "base/utf8.h"
#include "infer/ops.h"
#include "infer/regex.h"

static wlk_status regex_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const attribute_value pattern = op_attribute(call, 0);
    const char *text = pattern.given ? pattern.s : "";
    const char *why = "";
    void *room = NULL;
    TRY(plan_take(memory, 1, sizeof(regex), &room, call->error));
    if (!utf8_valid((const uint8_t *)text, strlen(text))) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "pattern: not UTF-8");
    }
    if (!regex_compile(text, room, &why)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "pattern: %s", why);
    }
    *prepared = room;
    return WLK_OK;
}

/* Every character may meet every instruction, and each of its ranges. */
static uint64_t step_cost(const regex *r) {
    uint64_t cost = 0;
    for (uint32_t i = 0; i < r->count; i++) cost += 4 + r->program[i].count;
    return cost;
}

static wlk_status regex_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const regex *r = call->node->prepared;
    op_set_output(call, 0, WLK_BOOL, in->rank, in->dims);
    if (!call->binding) return WLK_OK;
    op_add_operations(call, OP_INTEGER_COST, in->text_bytes, step_cost(r), 4);
    op_add_operations(call, OP_INTEGER_COST, in->count, step_cost(r), 4);
    return op_need_scratch(call, regex_room(r), sizeof(uint32_t));
}

static wlk_status regex_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint8_t *out = op_output(call, 0)->target;
    for (uint64_t i = 0; i < in->count; i++) {
        out[i] = regex_match(call->node->prepared, tensor_string(in, i), call->scratch);
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {{.name = "pattern", .type = WLK_ATTR_STRING}};
static const op_port port[] = {{"X", DTYPE_BIT(WLK_STR), 0}};

static const op_row rows[] = {
    {.domain = "",
     .name = "RegexFullMatch",
     .since = 20,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = attributes,
     .attribute_count = 1,
     .infer = regex_infer,
     .kernel = regex_kernel,
     .prepare = regex_prepare},
};

const op_family ops_regex = {rows, sizeof rows / sizeof *rows};
