#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"

/* ---- one line from a descriptor */

/* Without its end. Byte by byte: what follows the line is somebody else's. */
static wlk_status read_line(int fd, char line[CLI_PASSWORD_BYTES], wlk_error *error) {
    size_t used = 0;
    for (;;) {
        char byte;
        const ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(error, RULE_CLI_PASSWORD, errno, "read");
        if (got == 0 || byte == '\n') break;
        if (used + 1 >= CLI_PASSWORD_BYTES) {
            return error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "too long");
        }
        line[used++] = byte;
    }
    line[used] = '\0';
    if (strlen(line) != used) {
        return error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "it holds a NUL");
    }
    return used > 0 ? WLK_OK : error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "empty");
}

/* ---- the terminal */

/* An open terminal. While echo is off, signals that would end or stop the program
 * are held back, so that no shell is left behind with a terminal that is mute. */
typedef struct terminal {
    int fd;
    int signals; /* signalfd: readable when one of them is waiting */
    sigset_t before;
    struct termios shown;
} terminal;

static wlk_status terminal_open(terminal *t, wlk_error *error) {
    sigset_t held;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (t->fd < 0) {
        return error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "there is no terminal");
    }
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        (void)sigaddset(&held, numbers[i]);
    t->signals = signalfd(-1, &held, SFD_CLOEXEC);
    if (t->signals < 0 || tcgetattr(t->fd, &t->shown) != 0) {
        const int reason = errno;
        if (t->signals >= 0) (void)close(t->signals);
        (void)close(t->fd);
        return error_errno(error, RULE_CLI_PASSWORD, reason, "terminal");
    }
    (void)sigprocmask(SIG_BLOCK, &held, &t->before);
    return WLK_OK;
}

/* A signal that was held back acts now. */
static void terminal_close(const terminal *t) {
    (void)tcsetattr(t->fd, TCSAFLUSH, &t->shown);
    (void)close(t->signals);
    (void)close(t->fd);
    (void)sigprocmask(SIG_SETMASK, &t->before, NULL);
}

/* Waits for a line; false if a signal came first. */
static bool terminal_wait(const terminal *t) {
    struct pollfd watched[] = {{.fd = t->fd, .events = POLLIN},
                               {.fd = t->signals, .events = POLLIN}};
    while (poll(watched, 2, -1) < 0 && errno == EINTR) continue;
    return watched[1].revents == 0;
}

static wlk_status terminal_ask(const terminal *t, const char *prompt,
                               char password[CLI_PASSWORD_BYTES], wlk_error *error) {
    struct termios hidden = t->shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(t->fd, TCSAFLUSH, &hidden) != 0) {
        return error_errno(error, RULE_CLI_PASSWORD, errno, "terminal");
    }
    (void)!write(t->fd, prompt, strlen(prompt)); /* what is typed from here on counts */
    const wlk_status status =
        terminal_wait(t) ? read_line(t->fd, password, error)
                         : error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "interrupted");
    (void)!write(t->fd, "\n", 1);
    return status;
}

static wlk_status ask_again(const terminal *t, const char *password, wlk_error *error) {
    char again[CLI_PASSWORD_BYTES];
    wlk_status status = terminal_ask(t, "Again: ", again, error);
    if (status == WLK_OK && strcmp(password, again) != 0) {
        status = error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "the two differ");
    }
    sodium_memzero(again, sizeof again);
    return status;
}

static wlk_status from_terminal(const char *prompt, bool twice, char password[CLI_PASSWORD_BYTES],
                                wlk_error *error) {
    terminal t;
    TRY(terminal_open(&t, error));
    wlk_status status = terminal_ask(&t, prompt, password, error);
    if (status == WLK_OK && twice) status = ask_again(&t, password, error);
    terminal_close(&t);
    return status;
}

/* ---- what the verbs call */

wlk_status cli_password(const cli *c, const char *prompt, bool twice,
                        char password[CLI_PASSWORD_BYTES], wlk_error *error) {
    const char *number = c->options.value[OPTION_PASSWORD_FD];
    uint64_t fd;
    if (!number) return from_terminal(prompt, twice, password, error);
    if (options_number(number, &fd) && fd <= INT32_MAX) {
        return read_line((int)fd, password, error);
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--password-fd %s: the number of an open descriptor is wanted", number);
}

wlk_status cli_secret_key(const cli *c, const char *path, wlk_secret_key **key, wlk_error *error) {
    int encrypted;
    TRY(wlk_secret_key_is_encrypted(path, &encrypted, error));
    if (!encrypted) return wlk_secret_key_load(path, NULL, key, error);
    char password[CLI_PASSWORD_BYTES];
    wlk_status status = cli_password(c, "Password of the secret key: ", false, password, error);
    if (status == WLK_OK) status = wlk_secret_key_load(path, password, key, error);
    sodium_memzero(password, sizeof password);
    return status;
}
