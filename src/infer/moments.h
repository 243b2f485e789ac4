/* Mean and variance of contiguous elements, in double precision. */
#ifndef WLK_INFER_MOMENTS_H
#define WLK_INFER_MOMENTS_H

#include <stdint.h>

/* Sums are made in this many lanes, element i in lane i modulo that: the same on every
 * machine, and many at a time. */
#define MOMENT_LANES 16

#define MOMENTS_FUNCTIONS(suffix, type)                                                            \
    /* The sum of (x - center) to the power of 1, or of 2. */                                      \
    static inline double moment_sum_##suffix(const type *from, uint64_t count, double center,      \
                                             int power) {                                          \
        double sums[MOMENT_LANES] = {0};                                                           \
        uint64_t i = 0;                                                                            \
        for (; count - i >= MOMENT_LANES; i += MOMENT_LANES) {                                     \
            for (uint64_t j = 0; j < MOMENT_LANES; j++) {                                          \
                const double x = (double)from[i + j] - center;                                     \
                sums[j] += power == 1 ? x : x * x;                                                 \
            }                                                                                      \
        }                                                                                          \
        for (uint64_t j = 0; i + j < count; j++) {                                                 \
            const double x = (double)from[i + j] - center;                                         \
            sums[j] += power == 1 ? x : x * x;                                                     \
        }                                                                                          \
        for (int j = 1; j < MOMENT_LANES; j++) sums[0] += sums[j];                                 \
        return sums[0];                                                                            \
    }                                                                                              \
    static inline double moment_mean_##suffix(const type *from, uint64_t count) {                  \
        return moment_sum_##suffix(from, count, 0, 1) / (double)count;                             \
    }                                                                                              \
    static inline double moment_variance_##suffix(const type *from, uint64_t count, double mean) { \
        return moment_sum_##suffix(from, count, mean, 2) / (double)count;                          \
    }

MOMENTS_FUNCTIONS(f32, float)
MOMENTS_FUNCTIONS(f64, double)

#endif
