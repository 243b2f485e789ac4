/* Attention: scores of queries against keys, softmax, and the values weighted by it. One
 * head at a time, its rows divided among threads. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/blas.h"
#include "infer/math_f32.h"
#include "infer/numbers.h"
#include "infer/ops_attention.h"
#include "infer/parallel.h"

typedef struct head_run {
    const op_call *call;
    attention a;
    bool is_f64;
    uint64_t size;
    char *work[WORKS];
    product_job scores; /* of the head */
    product_job result;
    char *kept; /* output 3, of the head, or NULL */
    uint64_t batch;
    uint64_t head;
    /* of the mask, in elements, 0 where it is stretched */
    uint64_t mask_steps[4];
    uint64_t mask_end; /* keys from here on are masked */
    number_loader mask_load;
    /* of this batch */
    int64_t offset; /* the position of the first query among the keys */
    int64_t length; /* keys behind it are padding */
    double softcap;
    int64_t left; /* -1: without bound */
    int64_t right;
} head_run;

/* Which keys query `row` may see: [*from, *to). */
static void visible(const head_run *r, uint64_t row, uint64_t *from, uint64_t *to) {
    const int64_t position = r->offset + (int64_t)row;
    int64_t first = 0;
    int64_t end = r->length;
    if (r->left >= 0 && r->left < position) first = position - r->left;
    if (r->right >= 0 && r->right < end - position) end = position + r->right + 1;
    if ((int64_t)r->mask_end < end) end = (int64_t)r->mask_end;
    if (end < 0) end = 0;
    *from = (uint64_t)(first < end ? first : end);
    *to = (uint64_t)end;
}

/* What the mask adds to a score. */
static double mask_at(const head_run *r, uint64_t row, uint64_t key) {
    const op_tensor *mask = op_input(r->call, AT_MASK);
    const uint64_t at = r->batch * r->mask_steps[0] + r->head * r->mask_steps[1] +
                        row * r->mask_steps[2] + key * r->mask_steps[3];
    if (mask->dtype == WLK_BOOL) return ((const uint8_t *)mask->data)[at] ? 0 : -INFINITY;
    if (mask->dtype == WLK_F32) return (double)((const float *)mask->data)[at];
    return number_double(r->mask_load(mask->data, at));
}

/* A row of scores on its way: capped, biased, and made to weights. A row of which no key
 * is visible becomes 0. */
#define ATTEND(suffix, type, tangent, exponential)                                        \
    static bool bias_##suffix(const head_run *r, uint64_t row, type *scores) {            \
        const uint64_t total = (uint64_t)r->a.total;                                      \
        const bool masked = op_input(r->call, AT_MASK) != NULL;                           \
        bool any = false;                                                                 \
        uint64_t from = 0;                                                                \
        uint64_t to = 0;                                                                  \
        visible(r, row, &from, &to);                                                      \
        for (uint64_t i = 0; i < from; i++) scores[i] = (type)-INFINITY;                  \
        for (uint64_t i = to; i < total; i++) scores[i] = (type)-INFINITY;                \
        for (uint64_t i = from; masked && i < to; i++) {                                  \
            const type bias = (type)mask_at(r, row, i);                                   \
            any = any || bias != (type)-INFINITY;                                         \
            scores[i] = bias == (type)-INFINITY ? bias : scores[i] + bias;                \
        }                                                                                 \
        return masked ? any : from < to;                                                  \
    }                                                                                     \
    static void cap_##suffix(const head_run *r, type *scores) {                           \
        const type cap = (type)r->softcap;                                                \
        for (uint64_t i = 0; i < (uint64_t)r->a.total; i++) {                             \
            scores[i] = cap * tangent(scores[i] / cap);                                   \
        }                                                                                 \
    }                                                                                     \
    static void softmax_##suffix(const head_run *r, bool any, type *restrict scores) {    \
        const uint64_t total = (uint64_t)r->a.total;                                      \
        type top = (type)-INFINITY;                                                       \
        double sum = 0;                                                                   \
        for (uint64_t i = 0; i < total; i++) top = scores[i] > top ? scores[i] : top;     \
        if (!any || top == (type)-INFINITY) {                                             \
            for (uint64_t i = 0; i < total; i++) {                                        \
                scores[i] = any && scores[i] != scores[i] ? scores[i] : 0;                \
            }                                                                             \
            return;                                                                       \
        }                                                                                 \
        for (uint64_t i = 0; i < total; i++) scores[i] = exponential(scores[i] - top);    \
        for (uint64_t i = 0; i < total; i++) sum += (double)scores[i];                    \
        const type factor = (type)(1 / sum);                                              \
        for (uint64_t i = 0; i < total; i++) scores[i] *= factor;                         \
    }                                                                                     \
    static void attend_##suffix(const head_run *r, uint64_t row) {                        \
        const int64_t mode = op_attribute(r->call, AT_MODE).i;                            \
        const uint64_t bytes = (uint64_t)r->a.total * sizeof(type);                       \
        type *scores = (type *)(void *)r->work[WORK_SCORES] + row * (uint64_t)r->a.total; \
        char *kept = r->kept ? r->kept + row * bytes : NULL;                              \
        if (kept && mode == MODE_PRODUCT) memcpy(kept, scores, bytes);                    \
        if (r->softcap != 0) cap_##suffix(r, scores);                                     \
        if (kept && mode == MODE_CAPPED) memcpy(kept, scores, bytes);                     \
        const bool any = bias_##suffix(r, row, scores);                                   \
        if (kept && mode == MODE_BIASED) memcpy(kept, scores, bytes);                     \
        softmax_##suffix(r, any, scores);                                                 \
        if (kept && mode == MODE_SOFTMAX) memcpy(kept, scores, bytes);                    \
    }

ATTEND(f32, float, f32_tanh, f32_exp)
ATTEND(f64, double, tanh, exp)

/* So many rows at a time. */
#define BLOCK_ROWS 96

static void attend_rows(void *context, uint64_t from, uint64_t to) {
    const head_run *r = context;
    const uint64_t first = from * BLOCK_ROWS;
    const uint64_t end = to * BLOCK_ROWS < r->scores.size.m ? to * BLOCK_ROWS : r->scores.size.m;
    product_part(&r->scores, first, end - first, 0, r->scores.size.n);
    for (uint64_t row = first; row < end; row++) {
        if (r->is_f64) {
            attend_f64(r, row);
        } else {
            attend_f32(r, row);
        }
    }
    product_part(&r->result, first, end - first, 0, r->result.size.n);
}

/* Rows of one head, from a tensor that is split as h says. */
static void copy_head(const op_tensor *from, const heads *h, uint64_t batch, uint64_t head,
                      uint64_t size, char *to) {
    const uint64_t bytes = (uint64_t)h->size * size;
    const uint64_t length = (uint64_t)h->length;
    const uint64_t count = (uint64_t)h->heads;
    for (uint64_t row = 0; bytes > 0 && row < length; row++) {
        const uint64_t at =
            h->flat ? (batch * length + row) * count + head : (batch * count + head) * length + row;
        memcpy(to + row * bytes, (const char *)from->data + at * bytes, bytes);
    }
}

/* Keys or values of one head, those of the past first; kept in output `kept`. */
static void copy_keys(const head_run *r, uint32_t input, uint32_t past, uint32_t kept,
                      const heads *h, uint64_t head, char *to) {
    const op_tensor *before = op_input(r->call, past);
    const op_tensor *out = op_output(r->call, kept);
    const uint64_t bytes = (uint64_t)h->size * r->size;
    const uint64_t all = (uint64_t)r->a.total * bytes;
    heads old = *h;
    old.flat = false;
    old.length = r->a.past;
    if (before) copy_head(before, &old, r->batch, head, r->size, to);
    copy_head(op_input(r->call, input), h, r->batch, head, r->size,
              to + (uint64_t)r->a.past * bytes);
    if (!out || all == 0) return;
    memcpy((char *)out->target + (r->batch * (uint64_t)h->heads + head) * all, to, all);
}

#define SCALE_QUERIES(function, type)                                   \
    static void function(void *queries, uint64_t count, double scale) { \
        type *to = queries;                                             \
        for (uint64_t i = 0; i < count; i++) to[i] *= (type)scale;      \
    }

SCALE_QUERIES(scale_f32, float)
SCALE_QUERIES(scale_f64, double)

static void store_result(const head_run *r) {
    const heads *q = &r->a.q;
    const op_tensor *out = op_output(r->call, AT_Y);
    const uint64_t bytes = (uint64_t)r->a.v.size * r->size;
    const uint64_t length = (uint64_t)q->length;
    const uint64_t count = (uint64_t)q->heads;
    for (uint64_t row = 0; bytes > 0 && row < length; row++) {
        const uint64_t at = q->flat ? (r->batch * length + row) * count + r->head
                                    : (r->batch * count + r->head) * length + row;
        memcpy((char *)out->target + at * bytes, r->work[WORK_Y] + row * bytes, bytes);
    }
}

/* Fewer queries than this are not worth packing the keys. */
#define PACKED_QUERIES 8

static void begin_keys(head_run *r, uint64_t kv_head) {
    copy_keys(r, AT_K, AT_PAST_KEY, AT_KEY, &r->a.k, kv_head, r->work[WORK_K]);
    copy_keys(r, AT_V, AT_PAST_VALUE, AT_VALUE, &r->a.v, kv_head, r->work[WORK_V]);
    r->scores.packed = NULL;
    if (r->a.q.length < PACKED_QUERIES) return;
    product_pack(&r->scores.size, r->scores.element, r->work[WORK_K], r->work[WORK_PACKED]);
    r->scores.packed = r->work[WORK_PACKED];
}

static void run_head(head_run *r, double scale) {
    const heads *q = &r->a.q;
    const uint64_t rows = (uint64_t)q->length;
    const op_tensor *kept = op_output(r->call, AT_SCORES);
    copy_head(op_input(r->call, AT_Q), q, r->batch, r->head, r->size, r->work[WORK_Q]);
    (r->is_f64 ? scale_f64 : scale_f32)(r->work[WORK_Q], rows * (uint64_t)q->size, scale);
    const uint64_t each = rows * (uint64_t)r->a.total * r->size;
    r->kept = kept ? (char *)kept->target + (r->batch * (uint64_t)q->heads + r->head) * each : NULL;
    op_parallel(r->call, (rows + BLOCK_ROWS - 1) / BLOCK_ROWS, 1, attend_rows, r);
    store_result(r);
}

static void begin_mask(head_run *r) {
    const op_tensor *mask = op_input(r->call, AT_MASK);
    r->mask_end = (uint64_t)r->a.total;
    if (!mask) return;
    uint64_t step = 1;
    for (uint32_t i = 0; i < mask->rank; i++) {
        const uint32_t axis = mask->rank - 1 - i;
        const bool ends = i == 0 && r->call->node->row->since >= 24;
        if (mask->dims[axis] != 1 || ends) r->mask_steps[3 - i] = step;
        if (ends && mask->dims[axis] < r->a.total) r->mask_end = (uint64_t)mask->dims[axis];
        step *= (uint64_t)mask->dims[axis];
    }
    r->mask_load = number_load(mask->dtype);
}

/* Where the batch's queries stand among its keys, and how many of those there are. */
static wlk_status begin_batch(head_run *r) {
    const op_tensor *lengths = op_input(r->call, AT_LENGTHS);
    r->offset = r->a.past;
    r->length = r->a.total;
    if (!lengths) return WLK_OK;
    r->length = ((const int64_t *)lengths->data)[r->batch];
    r->offset = r->length - r->a.q.length;
    if (r->length >= 0 && r->length <= r->a.total) return WLK_OK;
    return op_fail(r->call, op_value_rule(r->call),
                   "nonpad_kv_seqlen has %" PRId64 " of %" PRId64 " keys", r->length, r->a.total);
}

static void begin_run(head_run *r) {
    const op_call *call = r->call;
    uint64_t counts[WORKS];
    char *at = call->scratch;
    attention_work(&r->a, counts);
    for (uint32_t i = 0; i < WORKS; i++) {
        r->work[i] = at;
        at += (counts[i] * r->size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    }
    const product_job job = {.element = r->is_f64 ? TILE_F64 : TILE_F32, .alpha = 1};
    r->scores = job;
    r->scores.size = (product){.transpose_b = true,
                               .m = (uint64_t)r->a.q.length,
                               .n = (uint64_t)r->a.total,
                               .k = (uint64_t)r->a.q.size};
    r->scores.a = r->work[WORK_Q];
    r->scores.b = r->work[WORK_K];
    r->scores.c = r->work[WORK_SCORES];
    r->result = job;
    r->result.size = (product){
        .m = (uint64_t)r->a.q.length, .n = (uint64_t)r->a.v.size, .k = (uint64_t)r->a.total};
    r->result.a = r->work[WORK_SCORES];
    r->result.b = r->work[WORK_V];
    r->result.c = r->work[WORK_Y];
    r->softcap = op_attribute(call, AT_SOFTCAP).f;
    r->left = call->node->row->since < 25 ? -1 : op_attribute(call, AT_LEFT).i;
    r->right = call->node->row->since < 25 ? -1 : op_attribute(call, AT_RIGHT).i;
    if (op_attribute(call, AT_CAUSAL).i != 0) r->right = 0;
    begin_mask(r);
}

wlk_status attention_kernel(const op_call *call) {
    head_run r = {.call = call, .is_f64 = op_input(call, AT_Q)->dtype == WLK_F64};
    TRY(attention_of(call, &r.a));
    r.size = r.is_f64 ? 8 : 4;
    begin_run(&r);
    const attribute_value given = op_attribute(call, AT_SCALE);
    const double scale = given.given ? given.f : 1 / sqrt((double)r.a.q.size);
    const uint64_t kv_heads = (uint64_t)r.a.k.heads;
    const uint64_t share = kv_heads > 0 ? (uint64_t)r.a.q.heads / kv_heads : 0;
    for (r.batch = 0; r.batch < (uint64_t)r.a.q.batch; r.batch++) {
        TRY(begin_batch(&r));
        for (uint64_t kv = 0; kv < kv_heads; kv++) {
            begin_keys(&r, kv);
            for (uint64_t i = 0; i < share; i++) {
                r.head = kv * share + i;
                run_head(&r, scale);
            }
        }
    }
    return WLK_OK;
}
