/* MatMul and Gemm. */
#include <string.h>

#include "infer/blas.h"
#include "infer/broadcast.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* Whole numbers of either sign wrap around alike. */
static const tile_element elements[WLK_DTYPE_COUNT] = {
    [WLK_F32] = TILE_F32, [WLK_F64] = TILE_F64, [WLK_I32] = TILE_U32,
    [WLK_U32] = TILE_U32, [WLK_I64] = TILE_U64, [WLK_U64] = TILE_U64,
};

static bool is_float(wlk_dtype dtype) {
    return (DTYPES_FLOAT | DTYPES_HALF) & DTYPE_BIT(dtype);
}

static wlk_status need_fit(const op_call *call, const product *p) {
    if (product_fits(p)) return WLK_OK;
    return op_fail(call, RULE_RUN_MATRIX, "%llu x %llu times %llu x %llu", (unsigned long long)p->m,
                   (unsigned long long)p->k, (unsigned long long)p->k, (unsigned long long)p->n);
}

/* The work of `times` products. */
static wlk_status product_cost(op_call *call, const product *p, uint64_t times) {
    const uint64_t cost = is_float(op_input(call, 0)->dtype) ? 1 : OP_INTEGER_COST;
    uint64_t sums = 0;
    if (__builtin_mul_overflow(p->m, p->n, &sums)) sums = UINT64_MAX;
    op_add_operations(call, cost, times, sums, p->k);
    op_add_operations(call, OP_CALL_COST, times, sums > 0, 1);
    return need_fit(call, p);
}

/* ---- a constant B is packed when the plan is made */

/* What is more than this share of the memory left is not worth a second copy. */
#define PACKED_SHARE 4

static wlk_status prepare_packed(const op_call *call, plan_memory *memory, bool transpose,
                                 const void **prepared) {
    const op_tensor *b = op_input(call, 1);
    if (b->origin != ORIGIN_CONSTANT || b->rank != 2) return WLK_OK;
    if (!(DTYPES_FLOAT & DTYPE_BIT(b->dtype))) return WLK_OK;
    const product p = {.transpose_b = transpose,
                       .k = (uint64_t)b->dims[transpose],
                       .n = (uint64_t)b->dims[1 - transpose]};
    const uint64_t bytes = product_packed_bytes(&p, elements[b->dtype]);
    if (bytes > memory->budget / PACKED_SHARE) return WLK_OK;
    void *taken = NULL;
    TRY(plan_take(memory, bytes + TENSOR_ALIGN, 1, &taken, call->error));
    char *packed = (char *)taken + (TENSOR_ALIGN - (uintptr_t)taken % TENSOR_ALIGN);
    product_pack(&p, elements[b->dtype], b->data, packed);
    *prepared = packed;
    return WLK_OK;
}

/* ---- products, divided into blocks */

enum { BLOCK_ROWS = 480, BLOCK_COLUMNS = 16 * PRODUCT_COLUMNS };

/* `times` products; where each begins is the caller's to say. */
typedef struct products {
    product_job job;
    uint64_t row_blocks;
    uint64_t column_blocks;
    /* of product i, counted in matrices */
    const uint64_t *places; /* pairs of A and B, NULL: there is one product */
    uint64_t a_bytes;
    uint64_t b_bytes;
    uint64_t c_bytes;
} products;

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void run_blocks(void *context, uint64_t from, uint64_t to) {
    const products *all = context;
    const uint64_t blocks = all->row_blocks * all->column_blocks;
    for (uint64_t i = from; i < to; i++) {
        const uint64_t which = i / blocks;
        const uint64_t row = i % blocks / all->column_blocks * BLOCK_ROWS;
        const uint64_t column = i % all->column_blocks * BLOCK_COLUMNS;
        product_job job = all->job;
        if (all->places) {
            job.a = (const char *)job.a + all->places[2 * which] * all->a_bytes;
            job.b = (const char *)job.b + all->places[2 * which + 1] * all->b_bytes;
            job.c = (char *)job.c + which * all->c_bytes;
        }
        product_part(&job, row, smaller(job.size.m - row, BLOCK_ROWS), column,
                     smaller(job.size.n - column, BLOCK_COLUMNS));
    }
}

/* Enough work that handing it to a thread does not show. */
#define PIECE_WORK (UINT64_C(1) << 21)

static void run_products(const op_call *call, products *all, uint64_t times) {
    const product *p = &all->job.size;
    all->row_blocks = (p->m + BLOCK_ROWS - 1) / BLOCK_ROWS;
    all->column_blocks = (p->n + BLOCK_COLUMNS - 1) / BLOCK_COLUMNS;
    const uint64_t work =
        smaller(p->m, BLOCK_ROWS) * smaller(p->n, BLOCK_COLUMNS) * (p->k > 0 ? p->k : 1);
    const uint64_t piece = work > 0 && work < PIECE_WORK ? PIECE_WORK / work : 1;
    op_parallel(call, times * all->row_blocks * all->column_blocks, piece, run_blocks, all);
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

static uint32_t matmul_dims(const op_call *call, const matmul *mm, int64_t dims[WLK_MAX_RANK]) {
    uint32_t rank = mm->batch_rank;
    memcpy(dims, mm->batch, rank * sizeof *dims);
    if (op_input(call, 0)->rank > 1) dims[rank++] = mm->a.rows;
    if (op_input(call, 1)->rank > 1) dims[rank++] = mm->b.columns;
    return rank;
}

/* How the call is computed: one B for all rows of A makes it a single product. */
typedef struct matmul_plan {
    product size;
    uint64_t times;
} matmul_plan;

static matmul_plan matmul_plan_of(const matmul *mm) {
    const int64_t batch = dim_product(mm->batch, 0, mm->batch_rank);
    const bool one_b = dim_product(mm->b.batch, 0, mm->b.batch_rank) == 1;
    matmul_plan plan = {.size = {.m = (uint64_t)mm->a.rows,
                                 .n = (uint64_t)mm->b.columns,
                                 .k = (uint64_t)mm->a.columns},
                        .times = batch == WLK_UNKNOWN_DIM ? UINT64_MAX : (uint64_t)batch};
    uint64_t rows;
    if (one_b && !__builtin_mul_overflow(plan.size.m, plan.times, &rows)) {
        plan.size.m = rows;
        plan.times = 1;
    }
    return plan;
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
    if (!call->binding) return WLK_OK;
    const matmul_plan plan = matmul_plan_of(&mm);
    TRY(product_cost(call, &plan.size, plan.times));
    return plan.times > 1 ? op_need_scratch(call, plan.times, 2 * sizeof(uint64_t)) : WLK_OK;
}

static wlk_status matmul_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    return prepare_packed(call, memory, false, prepared);
}

/* Which matrix of A and which of B make matrix i of C. */
static void fill_places(const matmul *mm, uint64_t *places) {
    broadcast_walk walk = broadcast_start((broadcast_shape){mm->batch, mm->batch_rank},
                                          (broadcast_shape){mm->a.batch, mm->a.batch_rank},
                                          (broadcast_shape){mm->b.batch, mm->b.batch_rank});
    for (; !walk.done; broadcast_next(&walk)) {
        for (uint64_t i = 0; i < walk.length; i++) {
            places[2 * (walk.out + i)] = walk.at[0] + i * walk.step[0];
            places[2 * (walk.out + i) + 1] = walk.at[1] + i * walk.step[1];
        }
    }
}

static wlk_status matmul_kernel(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    matmul mm = {.batch_rank = 0};
    TRY(matmul_of(call, &mm));
    if (out->count == 0) return WLK_OK;
    const matmul_plan plan = matmul_plan_of(&mm);
    const product *p = &plan.size;
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    products all = {.job = {.size = *p,
                            .element = elements[out->dtype],
                            .alpha = 1,
                            .a = a->data,
                            .b = op_input(call, 1)->data,
                            .packed = plan.times == 1 ? call->node->prepared : NULL,
                            .c = out->target},
                    .a_bytes = p->m * p->k * size,
                    .b_bytes = p->k * p->n * size,
                    .c_bytes = p->m * p->n * size};
    if (plan.times > 1) {
        fill_places(&mm, call->scratch);
        all.places = call->scratch;
    }
    run_products(call, &all, plan.times);
    return WLK_OK;
}

/* ---- Gemm */

enum { GEMM_ALPHA, GEMM_BETA, GEMM_TRANS_A, GEMM_TRANS_B, GEMM_BROADCAST };

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

/* Before version 7 C is stretched only where the attribute says so. */
static wlk_status gemm_check_sum(const op_call *call, const int64_t dims[2]) {
    const op_tensor *c = op_input(call, 2);
    if (!c) return WLK_OK;
    const bool stretches = call->node->row->since >= 7 || op_attribute(call, GEMM_BROADCAST).i != 0;
    const bool whole = c->rank == WLK_NONE || (c->rank == 2 && dim_agrees(c->dims[0], dims[0]) &&
                                               dim_agrees(c->dims[1], dims[1]));
    if (stretches ? dims_stretch(c, dims, 2) : whole) return WLK_OK;
    char text[TENSOR_TEXT_BYTES];
    return op_fail(call, op_shape_rule(call), "input 2 is %s, and does not stretch to the sum",
                   tensor_text(c, text));
}

/* Up to here doubles hold every whole number. */
#define LARGEST_WHOLE 9007199254740992.0

static bool is_whole(double value) {
    return value >= -LARGEST_WHOLE && value <= LARGEST_WHOLE && value == (double)(int64_t)value;
}

static wlk_status gemm_check_factors(const op_call *call) {
    if (is_float(op_input(call, 0)->dtype)) return WLK_OK;
    if (is_whole(op_attribute(call, GEMM_ALPHA).f) && is_whole(op_attribute(call, GEMM_BETA).f)) {
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                   "alpha and beta must be whole numbers where the elements are");
}

static wlk_status gemm_infer(op_call *call) {
    TRY(shape_need_rank(call, 0, 2, 2));
    TRY(shape_need_rank(call, 1, 2, 2));
    TRY(gemm_check_factors(call));
    const gemm_dims dims = gemm_dims_of(call);
    const int64_t out[2] = {dims.m, dims.n};
    if (!dim_agrees(dims.k_a, dims.k_b)) return shape_mismatch(call, 0, 1);
    TRY(gemm_check_sum(call, out));
    op_set_output(call, 0, op_input(call, 0)->dtype, 2, out);
    if (!call->binding) return WLK_OK;
    const product p = gemm_product(call);
    return product_cost(call, &p, 1);
}

static wlk_status gemm_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const bool plain = op_attribute(call, GEMM_ALPHA).f == 1;
    if (!plain) return WLK_OK; /* the factor goes into the panels */
    return prepare_packed(call, memory, op_attribute(call, GEMM_TRANS_B).i != 0, prepared);
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
    const op_tensor *c = op_input(call, 2);
    const op_tensor *out = op_output(call, 0);
    products all = {.job = {.size = gemm_product(call),
                            .element = elements[out->dtype],
                            .alpha = op_attribute(call, GEMM_ALPHA).f,
                            .beta = c ? op_attribute(call, GEMM_BETA).f : 0,
                            .a = op_input(call, 0)->data,
                            .b = op_input(call, 1)->data,
                            .packed = call->node->prepared,
                            .c = out->target}};
    if (c) gemm_stretch(c, out);
    run_products(call, &all, 1);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row gemm_attributes[] = {
    [GEMM_ALPHA] = {.name = "alpha", .type = WLK_ATTR_FLOAT, .f = 1},
    [GEMM_BETA] = {.name = "beta", .type = WLK_ATTR_FLOAT, .f = 1},
    [GEMM_TRANS_A] = {.name = "transA", .type = WLK_ATTR_INT, .i = 0},
    [GEMM_TRANS_B] = {.name = "transB", .type = WLK_ATTR_INT, .i = 0},
    [GEMM_BROADCAST] = {.name = "broadcast", .type = WLK_ATTR_INT, .i = 0},
};

#define PORTS(name, dtypes) \
    static const op_port name[] = {{"A", dtypes, 'T'}, {"B", dtypes, 'T'}, {"C", dtypes, 'T'}}
PORTS(float_ports, DTYPES_FLOAT | DTYPE_BIT(WLK_F16));
PORTS(number_ports, DTYPES_FLOAT | DTYPE_BIT(WLK_F16) | DTYPES_WIDE_INT);
PORTS(newest_ports, DTYPES_FLOAT | DTYPES_HALF | DTYPES_WIDE_INT);

#define MATMUL(version, op_ports)                                                           \
    {                                                                                       \
        .domain = "", .name = "MatMul", .since = version, .min_inputs = 2, .max_inputs = 2, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = matmul_infer,       \
        .kernel = matmul_kernel, .prepare = matmul_prepare, .flags = OP_HALF                \
    }
#define GEMM(version, least, op_ports, attribute_rows)                                        \
    {                                                                                         \
        .domain = "", .name = "Gemm", .since = version, .min_inputs = least, .max_inputs = 3, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = gemm_attributes, \
        .attribute_count = attribute_rows, .infer = gemm_infer, .kernel = gemm_kernel,        \
        .prepare = gemm_prepare, .flags = OP_HALF                                             \
    }

static const op_row rows[] = {
    MATMUL(1, float_ports),      MATMUL(9, number_ports),      MATMUL(13, newest_ports),
    GEMM(1, 3, float_ports, 5),  GEMM(6, 3, float_ports, 5),   GEMM(7, 3, float_ports, 4),
    GEMM(9, 3, number_ports, 4), GEMM(11, 2, number_ports, 4), GEMM(13, 2, newest_ports, 4),
};

const op_family ops_matrix = {rows, sizeof rows / sizeof *rows};
