#include "input/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"

#define FIRST_BYTES 65536u

void input_file_free(input_file *file) {
    mem_free(file->data);
    *file = (input_file){0};
}

/* Room for at least one more byte, never for more than limit + 1. */
static bool file_grow(input_file *file, uint64_t *capacity, uint64_t limit) {
    uint64_t wanted;
    if (file->size < *capacity) return true;
    if (!checked_mul(*capacity, 2, &wanted)) return false;
    if (wanted > limit && !checked_add(limit, 1, &wanted)) return false;
    if (wanted > SIZE_MAX) return false;
    uint8_t *data = mem_resize(file->data, wanted);
    if (!data) return false;
    file->data = data;
    *capacity = wanted;
    return true;
}

/* The size that the file says it has is a hint for the first allocation only. */
static uint64_t first_capacity(int fd, uint64_t limit) {
    struct stat info;
    uint64_t capacity = FIRST_BYTES;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        capacity = (uint64_t)info.st_size + 1;
    }
    if (capacity > limit && !checked_add(limit, 1, &capacity)) return limit;
    return capacity;
}

static wlk_status read_all(int fd, const char *path, uint64_t limit, input_file *file,
                           wlk_error *error) {
    uint64_t capacity = first_capacity(fd, limit);
    file->data = mem_alloc(capacity);
    if (!file->data) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (;;) {
        if (!file_grow(file, &capacity, limit)) {
            return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        }
        const ssize_t got = read(fd, file->data + file->size, capacity - file->size);
        if (got == 0) return WLK_OK;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(error, RULE_INPUT_READ, errno, path);
        file->size += (uint64_t)got;
        if (file->size > limit) return error_text(error, RULE_INPUT_SIZE, limit, "%s", path);
    }
}

static wlk_status read_and_close(int fd, const char *path, uint64_t limit, input_file *file,
                                 wlk_error *error) {
    *file = (input_file){0};
    const wlk_status status = read_all(fd, path, limit, file, error);
    (void)close(fd);
    if (status != WLK_OK) input_file_free(file);
    return status;
}

wlk_status input_file_read(const char *path, uint64_t limit, input_file *file, wlk_error *error) {
    *file = (input_file){0};
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                            : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return error_errno(error, RULE_INPUT_READ, errno, path);
    return read_and_close(fd, path, limit, file, error);
}

static bool component_is_plain(const char *part, size_t length) {
    if (length == 0) return false;
    return !(length <= 2 && memcmp(part, "..", length) == 0);
}

/* No absolute path, no way up, nothing that prints as something else. */
static bool name_is_plain(const char *name) {
    for (const char *at = name; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\') return false;
    }
    const char *part = name;
    for (;;) {
        const size_t length = strcspn(part, "/");
        if (!component_is_plain(part, length)) return false;
        if (part[length] == '\0') return true;
        part += length + 1;
    }
}

/* O_NONBLOCK: a FIFO in the place of a file must not make the caller wait. */
static int open_below(const char *folder, const char *name) {
    const int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) return -1;
    const int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const int reason = errno;
    (void)close(at);
    errno = reason;
    return fd;
}

wlk_status input_file_read_below(const char *folder, const char *name, uint64_t limit,
                                 input_file *file, wlk_error *error) {
    *file = (input_file){0};
    if (!name_is_plain(name)) {
        return error_text(error, RULE_INPUT_NAME, WLK_NO_OFFSET, "\"%s\"", name);
    }
    const int fd = open_below(folder, name);
    if (fd < 0 && errno != ENXIO) return error_errno(error, RULE_INPUT_READ, errno, name);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0) (void)close(fd); /* ENXIO: a socket, or a device without a driver */
        return error_text(error, RULE_INPUT_NAME, WLK_NO_OFFSET, "\"%s\" is not a regular file",
                          name);
    }
    return read_and_close(fd, name, limit, file, error);
}

char *input_folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return mem_text(".");
    if (slash == path) return mem_text("/");
    return mem_text_of(path, (size_t)(slash - path));
}
