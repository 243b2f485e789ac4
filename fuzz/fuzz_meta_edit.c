/* A change of metadata, as an operator types it: PATH, a line end, JSON; without JSON
 * what is at PATH is removed. What is accepted is written, and read back. */
#include <string.h>

#include <weighlock/parse.h>
#include <weighlock/write.h>

#include "base/error.h"
#include "base/memory.h"
#include "kit/kit.h"
#include "kit/oracle.h"

const fuzz_structure *const fuzz_input = &structure_text;

static wlk_status model_to_change(wlk_model **model, wlk_error *error) {
    wlk_writer *w;
    TRY(wlk_writer_new(fuzz_limits(), &w, error));
    wlk_writer_meta_strings(w, "/metadata/tags", (const char *const[]){"a", "b"}, 2);
    wlk_writer_meta_int(w, "/x-map/a~1b/d~0", 1);
    const wlk_status status = wlk_writer_finish(w, model, error);
    wlk_writer_free(w);
    return status;
}

/* What a writer writes every reader takes. */
static wlk_status change(char *path, const wlk_model *model, wlk_error *error) {
    uint8_t *file;
    uint64_t bytes;
    wlk_model *again;
    char *json = strchr(path, '\n');
    if (json) *json++ = '\0';
    const wlk_meta_edit edit = {.path = path, .json = json && *json ? json : NULL};
    const wlk_write_options options = {.edits = &edit, .edit_count = 1, .threads = 1};
    TRY(wlk_write_memory(model, &options, &file, &bytes, error));
    const wlk_status status = wlk_parse_memory(file, bytes, WLK_FORMAT_WLK, NULL, &again, error);
    FUZZ_CHECK(11, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    error->offset = WLK_NO_OFFSET; /* it was one in the file */
    if (status == WLK_OK) oracle_model(again, bytes);
    wlk_model_free(again);
    wlk_free(file);
    return status;
}
static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model = NULL;
    char *path = mem_zeroed(1, size + 2); /* both end with a NUL */
    if (!path) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (size) memcpy(path, data, size);
    wlk_status status = model_to_change(&model, error);
    if (status == WLK_OK) status = change(path, model, error);
    wlk_model_free(model);
    mem_free(path);
    return status;
}

/* "1," in a list is a value while it is read, and an entry in two models. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const fuzz_target target = {.run = run, .memory = 1 << 18, .memory_per_byte = 192};
    return fuzz_run(&target, data, size);
}
