/* TfIdfVectorizer: how often the n-grams of a pool occur in each row. */
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/tfidf.h"

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A row, or rows of so many elements. */
static uint64_t row_length(const op_tensor *in) {
    return in->rank == 0 ? 1 : (uint64_t)in->dims[in->rank - 1];
}

/* Each element begins n-grams of each length at each distance; one is found by halving. */
static void tfidf_cost(op_call *call, const tfidf_pool *pool) {
    const op_tensor *in = op_input(call, 0);
    const uint64_t length = row_length(in);
    const uint64_t distances = smaller(pool->skips + 1, length);
    uint64_t tokens = 0;
    for (uint32_t g = 0; g < pool->group_count; g++) {
        if (pool->groups[g].size <= length) tokens += pool->groups[g].size + 1;
    }
    op_add_operations(call, 32 * OP_INTEGER_COST, in->count, distances, tokens);
    op_add_operations(call, 32 * OP_ELEMENT_COST, in->text_bytes, 1, 1);
}

static wlk_status tfidf_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const tfidf_pool *pool = call->node->prepared;
    TRY(shape_need_rank(call, 0, 0, 2));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_F32, WLK_NONE, NULL);
        return WLK_OK;
    }
    const int64_t dims[] = {in->dims[0], (int64_t)pool->width};
    op_set_output(call, 0, WLK_F32, in->rank == 2 ? 2 : 1, in->rank == 2 ? dims : dims + 1);
    if (!call->binding) return WLK_OK;
    tfidf_cost(call, pool);
    return op_need_scratch(call, row_length(in), sizeof(uint32_t));
}

static void read_tokens(const tfidf_pool *pool, const op_tensor *in, uint64_t from, uint64_t length,
                        uint32_t *tokens) {
    for (uint64_t i = 0; i < length; i++) {
        tokens[i] = in->dtype == WLK_STR ? tfidf_find_string(pool, tensor_string(in, from + i))
                                         : tfidf_find_number(pool, op_int(in, from + i));
    }
}

/* An n-gram was met. */
static void count_gram(const tfidf_pool *pool, uint32_t gram, float *out) {
    const float weight = pool->weights ? pool->weights[gram] : 1;
    float *at = &out[pool->indexes[gram]];
    if (pool->mode == TFIDF_WEIGHTS) *at = weight;
    if (pool->mode == TFIDF_COUNTS) *at += 1;
    if (pool->mode == TFIDF_BOTH) *at += weight;
}

/* The n-grams that begin at tokens[0], `distance` from one token to the next. */
static void count_grams(const tfidf_pool *pool, const uint32_t *tokens, uint64_t left,
                        uint64_t distance, float *out) {
    for (uint32_t g = 0; g < pool->group_count; g++) {
        const tfidf_group *group = &pool->groups[g];
        uint32_t gram = 0;
        if (group->size == 1 && distance > 1) continue; /* the same at any distance */
        if (group->size - 1 > (left - 1) / distance) return;
        if (tfidf_find_gram(pool, group, tokens, distance, &gram)) count_gram(pool, gram, out);
    }
}

static wlk_status tfidf_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const tfidf_pool *pool = call->node->prepared;
    uint32_t *tokens = call->scratch;
    const uint64_t length = row_length(in);
    const uint64_t distances = smaller(pool->skips + 1, length);
    for (uint64_t r = 0; r < out->count / pool->width; r++) {
        float *row = (float *)out->target + r * pool->width;
        for (uint64_t i = 0; i < pool->width; i++) row[i] = 0;
        read_tokens(pool, in, r * length, length, tokens);
        for (uint64_t d = 1; d <= distances; d++) {
            for (uint64_t i = 0; i < length; i++) {
                if (tokens[i] == TFIDF_NO_TOKEN) continue;
                count_grams(pool, tokens + i, length - i, d, row);
            }
        }
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {
    {.name = "max_gram_length", .type = WLK_ATTR_INT, .required = true},
    {.name = "max_skip_count", .type = WLK_ATTR_INT, .required = true},
    {.name = "min_gram_length", .type = WLK_ATTR_INT, .required = true},
    {.name = "mode", .type = WLK_ATTR_STRING, .required = true},
    {.name = "ngram_counts", .type = WLK_ATTR_INTS, .required = true},
    {.name = "ngram_indexes", .type = WLK_ATTR_INTS, .required = true},
    {.name = "pool_int64s", .type = WLK_ATTR_INTS},
    {.name = "pool_strings", .type = WLK_ATTR_STRINGS},
    {.name = "weights", .type = WLK_ATTR_FLOATS},
};

static const op_port port[] = {
    {"X", DTYPE_BIT(WLK_STR) | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32), 0}};

static const op_row rows[] = {
    {.domain = "",
     .name = "TfIdfVectorizer",
     .since = 9,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = port,
     .attributes = attributes,
     .attribute_count = sizeof attributes / sizeof *attributes,
     .infer = tfidf_infer,
     .kernel = tfidf_kernel,
     .prepare = tfidf_prepare},
};

const op_family ops_tfidf = {rows, sizeof rows / sizeof *rows};
