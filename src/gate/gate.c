/* The coordinator: snapshot, verify, parse in a cage, audit. Each step is a module of
 * its own; this file is the gate and their order, and nothing else. */
#include "gate/gate.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "base/pickle_rows.h"
#include "gate/artifact.h"
#include "gate/explain.h"
#include "gate/pool.h"
#include "gate/session.h"
#include "gate/weights.h"

#ifndef WLK_CHILD_PATH
#define WLK_CHILD_PATH "/usr/local/libexec/weighlock/weighlock-child"
#endif

#define NOBODY 65534
#define MOST_HEAP_BYTES (1ull << 47)   /* no process has more address space */
#define MOST_STREAM_BYTES (1ull << 40) /* beside that heap there is not room for everything */
#define AUTO_MAP_BYTES (1u << 20)

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

/* To what the kernel can hold a child: what is added to a limit must not wrap around,
 * and less than a second of processor time cannot be told apart from a second. */
static void limits_clamp(wlk_limits *limits) {
    if (limits->heap_bytes > MOST_HEAP_BYTES) limits->heap_bytes = MOST_HEAP_BYTES;
    if (limits->pool_file_bytes > MOST_STREAM_BYTES) limits->pool_file_bytes = MOST_STREAM_BYTES;
    if (limits->cpu_seconds > UINT32_MAX) limits->cpu_seconds = UINT32_MAX;
    if (limits->cpu_seconds == 0) limits->cpu_seconds = 1;
}

wire_transport gate_transport(const wlk_gate *gate, uint64_t file_bytes) {
    const wlk_transport wanted = gate->options.transport;
    const bool map = wanted == WLK_TRANSPORT_MAP ||
                     (wanted == WLK_TRANSPORT_AUTO && file_bytes > AUTO_MAP_BYTES);
    return map ? WIRE_TRANSPORT_MAP : WIRE_TRANSPORT_PIPE;
}

/* A policy that was parsed does; one that a caller has put together may not. */
static bool policy_fits(const wlk_policy *policy) {
    return policy->pickle_bytes <= sizeof policy->pickle &&
           pickle_rows_valid(policy->pickle, policy->pickle_bytes);
}

/* The last step of opening: from here on the gate must not move. */
static wlk_status open_pool(wlk_gate *gate, wlk_error *error) {
    const wlk_load_options *options = &gate->options;
    if (options->pool > options->policy.limits.pool_children) {
        return error_at(error, RULE_LIMIT_POOL_CHILDREN, WLK_NO_OFFSET);
    }
    const bool useful = options->policy.limits.pool_file_bytes > 0 && gate->program >= 0;
    if (options->pool == 0 || !useful) return WLK_OK;
    return pool_open(gate, options->pool, &gate->pool, error);
}

wlk_status wlk_gate_open(const wlk_load_options *options, wlk_gate **gate, wlk_error *error) {
    wlk_gate *made = mem_zeroed(1, sizeof *made);
    *gate = NULL;
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_load_options_default(&made->options);
    if (options) made->options = *options;
    if (!policy_fits(&made->options.policy)) {
        mem_free(made);
        return error_text(error, RULE_POLICY_VALUE, WLK_NO_OFFSET, "rows of [pickle]");
    }
    limits_clamp(&made->options.policy.limits);
    const char *path = made->options.child_path ? made->options.child_path : WLK_CHILD_PATH;
    made->program = -1;
    (void)!child_program_open(path, &made->program, &made->program_error);
    made->null = open("/dev/null", O_RDWR | O_CLOEXEC); /* without it a start fails */
    made->spaces.fd[0] = -1;
    if (gate_wanted_layers(made) & 1u << LAYER_NAMESPACES) made->spaces = child_spaces_new();
    made->options.child_path = NULL; /* the caller's string need not live on */
    choose_account(made);
    const wlk_status status = open_pool(made, error);
    if (status == WLK_OK) {
        *gate = made;
    } else {
        wlk_gate_close(made);
    }
    return status;
}

void wlk_gate_close(wlk_gate *gate) {
    if (!gate) return;
    pool_close(gate->pool);
    if (gate->program >= 0) (void)close(gate->program);
    if (gate->null >= 0) (void)close(gate->null);
    if (gate->spaces.fd[0] >= 0) child_spaces_close(&gate->spaces);
    mem_free(gate);
}

uint32_t wlk_gate_waiting(wlk_gate *gate) {
    return pool_waiting(gate->pool);
}

/* ---- a load, step by step */

/* Once, whole, and held against both limits: what is opened at all, what is copied. */
static wlk_status take_snapshot(session *s, int fd, wlk_error *error) {
    uint64_t size;
    TRY(snapshot_measure(fd, s->limits.file_bytes, &size, error));
    TRY(snapshot_take(fd, s->limits.snapshot_bytes, &s->source, error));
    s->file_bytes = s->report->file_bytes = s->source.size;
    return WLK_OK;
}

static wlk_status verify(session *s, const wlk_artifact *artifact, wlk_error *error) {
    const wlk_load_options *options = &s->gate->options;
    __attribute__((cleanup(evidence_drop))) evidence known = {0};
    TRY(evidence_collect(artifact, options->trust, &known, error));
    const wlk_verify_options verify_options = {.trust = options->trust,
                                               .evidence = &known.all,
                                               .threads = options->threads,
                                               .legacy = options->policy.legacy_signatures};
    return wlk_verify_memory(s->source.data, s->source.size, &verify_options,
                             &s->report->verification, error);
}

/* A .wlk file's envelope has been verified: it is what it says. Of any other file this
 * process reads nothing: what it is, the child finds out. */
static wlk_status choose_format(session *s, wlk_error *error) {
    envelope e;
    if (!s->report->verification.native) {
        s->format = WIRE_FORMAT_CONTENT;
        return WLK_OK;
    }
    s->report->format = WLK_FORMAT_WLK;
    TRY(envelope_decode(s->source.data, s->source.size, &e, error));
    s->data_from = e.data_off;
    s->decodes = e.codecs != ENVELOPE_CODEC_RAW;
    return WLK_OK;
}

/* Who takes unsigned files in takes those too about which nothing could be checked: it is
 * the child that finds out what they are. */
static wlk_status check_policy(const session *s, wlk_error *error) {
    const wlk_load_options *options = &s->gate->options;
    if (options->allow_unsigned) return WLK_OK;
    return wlk_verification_check(&s->report->verification, options->policy.threshold, 0, error);
}

static wlk_status audit(const session *s, wlk_model **model, wlk_error *error) {
    const wlk_load_options *options = &s->gate->options;
    const wlk_status status =
        weights_audit(*model, &options->policy, options->threads, &s->report->nonfinite, error);
    if (status != WLK_OK) {
        wlk_model_free(*model);
        *model = NULL;
    }
    return status;
}

static wlk_status load_source(session *s, const wlk_artifact *artifact, wlk_model **model,
                              wlk_error *error) {
    TRY(verify(s, artifact, error));
    TRY(choose_format(s, error));
    TRY(check_policy(s, error));
    TRY(session_parse(s, model, error));
    return audit(s, model, error);
}

/* Of what is neither a .wlk file nor signed nor expected, nothing can be said. */
static wlk_status verify_source(session *s, const wlk_artifact *artifact, wlk_model **model,
                                wlk_error *error) {
    const wlk_verification *found = &s->report->verification;
    (void)model;
    TRY(verify(s, artifact, error));
    if (found->native || found->signer_count > 0 || found->digests > 0) return WLK_OK;
    return error_at(error, RULE_FORMAT_UNKNOWN, 0);
}

/* ---- entry points */

typedef wlk_status (*load_step)(session *s, const wlk_artifact *artifact, wlk_model **model,
                                wlk_error *error);

/* Runs `step` over a snapshot of the artifact, and lets go of all that is left. */
static wlk_status run_session(session *s, const wlk_artifact *artifact, load_step step,
                              wlk_model **model, wlk_error *error) {
    int fd;
    artifact_clear_outputs(s->report, error);
    if (model) *model = NULL;
    TRY(artifact_open(artifact, &fd, error));
    wlk_status status = take_snapshot(s, fd, error);
    if (status == WLK_OK) status = step(s, artifact, model, error);
    session_end(s);
    (void)close(fd);
    return status;
}

static wlk_status with_artifact(wlk_gate *gate, const wlk_artifact *artifact, load_step step,
                                wlk_model **model, wlk_load_report *report, wlk_error *error) {
    wlk_load_report unused_report;
    wlk_error unused_error;
    session s = session_begin(gate, report ? report : &unused_report);
    return run_session(&s, artifact, step, model, error ? error : &unused_error);
}

wlk_status wlk_gate_load(wlk_gate *gate, const wlk_artifact *artifact, wlk_model **model,
                         wlk_load_report *report, wlk_error *error) {
    return with_artifact(gate, artifact, load_source, model, report, error);
}

wlk_status wlk_gate_load_path(wlk_gate *gate, const char *path, wlk_model **model,
                              wlk_load_report *report, wlk_error *error) {
    return wlk_gate_load(gate, &(wlk_artifact){.path = path}, model, report, error);
}

wlk_status wlk_gate_load_fd(wlk_gate *gate, int fd, wlk_model **model, wlk_load_report *report,
                            wlk_error *error) {
    return wlk_gate_load(gate, &(wlk_artifact){.fd = fd}, model, report, error);
}

wlk_status wlk_gate_verify(wlk_gate *gate, const wlk_artifact *artifact, wlk_load_report *report,
                           wlk_error *error) {
    return with_artifact(gate, artifact, verify_source, NULL, report, error);
}

wlk_status wlk_gate_verify_path(wlk_gate *gate, const char *path, wlk_load_report *report,
                                wlk_error *error) {
    return wlk_gate_verify(gate, &(wlk_artifact){.path = path}, report, error);
}

wlk_status wlk_gate_check(wlk_gate *gate, wlk_load_report *report, wlk_error *error) {
    wlk_load_report unused_report;
    wlk_error unused_error;
    wlk_error *out = error ? error : &unused_error;
    session s = session_begin(gate, report ? report : &unused_report);
    artifact_clear_outputs(s.report, out);
    const wlk_status status = session_check(&s, out);
    session_end(&s);
    return status;
}

wlk_status wlk_gate_explain(wlk_gate *gate, const wlk_artifact *artifact, wlk_violation *violation,
                            wlk_error *error) {
    wlk_load_report report;
    wlk_error unused_error;
    wlk_error *out = error ? error : &unused_error;
    wlk_model *model;
    explain watched;
    session s = session_begin(gate, &report);
    explain_begin(&watched);
    s.watch = &watched.watch;
    const wlk_status loaded = run_session(&s, artifact, load_source, &model, out);
    wlk_model_free(model);
    return explain_end(&watched, s.helper.worker.ended_by, violation, loaded, out);
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
