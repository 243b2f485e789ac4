#include "write/json_text.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "write/header.h"

#define NODE_CLEANUP __attribute__((cleanup(meta_node_drop)))
#define NUMBER_MAX_BYTES 512u /* the longest exact double has 1077 digits, and nobody writes it */

static wlk_status bad(const cursor *c, const char *what, wlk_error *error) {
    return error_text(error, RULE_WRITE_JSON, WLK_NO_OFFSET, "%s at byte %llu of the value", what,
                      (unsigned long long)cursor_offset(c));
}

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* ---- characters */

static uint8_t peek(const cursor *c) {
    uint8_t next = 0;
    (void)cursor_peek_u8(c, &next);
    return next;
}

/* Takes `wanted` if it is next. */
static bool take(cursor *c, char wanted) {
    return cursor_left(c) > 0 && peek(c) == (uint8_t)wanted && cursor_skip(c, 1);
}

static bool take_word(cursor *c, const char *word) {
    cursor ahead = *c;
    const size_t length = strlen(word);
    const uint8_t *bytes = cursor_take(&ahead, length);
    if (!bytes || memcmp(bytes, word, length) != 0) return false;
    *c = ahead;
    return true;
}

static void skip_blanks(cursor *c) {
    while (take(c, ' ') || take(c, '\t') || take(c, '\n') || take(c, '\r')) continue;
}

/* ---- strings */

static bool take_hex(cursor *c, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t digit;
        if (!cursor_u8(c, &digit)) return false;
        const uint8_t lower = digit | 0x20;
        const bool is_letter = lower >= 'a' && lower <= 'f';
        if (!is_letter && (digit < '0' || digit > '9')) return false;
        *unit = *unit << 4 | (uint32_t)(is_letter ? lower - 'a' + 10 : digit - '0');
    }
    return true;
}

/* What follows \u: one UTF-16 unit, or two that are a pair. U+0000 is refused. */
static bool take_code(cursor *c, uint32_t *code) {
    uint32_t low;
    if (!take_hex(c, code) || *code == 0 || (*code >= 0xdc00 && *code <= 0xdfff)) return false;
    if (*code < 0xd800 || *code > 0xdbff) return true;
    if (!take_word(c, "\\u") || !take_hex(c, &low) || low < 0xdc00 || low > 0xdfff) return false;
    *code = 0x10000 + ((*code - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

static size_t put_utf8(uint32_t code, char *out) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    const size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; --i > 0; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> length) | code);
    return length;
}

/* What follows a backslash; at most as many bytes as were taken. */
static bool take_escape(cursor *c, char *out, size_t *used) {
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    uint8_t name;
    if (!cursor_u8(c, &name)) return false;
    if (name == 'u') {
        if (!take_code(c, &code)) return false;
        *used += put_utf8(code, out + *used);
        return true;
    }
    const char *found = name ? strchr(names, name) : NULL;
    if (!found) return false;
    out[(*used)++] = meant[found - names];
    return true;
}

/* Bytes up to the quote that ends the string; all that are left if none does. */
static size_t span_of(cursor ahead) {
    size_t length = 0;
    uint8_t next;
    for (; cursor_u8(&ahead, &next) && next != '"'; length++) {
        if (next == '\\' && cursor_skip(&ahead, 1)) length++;
    }
    return length;
}

static wlk_status fill_string(cursor *c, char *out, wlk_error *error) {
    size_t used = 0;
    for (;;) {
        uint8_t next;
        const cursor here = *c;
        if (!cursor_u8(c, &next)) return bad(c, "a text without an end", error);
        if (next == '"') break;
        if (next < 0x20) return bad(&here, "a control character", error);
        if (next != '\\') {
            out[used++] = (char)next;
        } else if (!take_escape(c, out, &used)) {
            return bad(&here, "an escape that stands for no character", error);
        }
    }
    out[used] = '\0';
    return WLK_OK;
}

/* Behind the opening quote. *text is the caller's. */
static wlk_status take_string(cursor *c, char **text, wlk_error *error) {
    char *made = mem_alloc(span_of(*c) + 1); /* no escape is shorter than what it stands for */
    if (!made) return no_memory(error);
    const wlk_status status = fill_string(c, made, error);
    if (status != WLK_OK) {
        mem_free(made);
        return status;
    }
    *text = made;
    return WLK_OK;
}

/* ---- numbers */

static uint64_t take_digits(cursor *c) {
    uint64_t count = 0;
    for (; peek(c) >= '0' && peek(c) <= '9'; count++) (void)cursor_skip(c, 1);
    return count;
}

/* Takes a number by its grammar; *is_float: it has a fraction or an exponent. */
static bool take_number(cursor *c, bool *is_float) {
    (void)take(c, '-');
    if (!take(c, '0') && take_digits(c) == 0) return false;
    const bool fraction = take(c, '.');
    if (fraction && take_digits(c) == 0) return false;
    const bool exponent = take(c, 'e') || take(c, 'E');
    if (exponent) {
        if (!take(c, '+')) (void)take(c, '-');
        if (take_digits(c) == 0) return false;
    }
    *is_float = fraction || exponent;
    return true;
}

/* A number of this text, whose grammar was checked; false if it does not fit. */
static bool integer_of(const char *text, meta_node *node) {
    const bool negative = text[0] == '-';
    uint64_t sum = 0;
    for (const char *at = text + negative; *at; at++) {
        if (!checked_mul(sum, 10, &sum) || !checked_add(sum, (uint64_t)(*at - '0'), &sum)) {
            return false;
        }
    }
    if (negative && sum > (uint64_t)INT64_MAX + 1) return false;
    node->type = !negative && sum > INT64_MAX ? WLK_META_UINT : WLK_META_INT;
    node->value = negative ? 0 - sum : sum;
    return true;
}

/* Whatever locale the host has set: the object for "C" is a constant of the C library. */
static bool float_of(const char *text, meta_node *node) {
    const double value = strtod_l(text, NULL, newlocale(LC_ALL_MASK, "C", (locale_t)0));
    if (!isfinite(value)) return false;
    node->type = WLK_META_FLOAT;
    node->value = f64_bits(value);
    return true;
}

static wlk_status read_number(cursor *c, meta_node *node, wlk_error *error) {
    char text[NUMBER_MAX_BYTES];
    const cursor start = *c;
    bool is_float;
    if (!take_number(c, &is_float)) return bad(&start, "no value", error);
    const uint64_t length = c->position - start.position;
    if (length >= sizeof text) return bad(&start, "a number that is too long", error);
    memcpy(text, start.data + start.position, length);
    text[length] = '\0';
    if (is_float ? float_of(text, node) : integer_of(text, node)) return WLK_OK;
    return bad(&start, "a number that is too large", error);
}

/* ---- values */

static wlk_status read_value(cursor *c, unsigned depth, meta_node **value, wlk_error *error);

/* One element of an array, or one key and its value of a map. */
static wlk_status read_child(cursor *c, unsigned depth, meta_node *parent, wlk_error *error) {
    char *key = NULL;
    meta_node *child = NULL;
    wlk_status status = WLK_OK;
    skip_blanks(c);
    if (parent->type == WLK_META_MAP) {
        if (!take(c, '"')) return bad(c, "no key in quotes", error);
        TRY(take_string(c, &key, error));
        skip_blanks(c);
        if (!take(c, ':')) status = bad(c, "no colon behind a key", error);
    }
    if (status == WLK_OK) status = read_value(c, depth, &child, error);
    if (status != WLK_OK) {
        mem_free(key);
        return status;
    }
    child->key = key;
    meta_node_append(parent, child);
    return WLK_OK;
}

/* Behind the opening bracket. */
static wlk_status read_children(cursor *c, unsigned depth, char end, meta_node *parent,
                                wlk_error *error) {
    if (depth > HEADER_MAX_DEPTH) return bad(c, "lists and maps nested too deep", error);
    skip_blanks(c);
    if (take(c, end)) return WLK_OK;
    do {
        TRY(read_child(c, depth + 1, parent, error));
        skip_blanks(c);
    } while (take(c, ','));
    return take(c, end) ? WLK_OK : bad(c, "neither a comma nor an end", error);
}

static wlk_status fill_value(cursor *c, unsigned depth, meta_node *node, wlk_error *error) {
    if (take_word(c, "null")) return WLK_OK;
    if (take(c, '"')) {
        node->type = WLK_META_STRING;
        return take_string(c, &node->text, error);
    }
    if (take(c, '[')) {
        node->type = WLK_META_ARRAY;
        return read_children(c, depth, ']', node, error);
    }
    if (take(c, '{')) {
        node->type = WLK_META_MAP;
        return read_children(c, depth, '}', node, error);
    }
    const bool is_true = take_word(c, "true");
    if (!is_true && !take_word(c, "false")) return read_number(c, node, error);
    node->type = WLK_META_BOOL;
    node->value = is_true;
    return WLK_OK;
}

static wlk_status read_value(cursor *c, unsigned depth, meta_node **value, wlk_error *error) {
    NODE_CLEANUP meta_node *node = meta_node_new(WLK_META_NULL);
    if (!node) return no_memory(error);
    skip_blanks(c);
    TRY(fill_value(c, depth, node, error));
    *value = node;
    node = NULL;
    return WLK_OK;
}

wlk_status json_text_read(const char *text, uint64_t length, meta_node **value, wlk_error *error) {
    cursor c = cursor_over((const uint8_t *)text, length, 0);
    NODE_CLEANUP meta_node *node = NULL;
    *value = NULL;
    if (!utf8_valid(c.data, length)) return bad(&c, "text that is not UTF-8", error);
    TRY(read_value(&c, 1, &node, error));
    skip_blanks(&c);
    if (cursor_left(&c) > 0) return bad(&c, "something behind the value", error);
    *value = node;
    node = NULL;
    return WLK_OK;
}
