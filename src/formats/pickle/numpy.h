/* numpy's arrays and dtypes, as pickles, joblib files and .npy files hold them. */
#ifndef WLK_FORMATS_PICKLE_NUMPY_H
#define WLK_FORMATS_PICKLE_NUMPY_H

#include <weighlock/model.h>

#include "base/arena.h"
#include "base/error.h"
#include "formats/pickle/value.h"
#include "image/builder.h"

typedef struct py_field {
    py_text name;
    const py_dtype *dtype;
    uint64_t offset; /* in the element */
} py_field;

/* numpy's kinds of elements, as the letters of its dtype strings. */
struct py_dtype {
    char kind;              /* b i u f c S U O V, M m (times); i of 8 bytes is "i8" */
    bool big;               /* big-endian; false where that does not matter */
    uint32_t itemsize;      /* bytes of one element; of U four a character */
    const py_field *fields; /* of V with names */
    uint32_t field_count;
    bool built; /* BUILD has said all of it: only then it can be an array's */
};

#define PY_MAX_RANK 32 /* numpy's; more than 8 is refused where a tensor is made of it */

/* An array. Elements lie in `data`, or are the values of `objects` where dtype->kind is O. */
struct py_array {
    const py_dtype *dtype;
    uint32_t rank;
    uint64_t shape[PY_MAX_RANK];
    uint64_t count; /* the product */
    bool fortran;   /* the first dimension runs fastest; false where both orders are one */
    const uint8_t *data;
    uint64_t nbytes;          /* count * itemsize */
    py_value *const *objects; /* row-major, whatever the order of other elements would be */
    const uint8_t *mask; /* of a masked array: count bytes, in the order of `data`; 1: masked */
    bool built;
    bool masked; /* it is a masked array, which is built with a mask */
};

/* The dtype of a tensor of such elements; WLK_DTYPE_NONE if there is none. S, U and O
 * are WLK_STR: whether O holds texts is found when it is read. */
wlk_dtype py_dtype_of(const py_dtype *dtype);

/* Where element i (row-major) of the array lies: its number in `data` or `objects`. */
uint64_t py_array_place(const py_array *array, uint64_t i);

/* All elements in row-major order, in this machine's byte order, converted: of kinds b, i, u,
 * f, and of O where every object is a number (None is NaN). out has room for count elements.
 * False if the kind is another, or if a value does not fit (ints: not a whole number or
 * beyond 64 bits); *bad is then the number of the element. */
bool py_array_reals(const py_array *array, double *out, uint64_t *bad);
bool py_array_ints(const py_array *array, int64_t *out, uint64_t *bad);

/* Element i (row-major) as a number; NaN where it is none. Slow: for single ones. */
double py_array_real(const py_array *array, uint64_t i);

/* Element i (row-major) as text, of kinds S, U, and O where it is a STR; decoded into the
 * arena if need be. *text is NULL where it is a missing value (None, or a float NaN).
 * WLK_REFUSED rule numpy.text where it is neither. */
wlk_status py_array_text(const py_array *array, uint64_t i, arena *memory, py_text *text,
                         wlk_error *error);

/* Is it a masked array of which an element is masked? */
bool py_array_hides(const py_array *array);

/* Can it be a tensor? False of objects that are not all texts, or all numbers. */
bool py_array_is_uniform(const py_array *array);

/* The array as a tensor of the image. Elements that lie in artifact[0..size) as the tensor's
 * payload would go from there; others are converted, of objects what they all are: texts,
 * whole numbers, numbers, truth values. offset: of what made the array. WLK_UNSUPPORTED rule
 * numpy.dtype-unsupported for structures, times and mixed objects. */
wlk_status py_array_tensor(const py_array *array, image_builder *builder, const char *name,
                           const uint8_t *artifact, uint64_t size, uint64_t offset,
                           uint32_t *tensor, wlk_error *error);

/* A field of a structured dtype by its name; NULL if there is none. */
const py_field *py_dtype_field(const py_dtype *dtype, const char *name);

#endif
