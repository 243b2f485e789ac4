#include <weighlock/policy.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "trust/key_file.h"
#include "trust/policy.h"

void wlk_policy_default(wlk_policy *policy) {
    *policy = (wlk_policy){.threshold = 1, .nan = WLK_REPORT, .infinity = WLK_REPORT};
    wlk_limits_default(&policy->limits);
}

/* Puts the file's name before what is wrong in it. */
static wlk_status name_file(const char *path, const wlk_error *found, wlk_error *error) {
    return error_text(error, (wlk_rule)found->rule, found->offset, "%.120s: %s", path, found->text);
}

static wlk_status read_and_parse(const char *path, char *text, wlk_policy *policy,
                                 wlk_error *error) {
    const key_source source = key_source_named(path, POLICY_FILE);
    uint64_t length;
    wlk_error found = {0};
    TRY(operator_file_read(&source, (uint8_t *)text, POLICY_TEXT_BYTES, &length, error));
    if (wlk_policy_parse(text, length, policy, &found) == WLK_OK) return WLK_OK;
    return name_file(path, &found, error);
}

wlk_status wlk_policy_load(const char *path, wlk_policy *policy, wlk_error *error) {
    char *text = mem_alloc(POLICY_TEXT_BYTES + 1);
    if (!text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = read_and_parse(path, text, policy, error);
    mem_free(text);
    return status;
}

/* Only "there is none" is no file: a link that leads nowhere, or a folder that may not
 * be looked into, is a file that cannot be read. */
wlk_status policy_load_if_there(const char *path, wlk_policy *policy, wlk_error *error) {
    struct stat status;
    const bool there = lstat(path, &status) == 0 || errno != ENOENT;
    return there ? wlk_policy_load(path, policy, error) : WLK_OK;
}
