/* The pickle machine: reads a stream of opcodes into inert values.
 *
 * It is the abstract machine of Python's pickle module with all its 68 opcodes, but for two
 * things: a global is a row of the allowlist or a refusal, and what REDUCE, NEWOBJ, OBJ, INST
 * and BUILD do is what that row says, never a call. An opcode that changes a value only
 * changes one of the kind that it is for. */
#ifndef WLK_FORMATS_PICKLE_MACHINE_H
#define WLK_FORMATS_PICKLE_MACHINE_H

#include <weighlock/limits.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "formats/pickle/value.h"

/* What reads one file: shared by the streams that follow each other in it, and those nested
 * in object arrays. */
typedef struct pickle {
    const wlk_limits *limits;
    py_allowlist allowed; /* rows that the operator adds */
    arena memory;
    cursor stream;     /* its offsets are those of the decompressed bytes */
    uint64_t opcodes;  /* so far, against limits->pickle_opcodes */
    uint64_t objects;  /* so far, against limits->pickle_objects */
    uint64_t encoded;  /* bytes that texts have become so far */
    uint64_t elements; /* bytes that arrays and scalars were given by opcodes; the same */
    uint32_t named;    /* classes and functions that have been named so far */
    uint32_t depth;    /* of nested streams, against limits->pickle_depth */
    bool wraps_arrays; /* an array wrapper was seen: it is a joblib file */
    uint32_t protocol; /* the highest that a stream has said */
    /* Ranges of raw array elements between opcodes: pairs of offset and length, ascending;
     * in `memory`. */
    uint64_t *raw;
    uint32_t raw_count;
    uint32_t raw_room;
} pickle;

void pickle_close(pickle *p);

/* Reads one stream from p->stream, up to and with STOP. */
wlk_status pickle_read(pickle *p, py_value **value, wlk_error *error);

/* A new value of that kind made by what lies at `offset`; counts it. */
wlk_status py_new(pickle *p, py_kind kind, uint64_t offset, py_value **value, wlk_error *error);
/* Appends to a list, a tuple, a set, or (two at a time) a dict. */
wlk_status py_append(pickle *p, py_items *items, py_value *value, wlk_error *error);

/* ---- what rows of the allowlist do (construct.c, numpy_*.c, joblib_*.c) */

/* Makes a value of a callable's arguments, a TUPLE. */
typedef wlk_status (*py_construct)(pickle *p, const py_global *callable, const py_value *arguments,
                                   uint64_t offset, py_value **made, wlk_error *error);
wlk_status py_make_dtype(pickle *p, const py_global *callable, const py_value *arguments,
                         uint64_t offset, py_value **made, wlk_error *error);
wlk_status py_make_array(pickle *p, const py_global *callable, const py_value *arguments,
                         uint64_t offset, py_value **made, wlk_error *error);
wlk_status py_make_buffer_array(pickle *p, const py_global *callable, const py_value *arguments,
                                uint64_t offset, py_value **made, wlk_error *error);
wlk_status py_make_scalar(pickle *p, const py_global *callable, const py_value *arguments,
                          uint64_t offset, py_value **made, wlk_error *error);
wlk_status py_make_masked_array(pickle *p, const py_global *callable, const py_value *arguments,
                                uint64_t offset, py_value **made, wlk_error *error);

/* BUILD on a DTYPE or an ARRAY that has just been made: fills it in place. */
wlk_status py_build_dtype(pickle *p, py_value *dtype, const py_value *state, wlk_error *error);
wlk_status py_build_array(pickle *p, py_value *array, const py_value *state, wlk_error *error);

/* BUILD on a joblib array wrapper, an OBJECT whose class makes ARRAY_WRAPPER and whose state
 * is set: reads the array that follows in p->stream. *array takes the wrapper's place on the
 * stack. */
wlk_status joblib_read_array(pickle *p, const py_value *wrapper, py_value **array,
                             wlk_error *error);

#endif
