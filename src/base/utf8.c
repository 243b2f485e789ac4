#include "base/utf8.h"

#include <string.h>

/* Length of the well-formed sequence at text, 0 if there is none; the code
 * point in *code. */
static size_t decode(const uint8_t *text, size_t length, uint32_t *code) {
    const uint8_t lead = text[0];
    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) return 0;
    const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > length) return 0;
    uint32_t value = lead & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    const uint32_t smallest = size == 2 ? 0x80u : size == 3 ? 0x800u : 0x10000u;
    if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *code = value;
    return size;
}

/* Length of the run of ASCII at text; eight bytes a step. */
static size_t ascii_run(const uint8_t *text, size_t length) {
    size_t i = 0;
    for (; length - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        if (word & 0x8080808080808080ull) break;
    }
    while (i < length && text[i] < 0x80) i++;
    return i;
}

bool utf8_valid_payload(const uint8_t *text, size_t length) {
    size_t i = 0;
    while (i < length) {
        i += ascii_run(text + i, length - i);
        if (i == length) break;
        uint32_t code;
        const size_t size = decode(text + i, length - i, &code);
        if (size == 0) return false;
        i += size;
    }
    return true;
}

bool utf8_valid(const uint8_t *text, size_t length) {
    if (length == 0) return true;
    return memchr(text, 0, length) == NULL && utf8_valid_payload(text, length);
}

uint32_t utf8_encode(uint32_t code, uint8_t out[4]) {
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    const uint32_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (uint32_t i = length - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)((0xf00 >> length) | code);
    return length;
}

static bool is_harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f)         /* C0, DEL, C1 */
           || code == 0x061c || code == 0x200e || code == 0x200f /* ALM, LRM, RLM */
           || (code >= 0x2028 && code <= 0x202e)                 /* separators, embeddings */
           || (code >= 0x2066 && code <= 0x2069)                 /* isolates */
           || code == 0xfeff || (code >= 0xe0000 && code <= 0xe007f) /* BOM, tag characters */;
}

void utf8_make_harmless(char *text) {
    uint8_t *bytes = (uint8_t *)text;
    const size_t length = strlen(text);
    size_t i = 0;
    while (i < length) {
        uint32_t code = 0;
        const size_t size = decode(bytes + i, length - i, &code);
        if (size == 0 || is_harmful(code)) memset(bytes + i, '?', size ? size : 1);
        i += size ? size : 1;
    }
}
