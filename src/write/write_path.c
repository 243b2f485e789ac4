/* Writing to a file that appears whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "write/layout.h"

#define BATCH 64 /* runs of bytes in one system call */
#define TEMPORARY_BYTES 40
#define ATTEMPTS 16

/* Where the file goes. */
typedef struct destination {
    const char *path; /* for messages */
    const char *name; /* its last component */
    int folder;
    int fd;
    char temporary[TEMPORARY_BYTES]; /* "": none is there */
} destination;

typedef struct batch {
    destination *to;
    struct iovec runs[BATCH];
    int count;
} batch;

static wlk_status failed(const destination *to, wlk_error *error) {
    return error_errno(error, RULE_WRITE_FAILED, errno, to->path);
}

/* ---- bytes */

static wlk_status flush(batch *b, wlk_error *error) {
    struct iovec *run = b->runs;
    int left = b->count;
    while (left > 0) {
        ssize_t wrote = writev(b->to->fd, run, left);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failed(b->to, error);
        for (; left > 0 && (size_t)wrote >= run->iov_len; run++, left--) {
            wrote -= (ssize_t)run->iov_len;
        }
        if (left > 0) {
            run->iov_base = (char *)run->iov_base + wrote;
            run->iov_len -= (size_t)wrote;
        }
    }
    b->count = 0;
    return WLK_OK;
}

static wlk_status put_file(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    batch *b = context;
    if (b->count == BATCH) TRY(flush(b, error));
    b->runs[b->count++] = (struct iovec){(void *)(uintptr_t)bytes, length};
    return WLK_OK;
}

/* Signing reads the file back: what is signed is what was written. */
static wlk_status sign_file(const destination *to, uint64_t size, const wlk_secret_key *key,
                            wlk_error *error) {
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to->fd, 0);
    if (data == MAP_FAILED) return failed(to, error);
    const wlk_status status = wlk_sign_memory(data, size, key, error);
    (void)munmap(data, size);
    return status;
}

static wlk_status fill(destination *to, const file_layout *layout, const wlk_secret_key *key,
                       wlk_error *error) {
    batch b = {.to = to};
    const file_output output = {&b, put_file};
    TRY(layout_put(layout, &output, error));
    TRY(flush(&b, error));
    if (key) TRY(sign_file(to, layout->size, key, error));
    return fsync(to->fd) == 0 ? WLK_OK : failed(to, error);
}

/* ---- names */

static wlk_status open_folder(destination *to, wlk_error *error) {
    const char *slash = strrchr(to->path, '/');
    to->name = slash ? slash + 1 : to->path;
    if (to->name[0] == '\0') {
        errno = EISDIR;
        return failed(to, error);
    }
    const size_t length = slash ? (size_t)(slash - to->path) + 1 : 0;
    char *folder = slash ? mem_text_of(to->path, length) : mem_text(".");
    if (!folder) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    to->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int reason = errno;
    mem_free(folder);
    errno = reason;
    return to->folder >= 0 ? WLK_OK : failed(to, error);
}

/* Renaming over /dev/null, or over a link, is nobody's wish. */
static wlk_status check_target(const destination *to, wlk_error *error) {
    struct stat info;
    if (fstatat(to->folder, to->name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? WLK_OK : failed(to, error);
    }
    if (S_ISREG(info.st_mode)) return WLK_OK;
    return error_text(error, RULE_WRITE_TARGET, WLK_NO_OFFSET, "%s", to->path);
}

static wlk_status open_temporary(destination *to, wlk_error *error) {
    for (int i = 0; i < ATTEMPTS; i++) {
        uint64_t random;
        randombytes_buf(&random, sizeof random);
        (void)snprintf(to->temporary, sizeof to->temporary, ".weighlock-%016llx",
                       (unsigned long long)random);
        to->fd = openat(to->folder, to->temporary,
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (to->fd >= 0) return WLK_OK;
        if (errno != EEXIST) break;
    }
    to->temporary[0] = '\0';
    return failed(to, error);
}

/* The name appears with the content behind it. The folder is synced so that this
 * holds after a power cut too; not every file system can (EINVAL). */
static wlk_status put_in_place(destination *to, wlk_error *error) {
    if (renameat(to->folder, to->temporary, to->folder, to->name) != 0) return failed(to, error);
    to->temporary[0] = '\0';
    if (fsync(to->folder) == 0 || errno == EINVAL) return WLK_OK;
    return failed(to, error);
}

static wlk_status write_to(destination *to, const file_layout *layout, const wlk_secret_key *key,
                           wlk_error *error) {
    TRY(open_folder(to, error));
    TRY(check_target(to, error));
    TRY(open_temporary(to, error));
    TRY(fill(to, layout, key, error));
    return put_in_place(to, error);
}

static void destination_close(destination *to) {
    if (to->temporary[0] != '\0') (void)unlinkat(to->folder, to->temporary, 0);
    if (to->fd >= 0) (void)close(to->fd);
    if (to->folder >= 0) (void)close(to->folder);
}

wlk_status wlk_write_path(const wlk_model *model, const wlk_write_options *options,
                          const char *path, wlk_error *error) {
    file_layout layout;
    destination to = {.path = path, .folder = -1, .fd = -1};
    wlk_status status = layout_open(model, options, &layout, error);
    if (status == WLK_OK) status = write_to(&to, &layout, options ? options->key : NULL, error);
    destination_close(&to);
    layout_close(&layout);
    return status;
}
