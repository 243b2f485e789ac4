/* A model's specification, as `weighlock pack` reads it: what is accepted is a model like
 * any other. */
#include <jansson.h>

#include "base/error.h"
#include "input/json_spec.h"
#include "kit/heap.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_text;

/* Nothing lies in it: no tensor comes from a file. */
#define NO_FOLDER "/dev/null/none"

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status status =
        json_spec_parse((const char *)data, size, NO_FOLDER, fuzz_limits(), &model, error);
    if (status != WLK_OK) {
        FUZZ_CHECK(0, model == NULL);
        if (error->rule != RULE_INTERNAL_MEMORY) FUZZ_CHECK(9, error->text[0] != '\0');
        return status;
    }
    oracle_model(model, 0);
    wlk_model_free(model);
    return WLK_OK;
}

/* Of two bytes, "1,", metadata make an entry in tree and model, and of three, "{},", the
 * JSON library makes a table of 200. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_object_seed(1); /* the same table of keys in each run */
    json_set_alloc_funcs(heap_lend, heap_return);
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1 << 18, .memory_per_byte = 128}, data,
                    size);
}
