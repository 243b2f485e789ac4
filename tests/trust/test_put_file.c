/* Which rules each kind of file goes by. How it gets into its place is tested in tests/file. */
#include "support.h"

#include "trust/put_file.h"

static const uint8_t hello[] = {'h', 'e', 'l', 'l', 'o'};

static wlk_status put(const char *path, put_kind kind, mode_t mode, wlk_error *error) {
    return put_file_at(path, kind, mode, hello, sizeof hello, error);
}

static void expect_text(const char *path, const char *want) {
    size_t length;
    char *text = read_text(path, &length);
    assert_string_equal(text, want);
    free(text);
}

/* Where there is nothing, where a file is, and where there is no folder. */
static const struct {
    put_kind kind;
    wlk_rule over_a_file, over_a_link, nowhere;
} kinds[] = {
    {PUT_KEY, RULE_TRUST_KEY_EXISTS, RULE_TRUST_KEY_EXISTS, RULE_TRUST_KEY_WRITE},
    {PUT_KEY_AGAIN, RULE_NONE, RULE_WRITE_TARGET, RULE_TRUST_KEY_WRITE},
    {PUT_SIGNATURE, RULE_NONE, RULE_WRITE_TARGET, RULE_TRUST_SIGNATURE_WRITE},
};

static void test_rules(void **state) {
    (void)state;
    const char *path = in_scratch("file"), *link = in_scratch("link");
    const char *nowhere = in_scratch("no/file");
    assert_int_equal(symlink("file", link), 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        wlk_error error;
        EXPECT_RULE(put(nowhere, kinds[i].kind, 0644, &error), kinds[i].nowhere);
        EXPECT_OK(put(path, kinds[i].kind, 0600, &error));
        assert_int_equal(mode_of(path), 0600);
        write_text(path, "old", 0600);
        EXPECT_RULE(put(path, kinds[i].kind, 0644, &error), kinds[i].over_a_file);
        expect_text(path, kinds[i].over_a_file == RULE_NONE ? "hello" : "old");
        write_text(path, "old", 0600);
        EXPECT_RULE(put(link, kinds[i].kind, 0644, &error), kinds[i].over_a_link);
        expect_text(path, "old");
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(link), 0);
}

/* What others could write to, they cannot after it was replaced. */
static void test_modes_of_what_is_replaced(void **state) {
    (void)state;
    static const struct {
        put_kind kind;
        mode_t mode, want;
    } rows[] = {
        {PUT_KEY_AGAIN, 0640, 0640}, {PUT_SIGNATURE, 0600, 0600}, {PUT_SIGNATURE, 0666, 0644}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = in_scratch("replaced");
        wlk_error error;
        write_text(path, "old and longer", rows[i].mode);
        EXPECT_OK(put(path, rows[i].kind, 0644, &error));
        assert_int_equal(mode_of(path), rows[i].want);
        expect_text(path, "hello");
        assert_int_equal(remove(path), 0);
    }
}

/* In an open folder; messages show the path that was given. */
static void test_below_an_open_folder(void **state) {
    (void)state;
    wlk_error error;
    const int folder = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const put_place place = {folder, "below", "shown/below", PUT_KEY};
    assert_true(folder >= 0);
    EXPECT_OK(put_file(&place, 0644, hello, sizeof hello, &error));
    expect_text(in_scratch("below"), "hello");
    EXPECT_RULE(put_file(&place, 0644, hello, sizeof hello, &error), RULE_TRUST_KEY_EXISTS);
    assert_string_equal(error.text, "shown/below");
    assert_int_equal(remove(in_scratch("below")), 0);
    assert_int_equal(close(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_modes_of_what_is_replaced),
        cmocka_unit_test(test_below_an_open_folder),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
