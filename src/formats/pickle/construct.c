#include "formats/pickle/construct.h"

#include <string.h>

static wlk_status refuse_call(const py_global *callable, const char *what, uint64_t offset,
                              wlk_error *error) {
    return error_text(error, RULE_PICKLE_CALL, offset, "%s.%s: %s", callable->module,
                      callable->name, what);
}

static wlk_status unusual(const py_global *callable, uint64_t offset, wlk_error *error) {
    return refuse_call(callable, "unusual arguments", offset, error);
}

/* Argument i if it is of that kind, else NULL. */
static py_value *argument(const py_value *arguments, uint32_t i, py_kind kind) {
    if (i >= arguments->items.count) return NULL;
    py_value *value = arguments->items.list[i];
    return value->kind == kind ? value : NULL;
}

bool py_is_hashable(const py_value *value) {
    return value->kind != PY_LIST && value->kind != PY_DICT && value->kind != PY_SET &&
           value->kind != PY_BYTEARRAY && value->kind != PY_ARRAY;
}

bool py_is_wrapper(const py_value *value) {
    return value->kind == PY_OBJECT && value->object->class->makes == PY_MAKES_ARRAY_WRAPPER;
}

/* ---- records, and what nothing is known of */

static wlk_status make_record(pickle *p, const py_global *callable, const py_value *arguments,
                              uint64_t offset, py_value **made, wlk_error *error) {
    TRY(py_new(p, PY_OBJECT, offset, made, error));
    py_object *object = arena_take(&p->memory, 1, sizeof *object);
    if (!object) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    object->class = callable;
    (*made)->object = object;
    if (arguments->items.count == 0) return WLK_OK;
    TRY(py_new(p, PY_TUPLE, offset, &object->arguments, error));
    object->arguments->items = arguments->items; /* of a tuple, which nobody changes */
    return WLK_OK;
}

static wlk_status make_opaque(pickle *p, const py_global *callable, const py_value *arguments,
                              uint64_t offset, py_value **made, wlk_error *error) {
    (void)arguments;
    TRY(py_new(p, PY_OPAQUE, offset, made, error));
    (*made)->global = callable;
    return WLK_OK;
}

static wlk_status make_wrapper(pickle *p, const py_global *callable, const py_value *arguments,
                               uint64_t offset, py_value **made, wlk_error *error) {
    if (arguments->items.count > 0) return unusual(callable, offset, error);
    return make_record(p, callable, arguments, offset, made, error);
}

static wlk_status make_nothing(pickle *p, const py_global *callable, const py_value *arguments,
                               uint64_t offset, py_value **made, wlk_error *error) {
    (void)p;
    (void)arguments;
    (void)made;
    return refuse_call(callable, "it is only named, never called", offset, error);
}

/* ---- Python's containers */

static bool is_sequence(const py_value *value) {
    return value->kind == PY_LIST || value->kind == PY_TUPLE;
}

/* () or (sequence,): *items is NULL, or the sequence's. */
static bool takes_sequence(const py_value *arguments, const py_items **items) {
    *items = NULL;
    if (arguments->items.count == 0) return true;
    if (arguments->items.count > 1 || !is_sequence(arguments->items.list[0])) return false;
    *items = &arguments->items.list[0]->items;
    return true;
}

static wlk_status make_collection(pickle *p, py_kind kind, const py_global *callable,
                                  const py_value *arguments, uint64_t offset, py_value **made,
                                  wlk_error *error) {
    const py_items *items;
    if (!takes_sequence(arguments, &items)) return unusual(callable, offset, error);
    TRY(py_new(p, kind, offset, made, error));
    for (uint32_t i = 0; items && i < items->count; i++) {
        if (kind != PY_LIST && !py_is_hashable(items->list[i])) {
            return unusual(callable, offset, error);
        }
        TRY(py_append(p, &(*made)->items, items->list[i], error));
    }
    return WLK_OK;
}

static wlk_status make_list(pickle *p, const py_global *callable, const py_value *arguments,
                            uint64_t offset, py_value **made, wlk_error *error) {
    return make_collection(p, PY_LIST, callable, arguments, offset, made, error);
}

static wlk_status make_set(pickle *p, const py_global *callable, const py_value *arguments,
                           uint64_t offset, py_value **made, wlk_error *error) {
    return make_collection(p, PY_SET, callable, arguments, offset, made, error);
}

static wlk_status make_frozenset(pickle *p, const py_global *callable, const py_value *arguments,
                                 uint64_t offset, py_value **made, wlk_error *error) {
    return make_collection(p, PY_FROZENSET, callable, arguments, offset, made, error);
}

/* The factory of a defaultdict: a class, or none. */
static bool is_factory(const py_value *arguments) {
    return argument(arguments, 0, PY_GLOBAL) || argument(arguments, 0, PY_NONE);
}

/* () or (factory,), or a sequence of pairs as Python 2 writes an OrderedDict. */
static wlk_status make_dict(pickle *p, const py_global *callable, const py_value *arguments,
                            uint64_t offset, py_value **made, wlk_error *error) {
    const py_items *items = NULL;
    const bool factory = arguments->items.count == 1 && is_factory(arguments);
    if (!factory && !takes_sequence(arguments, &items)) return unusual(callable, offset, error);
    TRY(py_new(p, PY_DICT, offset, made, error));
    for (uint32_t i = 0; items && i < items->count; i++) {
        const py_value *pair = items->list[i];
        if (!is_sequence(pair) || pair->items.count != 2 || !py_is_hashable(pair->items.list[0])) {
            return unusual(callable, offset, error);
        }
        TRY(py_append(p, &(*made)->items, pair->items.list[0], error));
        TRY(py_append(p, &(*made)->items, pair->items.list[1], error));
    }
    return WLK_OK;
}

/* ---- bytes */

/* Is the argument the name of Latin-1? */
static bool is_latin1(const py_value *arguments, uint32_t i) {
    const py_value *name = argument(arguments, i, PY_STR);
    return py_is_text(name, "latin1") || py_is_text(name, "latin-1");
}

/* UTF-8 as bytes of Latin-1; false if a character is none of it. */
static bool to_latin1(py_text text, uint8_t *out, uint64_t *length) {
    *length = 0;
    for (uint64_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x80) {
            if (byte > 0xc3) return false;
            byte = (uint8_t)(byte << 6 | (text.data[++i] & 0x3f));
        }
        out[(*length)++] = byte;
    }
    return true;
}

/* A text that stands for bytes is encoded once; when more has come out than the stream holds, one
 * is encoded again and again. (UTF-8 may be longer than what protocol 0 wrote.) */
static wlk_status encode(pickle *p, const py_global *callable, py_text text, uint64_t offset,
                         py_text *encoded, wlk_error *error) {
    if (p->encoded > p->stream.size) {
        return refuse_call(callable, "the same text again and again", offset, error);
    }
    uint8_t *bytes = arena_take(&p->memory, text.length, 1);
    if (!bytes) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    encoded->data = bytes;
    const bool latin1 = to_latin1(text, bytes, &encoded->length);
    p->encoded += encoded->length;
    if (latin1) return WLK_OK;
    return refuse_call(callable, "a text that is not Latin-1", offset, error);
}

static wlk_status make_encoded(pickle *p, const py_global *callable, const py_value *arguments,
                               uint64_t offset, py_value **made, wlk_error *error) {
    const py_value *text = argument(arguments, 0, PY_STR);
    if (!text || arguments->items.count != 2 || !is_latin1(arguments, 1)) {
        return unusual(callable, offset, error);
    }
    TRY(py_new(p, PY_BYTES, offset, made, error));
    return encode(p, callable, text->text, offset, &(*made)->text, error);
}

static const uint8_t no_bytes[1];

static wlk_status make_bytes(pickle *p, const py_global *callable, const py_value *arguments,
                             uint64_t offset, py_value **made, wlk_error *error) {
    if (arguments->items.count > 0) return unusual(callable, offset, error);
    TRY(py_new(p, PY_BYTES, offset, made, error));
    (*made)->text = (py_text){no_bytes, 0};
    return WLK_OK;
}

/* () or (bytes,) or (text, "latin-1") */
static wlk_status make_bytearray(pickle *p, const py_global *callable, const py_value *arguments,
                                 uint64_t offset, py_value **made, wlk_error *error) {
    const py_value *bytes = argument(arguments, 0, PY_BYTES);
    const py_value *text = argument(arguments, 0, PY_STR);
    const uint32_t count = arguments->items.count;
    TRY(py_new(p, PY_BYTEARRAY, offset, made, error));
    (*made)->text = (py_text){no_bytes, 0};
    if (count == 0) return WLK_OK;
    if (count == 2 && text && is_latin1(arguments, 1)) {
        return encode(p, callable, text->text, offset, &(*made)->text, error);
    }
    if (count != 1 || !bytes) return unusual(callable, offset, error);
    (*made)->text = bytes->text; /* nobody changes what lies there */
    return WLK_OK;
}

static bool real_of(const py_value *arguments, uint32_t i, double *real) {
    const py_value *value = argument(arguments, i, PY_FLOAT);
    if (value) *real = value->real;
    return value != NULL;
}

static wlk_status make_complex(pickle *p, const py_global *callable, const py_value *arguments,
                               uint64_t offset, py_value **made, wlk_error *error) {
    TRY(py_new(p, PY_COMPLEX, offset, made, error));
    if (arguments->items.count == 2 && real_of(arguments, 0, &(*made)->complex[0]) &&
        real_of(arguments, 1, &(*made)->complex[1])) {
        return WLK_OK;
    }
    return unusual(callable, offset, error);
}

/* ---- what calls something else: objects of protocols 0 and 1 */

static bool is_base(const py_value *base, py_constructor makes, const char *name) {
    return base && base->global->makes == makes && strcmp(base->global->name, name) == 0;
}

/* The dict's entries are the object's items: a copy, as in Python. */
static wlk_status take_items(pickle *p, const py_value *dict, py_object *object, wlk_error *error) {
    object->keyed = true;
    for (uint32_t i = 0; i < dict->items.count; i++) {
        TRY(py_append(p, &object->items, dict->items.list[i], error));
    }
    return WLK_OK;
}

/* (class, object, None), or (class, dict, {...}) of a class that is a dict too */
static wlk_status make_by_reconstructor(pickle *p, const py_global *callable,
                                        const py_value *arguments, uint64_t offset, py_value **made,
                                        wlk_error *error) {
    const py_value none = {.kind = PY_TUPLE, .offset = offset};
    const py_value *class = argument(arguments, 0, PY_GLOBAL);
    const py_value *base = argument(arguments, 1, PY_GLOBAL);
    const py_value *items = argument(arguments, 2, PY_DICT);
    const bool plain = is_base(base, PY_MAKES_NOTHING, "object") && argument(arguments, 2, PY_NONE);
    const bool keyed = is_base(base, PY_MAKES_DICT, "dict") && items && class &&
                       class->global->makes == PY_MAKES_CONTAINER;
    if (!class || (!plain && !keyed) || arguments->items.count != 3) {
        return unusual(callable, offset, error);
    }
    TRY(py_instance(p, class, &none, offset, made, error));
    return keyed ? take_items(p, items, (*made)->object, error) : WLK_OK;
}

/* (class, argument ...) */
static wlk_status make_by_newobj(pickle *p, const py_global *callable, const py_value *arguments,
                                 uint64_t offset, py_value **made, wlk_error *error) {
    py_value *rest;
    const py_value *class = argument(arguments, 0, PY_GLOBAL);
    if (!class) return unusual(callable, offset, error);
    TRY(py_new(p, PY_TUPLE, offset, &rest, error));
    for (uint32_t i = 1; i < arguments->items.count; i++) {
        TRY(py_append(p, &rest->items, arguments->items.list[i], error));
    }
    return py_instance(p, class, rest, offset, made, error);
}

/* (function,): nothing calls it, here or later; the rest is state. */
static wlk_status make_partial(pickle *p, const py_global *callable, const py_value *arguments,
                               uint64_t offset, py_value **made, wlk_error *error) {
    const py_value *function = argument(arguments, 0, PY_GLOBAL);
    if (!function || function->global->makes != PY_MAKES_NOTHING || arguments->items.count != 1) {
        return unusual(callable, offset, error);
    }
    return make_record(p, callable, arguments, offset, made, error);
}

static wlk_status make_bare(pickle *p, const py_global *callable, const py_value *arguments,
                            uint64_t offset, py_value **made, wlk_error *error) {
    if (arguments->items.count > 0) return unusual(callable, offset, error);
    return make_opaque(p, callable, arguments, offset, made, error);
}

/* A text, random numbers that have been made, or a class or function of numpy.random. */
static bool is_random_part(const py_value *value) {
    static const char module[] = "numpy.random";
    if (value->kind == PY_STR) return true;
    if (value->kind != PY_OPAQUE && value->kind != PY_GLOBAL) return false;
    return strncmp(value->global->module, module, sizeof module - 1) == 0;
}

/* (bit generator, the function that makes it of a name): both are called by Python. */
static wlk_status make_random(pickle *p, const py_global *callable, const py_value *arguments,
                              uint64_t offset, py_value **made, wlk_error *error) {
    for (uint32_t i = 0; i < arguments->items.count; i++) {
        if (!is_random_part(arguments->items.list[i])) return unusual(callable, offset, error);
    }
    return make_opaque(p, callable, arguments, offset, made, error);
}

/* (distribution, "_entropy"), which scipy leaves in its discrete distributions, and nothing else:
 * what comes out is no function here, but a value of which nothing is known. */
static wlk_status make_method(pickle *p, const py_global *callable, const py_value *arguments,
                              uint64_t offset, py_value **made, wlk_error *error) {
    const py_value *owner = argument(arguments, 0, PY_OPAQUE);
    if (!owner || owner->global->makes != PY_MAKES_DISTRIBUTION || arguments->items.count != 2 ||
        !py_is_text(argument(arguments, 1, PY_STR), "_entropy")) {
        return unusual(callable, offset, error);
    }
    return make_opaque(p, callable, arguments, offset, made, error);
}

/* (module, name): Python imports the one and looks the other up. Here it is the same as a GLOBAL
 * of both, and only of what is never called. */
static wlk_status make_ufunc(pickle *p, const py_global *callable, const py_value *arguments,
                             uint64_t offset, py_value **made, wlk_error *error) {
    const py_value *module = argument(arguments, 0, PY_STR);
    const py_value *name = argument(arguments, 1, PY_STR);
    if (!module || !name || arguments->items.count != 2) return unusual(callable, offset, error);
    const py_global *row = py_allowed(&py_allowlist_built_in, module->text.data,
                                      module->text.length, name->text.data, name->text.length);
    if (!row || row->makes != PY_MAKES_NOTHING) return unusual(callable, offset, error);
    TRY(py_new(p, PY_GLOBAL, offset, made, error));
    (*made)->global = row;
    return WLK_OK;
}

static bool is_index(const py_value *class) {
    return class && class->global->makes == PY_MAKES_RECORD &&
           (strcmp(class->global->name, "Index") == 0 ||
            strcmp(class->global->name, "Int64Index") == 0);
}

/* (Index, {...}), and no other class: pandas calls its __new__ with what the dict names, and that
 * of numpy.memmap makes files. */
static wlk_status make_index(pickle *p, const py_global *callable, const py_value *arguments,
                             uint64_t offset, py_value **made, wlk_error *error) {
    if (!is_index(argument(arguments, 0, PY_GLOBAL)) || !argument(arguments, 1, PY_DICT) ||
        arguments->items.count != 2) {
        return unusual(callable, offset, error);
    }
    return make_record(p, callable, arguments, offset, made, error);
}

/* ---- by the rows */

typedef struct maker {
    py_construct make;
    bool class; /* the row stands for a class */
} maker;

static const maker makers[PY_CONSTRUCTOR_COUNT] = {
    [PY_MAKES_RECORD] = {make_record, true},
    [PY_MAKES_CONTAINER] = {make_record, true},
    [PY_MAKES_OPAQUE] = {make_opaque, true},
    [PY_MAKES_NOTHING] = {make_nothing, false},
    [PY_MAKES_LIST] = {make_list, false},
    [PY_MAKES_DICT] = {make_dict, false},
    [PY_MAKES_SET] = {make_set, false},
    [PY_MAKES_FROZENSET] = {make_frozenset, false},
    [PY_MAKES_BYTES] = {make_bytes, false},
    [PY_MAKES_BYTEARRAY] = {make_bytearray, false},
    [PY_MAKES_COMPLEX] = {make_complex, false},
    [PY_MAKES_BY_RECONSTRUCTOR] = {make_by_reconstructor, false},
    [PY_MAKES_BY_NEWOBJ] = {make_by_newobj, false},
    [PY_MAKES_PARTIAL] = {make_partial, false},
    [PY_MAKES_BARE] = {make_bare, true},
    [PY_MAKES_DISTRIBUTION] = {make_bare, true},
    [PY_MAKES_RANDOM] = {make_random, false},
    [PY_MAKES_METHOD] = {make_method, false},
    [PY_MAKES_UFUNC] = {make_ufunc, false},
    [PY_MAKES_INDEX] = {make_index, false},
    [PY_MAKES_ENCODED] = {make_encoded, false},
    [PY_MAKES_DTYPE] = {py_make_dtype, false},
    [PY_MAKES_ARRAY] = {py_make_array, false},
    [PY_MAKES_BUFFER_ARRAY] = {py_make_buffer_array, false},
    [PY_MAKES_SCALAR] = {py_make_scalar, false},
    [PY_MAKES_MASKED_ARRAY] = {py_make_masked_array, false},
    [PY_MAKES_ARRAY_WRAPPER] = {make_wrapper, true},
};

static wlk_status construct(pickle *p, const py_value *callable, const py_value *arguments,
                            bool instance, uint64_t offset, py_value **made, wlk_error *error) {
    if (callable->kind != PY_GLOBAL) {
        return error_text(error, RULE_PICKLE_TYPE, offset, "a call of what is none: %s",
                          py_kind_name(callable->kind));
    }
    const maker *row = &makers[callable->global->makes];
    if (instance && !row->class) {
        return refuse_call(callable->global, "it is not made in this way", offset, error);
    }
    return row->make(p, callable->global, arguments, offset, made, error);
}

wlk_status py_call(pickle *p, const py_value *callable, const py_value *arguments, uint64_t offset,
                   py_value **made, wlk_error *error) {
    return construct(p, callable, arguments, false, offset, made, error);
}

wlk_status py_instance(pickle *p, const py_value *class, const py_value *arguments, uint64_t offset,
                       py_value **made, wlk_error *error) {
    return construct(p, class, arguments, true, offset, made, error);
}
