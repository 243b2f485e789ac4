/* A notation for msgpack that people can read, and that can also say what no
 * conforming writer would write.
 *
 *   {a:1, b:[2, -3, 0.5, nan], 'any text':null}   maps, arrays, numbers, null, true, false
 *   word  'any text \x00 \'quoted\''               strings: bare words of [A-Za-z0-9_.-] or quoted
 *   <cc 05>                                        these bytes, counted as one object
 *   @                                              a mark: where the next object begins
 *
 * Everything is written in its shortest form and in the order in which it
 * stands: nothing is sorted. A word that begins like a number is a number. What
 * is not in the notation aborts the test. */
#ifndef TESTS_SUPPORT_WLK_TEXT_H
#define TESTS_SUPPORT_WLK_TEXT_H

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WLK_TEXT_NO_MARK SIZE_MAX

/* Bytes that grow. Zero-initialised it is empty; free `data`. */
typedef struct wlk_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
} wlk_buffer;

static inline void wlk_buffer_add(wlk_buffer *buffer, const void *data, size_t size) {
    if (size > buffer->capacity - buffer->size) {
        buffer->capacity = 2 * (buffer->size + size) + 64;
        buffer->data = realloc(buffer->data, buffer->capacity);
        if (!buffer->data) abort();
    }
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

/* Appends text in printf's manner, and keeps the buffer terminated behind it. */
__attribute__((format(printf, 2, 3))) static inline void wlk_buffer_print(wlk_buffer *buffer,
                                                                          const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) abort();
    wlk_buffer_add(buffer, text, (size_t)length + 1);
    buffer->size--;
}

typedef struct wlk_text {
    const char *at;
    const char *whole;
    wlk_buffer out;
    size_t mark; /* in out, or WLK_TEXT_NO_MARK */
} wlk_text;

static inline void wlk_text_fail(const wlk_text *t, const char *what) {
    fprintf(stderr, "notation: %s at \"%.40s\" in \"%.400s\"\n", what, t->at, t->whole);
    abort();
}

static inline void wlk_text_skip(wlk_text *t) {
    while (*t->at == ' ' || *t->at == '\n' || *t->at == ',') t->at++;
}

static inline void wlk_text_put(wlk_text *t, uint8_t byte) {
    wlk_buffer_add(&t->out, &byte, 1);
}

/* The lowest `count` bytes of value, highest first. */
static inline void wlk_text_put_number(wlk_text *t, uint64_t value, unsigned count) {
    while (count-- > 0) wlk_text_put(t, (uint8_t)(value >> 8 * count));
}

/* The shortest of: `fix` | value for values up to fix_most, then `byte`, byte + 1,
 * ... with 1, 2, 4, 8 bytes behind; the first form may be missing. */
static inline void wlk_text_head(wlk_text *t, uint64_t value, uint8_t fix, uint64_t fix_most,
                                 uint8_t byte, unsigned smallest) {
    if (value <= fix_most) {
        wlk_text_put(t, (uint8_t)(fix | value));
        return;
    }
    unsigned length = smallest;
    while (length < 8 && value >> 8 * length != 0) {
        length *= 2;
        byte++;
    }
    wlk_text_put(t, byte);
    wlk_text_put_number(t, value, length);
}

static inline void wlk_text_int(wlk_text *t, int64_t value) {
    if (value >= -32) {
        wlk_text_put(t, (uint8_t)value);
        return;
    }
    unsigned length = 1;
    uint8_t byte = 0xd0;
    while (length < 8 && value < -(int64_t)(1ull << (8 * length - 1))) {
        length *= 2;
        byte++;
    }
    wlk_text_put(t, byte);
    wlk_text_put_number(t, (uint64_t)value, length);
}

static inline void wlk_text_float(wlk_text *t, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    wlk_text_put(t, 0xcb);
    wlk_text_put_number(t, bits, 8);
}

static inline void wlk_text_string(wlk_text *t, const wlk_buffer *text) {
    wlk_text_head(t, text->size, 0xa0, 31, 0xd9, 1);
    wlk_buffer_add(&t->out, text->data, text->size);
}

static inline uint8_t wlk_text_hex(wlk_text *t) {
    char digits[3] = {t->at[0], 0, 0};
    if (digits[0]) digits[1] = t->at[1];
    if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])) {
        wlk_text_fail(t, "not two hexadecimal digits");
    }
    t->at += 2;
    return (uint8_t)strtoul(digits, NULL, 16);
}

static inline void wlk_text_quoted(wlk_text *t) {
    wlk_buffer text = {0};
    t->at++;
    while (*t->at != '\'') {
        uint8_t byte = (uint8_t)*t->at++;
        if (byte == 0) wlk_text_fail(t, "no closing quote");
        if (byte == '\\' && *t->at == 'x') {
            t->at++;
            byte = wlk_text_hex(t);
        } else if (byte == '\\') {
            byte = (uint8_t)*t->at++;
        }
        wlk_buffer_add(&text, &byte, 1);
    }
    t->at++;
    wlk_text_string(t, &text);
    free(text.data);
}

static inline void wlk_text_raw(wlk_text *t) {
    t->at++;
    while (*t->at != '>') {
        if (*t->at == ' ') {
            t->at++;
        } else {
            wlk_text_put(t, wlk_text_hex(t));
        }
    }
    t->at++;
}

static inline bool wlk_text_is_word(const char *word, size_t length, const char *other) {
    return strlen(other) == length && memcmp(word, other, length) == 0;
}

static inline void wlk_text_bare(wlk_text *t) {
    const char *word = t->at;
    while (isalnum((unsigned char)*t->at) || (*t->at && strchr("_.-", *t->at))) t->at++;
    const size_t length = (size_t)(t->at - word);
    char *end;
    errno = 0;
    if (length == 0) wlk_text_fail(t, "nothing known");
    if (wlk_text_is_word(word, length, "null")) {
        wlk_text_put(t, 0xc0);
    } else if (wlk_text_is_word(word, length, "false")) {
        wlk_text_put(t, 0xc2);
    } else if (wlk_text_is_word(word, length, "true")) {
        wlk_text_put(t, 0xc3);
    } else if (wlk_text_is_word(word, length, "nan") || wlk_text_is_word(word, length, "inf") ||
               wlk_text_is_word(word, length, "-inf")) {
        wlk_text_float(t, strtod(word, NULL));
    } else if (!isdigit((unsigned char)word[word[0] == '-'])) {
        const wlk_buffer text = {(uint8_t *)(uintptr_t)word, length, length};
        wlk_text_string(t, &text);
    } else if (memchr(word, '.', length) || memchr(word, 'e', length)) {
        wlk_text_float(t, strtod(word, &end));
        if (end != t->at) wlk_text_fail(t, "not a number");
    } else if (word[0] == '-') {
        wlk_text_int(t, strtoll(word, &end, 10));
        if (end != t->at || errno) wlk_text_fail(t, "not an integer");
    } else {
        wlk_text_head(t, strtoull(word, &end, 10), 0x00, 127, 0xcc, 1);
        if (end != t->at || errno) wlk_text_fail(t, "not an integer");
    }
}

/* Moves what was written behind `from` by as many bytes as the head is shorter. */
static inline void wlk_text_close(wlk_text *t, size_t from, const wlk_buffer *head) {
    const size_t spare = 5 - head->size;
    memmove(t->out.data + from + head->size, t->out.data + from + 5, t->out.size - from - 5);
    memcpy(t->out.data + from, head->data, head->size);
    t->out.size -= spare;
    if (t->mark != WLK_TEXT_NO_MARK && t->mark >= from + 5) t->mark -= spare;
}

static inline void wlk_text_object(wlk_text *t);

static inline void wlk_text_container(wlk_text *t, char closing) {
    const size_t from = t->out.size;
    const bool is_map = closing == '}';
    uint64_t count = 0;
    wlk_buffer_add(&t->out, "\0\0\0\0", 5); /* room for the longest head */
    t->at++;
    for (wlk_text_skip(t); *t->at != closing; wlk_text_skip(t), count++) {
        wlk_text_object(t);
        if (!is_map) continue;
        wlk_text_skip(t);
        if (*t->at++ != ':') wlk_text_fail(t, "no colon behind a key");
        wlk_text_object(t);
    }
    t->at++;
    wlk_text head = {.mark = WLK_TEXT_NO_MARK};
    wlk_text_head(&head, count, is_map ? 0x80 : 0x90, 15, is_map ? 0xde : 0xdc, 2);
    wlk_text_close(t, from, &head.out);
    free(head.out.data);
}

static inline void wlk_text_object(wlk_text *t) {
    wlk_text_skip(t);
    if (*t->at == '@') {
        t->mark = t->out.size;
        t->at++;
    }
    switch (*t->at) {
        case '{':
            wlk_text_container(t, '}');
            return;
        case '[':
            wlk_text_container(t, ']');
            return;
        case '\'':
            wlk_text_quoted(t);
            return;
        case '<':
            wlk_text_raw(t);
            return;
        case '\0':
            wlk_text_fail(t, "the end");
            return;
        default:
            wlk_text_bare(t);
            return;
    }
}

/* The bytes of everything in the text (the caller frees `data`); *mark, if not
 * NULL, is where the mark stood, or at the end of the text if it stood there. */
static inline wlk_buffer wlk_text_encode(const char *text, size_t *mark) {
    wlk_text t = {.at = text, .whole = text, .mark = WLK_TEXT_NO_MARK};
    for (wlk_text_skip(&t); *t.at; wlk_text_skip(&t)) {
        if (strcmp(t.at, "@") == 0) {
            t.mark = t.out.size;
            break;
        }
        wlk_text_object(&t);
    }
    if (mark) *mark = t.mark;
    return t.out;
}

#endif
