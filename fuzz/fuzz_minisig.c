/* The text of a .minisig file, and what verification makes of it: invariants 2 and 7. */
#include <string.h>

#include "kit/kit.h"
#include "trust/minisig.h"

const fuzz_structure *const fuzz_input = &structure_text;

/* Nobody is trusted: whatever it says, it vouches for nothing. */
static void check_worth(const wlk_signature *signature) {
    static const uint8_t file[] = "weights";
    const wlk_evidence evidence = {.signatures = signature, .signature_count = 1};
    const wlk_verify_options options = {.evidence = &evidence, .legacy = 1, .now = 1};
    wlk_verification found;
    wlk_error error;
    FUZZ_CHECK(10, wlk_verify_memory(file, sizeof file, &options, &found, &error) == WLK_OK);
    FUZZ_CHECK(10, found.trusted == 0 && found.state == WLK_SIGNED_UNKNOWN);
}

/* What is accepted is short, has one meaning, and can be written again. */
static void check_signature(const wlk_signature *signature, size_t size) {
    uint8_t text[KEY_FILE_MAX + 1];
    wlk_signature again;
    wlk_error error;
    FUZZ_CHECK(2, size <= KEY_FILE_MAX);
    FUZZ_CHECK(9, strnlen(signature->trusted_comment, WLK_COMMENT_BYTES) < WLK_COMMENT_BYTES);
    FUZZ_CHECK(9, minisig_check_comment(signature->trusted_comment, &error) == WLK_OK);
    const uint64_t length = minisig_encode(signature, text);
    FUZZ_CHECK(0, wlk_signature_parse(text, length, &again, &error) == WLK_OK);
    FUZZ_CHECK(0, memcmp(signature, &again, sizeof again) == 0);
    check_worth(signature);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_signature signature;
    const wlk_status status = wlk_signature_parse(data, size, &signature, error);
    if (status == WLK_OK) {
        check_signature(&signature, size);
    } else {
        FUZZ_CHECK(9, error->rule == RULE_TRUST_SIGNATURE_TEXT && error->offset <= size);
    }
    return status;
}

/* No memory is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}
