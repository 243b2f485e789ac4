/* The real minisign uses our key files, and we use its: encrypted and not. */
#include "minisign.h"

/* minisign signs with `secret`, minisign verifies with `public_path`. */
static void expect_minisign_signs(const char *secret, const char *public_path) {
    const char *message = in_scratch("message"), *signature = in_scratch("message.minisig");
    write_text(message, "weights", 0644);
    assert_int_equal(MINISIGN_RUN("", "-S", "-s", secret, "-x", signature, "-m", message), 0);
    assert_int_equal(MINISIGN_RUN("", "-V", "-p", public_path, "-x", signature, "-m", message), 0);
    write_text(message, "Weights", 0644);
    assert_int_not_equal(MINISIGN_RUN("", "-V", "-p", public_path, "-x", signature, "-m", message),
                         0);
}

static void expect_pair(const char *secret, const char *public_path, const char *password) {
    wlk_secret_key *key;
    wlk_public_key public_key, from_secret;
    wlk_error error;
    EXPECT_OK(wlk_public_key_load(public_path, &public_key, &error));
    EXPECT_OK(wlk_secret_key_load(secret, password, &key, &error));
    wlk_secret_key_public(key, &from_secret);
    assert_memory_equal(&from_secret, &public_key, sizeof public_key);
    wlk_secret_key_free(key);
}

/* The number in a public key file's comment. Version 0.11 leaves out leading zeros,
 * which other versions, and we, write. */
static const char *shown_id(const char *text) {
    static const char before[] = "untrusted comment: minisign public key ";
    static char id[WLK_KEY_ID_TEXT_BYTES];
    assert_int_equal(strncmp(text, before, sizeof before - 1), 0);
    (void)snprintf(id, sizeof id, "%016llX", strtoull(text + sizeof before - 1, NULL, 16));
    return id;
}

static void test_we_read_its_unencrypted_keys(void **state) {
    (void)state;
    const char *secret = in_scratch("its.key"), *public_path = in_scratch("its.pub");
    wlk_public_key key;
    wlk_error error;
    size_t length;
    char id[WLK_KEY_ID_TEXT_BYTES];
    assert_int_equal(MINISIGN_RUN("", "-G", "-W", "-p", public_path, "-s", secret), 0);
    expect_pair(secret, public_path, NULL);
    EXPECT_OK(wlk_public_key_load(public_path, &key, &error));
    wlk_key_id_text(key.id, id);
    char *text = read_text(public_path, &length);
    assert_string_equal(id, shown_id(text));
    free(text);
}

static void test_it_uses_our_unencrypted_keys(void **state) {
    (void)state;
    const char *secret = in_scratch("ours.key"), *public_path = in_scratch("ours.pub");
    const char *recreated = in_scratch("recreated.pub");
    wlk_error error;
    size_t ours, its;
    EXPECT_OK(wlk_keygen(secret, public_path, NULL, NULL, &error));
    expect_minisign_signs(secret, public_path);
    assert_int_equal(MINISIGN_RUN("", "-R", "-s", secret, "-p", recreated), 0);
    char *a = read_text(public_path, &ours), *b = read_text(recreated, &its);
    assert_string_equal(strchr(a, '\n'), strchr(b, '\n')); /* byte for byte */
    char id[WLK_KEY_ID_TEXT_BYTES];
    (void)snprintf(id, sizeof id, "%s", shown_id(a));
    assert_string_equal(id, shown_id(b));
    free(a);
    free(b);
}

static void test_we_read_its_encrypted_keys(void **state) {
    (void)state;
    const char *secret = in_scratch("locked.key"), *public_path = in_scratch("locked.pub");
    wlk_secret_key *key;
    wlk_error error;
    int encrypted = 0;
    assert_int_equal(MINISIGN_RUN("pa ss\npa ss\n", "-G", "-p", public_path, "-s", secret), 0);
    EXPECT_OK(wlk_secret_key_is_encrypted(secret, &encrypted, &error));
    assert_int_equal(encrypted, 1);
    EXPECT_RULE(wlk_secret_key_load(secret, NULL, &key, &error), RULE_TRUST_PASSWORD_NEEDED);
    expect_pair(secret, public_path, "pa ss");
}

/* Also: what minisign leaves when it takes the password away. */
static void test_it_uses_our_encrypted_keys(void **state) {
    (void)state;
    const char *secret = in_scratch("sealed.key"), *public_path = in_scratch("sealed.pub");
    wlk_error error;
    int encrypted = 7;
    EXPECT_OK(wlk_keygen(secret, public_path, "p\xc3\xa4ss", NULL, &error));
    assert_int_equal(mode_of(secret), 0600);
    EXPECT_OK(wlk_secret_key_is_encrypted(secret, &encrypted, &error));
    assert_int_equal(encrypted, 1);
    assert_int_equal(MINISIGN_RUN("p\xc3\xa4ss\n", "-C", "-W", "-s", secret), 0);
    EXPECT_OK(wlk_secret_key_is_encrypted(secret, &encrypted, &error));
    assert_int_equal(encrypted, 0);
    expect_pair(secret, public_path, NULL);
    expect_minisign_signs(secret, public_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_we_read_its_unencrypted_keys),
        cmocka_unit_test(test_it_uses_our_unencrypted_keys),
        cmocka_unit_test(test_we_read_its_encrypted_keys),
        cmocka_unit_test(test_it_uses_our_encrypted_keys),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
