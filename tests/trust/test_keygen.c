#include "support.h"

#include <signal.h>

static void test_unencrypted_pair(void **state) {
    (void)state;
    const char *secret = in_scratch("plain.key"), *public_path = in_scratch("plain.pub");
    wlk_public_key made, read, from_secret;
    wlk_secret_key *key;
    wlk_error error;
    int encrypted = 7;
    EXPECT_OK(wlk_keygen(secret, public_path, NULL, &made, &error));
    assert_int_equal(mode_of(secret), 0600);
    assert_int_equal(mode_of(public_path), 0644);
    EXPECT_OK(wlk_public_key_load(public_path, &read, &error));
    assert_memory_equal(&read, &made, sizeof made);
    EXPECT_OK(wlk_secret_key_is_encrypted(secret, &encrypted, &error));
    assert_int_equal(encrypted, 0);
    EXPECT_OK(wlk_secret_key_load(secret, NULL, &key, &error));
    wlk_secret_key_public(key, &from_secret);
    assert_memory_equal(&from_secret, &made, sizeof made);
    wlk_secret_key_free(key);
}

static void test_pairs_differ(void **state) {
    (void)state;
    wlk_public_key a, b;
    wlk_error error;
    EXPECT_OK(wlk_keygen(in_scratch("a.key"), in_scratch("a.pub"), NULL, &a, &error));
    EXPECT_OK(wlk_keygen(in_scratch("b.key"), in_scratch("b.pub"), NULL, &b, &error));
    assert_memory_not_equal(a.id, b.id, sizeof a.id);
    assert_memory_not_equal(a.key, b.key, sizeof a.key);
    EXPECT_OK(wlk_keygen(in_scratch("c.key"), in_scratch("c.pub"), NULL, NULL, &error));
}

static void test_secret_is_0600_whatever_the_umask(void **state) {
    (void)state;
    wlk_error error;
    const mode_t before = umask(0);
    const wlk_status status =
        wlk_keygen(in_scratch("umask.key"), in_scratch("umask.pub"), NULL, NULL, &error);
    (void)umask(before);
    EXPECT_OK(status);
    assert_int_equal(mode_of(in_scratch("umask.key")), 0600);
    assert_int_equal(mode_of(in_scratch("umask.pub")), 0644);
}

static void test_passwords_that_minisign_could_not_take(void **state) {
    (void)state;
    char longest[1025];
    memset(longest, 'x', sizeof longest);
    longest[1024] = '\0';
    const char *const passwords[] = {"", longest, "two\nlines", "trailing\r", "\n"};
    for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++) {
        wlk_error error;
        EXPECT_RULE(
            wlk_keygen(in_scratch("p.key"), in_scratch("p.pub"), passwords[i], NULL, &error),
            RULE_TRUST_PASSWORD_FORM);
        assert_false(exists(in_scratch("p.key")) || exists(in_scratch("p.pub")));
    }
}

static void test_never_overwrites_and_leaves_nothing(void **state) {
    (void)state;
    const char *taken = in_scratch("taken"), *fresh = in_scratch("fresh");
    const char *nowhere = in_scratch("no/such/folder");
    const struct {
        const char *secret, *public_path;
        wlk_rule rule;
    } rows[] = {
        {taken, fresh, RULE_TRUST_KEY_EXISTS},   {fresh, taken, RULE_TRUST_KEY_EXISTS},
        {fresh, fresh, RULE_TRUST_KEY_EXISTS},   {nowhere, fresh, RULE_TRUST_KEY_WRITE},
        {fresh, nowhere, RULE_TRUST_KEY_WRITE},  {scratch, fresh, RULE_TRUST_KEY_EXISTS},
        {fresh, scratch, RULE_TRUST_KEY_EXISTS},
    };
    write_text(taken, "precious", 0600);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_error error;
        wlk_public_key key = {.id = {9}};
        size_t length;
        EXPECT_RULE(wlk_keygen(rows[i].secret, rows[i].public_path, NULL, &key, &error),
                    rows[i].rule);
        assert_int_equal(key.id[0], 9);
        assert_false(exists(fresh));
        char *text = read_text(taken, &length);
        assert_string_equal(text, "precious");
        free(text);
    }
}

/* The disk is full after so many bytes: in the secret file, or in the public. */
static int keygen_on_full_disk(const void *context) {
    const struct rlimit limit = {*(const rlim_t *)context, *(const rlim_t *)context};
    wlk_error error;
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const wlk_status status =
        wlk_keygen(in_scratch("full.key"), in_scratch("full.pub"), NULL, NULL, &error);
    return status == WLK_SYSTEM && error.rule == RULE_TRUST_KEY_WRITE ? 0 : 2;
}

static void test_full_disk_leaves_nothing(void **state) {
    (void)state;
    static const rlim_t sizes[] = {0, 1, 64, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(run_as(0, keygen_on_full_disk, &sizes[i]), 0);
        assert_false(exists(in_scratch("full.key")) || exists(in_scratch("full.pub")));
    }
}

/* Short of memory it does not quietly make a key that is easier to guess. */
static int keygen_with_little_memory(const void *context) {
    (void)context;
    wlk_error error;
    if (limit_memory(64u << 20) != 0) return 1;
    return wlk_keygen(in_scratch("weak.key"), in_scratch("weak.pub"), "pw", NULL, &error) ==
                       WLK_SYSTEM &&
                   error.rule == RULE_INTERNAL_MEMORY
               ? 0
               : 2;
}

static void test_little_memory_makes_no_weak_key(void **state) {
    (void)state;
    assert_int_equal(run_as(0, keygen_with_little_memory, NULL), 0);
    assert_false(exists(in_scratch("weak.key")) || exists(in_scratch("weak.pub")));
}

/* The public file is written last, so it alone can fail where it has no place. */
static void test_public_failure_removes_the_secret(void **state) {
    (void)state;
    wlk_error error;
    EXPECT_RULE(wlk_keygen(in_scratch("alone.key"), "/dev/full/x", NULL, NULL, &error),
                RULE_TRUST_KEY_WRITE);
    assert_false(exists(in_scratch("alone.key")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unencrypted_pair),
        cmocka_unit_test(test_pairs_differ),
        cmocka_unit_test(test_secret_is_0600_whatever_the_umask),
        cmocka_unit_test(test_passwords_that_minisign_could_not_take),
        cmocka_unit_test(test_never_overwrites_and_leaves_nothing),
        cmocka_unit_test(test_full_disk_leaves_nothing),
        cmocka_unit_test(test_little_memory_makes_no_weak_key),
        cmocka_unit_test(test_public_failure_removes_the_secret),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
