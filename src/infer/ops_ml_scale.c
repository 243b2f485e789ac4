/* ai.onnx.ml Scaler and Normalizer: computed in double, given as float32. */
#include <math.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/shape.h"

static double element(const op_tensor *x, uint64_t i) {
    if (x->dtype == WLK_F32) return (double)((const float *)x->data)[i];
    if (x->dtype == WLK_F64) return ((const double *)x->data)[i];
    if (x->dtype == WLK_I64) return (double)((const int64_t *)x->data)[i];
    return ((const int32_t *)x->data)[i];
}

/* ---- Scaler: (X - offset) * scale along the last axis */

enum { SCALER_OFFSET, SCALER_SCALE };

static wlk_status scaler_check(const op_call *call, uint32_t attribute, int64_t features) {
    const uint32_t count = op_attribute(call, attribute).count;
    if (count <= 1 || features == WLK_UNKNOWN_DIM || count == features) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "input 0 has %lld columns, attribute '%s' %u values",
                   (long long)features, call->node->row->attributes[attribute].name, count);
}

static wlk_status scaler_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    const int64_t features = x->rank == WLK_NONE ? WLK_UNKNOWN_DIM : x->dims[x->rank - 1];
    TRY(scaler_check(call, SCALER_OFFSET, features));
    TRY(scaler_check(call, SCALER_SCALE, features));
    op_set_output(call, 0, WLK_F32, x->rank, x->dims);
    return WLK_OK;
}

/* One value serves all columns; none is `otherwise`. */
static double value_at(attribute_value list, uint64_t column, double otherwise) {
    if (list.count == 0) return otherwise;
    return (double)list.floats[list.count == 1 ? 0 : column];
}

static wlk_status scaler_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    float *out = op_output(call, 0)->target;
    const attribute_value offset = op_attribute(call, SCALER_OFFSET);
    const attribute_value scale = op_attribute(call, SCALER_SCALE);
    const uint64_t columns = (uint64_t)x->dims[x->rank - 1];
    for (uint64_t i = 0; i < x->count; i += columns) {
        for (uint64_t j = 0; j < columns; j++) {
            const double moved = element(x, i + j) - value_at(offset, j, 0);
            out[i + j] = (float)(moved * value_at(scale, j, 1));
        }
    }
    return WLK_OK;
}

/* ---- Normalizer: each row divided by its norm; a row of zeros stays. Dividing
 * by the largest magnitude first keeps squares in range. */

enum { NORMALIZER_NORM };

typedef struct norm_row {
    const char *name;
    double (*norm)(const double *row, uint64_t count); /* of magnitudes of at most 1 */
} norm_row;

static double norm_max(const double *row, uint64_t count) {
    double largest = 0;
    for (uint64_t i = 0; i < count && !isnan(largest); i++) {
        if (row[i] > largest || isnan(row[i])) largest = row[i];
    }
    return largest;
}

static double norm_l1(const double *row, uint64_t count) {
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += row[i];
    return sum;
}

static double norm_l2(const double *row, uint64_t count) {
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += row[i] * row[i];
    return sqrt(sum);
}

static const norm_row norms[] = {{"MAX", norm_max}, {"L1", norm_l1}, {"L2", norm_l2}};

static const norm_row *find_norm(const op_call *call) {
    const char *name = op_attribute(call, NORMALIZER_NORM).s;
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        if (strcmp(norms[i].name, name) == 0) return &norms[i];
    }
    return NULL;
}

static wlk_status normalizer_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 1, 2));
    if (!find_norm(call)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "norm '%.40s'",
                       op_attribute(call, NORMALIZER_NORM).s);
    }
    op_set_output(call, 0, WLK_F32, x->rank, x->dims);
    if (!call->binding) return WLK_OK;
    return op_need_scratch(call, (uint64_t)x->dims[x->rank - 1], sizeof(double));
}

static void normalize_row(const op_tensor *x, uint64_t at, uint64_t count, const norm_row *norm,
                          double *magnitudes, float *out) {
    for (uint64_t i = 0; i < count; i++) magnitudes[i] = fabs(element(x, at + i));
    double largest = norm_max(magnitudes, count);
    if (largest == 0) largest = 1;
    for (uint64_t i = 0; i < count; i++) magnitudes[i] /= largest;
    double divisor = norm->norm(magnitudes, count);
    if (divisor == 0) divisor = 1;
    for (uint64_t i = 0; i < count; i++) {
        out[at + i] = (float)(element(x, at + i) / largest / divisor);
    }
}

static wlk_status normalizer_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const norm_row *norm = find_norm(call);
    const uint64_t columns = (uint64_t)x->dims[x->rank - 1];
    for (uint64_t i = 0; i < x->count; i += columns) {
        normalize_row(x, i, columns, norm, call->scratch, op_output(call, 0)->target);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row scaler_attributes[] = {
    [SCALER_OFFSET] = {.name = "offset", .type = WLK_ATTR_FLOATS},
    [SCALER_SCALE] = {.name = "scale", .type = WLK_ATTR_FLOATS},
};

static const attribute_row normalizer_attributes[] = {
    [NORMALIZER_NORM] = {.name = "norm", .type = WLK_ATTR_STRING, .s = "MAX"},
};

static const op_port port[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 'T'}};

#define ROW(op_name, known_attributes, op_shape, op_run)                                          \
    {                                                                                             \
        .domain = "ai.onnx.ml", .name = op_name, .since = 1, .min_inputs = 1, .max_inputs = 1,    \
        .min_outputs = 1, .max_outputs = 1, .ports = port, .attributes = known_attributes,        \
        .attribute_count = sizeof known_attributes / sizeof *known_attributes, .infer = op_shape, \
        .kernel = op_run                                                                          \
    }

static const op_row rows[] = {
    ROW("Scaler", scaler_attributes, scaler_infer, scaler_kernel),
    ROW("Normalizer", normalizer_attributes, normalizer_infer, normalizer_kernel),
};

const op_family ops_ml_scale = {rows, sizeof rows / sizeof *rows};
