/* Hosts: a library cannot choose the process that it is loaded into. Each test is
 * a process of an unusual kind that loads a model; the exit code says which
 * expectation failed. */
#include "support/gate_kit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "gate/hostile_cases.h"
#include "support/sanitized.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"

static wlk_load_options real_child, hostile_child;

/* ---- loads without assertions: for use in other processes and threads */

/* The rule of one load, "" if it was accepted. */
static const char *load_through(wlk_gate *gate, wlk_load_report *report) {
    wlk_model *model = NULL;
    wlk_error error;
    const int fd = memfd_create("sample", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, kit.sample.data, kit.sample.size) != (ssize_t)kit.sample.size)
        return "no memfd";
    const wlk_status status = wlk_gate_load_fd(gate, fd, &model, report, &error);
    (void)close(fd);
    if ((status == WLK_OK) != (model != NULL)) return "model";
    const bool right = !model || memcmp(wlk_model_tensor(model, 1).data,
                                        kit.sample.data + kit.sample.size - 16, 16) == 0;
    wlk_model_free(model);
    if (!right) return "content";
    return status == WLK_OK ? "" : wlk_rule_name(error.rule);
}

static const char *load_once(const wlk_load_options *options, wlk_load_report *report) {
    wlk_gate *gate;
    if (wlk_gate_open(options, &gate, NULL) != WLK_OK) return "no gate";
    const char *rule = load_through(gate, report);
    wlk_gate_close(gate);
    return rule;
}

static bool loads_well(unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        const char *rule = load_once(&real_child, NULL);
        if (*rule) {
            (void)fprintf(stderr, "load %u: %s\n", i, rule);
            return false;
        }
    }
    return true;
}

static bool is(const char *rule, const char *expected) {
    if (strcmp(rule, expected) == 0) return true;
    (void)fprintf(stderr, "\"%s\", not \"%s\"\n", rule, expected);
    return false;
}

/* ---- invariant 6: an end that was not seen is no success */

/* From Linux 6.15 on a pidfd tells the exit code of whom somebody else collected. */
static bool pidfd_tells(void) {
    struct utsname name;
    unsigned major, minor;
    (void)uname(&name);
    if (sscanf(name.release, "%u.%u", &major, &minor) != 2) return false;
    return major > 6 || (major == 6 && minor >= 15);
}

/* Good children are accepted, or not seen; bad ends are never accepted. */
static int load_where_children_disappear(void) {
    hostile_child.policy.limits.columns = HOSTILE_exits_1_after_end;
    for (unsigned i = 0; i < 60; i++) {
        const char *good = load_once(&real_child, NULL);
        const char *bad = load_once(&hostile_child, NULL);
        if (!is(good, pidfd_tells() || !*good ? "" : "cage.unseen")) return 1;
        if (!is(bad,
                pidfd_tells() || strcmp(bad, "cage.exit") == 0 ? "cage.exit" : "cage.unseen")) {
            return 2;
        }
    }
    return 0;
}

static int host_that_ignores_sigchld(void) {
    return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? 9 : load_where_children_disappear();
}

static int host_without_zombies(void) {
    const struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    return sigaction(SIGCHLD, &action, NULL) != 0 ? 9 : load_where_children_disappear();
}

/* As on kernels whose pidfds do not tell. */
static bool silence_pidfds(void) {
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc040ff0b /* PIDFD_GET_INFO */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static int host_that_cannot_see_an_end(void) {
    if (signal(SIGCHLD, SIG_IGN) == SIG_ERR || !silence_pidfds()) return 9;
    hostile_child.policy.limits.columns = HOSTILE_exits_1_after_end;
    if (!is(load_once(&real_child, NULL), "cage.unseen")) return 1;
    return is(load_once(&hostile_child, NULL), "cage.unseen") ? 0 : 2;
}

static void *collect_everybody(void *unused) {
    for (;;) {
        if (waitpid(-1, NULL, 0) < 0) (void)sched_yield();
    }
    return unused;
}

static int host_with_a_thread_that_waits_for_all(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, collect_everybody, NULL) != 0) return 9;
    return load_where_children_disappear();
}

/* ---- descriptors and signals */

static int host_without_standard_descriptors(void) {
    static const unsigned open_ones[] = {0, 1, 2, 3, 4, 5, 6};
    for (size_t i = 0; i < sizeof open_ones / sizeof *open_ones; i++) {
        (void)close(0), (void)close(1), (void)close(2);
        for (int fd = 0; fd < 3; fd++) {
            if (open_ones[i] >> fd & 1 && open("/dev/null", O_RDWR) < 0) return 9;
        }
        for (unsigned j = 0; j < 5; j++) {
            if (*load_once(&real_child, NULL)) return 1 + (int)i;
        }
    }
    return 0;
}

static void block_and_ignore_all(void) {
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (int number = 1; number < NSIG; number++) {
        if (number != SIGCHLD) (void)signal(number, SIG_IGN);
    }
}

static int host_that_blocks_and_ignores_signals(void) {
    sigset_t before, after;
    block_and_ignore_all();
    (void)sigprocmask(SIG_SETMASK, NULL, &before);
    if (!loads_well(5)) return 1;
    (void)sigprocmask(SIG_SETMASK, NULL, &after);
    if (memcmp(&before, &after, sizeof before) != 0) return 2;
    hostile_child.layers = WLK_LAYERS_REQUIRED; /* the first of a namespace takes no SIGXCPU */
    hostile_child.policy.limits.cpu_seconds = 1;
    hostile_child.policy.limits.columns = HOSTILE_burns;
    return is(load_once(&hostile_child, NULL), "limit.cpu-seconds") ? 0 : 3;
}

static pid_t host_pid;
static volatile sig_atomic_t handled, handled_elsewhere;

static void note_where(int number) {
    (void)number;
    if (getpid() == host_pid) {
        handled = 1;
    } else {
        handled_elsewhere = 1;
    }
}

static int host_with_a_busy_timer(void) {
    const struct sigaction action = {.sa_handler = note_where}; /* no SA_RESTART */
    const struct itimerval each_ms = {{0, 1000}, {0, 1000}};
    host_pid = getpid();
    if (sigaction(SIGALRM, &action, NULL) != 0 || setitimer(ITIMER_REAL, &each_ms, NULL) != 0) {
        return 9;
    }
    if (!loads_well(100)) return 1;
    return !handled ? 2 : handled_elsewhere ? 3 : 0;
}

/* Signals to the process group reach a child that still shares our memory: our
 * handlers must not run there. */
static int host_whose_group_is_signalled(void) {
    const struct sigaction action = {.sa_handler = note_where, .sa_flags = SA_RESTART};
    host_pid = getpid();
    if (setpgid(0, 0) != 0 || sigaction(SIGUSR1, &action, NULL) != 0) return 9;
    const pid_t sender = fork();
    if (sender == 0) {
        (void)signal(SIGUSR1, SIG_IGN);
        const struct timespec pause = {.tv_nsec = 50000};
        while (getppid() == host_pid) {
            (void)kill(0, SIGUSR1);
            (void)nanosleep(&pause, NULL);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < 150; i++) {
        const char *rule = load_once(&real_child, NULL); /* or it was killed, which is true */
        if (*rule && !is(rule, "cage.killed")) return 1;
    }
    (void)kill(sender, SIGKILL);
    return !handled ? 2 : handled_elsewhere ? 3 : 0;
}

/* ---- many loads */

typedef struct worker {
    pthread_t thread;
    wlk_gate *gate;
    unsigned good;
} worker;

static void *load_many(void *argument) {
    worker *w = argument;
    for (unsigned i = 0; i < 25; i++) w->good += !*load_through(w->gate, NULL);
    return NULL;
}

static int host_with_eight_threads(void) {
    worker workers[8] = {0};
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate;
    if (wlk_gate_open(&real_child, &gate, NULL) != WLK_OK) return 9;
    for (unsigned i = 0; i < 8; i++) {
        workers[i].gate = gate; /* one for all */
        if (pthread_create(&workers[i].thread, NULL, load_many, &workers[i]) != 0) return 8;
    }
    unsigned good = 0;
    for (unsigned i = 0; i < 8; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        good += workers[i].good;
    }
    wlk_gate_close(gate);
    if (good != 8 * 25) return 1;
    return kit_is_clean(descriptors) ? 0 : 2;
}

static void *load_in_a_small_thread(void *argument) {
    *(bool *)argument = loads_well(3);
    return NULL;
}

/* As small as musl's threads are by default. */
static int host_with_small_stacks(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    bool good = false;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, (SANITIZED ? 8u : 1u) * 128 * 1024);
    if (pthread_create(&thread, &attributes, load_in_a_small_thread, &good) != 0) return 9;
    (void)pthread_join(thread, NULL);
    return good ? 0 : 1;
}

/* Resident memory in KiB. */
static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1) pages = -1;
    if (file) (void)fclose(file);
    return pages * 4;
}

static int host_with_500_loads(void) {
    const unsigned descriptors = kit_descriptors();
    wlk_gate *gate;
    if (wlk_gate_open(&real_child, &gate, NULL) != WLK_OK) return 9;
    const unsigned with_gate = kit_descriptors();
    long early = 0;
    for (unsigned i = 0; i < 500; i++) {
        if (*load_through(gate, NULL)) return 1;
        if (i == 100) early = resident();
        if (kit_descriptors() != with_gate) return 2;
    }
    /* A sanitizer keeps freed memory back for a while. */
    const long most = SANITIZED ? 65536 : 256;
    if (resident() - early > most) {
        (void)fprintf(stderr, "grew by %ld KiB\n", resident() - early);
        return 3;
    }
    wlk_gate_close(gate);
    return kit_is_clean(descriptors) ? 0 : 4;
}

/* ---- identities and processes */

static wlk_gate *shared_gate;

static int host_that_was_forked(void) {
    for (unsigned i = 0; i < 10; i++) {
        if (!is(load_through(shared_gate, NULL), "")) return 1;
    }
    return 0;
}

static int host_that_forks_with_an_open_gate(void) {
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 9;
    const int result = kit_in_process(host_that_was_forked);
    const bool still = !*load_through(shared_gate, NULL);
    wlk_gate_close(shared_gate);
    return result != 0 ? result : still ? 0 : 2;
}

/* As root: opens the gate, and gives up root before it loads. */
static int host_that_gives_up_root(void) {
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 9;
    if (geteuid() == 0 && !kit_become_ordinary()) return 8;
    wlk_load_report report;
    if (!is(load_through(shared_gate, &report), "")) return 1;
    wlk_gate_close(shared_gate);
    return report.layers[kit_layer("ids")] == WLK_LAYER_ATTESTED ? 0 : 2;
}

static int host_that_cannot_be_dumped(void) {
    return prctl(PR_SET_DUMPABLE, 0) == 0 && loads_well(3) ? 0 : 1;
}

/* ---- inside a container without namespaces */

/* Denies what Docker's standard filter denies: new namespaces. */
static bool deny_namespaces_with(uint32_t reason) {
    enum { NEW = 0x7e020000, LOW = offsetof(struct seccomp_data, args[0]) };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | reason),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static bool deny_namespaces(void) {
    return deny_namespaces_with(EPERM);
}

/* No layer was tried behind the one that is missing. */
static bool ends_at(const wlk_load_report *report, uint32_t layer) {
    for (uint32_t i = layer + 1; i < WLK_LAYER_COUNT; i++) {
        if (report->layers[i] != WLK_LAYER_NOT_TRIED || report->layer_errno[i] != 0) return false;
    }
    return true;
}

static bool required_layer_fails(const char *name) {
    wlk_load_options options = real_child;
    wlk_gate *gate;
    wlk_load_report report;
    wlk_error error;
    options.require = 1u << kit_layer(name);
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return false;
    const wlk_status status = wlk_gate_check(gate, &report, &error);
    wlk_gate_close(gate);
    return status == WLK_CAGE && ends_at(&report, kit_layer(name)) &&
           is(wlk_rule_name(error.rule), "cage.layer") && strstr(error.text, name) &&
           strstr(error.text, strerror(EPERM));
}

static int host_in_a_container(void) {
    static const char *const lost[] = {"pid-namespace", "namespaces", "empty-root"};
    wlk_load_report report;
    if (!deny_namespaces()) return 9;
    if (!is(load_once(&real_child, &report), "")) return 1;
    for (unsigned i = 0; i < 3; i++) {
        if (report.layers[kit_layer(lost[i])] != WLK_LAYER_FAILED) return 2;
        if (report.layer_errno[kit_layer(lost[i])] != EPERM) return 3;
        if (!required_layer_fails(lost[i])) return 4;
    }
    /* Our own filter is counted. */
    if (report.layers[kit_layer("seccomp")] != WLK_LAYER_ATTESTED) return 5;
    if (!deny_namespaces() || !is(load_once(&real_child, &report), "")) return 6;
    /* The host's own mounts and /proc are where they were. */
    return access("/proc/self", F_OK) == 0 && access("/etc", F_OK) == 0 ? 0 : 7;
}

/* Why there is no PID namespace is what the clone was told, not what the child finds. */
static int host_where_namespaces_run_out(void) {
    static const char *const lost[] = {"pid-namespace", "namespaces"};
    wlk_load_report report;
    if (!deny_namespaces_with(ENOSPC)) return 9;
    if (!is(load_once(&real_child, &report), "")) return 1;
    for (unsigned i = 0; i < 2; i++) {
        if (report.layers[kit_layer(lost[i])] != WLK_LAYER_FAILED) return 2;
        if (report.layer_errno[kit_layer(lost[i])] != ENOSPC) return 3;
    }
    return 0;
}

/* Invariant 8: what held before must hold again. */
static int host_that_loses_namespaces(void) {
    wlk_load_report report;
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 9;
    if (!is(load_through(shared_gate, &report), "")) return 1;
    if (!deny_namespaces()) return 8;
    const bool held = report.layers[kit_layer("pid-namespace")] >= WLK_LAYER_REPORTED ||
                      report.layers[kit_layer("namespaces")] >= WLK_LAYER_REPORTED;
    const char *rule = load_through(shared_gate, &report);
    wlk_gate_close(shared_gate);
    if (!is(rule, held ? "cage.layer-lost" : "")) return 2;
    return loads_well(1) ? 0 : 3; /* a new gate finds out anew */
}

/* ---- conditions that a host is under; `weighlock doctor` is held to more of them by
 * tests/cli/test_doctor.py */

static int host_with_10000_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 9;
    const unsigned spare = 100, most = 10000;
    const unsigned count = limit.rlim_max < most + spare ? (unsigned)limit.rlim_max - spare : most;
    limit.rlim_cur = count + spare;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 8;
    const int null = open("/dev/null", O_RDONLY);
    for (unsigned i = 0; i + spare < count; i++) {
        if (dup(null) < 0) return 7; /* all of them would survive an exec */
    }
    const unsigned descriptors = kit_descriptors();
    if (!loads_well(5)) return 1;
    return kit_is_clean(descriptors) ? 0 : 2;
}

/* From none to enough: whichever of them is missing, the load is refused, and nothing is
 * left behind. */
static int host_with_few_descriptors(void) {
    const unsigned descriptors = kit_descriptors();
    bool started = false, loaded = false;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 9;
    const struct rlimit before = limit;
    for (limit.rlim_cur = 4; limit.rlim_cur < 64; limit.rlim_cur++) {
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 8;
        const char *rule = load_once(&real_child, NULL);
        if (setrlimit(RLIMIT_NOFILE, &before) != 0) return 7;
        if (!kit_is_clean(descriptors)) return 1;
        if (loaded && *rule) return 2; /* more are not worse */
        started |= strcmp(rule, "cage.spawn") == 0;
        loaded |= !*rule;
    }
    return started && loaded ? 0 : 3;
}

static int host_in_a_deleted_folder(void) {
    const char *path = in_scratch("deleted");
    if (mkdir(path, 0700) != 0 || chdir(path) != 0 || rmdir(path) != 0) return 9;
    return loads_well(2) ? 0 : 1;
}

/* Securebits of all kinds, as far as we may; and no new privileges, which everybody may. */
static int host_that_is_locked_itself(void) {
    const unsigned long no_fixup = 0xc, no_ambient = 0xc0;
    const bool may = prctl(PR_SET_SECUREBITS, no_fixup | no_ambient, 0, 0, 0) == 0;
    if (geteuid() == 0 && !may) return 9;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 8;
    return loads_well(2) ? 0 : 1;
}

/* A filter around the host that kills for a call of a layer that is not even required.
 * There is no way around it: the child dies, and that is no success. */
static int host_whose_child_may_not_lock_itself_down(void) {
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444 /* landlock_create_ruleset */, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    const unsigned descriptors = kit_descriptors();
    wlk_error error;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        return 9;
    }
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 8;
    const wlk_status status = wlk_gate_check(shared_gate, NULL, &error);
    wlk_gate_close(shared_gate);
    if (status != WLK_CAGE || !is(wlk_rule_name(error.rule), "cage.lock-down")) return 1;
    if (!kit_is_clean(descriptors)) return 3;
    wlk_load_options less = real_child; /* without that layer it is not called */
    less.layers = WLK_LAYERS_REQUIRED;
    return is(load_once(&less, NULL), "") ? 0 : 2;
}

static bool own_mounts(void) {
    const int flags = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    return unshare(flags) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Who cannot look cannot attest (invariant 6). Where an ordinary user may not make user
 * namespaces, it cannot hide /proc from itself either. */
static int host_without_proc(void) {
    wlk_error error;
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 9;
    if (!own_mounts()) return geteuid() != 0 ? 0 : 8;
    if (mount("none", "/proc", "tmpfs", 0, NULL) != 0) return 7;
    const wlk_status status = wlk_gate_check(shared_gate, NULL, &error);
    wlk_gate_close(shared_gate);
    return status == WLK_CAGE ? 0 : 1;
}

static int in_new_pid_namespace(void) {
    wlk_error error;
    if (wlk_gate_check(shared_gate, NULL, &error) != WLK_CAGE) return 1;
    return is(wlk_rule_name(error.rule), "cage.unreadable") ? 0 : 2;
}

/* The numbers in that /proc are those of other processes. */
static int host_with_the_proc_of_another_namespace(void) {
    if (wlk_gate_open(&real_child, &shared_gate, NULL) != WLK_OK) return 9;
    const int flags = CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) != 0) return geteuid() != 0 ? 0 : 8;
    const int result = kit_in_process(in_new_pid_namespace);
    wlk_gate_close(shared_gate);
    return result;
}

/* ---- somebody meddles with the child */

typedef struct meddler {
    pthread_t thread;
    pid_t host;
    int number; /* the signal that it sends once the child waits in its cage */
} meddler;

static pid_t child_of(pid_t pid);
static bool is_locked_down(pid_t pid);

static void *meddle(void *argument) {
    const meddler *m = argument;
    pid_t child = 0;
    const double end = kit_seconds() + 10;
    while ((child == 0 || !is_locked_down(child)) && kit_seconds() < end) child = child_of(m->host);
    (void)usleep(50000); /* attested, and GO said */
    if (child > 0) (void)kill(child, m->number);
    return NULL;
}

/* A child that says nothing is sent a signal from outside. */
static const char *load_while_meddled_with(int number) {
    meddler m = {.host = getpid(), .number = number};
    hostile_child.policy.limits.columns = HOSTILE_silent;
    hostile_child.policy.limits.deadline_ms = 3000;
    if (pthread_create(&m.thread, NULL, meddle, &m) != 0) return "no thread";
    const char *rule = load_once(&hostile_child, NULL);
    (void)pthread_join(m.thread, NULL);
    return rule;
}

static int host_whose_child_is_stopped(void) {
    const unsigned descriptors = kit_descriptors();
    if (!is(load_while_meddled_with(SIGSTOP), "cage.stopped")) return 1;
    return kit_is_clean(descriptors) ? 0 : 2;
}

static int host_whose_child_is_killed(void) {
    const unsigned descriptors = kit_descriptors();
    if (!is(load_while_meddled_with(SIGKILL), "cage.killed")) return 1;
    return kit_is_clean(descriptors) ? 0 : 2;
}

/* ---- a host that may not write large files, the private copy included */

static int host_with_a_file_limit(void) {
    const struct rlimit limit = {kit.sample.size - 1, RLIM_INFINITY};
    const char *path = in_scratch("limited.wlk");
    wlk_model *model;
    wlk_error error;
    FILE *file = fopen(path, "wbe");
    if (!file || fwrite(kit.sample.data, 1, kit.sample.size, file) != kit.sample.size) return 9;
    (void)fclose(file);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 8;
    if (wlk_load_path(path, &real_child, &model, NULL, &error) != WLK_SYSTEM) return 1;
    return is(wlk_rule_name(error.rule), "gate.file-limit") && strstr(error.text, "4176") ? 0 : 2;
}

/* ---- the parent dies */

static int host_with_a_silent_child(void) {
    hostile_child.policy.limits.columns = HOSTILE_silent;
    (void)load_once(&hostile_child, NULL);
    return 1;
}

/* The only child of a process; 0 if there is none yet. */
static pid_t child_of(pid_t pid) {
    char path[64];
    int child = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%d", &child) != 1) child = 0;
    if (file) (void)fclose(file);
    return child;
}

/* The limit on descriptors is what it takes on last but for the filter. */
static bool is_locked_down(pid_t pid) {
    char path[64], line[128];
    unsigned long most = 1;
    (void)snprintf(path, sizeof path, "/proc/%d/limits", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) (void)sscanf(line, "Max open files %lu", &most);
    if (file) (void)fclose(file);
    return most == 0;
}

static int host_that_dies(void) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 9; /* orphans come to us */
    const pid_t host = fork();
    if (host == 0) _exit(host_with_a_silent_child());
    pid_t child = 0;
    const double end = kit_seconds() + 20;
    while ((child == 0 || !is_locked_down(child)) && kit_seconds() < end) child = child_of(host);
    (void)usleep(20000); /* GO has been said, and nothing comes back */
    if (child == 0 || kill(host, SIGKILL) != 0) return 1;
    for (unsigned seen = 0; seen < 2;) {
        int status;
        const pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended > 0 && (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)) return 2;
        if (ended > 0) seen++;
        if (kit_seconds() > end) return 3;
        if (ended == 0) (void)usleep(1000);
    }
    return 0;
}

/* ---- */

#define HOST_TEST(name)                                   \
    static void test_host_##name(void **state) {          \
        (void)state;                                      \
        assert_int_equal(kit_in_process(host_##name), 0); \
    }
HOST_TEST(that_ignores_sigchld)
HOST_TEST(without_zombies)
HOST_TEST(that_cannot_see_an_end)
HOST_TEST(with_a_thread_that_waits_for_all)
HOST_TEST(without_standard_descriptors)
HOST_TEST(that_blocks_and_ignores_signals)
HOST_TEST(with_a_busy_timer)
HOST_TEST(whose_group_is_signalled)
HOST_TEST(with_eight_threads)
HOST_TEST(with_small_stacks)
HOST_TEST(with_500_loads)
HOST_TEST(that_forks_with_an_open_gate)
HOST_TEST(that_gives_up_root)
HOST_TEST(that_cannot_be_dumped)
HOST_TEST(in_a_container)
HOST_TEST(where_namespaces_run_out)
HOST_TEST(that_loses_namespaces)
HOST_TEST(that_dies)
HOST_TEST(whose_child_is_stopped)
HOST_TEST(whose_child_is_killed)
HOST_TEST(with_a_file_limit)
HOST_TEST(with_10000_descriptors)
HOST_TEST(with_few_descriptors)
HOST_TEST(in_a_deleted_folder)
HOST_TEST(that_is_locked_itself)
HOST_TEST(whose_child_may_not_lock_itself_down)
HOST_TEST(without_proc)
HOST_TEST(with_the_proc_of_another_namespace)

static int setup(void **state) {
    if (kit_sample_setup(state) != 0) return 1;
    real_child = kit_options(REAL_CHILD);
    hostile_child = kit_options(HOSTILE_CHILD);
    return 0;
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host_that_ignores_sigchld),
        cmocka_unit_test(test_host_without_zombies),
        cmocka_unit_test(test_host_that_cannot_see_an_end),
        cmocka_unit_test(test_host_with_a_thread_that_waits_for_all),
        cmocka_unit_test(test_host_without_standard_descriptors),
        cmocka_unit_test(test_host_that_blocks_and_ignores_signals),
        cmocka_unit_test(test_host_with_a_busy_timer),
        cmocka_unit_test(test_host_whose_group_is_signalled),
        cmocka_unit_test(test_host_with_eight_threads),
        cmocka_unit_test(test_host_with_small_stacks),
        cmocka_unit_test(test_host_with_500_loads),
        cmocka_unit_test(test_host_that_forks_with_an_open_gate),
        cmocka_unit_test(test_host_that_gives_up_root),
        cmocka_unit_test(test_host_that_cannot_be_dumped),
        cmocka_unit_test(test_host_in_a_container),
        cmocka_unit_test(test_host_where_namespaces_run_out),
        cmocka_unit_test(test_host_that_loses_namespaces),
        cmocka_unit_test(test_host_that_dies),
        cmocka_unit_test(test_host_whose_child_is_stopped),
        cmocka_unit_test(test_host_whose_child_is_killed),
        cmocka_unit_test(test_host_with_a_file_limit),
        cmocka_unit_test(test_host_with_10000_descriptors),
        cmocka_unit_test(test_host_with_few_descriptors),
        cmocka_unit_test(test_host_in_a_deleted_folder),
        cmocka_unit_test(test_host_that_is_locked_itself),
        cmocka_unit_test(test_host_whose_child_may_not_lock_itself_down),
        cmocka_unit_test(test_host_without_proc),
        cmocka_unit_test(test_host_with_the_proc_of_another_namespace),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
}
