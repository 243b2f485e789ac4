/* The real minisign, run by tests. */
#ifndef TESTS_TRUST_MINISIGN_H
#define TESTS_TRUST_MINISIGN_H

#include "support.h"

#define MINISIGN "/usr/bin/minisign"

/* Runs minisign with `input` on its standard input; returns its exit code. */
static inline int minisign(const char *input, const char *const *arguments) {
    const char *words[24] = {MINISIGN};
    int count = 1, pipe_fds[2], status;
    while (*arguments) words[count++] = *arguments++;
    assert_int_equal(pipe(pipe_fds), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY);
        static const char *const environment[] = {"LC_ALL=C", NULL};
        if (dup2(pipe_fds[0], 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(98);
        (void)close(pipe_fds[0]);
        (void)close(pipe_fds[1]);
        (void)execve(MINISIGN, (char *const *)words, (char *const *)environment);
        _exit(99);
    }
    (void)close(pipe_fds[0]);
    assert_int_equal(write(pipe_fds[1], input, strlen(input)), (ssize_t)strlen(input));
    (void)close(pipe_fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
#define MINISIGN_RUN(input, ...) minisign(input, (const char *const[]){__VA_ARGS__, NULL})

#endif
