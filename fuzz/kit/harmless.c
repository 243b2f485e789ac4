#include "kit/harmless.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kit/kit.h"

/* Ranges of code points that no terminal may get (Unicode 15: categories Cc, Zl and Zp;
 * Bidi_Control; the byte order mark; tags). */
static const uint32_t harmful[][2] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},   {0x2028, 0x2029},
    {0x202a, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f},
};

/* A row for each length of a character (RFC 3629): its lead bytes, the least code point. */
static const struct {
    uint8_t first, last;
    uint32_t least;
} leads[] = {{0x00, 0x7f, 0}, {0xc0, 0xdf, 0x80}, {0xe0, 0xef, 0x800}, {0xf0, 0xf7, 0x10000}};

/* The length of the character at text[0..size); 0 if there is none. */
static size_t character(const uint8_t *text, size_t size, uint32_t *code) {
    size_t row = 0;
    while (row < 4 && (text[0] < leads[row].first || text[0] > leads[row].last)) row++;
    if (row == 4 || size <= row) return 0;
    *code = text[0] - (row ? leads[row].first : 0u);
    for (size_t i = 1; i <= row; i++) {
        if (text[i] >> 6 != 2) return 0;
        *code = *code * 64 + (text[i] & 63);
    }
    const bool exists = *code < 0xd800 || (*code > 0xdfff && *code <= 0x10ffff);
    return exists && *code >= leads[row].least ? row + 1 : 0;
}

void check_harmless(const char *text, size_t size) {
    size_t length = 0;
    for (size_t at = 0; at < size; at += length) {
        uint32_t code = 0;
        length = 1;
        if (text[at] >= 0x20 && text[at] < 0x7f) continue;
        length = character((const uint8_t *)text + at, size - at, &code);
        FUZZ_CHECK(9, length > 0);
        for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++) {
            FUZZ_CHECK(9, code < harmful[i][0] || code > harmful[i][1]);
        }
    }
}

void check_harmless_lines(const char *text, size_t size, size_t lines) {
    size_t at = 0;
    for (; lines > 0; lines--) {
        const char *end = at < size ? memchr(text + at, '\n', size - at) : NULL;
        FUZZ_CHECK(9, end != NULL);
        check_harmless(text + at, (size_t)(end - text) - at);
        at = (size_t)(end - text) + 1;
    }
    FUZZ_CHECK(9, at == size);
}

json_t *check_json_line(const char *text, size_t size) {
    json_error_t error;
    for (size_t i = 0; i < size; i++) FUZZ_CHECK(9, text[i] >= 0x20 && text[i] < 0x7f);
    json_t *value =
        json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    FUZZ_CHECK(9, value != NULL);
    return value;
}

void check_json_text(const json_t *value, const char *text, size_t size) {
    size_t characters = 0, at = 0;
    uint32_t code;
    FUZZ_CHECK(9, json_is_string(value));
    const char *got = json_string_value(value);
    const size_t length = json_string_length(value);
    for (size_t step = 1; at < size && step > 0; at += step) {
        step = character((const uint8_t *)text + at, size - at, &code);
    }
    if (at == size) {
        FUZZ_CHECK(9, length == size && memcmp(got, text, size) == 0);
        return;
    }
    for (size_t i = 0; i < length; i++) characters += ((uint8_t)got[i] & 0xc0) != 0x80;
    FUZZ_CHECK(9, characters == size);
}
