#include "gate/session.h"

#include "base/checked.h"
#include "base/memory.h"
#include "gate/pool.h"
#include "image/validate.h"

#define NANOSECONDS_PER_MS 1000000ull
#define MOST_BUFFERS (1u << 30) /* an image can number no more tensors */

session session_begin(wlk_gate *gate, wlk_load_report *report) {
    return (session){.source = SNAPSHOT_NONE,
                     .format = WIRE_FORMAT_WLK,
                     .gate = gate,
                     .report = report,
                     .limits = gate->options.policy.limits,
                     .helper = STANDBY_NONE};
}

/* ---- start */

static wire_transport transport_of(const session *s) {
    return s->lazy ? WIRE_TRANSPORT_LAZY : gate_transport(s->gate, s->source.size);
}

/* CLOCK_MONOTONIC in nanoseconds; a limit that is out of its range is none. */
static uint64_t deadline_after(uint64_t milliseconds) {
    uint64_t nanoseconds, deadline;
    const bool fits = checked_mul(milliseconds, NANOSECONDS_PER_MS, &nanoseconds) &&
                      checked_add(clock_now(), nanoseconds, &deadline);
    return fits ? deadline : UINT64_MAX;
}

/* A child that waited, if the file fits it; a lazy model's child must not have been made
 * for payloads. */
static bool take_waiting(session *s) {
    const uint64_t size = s->source.size;
    return !s->lazy && !s->watch && size <= s->limits.pool_file_bytes &&
           gate_transport(s->gate, 0) == transport_of(s) && pool_take(s->gate->pool, &s->helper);
}

static wlk_status start(session *s, wlk_error *error) {
    const standby_plan plan = {.snapshot = s->source.fd,
                               .snapshot_bytes = s->source.size,
                               .file_bytes = s->file_bytes,
                               .format = s->format,
                               .transport = transport_of(s),
                               .limits = &s->limits,
                               .deadline = s->deadline,
                               .watch = s->watch};
    return standby_start(s->gate, &plan, &s->helper, error);
}

/* What the child may say from now on. */
static void start_listening(session *s) {
    const wlk_limits *limits = &s->limits;
    wire_receiver *receiver = &s->helper.receiver;
    listen_go_on(s->helper.ear, &s->helper.worker, s->deadline);
    receiver->budget = limits->output_bytes;
    receiver->image_limit = limits->image_bytes;
    receiver->file_bytes = s->file_bytes;
    receiver->data_from = s->data_from;
    receiver->max_buffers =
        (uint32_t)(limits->tensors < MOST_BUFFERS ? limits->tensors : MOST_BUFFERS);
    receiver->transport = transport_of(s);
    receiver->raw_only = s->format == WIRE_FORMAT_WLK && !s->decodes;
    s->result.source = s->lazy ? NULL : &s->source;
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

/* A .wlk file is what was verified as one, and nothing else is; the image's word for
 * what the others are is all that there is. */
static wlk_status check_format(const session *s, wlk_model **model, wlk_error *error) {
    const wlk_format said = wlk_model_format(*model);
    const bool native = s->format == WIRE_FORMAT_WLK;
    if (said != WLK_FORMAT_NONE && (said == WLK_FORMAT_WLK) == native) {
        s->report->format = said;
        return WLK_OK;
    }
    wlk_model_free(*model);
    *model = NULL;
    return error_at(error, RULE_IMAGE_HEADER, 0);
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
    TRY(image_validate(image, k->result.image_length, s->file_bytes, &payloads, &s->limits, model,
                       error));
    return check_format(s, model, error);
}

/* Validating takes about as long as the child takes to end, so it is done before
 * the end is waited for. A child whose answer is worthless is not waited for. */
static wlk_status accept_answer(session *s, wlk_model **model, wlk_error *error) {
    wlk_status status = make_model(s, model, error);
    if (status == WLK_OK) status = receive_end(&s->helper.ear->frames, error);
    /* Who is late may be stopped, which conclude() wants to see. */
    if (status != WLK_OK && error->rule != RULE_LIMIT_DEADLINE) child_kill(&s->helper.worker);
    return status;
}

/* Before HELLO the child has not seen the file: it is killed for a call by a filter that
 * it has inherited. */
static wlk_status blame(const session *s, wlk_status ended, wlk_error *error) {
    const bool silent = s->helper.receiver.state == WIRE_EXPECT_HELLO;
    if (!silent || error->rule != RULE_CAGE_SYSCALL) return ended;
    return error_at(error, RULE_CAGE_LOCK_DOWN, WLK_NO_OFFSET);
}

/* The answer counts only once the child was seen to end well. A child that died
 * is reported as that, whatever it managed to say; a REFUSE stands. */
static wlk_status conclude(session *s, wlk_status answered, wlk_error *error) {
    wlk_error end = {0};
    const bool cut_off = answered != WLK_OK && error->rule == RULE_WIRE_TRUNCATED;
    const bool refused = s->helper.receiver.state == WIRE_DONE && error->rule != RULE_WIRE_TRAILING;
    const bool late = answered != WLK_OK && error->rule == RULE_LIMIT_DEADLINE;
    const bool unlike = answered != WLK_OK &&
                        (error->rule == RULE_CAGE_ATTEST || error->rule == RULE_CAGE_UNREADABLE);
    /* Who dies while it is looked at looks like nothing that it claims. */
    const bool gone = cut_off || refused || (unlike && child_is_ending(&s->helper.worker));
    if (late && child_is_stopped(&s->helper.worker)) {
        answered = error_at(error, RULE_CAGE_STOPPED, WLK_NO_OFFSET);
    }
    if (answered != WLK_OK && !gone) child_kill(&s->helper.worker);
    const bool we_killed = s->helper.worker.killed;
    const wlk_status ended =
        child_collect(&s->helper.worker, s->deadline, s->limits.cpu_seconds, &end);
    if (we_killed || ended == WLK_OK) return answered;
    *error = end;
    return blame(s, ended, error);
}

/* ---- the whole */

static wlk_status hear_child(session *s, wlk_error *error) {
    standby *helper = &s->helper;
    const bool pooled = s->report->pooled;
    const wlk_status admitted = pooled ? WLK_OK : standby_admit(s->gate, helper, error);
    standby_tell(helper, s->report);
    if (admitted != WLK_OK) return admitted;
    start_listening(s);
    TRY(standby_go(helper, pooled ? &s->source : NULL, pooled ? s->format : WIRE_FORMAT_NONE,
                   s->deadline, error));
    return receive_result(&helper->ear->frames, &helper->receiver, &s->result, error);
}

/* Without `model` the child has no artifact, and says so. */
static wlk_status run_child(session *s, wlk_model **model, wlk_error *error) {
    s->deadline = deadline_after(s->limits.deadline_ms);
    s->report->pooled = model && take_waiting(s);
    if (!s->report->pooled) TRY(start(s, error));
    s->report->child_started = 1;
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
    standby_drop(&s->helper);
    received_drop(&s->result);
    snapshot_drop(&s->source);
    if (s->report->pooled) pool_refill(s->gate->pool); /* now there is time for it */
}
