#include "trust/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

typedef struct access_row {
    mode_t forbidden;
    int own;        /* must be root's or the caller's */
    int open_flags; /* beyond those of every file */
    wlk_rule bad_mode, unreadable, too_long;
} access_row;

#define KEY_RULES RULE_TRUST_KEY_MODE, RULE_TRUST_KEY_READ, RULE_TRUST_KEY_TEXT
#define POLICY_RULES RULE_POLICY_MODE, RULE_POLICY_READ, RULE_POLICY_TEXT
#define SIGNATURE_RULES RULE_NONE, RULE_TRUST_SIGNATURE_READ, RULE_TRUST_SIGNATURE_TEXT
#define DIGEST_RULES RULE_NONE, RULE_TRUST_DIGEST_READ, RULE_TRUST_DIGEST_TEXT

static const access_row access_rows[] = {
    [KEY_NAMED_PUBLIC] = {0, 0, 0, KEY_RULES},
    [KEY_NAMED_SECRET] = {S_IRWXG | S_IRWXO, 0, 0, KEY_RULES},
    [KEY_IN_FOLDER] = {S_IWGRP | S_IWOTH, 1, O_NOFOLLOW, KEY_RULES},
    [POLICY_FILE] = {S_IWGRP | S_IWOTH, 1, O_NOFOLLOW, POLICY_RULES},
    [SIGNATURE_FILE] = {0, 0, 0, SIGNATURE_RULES},
    [DIGEST_LIST] = {0, 0, 0, DIGEST_RULES},
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
        return error_text(error, row->bad_mode, WLK_NO_OFFSET, "%s belongs to user %lu",
                          source->shown, (unsigned long)status->st_uid);
    }
    if (status->st_mode & row->forbidden) {
        return error_text(error, row->bad_mode, WLK_NO_OFFSET, "%s has mode %04o", source->shown,
                          (unsigned)status->st_mode & 07777u);
    }
    return WLK_OK;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
static wlk_status open_key(const key_source *source, int *fd, wlk_error *error) {
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const access_row *row = &access_rows[source->access];
    *fd = openat(source->folder, source->name, flags | row->open_flags);
    if (*fd >= 0) return WLK_OK;
    if (errno == ELOOP && row->open_flags & O_NOFOLLOW) {
        return error_text(error, row->bad_mode, WLK_NO_OFFSET, "%s is a symbolic link",
                          source->shown);
    }
    return error_errno(error, row->unreadable, errno, source->shown);
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

wlk_status operator_file_read(const key_source *source, uint8_t *text, uint64_t most,
                              uint64_t *length, wlk_error *error) {
    CLOSE_FD int fd = -1;
    const access_row *row = &access_rows[source->access];
    struct stat status;
    TRY(open_key(source, &fd, error));
    if (fstat(fd, &status) != 0) {
        return error_errno(error, row->unreadable, errno, source->shown);
    }
    if (!S_ISREG(status.st_mode)) {
        return error_text(error, row->unreadable, WLK_NO_OFFSET, "%s is not a regular file",
                          source->shown);
    }
    TRY(check_owner_and_mode(source, &status, error));
    const ssize_t have = read_all(fd, text, most + 1);
    if (have < 0) return error_errno(error, row->unreadable, errno, source->shown);
    if ((uint64_t)have > most) {
        return error_text(error, row->too_long, most, "%s is longer than %llu bytes", source->shown,
                          (unsigned long long)most);
    }
    *length = (uint64_t)have;
    return WLK_OK;
}

wlk_status key_file_read(const key_source *source, uint8_t text[KEY_FILE_MAX + 1], uint64_t *length,
                         wlk_error *error) {
    return operator_file_read(source, text, KEY_FILE_MAX, length, error);
}
