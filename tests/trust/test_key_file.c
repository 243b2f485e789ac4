#include "support.h"

#include "trust/key_file.h"

static wlk_status read_as(const char *path, key_access access, uint64_t *length, wlk_error *error) {
    uint8_t text[KEY_FILE_MAX + 1];
    const key_source source = key_source_named(path, access);
    return key_file_read(&source, text, length, error);
}

static void test_owner_and_mode(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        int secret; /* may a secret key file have it? */
        int folder; /* may a trust folder's? */
    } rows[] = {{0600, 1, 1}, {0400, 1, 1}, {0700, 1, 1}, {0644, 0, 1}, {0640, 0, 1},
                {0604, 0, 1}, {0610, 0, 1}, {0601, 0, 1}, {0620, 0, 0}, {0602, 0, 0},
                {0660, 0, 0}, {0606, 0, 0}, {0666, 0, 0}, {0777, 0, 0}};
    const char *path = in_scratch("mode");
    wlk_error error;
    uint64_t length;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_text(path, "content", rows[i].mode);
        EXPECT_OK(read_as(path, KEY_NAMED_PUBLIC, &length, &error));
        assert_int_equal(length, 7);
        const wlk_status secret = read_as(path, KEY_NAMED_SECRET, &length, &error);
        expect_rule(secret, &error, rows[i].secret ? RULE_NONE : RULE_TRUST_KEY_MODE, NULL);
        const wlk_status folder = read_as(path, KEY_IN_FOLDER, &length, &error);
        expect_rule(folder, &error, rows[i].folder ? RULE_NONE : RULE_TRUST_KEY_MODE, NULL);
        assert_int_equal(unlink(path), 0);
    }
}

/* Invariant 9: it says which file, which mode, and what to do. */
static void test_invariant_9_mode_refusal_says_why(void **state) {
    (void)state;
    const char *path = in_scratch("loose.key");
    char text[512];
    wlk_error error;
    uint64_t length;
    write_text(path, "content", 0644);
    EXPECT_RULE(read_as(path, KEY_NAMED_SECRET, &length, &error), RULE_TRUST_KEY_MODE);
    (void)wlk_error_format(&error, text, sizeof text);
    assert_non_null(strstr(text, "loose.key has mode 0644"));
    assert_non_null(strstr(text, "chmod 600"));
}

static void test_size(void **state) {
    (void)state;
    const char *path = in_scratch("size");
    uint8_t bytes[KEY_FILE_MAX + 1000] = {0};
    wlk_error error;
    uint64_t length = 1;
    write_bytes(path, bytes, 0, 0600);
    EXPECT_OK(read_as(path, KEY_NAMED_SECRET, &length, &error));
    assert_int_equal(length, 0);
    write_bytes(path, bytes, KEY_FILE_MAX, 0600);
    EXPECT_OK(read_as(path, KEY_NAMED_SECRET, &length, &error));
    assert_int_equal(length, KEY_FILE_MAX);
    write_bytes(path, bytes, KEY_FILE_MAX + 1, 0600);
    EXPECT_AT(read_as(path, KEY_NAMED_SECRET, &length, &error), RULE_TRUST_KEY_TEXT, KEY_FILE_MAX);
    write_bytes(path, bytes, sizeof bytes, 0600);
    EXPECT_AT(read_as(path, KEY_NAMED_PUBLIC, &length, &error), RULE_TRUST_KEY_TEXT, KEY_FILE_MAX);
}

static void test_what_is_no_file(void **state) {
    (void)state;
    const char *fifo = in_scratch("fifo"), *folder = in_scratch("folder");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *const paths[] = {fifo,
                                 folder,
                                 "/dev/null",
                                 "/dev/zero",
                                 in_scratch("missing"),
                                 "",
                                 in_scratch("folder/missing/too")};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        wlk_error error;
        uint64_t length;
        EXPECT_RULE(read_as(paths[i], KEY_NAMED_PUBLIC, &length, &error), RULE_TRUST_KEY_READ);
        EXPECT_RULE(read_as(paths[i], KEY_NAMED_SECRET, &length, &error), RULE_TRUST_KEY_READ);
    }
}

static void test_symbolic_links(void **state) {
    (void)state;
    const char *link = in_scratch("link"), *loose = in_scratch("loose-link");
    wlk_error error;
    uint64_t length;
    write_text(in_scratch("target"), "content", 0600);
    write_text(in_scratch("loose-target"), "content", 0644);
    assert_int_equal(symlink("target", link), 0);
    assert_int_equal(symlink("loose-target", loose), 0);
    EXPECT_OK(read_as(link, KEY_NAMED_PUBLIC, &length, &error));
    EXPECT_OK(read_as(link, KEY_NAMED_SECRET, &length, &error));
    EXPECT_RULE(read_as(loose, KEY_NAMED_SECRET, &length, &error), RULE_TRUST_KEY_MODE);
    EXPECT_RULE(read_as(link, KEY_IN_FOLDER, &length, &error), RULE_TRUST_KEY_MODE);
    assert_non_null(strstr(error.text, "symbolic link"));
}

static int read_secret_of_other(const void *path) {
    wlk_error error;
    uint64_t length;
    if (geteuid() == 0) return 1;
    (void)chmod(path, 0); /* counts where the whole test runs as an ordinary user: the owner */
    return read_as(path, KEY_NAMED_SECRET, &length, &error) == WLK_SYSTEM &&
                   error.rule == RULE_TRUST_KEY_READ
               ? 0
               : 2;
}

static void test_unreadable_for_an_ordinary_user(void **state) {
    (void)state;
    const char *path = in_scratch("unreadable");
    write_text(path, "content", 0600);
    assert_int_equal(run_as(NOBODY, read_secret_of_other, path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner_and_mode),
        cmocka_unit_test(test_invariant_9_mode_refusal_says_why),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_symbolic_links),
        cmocka_unit_test(test_unreadable_for_an_ordinary_user),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
