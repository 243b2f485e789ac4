#include <string.h>

#include "formats/pickle/numpy_parts.h"

/* joblib puts a wrapper in the place of an array, and the array's bytes behind the opcode
 * that completes the wrapper. */

#define PAD_BYTE 0xff
#define LONGEST_PAD 255

typedef struct wrapper_keys {
    const py_value *subclass, *shape, *order, *dtype, *allow_mmap;
    const py_value *alignment; /* NULL before joblib 1.2 */
} wrapper_keys;

static wlk_status bad_wrapper(const py_value *wrapper, const char *what, wlk_error *error) {
    return error_text(error, RULE_JOBLIB_WRAPPER, wrapper->offset, "%s", what);
}

/* What joblib before 0.10 wrote names a file beside this one. */
static bool names_a_file(const py_value *wrapper) {
    const char *name = wrapper->object->class->name;
    return strcmp(name, "NDArrayWrapper") == 0 || strcmp(name, "ZNDArrayWrapper") == 0;
}

/* All keys that it has are known, each is there once, and none of the first five lacks. */
static bool read_keys(const py_value *state, wrapper_keys *keys) {
    const struct {
        const char *name;
        const py_value **value;
    } rows[] = {
        {"subclass", &keys->subclass},     {"shape", &keys->shape},
        {"order", &keys->order},           {"dtype", &keys->dtype},
        {"allow_mmap", &keys->allow_mmap}, {"numpy_array_alignment_bytes", &keys->alignment},
    };
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].value = py_get(state, rows[i].name);
        found += *rows[i].value != NULL;
    }
    const bool all = found == 6 || (found == 5 && !keys->alignment);
    return all && found == state->items.count / 2;
}

static wlk_status check_keys(const py_value *wrapper, const wrapper_keys *keys, py_array *array,
                             wlk_error *error) {
    bool allow_mmap;
    array->fortran = py_is_text(keys->order, "F");
    if (!numpy_is_array_class(keys->subclass)) return bad_wrapper(wrapper, "its class", error);
    if (!array->fortran && !py_is_text(keys->order, "C")) {
        return bad_wrapper(wrapper, "its order", error);
    }
    if (!numpy_flag(keys->allow_mmap, &allow_mmap)) {
        return bad_wrapper(wrapper, "whether it may be mapped", error);
    }
    const py_value *alignment = keys->alignment;
    if (alignment && alignment->kind != PY_NONE && !numpy_is_integer(alignment, 1, LONGEST_PAD)) {
        return bad_wrapper(wrapper, "its alignment", error);
    }
    TRY(numpy_shape(keys->shape, wrapper->offset, array, error));
    return numpy_dtype_of(keys->dtype, wrapper->offset, &array->dtype, error);
}

/* A byte that says how many pad bytes follow. */
static wlk_status skip_pad(pickle *p, const py_value *wrapper, wlk_error *error) {
    uint8_t length;
    const uint64_t offset = cursor_offset(&p->stream);
    if (!cursor_u8(&p->stream, &length)) return error_at(error, RULE_PICKLE_TRUNCATED, offset);
    const uint8_t *pad = cursor_take(&p->stream, length);
    if (!pad) return error_at(error, RULE_PICKLE_TRUNCATED, offset);
    for (uint32_t i = 0; i < length; i++) {
        if (pad[i] != PAD_BYTE) return bad_wrapper(wrapper, "bytes that only align it", error);
    }
    return WLK_OK;
}

/* The list doubles in the arena; what it leaves there is at most as much again. */
static wlk_status record_raw(pickle *p, uint64_t offset, uint64_t length, wlk_error *error) {
    if (length == 0) return WLK_OK;
    if (p->raw_count == p->raw_room) {
        const uint32_t room = p->raw_room < UINT32_MAX / 2 ? p->raw_room * 2 + 16 : UINT32_MAX;
        uint64_t *raw = arena_take(&p->memory, room, 2 * sizeof *raw);
        if (!raw) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        if (p->raw_count > 0) memcpy(raw, p->raw, (size_t)p->raw_count * 2 * sizeof *raw);
        p->raw = raw;
        p->raw_room = room;
    }
    p->raw[2 * (size_t)p->raw_count] = offset;
    p->raw[2 * (size_t)p->raw_count + 1] = length;
    p->raw_count++;
    return WLK_OK;
}

static wlk_status read_elements(pickle *p, const py_value *wrapper, const wrapper_keys *keys,
                                py_array *array, wlk_error *error) {
    uint64_t needed;
    if (keys->alignment && keys->alignment->kind != PY_NONE) TRY(skip_pad(p, wrapper, error));
    const uint64_t offset = cursor_offset(&p->stream);
    const bool fits = !__builtin_mul_overflow(array->count, array->dtype->itemsize, &needed);
    const uint8_t *data = fits ? cursor_take(&p->stream, needed) : NULL;
    if (!data) return error_at(error, RULE_PICKLE_TRUNCATED, offset);
    TRY(numpy_elements(array, data, needed, offset, error));
    return record_raw(p, offset, needed, error);
}

static bool same_shape(const py_array *a, const py_array *b) {
    bool same = a->rank == b->rank;
    for (uint32_t i = 0; same && i < a->rank; i++) same = a->shape[i] == b->shape[i];
    return same;
}

/* Of objects a whole pickle follows, which holds the array. */
static wlk_status read_nested(pickle *p, const py_value *wrapper, const py_array *described,
                              py_value **array, wlk_error *error) {
    if (p->depth >= p->limits->pickle_depth) {
        return error_at(error, RULE_LIMIT_PICKLE_DEPTH, cursor_offset(&p->stream));
    }
    p->depth++;
    const wlk_status status = pickle_read(p, array, error);
    p->depth--;
    if (status != WLK_OK) return status;
    const bool agrees = (*array)->kind == PY_ARRAY && (*array)->array->dtype->kind == 'O' &&
                        same_shape((*array)->array, described);
    return agrees ? WLK_OK : bad_wrapper(wrapper, "the pickle of its objects", error);
}

wlk_status joblib_read_array(pickle *p, const py_value *wrapper, py_value **array,
                             wlk_error *error) {
    const py_value *state = wrapper->object->state;
    wrapper_keys keys;
    py_array made = {.built = true};
    if (names_a_file(wrapper)) return error_at(error, RULE_JOBLIB_COMPANION, wrapper->offset);
    /* Python reads those streams without joblib: to it what follows would be opcodes. */
    if (p->depth > 0) return bad_wrapper(wrapper, "in a pickle within an array", error);
    if (!read_keys(state, &keys)) return bad_wrapper(wrapper, "its state", error);
    TRY(check_keys(wrapper, &keys, &made, error));
    if (made.dtype->kind == 'O') return read_nested(p, wrapper, &made, array, error);
    TRY(read_elements(p, wrapper, &keys, &made, error));
    return numpy_new_array(p, &made, wrapper->offset, array, error);
}
