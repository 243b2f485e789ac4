/* Tiles for AVX2 and FMA: 16 registers of 256 bits. */
#include "infer/blas_tile.h"

#ifdef SIMD_X86

#include <immintrin.h>

typedef float vector_f32 __attribute__((vector_size(32), aligned(4)));
typedef double vector_f64 __attribute__((vector_size(32), aligned(8)));
typedef uint32_t vector_u32 __attribute__((vector_size(32), aligned(4)));
typedef uint64_t vector_u64 __attribute__((vector_size(32), aligned(8)));

#define FMA_F32(s, x, sum) _mm256_fmadd_ps(_mm256_set1_ps(s), x, sum)
#define FMA_F64(s, x, sum) _mm256_fmadd_pd(_mm256_set1_pd(s), x, sum)
#define FMA_INT(s, x, sum) ((s) * (x) + (sum))

#define KERNEL(name, element, fma, suffix, rows, count)                                          \
    TILE_KERNEL(name##_##rows##_##suffix, SIMD_TARGET_AVX2, element, vector_##suffix, fma, rows, \
                count)
#define KERNELS(suffix, element, fma)       \
    KERNEL(one, element, fma, suffix, 1, 1) \
    KERNEL(one, element, fma, suffix, 2, 1) \
    KERNEL(one, element, fma, suffix, 3, 1) \
    KERNEL(one, element, fma, suffix, 4, 1) \
    KERNEL(one, element, fma, suffix, 5, 1) \
    KERNEL(one, element, fma, suffix, 6, 1) \
    KERNEL(two, element, fma, suffix, 1, 2) \
    KERNEL(two, element, fma, suffix, 2, 2) \
    KERNEL(two, element, fma, suffix, 3, 2) \
    KERNEL(two, element, fma, suffix, 4, 2) \
    KERNEL(two, element, fma, suffix, 5, 2) \
    KERNEL(two, element, fma, suffix, 6, 2) \
    KERNEL(wide, element, fma, suffix, 1, TILE_WIDE)

KERNELS(f32, float, FMA_F32)
KERNELS(f64, double, FMA_F64)
KERNELS(u32, uint32_t, FMA_INT)
KERNELS(u64, uint64_t, FMA_INT)

#define ROW_OF(name, suffix)                                                        \
    {                                                                               \
        name##_1_##suffix, name##_2_##suffix, name##_3_##suffix, name##_4_##suffix, \
            name##_5_##suffix, name##_6_##suffix                                    \
    }
#define TABLE(suffix, element)                                                      \
    {                                                                               \
        .rows = 6, .lanes = sizeof(vector_##suffix) / sizeof(element),              \
        .runs = {ROW_OF(one, suffix), ROW_OF(two, suffix)}, .wide = wide_1_##suffix \
    }

const tile_kernels tile_avx2[TILE_ELEMENTS] = {
    [TILE_F32] = TABLE(f32, float),
    [TILE_F64] = TABLE(f64, double),
    [TILE_U32] = TABLE(u32, uint32_t),
    [TILE_U64] = TABLE(u64, uint64_t),
};

#endif
