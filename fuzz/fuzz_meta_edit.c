/* A change of metadata, as an operator types it: PATH, a line end, JSON; without JSON
 * what is at PATH is removed. What is accepted is written, and read back. */
#include <stdlib.h>
#include <string.h>

#include <weighlock/write.h>

#include "formats/formats.h"
#include "image/memory_sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static wlk_model *model_to_change(void) {
    wlk_writer *w;
    wlk_model *model;
    if (wlk_writer_new(NULL, &w, NULL) != WLK_OK) abort();
    wlk_writer_meta_strings(w, "/metadata/tags", (const char *const[]){"a", "b"}, 2);
    wlk_writer_meta_int(w, "/x-map/a~1b/c", 1);
    wlk_writer_meta_null(w, "/x-map/d~0");
    if (wlk_writer_finish(w, &model, NULL) != WLK_OK) abort();
    wlk_writer_free(w);
    return model;
}

static void read_back(const uint8_t *file, uint64_t size) {
    wlk_limits limits;
    wlk_model *model; /* what a writer writes, every reader takes */
    wlk_limits_default(&limits);
    memory_sink *sink = memory_sink_new(&limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&limits, &interface);
    const format_input input = {.data = file, .size = size, .limits = &limits};
    if (wlk_parse(&input, builder, NULL) != WLK_OK) abort();
    if (image_build_model(builder, sink, size, &limits, &model, NULL) != WLK_OK) abort();
    wlk_model_free(model);
    image_builder_free(builder);
    memory_sink_free(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *file;
    uint64_t bytes;
    char *path = calloc(1, size + 2); /* both end with a NUL */
    if (!path) abort();
    memcpy(path, data, size);
    char *json = strchr(path, '\n');
    if (json) *json++ = '\0';
    const wlk_meta_edit edit = {.path = path, .json = json && *json ? json : NULL};
    const wlk_write_options options = {.edits = &edit, .edit_count = 1, .threads = 1};
    wlk_model *model = model_to_change();
    const wlk_status status = wlk_write_memory(model, &options, &file, &bytes, NULL);
    if (status == WLK_OK) read_back(file, bytes);
    if (status != WLK_OK && status != WLK_REFUSED && status != WLK_USAGE && status != WLK_LIMIT) {
        abort();
    }
    wlk_free(file);
    wlk_model_free(model);
    free(path);
    return 0;
}
