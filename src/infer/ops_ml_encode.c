/* ai.onnx.ml OneHotEncoder: each element becomes a row of zeros with a 1 where its
 * category stands. */
#include <string.h>

#include "infer/lookup.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { ENCODER_INTS, ENCODER_STRINGS, ENCODER_ZEROS };

static wlk_status encoder_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const attribute_value ints = op_attribute(call, ENCODER_INTS);
    const attribute_value strings = op_attribute(call, ENCODER_STRINGS);
    const wlk_dtype given = op_input(call, 0)->dtype;
    void *room = NULL;
    if (ints.given == strings.given) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "categories must be either ints or strings");
    }
    if (strings.given != (given == WLK_STR)) {
        return op_fail(call, RULE_PLAN_MIXED, "the categories are %s, the input is %s",
                       strings.given ? "str" : "i64", wlk_dtype_name(given));
    }
    TRY(plan_take(memory, 1, sizeof(lookup), &room, call->error));
    const lookup_list keys = strings.given ? lookup_strings(strings) : lookup_ints(ints);
    *prepared = room;
    return lookup_build(call, memory, &keys, room);
}

static uint32_t category_count(const op_call *call) {
    return op_attribute(call, ENCODER_INTS).count + op_attribute(call, ENCODER_STRINGS).count;
}

static wlk_status encoder_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[WLK_MAX_RANK];
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_F32, WLK_NONE, NULL);
        return WLK_OK;
    }
    if (in->rank == WLK_MAX_RANK) return op_fail(call, RULE_PLAN_RANK, "the categories");
    memcpy(dims, in->dims, sizeof dims);
    dims[in->rank] = category_count(call);
    op_set_output(call, 0, WLK_F32, in->rank + 1, dims);
    if (call->binding) lookup_cost(call, call->node->prepared, in);
    return WLK_OK;
}

/* Rows of elements [from, from + count). */
static wlk_status encode_block(const op_call *call, uint64_t from, uint64_t count) {
    uint32_t places[LOOKUP_BLOCK];
    const uint64_t width = category_count(call);
    const bool zeros = op_attribute(call, ENCODER_ZEROS).i != 0;
    float *rows = (float *)op_output(call, 0)->target + from * width;
    lookup_block(call->node->prepared, op_input(call, 0), from, count, places);
    if (width > 0) memset(rows, 0, count * width * sizeof *rows);
    for (uint64_t i = 0; i < count; i++) {
        if (places[i] != LOOKUP_NONE) {
            rows[i * width + places[i]] = 1;
        } else if (!zeros) {
            return op_fail(call, RULE_RUN_VALUE, "element %llu is in no category",
                           (unsigned long long)from + i);
        }
    }
    return WLK_OK;
}

static wlk_status encoder_kernel(const op_call *call) {
    const uint64_t count = op_input(call, 0)->count;
    for (uint64_t from = 0; from < count; from += LOOKUP_BLOCK) {
        const uint64_t left = count - from;
        TRY(encode_block(call, from, left < LOOKUP_BLOCK ? left : LOOKUP_BLOCK));
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [ENCODER_INTS] = {.name = "cats_int64s", .type = WLK_ATTR_INTS},
    [ENCODER_STRINGS] = {.name = "cats_strings", .type = WLK_ATTR_STRINGS},
    [ENCODER_ZEROS] = {.name = "zeros", .type = WLK_ATTR_INT, .i = 1},
};

static const op_port port[] = {
    {"X", DTYPE_BIT(WLK_STR) | DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 0}};

static const op_row rows[] = {
    {.domain = "ai.onnx.ml",
     .name = "OneHotEncoder",
     .since = 1,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = attributes,
     .attribute_count = sizeof attributes / sizeof *attributes,
     .infer = encoder_infer,
     .kernel = encoder_kernel,
     .prepare = encoder_prepare},
};

const op_family ops_ml_encode = {rows, sizeof rows / sizeof *rows};
