#include "trust/put_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trust/ready.h"

#define RANDOM_BYTES 8u
#define PREFIX ".weighlock-"

typedef struct put_row {
    wlk_rule failed;
    bool replaces;
} put_row;

static const put_row rows[] = {
    [PUT_KEY] = {RULE_TRUST_KEY_WRITE, false},
    [PUT_KEY_AGAIN] = {RULE_TRUST_KEY_WRITE, true},
    [PUT_SIGNATURE] = {RULE_TRUST_SIGNATURE_WRITE, true},
};

/* A name beside the place; a trust folder does not look at hidden files. */
typedef struct beside {
    char name[sizeof PREFIX + 2ull * RANDOM_BYTES];
} beside;

static beside new_name(void) {
    uint8_t number[RANDOM_BYTES];
    beside made = {PREFIX};
    randombytes_buf(number, sizeof number);
    (void)sodium_bin2hex(made.name + sizeof PREFIX - 1, 2ull * RANDOM_BYTES + 1, number,
                         sizeof number);
    return made;
}

static wlk_status fail(const put_place *place, int error_number, wlk_error *error) {
    return error_errno(error, rows[place->kind].failed, error_number, place->shown);
}

/* *mode becomes that of the file which is replaced, without what lets others write. */
static wlk_status check_place(const put_place *place, bool *there, mode_t *mode, wlk_error *error) {
    struct stat status;
    *there = fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*there) return errno == ENOENT ? WLK_OK : fail(place, errno, error);
    if (!rows[place->kind].replaces) {
        return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s", place->shown);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_text(error, rows[place->kind].failed, WLK_NO_OFFSET,
                          "%s is not a regular file", place->shown);
    }
    *mode = status.st_mode & 0777 & ~(mode_t)(S_IWGRP | S_IWOTH);
    return WLK_OK;
}

static int write_all(int fd, const uint8_t *text, uint64_t length) {
    while (length > 0) {
        const ssize_t put = write(fd, text, length);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        text += put;
        length -= (uint64_t)put;
    }
    return fsync(fd);
}

/* Writes the hidden file; 0, or what went wrong. */
static int write_beside(const put_place *place, const char *name, const mode_t *exact, mode_t mode,
                        const uint8_t *text, uint64_t length) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    const int fd = openat(place->folder, name, flags, mode);
    if (fd < 0) return errno;
    int failed = write_all(fd, text, length) != 0 ? errno : 0;
    if (failed == 0 && exact && fchmod(fd, *exact) != 0) failed = errno;
    if (close(fd) != 0 && failed == 0) failed = errno;
    if (failed != 0) (void)unlinkat(place->folder, name, 0);
    return failed;
}

/* link, unlike rename, never replaces. */
static int move_into_place(const put_place *place, const char *name) {
    if (rows[place->kind].replaces) {
        if (renameat(place->folder, name, place->folder, place->name) == 0) return 0;
    } else if (linkat(place->folder, name, place->folder, place->name, 0) == 0) {
        (void)unlinkat(place->folder, name, 0);
        return 0;
    }
    const int failed = errno;
    (void)unlinkat(place->folder, name, 0);
    return failed;
}

/* So that the name survives a crash too. Some file systems cannot; the file is there
 * all the same. */
static void sync_folder(const put_place *place) {
    const int fd = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    (void)close(fd);
}

wlk_status put_file(const put_place *place, mode_t mode, const uint8_t *text, uint64_t length,
                    wlk_error *error) {
    bool there;
    mode_t old = 0;
    TRY(sodium_ready(error));
    TRY(check_place(place, &there, &old, error));
    const beside hidden = new_name();
    int failed =
        write_beside(place, hidden.name, there ? &old : NULL, there ? old : mode, text, length);
    if (failed == 0) failed = move_into_place(place, hidden.name);
    if (failed == EEXIST && !rows[place->kind].replaces) {
        return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s", place->shown);
    }
    if (failed != 0) return fail(place, failed, error);
    sync_folder(place);
    return WLK_OK;
}

/* The path's folder, open: "." if it names none. */
static int open_folder_of(const char *path, const char *last) {
    char folder[PATH_MAX];
    const size_t length = (size_t)(last - path);
    if (length == 0) return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, length);
    folder[length] = '\0';
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

wlk_status put_file_at(const char *path, put_kind kind, mode_t mode, const uint8_t *text,
                       uint64_t length, wlk_error *error) {
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    put_place place = {.name = last, .shown = path, .kind = kind};
    if (!last[0]) return fail(&place, path[0] ? EISDIR : ENOENT, error);
    place.folder = open_folder_of(path, last);
    if (place.folder < 0) return fail(&place, errno, error);
    const wlk_status status = put_file(&place, mode, text, length, error);
    (void)close(place.folder);
    return status;
}
