#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/convert.h"

static wlk_status add(source_edits *edits, const char *path, const char *text, wlk_error *error) {
    char *json = edits->json[edits->count];
    FILE *stream = fmemopen(json, SOURCE_JSON, "w");
    if (!stream) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    json_out j = json_out_to(stream, JSON_FLAT);
    json_text(&j, text);
    if (fclose(stream) != 0) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    edits->edits[edits->count++] = (wlk_meta_edit){path, json};
    return WLK_OK;
}

static wlk_status add_digest(const conversion *x, source_edits *edits, wlk_error *error) {
    uint8_t digest[crypto_hash_sha256_BYTES];
    char text[2 * sizeof digest + 1];
    (void)crypto_hash_sha256(digest, x->copy.data, x->copy.size);
    (void)sodium_bin2hex(text, sizeof text, digest, sizeof digest);
    return add(edits, "/metadata/source/sha256", text, error);
}

/* The first of those who are trusted. */
static wlk_status add_signer(const conversion *x, source_edits *edits, wlk_error *error) {
    const wlk_verification *found = &x->report.verification;
    char id[WLK_KEY_ID_TEXT_BYTES];
    for (uint32_t i = 0; i < cli_signers_listed(found); i++) {
        if (found->signers[i].state != WLK_SIGNED_TRUSTED) continue;
        wlk_key_id_text(found->signers[i].key_id, id);
        return add(edits, "/metadata/source/signer", id, error);
    }
    return WLK_OK;
}

static wlk_status add_all(const conversion *x, source_edits *edits, wlk_error *error) {
    const char *slash = strrchr(x->in, '/');
    TRY(add(edits, "/metadata/source/file", slash ? slash + 1 : x->in, error));
    TRY(add_digest(x, edits, error));
    return add_signer(x, edits, error);
}

wlk_status source_edits_make(const conversion *x, source_edits *edits, wlk_error *error) {
    edits->count = 0;
    if (x->report.verification.native) return WLK_OK; /* its metadata say what they said */
    return add_all(x, edits, error);
}
