/* A list of digests. The input's first line is the name that is looked for, the rest
 * the list. */
#include <stdlib.h>
#include <string.h>

#include "trust/digest_list.h"

#define NAME_BYTES 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(const wlk_digest *digest) {
    const int known = (digest->kind == WLK_SHA256 && digest->length == 32) ||
                      (digest->kind == WLK_BLAKE2B && digest->length == 32) ||
                      (digest->kind == WLK_BLAKE2B && digest->length == 64);
    if (!known) abort();
    for (uint32_t i = digest->length; i < WLK_DIGEST_BYTES; i++) {
        if (digest->value[i] != 0) abort();
    }
}

static void check_refused(wlk_status status, const wlk_error *error, size_t length) {
    if (status != WLK_TRUST) abort();
    if (error->rule != RULE_TRUST_DIGEST_TEXT && error->rule != RULE_TRUST_DIGEST_MISSING &&
        error->rule != RULE_TRUST_DIGEST_CONFLICT) {
        abort();
    }
    if (error->offset != WLK_NO_OFFSET && error->offset >= length) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char name[NAME_BYTES] = "";
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end || (size_t)(end - data) >= sizeof name) return 0;
    memcpy(name, data, (size_t)(end - data));
    const uint8_t *list = end + 1;
    const size_t length = size - (size_t)(list - data);
    wlk_digest digest = {0};
    wlk_error error = {0};
    const wlk_status status = digest_list_find("fuzz", list, length, name, &digest, &error);
    if (status == WLK_OK) {
        check_found(&digest);
    } else {
        check_refused(status, &error, length);
    }
    return 0;
}
