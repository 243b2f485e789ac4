/* Hosts that interrupt: a timer signal a thousand times a second, whose handler lets no
 * system call be restarted; a host that forks all the time; one that ignores SIGCHLD.
 * Loads, and the command line tool, do what they do in peace. */
#include "support/sanitized.h"

#include "endure_cli.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/utsname.h>

#define LOADS 1000
#define FORKS_LOADS 400
#define CLI_ROUNDS 10
#define TICK_US 1000

static unsigned loads, commands, failures;

/* ---- the storm */

static volatile sig_atomic_t signals;

static void count_signal(int number) {
    (void)number;
    signals++;
}

static void storm(int on) {
    const struct sigaction action = {.sa_handler = count_signal}; /* without SA_RESTART */
    const struct itimerval timer = {{0, on ? TICK_US : 0}, {0, on ? TICK_US : 0}};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* ---- loads */

static void complain(const char *who, const char *what, const char *detail) {
    failures++;
    (void)printf("%s: %s: %s\n", who, what, detail);
}

static bool is_right(const wlk_model *model) {
    return wlk_model_count(model, WLK_SECTION_TENSORS) == 2 &&
           memcmp(wlk_model_tensor(model, 1).data, kit.sample.data + kit.sample.size - 16, 16) == 0;
}

static wlk_status load_whole(wlk_gate *gate, wlk_error *error) {
    wlk_model *model;
    const wlk_status status =
        wlk_gate_load_path(gate, in_scratch("sample.wlk"), &model, NULL, error);
    if (status == WLK_OK && !is_right(model)) complain("load", "another model", "");
    wlk_model_free(model);
    return status;
}

static wlk_status load_lazily(wlk_gate *gate, wlk_error *error) {
    const wlk_artifact artifact = {.path = in_scratch("sample.wlk")};
    wlk_lazy *lazy;
    wlk_tensor tensor;
    TRY(wlk_gate_open_lazy(gate, &artifact, &lazy, NULL, error));
    const wlk_status status = wlk_lazy_tensor(lazy, 1, &tensor, error);
    wlk_lazy_release(&tensor);
    wlk_lazy_close(lazy);
    return status;
}

static wlk_status verify(wlk_gate *gate, wlk_error *error) {
    return wlk_gate_verify_path(gate, in_scratch("beside.wlk"), NULL, error);
}

static const struct {
    const char *name;
    wlk_status (*load)(wlk_gate *gate, wlk_error *error);
    wlk_transport transport;
    uint32_t pool;
} rows[] = {
    {"by pipe", load_whole, WLK_TRANSPORT_PIPE, 0}, {"by map", load_whole, WLK_TRANSPORT_MAP, 0},
    {"pooled", load_whole, WLK_TRANSPORT_PIPE, 2},  {"lazily", load_lazily, WLK_TRANSPORT_PIPE, 0},
    {"verified", verify, WLK_TRANSPORT_PIPE, 0},
};
#define ROWS (sizeof rows / sizeof *rows)

/* Each kind of load in turn; a status other than WLK_OK must have the rule `allowed`. */
static void load_all(const char *who, unsigned times, const char *allowed) {
    const unsigned before = kit_descriptors();
    for (size_t i = 0; i < ROWS; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        options.transport = rows[i].transport;
        options.pool = rows[i].pool;
        wlk_gate *gate = kit_gate(&options);
        for (unsigned n = 0; n < times / ROWS; n++, loads++) {
            wlk_error error;
            char text[512];
            if (rows[i].load(gate, &error) == WLK_OK) continue;
            if (allowed && strcmp(wlk_rule_name(error.rule), allowed) == 0) continue;
            complain(who, rows[i].name, wlk_error_format(&error, text, sizeof text));
            break;
        }
        wlk_gate_close(gate);
    }
    if (!kit_is_clean(before)) complain(who, "a child or a descriptor is left", "");
}

static void load_in_a_storm(void) {
    storm(1);
    load_all("storm", LOADS, NULL);
    storm(0);
    if (signals < LOADS / 4) complain("storm", "there was none", "");
    (void)printf("storm: %d signals during %d loads\n", (int)signals, LOADS);
}

/* ---- a host that forks */

static atomic_bool over;
static atomic_uint forked;

/* Of each process its own end, and nobody else's, is waited for. */
static void *fork_on(void *unused) {
    while (!atomic_load(&over)) {
        const pid_t pid = fork();
        if (pid == 0) _exit(0);
        int status = 1;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) return (void *)"fork";
        atomic_fetch_add(&forked, 1);
    }
    return unused;
}

static void load_while_forking(void) {
    pthread_t thread;
    void *wrong;
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&thread, NULL, fork_on, NULL), 0);
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    for (unsigned n = 0; n < FORKS_LOADS; n++, loads++) {
        wlk_error error;
        if (load_whole(gate, &error) == WLK_OK) continue;
        complain("forks", wlk_rule_name(error.rule), error.text);
        break;
    }
    wlk_gate_close(gate);
    atomic_store(&over, true);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    if (wrong) complain("forks", "the host's own", wrong);
    (void)printf("forks: %u during %d loads\n", atomic_load(&forked), FORKS_LOADS);
}

/* ---- a host that collects no child */

/* From Linux 6.15 on a pidfd tells the exit code of whom nobody collects. */
static bool pidfd_tells(void) {
    struct utsname name;
    unsigned major, minor;
    (void)uname(&name);
    if (sscanf(name.release, "%u.%u", &major, &minor) != 2) return false;
    return major > 6 || (major == 6 && minor >= 15);
}

static void load_without_sigchld(void) {
    (void)signal(SIGCHLD, SIG_IGN);
    load_all("SIGCHLD ignored", LOADS / 4, pidfd_tells() ? NULL : "cage.unseen");
    (void)signal(SIGCHLD, SIG_DFL);
}

/* ---- the command line tool in the storm */

static void storm_begins(void *unused) {
    (void)unused;
    storm(1);
}

static void run_in_a_storm(const cli_row *row) {
    static cli_outcome peace, got;
    if (!cli_do(row->line, NULL, NULL, &peace)) complain(row->line, "somebody is left", "");
    for (unsigned i = 0; i < CLI_ROUNDS; i++, commands++) {
        const bool alone = cli_do(row->line, storm_begins, NULL, &got);
        const char *wrong = cli_fault(row, &peace, &got, alone);
        if (!wrong && got.code != peace.code) wrong = "another verdict";
        if (wrong) complain(row->line, wrong, got.err);
    }
}

int main(void) {
    cli_prepare();
    (void)kit_program(REAL_CHILD); /* keeps a descriptor */
    kit.sample = kit_signed(0);
    write_bytes(in_scratch("sample.wlk"), kit.sample.data, kit.sample.size);
    cli_run.files = cli_sum(cli_run.pristine);
    load_in_a_storm();
    load_while_forking();
    load_without_sigchld();
    for (size_t i = 0; i < CLI_ROWS; i++) run_in_a_storm(&cli_rows[i]);
    free(kit.sample.data);
    cli_clear_away();
    (void)printf("endure_signals: %u loads, %u commands, %d signals, %u forks; failures %u\n",
                 loads, commands, (int)signals, atomic_load(&forked), failures);
    return failures != 0;
}
