#include "trust/key_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "trust/key_file.h"
#include "trust/trust_set.h"
#include "trust/trusted_key.h"

void key_folder_close(key_folder *folder) {
    if (folder->entries) (void)closedir(folder->entries);
    mem_free(folder->names);
}

key_path key_folder_path(const key_folder *folder, const char *file) {
    key_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/%s", folder->path, file);
    return path;
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

/* O_DIRECTORY and O_NOFOLLOW together say "not a directory" of a link. */
static bool is_link(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

static wlk_status open_entries(key_folder *folder, bool follow, wlk_error *error) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    const int fd = open(folder->path, flags);
    if (fd < 0 && !follow && is_link(folder->path)) {
        return error_text(error, RULE_TRUST_FOLDER_MODE, WLK_NO_OFFSET, "%s is a symbolic link",
                          folder->path);
    }
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
    return name[0] != '.' && length > TRUSTED_KEY_SUFFIX_BYTES &&
           strcmp(name + length - TRUSTED_KEY_SUFFIX_BYTES, TRUSTED_KEY_SUFFIX) == 0;
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

wlk_status key_folder_open(key_folder *folder, bool follow, wlk_error *error) {
    TRY(open_entries(folder, follow, error));
    return list_names(folder, error);
}

wlk_status key_folder_read(const key_folder *folder, const char *file, wlk_trusted_key *key,
                           wlk_error *error) {
    const key_path shown = key_folder_path(folder, file);
    const key_source source = {.folder = dirfd(folder->entries),
                               .name = file,
                               .shown = shown.text,
                               .access = KEY_IN_FOLDER};
    return trusted_key_read(&source, key, error);
}

wlk_status key_folder_load(const key_folder *folder, wlk_trust *trust, wlk_error *error) {
    for (uint32_t i = 0; i < folder->count; i++) {
        wlk_trusted_key key;
        TRY(key_folder_read(folder, folder->names[i].text, &key, error));
        TRY(wlk_trust_add_key(trust, &key, error));
    }
    return WLK_OK;
}
