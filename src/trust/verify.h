/* Verification in the two forms that the gate needs: of a whole artifact
 * (wlk_verify_memory), and of a .wlk file of which only what lies before the data
 * is at hand, its chunks following one by one. */
#ifndef WLK_TRUST_VERIFY_H
#define WLK_TRUST_VERIFY_H

#include <stdint.h>

#include <weighlock/trust.h>

#include "base/envelope.h"
#include "base/error.h"

/* What lies before the data of a .wlk file: head[0..head_size) of a file of
 * file_size bytes, head_size == data_off. Verified like wlk_verify_memory but for
 * the data's chunks; *out is the envelope. Evidence that is not empty is
 * load.lazy-evidence, because it is over the whole file. */
WLK_MUST_USE wlk_status verify_head(const uint8_t *head, uint64_t head_size, uint64_t file_size,
                                    const wlk_verify_options *options,
                                    wlk_verification *verification, envelope *out,
                                    wlk_error *error);

/* Is the digest of chunk `index`, whose bytes these are, the one in the table of a
 * head that verify_head accepted? Else trust.chunk-digest at the chunk's offset in
 * the file. */
WLK_MUST_USE wlk_status verify_chunk(const uint8_t *head, const envelope *e, uint64_t index,
                                     const uint8_t *bytes, uint64_t length, wlk_error *error);

#endif
