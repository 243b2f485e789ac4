/* Attention: its shapes. */
#include "infer/ops_attention.h"

#include <inttypes.h>

#include "infer/blas.h"
#include "infer/ops.h"
#include "infer/shape.h"

/* ---- shapes */

static wlk_status split_heads(const op_call *call, uint32_t i, int64_t count, heads *out) {
    const op_tensor *in = op_input(call, i);
    if (in->rank == 4) {
        *out = (heads){in->dims[0], in->dims[1], in->dims[2], in->dims[3], false};
        return WLK_OK;
    }
    if (count < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%" PRId64 " heads for input %u", count, i);
    }
    *out = (heads){in->dims[0], count, in->dims[1], WLK_UNKNOWN_DIM, true};
    if (in->dims[2] == WLK_UNKNOWN_DIM) return WLK_OK;
    out->size = in->dims[2] / count;
    if (out->size * count == in->dims[2]) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%" PRId64 " elements for %" PRId64 " heads",
                   in->dims[2], count);
}

/* The past of input `now`, which must go with it; its length. */
static wlk_status past_length(const op_call *call, uint32_t past, uint32_t now, const heads *h,
                              int64_t *length) {
    const op_tensor *in = op_input(call, past);
    *length = 0;
    if (!in) return WLK_OK;
    *length = WLK_UNKNOWN_DIM;
    if (in->rank == WLK_NONE) return WLK_OK;
    if (in->rank != 4 || !dim_agrees(in->dims[0], h->batch) || !dim_agrees(in->dims[1], h->heads) ||
        !dim_agrees(in->dims[3], h->size)) {
        return shape_mismatch(call, now, past);
    }
    *length = in->dims[2];
    return WLK_OK;
}

static wlk_status need_fit(const op_call *call, const attention *a) {
    const bool keys = dim_agrees(a->q.batch, a->k.batch) && dim_agrees(a->q.size, a->k.size);
    const bool divides = a->q.heads == WLK_UNKNOWN_DIM || a->k.heads == WLK_UNKNOWN_DIM ||
                         (a->k.heads > 0 && a->q.heads % a->k.heads == 0);
    if (!keys || !divides) return shape_mismatch(call, AT_Q, AT_K);
    if (dim_agrees(a->k.batch, a->v.batch) && dim_agrees(a->k.heads, a->v.heads) &&
        dim_agrees(a->k.length, a->v.length)) {
        return WLK_OK;
    }
    return shape_mismatch(call, AT_K, AT_V);
}

wlk_status attention_of(const op_call *call, attention *a) {
    const int64_t kv_heads = op_attribute(call, AT_KV_HEADS).i;
    int64_t past_values = 0;
    TRY(split_heads(call, AT_Q, op_attribute(call, AT_Q_HEADS).i, &a->q));
    TRY(split_heads(call, AT_K, kv_heads, &a->k));
    TRY(split_heads(call, AT_V, kv_heads, &a->v));
    TRY(need_fit(call, a));
    if (!op_input(call, AT_PAST_KEY) != !op_input(call, AT_PAST_VALUE)) {
        return op_fail(call, RULE_PLAN_ARITY, "past_key and past_value go together");
    }
    TRY(past_length(call, AT_PAST_KEY, AT_K, &a->k, &a->past));
    TRY(past_length(call, AT_PAST_VALUE, AT_V, &a->v, &past_values));
    if (!dim_agrees(a->past, past_values)) return shape_mismatch(call, AT_PAST_KEY, AT_PAST_VALUE);
    const bool known = a->past != WLK_UNKNOWN_DIM && a->k.length != WLK_UNKNOWN_DIM;
    if (!known) {
        a->total = WLK_UNKNOWN_DIM;
    } else if (__builtin_add_overflow(a->past, a->k.length, &a->total)) {
        return shape_mismatch(call, AT_K, AT_PAST_KEY);
    }
    return WLK_OK;
}

/* From version 24 on a mask may end before the keys do. */
static wlk_status need_mask(const op_call *call, const attention *a) {
    const op_tensor *mask = op_input(call, AT_MASK);
    if (!mask || mask->rank == WLK_NONE) return WLK_OK;
    op_tensor own = *mask;
    const int64_t scores[4] = {a->q.batch, a->q.heads, a->q.length, a->total};
    const bool has_end = own.rank > 0 && a->total != WLK_UNKNOWN_DIM;
    if (call->node->row->since >= 24 && has_end && own.dims[own.rank - 1] < a->total) {
        own.dims[own.rank - 1] = a->total;
    }
    if (own.rank <= 4 && dims_stretch(&own, scores, 4)) return WLK_OK;
    return shape_mismatch(call, AT_Q, AT_MASK);
}

static wlk_status need_lengths(const op_call *call, const attention *a) {
    const op_tensor *lengths = op_input(call, AT_LENGTHS);
    if (!lengths || lengths->rank == WLK_NONE) return WLK_OK;
    if (op_input(call, AT_PAST_KEY)) {
        return op_fail(call, RULE_PLAN_ARITY, "nonpad_kv_seqlen does not go with past_key");
    }
    if (lengths->rank == 1 && dim_agrees(lengths->dims[0], a->q.batch)) return WLK_OK;
    return shape_mismatch(call, AT_Q, AT_LENGTHS);
}

static wlk_dtype computed_in(wlk_dtype dtype) {
    return DTYPES_HALF & DTYPE_BIT(dtype) ? WLK_F32 : dtype;
}

static wlk_status need_attributes(const op_call *call) {
    const wlk_dtype q = op_input(call, AT_Q)->dtype;
    const wlk_dtype v = op_input(call, AT_V)->dtype;
    if (computed_in(q) != computed_in(v)) {
        return op_fail(call, RULE_PLAN_DTYPE, "Q is %s, V is %s", wlk_dtype_name(q),
                       wlk_dtype_name(v));
    }
    const int64_t mode = op_attribute(call, AT_MODE).i;
    if (mode < MODE_PRODUCT || mode > MODE_SOFTMAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "qk_matmul_output_mode is %" PRId64, mode);
    }
    if (call->node->row->since < 25) return WLK_OK;
    if (op_attribute(call, AT_LEFT).i >= -1 && op_attribute(call, AT_RIGHT).i >= -1) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "a window is below -1");
}

static uint64_t saturating(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

void attention_work(const attention *a, uint64_t counts[WORKS]) {
    const uint64_t rows = (uint64_t)a->q.length;
    const uint64_t keys = (uint64_t)a->total;
    const uint64_t padded = keys > UINT64_MAX - PRODUCT_COLUMNS ? keys : keys + PRODUCT_COLUMNS;
    counts[WORK_Q] = saturating(rows, (uint64_t)a->q.size);
    counts[WORK_K] = saturating(keys, (uint64_t)a->k.size);
    counts[WORK_V] = saturating(keys, (uint64_t)a->v.size);
    counts[WORK_PACKED] = saturating(padded, (uint64_t)a->k.size);
    counts[WORK_SCORES] = saturating(rows, keys);
    counts[WORK_Y] = saturating(rows, (uint64_t)a->v.size);
}

static wlk_status attention_need(op_call *call, const attention *a) {
    uint64_t counts[WORKS];
    const uint64_t size = op_input(call, AT_Q)->dtype == WLK_F64 ? 8 : 4;
    const uint64_t times = saturating((uint64_t)a->q.batch, (uint64_t)a->q.heads);
    attention_work(a, counts);
    op_add_operations(call, 1, times, counts[WORK_SCORES], (uint64_t)a->q.size);
    op_add_operations(call, 1, times, counts[WORK_SCORES], (uint64_t)a->v.size);
    op_add_operations(call, OP_ELEMENT_COST, times, counts[WORK_SCORES], 4);
    op_add_operations(call, OP_CALL_COST, times, 4, 1);
    for (uint32_t i = 0; i < WORKS; i++) {
        op_add_operations(call, OP_ELEMENT_COST, times, counts[i], 1);
        TRY(op_need_scratch(call, counts[i], size));
    }
    return WLK_OK;
}

static void set_outputs(const op_call *call, const attention *a) {
    const wlk_dtype q = op_input(call, AT_Q)->dtype;
    const wlk_dtype k = op_input(call, AT_K)->dtype;
    const wlk_dtype v = op_input(call, AT_V)->dtype;
    const int64_t whole[4] = {a->q.batch, a->q.heads, a->q.length, a->v.size};
    int64_t flat[3] = {a->q.batch, a->q.length, WLK_UNKNOWN_DIM};
    if (a->v.size != WLK_UNKNOWN_DIM && a->q.heads != WLK_UNKNOWN_DIM) {
        flat[2] = a->v.size * a->q.heads;
    }
    const int64_t key[4] = {a->k.batch, a->k.heads, a->total, a->k.size};
    const int64_t value[4] = {a->v.batch, a->v.heads, a->total, a->v.size};
    const int64_t scores[4] = {a->q.batch, a->q.heads, a->q.length, a->total};
    op_set_output(call, AT_Y, q, a->q.flat ? 3 : 4, a->q.flat ? flat : whole);
    op_set_output(call, AT_KEY, k, 4, key);
    op_set_output(call, AT_VALUE, v, 4, value);
    op_set_output(call, AT_SCORES, q, 4, scores);
}

static wlk_status attention_infer(op_call *call) {
    bool known = true;
    TRY(need_attributes(call));
    for (uint32_t i = AT_Q; i <= AT_V; i++) {
        TRY(shape_need_rank(call, i, 3, 4));
        if (op_input(call, i)->rank == WLK_NONE) known = false;
    }
    if (!known) {
        op_set_output(call, AT_Y, op_input(call, AT_Q)->dtype, WLK_NONE, NULL);
        op_set_output(call, AT_KEY, op_input(call, AT_K)->dtype, WLK_NONE, NULL);
        op_set_output(call, AT_VALUE, op_input(call, AT_V)->dtype, WLK_NONE, NULL);
        op_set_output(call, AT_SCORES, op_input(call, AT_Q)->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    attention a;
    TRY(attention_of(call, &a));
    TRY(need_mask(call, &a));
    TRY(need_lengths(call, &a));
    set_outputs(call, &a);
    return call->binding ? attention_need(call, &a) : WLK_OK;
}

/* ---- rows */

static const attribute_row attributes[] = {
    [AT_CAUSAL] = {.name = "is_causal", .type = WLK_ATTR_INT},
    [AT_KV_HEADS] = {.name = "kv_num_heads", .type = WLK_ATTR_INT},
    [AT_Q_HEADS] = {.name = "q_num_heads", .type = WLK_ATTR_INT},
    [AT_MODE] = {.name = "qk_matmul_output_mode", .type = WLK_ATTR_INT},
    [AT_SCALE] = {.name = "scale", .type = WLK_ATTR_FLOAT},
    [AT_PRECISION] = {.name = "softmax_precision", .type = WLK_ATTR_INT},
    [AT_SOFTCAP] = {.name = "softcap", .type = WLK_ATTR_FLOAT},
    [AT_LEFT] = {.name = "left_window_size", .type = WLK_ATTR_INT, .i = -1},
    [AT_RIGHT] = {.name = "right_window_size", .type = WLK_ATTR_INT, .i = -1},
};

#define FLOATS DTYPES_FLOAT | DTYPES_HALF
static const op_port ports[] = {
    [AT_Q] = {"Q", FLOATS, 'T'},
    [AT_K] = {"K", FLOATS, 'T'},
    [AT_V] = {"V", FLOATS, 'V'},
    [AT_MASK] = {"attn_mask", FLOATS | DTYPES_INT | DTYPE_BIT(WLK_BOOL), 0},
    [AT_PAST_KEY] = {"past_key", FLOATS, 'T'},
    [AT_PAST_VALUE] = {"past_value", FLOATS, 'V'},
    [AT_LENGTHS] = {"nonpad_kv_seqlen", DTYPE_BIT(WLK_I64), 0},
};

#define ROW(version, most, known)                                                                 \
    {                                                                                             \
        .domain = "", .name = "Attention", .since = version, .min_inputs = 3, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = 4, .ports = ports, .attributes = attributes,             \
        .attribute_count = known, .infer = attention_infer, .kernel = attention_kernel,           \
        .flags = OP_HALF                                                                          \
    }

static const op_row rows[] = {ROW(23, 6, AT_LEFT), ROW(24, 7, AT_LEFT), ROW(25, 7, AT_ATTRIBUTES)};

const op_family ops_attention = {rows, sizeof rows / sizeof *rows};
