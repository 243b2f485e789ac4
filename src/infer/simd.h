/* What vector instructions this processor has. Kernels that come in several versions
 * (one function for each level, made by target attributes) choose by it when they are
 * called: there is no other switch.
 *
 * Levels may differ in the last bits of a float: fused multiply-adds round once. */
#ifndef WLK_INFER_SIMD_H
#define WLK_INFER_SIMD_H

#include <stdbool.h>

typedef enum simd_level {
    SIMD_BASE,   /* what the architecture always has: 128 bits */
    SIMD_AVX2,   /* AVX2 and FMA */
    SIMD_AVX512, /* AVX-512 F, BW, DQ and VL besides */
    SIMD_LEVELS
} simd_level;

#if defined(__x86_64__)
#define SIMD_X86 1
#define SIMD_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define SIMD_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#endif

/* Costs a few loads: the compiler's runtime asked the processor (and the system, which
 * must save the registers) when the program started. */
static inline simd_level simd_best(void) {
#ifdef SIMD_X86
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return SIMD_BASE;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return wide ? SIMD_AVX512 : SIMD_AVX2;
#else
    return SIMD_BASE;
#endif
}

#endif
