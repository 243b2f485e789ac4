#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/progress.h"

/* ---- keys and gate */

const char *cli_trust_folder(const cli *c, const wlk_policy *policy) {
    if (c->options.value[OPTION_TRUST]) return c->options.value[OPTION_TRUST];
    return policy->trust_folder[0] ? policy->trust_folder : NULL;
}

/* --public: this key, with the dates that its file gives it, and no other. */
static wlk_status trust_one(const char *path, wlk_trust **trust, wlk_error *error) {
    wlk_trusted_key key;
    TRY(wlk_trusted_key_load(path, &key, error));
    TRY(wlk_trust_new(trust, error));
    return wlk_trust_add_key(*trust, &key, error);
}

static wlk_status open_trust(const cli *c, const wlk_policy *policy, wlk_trust **trust,
                             wlk_error *error) {
    const char *key = c->options.value[OPTION_PUBLIC];
    if (!key) return wlk_trust_open(cli_trust_folder(c, policy), trust, error);
    if (!c->options.value[OPTION_TRUST]) return trust_one(key, trust, error);
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--public is one key instead of a folder: leave --trust out");
}

wlk_status cli_gate(const cli *c, bool allow_unsigned, wlk_gate **gate, wlk_trust **trust,
                    wlk_error *error) {
    return cli_pool_gate(c, allow_unsigned, 0, gate, trust, error);
}

wlk_status cli_pool_gate(const cli *c, bool allow_unsigned, uint32_t children, wlk_gate **gate,
                         wlk_trust **trust, wlk_error *error) {
    wlk_load_options load;
    *gate = NULL;
    *trust = NULL;
    TRY(options_load(&c->options, &load, error));
    TRY(open_trust(c, &load.policy, trust, error));
    load.trust = *trust;
    load.child_path = c->child_path;
    load.allow_unsigned = allow_unsigned;
    const uint64_t most = load.policy.limits.pool_children;
    load.pool = children < most ? children : (uint32_t)most;
    return wlk_gate_open(&load, gate, error);
}

/* ---- files */

wlk_status cli_one_digest(const cli *c, wlk_error *error) {
    const bool many = option_given(&c->options, OPTION_STDIN0) || c->options.operand_count > 1;
    static const option_id digests[] = {OPTION_SHA256, OPTION_BLAKE2B};
    for (size_t i = 0; many && i < sizeof digests / sizeof *digests; i++) {
        if (!option_given(&c->options, digests[i])) continue;
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "%s is the digest of one file: for several take --checksums",
                          option_rows[digests[i]].name);
    }
    return WLK_OK;
}

static wlk_status parse_digest(const cli *c, option_id id, wlk_digest_kind kind, cli_file *file,
                               wlk_error *error) {
    const char *hex = c->options.value[id];
    if (!hex) return WLK_OK;
    TRY(wlk_digest_parse(kind, hex, &file->digests[file->artifact.evidence.digest_count], error));
    file->artifact.evidence.digest_count++;
    return WLK_OK;
}

static wlk_status find_digest(const cli *c, const char *path, cli_file *file, wlk_error *error) {
    const char *list = c->options.value[OPTION_CHECKSUMS];
    if (!list) return WLK_OK;
    TRY(wlk_digest_find(list, path, &file->digests[file->artifact.evidence.digest_count], error));
    file->artifact.evidence.digest_count++;
    return WLK_OK;
}

wlk_status cli_file_of(const cli *c, const char *path, cli_file *file, wlk_error *error) {
    *file = (cli_file){.artifact = {.path = path, .fd = -1}};
    file->artifact.evidence.digests = file->digests;
    TRY(parse_digest(c, OPTION_SHA256, WLK_SHA256, file, error));
    TRY(parse_digest(c, OPTION_BLAKE2B, WLK_BLAKE2B, file, error));
    return find_digest(c, path, file, error);
}

wlk_status cli_load(const cli *c, wlk_gate *gate, const char *path, wlk_model **model,
                    wlk_load_report *report, wlk_error *error) {
    cli_file file;
    progress p;
    *model = NULL;
    TRY(cli_file_of(c, path, &file, error));
    progress_start(&p, path, cli_json(c));
    const wlk_status status = wlk_gate_load(gate, &file.artifact, model, report, error);
    progress_stop(&p);
    return status;
}

wlk_status cli_verify(const cli *c, wlk_gate *gate, const char *path, wlk_load_report *report,
                      wlk_error *error) {
    cli_file file;
    progress p;
    TRY(cli_file_of(c, path, &file, error));
    progress_start(&p, path, cli_json(c));
    const wlk_status status = wlk_gate_verify(gate, &file.artifact, report, error);
    progress_stop(&p);
    return status;
}

wlk_status cli_model_output(const cli *c, const char **path, wlk_error *error) {
    *path = c->options.value[OPTION_OUTPUT];
    if (!*path || strcmp(*path, "-") != 0) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--output -: a model goes to a file; one of that name is ./-");
}

wlk_status cli_size_of(const char *file, uint64_t *size, wlk_error *error) {
    struct stat status;
    if (stat(file, &status) != 0) return error_errno(error, RULE_GATE_READ, errno, "stat");
    *size = (uint64_t)status.st_size;
    return WLK_OK;
}

/* ---- models that are written */

wlk_status cli_write_model(const cli *c, const wlk_model *model, wlk_write_options options,
                           option_id secret, const char *out, wlk_public_key *signer,
                           wlk_error *error) {
    wlk_secret_key *key = NULL;
    const char *path = c->options.value[secret];
    if (path) {
        TRY(cli_secret_key(c, path, &key, error));
        wlk_secret_key_public(key, signer);
        options.key = key;
    }
    const wlk_status status = wlk_write_path(model, &options, out, error);
    wlk_secret_key_free(key);
    return status;
}
