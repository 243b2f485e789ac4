/* Tiles: the innermost part of every dense product and convolution. A tile is a few
 * rows of A times a panel of B, kept in registers while it runs over the depth.
 *
 * Elements are f32 or f64, or u32 or u64, which wrap around and so serve signed
 * integers too. */
#ifndef WLK_INFER_BLAS_TILE_H
#define WLK_INFER_BLAS_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/simd.h"

/* C[i][j] (+)= sum over l < depth of A[i][l] * B[l][j]. Steps and offsets count
 * elements. The panel's rows lie anywhere: row l at b + offsets[l]; so one kernel serves
 * packed panels, matrices in place, and the shifted views of an image that a
 * convolution reads. All columns of the tile are read and written. */
typedef struct tile {
    uint64_t depth;
    const void *a;
    uint64_t a_row;  /* from row to row */
    uint64_t a_step; /* along a row */
    const void *b;
    const int64_t *offsets; /* depth of them */
    void *c;
    uint64_t c_row;
    bool add; /* to what C holds; else C is only written */
} tile;

typedef void (*tile_run)(const tile *t);

#define TILE_MAX_ROWS 12
#define TILE_VECTORS 2 /* the panel's width in vectors */
#define TILE_WIDE 8    /* the same, for one row alone */
#define TILE_MAX_COLUMNS 32
#define TILE_MAX_WIDE 128

typedef struct tile_kernels {
    uint32_t rows;  /* of the largest tile */
    uint32_t lanes; /* elements in a vector */
    /* [vectors - 1][rows - 1] */
    tile_run runs[TILE_VECTORS][TILE_MAX_ROWS];
    tile_run wide;
} tile_kernels;

typedef enum tile_element { TILE_F32, TILE_F64, TILE_U32, TILE_U64, TILE_ELEMENTS } tile_element;

/* The kernels for this processor. */
const tile_kernels *tile_kernels_of(tile_element element);

/* Those of each level, for that. */
extern const tile_kernels tile_base[TILE_ELEMENTS];
#ifdef SIMD_X86
extern const tile_kernels tile_avx2[TILE_ELEMENTS];
extern const tile_kernels tile_avx512[TILE_ELEMENTS];
#endif

#ifdef __clang__
#define TILE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILE_UNROLL _Pragma("GCC unroll 16")
#endif

/* One kernel of ROWS x COUNT vectors. VECTOR is an unaligned vector of ELEMENTs;
 * FMA(s, x, sum) is sum + s * x for a scalar s. Everything is unrolled but the depth, so
 * that `sum` stays in registers. */
#define TILE_KERNEL(function, TARGET, ELEMENT, VECTOR, FMA, ROWS, COUNT)                \
    TARGET static void function(const tile *t) {                                        \
        enum { LANES = sizeof(VECTOR) / sizeof(ELEMENT) };                              \
        VECTOR sum[ROWS][COUNT];                                                        \
        const ELEMENT *a = t->a;                                                        \
        const ELEMENT *b = t->b;                                                        \
        ELEMENT *c = t->c;                                                              \
        const uint64_t row = t->a_row;                                                  \
        const int64_t *offsets = t->offsets;                                            \
        TILE_UNROLL for (uint64_t i = 0; i < (ROWS); i++) {                             \
            TILE_UNROLL for (uint64_t j = 0; j < (COUNT); j++) {                        \
                const ELEMENT *from = c + i * t->c_row + j * LANES;                     \
                sum[i][j] = t->add ? *(const VECTOR *)(const void *)from : (VECTOR){0}; \
            }                                                                           \
        }                                                                               \
        for (uint64_t l = 0; l < t->depth; l++) {                                       \
            const ELEMENT *from = b + offsets[l];                                       \
            VECTOR x[COUNT];                                                            \
            TILE_UNROLL for (uint64_t j = 0; j < (COUNT); j++) {                        \
                x[j] = *(const VECTOR *)(const void *)(from + j * LANES);               \
            }                                                                           \
            TILE_UNROLL for (uint64_t i = 0; i < (ROWS); i++) {                         \
                const ELEMENT s = a[i * row];                                           \
                TILE_UNROLL for (uint64_t j = 0; j < (COUNT); j++) {                    \
                    sum[i][j] = FMA(s, x[j], sum[i][j]);                                \
                }                                                                       \
            }                                                                           \
            a += t->a_step;                                                             \
        }                                                                               \
        TILE_UNROLL for (uint64_t i = 0; i < (ROWS); i++) {                             \
            TILE_UNROLL for (uint64_t j = 0; j < (COUNT); j++) {                        \
                *(VECTOR *)(void *)(c + i * t->c_row + j * LANES) = sum[i][j];          \
            }                                                                           \
        }                                                                               \
    }

#endif
