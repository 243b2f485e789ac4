/* The verbs of the command line tool, one file each, and what they share. */
#ifndef WLK_CLI_CLI_H
#define WLK_CLI_CLI_H

#include <weighlock/load.h>
#include <weighlock/trust.h>
#include <weighlock/write.h>

#include "base/error.h"
#include "cli/json_out.h"
#include "cli/options.h"

typedef struct cli {
    const struct verb *verb; /* NULL: none was found */
    const char *child_path;  /* weighlock-child beside this program, or as installed */
    option_values options;
} cli;

/* Does the verb's work on its operands; failures have been reported. Returns the
 * exit code, which is a wlk_status. */
typedef int (*verb_run)(const cli *c);

typedef struct verb {
    const char *name;     /* one word, or two: "trust add" */
    const char *operands; /* "FILE..." */
    uint32_t least, most; /* number of operands */
    uint64_t options;     /* OPTION_BITs */
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
int verb_convert(const cli *c);
int verb_inspect(const cli *c);
int verb_predict(const cli *c);
int verb_extract(const cli *c);
int verb_meta_get(const cli *c);
int verb_meta_set(const cli *c);
int verb_doctor(const cli *c);
int verb_policy(const cli *c);
int verb_trust_add(const cli *c);
int verb_trust_list(const cli *c);
int verb_trust_revoke(const cli *c);
int verb_trust_check(const cli *c);
int verb_completion(const cli *c);

/* ---- reports (report.c) */

/* --json was given, or --stdin0, which implies it. */
bool cli_json(const cli *c);

/* Reports the error on stderr as "weighlock: FILE: ...", or with --json on stdout as
 * one object. file may be NULL. With --explain a file whose child was killed for a call
 * is loaded once more, and the call is told. Returns the error's verdict. */
int cli_fail(const cli *c, const char *file, const wlk_error *error);

/* Writes the entries of a refusal into an open map: file (if not NULL), verdict,
 * exit, rule, offset (or null), text, detail, hint. */
void cli_json_refusal(json_out *j, const char *file, const wlk_error *error);

/* Writes "weighlock: FILE: ..." and a line end; file may be NULL. (refusal.c, with what
 * is around it here.) */
void cli_text_refusal(FILE *out, const char *file, const wlk_error *error);

/* Writes text to stdout with everything that could play with a terminal replaced;
 * the short form at most 200 bytes of it. */
void cli_print_safe(const char *text);
void cli_print_short(const char *text);

/* Flushes stdout; a full disk or a closed pipe is an error, not a success. Returns
 * the exit code. */
int cli_finish(int code);

/* "signed by NAME (key ID)", "unsigned" ...: into text of `size` bytes. */
void cli_signature_text(const wlk_verification *v, char *text, size_t size);
/* "unsigned", "unknown-key", "trusted", "expired-key" or "revoked-key": for JSON. */
const char *cli_signature_state(const wlk_verification *v);
const char *cli_signer_state(const wlk_signer *signer);

/* How many of `signers` are filled in. */
uint32_t cli_signers_listed(const wlk_verification *v);

/* Writes into an open map who vouches: signature, key, key_name, native, trusted,
 * threshold, digests, trusted_comment (or null), signers. */
void cli_json_verification(json_out *j, const wlk_verification *v, uint32_t threshold);

/* The bytes of a file that was just written. */
WLK_MUST_USE wlk_status cli_size_of(const char *file, uint64_t *size, wlk_error *error);

/* The .wlk file at `file` was written; signer is NULL if it is unsigned. */
void cli_print_written(const cli *c, const char *file, uint64_t size, const wlk_public_key *signer);

/* ---- what several verbs begin with (common.c) */

/* The trust folder of --trust, else the policy's, else NULL: the default one. */
const char *cli_trust_folder(const cli *c, const wlk_policy *policy);

/* The keys of that folder, or of --public alone, and a gate as the options say.
 * Both are the caller's, also on failure. */
WLK_MUST_USE wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate,
                                 wlk_trust **trust, wlk_error *error);
/* The same for many loads: so many children wait, as far as the limit allows. */
WLK_MUST_USE wlk_status cli_pool_gate(const cli *c, bool allow_unsigned, uint32_t children,
                                      wlk_gate **gate, wlk_trust **trust, wlk_error *error);

#define CLI_MOST_DIGESTS 3

/* A file that a verb opens, and what the options say of it besides its bytes. */
typedef struct cli_file {
    wlk_artifact artifact; /* refers to `digests`: the struct is not to be moved */
    wlk_digest digests[CLI_MOST_DIGESTS];
} cli_file;

/* Fills it in from --sha256, --blake2b and --checksums, for each verb that opens a
 * file by wlk_gate_load, wlk_gate_verify or wlk_gate_open_lazy. A digest says which
 * bytes, not who made them: it does not replace --allow-unsigned. The path, and the
 * list's name for the file; an open descriptor may take the path's place afterwards. */
WLK_MUST_USE wlk_status cli_file_of(const cli *c, const char *path, cli_file *file,
                                    wlk_error *error);

/* For a verb whose operands are files: --sha256 and --blake2b go with one alone. */
WLK_MUST_USE wlk_status cli_one_digest(const cli *c, wlk_error *error);

/* A cli_file, and wlk_gate_load or wlk_gate_verify; at a terminal with progress. */
WLK_MUST_USE wlk_status cli_load(const cli *c, wlk_gate *gate, const char *path, wlk_model **model,
                                 wlk_load_report *report, wlk_error *error);
WLK_MUST_USE wlk_status cli_verify(const cli *c, wlk_gate *gate, const char *path,
                                   wlk_load_report *report, wlk_error *error);

/* What --output names for a model: NULL without it; standard output is not taken. */
WLK_MUST_USE wlk_status cli_model_output(const cli *c, const char **path, wlk_error *error);

/* Writes a model to `out`, signed if the option `secret` names a key, whose public half
 * becomes *signer. The key is opened only here, once the model stands. */
WLK_MUST_USE wlk_status cli_write_model(const cli *c, const wlk_model *model,
                                        wlk_write_options options, option_id secret,
                                        const char *out, wlk_public_key *signer, wlk_error *error);

/* ---- secrets (password.c) */

/* The longest password is one byte shorter. */
#define CLI_PASSWORD_BYTES 1024

/* A password, from --password-fd (one line) or from the terminal with echo off,
 * `twice` to be sure. Never from the command line. */
WLK_MUST_USE wlk_status cli_password(const cli *c, const char *prompt, bool twice,
                                     char password[CLI_PASSWORD_BYTES], wlk_error *error);

/* Opens a secret key; if it is encrypted, with a password. */
WLK_MUST_USE wlk_status cli_secret_key(const cli *c, const char *path, wlk_secret_key **key,
                                       wlk_error *error);

#endif
