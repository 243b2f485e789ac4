#include "cli/keyring.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trust/trust_set.h"

/* ---- the folder */

wlk_status keyring_choose(const cli *c, keyring *folder, wlk_error *error) {
    wlk_policy policy;
    *folder = (keyring){.now = time(NULL)};
    TRY(options_policy(&c->options, &policy, error));
    const char *named = cli_trust_folder(c, &policy);
    if (!named) return wlk_trust_folder(folder->path, sizeof folder->path, error);
    folder->named = true;
    const int size = snprintf(folder->path, sizeof folder->path, "%s", named);
    if (size >= 0 && (size_t)size < sizeof folder->path) return WLK_OK;
    return error_errno(error, RULE_TRUST_FOLDER_READ, ENAMETOOLONG, named);
}

static bool is_missing(const keyring *folder) {
    struct stat info;
    return lstat(folder->path, &info) != 0 && errno == ENOENT;
}

wlk_status keyring_open(keyring *folder, wlk_error *error) {
    if (!folder->named && is_missing(folder)) return wlk_trust_new(&folder->trust, error);
    return wlk_trust_open(folder->path, &folder->trust, error);
}

void keyring_close(keyring *folder) {
    wlk_trust_free(folder->trust);
    folder->trust = NULL;
}

/* ---- a new key */

static wlk_status open_or_empty(keyring *folder, wlk_error *error) {
    keyring_close(folder);
    if (is_missing(folder)) return wlk_trust_new(&folder->trust, error);
    TRY(wlk_trust_open(folder->path, &folder->trust, error));
    if (access(folder->path, W_OK | X_OK) == 0) return WLK_OK;
    return error_errno(error, RULE_TRUST_KEY_WRITE, errno, folder->path);
}

wlk_status keyring_check_free(keyring *folder, const char *name, wlk_error *error) {
    TRY(open_or_empty(folder, error));
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        if (strcmp(wlk_trust_key(folder->trust, i).name, name) != 0) continue;
        return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%.150s/%s.pub",
                          folder->path, name);
    }
    return WLK_OK;
}

static wlk_status check_new(const keyring *folder, const wlk_trusted_key *key, wlk_error *error) {
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        const wlk_trusted_key other = wlk_trust_key(folder->trust, i);
        if (memcmp(other.key.id, key->key.id, sizeof other.key.id) != 0) continue;
        const bool same = memcmp(other.key.key, key->key.key, sizeof other.key.key) == 0;
        return error_text(error, same ? RULE_TRUST_KEY_EXISTS : RULE_TRUST_KEY_CONFLICT,
                          WLK_NO_OFFSET, "%s", other.name);
    }
    return WLK_OK;
}

/* mkdir -p of what the folder lies in. Others may read it, but not change it. */
static wlk_status make_parents(const keyring *folder, wlk_error *error) {
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", folder->path);
    if (path[0] == '\0') return WLK_OK; /* it cannot be opened either */
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
        }
        *slash = '/';
    }
    return WLK_OK;
}

wlk_status keyring_add(keyring *folder, const wlk_trusted_key *key, wlk_error *error) {
    TRY(open_or_empty(folder, error));
    TRY(check_new(folder, key, error));
    TRY(make_parents(folder, error));
    return wlk_trust_folder_add(folder->path, key, error);
}

/* ---- one key, today */

bool key_counts(const wlk_trusted_key *key, int64_t now) {
    return trusted_key_state(key, now) == WLK_SIGNED_TRUSTED;
}

const char *key_state(const wlk_trusted_key *key, int64_t now) {
    const wlk_signature_state state = trusted_key_state(key, now);
    if (state == WLK_SIGNED_TRUSTED) return "counts";
    if (state == WLK_SIGNED_REVOKED) return "revoked";
    return now < key->valid_from ? "not-yet" : "expired";
}

int64_t key_days_left(const wlk_trusted_key *key, int64_t now) {
    const int64_t end = key->valid_until;
    if (key->revoked != INT64_MAX || end <= now) return 0;
    return end == INT64_MAX ? -1 : (end - now + KEY_DAY_SECONDS - 1) / KEY_DAY_SECONDS;
}

bool key_ends_soon(const wlk_trusted_key *key, int64_t now) {
    const int64_t left = key_days_left(key, now);
    return key_counts(key, now) && left >= 0 && left <= KEY_SOON_DAYS;
}

/* A key counts up to the second before valid_until. */
key_dates key_dates_of(const wlk_trusted_key *key) {
    key_dates dates = {"-", "-", "-"};
    if (key->valid_from != INT64_MIN) wlk_date_text(key->valid_from, dates.from);
    if (key->valid_until != INT64_MAX) wlk_date_text(key->valid_until - 1, dates.until);
    if (key->revoked != INT64_MAX) wlk_date_text(key->revoked, dates.revoked);
    return dates;
}
