/* The one error idiom: a function that can fail returns a wlk_status and has
 * filled in the caller's wlk_error when it is not WLK_OK.
 *
 * Rules are rows of policy/rules.policy; a rule fixes the verdict, so a place
 * that refuses names the rule and the offset and nothing else. */
#ifndef WLK_BASE_ERROR_H
#define WLK_BASE_ERROR_H

#include <weighlock/status.h>

/* RULE_ENVELOPE_MAGIC is the row "envelope.magic", and so on. */
typedef enum wlk_rule {
    RULE_NONE = 0,
#define RULE(symbol, name, status, text, hint) RULE_##symbol,
#include "gen/rules.inc"
#undef RULE
    RULE_COUNT
} wlk_rule;

/* The verdict that the rule's row fixes. */
wlk_status rule_status(uint32_t rule);

/* Fills *error (NULL is allowed) and returns the rule's verdict. */
wlk_status error_at(wlk_error *error, wlk_rule rule, uint64_t offset);

/* The same with detail, in printf's manner. Text from outside is made harmless:
 * control, escape and bidirectional characters become '?'. */
wlk_status error_text(wlk_error *error, wlk_rule rule, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with errno's text behind the detail. */
wlk_status error_errno(wlk_error *error, wlk_rule rule, int error_number, const char *what);

#define TRY(call)                                    \
    do {                                             \
        const wlk_status try_status = (call);        \
        if (try_status != WLK_OK) return try_status; \
    } while (0)

#endif
