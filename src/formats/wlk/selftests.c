
#include "base/memory.h"
#include "formats/wlk/reader.h"
#include "image/checks.h"

enum { SELFTEST_ATOL, SELFTEST_INPUTS, SELFTEST_OUTPUTS, SELFTEST_RTOL, SELFTEST_KEYS };
static const schema_key selftest_keys[SELFTEST_KEYS] = {
    [SELFTEST_ATOL] = {"atol", KIND_FLOAT, true, false},
    [SELFTEST_INPUTS] = {"inputs", KIND_ARRAY, true, false},
    [SELFTEST_OUTPUTS] = {"outputs", KIND_ARRAY, true, false},
    [SELFTEST_RTOL] = {"rtol", KIND_FLOAT, true, false},
};
static const schema selftest_schema = SCHEMA_OF(selftest_keys);

static void free_tensors(uint32_t **tensors) {
    mem_free(*tensors);
}
#define TENSORS_CLEANUP __attribute__((cleanup(free_tensors)))

/* As many names of tensors as the main graph has inputs, or outputs. */
static wlk_status read_tensors(const reader *r, const element *e, const msgpack_object *list,
                               uint64_t count, uint32_t **tensors, wlk_error *error) {
    const msgpack_object_array *names = &list->via.array;
    if (names->size != count) return element_refuse(e, list, RULE_HEADER_SELFTEST_COUNT, error);
    TRY(schema_check_list(e, list, KIND_STR, error));
    *tensors = mem_zeroed(count, sizeof **tensors);
    if (!*tensors) return element_refuse(e, list, RULE_INTERNAL_MEMORY, error);
    for (uint32_t i = 0; i < count; i++) {
        TRY(scope_find_tensor(r, e, &names->ptr[i], &(*tensors)[i], error));
    }
    return WLK_OK;
}

/* A dimension that is declared as a number must be that number. */
static bool tensor_fits(const main_input *input, const tensor_entry *tensor) {
    if (!input->is_tensor || input->dtype != tensor->dtype) return false;
    if (!input->has_shape) return true;
    if (input->rank != tensor->rank) return false;
    for (uint32_t i = 0; i < input->rank; i++) {
        const int64_t dim = input->dims[i];
        if (dim != WLK_UNKNOWN_DIM && (uint64_t)dim != tensor->shape[i]) return false;
    }
    return true;
}

static wlk_status check_inputs(const reader *r, const element *e, const msgpack_object *list,
                               const uint32_t *tensors, wlk_error *error) {
    for (uint32_t i = 0; i < r->main_input_count; i++) {
        if (tensor_fits(&r->main_inputs[i], &r->tensors[tensors[i]])) continue;
        return element_refuse(e, &list->via.array.ptr[i], RULE_HEADER_SELFTEST_INPUT, error);
    }
    return WLK_OK;
}

static wlk_status check_tolerance(const element *e, const msgpack_object *number,
                                  wlk_error *error) {
    if (tolerance_valid(f64_bits(number->via.f64))) return WLK_OK;
    return element_refuse(e, number, RULE_SELFTEST_TOLERANCE, error);
}

static wlk_status build_selftest(const reader *r, const element *e, uint32_t outputs,
                                 wlk_error *error) {
    const msgpack_object *fields[SELFTEST_KEYS];
    TENSORS_CLEANUP uint32_t *in = NULL;
    TENSORS_CLEANUP uint32_t *out = NULL;
    TRY(schema_read(e, e->root, &selftest_schema, fields, error));
    TRY(check_tolerance(e, fields[SELFTEST_ATOL], error));
    TRY(check_tolerance(e, fields[SELFTEST_RTOL], error));
    TRY(read_tensors(r, e, fields[SELFTEST_INPUTS], r->main_input_count, &in, error));
    TRY(check_inputs(r, e, fields[SELFTEST_INPUTS], in, error));
    TRY(read_tensors(r, e, fields[SELFTEST_OUTPUTS], outputs, &out, error));
    (void)image_selftest(r->builder, in, r->main_input_count, out, outputs,
                         fields[SELFTEST_RTOL]->via.f64, fields[SELFTEST_ATOL]->via.f64,
                         e->slice.base);
    return reader_built(r, error);
}

wlk_status selftests_build(const reader *r, wlk_error *error) {
    cursor at, ports;
    uint32_t count;
    if (r->fields[HEADER_SELFTEST].size == 0) return WLK_OK;
    TRY(reader_array(r->fields[HEADER_SELFTEST], r->limits->selftests, RULE_LIMIT_SELFTESTS, &at,
                     &count, error));
    const uint32_t outputs = reader_array_again(r->graphs[0].fields[GRAPH_OUTPUTS], &ports);
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    for (uint32_t i = 0; i < count; i++) {
        TRY(element_next(&e, &at, r->max_objects, error));
        TRY(build_selftest(r, &e, outputs, error));
    }
    return WLK_OK;
}
