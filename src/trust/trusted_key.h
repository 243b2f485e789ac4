/* A key file as it lies in a trust folder: minisign's two lines, and behind them, in
 * this order and each at most once,
 *
 *     valid-from: YYYY-MM-DD     the first day on which the key counts
 *     valid-until: YYYY-MM-DD    the last
 *     revoked: YYYY-MM-DD
 *
 * minisign reads such a file as one without these lines. */
#ifndef WLK_TRUST_TRUSTED_KEY_H
#define WLK_TRUST_TRUSTED_KEY_H

#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"
#include "trust/key_file.h"

#define TRUSTED_KEY_SUFFIX ".pub"
#define TRUSTED_KEY_SUFFIX_BYTES (sizeof TRUSTED_KEY_SUFFIX - 1)

/* Everything but the name. Text that is not exactly so is trust.key-text or
 * trust.key-date with the line's offset. */
WLK_MUST_USE wlk_status trusted_key_parse(const char *shown, const uint8_t *text, uint64_t length,
                                          wlk_trusted_key *key, wlk_error *error);

/* The inverse. Dates that no file can hold are trust.key-date: from and until are a
 * day's first second, in order. */
WLK_MUST_USE wlk_status trusted_key_encode(const wlk_trusted_key *key,
                                           uint8_t text[KEY_FILE_MAX + 1], uint64_t *length,
                                           wlk_error *error);

/* Adds "revoked: DATE" to the text of a key that is not revoked, and nothing else. */
WLK_MUST_USE wlk_status trusted_key_revoke(const char *shown, int64_t when,
                                           uint8_t text[KEY_FILE_MAX + 1], uint64_t *length,
                                           wlk_error *error);

/* Reads the file; the key's name is the file's without folder and suffix. */
WLK_MUST_USE wlk_status trusted_key_read(const key_source *source, wlk_trusted_key *key,
                                         wlk_error *error);

#endif
