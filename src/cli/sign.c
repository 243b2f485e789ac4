#include "cli/sign.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weighlock/memory.h>

#include "base/envelope.h"
#include "cli/output.h"
#include "cli/progress.h"

/* ---- the file, before any key is touched */

/* The file is copied once and sealed: what is validated in the cage and what is
 * signed are the same bytes. */
static wlk_status take_copy(signing *s, wlk_error *error) {
    wlk_policy policy;
    int fd;
    TRY(options_policy(&s->c->options, &policy, error));
    TRY(snapshot_open_path(s->file, &fd, error));
    const wlk_status status = snapshot_take(fd, policy.limits.snapshot_bytes, &s->copy, error);
    (void)close(fd);
    return status;
}

/* Only --threshold asks for signatures that are there already. Without it one beside
 * the file that no longer holds is no reason not to make a new one. */
static wlk_status gather_evidence(signing *s, cli_file *file, wlk_error *error) {
    TRY(cli_file_of(s->c, s->file, file, error));
    file->artifact.path = NULL;
    file->artifact.fd = s->copy.fd;
    if (!option_given(&s->c->options, OPTION_THRESHOLD)) return WLK_OK;
    wlk_evidence *evidence = &file->artifact.evidence;
    TRY(wlk_signatures_beside(s->file, s->trust, &s->beside, &evidence->signature_count, error));
    evidence->signatures = s->beside;
    return WLK_OK;
}

/* A .wlk file must be a valid model. */
static wlk_status validate(const signing *s, const cli_file *file, wlk_error *error) {
    wlk_model *model = NULL;
    TRY(wlk_gate_load(s->gate, &file->artifact, &model, NULL, error));
    wlk_model_free(model);
    return WLK_OK;
}

/* Of any other file nothing is known but what the options ask for. */
static wlk_status verify(const signing *s, const cli_file *file, wlk_error *error) {
    const wlk_evidence *evidence = &file->artifact.evidence;
    wlk_load_report report = {0};
    wlk_policy policy;
    if (evidence->signature_count + evidence->digest_count > 0) {
        TRY(wlk_gate_verify(s->gate, &file->artifact, &report, error));
    }
    if (!option_given(&s->c->options, OPTION_THRESHOLD)) return WLK_OK;
    TRY(options_policy(&s->c->options, &policy, error));
    return wlk_verification_check(&report.verification, policy.threshold, 0, error);
}

static wlk_status examine(signing *s, wlk_error *error) {
    cli_file file;
    TRY(gather_evidence(s, &file, error));
    s->native = envelope_magic_matches(s->copy.data, s->copy.size);
    return s->native || !s->detached ? validate(s, &file, error) : verify(s, &file, error);
}

/* *s->subject: the file that an error is about. */
static wlk_status prepare(signing *s, wlk_error *error) {
    progress p;
    TRY(cli_gate(s->c, !option_given(&s->c->options, OPTION_THRESHOLD), &s->gate, &s->trust,
                 error));
    s->subject = s->file;
    progress_start(&p, s->file, cli_json(s->c));
    wlk_status status = take_copy(s, error);
    if (status == WLK_OK) status = examine(s, error);
    progress_stop(&p);
    if (status == WLK_OK) s->subject = NULL;
    return status;
}

/* ---- the signature inside a .wlk file */

static wlk_status sign_memory(const cli *c, uint8_t *data, uint64_t size, wlk_public_key *signer,
                              wlk_error *error) {
    wlk_secret_key *key = NULL;
    TRY(cli_secret_key(c, c->options.value[OPTION_SECRET], &key, error));
    wlk_secret_key_public(key, signer);
    const wlk_status status = wlk_sign_memory(data, size, key, error);
    wlk_secret_key_free(key);
    return status;
}

static wlk_status write_file(const char *path, const void *data, uint64_t size, wlk_error *error) {
    output out;
    TRY(output_open(path, &out, error));
    return output_close(&out, output_put(&out, data, size, error), error);
}

/* A detached signature is over the whole file, envelope included: beside a file that
 * is signed anew it would be taken for a forgery. */
static wlk_status check_beside(const signing *s, const char *path, wlk_error *error) {
    wlk_signature *list;
    uint32_t count;
    TRY(wlk_signatures_beside(path, s->trust, &list, &count, error));
    wlk_free(list);
    return count == 0 ? WLK_OK
                      : error_text(error, RULE_WRITE_SIGNATURES, WLK_NO_OFFSET, "%s", path);
}

static wlk_status sign_and_write(const signing *s, const char *path, wlk_public_key *signer,
                                 wlk_error *error) {
    const uint64_t size = s->copy.size;
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, s->copy.fd, 0);
    if (data == MAP_FAILED) return error_errno(error, RULE_GATE_MEMORY, errno, "mmap");
    wlk_status status = sign_memory(s->c, data, size, signer, error);
    if (status == WLK_OK) status = write_file(path, data, size, error);
    (void)munmap(data, size);
    return status;
}

static wlk_status sign_inside(signing *s, wlk_error *error) {
    wlk_public_key signer;
    const char *path = s->out ? s->out : s->file;
    TRY(prepare(s, error));
    TRY(check_beside(s, path, error));
    TRY(sign_and_write(s, path, &signer, error));
    cli_print_written(s->c, path, s->copy.size, &signer);
    return WLK_OK;
}

/* ---- the verb */

static wlk_status check_options(const signing *s, wlk_error *error) {
    if (!s->c->options.value[OPTION_SECRET]) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "sign needs --secret FILE");
    }
    if (s->detached || !s->c->options.value[OPTION_COMMENT]) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--comment goes with --detached: there is no place for it in a .wlk file");
}

static wlk_status sign(signing *s, wlk_error *error) {
    TRY(cli_model_output(s->c, &s->out, error));
    TRY(check_options(s, error));
    if (!s->detached) return sign_inside(s, error);
    TRY(prepare(s, error));
    return sign_detached(s, error);
}

int verb_sign(const cli *c) {
    signing s = {.c = c,
                 .file = c->options.operands[0],
                 .detached = option_given(&c->options, OPTION_DETACHED),
                 .copy = SNAPSHOT_NONE};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = sign(&s, &error);
    if (status != WLK_OK) (void)cli_fail(c, s.subject, &error);
    wlk_free(s.beside);
    snapshot_drop(&s.copy);
    wlk_gate_close(s.gate);
    wlk_trust_free(s.trust);
    return (int)status;
}
