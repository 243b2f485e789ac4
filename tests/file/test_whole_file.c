/* Files that appear whole or not at all. Each test goes both ways: that of a file without
 * a name, and that of one with a hidden name. */
#include "support/scratch.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "file/whole_file.h"

#define ORDINARY_USER 1234

/* The path that a test writes to; there is one at a time. */
static const char *its_path(const char *name) {
    static char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

static whole_place place_of(const char *path, int named) {
    return (whole_place){.folder = AT_FDCWD,
                         .path = path,
                         .failed = RULE_WRITE_FAILED,
                         .mode = 0666,
                         .named = named != 0};
}

/* What must not be there before. */
static whole_place new_place_of(const char *path, int named) {
    whole_place place = place_of(path, named);
    place.exists = RULE_TRUST_KEY_EXISTS;
    return place;
}

static wlk_status put(const whole_place *place, const char *text, wlk_error *error) {
    return whole_file_put(place, text, strlen(text), error);
}

static void expect_text(const char *path, const char *want) {
    size_t length;
    uint8_t *text = read_bytes(path, &length);
    assert_string_equal((const char *)text, want);
    free(text);
}

static void write_text(const char *path, const char *text) {
    write_bytes(path, text, strlen(text));
}

static bool exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

static mode_t mode_of(const char *path) {
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static void remove_one(const char *path) {
    assert_int_equal(remove(path), 0);
}

/* Is there such a thing as a file without a name, where the tests write? */
static bool nameless_here(void) {
    const int fd = open(scratch, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) (void)close(fd);
    return fd >= 0;
}

/* ---- what is put */

static void test_new(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("new");
        const whole_place place = new_place_of(path, named);
        wlk_error error = {0};
        EXPECT_OK(put(&place, "first", &error));
        expect_refused("again", put(&place, "second", &error), &error, "trust.key-exists", path);
        expect_text(path, "first");
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

/* With another inode: whoever reads the old one reads all of it. */
static void test_replaced(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("replaced");
        const whole_place place = place_of(path, named);
        char old[32] = "";
        wlk_error error = {0};
        EXPECT_OK(put(&place, "old and longer", &error));
        const int held = open(path, O_RDONLY | O_CLOEXEC);
        EXPECT_OK(put(&place, "new", &error));
        expect_text(path, "new");
        assert_int_equal(read(held, old, sizeof old), 14);
        assert_int_equal(close(held), 0);
        EXPECT_OK(put(&place, "", &error));
        expect_text(path, "");
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

/* A new file heeds the umask; one that replaces another has that one's mode. */
static const struct {
    const char *name;
    mode_t before; /* 0: there is none */
    mode_t mode, mask, denied, want;
} modes[] = {
    {"new", 0, 0666, 022, 0, 0644},
    {"new, a strict umask", 0, 0666, 077, 0, 0600},
    {"new, for all", 0, 0666, 0, 0, 0666},
    {"new, secret", 0, 0600, 0, 0, 0600},
    {"replaced, secret", 0600, 0666, 022, 0, 0600},
    {"replaced, wider than the umask", 0664, 0600, 077, 0, 0664},
    {"replaced, less what is denied", 0666, 0666, 0, S_IWGRP | S_IWOTH, 0644},
    {"replaced, read-only", 0444, 0666, 022, 0, 0444},
    {"replaced, set-user-ID", 04755, 0666, 022, 0, 0755},
};

static void test_modes(void **state) {
    (void)state;
    const mode_t umask_before = umask(0);
    for (int named = 0; named < 2; named++) {
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
            const char *path = its_path("mode");
            whole_place place = place_of(path, named);
            wlk_error error = {0};
            if (modes[i].before) {
                write_text(path, "old");
                assert_int_equal(chmod(path, modes[i].before), 0);
            }
            place.mode = modes[i].mode;
            place.denied = modes[i].denied;
            (void)umask(modes[i].mask);
            EXPECT_OK(put(&place, "new", &error));
            if (mode_of(path) != modes[i].want) fail_msg("%s: %o", modes[i].name, mode_of(path));
            remove_one(path);
        }
    }
    (void)umask(umask_before);
}

/* What replaces a secret is at no time open to others, under whatever name. */
static void test_nobody_reads_what_will_be_secret(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("secret");
        const whole_place place = place_of(path, named);
        struct stat status;
        whole_file file;
        wlk_error error = {0};
        write_text(path, "old");
        assert_int_equal(chmod(path, 0600), 0);
        EXPECT_OK(whole_file_open(&place, &file, &error));
        assert_int_equal(fstat(file.fd, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        whole_file_close(&file);
        remove_one(path);
    }
}

/* ---- where it goes */

typedef enum thing { DANGLING, LINK, LOOP, FOLDER, PIPE, SOCKET, THINGS } thing;

static void make_thing(thing what, const char *path) {
    int made = 0;
    if (what == DANGLING) made = symlink("elsewhere", path);
    if (what == LINK) made = symlink("target", path);
    if (what == LOOP) made = symlink("there", path);
    if (what == FOLDER) made = mkdir(path, 0755);
    if (what == PIPE) made = mkfifo(path, 0644);
    if (what == SOCKET) make_socket(path);
    assert_int_equal(made, 0);
}

/* No link, device or folder decides where something is written, whether it was there at
 * the beginning or came while the file was written. */
static void things_in_its_place(const whole_place *place, bool before, const char *rule) {
    for (thing what = 0; what < THINGS; what++) {
        whole_file file = WHOLE_FILE_NONE;
        wlk_error error = {0};
        if (before) make_thing(what, place->path);
        wlk_status status = whole_file_open(place, &file, &error);
        if (!before) {
            EXPECT_OK(status);
            make_thing(what, place->path);
            status = whole_file_commit(&file, &error);
        }
        expect_refused("thing", status, &error, rule, place->path);
        whole_file_close(&file);
        assert_false(exists(in_scratch("elsewhere")));
        expect_text(in_scratch("target"), "untouched");
        assert_int_equal(entries_of(scratch), 2);
        remove_one(place->path);
    }
}

static void test_something_else_in_its_place(void **state) {
    (void)state;
    const char *path = its_path("there");
    write_text(in_scratch("target"), "untouched");
    for (int named = 0; named < 2; named++) {
        const whole_place place = place_of(path, named), new_place = new_place_of(path, named);
        for (int before = 0; before < 2; before++) {
            things_in_its_place(&place, before, "write.target");
            things_in_its_place(&new_place, before, "trust.key-exists");
        }
        const whole_place device = place_of("/dev/null", named);
        wlk_error error = {0};
        expect_refused("device", put(&device, "x", &error), &error, "write.target", "/dev/null");
    }
    remove_one(in_scratch("target"));
}

/* A file that came meanwhile is replaced, with its mode, or kept. */
static void test_a_file_comes_meanwhile(void **state) {
    (void)state;
    const char *path = its_path("meanwhile");
    for (int i = 0; i < 4; i++) {
        const bool is_new = i >= 2;
        const whole_place place = is_new ? new_place_of(path, i % 2) : place_of(path, i % 2);
        whole_file file;
        wlk_error error = {0};
        EXPECT_OK(whole_file_open(&place, &file, &error));
        EXPECT_OK(whole_file_write(&file, "mine", 4, &error));
        write_text(path, "theirs");
        assert_int_equal(chmod(path, 0640), 0);
        const wlk_status status = whole_file_commit(&file, &error);
        if (is_new) {
            expect_refused("kept", status, &error, "trust.key-exists", path);
        } else {
            expect_ok(status, &error);
        }
        whole_file_close(&file);
        expect_text(path, is_new ? "theirs" : "mine");
        assert_int_equal(mode_of(path), 0640);
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

static void test_the_old_file_goes_meanwhile(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("gone");
        const whole_place place = place_of(path, named);
        whole_file file;
        wlk_error error = {0};
        write_text(path, "old");
        EXPECT_OK(whole_file_open(&place, &file, &error));
        EXPECT_OK(whole_file_write(&file, "new", 3, &error));
        remove_one(path);
        EXPECT_OK(whole_file_commit(&file, &error));
        whole_file_close(&file);
        expect_text(path, "new");
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

/* Whatever gets the folder's name meanwhile, the file goes where it was begun. */
static void test_the_folder_is_found_once(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const whole_place place = place_of(its_path("folder/file"), named);
        whole_file file;
        wlk_error error = {0};
        assert_int_equal(mkdir(in_scratch("folder"), 0700), 0);
        assert_int_equal(mkdir(in_scratch("other"), 0700), 0);
        EXPECT_OK(whole_file_open(&place, &file, &error));
        EXPECT_OK(whole_file_write(&file, "new", 3, &error));
        assert_int_equal(rename(in_scratch("folder"), in_scratch("moved")), 0);
        assert_int_equal(symlink("other", in_scratch("folder")), 0);
        EXPECT_OK(whole_file_commit(&file, &error));
        whole_file_close(&file);
        expect_text(in_scratch("moved/file"), "new");
        assert_int_equal(entries_of(in_scratch("other")), 0);
        remove_one(in_scratch("moved/file"));
        remove_one(in_scratch("moved"));
        remove_one(in_scratch("other"));
        remove_one(in_scratch("folder"));
    }
}

/* A path may begin in an open folder; messages show another one. */
static void test_below_an_open_folder(void **state) {
    (void)state;
    const int folder = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    for (int named = 0; named < 2; named++) {
        whole_place place = new_place_of("below", named);
        wlk_error error = {0};
        place.folder = folder;
        place.shown = "as it is shown";
        EXPECT_OK(put(&place, "text", &error));
        expect_text(in_scratch("below"), "text");
        expect_refused("again", put(&place, "x", &error), &error, "trust.key-exists",
                       "as it is shown");
        remove_one(in_scratch("below"));
    }
    assert_int_equal(close(folder), 0);
}

static void test_paths(void **state) {
    (void)state;
    static char long_name[NAME_MAX + 2], long_path[PATH_MAX + 32];
    memset(long_name, 'n', NAME_MAX + 1);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[PATH_MAX] = '/';
    write_text(in_scratch("file"), "kept");
    const struct {
        const char *path, *why;
    } rows[] = {
        {in_scratch("no/such"), "No such file or directory"},
        {in_scratch("file/below"), "Not a directory"},
        {in_scratch("file/"), "Is a directory"},
        {in_scratch(""), "Is a directory"},
        {in_scratch(long_name), "File name too long"},
        {long_path, "File name too long"},
        {"/", "Is a directory"},
        {"", "No such file or directory"},
        {"/proc/self/cannot", ""},
    };
    for (int named = 0; named < 2; named++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            const whole_place place = place_of(rows[i].path, named);
            wlk_error error = {0};
            expect_refused(rows[i].why, put(&place, "x", &error), &error, "write.failed",
                           rows[i].why);
        }
    }
    assert_int_equal(entries_of(scratch), 1);
    expect_text(in_scratch("file"), "kept");
    remove_one(in_scratch("file"));
}

static void test_plain_name(void **state) {
    (void)state;
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch), 0);
    for (int named = 0; named < 2; named++) {
        const whole_place place = new_place_of("plain", named);
        wlk_error error = {0};
        EXPECT_OK(put(&place, "text", &error));
        expect_text(in_scratch("plain"), "text");
        remove_one("plain");
    }
    assert_int_equal(chdir(here), 0);
}

/* ---- what is not put */

/* How many there were. */
static int remove_hidden(void) {
    DIR *folder = opendir(scratch);
    int count = 0;
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strncmp(entry->d_name, ".weighlock-", 11) != 0) continue;
        remove_one(in_scratch(entry->d_name));
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* Until it has its name there is nothing to see of it, and afterwards nothing is left. */
static void test_abandoned(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("abandoned");
        const whole_place place = place_of(path, named);
        const int hidden = named || !nameless_here();
        whole_file file;
        wlk_error error = {0};
        write_text(path, "old");
        EXPECT_OK(whole_file_open(&place, &file, &error));
        EXPECT_OK(whole_file_write(&file, "new", 3, &error));
        assert_int_equal(entries_of(scratch), 1 + hidden);
        assert_int_equal(remove_hidden(), hidden);
        whole_file_close(&file);
        whole_file_close(&file);
        assert_int_equal(entries_of(scratch), 1);
        expect_text(path, "old");
        remove_one(path);
    }
}

/* What runs in a process of its own, and returns its exit code. */
typedef int process(const whole_place *place);

static pid_t start(process *body, const whole_place *place) {
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(body(place));
    return pid;
}

static int end_of(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int run(process *body, const whole_place *place) {
    const int status = end_of(start(body, place));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* 0: refused for that reason. */
static int put_fails(const whole_place *place, const char *why) {
    wlk_error error = {0};
    const wlk_status status = put(place, "a text of twenty-six bytes", &error);
    if (status != WLK_SYSTEM || error.rule != place->failed) return 1;
    return strstr(error.text, why) ? 0 : 2;
}

static int put_without_room(const whole_place *place) {
    const struct rlimit few = {10, 10};
    (void)signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &few) == 0 ? put_fails(place, "File too large") : 97;
}

/* As on a full disk: some of it was written. */
static void test_no_room(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = its_path("full");
        const whole_place place = place_of(path, named);
        assert_int_equal(run(put_without_room, &place), 0);
        assert_int_equal(entries_of(scratch), 0);
        write_text(path, "old");
        assert_int_equal(run(put_without_room, &place), 0);
        assert_int_equal(entries_of(scratch), 1);
        expect_text(path, "old");
        remove_one(path);
    }
}

static int become_ordinary(void) {
    if (geteuid() != 0) return 0;
    return setgroups(0, NULL) != 0 || setgid(ORDINARY_USER) != 0 || setuid(ORDINARY_USER) != 0;
}

static int put_where_one_may_not(const whole_place *place) {
    return become_ordinary() == 0 ? put_fails(place, "Permission denied") : 99;
}

static int put_as_ordinary_user(const whole_place *place) {
    wlk_error error = {0};
    if (become_ordinary() != 0) return 99;
    return put(place, "text", &error) == WLK_OK ? 0 : 1;
}

/* A folder of the ordinary user. */
static const char *make_folder(mode_t mode) {
    const char *folder = in_scratch("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    if (geteuid() == 0) assert_int_equal(chown(folder, ORDINARY_USER, ORDINARY_USER), 0);
    assert_int_equal(chmod(folder, mode), 0);
    return folder;
}

static void test_folders_that_may_not_be_written_to(void **state) {
    (void)state;
    static const mode_t closed[] = {0500, 0400, 0200, 0};
    for (int named = 0; named < 2; named++) {
        for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
            const char *folder = make_folder(closed[i]);
            const whole_place place = place_of(its_path("folder/file"), named);
            assert_int_equal(run(put_where_one_may_not, &place), 0);
            assert_int_equal(chmod(folder, 0700), 0);
            assert_int_equal(entries_of(folder), 0);
            remove_one(folder);
        }
    }
}

/* Nobody needs to list a folder in order to write into it. */
static void test_a_folder_that_may_not_be_listed(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *folder = make_folder(0300);
        const whole_place place = place_of(its_path("folder/file"), named);
        assert_int_equal(run(put_as_ordinary_user, &place), 0);
        assert_int_equal(run(put_as_ordinary_user, &place), 0);
        assert_int_equal(chmod(folder, 0700), 0);
        assert_int_equal(entries_of(folder), 1);
        expect_text(in_scratch("folder/file"), "text");
        remove_one(in_scratch("folder/file"));
        remove_one(folder);
    }
}

/* Who may not leave has /proc, and the same must come of it. */
static int put_without_proc(const whole_place *place) {
    wlk_error error = {0};
    if (chdir(scratch) != 0 || (geteuid() == 0 && chroot(".") != 0)) return 97;
    if (geteuid() == 0 && access("/proc", F_OK) == 0) return 98;
    return put(place, "first", &error) == WLK_OK && put(place, "second", &error) == WLK_OK ? 0 : 1;
}

static void test_without_proc(void **state) {
    (void)state;
    for (int named = 0; named < 2; named++) {
        const whole_place place = place_of("rootless", named);
        assert_int_equal(run(put_without_proc, &place), 0);
        expect_text(in_scratch("rootless"), "second");
        assert_int_equal(entries_of(scratch), 1);
        remove_one(in_scratch("rootless"));
    }
}

/* ---- killed */

#define PIECE (1u << 20)

static int told[2]; /* by the one that will be killed */

/* Tells when it has begun, and never ends. */
static int write_for_ever(const whole_place *place) {
    static uint8_t piece[PIECE];
    whole_file file;
    wlk_error error = {0};
    if (whole_file_open(place, &file, &error) != WLK_OK) return 1;
    for (int i = 0; i < 64; i++) {
        if (whole_file_write(&file, piece, sizeof piece, &error) != WLK_OK) return 2;
        if (i == 1 && write(told[1], "", 1) != 1) return 3;
    }
    for (;;) (void)pause();
}

static void kill_in_the_middle(const whole_place *place, int number) {
    char begun;
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    const pid_t pid = start(write_for_ever, place);
    assert_int_equal(close(told[1]), 0);
    assert_int_equal(read(told[0], &begun, 1), 1);
    assert_int_equal(close(told[0]), 0);
    assert_int_equal(kill(pid, number), 0);
    const int status = end_of(pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), number);
}

/* Only a file with a hidden name is left, where there are no others. */
static void test_killed_in_the_middle(void **state) {
    (void)state;
    static const int signals[] = {SIGKILL, SIGINT, SIGTERM};
    const char *path = its_path("killed");
    for (size_t i = 0; i < 2 * sizeof signals / sizeof *signals; i++) {
        const int named = i % 2;
        const whole_place place = place_of(path, named);
        const int hidden = named || !nameless_here();
        kill_in_the_middle(&place, signals[i / 2]);
        assert_int_equal(entries_of(scratch), hidden);
        assert_int_equal(remove_hidden(), hidden);
        write_text(path, "old");
        kill_in_the_middle(&place, signals[i / 2]);
        assert_int_equal(entries_of(scratch), 1 + hidden);
        expect_text(path, "old");
        assert_int_equal(remove_hidden(), hidden);
        remove_one(path);
    }
}

/* ---- several at once */

#define WRITERS 2
#define WHOLE 200000u /* bytes, all the same */
#define ROUNDS 40

static int put_rounds(const whole_place *place, int letter) {
    static uint8_t bytes[WHOLE];
    wlk_error error = {0};
    memset(bytes, letter, sizeof bytes);
    for (int i = 0; i < ROUNDS; i++) {
        if (whole_file_put(place, bytes, sizeof bytes, &error) != WLK_OK) return 1;
    }
    return 0;
}

static int put_many_a(const whole_place *place) {
    return put_rounds(place, 'a');
}

static int put_many_b(const whole_place *place) {
    return put_rounds(place, 'b');
}

static void expect_whole(const char *path) {
    size_t length;
    uint8_t *bytes = read_bytes(path, &length);
    assert_int_equal(length, WHOLE);
    assert_true(bytes[0] == 'a' || bytes[0] == 'b');
    for (size_t i = 1; i < WHOLE; i++) {
        if (bytes[i] != bytes[0]) fail_msg("%c at %zu, behind %c", bytes[i], i, bytes[0]);
    }
    free(bytes);
}

/* Whoever looks at any time sees one of the contents, and all of it. */
static void test_two_writers(void **state) {
    (void)state;
    const char *path = its_path("both");
    for (int i = 0; i < 3; i++) { /* either way, and one each */
        const whole_place a = place_of(path, i == 1), b = place_of(path, i != 0);
        assert_int_equal(put_rounds(&a, 'a'), 0);
        const pid_t writers[WRITERS] = {start(put_many_a, &a), start(put_many_b, &b)};
        siginfo_t ended = {0};
        while (ended.si_pid != writers[0]) {
            expect_whole(path);
            assert_int_equal(waitid(P_PID, (id_t)writers[0], &ended, WEXITED | WNOHANG | WNOWAIT),
                             0);
        }
        assert_int_equal(end_of(writers[0]), 0);
        assert_int_equal(end_of(writers[1]), 0);
        expect_whole(path);
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

static int gate_of_start[2];

/* 0: it was the one. */
static int put_once_told(const whole_place *place) {
    char go;
    wlk_error error = {0};
    if (read(gate_of_start[0], &go, 1) != 0) return 97;
    const wlk_status status = put(place, "one", &error);
    return status == WLK_OK ? 0 : error.rule == place->exists ? 1 : 2;
}

/* Of those who make a new file, one does. */
static void test_two_makers(void **state) {
    (void)state;
    const char *path = its_path("once");
    for (int round = 0; round < 10; round++) {
        const whole_place places[WRITERS] = {new_place_of(path, round % 2),
                                             new_place_of(path, round % 3 > 0)};
        pid_t makers[WRITERS];
        assert_int_equal(pipe2(gate_of_start, O_CLOEXEC), 0);
        for (int i = 0; i < WRITERS; i++) {
            const pid_t pid = fork();
            assert_true(pid >= 0);
            if (pid == 0) {
                (void)close(gate_of_start[1]);
                _exit(put_once_told(&places[i]));
            }
            makers[i] = pid;
        }
        assert_int_equal(close(gate_of_start[1]), 0);
        assert_int_equal(close(gate_of_start[0]), 0);
        int sum = 0;
        for (int i = 0; i < WRITERS; i++) sum += WEXITSTATUS(end_of(makers[i]));
        assert_int_equal(sum, 1);
        expect_text(path, "one");
        assert_int_equal(entries_of(scratch), 1);
        remove_one(path);
    }
}

/* ---- bytes, to whatever is open */

static void test_whole_write(void **state) {
    (void)state;
    int ends[2];
    char got[8] = "";
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(whole_write(ends[1], "text", 4), 0);
    assert_int_equal(read(ends[0], got, sizeof got), 4);
    assert_string_equal(got, "text");
    assert_int_equal(whole_write(ends[1], NULL, 0), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(whole_write(ends[1], "text", 4), EPIPE);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(whole_write(ends[1], "text", 4), EBADF);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(whole_write(full, "text", 4), ENOSPC);
    assert_int_equal(close(full), 0);
}

/* An ordinary user reaches what is in it. */
static int setup(void **state) {
    (void)umask(022);
    return scratch_make(state) != 0 || chmod(scratch, 0755) != 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_nobody_reads_what_will_be_secret),
        cmocka_unit_test(test_something_else_in_its_place),
        cmocka_unit_test(test_a_file_comes_meanwhile),
        cmocka_unit_test(test_the_old_file_goes_meanwhile),
        cmocka_unit_test(test_the_folder_is_found_once),
        cmocka_unit_test(test_below_an_open_folder),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_plain_name),
        cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_folders_that_may_not_be_written_to),
        cmocka_unit_test(test_a_folder_that_may_not_be_listed),
        cmocka_unit_test(test_without_proc),
        cmocka_unit_test(test_killed_in_the_middle),
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_two_makers),
        cmocka_unit_test(test_whole_write),
    };
    return cmocka_run_group_tests(tests, setup, scratch_remove);
}
