#include "gate/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/huge.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)
#define COPY_STEP (64u << 20)
#define NOEXEC_SEAL 8u /* MFD_NOEXEC_SEAL, Linux 6.3: model bytes are never a program */

static const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode)) return "a FIFO";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "a special file";
}

/* ENXIO: a socket, or a device without a driver, which cannot even be opened. */
wlk_status snapshot_open_path(const char *path, int *fd, wlk_error *error) {
    /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (opened < 0 && errno != ENXIO) return error_errno(error, RULE_GATE_OPEN, errno, path);
    struct stat status = {.st_mode = S_IFSOCK};
    const int reason = opened >= 0 && fstat(opened, &status) != 0 ? errno : 0;
    if (reason == 0 && opened >= 0 && S_ISREG(status.st_mode)) {
        *fd = opened;
        return WLK_OK;
    }
    if (opened >= 0) (void)close(opened);
    if (reason != 0) return error_errno(error, RULE_GATE_READ, reason, "fstat");
    return error_text(error, RULE_GATE_NOT_REGULAR, WLK_NO_OFFSET, "%s is %s", path,
                      kind_of(status.st_mode));
}

wlk_status snapshot_measure(int fd, uint64_t limit, uint64_t *size, wlk_error *error) {
    struct stat status;
    if (fstat(fd, &status) != 0) return error_errno(error, RULE_GATE_READ, errno, "fstat");
    if (!S_ISREG(status.st_mode)) return error_at(error, RULE_GATE_NOT_REGULAR, WLK_NO_OFFSET);
    *size = (uint64_t)status.st_size;
    if (*size == 0) return error_at(error, RULE_FORMAT_EMPTY, 0);
    return *size > limit ? error_at(error, RULE_LIMIT_FILE_BYTES, limit) : WLK_OK;
}

static int memfd_new(void) {
    const int fd = memfd_create("weighlock", MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);
    if (fd >= 0 || errno != EINVAL) return fd;
    return memfd_create("weighlock", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* A write beyond RLIMIT_FSIZE is a signal that ends the host, so it is not tried. */
static wlk_status check_file_limit(uint64_t size, wlk_error *error) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        size <= limit.rlim_cur) {
        return WLK_OK;
    }
    return error_text(error, RULE_GATE_FILE_LIMIT, WLK_NO_OFFSET,
                      "%llu bytes are needed, %llu allowed", (unsigned long long)size,
                      (unsigned long long)limit.rlim_cur);
}

static wlk_status copy_failed(int reason, wlk_error *error) {
    if (reason == EFBIG) return error_at(error, RULE_GATE_FILE_LIMIT, WLK_NO_OFFSET);
    const bool full = reason == ENOSPC || reason == ENOMEM;
    return error_errno(error, full ? RULE_GATE_MEMORY : RULE_GATE_READ, reason, "copy");
}

/* Copies exactly `size` bytes. */
static wlk_status copy_bytes(int from, int to, uint64_t size, wlk_error *error) {
    off_t at = lseek(to, (off_t)huge_copy(from, to, size), SEEK_SET);
    if (at < 0) return copy_failed(errno, error);
    while ((uint64_t)at < size) {
        const uint64_t left = size - (uint64_t)at;
        const ssize_t sent = sendfile(to, from, &at, left < COPY_STEP ? left : COPY_STEP);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return copy_failed(errno, error);
        if (sent == 0) return error_at(error, RULE_GATE_CHANGED, (uint64_t)at);
    }
    return WLK_OK;
}

/* Is `size` still where the file ends? */
static wlk_status check_end(int from, uint64_t size, wlk_error *error) {
    uint8_t more;
    ssize_t got;
    do {
        got = pread(from, &more, 1, (off_t)size);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return WLK_OK;
    return got < 0 ? copy_failed(errno, error) : error_at(error, RULE_GATE_CHANGED, size);
}

static wlk_status map(int fd, uint64_t size, snapshot *out, wlk_error *error) {
    /* Private: before Linux 6.7 a shared mapping of a sealed memfd is refused. */
    void *data = huge_map(fd, size, PROT_READ);
    if (data == MAP_FAILED) return error_errno(error, RULE_GATE_MEMORY, errno, "mmap");
    *out = (snapshot){.fd = fd, .data = data, .size = size};
    return WLK_OK;
}

static wlk_status copy_and_seal(int fd, uint64_t size, bool whole, int copy, snapshot *out,
                                wlk_error *error) {
    TRY(copy_bytes(fd, copy, size, error));
    if (whole) TRY(check_end(fd, size, error));
    if (fcntl(copy, F_ADD_SEALS, SEALS) != 0) {
        return error_errno(error, RULE_GATE_MEMORY, errno, "seal");
    }
    return map(copy, size, out, error);
}

/* A new copy of bytes [0, size), which are all there are if `whole`. */
static wlk_status take_copy(int fd, uint64_t size, bool whole, snapshot *out, wlk_error *error) {
    TRY(check_file_limit(size, error));
    const int copy = memfd_new();
    if (copy < 0) return error_errno(error, RULE_GATE_MEMORY, errno, "memfd_create");
    const wlk_status status = copy_and_seal(fd, size, whole, copy, out, error);
    if (status != WLK_OK) (void)close(copy);
    return status;
}

static wlk_status take_sealed(int fd, uint64_t size, snapshot *out, wlk_error *error) {
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return error_errno(error, RULE_GATE_MEMORY, errno, "descriptor");
    const wlk_status status = map(own, size, out, error);
    if (status != WLK_OK) (void)close(own);
    return status;
}

wlk_status snapshot_take(int fd, uint64_t limit, snapshot *out, wlk_error *error) {
    uint64_t size;
    /* The seals before the size: whoever seals in between can no longer shrink it. */
    const int seals = fcntl(fd, F_GET_SEALS);
    const bool sealed = seals >= 0 && (seals & SEALS) == SEALS;
    TRY(snapshot_measure(fd, UINT64_MAX, &size, error));
    if (size > limit) return error_at(error, RULE_LIMIT_SNAPSHOT_BYTES, limit);
    return sealed ? take_sealed(fd, size, out, error) : take_copy(fd, size, true, out, error);
}

wlk_status snapshot_take_head(int fd, uint64_t length, snapshot *out, wlk_error *error) {
    return take_copy(fd, length, false, out, error);
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
