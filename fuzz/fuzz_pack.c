/* What `weighlock pack` does: a specification becomes a model, which is written, read as the
 * same model, and written again as the same bytes. */
#include <jansson.h>

#include "input/json_spec.h"
#include "kit/heap.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_text;

/* Nothing lies in it: no tensor comes from a file. */
#define NO_FOLDER "/dev/null/none"

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    wlk_status status =
        json_spec_parse((const char *)data, size, NO_FOLDER, fuzz_limits(), &model, error);
    if (status != WLK_OK) return status;
    status = oracle_fixed_point(model, error);
    wlk_model_free(model);
    return status;
}

/* Of two bytes, "1,", metadata make an entry in each of two models, and of three, "{},", the
 * JSON library makes a table of 200. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_object_seed(1); /* the same table of keys in each run */
    json_set_alloc_funcs(heap_lend, heap_return);
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1 << 18, .memory_per_byte = 128}, data,
                    size);
}
