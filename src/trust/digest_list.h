/* Lists of digests as sha256sum and b2sum write them (GNU coreutils, "cksum output
 * modes"): one line a file,
 *
 *     HEX, a space, a space or '*', NAME         64 digits SHA-256, 128 BLAKE2b
 *     SHA256 (NAME) = HEX                        --tag
 *     BLAKE2b (NAME) = HEX, BLAKE2b-256 (NAME) = HEX
 *
 * A line that begins with a backslash has \\, \n and \r in its name. Empty lines and
 * those that begin with '#' say nothing; any other line is refused. */
#ifndef WLK_TRUST_DIGEST_LIST_H
#define WLK_TRUST_DIGEST_LIST_H

#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"

#define DIGEST_LIST_MAX (1u << 20)

/* Like wlk_digest_find, in text[0..length); `shown` is the list's path for the
 * message. Rule trust.digest-text with the line's offset. */
WLK_MUST_USE wlk_status digest_list_find(const char *shown, const uint8_t *text, uint64_t length,
                                         const char *file, wlk_digest *digest, wlk_error *error);

#endif
