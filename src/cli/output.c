#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- opening */

static wlk_status open_stream(int fd, output *out, wlk_error *error) {
    if (fd >= 0) out->stream = fdopen(fd, "w");
    if (out->stream) return WLK_OK;
    const int reason = errno;
    if (fd >= 0) (void)close(fd);
    if (out->temporary) (void)unlink(out->temporary);
    mem_free(out->temporary);
    out->temporary = NULL;
    return error_errno(error, RULE_CLI_OUTPUT, reason, out->path);
}

/* The mode of the file that will be replaced, or what open() gives a new one. */
static mode_t mode_for(const struct stat *old) {
    if (old) return old->st_mode & 0777;
    const mode_t mask = umask(077);
    (void)umask(mask);
    return 0666 & ~mask;
}

static wlk_status open_beside(const struct stat *old, output *out, wlk_error *error) {
    if (asprintf(&out->temporary, "%s.XXXXXX", out->path) < 0) {
        out->temporary = NULL;
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    int fd = mkostemp(out->temporary, O_CLOEXEC);
    if (fd < 0) {
        const int reason = errno;
        mem_free(out->temporary);
        out->temporary = NULL;
        return error_errno(error, RULE_CLI_OUTPUT, reason, out->path);
    }
    if (fchmod(fd, mode_for(old)) != 0) {
        const int reason = errno;
        (void)close(fd);
        fd = -1;
        errno = reason;
    }
    return open_stream(fd, out, error);
}

/* Renaming over a link would cut it off from what it stands for. /dev/stdout is a
 * link too, to a pipe or terminal as a rule. */
wlk_status output_open(const char *path, output *out, wlk_error *error) {
    struct stat own, target;
    *out = (output){.stream = stdout};
    if (!path || strcmp(path, "-") == 0) return WLK_OK;
    *out = (output){.path = path};
    if (lstat(path, &own) != 0) return open_beside(NULL, out, error);
    if (S_ISREG(own.st_mode)) return open_beside(&own, out, error);
    if (stat(path, &target) == 0 && (S_ISCHR(target.st_mode) || S_ISFIFO(target.st_mode))) {
        return open_stream(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), out, error);
    }
    return error_text(error, RULE_WRITE_TARGET, WLK_NO_OFFSET, "%s", path);
}

wlk_status output_put(const output *out, const void *data, uint64_t size, wlk_error *error) {
    errno = 0;
    if (fwrite(data, 1, size, out->stream) == size) return WLK_OK;
    return error_errno(error, RULE_CLI_OUTPUT, errno ? errno : EIO,
                       out->path ? out->path : "standard output");
}

/* ---- closing */

/* The errno of the first thing that fails, 0 if all is written. */
static int finish_stream(const output *out) {
    errno = 0;
    const bool flushed = fflush(out->stream) == 0 && !ferror(out->stream);
    const bool synced = flushed && (!out->temporary || fsync(fileno(out->stream)) == 0);
    const int reason = synced ? 0 : errno ? errno : EIO;
    const bool closed = fclose(out->stream) == 0;
    return reason == 0 && !closed ? errno : reason;
}

wlk_status output_close(output *out, wlk_status done, wlk_error *error) {
    if (!out->path) return done;
    int reason = finish_stream(out);
    if (done == WLK_OK && reason == 0 && out->temporary) {
        reason = rename(out->temporary, out->path) == 0 ? 0 : errno;
    }
    if (out->temporary && (done != WLK_OK || reason != 0)) (void)unlink(out->temporary);
    mem_free(out->temporary);
    out->temporary = NULL;
    if (done != WLK_OK) return done;
    return reason == 0 ? WLK_OK : error_errno(error, RULE_CLI_OUTPUT, reason, out->path);
}
