/* Each layer of the cage holds by itself: something is tried that succeeds without it and
 * fails with it, and with no other layer but what it needs. escape_table.h is the list;
 * `test_escape --list` prints it. */
#include "cage/escape_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define NOBODY 65534
#define SOMEBODY 4242
#define SMALL_HEAP (1ull << 20)
#define LARGE_HEAP (64ull << 20)

static wlk_load_report here; /* what the real child shows on this machine */
static uint32_t tried;       /* layers of which something was tried, with and without */

/* ---- words */

static const char *attempt_words(enum escape_attempt attempt) {
    static const char *const words[] = {
#define ESCAPE_WORDS(name, text) text,
        ESCAPE_ATTEMPTS(ESCAPE_WORDS)};
    return words[attempt];
}

typedef struct outcome_text {
    char said[64];
} outcome_text;

static outcome_text outcome_words(int outcome) {
    static const char *const words[] = {"the layer finds it",
                                        "the kernel's report: oom_score_adj 1000, the first to go",
                                        "the kernel's report: mitigated", "as the machine has it"};
    outcome_text text;
    const char *word = outcome == 0 ? "succeeds" : "?";
    if (outcome >= CAUGHT && outcome <= AS_THE_MACHINE) word = words[outcome - CAUGHT];
    if (outcome > 0 && outcome < 1000) word = strerrorname_np(outcome);
    if (outcome >= 1000 && outcome < CAUGHT) {
        (void)snprintf(text.said, sizeof text.said, "SIG%s%s", sigabbrev_np(outcome % 1000),
                       outcome >= 2000 ? " and a core file" : "");
        return text;
    }
    (void)snprintf(text.said, sizeof text.said, "%s", word);
    return text;
}

static const char *needs_words(uint32_t needs) {
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (needs == 1u << i) return wlk_layer_name(i);
    }
    return needs ? "?" : "";
}

static void list_row(const escape_row *row) {
    static const char *const names[] = {"", "root", "user", "root, user"};
    const uint32_t needs = row->root_needs | row->user_needs;
    const bool user_only = needs && !row->root_needs && row->as == AS_BOTH;
    (void)printf("%s | %s%s%s | %s | %s%s | %s | %s\n", wlk_layer_name(row->layer),
                 attempt_words(row->attempt), row->note ? "; " : "", row->note ? row->note : "",
                 names[row->as], needs_words(needs), user_only ? " (user)" : "",
                 outcome_words(row->without).said, outcome_words(row->with).said);
}

static int list(void) {
    (void)printf("layer | what is tried | as | needs | without | with\n");
    for (size_t i = 0; i < ESCAPE_ROWS; i++) list_row(&escape_rows[i]);
    return 0;
}

/* ---- one trial: the outcome, and which layers held */

static int outcome_of(escape_order order, int flags, escape_answer *answer) {
    trial t;
    int32_t reason = 0;
    if (order.attempt == ESCAPE_live_on) {
        const int outcome = outcome_of_life(&t, &order);
        *answer = t.answer;
        return outcome;
    }
    t = trial_start(&order, flags);
    if (t.pid < 0) {
        for (unsigned i = 0; i < LAYER_COUNT; i++) answer->layers[i] = t.spawn_errno;
        (void)trial_end(&t, false);
        return t.spawn_errno;
    }
    const bool spoke = hear(&t, &t.answer, sizeof t.answer);
    *answer = t.answer;
    if (spoke && is_seen(order.attempt)) {
        const int outcome = look(&t, order.attempt);
        (void)trial_end(&t, true);
        return outcome;
    }
    const bool said = spoke && hear(&t, &reason, sizeof reason);
    const int status = trial_end(&t, false);
    if (said) return answer->layers[LAYER_REGAIN] == EPERM ? CAUGHT : reason;
    if (!WIFSIGNALED(status)) fail_msg("child_escape ended with %d", WEXITSTATUS(status));
    return WCOREDUMP(status) ? DUMPED(WTERMSIG(status)) : SIGNALLED(WTERMSIG(status));
}

/* The first layer of `wanted` that does not hold, or LAYER_COUNT. */
static unsigned missing_layer(const escape_answer *answer, uint32_t wanted, bool caught) {
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        const bool asked = wanted >> i & 1;
        if (!asked) assert_true(answer->layers[i] == ESCAPE_NOT_ASKED || answer->layers[i] > 0);
        if (asked && answer->layers[i] != 0 && !(caught && i == LAYER_REGAIN)) return i;
    }
    return LAYER_COUNT;
}

/* ---- one row */

static bool is_root(void) {
    return geteuid() == 0;
}

static long landlock_abi(void) {
    return syscall(444 /* landlock_create_ruleset */, NULL, 0, 1u);
}

/* Are core files what the limit is about? */
static bool has_core_files(void) {
    char pattern[256] = "";
    struct rlimit limit;
    const int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : read(fd, pattern, sizeof pattern - 1);
    if (fd >= 0) (void)close(fd);
    return got > 1 && *pattern != '|' && *pattern != '/' && *pattern != '@' &&
           getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max > 0;
}

static bool root_has(unsigned capability) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    return syscall(SYS_capget, &header, data) == 0 &&
           data[capability / 32].effective >> capability % 32 & 1;
}

/* From 2 on nobody but who has CAP_SYS_PTRACE may read the memory of others. */
static bool yama_forbids(void) {
    char scope[4] = "";
    const int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : read(fd, scope, sizeof scope - 1);
    if (fd >= 0) (void)close(fd);
    return got > 0 && *scope >= '2';
}

/* Why the row cannot be tried on this host, by whom it is now; NULL: it can. */
static const char *obstacle(const escape_row *row) {
    if (is_root() && !root_has(row->capability)) return "this root lacks the capability";
    if (row->flags & PREPARED && !*host.programs) return "only root can make the program";
    if (row->attempt == ESCAPE_exec_capable && !host.capable) return "files get no capabilities";
    if (row->attempt == ESCAPE_be_read && yama_forbids()) return "Yama forbids it to all";
    if (row->attempt == ESCAPE_dump_core && !has_core_files()) return "no core files on this host";
    const long abi = landlock_abi();
    if (abi > 0 && row->least_abi > abi) return "not in this kernel's Landlock";
    return NULL;
}

static void tell(const escape_row *row, const char *result) {
    (void)printf("# %s | %s | %s | %s\n", wlk_layer_name(row->layer), attempt_words(row->attempt),
                 is_root() ? "root" : "user", result);
}

static escape_order order_of(const escape_row *row, uint32_t layers) {
    escape_order order = host.order;
    order.attempt = row->attempt;
    order.layers = layers;
    if (row->program) {
        (void)snprintf(order.program, sizeof order.program, "%s/%s", host.programs, row->program);
    }
    return order;
}

static int flags_of(const escape_row *row, bool with) {
    if (row->layer != LAYER_PID_NAMESPACE) return 0;
    if (here.layers[LAYER_PID_NAMESPACE] == WLK_LAYER_FAILED && !with) return 0;
    return (is_root() ? 0 : CLONE_NEWUSER) | (with ? CLONE_NEWPID : 0);
}

/* Only with what the layer needs; the heap is there always, and large or small. */
static bool succeeds_without(const escape_row *row, uint32_t layers) {
    escape_answer answer;
    escape_order order = order_of(row, layers);
    if (row->layer == LAYER_HEAP) {
        order.layers |= 1u << LAYER_HEAP;
        order.heap_bytes = LARGE_HEAP;
    }
    const int outcome = outcome_of(order, flags_of(row, false), &answer);
    if (outcome == row->without || row->without == AS_THE_MACHINE) return true;
    tell(row, outcome_words(outcome).said);
    return false;
}

/* A layer that cannot be had here is what the real child's report calls failed. */
static bool is_reported_missing(const escape_row *row, unsigned layer, int reason) {
    char result[128];
    if (wlk_layer_required(layer) || here.layers[layer] != WLK_LAYER_FAILED) return false;
    if (reason <= 0 || here.layer_errno[layer] == 0) return false;
    (void)snprintf(result, sizeof result, "%s cannot be had here, and is reported as failed: %s",
                   wlk_layer_name(layer), strerrorname_np(reason));
    tell(row, result);
    return true;
}

static bool fails_with(const escape_row *row, uint32_t layers) {
    escape_answer answer;
    char result[192];
    const uint32_t all = layers | 1u << row->layer;
    const int outcome = outcome_of(order_of(row, all), flags_of(row, true), &answer);
    const unsigned missing = missing_layer(&answer, all, row->with == CAUGHT);
    if (missing < LAYER_COUNT) {
        if (is_reported_missing(row, missing, answer.layers[missing])) return true;
        (void)snprintf(result, sizeof result, "%s does not hold: %d", wlk_layer_name(missing),
                       answer.layers[missing]);
        tell(row, result);
        return false;
    }
    const outcome_text without = outcome_words(row->without), with = outcome_words(outcome);
    (void)snprintf(result, sizeof result, "%s | %s%s", without.said, with.said,
                   outcome == row->with ? "" : " (WRONG)");
    tell(row, result);
    tried |= 1u << row->layer;
    return outcome == row->with;
}

static bool row_holds(const escape_row *row) {
    const uint32_t needs = is_root() ? row->root_needs : row->user_needs;
    const bool power = !is_root() && row->flags & POWER_FROM_NEEDS;
    const char *why = obstacle(row);
    if (!(row->as & (is_root() ? AS_ROOT : AS_USER))) return true;
    if (why) tell(row, why);
    if (why) return true;
    if (!power && !succeeds_without(row, 0)) return false;
    for (unsigned i = 0; i < LAYER_COUNT; i++) { /* what it needs cannot be had */
        if (needs >> i & 1 && here.layers[i] == WLK_LAYER_FAILED) {
            return is_reported_missing(row, i, here.layer_errno[i]);
        }
    }
    if (needs && !succeeds_without(row, needs)) return false;
    return fails_with(row, needs);
}

/* ---- tests */

/* May a layer stay untried? What is reported as failed; an ordinary user's identity; the
 * capabilities of a user who can have none; and, where no root has made a program, what
 * takes one. */
static bool may_stay_untried(uint32_t layer) {
    if (here.layers[layer] == WLK_LAYER_FAILED) return !wlk_layer_required(layer);
    if (is_root()) return false;
    const bool powerless = here.layers[LAYER_NAMESPACES] == WLK_LAYER_FAILED;
    return layer == LAYER_IDS || (layer == LAYER_NO_NEW_PRIVS && !*host.programs) ||
           (powerless && (layer == LAYER_CAPABILITIES || layer == LAYER_REGAIN));
}

static void test_each_layer_holds_alone(void **state) {
    (void)state;
    unsigned failed = 0;
    tried = 0;
    for (size_t i = 0; i < ESCAPE_ROWS; i++) failed += !row_holds(&escape_rows[i]);
    assert_int_equal(failed, 0);
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (!(tried >> i & 1) && !may_stay_untried(i)) {
            fail_msg("nothing was tried of %s", wlk_layer_name(i));
        }
    }
}

static void test_every_layer_has_a_row(void **state) {
    (void)state;
    uint32_t root = 0, user = 0;
    for (size_t i = 0; i < ESCAPE_ROWS; i++) {
        if (escape_rows[i].as & AS_ROOT) root |= 1u << escape_rows[i].layer;
        if (escape_rows[i].as & AS_USER) user |= 1u << escape_rows[i].layer;
    }
    assert_int_equal(root, (1u << LAYER_COUNT) - 1);
    assert_int_equal(user | 1u << LAYER_IDS, (1u << LAYER_COUNT) - 1);
}

/* Is there a layer among these that stops it alone? */
static bool is_stopped_by(uint32_t layers, enum escape_attempt attempt) {
    for (size_t i = 0; i < ESCAPE_ROWS; i++) {
        const escape_row *row = &escape_rows[i];
        if (row->attempt == attempt && layers >> row->layer & 1 && !obstacle(row) &&
            row->as & (is_root() ? AS_ROOT : AS_USER)) {
            return true;
        }
    }
    return false;
}

static bool is_tried_with_all(enum escape_attempt attempt) {
    const bool badly_dropped = attempt == ESCAPE_regain_user || attempt == ESCAPE_regain_group ||
                               attempt == ESCAPE_regain_capability;
    return !badly_dropped && !is_seen(attempt) && attempt != ESCAPE_live_on &&
           attempt != ESCAPE_burn; /* as process 1 it lives a second longer */
}

/* What one layer stops, all of them together stop: none undoes another. */
static void test_all_layers_but_the_filter(void **state) {
    (void)state;
    uint32_t layers = 0;
    unsigned failed = 0;
    for (unsigned i = 0; i < LAYER_SECCOMP; i++) {
        if (here.layers[i] >= WLK_LAYER_REPORTED) layers |= 1u << i;
    }
    const bool apart = layers >> LAYER_PID_NAMESPACE & 1;
    const int flags = (apart ? CLONE_NEWPID : 0) | (apart && !is_root() ? CLONE_NEWUSER : 0);
    for (int attempt = 0; attempt < ESCAPE_COUNT; attempt++) {
        const escape_row row = {.attempt = (enum escape_attempt)attempt, .program = "plain"};
        escape_answer answer;
        if (!is_tried_with_all(row.attempt) || !is_stopped_by(layers, row.attempt)) continue;
        escape_order order = order_of(&row, layers);
        if (apart) order.parent = 0;
        const int outcome = outcome_of(order, flags, &answer);
        assert_int_equal(missing_layer(&answer, layers, false), LAYER_COUNT);
        if (outcome != 0) continue;
        (void)fprintf(stderr, "%s: %s\n", attempt_words(row.attempt), outcome_words(outcome).said);
        failed++;
    }
    assert_int_equal(failed, 0);
}

/* The layer that looks for bad drops finds none where they are good. */
static void test_good_drops_hold(void **state) {
    (void)state;
    const escape_row row = {.layer = LAYER_REGAIN, .attempt = ESCAPE_ask_number};
    const uint32_t drops = 1u << LAYER_IDS | 1u << LAYER_CAPABILITIES | 1u << LAYER_REGAIN;
    escape_answer answer;
    assert_int_equal(outcome_of(order_of(&row, drops), 0, &answer), 0);
    assert_int_equal(missing_layer(&answer, drops, false), LAYER_COUNT);
}

/* ---- the host */

static void make_host_file(const char *name, mode_t mode) {
    write_bytes(in_scratch(name), "secret", 6);
    assert_int_equal(chmod(in_scratch(name), mode), 0);
}

static int listening(int family, const void *address, socklen_t length) {
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, address, length), 0);
    assert_int_equal(listen(fd, 64), 0); /* nobody accepts */
    return fd;
}

static void listen_everywhere(void) {
    struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un abstract = {.sun_family = AF_UNIX};
    socklen_t length = sizeof tcp;
    host.tcp = listening(AF_INET, &tcp, sizeof tcp);
    assert_int_equal(getsockname(host.tcp, (struct sockaddr *)&tcp, &length), 0);
    host.order.port = ntohs(tcp.sin_port);
    const int written =
        snprintf(host.order.name, sizeof host.order.name, "weighlock-escape-%d", (int)getpid());
    memcpy(abstract.sun_path + 1, host.order.name, (size_t)written);
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)written);
    host.abstract = listening(AF_UNIX, &abstract, length);
}

static int setup(void **state) {
    if (scratch_make(state) != 0 || chmod(scratch, 0755) != 0) return 1;
    make_host_file("secret", 0644);
    make_host_file("private", 0600);
    make_host_file("others", 0600);
    make_host_file("gift", 0644);
    make_host_file("log", 0644);
    if (is_root()) assert_int_equal(chown(in_scratch("others"), SOMEBODY, SOMEBODY), 0);
    host.null = high(open("/dev/null", O_RDWR | O_CLOEXEC));
    host.secret = high(open(in_scratch("secret"), O_RDONLY | O_CLOEXEC));
    host.log = high(open(in_scratch("log"), O_WRONLY | O_CLOEXEC));
    host.order = (escape_order){.uid = NOBODY,
                                .gid = NOBODY,
                                .parent = (uint32_t)getpid(),
                                .host = (uint32_t)getpid(),
                                .cpu_seconds = 1,
                                .heap_bytes = SMALL_HEAP,
                                .shared = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600)};
    (void)snprintf(host.order.folder, sizeof host.order.folder, "%s", scratch);
    listen_everywhere();
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    wlk_error error;
    EXPECT_OK(wlk_gate_check(gate, &here, &error));
    wlk_gate_close(gate);
    (void)printf("# Landlock: ABI %ld\n", landlock_abi());
    return 0;
}

static int teardown(void **state) {
    const int descriptors[] = {host.null, host.secret, host.log, host.tcp, host.abstract};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        (void)close(descriptors[i]);
    }
    assert_int_equal(shmctl(host.order.shared, IPC_RMID, NULL), 0);
    return scratch_remove(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layer_has_a_row),
        cmocka_unit_test(test_each_layer_holds_alone),
        cmocka_unit_test(test_good_drops_hold),
        cmocka_unit_test(test_all_layers_but_the_filter),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* ---- programs that only root can make, for both */

static const char *program_path(const char *name) {
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", host.programs, name);
    return path;
}

static bool copy_program(const char *name, mode_t mode) {
    const int from = open(kit_program(ESCAPE_CHILD), O_RDONLY | O_CLOEXEC);
    const int to = open(program_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    char bytes[65536];
    ssize_t got;
    bool copied = from >= 0 && to >= 0;
    while (copied && (got = read(from, bytes, sizeof bytes)) > 0) {
        copied = write(to, bytes, (size_t)got) == got;
    }
    copied = copied && fchmod(to, mode) == 0;
    (void)close(from);
    (void)close(to);
    return copied;
}

/* Its holder may change the owner of files, at once. */
static bool give_capability(const char *name) {
    const struct vfs_cap_data data = {
        .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
        .data = {{.permitted = 1u << CAP_CHOWN}},
    };
    return setxattr(program_path(name), "security.capability", &data, XATTR_CAPS_SZ_2, 0) == 0;
}

static bool make_programs(void) {
    (void)snprintf(host.programs, sizeof host.programs, "/tmp/weighlock-programs-XXXXXX");
    return mkdtemp(host.programs) && chmod(host.programs, 0755) == 0 &&
           copy_program("plain", 0755) && copy_program("set-user", 04755) &&
           copy_program("capable", 0755);
}

static void remove_programs(void) {
    (void)unlink(program_path("plain"));
    (void)unlink(program_path("set-user"));
    (void)unlink(program_path("capable"));
    (void)rmdir(host.programs);
}

int main(int argc, char **argv) {
    const char *const programs[] = {REAL_CHILD, ESCAPE_CHILD, NULL};
    if (argc == 2 && strcmp(argv[1], "--list") == 0) return list();
    if (!is_root()) return kit_run(group, programs);
    if (!make_programs()) {
        (void)fprintf(stderr, "%s: %s\n", host.programs, strerror(errno));
        return 1;
    }
    host.capable = give_capability("capable");
    const int failed = kit_run(group, programs);
    remove_programs();
    return failed;
}
