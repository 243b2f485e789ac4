/* Elements of any dtype as units that can be moved without looking at them.
 *
 * Most dtypes are their own units. A string is a text_span, so that strings of any
 * length move like numbers; a four-bit element is a byte. Both take working memory:
 * the shape rule asks for it (units_need), and the kernel takes it in the same order.
 *
 *     units u = units_begin(call, dtype);
 *     const char *from = units_read(&u, in);
 *     char *to = units_write(&u, out);
 *     ... move units of u.size bytes ...
 *     units_end(&u, out, to); */
#ifndef WLK_INFER_UNITS_H
#define WLK_INFER_UNITS_H

#include "infer/op.h"

/* What operators that only move elements take, by the opset version that added to it. */
#define DTYPES_MOVED_1                                                                           \
    (DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BOOL) | DTYPE_BIT(WLK_STR) | \
     DTYPE_BIT(WLK_C64) | DTYPE_BIT(WLK_C128))
#define DTYPES_MOVED_FLOAT (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
#define DTYPES_MOVED_13 (DTYPES_MOVED_1 | DTYPE_BIT(WLK_BF16))
#define DTYPES_MOVED_19                                                      \
    (DTYPES_MOVED_13 | DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E5M2FNUZ))
#define DTYPES_MOVED_21 (DTYPES_MOVED_19 | DTYPE_BIT(WLK_I4) | DTYPE_BIT(WLK_U4))
#define DTYPES_MOVED_23 (DTYPES_MOVED_21 | DTYPE_BIT(WLK_F4E2M1))
#define DTYPES_MOVED_24 (DTYPES_MOVED_23 | DTYPE_BIT(WLK_F8E8M0))

/* Large enough for a unit of any dtype. */
#define UNIT_BYTES 16

/* Bytes of one unit: 1, 2, 4, 8 or 16. */
uint64_t unit_size(wlk_dtype dtype);

/* For the shape rule: working memory for input i; for output i, whose shape is set.
 * Nothing while planning, and nothing for dtypes that are their own units. */
wlk_status units_need_input(op_call *call, uint32_t i);
wlk_status units_need_output(op_call *call, uint32_t i);

/* For the shape rule: output `to`, whose shape is set, holds each string of input
 * `from` at most `times` times. Nothing but for str. */
void units_set_text(const op_call *call, uint32_t to, uint32_t from, uint64_t times);

typedef struct units {
    uint64_t size;
    wlk_dtype dtype;
    char *room; /* of the call's scratch, not taken yet */
} units;

units units_begin(const op_call *call, wlk_dtype dtype);

/* So many bytes of scratch, for which op_need_scratch was called. */
void *units_take(units *u, uint64_t count, uint64_t size);

/* The input's units. */
const char *units_read(units *u, const op_tensor *in);

/* Where the output's units go, and from there into the output. Every unit must have
 * been written by then; one of all zeros is an empty string. */
char *units_write(units *u, op_tensor *out);
void units_end(const units *u, op_tensor *out, const char *written);

/* unit = the value in that dtype, as Cast gives it; all zeros where it is no number. */
void unit_from_number(wlk_dtype dtype, double value, char unit[UNIT_BYTES]);

/* to[0..count) = unit. */
void units_fill(char *to, uint64_t count, const char *unit, uint64_t size);

#endif
