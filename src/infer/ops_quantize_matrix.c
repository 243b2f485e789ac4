/* MatMulInteger, QLinearMatMul: products of quantised matrices. Elements are whole
 * numbers of at most 9 bits with their sign (or 8-bit floats), so that the sums
 * of their products are exact: in f32 up to 256 of them, in f64 any number. */
#include <inttypes.h>
#include <string.h>

#include "infer/blas.h"
#include "infer/broadcast.h"
#include "infer/number_block.h"
#include "infer/ops.h"
#include "infer/quantize.h"
#include "infer/shape.h"

#define EXACT_IN_F32 256

/* ---- shapes, as MatMul has them: a vector on the left is a row, on the right a column,
 * and its axis of 1 is not in the result; leading axes broadcast */

typedef struct matrix_shape {
    int64_t batch[WLK_MAX_RANK];
    uint32_t batch_rank;
    int64_t rows;
    int64_t columns;
} matrix_shape;

typedef struct matrix_call {
    uint32_t b; /* which input is the right matrix: the left one is input 0 */
    matrix_shape left;
    matrix_shape right;
    int64_t batch[WLK_MAX_RANK];
    uint32_t batch_rank;
} matrix_call;

static matrix_shape shape_of(const op_tensor *in, bool left) {
    matrix_shape shape = {.rows = 1, .columns = 1};
    if (in->rank == 1) {
        *(left ? &shape.columns : &shape.rows) = in->dims[0];
        return shape;
    }
    shape.batch_rank = in->rank - 2;
    memcpy(shape.batch, in->dims, sizeof shape.batch);
    shape.rows = in->dims[in->rank - 2];
    shape.columns = in->dims[in->rank - 1];
    return shape;
}

static wlk_status matrix_read(const op_call *call, uint32_t b, matrix_call *m) {
    *m = (matrix_call){.b = b};
    m->left = shape_of(op_input(call, 0), true);
    m->right = shape_of(op_input(call, b), false);
    m->batch_rank =
        m->left.batch_rank > m->right.batch_rank ? m->left.batch_rank : m->right.batch_rank;
    if (dim_agrees(m->left.columns, m->right.rows) &&
        dims_broadcast(m->left.batch, m->left.batch_rank, m->right.batch, m->right.batch_rank,
                       m->batch)) {
        return WLK_OK;
    }
    return shape_mismatch(call, 0, b);
}

static void matrix_output(const op_call *call, const matrix_call *m, wlk_dtype dtype) {
    int64_t dims[WLK_MAX_RANK] = {0};
    uint32_t rank = m->batch_rank;
    memcpy(dims, m->batch, rank * sizeof *dims);
    if (op_input(call, 0)->rank > 1) dims[rank++] = m->left.rows;
    if (op_input(call, m->b)->rank > 1) dims[rank++] = m->right.columns;
    op_set_output(call, 0, dtype, rank, dims);
}

/* ---- parameters: one for all, one for each row of A (or column of B), or the same for
 * each matrix of the batch */

static wlk_status check_parameter(const op_call *call, uint32_t i, uint32_t of, bool rows) {
    const op_tensor *in = op_input(call, i);
    const op_tensor *matrix = op_input(call, of);
    if (!in || !tensor_is_known(in) || !tensor_is_known(matrix)) return WLK_OK;
    if (dim_product(in->dims, 0, in->rank) == 1) return WLK_OK;
    const uint32_t along = rows ? matrix->rank - 2 : matrix->rank - 1;
    if (matrix->rank < 2) return shape_mismatch(call, of, i);
    if (in->rank == 1 && in->dims[0] == matrix->dims[along]) return WLK_OK;
    if (in->rank != matrix->rank) return shape_mismatch(call, of, i);
    for (uint32_t a = 0; a < in->rank; a++) {
        const int64_t wanted = a + 2 < in->rank || a == along ? matrix->dims[a] : 1;
        if (in->dims[a] != wanted) return shape_mismatch(call, of, i);
    }
    return WLK_OK;
}

static wlk_status check_scalar(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    if (!tensor_is_known(in) || dim_product(in->dims, 0, in->rank) == 1) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "input %u must be one number", i);
}

/* Parameter number k of matrix `matrix` of the batch, which has `count` rows or columns. */
static double parameter(const op_tensor *in, uint64_t matrix, uint64_t count, uint64_t k) {
    if (!in) return 0;
    const uint64_t at = in->count == 1 ? 0 : in->rank == 1 ? k : matrix * count + k;
    return number_double(number_load(in->dtype)(in->data, at));
}

/* ---- the product of one pair of matrices, in working memory */

typedef struct matrix_rooms {
    product product;
    bool wide; /* f64 */
    void *a;
    void *b;
    void *c;
} matrix_rooms;

static product product_of(const matrix_call *m) {
    return (product){.m = (uint64_t)m->left.rows,
                     .n = (uint64_t)m->right.columns,
                     .k = (uint64_t)m->left.columns};
}

static bool is_wide(const op_call *call, uint64_t k) {
    return k > EXACT_IN_F32 || number_is_float(op_input(call, 0)->dtype);
}

static wlk_status matrix_need(op_call *call, const matrix_call *m) {
    const product p = product_of(m);
    const uint64_t size = is_wide(call, p.k) ? sizeof(double) : sizeof(float);
    const uint64_t counts[3][2] = {{p.m, p.k}, {p.k, p.n}, {p.m, p.n}};
    const int64_t batch = dim_product(m->batch, 0, m->batch_rank);
    const uint64_t times = batch == WLK_UNKNOWN_DIM ? UINT64_MAX : (uint64_t)batch;
    if (!product_fits(&p)) {
        return op_fail(call, RULE_RUN_MATRIX,
                       "%" PRIu64 " x %" PRIu64 " times %" PRIu64 " x %" PRIu64, p.m, p.k, p.k,
                       p.n);
    }
    for (uint32_t i = 0; i < 3; i++) { /* dims fit an int each: their product 64 bits */
        op_add_operations(call, OP_ELEMENT_COST, times, counts[i][0] * counts[i][1], 1);
        TRY(op_need_scratch(call, counts[i][0] * counts[i][1], size));
    }
    op_add_operations(call, 1, times, p.m * p.n, p.k);
    op_add_operations(call, OP_CALL_COST, times, 1, 1);
    return WLK_OK;
}

static matrix_rooms take_rooms(const op_call *call, const matrix_call *m) {
    matrix_rooms rooms = {.product = product_of(m)};
    const product *p = &rooms.product;
    rooms.wide = is_wide(call, p->k);
    const uint64_t size = rooms.wide ? sizeof(double) : sizeof(float);
    const uint64_t sizes[2] = {p->m * p->k * size, p->k * p->n * size};
    char *at = call->scratch;
    rooms.a = at;
    at += (sizes[0] + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    rooms.b = at;
    at += (sizes[1] + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    rooms.c = at;
    return rooms;
}

static void put(const matrix_rooms *rooms, void *room, uint64_t i, double value) {
    if (rooms->wide) {
        ((double *)room)[i] = value;
    } else {
        ((float *)room)[i] = (float)value;
    }
}

/* Reads rows x columns elements from number `from` on, less their zero points. */
static void load_matrix(const matrix_rooms *rooms, const op_tensor *in, uint64_t matrix,
                        uint64_t rows, uint64_t columns, const op_tensor *zero, bool by_row,
                        void *room) {
    const number_loader load = number_load(in->dtype);
    for (uint64_t i = 0; i < rows; i++) {
        const double own = by_row ? parameter(zero, matrix, rows, i) : 0;
        const bool shared = by_row || !zero || zero->count == 1;
        const double row_zero = by_row ? own : parameter(zero, matrix, columns, 0);
        for (uint64_t j = 0; j < columns; j++) {
            const uint64_t at = i * columns + j;
            const double x = number_double(load(in->data, matrix * rows * columns + at));
            const double off = shared ? row_zero : parameter(zero, matrix, columns, j);
            put(rooms, room, at, x - off);
        }
    }
}

static void multiply(const matrix_rooms *rooms) {
    if (rooms->wide) {
        product_f64(&rooms->product, 1, rooms->a, rooms->b, 0, rooms->c);
    } else {
        product_f32(&rooms->product, 1, rooms->a, rooms->b, 0, rooms->c);
    }
}

static double result_at(const matrix_rooms *rooms, uint64_t i) {
    return rooms->wide ? ((const double *)rooms->c)[i] : (double)((const float *)rooms->c)[i];
}

/* Where the matrices of one product are in their tensors, counted in matrices. */
typedef struct matrix_place {
    uint64_t a;
    uint64_t b;
    uint64_t out;
} matrix_place;

typedef void (*matrix_store)(const op_call *call, const matrix_rooms *rooms,
                             const matrix_place *place);

static wlk_status matrix_all(const op_call *call, uint32_t b, uint32_t zero_a, uint32_t zero_b,
                             matrix_store store) {
    matrix_call m;
    TRY(matrix_read(call, b, &m));
    if (op_output(call, 0)->count == 0) return WLK_OK;
    const matrix_rooms rooms = take_rooms(call, &m);
    const product *p = &rooms.product;
    broadcast_walk walk = broadcast_start((broadcast_shape){m.batch, m.batch_rank},
                                          (broadcast_shape){m.left.batch, m.left.batch_rank},
                                          (broadcast_shape){m.right.batch, m.right.batch_rank});
    for (; !walk.done; broadcast_next(&walk)) {
        for (uint64_t i = 0; i < walk.length; i++) {
            const matrix_place place = {walk.at[0] + i * walk.step[0],
                                        walk.at[1] + i * walk.step[1], walk.out + i};
            load_matrix(&rooms, op_input(call, 0), place.a, p->m, p->k, op_input(call, zero_a),
                        true, rooms.a);
            load_matrix(&rooms, op_input(call, b), place.b, p->k, p->n, op_input(call, zero_b),
                        false, rooms.b);
            multiply(&rooms);
            store(call, &rooms, &place);
        }
    }
    return WLK_OK;
}

/* ---- MatMulInteger: the sums as i32, which wrap around */

enum { INTEGER_A, INTEGER_B, INTEGER_ZERO_A, INTEGER_ZERO_B };

static wlk_status integer_infer(op_call *call) {
    matrix_call m;
    TRY(shape_need_rank(call, INTEGER_A, 1, WLK_MAX_RANK));
    TRY(shape_need_rank(call, INTEGER_B, 1, WLK_MAX_RANK));
    TRY(check_parameter(call, INTEGER_ZERO_A, INTEGER_A, true));
    TRY(check_parameter(call, INTEGER_ZERO_B, INTEGER_B, false));
    if (op_input(call, INTEGER_A)->rank == WLK_NONE ||
        op_input(call, INTEGER_B)->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_I32, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(matrix_read(call, INTEGER_B, &m));
    matrix_output(call, &m, WLK_I32);
    return call->binding ? matrix_need(call, &m) : WLK_OK;
}

static void integer_store(const op_call *call, const matrix_rooms *rooms,
                          const matrix_place *place) {
    const uint64_t count = rooms->product.m * rooms->product.n;
    int32_t *out = (int32_t *)op_output(call, 0)->target + place->out * count;
    for (uint64_t i = 0; i < count; i++) {
        out[i] = (int32_t)(uint32_t)(uint64_t)(int64_t)result_at(rooms, i);
    }
}

static wlk_status integer_kernel(const op_call *call) {
    return matrix_all(call, INTEGER_B, INTEGER_ZERO_A, INTEGER_ZERO_B, integer_store);
}

/* ---- QLinearMatMul */

enum { Q_A, Q_A_SCALE, Q_A_ZERO, Q_B, Q_B_SCALE, Q_B_ZERO, Q_Y_SCALE, Q_Y_ZERO };

static wlk_status linear_infer(op_call *call) {
    const wlk_dtype dtype = op_input(call, Q_Y_ZERO)->dtype;
    matrix_call m;
    TRY(shape_need_rank(call, Q_A, 1, WLK_MAX_RANK));
    TRY(shape_need_rank(call, Q_B, 1, WLK_MAX_RANK));
    TRY(check_parameter(call, Q_A_SCALE, Q_A, true));
    TRY(check_parameter(call, Q_A_ZERO, Q_A, true));
    TRY(check_parameter(call, Q_B_SCALE, Q_B, false));
    TRY(check_parameter(call, Q_B_ZERO, Q_B, false));
    TRY(check_scalar(call, Q_Y_SCALE));
    TRY(check_scalar(call, Q_Y_ZERO));
    if (op_input(call, Q_A)->rank == WLK_NONE || op_input(call, Q_B)->rank == WLK_NONE) {
        op_set_output(call, 0, dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(matrix_read(call, Q_B, &m));
    matrix_output(call, &m, dtype);
    return call->binding ? matrix_need(call, &m) : WLK_OK;
}

static void linear_store(const op_call *call, const matrix_rooms *rooms,
                         const matrix_place *place) {
    const product *p = &rooms->product;
    const op_tensor *out = op_output(call, 0);
    const op_tensor *scale_b = op_input(call, Q_B_SCALE);
    const bool integers = !number_is_float(out->dtype);
    const quantize_range range = quantize_range_of(out->dtype);
    const number_storer store = number_store_as(out->dtype, true, ROUND_NEAREST);
    const double y_scale = parameter(op_input(call, Q_Y_SCALE), 0, 1, 0);
    const double zero = parameter(op_input(call, Q_Y_ZERO), 0, 1, 0);
    for (uint64_t i = 0; i < p->m * p->n; i++) {
        const double scale = parameter(op_input(call, Q_A_SCALE), place->a, p->m, i / p->n) *
                             parameter(scale_b, place->b, p->n, i % p->n) / y_scale;
        const double value = result_at(rooms, i) * scale;
        const double stored = integers ? quantize_round(value, zero, range) : value + zero;
        store(out->target, place->out * p->m * p->n + i, (number){NUMBER_FLOAT, {.f = stored}});
    }
}

static wlk_status linear_kernel(const op_call *call) {
    return matrix_all(call, Q_B, Q_A_ZERO, Q_B_ZERO, linear_store);
}

/* ---- rows */

static const op_port integer_ports[] = {{"A", DTYPES_BYTE, 'A'},
                                        {"B", DTYPES_BYTE, 'B'},
                                        {"a_zero_point", DTYPES_BYTE, 'A'},
                                        {"b_zero_point", DTYPES_BYTE, 'B'}};
#define LINEAR_PORTS(name, numbers, scale)                                                     \
    static const op_port name[] = {                                                            \
        {"a", numbers, 'A'},     {"a_scale", scale, 'S'},      {"a_zero_point", numbers, 'A'}, \
        {"b", numbers, 'B'},     {"b_scale", scale, 'S'},      {"b_zero_point", numbers, 'B'}, \
        {"y_scale", scale, 'S'}, {"y_zero_point", numbers, 0},                                 \
    }
LINEAR_PORTS(linear_10, DTYPES_BYTE, DTYPE_BIT(WLK_F32));
LINEAR_PORTS(linear_21, DTYPES_BYTE | DTYPES_F8, DTYPE_BIT(WLK_F32) | DTYPES_HALF);

#define ROW(op_name, version, least, most, op_ports, op_shape, op_run)                             \
    {                                                                                              \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most,  \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run \
    }

static const op_row rows[] = {
    ROW("MatMulInteger", 10, 2, 4, integer_ports, integer_infer, integer_kernel),
    ROW("QLinearMatMul", 10, 8, 8, linear_10, linear_infer, linear_kernel),
    ROW("QLinearMatMul", 21, 8, 8, linear_21, linear_infer, linear_kernel),
};

const op_family ops_quantize_matrix = {rows, sizeof rows / sizeof *rows};
