/* Says what is in a model file, in this process: for files of one's own, for fuzzing, or
 * where something else confines the process. Nothing is verified, and nothing stands between
 * the file and whoever calls this: a stranger's file is for wlk_load_path.
 *
 *   cc -Iinclude -o parse docs/examples/parse.c build/lib/libweighlock-parse.a -lmsgpackc
 *   ./parse small.wlk */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <weighlock/parse.h>

#define MOST_BYTES (64u << 20)

static int refused(const wlk_error *error) {
    char text[512];
    fprintf(stderr, "%s: %s\n", wlk_rule_name(error->rule),
            wlk_error_format(error, text, sizeof text));
    return error->status;
}

static void show(const wlk_model *model) {
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        printf("%s: %s, %" PRIu64 " elements\n", t.name, wlk_dtype_name(t.dtype), t.count);
    }
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    uint8_t *data = malloc(MOST_BYTES);
    if (!file || !data) return WLK_USAGE;
    const size_t size = fread(data, 1, MOST_BYTES, file);
    fclose(file);
    wlk_limits limits;
    wlk_model *model;
    wlk_error error;
    wlk_limits_default(&limits);
    limits.output_bytes = MOST_BYTES; /* less than the default, since here is no child */
    const wlk_status status =
        wlk_parse_memory(data, size, WLK_FORMAT_NONE, &limits, &model, &error);
    free(data); /* the model has copies */
    if (status != WLK_OK) return refused(&error);
    show(model);
    wlk_model_free(model);
    return 0;
}
