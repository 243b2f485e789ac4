#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/cli.h"

/* All files are held against the same. */
typedef struct verifier {
    const cli *c;
    wlk_policy policy;
    wlk_gate *gate;
    wlk_trust *trust;
} verifier;

typedef struct verdict {
    wlk_status status;
    bool holds; /* what there is holds; if status is a failure, it is not enough */
    wlk_load_report report;
    wlk_error error;
} verdict;

static verdict verify_file(const verifier *v, const char *file) {
    verdict found = {.error = {.offset = WLK_NO_OFFSET}};
    const int allow_unsigned = option_given(&v->c->options, OPTION_ALLOW_UNSIGNED);
    found.status = cli_verify(v->c, v->gate, file, &found.report, &found.error);
    found.holds = found.status == WLK_OK;
    if (!found.holds) return found;
    found.status = wlk_verification_check(&found.report.verification, v->policy.threshold,
                                          allow_unsigned, &found.error);
    return found;
}

/* ---- text */

static void print_signer(const wlk_signer *signer) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(signer->key_id, id);
    (void)printf("  %-11s %s %s ", cli_signer_state(signer),
                 signer->detached ? "detached" : "embedded", id);
    cli_print_safe(signer->key_name);
    (void)putchar('\n');
}

/* minisign puts tabs into its own. */
static void print_comment(const char *comment) {
    char text[WLK_COMMENT_BYTES];
    (void)snprintf(text, sizeof text, "%s", comment);
    for (char *tab = strchr(text, '\t'); tab; tab = strchr(tab, '\t')) *tab = ' ';
    (void)printf("  trusted comment: ");
    cli_print_safe(text);
    (void)putchar('\n');
}

/* What one signature inside the file leaves unsaid. */
static void print_details(const wlk_verification *v, uint32_t threshold) {
    const bool plain = v->signer_count <= 1 && threshold == 1 && !v->trusted_comment[0] &&
                       !(v->signer_count == 1 && v->signers[0].detached);
    if (plain) return;
    for (uint32_t i = 0; i < cli_signers_listed(v); i++) print_signer(&v->signers[i]);
    (void)printf("  %" PRIu32 " trusted, %" PRIu32 " wanted\n", v->trusted, threshold);
    if (v->trusted_comment[0]) print_comment(v->trusted_comment);
}

static void print_ok(const char *file, const wlk_load_report *report, uint32_t threshold) {
    const wlk_verification *v = &report->verification;
    char text[256];
    cli_signature_text(v, text, sizeof text);
    cli_print_safe(file);
    (void)printf(": ok: ");
    cli_print_safe(text);
    (void)printf("%s", v->native ? ", digests hold" : "");
    if (v->digests > 0) (void)printf(", expected digest%s", v->digests > 1 ? "s hold" : " holds");
    (void)putchar('\n');
    print_details(v, threshold);
}

static wlk_status print_text(const verifier *v, const char *file) {
    const verdict found = verify_file(v, file);
    if (found.status == WLK_OK) {
        print_ok(file, &found.report, v->policy.threshold);
    } else {
        (void)cli_fail(v->c, file, &found.error);
    }
    return found.status;
}

/* ---- JSON */

static wlk_status print_json(const verifier *v, const char *file, json_out *j) {
    const verdict found = verify_file(v, file);
    json_begin_map(j, JSON_FLAT);
    if (found.status == WLK_OK) {
        json_pair_text(j, "file", file);
        json_pair_text(j, "verdict", wlk_status_name(WLK_OK));
    } else {
        cli_json_refusal(j, file, &found.error);
    }
    if (found.holds) {
        json_pair_unsigned(j, "bytes", found.report.file_bytes);
        cli_json_verification(j, &found.report.verification, v->policy.threshold);
    }
    json_end_map(j);
    return found.status;
}

static wlk_status print_line(void *context, const char *file) {
    json_out j = json_out_to(stdout, JSON_FLAT);
    const wlk_status status = print_json(context, file, &j);
    (void)putchar('\n');
    return status;
}

/* ---- several files */

static wlk_status verify_text(const verifier *v) {
    wlk_status worst = WLK_OK;
    for (uint32_t i = 0; i < v->c->options.operand_count; i++) {
        worst = batch_worse(worst, print_text(v, v->c->options.operands[i]));
    }
    return worst;
}

/* One object: the files, and the verdict over all of them. */
static wlk_status verify_json(const verifier *v) {
    json_out j = json_out_to(stdout, JSON_LINES);
    wlk_status worst = WLK_OK;
    json_begin_map(&j, JSON_LINES);
    json_key(&j, "files");
    json_begin_list(&j, JSON_LINES);
    for (uint32_t i = 0; i < v->c->options.operand_count; i++) {
        worst = batch_worse(worst, print_json(v, v->c->options.operands[i], &j));
    }
    json_end_list(&j);
    json_pair_text(&j, "verdict", wlk_status_name(worst));
    json_end_map(&j);
    (void)putchar('\n');
    return worst;
}

static wlk_status verify_all(verifier *v) {
    if (option_given(&v->c->options, OPTION_STDIN0)) return batch_run(v->c, print_line, v);
    return cli_json(v->c) ? verify_json(v) : verify_text(v);
}

static wlk_status prepare(verifier *v, wlk_error *error) {
    TRY(cli_one_digest(v->c, error));
    TRY(options_policy(&v->c->options, &v->policy, error));
    return cli_gate(v->c, true, &v->gate, &v->trust, error);
}

int verb_verify(const cli *c) {
    verifier v = {.c = c};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = prepare(&v, &error);
    if (status == WLK_OK) {
        status = verify_all(&v);
    } else {
        (void)cli_fail(c, NULL, &error);
    }
    wlk_gate_close(v.gate);
    wlk_trust_free(v.trust);
    return (int)status;
}
