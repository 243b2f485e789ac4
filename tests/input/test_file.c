#include "support/scratch.h"

#include <sys/socket.h>

#include "input/file.h"

static int make_files(void **state) {
    if (scratch_make(state) != 0) return -1;
    if (mkdir(in_scratch("sub"), 0700) != 0 || mkdir(in_scratch("outside"), 0700) != 0) return -1;
    write_bytes(in_scratch("a.npy"), "0123456789", 10);
    write_bytes(in_scratch("empty"), "", 0);
    write_bytes(in_scratch("sub/b.npy"), "b", 1);
    write_bytes(in_scratch("sub/..c"), "c", 1);
    return symlink("a.npy", in_scratch("link")) != 0 || mkfifo(in_scratch("fifo"), 0600) != 0;
}

static void test_reads_files(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *content;
    } rows[] = {{"a.npy", "0123456789"}, {"empty", ""}, {"sub/b.npy", "b"}, {"link", "0123456789"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_file file;
        wlk_error error = {0};
        EXPECT_OK(input_file_read(in_scratch(rows[i].name), 100, &file, &error));
        assert_non_null(file.data);
        assert_int_equal(file.size, strlen(rows[i].content));
        assert_memory_equal(file.data, rows[i].content, file.size);
        input_file_free(&file);
        EXPECT_OK(input_file_read_below(scratch, rows[i].name, 100, &file, &error));
        assert_int_equal(file.size, strlen(rows[i].content));
        input_file_free(&file);
    }
}

/* Invariant 7: one byte more than the limit is refused, whatever the file says
 * about its size. */
static void test_limit(void **state) {
    (void)state;
    input_file file;
    wlk_error error = {0};
    EXPECT_OK(input_file_read(in_scratch("a.npy"), 10, &file, &error));
    input_file_free(&file);
    expect_refused("file", input_file_read(in_scratch("a.npy"), 9, &file, &error), &error,
                   "input.size", "a.npy");
    assert_null(file.data);
    expect_refused("endless", input_file_read("/dev/zero", 100000, &file, &error), &error,
                   "input.size", "/dev/zero");
}

static void test_reads_pipes(void **state) {
    (void)state;
    int ends[2];
    char path[64];
    input_file file;
    wlk_error error = {0};
    static uint8_t bytes[60000];
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, sizeof bytes), (ssize_t)sizeof bytes);
    (void)close(ends[1]);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    EXPECT_OK(input_file_read(path, 1 << 20, &file, &error));
    assert_int_equal(file.size, sizeof bytes);
    assert_memory_equal(file.data, bytes, sizeof bytes);
    input_file_free(&file);
    (void)close(ends[0]);
}

static void test_reads_standard_input(void **state) {
    (void)state;
    const int kept = dup(STDIN_FILENO), fd = open(in_scratch("a.npy"), O_RDONLY);
    input_file file;
    wlk_error error = {0};
    assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    EXPECT_OK(input_file_read("-", 100, &file, &error));
    assert_int_equal(file.size, 10);
    input_file_free(&file);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* it is still open */
    if (kept >= 0) (void)dup2(kept, STDIN_FILENO);
    if (kept >= 0) (void)close(kept);
    (void)close(fd);
}

static void test_what_cannot_be_read(void **state) {
    (void)state;
    static const char *const names[] = {"none", "sub", "sub/b.npy/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        input_file file;
        wlk_error error = {0};
        const wlk_status status = input_file_read(in_scratch(names[i]), 100, &file, &error);
        expect_refused(names[i], status, &error, "input.read", names[i]);
        assert_int_equal(status, WLK_SYSTEM);
    }
}

/* A specification names files of its own folder only. */
static void test_names_below_a_folder(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *rule;
    } rows[] = {
        {"", "input.name"},
        {".", "input.name"},
        {"..", "input.name"},
        {"../x", "input.name"},
        {"sub/../a.npy", "input.name"},
        {"sub/..", "input.name"},
        {"./a.npy", "input.name"},
        {"sub//b.npy", "input.name"},
        {"/etc/passwd", "input.name"},
        {"sub/", "input.name"},
        {"/", "input.name"},
        {"sub\\b.npy", "input.name"},
        {"a.npy\n", "input.name"},
        {"\x7f", "input.name"},
        {"sub", "input.name"},
        {"fifo", "input.name"},
        {"none.npy", "input.read"},
        {"a.npy/x", "input.read"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_file file;
        wlk_error error = {0};
        const wlk_status status = input_file_read_below(scratch, rows[i].name, 100, &file, &error);
        expect_refused(rows[i].name, status, &error, rows[i].rule, NULL);
        assert_null(file.data);
    }
    input_file file;
    wlk_error error = {0};
    EXPECT_OK(input_file_read_below(in_scratch("sub"), "..c", 100, &file, &error));
    input_file_free(&file);
}

static void test_folders(void **state) {
    (void)state;
    static const struct {
        const char *path;
        const char *folder;
    } rows[] = {
        {"spec.json", "."}, {"a/spec.json", "a"}, {"/spec.json", "/"}, {"/a/b/c.json", "/a/b"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *folder = input_folder_of(rows[i].path);
        assert_string_equal(folder, rows[i].folder);
        free(folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_files),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_reads_pipes),
        cmocka_unit_test(test_reads_standard_input),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_names_below_a_folder),
        cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, make_files, scratch_remove);
}
