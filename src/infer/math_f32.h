/* Exponential, hyperbolic tangent, logistic and error function in single precision, in
 * straight lines: loops over them are vectorised, where the C library's are calls. Right
 * to 2 units in the last place (3 for erf), subnormal results and infinities as they
 * should be; NaN stays NaN. Rounding must be to nearest, as it is by default. */
#ifndef WLK_INFER_MATH_F32_H
#define WLK_INFER_MATH_F32_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float f32_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* x = n ln 2 + r with |r| <= ln 2 / 2, for |x| <= 104: ln 2 is taken in two parts, the
 * first with so few bits that n times it is exact. */
typedef struct exp_parts {
    float fraction; /* e^r - 1 */
    float half;     /* 2^(n / 2) and 2^(n - n / 2): n itself may be beyond the exponents */
    float rest;
} exp_parts;

static inline exp_parts exp_split(float x) {
    const float magic = 12582912.0F; /* 1.5 * 2^23: its last bit is worth 1 */
    const float shifted = x * 1.44269504F + magic;
    const float n = shifted - magic;
    const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
    /* e^r - 1 - r by its Taylor series: the next term is below 2^-27 of it. */
    float p = 1.0F / 5040;
    p = p * r + 1.0F / 720;
    p = p * r + 1.0F / 120;
    p = p * r + 1.0F / 24;
    p = p * r + 1.0F / 6;
    p = p * r + 0.5F;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    /* n, from the magic number's mantissa; 512 keeps it positive when it is halved. */
    const uint32_t number = bits - 0x4b400000u + 512u;
    const uint32_t lower = number / 2;
    const uint32_t upper = number - lower;
    return (exp_parts){.fraction = p * r * r + r,
                       .half = f32_from_bits((lower - 256u + 127u) << 23),
                       .rest = f32_from_bits((upper - 256u + 127u) << 23)};
}

/* `x` within low..high; NaN stays. */
static inline float f32_clamp(float x, float low, float high) {
    const float above = x < low ? low : x;
    return above > high ? high : above;
}

/* e^x */
static inline float f32_exp(float x) {
    const exp_parts e = exp_split(f32_clamp(x, -104.0F, 89.0F));
    return (1 + e.fraction) * e.half * e.rest;
}

/* e^x - 1, exact to the last places around 0 too. */
static inline float f32_expm1(float x) {
    const exp_parts e = exp_split(f32_clamp(x, -104.0F, 89.0F));
    const float scale = e.half * (e.rest * 0.5F); /* half: 2^128 is no float */
    return 2 * (e.fraction * scale + (scale - 0.5F));
}

/* 1 / (1 + e^-x) */
static inline float f32_logistic(float x) {
    const float e = f32_exp(-fabsf(x));
    const float above = x < 0 ? e : 1;
    return above / (1 + e);
}

/* (e^2a - 1) / (e^2a + 1), which is 1 from 9.02 on. */
static inline float f32_tanh(float x) {
    const float m = f32_expm1(2 * f32_clamp(fabsf(x), 0, 10.0F));
    return copysignf(m / (m + 2), x);
}

/* Up to 1 an odd polynomial; from there 1 - e^q(x), where an error of q counts only as
 * much as the little that is left to 1. Both are least-maximum fits (of degree 6), their
 * errors below 2e-9. From 3.95 on the result is 1. */
static inline float f32_erf(float x) {
    const float a = f32_clamp(fabsf(x), 0, 3.95F);
    const float z = a * a;
    float p = 7.88249672e-05F;
    p = p * z - 8.01885501e-04F;
    p = p * z + 5.18931216e-03F;
    p = p * z - 2.68543288e-02F;
    p = p * z + 1.12835974e-01F;
    p = p * z - 3.76126260e-01F;
    p = p * z + 1.28379166e-01F;
    float q = 1.85574856e-04F;
    q = q * a - 2.93961540e-03F;
    q = q * a + 2.18053497e-02F;
    q = q * a - 1.03037432e-01F;
    q = q * a - 6.38225615e-01F;
    q = q * a - 1.12704003e+00F;
    q = q * a - 3.53709300e-04F;
    const float near = a * p + a;
    const float far = 1 - f32_exp(q);
    return copysignf(a < 1 ? near : far, x);
}

#endif
