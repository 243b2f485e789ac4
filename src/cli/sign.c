#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "cli/cli.h"
#include "cli/replace.h"

/* Reads the file once into a memfd of our own and seals it: what is validated in
 * the cage and what is signed are the same bytes. */
static wlk_status take_copy(const char *path, uint64_t limit, int *copy, uint64_t *size,
                            wlk_error *error) {
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return error_errno(error, RULE_GATE_OPEN, errno, path);
    *copy = memfd_create("weighlock-sign", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    char buffer[65536];
    ssize_t got = 0;
    *size = 0;
    while (*copy >= 0 && (got = read(file, buffer, sizeof buffer)) > 0) {
        *size += (uint64_t)got;
        if (*size > limit || write(*copy, buffer, (size_t)got) != got) break;
    }
    const int reason = errno;
    (void)close(file);
    if (*size > limit) return error_at(error, RULE_LIMIT_FILE_BYTES, limit);
    if (*copy < 0 || got != 0) return error_errno(error, RULE_GATE_READ, reason, path);
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    return fcntl(*copy, F_ADD_SEALS, seals) == 0
               ? WLK_OK
               : error_errno(error, RULE_GATE_MEMORY, errno, "seal");
}

/* The model must be valid before the secret key is opened. */
static wlk_status validate(const cli *c, int copy, wlk_error *error) {
    wlk_gate *gate = NULL;
    wlk_trust *trust = NULL;
    wlk_model *model = NULL;
    wlk_status status = cli_gate(c, true, &gate, &trust, error);
    if (status == WLK_OK) status = wlk_gate_load_fd(gate, copy, &model, NULL, error);
    wlk_model_free(model);
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return status;
}

static wlk_status sign_and_write(const cli *c, const char *out, int copy, uint64_t size,
                                 wlk_public_key *signer, wlk_error *error) {
    wlk_secret_key *key = NULL;
    uint8_t *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, copy, 0);
    if (data == MAP_FAILED) return error_errno(error, RULE_GATE_MEMORY, errno, "mmap");
    wlk_status status = cli_secret_key(c, c->options.value[OPTION_SECRET], &key, error);
    if (status == WLK_OK) {
        wlk_secret_key_public(key, signer);
        status = wlk_sign_memory(data, size, key, error);
    }
    wlk_secret_key_free(key);
    if (status == WLK_OK) status = replace_file(out, data, size, error);
    (void)munmap(data, size);
    return status;
}

int verb_sign(const cli *c) {
    const char *file = c->options.operands[0];
    const char *out = c->options.value[OPTION_OUTPUT];
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_limits limits;
    wlk_public_key signer;
    int copy = -1;
    uint64_t size = 0;
    if (!c->options.value[OPTION_SECRET]) {
        (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "sign needs --secret FILE");
        return cli_fail(c, file, &error);
    }
    wlk_status status = options_limits(&c->options, &limits, &error);
    if (status == WLK_OK) status = take_copy(file, limits.file_bytes, &copy, &size, &error);
    if (status == WLK_OK) status = validate(c, copy, &error);
    if (status == WLK_OK) {
        status = sign_and_write(c, out ? out : file, copy, size, &signer, &error);
    }
    if (copy >= 0) (void)close(copy);
    if (status != WLK_OK) return cli_fail(c, file, &error);
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(signer.id, id);
    cli_print_wrote(c, out ? out : file, size, id);
    return WLK_OK;
}
