#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <weighlock/write.h>

#include "base/error.h"
#include "cli/doctor.h"
#include "gate/gate.h"
#include "wire/frame.h"

#define PROC_MAGIC 0x9fa0 /* PROC_SUPER_MAGIC of <linux/magic.h> */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_VERSION_FLAG 1u
#define POOL_STEP_NS 1000000 /* 1 ms */
#define POOL_STEPS 3000

/* ---- a child that is locked down, attested and let go */

static wlk_status check_cage(const wlk_load_options *load, diagnosis *d, wlk_error *error) {
    wlk_gate *gate;
    TRY(wlk_gate_open(load, &gate, error));
    d->child_uid = d->uid == 0 ? gate->uid : d->uid;
    const wlk_status status = wlk_gate_check(gate, &d->report, error);
    wlk_gate_close(gate);
    return status;
}

static bool said_hello(const wlk_load_report *report) {
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (report->layers[i] != WLK_LAYER_NOT_TRIED) return true;
    }
    return false;
}

/* Was the child killed for a call before it could say what holds? Then something
 * outside has a filter of its own. */
static bool died_early(const diagnosis *d, const wlk_error *error) {
    return error->rule == RULE_CAGE_LOCK_DOWN && !said_hello(&d->report);
}

/* Which of the optional layers is it killed for? Each is tried with nothing but the
 * required ones. */
static void find_killers(const wlk_load_options *load, diagnosis *d) {
    wlk_load_options probe = *load;
    diagnosis other = {.uid = d->uid};
    wlk_error error;
    probe.layers = WLK_LAYERS_REQUIRED;
    probe.require = 0;
    if (check_cage(&probe, &other, &error) != WLK_OK) return; /* it is a required one */
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (wlk_layer_required(i)) continue;
        probe.require = 1u << i;
        (void)!check_cage(&probe, &other, &error);
        if (died_early(&other, &error)) d->killed |= 1u << i;
    }
}

/* Where --require asks for too much, the child stops at the first layer that is
 * missing; one that is asked for less shows all of them. */
static void ask_for_less(const wlk_load_options *load, diagnosis *d) {
    wlk_load_options less = *load;
    diagnosis other = {.uid = d->uid};
    wlk_error error;
    less.require = 0;
    if (check_cage(&less, &other, &error) != WLK_OK) return;
    d->report = other.report;
    d->asked_too_much = true;
}

/* ---- a whole load */

/* One tensor: enough to go all the way. */
static wlk_status make_sample(uint8_t **data, uint64_t *size, wlk_error *error) {
    static const float weights[] = {1, 2, 3, 4};
    const wlk_tensor tensor = {.name = "weights",
                               .dtype = WLK_F32,
                               .rank = 1,
                               .shape = {4},
                               .data = weights,
                               .nbytes = sizeof weights};
    wlk_writer *writer;
    wlk_model *model;
    TRY(wlk_writer_new(NULL, &writer, error));
    (void)wlk_writer_tensor(writer, &tensor);
    wlk_status status = wlk_writer_finish(writer, &model, error);
    wlk_writer_free(writer);
    if (status != WLK_OK) return status;
    status = wlk_write_memory(model, NULL, data, size, error);
    wlk_model_free(model);
    return status;
}

/* Not sealed, so that the load makes its own copy, as it does of a file. */
static wlk_status sample_file(int *fd, wlk_error *error) {
    uint8_t *data;
    uint64_t size;
    TRY(make_sample(&data, &size, error));
    *fd = memfd_create("sample", MFD_CLOEXEC);
    const ssize_t written = *fd < 0 ? -1 : write(*fd, data, size);
    const int reason = written < 0 ? errno : EFBIG; /* of a limit, where it is less than all */
    wlk_free(data);
    if (written == (ssize_t)size) return WLK_OK;
    if (*fd >= 0) (void)close(*fd);
    if (reason == EFBIG) return error_at(error, RULE_GATE_FILE_LIMIT, WLK_NO_OFFSET);
    return error_errno(error, RULE_GATE_MEMORY, reason, "memfd_create");
}

/* Limits that are about the process; others are about a model that is not this one. */
static wlk_load_options sample_options(const wlk_load_options *load) {
    const wlk_limits asked = load->policy.limits;
    wlk_load_options options = *load;
    wlk_policy_default(&options.policy);
    options.policy.limits.heap_bytes = asked.heap_bytes;
    options.policy.limits.cpu_seconds = asked.cpu_seconds;
    options.policy.limits.deadline_ms = asked.deadline_ms;
    options.trust = NULL;
    options.allow_unsigned = 1; /* nobody has signed it */
    return options;
}

static wlk_status load_sample(wlk_gate *gate, wlk_load_report *report, wlk_error *error) {
    wlk_model *model;
    int fd;
    TRY(sample_file(&fd, error));
    const wlk_status status = wlk_gate_load_fd(gate, fd, &model, report, error);
    (void)close(fd);
    wlk_model_free(model);
    return status;
}

static wlk_status try_load(const wlk_load_options *load, wlk_error *error) {
    const wlk_load_options options = sample_options(load);
    wlk_load_report report;
    wlk_gate *gate;
    TRY(wlk_gate_open(&options, &gate, error));
    const wlk_status status = load_sample(gate, &report, error);
    wlk_gate_close(gate);
    return status;
}

/* False if no child waits after three seconds: one takes milliseconds. */
static bool wait_for_child(wlk_gate *gate) {
    const struct timespec step = {.tv_nsec = POOL_STEP_NS};
    for (unsigned i = 0; i < POOL_STEPS; i++) {
        if (wlk_gate_waiting(gate) > 0) return true;
        (void)nanosleep(&step, NULL);
    }
    return false;
}

/* Does a child that waits take the model too? */
static bool try_pool(const wlk_load_options *load) {
    wlk_load_options options = sample_options(load);
    wlk_load_report report = {0};
    wlk_gate *gate;
    wlk_error error;
    options.pool = 1;
    if (wlk_gate_open(&options, &gate, &error) != WLK_OK) return false;
    const bool works = wait_for_child(gate) && load_sample(gate, &report, &error) == WLK_OK;
    wlk_gate_close(gate);
    return works && report.pooled;
}

/* ---- the machine */

/* Asked only where the child asked too, and lived: a filter might kill for it. */
static long landlock_abi(const wlk_load_report *report) {
    const wlk_layer_state state = report->layers[LAYER_LANDLOCK];
    if (state == WLK_LAYER_FAILED && report->layer_errno[LAYER_LANDLOCK] != 0) return 0;
    if (state < WLK_LAYER_REPORTED) return -1;
    return syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);
}

/* Is /proc/self us? It is a link whose text is a number of the PID namespace for which
 * that /proc was mounted. */
static bool proc_is_ours(void) {
    char text[32];
    const ssize_t length = readlink("/proc/self", text, sizeof text - 1);
    if (length <= 0) return false;
    text[length] = '\0';
    return strtol(text, NULL, 10) == getpid();
}

static bool attested_something(const wlk_load_report *report) {
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) {
        if (report->layers[i] == WLK_LAYER_ATTESTED) return true;
    }
    return false;
}

static proc_state look_at_proc(const diagnosis *d) {
    struct statfs system;
    if (statfs("/proc", &system) != 0 || system.f_type != PROC_MAGIC) return PROC_MISSING;
    if (access("/proc/thread-self/status", R_OK) != 0) return PROC_CLOSED;
    if (!proc_is_ours()) return PROC_FOREIGN;
    if (attested_something(&d->report)) return PROC_READABLE;
    return d->error.rule == RULE_CAGE_UNREADABLE ? PROC_HIDDEN : PROC_UNKNOWN;
}

static program_state look_at_program(const diagnosis *d) {
    if (said_hello(&d->report)) return PROGRAM_SAME_BUILD; /* else HELLO is refused */
    return d->error.rule == RULE_CAGE_BUILD ? PROGRAM_OTHER_BUILD : PROGRAM_NOT_SEEN;
}

void doctor_look(const wlk_load_options *load, diagnosis *d) {
    *d = (diagnosis){.error = {.offset = WLK_NO_OFFSET}, .uid = geteuid()};
    d->status = check_cage(load, d, &d->error);
    d->cage_holds = d->status == WLK_OK;
    if (died_early(d, &d->error)) find_killers(load, d);
    if (d->error.rule == RULE_CAGE_LAYER && load->require) ask_for_less(load, d);
    if (d->cage_holds) d->status = try_load(load, &d->error);
    d->loaded = d->status == WLK_OK;
    d->pool_works = d->loaded && try_pool(load);
    (void)uname(&d->kernel);
    d->landlock_abi = landlock_abi(&d->report);
    d->program = look_at_program(d);
    d->proc = look_at_proc(d);
}

/* ---- layers */

wlk_layer_state doctor_state(const diagnosis *d, uint32_t layer) {
    return d->killed >> layer & 1 ? WLK_LAYER_FAILED : d->report.layers[layer];
}

const char *doctor_reason(const diagnosis *d, uint32_t layer) {
    if (d->killed >> layer & 1) return "the child is killed for it";
    if (doctor_state(d, layer) != WLK_LAYER_FAILED) return NULL;
    return strerror(d->report.layer_errno[layer]);
}
