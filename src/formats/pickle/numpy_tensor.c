#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "formats/pickle/numpy_parts.h"

/* Arrays as tensors of the image. */

#define BLOCK_BYTES 16384u /* what is converted is put out in pieces of so much */

typedef struct put {
    image_builder *builder;
    image_tensor_spec spec;
    const py_array *array;
    arena memory; /* of what is converted */
    uint8_t block[BLOCK_BYTES];
    uint32_t used; /* of the block */
} put;

/* ---- bytes in pieces; the builder keeps the first error */

static void flush(put *out) {
    (void)image_payload(out->builder, out->block, out->used);
    out->used = 0;
}

static uint8_t *next_bytes(put *out, uint32_t bytes) {
    if (out->used + bytes > BLOCK_BYTES) flush(out);
    uint8_t *at = out->block + out->used;
    out->used += bytes;
    return at;
}

static void put_u64(put *out, uint64_t value) {
    store_u64(next_bytes(out, 8), value);
}

/* ---- numbers */

/* A complex number is two of half its size. */
static uint32_t unit_bytes(const py_dtype *dtype) {
    return dtype->kind == 'c' ? dtype->itemsize / 2 : dtype->itemsize;
}

static void copy_swapped(const uint8_t *from, uint32_t itemsize, uint32_t unit, uint8_t *to) {
    for (uint32_t at = 0; at < itemsize; at += unit) {
        for (uint32_t i = 0; i < unit; i++) to[at + i] = from[at + unit - 1 - i];
    }
}

static void put_run(put *out, const numpy_walk *walk) {
    const py_dtype *dtype = out->array->dtype;
    const uint32_t itemsize = dtype->itemsize;
    const uint32_t unit = dtype->big ? unit_bytes(dtype) : 1;
    const uint8_t *from = out->array->data + walk->place * itemsize;
    for (uint64_t i = 0; i < walk->length; i++) {
        copy_swapped(from + i * walk->step * itemsize, itemsize, unit, next_bytes(out, itemsize));
    }
}

static uint32_t put_converted(put *out) {
    const uint32_t tensor = image_tensor_begin(out->builder, &out->spec);
    numpy_walk walk = numpy_walk_start(out->array);
    for (uint64_t done = 0; done < out->array->count; done += walk.length) {
        put_run(out, &walk);
        numpy_walk_next(&walk);
    }
    flush(out);
    return tensor;
}

static uint32_t put_numbers(put *out, const uint8_t *artifact, uint64_t size) {
    const py_array *array = out->array;
    image_tensor_spec *spec = &out->spec;
    spec->nbytes = array->nbytes;
    if (array->fortran || array->dtype->big) return put_converted(out);
    spec->data = array->data;
    if (array->data >= artifact && array->data < artifact + size) {
        spec->file_offset = (uint64_t)(array->data - artifact);
    }
    return image_tensor(out->builder, spec);
}

/* ---- objects that are numbers */

static uint32_t put_bools(put *out) {
    out->spec.dtype = WLK_BOOL;
    out->spec.nbytes = out->array->count;
    const uint32_t tensor = image_tensor_begin(out->builder, &out->spec);
    for (uint64_t i = 0; i < out->array->count; i++) {
        *next_bytes(out, 1) = out->array->objects[i]->boolean;
    }
    flush(out);
    return tensor;
}

static uint32_t put_ints(put *out) {
    out->spec.dtype = WLK_I64;
    out->spec.nbytes = out->array->count * 8;
    const uint32_t tensor = image_tensor_begin(out->builder, &out->spec);
    for (uint64_t i = 0; i < out->array->count; i++) {
        put_u64(out, (uint64_t)out->array->objects[i]->integer);
    }
    flush(out);
    return tensor;
}

static uint32_t put_reals(put *out) {
    out->spec.dtype = WLK_F64;
    out->spec.nbytes = out->array->count * 8;
    const uint32_t tensor = image_tensor_begin(out->builder, &out->spec);
    for (uint64_t i = 0; i < out->array->count; i++) {
        put_u64(out, f64_bits(py_array_real(out->array, i)));
    }
    flush(out);
    return tensor;
}

/* ---- texts: n + 1 offsets, then all of them */

static wlk_status read_texts(put *out, py_text *texts, uint64_t *total, wlk_error *error) {
    *total = 0;
    for (uint64_t i = 0; i < out->array->count; i++) {
        TRY(py_array_text(out->array, i, &out->memory, &texts[i], error));
        *total += texts[i].length; /* each is at most the bytes that it was read from */
    }
    return WLK_OK;
}

static wlk_status put_texts(put *out, uint32_t *tensor, wlk_error *error) {
    const uint64_t count = out->array->count;
    uint64_t total, at = 0;
    py_text *texts = arena_take(&out->memory, count, sizeof *texts);
    if (!texts) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(read_texts(out, texts, &total, error));
    out->spec.dtype = WLK_STR;
    if (!checked_add(total, (count + 1) * 8, &out->spec.nbytes)) {
        return error_at(error, RULE_LIMIT_OUTPUT_BYTES, out->spec.offset);
    }
    *tensor = image_tensor_begin(out->builder, &out->spec);
    put_u64(out, 0);
    for (uint64_t i = 0; i < count; i++) put_u64(out, at += texts[i].length);
    flush(out);
    for (uint64_t i = 0; i < count; i++) {
        (void)image_payload(out->builder, texts[i].data, texts[i].length);
    }
    return WLK_OK;
}

/* ---- what objects are */

#define KIND(kind) (UINT32_C(1) << (kind))

static uint32_t kinds_of(const py_array *array) {
    uint32_t kinds = 0;
    for (uint64_t i = 0; i < array->count; i++) kinds |= KIND(array->objects[i]->kind);
    return kinds;
}

static bool is_uniform(uint32_t kinds) {
    const uint32_t numbers = KIND(PY_BOOL) | KIND(PY_INT) | KIND(PY_FLOAT) | KIND(PY_NONE);
    return kinds == KIND(PY_STR) || (kinds & ~numbers) == 0;
}

bool py_array_hides(const py_array *array) {
    return array->mask && memchr(array->mask, 1, array->count);
}

bool py_array_is_uniform(const py_array *array) {
    return array->dtype->kind != 'O' || is_uniform(kinds_of(array));
}

static wlk_status put_objects(put *out, uint32_t *tensor, wlk_error *error) {
    const uint32_t kinds = kinds_of(out->array);
    if (kinds == KIND(PY_STR) || kinds == 0) return put_texts(out, tensor, error);
    if (!is_uniform(kinds)) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, out->spec.offset,
                          "objects that are not all texts or all numbers");
    }
    if (kinds == KIND(PY_BOOL)) {
        *tensor = put_bools(out);
    } else if (kinds == KIND(PY_INT)) {
        *tensor = put_ints(out);
    } else {
        *tensor = put_reals(out);
    }
    return WLK_OK;
}

static wlk_status put_array(put *out, const uint8_t *artifact, uint64_t size, uint32_t *tensor,
                            wlk_error *error) {
    const py_dtype *dtype = out->array->dtype;
    if (dtype->kind == 'O') return put_objects(out, tensor, error);
    if (out->spec.dtype == WLK_STR) return put_texts(out, tensor, error);
    if (out->spec.dtype == WLK_DTYPE_NONE) {
        return error_text(error, RULE_NUMPY_DTYPE_UNSUPPORTED, out->spec.offset, "%s",
                          dtype->kind == 'V' ? "structures" : "times");
    }
    *tensor = put_numbers(out, artifact, size);
    return WLK_OK;
}

wlk_status py_array_tensor(const py_array *array, image_builder *builder, const char *name,
                           const uint8_t *artifact, uint64_t size, uint64_t offset,
                           uint32_t *tensor, wlk_error *error) {
    put out = {.builder = builder, .array = array};
    out.spec = (image_tensor_spec){.name = image_name(builder, name, strlen(name), offset),
                                   .dtype = py_dtype_of(array->dtype),
                                   .rank = array->rank,
                                   .shape = array->shape,
                                   .block = IMAGE_NONE,
                                   .file_offset = WLK_NO_OFFSET,
                                   .offset = offset};
    const wlk_status status = put_array(&out, artifact, size, tensor, error);
    arena_free(&out.memory);
    if (status == WLK_OK) return image_builder_status(builder, error);
    if (error && error->offset == WLK_NO_OFFSET && error->rule == RULE_NUMPY_TEXT) {
        error->offset = offset;
    }
    return status;
}
