#include "gate/standby.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "gate/attest.h"

#define LARGE_BYTES 65536 /* what fits in a pipe as the kernel makes it */

/* ---- start */

typedef struct order_message {
    frame_header header;
    wire_order order;
    uint8_t policy[WIRE_MAX_POLICY];
} order_message;
_Static_assert(WLK_POLICY_PICKLE_BYTES <= WIRE_MAX_POLICY, "every row of a policy has room");
_Static_assert(offsetof(order_message, policy) == sizeof(frame_header) + sizeof(wire_order),
               "what is sent has no padding");

/* A process that has given up root since it opened the gate may not. */
static bool joins_spaces(const wlk_gate *gate) {
    return gate->spaces.fd[0] >= 0 && geteuid() == 0;
}

static void make_order(const wlk_gate *gate, const standby_plan *plan, order_message *message) {
    const wlk_policy *policy = &gate->options.policy;
    message->order = (wire_order){.protocol = WIRE_PROTOCOL,
                                  .format = (uint32_t)plan->format,
                                  .transport = (uint32_t)plan->transport,
                                  .spaces = joins_spaces(gate),
                                  .layers = gate_wanted_layers(gate),
                                  .required = gate_required_layers(gate),
                                  .uid = gate->uid,
                                  .gid = gate->gid,
                                  .parent_pid = (uint32_t)getpid(),
                                  .policy_length = policy->pickle_bytes,
                                  .snapshot_bytes = plan->snapshot_bytes,
                                  .file_bytes = plan->file_bytes,
                                  .stream_bytes = plan->stream_bytes,
                                  .limits = *plan->limits};
    message->header =
        frame_make(FRAME_ORDER, 0, sizeof message->order + policy->pickle_bytes, 0, 0);
    memcpy(message->policy, policy->pickle, policy->pickle_bytes);
}

/* A PID namespace exists from clone on; an ordinary user needs a user namespace
 * for it. Where the kernel refuses, the child starts without, unless that layer
 * is required or was held before. */
static wlk_status spawn(const wlk_gate *gate, standby *s, wlk_error *error) {
    order_message message;
    const uint32_t pid_layer = 1u << LAYER_PID_NAMESPACE;
    const uint32_t spaces = pid_layer | 1u << LAYER_NAMESPACES;
    int flags = 0;
    make_order(gate, &s->plan, &message);
    if (message.order.layers & spaces && geteuid() != 0) flags |= CLONE_NEWUSER;
    if (message.order.layers & pid_layer) flags |= CLONE_NEWPID;
    child_start first = {.program = gate->program,
                         .null = gate->null,
                         .snapshot = s->plan.snapshot,
                         .spaces = joins_spaces(gate) ? &gate->spaces : NULL,
                         .namespace_flags = flags,
                         .order = &message,
                         .order_bytes = sizeof message.header + message.header.length,
                         .deadline = s->plan.deadline,
                         .large = s->plan.snapshot_bytes > LARGE_BYTES,
                         .watch = s->plan.watch};
    int reason;
    const wlk_status status = child_spawn(&first, &s->worker, &reason, error);
    const uint32_t needed = message.order.required | atomic_load(&gate->achieved);
    if (status == WLK_OK || reason == 0) return status;
    if (needed & pid_layer) return gate_layer_missing(gate, LAYER_PID_NAMESPACE, reason, error);
    s->clone_errno = reason;
    first.namespace_flags = 0;
    return child_spawn(&first, &s->worker, &reason, error);
}

wlk_status standby_start(const wlk_gate *gate, const standby_plan *plan, standby *out,
                         wlk_error *error) {
    *out = STANDBY_NONE;
    out->plan = *plan;
    out->parent_uid = geteuid();
    if (gate->program < 0) {
        *error = gate->program_error;
        return error->status;
    }
    out->ear = mem_alloc(sizeof *out->ear);
    if (!out->ear) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = spawn(gate, out, error);
    if (status != WLK_OK) standby_drop(out);
    return status;
}

/* ---- HELLO and attestation */

/* Why a layer does not hold; 0: the child stopped before it, or was not asked for it. Why
 * there is no PID namespace, only the clone was told. */
static int reason_of(const standby *s, const wire_hello *hello, uint32_t layer) {
    const wire_layer_result *result = &hello->results[layer];
    const bool refused = layer == LAYER_PID_NAMESPACE && !result->held && result->reason != 0;
    return refused && s->clone_errno != 0 ? s->clone_errno : result->reason;
}

static wlk_layer_state state_of(const wire_layer_result *result) {
    if (result->held) return WLK_LAYER_REPORTED;
    return result->reason != 0 ? WLK_LAYER_FAILED : WLK_LAYER_NOT_TRIED;
}

/* Records HELLO's results; a required layer, or one that held before, must hold. */
static wlk_status check_layers(const wlk_gate *gate, standby *s, const wire_hello *hello,
                               wlk_error *error) {
    const uint32_t required = gate_required_layers(gate);
    const uint32_t before = atomic_load(&gate->achieved);
    const uint32_t wanted = gate_wanted_layers(gate);
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        const wire_layer_result *result = &hello->results[i];
        s->layer_errno[i] = reason_of(s, hello, i);
        if (result->held) s->held |= 1u << i;
        if (wanted >> i & 1) s->layers[i] = state_of(result);
    }
    for (uint32_t i = 0; i < WIRE_MAX_LAYERS; i++) { /* also those that do not exist */
        if (s->held >> i & 1 || !((required | before) >> i & 1)) continue;
        const int reason = i < LAYER_COUNT ? s->layer_errno[i] : EINVAL;
        return gate_layer_missing(gate, i, reason, error);
    }
    return WLK_OK;
}

static wlk_status attest(wlk_gate *gate, standby *s, wlk_error *error) {
    const attest_claim claim = {.pid = s->worker.pid,
                                .privileged = geteuid() == 0,
                                .uid = gate->uid,
                                .gid = gate->gid,
                                .held = s->held,
                                .inherited_filters = s->inherited_filters,
                                .stream_bytes = s->plan.stream_bytes,
                                .limits = s->plan.limits};
    uint32_t attested;
    TRY(attest_child(&claim, &attested, error));
    for (uint32_t i = 0; i < LAYER_COUNT; i++) {
        if (attested >> i & 1) s->layers[i] = WLK_LAYER_ATTESTED;
    }
    atomic_fetch_or(&gate->achieved, s->held);
    return WLK_OK;
}

wlk_status standby_admit(wlk_gate *gate, standby *s, wlk_error *error) {
    wire_hello hello;
    listen_start(s->ear, &s->worker, s->plan.deadline);
    /* Read while the child starts: it costs no time. */
    TRY(attest_own_filters(&s->inherited_filters, error));
    TRY(receive_hello(&s->ear->frames, &s->receiver, &hello, error));
    TRY(check_layers(gate, s, &hello, error));
    return attest(gate, s, error);
}

/* ---- GO */

/* What is left to be written: the header, then the file. */
typedef struct outgoing {
    struct iovec parts[2];
} outgoing;

static uint64_t left_of(const outgoing *o) {
    return o->parts[0].iov_len + o->parts[1].iov_len;
}

static void advance(outgoing *o, uint64_t bytes) {
    for (int i = 0; i < 2; i++) {
        struct iovec *part = &o->parts[i];
        const uint64_t step = bytes < part->iov_len ? bytes : part->iov_len;
        if (step == 0) continue; /* there may be no file at all */
        part->iov_base = (uint8_t *)part->iov_base + step;
        part->iov_len -= step;
        bytes -= step;
    }
}

/* Waits until the pipe takes more. An honest child says nothing before it has read all. */
static wlk_status wait_writable(const standby *s, uint64_t deadline, wlk_error *error) {
    enum { CONTROL, RESULT, END };
    struct pollfd watched[] = {[CONTROL] = {.fd = s->worker.control, .events = POLLOUT},
                               [RESULT] = {.fd = s->worker.result, .events = POLLIN},
                               [END] = {.fd = s->worker.pidfd, .events = POLLIN}};
    const uint64_t now = clock_now();
    if (now >= deadline) return error_at(error, RULE_LIMIT_DEADLINE, WLK_NO_OFFSET);
    const struct timespec wait = clock_span(deadline - now);
    if (ppoll(watched, 3, &wait, NULL) < 0 && errno != EINTR) {
        return error_errno(error, RULE_CAGE_UNSEEN, errno, "poll");
    }
    if (watched[RESULT].revents & POLLIN) {
        return error_text(error, RULE_WIRE_STATE, WLK_NO_OFFSET, "frame %llu, before GO was read",
                          (unsigned long long)s->receiver.sequence);
    }
    const bool ended = watched[END].revents || watched[RESULT].revents;
    return ended ? error_at(error, RULE_WIRE_TRUNCATED, WLK_NO_OFFSET) : WLK_OK;
}

wlk_status standby_go(standby *s, const snapshot *file, wire_format format, uint64_t deadline,
                      wlk_error *error) {
    const uint64_t length = file ? file->size : 0;
    frame_header header = frame_make(FRAME_GO, 0, length, 1, (uint64_t)format);
    outgoing rest = {
        {{.iov_base = &header, .iov_len = sizeof header},
         {.iov_base = file ? (void *)(uintptr_t)file->data : NULL, .iov_len = length}}};
    if (length > LARGE_BYTES) child_widen(&s->worker);
    while (left_of(&rest) > 0) {
        const ssize_t put = writev(s->worker.control, rest.parts, 2);
        if (put >= 0) {
            advance(&rest, (uint64_t)put);
        } else if (errno == EAGAIN) {
            TRY(wait_writable(s, deadline, error));
        } else if (errno != EINTR) {
            return error_errno(error, RULE_CAGE_EXIT, errno, "GO");
        }
    }
    return WLK_OK;
}

/* ---- a child that has waited */

bool standby_is_good(const wlk_gate *gate, const standby *s) {
    const uint32_t needed = gate_required_layers(gate) | atomic_load(&gate->achieved);
    return (needed & ~s->held) == 0 && s->parent_uid == geteuid() && !child_has_ended(&s->worker) &&
           !child_is_stopped(&s->worker);
}

void standby_tell(const standby *s, wlk_load_report *report) {
    memcpy(report->layers, s->layers, sizeof report->layers);
    memcpy(report->layer_errno, s->layer_errno, sizeof report->layer_errno);
}

void standby_drop(standby *s) {
    mem_free(s->ear);
    s->ear = NULL;
}
