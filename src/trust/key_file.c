#include "trust/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct access_row {
    mode_t forbidden;
    int own;        /* must be root's or the caller's */
    int open_flags; /* beyond those of every file */
} access_row;

static const access_row access_rows[] = {
    [KEY_NAMED_PUBLIC] = {0, 0, 0},
    [KEY_NAMED_SECRET] = {S_IRWXG | S_IRWXO, 0, 0},
    [KEY_IN_FOLDER] = {S_IWGRP | S_IWOTH, 1, O_NOFOLLOW},
};

static void close_fd(const int *fd) {
    if (*fd >= 0) (void)close(*fd);
}
#define CLOSE_FD __attribute__((cleanup(close_fd)))

int owned_by_root_or_caller(const struct stat *status) {
    return status->st_uid == 0 || status->st_uid == geteuid();
}

key_source key_source_named(const char *path, key_access access) {
    return (key_source){.folder = AT_FDCWD, .name = path, .shown = path, .access = access};
}

static wlk_status check_owner_and_mode(const key_source *source, const struct stat *status,
                                       wlk_error *error) {
    const access_row *row = &access_rows[source->access];
    if (row->own && !owned_by_root_or_caller(status)) {
        return error_text(error, RULE_TRUST_KEY_MODE, WLK_NO_OFFSET, "%s belongs to user %lu",
                          source->shown, (unsigned long)status->st_uid);
    }
    if (status->st_mode & row->forbidden) {
        return error_text(error, RULE_TRUST_KEY_MODE, WLK_NO_OFFSET, "%s has mode %04o",
                          source->shown, (unsigned)status->st_mode & 07777u);
    }
    return WLK_OK;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static wlk_status open_key(const key_source *source, int *fd, wlk_error *error) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    *fd = openat(source->folder, source->name, flags | access_rows[source->access].open_flags);
    if (*fd >= 0) return WLK_OK;
    if (errno == ELOOP && source->access == KEY_IN_FOLDER) {
        return error_text(error, RULE_TRUST_KEY_MODE, WLK_NO_OFFSET, "%s is a symbolic link",
                          source->shown);
    }
    return error_errno(error, RULE_TRUST_KEY_READ, errno, source->shown);
}

/* Reads until end of file or until `size` bytes are there. */
static ssize_t read_all(int fd, uint8_t *text, size_t size) {
    size_t have = 0;
    while (have < size) {
        const ssize_t got = read(fd, text + have, size - have);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

wlk_status key_file_read(const key_source *source, uint8_t text[KEY_FILE_MAX + 1], uint64_t *length,
                         wlk_error *error) {
    CLOSE_FD int fd = -1;
    struct stat status;
    TRY(open_key(source, &fd, error));
    if (fstat(fd, &status) != 0) {
        return error_errno(error, RULE_TRUST_KEY_READ, errno, source->shown);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_text(error, RULE_TRUST_KEY_READ, WLK_NO_OFFSET, "%s is not a regular file",
                          source->shown);
    }
    TRY(check_owner_and_mode(source, &status, error));
    const ssize_t have = read_all(fd, text, KEY_FILE_MAX + 1);
    if (have < 0) return error_errno(error, RULE_TRUST_KEY_READ, errno, source->shown);
    if (have > KEY_FILE_MAX) {
        return error_text(error, RULE_TRUST_KEY_TEXT, KEY_FILE_MAX, "%s is longer than %d bytes",
                          source->shown, KEY_FILE_MAX);
    }
    *length = (uint64_t)have;
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

wlk_status key_file_create(const char *path, mode_t mode, const uint8_t *text, uint64_t length,
                           wlk_error *error) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno == EEXIST) {
        return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s", path);
    }
    if (fd < 0) return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
    int failed = write_all(fd, text, length) != 0 ? errno : 0;
    if (close(fd) != 0 && failed == 0) failed = errno;
    if (failed == 0) return WLK_OK;
    (void)unlink(path);
    return error_errno(error, RULE_TRUST_KEY_WRITE, failed, path);
}
