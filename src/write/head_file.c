#include "write/head_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "file/whole_file.h"

#define COMPARED_BYTES 16384u /* at a time */

wlk_status head_file_open(const char *path, int *fd, wlk_error *error) {
    struct stat info;
    *fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO)) {
        return error_text(error, RULE_WRITE_TARGET, WLK_NO_OFFSET, "%s", path);
    }
    if (*fd < 0) return error_errno(error, RULE_GATE_OPEN, errno, path);
    const int reason = fstat(*fd, &info) == 0 ? 0 : errno;
    if (reason == 0 && S_ISREG(info.st_mode)) return WLK_OK;
    (void)close(*fd);
    *fd = -1;
    return reason ? error_errno(error, RULE_GATE_READ, reason, path)
                  : error_text(error, RULE_WRITE_TARGET, WLK_NO_OFFSET, "%s", path);
}

/* ---- the saved bytes */

/* Appends text in single quotes, as a shell reads it; false if it does not fit. */
static bool put_quoted(char *out, size_t *used, size_t room, const char *text) {
    size_t needed = strlen(text) + 3;
    for (const char *at = text; *at; at++) needed += *at == '\'' ? 3 : 0;
    if (needed > room - *used) return false;
    out[(*used)++] = '\'';
    for (; *text; text++) {
        const char *put = *text == '\'' ? "'\\''" : (const char[]){*text, '\0'};
        const size_t length = strlen(put);
        memcpy(out + *used, put, length);
        *used += length;
    }
    out[(*used)++] = '\'';
    out[*used] = '\0';
    return true;
}

/* FILE.undo is there: the command for a shell that puts it back, if it is short enough
 * to be shown whole. */
static wlk_status say_undo(const char *path, wlk_error *error) {
    static const char rest[] = "; dd conv=notrunc if=\"$f.undo\" of=\"$f\" && rm -- \"$f.undo\"";
    char text[WLK_ERROR_TEXT_BYTES] = "f=";
    size_t used = 2;
    if (put_quoted(text, &used, sizeof text - sizeof rest, path)) {
        return error_text(error, RULE_WRITE_UNDO, WLK_NO_OFFSET, "%s%s", text, rest);
    }
    return error_text(error, RULE_WRITE_UNDO, WLK_NO_OFFSET,
                      "what is in the file's name with .undo behind it belongs at its beginning");
}

/* The caller frees; NULL if there is no memory. */
static char *undo_path(const char *path) {
    const size_t length = strlen(path);
    char *undo = mem_alloc(length + sizeof ".undo");
    if (!undo) return NULL;
    memcpy(undo, path, length);
    memcpy(undo + length, ".undo", sizeof ".undo");
    return undo;
}

wlk_status head_file_check_undo(const char *path, wlk_error *error) {
    struct stat info;
    char *undo = undo_path(path);
    if (!undo) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = lstat(undo, &info) == 0 ? say_undo(path, error) : WLK_OK;
    mem_free(undo);
    return status;
}

/* ---- bytes */

/* All of it at the file's beginning; false with errno. */
static bool write_all(int fd, const uint8_t *bytes, uint64_t length) {
    for (uint64_t at = 0; at < length;) {
        const ssize_t wrote = pwrite(fd, bytes + at, length - at, (off_t)at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        at += (uint64_t)wrote;
    }
    return true;
}

/* Are these the file's first bytes still? */
static wlk_status still_holds(int fd, const char *path, const uint8_t *bytes, uint64_t length,
                              wlk_error *error) {
    uint8_t here[COMPARED_BYTES];
    for (uint64_t at = 0; at < length;) {
        const uint64_t some = length - at < sizeof here ? length - at : sizeof here;
        const ssize_t got = pread(fd, here, some, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(error, RULE_GATE_READ, errno, path);
        if (got == 0 || memcmp(here, bytes + at, (size_t)got) != 0) {
            return error_text(error, RULE_WRITE_CHANGED, WLK_NO_OFFSET, "%s", path);
        }
        at += (uint64_t)got;
    }
    return WLK_OK;
}

/* Saves the old bytes; whoever has made this file may change the other one. */
static wlk_status save(const char *path, const char *undo, const uint8_t *old, uint64_t bytes,
                       wlk_error *error) {
    const whole_place place = {.folder = AT_FDCWD,
                               .path = undo,
                               .failed = RULE_WRITE_FAILED,
                               .exists = RULE_WRITE_UNDO,
                               .mode = 0600};
    const wlk_status status = whole_file_put(&place, old, bytes, error);
    return status == rule_status(RULE_WRITE_UNDO) ? say_undo(path, error) : status;
}

static wlk_status put_back(int fd, const char *path, const char *undo, const uint8_t *old,
                           uint64_t bytes, int reason, wlk_error *error) {
    if (!write_all(fd, old, bytes) || fsync(fd) != 0) return say_undo(path, error);
    (void)unlink(undo);
    return error_errno(error, RULE_WRITE_FAILED, reason, path);
}

static wlk_status replace(int fd, const char *path, const char *undo, const uint8_t *old,
                          const uint8_t *now, uint64_t bytes, wlk_error *error) {
    TRY(save(path, undo, old, bytes, error));
    const wlk_status held = still_holds(fd, path, old, bytes, error);
    if (held != WLK_OK) {
        (void)unlink(undo);
        return held;
    }
    if (!write_all(fd, now, bytes) || fsync(fd) != 0) {
        return put_back(fd, path, undo, old, bytes, errno, error);
    }
    if (unlink(undo) == 0) return WLK_OK;
    return error_errno(error, RULE_WRITE_FAILED, errno, undo);
}

wlk_status head_file_replace(int fd, const char *path, const uint8_t *old, const uint8_t *now,
                             uint64_t bytes, wlk_error *error) {
    char *undo = undo_path(path);
    if (!undo) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = replace(fd, path, undo, old, now, bytes, error);
    mem_free(undo);
    return status;
}
