#include "minisign.h"

#include <dirent.h>

#include "trust/trust_set.h"

#define D2026_01_01 1767225600
#define DAY 86400

static wlk_trusted_key trusted(uint8_t number, const char *name) {
    const test_key pair = key_number(number);
    wlk_trusted_key key = {.key = public_of(&pair),
                           .valid_from = INT64_MIN,
                           .valid_until = INT64_MAX,
                           .revoked = INT64_MAX};
    (void)snprintf(key.name, sizeof key.name, "%s", name);
    return key;
}

/* A new, empty trust folder. */
static const char *folder_named(const char *name) {
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", in_scratch(name));
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static int entries_of(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count - 2;
}

static wlk_trusted_key only_key(const char *folder) {
    wlk_trust *trust;
    wlk_error error;
    EXPECT_OK(wlk_trust_open(folder, &trust, &error));
    assert_int_equal(wlk_trust_count(trust), 1);
    const wlk_trusted_key key = wlk_trust_key(trust, 0);
    wlk_trust_free(trust);
    return key;
}

static void test_what_is_added_is_trusted(void **state) {
    (void)state;
    const char *folder = in_scratch("new"); /* is made, its last part only */
    wlk_trusted_key key = trusted(1, "alice"), got;
    wlk_error error;
    key.valid_from = D2026_01_01;
    key.valid_until = D2026_01_01 + 30 * DAY;
    EXPECT_OK(wlk_trust_folder_add(folder, &key, &error));
    assert_int_equal(mode_of(folder), 0755);
    assert_int_equal(mode_of(in_scratch("new/alice.pub")), 0644);
    assert_int_equal(entries_of(folder), 1);
    got = only_key(folder);
    assert_memory_equal(&got, &key, sizeof key);
    EXPECT_OK(wlk_trusted_key_load(in_scratch("new/alice.pub"), &got, &error));
    assert_memory_equal(&got, &key, sizeof key);
    EXPECT_RULE(wlk_trust_folder_add(in_scratch("no/such"), &key, &error), RULE_TRUST_KEY_WRITE);
}

/* Nothing comes into a folder that would spoil it, or that its reader would not see. */
static void test_what_cannot_be_added(void **state) {
    (void)state;
    static const struct {
        uint8_t number;
        const char *name;
        wlk_rule rule;
    } rows[] = {
        {2, "alice", RULE_TRUST_KEY_EXISTS},  {1, "again", RULE_TRUST_KEY_EXISTS},
        {2, "", RULE_TRUST_KEY_NAME},         {2, ".hidden", RULE_TRUST_KEY_NAME},
        {2, "a/b", RULE_TRUST_KEY_NAME},      {2, "../bob", RULE_TRUST_KEY_NAME},
        {2, "/tmp/bob", RULE_TRUST_KEY_NAME}, {2, "a\nb", RULE_TRUST_KEY_NAME},
        {2, "..", RULE_TRUST_KEY_NAME},       {2, "link", RULE_TRUST_KEY_MODE},
    };
    const char *folder = folder_named("full");
    wlk_trusted_key key = trusted(1, "alice");
    wlk_error error;
    EXPECT_OK(wlk_trust_folder_add(folder, &key, &error));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        key = trusted(rows[i].number, rows[i].name);
        const int linked = strcmp(rows[i].name, "link") == 0;
        if (linked) assert_int_equal(symlink("../target", in_scratch("full/link.pub")), 0);
        EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), rows[i].rule);
        if (linked) assert_int_equal(remove(in_scratch("full/link.pub")), 0);
        assert_int_equal(entries_of(folder), 1);
    }
    key = trusted(2, "twin");
    memcpy(key.key.id, key_number(1).id, 8);
    EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), RULE_TRUST_KEY_CONFLICT);
    key = trusted(1, "twin");
    key.key.id[0] ^= 1;
    EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), RULE_TRUST_KEY_NUMBERS);
    key = trusted(2, "weak");
    memset(key.key.key, 0, 32);
    EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), RULE_TRUST_KEY_POINT);
    key = trusted(2, "dated");
    key.valid_until = 12345;
    EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), RULE_TRUST_KEY_DATE);
    memset(key.name, 'n', sizeof key.name); /* without its end */
    EXPECT_RULE(wlk_trust_folder_add(folder, &key, &error), RULE_TRUST_KEY_NAME);
    assert_int_equal(entries_of(folder), 1);
}

/* A folder that others may change, or that is a link, is left alone. */
static void test_folders_that_are_not_sound(void **state) {
    (void)state;
    const char *folder = folder_named("loose");
    const wlk_trusted_key alice = trusted(1, "alice"), bob = trusted(2, "bob");
    wlk_error error;
    EXPECT_OK(wlk_trust_folder_add(folder, &alice, &error));
    assert_int_equal(chmod(folder, 0775), 0);
    EXPECT_RULE(wlk_trust_folder_add(folder, &bob, &error), RULE_TRUST_FOLDER_MODE);
    EXPECT_RULE(wlk_trust_folder_revoke(folder, "alice", 0, &error), RULE_TRUST_FOLDER_MODE);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(symlink("loose", in_scratch("link")), 0);
    EXPECT_RULE(wlk_trust_folder_add(in_scratch("link"), &bob, &error), RULE_TRUST_FOLDER_MODE);
    EXPECT_RULE(wlk_trust_folder_revoke(in_scratch("link"), "alice", 0, &error),
                RULE_TRUST_FOLDER_MODE);
    write_text(in_scratch("file"), "", 0644);
    EXPECT_RULE(wlk_trust_folder_add(in_scratch("file"), &bob, &error), RULE_TRUST_FOLDER_READ);
    EXPECT_RULE(wlk_trust_folder_revoke(in_scratch("none"), "alice", 0, &error),
                RULE_TRUST_FOLDER_READ);
    EXPECT_RULE(wlk_trust_folder_add("", &bob, &error), RULE_TRUST_FOLDER_READ);
    static char long_path[PATH_MAX + 1];
    memset(long_path, 'x', PATH_MAX);
    EXPECT_RULE(wlk_trust_folder_add(long_path, &bob, &error), RULE_TRUST_FOLDER_READ);
    assert_int_equal(entries_of(folder), 1);
    assert_true(only_key(folder).revoked == INT64_MAX);
}

static void test_revoking(void **state) {
    (void)state;
    static const struct {
        const char *by;
        wlk_rule rule;
    } rows[] = {
        {"alice", RULE_NONE},
        {"0101010101010101", RULE_NONE},
        {"ALICE", RULE_TRUST_KEY_MISSING},
        {"alice.pub", RULE_TRUST_KEY_MISSING},
        {"", RULE_TRUST_KEY_MISSING},
        {"0202020202020202", RULE_TRUST_KEY_MISSING},
        {"101010101010101", RULE_TRUST_KEY_MISSING},
        {"../revoked/alice", RULE_TRUST_KEY_MISSING},
    };
    const char *folder = folder_named("revoked");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const wlk_trusted_key key = trusted(1, "alice");
        wlk_error error;
        EXPECT_OK(wlk_trust_folder_add(folder, &key, &error));
        assert_int_equal(chmod(in_scratch("revoked/alice.pub"), 0600), 0);
        EXPECT_RULE(wlk_trust_folder_revoke(folder, rows[i].by, D2026_01_01 + 5, &error),
                    rows[i].rule);
        const int64_t want = rows[i].rule == RULE_NONE ? D2026_01_01 : INT64_MAX;
        assert_true(only_key(folder).revoked == want);
        assert_int_equal(mode_of(in_scratch("revoked/alice.pub")), 0600);
        assert_int_equal(entries_of(folder), 1);
        assert_int_equal(remove(in_scratch("revoked/alice.pub")), 0);
    }
}

/* The first date stands; a time without a date changes nothing. */
static void test_revoking_again(void **state) {
    (void)state;
    const char *folder = folder_named("again");
    const wlk_trusted_key key = trusted(0xab, "alice");
    wlk_error error;
    EXPECT_OK(wlk_trust_folder_add(folder, &key, &error));
    EXPECT_RULE(wlk_trust_folder_revoke(folder, "alice", -1, &error), RULE_TRUST_KEY_DATE);
    EXPECT_RULE(wlk_trust_folder_revoke(folder, "alice", INT64_MAX, &error), RULE_TRUST_KEY_DATE);
    assert_true(only_key(folder).revoked == INT64_MAX);
    EXPECT_OK(wlk_trust_folder_revoke(folder, "ABABabababababAB", D2026_01_01, &error));
    EXPECT_OK(wlk_trust_folder_revoke(folder, "alice", D2026_01_01 + DAY, &error));
    assert_true(only_key(folder).revoked == D2026_01_01);
}

/* A name goes before a number that looks like it; a key that is broken, or a link, is
 * an error and not another key. */
static void test_which_key_is_meant(void **state) {
    (void)state;
    const char *folder = folder_named("which");
    const wlk_trusted_key one = trusted(1, "0202020202020202"), two = trusted(2, "two");
    wlk_error error;
    wlk_trusted_key got;
    EXPECT_OK(wlk_trust_folder_add(folder, &one, &error));
    EXPECT_OK(wlk_trust_folder_add(folder, &two, &error));
    EXPECT_OK(wlk_trust_folder_revoke(folder, "0202020202020202", D2026_01_01, &error));
    EXPECT_OK(wlk_trusted_key_load(in_scratch("which/two.pub"), &got, &error));
    assert_true(got.revoked == INT64_MAX);
    write_text(in_scratch("which/a.pub"), "broken", 0644);
    EXPECT_RULE(wlk_trust_folder_revoke(folder, "0303030303030303", 0, &error),
                RULE_TRUST_KEY_TEXT);
    EXPECT_OK(wlk_trust_folder_revoke(folder, "two", D2026_01_01, &error));
    assert_int_equal(symlink("two.pub", in_scratch("which/link.pub")), 0);
    EXPECT_RULE(wlk_trust_folder_revoke(folder, "link", D2026_01_01, &error), RULE_TRUST_KEY_MODE);
}

/* minisign itself reads what lies in a trust folder, dates and revocation included. */
static void test_minisign_reads_our_folder(void **state) {
    (void)state;
    const char *folder = folder_named("both");
    const char *secret = in_scratch("k.key"), *named = in_scratch("both/signer.pub");
    const char *message = in_scratch("message"), *signature = in_scratch("message.minisig");
    wlk_trusted_key key = trusted(1, "signer");
    wlk_error error;
    EXPECT_OK(wlk_keygen(secret, in_scratch("k.pub"), NULL, &key.key, &error));
    key.valid_from = D2026_01_01;
    key.valid_until = D2026_01_01 + DAY;
    EXPECT_OK(wlk_trust_folder_add(folder, &key, &error));
    EXPECT_OK(wlk_trust_folder_revoke(folder, "signer", D2026_01_01, &error));
    write_text(message, "weights", 0644);
    assert_int_equal(MINISIGN_RUN("", "-S", "-s", secret, "-x", signature, "-m", message), 0);
    assert_int_equal(MINISIGN_RUN("", "-V", "-p", named, "-x", signature, "-m", message), 0);
    write_text(message, "Weights", 0644);
    assert_int_not_equal(MINISIGN_RUN("", "-V", "-p", named, "-x", signature, "-m", message), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_added_is_trusted),
        cmocka_unit_test(test_what_cannot_be_added),
        cmocka_unit_test(test_folders_that_are_not_sound),
        cmocka_unit_test(test_revoking),
        cmocka_unit_test(test_revoking_again),
        cmocka_unit_test(test_which_key_is_meant),
        cmocka_unit_test(test_minisign_reads_our_folder),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
