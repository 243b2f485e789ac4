/* What people read of a stranger's text: the input's first line is a file's name, all of it
 * a detail. One line comes out that does nothing to a terminal. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "kit/harmless.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_text;

/* A refusal in a buffer of any size is cut, but not in the middle of a character. */
static void check_refusal(const char *name, const char *text, uint64_t hash, FILE *out) {
    wlk_error error;
    char line[1024];
    const wlk_rule rule = (wlk_rule)(1 + hash % (RULE_COUNT - 1));
    const uint64_t offset = hash % 3 ? hash : WLK_NO_OFFSET, room = 1 + hash % sizeof line;
    (void)error_text(&error, rule, offset, "%s: %s", hash % 2 ? name : "", text);
    check_harmless(error.text, strlen(error.text));
    FUZZ_CHECK(0, strlen(wlk_error_format(&error, line, room)) < room);
    check_harmless(line, strlen(line));
    cli_text_refusal(out, name, &error);
}

static void print(const char *text, FILE *out) {
    FILE *const standard = stdout;
    stdout = out;
    cli_print_short(text);
    cli_print_safe(text);
    stdout = standard;
    (void)fputc('\n', out);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    char *line = NULL, *text = mem_text_of((const char *)data, size);
    char *name = mem_text_of((const char *)data, strcspn(text ? text : "", "\n"));
    size_t length = 0;
    if (text && name) {
        FILE *out = open_memstream(&line, &length);
        FUZZ_CHECK(0, out != NULL);
        check_refusal(name, text, fuzz_hash(data, size), out);
        print(text, out);
        (void)fclose(out);
        check_harmless_lines(line, length, 2);
        free(line);
    }
    mem_free(name);
    mem_free(text);
    return text && name ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* Two copies, and all of it printed three times. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1 << 15, .memory_per_byte = 16}, data,
                    size);
}
