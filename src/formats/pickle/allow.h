/* The allowlist: which globals a pickle may name, and what becomes of them (policy/
 * pickle.allow). A global is exactly a module and a name; nothing is ever looked up in a
 * module, and no prefix matches. What is not in the list is refused. */
#ifndef WLK_FORMATS_PICKLE_ALLOW_H
#define WLK_FORMATS_PICKLE_ALLOW_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* What a row stands for. The words of policy/pickle.allow in lower case. */
typedef enum py_constructor {
    /* An instance is a record: its arguments and its state are kept as they are. */
    PY_MAKES_RECORD = 0,
    /* The same of a class that is a list or a dict too; also what an operator calls a record. */
    PY_MAKES_CONTAINER,
    /* Nothing is known of an instance, whatever was done to it. */
    PY_MAKES_OPAQUE,
    /* The same, made without arguments: of those, Python would make files or call them. */
    PY_MAKES_BARE,
    /* It is named, and compared, but never called: numpy.float64 as a dtype, f_classif. */
    PY_MAKES_NOTHING,
    PY_MAKES_LIST,
    PY_MAKES_DICT, /* dict, collections.OrderedDict, defaultdict */
    PY_MAKES_SET,
    PY_MAKES_FROZENSET,
    PY_MAKES_BYTES, /* bytes() of nothing, as protocols 0 to 2 write it */
    PY_MAKES_BYTEARRAY,
    PY_MAKES_COMPLEX,
    PY_MAKES_BY_RECONSTRUCTOR, /* copyreg._reconstructor(class, object or dict, ...) */
    PY_MAKES_BY_NEWOBJ,        /* copyreg.__newobj__(class, ...) */
    PY_MAKES_PARTIAL,          /* functools.partial of what is only named: a record */
    PY_MAKES_DISTRIBUTION,     /* of scipy: opaque, but its state is looked at */
    PY_MAKES_RANDOM,           /* numpy.random's functions that call what they are given: opaque */
    PY_MAKES_METHOD,           /* getattr, of one method of such a distribution: opaque */
    PY_MAKES_UFUNC,            /* numpy.core._ufunc_reconstruct: what GLOBAL could have named */
    PY_MAKES_INDEX,            /* pandas' _new_Index(Index, {...}): a record */
    PY_MAKES_ENCODED,          /* _codecs.encode(text, "latin1"): bytes */
    PY_MAKES_DTYPE,            /* numpy.dtype */
    PY_MAKES_ARRAY,            /* numpy.core.multiarray._reconstruct */
    PY_MAKES_BUFFER_ARRAY,     /* numpy.core.numeric._frombuffer */
    PY_MAKES_SCALAR,           /* numpy.core.multiarray.scalar */
    PY_MAKES_MASKED_ARRAY,     /* numpy.ma.core._mareconstruct */
    PY_MAKES_ARRAY_WRAPPER,    /* joblib.numpy_pickle.NumpyArrayWrapper, NDArrayWrapper ... */
    PY_CONSTRUCTOR_COUNT
} py_constructor;

typedef struct py_global {
    const char *module;
    const char *name;
    py_constructor makes;
} py_global;

/* Rows in ascending order of module and name, by their bytes. */
typedef struct py_allowlist {
    const py_global *rows;
    uint32_t count;
} py_allowlist;

/* policy/pickle.allow */
extern const py_allowlist py_allowlist_built_in;

/* The row of a global; NULL if there is none. */
const py_global *py_allowed(const py_allowlist *list, const uint8_t *module, uint64_t module_length,
                            const uint8_t *name, uint64_t name_length);

/* The rows that an operator's policy adds (base/pickle_rows.h, valid), as a list: each makes a
 * record, or is opaque. Of a global that it names twice the first row counts. */
wlk_status py_allowlist_read(arena *memory, const uint8_t *rows, uint64_t length,
                             py_allowlist *list, wlk_error *error);

#endif
