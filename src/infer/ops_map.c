/* ai.onnx.ml: ZipMap. A row of scores becomes a map from labels to scores: the keys are
 * one tensor, the scores stay where they are. */
#include <string.h>

#include "base/bytes.h"
#include "infer/frame.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { ZIP_INTS, ZIP_STRINGS };

static wlk_status zip_infer(op_call *call) {
    const attribute_value ints = op_attribute(call, ZIP_INTS);
    const attribute_value strings = op_attribute(call, ZIP_STRINGS);
    if ((ints.count > 0) == (strings.count > 0)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "keys must be either ints or strings");
    }
    const op_tensor *in = op_input(call, 0);
    const int64_t keys = ints.count > 0 ? ints.count : strings.count;
    TRY(shape_need_rank(call, 0, 1, 2));
    if (in->rank != WLK_NONE && !dim_agrees(in->dims[in->rank - 1], keys)) {
        char text[TENSOR_TEXT_BYTES];
        return op_fail(call, op_shape_rule(call), "%lld keys for %s", (long long)keys,
                       tensor_text(in, text));
    }
    op_set_output(call, 0, WLK_F32, WLK_NONE, NULL);
    op_set_kind(call, 0, VALUE_MAPS, ints.count > 0 ? WLK_I64 : WLK_STR);
    return WLK_OK;
}

static wlk_status text_keys(run *r, attribute_value strings, held *keys) {
    uint64_t text_bytes = 0;
    const int64_t count = strings.count;
    for (uint32_t i = 0; i < strings.count; i++) text_bytes += strlen(strings.strings[i]);
    TRY(held_new(r, WLK_STR, 1, &count, text_bytes, keys));
    char *offsets = keys->tensor.target;
    char *texts = offsets + 8 * (keys->tensor.count + 1);
    uint64_t end = 0;
    store_u64(offsets, 0);
    for (uint32_t i = 0; i < strings.count; i++) {
        const size_t length = strlen(strings.strings[i]);
        memcpy(texts + end, strings.strings[i], length);
        end += length;
        store_u64(offsets + 8 * ((uint64_t)i + 1), end);
    }
    return WLK_OK;
}

static wlk_status int_keys(run *r, attribute_value ints, held *keys) {
    const int64_t count = ints.count;
    TRY(held_new(r, WLK_I64, 1, &count, 0, keys));
    memcpy(keys->tensor.target, ints.ints, ints.count * sizeof(int64_t));
    return WLK_OK;
}

static wlk_status zip_keys(run *r, const op_call *call, held *keys) {
    const attribute_value ints = op_attribute(call, ZIP_INTS);
    if (ints.count > 0) return int_keys(r, ints, keys);
    return text_keys(r, op_attribute(call, ZIP_STRINGS), keys);
}

static wlk_status zip_run(run *r, const op_call *call) {
    run_buffer *list = NULL;
    held keys = {.owner = NULL};
    held scores = {.owner = NULL};
    TRY(items_take(r, 2, &list));
    TRY(zip_keys(r, call, &keys));
    TRY(frame_take(r, call->node->edges[0], &scores));
    const op_tensor *in = &scores.tensor;
    if (in->rank < 1 || in->rank > 2 || in->dims[in->rank - 1] != keys.tensor.dims[0]) {
        char text[TENSOR_TEXT_BYTES];
        return op_fail(call, RULE_RUN_SHAPE, "%lld keys for %s", (long long)keys.tensor.dims[0],
                       tensor_text(in, text));
    }
    if (in->rank == 1) { /* one row */
        scores.tensor.rank = 2;
        scores.tensor.dims[1] = scores.tensor.dims[0];
        scores.tensor.dims[0] = 1;
    }
    TRY(run_charge(r, ((uint64_t)keys.tensor.count + keys.tensor.text_bytes) * OP_ELEMENT_COST));
    items_set(list, 0, &keys);
    items_set(list, 1, &scores);
    held maps = held_list(VALUE_MAPS, WLK_F32, list);
    maps.tensor.key_dtype = keys.tensor.dtype;
    frame_give_output(r, call, 0, &maps);
    return WLK_OK;
}

static const op_port zip_ports[] = {{"X", DTYPE_BIT(WLK_F32), 0}};
static const attribute_row zip_attributes[] = {
    [ZIP_INTS] = {.name = "classlabels_int64s", .type = WLK_ATTR_INTS},
    [ZIP_STRINGS] = {.name = "classlabels_strings", .type = WLK_ATTR_STRINGS}};

static const op_row rows[] = {{.domain = "ai.onnx.ml",
                               .name = "ZipMap",
                               .since = 1,
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .ports = zip_ports,
                               .attributes = zip_attributes,
                               .attribute_count = 2,
                               .infer = zip_infer,
                               .control = zip_run}};

const op_family ops_map = {rows, sizeof rows / sizeof *rows};
