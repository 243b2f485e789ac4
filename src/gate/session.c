#include "gate/session.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "gate/attest.h"
#include "image/validate.h"
#include "wire/frame.h"

#define AUTO_MAP_BYTES (1u << 20)
#define LARGE_BYTES 65536 /* what fits in a pipe as the kernel makes it */
#define NANOSECONDS_PER_MS 1000000ull
#define MOST_BUFFERS (1u << 30) /* an image can number no more tensors */

session session_begin(wlk_gate *gate, wlk_load_report *report) {
    return (session){.source = SNAPSHOT_NONE,
                     .gate = gate,
                     .report = report,
                     .limits = gate->options.policy.limits,
                     .worker = CHILD_NONE};
}

/* ---- start */

typedef struct order_message {
    frame_header header;
    wire_order order;
} order_message;

static wire_transport transport_of(const session *s) {
    const wlk_transport wanted = s->gate->options.transport;
    if (s->lazy) return WIRE_TRANSPORT_LAZY;
    const bool map = wanted == WLK_TRANSPORT_MAP ||
                     (wanted == WLK_TRANSPORT_AUTO && s->source.size > AUTO_MAP_BYTES);
    return map ? WIRE_TRANSPORT_MAP : WIRE_TRANSPORT_PIPE;
}

/* A process that has given up root since it opened the gate may not. */
static bool joins_spaces(const wlk_gate *gate) {
    return gate->spaces.fd[0] >= 0 && geteuid() == 0;
}

static order_message make_order(const session *s) {
    const wlk_gate *gate = s->gate;
    order_message message = {.order = {.protocol = WIRE_PROTOCOL,
                                       .format = WIRE_FORMAT_WLK,
                                       .transport = (uint32_t)transport_of(s),
                                       .spaces = joins_spaces(gate),
                                       .layers = gate_wanted_layers(gate),
                                       .required = gate_required_layers(gate),
                                       .uid = gate->uid,
                                       .gid = gate->gid,
                                       .parent_pid = (uint32_t)getpid(),
                                       .snapshot_bytes = s->source.size,
                                       .file_bytes = s->file_bytes,
                                       .limits = s->limits}};
    message.header = frame_make(FRAME_ORDER, 0, sizeof message.order, 0, 0);
    return message;
}

/* A PID namespace exists from clone on; an ordinary user needs a user namespace
 * for it. Where the kernel refuses, the child starts without, unless that layer
 * is required or was held before. */
static wlk_status start(session *s, wlk_error *error) {
    const wlk_gate *gate = s->gate;
    const order_message message = make_order(s);
    const uint32_t pid_layer = 1u << LAYER_PID_NAMESPACE;
    const uint32_t spaces = pid_layer | 1u << LAYER_NAMESPACES;
    int flags = 0;
    if (message.order.layers & spaces && geteuid() != 0) flags |= CLONE_NEWUSER;
    if (message.order.layers & pid_layer) flags |= CLONE_NEWPID;
    child_start first = {.program = gate->program,
                         .null = gate->null,
                         .snapshot = s->source.fd,
                         .spaces = joins_spaces(gate) ? &gate->spaces : NULL,
                         .namespace_flags = flags,
                         .order = &message,
                         .order_bytes = sizeof message,
                         .large = s->source.size > LARGE_BYTES};
    int reason;
    const wlk_status status = child_spawn(&first, &s->worker, &reason, error);
    const uint32_t needed = message.order.required | atomic_load(&gate->achieved);
    if (status == WLK_OK || reason == 0) return status;
    if (needed & pid_layer) return gate_layer_missing(gate, LAYER_PID_NAMESPACE, reason, error);
    first.namespace_flags = 0;
    return child_spawn(&first, &s->worker, &reason, error);
}

/* CLOCK_MONOTONIC in nanoseconds; a limit that is out of its range is none. */
static uint64_t deadline_after(uint64_t milliseconds) {
    uint64_t nanoseconds, deadline;
    const bool fits = checked_mul(milliseconds, NANOSECONDS_PER_MS, &nanoseconds) &&
                      checked_add(clock_now(), nanoseconds, &deadline);
    return fits ? deadline : UINT64_MAX;
}

static void start_listening(session *s) {
    const wlk_limits *limits = &s->limits;
    reader_start(s->ear, &s->worker, s->deadline);
    s->receiver = (wire_receiver){
        .budget = limits->output_bytes,
        .image_limit = limits->image_bytes,
        .file_bytes = s->file_bytes,
        .data_from = s->data_from,
        .max_buffers = (uint32_t)(limits->tensors < MOST_BUFFERS ? limits->tensors : MOST_BUFFERS),
        .transport = transport_of(s),
        .raw_only = true};
    s->result.source = s->lazy ? NULL : &s->source;
}

/* ---- HELLO, attestation, GO */

/* Records HELLO's results; a required layer, or one that held before, must hold. */
static wlk_status check_layers(session *s, const wire_hello *hello, uint32_t *held,
                               wlk_error *error) {
    const uint32_t required = gate_required_layers(s->gate);
    const uint32_t before = atomic_load(&s->gate->achieved);
    const uint32_t wanted = gate_wanted_layers(s->gate);
    *held = 0;
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        const wire_layer_result *result = &hello->results[i];
        s->report->layer_errno[i] = result->reason;
        if (result->held) *held |= 1u << i;
        if (wanted >> i & 1) {
            s->report->layers[i] = result->held ? WLK_LAYER_REPORTED : WLK_LAYER_FAILED;
        }
    }
    for (uint32_t i = 0; i < WIRE_MAX_LAYERS; i++) { /* also those that do not exist */
        if (*held >> i & 1 || !((required | before) >> i & 1)) continue;
        const int reason = i < LAYER_COUNT ? hello->results[i].reason : EINVAL;
        return gate_layer_missing(s->gate, i, reason, error);
    }
    return WLK_OK;
}

static wlk_status attest(session *s, uint32_t held, wlk_error *error) {
    const attest_claim claim = {.pid = s->worker.pid,
                                .privileged = geteuid() == 0,
                                .uid = s->gate->uid,
                                .gid = s->gate->gid,
                                .held = held,
                                .inherited_filters = s->inherited_filters,
                                .limits = &s->limits};
    uint32_t attested;
    TRY(attest_child(&claim, &attested, error));
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (attested >> i & 1) s->report->layers[i] = WLK_LAYER_ATTESTED;
    }
    atomic_fetch_or(&s->gate->achieved, held);
    return WLK_OK;
}

static wlk_status admit(session *s, wlk_error *error) {
    wire_hello hello;
    uint32_t held;
    TRY(receive_hello(s->ear, &s->receiver, &hello, error));
    TRY(check_layers(s, &hello, &held, error));
    TRY(attest(s, held, error));
    const frame_header go = frame_make(FRAME_GO, 0, 0, 1, 0);
    if (write(s->worker.control, &go, sizeof go) != (ssize_t)sizeof go) {
        return error_errno(error, RULE_CAGE_EXIT, errno, "GO");
    }
    return WLK_OK;
}

/* ---- the answer */

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

/* The sealed copy lives on if payloads lie in it, its descriptor does not. */
static void keep_source(keeper *k, session *s) {
    k->source = s->source;
    k->result.source = &k->source;
    s->source = SNAPSHOT_NONE;
    if (received_needs_source(&k->result)) {
        snapshot_close(&k->source);
    } else {
        snapshot_drop(&k->source);
    }
}

/* Hands image and payloads to the validator, which owns them from here on. */
static wlk_status make_model(session *s, wlk_model **model, wlk_error *error) {
    keeper *k = mem_zeroed(1, sizeof *k);
    if (!k) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint8_t *image = s->result.image;
    k->result = s->result;
    k->result.image = NULL;
    k->source = SNAPSHOT_NONE;
    s->result = (received){0};
    if (!s->lazy) keep_source(k, s);
    const image_payloads payloads = {.buffers = k->result.buffers,
                                     .count = k->result.count,
                                     .owner = k,
                                     .release = keeper_release,
                                     .absent = s->lazy};
    return image_validate(image, k->result.image_length, s->file_bytes, &payloads, &s->limits,
                          model, error);
}

/* Validating takes about as long as the child takes to end, so it is done before
 * the end is waited for. A child whose answer is worthless is not waited for. */
static wlk_status accept_answer(session *s, wlk_model **model, wlk_error *error) {
    wlk_status status = make_model(s, model, error);
    if (status == WLK_OK) status = receive_end(s->ear, error);
    /* Who is late may be stopped, which conclude() wants to see. */
    if (status != WLK_OK && error->rule != RULE_LIMIT_DEADLINE) child_kill(&s->worker);
    return status;
}

/* The answer counts only once the child was seen to end well. A child that died
 * is reported as that, whatever it managed to say; a REFUSE stands. */
static wlk_status conclude(session *s, wlk_status answered, wlk_error *error) {
    wlk_error end = {0};
    const bool cut_off = answered != WLK_OK && error->rule == RULE_WIRE_TRUNCATED;
    const bool refused = s->receiver.state == WIRE_DONE && error->rule != RULE_WIRE_TRAILING;
    const bool late = answered != WLK_OK && error->rule == RULE_LIMIT_DEADLINE;
    const bool unlike = answered != WLK_OK &&
                        (error->rule == RULE_CAGE_ATTEST || error->rule == RULE_CAGE_UNREADABLE);
    /* Who dies while it is looked at looks like nothing that it claims. */
    const bool gone = cut_off || refused || (unlike && child_is_ending(&s->worker));
    if (late && child_is_stopped(&s->worker)) {
        answered = error_at(error, RULE_CAGE_STOPPED, WLK_NO_OFFSET);
    }
    if (answered != WLK_OK && !gone) child_kill(&s->worker);
    const bool we_killed = s->worker.killed;
    const wlk_status ended = child_collect(&s->worker, s->deadline, s->limits.cpu_seconds, &end);
    if (we_killed || ended == WLK_OK) return answered;
    *error = end;
    return ended;
}

/* ---- the whole */

static wlk_status hear_child(session *s, wlk_error *error) {
    /* Read while the child starts: it costs no time. */
    TRY(attest_own_filters(&s->inherited_filters, error));
    TRY(admit(s, error));
    return receive_result(s->ear, &s->receiver, &s->result, error);
}

/* Without `model` the child has no artifact, and says so. */
static wlk_status run_child(session *s, wlk_model **model, wlk_error *error) {
    if (s->gate->program < 0) {
        *error = s->gate->program_error;
        return error->status;
    }
    s->ear = mem_alloc(sizeof *s->ear);
    if (!s->ear) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    s->deadline = deadline_after(s->limits.deadline_ms);
    TRY(start(s, error));
    s->report->child_started = 1;
    start_listening(s);
    wlk_status status = hear_child(s, error);
    if (!model && status == WLK_UNDECIDED && error->rule == RULE_FORMAT_EMPTY) status = WLK_OK;
    if (model && status == WLK_OK) status = accept_answer(s, model, error);
    return conclude(s, status, error);
}

wlk_status session_parse(session *s, wlk_model **model, wlk_error *error) {
    if (s->lazy) s->limits.output_bytes = UINT64_MAX; /* what is only named takes no room */
    const wlk_status status = run_child(s, model, error);
    if (status != WLK_OK) {
        wlk_model_free(*model);
        *model = NULL;
    }
    return status;
}

wlk_status session_check(session *s, wlk_error *error) {
    return run_child(s, NULL, error);
}

void session_end(session *s) {
    mem_free(s->ear);
    received_drop(&s->result);
    snapshot_drop(&s->source);
}
