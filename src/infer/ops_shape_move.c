/* Transpose, Expand, Tile, DepthToSpace, SpaceToDepth: one strided walk each (move.h). */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "infer/int_list.h"
#include "infer/move.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

/* What all of them share: output 0 of these dims, and the memory for units; a string
 * is repeated at most `times` times. */
static wlk_status set_moved(op_call *call, uint32_t rank, const int64_t *dims, uint64_t times) {
    op_set_output(call, 0, op_input(call, 0)->dtype, rank, dims);
    units_set_text(call, 0, 0, times);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

static wlk_status run_move(const op_call *call, const move *m) {
    op_tensor *out = op_output(call, 0);
    units u = units_begin(call, out->dtype);
    const char *from = units_read(&u, op_input(call, 0));
    char *to = units_write(&u, out);
    move_run(call, m, u.size, to, from);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- Transpose */

enum { TRANSPOSE_PERM };

/* Output axis i is the input's axis list->axes[i]; reversed if nothing is said. */
static wlk_status transpose_order(const op_call *call, uint32_t rank, axis_list *order) {
    const int_list perm = ints_of_attribute(call, TRANSPOSE_PERM);
    if (!perm.given) {
        *order = (axis_list){.count = rank};
        for (uint32_t i = 0; i < rank; i++) order->axes[i] = rank - 1 - i;
        return WLK_OK;
    }
    TRY(ints_need_count(call, &perm, "perm", rank));
    return axes_read(call, &perm, rank, false, order);
}

static wlk_status transpose_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (in->rank == WLK_NONE) return set_moved(call, WLK_NONE, NULL, 1);
    axis_list order;
    TRY(transpose_order(call, in->rank, &order));
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < in->rank; i++) dims[i] = in->dims[order.axes[i]];
    return set_moved(call, in->rank, dims, 1);
}

static wlk_status transpose_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    axis_list order;
    TRY(transpose_order(call, in->rank, &order));
    if (out->count == 0) return run_move(call, &(move){.empty = true});
    move m = {0};
    for (uint32_t i = 0; i < in->rank; i++) {
        move_add(&m, (uint64_t)out->dims[i], move_step(out, i), move_step(in, order.axes[i]));
    }
    return run_move(call, &m);
}

/* ---- Expand: broadcasting, in both directions, to the shape that input 1 holds */

static wlk_status expand_dims(const op_call *call, const int_list *list, op_tensor *shape) {
    if (list->count > WLK_MAX_RANK) {
        return op_fail(call, call->binding ? RULE_RUN_SHAPE : RULE_PLAN_RANK, "the wanted shape");
    }
    *shape = (op_tensor){.rank = (uint32_t)list->count};
    for (uint32_t i = 0; i < shape->rank; i++) {
        shape->dims[i] = int_at(list, i);
        if (shape->dims[i] < 0) return ints_fail(call, list, "a dim is negative", shape->dims[i]);
    }
    return WLK_OK;
}

/* How often a string is repeated: outside of a run it does not matter. */
static uint64_t repeats(const op_tensor *in, const int64_t *dims, uint32_t rank) {
    const int64_t before = dim_product(in->dims, 0, in->rank);
    const int64_t after = dim_product(dims, 0, rank);
    if (before <= 0 || after < 0) return UINT64_MAX;
    return (uint64_t)(after / before);
}

static wlk_status expand_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    TRY(shape_need_rank(call, 1, 1, 1));
    int_list list;
    TRY(ints_of_input(call, 1, &list));
    if (!list.known || in->rank == WLK_NONE) return set_moved(call, WLK_NONE, NULL, 1);
    op_tensor shape;
    TRY(expand_dims(call, &list, &shape));
    int64_t dims[WLK_MAX_RANK];
    if (!dims_broadcast(in->dims, in->rank, shape.dims, shape.rank, dims)) {
        char from[TENSOR_TEXT_BYTES];
        char to[TENSOR_TEXT_BYTES];
        shape.dtype = in->dtype;
        return op_fail(call, op_shape_rule(call), "%s cannot be stretched to %s",
                       tensor_text(in, from), tensor_text(&shape, to));
    }
    const uint32_t rank = in->rank > shape.rank ? in->rank : shape.rank;
    return set_moved(call, rank, dims, repeats(in, dims, rank));
}

static wlk_status expand_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    if (out->count == 0) return run_move(call, &(move){.empty = true});
    const uint32_t missing = out->rank - in->rank;
    move m = {0};
    for (uint32_t i = 0; i < out->rank; i++) {
        const bool stretched = i < missing || in->dims[i - missing] == 1;
        move_add(&m, (uint64_t)out->dims[i], move_step(out, i),
                 stretched ? 0 : move_step(in, i - missing));
    }
    return run_move(call, &m);
}

/* ---- Tile: before version 6 one count for one axis */

static wlk_status tile_repeats(const op_call *call, uint32_t rank, bool *known,
                               uint64_t times[WLK_MAX_RANK]) {
    const bool old = call->node->row->since < 6;
    int_list counts;
    int_list axis = {.known = true};
    TRY(ints_of_input(call, 1, &counts));
    if (old) TRY(ints_of_input(call, 2, &axis));
    TRY(ints_need_count(call, &counts, "repeats", old ? 1 : rank));
    TRY(ints_need_count(call, &axis, "axis", 1));
    for (uint32_t i = 0; i < rank; i++) times[i] = 1;
    *known = counts.known && axis.known;
    if (!*known) return WLK_OK;
    axis_list axes;
    TRY(axes_read(call, &axis, rank, false, &axes));
    for (uint32_t i = 0; i < axes.count; i++) {
        const int64_t count = int_at(&counts, i);
        if (count < 0) return ints_fail(call, &counts, "a count is negative", count);
        times[axes.axes[i]] = (uint64_t)count;
    }
    return WLK_OK;
}

static wlk_status tile_dim(const op_call *call, int64_t dim, uint64_t times, int64_t *out) {
    uint64_t product;
    *out = WLK_UNKNOWN_DIM;
    if (dim == WLK_UNKNOWN_DIM) return WLK_OK;
    if (!checked_mul((uint64_t)dim, times, &product) || product > INT64_MAX) {
        return op_fail(call, op_shape_rule(call), "a dimension would be too large");
    }
    *out = (int64_t)product;
    return WLK_OK;
}

static wlk_status tile_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (in->rank == WLK_NONE) return set_moved(call, WLK_NONE, NULL, 1);
    uint64_t times[WLK_MAX_RANK];
    bool known = false;
    TRY(tile_repeats(call, in->rank, &known, times));
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; i < in->rank; i++) {
        dims[i] = WLK_UNKNOWN_DIM;
        if (known) TRY(tile_dim(call, in->dims[i], times[i], &dims[i]));
    }
    return set_moved(call, in->rank, dims, repeats(in, dims, in->rank));
}

static wlk_status tile_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    if (out->count == 0) return run_move(call, &(move){.empty = true});
    move m = {0};
    for (uint32_t i = 0; i < in->rank; i++) {
        const int64_t step = move_step(out, i);
        move_add(&m, (uint64_t)(out->dims[i] / in->dims[i]), step * in->dims[i], 0);
        move_add(&m, (uint64_t)in->dims[i], step, move_step(in, i));
    }
    return run_move(call, &m);
}

/* ---- DepthToSpace, SpaceToDepth: an image's channels and its squares of pixels are
 * the two shapes of one thing, [batch, channels, height, block, width, block]. */

enum { BLOCK_SIZE, BLOCK_MODE };

static wlk_status block_size(const op_call *call, int64_t *size) {
    *size = op_attribute(call, BLOCK_SIZE).i;
    if (*size >= 1 && *size <= INT32_MAX) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "blocksize is %" PRId64, *size);
}

/* Is the block's place the outer part of the channel number, or the inner one? */
static wlk_status block_outer(const op_call *call, bool *outer) {
    const char *mode = op_attribute(call, BLOCK_MODE).s;
    *outer = !mode || strcmp(mode, "DCR") == 0;
    if (*outer || strcmp(mode, "CRD") == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.40s'", mode);
}

static wlk_status divide_dim(const op_call *call, int64_t dim, int64_t by, int64_t *out) {
    *out = WLK_UNKNOWN_DIM;
    if (dim == WLK_UNKNOWN_DIM) return WLK_OK;
    *out = dim / by;
    if (dim % by == 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%" PRId64 " is no multiple of %" PRId64, dim, by);
}

static wlk_status multiply_dim(const op_call *call, int64_t dim, int64_t by, int64_t *out) {
    *out = WLK_UNKNOWN_DIM;
    if (dim == WLK_UNKNOWN_DIM) return WLK_OK;
    return tile_dim(call, dim, (uint64_t)by, out);
}

static wlk_status depth_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t block = 0;
    bool outer = false;
    TRY(block_size(call, &block));
    TRY(block_outer(call, &outer));
    TRY(shape_need_rank(call, 0, 4, 4));
    if (in->rank == WLK_NONE) return set_moved(call, WLK_NONE, NULL, 1);
    int64_t dims[4] = {in->dims[0]};
    TRY(divide_dim(call, in->dims[1], block * block, &dims[1]));
    TRY(multiply_dim(call, in->dims[2], block, &dims[2]));
    TRY(multiply_dim(call, in->dims[3], block, &dims[3]));
    return set_moved(call, 4, dims, 1);
}

static wlk_status space_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t block = 0;
    bool outer = false;
    TRY(block_size(call, &block));
    TRY(block_outer(call, &outer));
    TRY(shape_need_rank(call, 0, 4, 4));
    if (in->rank == WLK_NONE) return set_moved(call, WLK_NONE, NULL, 1);
    int64_t dims[4] = {in->dims[0]};
    TRY(multiply_dim(call, in->dims[1], block * block, &dims[1]));
    TRY(divide_dim(call, in->dims[2], block, &dims[2]));
    TRY(divide_dim(call, in->dims[3], block, &dims[3]));
    return set_moved(call, 4, dims, 1);
}

/* The six axes, in the order of the image's pixels; a step of 0 stands for nothing. */
typedef struct block_axes {
    int64_t count[6];
    int64_t deep[6]; /* steps in the tensor with many channels */
    int64_t wide[6]; /* steps in the tensor with many pixels */
} block_axes;

static block_axes block_walk(const op_tensor *deep, const op_tensor *wide, int64_t block,
                             bool outer) {
    const int64_t height = deep->dims[2];
    const int64_t width = deep->dims[3];
    const int64_t channel = height * width; /* in `deep` */
    const int64_t row = wide->dims[3];      /* in `wide` */
    const int64_t channels = wide->dims[1];
    const int64_t inner_step = outer ? channel * channels : channel;
    return (block_axes){
        .count = {deep->dims[0], channels, height, block, width, block},
        .deep = {channel * channels * block * block, outer ? channel : channel * block * block,
                 width, inner_step * block, 1, inner_step},
        .wide = {channels * wide->dims[2] * row, wide->dims[2] * row, row * block, row, block, 1}};
}

static wlk_status run_blocks(const op_call *call, bool to_space) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    int64_t block = 0;
    bool outer = false;
    TRY(block_size(call, &block));
    TRY(block_outer(call, &outer));
    if (out->count == 0) return run_move(call, &(move){.empty = true});
    const block_axes walk = block_walk(to_space ? in : out, to_space ? out : in, block, outer);
    const int64_t *to = to_space ? walk.wide : walk.deep;
    const int64_t *from = to_space ? walk.deep : walk.wide;
    /* In the order of the output, as move_run likes it. */
    static const uint32_t pixels[6] = {0, 1, 2, 3, 4, 5};
    static const uint32_t depth_outer[6] = {0, 3, 5, 1, 2, 4};
    static const uint32_t depth_inner[6] = {0, 1, 3, 5, 2, 4};
    const uint32_t *order = to_space ? pixels : outer ? depth_outer : depth_inner;
    move m = {0};
    for (uint32_t i = 0; i < 6; i++) {
        move_add(&m, (uint64_t)walk.count[order[i]], to[order[i]], from[order[i]]);
    }
    return run_move(call, &m);
}

static wlk_status depth_kernel(const op_call *call) {
    return run_blocks(call, true);
}

static wlk_status space_kernel(const op_call *call) {
    return run_blocks(call, false);
}

/* ---- rows */

static const attribute_row perm[] = {[TRANSPOSE_PERM] = {.name = "perm", .type = WLK_ATTR_INTS}};
static const attribute_row blocks[] = {
    [BLOCK_SIZE] = {.name = "blocksize", .type = WLK_ATTR_INT, .required = true},
    [BLOCK_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "DCR"}};

#define PORTS(name, second, dtypes) \
    static const op_port name[] = {{"input", dtypes, 'T'}, {second, DTYPE_BIT(WLK_I64), 0}}
PORTS(shape_1, "shape", DTYPES_MOVED_1);
PORTS(shape_13, "shape", DTYPES_MOVED_13);
PORTS(shape_21, "shape", DTYPES_MOVED_21);
PORTS(shape_23, "shape", DTYPES_MOVED_23);
PORTS(shape_24, "shape", DTYPES_MOVED_24);
PORTS(tile_6, "repeats", DTYPES_MOVED_1);
PORTS(tile_13, "repeats", DTYPES_MOVED_13);
static const op_port tile_1[] = {{"input", DTYPES_MOVED_FLOAT, 'T'},
                                 {"tiles", DTYPES_MOVED_FLOAT | DTYPE_BIT(WLK_I64), 0},
                                 {"axis", DTYPES_MOVED_FLOAT | DTYPE_BIT(WLK_I64), 0}};

#define ROW(op_name, version, inputs, op_ports, op_shape, op_run)                                \
    .domain = "", .name = op_name, .since = version, .min_inputs = inputs, .max_inputs = inputs, \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .infer = op_shape, .kernel = op_run
#define TRANSPOSE(version, ports)                                               \
    {                                                                           \
        ROW("Transpose", version, 1, ports, transpose_infer, transpose_kernel), \
            .attributes = perm, .attribute_count = 1                            \
    }
#define EXPAND(version, ports) \
    { ROW("Expand", version, 2, ports, expand_infer, expand_kernel) }
#define TILE(version, inputs, ports) \
    { ROW("Tile", version, inputs, ports, tile_infer, tile_kernel) }
#define DEPTH(version, ports, known)                                       \
    {                                                                      \
        ROW("DepthToSpace", version, 1, ports, depth_infer, depth_kernel), \
            .attributes = blocks, .attribute_count = known                 \
    }
#define SPACE(version, ports, known)                                       \
    {                                                                      \
        ROW("SpaceToDepth", version, 1, ports, space_infer, space_kernel), \
            .attributes = blocks, .attribute_count = known                 \
    }

static const op_row rows[] = {
    TRANSPOSE(1, shape_1),   TRANSPOSE(13, shape_13), TRANSPOSE(21, shape_21),
    TRANSPOSE(23, shape_23), TRANSPOSE(24, shape_24), TRANSPOSE(25, shape_24),
    EXPAND(8, shape_1),      EXPAND(13, shape_13),    TILE(1, 3, tile_1),
    TILE(6, 2, tile_6),      TILE(13, 2, tile_13),    DEPTH(1, shape_1, 1),
    DEPTH(11, shape_1, 2),   DEPTH(13, shape_13, 2),  DEPTH(28, shape_13, 2),
    SPACE(1, shape_1, 1),    SPACE(13, shape_13, 1),  SPACE(28, shape_13, 2),
};

const op_family ops_shape_move = {rows, sizeof rows / sizeof *rows};
