/* Dropout as inference has it: the output is the input, and the mask keeps everything.
 *
 * From opset 12 on a model may ask for training. With a ratio of 0 that is the same; with
 * another it is refused, for what is left of the input would be chance. */
#include <string.h>

#include "infer/elementwise.h"
#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { DROPOUT_DATA, DROPOUT_RATIO, DROPOUT_TRAINING };

static wlk_dtype mask_dtype(const op_call *call) {
    return call->node->row->since < 10 ? op_input(call, DROPOUT_DATA)->dtype : WLK_BOOL;
}

static wlk_status dropout_infer(op_call *call) {
    const op_tensor *in = op_input(call, DROPOUT_DATA);
    op_set_output(call, 1, mask_dtype(call), in->rank, in->dims);
    return op_infer_same(call);
}

static wlk_status need_scalar(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    if (!in || in->rank == WLK_NONE) return WLK_OK;
    if (dim_agrees(dim_product(in->dims, 0, in->rank), 1)) return WLK_OK;
    return shape_mismatch(call, DROPOUT_DATA, i);
}

static double ratio_of(const op_tensor *ratio) {
    if (!ratio) return 0.5;
    return number_double(number_load(ratio->dtype)(ratio->data, 0));
}

/* Refuses what would leave something to chance. Both inputs are known, or computed. */
static wlk_status refuse_training(const op_call *call) {
    const op_tensor *training = op_input(call, DROPOUT_TRAINING);
    if (!training || !*(const uint8_t *)training->data) return WLK_OK;
    if (ratio_of(op_input(call, DROPOUT_RATIO)) == 0) return WLK_OK;
    const wlk_rule rule = call->binding ? op_value_rule(call) : RULE_PLAN_TRAINING;
    return op_fail(call, rule, "training_mode is true, and ratio is not 0");
}

static wlk_status training_infer(op_call *call) {
    TRY(need_scalar(call, DROPOUT_RATIO));
    TRY(need_scalar(call, DROPOUT_TRAINING));
    const bool ratio_known = !op_input(call, DROPOUT_RATIO) || op_is_known(call, DROPOUT_RATIO);
    if (ratio_known && op_is_known(call, DROPOUT_TRAINING)) TRY(refuse_training(call));
    return dropout_infer(call);
}

/* 1, in a dtype of the data's or in bool. */
static void keep_everything(op_tensor *mask) {
    const number_storer store = number_store(mask->dtype);
    for (uint64_t i = 0; i < mask->count; i++) {
        store(mask->target, i, (number){NUMBER_UINT, {.u = 1}});
    }
}

static wlk_status dropout_kernel(const op_call *call) {
    if (op_output(call, 1)) keep_everything(op_output(call, 1));
    return op_copy(call);
}

static wlk_status training_kernel(const op_call *call) {
    TRY(refuse_training(call));
    return dropout_kernel(call);
}

/* ---- rows */

#define DTYPES_22                                                              \
    (DTYPES_FLOAT_HALF | DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E5M2FNUZ))

#define ROW(version, most, dtypes, ratios, rules, count, rule, run)                             \
    {                                                                                           \
        .domain = "", .name = "Dropout", .since = version, .min_inputs = 1, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = 2,                                                     \
        .ports = (const op_port[]){{"data", dtypes, 0},                                         \
                                   {"ratio", ratios, 0},                                        \
                                   {"training_mode", DTYPE_BIT(WLK_BOOL), 0}},                  \
        .attributes = rules, .attribute_count = count, .infer = rule, .kernel = run             \
    }
#define OLD_ROW(version, count) \
    ROW(version, 1, DTYPES_FLOAT_16, 0, old_rules, count, dropout_infer, dropout_kernel)
#define NEW_ROW(version, dtypes, ratios) \
    ROW(version, 3, dtypes, ratios, seed_rules, 1, training_infer, training_kernel)

static const attribute_row old_rules[] = {
    {.name = "ratio", .type = WLK_ATTR_FLOAT, .f = 0.5},
    {.name = "is_test", .type = WLK_ATTR_INT},
    {.name = "consumed_inputs", .type = WLK_ATTR_INTS},
};
static const attribute_row seed_rules[] = {{.name = "seed", .type = WLK_ATTR_INT}};

static const op_row rows[] = {
    OLD_ROW(1, 3),
    OLD_ROW(6, 2),
    OLD_ROW(7, 1),
    OLD_ROW(10, 1),
    NEW_ROW(12, DTYPES_FLOAT_16, DTYPES_FLOAT_16),
    NEW_ROW(13, DTYPES_FLOAT_HALF, DTYPES_FLOAT_16),
    NEW_ROW(22, DTYPES_22, DTYPES_22),
};

const op_family ops_dropout = {rows, sizeof rows / sizeof *rows};
