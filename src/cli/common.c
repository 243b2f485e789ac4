#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/cli.h"

#define ERROR_TEXT_BYTES 1024
#define PASSWORD_BYTES 1024

static void fail_json(const char *file, const wlk_error *error) {
    json_t *report = json_pack("{s:s, s:i, s:s, s:s, s:o, s:s}", "verdict",
                               wlk_status_name(error->status), "exit", (int)error->status, "rule",
                               wlk_rule_name(error->rule), "text", wlk_rule_text(error->rule),
                               "detail", cli_json_text(error->text), "hint",
                               wlk_rule_hint(error->rule));
    if (file) (void)json_object_set_new(report, "file", cli_json_text(file));
    if (error->offset != WLK_NO_OFFSET) {
        (void)json_object_set_new(report, "offset", json_integer((json_int_t)error->offset));
    }
    cli_print_json(report, false);
}

int cli_fail(const cli *c, const char *file, const wlk_error *error) {
    if (option_given(&c->options, OPTION_JSON)) {
        fail_json(file, error);
        return (int)error->status;
    }
    char text[ERROR_TEXT_BYTES], name[512];
    (void)snprintf(name, sizeof name, "%s%s", file ? file : "", file ? ": " : "");
    utf8_make_harmless(name);
    (void)fprintf(stderr, "weighlock: %s%s\n", name, wlk_error_format(error, text, sizeof text));
    return (int)error->status;
}

void cli_print_json(json_t *object, bool indented) {
    const size_t layout = indented ? JSON_INDENT(2) : JSON_COMPACT;
    if (object) (void)json_dumpf(object, stdout, layout | JSON_ENSURE_ASCII);
    (void)putchar('\n');
    json_decref(object);
}

json_t *cli_json_text(const char *text) {
    char *copy = strdup(text);
    if (!copy) return json_null();
    utf8_make_harmless(copy);
    json_t *made = json_string(copy);
    free(copy);
    return made;
}

void cli_print_safe(const char *text) {
    char *copy = strdup(text);
    if (!copy) return;
    utf8_make_harmless(copy);
    (void)fputs(copy, stdout);
    free(copy);
}

int cli_finish(const cli *c, int code) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    wlk_error error;
    (void)!error_errno(&error, RULE_CLI_OUTPUT, errno, "standard output");
    cli text_only = *c;
    text_only.options.given &= ~OPTION_BIT(OPTION_JSON); /* stdout is what failed */
    return cli_fail(&text_only, NULL, &error);
}

wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate, wlk_trust **trust,
                    wlk_error *error) {
    wlk_load_options load;
    *gate = NULL;
    TRY(options_load(&c->options, &load, trust, error));
    load.child_path = c->child_path;
    if (allow_unsigned) load.allow_unsigned = 1;
    return wlk_gate_open(&load, gate, error);
}

void cli_signature_text(const wlk_verification *v, char *text, size_t size) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    if (v->state == WLK_UNSIGNED) {
        (void)snprintf(text, size, "unsigned");
    } else if (v->state == WLK_SIGNED_TRUSTED) {
        (void)snprintf(text, size, "signed by %s (key %s)", v->key_name, id);
    } else {
        (void)snprintf(text, size, "signed by an unknown key (%s)", id);
    }
}

void cli_print_wrote(const cli *c, const char *file, uint64_t size, const char *id) {
    if (option_given(&c->options, OPTION_JSON)) {
        cli_print_json(json_pack("{s:o, s:I, s:s}", "file", cli_json_text(file), "bytes",
                                 (json_int_t)size, "key", id),
                       false);
        return;
    }
    cli_print_safe(file);
    (void)printf(": wrote %llu bytes, %s%s\n", (unsigned long long)size,
                 id[0] ? "signed with key " : "unsigned", id);
}

/* ---- passwords */

/* One line from fd, without its end. */
static wlk_status read_line(int fd, char *line, size_t size, wlk_error *error) {
    size_t used = 0;
    for (;;) {
        char byte;
        const ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(error, RULE_CLI_PASSWORD, errno, "read");
        if (got == 0 || byte == '\n') break;
        if (used + 1 >= size) {
            return error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "too long");
        }
        line[used++] = byte;
    }
    line[used] = 0;
    return used > 0 ? WLK_OK : error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "empty");
}

static wlk_status read_hidden(int terminal, const char *prompt, char *password, size_t size,
                              wlk_error *error) {
    struct termios shown, hidden;
    if (tcgetattr(terminal, &shown) != 0) {
        return error_errno(error, RULE_CLI_PASSWORD, errno, "terminal");
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)!write(terminal, prompt, strlen(prompt));
    (void)tcsetattr(terminal, TCSAFLUSH, &hidden);
    const wlk_status status = read_line(terminal, password, size, error);
    (void)tcsetattr(terminal, TCSAFLUSH, &shown);
    (void)!write(terminal, "\n", 1);
    return status;
}

static wlk_status ask(int terminal, const char *prompt, bool twice, char *password, size_t size,
                      wlk_error *error) {
    TRY(read_hidden(terminal, prompt, password, size, error));
    if (!twice) return WLK_OK;
    char again[PASSWORD_BYTES];
    wlk_status status = read_hidden(terminal, "Again: ", again, sizeof again, error);
    if (status == WLK_OK && strcmp(password, again) != 0) {
        status = error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "the two differ");
    }
    sodium_memzero(again, sizeof again);
    return status;
}

wlk_status cli_password(const cli *c, const char *prompt, bool twice, char *password, size_t size,
                        wlk_error *error) {
    const char *number = c->options.value[OPTION_PASSWORD_FD];
    uint64_t fd;
    if (number) {
        if (!options_number(number, &fd) || fd > INT32_MAX) {
            return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--password-fd %s", number);
        }
        return read_line((int)fd, password, size, error);
    }
    const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0) {
        return error_text(error, RULE_CLI_PASSWORD, WLK_NO_OFFSET, "there is no terminal");
    }
    const wlk_status status = ask(terminal, prompt, twice, password, size, error);
    (void)close(terminal);
    return status;
}

wlk_status cli_secret_key(const cli *c, const char *path, wlk_secret_key **key,
                          wlk_error *error) {
    int encrypted;
    TRY(wlk_secret_key_is_encrypted(path, &encrypted, error));
    if (!encrypted) return wlk_secret_key_load(path, NULL, key, error);
    char password[PASSWORD_BYTES];
    wlk_status status = cli_password(c, "Password of the secret key: ", false, password,
                                     sizeof password, error);
    if (status == WLK_OK) status = wlk_secret_key_load(path, password, key, error);
    sodium_memzero(password, sizeof password);
    return status;
}
