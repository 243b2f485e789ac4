/* What the tests of trust share: a scratch folder, key files written by hand (an
 * implementation of minisign's layout of its own), small .wlk files whose header
 * is noise, and expectations on errors. */
#ifndef TESTS_TRUST_SUPPORT_H
#define TESTS_TRUST_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <weighlock/memory.h>
#include <weighlock/trust.h>

#include "base/bytes.h"
#include "base/envelope.h"
#include "base/error.h"

#define NOBODY 65534

/* ---- expectations */

static inline void expect_ok(wlk_status status, const wlk_error *error) {
    char text[512];
    if (status != WLK_OK) fail_msg("%s", wlk_error_format(error, text, sizeof text));
}

/* Refused with this rule, its row's verdict, and (unless it is NULL) this offset;
 * RULE_NONE: accepted. */
static inline void expect_rule(wlk_status status, const wlk_error *error, wlk_rule rule,
                               const uint64_t *offset) {
    if (rule == RULE_NONE) {
        expect_ok(status, error);
        return;
    }
    assert_string_equal(status == WLK_OK ? "accepted" : wlk_rule_name(error->rule),
                        wlk_rule_name(rule));
    assert_int_equal(status, rule_status(rule));
    assert_int_equal(error->status, status);
    if (offset) assert_int_equal(error->offset, *offset);
}
#define EXPECT_RULE(call, rule) expect_rule(call, &error, rule, NULL)
#define EXPECT_AT(call, rule, at) expect_rule(call, &error, rule, &(const uint64_t){at})
#define EXPECT_OK(call) expect_ok(call, &error)

/* ---- the scratch folder */

static char scratch[64];

static inline int scratch_make(void **state) {
    (void)state;
    (void)umask(022);
    (void)snprintf(scratch, sizeof scratch, "/tmp/weighlock-trust-XXXXXX");
    return sodium_init() < 0 || mkdtemp(scratch) == NULL || chmod(scratch, 0755) != 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int flag,
                                     struct FTW *walk) {
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

static inline int scratch_remove(void **state) {
    (void)state;
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path in the scratch folder; valid until eight more have been asked for. */
static inline const char *in_scratch(const char *name) {
    static char paths[8][PATH_MAX];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    (void)snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

static inline void write_bytes(const char *path, const void *bytes, size_t length, mode_t mode) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void write_text(const char *path, const char *text, mode_t mode) {
    write_bytes(path, text, strlen(text), mode);
}

/* The file's content with a NUL behind it; the caller frees. */
static inline char *read_text(const char *path, size_t *length) {
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    *length = fread(text, 1, 65535, file);
    (void)fclose(file);
    return text;
}

static inline int exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static inline mode_t mode_of(const char *path) {
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Runs `body` in a process of its own, as `uid` where that can be chosen, and
 * returns its exit code. */
static inline int run_as(uid_t uid, int (*body)(const void *context), const void *context) {
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (geteuid() == 0 && uid != 0 &&
            (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0)) {
            _exit(99);
        }
        _exit(body(context));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* From now on this process gets at most `bytes` more of address space. */
static inline int limit_memory(rlim_t bytes) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return -1;
    const int found = fscanf(file, "%lu", &pages);
    (void)fclose(file);
    const rlim_t now = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    const struct rlimit limit = {now, now};
    return found == 1 ? setrlimit(RLIMIT_AS, &limit) : -1;
}

/* ---- keys */

typedef struct test_key {
    uint8_t id[8];
    uint8_t public_key[32];
    uint8_t secret_key[64];
} test_key;

/* The key of a number: always the same. */
static inline test_key key_number(uint8_t number) {
    test_key key;
    uint8_t seed[32];
    memset(seed, number, sizeof seed);
    memset(key.id, number, sizeof key.id);
    assert_int_equal(crypto_sign_seed_keypair(key.public_key, key.secret_key, seed), 0);
    return key;
}

static inline wlk_public_key public_of(const test_key *key) {
    wlk_public_key made;
    memcpy(made.id, key->id, sizeof made.id);
    memcpy(made.key, key->public_key, sizeof made.key);
    return made;
}

static inline char *base64_of(const uint8_t *bytes, size_t length, char text[512]) {
    return sodium_bin2base64(text, 512, bytes, length, sodium_base64_VARIANT_ORIGINAL);
}

/* A public key file's payload: Ed, id, key. */
static inline void public_payload(const test_key *key, uint8_t payload[42]) {
    memcpy(payload, "Ed", 2);
    memcpy(payload + 2, key->id, 8);
    memcpy(payload + 10, key->public_key, 32);
}

static inline void write_key_text(const char *path, const uint8_t *payload, size_t length,
                                  mode_t mode) {
    char base64[512], text[1024];
    (void)snprintf(text, sizeof text, "untrusted comment: test\n%s\n",
                   base64_of(payload, length, base64));
    write_text(path, text, mode);
}

static inline void write_public(const char *path, const test_key *key, mode_t mode) {
    uint8_t payload[42];
    public_payload(key, payload);
    write_key_text(path, payload, sizeof payload, mode);
}

#define SECRET_PAYLOAD 158

/* A secret key file's payload; password NULL: not encrypted. The limits are the
 * smallest that scrypt allows, so that a test need not wait. */
static inline void secret_payload(const test_key *key, const char *password,
                                  uint8_t payload[SECRET_PAYLOAD]) {
    memset(payload, 0, SECRET_PAYLOAD);
    memcpy(payload, "Ed\0\0B2", 6);
    memcpy(payload + 54, key->id, 8);
    memcpy(payload + 62, key->secret_key, 64);
    if (!password) return;
    memcpy(payload + 2, "Sc", 2);
    memset(payload + 6, 0x5a, 32);
    store_u64(payload + 38, 32768);
    store_u64(payload + 46, 16777216);
    uint8_t checked[2 + 8 + 64] = {'E', 'd'};
    memcpy(checked + 2, payload + 54, 72);
    (void)crypto_generichash(payload + 126, 32, checked, sizeof checked, NULL, 0);
    uint8_t stream[104];
    assert_int_equal(
        crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, password, strlen(password),
                                           payload + 6, 32768, 16777216),
        0);
    for (size_t i = 0; i < sizeof stream; i++) payload[54 + i] ^= stream[i];
}

static inline void write_secret(const char *path, const test_key *key, const char *password,
                                mode_t mode) {
    uint8_t payload[SECRET_PAYLOAD];
    secret_payload(key, password, payload);
    write_key_text(path, payload, sizeof payload, mode);
}

/* ---- .wlk files */

typedef struct sample {
    uint8_t *bytes; /* the test frees */
    uint64_t size;
    uint64_t header_len;
    uint64_t data_len;
    uint64_t data_off;
    uint64_t table_len;
    uint8_t chunk_log2;
} sample;

/* Trust never looks into a header: here it is noise (invariant 2). */
static inline void fill_noise(uint8_t *bytes, uint64_t length, uint8_t number) {
    uint8_t seed[randombytes_SEEDBYTES];
    memset(seed, number, sizeof seed);
    randombytes_buf_deterministic(bytes, length, seed);
}

/* Computes all digests anew, by libsodium itself, and the envelope; unsigned. */
static inline void sample_seal(sample *s) {
    envelope e = {.chunk_log2 = s->chunk_log2,
                  .header_len = s->header_len,
                  .table_len = s->table_len,
                  .data_off = s->data_off,
                  .data_len = s->data_len};
    const uint64_t chunk = 1ull << s->chunk_log2;
    uint8_t *table = s->bytes + ENVELOPE_BYTES + s->header_len;
    for (uint64_t at = 0, i = 0; at < s->data_len; at += chunk, i++) {
        const uint64_t left = s->data_len - at;
        (void)crypto_generichash(table + i * 32, 32, s->bytes + s->data_off + at,
                                 left < chunk ? left : chunk, NULL, 0);
    }
    (void)crypto_generichash(e.header_digest, 32, s->bytes + ENVELOPE_BYTES, s->header_len, NULL,
                             0);
    (void)crypto_generichash(e.table_digest, 32, table, s->table_len, NULL, 0);
    envelope_encode(&e, s->bytes);
}

/* data_off is the next multiple of 4096 behind table and `slack` zeros. */
static inline sample sample_make(uint64_t header_len, uint64_t data_len, uint8_t chunk_log2,
                                 uint64_t slack) {
    sample s = {.header_len = header_len, .data_len = data_len, .chunk_log2 = chunk_log2};
    s.table_len = envelope_table_len(data_len, chunk_log2);
    s.data_off = (ENVELOPE_BYTES + header_len + s.table_len + slack + 4095) / 4096 * 4096;
    s.size = s.data_off + data_len;
    s.bytes = calloc(1, s.size);
    assert_non_null(s.bytes);
    fill_noise(s.bytes + ENVELOPE_BYTES, header_len, 1);
    fill_noise(s.bytes + s.data_off, data_len, 2);
    sample_seal(&s);
    return s;
}

/* Signs by the letter of docs/format.md, with nothing of the module under test. */
static inline void sample_sign(sample *s, const test_key *key) {
    uint8_t message[22 + 116] = "weighlock envelope v1";
    memcpy(s->bytes + 110, key->id, 8);
    memcpy(message + 22, s->bytes + 2, 116);
    assert_int_equal(
        crypto_sign_detached(s->bytes + 118, NULL, message, sizeof message, key->secret_key), 0);
}

/* A set that trusts one key under the name "alice". */
static inline wlk_trust *trusting(const test_key *key) {
    wlk_error error;
    wlk_trust *trust;
    const wlk_public_key public_key = public_of(key);
    EXPECT_OK(wlk_trust_new(&trust, &error));
    EXPECT_OK(wlk_trust_add(trust, &public_key, "alice", &error));
    return trust;
}

#endif
