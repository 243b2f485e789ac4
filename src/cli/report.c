#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "cli/cli.h"

#define ERROR_TEXT_BYTES 1024
#define SHORT_BYTES 200

bool cli_json(const cli *c) {
    return option_given(&c->options, OPTION_JSON);
}

/* ---- refusals */

/* The detail without the file's name, which the report begins with anyway. */
static wlk_error without_name(const char *file, const wlk_error *error) {
    wlk_error shorter = *error;
    const size_t length = file ? strlen(file) : 0;
    if (length == 0 || strncmp(error->text, file, length) != 0) return shorter;
    const char *rest = error->text + length;
    if (rest[0] != '\0' && strncmp(rest, ": ", 2) != 0) return shorter;
    rest += rest[0] ? 2 : 0;
    memmove(shorter.text, rest, strlen(rest) + 1);
    return shorter;
}

void cli_json_refusal(json_out *j, const char *file, const wlk_error *error) {
    const wlk_error e = without_name(file, error);
    if (file) json_pair_text(j, "file", file);
    json_pair_text(j, "verdict", wlk_status_name(e.status));
    json_pair_unsigned(j, "exit", (uint64_t)e.status);
    json_pair_text(j, "rule", wlk_rule_name(e.rule));
    json_key(j, "offset");
    if (e.offset == WLK_NO_OFFSET) {
        json_null(j);
    } else {
        json_unsigned(j, e.offset);
    }
    json_pair_text(j, "text", wlk_rule_text(e.rule));
    json_pair_text(j, "detail", e.text);
    json_pair_text(j, "hint", wlk_rule_hint(e.rule));
}

static void fail_json(const char *file, const wlk_error *error) {
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    cli_json_refusal(&j, file, error);
    json_end_map(&j);
    (void)putchar('\n');
}

static void fail_text(const char *file, const wlk_error *error) {
    const wlk_error e = without_name(file, error);
    char text[ERROR_TEXT_BYTES], name[512];
    (void)snprintf(name, sizeof name, "%s%s", file ? file : "", file ? ": " : "");
    utf8_make_harmless(name);
    (void)fprintf(stderr, "weighlock: %s%s\n", name, wlk_error_format(&e, text, sizeof text));
}

int cli_fail(const cli *c, const char *file, const wlk_error *error) {
    if (cli_json(c)) {
        fail_json(file, error);
    } else {
        fail_text(file, error);
    }
    return (int)error->status;
}

int cli_finish(int code) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (code == WLK_SYSTEM) return code; /* said already */
    wlk_error error;
    const wlk_status status =
        errno ? error_errno(&error, RULE_CLI_OUTPUT, errno, "standard output")
              : error_text(&error, RULE_CLI_OUTPUT, WLK_NO_OFFSET, "standard output");
    fail_text(NULL, &error); /* not JSON: stdout is what failed */
    return (int)status;
}

/* ---- text for people */

void cli_print_safe(const char *text) {
    char *copy = mem_text(text);
    if (!copy) return;
    utf8_make_harmless(copy);
    (void)fputs(copy, stdout);
    mem_free(copy);
}

void cli_print_short(const char *text) {
    char start[SHORT_BYTES + 1];
    size_t length = strlen(text);
    const bool cut = length > SHORT_BYTES;
    if (cut) {
        length = SHORT_BYTES;
        while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80)
            length--; /* whole characters */
    }
    memcpy(start, text, length);
    start[length] = '\0';
    cli_print_safe(start);
    if (cut) (void)fputs("...", stdout);
}

const char *cli_signature_state(const wlk_verification *v) {
    static const char *const states[] = {[WLK_UNSIGNED] = "unsigned",
                                         [WLK_SIGNED_UNKNOWN] = "unknown-key",
                                         [WLK_SIGNED_TRUSTED] = "trusted",
                                         [WLK_SIGNED_EXPIRED] = "expired-key",
                                         [WLK_SIGNED_REVOKED] = "revoked-key"};
    return states[v->state];
}

void cli_signature_text(const wlk_verification *v, char *text, size_t size) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    if (v->state == WLK_UNSIGNED) {
        (void)snprintf(text, size, "unsigned");
    } else if (v->state == WLK_SIGNED_TRUSTED) {
        (void)snprintf(text, size, "signed by %s (key %s)", v->key_name, id);
    } else {
        (void)snprintf(text, size, "signed by a key that is not trusted (%s)", id);
    }
}

void cli_print_written(const cli *c, const char *file, uint64_t size,
                       const wlk_public_key *signer) {
    char id[WLK_KEY_ID_TEXT_BYTES] = "";
    if (signer) wlk_key_id_text(signer->id, id);
    if (!cli_json(c)) {
        cli_print_safe(file);
        (void)printf(": wrote %llu bytes, %s%s\n", (unsigned long long)size,
                     signer ? "signed with key " : "unsigned", id);
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", file);
    json_pair_unsigned(&j, "bytes", size);
    json_key(&j, "key");
    if (signer) {
        json_text(&j, id);
    } else {
        json_null(&j);
    }
    json_end_map(&j);
    (void)putchar('\n');
}
