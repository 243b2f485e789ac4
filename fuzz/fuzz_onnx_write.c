/* A model read from ONNX and written as ONNX: what is written is read again, has the same
 * ports, and is written as the same fields, if in another order. */
#include <string.h>

#include <weighlock/parse.h>
#include <weighlock/write.h>

#include "base/error.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_protobuf;

typedef struct round_trip {
    wlk_model *model, *again;
    uint8_t *first, *second;
    uint64_t first_size, second_size;
} round_trip;

static void round_trip_end(round_trip *r) {
    wlk_free(r->first);
    wlk_free(r->second);
    wlk_model_free(r->model);
    wlk_model_free(r->again);
}

/* What was written is right, if it is not too much. */
static wlk_status read_again(round_trip *r, wlk_error *error) {
    const wlk_status status =
        wlk_parse_memory(r->first, r->first_size, WLK_FORMAT_ONNX, fuzz_limits(), &r->again, error);
    if (status == WLK_OK) return WLK_OK;
    FUZZ_CHECK(11, status == WLK_LIMIT || error->rule == RULE_INTERNAL_MEMORY);
    error->offset = WLK_NO_OFFSET; /* a place in that file, not in the input */
    return status;
}

static const char *input_name(const wlk_model *model, uint32_t i) {
    return wlk_model_value(model, wlk_model_graph_input(model, 0, i)).name;
}

static void check_ports(const round_trip *r) {
    const wlk_graph a = wlk_model_graph(r->model, 0), b = wlk_model_graph(r->again, 0);
    FUZZ_CHECK(11, a.inputs == b.inputs && a.outputs == b.outputs);
    for (uint32_t i = 0; i < a.inputs; i++) {
        FUZZ_CHECK(11, strcmp(input_name(r->model, i), input_name(r->again, i)) == 0);
    }
}

/* Bytes as fields that were moved have them: each as often. */
static void check_same(const round_trip *r) {
    int64_t counts[256] = {0};
    FUZZ_CHECK(11, r->first_size == r->second_size);
    for (uint64_t i = 0; i < r->first_size; i++) {
        counts[r->first[i]]++;
        counts[r->second[i]]--;
    }
    for (int byte = 0; byte < 256; byte++) FUZZ_CHECK(11, counts[byte] == 0);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    __attribute__((cleanup(round_trip_end))) round_trip r = {0};
    TRY(wlk_parse_memory(data, size, WLK_FORMAT_ONNX, fuzz_limits(), &r.model, error));
    TRY(wlk_write_onnx_memory(r.model, &r.first, &r.first_size, error));
    TRY(read_again(&r, error));
    oracle_model(r.again, r.first_size);
    check_ports(&r);
    const wlk_status status = wlk_write_onnx_memory(r.again, &r.second, &r.second_size, error);
    FUZZ_CHECK(11, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    if (status != WLK_OK) return status;
    check_same(&r);
    return WLK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 8u << 20, .memory_per_byte = 2048}, data,
                    size);
}
