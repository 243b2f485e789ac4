#include "infer/tfidf.h"

#include <string.h>

#include "base/sort.h"

enum {
    AT_MAX_LENGTH,
    AT_MAX_SKIP,
    AT_MIN_LENGTH,
    AT_MODE,
    AT_COUNTS,
    AT_INDEXES,
    AT_NUMBERS,
    AT_STRINGS,
    AT_WEIGHTS
};

/* ---- order */

static int text_order(text_span a, text_span b) {
    const uint64_t common = a.length < b.length ? a.length : b.length;
    const int order = common > 0 ? memcmp(a.text, b.text, common) : 0;
    if (order != 0) return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

static text_span span_of(const char *text) {
    return (text_span){text, strlen(text)};
}

/* Places of the pool by what they hold. */
static int place_order(const void *context, uint32_t a, uint32_t b) {
    const tfidf_pool *pool = context;
    if (pool->strings) return text_order(span_of(pool->strings[a]), span_of(pool->strings[b]));
    return pool->numbers[a] < pool->numbers[b] ? -1 : pool->numbers[a] > pool->numbers[b];
}

typedef struct gram_context {
    const uint32_t *tokens; /* the group's first */
    uint64_t size;
} gram_context;

static int gram_order(const void *context, uint32_t a, uint32_t b) {
    const gram_context *c = context;
    for (uint64_t i = 0; i < c->size; i++) {
        const uint32_t left = c->tokens[a * c->size + i];
        const uint32_t right = c->tokens[b * c->size + i];
        if (left != right) return left < right ? -1 : 1;
    }
    return 0;
}

/* ---- what the node says */

static wlk_status tfidf_fail(const op_call *call, const char *what) {
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s", what);
}

static wlk_status read_mode(const op_call *call, tfidf_pool *pool) {
    const char *mode = op_attribute(call, AT_MODE).s;
    if (strcmp(mode, "TF") == 0)
        pool->mode = TFIDF_COUNTS;
    else if (strcmp(mode, "IDF") == 0)
        pool->mode = TFIDF_WEIGHTS;
    else if (strcmp(mode, "TFIDF") == 0)
        pool->mode = TFIDF_BOTH;
    else
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.20s'", mode);
    return WLK_OK;
}

static wlk_status read_lengths(const op_call *call, tfidf_pool *pool) {
    const int64_t least = op_attribute(call, AT_MIN_LENGTH).i;
    const int64_t most = op_attribute(call, AT_MAX_LENGTH).i;
    const int64_t skips = op_attribute(call, AT_MAX_SKIP).i;
    if (least < 1 || most < least || skips < 0) {
        return tfidf_fail(call, "a gram length or skip count that is out of range");
    }
    pool->least = (uint64_t)least;
    pool->skips = (uint64_t)skips;
    return WLK_OK;
}

static wlk_status read_pool(const op_call *call, tfidf_pool *pool) {
    const attribute_value strings = op_attribute(call, AT_STRINGS);
    const attribute_value numbers = op_attribute(call, AT_NUMBERS);
    const bool text = op_input(call, 0)->dtype == WLK_STR;
    if ((strings.count > 0) == (numbers.count > 0)) {
        return tfidf_fail(call, "one of pool_strings and pool_int64s must be there");
    }
    if (text != (strings.count > 0)) return tfidf_fail(call, "the pool is of another type than X");
    if (text) pool->strings = strings.strings;
    if (!text) pool->numbers = numbers.ints;
    pool->count = text ? strings.count : numbers.count;
    return WLK_OK;
}

static wlk_status read_width(const op_call *call, tfidf_pool *pool) {
    const attribute_value indexes = op_attribute(call, AT_INDEXES);
    const attribute_value weights = op_attribute(call, AT_WEIGHTS);
    int64_t largest = -1;
    for (uint32_t i = 0; i < indexes.count; i++) {
        if (indexes.ints[i] < 0) return tfidf_fail(call, "an ngram_index is negative");
        if (indexes.ints[i] > largest) largest = indexes.ints[i];
    }
    if (largest < 0 || largest == INT64_MAX) return tfidf_fail(call, "ngram_indexes");
    pool->indexes = indexes.ints;
    pool->width = (uint64_t)largest + 1;
    if (weights.count == 0 || pool->mode == TFIDF_COUNTS) return WLK_OK;
    if (weights.count < pool->width)
        return tfidf_fail(call, "there are fewer weights than outputs");
    pool->weights = weights.floats;
    return WLK_OK;
}

/* ---- tokens */

static wlk_status number_tokens(op_call *call, plan_memory *memory, tfidf_pool *pool) {
    void *order_room = NULL;
    void *tokens_room = NULL;
    TRY(plan_take(memory, pool->count, sizeof(uint32_t), &order_room, call->error));
    TRY(plan_take(memory, pool->count, sizeof(uint32_t), &tokens_room, call->error));
    uint32_t *order = order_room;
    uint32_t *tokens = tokens_room;
    for (uint32_t i = 0; i < pool->count; i++) order[i] = i;
    sort_u32(order, pool->count, place_order, pool, tokens);
    uint32_t count = 0;
    uint32_t representative = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        const uint32_t place = order[i];
        if (i == 0 || place_order(pool, representative, place) != 0) {
            representative = place;
            order[count++] = place;
        }
        tokens[place] = count - 1;
    }
    pool->unique = order;
    pool->unique_count = count;
    pool->tokens = tokens;
    return WLK_OK;
}

/* ---- groups */

static wlk_status sort_group(op_call *call, plan_memory *memory, const tfidf_pool *pool,
                             tfidf_group *group) {
    void *order_room = NULL;
    void *scratch = NULL;
    const gram_context context = {pool->tokens + group->start, group->size};
    TRY(plan_take(memory, group->count, sizeof(uint32_t), &order_room, call->error));
    TRY(plan_take(memory, group->count, sizeof(uint32_t), &scratch, call->error));
    uint32_t *order = order_room;
    for (uint32_t i = 0; i < group->count; i++) order[i] = i;
    sort_u32(order, group->count, gram_order, &context, scratch);
    group->order = order;
    return WLK_OK;
}

/* Group number i of ngram_counts: n-grams of i + 1 tokens. */
static wlk_status read_group(const op_call *call, const tfidf_pool *pool, uint32_t i,
                             tfidf_group *group) {
    const attribute_value counts = op_attribute(call, AT_COUNTS);
    const int64_t start = counts.ints[i];
    const int64_t end = i + 1 < counts.count ? counts.ints[i + 1] : (int64_t)pool->count;
    if (start < 0 || start > end || end > (int64_t)pool->count) {
        return tfidf_fail(call, "ngram_counts do not divide the pool");
    }
    group->size = (uint64_t)i + 1;
    group->start = (uint32_t)start;
    group->count = (uint32_t)((uint64_t)(end - start) / group->size);
    return WLK_OK;
}

static wlk_status read_groups(op_call *call, plan_memory *memory, tfidf_pool *pool) {
    const uint32_t lengths = op_attribute(call, AT_COUNTS).count;
    const uint64_t most = (uint64_t)op_attribute(call, AT_MAX_LENGTH).i;
    const uint32_t indexes = op_attribute(call, AT_INDEXES).count;
    void *room = NULL;
    TRY(plan_take(memory, lengths, sizeof(tfidf_group), &room, call->error));
    tfidf_group *groups = room;
    uint64_t first = 0;
    for (uint32_t i = 0; i < lengths; i++) {
        tfidf_group *group = &groups[pool->group_count];
        TRY(read_group(call, pool, i, group));
        if (first + group->count > indexes) {
            return tfidf_fail(call, "there are fewer ngram_indexes than n-grams");
        }
        group->first = (uint32_t)first;
        first += group->count;
        if (group->count == 0 || group->size < pool->least || group->size > most) continue;
        TRY(sort_group(call, memory, pool, group));
        pool->group_count++;
    }
    pool->groups = groups;
    return WLK_OK;
}

wlk_status tfidf_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    void *room = NULL;
    TRY(plan_take(memory, 1, sizeof(tfidf_pool), &room, call->error));
    tfidf_pool *pool = room;
    TRY(read_mode(call, pool));
    TRY(read_lengths(call, pool));
    TRY(read_pool(call, pool));
    TRY(read_width(call, pool));
    TRY(number_tokens(call, memory, pool));
    TRY(read_groups(call, memory, pool));
    *prepared = pool;
    return WLK_OK;
}

/* ---- looking up */

uint32_t tfidf_find_string(const tfidf_pool *pool, text_span text) {
    uint32_t low = 0;
    uint32_t high = pool->unique_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = text_order(text, span_of(pool->strings[pool->unique[middle]]));
        if (order == 0) return middle;
        if (order < 0) high = middle;
        if (order > 0) low = middle + 1;
    }
    return TFIDF_NO_TOKEN;
}

uint32_t tfidf_find_number(const tfidf_pool *pool, int64_t number) {
    uint32_t low = 0;
    uint32_t high = pool->unique_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int64_t other = pool->numbers[pool->unique[middle]];
        if (other == number) return middle;
        if (number < other) high = middle;
        if (number > other) low = middle + 1;
    }
    return TFIDF_NO_TOKEN;
}

static int compare_gram(const tfidf_pool *pool, const tfidf_group *group, uint32_t gram,
                        const uint32_t *tokens, uint64_t step) {
    const uint32_t *own = pool->tokens + group->start + gram * group->size;
    for (uint64_t i = 0; i < group->size; i++) {
        if (tokens[i * step] != own[i]) return tokens[i * step] < own[i] ? -1 : 1;
    }
    return 0;
}

/* Of n-grams that are there twice the last one counts. */
bool tfidf_find_gram(const tfidf_pool *pool, const tfidf_group *group, const uint32_t *tokens,
                     uint64_t step, uint32_t *number) {
    uint32_t low = 0;
    uint32_t high = group->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (compare_gram(pool, group, group->order[middle], tokens, step) >= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return false;
    const uint32_t gram = group->order[low - 1];
    if (compare_gram(pool, group, gram, tokens, step) != 0) return false;
    *number = group->first + gram;
    return true;
}
