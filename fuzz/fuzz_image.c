/* The image validator over whatever a captured child may send: what it accepts is a model
 * that can be read to its last byte (invariants 5, 7, 11 and 12). The input: input_image.h. */
#include "kit/input_image.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_image;

/* As many records as the limits in force allow, and no more. */
static void check_limits(const wlk_model *model, const wlk_limits *limits) {
    const struct {
        wlk_section section;
        uint64_t most;
    } bounds[] = {{WLK_SECTION_TENSORS, limits->tensors},
                  {WLK_SECTION_VALUES, limits->values},
                  {WLK_SECTION_GRAPHS, limits->graphs},
                  {WLK_SECTION_NODES, limits->nodes},
                  {WLK_SECTION_ATTRIBUTES, limits->attributes},
                  {WLK_SECTION_METADATA, limits->metadata_entries},
                  {WLK_SECTION_SELFTESTS, limits->selftests}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        FUZZ_CHECK(7, wlk_model_count(model, bounds[i].section) <= bounds[i].most);
    }
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_limits limits = image_input_limits(data, size);
    TRY(image_input_validate(data, size, &limits, &model, error));
    if (!model) return WLK_OK; /* more payload than is run */
    check_limits(model, &limits);
    oracle_model(model, image_input_parts(data, size).head.file_bytes);
    wlk_model_free(model);
    return WLK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run,
                                   .memory = IMAGE_INPUT_MEMORY,
                                   .memory_per_byte = IMAGE_INPUT_MEMORY_PER_BYTE},
                    data, size);
}
