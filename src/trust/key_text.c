#include "trust/key_text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/utf8.h"

static const char prefix[] = "untrusted comment: ";
#define PREFIX_BYTES (sizeof prefix - 1)

bool text_is_printable(const uint8_t *text, uint64_t length) {
    char copy[KEY_FILE_MAX + 1];
    if (length > KEY_FILE_MAX || !utf8_valid(text, length)) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    utf8_make_harmless(copy);
    const bool same = memcmp(copy, text, length) == 0;
    sodium_memzero(copy, sizeof copy); /* of a malformed secret key file, it may be all */
    return same;
}

bool text_take_line(cursor *in, cursor *line) {
    const uint64_t left = cursor_left(in);
    if (left == 0) return false;
    const uint8_t *start = in->data + in->position;
    const uint8_t *end = memchr(start, '\n', left);
    const uint64_t length = end ? (uint64_t)(end - start) : left;
    (void)cursor_slice(in, length, line); /* it is there */
    if (end && length > 0 && start[length - 1] == '\r') line->size--;
    if (end) (void)cursor_skip(in, 1);
    return true;
}

static bool comment_valid(const cursor *line) {
    return line->size >= PREFIX_BYTES && memcmp(line->data, prefix, PREFIX_BYTES) == 0 &&
           text_is_printable(line->data, line->size);
}

/* libsodium's decoder refuses every spelling but the canonical one. */
bool text_base64(const cursor *line, uint8_t *payload, size_t size) {
    size_t got = 0;
    const int failed = sodium_base642bin(payload, size, (const char *)line->data, line->size, NULL,
                                         &got, NULL, sodium_base64_VARIANT_ORIGINAL);
    return failed == 0 && got == size;
}

wlk_status key_text_take(const char *shown, cursor *in, uint8_t *payload, size_t size,
                         wlk_error *error) {
    cursor comment, key;
    if (!text_take_line(in, &comment) || !comment_valid(&comment)) {
        return error_text(error, RULE_TRUST_KEY_TEXT, 0, "%s: no untrusted comment", shown);
    }
    const uint64_t key_at = cursor_offset(in);
    if (!text_take_line(in, &key) || !text_base64(&key, payload, size)) {
        return error_text(error, RULE_TRUST_KEY_TEXT, key_at, "%s: not base64 of %zu bytes", shown,
                          size);
    }
    return WLK_OK;
}

wlk_status key_text_decode(const char *shown, const uint8_t *text, uint64_t length,
                           uint8_t *payload, size_t size, wlk_error *error) {
    cursor in = cursor_over(text, length, 0);
    TRY(key_text_take(shown, &in, payload, size, error));
    if (cursor_left(&in) != 0) {
        return error_text(error, RULE_TRUST_KEY_TEXT, cursor_offset(&in),
                          "%s: something follows the key", shown);
    }
    return WLK_OK;
}

uint64_t key_text_encode(const char *comment, const uint8_t *payload, size_t size,
                         uint8_t text[KEY_FILE_MAX + 1]) {
    char *line = (char *)text;
    const int head = snprintf(line, KEY_FILE_MAX, "%s%s\n", prefix, comment);
    const size_t used = (size_t)head;
    (void)sodium_bin2base64(line + used, KEY_FILE_MAX - used, payload, size,
                            sodium_base64_VARIANT_ORIGINAL);
    const size_t length = strlen(line);
    text[length] = '\n';
    return length + 1;
}
