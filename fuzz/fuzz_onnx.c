/* An ONNX file whole: what the parser accepts the image validator accepts, and every byte of
 * it has a meaning. */
#include <weighlock/parse.h>

#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_protobuf;

/* What functions' calls and sparse tensors make of a file goes by these, not by its length:
 * small, so that the bound on memory means something. */
static const wlk_limits *limits(void) {
    static wlk_limits l;
    if (!l.file_bytes) {
        l = *fuzz_limits();
        l.nodes = l.values = l.attributes = 512;
        l.image_bytes = l.output_bytes = 1u << 16;
    }
    return &l;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    const wlk_status parsed =
        wlk_parse_memory(data, size, WLK_FORMAT_ONNX, limits(), &model, error);
    FUZZ_CHECK(5, parsed != WLK_CAGE);
    FUZZ_CHECK(6, (parsed == WLK_OK) == (model != NULL));
    if (parsed != WLK_OK) return parsed;
    oracle_model(model, size);
    wlk_model_free(model);
    return WLK_OK;
}

/* Image and builder's sections of what calls are replaced by, and the zeros of sparse tensors,
 * to 64 KiB each, and twice while they grow; each byte may be an empty message, which the
 * scan, the names and the image keep something of. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 20, .memory_per_byte = 512}, data,
                    size);
}
