#include "formats/pickle/plain.h"

#include <string.h>

#include "base/sort.h"
#include "image/meta_tree.h"

#define ROOT "/x-value"
#define SOURCE "/metadata/source"
#define ALONE "array" /* the name of a tensor with nothing around it */
#define PATH_BYTES 4096
#define FIRST_LEVEL 2 /* of the tree: the header is the first */

typedef struct plain {
    pickle *p;
    image_builder *builder;
    meta_tree *tree;
    const uint8_t *artifact;
    uint64_t size;
    plain_payloads *payloads;
    uint32_t tensors;
    uint64_t bytes; /* of texts and elements so far */
    size_t length;  /* of the path */
    char path[PATH_BYTES];
} plain;

static wlk_status put(plain *d, const py_value *value, uint64_t level, wlk_error *error);

/* "weights/0/w" */
static const char *place(const plain *d) {
    return d->length >= sizeof ROOT ? d->path + sizeof ROOT : ALONE;
}

static wlk_status refuse(const plain *d, const py_value *value, const char *what,
                         wlk_error *error) {
    return error_text(error, RULE_PICKLE_VALUE, value->offset, "%.100s: %.100s", place(d), what);
}

/* What a pickle refers to again and again is put out each time: all together may be as much as
 * the file, and a compressed one, can hold. (What has been put out is far below 2^64 bytes.) */
static wlk_status count_bytes(plain *d, const py_value *value, uint64_t bytes, wlk_error *error) {
    const uint64_t own = d->p->stream.size;
    d->bytes += bytes;
    if (d->bytes <= own || d->bytes - own <= d->p->limits->inflated_bytes) return WLK_OK;
    return error_text(error, RULE_LIMIT_INFLATED_BYTES, value->offset,
                      "%.100s: the same values again and again", place(d));
}

/* ---- tensors */

/* What the array puts out: texts have an offset each, and objects are eight bytes each or texts.
 * (Those are counted in memory, so there are far fewer than 2^60 of them.) */
static uint64_t bytes_of(const py_array *array) {
    const bool wide = array->dtype->kind == 'O' || py_dtype_of(array->dtype) == WLK_STR;
    uint64_t bytes = array->nbytes + (wide ? (array->count + 1) * 8 : 0);
    for (uint64_t i = 0; array->objects && i < array->count; i++) {
        const py_value *object = array->objects[i];
        if (object->kind == PY_STR) bytes += object->text.length;
    }
    return bytes;
}

/* Do the elements lie in the artifact, in the order and the byte order of a tensor's? */
static bool lies_there(const plain *d, const py_array *array) {
    const char kind = array->dtype->kind;
    return !array->fortran && !array->dtype->big && kind != 'O' && kind != 'S' && kind != 'U' &&
           array->nbytes > 0 && array->data >= d->artifact && array->data < d->artifact + d->size;
}

static wlk_status add_payload(plain *d, const py_array *array, uint32_t tensor, wlk_error *error) {
    plain_payloads *all = d->payloads;
    if (!lies_there(d, array)) return WLK_OK;
    if (all->count == all->room) {
        const uint32_t room = 2 * all->room + 16;
        plain_payload *list = arena_take(&d->p->memory, room, sizeof *list);
        if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        for (uint32_t i = 0; i < all->count; i++) list[i] = all->list[i];
        all->list = list;
        all->room = room;
    }
    const uint64_t offset = (uint64_t)(array->data - d->artifact);
    all->list[all->count++] = (plain_payload){offset, array->nbytes, tensor};
    return WLK_OK;
}

/* {"tensor": name} */
static wlk_status put_reference(plain *d, wlk_error *error) {
    const size_t length = d->length;
    const char *name = arena_text(&d->p->memory, place(d), strlen(place(d)));
    if (!name) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(meta_tree_set(d->tree, d->path, WLK_META_MAP, 0, error));
    if (!meta_path_append(d->path, &d->length, sizeof d->path, "tensor")) {
        return error_at(error, RULE_LIMIT_NAME_BYTES, WLK_NO_OFFSET);
    }
    TRY(meta_tree_set_text(d->tree, d->path, name, error));
    d->length = length;
    d->path[length] = '\0';
    return WLK_OK;
}

static wlk_status put_tensor(plain *d, const py_value *value, const py_array *array,
                             wlk_error *error) {
    uint32_t tensor;
    if (array->rank > WLK_MAX_RANK) return error_at(error, RULE_LIMIT_RANK, value->offset);
    if (place(d)[0] == '\0') return refuse(d, value, "an array below an empty key", error);
    TRY(count_bytes(d, value, bytes_of(array), error));
    TRY(py_array_tensor(array, d->builder, place(d), d->artifact, d->size, value->offset, &tensor,
                        error));
    d->tensors++;
    TRY(add_payload(d, array, tensor, error));
    return put_reference(d, error);
}

/* bytes are u8 [n]; a complex number is one c128. */
static wlk_status put_bytes(plain *d, const py_value *value, wlk_error *error) {
    const py_dtype dtype = {.kind = 'u', .itemsize = 1};
    const py_array array = {.dtype = &dtype,
                            .rank = 1,
                            .shape = {value->text.length},
                            .count = value->text.length,
                            .data = value->text.data,
                            .nbytes = value->text.length};
    return put_tensor(d, value, &array, error);
}

static wlk_status put_complex(plain *d, const py_value *value, wlk_error *error) {
    const py_dtype dtype = {.kind = 'c', .itemsize = sizeof value->complex};
    const py_array array = {.dtype = &dtype,
                            .count = 1,
                            .data = (const uint8_t *)value->complex,
                            .nbytes = sizeof value->complex};
    return put_tensor(d, value, &array, error);
}

/* ---- scalars */

static wlk_status put_scalar(plain *d, wlk_meta_type type, uint64_t bits, wlk_error *error) {
    return meta_tree_set(d->tree, d->path, type, bits, error);
}

/* Up to 2^64 - 1. */
static wlk_status put_long(plain *d, const py_value *value, wlk_error *error) {
    const py_text *text = &value->text;
    if (text->length != 9 || text->data[8] != 0) {
        return refuse(d, value, "an integer beyond 64 bits", error);
    }
    return put_scalar(d, WLK_META_UINT, load_u64(text->data), error);
}

static wlk_status put_float(plain *d, const py_value *value, wlk_error *error) {
    uint64_t bits;
    memcpy(&bits, &value->real, sizeof bits);
    return put_scalar(d, WLK_META_FLOAT, bits, error);
}

static wlk_status put_string(plain *d, const py_value *value, wlk_error *error) {
    TRY(count_bytes(d, value, value->text.length, error));
    const uint32_t string =
        image_string(d->builder, (const char *)value->text.data, value->text.length, value->offset);
    TRY(image_builder_status(d->builder, error));
    return put_scalar(d, WLK_META_STRING, string, error);
}

/* ---- containers */

static uint32_t number_text(int64_t number, char text[21]) {
    char reversed[21];
    uint32_t count = 0, length = 0;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        reversed[count++] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) text[length++] = '-';
    while (count > 0) text[length++] = reversed[--count];
    text[length] = '\0';
    return length;
}

/* A key as text; NULL and the reason if it has none. */
static wlk_status key_text(plain *d, const py_value *key, const char **text, wlk_error *error) {
    char number[21];
    const uint8_t *bytes = (const uint8_t *)number;
    uint64_t length = 4;
    if (key->kind == PY_STR) {
        bytes = key->text.data;
        length = key->text.length;
    } else if (key->kind == PY_INT) {
        length = number_text(key->integer, number);
    } else if (key->kind == PY_NONE) {
        bytes = (const uint8_t *)"None";
    } else if (key->kind == PY_BOOL) {
        bytes = (const uint8_t *)(key->boolean ? "True" : "False");
        length = key->boolean ? 4 : 5;
    } else {
        return refuse(d, key, "a key that is no text, whole number, truth value or None", error);
    }
    if (length > 0 && memchr(bytes, 0, length)) return refuse(d, key, "a key with a NUL", error);
    *text = arena_text(&d->p->memory, bytes, length);
    return *text ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static wlk_status put_below(plain *d, const char *key, const py_value *value, uint64_t level,
                            wlk_error *error) {
    const size_t length = d->length;
    if (!meta_path_append(d->path, &d->length, sizeof d->path, key)) {
        return error_at(error, RULE_LIMIT_NAME_BYTES, value->offset);
    }
    TRY(put(d, value, level + 1, error));
    d->length = length;
    d->path[length] = '\0';
    return WLK_OK;
}

static wlk_status put_items(plain *d, const py_value *list, uint64_t level, wlk_error *error) {
    char number[21];
    TRY(put_scalar(d, WLK_META_ARRAY, 0, error));
    for (uint32_t i = 0; i < list->items.count; i++) {
        (void)number_text(i, number);
        TRY(put_below(d, number, list->items.list[i], level, error));
    }
    return WLK_OK;
}

static int compare_texts(const void *context, uint32_t a, uint32_t b) {
    const char *const *texts = context;
    return strcmp(texts[a], texts[b]);
}

/* True is 1 to Python, and False is 0: a dict has one entry for both. */
static wlk_status check_truth_values(plain *d, const py_value *dict, wlk_error *error) {
    bool seen[2][2] = {{false}}; /* of each value: as a number, as a truth value */
    for (uint32_t i = 0; i < dict->items.count; i += 2) {
        const py_value *key = dict->items.list[i];
        const bool truth = key->kind == PY_BOOL;
        const int64_t number = truth ? key->boolean : key->kind == PY_INT ? key->integer : -1;
        if (number < 0 || number > 1) continue;
        seen[number][truth] = true;
        if (seen[number][!truth]) return refuse(d, key, "a key that is there twice", error);
    }
    return WLK_OK;
}

/* Of keys that are one text the paths below would be one too. */
static wlk_status check_keys(plain *d, const py_value *dict, const char *const *keys,
                             uint32_t count, wlk_error *error) {
    TRY(check_truth_values(d, dict, error));
    uint32_t *order = arena_take(&d->p->memory, count, 2 * sizeof *order);
    if (!order) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    sort_u32(order, count, compare_texts, keys, order + count);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(keys[order[i - 1]], keys[order[i]]) != 0) continue;
        return refuse(d, dict->items.list[2 * (size_t)order[i]], "a key that is there twice",
                      error);
    }
    return WLK_OK;
}

static wlk_status put_entries(plain *d, const py_value *dict, uint64_t level, wlk_error *error) {
    const uint32_t count = dict->items.count / 2;
    const char **keys = arena_take(&d->p->memory, count, sizeof(const char *));
    if (!keys) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(put_scalar(d, WLK_META_MAP, 0, error));
    for (uint32_t i = 0; i < count; i++) {
        TRY(key_text(d, dict->items.list[2 * (size_t)i], &keys[i], error));
    }
    TRY(check_keys(d, dict, keys, count, error));
    for (uint32_t i = 0; i < count; i++) {
        TRY(put_below(d, keys[i], dict->items.list[2 * (size_t)i + 1], level, error));
    }
    return WLK_OK;
}

/* An array of objects that are no tensor is lists of them, a list for each dimension. */
static wlk_status put_objects(plain *d, const py_array *array, uint32_t axis, uint64_t first,
                              uint64_t count, uint64_t level, wlk_error *error) {
    char number[21];
    const size_t length = d->length;
    if (axis == array->rank) return put(d, array->objects[first], level, error);
    TRY(put_scalar(d, WLK_META_ARRAY, 0, error));
    const uint64_t below = count / array->shape[axis];
    for (uint64_t i = 0; i < array->shape[axis]; i++) {
        (void)number_text((int64_t)i, number);
        if (!meta_path_append(d->path, &d->length, sizeof d->path, number)) {
            return error_at(error, RULE_LIMIT_NAME_BYTES, array->objects[first]->offset);
        }
        TRY(put_objects(d, array, axis + 1, first + i * below, below, level + 1, error));
        d->length = length;
        d->path[length] = '\0';
    }
    return WLK_OK;
}

/* What is masked has a number all the same: the mask is a tensor of its own, below the array. */
static wlk_status put_masked(plain *d, const py_value *value, wlk_error *error) {
    const py_dtype truth = {.kind = 'b', .itemsize = 1};
    py_array mask = *value->array;
    const size_t length = d->length;
    if (value->array->objects) return refuse(d, value, "a masked array of objects", error);
    mask.dtype = &truth;
    mask.data = mask.mask;
    mask.nbytes = mask.count;
    TRY(put_tensor(d, value, value->array, error));
    if (!meta_path_append(d->path, &d->length, sizeof d->path, "mask")) {
        return error_at(error, RULE_LIMIT_NAME_BYTES, value->offset);
    }
    TRY(put_tensor(d, value, &mask, error));
    d->length = length;
    d->path[length] = '\0';
    return WLK_OK;
}

static wlk_status put_array(plain *d, const py_value *value, uint64_t level, wlk_error *error) {
    const py_array *array = value->array;
    if (py_array_hides(array)) return put_masked(d, value, error);
    if (py_array_is_uniform(array)) return put_tensor(d, value, array, error);
    return put_objects(d, array, 0, 0, array->count, level, error);
}

/* ---- all */

static wlk_status refuse_kind(plain *d, const py_value *value, wlk_error *error) {
    const py_global *global = NULL;
    if (value->kind == PY_OBJECT) global = value->object->class;
    if (value->kind == PY_GLOBAL || value->kind == PY_OPAQUE) global = value->global;
    return refuse(d, value, global ? global->name : py_kind_name(value->kind), error);
}

static wlk_status put(plain *d, const py_value *value, uint64_t level, wlk_error *error) {
    if (level > d->p->limits->header_depth) {
        return error_at(error, RULE_LIMIT_HEADER_DEPTH, value->offset);
    }
    switch (value->kind) {
        case PY_NONE:
            return put_scalar(d, WLK_META_NULL, 0, error);
        case PY_BOOL:
            return put_scalar(d, WLK_META_BOOL, value->boolean, error);
        case PY_INT:
            return put_scalar(d, WLK_META_INT, (uint64_t)value->integer, error);
        case PY_LONG:
            return put_long(d, value, error);
        case PY_FLOAT:
            return put_float(d, value, error);
        case PY_COMPLEX:
            return put_complex(d, value, error);
        case PY_STR:
            return put_string(d, value, error);
        case PY_BYTES:
        case PY_BYTEARRAY:
            return put_bytes(d, value, error);
        case PY_LIST:
        case PY_TUPLE:
        case PY_SET:
        case PY_FROZENSET:
            return put_items(d, value, level, error);
        case PY_DICT:
            return put_entries(d, value, level, error);
        case PY_ARRAY:
            return put_array(d, value, level, error);
        case PY_GLOBAL:
        case PY_OBJECT:
        case PY_DTYPE:
        case PY_OPAQUE:
        case PY_KIND_COUNT:
            break;
    }
    return refuse_kind(d, value, error);
}

static wlk_status put_source(plain *d, const sk_source *source, wlk_error *error) {
    TRY(meta_tree_set_text(d->tree, "/kind", d->tensors > 0 ? "weights" : "data", error));
    TRY(meta_tree_set_text(d->tree, SOURCE "/format", "pickle", error));
    TRY(meta_tree_set_text(d->tree, SOURCE "/serializer", source->serializer, error));
    if (source->compression) {
        TRY(meta_tree_set_text(d->tree, SOURCE "/compression", source->compression, error));
    }
    TRY(meta_tree_set(d->tree, SOURCE "/protocol", WLK_META_INT, source->protocol, error));
    return meta_tree_finish(d->tree, error);
}

static wlk_status build(plain *d, const py_value *root, const sk_source *source, wlk_error *error) {
    memcpy(d->path, ROOT, sizeof ROOT);
    d->length = sizeof ROOT - 1;
    TRY(put(d, root, FIRST_LEVEL, error));
    return put_source(d, source, error);
}

wlk_status plain_build(pickle *p, const py_value *root, const sk_source *source,
                       const uint8_t *artifact, uint64_t size, image_builder *builder,
                       plain_payloads *payloads, wlk_error *error) {
    plain d = {.p = p,
               .builder = builder,
               .artifact = artifact,
               .size = size,
               .payloads = payloads,
               .tree = meta_tree_new(builder, p->limits)};
    if (!d.tree) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = build(&d, root, source, error);
    meta_tree_free(d.tree);
    return status;
}
