/* Takes on the layers that it is told to, and no other, from the child's own table, and
 * then tries one thing. What it tries is harmless where it succeeds. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cage/escape.h"
#include "cage/layers.h"

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)

static escape_order order;
static cage self;

static int reason_of(long result) {
    return result < 0 ? errno : 0;
}

static int opened(int fd) {
    if (fd < 0) return errno;
    (void)close(fd);
    return 0;
}

static const char *in_folder(const char *name) {
    static char path[sizeof order.folder + 32];
    (void)snprintf(path, sizeof path, "%s/%s", order.folder, name);
    return path;
}

/* ---- files */

static int read_inherited(void) {
    char byte;
    return reason_of(read(ESCAPE_SECRET, &byte, 1));
}

static int open_beside(void) {
    return opened(open("secret", O_RDONLY | O_CLOEXEC));
}

static int open_passwd(void) {
    return opened(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int make_file(void) {
    const char *path = in_folder("made");
    const int reason = opened(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    (void)unlink(path);
    return reason;
}

static int make_public(void) {
    const char *path = in_folder("made");
    struct stat status = {0};
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    (void)fstat(fd, &status);
    (void)close(fd);
    (void)unlink(path);
    return status.st_mode & 0044 ? 0 : EACCES;
}

static int read_private(void) {
    return opened(open(in_folder("private"), O_RDONLY | O_CLOEXEC));
}

static int read_others(void) {
    return opened(open(in_folder("others"), O_RDONLY | O_CLOEXEC));
}

static int give_away(void) {
    return reason_of(chown(in_folder("gift"), 4242, 4242));
}

static int write_log(void) {
    return reason_of(write(ESCAPE_LOG, "x", 1));
}

static int duplicate(void) {
    return opened(dup(FD_NULL));
}

static int write_stderr(void) {
    return reason_of(write(2, "x", 1));
}

static int change_root(void) {
    return reason_of(chroot("/"));
}

/* ---- memory and time */

static int map_much(void) {
    const size_t size = order.heap_bytes + 64 * MIB;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}

/* What was refused must leave the heap usable. */
static int allocate_much(void) {
    uint8_t *volatile large = malloc(8 * MIB);
    const int reason = large ? 0 : errno;
    for (size_t i = 0; large && i < 8 * MIB; i += PAGE) large[i] = 1;
    uint8_t *volatile small = malloc(64);
    return small ? reason : EFAULT;
}

static unsigned use_stack_below(size_t left) {
    volatile uint8_t frame[16384];
    memset((void *)(uintptr_t)frame, (int)left, sizeof frame);
    if (left <= sizeof frame) return frame[0];
    return use_stack_below(left - sizeof frame) + frame[1];
}

static int use_stack(void) {
    return use_stack_below(4 * MIB) == 0xffffffff; /* never: the sum is in use */
}

static int lock_memory(void) {
    static uint8_t page[PAGE];
    return reason_of(mlock(page, sizeof page));
}

static int burn(void) {
    struct timespec used;
    do {
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    } while (used.tv_sec * 10 + used.tv_nsec / 100000000 < order.cpu_seconds * 10 + 3);
    return 0;
}

static int dump_core(void) {
    (void)kill(getpid(), SIGSEGV);
    return EFAULT;
}

static void *map_page(int protection) {
    return mmap(NULL, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int map_executable(void) {
    return map_page(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED ? errno : 0;
}

static int make_executable(void) {
    void *page = map_page(PROT_READ | PROT_WRITE);
    if (page == MAP_FAILED) return EFAULT;
    *(volatile uint8_t *)page = 0xc3;
    return reason_of(mprotect(page, PAGE, PROT_READ | PROT_EXEC));
}

/* ---- processes */

static int signal_parent(void) {
    return reason_of(kill((pid_t)order.host, 0));
}

static int open_parent(void) {
    return opened((int)syscall(SYS_pidfd_open, order.host, 0));
}

static int start_process(void) {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid < 0) return errno;
    (void)waitpid(pid, NULL, 0);
    return 0;
}

static int queue_signal(void) {
    sigset_t all;
    const union sigval nothing = {0};
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    return reason_of(sigqueue(getpid(), SIGRTMIN, nothing));
}

static int ask_number(void) {
    return reason_of(syscall(SYS_getpid));
}

/* Is there, and answers, for as long as it is asked. */
static int be_there(void) {
    uint8_t byte;
    while (read(FD_CONTROL, &byte, 1) == 1) {
        if (write(FD_RESULT, &byte, 1) != 1) break;
    }
    _exit(0);
}

/* ---- network and shared objects */

static int used_socket(int family, const void *address, socklen_t length,
                       int (*use)(int, const struct sockaddr *, socklen_t)) {
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    const int reason = reason_of(use(fd, address, length));
    (void)close(fd);
    return reason;
}

static int connect_loopback(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)order.port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return used_socket(AF_INET, &address, sizeof address, connect);
}

static int listen_loopback(void) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return used_socket(AF_INET, &address, sizeof address, bind);
}

static int connect_abstract(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = strnlen(order.name, sizeof order.name);
    memcpy(address.sun_path + 1, order.name, length);
    return used_socket(AF_UNIX, &address,
                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length), connect);
}

static int attach_shared(void) {
    const void *memory = shmat(order.shared, NULL, SHM_RDONLY);
    return memory == (const void *)-1 ? errno : 0;
}

static int make_socket(void) {
    return opened(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* ---- rights */

#define POWER CAP_CHOWN

static bool has_power(void) {
    cap_flag_value_t value = CAP_CLEAR;
    cap_t held = cap_get_proc();
    if (held) (void)cap_get_flag(held, POWER, CAP_EFFECTIVE, &value);
    (void)cap_free(held);
    return value == CAP_SET;
}

static int change_capability(cap_value_t which, cap_flag_t set, cap_flag_value_t value) {
    cap_t wanted = cap_get_proc();
    if (!wanted) return ENOMEM;
    (void)cap_set_flag(wanted, set, 1, &which, value);
    const int reason = reason_of(cap_set_proc(wanted));
    (void)cap_free(wanted);
    return reason;
}

/* Executes a copy of this program, which goes on in executed(). */
static int exec_reporter(char *question) {
    char *const arguments[] = {order.program, question, NULL}, *const environment[] = {NULL};
    (void)execve(order.program, arguments, environment);
    return errno;
}

static int exec_as_root(void) {
    return exec_reporter((char[]){"capability"});
}

static int exec_set_user(void) {
    return exec_reporter((char[]){"user"});
}

static int exec_capable(void) {
    return exec_reporter((char[]){"capability"});
}

static _Noreturn void executed(const char *question) {
    const bool got = strcmp(question, "user") == 0 ? geteuid() == 0 : has_power();
    const int32_t reason = got ? 0 : EPERM;
    _exit(write(FD_RESULT, &reason, sizeof reason) != sizeof reason);
}

static int raise_ambient(void) {
    const int reason = change_capability(POWER, CAP_INHERITABLE, CAP_SET);
    if (reason != 0) return reason;
    return reason_of(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, POWER, 0, 0));
}

static int keep_capabilities(void) {
    return reason_of(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
}

static int regain_user(void) {
    return reason_of(setresuid(0, 0, 0));
}

static int regain_group(void) {
    return reason_of(setgid(0));
}

static int regain_capability(void) {
    return change_capability(CAP_SYS_ADMIN, CAP_EFFECTIVE, CAP_SET);
}

/* What is permitted can be made effective again. */
static bool clear_effective(void) {
    cap_t held = cap_get_proc();
    const bool cleared =
        held && cap_clear_flag(held, CAP_EFFECTIVE) == 0 && cap_set_proc(held) == 0;
    (void)cap_free(held);
    return cleared;
}

/* Drops that can be undone, in the place of those that cannot. */
static bool drop_badly(void) {
    const uid_t uid = order.uid, gid = order.gid;
    switch (order.attempt) {
        case ESCAPE_regain_user:
            return setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, 0) == 0;
        case ESCAPE_regain_group:
            return setresgid(gid, gid, 0) == 0 && setresuid(uid, uid, uid) == 0;
        case ESCAPE_regain_capability:
            if (!self.privileged) return clear_effective();
            return prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(uid, uid, uid) == 0;
        default:
            return true;
    }
}

/* ---- the whole */

static int (*const attempts[ESCAPE_COUNT])(void) = {
#define live_on be_there
#define be_read be_there
#define be_listed be_there
#define be_spared be_there
#define speculate be_there
#define ESCAPE_FUNCTION(name, words) name,
    ESCAPE_ATTEMPTS(ESCAPE_FUNCTION)};

static void hold_layers(escape_answer *answer) {
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        const layer_row *row = &cage_layers[i];
        if (i == LAYER_REGAIN && !drop_badly()) _exit(91);
        answer->layers[i] = ESCAPE_NOT_ASKED;
        if (!(order.layers >> i & 1)) continue;
        const int applied = row->apply(&self);
        answer->layers[i] = applied != 0 ? applied : row->verify(&self);
    }
}

int main(int argc, char **argv) {
    escape_answer answer;
    if (argc == 2) executed(argv[1]);
    if (read(FD_CONTROL, &order, sizeof order) != sizeof order) _exit(90);
    self.privileged = geteuid() == 0;
    self.order = (wire_order){.uid = order.uid, .gid = order.gid, .parent_pid = order.parent};
    self.order.limits.heap_bytes = order.heap_bytes;
    self.order.limits.cpu_seconds = order.cpu_seconds;
    hold_layers(&answer);
    if (write(FD_RESULT, &answer, sizeof answer) != sizeof answer) _exit(92);
    const int32_t reason = attempts[order.attempt]();
    _exit(write(FD_RESULT, &reason, sizeof reason) != sizeof reason);
}
