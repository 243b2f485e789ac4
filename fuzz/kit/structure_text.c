/* Text: lines, fields between separators, quoted strings, numbers, base64, JSON values. A
 * change finds one such piece at a random place and changes it as a whole; base64 is
 * changed as the bytes that it stands for. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kit/structure.h"

#define MOST_CHANGES 3
#define PAYLOAD_BYTES 1024 /* of base64 that is decoded */
#define LEAST_BASE64 20    /* characters: shorter runs are words */
#define NEST_MOST 40       /* levels put around a value at once */
#define MOST_BLANKS 64     /* in front of a value */
#define VALUE_BYTES 512    /* of a value that is put elsewhere */
#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct text {
    uint8_t *data;
    size_t size, room;
    fuzz_random *random;
} text;

/* data[at..at + length) */
typedef struct span {
    size_t at, length;
} span;

/* ---- putting pieces in */

/* Puts `with` in the place of the span; what there is no room for is left out. */
static void splice(text *t, span s, const void *with, size_t length) {
    const size_t behind = t->size - s.at - s.length;
    if (length > t->room - s.at) length = t->room - s.at;
    const size_t kept = behind < t->room - s.at - length ? behind : t->room - s.at - length;
    memmove(t->data + s.at + length, t->data + s.at + s.length, kept);
    if (length) memcpy(t->data + s.at, with, length);
    t->size = s.at + length + kept;
}

/* The same with bytes of the text itself, at most VALUE_BYTES of them. */
static void splice_own(text *t, span s, span from) {
    uint8_t copy[VALUE_BYTES];
    if (from.length > sizeof copy) from.length = sizeof copy;
    memcpy(copy, t->data + from.at, from.length);
    splice(t, s, copy, from.length);
}

static void splice_word(text *t, span s, const char *word) {
    splice(t, s, word, strlen(word));
}

static size_t below(text *t, size_t bound) {
    return random_below(t->random, bound);
}

/* ---- finding pieces: the first of a kind from a random place on, then from the start */

typedef bool (*span_at)(const text *t, size_t at, span *found);

static bool find(text *t, span_at kind, span *found) {
    const size_t start = below(t, t->size);
    for (size_t i = 0; i < t->size; i++) {
        const size_t at = start + i < t->size ? start + i : start + i - t->size;
        if (kind(t, at, found)) return true;
    }
    return false;
}

static bool line_at(const text *t, size_t at, span *found) {
    if (at > 0 && t->data[at - 1] != '\n') return false;
    const uint8_t *end = memchr(t->data + at, '\n', t->size - at);
    *found = (span){at, end ? (size_t)(end - t->data) - at + 1 : t->size - at};
    return true;
}

static bool separator(uint8_t c) {
    return c != '\0' && strchr(",\t =:()|/\r\n", c) != NULL;
}

static bool field_at(const text *t, size_t at, span *found) {
    size_t end = at;
    if (at > 0 && !separator(t->data[at - 1])) return false;
    while (end < t->size && !separator(t->data[end])) end++;
    *found = (span){at, end - at};
    return true;
}

static bool number_at(const text *t, size_t at, span *found) {
    size_t end = at;
    if (at > 0 && isdigit(t->data[at - 1])) return false;
    while (end < t->size && isdigit(t->data[end])) end++;
    *found = (span){at, end - at};
    return end > at;
}

/* The end of a string whose first quote stands at `at`: behind its last. */
static size_t string_end(const text *t, size_t at) {
    const uint8_t quote = t->data[at++];
    while (at < t->size && t->data[at] != quote && t->data[at] != '\n') {
        at += t->data[at] == '\\' && t->size - at > 1 ? 2 : 1;
    }
    return at < t->size ? at + 1 : t->size;
}

static bool string_at(const text *t, size_t at, span *found) {
    if (t->data[at] != '"' && t->data[at] != '\'') return false;
    *found = (span){at, string_end(t, at) - at};
    return found->length >= 2;
}

/* The end of a list or map, whatever stands in it. */
static size_t bracket_end(const text *t, size_t at) {
    size_t depth = 0;
    while (at < t->size) {
        const uint8_t c = t->data[at];
        if (c == '"') {
            at = string_end(t, at);
            continue;
        }
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        at++;
        if (depth == 0) break;
    }
    return at;
}

static size_t word_end(const text *t, size_t at) {
    while (at < t->size &&
           (isalnum(t->data[at]) || strchr("+-._", t->data[at] ? t->data[at] : ' ')))
        at++;
    return at;
}

/* A JSON value: what follows a bracket, a comma or a colon. */
static bool value_at(const text *t, size_t at, span *found) {
    size_t before = at;
    while (before > 0 && at - before < MOST_BLANKS && isspace(t->data[before - 1])) before--;
    if (before == 0 || !t->data[before - 1] || !strchr("[{,:", t->data[before - 1])) return false;
    const uint8_t c = t->data[at];
    size_t end = c == '[' || c == '{' ? bracket_end(t, at)
                 : c == '"'           ? string_end(t, at)
                                      : word_end(t, at);
    *found = (span){at, end - at};
    return end > at;
}

static bool base64_character(uint8_t c) {
    return isalnum(c) || c == '+' || c == '/';
}

static bool base64_at(const text *t, size_t at, span *found) {
    size_t end = at;
    if (at > 0 && base64_character(t->data[at - 1])) return false;
    while (end < t->size && base64_character(t->data[end])) end++;
    while (end < t->size && t->data[end] == '=' && end - at < 4 * PAYLOAD_BYTES / 3) end++;
    *found = (span){at, end - at};
    return end - at >= LEAST_BASE64;
}

/* ---- lines and fields */

static void change_lines(text *t) {
    static const char *const ends[] = {"", "\r\n", "\r", "\n\n", "\v\n", " \n", "\xe2\x80\xa8"};
    span line, other;
    if (!find(t, line_at, &line) || !find(t, line_at, &other)) return;
    switch (below(t, 5)) {
        case 0: /* it stands elsewhere too */
            splice_own(t, (span){other.at, 0}, line);
            break;
        case 1: /* in the place of another */
            splice_own(t, other, line);
            break;
        case 2:
            splice(t, line, NULL, 0);
            break;
        case 3: /* it ends otherwise */
            if (t->data[line.at + line.length - 1] != '\n') return;
            splice_word(t, (span){line.at + line.length - 1, 1}, ends[below(t, COUNT(ends))]);
            break;
        default: /* the text ends here */
            t->size = line.at + below(t, line.length + 1);
    }
}

static void change_fields(text *t) {
    static const char marks[] = ",\t =:()|/\n\"";
    span field, other;
    if (!find(t, field_at, &field) || !find(t, field_at, &other)) return;
    switch (below(t, 5)) {
        case 0: /* say it twice */
            splice_own(t, (span){field.at, 0}, field);
            break;
        case 1:
            splice_own(t, other, field);
            break;
        case 2:
            splice(t, field, NULL, 0);
            break;
        case 3: /* another mark behind it */
            if (field.at + field.length == t->size) return;
            t->data[field.at + field.length] = (uint8_t)marks[below(t, sizeof marks)];
            break;
        default: /* one more field, an empty one */
            splice(t, (span){field.at, 0}, &marks[below(t, sizeof marks - 1)], 1);
    }
}

/* ---- numbers and strings */

/* What may stand around a number. */
static const char *const forms[][2] = {
    {"", ""},   {"0", ""},    {"-", ""},   {"+", ""},    {"", ".5"},   {".", ""},
    {"0x", ""}, {"", "e308"}, {"1e-", ""}, {"", " KiB"}, {"", "0000"}, {"", ".000"},
};

static void change_number(text *t) {
    char number[64];
    span found;
    if (!find(t, number_at, &found)) return;
    const char *const *form = forms[below(t, 2) ? 0 : below(t, COUNT(forms))];
    const uint64_t value = below(t, 2) ? below(t, 16) : random_edge(t->random);
    const int length =
        snprintf(number, sizeof number, "%s%llu%s", form[0], (unsigned long long)value, form[1]);
    splice(t, found, number, (size_t)length);
}

/* What text must be harmless against: controls, both kinds of bidirectional characters,
 * what is no UTF-8, JSON's escapes, and what is too long. */
static const char *const nasty[] = {
    "\x1b[2J",
    "\xe2\x80\xae",
    "\xe2\x81\xa6",
    "\xed\xa0\x80",
    "\xc0\xaf",
    "\xf4\x90\x80\x80",
    "\xff",
    "\xef\xbb\xbf",
    "\x7f",
    "\xc2\x9b",
    "\xf3\xa0\x80\x81",
    "\\ud800",
    "\\u0000",
    "\\u202e",
    "\\\"",
    "\"\"",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "~1~0",
    "../",
    "\r",
    "\t",
    "%s%n",
    "nan",
};

static void change_string(text *t) {
    span found, other;
    if (!find(t, string_at, &found) || !find(t, string_at, &other)) return;
    const span inside = {found.at + 1, found.length - 2};
    switch (below(t, 4)) {
        case 0:
            splice_own(t, found, other);
            break;
        case 1:
            splice(t, inside, NULL, 0);
            break;
        case 2: /* longer: what it says, once more */
            splice_own(t, (span){inside.at, 0}, inside);
            break;
        default:
            splice_word(t, (span){inside.at + below(t, inside.length + 1), 0},
                        nasty[below(t, COUNT(nasty))]);
    }
}

static void insert_nasty(text *t) {
    splice_word(t, (span){below(t, t->size + 1), 0}, nasty[below(t, COUNT(nasty))]);
}

static void change_as_bytes(text *t) {
    t->size = mutate_bytes(t->data, t->size, t->room, t->random);
}

/* ---- JSON */

static const char *const values[] = {
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "\"\"",
    "0",
    "-0",
    "-1",
    "1e400",
    "1e-400",
    "0.1",
    "\"nan\"",
    "\"-inf\"",
    "9223372036854775808",
    "18446744073709551616",
    "[[]]",
    "{\"\":null}",
    "\"x-a\"",
};

/* [[[value]]], or {"a":{"a":value}}. */
static void nest(text *t, span value) {
    static const char *const around[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    const char *const *pair = around[below(t, COUNT(around))];
    const size_t levels = below(t, 4) ? 1 : 1 + below(t, NEST_MOST);
    for (size_t i = 0; i < levels; i++) {
        splice_word(t, (span){value.at + value.length, 0}, pair[1]);
        splice_word(t, (span){value.at, 0}, pair[0]);
        value.length += strlen(pair[0]) + strlen(pair[1]);
        if (value.at + value.length > t->size) return; /* there is no more room */
    }
}

static void change_value(text *t) {
    span value, other;
    if (!find(t, value_at, &value) || !find(t, value_at, &other)) return;
    const size_t end = value.at + value.length;
    switch (below(t, 6)) {
        case 0:
            splice_own(t, other, value);
            break;
        case 1: /* of a list, or a key without a value */
            splice_own(t, (span){value.at, 0}, (span){value.at, value.length + (end < t->size)});
            break;
        case 2:
            splice_word(t, value, values[below(t, COUNT(values))]);
            break;
        case 3:
            nest(t, value);
            break;
        case 4: /* with the comma behind it */
            splice(t, (span){value.at, value.length + (end < t->size && t->data[end] == ',')}, NULL,
                   0);
            break;
        default: /* another key for it, or a member more */
            splice_word(t, (span){value.at, 0}, below(t, 2) ? "\"x-n\":" : "\"name\":\"n\",");
    }
}

/* ---- base64 */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t decode(const uint8_t *from, size_t length, uint8_t out[PAYLOAD_BYTES]) {
    uint32_t bits = 0, held = 0;
    size_t size = 0;
    for (size_t i = 0; i < length && from[i] != '=' && size < PAYLOAD_BYTES; i++) {
        const char *digit = strchr(digits, from[i]);
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out[size++] = (uint8_t)(bits >> held);
    }
    return size;
}

static size_t encode(const uint8_t *from, size_t size, char out[PAYLOAD_BYTES / 3 * 4 + 8]) {
    size_t length = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)from[i] << 16;
        if (i + 1 < size) bits |= (uint32_t)from[i + 1] << 8;
        if (i + 2 < size) bits |= from[i + 2];
        for (size_t k = 0; k < 4; k++) {
            out[length++] = i + k <= size ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return length;
}

/* Sets eight bytes, a number in most layouts, or a few bits. */
static void change_payload(uint8_t *payload, size_t size, fuzz_random *random) {
    const uint64_t edge = random_edge(random);
    const size_t at = random_below(random, size);
    if (size - at >= sizeof edge && random_below(random, 2)) {
        memcpy(payload + at, &edge, sizeof edge);
    } else {
        payload[at] ^= (uint8_t)(1u << random_below(random, 8));
    }
}

static void change_base64(text *t) {
    uint8_t payload[PAYLOAD_BYTES];
    char out[PAYLOAD_BYTES / 3 * 4 + 8];
    span found;
    if (!find(t, base64_at, &found)) {
        change_value(t);
        return;
    }
    size_t size = decode(t->data + found.at, found.length, payload);
    if (below(t, 4) == 0) { /* it may get another length */
        size = mutate_bytes(payload, size, sizeof payload, t->random);
    } else if (size) {
        change_payload(payload, size, t->random);
    }
    splice(t, found, out, encode(payload, size, out));
}

/* ---- the structure */

static void (*const changes[])(text *t) = {
    change_lines, change_fields, change_number, change_string, change_value,
    change_value, change_base64, change_base64, insert_nasty,  change_as_bytes};

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    text t = {data, size < room ? size : room, room, random};
    const size_t count = 1 + random_below(random, 2) * random_below(random, MOST_CHANGES);
    for (size_t i = 0; i < count; i++) {
        if (t.size) {
            changes[random_below(random, COUNT(changes))](&t);
        } else {
            insert_nasty(&t);
        }
    }
    if (t.size == 0 && room > 0) {
        data[0] = '\n';
        t.size = 1;
    }
    return t.size;
}

/* Where a piece of b may end one of a. */
static const span_at cut_kinds[] = {line_at, line_at, field_at, value_at};

/* A value of one in the place of a value of the other; or the lines before a place in one,
 * and those from a place in the other. */
static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    text t = {out, a_size < room ? a_size : room, room, random};
    text other = {(uint8_t *)(uintptr_t)b, b_size, b_size, random}; /* only read */
    const span_at kind = cut_kinds[random_below(random, COUNT(cut_kinds))];
    span place, piece;
    if (t.size) memcpy(out, a, t.size);
    if (t.size && b_size && find(&t, kind, &place) && find(&other, kind, &piece)) {
        if (kind == line_at) {
            if (random_below(random, 2)) piece.length = b_size - piece.at;
            if (random_below(random, 2)) place.length = t.size - place.at;
        }
        splice(&t, place, b + piece.at, piece.length);
    }
    if (t.size == 0 && room > 0) out[t.size++] = '\n';
    return t.size;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    size_t line = 1;
    for (size_t at = 0; at < size; at++) {
        const bool first = at == 0 || data[at - 1] == '\n';
        if (first) (void)fprintf(out, "%8zu  line %zu: ", at, line++);
        if (data[at] == '\n') {
            (void)fputs("\\n\n", out);
        } else if (data[at] >= 0x20 && data[at] < 0x7f && data[at] != '\\') {
            (void)fputc(data[at], out);
        } else {
            (void)fprintf(out, "\\x%02x", data[at]);
        }
    }
    if (size && data[size - 1] != '\n') (void)fputc('\n', out);
}

const fuzz_structure structure_text = {
    .name = "text", .mutate = mutate, .cross = cross, .show = show};
