/* Verdicts and errors.
 *
 * Every fallible function of Weighlock returns a wlk_status, 0 on success, and
 * describes a failure in a wlk_error that the caller owns. The numbers are the
 * exit codes of the command line tool and never change.
 *
 * Threads, here and in every header: what is handed in as const may be shared; any
 * other object belongs to one thread at a time, if its header does not say more. The
 * library keeps no state between calls but the allocator (memory.h).
 */
#ifndef WEIGHLOCK_STATUS_H
#define WEIGHLOCK_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WLK_MUST_USE __attribute__((warn_unused_result))
#define WLK_API __attribute__((visibility("default")))
#else
#define WLK_MUST_USE
#define WLK_API
#endif

typedef enum wlk_status {
    WLK_OK = 0,          /* nothing to report */
    WLK_REFUSED = 1,     /* the artifact breaks a rule */
    WLK_UNDECIDED = 2,   /* truncated, or not a format that is known */
    WLK_UNSUPPORTED = 3, /* well-formed, but asks for what this build cannot do */
    WLK_USAGE = 4,       /* the caller's arguments are wrong */
    WLK_CAGE = 5,        /* the cage is unavailable, or the child broke it */
    WLK_LIMIT = 6,       /* a limit or the deadline was reached */
    WLK_TRUST = 7,       /* signature, digest or key */
    WLK_SYSTEM = 8       /* I/O or memory */
} wlk_status;

#define WLK_NO_OFFSET UINT64_MAX
#define WLK_ERROR_TEXT_BYTES 256

/* What was refused and why. `rule` indexes the table of policy/rules.policy
 * (0: none); `offset` is a byte offset in the artifact or WLK_NO_OFFSET; `text`
 * adds detail that the rule's own sentence cannot hold (a path, a name) and may
 * be empty. It never holds control characters. */
typedef struct wlk_error {
    wlk_status status;
    uint32_t rule;
    uint64_t offset;
    char text[WLK_ERROR_TEXT_BYTES];
} wlk_error;

/* "refused", "limit" ...: the verdict as one stable lower-case word. */
WLK_API const char *wlk_status_name(wlk_status status);

/* The rule's stable code ("envelope.magic"), its sentence, and what to do.
 * Unknown numbers give "internal.unknown" and its texts, never NULL. */
WLK_API const char *wlk_rule_name(uint32_t rule);
WLK_API const char *wlk_rule_text(uint32_t rule);
WLK_API const char *wlk_rule_hint(uint32_t rule);

/* Writes "LAYER: SENTENCE: DETAIL at offset N (HINT)" into text, which holds
 * `size` bytes and is always terminated. Returns text. */
WLK_API char *wlk_error_format(const wlk_error *error, char *text, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
