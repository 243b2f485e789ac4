#include "base/checked.h"
#include "base/dtype.h"
#include "base/memory.h"
#include "formats/onnx/tensor.h"

#define FREE_BYTES (64ull << 20) /* that sparse tensors may become, whatever the file's size */
#define CHUNK 4096

typedef struct sparse {
    tensor_form values;
    tensor_form indices;
    uint64_t shape[WLK_MAX_RANK];
    uint32_t rank;
    uint32_t width; /* bytes of an element */
    uint64_t count; /* elements of the dense tensor */
    uint64_t nbytes;
    uint8_t *elements; /* copies, if they are not raw */
    uint8_t *places;
} sparse;

static void sparse_close(sparse *s) {
    mem_free(s->elements);
    mem_free(s->places);
}

/* Indices are [n], counted in the flattened tensor, or [n, rank]. */
static bool indices_fit(const sparse *s) {
    const tensor_form *in = &s->indices;
    if (s->values.rank != 1 || in->dtype != WLK_I64 || in->rank < 1 || in->rank > 2) return false;
    if (in->shape[0] != s->values.count) return false;
    return in->rank == 1 || in->shape[1] == s->rank;
}

/* A file of a few bytes must not ask for gigabytes of zeros. */
static wlk_status charge(reader *r, const sparse *s, uint64_t offset, wlk_error *error) {
    const uint64_t most = r->input->size > FREE_BYTES ? r->input->size : FREE_BYTES;
    if (!checked_add(r->dense, s->nbytes, &r->dense) || r->dense > most) {
        return error_at(error, RULE_ONNX_SPARSE_SIZE, offset);
    }
    return WLK_OK;
}

static wlk_status sparse_open(reader *r, cursor message, sparse *s, wlk_error *error) {
    TRY(onnx_tensor_open(r, onnx_proto_bytes_of(message, SPARSE_VALUES), &s->values, error));
    TRY(onnx_tensor_open(r, onnx_proto_bytes_of(message, SPARSE_INDICES), &s->indices, error));
    TRY(onnx_tensor_dims(r, message, SPARSE_DIMS, s->shape, &s->rank, error));
    if (!shape_count(s->shape, s->rank, &s->count)) {
        return error_at(error, RULE_TENSOR_SHAPE, message.base);
    }
    const uint32_t bits = wlk_dtype_bits(s->values.dtype);
    s->width = bits / 8;
    if (bits < 8 || !indices_fit(s) || !checked_mul(s->count, s->width, &s->nbytes)) {
        return error_at(error, RULE_ONNX_SPARSE, message.base);
    }
    return charge(r, s, message.base, error);
}

/* A tensor's elements in memory: where they lie, or decoded into *copy. */
static wlk_status load(const tensor_form *form, uint8_t **copy, const uint8_t **data,
                       wlk_error *error) {
    *data = form->raw.data;
    if (form->is_raw) return WLK_OK;
    *data = *copy = mem_alloc(form->nbytes);
    if (!*copy) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    return onnx_numbers_copy(&form->list, onnx_element_form(form->dtype), *copy, error);
}

/* The place of element i in the flattened tensor; false if it lies outside. */
static bool place_of(const sparse *s, const uint8_t *indices, uint64_t i, uint64_t *place) {
    if (s->indices.rank == 1) {
        *place = load_u64(indices + i * 8);
        return *place < s->count;
    }
    *place = 0;
    for (uint32_t axis = 0; axis < s->rank; axis++) {
        const uint64_t at = load_u64(indices + (i * s->rank + axis) * 8);
        if (at >= s->shape[axis]) return false;
        *place = *place * s->shape[axis] + at; /* below count */
    }
    return true;
}

static void put_zeros(reader *r, uint64_t bytes) {
    static const uint8_t zeros[CHUNK];
    while (bytes > 0) {
        const uint64_t part = bytes < CHUNK ? bytes : CHUNK;
        if (image_payload(r->builder, zeros, part) != WLK_OK) return;
        bytes -= part;
    }
}

/* In ascending order, none twice. */
static wlk_status put_elements(reader *r, const sparse *s, const uint8_t *elements,
                               const uint8_t *indices, wlk_error *error) {
    uint64_t next = 0;
    for (uint64_t i = 0; i < s->values.count; i++) {
        uint64_t place;
        if (!place_of(s, indices, i, &place) || place < next) {
            return error_at(error, RULE_ONNX_SPARSE, s->indices.message.base);
        }
        put_zeros(r, (place - next) * s->width);
        (void)image_payload(r->builder, elements + i * s->width, s->width);
        next = place + 1;
    }
    put_zeros(r, (s->count - next) * s->width);
    return onnx_built(r, error);
}

wlk_status onnx_sparse_read(reader *r, cursor message, uint32_t name, uint32_t *tensor,
                            wlk_error *error) {
    __attribute__((cleanup(sparse_close))) sparse s = {0};
    const uint8_t *elements, *indices;
    TRY(sparse_open(r, message, &s, error));
    TRY(load(&s.values, &s.elements, &elements, error));
    TRY(load(&s.indices, &s.places, &indices, error));
    const image_tensor_spec spec = {.name = name,
                                    .dtype = s.values.dtype,
                                    .rank = s.rank,
                                    .shape = s.shape,
                                    .block = IMAGE_NONE,
                                    .nbytes = s.nbytes,
                                    .file_offset = WLK_NO_OFFSET,
                                    .offset = message.base};
    *tensor = image_tensor_begin(r->builder, &spec);
    TRY(onnx_built(r, error));
    return put_elements(r, &s, elements, indices, error);
}
