/* What operators share that work element by element: of one input, of two that are
 * broadcast, of many. An operator gives one loop for each dtype; here they are handed
 * their elements, divided among threads.
 *
 * Broadcasting is numpy's from opset 7 on. Before, the attributes `broadcast` and
 * `axis` say where on the first input the second one lies. */
#ifndef WLK_INFER_ELEMENTWISE_H
#define WLK_INFER_ELEMENTWISE_H

#include "infer/broadcast.h"
#include "infer/op.h"
#include "infer/simd.h"

#define ELEMENT_PIECE 16384 /* elements that are worth a thread's while */

/* ---- one input */

#define UNARY_PARAMETERS 2

/* out[i] = f(in[i]). The parameters are the row's first attributes, where those are
 * floats. */
typedef void (*unary_run)(void *out, const void *in, uint64_t count, const double *parameters);

/* `expression` computes one element from x. */
#define UNARY_TO(function, out_type, type, expression)                                     \
    static void function(void *out, const void *in, uint64_t count, const double *given) { \
        UNARY_LOOP(out_type, type, expression)                                             \
    }
/* The same with a and b, the parameters in the type of the loop. */
#define UNARY_LOOP(out_type, type, expression) \
    out_type *restrict result = out;           \
    const type *from = in;                     \
    const type a = (type)given[0];             \
    const type b = (type)given[1];             \
    (void)a;                                   \
    (void)b;                                   \
    for (uint64_t i = 0; i < count; i++) {     \
        const type x = from[i];                \
        result[i] = (out_type)(expression);    \
    }
#define UNARY(function, type, expression) UNARY_TO(function, type, type, expression)

/* For loops that compute much: the processor's 256-bit vectors are used if it has them.
 * The results are the same bits, for nothing is fused. */
#ifdef SIMD_X86
#define UNARY_WIDE(function, type, expression)                                             \
    __attribute__((target("avx2"))) static void function##_wide(                           \
        void *out, const void *in, uint64_t count, const double *given) {                  \
        UNARY_LOOP(type, type, expression)                                                 \
    }                                                                                      \
    static void function(void *out, const void *in, uint64_t count, const double *given) { \
        if (simd_best() != SIMD_BASE) {                                                    \
            function##_wide(out, in, count, given);                                        \
            return;                                                                        \
        }                                                                                  \
        UNARY_LOOP(type, type, expression)                                                 \
    }
#else
#define UNARY_WIDE(function, type, expression) UNARY(function, type, expression)
#endif

/* Output 0 from input 0 by the loop of input 0's dtype. A dtype without one goes
 * through that of f64; what an integer then cannot hold is truncated, saturated, 0 for
 * NaN. */
wlk_status unary_apply(const op_call *call, const unary_run runs[WLK_DTYPE_COUNT]);

/* op_infer_same, for what costs much more for each element than to read it. */
wlk_status unary_infer_costly(op_call *call);
/* The same shape, of bool. */
wlk_status unary_infer_bool(op_call *call);

#define COSTLY_ELEMENT (32 * OP_ELEMENT_COST) /* about 20 ns: exp or pow of the C library */

/* ---- two inputs */

/* Elements of one run; a step is 1, or 0 where the operand is stretched. */
typedef struct binary_span {
    uint64_t count;
    uint64_t step[2];
} binary_span;

/* out[i] = f(a[i * step[0]], b[i * step[1]]). False: an integer was divided by zero. */
typedef bool (*binary_run)(void *out, const void *a, const void *b, const binary_span *span);

/* `expression` computes one element from x and y. Both steps are 0 only where there is
 * one element. */
#define BINARY_TO(function, out_type, type, expression)                                      \
    static bool function(void *out, const void *a, const void *b, const binary_span *span) { \
        out_type *result = out;                                                              \
        const type *left = a;                                                                \
        const type *right = b;                                                               \
        const uint64_t count = span->count; /* what is written could be the span's */        \
        if (span->step[0] && span->step[1]) {                                                \
            for (uint64_t i = 0; i < count; i++) {                                           \
                const type x = left[i];                                                      \
                const type y = right[i];                                                     \
                result[i] = (out_type)(expression);                                          \
            }                                                                                \
        } else if (span->step[0]) {                                                          \
            const type y = right[0];                                                         \
            for (uint64_t i = 0; i < count; i++) {                                           \
                const type x = left[i];                                                      \
                result[i] = (out_type)(expression);                                          \
            }                                                                                \
        } else {                                                                             \
            const type x = left[0];                                                          \
            for (uint64_t i = 0; i < count; i++) {                                           \
                const type y = right[i];                                                     \
                result[i] = (out_type)(expression);                                          \
            }                                                                                \
        }                                                                                    \
        return true;                                                                         \
    }
#define BINARY(function, type, expression) BINARY_TO(function, type, type, expression)

/* How the second operand fits the first. */
typedef enum binary_fit {
    FIT_BROADCAST = 0,  /* numpy's */
    FIT_ONTO = 1,       /* the second is stretched to the first's shape */
    FIT_ATTRIBUTES = 2, /* before opset 7: as legacy_attributes say */
    FIT_CHANNELS = 3    /* onto; a vector lies along axis 1 */
} binary_fit;

/* The fit of most operators: numpy's, or before opset 7 by attributes. */
binary_fit binary_fit_of(const op_call *call);

/* The shape of output 0 from those of inputs 0 and 1. */
wlk_status binary_infer(op_call *call, binary_fit fit, wlk_dtype out);
/* Of input 0's dtype, and of bool, with binary_fit_of. */
wlk_status binary_infer_same(op_call *call);
wlk_status binary_infer_bool(op_call *call);

/* Behind binary_infer: so many operations for each element of output 0 besides. */
void binary_add_cost(op_call *call, uint64_t cost);

/* Output 0 from inputs 0 and 1 by the loop of input 0's dtype; run.divide if it fails. */
wlk_status binary_apply(const op_call *call, binary_fit fit,
                        const binary_run runs[WLK_DTYPE_COUNT]);

/* The walk over inputs 0 and 1, which lie as `fit` says and are known to fit. */
broadcast_walk binary_walk(const op_call *call, binary_fit fit);

/* Output `out` = f(a, b) over a walk; false if a loop fails. */
bool binary_over(const op_call *call, const broadcast_walk *walk, const op_tensor *out,
                 const op_tensor *a, const op_tensor *b, binary_run run);

/* ---- what operators of opset 1 to 6 have besides */

enum { LEGACY_AXIS, LEGACY_BROADCAST, LEGACY_CONSUMED, LEGACY_ATTRIBUTES };
extern const attribute_row legacy_attributes[LEGACY_ATTRIBUTES];
/* An optimiser's note about memory, without meaning: alone, for opset 1. */
extern const attribute_row consumed_inputs[1];

#define DTYPES_F16 DTYPE_BIT(WLK_F16)
#define DTYPES_FLOAT_16 (DTYPES_FLOAT | DTYPES_F16)    /* before bfloat16 */
#define DTYPES_FLOAT_HALF (DTYPES_FLOAT | DTYPES_HALF) /* with OP_HALF */
#define DTYPES_SIGNED \
    (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_I16) | DTYPE_BIT(WLK_I8))
#define DTYPES_UNSIGNED \
    (DTYPE_BIT(WLK_U64) | DTYPE_BIT(WLK_U32) | DTYPE_BIT(WLK_U16) | DTYPE_BIT(WLK_U8))

/* Loops OP_f64 ... OP_u8 as a table. */
#define FLOAT_RUNS(op) [WLK_F64] = op##_f64, [WLK_F32] = op##_f32
#define SIGNED_RUNS(op) \
    [WLK_I64] = op##_i64, [WLK_I32] = op##_i32, [WLK_I16] = op##_i16, [WLK_I8] = op##_i8
#define UNSIGNED_RUNS(op) \
    [WLK_U64] = op##_u64, [WLK_U32] = op##_u32, [WLK_U16] = op##_u16, [WLK_U8] = op##_u8
#define NUMBER_RUNS(op) FLOAT_RUNS(op), SIGNED_RUNS(op), UNSIGNED_RUNS(op)

#endif
