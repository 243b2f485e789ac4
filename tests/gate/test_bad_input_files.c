/* What stands where an artifact should: no file, no regular file, one that is too large,
 * or that cannot be read. Each row says the rule, the offset, and that nothing is left
 * behind (invariants 7 and 9). */
#include "gate/bad_artifact.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/memory.h"

static kit_file by_author;

/* ---- what stands where a file should */

static const char *missing(void) {
    return in_scratch("missing.wlk");
}

static const char *below_a_file(void) {
    write_bytes(in_scratch("file"), "x", 1);
    return in_scratch("file/model.wlk");
}

static const char *fifo(void) {
    const char *path = in_scratch("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

static const char *socket_file(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = in_scratch("socket");
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strnlen(path, sizeof address.sun_path - 1));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    return path;
}

static const char *folder(void) {
    const char *path = in_scratch("folder.wlk");
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static const char *link_to(const char *name, const char *target) {
    const char *path = in_scratch(name);
    assert_int_equal(symlink(target, path), 0);
    return path;
}

static const char *link_to_itself(void) {
    return link_to("loop", "loop");
}

static const char *link_to_nothing(void) {
    return link_to("dangling", "nothing");
}

static const char *link_to_a_device(void) {
    return link_to("device", "/dev/zero");
}

static const char *with_a_long_component(void) {
    static char name[300];
    memset(name, 'n', sizeof name - 1);
    return in_scratch(name);
}

static const char *too_long(void) {
    static char path[PATH_MAX + 10];
    for (size_t i = 0; i + 2 < sizeof path; i += 2) memcpy(path + i, "./", 2);
    return path;
}

static const char *empty(void) {
    write_bytes(in_scratch("empty"), "", 0);
    return in_scratch("empty");
}

static const char *unreadable(void) {
    write_bytes(in_scratch("unreadable"), by_author.data, by_author.size);
    assert_int_equal(chmod(in_scratch("unreadable"), 0), 0);
    return in_scratch("unreadable");
}

static const char *in_a_closed_folder(void) {
    const char *path = in_scratch("closed");
    assert_int_equal(mkdir(path, 0700), 0);
    write_bytes(in_scratch("closed/model.wlk"), by_author.data, by_author.size);
    assert_int_equal(chmod(path, 0), 0);
    return in_scratch("closed/model.wlk");
}

static const char *too_large(void) {
    write_bytes(in_scratch("large"), by_author.data, by_author.size);
    assert_int_equal(truncate(in_scratch("large"), 65537), 0);
    return in_scratch("large");
}

static const char *sparse(void) {
    write_bytes(in_scratch("sparse"), "", 0);
    assert_int_equal(truncate(in_scratch("sparse"), (off_t)1 << 42), 0);
    return in_scratch("sparse");
}

typedef struct path_row {
    const char *name;
    const char *(*make)(void);
    const char *path; /* where there is nothing to be made */
    const char *want, *text;
    bool ordinary; /* root may */
} path_row;

static const path_row paths[] = {
    {"missing", missing, NULL, "gate.open", "No such file or directory", false},
    {"no name at all", NULL, "", "gate.open", "No such file or directory", false},
    {"below a file", below_a_file, NULL, "gate.open", "Not a directory", false},
    {"a FIFO without a writer", fifo, NULL, "gate.not-regular", "fifo", false},
    {"a socket", socket_file, NULL, "gate.not-regular", "socket", false},
    {"a folder", folder, NULL, "gate.not-regular", "folder.wlk", false},
    {"the root folder", NULL, "/", "gate.not-regular", "/", false},
    {"/dev/zero", NULL, "/dev/zero", "gate.not-regular", "/dev/zero", false},
    {"/dev/full", NULL, "/dev/full", "gate.not-regular", "/dev/full", false},
    {"/dev/null", NULL, "/dev/null", "gate.not-regular", "/dev/null", false},
    {"a link to itself", link_to_itself, NULL, "gate.open", "symbolic links", false},
    {"a link to nothing", link_to_nothing, NULL, "gate.open", "No such file", false},
    {"a link to a device", link_to_a_device, NULL, "gate.not-regular", "device", false},
    {"a component of 299 bytes", with_a_long_component, NULL, "gate.open", "too long", false},
    {"a path of 4105 bytes", too_long, NULL, "gate.open", NULL, false},
    {"an empty file", empty, NULL, "format.empty@0", NULL, false},
    {"a file of /proc", NULL, "/proc/self/maps", "format.empty@0", NULL, false},
    {"the memory of a process", NULL, "/proc/self/mem", "format.empty@0", NULL, false},
    {"a descriptor's name of a folder", NULL, "/proc/self/fd", "gate.not-regular", NULL, false},
    {"larger than the limit", too_large, NULL, "limit.file-bytes@65536", NULL, false},
    {"of 4 TiB", sparse, NULL, "limit.file-bytes@65536", NULL, false},
    {"unreadable", unreadable, NULL, "gate.open", "Permission denied", true},
    {"in a closed folder", in_a_closed_folder, NULL, "gate.open", "Permission denied", true},
};

static bool path_passes(const path_row *row) {
    if (row->ordinary && geteuid() == 0) return true;
    const char *path = row->make ? row->make() : row->path;
    wlk_load_options options = kit_options(REAL_CHILD);
    options.policy.limits.file_bytes = 65536;
    return artifact_row(row->name, &options, path, -1, row->want, row->text);
}

static void test_what_stands_where_a_file_should(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) all &= path_passes(&paths[i]);
    (void)chmod(in_scratch("closed"), 0700); /* so that it can be removed */
    assert_true(all);
}

/* ---- descriptors that are no files */

static int descriptor_of_path(int flags) {
    const char *path = in_scratch("model.wlk");
    write_bytes(path, by_author.data, by_author.size);
    return open(path, flags | O_CLOEXEC);
}

static int one_end_of_a_pipe(void) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[1]);
    return ends[0];
}

/* Sealed, and larger than any address space: so not even copied. */
static int immense_memfd(void) {
    const int fd = memfd_create("immense", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, (off_t)1 << 60), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, ALL_SEALS), 0);
    return fd;
}

static int empty_memfd(void) {
    return memfd_create("empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static void test_descriptors_that_are_no_files(void **state) {
    (void)state;
    const struct {
        const char *name, *want;
        int fd;
    } rows[] = {
        {"none", "gate.read", -1},
        {"never opened", "gate.read", 1 << 20},
        {"only for writing", "gate.read", descriptor_of_path(O_WRONLY)},
        {"only a path", "gate.read", descriptor_of_path(O_PATH)},
        {"a folder", "gate.not-regular", open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)},
        {"a pipe", "gate.not-regular", one_end_of_a_pipe()},
        {"a socket", "gate.not-regular", socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)},
        {"an event", "gate.not-regular", eventfd(0, EFD_CLOEXEC)},
        {"an epoll", "gate.not-regular", epoll_create1(EPOLL_CLOEXEC)},
        {"a device", "gate.not-regular", open("/dev/zero", O_RDONLY | O_CLOEXEC)},
        {"an empty memfd", "format.empty@0", empty_memfd()},
        {"a memfd larger than memory", "gate.memory|load.lazy-format@0", immense_memfd()},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        options.policy.limits.file_bytes = options.policy.limits.snapshot_bytes = UINT64_MAX;
        all &= artifact_row(rows[i].name, &options, NULL, rows[i].fd, rows[i].want, NULL);
        if (i >= 2) (void)close(rows[i].fd);
    }
    assert_true(all);
}

/* ---- no room for the copy */

/* Less than the head of a file, which is all that a lazy load copies. */
#define TOO_LITTLE 4000

/* The copy may not grow: as where a container's limit holds. */
static int load_where_files_may_not_grow(void) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    const struct rlimit limit = {TOO_LITTLE, TOO_LITTLE};
    write_bytes(in_scratch("model.wlk"), by_author.data, by_author.size);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2; /* SIGXFSZ would end the process */
    return !artifact_row("files may not grow", &options, in_scratch("model.wlk"), -1,
                         "gate.file-limit", "4000 allowed");
}

static void test_no_room_for_the_copy(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    const int fd = kit_memfd(&by_author, 0);
    options.policy.limits.snapshot_bytes = TOO_LITTLE;
    assert_true(
        artifact_row("snapshot_bytes", &options, NULL, fd, "limit.snapshot-bytes@4000", NULL));
    (void)close(fd);
    assert_int_equal(kit_in_process(load_where_files_may_not_grow), 0);
}

/* ---- what the rows of all these tests rest on */

static bool is_noticed(const leftovers *before, const char *what) {
    const char *left = leftovers_since(before);
    return left && strstr(left, what);
}

static void test_each_kind_of_leftover_is_noticed(void **state) {
    (void)state;
    const leftovers before = leftovers_before(scratch);
    assert_null(leftovers_since(&before));
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(is_noticed(&before, "descriptor"));
    (void)close(fd);
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    assert_true(is_noticed(&before, "child"));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    void *memory = mem_alloc(1);
    assert_true(is_noticed(&before, "memory"));
    mem_free(memory);
    const int copy = memfd_create("weighlock", MFD_CLOEXEC);
    assert_int_equal(ftruncate(copy, 4096), 0);
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, copy, 0);
    (void)close(copy);
    assert_true(is_noticed(&before, "mapping"));
    assert_int_equal(munmap(mapped, 4096), 0);
    write_bytes(in_scratch("left"), "", 0);
    assert_true(is_noticed(&before, "files"));
    assert_int_equal(unlink(in_scratch("left")), 0);
    assert_null(leftovers_since(&before));
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_setup(state) != 0) return 1;
    by_author = kit_signed(0);
    return 0;
}

static int teardown(void **state) {
    wlk_free(by_author.data);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind_of_leftover_is_noticed),
        cmocka_unit_test(test_what_stands_where_a_file_should),
        cmocka_unit_test(test_descriptors_that_are_no_files),
        cmocka_unit_test(test_no_room_for_the_copy),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
