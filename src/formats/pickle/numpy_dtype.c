#include <string.h>

#include "base/checked.h"
#include "formats/pickle/numpy_parts.h"

/* A tree's node has 14 fields at most. */
#define MOST_FIELDS 64
#define MOST_ITEM_BYTES (UINT64_C(1) << 30)

/* numpy's flags of a dtype: of these three each says that elements are objects. */
#define FLAGS_OF_OBJECTS 7

/* ---- "f8": a kind and a size */

/* Bit n of sizes: there are elements of n bytes; of UNSIZED ones every size. */
typedef struct kind_row {
    char letter;
    uint64_t sizes;
    bool readable;
} kind_row;

#define SIZE(n) (UINT64_C(1) << (n))
#define UNSIZED 0

static const kind_row kinds[] = {
    {'b', SIZE(1), true},
    {'i', SIZE(1) | SIZE(2) | SIZE(4) | SIZE(8), true},
    {'u', SIZE(1) | SIZE(2) | SIZE(4) | SIZE(8), true},
    {'f', SIZE(2) | SIZE(4) | SIZE(8), true},
    {'f', SIZE(12) | SIZE(16), false}, /* long double: another one on each machine */
    {'c', SIZE(8) | SIZE(16), true},
    {'c', SIZE(24) | SIZE(32), false},
    {'S', UNSIZED, true},
    {'U', UNSIZED, true},
    {'V', UNSIZED, true},
    {'O', SIZE(4) | SIZE(8), true},
    {'M', SIZE(8), true},
    {'m', SIZE(8), true},
};

static const kind_row *kind_of(uint8_t letter, uint64_t size) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].letter != (char)letter) continue;
        if (kinds[i].sizes == UNSIZED || (size < 64 && kinds[i].sizes >> size & 1)) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* At least one. */
static bool read_digits(const uint8_t *text, uint64_t length, uint64_t *number) {
    *number = 0;
    if (length > 10) return false;
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        *number = *number * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

static wlk_status read_name(py_text text, py_dtype *dtype, uint64_t offset, wlk_error *error) {
    uint64_t size;
    if (text.length < 2 || !read_digits(text.data + 1, text.length - 1, &size)) {
        return error_at(error, RULE_NUMPY_DTYPE, offset);
    }
    const kind_row *kind = kind_of(text.data[0], size);
    const int shown = (int)text.length; /* at most 11 characters, of which 10 are digits */
    const bool fits = kind && size <= MOST_ITEM_BYTES / (kind->letter == 'U' ? 4 : 1);
    if (!fits || !kind->readable) {
        return error_text(error, kind ? RULE_NUMPY_DTYPE_UNSUPPORTED : RULE_NUMPY_DTYPE, offset,
                          "%.*s", shown, (const char *)text.data);
    }
    dtype->kind = kind->letter;
    dtype->itemsize = (uint32_t)(kind->letter == 'U' ? size * 4 : size);
    return WLK_OK;
}

static bool is_text(const py_value *value) {
    return value->kind == PY_STR || value->kind == PY_BYTES;
}

wlk_status py_make_dtype(pickle *p, const py_global *callable, const py_value *arguments,
                         uint64_t offset, py_value **made, wlk_error *error) {
    bool align, copy;
    py_value *const *list = arguments->items.list;
    (void)callable;
    /* dtype(name, align=False, copy=True) is what its __reduce__ gives. */
    if (arguments->items.count != 3 || !numpy_flag(list[1], &align) ||
        !numpy_flag(list[2], &copy) || align) {
        return error_at(error, RULE_NUMPY_DTYPE, offset);
    }
    if (list[0]->kind == PY_GLOBAL) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, offset, "elements of class %.64s",
                          list[0]->global->name);
    }
    if (!is_text(list[0])) return error_at(error, RULE_NUMPY_DTYPE, offset);
    py_dtype *dtype = arena_take(&p->memory, 1, sizeof *dtype);
    if (!dtype) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(read_name(list[0]->text, dtype, offset, error));
    TRY(py_new(p, PY_DTYPE, offset, made, error));
    (*made)->dtype = dtype;
    return WLK_OK;
}

/* ---- its state: (version, byte order, subarray, names, fields, size, alignment, flags
 * [, metadata]) */

enum {
    STATE_VERSION,
    STATE_ORDER,
    STATE_SUBARRAY,
    STATE_NAMES,
    STATE_FIELDS,
    STATE_SIZE,
    STATE_ALIGNMENT,
    STATE_FLAGS,
    STATE_METADATA
};

/* Where elements have no byte order numpy writes '|'. */
static bool read_order(const py_value *value, py_dtype *dtype) {
    if (!is_text(value) || value->text.length != 1) return false;
    const uint8_t order = value->text.data[0];
    const bool single = strchr("bSVO", dtype->kind) || dtype->itemsize == 1;
    dtype->big = order == '>';
    if (single) return order == '|';
    return order == '<' || order == '>' || order == '=';
}

static bool is_sized(const py_dtype *dtype) {
    return strchr("SUV", dtype->kind) != NULL;
}

/* -1 where the size follows from the name. */
static bool sizes_hold(py_value *const *state, const py_dtype *dtype) {
    static const int64_t alignments[] = {1, 2, 4, 8, 16};
    const int64_t itemsize = (int64_t)dtype->itemsize;
    const bool follows = !is_sized(dtype) && numpy_is_integer(state[STATE_SIZE], -1, -1);
    if (!follows && !numpy_is_integer(state[STATE_SIZE], itemsize, itemsize)) return false;
    if (!is_sized(dtype) && numpy_is_integer(state[STATE_ALIGNMENT], -1, -1)) return true;
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        if (numpy_is_integer(state[STATE_ALIGNMENT], alignments[i], alignments[i])) return true;
    }
    return false;
}

/* A signed byte in numpy before 2.0. */
static bool flags_hold(const py_value *flags, const py_dtype *dtype) {
    if (!numpy_is_integer(flags, -128, 255)) return false;
    const bool objects = (flags->integer & FLAGS_OF_OBJECTS) != 0;
    return objects == (dtype->kind == 'O');
}

/* Of times (metadata or None, (unit, 3 numbers)), else a dict. */
static bool metadata_hold(const py_value *metadata, const py_dtype *dtype) {
    if (dtype->kind != 'M' && dtype->kind != 'm') {
        return metadata->kind == PY_DICT || metadata->kind == PY_NONE;
    }
    return metadata->kind == PY_TUPLE && metadata->items.count == 2 &&
           metadata->items.list[1]->kind == PY_TUPLE;
}

/* ---- fields: names in a tuple, and a dict {name: (dtype, offset[, title])} */

static bool same_text(py_text a, py_text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* numpy writes the dict in the order of the names: `guess` is where it should be. */
static const py_value *find_field(const py_items *fields, py_text name, uint32_t guess) {
    for (uint32_t i = 0; i < fields->count; i += 2) {
        const uint32_t at = (guess * 2 + i) % fields->count;
        const py_value *key = fields->list[at];
        if (is_text(key) && same_text(key->text, name)) return fields->list[at + 1];
    }
    return NULL;
}

static wlk_status bad_fields(const py_value *state, wlk_error *error) {
    return error_text(error, RULE_NUMPY_DTYPE, state->offset, "its fields");
}

static wlk_status read_field(const py_value *state, const py_value *entry, uint32_t itemsize,
                             py_field *field, wlk_error *error) {
    if (!entry || entry->kind != PY_TUPLE) return bad_fields(state, error);
    if (entry->items.count == 3) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, state->offset, "fields with titles");
    }
    if (entry->items.count != 2) return bad_fields(state, error);
    const py_value *offset = entry->items.list[1];
    TRY(numpy_dtype_of(entry->items.list[0], state->offset, &field->dtype, error));
    if (field->dtype->kind == 'O') {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, state->offset,
                          "a structure that holds objects");
    }
    if (!numpy_is_integer(offset, 0, itemsize)) return bad_fields(state, error);
    field->offset = (uint64_t)offset->integer;
    if (!range_within(field->offset, field->dtype->itemsize, itemsize)) {
        return bad_fields(state, error);
    }
    return WLK_OK;
}

static wlk_status check_field_lists(const py_value *state, const py_dtype *dtype,
                                    wlk_error *error) {
    const py_value *names = state->items.list[STATE_NAMES];
    const py_value *fields = state->items.list[STATE_FIELDS];
    if (dtype->kind != 'V' || names->kind != PY_TUPLE || fields->kind != PY_DICT) {
        return bad_fields(state, error);
    }
    if (names->items.count > MOST_FIELDS) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, state->offset,
                          "a structure of %u fields", names->items.count);
    }
    /* A title is a second key of the dict, for the same field. */
    if (fields->items.count > names->items.count * 2) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, state->offset, "fields with titles");
    }
    return fields->items.count == names->items.count * 2 ? WLK_OK : bad_fields(state, error);
}

static bool named_before(const py_field *list, uint32_t count, py_text name) {
    for (uint32_t i = 0; i < count; i++) {
        if (same_text(list[i].name, name)) return true;
    }
    return false;
}

static wlk_status read_fields(pickle *p, const py_value *state, py_dtype *dtype, wlk_error *error) {
    const py_items *names = &state->items.list[STATE_NAMES]->items;
    const py_items *fields = &state->items.list[STATE_FIELDS]->items;
    TRY(check_field_lists(state, dtype, error));
    py_field *list = arena_take(&p->memory, names->count, sizeof *list);
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < names->count; i++) {
        const py_value *name = names->list[i];
        if (!is_text(name) || named_before(list, i, name->text)) return bad_fields(state, error);
        list[i].name = name->text;
        TRY(read_field(state, find_field(fields, name->text, i), dtype->itemsize, &list[i], error));
    }
    dtype->fields = list;
    dtype->field_count = names->count;
    return WLK_OK;
}

static wlk_status read_structure(pickle *p, const py_value *state, py_dtype *dtype,
                                 wlk_error *error) {
    py_value *const *list = state->items.list;
    if (list[STATE_SUBARRAY]->kind != PY_NONE) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, state->offset,
                          "elements that are arrays");
    }
    if (list[STATE_NAMES]->kind == PY_NONE && list[STATE_FIELDS]->kind == PY_NONE) return WLK_OK;
    return read_fields(p, state, dtype, error);
}

/* Version 4 has metadata, and is otherwise version 3. */
static bool version_holds(const py_value *state) {
    if (state->kind != PY_TUPLE || state->items.count < 8 || state->items.count > 9) return false;
    const int64_t version = state->items.count == 8 ? 3 : 4;
    return numpy_is_integer(state->items.list[STATE_VERSION], version, version);
}

static bool state_holds(const py_value *state, py_dtype *dtype) {
    py_value *const *list = state->items.list;
    if (!read_order(list[STATE_ORDER], dtype) || !sizes_hold(list, dtype)) return false;
    if (!flags_hold(list[STATE_FLAGS], dtype)) return false;
    return state->items.count == 8 || metadata_hold(list[STATE_METADATA], dtype);
}

wlk_status py_build_dtype(pickle *p, py_value *value, const py_value *state, wlk_error *error) {
    if (value->dtype->built || !version_holds(state)) {
        return error_at(error, RULE_NUMPY_DTYPE, state->offset);
    }
    /* Nobody has the dtype yet that this one takes the place of: only a built one is used. */
    py_dtype *dtype = arena_take(&p->memory, 1, sizeof *dtype);
    if (!dtype) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *dtype = *value->dtype;
    TRY(read_structure(p, state, dtype, error));
    if (!state_holds(state, dtype)) return error_at(error, RULE_NUMPY_DTYPE, state->offset);
    dtype->built = true;
    value->dtype = dtype;
    return WLK_OK;
}

/* ---- what others ask */

wlk_status numpy_dtype_of(const py_value *value, uint64_t offset, const py_dtype **dtype,
                          wlk_error *error) {
    if (value->kind != PY_DTYPE || !value->dtype->built) {
        return error_at(error, RULE_NUMPY_DTYPE, offset);
    }
    *dtype = value->dtype;
    return WLK_OK;
}

wlk_status numpy_plain_dtype(const py_value *value, uint64_t offset, const py_dtype **dtype,
                             wlk_error *error) {
    TRY(numpy_dtype_of(value, offset, dtype, error));
    if ((*dtype)->kind != 'O') return WLK_OK;
    return error_text(error, RULE_NUMPY_ARRAY, offset, "objects do not lie in bytes");
}

typedef struct dtype_row {
    char kind;
    uint32_t itemsize; /* 0: any */
    wlk_dtype dtype;
} dtype_row;

static const dtype_row dtypes[] = {
    {'b', 1, WLK_BOOL}, {'i', 1, WLK_I8},    {'i', 2, WLK_I16}, {'i', 4, WLK_I32},
    {'i', 8, WLK_I64},  {'u', 1, WLK_U8},    {'u', 2, WLK_U16}, {'u', 4, WLK_U32},
    {'u', 8, WLK_U64},  {'f', 2, WLK_F16},   {'f', 4, WLK_F32}, {'f', 8, WLK_F64},
    {'c', 8, WLK_C64},  {'c', 16, WLK_C128}, {'S', 0, WLK_STR}, {'U', 0, WLK_STR},
    {'O', 0, WLK_STR},
};

wlk_dtype py_dtype_of(const py_dtype *dtype) {
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        const dtype_row *row = &dtypes[i];
        if (row->kind != dtype->kind) continue;
        if (row->itemsize == 0 || row->itemsize == dtype->itemsize) return row->dtype;
    }
    return WLK_DTYPE_NONE;
}

const py_field *py_dtype_field(const py_dtype *dtype, const char *name) {
    const py_text wanted = {(const uint8_t *)name, strlen(name)};
    for (uint32_t i = 0; i < dtype->field_count; i++) {
        if (same_text(dtype->fields[i].name, wanted)) return &dtype->fields[i];
    }
    return NULL;
}
