#include "infer/reduce_walk.h"

#include <string.h>

static void push_axis(walk_axes *axes, uint64_t dim, uint64_t step) {
    axes->dims[axes->rank] = dim;
    axes->steps[axes->rank] = step;
    axes->count *= dim;
    axes->rank++;
}

/* The tensor's axes but those of 1, neighbours of one kind merged. */
typedef struct merged_axes {
    uint32_t rank;
    uint64_t dims[WLK_MAX_RANK];
    bool reduced[WLK_MAX_RANK];
} merged_axes;

static merged_axes merge_axes(const op_tensor *in, uint32_t mask) {
    merged_axes out = {.rank = 0};
    for (uint32_t a = 0; a < in->rank; a++) {
        const bool reduced = mask >> a & 1;
        const uint64_t dim = (uint64_t)in->dims[a];
        if (dim == 1) continue;
        if (out.rank > 0 && out.reduced[out.rank - 1] == reduced) {
            out.dims[out.rank - 1] *= dim;
            continue;
        }
        out.dims[out.rank] = dim;
        out.reduced[out.rank++] = reduced;
    }
    return out;
}

reduce_walk reduce_walk_of(const op_tensor *in, uint32_t mask) {
    const merged_axes merged = merge_axes(in, mask);
    reduce_walk walk = {.kept.count = 1, .reduced.count = 1, .run_kept = true, .length = 1};
    uint64_t step = in->count;
    for (uint32_t a = 0; a < merged.rank; a++) {
        step /= merged.dims[a];
        if (a + 1 == merged.rank) {
            walk.run_kept = !merged.reduced[a];
            walk.length = merged.dims[a];
        } else {
            push_axis(merged.reduced[a] ? &walk.reduced : &walk.kept, merged.dims[a], step);
        }
    }
    walk.reduces = walk.reduced.count * (walk.run_kept ? 1 : walk.length);
    return walk;
}

walk_place walk_start(const walk_axes *axes, uint64_t number) {
    walk_place place;
    memset(&place, 0, sizeof place);
    for (uint32_t a = axes->rank; a-- > 0;) {
        place.index[a] = number % axes->dims[a];
        number /= axes->dims[a];
        place.at += place.index[a] * axes->steps[a];
    }
    return place;
}

void walk_next(const walk_axes *axes, walk_place *place) {
    for (uint32_t a = axes->rank; a-- > 0;) {
        place->at += axes->steps[a];
        if (++place->index[a] < axes->dims[a]) return;
        place->index[a] = 0;
        place->at -= axes->steps[a] * axes->dims[a];
    }
}
