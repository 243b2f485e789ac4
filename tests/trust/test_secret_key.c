#include "support.h"

#include <signal.h>
#include <time.h>

#include "trust/secret_key.h"

static double seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void expect_is(const wlk_secret_key *key, const test_key *want) {
    wlk_public_key public_key;
    assert_memory_equal(key->id, want->id, 8);
    assert_memory_equal(key->key, want->secret_key, 64);
    wlk_secret_key_public(key, &public_key);
    assert_memory_equal(public_key.id, want->id, 8);
    assert_memory_equal(public_key.key, want->public_key, 32);
}

static void test_unencrypted(void **state) {
    (void)state;
    const test_key pair = key_number(3);
    const char *path = in_scratch("plain.key");
    wlk_secret_key *key;
    wlk_error error;
    int encrypted = 7;
    write_secret(path, &pair, NULL, 0600);
    EXPECT_OK(wlk_secret_key_is_encrypted(path, &encrypted, &error));
    assert_int_equal(encrypted, 0);
    EXPECT_OK(wlk_secret_key_load(path, NULL, &key, &error));
    expect_is(key, &pair);
    wlk_secret_key_free(key);
    EXPECT_OK(wlk_secret_key_load(path, "not needed", &key, &error));
    wlk_secret_key_free(key);
    wlk_secret_key_free(NULL);
}

static void test_encrypted(void **state) {
    (void)state;
    const test_key pair = key_number(4);
    const char *path = in_scratch("locked.key");
    wlk_secret_key *key = (wlk_secret_key *)&pair;
    wlk_error error;
    int encrypted = 7;
    write_secret(path, &pair, "correct horse", 0600);
    EXPECT_OK(wlk_secret_key_is_encrypted(path, &encrypted, &error));
    assert_int_equal(encrypted, 1);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_PASSWORD_NEEDED);
    assert_null(key);
    static const char *const wrong[] = {"", "correct hors", "correct horse ", "Correct horse"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT_RULE(wlk_secret_key_load(path, wrong[i], &key, &error), RULE_TRUST_PASSWORD);
        assert_null(key);
    }
    EXPECT_OK(wlk_secret_key_load(path, "correct horse", &key, &error));
    expect_is(key, &pair);
    wlk_secret_key_free(key);
}

/* minisign allows an empty password; such a key still opens. */
static void test_empty_password(void **state) {
    (void)state;
    const test_key pair = key_number(4);
    const char *path = in_scratch("empty.key");
    wlk_secret_key *key;
    wlk_error error;
    write_secret(path, &pair, "", 0600);
    EXPECT_OK(wlk_secret_key_load(path, "", &key, &error));
    expect_is(key, &pair);
    wlk_secret_key_free(key);
}

static void test_modes(void **state) {
    (void)state;
    static const mode_t modes[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601, 0666};
    const test_key pair = key_number(3);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const char *path = in_scratch("loose.key");
        wlk_secret_key *key;
        wlk_error error;
        int encrypted;
        write_secret(path, &pair, NULL, modes[i]);
        EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_MODE);
        EXPECT_RULE(wlk_secret_key_is_encrypted(path, &encrypted, &error), RULE_TRUST_KEY_MODE);
    }
}

/* Every byte of an encrypted key's payload: each change is noticed. Salt, limits
 * and cipher text can only show up as a wrong password. */
static void test_tampered_encrypted_key(void **state) {
    (void)state;
    static const struct {
        size_t from, to;
        wlk_rule rule;
    } rows[] = {
        {0, 2, RULE_TRUST_KEY_ALGORITHM}, {2, 4, RULE_TRUST_KEY_ALGORITHM},
        {4, 6, RULE_TRUST_KEY_ALGORITHM}, {6, 7, RULE_TRUST_PASSWORD},
        {37, 38, RULE_TRUST_PASSWORD},    {54, 55, RULE_TRUST_PASSWORD},
        {62, 63, RULE_TRUST_PASSWORD},    {125, 126, RULE_TRUST_PASSWORD},
        {126, 127, RULE_TRUST_PASSWORD},  {157, 158, RULE_TRUST_PASSWORD},
    };
    const test_key pair = key_number(5);
    const char *path = in_scratch("tampered.key");
    uint8_t payload[SECRET_PAYLOAD];
    secret_payload(&pair, "pw", payload);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t at = rows[i].from; at < rows[i].to; at++) {
            wlk_secret_key *key;
            wlk_error error;
            payload[at] ^= 0x10;
            write_key_text(path, payload, sizeof payload, 0600);
            EXPECT_RULE(wlk_secret_key_load(path, "pw", &key, &error), rows[i].rule);
            payload[at] ^= 0x10;
        }
    }
}

/* Every bit of an unencrypted key's id, seed and public half. The number alone is
 * covered by no check, as minisign writes such keys without a checksum. */
static void test_tampered_unencrypted_key(void **state) {
    (void)state;
    const test_key pair = key_number(6);
    const char *path = in_scratch("tampered.key");
    uint8_t payload[SECRET_PAYLOAD];
    wlk_secret_key *key;
    wlk_error error;
    secret_payload(&pair, NULL, payload);
    for (size_t at = 62; at < SECRET_PAYLOAD; at++) {
        for (int bit = 0; bit < 8; bit++) {
            payload[at] ^= (uint8_t)(1 << bit);
            write_key_text(path, payload, sizeof payload, 0600);
            EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_PAIR);
            payload[at] ^= (uint8_t)(1 << bit);
        }
    }
    memset(payload + 54, 0, 8);
    write_key_text(path, payload, sizeof payload, 0600);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_ID);
    payload[3] = 'c'; /* half of "Sc" */
    write_key_text(path, payload, sizeof payload, 0600);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_ALGORITHM);
}

/* minisign -C -W leaves salt, limits and checksum where they were. */
static void test_password_taken_away(void **state) {
    (void)state;
    const test_key pair = key_number(6);
    const char *path = in_scratch("opened.key");
    uint8_t payload[SECRET_PAYLOAD], checked[74] = {'E', 'd'};
    wlk_secret_key *key;
    wlk_error error;
    secret_payload(&pair, NULL, payload);
    memset(payload + 6, 0xff, 48); /* limits that nobody uses */
    memcpy(checked + 2, payload + 54, 72);
    (void)crypto_generichash(payload + 126, 32, checked, sizeof checked, NULL, 0);
    write_key_text(path, payload, sizeof payload, 0600);
    EXPECT_OK(wlk_secret_key_load(path, NULL, &key, &error));
    expect_is(key, &pair);
    wlk_secret_key_free(key);
    payload[54] ^= 1; /* with a checksum, the number is covered too */
    write_key_text(path, payload, sizeof payload, 0600);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_PAIR);
}

/* Invariant 7: a key file that asks for 100 GB, or for years, gets neither. */
static void test_invariant_7_hostile_kdf(void **state) {
    (void)state;
    static const struct {
        uint64_t opslimit, memlimit;
    } rows[] = {
        {0, 16777216},          {32767, 16777216},        {33554433, 16777216},
        {UINT64_MAX, 16777216}, {1ull << 63, 1073741824}, {32768, 0},
        {32768, 16777215},      {32768, 1073741825},      {32768, 107374182400},
        {32768, UINT64_MAX},    {UINT64_MAX, UINT64_MAX}, {0, 0},
    };
    const test_key pair = key_number(8);
    const char *path = in_scratch("hostile.key");
    uint8_t payload[SECRET_PAYLOAD];
    const double start = seconds();
    secret_payload(&pair, "pw", payload);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_secret_key *key;
        wlk_error error;
        int encrypted;
        store_u64(payload + 38, rows[i].opslimit);
        store_u64(payload + 46, rows[i].memlimit);
        write_key_text(path, payload, sizeof payload, 0600);
        EXPECT_RULE(wlk_secret_key_load(path, "pw", &key, &error), RULE_TRUST_KEY_KDF);
        EXPECT_RULE(wlk_secret_key_is_encrypted(path, &encrypted, &error), RULE_TRUST_KEY_KDF);
    }
    assert_true(seconds() - start < 5);
}

static void test_text_and_path(void **state) {
    (void)state;
    const test_key pair = key_number(3);
    const char *path = in_scratch("text.key");
    char base64[512], text[8192];
    uint8_t payload[SECRET_PAYLOAD];
    wlk_secret_key *key;
    wlk_error error;
    secret_payload(&pair, NULL, payload);
    (void)base64_of(payload, sizeof payload, base64);
    (void)snprintf(text, sizeof text, "untrusted comment: x\r\n%s\r\n", base64);
    write_text(path, text, 0600);
    EXPECT_OK(wlk_secret_key_load(path, NULL, &key, &error));
    wlk_secret_key_free(key);
    (void)snprintf(text, sizeof text, "untrusted comment: x\n%s\nmore", base64);
    write_text(path, text, 0600);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_TEXT);
    (void)snprintf(text, sizeof text, "untrusted comment: %04000d\n%s\n", 0, base64);
    write_text(path, text, 0600);
    EXPECT_AT(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_TEXT, 4096);
    write_public(path, &pair, 0600);
    EXPECT_RULE(wlk_secret_key_load(path, NULL, &key, &error), RULE_TRUST_KEY_TEXT);
    EXPECT_RULE(wlk_secret_key_load(in_scratch("none"), NULL, &key, &error), RULE_TRUST_KEY_READ);
}

static int load_with_little_memory(const void *path) {
    wlk_secret_key *key;
    wlk_error error;
    if (limit_memory(256u << 10) != 0) return 1; /* scrypt takes 512 KiB for this key */
    return wlk_secret_key_load(path, "pw", &key, &error) == WLK_SYSTEM &&
                   error.rule == RULE_INTERNAL_MEMORY && strstr(error.text, "16 MiB") && !key
               ? 0
               : 2;
}

static void test_too_little_memory_to_decrypt(void **state) {
    (void)state;
    const test_key pair = key_number(4);
    const char *path = in_scratch("large.key");
    write_secret(path, &pair, "pw", 0600);
    assert_int_equal(run_as(0, load_with_little_memory, path), 0);
}

/* The opened key lies in libsodium's guarded memory, and cannot be written. */
static int write_into_key(const void *context) {
    wlk_secret_key *key;
    wlk_error error;
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || signal(SIGSEGV, SIG_DFL) == SIG_ERR) return 1;
    if (wlk_secret_key_load(context, NULL, &key, &error) != WLK_OK) return 2;
    key->key[0] ^= 1;
    return 0;
}

static void test_opened_key_is_read_only(void **state) {
    (void)state;
    const test_key pair = key_number(3);
    const char *path = in_scratch("guarded.key");
    write_secret(path, &pair, NULL, 0600);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(write_into_key(path));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unencrypted),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_empty_password),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_tampered_encrypted_key),
        cmocka_unit_test(test_tampered_unencrypted_key),
        cmocka_unit_test(test_password_taken_away),
        cmocka_unit_test(test_invariant_7_hostile_kdf),
        cmocka_unit_test(test_text_and_path),
        cmocka_unit_test(test_too_little_memory_to_decrypt),
        cmocka_unit_test(test_opened_key_is_read_only),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
