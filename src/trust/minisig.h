/* The text of a .minisig file: four lines, each ended by LF or CRLF (the last may end
 * with the file),
 *
 *     untrusted comment: PRINTABLE UTF-8, tabs too
 *     BASE64 of 74 bytes: "ED" (prehashed) or "Ed" (legacy), key number, signature
 *     trusted comment: PRINTABLE UTF-8, tabs too, of at most 1024 bytes
 *     BASE64 of 64 bytes: the global signature
 *
 * and nothing behind them. */
#ifndef WLK_TRUST_MINISIG_H
#define WLK_TRUST_MINISIG_H

#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"
#include "trust/key_file.h"

/* minisign's payload of the second line, byte for byte. */
typedef struct minisig_layout {
    uint8_t algorithm[2];
    uint8_t key_id[WLK_KEY_ID_BYTES];
    uint8_t signature[WLK_SIGNATURE_BYTES];
} minisig_layout;
_Static_assert(sizeof(minisig_layout) == 74, "no padding");

/* Like wlk_signature_parse; `shown` is the file's path for the message. Rule
 * trust.signature-text, with the offset of the line that is wrong. */
WLK_MUST_USE wlk_status minisig_parse(const char *shown, const uint8_t *text, uint64_t length,
                                      wlk_signature *signature, wlk_error *error);

/* The inverse, with LF and minisign's own untrusted comment. The trusted comment has
 * been checked. Returns the length. */
uint64_t minisig_encode(const wlk_signature *signature, uint8_t text[KEY_FILE_MAX + 1]);

/* Can this be a trusted comment? Else trust.comment. */
WLK_MUST_USE wlk_status minisig_check_comment(const char *comment, wlk_error *error);

#endif
