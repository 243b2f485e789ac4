/* Command line options: one row each, shared by all verbs; a verb lists those it
 * takes. Help and parsing come from the same rows. */
#ifndef WLK_CLI_OPTIONS_H
#define WLK_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weighlock/load.h>

typedef enum option_id {
    OPTION_HELP,
    OPTION_JSON,
    OPTION_TRUST,
    OPTION_ALLOW_UNSIGNED,
    OPTION_TRANSPORT,
    OPTION_REQUIRE,
    OPTION_LIMIT,
    OPTION_UID,
    OPTION_OUTPUT,
    OPTION_SECRET,
    OPTION_PUBLIC,
    OPTION_SIGN,
    OPTION_UNENCRYPTED,
    OPTION_PASSWORD_FD,
    OPTION_FORMAT,
    OPTION_HEADER,
    OPTION_NA,
    OPTION_SELECT,
    OPTION_SELFTEST,
    OPTION_POLICY,
    OPTION_THRESHOLD,
    OPTION_SHA256,
    OPTION_BLAKE2B,
    OPTION_CHECKSUMS,
    OPTION_STDIN0,
    OPTION_DETACHED,
    OPTION_COMMENT,
    OPTION_NAME,
    OPTION_FROM,
    OPTION_UNTIL,
    OPTION_TENSOR,
    OPTION_REMOVE,
    OPTION_UNSIGNED,
    OPTION_EXPLAIN,
    OPTION_SYSCALLS,
    OPTION_PFC,
    OPTION_INPUT,
    OPTION_THREADS,
    OPTION_TO,
    OPTION_COMPRESS,
    OPTION_GOLDEN, /* convert's --selftest, which names rows */
    OPTION_IGNORE_UNKNOWN,
    OPTION_COUNT
} option_id;

#define OPTION_BIT(id) (1ull << (id))
#define OPTION_MAX_REPEAT 64

typedef struct option_row {
    const char *name;     /* "--trust" */
    const char *brief;    /* "-o" or NULL */
    const char *argument; /* "DIR", or NULL for a flag */
    const char *help;
} option_row;

extern const option_row option_rows[OPTION_COUNT];

typedef struct option_values {
    uint64_t given;                  /* bit i: option i was given */
    const char *value[OPTION_COUNT]; /* the last one given; NULL for flags */
    const char *na[OPTION_MAX_REPEAT];
    uint32_t na_count;
    const char *limit[OPTION_MAX_REPEAT]; /* NAME=VALUE */
    uint32_t limit_count;
    const char *tensor[OPTION_MAX_REPEAT];
    uint32_t tensor_count;
    const char *remove[OPTION_MAX_REPEAT]; /* metadata paths */
    uint32_t remove_count;
    const char *input[OPTION_MAX_REPEAT]; /* NAME=FILE */
    uint32_t input_count;
    const char **operands; /* argv entries that are not options */
    uint32_t operand_count;
} option_values;

static inline bool option_given(const option_values *v, option_id id) {
    return v->given >> id & 1;
}

/* Parses argv[0..count), of which only the options in `allowed` may occur; after
 * "--" everything is an operand. Operands are moved to the front of argv. What was
 * parsed until an error is in *out. */
WLK_MUST_USE wlk_status options_parse(const char **argv, uint32_t count, uint64_t allowed,
                                      option_values *out, wlk_error *error);

/* A decimal number that fits; false otherwise. */
bool options_number(const char *text, uint64_t *value);

/* "unknown WHAT NAME; did you mean ...?", if one of the known names is similar. */
WLK_MUST_USE wlk_status options_unknown(const char *what, const char *name,
                                        const char *const *known, size_t count, wlk_error *error);

/* The index of `text` in names[0..count); another text is an error that lists them. */
WLK_MUST_USE wlk_status options_choice(option_id id, const char *text, const char *const *names,
                                       unsigned count, unsigned *choice, wlk_error *error);

/* What --policy, --limit, --threshold, --require, --transport and --uid ask for; no
 * trust. */
WLK_MUST_USE wlk_status options_load(const option_values *v, wlk_load_options *load,
                                     wlk_error *error);

/* The policy in force: the defaults, then the file of --policy, else the machine's if
 * there is one (trust/policy.h), then --limit and --threshold. */
WLK_MUST_USE wlk_status options_policy(const option_values *v, wlk_policy *policy,
                                       wlk_error *error);

#endif
