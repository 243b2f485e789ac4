/* CausalConvWithState: each channel by its own kernel, over what came before it; the last
 * elements are handed on to the next call. */
#include <string.h>

#include "infer/math_f32.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { CC_X, CC_W, CC_BIAS, CC_PAST };

static wlk_status need_activation(const op_call *call) {
    const char *name = op_attribute(call, 0).s;
    if (strcmp(name, "none") == 0 || strcmp(name, "silu") == 0 || strcmp(name, "swish") == 0) {
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "activation is '%.40s'", name);
}

/* The dims of the state, [batch, channels, kernel - 1]. */
static wlk_status causal_state(const op_call *call, int64_t state[3]) {
    const op_tensor *x = op_input(call, CC_X);
    const op_tensor *w = op_input(call, CC_W);
    const op_tensor *bias = op_input(call, CC_BIAS);
    const op_tensor *past = op_input(call, CC_PAST);
    for (uint32_t i = 0; i < 3; i++) state[i] = WLK_UNKNOWN_DIM;
    if (x->rank != WLK_NONE) memcpy(state, x->dims, 2 * sizeof *state);
    if (w->rank != WLK_NONE) {
        if (!dim_agrees(state[1], w->dims[0]) || !dim_agrees(w->dims[1], 1) || w->dims[2] == 0) {
            return shape_mismatch(call, CC_X, CC_W);
        }
        state[1] = dim_known(state[1], w->dims[0]);
        if (w->dims[2] != WLK_UNKNOWN_DIM) state[2] = w->dims[2] - 1;
    }
    if (bias && bias->rank != WLK_NONE &&
        (bias->rank != 1 || !dim_agrees(bias->dims[0], state[1]))) {
        return shape_mismatch(call, CC_X, CC_BIAS);
    }
    for (uint32_t i = 0; past && past->rank != WLK_NONE && i < 3; i++) {
        if (past->rank != 3 || !dim_agrees(past->dims[i], state[i])) {
            return shape_mismatch(call, CC_X, CC_PAST);
        }
    }
    return WLK_OK;
}

static wlk_status causal_infer(op_call *call) {
    const op_tensor *x = op_input(call, CC_X);
    int64_t state[3];
    TRY(need_activation(call));
    TRY(shape_need_rank(call, CC_X, 3, 3));
    TRY(shape_need_rank(call, CC_W, 3, 3));
    TRY(causal_state(call, state));
    const wlk_dtype dtype = x->dtype;
    op_set_output(call, 0, dtype, x->rank, x->dims);
    op_set_output(call, 1, dtype, 3, state);
    if (call->binding)
        op_add_operations(call, OP_INTEGER_COST, x->count, (uint64_t)state[2] + 4, 1);
    return WLK_OK;
}

typedef struct causal {
    const op_call *call;
    uint64_t channels;
    uint64_t length;
    uint64_t before; /* elements of the state */
} causal;

/* to[i] = the sum over the taps; tap t of element i is element i + t - before, of the past
 * below 0. */
static void convolve(const causal *c, const float *x, const float *past, const float *taps,
                     float bias, float *restrict to) {
    for (uint64_t i = 0; i < c->length; i++) to[i] = bias;
    for (uint64_t t = 0; t <= c->before; t++) {
        const uint64_t back = c->before - t; /* what the tap looks back */
        const uint64_t known = back < c->length ? back : c->length;
        for (uint64_t i = 0; past && i < known; i++) to[i] += taps[t] * past[i + t];
        for (uint64_t i = known; i < c->length; i++) to[i] += taps[t] * x[i - back];
    }
}

/* The last elements of past and input. */
static void keep(const causal *c, const float *x, const float *past, float *state) {
    const uint64_t fresh = c->length < c->before ? c->length : c->before;
    const uint64_t old = c->before - fresh;
    for (uint64_t i = 0; i < old; i++) state[i] = past ? past[c->before - old + i] : 0;
    if (fresh > 0) memcpy(state + old, x + c->length - fresh, fresh * sizeof *x);
}

static void run_channels(void *context, uint64_t from, uint64_t to) {
    const causal *c = context;
    const op_tensor *bias = op_input(c->call, CC_BIAS);
    const op_tensor *past = op_input(c->call, CC_PAST);
    const op_tensor *state = op_output(c->call, 1);
    const bool activated = strcmp(op_attribute(c->call, 0).s, "none") != 0;
    for (uint64_t i = from; i < to; i++) {
        const uint64_t channel = i % c->channels;
        const float *x = (const float *)op_input(c->call, CC_X)->data + i * c->length;
        const float *old = past ? (const float *)past->data + i * c->before : NULL;
        const float *taps =
            (const float *)op_input(c->call, CC_W)->data + channel * (c->before + 1);
        float *out = (float *)op_output(c->call, 0)->target + i * c->length;
        convolve(c, x, old, taps, bias ? ((const float *)bias->data)[channel] : 0, out);
        for (uint64_t j = 0; activated && j < c->length; j++) out[j] *= f32_logistic(out[j]);
        if (state) keep(c, x, old, (float *)state->target + i * c->before);
    }
}

static wlk_status causal_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, CC_X);
    causal c = {.call = call,
                .channels = (uint64_t)x->dims[1],
                .length = (uint64_t)x->dims[2],
                .before = (uint64_t)op_input(call, CC_W)->dims[2] - 1};
    op_parallel(call, (uint64_t)x->dims[0] * c.channels,
                1 + (1 << 16) / (c.length * (c.before + 1) + 1), run_channels, &c);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    {.name = "activation", .type = WLK_ATTR_STRING, .s = "none"}};

#define FLOATS DTYPE_BIT(WLK_F32) | DTYPES_HALF
static const op_port ports[] = {[CC_X] = {"input", FLOATS, 'T'},
                                [CC_W] = {"weight", FLOATS, 'T'},
                                [CC_BIAS] = {"bias", FLOATS, 'T'},
                                [CC_PAST] = {"past_state", FLOATS, 'T'}};

static const op_row rows[] = {{.domain = "",
                               .name = "CausalConvWithState",
                               .since = 27,
                               .min_inputs = 2,
                               .max_inputs = 4,
                               .min_outputs = 1,
                               .max_outputs = 2,
                               .ports = ports,
                               .attributes = attributes,
                               .attribute_count = 1,
                               .infer = causal_infer,
                               .kernel = causal_kernel,
                               .flags = OP_HALF}};

const op_family ops_conv_causal = {rows, sizeof rows / sizeof *rows};
