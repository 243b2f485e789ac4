#include "infer/reducers.h"

#include <math.h>

#include "infer/math_f32.h"
#include "infer/numbers.h"

/* Eight states side by side, so that a sum is no chain of additions. */
#define LANES 8

/* `element` is what x adds to a state, COMBINE adds it, `result` is made of the state a;
 * x, a, n (elements that went into it) and peak may be used. */
#define REDUCER(name, type, state, initial, element, COMBINE, result_type, result)              \
    static void name##_begin(void *states, uint64_t count) {                                    \
        state *a = states;                                                                      \
        for (uint64_t j = 0; j < count; j++) a[j] = (initial);                                  \
    }                                                                                           \
    static void name##_row(void *states, const void *in, uint64_t count, const double *peaks) { \
        const type *from = in;                                                                  \
        const double peak = peaks[0];                                                           \
        state lanes[LANES];                                                                     \
        state whole = *(state *)states;                                                         \
        uint64_t i = 0;                                                                         \
        (void)peak;                                                                             \
        for (unsigned k = 0; k < LANES; k++) lanes[k] = (initial);                              \
        for (; i + LANES <= count; i += LANES) {                                                \
            for (unsigned k = 0; k < LANES; k++) {                                              \
                const type x = from[i + k];                                                     \
                const state e = (element);                                                      \
                lanes[k] = COMBINE(lanes[k], e);                                                \
            }                                                                                   \
        }                                                                                       \
        for (; i < count; i++) {                                                                \
            const type x = from[i];                                                             \
            const state e = (element);                                                          \
            whole = COMBINE(whole, e);                                                          \
        }                                                                                       \
        for (unsigned k = 0; k < LANES; k++) whole = COMBINE(whole, lanes[k]);                  \
        *(state *)states = whole;                                                               \
    }                                                                                           \
    static void name##_columns(void *restrict states, const void *restrict in, uint64_t count,  \
                               const double *peaks) {                                           \
        const type *from = in;                                                                  \
        state *a = states;                                                                      \
        for (uint64_t j = 0; j < count; j++) {                                                  \
            const type x = from[j];                                                             \
            const double peak = peaks[j];                                                       \
            const state e = (element);                                                          \
            (void)peak;                                                                         \
            a[j] = COMBINE(a[j], e);                                                            \
        }                                                                                       \
    }                                                                                           \
    static void name##_finish(const void *states, void *out, uint64_t count, uint64_t n,        \
                              const double *peaks) {                                            \
        result_type *to = out;                                                                  \
        (void)n;                                                                                \
        for (uint64_t j = 0; j < count; j++) {                                                  \
            const state a = ((const state *)states)[j];                                         \
            const double peak = peaks[j];                                                       \
            (void)peak;                                                                         \
            to[j] = (result_type)(result);                                                      \
        }                                                                                       \
    }                                                                                           \
    static const reducer name = {name##_begin, name##_row, name##_columns, name##_finish};

#define ADD(a, e) ((a) + (e))
#define TIMES(a, e) ((a) * (e))
/* NaN is what is left once it was met. */
#define LARGER(a, e) ((e) > (a) || (e) != (e) ? (e) : (a))
#define SMALLER(a, e) ((e) < (a) || (e) != (e) ? (e) : (a))

/* Infinite elements would be infinity less infinity in the sum. */
#define LOG_SUM_EXP_OF(a) (isinf(peak) ? peak : log(a) + peak)

#define FLOATS(suffix, type, exponential)                                                          \
    REDUCER(sum_##suffix, type, double, 0, (double)x, ADD, type, a)                                \
    REDUCER(mean_##suffix, type, double, 0, (double)x, ADD, type, a / (double)n)                   \
    REDUCER(max_##suffix, type, type, (type)-INFINITY, x, LARGER, type, a)                         \
    REDUCER(min_##suffix, type, type, (type)INFINITY, x, SMALLER, type, a)                         \
    REDUCER(prod_##suffix, type, double, 1, (double)x, TIMES, type, a)                             \
    REDUCER(sum_square_##suffix, type, double, 0, (double)x *(double)x, ADD, type, a)              \
    REDUCER(l1_##suffix, type, double, 0, fabs((double)x), ADD, type, a)                           \
    REDUCER(l2_##suffix, type, double, 0, (double)x *(double)x, ADD, type, sqrt(a))                \
    REDUCER(log_sum_##suffix, type, double, 0, (double)x, ADD, type, log(a))                       \
    REDUCER(log_sum_exp_##suffix, type, double, 0, (double)exponential(x - (type)peak), ADD, type, \
            LOG_SUM_EXP_OF(a))                                                                     \
    REDUCER(peak_##suffix, type, type, (type)-INFINITY, x, LARGER, double, a)

#define SIGNED(x) ((x) < 0 ? 0 - (uint64_t)(x) : (uint64_t)(x))
#define UNSIGNED(x) ((uint64_t)(x))

/* Sums and products wrap around; logarithms and roots are cut to whole numbers. */
#define INTEGERS(suffix, type, wide, MAGNITUDE, lowest, highest, saturated)                    \
    REDUCER(sum_##suffix, type, uint64_t, 0, (uint64_t)x, ADD, type, a)                        \
    REDUCER(mean_##suffix, type, uint64_t, 0, (uint64_t)x, ADD, type,                          \
            n == 0 ? 0 : (wide)a / (wide)n)                                                    \
    REDUCER(prod_##suffix, type, uint64_t, 1, (uint64_t)x, TIMES, type, a)                     \
    REDUCER(sum_square_##suffix, type, uint64_t, 0, (uint64_t)x *(uint64_t)x, ADD, type, a)    \
    REDUCER(l1_##suffix, type, uint64_t, 0, MAGNITUDE(x), ADD, type, a)                        \
    REDUCER(l2_##suffix, type, double, 0, (double)x *(double)x, ADD, type, saturated(sqrt(a))) \
    REDUCER(log_sum_##suffix, type, double, 0, (double)x, ADD, type, saturated(log(a)))        \
    REDUCER(log_sum_exp_##suffix, type, double, 0, exp((double)x - peak), ADD, type,           \
            saturated(LOG_SUM_EXP_OF(a)))                                                      \
    REDUCER(peak_##suffix, type, type, lowest, x, LARGER, double,                              \
            n == 0 ? -(double)INFINITY : (double)a)                                            \
    EXTREMES(suffix, type, lowest, highest)

#define EXTREMES(suffix, type, lowest, highest)                   \
    REDUCER(max_##suffix, type, type, lowest, x, LARGER, type, a) \
    REDUCER(min_##suffix, type, type, highest, x, SMALLER, type, a)

static int32_t saturate_i32(double value) {
    const int64_t wide = saturate_i64(value);
    return wide < INT32_MIN ? INT32_MIN : wide > INT32_MAX ? INT32_MAX : (int32_t)wide;
}

static uint64_t saturate_u64(double value) {
    if (!(value > 0)) return 0;
    return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

static uint32_t saturate_u32(double value) {
    const uint64_t wide = saturate_u64(value);
    return wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
}

FLOATS(f64, double, exp)
FLOATS(f32, float, f32_exp)
INTEGERS(i64, int64_t, int64_t, SIGNED, INT64_MIN, INT64_MAX, saturate_i64)
INTEGERS(i32, int32_t, int64_t, SIGNED, INT32_MIN, INT32_MAX, saturate_i32)
INTEGERS(u64, uint64_t, uint64_t, UNSIGNED, 0, UINT64_MAX, saturate_u64)
INTEGERS(u32, uint32_t, uint64_t, UNSIGNED, 0, UINT32_MAX, saturate_u32)
EXTREMES(i8, int8_t, INT8_MIN, INT8_MAX)
EXTREMES(u8, uint8_t, 0, UINT8_MAX)
EXTREMES(bool, uint8_t, 0, 1)

#define NUMBERS(name)                                                          \
    [WLK_F64] = &name##_f64, [WLK_F32] = &name##_f32, [WLK_I64] = &name##_i64, \
    [WLK_I32] = &name##_i32, [WLK_U64] = &name##_u64, [WLK_U32] = &name##_u32

static const reducer *const reducers[REDUCTIONS][WLK_DTYPE_COUNT] = {
    [REDUCE_SUM] = {NUMBERS(sum)},
    [REDUCE_MEAN] = {NUMBERS(mean)},
    [REDUCE_MAX] = {NUMBERS(max), [WLK_I8] = &max_i8, [WLK_U8] = &max_u8, [WLK_BOOL] = &max_bool},
    [REDUCE_MIN] = {NUMBERS(min), [WLK_I8] = &min_i8, [WLK_U8] = &min_u8, [WLK_BOOL] = &min_bool},
    [REDUCE_PROD] = {NUMBERS(prod)},
    [REDUCE_SUM_SQUARE] = {NUMBERS(sum_square)},
    [REDUCE_L1] = {NUMBERS(l1)},
    [REDUCE_L2] = {NUMBERS(l2)},
    [REDUCE_LOG_SUM] = {NUMBERS(log_sum)},
    [REDUCE_LOG_SUM_EXP] = {NUMBERS(log_sum_exp)},
};

static const reducer *const peaks[WLK_DTYPE_COUNT] = {NUMBERS(peak)};

const reducer *reducer_of(reduction kind, wlk_dtype dtype) {
    return reducers[kind][dtype];
}

const reducer *reducer_of_peaks(wlk_dtype dtype) {
    return peaks[dtype];
}
