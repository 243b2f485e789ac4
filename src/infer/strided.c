#include "infer/strided.h"

#include <string.h>

void strided_add(strided *axes, uint64_t dim, uint64_t step) {
    if (dim == 1) return;
    if (axes->rank > 0 && axes->steps[axes->rank - 1] == dim * step) {
        axes->dims[axes->rank - 1] *= dim;
        axes->steps[axes->rank - 1] = step;
        return;
    }
    axes->dims[axes->rank] = dim;
    axes->steps[axes->rank++] = step;
}

uint64_t strided_count(const strided *axes) {
    uint64_t count = 1;
    for (uint32_t a = 0; a < axes->rank; a++) count *= axes->dims[a];
    return count;
}

bool strided_is_packed(const strided *axes) {
    return axes->rank == 0 || (axes->rank == 1 && axes->steps[0] == 1);
}

void strided_next(const strided *axes, strided_place *place) {
    for (uint32_t a = axes->rank; a-- > 0;) {
        place->at += axes->steps[a];
        if (++place->index[a] < axes->dims[a]) return;
        place->index[a] = 0;
        place->at -= axes->steps[a] * axes->dims[a];
    }
}

/* The innermost axis of `order` is the run. */
#define GATHER(function, type)                                                               \
    static void add_##function(type *restrict to, const type *restrict row, uint64_t length, \
                               uint64_t step, const strided *sums, uint64_t terms) {         \
        strided_place term;                                                                  \
        memset(&term, 0, sizeof term);                                                       \
        for (uint64_t t = 1; t < terms; t++) {                                               \
            strided_next(sums, &term);                                                       \
            const type *more = row + term.at;                                                \
            for (uint64_t i = 0; i < length; i++) to[i] += more[i * step];                   \
        }                                                                                    \
    }                                                                                        \
                                                                                             \
    static void function(type *restrict to, const type *restrict from, const strided *outer, \
                         uint64_t length, uint64_t step, const strided *sums) {              \
        const uint64_t rows = strided_count(outer);                                          \
        const uint64_t terms = strided_count(sums);                                          \
        strided_place place;                                                                 \
        memset(&place, 0, sizeof place);                                                     \
        for (uint64_t r = 0; r < rows; r++, to += length) {                                  \
            const type *row = from + place.at;                                               \
            for (uint64_t i = 0; i < length && terms > 0; i++) to[i] = row[i * step];        \
            if (terms > 1) add_##function(to, row, length, step, sums, terms);               \
            strided_next(outer, &place);                                                     \
        }                                                                                    \
    }

GATHER(gather_f32, float)
GATHER(gather_f64, double)

void strided_gather(wlk_dtype dtype, void *to, const void *from, const strided *order,
                    const strided *sums) {
    strided outer = *order;
    uint64_t length = 1;
    uint64_t step = 1;
    if (outer.rank > 0) {
        outer.rank--;
        length = outer.dims[outer.rank];
        step = outer.steps[outer.rank];
    }
    if (dtype == WLK_F64) {
        gather_f64(to, from, &outer, length, step, sums);
    } else {
        gather_f32(to, from, &outer, length, step, sums);
    }
}
