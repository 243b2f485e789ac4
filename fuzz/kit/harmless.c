#include "kit/harmless.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/oracle_parts.h"

/* Ranges of code points that no terminal may get (Unicode 15: categories Cc, Zl and Zp;
 * Bidi_Control; the byte order mark; tags). */
static const uint32_t harmful[][2] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},   {0x2028, 0x2029},
    {0x202a, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f},
};

void check_harmless(const char *text, size_t size) {
    size_t length = 0;
    for (size_t at = 0; at < size; at += length) {
        uint32_t code = 0;
        length = 1;
        if (text[at] >= 0x20 && text[at] < 0x7f) continue;
        length = oracle_character((const uint8_t *)text + at, size - at, &code);
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
        step = oracle_character((const uint8_t *)text + at, size - at, &code);
    }
    if (at == size) {
        FUZZ_CHECK(9, length == size && memcmp(got, text, size) == 0);
        return;
    }
    for (size_t i = 0; i < length; i++) characters += ((uint8_t)got[i] & 0xc0) != 0x80;
    FUZZ_CHECK(9, characters == size);
}
