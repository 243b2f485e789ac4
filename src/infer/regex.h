/* Regular expressions that are matched in one pass: all ways through the pattern at once
 * (Thompson 1968), so that no text makes it try again. The syntax is RE2's, without what
 * is refused by name: classes of Unicode (\p), single bytes (\C), and flags but i and s.
 *
 * Patterns compile to a flat program. Its jumps are relative, so that a part of it can be
 * moved and repeated. */
#ifndef WLK_INFER_REGEX_H
#define WLK_INFER_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/tensor.h"

typedef enum regex_code {
    REGEX_RANGES, /* one character that is in ranges first..first + count, or, negated, not */
    REGEX_SPLIT,  /* goes on behind it, and also at `jump` */
    REGEX_JUMP,
    REGEX_BEGIN, /* the text begins here */
    REGEX_END,
    REGEX_WORD,     /* a word begins or ends here */
    REGEX_NOT_WORD, /* none does */
    REGEX_MATCH
} regex_code;

typedef struct regex_instruction {
    regex_code code;
    bool negated;
    int32_t jump; /* from this instruction */
    uint32_t first;
    uint32_t count;
} regex_instruction;

typedef struct regex_range {
    uint32_t low;
    uint32_t high;
} regex_range;

/* A program has at most this many instructions and ranges. */
#define REGEX_MOST 4096

typedef struct regex {
    uint32_t count;
    uint32_t range_count;
    regex_instruction program[REGEX_MOST];
    regex_range ranges[REGEX_MOST];
} regex;

/* False, and *why says why, if the pattern cannot be compiled. */
bool regex_compile(const char *pattern, regex *out, const char **why);

/* How much working memory matching takes, in numbers of 32 bits. */
uint64_t regex_room(const regex *r);

/* Does the pattern match all of the text, which is UTF-8? */
bool regex_match(const regex *r, text_span text, uint32_t *room);

/* Could it match where there is no character? Places (^, \b) are taken to hold. */
bool regex_may_be_empty(const regex *r, uint32_t *room);

/* Is character c in the ranges of an instruction? */
bool regex_takes(const regex *r, const regex_instruction *in, uint32_t c);

/* The character that a text begins with, which is not empty and UTF-8; *length: its bytes. */
uint32_t regex_decode(text_span text, uint64_t *length);

/* Where a pattern matches within text[from..to): the first place, and there as far as it
 * can, at least one character. */
typedef struct regex_search {
    uint64_t from;
    uint64_t to;
    uint64_t start; /* of what was found */
    uint64_t end;
    uint64_t steps; /* grows by the instructions that characters met: the work */
    uint64_t most;  /* gives up, and finds nothing, after so many */
} regex_search;
bool regex_find(const regex *r, text_span text, regex_search *search, uint32_t *room);
/* The same as regex_room. The text is shorter than 4 GiB. */
uint64_t regex_find_room(const regex *r);

#endif
