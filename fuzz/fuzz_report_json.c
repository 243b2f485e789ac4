/* What programs read of a stranger's text: the input's first line is a file's name and a key,
 * all of it a value. JSON of one line in ASCII comes out, which gives the text back. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "kit/harmless.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_text;

/* {"file": name, ..., "detail": text, ..., "bytes": data, "token": {name: 0.3}} */
static void write_all(FILE *out, char *name, const uint8_t *data, size_t size) {
    wlk_error error;
    json_out j = json_out_to(out, JSON_FLAT);
    (void)error_text(&error, RULE_INTERNAL_DEFECT, size, "%s", name);
    name[strcspn(name, "\n")] = '\0';
    json_begin_map(&j, JSON_FLAT);
    cli_json_refusal(&j, name, &error);
    json_key(&j, "bytes");
    json_text_of(&j, (const char *)data, size);
    json_key(&j, "token");
    json_begin_map(&j, JSON_LINES);
    json_key_token(&j, name);
    json_float(&j, (double)size / 3);
    json_end_map(&j);
    json_end_map(&j);
}

static void check(char *name, const uint8_t *data, size_t size) {
    char *line = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&line, &length);
    if (!out) abort();
    write_all(out, name, data, size);
    (void)fclose(out);
    json_t *object = check_json_line(line, length);
    check_json_text(json_object_get(object, "file"), name, strlen(name));
    check_json_text(json_object_get(object, "bytes"), (const char *)data, size);
    const json_t *detail = json_object_get(object, "detail");
    check_harmless(json_string_value(detail), strlen(json_string_value(detail)));
    FUZZ_CHECK(9, json_object_size(json_object_get(object, "token")) == 1);
    json_decref(object);
    free(line);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    char *text = mem_text_of((const char *)data, size);
    if (text) check(text, data, size);
    mem_free(text);
    return text ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* Each byte stands there up to three times as six; stream and reader double as they grow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const fuzz_target target = {.run = run, .memory = 1 << 16, .memory_per_byte = 128};
    return fuzz_run(&target, data, size);
}
