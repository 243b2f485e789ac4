/* A list of digests. The input's first line is the name that is looked for, the rest
 * the list. */
#include <string.h>

#include "kit/kit.h"
#include "trust/digest_list.h"

const fuzz_structure *const fuzz_input = &structure_text;

#define NAME_BYTES 256

static void check_found(const wlk_digest *digest) {
    FUZZ_CHECK(0, (digest->kind == WLK_SHA256 && digest->length == 32) ||
                      (digest->kind == WLK_BLAKE2B && digest->length == 32) ||
                      (digest->kind == WLK_BLAKE2B && digest->length == 64));
    for (uint32_t i = digest->length; i < WLK_DIGEST_BYTES; i++) {
        FUZZ_CHECK(0, digest->value[i] == 0);
    }
}

static void check_refused(wlk_status status, const wlk_error *error, size_t length) {
    FUZZ_CHECK(9, status == WLK_TRUST);
    FUZZ_CHECK(9, error->rule == RULE_TRUST_DIGEST_TEXT ||
                      error->rule == RULE_TRUST_DIGEST_MISSING ||
                      error->rule == RULE_TRUST_DIGEST_CONFLICT);
    FUZZ_CHECK(9, error->offset == WLK_NO_OFFSET || error->offset < length);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    char name[NAME_BYTES] = "";
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end || (size_t)(end - data) >= sizeof name) return WLK_OK;
    memcpy(name, data, (size_t)(end - data));
    const uint8_t *list = end + 1;
    const size_t length = size - (size_t)(list - data);
    wlk_digest digest = {0};
    const wlk_status status = digest_list_find("fuzz", list, length, name, &digest, error);
    if (status == WLK_OK) {
        check_found(&digest);
    } else {
        check_refused(status, error, length);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}
