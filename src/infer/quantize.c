#include "infer/quantize.h"

#include <math.h>

#include "infer/numbers.h"
#include "infer/shape.h"

enum { IN_X, IN_SCALE, IN_ZERO };

static wlk_status check_zeros(const op_call *call) {
    const op_tensor *scale = op_input(call, IN_SCALE);
    const op_tensor *zero = op_input(call, IN_ZERO);
    if (!zero || !tensor_is_known(zero) || !tensor_is_known(scale)) return WLK_OK;
    const int64_t zeros = dim_product(zero->dims, 0, zero->rank);
    const int64_t scales = dim_product(scale->dims, 0, scale->rank);
    if (zeros == 1 && scales == 1) return WLK_OK;
    if (zero->rank != scale->rank) return shape_mismatch(call, IN_SCALE, IN_ZERO);
    for (uint32_t a = 0; a < zero->rank; a++) {
        if (zero->dims[a] != scale->dims[a]) return shape_mismatch(call, IN_SCALE, IN_ZERO);
    }
    return WLK_OK;
}

/* The number of blocks that `dim` elements make. */
static int64_t blocks_of(int64_t dim, int64_t block) {
    return dim / block + (dim % block != 0);
}

static wlk_status check_blocks(const op_call *call, uint32_t axis, int64_t block) {
    const op_tensor *x = op_input(call, IN_X);
    const op_tensor *scale = op_input(call, IN_SCALE);
    if (scale->rank != x->rank) return shape_mismatch(call, IN_X, IN_SCALE);
    for (uint32_t a = 0; a < x->rank; a++) {
        const bool along = a == axis && x->dims[a] != WLK_UNKNOWN_DIM;
        const int64_t wanted = along ? blocks_of(x->dims[a], block) : x->dims[a];
        if (!dim_agrees(wanted, scale->dims[a])) return shape_mismatch(call, IN_X, IN_SCALE);
    }
    return WLK_OK;
}

/* In a run: the steps follow from the dims. */
static void lay_grid(const op_call *call, uint32_t axis, int64_t block, quantize_grid *grid) {
    const op_tensor *x = op_input(call, IN_X);
    const op_tensor *scale = op_input(call, IN_SCALE);
    grid->length = (uint64_t)x->dims[axis];
    grid->inner = tensor_span(x, axis + 1, x->rank);
    if (block == 0) {
        *grid = (quantize_grid){grid->length, grid->inner, .block = 1, .group_step = 1};
        return;
    }
    grid->block = (uint64_t)block;
    grid->group_step = grid->inner;
    grid->inner_step = 1;
    grid->outer_step = (uint64_t)scale->dims[axis] * grid->inner;
}

wlk_status quantize_check(const op_call *call, int64_t axis, int64_t block_size,
                          quantize_grid *grid) {
    const op_tensor *x = op_input(call, IN_X);
    const op_tensor *scale = op_input(call, IN_SCALE);
    uint32_t along = 0;
    *grid = (quantize_grid){.length = 1, .inner = UINT64_MAX, .block = 1};
    TRY(check_zeros(call));
    if (block_size < 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "block_size %lld", (long long)block_size);
    }
    if (x->rank == WLK_NONE || scale->rank == WLK_NONE) return WLK_OK;
    if (dim_product(scale->dims, 0, scale->rank) == 1) return WLK_OK;
    if (scale->rank == 1 && scale->dims[0] == WLK_UNKNOWN_DIM && block_size == 0) return WLK_OK;
    TRY(shape_axis(call, axis, x->rank, true, &along));
    if (block_size > 0) {
        TRY(check_blocks(call, along, block_size));
    } else if (scale->rank != 1 || !dim_agrees(scale->dims[0], x->dims[along])) {
        return shape_mismatch(call, IN_X, IN_SCALE);
    }
    if (call->binding) lay_grid(call, along, block_size, grid);
    return WLK_OK;
}

wlk_status quantize_need(op_call *call) {
    const uint64_t count = op_input(call, IN_SCALE)->count;
    TRY(op_need_scratch(call, count, sizeof(double)));
    return op_need_scratch(call, count, sizeof(double));
}

static void read_numbers(const op_tensor *in, double *out) {
    const number_loader load = number_load(in->dtype);
    for (uint64_t i = 0; i < in->count; i++) out[i] = number_double(load(in->data, i));
}

quantize_scales quantize_read(const op_call *call) {
    const op_tensor *scale = op_input(call, IN_SCALE);
    const op_tensor *zero = op_input(call, IN_ZERO);
    double *scales = call->scratch;
    double *zeros = scales + (scale->count + 7) / 8 * 8;
    read_numbers(scale, scales);
    if (zero) {
        read_numbers(zero, zeros);
    } else {
        for (uint64_t i = 0; i < scale->count; i++) zeros[i] = 0;
    }
    return (quantize_scales){scales, zeros};
}

void quantize_next(const quantize_grid *grid, quantize_place *place) {
    place->at += grid->inner_step;
    if (++place->j < grid->inner) return;
    place->j = 0;
    if (++place->in_block == grid->block) {
        place->in_block = 0;
        place->group++;
    }
    if (++place->d == grid->length) {
        place->d = place->in_block = place->group = 0;
        place->row++;
    }
    place->at = place->row * grid->outer_step + place->group * grid->group_step;
}

quantize_range quantize_range_of(wlk_dtype dtype) {
    const uint32_t bits = wlk_dtype_bits(dtype);
    const uint32_t is_signed =
        DTYPE_BIT(dtype) & (DTYPE_BIT(WLK_I8) | DTYPE_BIT(WLK_I16) | DTYPE_BIT(WLK_I4));
    const double whole = ldexp(1, (int)bits);
    return is_signed ? (quantize_range){-whole / 2, whole / 2 - 1} : (quantize_range){0, whole - 1};
}

/* Far beyond any range, and small enough to be rounded by adding 1.5 * 2^52. */
#define QUANTIZE_FAR 1e9

double quantize_round(double value, double zero, quantize_range range) {
    const double near = value > QUANTIZE_FAR    ? QUANTIZE_FAR
                        : value < -QUANTIZE_FAR ? -QUANTIZE_FAR
                        : value == value        ? value
                                                : 0;
    const double rounded = (near + 0x1.8p52) - 0x1.8p52 + zero;
    return rounded < range.low ? range.low : rounded > range.high ? range.high : rounded;
}
