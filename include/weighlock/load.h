/* Loading: a file nobody trusts goes in, a validated model or an exact refusal
 * comes out. The file is copied once, sealed, verified, and parsed by a confined
 * child process (docs/design.md).
 *
 * Thread-safe: any number of loads may run at once. A load has one child of its own,
 * which has ended and been collected when the call returns.
 */
#ifndef WEIGHLOCK_LOAD_H
#define WEIGHLOCK_LOAD_H

#include <weighlock/model.h>
#include <weighlock/policy.h>
#include <weighlock/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wlk_transport {
    WLK_TRANSPORT_AUTO = 0, /* pipe up to 1 MiB, map above */
    WLK_TRANSPORT_PIPE = 1, /* every array's bytes come over the pipe: the default */
    WLK_TRANSPORT_MAP = 2   /* raw arrays are mapped from the sealed copy */
} wlk_transport;

typedef enum wlk_layers {
    WLK_LAYERS_ALL = 0,     /* every layer that the machine can hold */
    WLK_LAYERS_REQUIRED = 1 /* only those without which nothing is loaded */
} wlk_layers;

/* Start from wlk_load_options_default. */
typedef struct wlk_load_options {
    const char *child_path; /* weighlock-child; NULL: where it was installed */
    const wlk_trust *trust; /* NULL: no key is trusted */
    int allow_unsigned;     /* also load what no trusted key vouches for */
    wlk_transport transport;
    wlk_layers layers;
    uint32_t require; /* bit i: layer i is required too (wlk_layer_name) */
    uint32_t uid;     /* for the child when started as root; 0: _weighlock or 65534 */
    uint32_t threads; /* for hashing; default 2 */
    uint32_t pool;    /* children that wait, locked down and attested, each for one file of at
                         most limits.pool_file_bytes; default 0: every load starts its own */
    wlk_policy policy;
} wlk_load_options;

WLK_API void wlk_load_options_default(wlk_load_options *options);

#define WLK_LAYER_COUNT 19

typedef enum wlk_layer_state {
    WLK_LAYER_NOT_TRIED = 0, /* not asked for, or the child ended before it */
    WLK_LAYER_FAILED = 1,
    WLK_LAYER_REPORTED = 2, /* the child says that it holds */
    WLK_LAYER_ATTESTED = 3  /* and the parent has seen it from outside */
} wlk_layer_state;

/* NaN and infinity among the weights, counted by this process. */
typedef struct wlk_nonfinite {
    uint64_t nan;
    uint64_t infinity;
    uint32_t tensor;  /* the first that holds one; WLK_NONE: none does */
    uint64_t element; /* the first such element of it */
} wlk_nonfinite;

/* What happened, filled in as far as the load got, also when it failed. */
typedef struct wlk_load_report {
    wlk_verification verification;
    uint64_t file_bytes;
    wlk_format format;       /* NONE until it is known: a .wlk file's by its verification, any
                                other's by the child, once all held */
    wlk_nonfinite nonfinite; /* what the policy does not ignore */
    int child_started;
    int pooled; /* that child had waited in the pool */
    wlk_layer_state layers[WLK_LAYER_COUNT];
    int32_t layer_errno[WLK_LAYER_COUNT];
} wlk_load_report;

/* "seccomp" ...: a layer's stable name, NULL past the last; and whether a load is
 * refused without it. */
WLK_API const char *wlk_layer_name(uint32_t layer);
WLK_API int wlk_layer_required(uint32_t layer);

/* A gate: the options, the child program (opened once and checked on that
 * descriptor), and which layers this machine was found to hold. A later child
 * that misses one of them is refused. Safe to use from many threads. */
typedef struct wlk_gate wlk_gate;

/* options may be NULL for the defaults; options->trust must outlive the gate. A
 * child program that cannot be used is reported by the first load. More children in
 * options->pool than limits.pool_children are limit.pool-children. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_open(const wlk_load_options *options, wlk_gate **gate,
                                              wlk_error *error);
/* Ends the children that wait. NULL is allowed; no load may be under way. */
WLK_API void wlk_gate_close(wlk_gate *gate);

/* How many children of the pool wait now. One long-lived thread of the gate refills it
 * in the background; a load that finds none waiting starts its own, and so does every
 * load in a process that was forked from the one that opened the gate. */
WLK_API uint32_t wlk_gate_waiting(wlk_gate *gate);

/* One file, and what is known of it besides its bytes. Start from all zero. */
typedef struct wlk_artifact {
    const char *path; /* opened once; the signatures that lie beside it are used too. NULL: */
    int fd;           /* an open descriptor, which stays open and is read from its start. A memfd
                         that is already sealed is taken as it is. */
    wlk_evidence evidence;
} wlk_artifact;

/* Loads a file. report and error may be NULL. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_load(wlk_gate *gate, const wlk_artifact *artifact,
                                              wlk_model **model, wlk_load_report *report,
                                              wlk_error *error);
/* The same for an artifact that is only a path, or only a descriptor. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_load_path(wlk_gate *gate, const char *path,
                                                   wlk_model **model, wlk_load_report *report,
                                                   wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_gate_load_fd(wlk_gate *gate, int fd, wlk_model **model,
                                                 wlk_load_report *report, wlk_error *error);
/* Copies, seals and verifies without a child: everything up to the fork. What no
 * trusted key vouches for is reported, not refused. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_verify(wlk_gate *gate, const wlk_artifact *artifact,
                                                wlk_load_report *report, wlk_error *error);
WLK_API WLK_MUST_USE wlk_status wlk_gate_verify_path(wlk_gate *gate, const char *path,
                                                     wlk_load_report *report, wlk_error *error);

/* ---- models whose tensors stay in the file until they are asked for
 *
 * Of a .wlk file of any size only what lies before the data (envelope, header and
 * digest table) is copied, sealed, verified and parsed. A tensor is read when it is
 * asked for, chunk by chunk into private memory, each chunk is checked against the
 * table, and no byte is read twice: whoever changes the file meanwhile changes
 * nothing that is handed out. What was never asked for was never looked at. */

typedef struct wlk_lazy wlk_lazy;

/* Opens a .wlk file. One whose tensors are compressed is loaded whole, since only a child
 * decodes them: its cost is that of wlk_gate_load. The artifact has no evidence, and no detached
 * signature of a known key lies beside it (load.lazy-evidence): those are over the whole file. The
 * file stays open. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_open_lazy(wlk_gate *gate, const wlk_artifact *artifact,
                                                   wlk_lazy **lazy, wlk_load_report *report,
                                                   wlk_error *error);
/* The model: everything but the tensors' bytes, whose data are NULL unless the file is
 * compressed. Valid until wlk_lazy_close. */
WLK_API const wlk_model *wlk_lazy_model(const wlk_lazy *lazy);
/* The verified bytes before the data, `*size` of them: the same lifetime. */
WLK_API const uint8_t *wlk_lazy_head(const wlk_lazy *lazy, uint64_t *size);
/* Reads a tensor. *tensor is filled in with data, which are the caller's: release
 * with wlk_lazy_release. Refused: trust.chunk-digest with the chunk's offset,
 * tensor.payload, load.changed (the file got shorter), limits, the policy's NaN and
 * infinity. Safe to use from many threads. */
WLK_API WLK_MUST_USE wlk_status wlk_lazy_tensor(wlk_lazy *lazy, uint32_t index, wlk_tensor *tensor,
                                                wlk_error *error);
WLK_API void wlk_lazy_release(wlk_tensor *tensor);
/* NULL is allowed. */
WLK_API void wlk_lazy_close(wlk_lazy *lazy);
/* Starts a child, locks it down, attests it and lets it end: what `doctor` shows. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_check(wlk_gate *gate, wlk_load_report *report,
                                               wlk_error *error);

/* A system call that the child's filter forbids, as the kernel saw it. */
typedef struct wlk_violation {
    int found;             /* 0: none was tried */
    uint32_t architecture; /* of the call: AUDIT_ARCH_* of <linux/audit.h> */
    int64_t number;
    uint64_t arguments[6];
    uint64_t instruction; /* its address in the child */
} wlk_violation;

/* Loads the artifact again, for who wants to know why a load ended with cage.syscall:
 * in the same cage, with the same filter, which kills the child as before, but watched
 * with ptrace. Nothing is let through, and no model is handed out. *violation is filled
 * in; the status is that of the load, or cage.explain if the child cannot be watched. The
 * child stops for a moment at each of its calls: a host that handles SIGCHLD gets one for
 * each stop, and may see the child stopped if it waits for all children. */
WLK_API WLK_MUST_USE wlk_status wlk_gate_explain(wlk_gate *gate, const wlk_artifact *artifact,
                                                 wlk_violation *violation, wlk_error *error);

/* One load: a gate is opened, used and closed. */
WLK_API WLK_MUST_USE wlk_status wlk_load_path(const char *path, const wlk_load_options *options,
                                              wlk_model **model, wlk_load_report *report,
                                              wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif
