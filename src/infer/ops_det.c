/* Det: the determinants of square matrices, by elimination with partial pivoting. */
#include <math.h>

#include "infer/ops.h"
#include "infer/shape.h"

static wlk_status det_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    const int64_t size = in->dims[in->rank - 1];
    if (!dim_agrees(size, in->dims[in->rank - 2])) {
        return op_fail(call, op_shape_rule(call), "the matrices are not square");
    }
    op_set_output(call, 0, in->dtype, in->rank - 2, in->dims);
    if (!call->binding) return WLK_OK;
    const uint64_t n = (uint64_t)size;
    if (in->count > 0) op_add_operations(call, OP_INTEGER_COST, in->count, n, 1);
    return op_need_scratch(call, in->count > 0 ? n * n : 0, sizeof(double));
}

static uint64_t pivot_row(const double *matrix, uint64_t n, uint64_t column) {
    uint64_t best = column;
    for (uint64_t i = column + 1; i < n; i++) {
        if (fabs(matrix[i * n + column]) > fabs(matrix[best * n + column])) best = i;
    }
    return best;
}

static void swap_rows(double *matrix, uint64_t n, uint64_t a, uint64_t b) {
    for (uint64_t j = 0; j < n; j++) {
        const double kept = matrix[a * n + j];
        matrix[a * n + j] = matrix[b * n + j];
        matrix[b * n + j] = kept;
    }
}

static double determinant(double *matrix, uint64_t n) {
    double det = 1;
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t pivot = pivot_row(matrix, n, k);
        if (pivot != k) {
            swap_rows(matrix, n, pivot, k);
            det = -det;
        }
        const double top = matrix[k * n + k];
        det *= top;
        if (top == 0) return 0;
        for (uint64_t i = k + 1; i < n; i++) {
            const double share = matrix[i * n + k] / top;
            for (uint64_t j = k + 1; j < n; j++) matrix[i * n + j] -= share * matrix[k * n + j];
        }
    }
    return det;
}

static void store(const op_tensor *out, uint64_t i, double value) {
    if (out->dtype == WLK_F64) {
        ((double *)out->target)[i] = value;
    } else {
        ((float *)out->target)[i] = (float)value;
    }
}

static wlk_status det_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const uint64_t n = (uint64_t)in->dims[in->rank - 1];
    double *matrix = call->scratch;
    for (uint64_t m = 0; m < out->count; m++) {
        for (uint64_t i = 0; i < n * n; i++) {
            const uint64_t at = m * n * n + i;
            matrix[i] = in->dtype == WLK_F64 ? ((const double *)in->data)[at]
                                             : (double)((const float *)in->data)[at];
        }
        store(out, m, determinant(matrix, n));
    }
    return WLK_OK;
}

static const op_port port_11[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};
static const op_port port_22[] = {{"X", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define ROW(version, op_ports)                                                           \
    {                                                                                    \
        .domain = "", .name = "Det", .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = det_infer,       \
        .kernel = det_kernel, .flags = OP_HALF                                           \
    }

static const op_row rows[] = {ROW(11, port_11), ROW(22, port_22)};

const op_family ops_det = {rows, sizeof rows / sizeof *rows};
