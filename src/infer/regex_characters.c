#include "infer/regex_characters.h"

#include <stddef.h>
#include <string.h>

/* ---- sets that have a name */

typedef struct named_set {
    const char *name;
    const char *pairs;
} named_set;

static const named_set escapes[] = {{"d", "09"}, {"w", "09AZ__az"}, {"s", "\t\n\f\r  "}};
static const named_set posix_sets[] = {
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"ascii", "\1\177"},
    {"blank", "\t\t  "},
    {"cntrl", "\1\037\177\177"},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZ__az"},
    {"xdigit", "09AFaf"},
};

const char *regex_escape_set(char letter, bool *negated) {
    *negated = letter >= 'A' && letter <= 'Z';
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (escapes[i].name[0] == (letter | 0x20)) return escapes[i].pairs;
    }
    return NULL;
}

const char *regex_take_posix_set(const char **at, bool *negated) {
    *negated = (*at)[2] == '^';
    const char *name = *at + 2 + *negated;
    for (size_t i = 0; i < sizeof posix_sets / sizeof *posix_sets; i++) {
        const size_t length = strlen(posix_sets[i].name);
        if (strncmp(name, posix_sets[i].name, length) != 0) continue;
        if (strncmp(name + length, ":]", 2) != 0) continue;
        *at = name + length + 2;
        return posix_sets[i].pairs;
    }
    return NULL;
}

/* ---- single characters */

uint32_t regex_take_utf8(const char **at) {
    const unsigned char *bytes = (const unsigned char *)*at;
    const uint32_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    uint32_t value = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (uint32_t i = 1; i < length; i++) value = value << 6 | (bytes[i] & 0x3Fu);
    *at += length;
    return value;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const int letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* Behind \x: two digits, or any number of them in braces. */
static const char *take_hex(const char **at, uint32_t *out) {
    static const char bad[] = "a bad \\x";
    const bool braces = **at == '{';
    uint32_t digits = 0;
    *out = 0;
    if (braces) (*at)++;
    while (hex_digit(**at) >= 0 && *out <= REGEX_LAST_CHARACTER && (braces || digits < 2)) {
        *out = *out * 16 + (uint32_t)hex_digit(*(*at)++);
        digits++;
    }
    if (digits == 0 || *out > REGEX_LAST_CHARACTER || (!braces && digits != 2)) return bad;
    return braces && *(*at)++ != '}' ? bad : NULL;
}

const char *regex_take_escaped(const char **at, uint32_t *out) {
    static const char names[] = "ntrfva";
    static const char values[] = "\n\t\r\f\v\a";
    const char letter = **at;
    const char *known = letter ? strchr(names, letter) : NULL;
    const bool is_letter = (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
    if (letter == '\0') return "a backslash at the end";
    if (letter == 'x') {
        (*at)++;
        return take_hex(at, out);
    }
    if (known) {
        (*at)++;
        *out = (unsigned char)values[known - names];
        return NULL;
    }
    if (is_letter || (letter >= '0' && letter <= '9')) return "an escape that is not known";
    *out = regex_take_utf8(at);
    return NULL;
}
