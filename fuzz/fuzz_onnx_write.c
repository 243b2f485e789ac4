/* A model read from ONNX and written as ONNX: what is written is read again, has the same
 * ports, and is written once more as the same graphs. */
#include <string.h>

#include <weighlock/parse.h>
#include <weighlock/write.h>

#include "base/error.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_protobuf;

typedef struct round_trip {
    wlk_model *model, *again, *third;
    uint8_t *first, *second;
    uint64_t first_size, second_size;
} round_trip;

static void round_trip_end(round_trip *r) {
    wlk_free(r->first);
    wlk_free(r->second);
    wlk_model_free(r->model);
    wlk_model_free(r->again);
    wlk_model_free(r->third);
}

/* What was written is right, if it is not too much. */
static wlk_status read_again(const uint8_t *data, uint64_t size, wlk_model **model,
                             wlk_error *error) {
    const wlk_status status =
        wlk_parse_memory(data, size, WLK_FORMAT_ONNX, fuzz_limits(), model, error);
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

/* What is the same however a list is stored. */
static wlk_status check_same(round_trip *r, wlk_error *error) {
    static const wlk_section sections[] = {WLK_SECTION_GRAPHS, WLK_SECTION_NODES,
                                           WLK_SECTION_VALUES, WLK_SECTION_OPSETS};
    TRY(read_again(r->second, r->second_size, &r->third, error));
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        FUZZ_CHECK(
            11, wlk_model_count(r->again, sections[i]) == wlk_model_count(r->third, sections[i]));
    }
    return WLK_OK;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    __attribute__((cleanup(round_trip_end))) round_trip r = {0};
    TRY(wlk_parse_memory(data, size, WLK_FORMAT_ONNX, fuzz_limits(), &r.model, error));
    TRY(wlk_write_onnx_memory(r.model, &r.first, &r.first_size, error));
    TRY(read_again(r.first, r.first_size, &r.again, error));
    oracle_model(r.again, r.first_size);
    check_ports(&r);
    const wlk_status status = wlk_write_onnx_memory(r.again, &r.second, &r.second_size, error);
    FUZZ_CHECK(11, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    if (status != WLK_OK) return status;
    return check_same(&r, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 8u << 20, .memory_per_byte = 2048}, data,
                    size);
}
