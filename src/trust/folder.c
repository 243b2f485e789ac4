#include "trust/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "trust/key_folder.h"

static wlk_status join(const char *base, const char *below, char *path, uint64_t size,
                       wlk_error *error) {
    const int length = snprintf(path, size, "%s%s", base, below);
    if ((uint64_t)length < size) return WLK_OK;
    return error_errno(error, RULE_TRUST_FOLDER_READ, ENAMETOOLONG, base);
}

wlk_status trust_folder_choose(const char *system_folder, const char *config_home, const char *home,
                               char *path, uint64_t size, wlk_error *error) {
    struct stat status;
    if (lstat(system_folder, &status) == 0) return join(system_folder, "", path, size, error);
    if (errno != ENOENT) return error_errno(error, RULE_TRUST_FOLDER_READ, errno, system_folder);
    if (config_home && config_home[0] == '/') {
        return join(config_home, "/weighlock/trust", path, size, error);
    }
    if (home && home[0] == '/') {
        return join(home, "/.config/weighlock/trust", path, size, error);
    }
    return error_at(error, RULE_TRUST_FOLDER_NONE, WLK_NO_OFFSET);
}

/* secure_getenv: a program that runs with more rights than its caller must not
 * let the caller choose whom it trusts. */
wlk_status wlk_trust_folder(char *path, uint64_t size, wlk_error *error) {
    return trust_folder_choose(TRUST_SYSTEM_FOLDER, secure_getenv("XDG_CONFIG_HOME"),
                               secure_getenv("HOME"), path, size, error);
}

static wlk_status load_folder(const char *path, wlk_trust *trust, wlk_error *error) {
    __attribute__((cleanup(key_folder_close))) key_folder folder = {.path = path};
    TRY(key_folder_open(&folder, true, error));
    return key_folder_load(&folder, trust, error);
}

/* The folder of wlk_trust_open(NULL); *path is empty if there is none. */
static wlk_status default_folder(char path[PATH_MAX], wlk_error *error) {
    wlk_error failure;
    struct stat status;
    path[0] = '\0';
    if (wlk_trust_folder(path, PATH_MAX, &failure) != WLK_OK) {
        if (failure.rule == RULE_TRUST_FOLDER_NONE) return WLK_OK;
        if (error) *error = failure;
        return failure.status;
    }
    if (lstat(path, &status) != 0 && errno == ENOENT) path[0] = '\0';
    return WLK_OK;
}

wlk_status wlk_trust_open(const char *directory, wlk_trust **trust, wlk_error *error) {
    char found[PATH_MAX];
    wlk_trust *made;
    *trust = NULL;
    if (!directory) TRY(default_folder(found, error));
    const bool none = !directory && !found[0];
    TRY(wlk_trust_new(&made, error));
    const wlk_status status =
        none ? WLK_OK : load_folder(directory ? directory : found, made, error);
    if (status == WLK_OK) {
        *trust = made;
    } else {
        wlk_trust_free(made);
    }
    return status;
}
