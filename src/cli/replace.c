#include "cli/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define WRITE_STEP (1ull << 30) /* the kernel writes at most 2 GiB a call */

static bool write_all(int fd, const uint8_t *data, uint64_t size) {
    while (size > 0) {
        const ssize_t put = write(fd, data, size < WRITE_STEP ? size : WRITE_STEP);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        data += put;
        size -= (uint64_t)put;
    }
    return true;
}

static wlk_status write_directly(const char *path, const void *data, uint64_t size,
                                 wlk_error *error) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return error_errno(error, RULE_CLI_OUTPUT, errno, path);
    const bool written = write_all(fd, data, size);
    const int reason = errno;
    if (close(fd) == 0 && written) return WLK_OK;
    return error_errno(error, RULE_CLI_OUTPUT, written ? errno : reason, path);
}

static wlk_status write_and_rename(const char *path, char *temporary, mode_t mode,
                                   const void *data, uint64_t size, wlk_error *error) {
    const int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return error_errno(error, RULE_CLI_OUTPUT, errno, path);
    bool done = fchmod(fd, mode) == 0 && write_all(fd, data, size) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && done) {
        done = false;
        reason = errno;
    }
    if (done && rename(temporary, path) == 0) return WLK_OK;
    if (done) reason = errno;
    (void)unlink(temporary);
    return error_errno(error, RULE_CLI_OUTPUT, reason, path);
}

/* What a new file would get, as open() does it. */
static mode_t new_mode(void) {
    const mode_t mask = umask(077);
    (void)umask(mask);
    return 0666 & ~mask;
}

wlk_status replace_file(const char *path, const void *data, uint64_t size, wlk_error *error) {
    struct stat old;
    const bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) return write_directly(path, data, size, error);
    char temporary[PATH_BYTES];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= sizeof temporary) {
        return error_errno(error, RULE_CLI_OUTPUT, ENAMETOOLONG, path);
    }
    const mode_t mode = exists ? old.st_mode & 0777 : new_mode();
    return write_and_rename(path, temporary, mode, data, size, error);
}
