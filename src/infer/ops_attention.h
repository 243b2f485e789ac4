/* What the shape rule and the kernel of Attention share. */
#ifndef WLK_INFER_OPS_ATTENTION_H
#define WLK_INFER_OPS_ATTENTION_H

#include "infer/op.h"

enum {
    AT_CAUSAL,
    AT_KV_HEADS,
    AT_Q_HEADS,
    AT_MODE,
    AT_SCALE,
    AT_PRECISION,
    AT_SOFTCAP,
    AT_LEFT,
    AT_RIGHT,
    AT_ATTRIBUTES
};
enum { AT_Q, AT_K, AT_V, AT_MASK, AT_PAST_KEY, AT_PAST_VALUE, AT_LENGTHS };
enum { AT_Y, AT_KEY, AT_VALUE, AT_SCORES };
enum { MODE_PRODUCT, MODE_CAPPED, MODE_BIASED, MODE_SOFTMAX };

/* A tensor [batch, heads, length, size], or [batch, length, heads * size] which is read
 * so. Dims may be unknown. */
typedef struct heads {
    int64_t batch;
    int64_t heads;
    int64_t length;
    int64_t size;
    bool flat;
} heads;

typedef struct attention {
    heads q;
    heads k;
    heads v;
    int64_t past;
    int64_t total; /* keys, past ones included */
} attention;

/* What the call's inputs and attributes say; fails if they do not fit. */
wlk_status attention_of(const op_call *call, attention *out);

/* Working memory, for one head: queries, keys and values in rows, keys packed, scores,
 * results. */
enum { WORK_Q, WORK_K, WORK_V, WORK_PACKED, WORK_SCORES, WORK_Y, WORKS };

/* Elements of each. */
void attention_work(const attention *a, uint64_t counts[WORKS]);

wlk_status attention_kernel(const op_call *call);

#endif
