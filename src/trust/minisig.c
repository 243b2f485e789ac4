#include "trust/minisig.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "trust/key_text.h"
#include "trust/put_file.h"
#include "trust/ready.h"

static const char untrusted_prefix[] = "untrusted comment: ";
static const char trusted_prefix[] = "trusted comment: ";

/* ---- text */

/* minisign's own comments hold tabs. */
static bool comment_printable(const uint8_t *text, uint64_t length) {
    uint8_t copy[KEY_FILE_MAX];
    if (length > sizeof copy) return false;
    memcpy(copy, text, length);
    for (uint64_t i = 0; i < length; i++) {
        if (copy[i] == '\t') copy[i] = ' ';
    }
    return text_is_printable(copy, length);
}

wlk_status minisig_check_comment(const char *comment, wlk_error *error) {
    const size_t length = strnlen(comment, WLK_COMMENT_BYTES);
    if (length < WLK_COMMENT_BYTES && comment_printable((const uint8_t *)comment, length)) {
        return WLK_OK;
    }
    return error_at(error, RULE_TRUST_COMMENT, WLK_NO_OFFSET);
}

/* A line of a comment; *comment is what follows the prefix. */
static bool take_comment(cursor *in, const char *prefix, cursor *comment) {
    cursor line;
    const size_t length = strlen(prefix);
    if (!text_take_line(in, &line) || line.size < length) return false;
    if (memcmp(line.data, prefix, length) != 0) return false;
    if (!comment_printable(line.data, line.size)) return false;
    (void)cursor_skip(&line, length);
    *comment = cursor_rest(&line);
    return true;
}

static bool take_base64(cursor *in, uint8_t *payload, size_t size) {
    cursor line;
    return text_take_line(in, &line) && text_base64(&line, payload, size);
}

static bool take_algorithm(const minisig_layout *layout, int *prehashed) {
    *prehashed = memcmp(layout->algorithm, "ED", sizeof layout->algorithm) == 0;
    return *prehashed || memcmp(layout->algorithm, "Ed", sizeof layout->algorithm) == 0;
}

static bool take_trusted_comment(cursor *in, wlk_signature *signature) {
    cursor comment;
    if (!take_comment(in, trusted_prefix, &comment)) return false;
    if (comment.size >= WLK_COMMENT_BYTES) return false;
    memcpy(signature->trusted_comment, comment.data, comment.size);
    return true;
}

static wlk_status wrong(const char *shown, const char *what, uint64_t offset, wlk_error *error) {
    return error_text(error, RULE_TRUST_SIGNATURE_TEXT, offset, "%s: %s", shown, what);
}

wlk_status minisig_parse(const char *shown, const uint8_t *text, uint64_t length,
                         wlk_signature *signature, wlk_error *error) {
    cursor in = cursor_over(text, length, 0), comment;
    minisig_layout layout;
    wlk_signature taken = {0};
    TRY(sodium_ready(error));
    if (length > KEY_FILE_MAX) return wrong(shown, "longer than 4096 bytes", KEY_FILE_MAX, error);
    if (!take_comment(&in, untrusted_prefix, &comment)) {
        return wrong(shown, "no untrusted comment", 0, error);
    }
    uint64_t at = cursor_offset(&in);
    if (!take_base64(&in, (uint8_t *)&layout, sizeof layout)) {
        return wrong(shown, "the signature is not base64 of 74 bytes", at, error);
    }
    if (!take_algorithm(&layout, &taken.prehashed)) {
        return wrong(shown, "the signature is neither of kind ED nor Ed", at, error);
    }
    at = cursor_offset(&in);
    if (!take_trusted_comment(&in, &taken)) {
        return wrong(shown, "no trusted comment of at most 1024 bytes", at, error);
    }
    at = cursor_offset(&in);
    if (!take_base64(&in, taken.global_signature, sizeof taken.global_signature)) {
        return wrong(shown, "the global signature is not base64 of 64 bytes", at, error);
    }
    if (cursor_left(&in) != 0) {
        return wrong(shown, "something follows the signature", cursor_offset(&in), error);
    }
    memcpy(taken.key_id, layout.key_id, sizeof taken.key_id);
    memcpy(taken.signature, layout.signature, sizeof taken.signature);
    *signature = taken;
    return WLK_OK;
}

uint64_t minisig_encode(const wlk_signature *signature, uint8_t text[KEY_FILE_MAX + 1]) {
    minisig_layout layout = {.algorithm = {'E', signature->prehashed ? 'D' : 'd'}};
    char first[sodium_base64_ENCODED_LEN(sizeof layout, sodium_base64_VARIANT_ORIGINAL)];
    char second[sodium_base64_ENCODED_LEN(WLK_SIGNATURE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    memcpy(layout.key_id, signature->key_id, sizeof layout.key_id);
    memcpy(layout.signature, signature->signature, sizeof layout.signature);
    (void)sodium_bin2base64(first, sizeof first, (const uint8_t *)&layout, sizeof layout,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_bin2base64(second, sizeof second, signature->global_signature, WLK_SIGNATURE_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    const int length = snprintf(
        (char *)text, KEY_FILE_MAX + 1, "%ssignature from minisign secret key\n%s\n%s%s\n%s\n",
        untrusted_prefix, first, trusted_prefix, signature->trusted_comment, second);
    return (uint64_t)length; /* about 300 bytes and the comment */
}

/* ---- files */

wlk_status wlk_signature_parse(const uint8_t *text, uint64_t length, wlk_signature *signature,
                               wlk_error *error) {
    return minisig_parse("signature", text, length, signature, error);
}

wlk_status wlk_signature_load(const char *path, wlk_signature *signature, wlk_error *error) {
    const key_source source = key_source_named(path, SIGNATURE_FILE);
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    TRY(key_file_read(&source, text, &length, error));
    return minisig_parse(path, text, length, signature, error);
}

wlk_status wlk_signature_write(const wlk_signature *signature, const char *path, wlk_error *error) {
    uint8_t text[KEY_FILE_MAX + 1];
    TRY(sodium_ready(error));
    TRY(minisig_check_comment(signature->trusted_comment, error));
    const uint64_t length = minisig_encode(signature, text);
    return put_file_at(path, PUT_SIGNATURE, 0644, text, length, error);
}
