#include <string.h>

#include "base/bytes.h"
#include "formats/pickle/numpy_parts.h"

/* ---- one element of each type, at any address */

double numpy_half(uint16_t bits) {
    const uint64_t sign = (uint64_t)(bits >> 15) << 63;
    const uint64_t exponent = bits >> 10 & 0x1f;
    const uint64_t fraction = bits & 0x3ff;
    const double tiny = 1.0 / 16777216; /* 2^-24, of what has no leading one */
    if (exponent == 0) return (sign ? -tiny : tiny) * (double)fraction;
    const uint64_t widened = exponent == 0x1f ? 0x7ff : exponent + 1023 - 15;
    return f64_from_bits(sign | widened << 52 | fraction << 42);
}

#define LOAD(name, type)                             \
    static inline type load_##name(const void *at) { \
        type value;                                  \
        memcpy(&value, at, sizeof value);            \
        return value;                                \
    }
/* In the other byte order: `bits` is an unsigned type of the same size. */
#define LOAD_SWAPPED(name, type, bits, swap)               \
    static inline type load_##name##_big(const void *at) { \
        bits raw;                                          \
        type value;                                        \
        memcpy(&raw, at, sizeof raw);                      \
        raw = swap(raw);                                   \
        memcpy(&value, &raw, sizeof value);                \
        return value;                                      \
    }
LOAD(b1, uint8_t)
LOAD(u1, uint8_t)
LOAD(i1, int8_t)
LOAD(u2, uint16_t)
LOAD(i2, int16_t)
LOAD(u4, uint32_t)
LOAD(i4, int32_t)
LOAD(u8, uint64_t)
LOAD(i8, int64_t)
LOAD(f4, float)
LOAD(f8, double)
LOAD_SWAPPED(u2, uint16_t, uint16_t, __builtin_bswap16)
LOAD_SWAPPED(i2, int16_t, uint16_t, __builtin_bswap16)
LOAD_SWAPPED(u4, uint32_t, uint32_t, __builtin_bswap32)
LOAD_SWAPPED(i4, int32_t, uint32_t, __builtin_bswap32)
LOAD_SWAPPED(u8, uint64_t, uint64_t, __builtin_bswap64)
LOAD_SWAPPED(i8, int64_t, uint64_t, __builtin_bswap64)
LOAD_SWAPPED(f4, float, uint32_t, __builtin_bswap32)
LOAD_SWAPPED(f8, double, uint64_t, __builtin_bswap64)
static inline double load_f2(const void *at) {
    return numpy_half(load_u2(at));
}
static inline double load_f2_big(const void *at) {
    return numpy_half(load_u2_big(at));
}

/* ---- a run of elements, `step` bytes from one to the next: a loop for each type */

typedef void (*reals_run)(const uint8_t *from, uint64_t step, uint64_t count, double *out);
/* How many of them are whole numbers of 64 bits, until one is not. */
typedef uint64_t (*ints_run)(const uint8_t *from, uint64_t step, uint64_t count, int64_t *out);

#define REALS(name)                                                                             \
    static void reals_##name(const uint8_t *from, uint64_t step, uint64_t count, double *out) { \
        for (uint64_t i = 0; i < count; i++) out[i] = (double)load_##name(from + i * step);     \
    }
#define INTS(name)                                                                           \
    static uint64_t ints_##name(const uint8_t *from, uint64_t step, uint64_t count,          \
                                int64_t *out) {                                              \
        for (uint64_t i = 0; i < count; i++) out[i] = (int64_t)load_##name(from + i * step); \
        return count;                                                                        \
    }
/* Those of 64 bits without a sign, and reals: element by element. */
#define INTS_CHECKED(name, whole)                                                   \
    static uint64_t ints_##name(const uint8_t *from, uint64_t step, uint64_t count, \
                                int64_t *out) {                                     \
        for (uint64_t i = 0; i < count; i++) {                                      \
            if (!whole(load_##name(from + i * step), &out[i])) return i;            \
        }                                                                           \
        return count;                                                               \
    }

static bool whole_unsigned(uint64_t value, int64_t *out) {
    *out = (int64_t)(value & INT64_MAX);
    return value <= INT64_MAX;
}

static bool whole_real(double value, int64_t *out) {
    const double limit = 9223372036854775808.0; /* 2^63 */
    if (!(value >= -limit && value < limit)) return false;
    *out = (int64_t)value;
    return (double)*out == value;
}

REALS(b1)
REALS(u1)
REALS(i1)
REALS(f2)
REALS(f2_big)
REALS(u2)
REALS(i2)
REALS(u4)
REALS(i4)
REALS(u8)
REALS(i8)
REALS(f4)
REALS(f8)
REALS(u2_big)
REALS(i2_big)
REALS(u4_big)
REALS(i4_big)
REALS(u8_big)
REALS(i8_big)
REALS(f4_big)
REALS(f8_big)
INTS(b1)
INTS(u1)
INTS(i1)
INTS(u2)
INTS(i2)
INTS(u4)
INTS(i4)
INTS(i8)
INTS(u2_big)
INTS(i2_big)
INTS(u4_big)
INTS(i4_big)
INTS(i8_big)
INTS_CHECKED(u8, whole_unsigned)
INTS_CHECKED(u8_big, whole_unsigned)
INTS_CHECKED(f2, whole_real)
INTS_CHECKED(f2_big, whole_real)
INTS_CHECKED(f4, whole_real)
INTS_CHECKED(f4_big, whole_real)
INTS_CHECKED(f8, whole_real)
INTS_CHECKED(f8_big, whole_real)

typedef struct number_row {
    char kind;
    uint32_t itemsize;
    reals_run reals[2]; /* little-endian, big-endian */
    ints_run ints[2];
} number_row;

#define ROW(kind, itemsize, name)                             \
    {                                                         \
        kind, itemsize, {reals_##name, reals_##name##_big}, { \
            ints_##name, ints_##name##_big                    \
        }                                                     \
    }
#define ROW_OF_BYTES(kind, name)                 \
    {                                            \
        kind, 1, {reals_##name, reals_##name}, { \
            ints_##name, ints_##name             \
        }                                        \
    }

static const number_row numbers[] = {
    ROW('f', 8, f8), ROW('f', 4, f4),       ROW('f', 2, f2),       ROW('i', 8, i8),
    ROW('i', 4, i4), ROW('i', 2, i2),       ROW('u', 8, u8),       ROW('u', 4, u4),
    ROW('u', 2, u2), ROW_OF_BYTES('i', i1), ROW_OF_BYTES('u', u1), ROW_OF_BYTES('b', b1),
};

static const number_row *row_of(const py_dtype *dtype) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].kind == dtype->kind && numbers[i].itemsize == dtype->itemsize) {
            return &numbers[i];
        }
    }
    return NULL;
}

/* ---- the array as runs */

numpy_walk numpy_walk_start(const py_array *array) {
    numpy_walk walk = {.array = array, .step = 1, .length = array->count};
    if (!array->fortran) return walk;
    uint64_t stride = 1;
    for (uint32_t axis = 0; axis < array->rank; axis++) {
        walk.stride[axis] = stride;
        stride *= array->shape[axis]; /* the count, which fits: no dimension is 0 */
    }
    walk.length = array->shape[array->rank - 1];
    walk.step = walk.stride[array->rank - 1];
    return walk;
}

/* The odometer of all axes but the last. */
void numpy_walk_next(numpy_walk *walk) {
    if (!walk->array->fortran) return;
    for (uint32_t axis = walk->array->rank - 1; axis-- > 0;) {
        walk->place += walk->stride[axis];
        if (++walk->index[axis] < walk->array->shape[axis]) return;
        walk->place -= walk->stride[axis] * walk->array->shape[axis];
        walk->index[axis] = 0;
    }
}

uint64_t py_array_place(const py_array *array, uint64_t i) {
    uint64_t place = 0, stride = array->count, rest = i;
    if (!array->fortran) return i;
    for (uint32_t axis = array->rank; axis-- > 0;) {
        stride /= array->shape[axis];
        place += rest % array->shape[axis] * stride;
        rest /= array->shape[axis];
    }
    return place;
}

/* ---- objects */

static bool object_real(const py_value *value, double *real) {
    if (value->kind == PY_NONE) {
        *real = f64_from_bits(UINT64_C(0x7ff8) << 48);
    } else if (value->kind == PY_BOOL) {
        *real = value->boolean;
    } else if (value->kind == PY_INT) {
        *real = (double)value->integer;
    } else if (value->kind == PY_FLOAT) {
        *real = value->real;
    } else {
        return false;
    }
    return true;
}

static bool object_int(const py_value *value, int64_t *integer) {
    *integer = value->kind == PY_BOOL ? value->boolean : value->integer;
    if (value->kind == PY_FLOAT) return whole_real(value->real, integer);
    return value->kind == PY_BOOL || value->kind == PY_INT;
}

static bool objects_as_reals(const py_array *array, double *out, uint64_t *bad) {
    for (*bad = 0; *bad < array->count; ++*bad) {
        if (!object_real(array->objects[*bad], &out[*bad])) return false;
    }
    return true;
}

static bool objects_as_ints(const py_array *array, int64_t *out, uint64_t *bad) {
    for (*bad = 0; *bad < array->count; ++*bad) {
        if (!object_int(array->objects[*bad], &out[*bad])) return false;
    }
    return true;
}

/* ---- all elements */

bool py_array_reals(const py_array *array, double *out, uint64_t *bad) {
    const number_row *row = row_of(array->dtype);
    if (array->dtype->kind == 'O') return objects_as_reals(array, out, bad);
    *bad = 0;
    if (!row) return false;
    const reals_run convert = row->reals[array->dtype->big];
    numpy_walk walk = numpy_walk_start(array);
    for (uint64_t done = 0; done < array->count; done += walk.length) {
        convert(array->data + walk.place * row->itemsize, walk.step * row->itemsize, walk.length,
                out + done);
        numpy_walk_next(&walk);
    }
    return true;
}

bool py_array_ints(const py_array *array, int64_t *out, uint64_t *bad) {
    const number_row *row = row_of(array->dtype);
    if (array->dtype->kind == 'O') return objects_as_ints(array, out, bad);
    *bad = 0;
    if (!row) return false;
    const ints_run convert = row->ints[array->dtype->big];
    numpy_walk walk = numpy_walk_start(array);
    for (; *bad < array->count; *bad += walk.length) {
        const uint64_t whole = convert(array->data + walk.place * row->itemsize,
                                       walk.step * row->itemsize, walk.length, out + *bad);
        if (whole < walk.length) {
            *bad += whole;
            return false;
        }
        numpy_walk_next(&walk);
    }
    return true;
}

double py_array_real(const py_array *array, uint64_t i) {
    const uint64_t place = py_array_place(array, i);
    const number_row *row = row_of(array->dtype);
    double real = f64_from_bits(UINT64_C(0x7ff8) << 48);
    if (array->dtype->kind == 'O') {
        (void)object_real(array->objects[place], &real);
    } else if (row) {
        row->reals[array->dtype->big](array->data + place * row->itemsize, 0, 1, &real);
    }
    return real;
}
