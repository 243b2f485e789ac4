/* Writing to a file that appears whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "file/whole_file.h"
#include "write/layout.h"

#define BATCH 64 /* runs of bytes in one system call */

typedef struct batch {
    const whole_file *to;
    struct iovec runs[BATCH];
    int count;
} batch;

static wlk_status flush(batch *b, wlk_error *error) {
    struct iovec *run = b->runs;
    int left = b->count;
    while (left > 0) {
        ssize_t wrote = writev(b->to->fd, run, left);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return whole_file_failed(b->to, errno, error);
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

static wlk_status put_run(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    batch *b = context;
    if (b->count == BATCH) TRY(flush(b, error));
    b->runs[b->count++] = (struct iovec){(void *)(uintptr_t)bytes, length};
    return WLK_OK;
}

/* Signing reads the file back: what is signed is what was written. */
static wlk_status sign_file(const whole_file *to, uint64_t size, const wlk_secret_key *key,
                            wlk_error *error) {
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, to->fd, 0);
    if (data == MAP_FAILED) return whole_file_failed(to, errno, error);
    const wlk_status status = wlk_sign_memory(data, size, key, error);
    (void)munmap(data, size);
    return status;
}

static wlk_status fill(const whole_file *to, const file_layout *layout, const wlk_secret_key *key,
                       wlk_error *error) {
    batch b = {.to = to};
    const file_output output = {&b, put_run};
    TRY(layout_put(layout, &output, error));
    TRY(flush(&b, error));
    return key ? sign_file(to, layout->size, key, error) : WLK_OK;
}

static wlk_status write_to(whole_file *to, const file_layout *layout, const wlk_secret_key *key,
                           wlk_error *error) {
    TRY(fill(to, layout, key, error));
    return whole_file_commit(to, error);
}

wlk_status wlk_write_path(const wlk_model *model, const wlk_write_options *options,
                          const char *path, wlk_error *error) {
    const whole_place place = {
        .folder = AT_FDCWD, .path = path, .failed = RULE_WRITE_FAILED, .mode = 0666};
    file_layout layout;
    whole_file to = WHOLE_FILE_NONE;
    wlk_status status = layout_open(model, options, &layout, error);
    if (status == WLK_OK) status = whole_file_open(&place, &to, error);
    if (status == WLK_OK) status = write_to(&to, &layout, options ? options->key : NULL, error);
    whole_file_close(&to);
    layout_close(&layout);
    return status;
}
