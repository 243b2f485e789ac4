/* The coordinator: snapshot, verify, spawn, attest, receive, validate. Each step
 * is a module of its own; this file is their order and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weighlock/load.h>

#include "base/checked.h"
#include "base/envelope.h"
#include "base/memory.h"
#include "gate/attest.h"
#include "gate/child.h"
#include "gate/receive.h"
#include "gate/snapshot.h"
#include "image/validate.h"
#include "wire/frame.h"

#ifndef WLK_CHILD_PATH
#define WLK_CHILD_PATH "/usr/local/libexec/weighlock/weighlock-child"
#endif

#define NOBODY 65534
#define AUTO_MAP_BYTES (1u << 20)
#define LARGE_BYTES 65536 /* what fits in a pipe as the kernel makes it */
#define NANOSECONDS_PER_MS 1000000ull
#define MOST_BUFFERS (1u << 30) /* an image can number no more tensors */

_Static_assert(WLK_LAYER_COUNT == LAYER_COUNT, "load.h knows every layer");

struct wlk_gate {
    wlk_load_options options;
    int program; /* weighlock-child, opened and checked; -1 with the error if unusable */
    wlk_error program_error;
    int null;            /* /dev/null, for children */
    child_spaces spaces; /* empty namespaces that children join, if we may make them */
    uint32_t uid, gid;
    _Atomic uint32_t achieved; /* layers that held before */
};

/* ---- which layers */

typedef enum need { ALWAYS, WHERE_POSSIBLE } need;

static const need layer_needs[LAYER_COUNT] = {
    [LAYER_DESCRIPTORS] = ALWAYS,
    [LAYER_RLIMITS] = ALWAYS,
    [LAYER_OOM_SCORE] = ALWAYS,
    [LAYER_HEAP] = ALWAYS,
    [LAYER_PID_NAMESPACE] = WHERE_POSSIBLE,
    [LAYER_NAMESPACES] = WHERE_POSSIBLE,
    [LAYER_EMPTY_ROOT] = WHERE_POSSIBLE,
    [LAYER_BOUNDING_SET] = WHERE_POSSIBLE,
    [LAYER_IDS] = ALWAYS,
    [LAYER_CAPABILITIES] = ALWAYS,
    [LAYER_REGAIN] = ALWAYS,
    [LAYER_NO_NEW_PRIVS] = ALWAYS,
    [LAYER_NOT_DUMPABLE] = ALWAYS,
    [LAYER_PARENT_DEATH] = WHERE_POSSIBLE,
    [LAYER_LANDLOCK] = WHERE_POSSIBLE,
    [LAYER_MDWE] = WHERE_POSSIBLE,
    [LAYER_SPECULATION] = WHERE_POSSIBLE,
    [LAYER_ZERO_RLIMITS] = ALWAYS,
    [LAYER_SECCOMP] = ALWAYS,
};

const char *wlk_layer_name(uint32_t layer) {
    return layer < LAYER_COUNT ? wire_layer_name(layer) : NULL;
}

int wlk_layer_required(uint32_t layer) {
    return layer < LAYER_COUNT && layer_needs[layer] == ALWAYS;
}

static uint32_t required_layers(const wlk_gate *gate) {
    uint32_t layers = gate->options.require;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) layers |= (uint32_t)wlk_layer_required(i) << i;
    return layers;
}

static uint32_t wanted_layers(const wlk_gate *gate) {
    const uint32_t all = (1u << LAYER_COUNT) - 1;
    return gate->options.layers == WLK_LAYERS_ALL ? all : required_layers(gate);
}

/* The refusal for a layer that is required, or held before, and does not hold. */
static wlk_status layer_missing(const wlk_gate *gate, uint32_t layer, int reason,
                                wlk_error *error) {
    const bool required = required_layers(gate) >> layer & 1;
    return error_errno(error, required ? RULE_CAGE_LAYER : RULE_CAGE_LAYER_LOST, reason,
                       wire_layer_name(layer));
}

/* ---- the gate itself */

void wlk_load_options_default(wlk_load_options *options) {
    *options = (wlk_load_options){.transport = WLK_TRANSPORT_PIPE, .threads = 2};
    wlk_policy_default(&options->policy);
}

/* The account that the child becomes when we are root. System accounts are in
 * /etc/passwd: name services would load plug-ins into this process. */
static void choose_account(wlk_gate *gate) {
    gate->uid = gate->gid = gate->options.uid ? gate->options.uid : NOBODY;
    if (gate->options.uid) return;
    FILE *accounts = fopen("/etc/passwd", "re");
    if (!accounts) return;
    for (const struct passwd *entry; (entry = fgetpwent(accounts)) != NULL;) {
        if (strcmp(entry->pw_name, "_weighlock") == 0 && entry->pw_uid != 0) {
            gate->uid = entry->pw_uid;
            gate->gid = entry->pw_gid;
            break;
        }
    }
    (void)fclose(accounts);
}

wlk_status wlk_gate_open(const wlk_load_options *options, wlk_gate **gate, wlk_error *error) {
    wlk_gate *made = mem_zeroed(1, sizeof *made);
    *gate = NULL;
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_load_options_default(&made->options);
    if (options) made->options = *options;
    const char *path = made->options.child_path ? made->options.child_path : WLK_CHILD_PATH;
    made->program = -1;
    (void)!child_program_open(path, &made->program, &made->program_error);
    made->null = open("/dev/null", O_RDWR | O_CLOEXEC); /* without it a start fails */
    made->spaces.fd[0] = -1;
    if (wanted_layers(made) & 1u << LAYER_NAMESPACES) made->spaces = child_spaces_new();
    made->options.child_path = NULL; /* the caller's string need not live on */
    choose_account(made);
    *gate = made;
    return WLK_OK;
}

void wlk_gate_close(wlk_gate *gate) {
    if (!gate) return;
    if (gate->program >= 0) (void)close(gate->program);
    if (gate->null >= 0) (void)close(gate->null);
    if (gate->spaces.fd[0] >= 0) child_spaces_close(&gate->spaces);
    mem_free(gate);
}

/* ---- one child */

/* Everything that belongs to one load. */
typedef struct load {
    wlk_gate *gate;
    snapshot source;
    child worker;
    reader *ear; /* mostly buffers */
    wire_receiver receiver;
    received result;
    wlk_load_report report;
    uint64_t deadline;
    uint32_t inherited_filters; /* seccomp filters of this thread, which the child got too */
} load;

typedef struct order_message {
    frame_header header;
    wire_order order;
} order_message;

static wire_transport transport_of(const wlk_gate *gate, uint64_t size) {
    const wlk_transport wanted = gate->options.transport;
    const bool map =
        wanted == WLK_TRANSPORT_MAP || (wanted == WLK_TRANSPORT_AUTO && size > AUTO_MAP_BYTES);
    return map ? WIRE_TRANSPORT_MAP : WIRE_TRANSPORT_PIPE;
}

/* A process that has given up root since it opened the gate may not. */
static bool joins_spaces(const wlk_gate *gate) {
    return gate->spaces.fd[0] >= 0 && geteuid() == 0;
}

static order_message make_order(const load *l) {
    order_message message = {.order = {.protocol = WIRE_PROTOCOL,
                                       .format = WIRE_FORMAT_WLK,
                                       .transport = (uint32_t)transport_of(l->gate, l->source.size),
                                       .spaces = joins_spaces(l->gate),
                                       .layers = wanted_layers(l->gate),
                                       .required = required_layers(l->gate),
                                       .uid = l->gate->uid,
                                       .gid = l->gate->gid,
                                       .parent_pid = (uint32_t)getpid(),
                                       .snapshot_bytes = l->source.size,
                                       .limits = l->gate->options.policy.limits}};
    message.header = frame_make(FRAME_ORDER, 0, sizeof message.order, 0, 0);
    return message;
}

/* A PID namespace exists from clone on; an ordinary user needs a user namespace
 * for it. Where the kernel refuses, the child starts without, unless that layer
 * is required or was held before. */
static wlk_status start(load *l, wlk_error *error) {
    const wlk_gate *gate = l->gate;
    const order_message message = make_order(l);
    const uint32_t pid_layer = 1u << LAYER_PID_NAMESPACE;
    const uint32_t spaces = pid_layer | 1u << LAYER_NAMESPACES;
    int flags = 0;
    if (message.order.layers & spaces && geteuid() != 0) flags |= CLONE_NEWUSER;
    if (message.order.layers & pid_layer) flags |= CLONE_NEWPID;
    child_start first = {.program = gate->program,
                         .null = gate->null,
                         .snapshot = l->source.fd,
                         .spaces = joins_spaces(gate) ? &gate->spaces : NULL,
                         .namespace_flags = flags,
                         .order = &message,
                         .order_bytes = sizeof message,
                         .large = l->source.size > LARGE_BYTES};
    int reason;
    const wlk_status status = child_spawn(&first, &l->worker, &reason, error);
    const uint32_t needed = message.order.required | atomic_load(&gate->achieved);
    if (status == WLK_OK || reason == 0) return status;
    if (needed & pid_layer) return layer_missing(gate, LAYER_PID_NAMESPACE, reason, error);
    first.namespace_flags = 0;
    return child_spawn(&first, &l->worker, &reason, error);
}

/* Records HELLO's results; a required layer, or one that held before, must hold. */
static wlk_status check_layers(load *l, const wire_hello *hello, uint32_t *held, wlk_error *error) {
    const uint32_t required = required_layers(l->gate), before = atomic_load(&l->gate->achieved);
    const uint32_t wanted = wanted_layers(l->gate);
    *held = 0;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        const wire_layer_result *result = &hello->results[i];
        l->report.layer_errno[i] = result->reason;
        if (result->held) *held |= 1u << i;
        if (wanted >> i & 1) {
            l->report.layers[i] = result->held ? WLK_LAYER_REPORTED : WLK_LAYER_FAILED;
        }
    }
    for (uint32_t i = 0; i < WIRE_MAX_LAYERS; i++) { /* also those that do not exist */
        if (*held >> i & 1 || !((required | before) >> i & 1)) continue;
        const int reason = i < LAYER_COUNT ? hello->results[i].reason : EINVAL;
        return layer_missing(l->gate, i, reason, error);
    }
    return WLK_OK;
}

static wlk_status attest(load *l, uint32_t held, wlk_error *error) {
    const attest_claim claim = {.pid = l->worker.pid,
                                .privileged = geteuid() == 0,
                                .uid = l->gate->uid,
                                .gid = l->gate->gid,
                                .held = held,
                                .inherited_filters = l->inherited_filters,
                                .limits = &l->gate->options.policy.limits};
    uint32_t attested;
    TRY(attest_child(&claim, &attested, error));
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (attested >> i & 1) l->report.layers[i] = WLK_LAYER_ATTESTED;
    }
    atomic_fetch_or(&l->gate->achieved, held);
    return WLK_OK;
}

/* HELLO, attestation, GO. */
static wlk_status admit(load *l, wlk_error *error) {
    wire_hello hello;
    uint32_t held;
    TRY(receive_hello(l->ear, &l->receiver, &hello, error));
    TRY(check_layers(l, &hello, &held, error));
    TRY(attest(l, held, error));
    const frame_header go = frame_make(FRAME_GO, 0, 0, 1, 0);
    if (write(l->worker.control, &go, sizeof go) != (ssize_t)sizeof go) {
        return error_errno(error, RULE_CAGE_EXIT, errno, "GO");
    }
    return WLK_OK;
}

static void start_listening(load *l) {
    const wlk_limits *limits = &l->gate->options.policy.limits;
    reader_start(l->ear, &l->worker, l->deadline);
    l->receiver = (wire_receiver){
        .budget = limits->output_bytes,
        .image_limit = limits->image_bytes,
        .file_bytes = l->source.size,
        .max_buffers = (uint32_t)(limits->tensors < MOST_BUFFERS ? limits->tensors : MOST_BUFFERS),
        .transport = transport_of(l->gate, l->source.size),
        .raw_only = true};
    l->result.source = &l->source;
}

/* The answer counts only once the child was seen to end well. A child that died
 * is reported as that, whatever it managed to say; a REFUSE stands. */
static wlk_status conclude(load *l, wlk_status answered, wlk_error *error) {
    wlk_error end = {0};
    const bool cut_off = answered != WLK_OK && error->rule == RULE_WIRE_TRUNCATED;
    const bool refused = l->receiver.state == WIRE_DONE && error->rule != RULE_WIRE_TRAILING;
    if (answered != WLK_OK && !cut_off && !refused) child_kill(&l->worker);
    const bool we_killed = l->worker.killed;
    const uint64_t cpu = l->gate->options.policy.limits.cpu_seconds;
    const wlk_status ended = child_collect(&l->worker, l->deadline, cpu, &end);
    if (we_killed || ended == WLK_OK) return answered;
    *error = end;
    return ended;
}

/* ---- from bytes to a model */

/* What the model keeps alive. */
typedef struct keeper {
    received result;
    snapshot source;
} keeper;

static void keeper_release(void *owner) {
    keeper *k = owner;
    received_drop(&k->result);
    snapshot_drop(&k->source);
    mem_free(k);
}

/* Hands image and payloads to the validator, which owns them from here on. The
 * sealed copy lives on if payloads lie in it, its descriptor does not. */
static wlk_status make_model(load *l, wlk_model **model, wlk_error *error) {
    keeper *k = mem_zeroed(1, sizeof *k);
    if (!k) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint8_t *image = l->result.image;
    const uint64_t file_bytes = l->source.size;
    k->result = l->result;
    k->result.image = NULL;
    k->source = l->source;
    k->result.source = &k->source;
    l->result = (received){0};
    l->source = SNAPSHOT_NONE;
    if (received_needs_source(&k->result)) {
        snapshot_close(&k->source);
    } else {
        snapshot_drop(&k->source);
    }
    const image_payloads payloads = {.buffers = k->result.buffers,
                                     .count = k->result.count,
                                     .owner = k,
                                     .release = keeper_release};
    return image_validate(image, k->result.image_length, file_bytes, &payloads,
                          &l->gate->options.policy.limits, model, error);
}

/* CLOCK_MONOTONIC in nanoseconds; a limit that is out of its range is none. */
static uint64_t deadline_after(uint64_t milliseconds) {
    uint64_t nanoseconds, deadline;
    const bool fits = checked_mul(milliseconds, NANOSECONDS_PER_MS, &nanoseconds) &&
                      checked_add(clock_now(), nanoseconds, &deadline);
    return fits ? deadline : UINT64_MAX;
}

/* Validating takes about as long as the child takes to end, so it is done before
 * the end is waited for. A child whose answer is worthless is not waited for. */
static wlk_status accept_answer(load *l, wlk_model **model, wlk_error *error) {
    wlk_status status = make_model(l, model, error);
    if (status == WLK_OK) status = receive_end(l->ear, error);
    if (status != WLK_OK) child_kill(&l->worker);
    return status;
}

/* Starts a child and takes its answer. *model is handed out only when the child has
 * been seen to end well. Without `model` the child is only started and looked at:
 * it has no artifact, and says so. */
static wlk_status run_child(load *l, wlk_model **model, wlk_error *error) {
    if (l->gate->program < 0) {
        *error = l->gate->program_error;
        return error->status;
    }
    l->ear = mem_alloc(sizeof *l->ear);
    if (!l->ear) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    l->deadline = deadline_after(l->gate->options.policy.limits.deadline_ms);
    TRY(start(l, error));
    l->report.child_started = 1;
    start_listening(l);
    /* Read while the child starts: it costs no time. */
    wlk_status status = attest_own_filters(&l->inherited_filters, error);
    if (status == WLK_OK) status = admit(l, error);
    if (status == WLK_OK) status = receive_result(l->ear, &l->receiver, &l->result, error);
    if (!model && status == WLK_UNDECIDED && error->rule == RULE_FORMAT_EMPTY) status = WLK_OK;
    if (model && status == WLK_OK) status = accept_answer(l, model, error);
    status = conclude(l, status, error);
    if (model && status != WLK_OK) {
        wlk_model_free(*model);
        *model = NULL;
    }
    return status;
}

static wlk_status verify(load *l, wlk_error *error) {
    l->report.file_bytes = l->source.size;
    if (!envelope_magic_matches(l->source.data, l->source.size))
        return error_at(error, RULE_FORMAT_UNKNOWN, 0);
    const wlk_load_options *options = &l->gate->options;
    const wlk_verify_options verify_options = {.trust = options->trust,
                                               .threads = options->threads,
                                               .legacy = options->policy.legacy_signatures};
    return wlk_verify_memory(l->source.data, l->source.size, &verify_options,
                             &l->report.verification, error);
}

static wlk_status check_policy(const load *l, wlk_error *error) {
    const wlk_load_options *options = &l->gate->options;
    return wlk_verification_check(&l->report.verification, options->policy.threshold,
                                  options->allow_unsigned, error);
}

static wlk_status load_source(load *l, wlk_model **model, wlk_error *error) {
    TRY(verify(l, error));
    TRY(check_policy(l, error));
    return run_child(l, model, error);
}

/* ---- entry points: each makes a `load`, runs a step, and lets go of the rest */

typedef wlk_status (*load_step)(load *l, wlk_model **model, wlk_error *error);

static wlk_status verify_step(load *l, wlk_model **model, wlk_error *error) {
    (void)model;
    return verify(l, error);
}

static wlk_status check_step(load *l, wlk_model **model, wlk_error *error) {
    (void)model;
    return run_child(l, NULL, error);
}

/* Runs `step` over the file behind fd (none if negative). */
static wlk_status with_load(wlk_gate *gate, int fd, load_step step, wlk_model **model,
                            wlk_load_report *report, wlk_error *error) {
    wlk_error unused;
    wlk_error *out = error ? error : &unused;
    *out = (wlk_error){.offset = WLK_NO_OFFSET};
    if (report) *report = (wlk_load_report){0};
    if (model) *model = NULL;
    load l = {.gate = gate, .source = SNAPSHOT_NONE, .worker = CHILD_NONE};
    wlk_status status = WLK_OK;
    if (fd >= 0) status = snapshot_take(fd, gate->options.policy.limits.file_bytes, &l.source, out);
    if (status == WLK_OK) status = step(&l, model, out);
    if (report) *report = l.report;
    mem_free(l.ear);
    received_drop(&l.result);
    snapshot_drop(&l.source);
    return status;
}

static wlk_status with_path(wlk_gate *gate, const char *path, load_step step, wlk_model **model,
                            wlk_load_report *report, wlk_error *error) {
    int fd;
    if (model) *model = NULL;
    if (report) *report = (wlk_load_report){0};
    TRY(snapshot_open_path(path, &fd, error));
    const wlk_status status = with_load(gate, fd, step, model, report, error);
    (void)close(fd);
    return status;
}

wlk_status wlk_gate_load_path(wlk_gate *gate, const char *path, wlk_model **model,
                              wlk_load_report *report, wlk_error *error) {
    return with_path(gate, path, load_source, model, report, error);
}

wlk_status wlk_gate_load_fd(wlk_gate *gate, int fd, wlk_model **model, wlk_load_report *report,
                            wlk_error *error) {
    *model = NULL;
    if (report) *report = (wlk_load_report){0};
    if (fd < 0) return error_errno(error, RULE_GATE_READ, EBADF, "descriptor");
    return with_load(gate, fd, load_source, model, report, error);
}

wlk_status wlk_gate_verify_path(wlk_gate *gate, const char *path, wlk_load_report *report,
                                wlk_error *error) {
    return with_path(gate, path, verify_step, NULL, report, error);
}

wlk_status wlk_gate_check(wlk_gate *gate, wlk_load_report *report, wlk_error *error) {
    return with_load(gate, -1, check_step, NULL, report, error);
}

wlk_status wlk_load_path(const char *path, const wlk_load_options *options, wlk_model **model,
                         wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate;
    *model = NULL;
    TRY(wlk_gate_open(options, &gate, error));
    const wlk_status status = wlk_gate_load_path(gate, path, model, report, error);
    wlk_gate_close(gate);
    return status;
}
