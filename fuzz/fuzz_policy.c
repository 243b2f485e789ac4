/* The operator's policy file: whatever it says, a policy comes out whole or stays as
 * it was (invariants 7 and 9). */
#include <stdlib.h>
#include <string.h>

#include <weighlock/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int holds(const wlk_policy *policy) {
    const char *folder = policy->trust_folder;
    return memchr(folder, '\0', sizeof policy->trust_folder) &&
           (folder[0] == '\0' || folder[0] == '/') && policy->threshold >= 1 &&
           policy->legacy_signatures >= 0 && policy->legacy_signatures <= 1 &&
           policy->nan <= WLK_REFUSE && policy->infinity <= WLK_REFUSE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wlk_policy before, policy, again;
    wlk_error error = {0};
    memset(&before, 0, sizeof before);
    wlk_policy_default(&before);
    memcpy(&policy, &before, sizeof policy);
    const wlk_status status = wlk_policy_parse((const char *)data, size, &policy, &error);
    if (status != WLK_OK) {
        if (status != WLK_USAGE || error.status != status || error.offset > size) abort();
        if (error.text[0] == '\0' || memcmp(&policy, &before, sizeof policy) != 0) abort();
        return 0;
    }
    if (!holds(&policy)) abort();
    /* What was read is all there is to it. */
    memcpy(&again, &policy, sizeof again);
    if (wlk_policy_parse((const char *)data, size, &again, NULL) != WLK_OK) abort();
    if (memcmp(&again, &policy, sizeof policy) != 0) abort();
    return 0;
}
