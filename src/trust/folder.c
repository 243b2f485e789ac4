#include "trust/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "trust/key_file.h"
#include "trust/public_key.h"
#include "trust/trust_set.h"

#define SUFFIX ".pub"
#define SUFFIX_BYTES (sizeof SUFFIX - 1)

typedef struct key_name {
    char text[NAME_MAX + 1];
} key_name;

/* An open trust folder and the names of its keys. */
typedef struct key_folder {
    const char *path;
    DIR *entries;
    key_name *names;
    uint32_t count;
    uint32_t capacity;
} key_folder;

static void key_folder_close(key_folder *folder) {
    if (folder->entries) (void)closedir(folder->entries);
    mem_free(folder->names);
}

static wlk_status join(const char *base, const char *below, char *path, uint64_t size,
                       wlk_error *error) {
    const int length = snprintf(path, size, "%s%s", base, below);
    if (length >= 0 && (uint64_t)length < size) return WLK_OK;
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

static wlk_status check_folder(int fd, const char *path, wlk_error *error) {
    struct stat status;
    if (fstat(fd, &status) != 0) return error_errno(error, RULE_TRUST_FOLDER_READ, errno, path);
    if (!owned_by_root_or_caller(&status)) {
        return error_text(error, RULE_TRUST_FOLDER_MODE, WLK_NO_OFFSET, "%s belongs to user %lu",
                          path, (unsigned long)status.st_uid);
    }
    if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        return error_text(error, RULE_TRUST_FOLDER_MODE, WLK_NO_OFFSET, "%s has mode %04o", path,
                          (unsigned)status.st_mode & 07777u);
    }
    return WLK_OK;
}

static wlk_status open_folder(key_folder *folder, wlk_error *error) {
    const int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_errno(error, RULE_TRUST_FOLDER_READ, errno, folder->path);
    const wlk_status status = check_folder(fd, folder->path, error);
    if (status == WLK_OK) folder->entries = fdopendir(fd);
    if (folder->entries) return WLK_OK;
    const int failed = errno;
    (void)close(fd);
    if (status != WLK_OK) return status;
    return error_errno(error, RULE_TRUST_FOLDER_READ, failed, folder->path);
}

/* NAME.pub; hidden files and others (README, backups) are not looked at. */
static bool names_key(const char *name) {
    const size_t length = strlen(name);
    return name[0] != '.' && length > SUFFIX_BYTES &&
           strcmp(name + length - SUFFIX_BYTES, SUFFIX) == 0;
}

static wlk_status keep_name(key_folder *folder, const char *name, wlk_error *error) {
    if (folder->count == TRUST_MAX_KEYS) {
        return error_text(error, RULE_TRUST_KEY_LIMIT, WLK_NO_OFFSET, "%s", folder->path);
    }
    if (folder->count == folder->capacity) {
        const uint32_t capacity = folder->capacity ? folder->capacity * 2 : 16;
        key_name *names = mem_resize_array(folder->names, capacity, sizeof *names);
        if (!names) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        folder->names = names;
        folder->capacity = capacity;
    }
    key_name *kept = &folder->names[folder->count++];
    (void)snprintf(kept->text, sizeof kept->text, "%s", name);
    return WLK_OK;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const key_name *)a)->text, ((const key_name *)b)->text);
}

/* Sorted, so that which file an error names does not depend on the file system. */
static wlk_status list_names(key_folder *folder, wlk_error *error) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder->entries);
        if (!entry && errno != 0) {
            return error_errno(error, RULE_TRUST_FOLDER_READ, errno, folder->path);
        }
        if (!entry) break;
        if (names_key(entry->d_name)) TRY(keep_name(folder, entry->d_name, error));
    }
    if (folder->count > 0) {
        qsort(folder->names, folder->count, sizeof *folder->names, compare_names);
    }
    return WLK_OK;
}

static wlk_status add_file(const key_folder *folder, const char *file, wlk_trust *trust,
                           wlk_error *error) {
    char shown[PATH_MAX + NAME_MAX + 2];
    (void)snprintf(shown, sizeof shown, "%s/%s", folder->path, file);
    const key_source source = {
        .folder = dirfd(folder->entries), .name = file, .shown = shown, .access = KEY_IN_FOLDER};
    wlk_public_key key;
    TRY(public_key_read(&source, &key, error));
    key_name name;
    const size_t length = strlen(file) - SUFFIX_BYTES;
    memcpy(name.text, file, length);
    name.text[length] = '\0';
    return wlk_trust_add(trust, &key, name.text, error);
}

static wlk_status load_folder(const char *path, wlk_trust *trust, wlk_error *error) {
    __attribute__((cleanup(key_folder_close))) key_folder folder = {.path = path};
    TRY(open_folder(&folder, error));
    TRY(list_names(&folder, error));
    for (uint32_t i = 0; i < folder.count; i++) {
        TRY(add_file(&folder, folder.names[i].text, trust, error));
    }
    return WLK_OK;
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
