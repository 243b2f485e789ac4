/* Numbers as text and back, as ONNX's Cast spells them. The caller's locale has
 * no say in either. */
#ifndef WLK_INFER_NUMBER_TEXT_H
#define WLK_INFER_NUMBER_TEXT_H

#include "infer/numbers.h"

#define NUMBER_TEXT_BYTES 32 /* enough for any number_format, NUL included */

/* Writes the shortest decimal text that reads back as the same number: of an
 * integer, or of a float of the given dtype. Not-a-number and the infinities are NaN,
 * INF, -INF; whole numbers below 1e16 have no exponent. Returns the length. */
uint64_t number_format(wlk_dtype dtype, number value, char text[NUMBER_TEXT_BYTES]);

/* Reads [+-] digits [. digits] [e [+-] digits], or NaN, [+-]INF in any case, and
 * nothing else, of at most 400 bytes; false if it is not that. An integer in the
 * range of int64_t or uint64_t keeps its digits, everything else is a double
 * (read as a float where `dtype` is f32, to round once). */
bool number_parse(wlk_dtype dtype, const char *text, uint64_t length, number *value);

#endif
