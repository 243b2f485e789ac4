#include "infer/elementwise.h"

#include <string.h>

#include "infer/numbers.h"
#include "infer/parallel.h"
#include "infer/shape.h"

const attribute_row legacy_attributes[LEGACY_ATTRIBUTES] = {
    [LEGACY_AXIS] = {.name = "axis", .type = WLK_ATTR_INT},
    [LEGACY_BROADCAST] = {.name = "broadcast", .type = WLK_ATTR_INT},
    [LEGACY_CONSUMED] = {.name = "consumed_inputs", .type = WLK_ATTR_INTS},
};
const attribute_row consumed_inputs[1] = {{.name = "consumed_inputs", .type = WLK_ATTR_INTS}};

/* Of a dtype whose elements are whole bytes. */
static uint64_t element_bytes(wlk_dtype dtype) {
    return wlk_dtype_bits(dtype) / 8;
}

/* ---- one input */

typedef struct unary_work {
    unary_run run;
    double parameters[UNARY_PARAMETERS];
    const op_tensor *in;
    const op_tensor *out;
    uint64_t in_bytes;
    uint64_t out_bytes;
} unary_work;

static void unary_piece(void *context, uint64_t from, uint64_t to) {
    const unary_work *work = context;
    work->run((char *)work->out->target + from * work->out_bytes,
              (const char *)work->in->data + from * work->in_bytes, to - from, work->parameters);
}

#define UNARY_BLOCK 256

static void unary_piece_f64(void *context, uint64_t from, uint64_t to) {
    const unary_work *work = context;
    const number_loader load = number_load(work->in->dtype);
    const number_storer store = number_store(work->out->dtype);
    double block[UNARY_BLOCK];
    double result[UNARY_BLOCK];
    for (uint64_t at = from; at < to; at += UNARY_BLOCK) {
        const uint64_t count = to - at < UNARY_BLOCK ? to - at : UNARY_BLOCK;
        for (uint64_t i = 0; i < count; i++) {
            block[i] = number_double(load(work->in->data, at + i));
        }
        if (work->out->dtype == WLK_BOOL) {
            work->run((uint8_t *)work->out->target + at, block, count, work->parameters);
            continue;
        }
        work->run(result, block, count, work->parameters);
        for (uint64_t i = 0; i < count; i++) {
            store(work->out->target, at + i, (number){NUMBER_FLOAT, {.f = result[i]}});
        }
    }
}

static void read_parameters(const op_call *call, double parameters[UNARY_PARAMETERS]) {
    const op_row *row = call->node->row;
    for (uint32_t i = 0; i < UNARY_PARAMETERS && i < row->attribute_count; i++) {
        if (row->attributes[i].type != WLK_ATTR_FLOAT) continue;
        parameters[i] = op_attribute(call, i).f;
    }
}

wlk_status unary_apply(const op_call *call, const unary_run runs[WLK_DTYPE_COUNT]) {
    unary_work work = {.in = op_input(call, 0), .out = op_output(call, 0)};
    work.run = runs[work.in->dtype];
    const parallel_body body = work.run ? unary_piece : unary_piece_f64;
    if (!work.run) work.run = runs[WLK_F64];
    work.in_bytes = element_bytes(work.in->dtype);
    work.out_bytes = element_bytes(work.out->dtype);
    read_parameters(call, work.parameters);
    op_parallel(call, work.in->count, ELEMENT_PIECE, body, &work);
    return WLK_OK;
}

wlk_status unary_infer_costly(op_call *call) {
    if (call->binding) op_add_operations(call, COSTLY_ELEMENT, op_input(call, 0)->count, 1, 1);
    return op_infer_same(call);
}

wlk_status unary_infer_bool(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_set_output(call, 0, WLK_BOOL, in->rank, in->dims);
    return WLK_OK;
}

/* ---- where the second operand lies on the first */

binary_fit binary_fit_of(const op_call *call) {
    return call->node->row->since < 7 ? FIT_ATTRIBUTES : FIT_BROADCAST;
}

/* Dims of 1 behind b's own, so that it begins at `axis` of a tensor of that rank; false
 * if it does not go in. */
static bool begin_at(op_tensor *b, uint32_t rank, uint32_t axis) {
    if (axis > rank || b->rank > rank - axis) return false;
    for (uint32_t i = b->rank; i < rank - axis; i++) b->dims[i] = 1;
    b->rank = rank - axis;
    return true;
}

/* ONNX's broadcasting before opset 7: without `axis` (or with Caffe2's -1) b is aligned
 * at the last axis. Dims of 1 stretch, which is more than the standard allowed. */
static bool place_by_attributes(const op_call *call, const op_tensor *a, op_tensor *b) {
    const attribute_value axis = op_attribute(call, LEGACY_AXIS);
    if (!op_attribute(call, LEGACY_BROADCAST).i) {
        if (a->rank != b->rank) return false;
        for (uint32_t i = 0; i < a->rank; i++) {
            if (!dim_agrees(a->dims[i], b->dims[i])) return false;
        }
        return true;
    }
    if (axis.given && axis.i != -1) {
        if (axis.i < 0 || axis.i > WLK_MAX_RANK) return false;
        if (!begin_at(b, a->rank, (uint32_t)axis.i)) return false;
    }
    return dims_stretch(b, a->dims, a->rank);
}

static bool place_channels(const op_tensor *a, op_tensor *b) {
    if (b->rank == 1 && a->rank > 2 && b->dims[0] != 1 && !begin_at(b, a->rank, 1)) return false;
    return dims_stretch(b, a->dims, a->rank);
}

/* Both ranks are known. */
static bool place_second(const op_call *call, binary_fit fit, const op_tensor *a, op_tensor *b) {
    int64_t dims[WLK_MAX_RANK];
    if (fit == FIT_ATTRIBUTES) return place_by_attributes(call, a, b);
    if (fit == FIT_CHANNELS) return place_channels(a, b);
    if (fit == FIT_ONTO) return dims_stretch(b, a->dims, a->rank);
    return dims_broadcast(a->dims, a->rank, b->dims, b->rank, dims);
}

wlk_status binary_infer(op_call *call, binary_fit fit, wlk_dtype out) {
    const op_tensor *a = op_input(call, 0);
    op_tensor b = *op_input(call, 1);
    int64_t dims[WLK_MAX_RANK] = {0};
    if (a->rank == WLK_NONE || (b.rank == WLK_NONE && fit == FIT_BROADCAST)) {
        op_set_output(call, 0, out, WLK_NONE, NULL);
        return WLK_OK;
    }
    if (b.rank != WLK_NONE && !place_second(call, fit, a, &b)) return shape_mismatch(call, 0, 1);
    if (fit != FIT_BROADCAST) {
        op_set_output(call, 0, out, a->rank, a->dims);
        return WLK_OK;
    }
    if (!dims_broadcast(a->dims, a->rank, b.dims, b.rank, dims)) return shape_mismatch(call, 0, 1);
    op_set_output(call, 0, out, a->rank > b.rank ? a->rank : b.rank, dims);
    return WLK_OK;
}

void binary_add_cost(op_call *call, uint64_t cost) {
    const op_tensor *out = op_output(call, 0);
    if (call->binding) op_add_operations(call, cost, tensor_span(out, 0, out->rank), 1, 1);
}

wlk_status binary_infer_same(op_call *call) {
    return binary_infer(call, binary_fit_of(call), op_input(call, 0)->dtype);
}

wlk_status binary_infer_bool(op_call *call) {
    return binary_infer(call, binary_fit_of(call), WLK_BOOL);
}

/* ---- two inputs */

typedef struct binary_work {
    binary_run run;
    const broadcast_walk *walk; /* at its first run */
    uint64_t chunk;             /* a run is done in chunks of so many elements */
    uint64_t chunks;            /* of each run */
    char *out;
    const char *a;
    const char *b;
    uint64_t out_bytes;
    uint64_t a_bytes;
    uint64_t b_bytes;
    _Atomic bool failed;
} binary_work;

static void binary_chunk(binary_work *work, const broadcast_walk *walk, uint64_t start) {
    const uint64_t left = walk->length - start;
    const binary_span span = {left < work->chunk ? left : work->chunk,
                              {walk->step[0], walk->step[1]}};
    const char *a = work->a + (walk->at[0] + start * walk->step[0]) * work->a_bytes;
    const char *b = work->b + (walk->at[1] + start * walk->step[1]) * work->b_bytes;
    if (!work->run(work->out + (walk->out + start) * work->out_bytes, a, b, &span)) {
        work->failed = true;
    }
}

static void binary_piece(void *context, uint64_t from, uint64_t to) {
    binary_work *work = context;
    broadcast_walk walk = *work->walk;
    uint64_t part = from % work->chunks;
    broadcast_seek(&walk, from / work->chunks);
    for (uint64_t i = from; i < to; i++) {
        binary_chunk(work, &walk, part * work->chunk);
        if (++part < work->chunks) continue;
        part = 0;
        broadcast_next(&walk);
    }
}

bool binary_over(const op_call *call, const broadcast_walk *walk, const op_tensor *out,
                 const op_tensor *a, const op_tensor *b, binary_run run) {
    if (walk->done) return true;
    binary_work work = {.run = run, .walk = walk, .out = out->target, .a = a->data, .b = b->data};
    work.chunk = walk->length < ELEMENT_PIECE ? walk->length : ELEMENT_PIECE;
    work.chunks = (walk->length + work.chunk - 1) / work.chunk;
    work.out_bytes = element_bytes(out->dtype);
    work.a_bytes = element_bytes(a->dtype);
    work.b_bytes = element_bytes(b->dtype);
    op_parallel(call, broadcast_runs(walk) * work.chunks, ELEMENT_PIECE / work.chunk, binary_piece,
                &work);
    return !work.failed;
}

broadcast_walk binary_walk(const op_call *call, binary_fit fit) {
    const op_tensor *a = op_input(call, 0);
    op_tensor b = *op_input(call, 1);
    const bool fits = place_second(call, fit, a, &b);
    broadcast_walk walk =
        broadcast_start(broadcast_of(op_output(call, 0)), broadcast_of(a), broadcast_of(&b));
    walk.done = walk.done || !fits; /* they do: the shape rule has looked */
    return walk;
}

wlk_status binary_apply(const op_call *call, binary_fit fit,
                        const binary_run runs[WLK_DTYPE_COUNT]) {
    const op_tensor *a = op_input(call, 0);
    const broadcast_walk walk = binary_walk(call, fit);
    if (binary_over(call, &walk, op_output(call, 0), a, op_input(call, 1), runs[a->dtype])) {
        return WLK_OK;
    }
    return op_fail(call, RULE_RUN_DIVIDE, "an element of input 1 is 0");
}
