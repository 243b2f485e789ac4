#include "infer/text_case.h"

#include <string.h>

/* Upper case letters [first, last]: the lower case one is `distance` further, or, with a
 * step of 2, capitals and small letters alternate and it is the next. */
typedef struct case_range {
    uint16_t first;
    uint16_t last;
    int16_t distance;
    uint16_t step;
} case_range;

static const case_range ranges[] = {
    {0x00C0, 0x00D6, 32, 1},   {0x00D8, 0x00DE, 32, 1}, {0x0100, 0x012E, 1, 2},
    {0x0132, 0x0136, 1, 2},    {0x0139, 0x0147, 1, 2},  {0x014A, 0x0176, 1, 2},
    {0x0178, 0x0178, -121, 1}, {0x0179, 0x017D, 1, 2},  {0x0386, 0x0386, 38, 1},
    {0x0388, 0x038A, 37, 1},   {0x038C, 0x038C, 64, 1}, {0x038E, 0x038F, 63, 1},
    {0x0391, 0x03A1, 32, 1},   {0x03A3, 0x03AB, 32, 1}, {0x0400, 0x040F, 80, 1},
    {0x0410, 0x042F, 32, 1},   {0x0460, 0x0480, 1, 2},  {0x048A, 0x04BE, 1, 2},
    {0x04C1, 0x04CD, 1, 2},    {0x04D0, 0x052E, 1, 2},  {0x0531, 0x0556, 48, 1},
};

static unsigned change_letter(case_change change, unsigned letter) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const case_range *r = &ranges[i];
        const int away = change == CASE_LOWER ? 0 : r->distance;
        const int place = (int)letter - away - r->first;
        if (place < 0 || place > r->last - r->first || place % r->step != 0) continue;
        return (unsigned)((int)letter + (change == CASE_LOWER ? r->distance : -r->distance));
    }
    return letter;
}

static char change_ascii(case_change change, char c) {
    if (change == CASE_LOWER && c >= 'A' && c <= 'Z') return (char)(c + 32);
    if (change == CASE_UPPER && c >= 'a' && c <= 'z') return (char)(c - 32);
    return c;
}

uint64_t case_step(case_change change, text_span text, char out[2]) {
    const unsigned lead = (unsigned char)text.text[0];
    out[0] = change_ascii(change, text.text[0]);
    if (change == CASE_NONE || (lead & 0xE0) != 0xC0 || text.length < 2) return 1;
    const unsigned rest = (unsigned char)text.text[1];
    const unsigned letter = change_letter(change, (lead & 0x1F) << 6 | (rest & 0x3F));
    out[0] = (char)(0xC0 | letter >> 6);
    out[1] = (char)(0x80 | (letter & 0x3F));
    return 2;
}

static text_span behind(text_span text, uint64_t bytes) {
    return (text_span){text.text + bytes, text.length - bytes};
}

void case_copy(case_change change, text_span text, char *to) {
    while (text.length > 0) {
        char bytes[2];
        const uint64_t count = case_step(change, text, bytes);
        memcpy(to, bytes, count);
        to += count;
        text = behind(text, count);
    }
}

int case_compare(case_change change, text_span a, text_span b) {
    while (a.length > 0 && b.length > 0) {
        char left[2] = {0};
        char right[2] = {0};
        const uint64_t count = case_step(change, a, left);
        const uint64_t other = case_step(change, b, right);
        const int order = memcmp(left, right, count < other ? count : other);
        if (order != 0) return order;
        a = behind(a, count < other ? count : other);
        b = behind(b, count < other ? count : other);
    }
    return a.length > 0 ? 1 : b.length > 0 ? -1 : 0;
}
