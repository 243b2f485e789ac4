/* The text of minisign's key files: two lines, each ended by LF or CRLF (the last
 * may end with the file),
 *
 *     untrusted comment: PRINTABLE UTF-8
 *     BASE64 (RFC 4648, canonical, padded) of exactly so many bytes
 *
 * and nothing behind them. */
#ifndef WLK_TRUST_KEY_TEXT_H
#define WLK_TRUST_KEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/error.h"
#include "trust/key_file.h"

/* The next line of a text without its end, LF or CRLF; the last may end with the
 * text. False if there is none. */
bool text_take_line(cursor *in, cursor *line);

/* Is the line base64 of exactly `size` bytes? */
bool text_base64(const cursor *line, uint8_t *payload, size_t size);

/* The two lines, and the cursor behind them: like key_text_decode, but for what
 * follows. */
WLK_MUST_USE wlk_status key_text_take(const char *shown, cursor *in, uint8_t *payload, size_t size,
                                      wlk_error *error);

/* Decodes the text into payload[0..size). Rule trust.key-text, with the offset of
 * the line or byte that is wrong; `shown` is the file's path for the message.
 * Constant in time over the base64 text: it may be a secret key's. */
WLK_MUST_USE wlk_status key_text_decode(const char *shown, const uint8_t *text, uint64_t length,
                                        uint8_t *payload, size_t size, wlk_error *error);

/* The inverse, with LF; returns the length, which never exceeds KEY_FILE_MAX.
 * comment is a constant or made from one, size at most 256. */
uint64_t key_text_encode(const char *comment, const uint8_t *payload, size_t size,
                         uint8_t text[KEY_FILE_MAX + 1]);

/* Is text[0..length), of at most KEY_FILE_MAX bytes, UTF-8 without control,
 * escape and bidirectional characters? */
bool text_is_printable(const uint8_t *text, uint64_t length);

#endif
