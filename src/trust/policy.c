#include <weighlock/policy.h>

void wlk_policy_default(wlk_policy *policy) {
    *policy = (wlk_policy){.threshold = 1, .nan = WLK_REPORT, .infinity = WLK_REPORT};
    wlk_limits_default(&policy->limits);
}

wlk_status wlk_policy_load(const char *path, wlk_policy *policy, wlk_error *error) {
    (void)path, (void)policy, (void)error;
    return WLK_UNSUPPORTED;
}
