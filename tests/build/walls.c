/* Says what verification makes of a signed file, and of that file with one thing changed:
 * "NAME: RULE", one line each. Built by test_walls.sh twice: as the library is, and for
 * fuzzing. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/envelope.h"
#include "kit/test_key.h"
#include "trust/native.h"
#include "trust/secret_key.h"
#include "trust/verify.h"

#define MOST_BYTES (64u << 10)

static uint8_t file[MOST_BYTES];
static size_t size;
static envelope layout;

static void say(const char *name, wlk_status status, const wlk_error *error) {
    (void)printf("%s: %s\n", name, status == WLK_OK ? "ok" : wlk_rule_name(error->rule));
}

/* Verifies with the byte at `offset` changed; the signer is the test key, which is trusted. */
static void verify_changed(const char *name, uint64_t offset, const wlk_evidence *evidence) {
    const wlk_verify_options options = {.trust = test_trust(), .evidence = evidence, .threads = 1};
    wlk_verification found;
    wlk_error error = {0};
    if (offset < size) file[offset] ^= 1;
    const wlk_status status = wlk_verify_memory(file, size, &options, &found, &error);
    say(name, status, &error);
    if (offset < size) file[offset] ^= 1;
}

static void verify_evidence(void) {
    const wlk_digest digest = {.kind = WLK_SHA256, .length = 32};
    const wlk_evidence digests = {.digests = &digest, .digest_count = 1};
    wlk_signature signature = {0};
    if (wlk_sign_detached(file, size, &test_key, "a comment", &signature, NULL) != WLK_OK) abort();
    const wlk_evidence signatures = {.signatures = &signature, .signature_count = 1};
    verify_changed("expected digest", size, &digests);
    verify_changed("detached signature that holds", size, &signatures);
    signature.signature[40] ^= 1;
    verify_changed("detached signature", size, &signatures);
    signature.signature[40] ^= 1;
    signature.trusted_comment[0] ^= 1;
    verify_changed("trusted comment", size, &signatures);
}

static void verify_lazily(void) {
    wlk_error error = {0};
    uint8_t byte = 1;
    say("chunk of a lazy load", verify_chunk(file, &layout, 0, &byte, 1, &error), &error);
}

int main(int argc, char **argv) {
    FILE *in = argc == 2 ? fopen(argv[1], "rbe") : NULL;
    if (!in || sodium_init() < 0) return 2;
    size = fread(file, 1, sizeof file, in);
    (void)fclose(in);
    if (wlk_sign_memory(file, size, &test_key, NULL) != WLK_OK) return 2;
    if (envelope_decode(file, size, &layout, NULL) != WLK_OK) return 2;
    const uint64_t table = native_table_at(&layout);
    verify_changed("untouched", size, NULL);
    verify_changed("signature", ENVELOPE_SIGNATURE_AT + 40, NULL);
    verify_changed("header", ENVELOPE_BYTES, NULL);
    verify_changed("table", table, NULL);
    verify_changed("data", layout.data_off, NULL);
    verify_evidence();
    verify_lazily();
    verify_changed("magic", 3, NULL);
    verify_changed("reserved", 200, NULL);
    verify_changed("length", 19, NULL);
    verify_changed("slack", layout.data_off - 1, NULL);
    return 0;
}
