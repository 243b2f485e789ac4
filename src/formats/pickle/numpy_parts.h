/* What the files that read numpy's and joblib's values have in common. */
#ifndef WLK_FORMATS_PICKLE_NUMPY_PARTS_H
#define WLK_FORMATS_PICKLE_NUMPY_PARTS_H

#include "formats/pickle/machine.h"
#include "formats/pickle/numpy.h"

/* Is it one of numpy's classes of arrays, by the name that it is pickled under? numpy.memmap
 * holds the same as numpy.ndarray, and so does numpy.matrix. */
bool numpy_is_array_class(const py_value *value);

/* A BOOL, or an INT that is 0 or 1. */
bool numpy_flag(const py_value *value, bool *flag);
bool numpy_is_integer(const py_value *value, int64_t low, int64_t high);

/* A dtype that BUILD has completed; refused else. */
wlk_status numpy_dtype_of(const py_value *value, uint64_t offset, const py_dtype **dtype,
                          wlk_error *error);
/* ... of elements that lie in bytes: not of objects. */
wlk_status numpy_plain_dtype(const py_value *value, uint64_t offset, const py_dtype **dtype,
                             wlk_error *error);

/* A TUPLE of sizes as the array's shape; also its count, in which no loop may believe before
 * the elements are there. */
wlk_status numpy_shape(const py_value *value, uint64_t offset, py_array *array, wlk_error *error);

/* Bytes of a BYTES or BYTEARRAY where they lie, or of a STR of Latin-1 characters, decoded:
 * what one array or scalar is made of. */
wlk_status numpy_bytes(pickle *p, const py_value *value, py_text *bytes, wlk_error *error);

/* Takes bytes that lie at `offset` for the array's elements: exactly as many as its shape and
 * dtype need, and truth values only 0 and 1. */
wlk_status numpy_elements(py_array *array, const uint8_t *data, uint64_t length, uint64_t offset,
                          wlk_error *error);

/* A copy in the arena, as a value of what lies at `offset`. */
wlk_status numpy_new_array(pickle *p, const py_array *array, uint64_t offset, py_value **value,
                           wlk_error *error);

/* The array as runs of elements, which come in row-major order: all of it, or one after the
 * other the rows of an array in Fortran order. There are count / length runs. */
typedef struct numpy_walk {
    const py_array *array;
    uint64_t step;   /* elements from one of a run to the next */
    uint64_t length; /* of a run */
    uint64_t place;  /* of the run's first element */
    uint64_t index[PY_MAX_RANK];
    uint64_t stride[PY_MAX_RANK];
} numpy_walk;
numpy_walk numpy_walk_start(const py_array *array);
void numpy_walk_next(numpy_walk *walk);

/* A half-precision number's value. */
double numpy_half(uint16_t bits);

#endif
