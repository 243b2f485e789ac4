/* MatMul and Gemm. */
#include <string.h>

#include "infer/blas.h"
#include "infer/broadcast.h"
#include "infer/ops.h"
#include "infer/shape.h"

static wlk_status need_fit(const op_call *call, const product *p) {
    if (product_fits(p)) return WLK_OK;
    return op_fail(call, RULE_RUN_MATRIX, "%llu x %llu times %llu x %llu", (unsigned long long)p->m,
                   (unsigned long long)p->k, (unsigned long long)p->k, (unsigned long long)p->n);
}

/* ---- MatMul: numpy.matmul. A vector on the left is a row, on the right a
 * column, and its axis of 1 is not in the result; leading axes broadcast. */

typedef struct matmul_side {
    int64_t batch[WLK_MAX_RANK];
    uint32_t batch_rank;
    int64_t rows;
    int64_t columns;
} matmul_side;

static matmul_side side_of(const op_tensor *in, bool left) {
    matmul_side side = {.rows = 1, .columns = 1};
    if (in->rank == 1) {
        *(left ? &side.columns : &side.rows) = in->dims[0];
        return side;
    }
    side.batch_rank = in->rank - 2;
    memcpy(side.batch, in->dims, sizeof side.batch);
    side.rows = in->dims[in->rank - 2];
    side.columns = in->dims[in->rank - 1];
    return side;
}

/* A call's matrices and batch, which the shape rule and the kernel both need. */
typedef struct matmul {
    matmul_side a;
    matmul_side b;
    int64_t batch[WLK_MAX_RANK];
    uint32_t batch_rank;
} matmul;

static wlk_status matmul_of(const op_call *call, matmul *out) {
    out->a = side_of(op_input(call, 0), true);
    out->b = side_of(op_input(call, 1), false);
    out->batch_rank = out->a.batch_rank > out->b.batch_rank ? out->a.batch_rank : out->b.batch_rank;
    if (!dim_agrees(out->a.columns, out->b.rows) ||
        !dims_broadcast(out->a.batch, out->a.batch_rank, out->b.batch, out->b.batch_rank,
                        out->batch)) {
        return shape_mismatch(call, 0, 1);
    }
    return WLK_OK;
}

static product matmul_product(const matmul *mm) {
    return (product){
        .m = (uint64_t)mm->a.rows, .n = (uint64_t)mm->b.columns, .k = (uint64_t)mm->a.columns};
}

static uint32_t matmul_dims(const op_call *call, const matmul *mm, int64_t dims[WLK_MAX_RANK]) {
    uint32_t rank = mm->batch_rank;
    memcpy(dims, mm->batch, rank * sizeof *dims);
    if (op_input(call, 0)->rank > 1) dims[rank++] = mm->a.rows;
    if (op_input(call, 1)->rank > 1) dims[rank++] = mm->b.columns;
    return rank;
}

static wlk_status matmul_cost(op_call *call, const matmul *mm) {
    const product p = matmul_product(mm);
    const int64_t batch = dim_product(mm->batch, 0, mm->batch_rank);
    const uint64_t times = batch == WLK_UNKNOWN_DIM ? UINT64_MAX : (uint64_t)batch;
    const bool is_float = DTYPES_FLOAT & DTYPE_BIT(op_input(call, 0)->dtype);
    uint64_t elements = 0;
    if (__builtin_mul_overflow(p.m, p.n, &elements)) elements = UINT64_MAX;
    op_add_operations(call, is_float ? 1 : OP_INTEGER_COST, times, elements, p.k);
    op_add_operations(call, OP_CALL_COST, times, elements > 0, 1);
    return is_float ? need_fit(call, &p) : WLK_OK;
}

static wlk_status matmul_infer(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    TRY(shape_need_rank(call, 0, 1, WLK_MAX_RANK));
    TRY(shape_need_rank(call, 1, 1, WLK_MAX_RANK));
    if (a->rank == WLK_NONE || b->rank == WLK_NONE) {
        op_set_output(call, 0, a->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    matmul mm = {.batch_rank = 0};
    TRY(matmul_of(call, &mm));
    int64_t dims[WLK_MAX_RANK] = {0};
    const wlk_dtype dtype = a->dtype;
    const uint32_t rank = matmul_dims(call, &mm, dims);
    op_set_output(call, 0, dtype, rank, dims);
    return call->binding ? matmul_cost(call, &mm) : WLK_OK;
}

typedef void (*product_run)(const product *p, const void *a, const void *b, void *c);

static void run_f32(const product *p, const void *a, const void *b, void *c) {
    product_f32(p, 1, a, b, 0, c);
}

static void run_f64(const product *p, const void *a, const void *b, void *c) {
    product_f64(p, 1, a, b, 0, c);
}

/* Wraps around, whether the elements are signed or not: the bits are the same.
 * Row by row of B, so that memory is walked forwards. */
#define INTEGER_PRODUCT(function, type)                                             \
    static void function(const product *p, const void *a, const void *b, void *c) { \
        const type *left = a;                                                       \
        const type *right = b;                                                      \
        type *out = c;                                                              \
        if (p->m * p->n > 0) memset(out, 0, p->m * p->n * sizeof(type));            \
        for (uint64_t i = 0; i < p->m; i++) {                                       \
            for (uint64_t l = 0; l < p->k; l++) {                                   \
                const type x = left[i * p->k + l];                                  \
                const type *row = right + l * p->n;                                 \
                type *restrict sum = out + i * p->n;                                \
                for (uint64_t j = 0; j < p->n; j++) sum[j] += x * row[j];           \
            }                                                                       \
        }                                                                           \
    }

INTEGER_PRODUCT(run_u64, uint64_t)
INTEGER_PRODUCT(run_u32, uint32_t)

static const product_run product_runs[WLK_DTYPE_COUNT] = {
    [WLK_F32] = run_f32, [WLK_F64] = run_f64, [WLK_I64] = run_u64,
    [WLK_U64] = run_u64, [WLK_I32] = run_u32, [WLK_U32] = run_u32,
};

static wlk_status matmul_kernel(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    const op_tensor *out = op_output(call, 0);
    matmul mm = {.batch_rank = 0};
    TRY(matmul_of(call, &mm));
    if (out->count == 0) return WLK_OK;
    const product p = matmul_product(&mm);
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    const product_run run = product_runs[out->dtype];
    broadcast_walk walk = broadcast_start((broadcast_shape){mm.batch, mm.batch_rank},
                                          (broadcast_shape){mm.a.batch, mm.a.batch_rank},
                                          (broadcast_shape){mm.b.batch, mm.b.batch_rank});
    for (; !walk.done; broadcast_next(&walk)) {
        for (uint64_t i = 0; i < walk.length; i++) {
            const uint64_t at_a = (walk.at[0] + i * walk.step[0]) * p.m * p.k * size;
            const uint64_t at_b = (walk.at[1] + i * walk.step[1]) * p.k * p.n * size;
            const uint64_t at_c = (walk.out + i) * p.m * p.n * size;
            run(&p, (const char *)a->data + at_a, (const char *)b->data + at_b,
                (char *)out->target + at_c);
        }
    }
    return WLK_OK;
}

/* ---- Gemm */

enum { GEMM_ALPHA, GEMM_BETA, GEMM_TRANS_A, GEMM_TRANS_B };

/* The product's dims as the inputs say them, unknown ones included. */
typedef struct gemm_dims {
    int64_t m, n, k_a, k_b;
} gemm_dims;

static gemm_dims gemm_dims_of(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    const uint32_t a_rows = op_attribute(call, GEMM_TRANS_A).i != 0;
    const uint32_t b_rows = op_attribute(call, GEMM_TRANS_B).i != 0;
    gemm_dims dims = {WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    if (a->rank != WLK_NONE) {
        dims.m = a->dims[a_rows];
        dims.k_a = a->dims[1 - a_rows];
    }
    if (b->rank != WLK_NONE) {
        dims.k_b = b->dims[b_rows];
        dims.n = b->dims[1 - b_rows];
    }
    return dims;
}

static product gemm_product(const op_call *call) {
    const gemm_dims dims = gemm_dims_of(call);
    return (product){.transpose_a = op_attribute(call, GEMM_TRANS_A).i != 0,
                     .transpose_b = op_attribute(call, GEMM_TRANS_B).i != 0,
                     .m = (uint64_t)dims.m,
                     .n = (uint64_t)dims.n,
                     .k = (uint64_t)dims.k_a};
}

static wlk_status gemm_infer(op_call *call) {
    TRY(shape_need_rank(call, 0, 2, 2));
    TRY(shape_need_rank(call, 1, 2, 2));
    const gemm_dims dims = gemm_dims_of(call);
    const int64_t out[2] = {dims.m, dims.n};
    if (!dim_agrees(dims.k_a, dims.k_b)) return shape_mismatch(call, 0, 1);
    if (op_input(call, 2) && !dims_stretch(op_input(call, 2), out, 2)) {
        char text[TENSOR_TEXT_BYTES];
        return op_fail(call, op_shape_rule(call), "input 2 is %s, and does not stretch to the sum",
                       tensor_text(op_input(call, 2), text));
    }
    op_set_output(call, 0, op_input(call, 0)->dtype, 2, out);
    if (!call->binding) return WLK_OK;
    const product p = gemm_product(call);
    op_add_operations(call, 1, p.m, p.n, p.k);
    return need_fit(call, &p);
}

/* The output starts as C, stretched. */
static void gemm_stretch(const op_tensor *c, const op_tensor *out) {
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    const broadcast_shape from = broadcast_of(c);
    broadcast_walk walk = broadcast_start(broadcast_of(out), from, from);
    for (; !walk.done; broadcast_next(&walk)) {
        char *to = (char *)out->target + walk.out * size;
        const char *at = (const char *)c->data + walk.at[0] * size;
        const uint64_t piece = walk.step[0] == 1 ? walk.length : 1;
        for (uint64_t i = 0; i < walk.length; i += piece) memcpy(to + i * size, at, piece * size);
    }
}

static wlk_status gemm_kernel(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    const op_tensor *c = op_input(call, 2);
    const op_tensor *out = op_output(call, 0);
    const product p = gemm_product(call);
    const double alpha = op_attribute(call, GEMM_ALPHA).f;
    const double beta = c ? op_attribute(call, GEMM_BETA).f : 0;
    if (c) gemm_stretch(c, out);
    if (out->dtype == WLK_F32) {
        product_f32(&p, (float)alpha, a->data, b->data, (float)beta, out->target);
    } else {
        product_f64(&p, alpha, a->data, b->data, beta, out->target);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row gemm_attributes[] = {
    [GEMM_ALPHA] = {.name = "alpha", .type = WLK_ATTR_FLOAT, .f = 1},
    [GEMM_BETA] = {.name = "beta", .type = WLK_ATTR_FLOAT, .f = 1},
    [GEMM_TRANS_A] = {.name = "transA", .type = WLK_ATTR_INT, .i = 0},
    [GEMM_TRANS_B] = {.name = "transB", .type = WLK_ATTR_INT, .i = 0},
};

static const op_port float_ports[] = {
    {"A", DTYPES_FLOAT, 'T'}, {"B", DTYPES_FLOAT, 'T'}, {"C", DTYPES_FLOAT, 'T'}};
static const op_port number_ports[] = {{"A", DTYPES_FLOAT | DTYPES_WIDE_INT, 'T'},
                                       {"B", DTYPES_FLOAT | DTYPES_WIDE_INT, 'T'}};

#define MATMUL(version, op_ports)                                                           \
    {                                                                                       \
        .domain = "", .name = "MatMul", .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = matmul_infer,       \
        .kernel = matmul_kernel                                                             \
    }
#define GEMM(version, least)                                                                     \
    {                                                                                            \
        .domain = "", .name = "Gemm", .since = version, .min_inputs = least, .max_inputs = 3,    \
        .min_outputs = 1, .max_outputs = 1, .ports = float_ports, .attributes = gemm_attributes, \
        .attribute_count = 4, .infer = gemm_infer, .kernel = gemm_kernel                         \
    }

static const op_row rows[] = {MATMUL(1, float_ports),
                              MATMUL(9, number_ports),
                              MATMUL(13, number_ports),
                              GEMM(7, 3),
                              GEMM(9, 3),
                              GEMM(11, 2),
                              GEMM(13, 2)};

const op_family ops_matrix = {rows, sizeof rows / sizeof *rows};
