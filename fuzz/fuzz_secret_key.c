/* The text of a secret key's file, opened without a password: an encrypted key ends at the
 * limits of its key derivation, which is never run. */
#include <string.h>

#include "base/bytes.h"
#include "kit/kit.h"
#include "trust/key_text.h"
#include "trust/ready.h"
#include "trust/secret_key.h"

const fuzz_structure *const fuzz_input = &structure_text;

#define MEMLIMIT_MOST (1ull << 30) /* minisign's own */

static bool encrypted(const secret_key_layout *layout) {
    return memcmp(layout->kdf_algorithm, "Sc", sizeof layout->kdf_algorithm) == 0;
}

/* What is taken for a key file says one thing: it is written again as it was read, but for
 * the comment and the line ends. */
static void check_parsed(const secret_key_layout *layout) {
    static secret_workspace again;
    wlk_error error;
    const uint64_t length =
        key_text_encode("fuzz", (const uint8_t *)layout, sizeof *layout, again.text);
    FUZZ_CHECK(0, secret_key_parse("fuzz", length, &again, &error) == WLK_OK);
    FUZZ_CHECK(0, memcmp(&again.layout, layout, sizeof *layout) == 0);
    if (encrypted(layout)) FUZZ_CHECK(7, load_u64(layout->kdf_memlimit) <= MEMLIMIT_MOST);
}

/* A key to sign with: its halves belong together, and it has a number. */
static void check_opened(const secret_key_layout *layout) {
    FUZZ_CHECK(0, !encrypted(layout));
    FUZZ_CHECK(0, load_u64(layout->sealed.id) != 0);
    FUZZ_CHECK(0, memcmp(layout->algorithm, "Ed", sizeof layout->algorithm) == 0);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    static secret_workspace workspace;
    if (size > KEY_FILE_MAX) return WLK_OK; /* key_file_read does not let it through */
    memset(&workspace, 0, sizeof workspace);
    memcpy(workspace.text, data, size);
    TRY(sodium_ready(error));
    TRY(secret_key_parse("fuzz", size, &workspace, error));
    check_parsed(&workspace.layout);
    const wlk_status status = secret_key_open("fuzz", NULL, &workspace, error);
    if (status == WLK_OK) {
        check_opened(&workspace.layout);
    } else {
        FUZZ_CHECK(9, encrypted(&workspace.layout) == (error->rule == RULE_TRUST_PASSWORD_NEEDED));
    }
    return status;
}

/* No memory is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}
