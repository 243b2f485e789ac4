/* Bytes without structure: what is small enough for an engine to find its way alone. */
#include <ctype.h>

#include "kit/structure.h"

#define LINE_BYTES 16

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    return mutate_bytes(data, size, room, random);
}

static void show_line(const uint8_t *data, size_t at, size_t size, FILE *out) {
    (void)fprintf(out, "%9zu ", at);
    for (size_t i = 0; i < LINE_BYTES; i++) {
        if (i < size) {
            (void)fprintf(out, " %02x", data[at + i]);
        } else {
            (void)fputs("   ", out);
        }
    }
    (void)fputs("  ", out);
    for (size_t i = 0; i < size; i++) {
        (void)fputc(isprint(data[at + i]) ? data[at + i] : '.', out);
    }
    (void)fputc('\n', out);
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    for (size_t at = 0; at < size; at += LINE_BYTES) {
        show_line(data, at, size - at < LINE_BYTES ? size - at : LINE_BYTES, out);
    }
}

const fuzz_structure structure_bytes = {.name = "bytes", .mutate = mutate, .show = show};
