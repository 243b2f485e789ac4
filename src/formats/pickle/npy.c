#include <string.h>

#include "base/checked.h"
#include "base/npy_header.h"
#include "formats/formats.h"
#include "formats/pickle/numpy_parts.h"

#define TENSOR_NAME "array"

int npy_begins(const uint8_t *data, uint64_t size) {
    return size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0;
}

typedef struct npy_file {
    const format_input *input;
    image_builder *builder;
    npy_header header;
    cursor body; /* behind the header */
} npy_file;

/* Header, then elements or opcodes; the tensor's payload if it lies here as it is. */
static wlk_status put_spans(const npy_file *file, wlk_span_kind kind, uint32_t tensor,
                            wlk_error *error) {
    const cursor *body = &file->body;
    const uint32_t of = kind == WLK_SPAN_PAYLOAD ? tensor : IMAGE_NONE;
    (void)image_span(file->builder, WLK_SPAN_HEADER, 0, body->base, IMAGE_NONE);
    (void)image_span(file->builder, kind, body->base, body->size, of);
    const uint32_t path = image_string(file->builder, "/kind", 5, WLK_NO_OFFSET);
    const uint32_t text = image_string(file->builder, "weights", 7, WLK_NO_OFFSET);
    (void)image_meta(file->builder, path, WLK_META_STRING, text, WLK_NO_OFFSET);
    return image_builder_status(file->builder, error);
}

static wlk_status put_array(const npy_file *file, const py_array *array, wlk_span_kind kind,
                            wlk_error *error) {
    uint32_t tensor;
    TRY(py_array_tensor(array, file->builder, TENSOR_NAME, file->input->data, file->input->size,
                        file->header.descr_offset, &tensor, error));
    return put_spans(file, kind, tensor, error);
}

/* ---- numbers and texts */

/* The letter of a dtype is that of its name, but for texts. */
static wlk_status element_dtype(const npy_header *header, py_dtype *dtype, wlk_error *error) {
    const bool text = header->dtype == WLK_STR;
    if (header->item_bytes > UINT32_MAX) {
        return error_at(error, RULE_NPY_DTYPE, header->descr_offset);
    }
    dtype->kind = text ? (header->utf32 ? 'U' : 'S') : wlk_dtype_name(header->dtype)[0];
    dtype->itemsize = (uint32_t)header->item_bytes;
    dtype->big = header->big_endian && dtype->itemsize > 1 && dtype->kind != 'S';
    dtype->built = true;
    return WLK_OK;
}

static wlk_status check_size(const npy_file *file, wlk_error *error) {
    uint64_t needed;
    const uint64_t left = file->body.size;
    const bool fits = checked_mul(file->header.count, file->header.item_bytes, &needed);
    if (!fits || needed > left) {
        return error_text(error, RULE_NPY_TRUNCATED, file->input->size,
                          "%llu elements of %llu bytes, %llu bytes are there",
                          (unsigned long long)file->header.count,
                          (unsigned long long)file->header.item_bytes, (unsigned long long)left);
    }
    if (needed == left) return WLK_OK;
    return error_at(error, RULE_NPY_TRAILING, file->body.base + needed);
}

static wlk_status read_elements(const npy_file *file, wlk_error *error) {
    const npy_header *header = &file->header;
    py_dtype dtype = {0};
    py_array array = {.dtype = &dtype, .rank = header->rank, .count = header->count};
    TRY(element_dtype(header, &dtype, error));
    TRY(check_size(file, error));
    for (uint32_t i = 0; i < header->rank; i++) array.shape[i] = header->shape[i];
    array.fortran = header->fortran && array.count > 0 && array.rank > 1;
    TRY(numpy_elements(&array, file->body.data, file->body.size, file->body.base, error));
    const bool as_it_is = !array.fortran && !dtype.big && header->dtype != WLK_STR;
    return put_array(file, &array, as_it_is ? WLK_SPAN_PAYLOAD : WLK_SPAN_ARRAY, error);
}

/* ---- objects: a pickle of the array */

static bool same_shape(const py_array *array, const npy_header *header) {
    bool same = array->rank == header->rank;
    for (uint32_t i = 0; same && i < array->rank; i++) same = array->shape[i] == header->shape[i];
    return same;
}

static wlk_status read_objects(const npy_file *file, pickle *p, wlk_error *error) {
    py_value *value;
    TRY(pickle_read(p, &value, error));
    if (cursor_left(&p->stream) > 0) {
        return error_at(error, RULE_NPY_TRAILING, cursor_offset(&p->stream));
    }
    if (value->kind != PY_ARRAY || value->array->dtype->kind != 'O' ||
        !same_shape(value->array, &file->header)) {
        return error_text(error, RULE_NUMPY_ARRAY, value->offset,
                          "the pickle holds another array than the header says");
    }
    return put_array(file, value->array, WLK_SPAN_OPCODES, error);
}

static wlk_status read_pickle(const npy_file *file, wlk_error *error) {
    pickle p = {.limits = file->input->limits, .stream = file->body, .depth = 1};
    const wlk_status status = read_objects(file, &p, error);
    pickle_close(&p);
    return status;
}

static wlk_status read_header(npy_file *file, wlk_error *error) {
    cursor start = cursor_over(file->input->data, file->input->size, 0);
    const wlk_status status = npy_header_parse(&start, &file->header, error);
    file->body = cursor_rest(&start);
    /* The same header, of rows to predict, is refused by its reader's own rule. */
    if (status != WLK_OK && error && error->rule == RULE_INPUT_SHAPE) {
        return error_at(error, RULE_TENSOR_SHAPE, error->offset);
    }
    return status;
}

wlk_status format_parse_npy(const format_input *input, image_builder *builder, wlk_error *error) {
    npy_file file = {.input = input, .builder = builder};
    if (input->absent > 0) return error_at(error, RULE_NPY_TRUNCATED, input->size);
    TRY(read_header(&file, error));
    return file.header.objects ? read_pickle(&file, error) : read_elements(&file, error);
}
