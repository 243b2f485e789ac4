/* The text of a .minisig file, and what verification makes of it: invariants 2 and 7. */
#include <stdlib.h>
#include <string.h>

#include "trust/minisig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(const wlk_signature *a, const wlk_signature *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* Nobody is trusted: whatever it says, it vouches for nothing. */
static void check_worth(const wlk_signature *signature) {
    static const uint8_t file[] = "weights";
    const wlk_evidence evidence = {.signatures = signature, .signature_count = 1};
    const wlk_verify_options options = {.evidence = &evidence, .legacy = 1, .now = 1};
    wlk_verification found;
    wlk_error error;
    if (wlk_verify_memory(file, sizeof file, &options, &found, &error) != WLK_OK) abort();
    if (found.trusted != 0 || found.state != WLK_SIGNED_UNKNOWN) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wlk_signature signature, again;
    wlk_error error = {0};
    uint8_t text[KEY_FILE_MAX + 1];
    const wlk_status status = wlk_signature_parse(data, size, &signature, &error);
    if (status != WLK_OK) {
        if (status != WLK_TRUST || error.rule != RULE_TRUST_SIGNATURE_TEXT) abort();
        if (error.offset > size) abort();
        return 0;
    }
    /* What is accepted is short, has one meaning, and can be written again. */
    if (size > KEY_FILE_MAX) abort();
    if (strnlen(signature.trusted_comment, WLK_COMMENT_BYTES) == WLK_COMMENT_BYTES) abort();
    if (minisig_check_comment(signature.trusted_comment, &error) != WLK_OK) abort();
    const uint64_t length = minisig_encode(&signature, text);
    if (wlk_signature_parse(text, length, &again, &error) != WLK_OK) abort();
    if (!same(&signature, &again)) abort();
    check_worth(&signature);
    return 0;
}
