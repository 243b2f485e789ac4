/* The operator's policy file: whatever it says, a policy comes out whole or stays as
 * it was (invariants 7 and 9). */
#include <string.h>

#include <weighlock/policy.h>

#include "base/error.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_text;

static void check_policy(const wlk_policy *policy) {
    const char *folder = policy->trust_folder;
    FUZZ_CHECK(0, memchr(folder, '\0', sizeof policy->trust_folder) != NULL);
    FUZZ_CHECK(0, folder[0] == '\0' || folder[0] == '/');
    FUZZ_CHECK(0, policy->threshold >= 1);
    FUZZ_CHECK(0, policy->legacy_signatures >= 0 && policy->legacy_signatures <= 1);
    FUZZ_CHECK(0, policy->nan <= WLK_REFUSE && policy->infinity <= WLK_REFUSE);
}

/* What was read is all there is to it: reading it over itself changes nothing. */
static void check_again(const uint8_t *data, size_t size, const wlk_policy *policy) {
    wlk_policy again;
    memcpy(&again, policy, sizeof again);
    FUZZ_CHECK(0, wlk_policy_parse((const char *)data, size, &again, NULL) == WLK_OK);
    FUZZ_CHECK(0, memcmp(&again, policy, sizeof again) == 0);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_policy before, policy;
    memset(&before, 0, sizeof before);
    wlk_policy_default(&before);
    memcpy(&policy, &before, sizeof policy);
    const wlk_status status = wlk_policy_parse((const char *)data, size, &policy, error);
    if (status == WLK_OK) {
        check_policy(&policy);
        check_again(data, size, &policy);
    } else {
        FUZZ_CHECK(9, status == WLK_USAGE && error->offset <= size && error->text[0] != '\0');
        FUZZ_CHECK(9, memcmp(&policy, &before, sizeof policy) == 0);
    }
    return status;
}

/* No memory is asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run}, data, size);
}
