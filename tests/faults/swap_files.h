/* What the swap programs swap: a file that the trusted key has signed, and others of the
 * same size whose weights differ: one signed by a stranger, one with the good signature
 * and a byte changed, one unsigned; loads of them, and whether what came out is the good
 * one, to the last byte. The program defines SWAP_BYTES, the size of a tensor. */
#ifndef TESTS_FAULTS_SWAP_FILES_H
#define TESTS_FAULTS_SWAP_FILES_H

#include "endure_files.h"

#include <sys/syscall.h>

#define SWAP_TENSORS 3
#define SWAP_CHUNK_LOG2 16
#define SWAP_GOOD 1 /* what the weights are made from */
#define SWAP_EVIL 2

static struct {
    kit_file good, strange, altered, unsigned_good, unsigned_evil;
    char target[96], other[96], link[96], link_next[96];
    char beside[128], beside_other[128];
} at;

static inline uint8_t swap_byte(unsigned seed, uint32_t tensor, uint64_t i) {
    return (uint8_t)(i * 7 + (i >> 12) + tensor * 31 + seed * 101);
}

static inline kit_file swap_file(unsigned seed, const wlk_secret_key *key) {
    static uint8_t bytes[SWAP_BYTES];
    static const char *const names[SWAP_TENSORS] = {"a", "b", "c"};
    const wlk_write_options options = {.key = key, .chunk_log2 = SWAP_CHUNK_LOG2};
    wlk_tensor tensor = {
        .dtype = WLK_U8, .rank = 1, .shape = {SWAP_BYTES}, .data = bytes, .nbytes = SWAP_BYTES};
    kit_file file;
    wlk_writer *w;
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_writer_new(NULL, &w, &error));
    for (uint32_t n = 0; n < SWAP_TENSORS; n++) {
        for (uint64_t i = 0; i < SWAP_BYTES; i++) bytes[i] = swap_byte(seed, n, i);
        tensor.name = names[n];
        (void)wlk_writer_tensor(w, &tensor);
    }
    EXPECT_OK(wlk_writer_finish(w, &model, &error));
    wlk_writer_free(w);
    EXPECT_OK(wlk_write_memory(model, &options, &file.data, &file.size, &error));
    wlk_model_free(model);
    return file;
}

static inline void swap_path(char *path, const char *name) {
    (void)snprintf(path, sizeof at.target, "%s/%s", scratch, name);
}

static inline void swap_make(void) {
    at.good = swap_file(SWAP_GOOD, kit.key);
    at.strange = swap_file(SWAP_EVIL, kit.stranger);
    at.unsigned_good = swap_file(SWAP_GOOD, NULL);
    at.unsigned_evil = swap_file(SWAP_EVIL, NULL);
    at.altered = (kit_file){exact_copy(at.good.data, at.good.size), at.good.size};
    at.altered.data[at.altered.size - SWAP_BYTES / 2] ^= 1;
    swap_path(at.target, "target.wlk");
    swap_path(at.other, "other.wlk");
    swap_path(at.link, "link.wlk");
    swap_path(at.link_next, "link.next");
    (void)snprintf(at.beside, sizeof at.beside, "%s.minisig", at.target);
    (void)snprintf(at.beside_other, sizeof at.beside_other, "%s.minisig", at.other);
}

static inline void swap_clear_away(void) {
    kit_file *const files[] = {&at.good, &at.strange, &at.altered, &at.unsigned_good,
                               &at.unsigned_evil};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) free(files[i]->data);
}

/* FILE.minisig of some bytes by some key. */
static inline void swap_vouch(const char *path, const kit_file *file, const wlk_secret_key *key) {
    wlk_signature signature;
    wlk_error error;
    EXPECT_OK(wlk_sign_detached(file->data, file->size, key, "text", &signature, &error));
    EXPECT_OK(wlk_signature_write(&signature, path, &error));
}

/* Everything as it should be. `beside`: the good file is unsigned, but for the signature
 * that lies beside it, and the other one has a stranger's. */
static inline void swap_lay_out(bool beside) {
    const kit_file *right = beside ? &at.unsigned_good : &at.good;
    const kit_file *wrong = beside ? &at.unsigned_evil : &at.strange;
    (void)unlink(at.target);
    (void)unlink(at.other);
    (void)unlink(at.link);
    (void)unlink(at.beside);
    (void)unlink(at.beside_other);
    write_bytes(at.target, right->data, right->size);
    write_bytes(at.other, wrong->data, wrong->size);
    assert_int_equal(symlink(at.target, at.link), 0);
    if (!beside) return;
    swap_vouch(at.beside, right, kit.key);
    swap_vouch(at.beside_other, wrong, kit.stranger);
}

#define SWAP_EXCHANGE 2u /* RENAME_EXCHANGE */

static inline void swap_exchange(const char *a, const char *b) {
    (void)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, SWAP_EXCHANGE);
}

/* ---- loads: *right unless what was accepted is not the good one */

static inline bool swap_is_good_tensor(const wlk_tensor *tensor, uint32_t index) {
    const uint8_t *data = tensor->data;
    for (uint64_t i = 0; i < tensor->nbytes; i++) {
        if (data[i] != swap_byte(SWAP_GOOD, index, i)) return false;
    }
    return tensor->nbytes == SWAP_BYTES;
}

static inline bool swap_is_good(const wlk_model *model, const wlk_load_report *report) {
    bool same = report->verification.trusted == 1 &&
                wlk_model_count(model, WLK_SECTION_TENSORS) == SWAP_TENSORS;
    for (uint32_t i = 0; same && i < SWAP_TENSORS; i++) {
        const wlk_tensor tensor = wlk_model_tensor(model, i);
        same = swap_is_good_tensor(&tensor, i);
    }
    return same;
}

static inline wlk_status swap_load(wlk_gate *gate, const char *path, bool *right,
                                   wlk_error *error) {
    wlk_load_report report;
    wlk_model *model;
    const wlk_status status = wlk_gate_load_path(gate, path, &model, &report, error);
    *right = status != WLK_OK || swap_is_good(model, &report);
    wlk_model_free(model);
    return status;
}

static inline wlk_status swap_load_lazily(wlk_gate *gate, const char *path, bool *right,
                                          wlk_error *error) {
    const wlk_artifact artifact = {.path = path};
    wlk_load_report report;
    wlk_lazy *lazy;
    *right = true;
    wlk_status status = wlk_gate_open_lazy(gate, &artifact, &lazy, &report, error);
    if (status == WLK_OK) *right = report.verification.trusted == 1;
    for (uint32_t i = 0; status == WLK_OK && i < SWAP_TENSORS; i++) {
        wlk_tensor tensor;
        status = wlk_lazy_tensor(lazy, i, &tensor, error);
        *right &= status != WLK_OK || swap_is_good_tensor(&tensor, i);
        wlk_lazy_release(&tensor);
    }
    wlk_lazy_close(lazy);
    return status;
}

typedef struct swap_way {
    const char *name;
    wlk_status (*load)(wlk_gate *gate, const char *path, bool *right, wlk_error *error);
    wlk_transport transport;
    uint32_t pool;
    bool beside; /* takes a signature beside the file */
} swap_way;

static const swap_way swap_ways[] = {
    {"by pipe", swap_load, WLK_TRANSPORT_PIPE, 0, true},
    {"by map", swap_load, WLK_TRANSPORT_MAP, 0, true},
    {"pooled", swap_load, WLK_TRANSPORT_PIPE, 2, true},
    {"lazily", swap_load_lazily, WLK_TRANSPORT_PIPE, 0, false},
};
#define SWAP_WAYS (sizeof swap_ways / sizeof *swap_ways)

static inline wlk_gate *swap_gate(const swap_way *way) {
    wlk_load_options options = kit_options(REAL_CHILD);
    options.layers = WLK_LAYERS_REQUIRED;
    options.transport = way->transport;
    options.pool = way->pool;
    return kit_gate(&options);
}

#endif
