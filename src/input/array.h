/* An array that owns its memory: what .npy files, CSV columns and JSON lists
 * become, in the form in which tensors are run and written. */
#ifndef WLK_INPUT_ARRAY_H
#define WLK_INPUT_ARRAY_H

#include <weighlock/model.h>

#include "base/error.h"

/* `tensor.data` points into `owned`, is 64-byte aligned and never NULL. The
 * tensor has no name until somebody sets one. */
typedef struct input_array {
    wlk_tensor tensor;
    uint8_t *owned;
} input_array;

void input_array_free(input_array *array);

/* An array of zeros. For str, `text_bytes` of text follow the offsets; for other
 * dtypes it is 0. More than `limit` bytes is input.size, a shape that overflows
 * is input.shape. array is empty after a failure. */
wlk_status input_array_new(wlk_dtype dtype, uint32_t rank, const uint64_t *shape,
                           uint64_t text_bytes, uint64_t limit, input_array *array,
                           wlk_error *error);

/* Sets string `index` of a str array; called once for each index, in order. The
 * text of all strings must fit into the text_bytes given before. */
void input_array_put_string(input_array *array, uint64_t index, const void *text, uint64_t length);

/* String i of a str tensor: not terminated, `*length` bytes. */
const char *input_array_string(const wlk_tensor *tensor, uint64_t index, uint64_t *length);

#endif
