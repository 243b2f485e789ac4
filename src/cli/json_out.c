#include "cli/json_out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

#define REPLACEMENT 0xfffdu

json_out json_out_to(FILE *stream, json_layout layout) {
    return (json_out){.stream = stream, .flat = layout == JSON_LINES ? UINT32_MAX : 0};
}

static void put(json_out *j, const char *text) {
    (void)fputs(text, j->stream);
}

static void break_line(json_out *j) {
    if (j->depth >= j->flat) return;
    (void)fprintf(j->stream, "\n%*s", (int)(j->depth * 2), "");
}

/* What stands between the value before and the one that comes. */
static void separate(json_out *j) {
    if (!j->keyed) {
        if (j->follows) put(j, j->depth >= j->flat ? ", " : ",");
        if (j->depth > 0) break_line(j);
    }
    j->keyed = false;
    j->follows = true;
}

static void begin(json_out *j, const char *bracket, json_layout layout) {
    separate(j);
    put(j, bracket);
    j->depth++;
    j->follows = false;
    if (layout == JSON_FLAT && j->flat > j->depth) j->flat = j->depth;
}

static void end(json_out *j, const char *bracket) {
    const bool outermost_flat = j->flat == j->depth;
    j->depth--;
    if (j->follows && !outermost_flat) break_line(j);
    if (outermost_flat) j->flat = UINT32_MAX;
    put(j, bracket);
    j->follows = true;
}

void json_begin_map(json_out *j, json_layout layout) {
    begin(j, "{", layout);
}

void json_end_map(json_out *j) {
    end(j, "}");
}

void json_begin_list(json_out *j, json_layout layout) {
    begin(j, "[", layout);
}

void json_end_list(json_out *j) {
    end(j, "]");
}

/* ---- text */

/* The code point at *at of valid UTF-8, which is stepped over. */
static uint32_t next_code(const uint8_t *text, uint64_t *at) {
    const uint8_t lead = text[(*at)++];
    if (lead < 0x80) return lead;
    const unsigned more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    uint32_t code = lead & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) code = code << 6 | (text[(*at)++] & 0x3fu);
    return code;
}

static void put_code(json_out *j, uint32_t code) {
    if (code == '"' || code == '\\') {
        (void)fprintf(j->stream, "\\%c", (int)code);
    } else if (code >= 0x20 && code < 0x7f) {
        (void)fputc((int)code, j->stream);
    } else if (code < 0x10000) {
        (void)fprintf(j->stream, "\\u%04" PRIx32, code);
    } else {
        const uint32_t rest = code - 0x10000;
        (void)fprintf(j->stream, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (rest >> 10),
                      0xdc00 + (rest & 0x3ff));
    }
}

static void put_characters(json_out *j, const char *text, uint64_t length) {
    const uint8_t *bytes = (const uint8_t *)text;
    const bool valid = utf8_valid_payload(bytes, length);
    for (uint64_t i = 0; i < length;) {
        if (valid) {
            put_code(j, next_code(bytes, &i));
        } else {
            put_code(j, bytes[i] < 0x80 ? bytes[i] : REPLACEMENT);
            i++;
        }
    }
}

static void put_text(json_out *j, const char *text, uint64_t length) {
    put(j, "\"");
    put_characters(j, text, length);
    put(j, "\"");
}

void json_key_of(json_out *j, const char *key, uint64_t length) {
    separate(j);
    put_text(j, key, length);
    put(j, ": ");
    j->keyed = true;
}

void json_key(json_out *j, const char *key) {
    json_key_of(j, key, strlen(key));
}

void json_key_token(json_out *j, const char *token) {
    separate(j);
    put(j, "\"");
    while (*token) {
        const size_t plain = strcspn(token, "~");
        const char *tilde = token + plain;
        const bool escaped = tilde[0] && (tilde[1] == '0' || tilde[1] == '1');
        put_characters(j, token, plain);
        if (*tilde) put(j, escaped && tilde[1] == '1' ? "/" : "~");
        token = tilde + (*tilde != 0) + escaped;
    }
    put(j, "\": ");
    j->keyed = true;
}

void json_text_of(json_out *j, const char *text, uint64_t length) {
    separate(j);
    put_text(j, text, length);
}

void json_text(json_out *j, const char *text) {
    json_text_of(j, text, strlen(text));
}

/* ---- numbers */

void json_unsigned(json_out *j, uint64_t value) {
    separate(j);
    (void)fprintf(j->stream, "%" PRIu64, value);
}

void json_signed(json_out *j, int64_t value) {
    separate(j);
    (void)fprintf(j->stream, "%" PRId64, value);
}

void json_float(json_out *j, double value) {
    char number[40];
    if (isnan(value)) {
        json_text(j, "nan");
        return;
    }
    if (isinf(value)) {
        json_text(j, value > 0 ? "inf" : "-inf");
        return;
    }
    separate(j);
    (void)snprintf(number, sizeof number, "%.17g", value);
    put(j, number);
    if (!strpbrk(number, ".e")) put(j, ".0"); /* it stays a float */
}

void json_bool(json_out *j, bool value) {
    separate(j);
    put(j, value ? "true" : "false");
}

void json_put_null(json_out *j) {
    separate(j);
    put(j, "null");
}

void json_pair_text(json_out *j, const char *key, const char *text) {
    json_key(j, key);
    json_text(j, text);
}

void json_pair_unsigned(json_out *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_unsigned(j, value);
}
