#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "gate/snapshot.h"

/* The file is copied once and sealed: what is validated in the cage and what is
 * signed are the same bytes. */
static wlk_status take_copy(const cli *c, const char *path, snapshot *copy, wlk_error *error) {
    wlk_policy policy;
    int fd;
    TRY(options_policy(&c->options, &policy, error));
    TRY(snapshot_open_path(path, &fd, error));
    const wlk_status status = snapshot_take(fd, policy.limits.file_bytes, copy, error);
    (void)close(fd);
    return status;
}

/* The model must be valid before the secret key is opened. */
static wlk_status validate(const cli *c, wlk_gate *gate, snapshot *copy, wlk_error *error) {
    wlk_model *model = NULL;
    TRY(take_copy(c, c->options.operands[0], copy, error));
    TRY(wlk_gate_load_fd(gate, copy->fd, &model, NULL, error));
    wlk_model_free(model);
    return WLK_OK;
}

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
    (void)fwrite(data, 1, size, out.stream);
    return output_close(&out, WLK_OK, error);
}

static wlk_status sign_and_write(const cli *c, const snapshot *copy, const char *path,
                                 wlk_public_key *signer, wlk_error *error) {
    const uint64_t size = copy->size;
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, copy->fd, 0);
    if (data == MAP_FAILED) return error_errno(error, RULE_GATE_MEMORY, errno, "mmap");
    wlk_status status = sign_memory(c, data, size, signer, error);
    if (status == WLK_OK) status = write_file(path, data, size, error);
    (void)munmap(data, size);
    return status;
}

/* *subject: the file that an error is about. */
static wlk_status sign_file(const cli *c, const char *out, const char **subject, wlk_error *error) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_public_key signer;
    snapshot copy = SNAPSHOT_NONE;
    wlk_status status = cli_gate(c, true, &gate, &trust, error);
    if (status == WLK_OK) {
        *subject = c->options.operands[0];
        status = validate(c, gate, &copy, error);
    }
    if (status == WLK_OK) {
        *subject = NULL;
        status = sign_and_write(c, &copy, out, &signer, error);
    }
    if (status == WLK_OK) cli_print_written(c, out, copy.size, &signer);
    snapshot_drop(&copy);
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return status;
}

int verb_sign(const cli *c) {
    const char *out, *subject = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_model_output(c, &out, &error);
    if (status == WLK_OK && !c->options.value[OPTION_SECRET]) {
        status = error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "sign needs --secret FILE");
    }
    if (status == WLK_OK) {
        status = sign_file(c, out ? out : c->options.operands[0], &subject, &error);
    }
    return status == WLK_OK ? WLK_OK : cli_fail(c, subject, &error);
}
