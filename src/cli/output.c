#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the stream */

static wlk_status failed(const output *out, int reason, wlk_error *error) {
    return error_errno(error, RULE_CLI_OUTPUT, reason, out->path ? out->path : "standard output");
}

/* A stream remembers that something failed, but not why, and by the time it is closed
 * errno says something else. */
static ssize_t put(void *context, const char *bytes, size_t length) {
    output *out = context;
    const int reason = whole_write(out->fd, bytes, length);
    if (reason == 0) return (ssize_t)length;
    if (out->reason == 0) out->reason = reason;
    errno = reason;
    return 0;
}

static wlk_status open_stream(output *out, wlk_error *error) {
    static const cookie_io_functions_t functions = {.write = put};
    out->stream = fopencookie(out, "w", functions);
    return out->stream ? WLK_OK : failed(out, errno, error);
}

/* ---- opening */

static wlk_status open_file(output *out, wlk_error *error) {
    const whole_place place = {
        .folder = AT_FDCWD, .path = out->path, .failed = RULE_CLI_OUTPUT, .mode = 0666};
    TRY(whole_file_open(&place, &out->file, error));
    out->fd = out->file.fd;
    return open_stream(out, error);
}

static wlk_status open_device(output *out, wlk_error *error) {
    out->fd = open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return out->fd >= 0 ? open_stream(out, error) : failed(out, errno, error);
}

/* /dev/stdout is a link to one, as a rule. */
static bool is_device(const char *path) {
    struct stat target;
    return stat(path, &target) == 0 && (S_ISCHR(target.st_mode) || S_ISFIFO(target.st_mode));
}

static void close_descriptors(output *out) {
    if (out->fd >= 0 && out->fd != out->file.fd) (void)close(out->fd);
    out->fd = -1;
    whole_file_close(&out->file);
}

wlk_status output_open(const char *path, output *out, wlk_error *error) {
    *out = (output){.stream = stdout, .file = WHOLE_FILE_NONE, .fd = -1};
    if (!path || strcmp(path, "-") == 0) return WLK_OK;
    out->path = path;
    const wlk_status status = is_device(path) ? open_device(out, error) : open_file(out, error);
    if (status != WLK_OK) close_descriptors(out);
    return status;
}

wlk_status output_put(const output *out, const void *data, uint64_t size, wlk_error *error) {
    errno = 0;
    if (fwrite(data, 1, size, out->stream) == size) return WLK_OK;
    return failed(out, errno ? errno : EIO, error);
}

/* ---- closing */

static wlk_status finish(output *out, wlk_error *error) {
    if (fflush(out->stream) != 0 || ferror(out->stream)) {
        return failed(out, out->reason ? out->reason : EIO, error);
    }
    return out->file.fd >= 0 ? whole_file_commit(&out->file, error) : WLK_OK;
}

wlk_status output_close(output *out, wlk_status done, wlk_error *error) {
    if (!out->path) return done;
    if (done == WLK_OK) done = finish(out, error);
    (void)fclose(out->stream);
    close_descriptors(out);
    return done;
}
