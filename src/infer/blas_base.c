/* Tiles for every architecture: vectors of 128 bits, of which 16 fit the registers. */
#include "infer/blas_tile.h"

typedef float vector_f32 __attribute__((vector_size(16), aligned(4)));
typedef double vector_f64 __attribute__((vector_size(16), aligned(8)));
typedef uint32_t vector_u32 __attribute__((vector_size(16), aligned(4)));
typedef uint64_t vector_u64 __attribute__((vector_size(16), aligned(8)));

#define MULTIPLY_ADD(s, x, sum) ((s) * (x) + (sum))

#define KERNELS(suffix, element)                                                \
    TILE_KERNEL(one_1_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 1, 1) \
    TILE_KERNEL(one_2_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 2, 1) \
    TILE_KERNEL(one_3_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 3, 1) \
    TILE_KERNEL(one_4_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 4, 1) \
    TILE_KERNEL(two_1_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 1, 2) \
    TILE_KERNEL(two_2_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 2, 2) \
    TILE_KERNEL(two_3_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 3, 2) \
    TILE_KERNEL(two_4_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 4, 2) \
    TILE_KERNEL(wide_##suffix, , element, vector_##suffix, MULTIPLY_ADD, 1, TILE_WIDE)

KERNELS(f32, float)
KERNELS(f64, double)
KERNELS(u32, uint32_t)
KERNELS(u64, uint64_t)

#define TABLE(suffix, element)                                                      \
    {                                                                               \
        .rows = 4, .lanes = sizeof(vector_##suffix) / sizeof(element),              \
        .runs = {{one_1_##suffix, one_2_##suffix, one_3_##suffix, one_4_##suffix},  \
                 {two_1_##suffix, two_2_##suffix, two_3_##suffix, two_4_##suffix}}, \
        .wide = wide_##suffix                                                       \
    }

const tile_kernels tile_base[TILE_ELEMENTS] = {
    [TILE_F32] = TABLE(f32, float),
    [TILE_F64] = TABLE(f64, double),
    [TILE_U32] = TABLE(u32, uint32_t),
    [TILE_U64] = TABLE(u64, uint64_t),
};
