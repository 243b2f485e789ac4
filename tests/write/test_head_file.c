#include "support/scratch.h"

#include <errno.h>

#include "write/head_file.h"

#define BYTES 40000u

static uint8_t old[BYTES], now[BYTES];

/* A file of the old head and three bytes of data. */
static const char *make_file(const char *name) {
    const char *path = in_scratch(name);
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(old, 1, BYTES, file), BYTES);
    assert_int_equal(fwrite("end", 1, 3, file), 3);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void expect_head(const char *path, const uint8_t *head) {
    size_t length;
    uint8_t *bytes = read_bytes(path, &length);
    assert_int_equal(length, BYTES + 3);
    assert_memory_equal(bytes, head, BYTES);
    assert_memory_equal(bytes + BYTES, "end", 3);
    free(bytes);
}

static void test_replaced(void **state) {
    (void)state;
    int fd;
    wlk_error error = {0};
    const char *path = make_file("file");
    EXPECT_OK(head_file_check_undo(path, &error));
    EXPECT_OK(head_file_open(path, &fd, &error));
    EXPECT_OK(head_file_replace(fd, path, old, now, BYTES, &error));
    expect_head(path, now);
    EXPECT_OK(head_file_replace(fd, path, now, old, BYTES, &error)); /* and back */
    expect_head(path, old);
    assert_int_equal(entries_of(scratch), 1);
    (void)close(fd);
    assert_int_equal(remove(path), 0);
}

/* In the current folder a name has no slash. */
static void test_plain_name(void **state) {
    (void)state;
    char here[PATH_MAX];
    int fd;
    wlk_error error = {0};
    const char *path = make_file("plain");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch), 0);
    EXPECT_OK(head_file_open("plain", &fd, &error));
    EXPECT_OK(head_file_replace(fd, "plain", old, now, BYTES, &error));
    assert_int_equal(chdir(here), 0);
    (void)close(fd);
    expect_head(path, now);
    assert_int_equal(remove(path), 0);
}

static void test_somebody_else_changed_it(void **state) {
    (void)state;
    int fd;
    wlk_error error = {0};
    const char *path = make_file("changed");
    EXPECT_OK(head_file_open(path, &fd, &error));
    uint8_t *other = exact_copy(old, BYTES);
    other[BYTES - 1] ^= 1;
    expect_refused("changed", head_file_replace(fd, path, other, now, BYTES, &error), &error,
                   "write.changed", NULL);
    expect_head(path, old);
    assert_int_equal(ftruncate(fd, 100), 0);
    expect_refused("cut", head_file_replace(fd, path, old, now, BYTES, &error), &error,
                   "write.changed", NULL);
    assert_int_equal(entries_of(scratch), 1);
    free(other);
    (void)close(fd);
    assert_int_equal(remove(path), 0);
}

/* The command that the error shows, run by a shell, puts the old bytes back. */
static void run_shown(const wlk_error *error) {
    char command[WLK_ERROR_TEXT_BYTES + 16];
    (void)snprintf(command, sizeof command, "{ %s; } 2>&1", error->text);
    assert_int_equal(system(command), 0);  // NOLINT(cert-env33-c)
}

/* What a crash in the middle leaves: half of the new head, and the old one saved. */
static void test_interrupted(void **state) {
    (void)state;
    static const char *const names[] = {"crashed", "-it's $HOME; \"a\" file", "wei\xc3\x9f"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char undo[PATH_MAX];
        wlk_error error = {0};
        int fd;
        const char *path = make_file(names[i]);
        (void)snprintf(undo, sizeof undo, "%s.undo", path);
        write_bytes(undo, old, BYTES);
        EXPECT_OK(head_file_open(path, &fd, &error));
        assert_int_equal(pwrite(fd, now, BYTES / 2, 0), BYTES / 2);
        expect_refused("replace", head_file_replace(fd, path, old, now, BYTES, &error), &error,
                       "write.undo", NULL);
        expect_refused("check", head_file_check_undo(path, &error), &error, "write.undo", NULL);
        assert_int_equal(error.status, WLK_UNDECIDED);
        run_shown(&error);
        expect_head(path, old);
        EXPECT_OK(head_file_check_undo(path, &error));
        EXPECT_OK(head_file_replace(fd, path, old, now, BYTES, &error));
        assert_int_equal(entries_of(scratch), 1);
        (void)close(fd);
        assert_int_equal(remove(path), 0);
    }
}

/* A command that would be cut is not shown. */
static void test_long_name(void **state) {
    (void)state;
    char name[201] = {0}, undo[PATH_MAX];
    wlk_error error = {0};
    memset(name, 'n', 200);
    const char *path = make_file(name);
    (void)snprintf(undo, sizeof undo, "%s.undo", path);
    write_bytes(undo, old, BYTES);
    expect_refused("long", head_file_check_undo(path, &error), &error, "write.undo",
                   "with .undo behind it");
    assert_int_equal(remove(undo), 0);
    assert_int_equal(remove(path), 0);
}

/* What cannot be written and cannot be put back leaves the saved bytes. */
static void test_neither_forwards_nor_back(void **state) {
    (void)state;
    wlk_error error = {0};
    const char *path = make_file("readonly");
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    expect_refused("EBADF", head_file_replace(fd, path, old, now, BYTES, &error), &error,
                   "write.undo", "dd conv=notrunc");
    assert_int_equal(entries_of(scratch), 2);
    run_shown(&error);
    expect_head(path, old);
    assert_int_equal(entries_of(scratch), 1);
    (void)close(fd);
    assert_int_equal(remove(path), 0);
}

/* A link in the way of FILE.undo is not followed. */
static void test_undo_is_a_link(void **state) {
    (void)state;
    char undo[PATH_MAX];
    int fd;
    wlk_error error = {0};
    const char *path = make_file("linked");
    (void)snprintf(undo, sizeof undo, "%s.undo", path);
    assert_int_equal(symlink("elsewhere", undo), 0);
    EXPECT_OK(head_file_open(path, &fd, &error));
    expect_refused("link", head_file_replace(fd, path, old, now, BYTES, &error), &error,
                   "write.undo", NULL);
    expect_refused("link", head_file_check_undo(path, &error), &error, "write.undo", NULL);
    expect_head(path, old);
    assert_int_equal(entries_of(scratch), 2);
    (void)close(fd);
    assert_int_equal(remove(undo), 0);
    assert_int_equal(remove(path), 0);
}

/* ---- what is no regular file */

static void test_other_kinds_of_files(void **state) {
    (void)state;
    assert_int_equal(mkfifo(in_scratch("fifo"), 0600), 0);
    assert_int_equal(symlink("real", in_scratch("link")), 0);
    make_socket(in_scratch("socket"));
    (void)make_file("real");
    const struct {
        const char *path;
        const char *rule;
    } rows[] = {
        {scratch, "write.target"},
        {"/dev/null", "write.target"},
        {in_scratch("fifo"), "write.target"},
        {in_scratch("link"), "write.target"},
        {in_scratch("socket"), "write.target"},
        {in_scratch("missing"), "gate.open"},
        {in_scratch("real/below"), "gate.open"},
        {"", "gate.open"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd;
        wlk_error error = {0};
        expect_refused(rows[i].path, head_file_open(rows[i].path, &fd, &error), &error,
                       rows[i].rule, NULL);
        assert_int_equal(fd, -1);
    }
    expect_head(in_scratch("real"), old);
}

static int setup(void **state) {
    for (uint32_t i = 0; i < BYTES; i++) {
        old[i] = (uint8_t)(i * 7);
        now[i] = (uint8_t)(i * 11 + 1);
    }
    return scratch_make(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_plain_name),
        cmocka_unit_test(test_somebody_else_changed_it),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_neither_forwards_nor_back),
        cmocka_unit_test(test_undo_is_a_link),
        cmocka_unit_test(test_other_kinds_of_files),
    };
    return cmocka_run_group_tests(tests, setup, scratch_remove);
}
