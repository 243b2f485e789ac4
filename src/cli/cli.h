/* The verbs of the command line tool, one file each, and what they share. */
#ifndef WLK_CLI_CLI_H
#define WLK_CLI_CLI_H

#include <jansson.h>

#include <weighlock/load.h>
#include <weighlock/trust.h>

#include "base/error.h"
#include "cli/options.h"

typedef struct cli {
    const char *child_path; /* weighlock-child beside this program, or as installed */
    option_values options;
} cli;

/* Does the verb's work on its operands; failures have been reported. Returns the
 * exit code, which is a wlk_status. */
typedef int (*verb_run)(const cli *c);

typedef struct verb {
    const char *name;
    const char *operands; /* "FILE..." */
    uint32_t least, most; /* number of operands */
    uint32_t options;     /* OPTION_BITs */
    const char *summary;  /* one line */
    const char *details;  /* a paragraph or two */
    const char *examples; /* lines */
    verb_run run;
} verb;

extern const verb verbs[];
extern const uint32_t verb_count;

int verb_keygen(const cli *c);
int verb_sign(const cli *c);
int verb_verify(const cli *c);
int verb_pack(const cli *c);
int verb_inspect(const cli *c);
int verb_predict(const cli *c);
int verb_doctor(const cli *c);

/* Reports the error on stderr as "weighlock: FILE: ...", or with --json on stdout
 * as {"file", "verdict", "rule", "offset", "text", "hint"}. file may be NULL.
 * Returns the error's verdict. */
int cli_fail(const cli *c, const char *file, const wlk_error *error);

/* Writes text to stdout with everything that could play with a terminal replaced. */
void cli_print_safe(const char *text);

/* Prints a JSON object as one line (or indented) of ASCII and releases it. */
void cli_print_json(json_t *object, bool indented);

/* A JSON string of text that need not be UTF-8: what is not becomes '?'. */
json_t *cli_json_text(const char *text);

/* Flushes stdout; a full disk or a closed pipe is an error, not a success. */
int cli_finish(const cli *c, int code);

/* Opens a gate as the options say. Both are the caller's, also on failure. */
WLK_MUST_USE wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate,
                                 wlk_trust **trust, wlk_error *error);

/* "signed by NAME (key ID)", "unsigned" ...: into text of `size` bytes. */
void cli_signature_text(const wlk_verification *v, char *text, size_t size);

/* "FILE: wrote N bytes, signed with key ID", or the same as JSON; id may be "". */
void cli_print_wrote(const cli *c, const char *file, uint64_t size, const char *id);

/* Opens a secret key; a password comes from --password-fd or from the terminal. */
WLK_MUST_USE wlk_status cli_secret_key(const cli *c, const char *path, wlk_secret_key **key,
                                       wlk_error *error);

/* A password of at most `size`-1 bytes: from --password-fd (one line) or from the
 * terminal with echo off, `twice` to be sure. Never from the command line. */
WLK_MUST_USE wlk_status cli_password(const cli *c, const char *prompt, bool twice, char *password,
                                     size_t size, wlk_error *error);

#endif
