#include "support.h"

#include <dirent.h>
#include <signal.h>

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

/* What is in a folder besides "." and "..": nothing hidden is left behind either. */
static int entries_of(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count - 2;
}

static void test_a_key_is_new(void **state) {
    (void)state;
    const char *path = in_scratch("created");
    wlk_error error;
    EXPECT_OK(put(path, PUT_KEY, 0600, &error));
    assert_int_equal(mode_of(path), 0600);
    EXPECT_RULE(put(path, PUT_KEY, 0600, &error), RULE_TRUST_KEY_EXISTS);
    expect_text(path, "hello");
    assert_int_equal(entries_of(scratch), 1);
    assert_int_equal(remove(path), 0);
}

/* In its place, with its mode, and another inode: whoever reads the old one reads all
 * of it. */
static void test_replacing(void **state) {
    (void)state;
    static const struct {
        put_kind kind;
        mode_t mode, want;
    } rows[] = {
        {PUT_KEY_AGAIN, 0640, 0640}, {PUT_SIGNATURE, 0600, 0600}, {PUT_SIGNATURE, 0664, 0644}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = in_scratch("replaced");
        struct stat before, after;
        wlk_error error;
        write_text(path, "old and longer", rows[i].mode);
        assert_int_equal(stat(path, &before), 0);
        const int held = open(path, O_RDONLY | O_CLOEXEC);
        EXPECT_OK(put(path, rows[i].kind, 0644, &error));
        assert_int_equal(stat(path, &after), 0);
        assert_int_not_equal(before.st_ino, after.st_ino);
        assert_int_equal(mode_of(path), rows[i].want);
        expect_text(path, "hello");
        char old[32] = "";
        assert_int_equal(read(held, old, sizeof old), 14);
        assert_int_equal(close(held), 0);
        assert_int_equal(entries_of(scratch), 1);
        assert_int_equal(remove(path), 0);
    }
}

/* Neither a link nor a device nor a folder decides where something is written. */
static void test_what_stands_there(void **state) {
    (void)state;
    enum { DANGLING, LINK, FOLDER, FIFO };
    static const struct {
        int there;
        put_kind kind;
        wlk_rule rule;
    } rows[] = {
        {DANGLING, PUT_KEY, RULE_TRUST_KEY_EXISTS},
        {LINK, PUT_KEY, RULE_TRUST_KEY_EXISTS},
        {DANGLING, PUT_KEY_AGAIN, RULE_TRUST_KEY_WRITE},
        {LINK, PUT_KEY_AGAIN, RULE_TRUST_KEY_WRITE},
        {LINK, PUT_SIGNATURE, RULE_TRUST_SIGNATURE_WRITE},
        {FOLDER, PUT_KEY, RULE_TRUST_KEY_EXISTS},
        {FOLDER, PUT_SIGNATURE, RULE_TRUST_SIGNATURE_WRITE},
        {FIFO, PUT_SIGNATURE, RULE_TRUST_SIGNATURE_WRITE},
    };
    write_text(in_scratch("target"), "untouched", 0644);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = in_scratch("there");
        wlk_error error;
        int made = -1;
        if (rows[i].there == DANGLING) made = symlink("elsewhere", path);
        if (rows[i].there == LINK) made = symlink("target", path);
        if (rows[i].there == FOLDER) made = mkdir(path, 0755);
        if (rows[i].there == FIFO) made = mkfifo(path, 0644);
        assert_int_equal(made, 0);
        EXPECT_RULE(put(path, rows[i].kind, 0644, &error), rows[i].rule);
        assert_false(exists(in_scratch("elsewhere")));
        expect_text(in_scratch("target"), "untouched");
        assert_int_equal(entries_of(scratch), 2);
        assert_int_equal(remove(path), 0);
    }
    assert_int_equal(remove(in_scratch("target")), 0);
}

static void test_paths(void **state) {
    (void)state;
    static char long_path[PATH_MAX + 32];
    wlk_error error;
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[PATH_MAX] = '/';
    const char *const bad[] = {in_scratch("no/such"), in_scratch(""), "", long_path,
                               "/proc/self/cannot"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT_RULE(put(bad[i], PUT_KEY, 0644, &error), RULE_TRUST_KEY_WRITE);
        EXPECT_RULE(put(bad[i], PUT_SIGNATURE, 0644, &error), RULE_TRUST_SIGNATURE_WRITE);
    }
    assert_int_equal(chdir(scratch), 0);
    EXPECT_OK(put("relative", PUT_KEY, 0644, &error));
    expect_text(in_scratch("relative"), "hello");
    assert_int_equal(remove("relative"), 0);
}

/* A disk that is full leaves the old file as it was, and nothing beside it. */
static int put_without_room(const void *context) {
    const struct rlimit none = {2, 2};
    wlk_error error;
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) return 97;
    const wlk_status status = put(context, PUT_SIGNATURE, 0644, &error);
    return status == WLK_SYSTEM && error.rule == RULE_TRUST_SIGNATURE_WRITE ? 0 : 1;
}

static void test_no_room(void **state) {
    (void)state;
    const char *path = in_scratch("full");
    write_text(path, "old", 0644);
    assert_int_equal(run_as(geteuid(), put_without_room, path), 0);
    expect_text(path, "old");
    assert_int_equal(entries_of(scratch), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_new),      cmocka_unit_test(test_replacing),
        cmocka_unit_test(test_what_stands_there), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
