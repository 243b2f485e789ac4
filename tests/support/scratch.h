/* Expectations on errors, a scratch folder, and Python, for tests of what users
 * hand in and get out. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

/* ---- expectations */

static inline void expect_ok(wlk_status status, const wlk_error *error) {
    char text[512];
    if (status != WLK_OK) fail_msg("%s", wlk_error_format(error, text, sizeof text));
}
#define EXPECT_OK(call) expect_ok(call, &error)

/* Refused by the rule of that name, with the verdict of its row; the error's text
 * contains `text` unless that is NULL. `what` is for the message. */
static inline void expect_refused(const char *what, wlk_status status, const wlk_error *error,
                                  const char *rule, const char *text) {
    const char *got = status == WLK_OK ? "accepted" : wlk_rule_name(error->rule);
    if (strcmp(got, rule) != 0) fail_msg("%s: %s, not %s (%s)", what, got, rule, error->text);
    if (status != rule_status(error->rule) || error->status != status) {
        fail_msg("%s: verdict %s", what, wlk_status_name(status));
    }
    if (text && !strstr(error->text, text)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", what, error->text, text);
    }
}

/* ---- the scratch folder */

static char scratch[64];

static inline int scratch_make(void **state) {
    (void)state;
    (void)snprintf(scratch, sizeof scratch, "/tmp/weighlock-test-XXXXXX");
    return mkdtemp(scratch) == NULL;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int flag,
                                     struct FTW *walk) {
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

static inline int scratch_remove(void **state) {
    (void)state;
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the scratch folder; valid until eight more have been asked for. */
static inline const char *in_scratch(const char *name) {
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    (void)snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

/* How many names a folder has, hidden ones too, besides "." and "..". */
static inline int entries_of(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count - 2;
}

static inline void make_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

static inline void write_bytes(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The file's content with a NUL behind it; the caller frees. */
static inline uint8_t *read_bytes(const char *path, size_t *length) {
    FILE *file = fopen(path, "rbe");
    if (!file) fail_msg("%s is not there", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    uint8_t *bytes = calloc(1, (size_t)size + 1);
    assert_non_null(bytes);
    *length = fread(bytes, 1, (size_t)size, file);
    assert_int_equal(*length, size);
    (void)fclose(file);
    return bytes;
}

/* Runs `$PYTHON -B script argument`; the script must succeed. */
static inline void run_python(const char *script, const char *argument) {
    const char *python = getenv("PYTHON");
    const pid_t pid = fork();
    int status;
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!python) python = "/usr/bin/python3";
        (void)execl(python, python, "-B", script, argument, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("%s failed", script);
}

/* A copy of exactly that length, so that a sanitizer sees reads behind it; the
 * caller frees. */
static inline uint8_t *exact_copy(const void *bytes, size_t length) {
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    if (length > 0) memcpy(copy, bytes, length);
    return copy;
}

/* Numbers that are the same in every run (splitmix64). */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Changes a few bytes, cuts, repeats or inserts a piece: *length stays below
 * `room`. */
static inline void mutate(uint8_t *bytes, size_t *length, size_t room, uint64_t *random) {
    for (uint64_t steps = next_random(random) % 4 + 1; steps > 0 && *length > 0; steps--) {
        const size_t at = next_random(random) % *length;
        const size_t some = next_random(random) % 9 + 1;
        switch (next_random(random) % 5) {
            case 0:
                bytes[at] = (uint8_t)next_random(random);
                break;
            case 1:
                bytes[at] ^= (uint8_t)(1u << next_random(random) % 8);
                break;
            case 2:
                *length = at;
                break;
            case 3:
                if (*length - at < some) break;
                memmove(bytes + at, bytes + at + some, *length - at - some);
                *length -= some;
                break;
            default:
                if (*length + some > room || *length - at < some) break;
                memmove(bytes + at + some, bytes + at, *length - at);
                *length += some;
                break;
        }
    }
}

#endif
