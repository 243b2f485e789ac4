/* GlobalMaxPool, GlobalAveragePool, GlobalLpPool: one value for each channel. */
#include <math.h>

#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* The value of `count` elements; in LANES sums side by side, for they can be made at once. */
typedef double (*plane_run)(const void *from, uint64_t count, double p);

enum { LANES = 16 };

#define PLANES(suffix, type, absolute)                                              \
    static double max_##suffix(const void *from, uint64_t count, double p) {        \
        const type *in = from;                                                      \
        type best[LANES];                                                           \
        (void)p;                                                                    \
        for (int j = 0; j < LANES; j++) best[j] = (type)-INFINITY;                  \
        for (uint64_t i = 0; i < count; i++) {                                      \
            const type x = in[i];                                                   \
            type *top = &best[i % LANES];                                           \
            *top = x <= *top || *top != *top ? *top : x;                            \
        }                                                                           \
        for (int j = 1; j < LANES; j++) {                                           \
            if (!(best[j] <= best[0]) && best[0] == best[0]) best[0] = best[j];     \
        }                                                                           \
        return (double)best[0];                                                     \
    }                                                                               \
    static double average_##suffix(const void *from, uint64_t count, double p) {    \
        const type *in = from;                                                      \
        double sums[LANES] = {0};                                                   \
        (void)p;                                                                    \
        uint64_t i = 0;                                                             \
        for (; i + LANES <= count; i += LANES) {                                    \
            for (int j = 0; j < LANES; j++) sums[j] += (double)in[i + (uint64_t)j]; \
        }                                                                           \
        for (; i < count; i++) sums[0] += (double)in[i];                            \
        for (int j = 1; j < LANES; j++) sums[0] += sums[j];                         \
        return sums[0] / (double)count;                                             \
    }                                                                               \
    static double lp_##suffix(const void *from, uint64_t count, double p) {         \
        const type *in = from;                                                      \
        double sum = 0;                                                             \
        for (uint64_t i = 0; i < count; i++) {                                      \
            const double x = (double)absolute(in[i]);                               \
            sum += p == 1 ? x : p == 2 ? x * x : pow(x, p);                         \
        }                                                                           \
        return p == 1 ? sum : p == 2 ? sqrt(sum) : pow(sum, 1 / p);                 \
    }

PLANES(f32, float, fabsf)
PLANES(f64, double, fabs)

typedef struct global_pool {
    plane_run run;
    bool is_f64;
    double p;
    const void *in;
    void *out;
    uint64_t plane;
} global_pool;

static void pool_planes(void *context, uint64_t from, uint64_t to) {
    const global_pool *g = context;
    for (uint64_t i = from; i < to; i++) {
        if (g->is_f64) {
            ((double *)g->out)[i] = g->run((const double *)g->in + i * g->plane, g->plane, g->p);
        } else {
            const float *in = (const float *)g->in + i * g->plane;
            ((float *)g->out)[i] = (float)g->run(in, g->plane, g->p);
        }
    }
}

static wlk_status global_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    TRY(shape_need_rank(call, 0, 2, WLK_MAX_RANK));
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; x->rank != WLK_NONE && i < x->rank; i++) {
        dims[i] = i < 2 ? x->dims[i] : 1;
        if (i >= 2 && x->dims[i] == 0) {
            return op_fail(call, op_shape_rule(call), "axis %u is empty", i);
        }
    }
    op_set_output(call, 0, x->dtype, x->rank, dims);
    return WLK_OK;
}

static wlk_status run(const op_call *call, plane_run f32, plane_run f64, double p) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    global_pool g = {.run = x->dtype == WLK_F64 ? f64 : f32,
                     .is_f64 = x->dtype == WLK_F64,
                     .p = p,
                     .in = x->data,
                     .out = out->target,
                     .plane = tensor_span(x, 2, x->rank)};
    op_parallel(call, out->count, 1 + (UINT64_C(1) << 17) / (g.plane + 1), pool_planes, &g);
    return WLK_OK;
}

static wlk_status max_kernel(const op_call *call) {
    return run(call, max_f32, max_f64, 0);
}

static wlk_status average_kernel(const op_call *call) {
    return run(call, average_f32, average_f64, 0);
}

/* Version 1 has p as a float. */
static double lp_p(const op_call *call) {
    const attribute_value p = op_attribute(call, 0);
    return call->node->row->attributes[0].type == WLK_ATTR_FLOAT ? p.f : (double)p.i;
}

static wlk_status lp_infer(op_call *call) {
    const double p = lp_p(call);
    if (!(p > 0)) return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "p is %g", p);
    const op_tensor *x = op_input(call, 0);
    if (call->binding) op_add_operations(call, OP_ELEMENT_COST, x->count, 1, 1);
    return global_infer(call);
}

static wlk_status lp_kernel(const op_call *call) {
    return run(call, lp_f32, lp_f64, lp_p(call));
}

static const attribute_row lp_old[] = {{.name = "p", .type = WLK_ATTR_FLOAT, .f = 2}};
static const attribute_row lp_new[] = {{.name = "p", .type = WLK_ATTR_INT, .i = 2}};

static const op_port float_port[] = {{"X", DTYPES_FLOAT | DTYPE_BIT(WLK_F16), 'T'}};
static const op_port newest_port[] = {{"X", DTYPES_FLOAT | DTYPES_HALF, 'T'}};

#define ROW(op, version, port, attribute_rows, known, op_infer, op_kernel)                 \
    {                                                                                      \
        .domain = "", .name = op, .since = version, .min_inputs = 1, .max_inputs = 1,      \
        .min_outputs = 1, .max_outputs = 1, .ports = port, .attributes = attribute_rows,   \
        .attribute_count = known, .infer = op_infer, .kernel = op_kernel, .flags = OP_HALF \
    }

static const op_row rows[] = {
    ROW("GlobalMaxPool", 1, float_port, NULL, 0, global_infer, max_kernel),
    ROW("GlobalMaxPool", 22, newest_port, NULL, 0, global_infer, max_kernel),
    ROW("GlobalAveragePool", 1, float_port, NULL, 0, global_infer, average_kernel),
    ROW("GlobalAveragePool", 22, newest_port, NULL, 0, global_infer, average_kernel),
    ROW("GlobalLpPool", 1, float_port, lp_old, 1, lp_infer, lp_kernel),
    ROW("GlobalLpPool", 2, float_port, lp_new, 1, lp_infer, lp_kernel),
    ROW("GlobalLpPool", 22, newest_port, lp_new, 1, lp_infer, lp_kernel),
};

const op_family ops_pool_global = {rows, sizeof rows / sizeof *rows};
