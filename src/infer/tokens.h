/* Cuts texts into tokens, as com.microsoft's Tokenizer does: what a pattern matches; what
 * lies between what separators match; or single characters. */
#ifndef WLK_INFER_TOKENS_H
#define WLK_INFER_TOKENS_H

#include "infer/op.h"
#include "infer/regex.h"

#define TOKEN_SEPARATORS_MOST 64

/* Most patterns are one set of characters, any number of times: no program is needed. */
typedef enum pattern_kind { PATTERN_PROGRAM, PATTERN_ONE, PATTERN_RUN } pattern_kind;

typedef struct token_pattern {
    const regex *program;
    pattern_kind kind;
    bool ascii[128]; /* PATTERN_ONE and PATTERN_RUN: is this character in the set? */
} token_pattern;

typedef struct token_rules {
    const token_pattern *patterns;
    uint32_t separators; /* so many patterns; 0: pattern 0 matches tokens, if there is one */
    bool is_characters;
    uint64_t least; /* characters of a token */
    uint64_t room;  /* working memory that the patterns need, in numbers of 32 bits */
} token_rules;

/* A pattern, compiled into the plan's memory. Of one that separates it is asked that it
 * needs a character. plan.attribute-value if not. */
wlk_status token_pattern_read(const op_call *call, plan_memory *memory, const char *text,
                              bool separates, token_pattern *out);

/* What is left of a text. A separator cuts the pieces that the ones before it have left;
 * these lie in each other like the levels. */
typedef struct token_level {
    text_span piece;
    uint64_t at;
    bool is_done;
} token_level;

typedef struct token_source {
    const token_rules *rules;
    uint32_t *room;
    uint32_t depth; /* levels in use */
    token_level levels[TOKEN_SEPARATORS_MOST];
    uint64_t steps; /* the work so far */
    uint64_t most;  /* there are no more tokens after so much */
} token_source;

/* The text is shorter than 4 GiB. steps and most are the caller's to set. */
void tokens_begin(token_source *source, text_span text);
bool tokens_next(token_source *source, text_span *token);

#endif
