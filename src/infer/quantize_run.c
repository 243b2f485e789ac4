#include "infer/quantize_run.h"

#include <stddef.h>

/* Far beyond 16 bits whatever the zero point, and small enough to be rounded by adding
 * 1.5 * 2^23. */
#define RUN_FAR 200000.0F

#define RUN_TO(function, type, low, high)                                                      \
    static void function(void *out, const void *in, uint64_t count, float scale, float zero) { \
        type *restrict to = out;                                                               \
        const float *restrict from = in;                                                       \
        for (uint64_t i = 0; i < count; i++) {                                                 \
            float x = from[i] / scale;                                                         \
            x = x == x ? x : 0;                                                                \
            x = x > RUN_FAR ? RUN_FAR : x;                                                     \
            x = x < -RUN_FAR ? -RUN_FAR : x;                                                   \
            x = (x + 0x1.8p23F) - 0x1.8p23F + zero;                                            \
            x = x > (high) ? (high) : x;                                                       \
            x = x < (low) ? (low) : x;                                                         \
            to[i] = (type)(int32_t)x;                                                          \
        }                                                                                      \
    }

#define RUN_FROM(function, type)                                                               \
    static void function(void *out, const void *in, uint64_t count, float scale, float zero) { \
        float *restrict to = out;                                                              \
        const type *restrict from = in;                                                        \
        for (uint64_t i = 0; i < count; i++) to[i] = ((float)from[i] - zero) * scale;          \
    }

RUN_TO(to_i8, int8_t, -128.0F, 127.0F)
RUN_TO(to_u8, uint8_t, 0.0F, 255.0F)
RUN_TO(to_i16, int16_t, -32768.0F, 32767.0F)
RUN_TO(to_u16, uint16_t, 0.0F, 65535.0F)
RUN_FROM(from_i8, int8_t)
RUN_FROM(from_u8, uint8_t)
RUN_FROM(from_i16, int16_t)
RUN_FROM(from_u16, uint16_t)

static const quantize_run runs_to[WLK_DTYPE_COUNT] = {
    [WLK_I8] = to_i8, [WLK_U8] = to_u8, [WLK_I16] = to_i16, [WLK_U16] = to_u16};
static const quantize_run runs_from[WLK_DTYPE_COUNT] = {
    [WLK_I8] = from_i8, [WLK_U8] = from_u8, [WLK_I16] = from_i16, [WLK_U16] = from_u16};

quantize_run quantize_run_to(wlk_dtype dtype) {
    return runs_to[dtype];
}

quantize_run quantize_run_from(wlk_dtype dtype) {
    return runs_from[dtype];
}

void quantize_stretches(quantize_run run, const quantize_grid *grid, const quantize_scales *scales,
                        const quantize_side *side, uint64_t count) {
    uint64_t d = 0;
    for (uint64_t at = 0; at < count;) {
        const uint64_t left = count - at;
        const uint64_t length = left < grid->inner ? left : grid->inner;
        const uint64_t number = d * grid->group_step;
        run(side->out + at * side->out_size, side->in + at * side->in_size, length,
            (float)scales->scales[number], (float)scales->zeros[number]);
        at += length;
        if (++d == grid->length) d = 0;
    }
}
