/* Text: lines, fields between separators, numbers, base64. */
#include <ctype.h>

#include "kit/structure.h"

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    return mutate_bytes(data, size, room, random);
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    for (size_t at = 0; at < size; at++) {
        if (data[at] == '\n' || (isprint(data[at]) && data[at] != '\\')) {
            (void)fputc(data[at], out);
        } else {
            (void)fprintf(out, "\\x%02x", data[at]);
        }
    }
    if (size && data[size - 1] != '\n') (void)fputc('\n', out);
}

const fuzz_structure structure_text = {.name = "text", .mutate = mutate, .show = show};
