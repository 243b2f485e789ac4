#include "infer/broadcast.h"

#include <string.h>

broadcast_shape broadcast_of(const op_tensor *tensor) {
    return (broadcast_shape){.dims = tensor->dims, .rank = tensor->rank};
}

/* The step of an operand along result axis `axis`: elements behind one of its
 * own, 0 where it has no such axis or is stretched. */
static uint64_t step_along(broadcast_shape shape, uint32_t rank, uint32_t axis) {
    const uint32_t missing = rank - shape.rank;
    if (axis < missing || shape.dims[axis - missing] == 1) return 0;
    uint64_t step = 1;
    for (uint32_t i = axis - missing + 1; i < shape.rank; i++) step *= (uint64_t)shape.dims[i];
    return step;
}

/* Appends an axis, merged with the one around it where both operands go on
 * without a jump. */
static void push_axis(broadcast_walk *walk, uint64_t dim, uint64_t step_a, uint64_t step_b) {
    if (walk->rank > 0) {
        const uint32_t last = walk->rank - 1;
        if (walk->steps[0][last] == step_a * dim && walk->steps[1][last] == step_b * dim) {
            walk->dims[last] *= dim;
            walk->steps[0][last] = step_a;
            walk->steps[1][last] = step_b;
            return;
        }
    }
    walk->dims[walk->rank] = dim;
    walk->steps[0][walk->rank] = step_a;
    walk->steps[1][walk->rank] = step_b;
    walk->rank++;
}

/* The innermost axis is the run. Right of it the result has only dims of 1, so
 * an operand's step along it is 1 or 0. */
static void pop_run(broadcast_walk *walk) {
    walk->length = 1;
    if (walk->rank == 0) return;
    walk->rank--;
    walk->length = walk->dims[walk->rank];
    walk->step[0] = walk->steps[0][walk->rank];
    walk->step[1] = walk->steps[1][walk->rank];
}

broadcast_walk broadcast_start(broadcast_shape out, broadcast_shape a, broadcast_shape b) {
    broadcast_walk walk;
    memset(&walk, 0, sizeof walk);
    for (uint32_t i = 0; i < out.rank; i++) {
        const uint64_t dim = (uint64_t)out.dims[i];
        if (dim == 0) walk.done = true;
    }
    if (walk.done) return walk;
    for (uint32_t i = 0; i < out.rank; i++) {
        const uint64_t dim = (uint64_t)out.dims[i];
        if (dim == 1) continue;
        push_axis(&walk, dim, step_along(a, out.rank, i), step_along(b, out.rank, i));
    }
    pop_run(&walk);
    return walk;
}

void broadcast_next(broadcast_walk *walk) {
    walk->out += walk->length;
    for (uint32_t axis = walk->rank; axis-- > 0;) {
        walk->at[0] += walk->steps[0][axis];
        walk->at[1] += walk->steps[1][axis];
        if (++walk->index[axis] < walk->dims[axis]) return;
        walk->index[axis] = 0;
        walk->at[0] -= walk->steps[0][axis] * walk->dims[axis];
        walk->at[1] -= walk->steps[1][axis] * walk->dims[axis];
    }
    walk->done = true;
}

uint64_t broadcast_runs(const broadcast_walk *walk) {
    uint64_t runs = 1;
    for (uint32_t axis = 0; axis < walk->rank; axis++) runs *= walk->dims[axis];
    return walk->done ? 0 : runs;
}

void broadcast_seek(broadcast_walk *walk, uint64_t run) {
    walk->out = run * walk->length;
    walk->at[0] = 0;
    walk->at[1] = 0;
    for (uint32_t axis = walk->rank; axis-- > 0;) {
        walk->index[axis] = run % walk->dims[axis];
        run /= walk->dims[axis];
        walk->at[0] += walk->index[axis] * walk->steps[0][axis];
        walk->at[1] += walk->index[axis] * walk->steps[1][axis];
    }
}
