/* The envelope and all that the parent checks before any child exists: invariants 2
 * and 12. */
#include <stdlib.h>
#include <string.h>

#include <weighlock/trust.h>

#include "base/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wlk_error error = {0};
    wlk_verification found;
    envelope e;
    const wlk_verify_options options = {.threads = 1};
    const wlk_status status = wlk_verify_memory(data, size, &options, &found, &error);
    if (status != WLK_OK && status != WLK_TRUST && status != WLK_UNDECIDED) abort();
    if (found.state == WLK_SIGNED_TRUSTED || found.trusted != 0) abort(); /* nobody is trusted */
    if (status != WLK_OK && error.offset != WLK_NO_OFFSET && error.offset > size) abort();
    if (status != WLK_OK || envelope_decode(data, size, &e, &error) != WLK_OK) return 0;
    /* What is accepted is tiled by its parts, and has one spelling. */
    uint8_t again[ENVELOPE_BYTES];
    envelope_encode(&e, again);
    if (memcmp(again, data, sizeof again) != 0 || e.data_off + e.data_len != size) abort();
    return 0;
}
