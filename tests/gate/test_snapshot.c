/* Invariant 1: what is hashed and used is a private copy that nobody can change,
 * taken once from a descriptor that was opened once. */
#include "support/gate_kit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "gate/snapshot.h"

#define LIMIT (64u << 20)

static const char text[] = "the bytes of an artifact";
static const kit_file text_file = {(uint8_t *)(uintptr_t)text, sizeof text};

static const char *text_path(void) {
    const char *path = in_scratch("artifact");
    write_bytes(path, text, sizeof text);
    return path;
}

static ino_t inode_of(int fd) {
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return status.st_ino;
}

/* ---- the copy */

static void test_copy_is_sealed(void **state) {
    (void)state;
    const int fd = open(text_path(), O_RDWR | O_CLOEXEC);
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    EXPECT_OK(snapshot_take(fd, LIMIT, &s, &error));
    assert_int_equal(s.size, sizeof text);
    assert_memory_equal(s.data, text, sizeof text);
    assert_int_equal(fcntl(s.fd, F_GET_SEALS) & ALL_SEALS, ALL_SEALS);
    assert_int_equal(fcntl(s.fd, F_GETFD), FD_CLOEXEC);
    /* Writing to the file, or to the copy, changes nothing. */
    assert_int_equal(pwrite(fd, "X", 1, 0), 1);
    assert_int_equal(ftruncate(fd, 1), 0);
    assert_int_equal(pwrite(s.fd, "X", 1, 0), -1);
    assert_int_equal(ftruncate(s.fd, 1), -1);
    assert_int_equal(fallocate(s.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1), -1);
    assert_memory_equal(s.data, text, sizeof text);
    snapshot_drop(&s);
    (void)close(fd);
}

/* Large files are copied in two ways: what huge pages hold, and the rest. */
static void test_large_copies(void **state) {
    (void)state;
    static const size_t sizes[] = {(2u << 20) - 1, 2u << 20, (2u << 20) + 1, (5u << 20) + 4097};
    uint8_t *bytes = malloc(6u << 20);
    assert_non_null(bytes);
    for (size_t i = 0; i < 6u << 20; i++) bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *path = in_scratch("large");
        snapshot s = SNAPSHOT_NONE;
        wlk_error error;
        write_bytes(path, bytes, sizes[i]);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        EXPECT_OK(snapshot_take(fd, LIMIT, &s, &error));
        assert_int_equal(s.size, sizes[i]);
        assert_memory_equal(s.data, bytes, sizes[i]);
        assert_int_equal(fcntl(s.fd, F_GET_SEALS) & ALL_SEALS, ALL_SEALS);
        assert_int_equal(lseek(s.fd, 0, SEEK_END), (off_t)sizes[i]);
        snapshot_drop(&s);
        (void)close(fd);
    }
    free(bytes);
}

static void test_copy_starts_at_the_files_start(void **state) {
    (void)state;
    const int fd = open(text_path(), O_RDONLY | O_CLOEXEC);
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    assert_int_equal(lseek(fd, 9, SEEK_SET), 9);
    EXPECT_OK(snapshot_take(fd, LIMIT, &s, &error));
    assert_memory_equal(s.data, text, sizeof text);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 9); /* and the caller's place is left alone */
    snapshot_drop(&s);
    (void)close(fd);
}

static void test_a_sealed_memfd_is_taken_as_it_is(void **state) {
    (void)state;
    static const struct {
        int seals;
        bool kept;
    } rows[] = {
        {ALL_SEALS, true},
        {ALL_SEALS | F_SEAL_SEAL, true},
        {0, false},
        {F_SEAL_WRITE | F_SEAL_GROW, false},
        {F_SEAL_WRITE | F_SEAL_SHRINK, false},
        {F_SEAL_GROW | F_SEAL_SHRINK, false},
        {F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE, false}, /* old mappings still write */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int fd = kit_memfd(&text_file, rows[i].seals);
        snapshot s = SNAPSHOT_NONE;
        wlk_error error;
        EXPECT_OK(snapshot_take(fd, LIMIT, &s, &error));
        assert_int_equal(inode_of(s.fd) == inode_of(fd), rows[i].kept);
        assert_memory_equal(s.data, text, sizeof text);
        assert_int_equal(fcntl(s.fd, F_GET_SEALS) & ALL_SEALS, ALL_SEALS);
        snapshot_drop(&s);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* the caller's is still open */
        (void)close(fd);
    }
}

/* ---- what is no artifact */

static void expect_no_snapshot(const char *path, uint64_t limit, const char *rule,
                               const char *said) {
    const unsigned before = kit_descriptors();
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    int fd = -1;
    wlk_status status = snapshot_open_path(path, &fd, &error);
    if (status == WLK_OK) status = snapshot_take(fd, limit, &s, &error);
    expect_refused(path, status, &error, rule, said);
    assert_true(s.fd < 0 && s.data == NULL);
    if (fd >= 0) (void)close(fd);
    assert_int_equal(kit_descriptors(), before);
}

static const char *a_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", in_scratch("socket"));
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    return in_scratch("socket");
}

static void test_what_is_not_a_regular_file(void **state) {
    (void)state;
    const char *fifo = in_scratch("fifo"), *link = in_scratch("link"), *empty = in_scratch("empty");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink(fifo, link), 0);
    write_bytes(empty, "", 0);
    expect_no_snapshot(in_scratch("nothing"), LIMIT, "gate.open", strerror(ENOENT));
    expect_no_snapshot("", LIMIT, "gate.open", strerror(ENOENT));
    /* and opening it does not wait */
    expect_no_snapshot(fifo, LIMIT, "gate.not-regular", "a FIFO");
    expect_no_snapshot(link, LIMIT, "gate.not-regular", "a FIFO");
    expect_no_snapshot(scratch, LIMIT, "gate.not-regular", "a directory");
    expect_no_snapshot("/dev/zero", LIMIT, "gate.not-regular", "a device");
    expect_no_snapshot(a_socket(), LIMIT, "gate.not-regular", "a special file");
    expect_no_snapshot(empty, LIMIT, "format.empty", "");
    /* of size 0, but not empty */
    expect_no_snapshot("/proc/self/maps", LIMIT, "format.empty", "");
}

static void test_descriptors_that_cannot_be_read(void **state) {
    (void)state;
    const char *path = text_path();
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const struct {
        int fd;
        const char *rule;
    } rows[] = {
        {open(path, O_WRONLY | O_CLOEXEC), "gate.read"},
        {open(path, O_PATH | O_CLOEXEC), "gate.read"},
        {ends[0], "gate.not-regular"},
        {-1, "gate.read"},
        {1 << 20, "gate.read"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snapshot s = SNAPSHOT_NONE;
        wlk_error error;
        const wlk_status status = snapshot_take(rows[i].fd, LIMIT, &s, &error);
        expect_refused("descriptor", status, &error, rows[i].rule, NULL);
        if (i < 3) (void)close(rows[i].fd);
    }
    (void)close(ends[1]);
}

/* Invariant 7: the size is held against the limit before anything is copied. */
static void test_limit_on_both_sides(void **state) {
    (void)state;
    const char *path = text_path(), *sparse = in_scratch("sparse");
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    EXPECT_OK(snapshot_take(fd, sizeof text, &s, &error));
    snapshot_drop(&s);
    (void)close(fd);
    expect_no_snapshot(path, sizeof text - 1, "limit.snapshot-bytes", "");
    write_bytes(sparse, "", 0);
    assert_int_equal(truncate(sparse, (off_t)1 << 40), 0); /* takes no room, and no time */
    expect_no_snapshot(sparse, LIMIT, "limit.snapshot-bytes", "");
}

/* What is opened at all has a limit of its own. */
static void test_size_on_both_sides(void **state) {
    (void)state;
    const int fd = open(text_path(), O_RDONLY | O_CLOEXEC);
    uint64_t size;
    wlk_error error;
    EXPECT_OK(snapshot_measure(fd, sizeof text, &size, &error));
    assert_int_equal(size, sizeof text);
    const wlk_status status = snapshot_measure(fd, sizeof text - 1, &size, &error);
    expect_refused("measure", status, &error, "limit.file-bytes", NULL);
    assert_int_equal(error.offset, sizeof text - 1);
    (void)close(fd);
}

/* ---- the first part of a file */

static void test_a_head_is_sealed_like_a_whole(void **state) {
    (void)state;
    const int fd = open(text_path(), O_RDWR | O_CLOEXEC);
    for (uint64_t length = 1; length <= sizeof text; length++) {
        snapshot s = SNAPSHOT_NONE;
        wlk_error error;
        EXPECT_OK(snapshot_take_head(fd, length, &s, &error));
        assert_int_equal(s.size, length);
        assert_memory_equal(s.data, text, length);
        assert_int_equal(fcntl(s.fd, F_GET_SEALS) & ALL_SEALS, ALL_SEALS);
        snapshot_drop(&s);
    }
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    const wlk_status status = snapshot_take_head(fd, sizeof text + 1, &s, &error);
    expect_refused("longer than the file", status, &error, "gate.changed", NULL);
    assert_int_equal(error.offset, sizeof text);
    (void)close(fd);
}

/* ---- a process that may not make large files: a write beyond the limit would be a
 * signal, which ends whoever does not expect it */

static int take_with_file_limit(rlim_t most, const char *rule) {
    const struct rlimit limit = {most, RLIM_INFINITY};
    const unsigned before = kit_descriptors();
    const int fd = open(in_scratch("artifact"), O_RDONLY | O_CLOEXEC);
    snapshot s = SNAPSHOT_NONE;
    wlk_error error = {0};
    if (fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) return 9;
    const wlk_status status = snapshot_take(fd, LIMIT, &s, &error);
    snapshot_drop(&s);
    (void)close(fd);
    if (kit_descriptors() != before) return 2;
    return strcmp(status == WLK_OK ? "" : wlk_rule_name(error.rule), rule) == 0 ? 0 : 1;
}

static int file_limit_below(void) {
    return take_with_file_limit(sizeof text - 1, "gate.file-limit");
}

static int file_limit_nothing(void) {
    return take_with_file_limit(0, "gate.file-limit");
}

static int file_limit_exact(void) {
    return take_with_file_limit(sizeof text, "");
}

static void test_a_limit_of_the_process_is_no_signal(void **state) {
    (void)state;
    (void)text_path();
    assert_int_equal(kit_in_process(file_limit_below), 0);
    assert_int_equal(kit_in_process(file_limit_nothing), 0);
    assert_int_equal(kit_in_process(file_limit_exact), 0);
}

/* ---- a file that changes meanwhile */

typedef struct writer {
    int fd;
    atomic_bool stop;
} writer;

/* Lets the file grow and shrink between one and nine mebibytes. */
static void *resize(void *argument) {
    writer *w = argument;
    for (unsigned i = 0; !atomic_load(&w->stop); i++) {
        (void)!ftruncate(w->fd, (off_t)(1 + i % 9) << 20);
    }
    return NULL;
}

/* Each copy is whole and of one size, or the change was seen. */
static void test_a_file_that_grows_and_shrinks(void **state) {
    (void)state;
    writer w = {.fd = open(in_scratch("changing"), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    pthread_t thread;
    unsigned changes = 0;
    assert_int_equal(ftruncate(w.fd, 9 << 20), 0);
    assert_int_equal(pthread_create(&thread, NULL, resize, &w), 0);
    const double end = kit_seconds() + 5;
    for (unsigned i = 0; (i < 200 || changes == 0) && kit_seconds() < end; i++) {
        snapshot s = SNAPSHOT_NONE;
        wlk_error error;
        const wlk_status status = snapshot_take(w.fd, LIMIT, &s, &error);
        if (status != WLK_OK) {
            expect_refused("changing file", status, &error, "gate.changed", NULL);
            changes++;
            continue;
        }
        assert_int_equal(s.size % (1 << 20), 0);
        assert_int_equal(s.data[s.size - 1], 0); /* a SIGBUS if the size were not true */
        snapshot_drop(&s);
    }
    atomic_store(&w.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(w.fd);
    assert_true(changes > 0);
}

/* ---- a file that changes at a moment of somebody else's choice */

/* Takes a snapshot and reads all of it; for another process. Exit codes: 0 it is
 * whole, 1 the change was seen, 2 anything else. */
static int take_and_read(int fd) {
    snapshot s = SNAPSHOT_NONE;
    wlk_error error;
    if (snapshot_take(fd, LIMIT, &s, &error) == WLK_OK) {
        unsigned sum = 0;
        for (uint64_t i = 0; i < s.size; i++) sum += s.data[i];
        return sum == 0 ? 0 : 2;
    }
    return strcmp(wlk_rule_name(error.rule), "gate.changed") == 0 ? 1 : 2;
}

static void grow(int fd) {
    (void)!ftruncate(fd, 3 << 16);
}

static void shrink(int fd) {
    (void)!ftruncate(fd, 1);
}

static void shrink_and_seal(int fd) {
    shrink(fd);
    (void)fcntl(fd, F_ADD_SEALS, ALL_SEALS);
}

/* Lets a process take a snapshot of a memfd, and changes the memfd when it stops
 * for the `when`th time before or after a system call. Returns take_and_read's
 * answer, -1 if there is no such stop. */
static int take_while(void (*change)(int fd), unsigned when) {
    const int fd = memfd_create("changing", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int status;
    assert_int_equal(ftruncate(fd, 2 << 16), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        kit_crash_as_usual();
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(take_and_read(fd));
    }
    bool changed = false;
    for (unsigned stop = 0; waitpid(pid, &status, 0) == pid && WIFSTOPPED(status); stop++) {
        if (stop == when) {
            change(fd);
            changed = true;
        }
        const long pass_on = WSTOPSIG(status) == SIGBUS ? SIGBUS : 0;
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)pass_on);
    }
    (void)close(fd);
    if (WIFSIGNALED(status)) fail_msg("signal %d, stop %u", WTERMSIG(status), when);
    return changed ? WEXITSTATUS(status) : -1;
}

static void expect_whole_or_seen(void (*change)(int fd)) {
    unsigned seen = 0, stops = 0;
    for (int answer; (answer = take_while(change, stops)) >= 0; stops++) {
        if (answer > 1) fail_msg("answer %d at stop %u", answer, stops);
        seen += answer == 1;
    }
    assert_true(stops >= 10 && seen >= 2 && seen < stops);
}

static void test_a_change_at_every_system_call(void **state) {
    (void)state;
    expect_whole_or_seen(grow);
    expect_whole_or_seen(shrink);
    expect_whole_or_seen(shrink_and_seal);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_is_sealed),
        cmocka_unit_test(test_large_copies),
        cmocka_unit_test(test_copy_starts_at_the_files_start),
        cmocka_unit_test(test_a_sealed_memfd_is_taken_as_it_is),
        cmocka_unit_test(test_what_is_not_a_regular_file),
        cmocka_unit_test(test_descriptors_that_cannot_be_read),
        cmocka_unit_test(test_limit_on_both_sides),
        cmocka_unit_test(test_size_on_both_sides),
        cmocka_unit_test(test_a_head_is_sealed_like_a_whole),
        cmocka_unit_test(test_a_limit_of_the_process_is_no_signal),
        cmocka_unit_test(test_a_file_that_grows_and_shrinks),
        cmocka_unit_test(test_a_change_at_every_system_call),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

int main(void) {
    return kit_run(group, (const char *const[]){NULL});
}
