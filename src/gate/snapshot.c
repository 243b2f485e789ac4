#include "gate/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)
#define COPY_STEP (64u << 20)
#define NOEXEC_SEAL 8u /* MFD_NOEXEC_SEAL, Linux 6.3: model bytes are never a program */

wlk_status snapshot_open_path(const char *path, int *fd, wlk_error *error) {
    /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (opened < 0) return error_errno(error, RULE_GATE_OPEN, errno, path);
    struct stat status;
    if (fstat(opened, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)close(opened);
        return error_text(error, RULE_GATE_NOT_REGULAR, WLK_NO_OFFSET, "%s", path);
    }
    *fd = opened;
    return WLK_OK;
}

static int memfd_new(void) {
    const int fd = memfd_create("weighlock", MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);
    if (fd >= 0 || errno != EINVAL) return fd;
    return memfd_create("weighlock", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* Copies exactly `size` bytes and makes sure that the file has no more. */
static wlk_status copy_all(int from, int to, uint64_t size, wlk_error *error) {
    off_t at = 0;
    while ((uint64_t)at < size) {
        const uint64_t left = size - (uint64_t)at;
        const ssize_t sent = sendfile(to, from, &at, left < COPY_STEP ? left : COPY_STEP);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == ENOSPC) return error_at(error, RULE_GATE_MEMORY, WLK_NO_OFFSET);
        if (sent < 0) return error_errno(error, RULE_GATE_READ, errno, "copy");
        if (sent == 0) return error_at(error, RULE_GATE_CHANGED, (uint64_t)at);
    }
    uint8_t more;
    if (pread(from, &more, 1, at) != 0) return error_at(error, RULE_GATE_CHANGED, (uint64_t)at);
    return WLK_OK;
}

static wlk_status map(int fd, uint64_t size, snapshot *out, wlk_error *error) {
    /* Private: before Linux 6.7 a shared mapping of a sealed memfd is refused. */
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return error_errno(error, RULE_GATE_MEMORY, errno, "mmap");
    *out = (snapshot){.fd = fd, .data = data, .size = size};
    return WLK_OK;
}

static wlk_status copy_and_seal(int fd, uint64_t size, int copy, snapshot *out, wlk_error *error) {
    TRY(copy_all(fd, copy, size, error));
    if (fcntl(copy, F_ADD_SEALS, SEALS) != 0) {
        return error_errno(error, RULE_GATE_MEMORY, errno, "seal");
    }
    return map(copy, size, out, error);
}

wlk_status snapshot_take(int fd, uint64_t limit, snapshot *out, wlk_error *error) {
    struct stat status;
    /* The seals before the size: whoever seals in between can no longer shrink it. */
    const int seals = fcntl(fd, F_GET_SEALS);
    const bool sealed = seals >= 0 && (seals & SEALS) == SEALS;
    if (fstat(fd, &status) != 0) return error_errno(error, RULE_GATE_READ, errno, "fstat");
    if (!S_ISREG(status.st_mode)) return error_at(error, RULE_GATE_NOT_REGULAR, WLK_NO_OFFSET);
    const uint64_t size = (uint64_t)status.st_size;
    if (size == 0) return error_at(error, RULE_FORMAT_EMPTY, 0);
    if (size > limit) return error_at(error, RULE_LIMIT_FILE_BYTES, limit);
    const int copy = sealed ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : memfd_new();
    if (copy < 0) return error_errno(error, RULE_GATE_MEMORY, errno, "memfd_create");
    const wlk_status result =
        sealed ? map(copy, size, out, error) : copy_and_seal(fd, size, copy, out, error);
    if (result != WLK_OK) (void)close(copy);
    return result;
}

void snapshot_close(snapshot *s) {
    if (s->fd >= 0) (void)close(s->fd);
    s->fd = -1;
}

void snapshot_drop(snapshot *s) {
    if (s->data) (void)munmap((void *)(uintptr_t)s->data, s->size);
    snapshot_close(s);
    *s = SNAPSHOT_NONE;
}
