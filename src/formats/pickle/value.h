/* What a pickle holds, as inert values: numbers, texts, containers, arrays, and objects that
 * are a class's name and a state, and nothing else.
 *
 * Values live in the arena of the pickle that they were read from; texts and array elements
 * may lie in the stream. They may be shared and form cycles (through a list, a dict or an
 * object's state): whoever walks them counts how deep. */
#ifndef WLK_FORMATS_PICKLE_VALUE_H
#define WLK_FORMATS_PICKLE_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/pickle/allow.h"

typedef enum py_kind {
    PY_NONE = 0,
    PY_BOOL,
    PY_INT,   /* of 64 bits */
    PY_LONG,  /* an integer beyond them: bytes, two's complement, little-endian */
    PY_FLOAT, /* also numpy's scalars of 16 and 32 bits */
    PY_COMPLEX,
    PY_STR,   /* UTF-8, perhaps with surrogates and NULs; also a text of Python 2 that is ASCII */
    PY_BYTES, /* also a text of Python 2 that is not ASCII */
    PY_BYTEARRAY,
    PY_LIST,
    PY_TUPLE,
    PY_DICT, /* items: key, value, key, value ... in the order they were set */
    PY_SET,
    PY_FROZENSET,
    PY_GLOBAL, /* a class or function by name: never called, only compared */
    PY_OBJECT, /* an instance of a class of the allowlist */
    PY_DTYPE,  /* numpy.dtype */
    PY_ARRAY,  /* numpy.ndarray, also numpy.matrix, and the data of a masked array */
    PY_OPAQUE, /* an object of a class that the allowlist drops: nothing is known of it */
    PY_KIND_COUNT
} py_kind;

typedef struct py_value py_value;
typedef struct py_dtype py_dtype; /* formats/pickle/numpy.h */
typedef struct py_array py_array;

typedef struct py_items {
    py_value **list;
    uint32_t count; /* of a dict: twice its entries */
    uint32_t room;
} py_items;

typedef struct py_text {
    const uint8_t *data; /* not terminated */
    uint64_t length;
} py_text;

typedef struct py_object {
    const py_global *class;
    py_value *arguments; /* the tuple that it was made with; NULL: none */
    py_value *state;     /* what BUILD gave it, a dict in most cases; NULL: nothing */
    py_items items;      /* of classes that are containers too: as of a list or a dict */
    bool keyed;          /* items are those of a dict */
} py_object;

struct py_value {
    py_kind kind;
    uint64_t offset; /* in the stream, of the opcode that made it */
    union {
        bool boolean;
        int64_t integer;
        double real;
        double complex[2];
        py_text text;   /* LONG, STR, BYTES, BYTEARRAY */
        py_items items; /* LIST, TUPLE, DICT, SET, FROZENSET */
        const py_global *global;
        py_object *object;
        const py_dtype *dtype;
        const py_array *array;
    };
};

/* "int", "str", "numpy.ndarray", "Pipeline" ...: for messages; never NULL. */
const char *py_kind_name(py_kind kind);

/* Is it a STR of exactly this text? NULL is not. */
bool py_is_text(const py_value *value, const char *text);

/* The value of a dict's entry, or of an object's state, by its key: the latest one, as in
 * Python; NULL if there is none, or if it is neither a dict nor an object with a dict. */
py_value *py_get(const py_value *value, const char *key);

/* Is it an object of the class of that name (the last part of its qualified name)? */
bool py_is_object(const py_value *value, const char *class_name);

#endif
