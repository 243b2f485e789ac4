#include "cli/meta_place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "trust/native.h"
#include "write/head_file.h"
#include "write/meta_edit.h"

/* ---- detached signatures */

#define SIGNATURE_END ".minisig"

/* FILE.minisig, or FILE.KEYID.minisig of whichever key. */
static bool is_signature_of(const char *entry, const char *name) {
    const size_t length = strlen(name), end = strlen(SIGNATURE_END);
    const size_t all = strlen(entry);
    if (all < length + end || strncmp(entry, name, length) != 0) return false;
    if (strcmp(entry + all - end, SIGNATURE_END) != 0) return false;
    const char *key = entry + length;
    if (all == length + end) return true;
    return all - end - length == WLK_KEY_ID_TEXT_BYTES && key[0] == '.' &&
           strspn(key + 1, "0123456789ABCDEF") == WLK_KEY_ID_TEXT_BYTES - 1;
}

static wlk_status look_through(DIR *folder, const char *name, wlk_error *error) {
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_signature_of(entry->d_name, name)) continue;
        return error_text(error, RULE_WRITE_SIGNATURES, WLK_NO_OFFSET, "%.200s", entry->d_name);
    }
    return WLK_OK;
}

/* A folder that may be used but not listed says nothing of what is in it. */
wlk_status meta_place_check_signatures(const char *file, wlk_error *error) {
    const char *slash = strrchr(file, '/');
    char *path = slash ? mem_text_of(file, (size_t)(slash - file) + 1) : mem_text(".");
    if (!path) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    DIR *folder = opendir(path);
    const int reason = errno;
    mem_free(path);
    if (!folder) return error_errno(error, RULE_WRITE_FAILED, reason, file);
    const wlk_status status = look_through(folder, slash ? slash + 1 : file, error);
    (void)closedir(folder);
    return status;
}

/* ---- the new head */

/* A file that is being changed. */
typedef struct meta_place {
    const cli *c;
    const char *file;
    int fd;
    wlk_limits limits;
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_lazy *lazy;
    const uint8_t *head;
    uint64_t head_bytes;
    uint8_t *now; /* the new head */
} meta_place;

/* A file of the new head and as many zeros as there are data, which cost nothing. */
static wlk_status file_of(const meta_place *p, int *fd, wlk_error *error) {
    const uint64_t size = wlk_model_file_bytes(wlk_lazy_model(p->lazy));
    *fd = memfd_create("weighlock-head", MFD_CLOEXEC);
    if (*fd < 0) return error_errno(error, RULE_GATE_MEMORY, errno, "memfd_create");
    for (uint64_t at = 0; at < p->head_bytes;) {
        const ssize_t wrote = write(*fd, p->now + at, p->head_bytes - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return error_errno(error, RULE_GATE_MEMORY, errno, "write");
        at += (uint64_t)wrote;
    }
    return ftruncate(*fd, (off_t)size) == 0
               ? WLK_OK
               : error_errno(error, RULE_GATE_MEMORY, errno, "ftruncate");
}

/* What is written is what a reader will take: parsed in the cage, with the limits in
 * force, before anything happens to the file. It is not signed yet. */
static wlk_status validate(const meta_place *p, wlk_error *error) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_lazy *lazy = NULL;
    int fd;
    wlk_status status = file_of(p, &fd, error);
    const wlk_artifact artifact = {.fd = fd};
    if (status == WLK_OK) {
        status = cli_gate(p->c, true, &gate, &trust, error);
        if (status == WLK_OK) status = wlk_gate_open_lazy(gate, &artifact, &lazy, NULL, error);
        wlk_lazy_close(lazy);
        wlk_gate_close(gate);
        wlk_trust_free(trust);
    }
    if (fd >= 0) (void)close(fd);
    return status;
}

static wlk_status make_head(meta_place *p, const wlk_meta_edit *edits, uint32_t count,
                            wlk_error *error) {
    wlk_model *metadata;
    const wlk_model *model = wlk_lazy_model(p->lazy);
    p->now = mem_alloc(p->head_bytes);
    if (!p->now) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(meta_edited(model, edits, count, &p->limits, &metadata, error));
    const wlk_status status = meta_head(p->head, p->head_bytes, model, metadata, p->now, error);
    wlk_model_free(metadata);
    return status == WLK_OK ? validate(p, error) : status;
}

/* Only now, since all else holds. */
static wlk_status sign(const meta_place *p, wlk_public_key *signer, wlk_error *error) {
    wlk_secret_key *key = NULL;
    const char *secret = p->c->options.value[OPTION_SECRET];
    if (!secret) return WLK_OK;
    TRY(cli_secret_key(p->c, secret, &key, error));
    wlk_secret_key_public(key, signer);
    native_sign(p->now, key);
    wlk_secret_key_free(key);
    return WLK_OK;
}

/* ---- all of it */

static wlk_status open_file(meta_place *p, wlk_error *error) {
    wlk_policy policy;
    TRY(options_policy(&p->c->options, &policy, error));
    p->limits = policy.limits;
    TRY(head_file_check_undo(p->file, error));
    TRY(meta_place_check_signatures(p->file, error));
    TRY(head_file_open(p->file, &p->fd, error));
    TRY(cli_gate(p->c, option_given(&p->c->options, OPTION_ALLOW_UNSIGNED), &p->gate, &p->trust,
                 error));
    cli_file known;
    TRY(cli_file_of(p->c, p->file, &known, error));
    known.artifact.path = NULL;
    known.artifact.fd = p->fd;
    TRY(wlk_gate_open_lazy(p->gate, &known.artifact, &p->lazy, NULL, error));
    p->head = wlk_lazy_head(p->lazy, &p->head_bytes);
    return WLK_OK;
}

static wlk_status change(meta_place *p, const wlk_meta_edit *edits, uint32_t count,
                         wlk_public_key *signer, wlk_error *error) {
    TRY(open_file(p, error));
    TRY(make_head(p, edits, count, error));
    TRY(sign(p, signer, error));
    return head_file_replace(p->fd, p->file, p->head, p->now, p->head_bytes, error);
}

wlk_status meta_place_set(const cli *c, const char *file, const wlk_meta_edit *edits,
                          uint32_t count, wlk_public_key *signer, wlk_error *error) {
    meta_place p = {.c = c, .file = file, .fd = -1};
    const wlk_status status = change(&p, edits, count, signer, error);
    mem_free(p.now);
    wlk_lazy_close(p.lazy);
    wlk_gate_close(p.gate);
    wlk_trust_free(p.trust);
    if (p.fd >= 0) (void)close(p.fd);
    return status;
}
