/* Pow: base and exponent may be of different dtypes; the result is of the base's.
 *
 * Integers to integer powers are multiplied out and wrap around; a negative power of an
 * integer is what remains of the fraction: 0, but for 1 and -1 (and 0: there is none, so
 * 0). Where one is a float it is C's pow, and what an integer cannot hold saturates. */
#include <math.h>

#include "infer/elementwise.h"
#include "infer/number_block.h"
#include "infer/ops.h"
#include "infer/parallel.h"

/* ---- one element */

static uint64_t power_u64(uint64_t base, uint64_t exponent) {
    uint64_t result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1) result *= base;
        base *= base;
    }
    return result;
}

static int64_t power_i64(int64_t base, int64_t exponent) {
    if (exponent >= 0) return (int64_t)power_u64((uint64_t)base, (uint64_t)exponent);
    if (base == 1) return 1;
    if (base == -1) return exponent & 1 ? -1 : 1;
    return 0;
}

/* ---- one block: `bases` becomes the result */

static void power_whole(number_block *bases, const number_block *exponents, uint64_t count) {
    const bool is_unsigned = exponents->kind == NUMBER_UINT;
    for (uint64_t i = 0; i < count; i++) {
        bases->i[i] = is_unsigned ? (int64_t)power_u64((uint64_t)bases->i[i], exponents->u[i])
                                  : power_i64(bases->i[i], exponents->i[i]);
    }
}

static void to_floats(number_block *block, uint64_t count) {
    const number_kind kind = block->kind;
    block->kind = NUMBER_FLOAT;
    if (kind == NUMBER_FLOAT) return;
    for (uint64_t i = 0; i < count; i++) {
        block->f[i] = number_double((number){kind, {.u = block->u[i]}});
    }
}

static void power_block(number_block *bases, number_block *exponents, uint64_t count) {
    if (bases->kind == NUMBER_INT && exponents->kind != NUMBER_FLOAT) {
        power_whole(bases, exponents, count);
        return;
    }
    to_floats(bases, count);
    to_floats(exponents, count);
    for (uint64_t i = 0; i < count; i++) bases->f[i] = pow(bases->f[i], exponents->f[i]);
}

/* ---- floats of one dtype */

BINARY(power_f64, double, pow(x, y))
BINARY(power_f32, float, powf(x, y))
BINARY(square_f64, double, ((void)y, x *x))
BINARY(square_f32, float, ((void)y, x *x))

/* pow(-0, 0.5) is 0 and pow(-inf, 0.5) is inf, where sqrt has -0 and NaN. */
BINARY(root_f64, double, ((void)y, isinf(x) ? (double)INFINITY : sqrt(x) + 0))
BINARY(root_f32, float, ((void)y, isinf(x) ? INFINITY : sqrtf(x) + 0))

/* The loop for exponents that are one number, where there is a faster one. */
static binary_run constant_run(const op_tensor *exponent) {
    if (exponent->count != 1) return NULL;
    const double value = number_double(number_load(exponent->dtype)(exponent->data, 0));
    const bool wide = exponent->dtype == WLK_F64;
    if (value == 2) return wide ? square_f64 : square_f32;
    if (value == 0.5) return wide ? root_f64 : root_f32;
    return NULL;
}

/* ---- any dtypes, a run of the walk at a time */

typedef struct power_work {
    const op_tensor *base;
    const op_tensor *exponent;
    const op_tensor *out;
    broadcast_walk walk;
} power_work;

/* Elements [at, at + count) with step 1, or the one at `at` for all. */
static void load_run(const op_tensor *from, uint64_t at, uint64_t step, uint64_t count,
                     number_block *block) {
    number_block_load(from->dtype, from->data, at, step ? count : 1, block);
    for (uint64_t i = 1; i < count && !step; i++) block->u[i] = block->u[0];
}

static void power_run(const power_work *work, const broadcast_walk *walk) {
    number_block bases;
    number_block exponents;
    for (uint64_t at = 0; at < walk->length; at += NUMBER_BLOCK) {
        const uint64_t left = walk->length - at;
        const uint64_t count = left < NUMBER_BLOCK ? left : NUMBER_BLOCK;
        load_run(work->base, walk->at[0] + at * walk->step[0], walk->step[0], count, &bases);
        load_run(work->exponent, walk->at[1] + at * walk->step[1], walk->step[1], count,
                 &exponents);
        power_block(&bases, &exponents, count);
        number_block_store(work->out->dtype, work->out->target, walk->out + at, count, &bases,
                           number_store(work->out->dtype));
    }
}

static void power_piece(void *context, uint64_t from, uint64_t to) {
    const power_work *work = context;
    broadcast_walk walk = work->walk;
    broadcast_seek(&walk, from);
    for (uint64_t i = from; i < to; i++, broadcast_next(&walk)) power_run(work, &walk);
}

static wlk_status pow_kernel(const op_call *call) {
    static const binary_run runs[WLK_DTYPE_COUNT] = {FLOAT_RUNS(power)};
    const op_tensor *base = op_input(call, 0);
    const op_tensor *exponent = op_input(call, 1);
    const broadcast_walk walk = binary_walk(call, binary_fit_of(call));
    power_work work = {base, exponent, op_output(call, 0), walk};
    if (walk.done) return WLK_OK;
    if (base->dtype == exponent->dtype && runs[base->dtype]) {
        const binary_run fast = constant_run(exponent);
        (void)binary_over(call, &walk, work.out, base, exponent, fast ? fast : runs[base->dtype]);
        return WLK_OK;
    }
    op_parallel(call, broadcast_runs(&walk), ELEMENT_PIECE / walk.length + 1, power_piece, &work);
    return WLK_OK;
}

static wlk_status pow_infer(op_call *call) {
    TRY(binary_infer_same(call));
    binary_add_cost(call, COSTLY_ELEMENT);
    return WLK_OK;
}

/* ---- rows */

#define BASES (DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_I64))

#define ROW(version, bases, base_variable, exponents, exponent_variable)                          \
    .domain = "", .name = "Pow", .since = version, .min_inputs = 2, .max_inputs = 2,              \
    .min_outputs = 1, .max_outputs = 1,                                                           \
    .ports = (const op_port[]){{"X", bases, base_variable}, {"Y", exponents, exponent_variable}}, \
    .infer = pow_infer, .kernel = pow_kernel, .flags = OP_HALF

static const op_row rows[] = {
    {ROW(1, DTYPES_FLOAT_16, 'T', DTYPES_FLOAT_16, 'T'), .attributes = legacy_attributes,
     .attribute_count = LEGACY_CONSUMED},
    {ROW(7, DTYPES_FLOAT_16, 'T', DTYPES_FLOAT_16, 'T')},
    {ROW(12, DTYPES_FLOAT_16 | BASES, 0, DTYPES_FLOAT_16 | DTYPES_INT, 0)},
    {ROW(13, DTYPES_FLOAT_HALF | BASES, 0, DTYPES_FLOAT_16 | DTYPES_INT, 0)},
    {ROW(15, DTYPES_FLOAT_HALF | BASES, 0, DTYPES_FLOAT_HALF | DTYPES_INT, 0)},
};

const op_family ops_pow = {rows, sizeof rows / sizeof *rows};
