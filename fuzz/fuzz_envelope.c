/* The envelope and all that the parent checks before any child exists: for who trusts
 * nobody, and for who trusts the key that test files are signed with. */
#include <string.h>

#include "kit/kit.h"
#include "kit/test_key.h"
#include "trust/native.h"
#include "trust/verify.h"
#include "trust/wall.h"

const fuzz_structure *const fuzz_input = &structure_wlk;

/* What is accepted is tiled by its parts and has one spelling, and its head alone is
 * accepted too. */
static void check_accepted(const uint8_t *data, size_t size, const wlk_verify_options *options) {
    uint8_t again[ENVELOPE_BYTES];
    wlk_verification found;
    envelope e;
    FUZZ_CHECK(2, envelope_decode(data, size, &e, NULL) == WLK_OK);
    envelope_encode(&e, again);
    FUZZ_CHECK(12, memcmp(again, data, sizeof again) == 0 && e.data_off + e.data_len == size);
    FUZZ_CHECK(2, verify_head(data, e.data_off, size, options, &found, &e, NULL) == WLK_OK);
    if (found.trusted == 0 || wall_is_down()) return;
    native_sign(again, &test_key); /* nobody else can have signed it */
    FUZZ_CHECK(2, memcmp(again, data, sizeof again) == 0);
}

static wlk_status verify(const uint8_t *data, size_t size, const wlk_trust *trust,
                         wlk_verification *found, wlk_error *error) {
    const wlk_verify_options options = {.trust = trust, .threads = 1, .now = 1};
    const wlk_status status = wlk_verify_memory(data, size, &options, found, error);
    FUZZ_CHECK(9, status == WLK_OK || status == WLK_TRUST);
    FUZZ_CHECK(2, status == WLK_OK || found->trusted == 0);
    if (status == WLK_OK && found->native) check_accepted(data, size, &options);
    return status;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_verification stranger, found;
    const wlk_status status = verify(data, size, NULL, &stranger, error);
    FUZZ_CHECK(2, stranger.state != WLK_SIGNED_TRUSTED && stranger.trusted == 0);
    if (status != WLK_OK) return status;
    TRY(verify(data, size, test_trust(), &found, error));
    const bool ours = memcmp(stranger.key_id, test_key.id, sizeof test_key.id) == 0;
    FUZZ_CHECK(2, (found.state == WLK_SIGNED_TRUSTED) == ours && found.trusted == ours);
    return WLK_OK;
}

/* Verifying asks for no memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)test_trust();
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}
