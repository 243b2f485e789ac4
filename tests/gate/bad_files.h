/* The files of an operator that may be bad, each with the function that reads it; and
 * rows about them. */
#ifndef TESTS_GATE_BAD_FILES_H
#define TESTS_GATE_BAD_FILES_H

#include "support/gate_kit.h"

#include "support/leftovers.h"

/* ---- one function a kind of file */

typedef wlk_status (*load_file)(const char *path, wlk_error *error);

static inline wlk_status load_public_key(const char *path, wlk_error *error) {
    wlk_public_key key;
    return wlk_public_key_load(path, &key, error);
}

static inline wlk_status load_secret_key(const char *path, wlk_error *error) {
    wlk_secret_key *key = NULL;
    const wlk_status status = wlk_secret_key_load(path, NULL, &key, error);
    if (status != WLK_OK) assert_null(key);
    wlk_secret_key_free(key);
    return status;
}

static inline wlk_status load_trusted_key(const char *path, wlk_error *error) {
    wlk_trusted_key key;
    return wlk_trusted_key_load(path, &key, error);
}

static inline wlk_status load_signature(const char *path, wlk_error *error) {
    wlk_signature signature;
    return wlk_signature_load(path, &signature, error);
}

/* On failure the policy is as it was. */
static inline wlk_status load_policy(const char *path, wlk_error *error) {
    wlk_policy policy, before;
    wlk_policy_default(&policy);
    policy.threshold = 7;
    before = policy;
    const wlk_status status = wlk_policy_load(path, &policy, error);
    if (status != WLK_OK) assert_memory_equal(&policy, &before, sizeof policy);
    return status;
}

static inline wlk_status load_digests(const char *path, wlk_error *error) {
    wlk_digest digest;
    return wlk_digest_find(path, "folder/model.wlk", &digest, error);
}

static inline wlk_status load_folder(const char *path, wlk_error *error) {
    wlk_trust *trust = (wlk_trust *)(uintptr_t)1;
    const wlk_status status = wlk_trust_open(path, &trust, error);
    if (status != WLK_OK) assert_null(trust);
    wlk_trust_free(trust);
    return status;
}

static inline bool file_row(const char *name, load_file load, const char *path, const char *want) {
    const leftovers before = leftovers_before(scratch);
    wlk_error error = {.offset = 0};
    const wlk_status status = load(path, &error);
    return row_passes(name, want, NULL, status, &error, &before);
}

/* The same for a file of this content that only its owner may read. */
static inline bool text_row(const char *name, load_file load, const void *text, size_t length,
                            const char *want) {
    const char *path = in_scratch("text.pub");
    write_bytes(path, text, length);
    assert_int_equal(chmod(path, 0600), 0);
    return file_row(name, load, path, want);
}

/* The same for each text of a table. */
typedef struct text_of_file {
    const char *name, *text, *want;
} text_of_file;

static inline void texts_pass(const text_of_file *rows, size_t count, load_file load) {
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        all &= text_row(rows[i].name, load, rows[i].text, strlen(rows[i].text), rows[i].want);
    }
    assert_true(all);
}

/* ---- making them */

/* For groups of tests; kit_teardown belongs to it. */
static inline int bad_files_setup(void **state) {
    leftovers_count_memory();
    return kit_setup(state);
}

static inline void make_file(const char *path, off_t size, mode_t mode) {
    write_bytes(path, "", 0);
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline char *text_of(const char *name) {
    size_t length;
    return (char *)read_bytes(in_scratch(name), &length);
}

/* Where line `number` begins; the length if there is none. */
static inline size_t line_start(const char *text, int number) {
    const char *at = text;
    for (int i = 0; i < number && at; i++) {
        at = strchr(at, '\n');
        if (at) at++;
    }
    return at ? (size_t)(at - text) : strlen(text);
}

#endif
