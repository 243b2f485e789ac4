/* TfIdfVectorizer's pool of n-grams, made ready for looking them up: tokens are numbers
 * in their order, n-grams of one length lie in order of their tokens. */
#ifndef WLK_INFER_TFIDF_H
#define WLK_INFER_TFIDF_H

#include "infer/op.h"

#define TFIDF_NO_TOKEN UINT32_MAX

typedef enum tfidf_mode { TFIDF_COUNTS, TFIDF_WEIGHTS, TFIDF_BOTH } tfidf_mode;

/* All n-grams of one length. */
typedef struct tfidf_group {
    uint64_t size;         /* tokens of an n-gram */
    uint32_t start;        /* the first one's first token in the pool */
    uint32_t count;        /* n-grams */
    uint32_t first;        /* number of the first one: its place in ngram_indexes */
    const uint32_t *order; /* 0..count), sorted */
} tfidf_group;

typedef struct tfidf_pool {
    tfidf_mode mode;
    uint64_t least; /* min_gram_length */
    uint64_t skips;
    const char *const *strings; /* the pool: one of the two */
    const int64_t *numbers;
    uint32_t count;
    const uint32_t *unique; /* places of distinct tokens in the pool, in order */
    uint32_t unique_count;
    const uint32_t *tokens;    /* of each place of the pool: its token */
    const tfidf_group *groups; /* those that are looked for, shortest first */
    uint32_t group_count;
    const int64_t *indexes; /* of each n-gram: its place in the result */
    const float *weights;   /* of each n-gram; NULL: all 1 */
    uint64_t width;         /* of the result */
} tfidf_pool;

/* The `prepare` of TfIdfVectorizer. plan.attribute-value. */
wlk_status tfidf_prepare(op_call *call, plan_memory *memory, const void **prepared);

/* The token that a string or number is; TFIDF_NO_TOKEN if the pool does not have it. */
uint32_t tfidf_find_string(const tfidf_pool *pool, text_span text);
uint32_t tfidf_find_number(const tfidf_pool *pool, int64_t number);

/* The number of the n-gram tokens[0], tokens[step], tokens[2 * step] ...; false if the
 * group does not have it. */
bool tfidf_find_gram(const tfidf_pool *pool, const tfidf_group *group, const uint32_t *tokens,
                     uint64_t step, uint32_t *number);

#endif
