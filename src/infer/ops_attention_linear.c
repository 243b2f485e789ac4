/* LinearAttention: a state for each head that every token decays, corrects and adds to,
 * and that queries read. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/math_f32.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { LA_CHUNK, LA_KV_HEADS, LA_Q_HEADS, LA_SCALE, LA_RULE, LA_ATTRIBUTES };
enum { LA_Q, LA_K, LA_V, LA_PAST, LA_DECAY, LA_BETA };

typedef struct linear {
    const op_call *call;
    bool gated; /* the state decays */
    bool delta; /* what the state knows already is taken off */
    int64_t batch;
    int64_t length;
    int64_t heads; /* of keys and values */
    int64_t share; /* queries for each */
    int64_t key_size;
    int64_t value_size;
} linear;

static wlk_status read_rule(const op_call *call, linear *l) {
    static const struct {
        const char *name;
        bool gated;
        bool delta;
    } names[] = {{"linear", false, false},
                 {"gated", true, false},
                 {"delta", false, true},
                 {"gated_delta", true, true}};
    const char *name = op_attribute(call, LA_RULE).s;
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) != 0) continue;
        l->gated = names[i].gated;
        l->delta = names[i].delta;
        if (l->gated == (op_input(call, LA_DECAY) != NULL) &&
            l->delta == (op_input(call, LA_BETA) != NULL)) {
            return WLK_OK;
        }
        return op_fail(call, RULE_PLAN_ARITY, "decay and beta do not go with '%s'", name);
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "update_rule is '%.40s'", name);
}

static wlk_status read_heads(const op_call *call, linear *l) {
    const int64_t queries = op_attribute(call, LA_Q_HEADS).i;
    const int64_t heads = op_attribute(call, LA_KV_HEADS).i;
    if (queries < 1 || heads < 1 || queries % heads != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " heads for %" PRId64, queries,
                       heads);
    }
    l->heads = heads;
    l->share = queries / heads;
    return WLK_OK;
}

/* The size of a head of input i, whose last axis has so many. */
static wlk_status head_size(const op_call *call, uint32_t i, int64_t heads, linear *l,
                            int64_t *size) {
    const op_tensor *in = op_input(call, i);
    if (in->rank == WLK_NONE) return WLK_OK;
    if (!dim_agrees(in->dims[0], l->batch) || !dim_agrees(in->dims[1], l->length)) {
        return shape_mismatch(call, LA_Q, i);
    }
    l->batch = dim_known(l->batch, in->dims[0]);
    l->length = dim_known(l->length, in->dims[1]);
    if (in->dims[2] == WLK_UNKNOWN_DIM) return WLK_OK;
    const int64_t own = in->dims[2] / heads;
    if (own * heads != in->dims[2] || !dim_agrees(own, *size)) {
        return shape_mismatch(call, LA_Q, i);
    }
    *size = own;
    return WLK_OK;
}

/* Input i is [batch, length, wanted], or [batch, length, other]. */
static wlk_status need_gate(const op_call *call, uint32_t i, const linear *l, int64_t wanted,
                            int64_t other) {
    const op_tensor *in = op_input(call, i);
    if (!in || in->rank == WLK_NONE) return WLK_OK;
    if (in->rank == 3 && dim_agrees(in->dims[0], l->batch) && dim_agrees(in->dims[1], l->length) &&
        (dim_agrees(in->dims[2], wanted) || dim_agrees(in->dims[2], other))) {
        return WLK_OK;
    }
    return shape_mismatch(call, LA_Q, i);
}

static wlk_status linear_of(const op_call *call, linear *l) {
    *l = (linear){.call = call,
                  .heads = 1,
                  .share = 1,
                  .batch = WLK_UNKNOWN_DIM,
                  .length = WLK_UNKNOWN_DIM,
                  .key_size = WLK_UNKNOWN_DIM,
                  .value_size = WLK_UNKNOWN_DIM};
    TRY(read_rule(call, l));
    TRY(read_heads(call, l));
    TRY(head_size(call, LA_Q, l->heads * l->share, l, &l->key_size));
    TRY(head_size(call, LA_K, l->heads, l, &l->key_size));
    TRY(head_size(call, LA_V, l->heads, l, &l->value_size));
    int64_t all = WLK_UNKNOWN_DIM;
    if (l->key_size != WLK_UNKNOWN_DIM) all = l->key_size * l->heads;
    TRY(need_gate(call, LA_DECAY, l, l->heads, all));
    return need_gate(call, LA_BETA, l, l->heads, 1);
}

static wlk_status linear_infer(op_call *call) {
    linear l;
    const op_tensor *past = op_input(call, LA_PAST);
    for (uint32_t i = LA_Q; i <= LA_V; i++) TRY(shape_need_rank(call, i, 3, 3));
    TRY(linear_of(call, &l));
    const int64_t state[4] = {l.batch, l.heads, l.key_size, l.value_size};
    for (uint32_t i = 0; past && past->rank != WLK_NONE && i < 4; i++) {
        if (past->rank != 4 || !dim_agrees(past->dims[i], state[i])) {
            return shape_mismatch(call, LA_Q, LA_PAST);
        }
    }
    int64_t dims[3] = {l.batch, l.length, WLK_UNKNOWN_DIM};
    if (l.value_size != WLK_UNKNOWN_DIM &&
        __builtin_mul_overflow(l.value_size, l.heads * l.share, &dims[2])) {
        return op_fail(call, op_shape_rule(call), "its output is too long");
    }
    const wlk_dtype dtype = op_input(call, LA_Q)->dtype;
    const wlk_dtype kept = past ? past->dtype : dtype;
    op_set_output(call, 0, dtype, 3, dims);
    op_set_output(call, 1, kept, 4, state);
    if (!call->binding) return WLK_OK;
    const uint64_t tokens = (uint64_t)l.batch * (uint64_t)l.length;
    uint64_t count = 0;
    if (__builtin_mul_overflow((uint64_t)l.key_size, (uint64_t)l.value_size, &count)) {
        count = UINT64_MAX;
    }
    op_add_operations(call, 4 + (uint64_t)l.share, tokens, (uint64_t)l.heads, count);
    op_add_operations(call, OP_ELEMENT_COST, tokens, (uint64_t)l.heads, (uint64_t)l.key_size);
    if (__builtin_mul_overflow(count, (uint64_t)l.heads, &count) ||
        __builtin_mul_overflow(count, (uint64_t)l.batch, &count)) {
        count = UINT64_MAX;
    }
    TRY(op_need_scratch(call, count, sizeof(float)));
    return op_need_scratch(call, (uint64_t)l.heads * (uint64_t)l.batch,
                           sizeof(float) * (uint64_t)l.value_size);
}

/* The run of one head of one batch. */
typedef struct head {
    const linear *l;
    uint64_t batch;
    uint64_t number;
    float *state; /* [key_size, value_size] */
    float *row;   /* value_size: what is added for a token */
} head;

static const float *token(const head *h, uint32_t input, uint64_t t, uint64_t each) {
    const op_tensor *in = op_input(h->l->call, input);
    const uint64_t width = (uint64_t)in->dims[2];
    return (const float *)in->data + (h->batch * (uint64_t)h->l->length + t) * width +
           (width > each ? h->number * each : 0);
}

static void decay_state(const head *h, uint64_t t) {
    const linear *l = h->l;
    const uint64_t keys = (uint64_t)l->key_size;
    const uint64_t values = (uint64_t)l->value_size;
    const bool whole = op_input(l->call, LA_DECAY)->dims[2] == l->heads;
    const float *gates = whole ? token(h, LA_DECAY, t, 1) : token(h, LA_DECAY, t, keys);
    for (uint64_t i = 0; i < keys; i++) {
        const float factor = f32_exp(gates[whole ? 0 : i]);
        float *row = h->state + i * values;
        for (uint64_t j = 0; j < values; j++) row[j] *= factor;
    }
}

/* row = the value, or what is new of it. */
static void fresh_value(const head *h, uint64_t t) {
    const linear *l = h->l;
    const uint64_t keys = (uint64_t)l->key_size;
    const uint64_t values = (uint64_t)l->value_size;
    const float *value = token(h, LA_V, t, values);
    const float *key = token(h, LA_K, t, keys);
    float *restrict row = h->row;
    for (uint64_t j = 0; j < values; j++) row[j] = value[j];
    if (!l->delta) return;
    for (uint64_t i = 0; i < keys; i++) {
        const float *known = h->state + i * values;
        for (uint64_t j = 0; j < values; j++) row[j] -= known[j] * key[i];
    }
    const float rate = *token(h, LA_BETA, t, 1);
    for (uint64_t j = 0; j < values; j++) row[j] *= rate;
}

static void add_token(const head *h, uint64_t t) {
    const uint64_t keys = (uint64_t)h->l->key_size;
    const uint64_t values = (uint64_t)h->l->value_size;
    const float *key = token(h, LA_K, t, keys);
    for (uint64_t i = 0; i < keys; i++) {
        float *restrict row = h->state + i * values;
        for (uint64_t j = 0; j < values; j++) row[j] += key[i] * h->row[j];
    }
}

static void read_queries(const head *h, uint64_t t, float scale) {
    const linear *l = h->l;
    const uint64_t keys = (uint64_t)l->key_size;
    const uint64_t values = (uint64_t)l->value_size;
    const uint64_t share = (uint64_t)l->share;
    const float *queries = token(h, LA_Q, t, keys * share);
    const uint64_t at = (h->batch * (uint64_t)l->length + t) * (uint64_t)l->heads + h->number;
    float *out = (float *)op_output(l->call, 0)->target + at * share * values;
    memset(out, 0, share * values * sizeof *out);
    for (uint64_t q = 0; q < share; q++) {
        float *restrict to = out + q * values;
        for (uint64_t i = 0; i < keys; i++) {
            const float x = queries[q * keys + i] * scale;
            for (uint64_t j = 0; j < values; j++) to[j] += x * h->state[i * values + j];
        }
    }
}

static void run_head(const head *h) {
    const linear *l = h->l;
    const op_tensor *past = op_input(l->call, LA_PAST);
    const op_tensor *kept = op_output(l->call, 1);
    const uint64_t count = (uint64_t)l->key_size * (uint64_t)l->value_size;
    const uint64_t at = (h->batch * (uint64_t)l->heads + h->number) * count;
    const double given = op_attribute(l->call, LA_SCALE).f;
    const float scale = (float)(given != 0 ? given : 1 / sqrt((double)l->key_size));
    for (uint64_t i = 0; i < count; i++)
        h->state[i] = past ? ((const float *)past->data)[at + i] : 0;
    for (uint64_t t = 0; t < (uint64_t)l->length; t++) {
        if (l->gated) decay_state(h, t);
        fresh_value(h, t);
        add_token(h, t);
        read_queries(h, t, scale);
    }
    if (kept && count > 0) memcpy((float *)kept->target + at, h->state, count * sizeof(float));
}

static void run_heads(void *context, uint64_t from, uint64_t to) {
    const linear *l = context;
    const uint64_t heads = (uint64_t)l->heads;
    const uint64_t values = (uint64_t)l->value_size;
    const uint64_t count = (uint64_t)l->key_size * values;
    float *states = l->call->scratch;
    const uint64_t bytes = (uint64_t)l->batch * heads * count * sizeof(float);
    char *rows =
        (char *)l->call->scratch + (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    for (uint64_t i = from; i < to; i++) {
        const head h = {.l = l,
                        .batch = i / heads,
                        .number = i % heads,
                        .state = states + i * count,
                        .row = (float *)(void *)rows + i * values};
        run_head(&h);
    }
}

static wlk_status linear_kernel(const op_call *call) {
    linear l;
    TRY(linear_of(call, &l));
    op_parallel(call, (uint64_t)l.batch * (uint64_t)l.heads, 1, run_heads, &l);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [LA_CHUNK] = {.name = "chunk_size", .type = WLK_ATTR_INT, .i = 64},
    [LA_KV_HEADS] = {.name = "kv_num_heads", .type = WLK_ATTR_INT, .required = true},
    [LA_Q_HEADS] = {.name = "q_num_heads", .type = WLK_ATTR_INT, .required = true},
    [LA_SCALE] = {.name = "scale", .type = WLK_ATTR_FLOAT},
    [LA_RULE] = {.name = "update_rule", .type = WLK_ATTR_STRING, .s = "gated_delta"},
};

#define FLOATS DTYPE_BIT(WLK_F32) | DTYPES_HALF
static const op_port ports[] = {
    [LA_Q] = {"query", FLOATS, 'T'},     [LA_K] = {"key", FLOATS, 'T'},
    [LA_V] = {"value", FLOATS, 'T'},     [LA_PAST] = {"past_state", FLOATS, 'S'},
    [LA_DECAY] = {"decay", FLOATS, 'T'}, [LA_BETA] = {"beta", FLOATS, 'T'},
};

static const op_row rows[] = {{.domain = "",
                               .name = "LinearAttention",
                               .since = 27,
                               .min_inputs = 3,
                               .max_inputs = 6,
                               .min_outputs = 1,
                               .max_outputs = 2,
                               .ports = ports,
                               .attributes = attributes,
                               .attribute_count = LA_ATTRIBUTES,
                               .infer = linear_infer,
                               .kernel = linear_kernel,
                               .flags = OP_HALF}};

const op_family ops_attention_linear = {rows, sizeof rows / sizeof *rows};
