/* Random numbers: RandomUniform, RandomNormal, their Like forms, Bernoulli, Multinomial.
 *
 * The generator is a counter put through SplitMix64's finaliser (Steele, Lea and Flood,
 * "Fast splittable pseudorandom number generators", 2014), so element i is the same
 * however the work is divided. The stream is chosen by `seed`, or, where that is not
 * given, by the node's place in the model: a model gives the same numbers in every run. */
#include <math.h>
#include <string.h>

#include "infer/elementwise.h"
#include "infer/number_block.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* ---- the generator */

#define GOLDEN 0x9e3779b97f4a7c15ULL

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* Number `counter` of a stream, in [0, 1). */
static double uniform(uint64_t stream, uint64_t counter) {
    return (double)(mix(stream + counter * GOLDEN) >> 11) * 0x1p-53;
}

/* Box and Muller's transform of two uniform numbers. */
static double normal(uint64_t stream, uint64_t i) {
    const double radius = sqrt(-2 * log(1 - uniform(stream, 2 * i)));
    return radius * cos(6.283185307179586 * uniform(stream, 2 * i + 1));
}

static uint64_t stream_of(const op_call *call, attribute_value seed) {
    uint64_t bits = call->node_index;
    if (seed.given) memcpy(&bits, &seed.f, sizeof bits);
    return mix(bits * 2 + seed.given);
}

/* ---- filling a tensor */

typedef struct random_work {
    const op_tensor *out;
    const op_tensor *in; /* of Bernoulli */
    uint64_t stream;
    double first;  /* low, or the mean */
    double spread; /* high - low, or the standard deviation */
    number_storer store;
    bool is_normal;
} random_work;

static void fill_block(const random_work *work, uint64_t at, uint64_t count, number_block *block) {
    block->kind = NUMBER_FLOAT;
    for (uint64_t i = 0; i < count; i++) {
        const double value =
            work->is_normal ? normal(work->stream, at + i) : uniform(work->stream, at + i);
        block->f[i] = work->first + value * work->spread;
    }
}

/* 1 where the number is below the probability; never where that is NaN. */
static void draw_block(const random_work *work, uint64_t at, uint64_t count, number_block *block) {
    number_block odds;
    number_block_load(work->in->dtype, work->in->data, at, count, &odds);
    block->kind = NUMBER_UINT;
    for (uint64_t i = 0; i < count; i++) block->u[i] = uniform(work->stream, at + i) < odds.f[i];
}

static void random_piece(void *context, uint64_t from, uint64_t to) {
    const random_work *work = context;
    number_block block;
    for (uint64_t at = from; at < to; at += NUMBER_BLOCK) {
        const uint64_t count = to - at < NUMBER_BLOCK ? to - at : NUMBER_BLOCK;
        if (work->in) {
            draw_block(work, at, count, &block);
        } else {
            fill_block(work, at, count, &block);
        }
        number_block_store(work->out->dtype, work->out->target, at, count, &block, work->store);
    }
}

static wlk_status fill(const op_call *call, random_work *work) {
    work->out = op_output(call, 0);
    work->store = number_store(work->out->dtype);
    op_parallel(call, work->out->count, ELEMENT_PIECE, random_piece, work);
    return WLK_OK;
}

/* ---- attributes */

enum { RANDOM_DTYPE, RANDOM_SEED, RANDOM_FIRST, RANDOM_SECOND, RANDOM_SHAPE };

#define RANDOM_RULES(first, first_default, second, second_default, dtype_default)        \
    {                                                                                    \
        [RANDOM_DTYPE] = {.name = "dtype", .type = WLK_ATTR_DTYPE, .i = dtype_default},  \
        [RANDOM_SEED] = {.name = "seed", .type = WLK_ATTR_FLOAT},                        \
        [RANDOM_FIRST] = {.name = first, .type = WLK_ATTR_FLOAT, .f = first_default},    \
        [RANDOM_SECOND] = {.name = second, .type = WLK_ATTR_FLOAT, .f = second_default}, \
        [RANDOM_SHAPE] = {.name = "shape", .type = WLK_ATTR_INTS, .required = true},     \
    }

/* The first two serve Bernoulli as well, the first four the Like operators. */
static const attribute_row uniform_rules[] = RANDOM_RULES("low", 0, "high", 1, WLK_F32);
static const attribute_row normal_rules[] = RANDOM_RULES("mean", 0, "scale", 1, WLK_F32);
#define LIKE_ATTRIBUTES RANDOM_SHAPE
#define BERNOULLI_ATTRIBUTES RANDOM_FIRST

enum { MULTINOMIAL_DTYPE, MULTINOMIAL_SEED, MULTINOMIAL_SIZE };
static const attribute_row multinomial_rules[] = {
    [MULTINOMIAL_DTYPE] = {.name = "dtype", .type = WLK_ATTR_DTYPE, .i = WLK_I32},
    [MULTINOMIAL_SEED] = {.name = "seed", .type = WLK_ATTR_FLOAT},
    [MULTINOMIAL_SIZE] = {.name = "sample_size", .type = WLK_ATTR_INT, .i = 1},
};

/* ---- shape rules */

/* The output's dtype: the attribute's, where it is one of `allowed`. */
static wlk_status need_dtype(const op_call *call, wlk_dtype dtype, uint32_t allowed) {
    if (dtype < WLK_DTYPE_COUNT && (allowed & DTYPE_BIT(dtype))) return WLK_OK;
    return op_fail(call, RULE_PLAN_DTYPE, "dtype %s", wlk_dtype_name(dtype));
}

/* The dtype attribute, which every row here has first, or its default. */
static wlk_dtype dtype_of(const op_call *call) {
    return (wlk_dtype)op_attribute(call, RANDOM_DTYPE).i;
}

static uint32_t floats_of(const op_call *call) {
    return call->node->row->since < 22 ? DTYPES_FLOAT_16 : DTYPES_FLOAT_HALF;
}

static void add_cost(op_call *call, uint64_t cost) {
    const op_tensor *out = op_output(call, 0);
    if (call->binding) op_add_operations(call, cost, tensor_span(out, 0, out->rank), 1, 1);
}

static wlk_status random_infer(op_call *call) {
    const wlk_dtype dtype = dtype_of(call);
    const attribute_value shape = op_attribute(call, RANDOM_SHAPE);
    TRY(need_dtype(call, dtype, floats_of(call)));
    if (shape.count > WLK_MAX_RANK) {
        return op_fail(call, RULE_PLAN_RANK, "%u dimensions", shape.count);
    }
    for (uint32_t i = 0; i < shape.count; i++) {
        if (shape.ints[i] < 0) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "dimension %u is negative", i);
        }
    }
    op_set_output(call, 0, dtype, shape.count, shape.ints);
    add_cost(call, 2 * COSTLY_ELEMENT);
    return WLK_OK;
}

static wlk_status like_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const attribute_value given = op_attribute(call, RANDOM_DTYPE);
    const wlk_dtype dtype = given.given ? (wlk_dtype)given.i : in->dtype;
    const bool draws = call->node->row->attribute_count == BERNOULLI_ATTRIBUTES;
    const uint32_t whole = draws ? DTYPES_INT | DTYPES_HALF | DTYPE_BIT(WLK_BOOL) : 0;
    TRY(need_dtype(call, dtype, floats_of(call) | whole));
    op_set_output(call, 0, dtype, in->rank, in->dims);
    if (in->rank != WLK_NONE) add_cost(call, 2 * COSTLY_ELEMENT);
    return WLK_OK;
}

static wlk_status multinomial_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const wlk_dtype dtype = dtype_of(call);
    const int64_t samples = op_attribute(call, MULTINOMIAL_SIZE).i;
    TRY(need_dtype(call, dtype, DTYPE_BIT(WLK_I32) | DTYPE_BIT(WLK_I64)));
    TRY(shape_need_rank(call, 0, 2, 2));
    if (samples < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "sample_size is %lld", (long long)samples);
    }
    const bool known = in->rank != WLK_NONE;
    const int64_t dims[2] = {known ? in->dims[0] : WLK_UNKNOWN_DIM, samples};
    op_set_output(call, 0, dtype, 2, dims);
    if (!call->binding) return WLK_OK;
    if (in->dims[1] < 1) return op_fail(call, op_shape_rule(call), "there are no classes");
    op_add_operations(call, COSTLY_ELEMENT, in->count, 1, 1);
    add_cost(call, COSTLY_ELEMENT); /* a draw, and up to 63 steps of a search */
    return op_need_scratch(call, (uint64_t)in->dims[1], sizeof(double));
}

/* ---- kernels */

static wlk_status uniform_kernel(const op_call *call) {
    const double low = op_attribute(call, RANDOM_FIRST).f;
    random_work work = {.stream = stream_of(call, op_attribute(call, RANDOM_SEED)),
                        .first = low,
                        .spread = op_attribute(call, RANDOM_SECOND).f - low};
    return fill(call, &work);
}

static wlk_status normal_kernel(const op_call *call) {
    random_work work = {.stream = stream_of(call, op_attribute(call, RANDOM_SEED)),
                        .first = op_attribute(call, RANDOM_FIRST).f,
                        .spread = op_attribute(call, RANDOM_SECOND).f,
                        .is_normal = true};
    return fill(call, &work);
}

static wlk_status bernoulli_kernel(const op_call *call) {
    random_work work = {.stream = stream_of(call, op_attribute(call, RANDOM_SEED)),
                        .in = op_input(call, 0)};
    return fill(call, &work);
}

/* Sums of the probabilities up to and with each class, from their logarithms, which need
 * not be normalised. What is NaN counts as impossible. */
static void accumulate(const op_tensor *in, uint64_t row, uint64_t classes, double *sums) {
    const number_loader load = number_load(in->dtype);
    double largest = -(double)INFINITY;
    for (uint64_t i = 0; i < classes; i++) {
        sums[i] = number_double(load(in->data, row * classes + i));
        if (sums[i] > largest) largest = sums[i];
    }
    double sum = 0;
    for (uint64_t i = 0; i < classes; i++) {
        const double odds = sums[i] == largest ? 1 : exp(sums[i] - largest);
        sum += odds > 0 ? odds : 0;
        sums[i] = sum;
    }
}

/* The first class whose sum is above `at`, the last one if none is. */
static uint64_t find_class(const double *sums, uint64_t classes, double at) {
    uint64_t low = 0;
    uint64_t high = classes - 1;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (sums[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static wlk_status multinomial_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const number_storer store = number_store(out->dtype);
    const uint64_t stream = stream_of(call, op_attribute(call, MULTINOMIAL_SEED));
    const uint64_t classes = (uint64_t)in->dims[1];
    const uint64_t samples = (uint64_t)out->dims[1];
    double *sums = call->scratch;
    for (uint64_t row = 0; row < (uint64_t)in->dims[0]; row++) {
        accumulate(in, row, classes, sums);
        for (uint64_t i = row * samples; i < (row + 1) * samples; i++) {
            const double at = uniform(stream, i) * sums[classes - 1];
            store(out->target, i, (number){NUMBER_UINT, {.u = find_class(sums, classes, at)}});
        }
    }
    return WLK_OK;
}

/* ---- rows */

#define LIKE_1                                                                 \
    (DTYPES_FLOAT_16 | DTYPES_INT | DTYPE_BIT(WLK_BOOL) | DTYPE_BIT(WLK_STR) | \
     DTYPE_BIT(WLK_C64) | DTYPE_BIT(WLK_C128))
#define LIKE_22 (LIKE_1 | DTYPES_HALF)

#define ROW(op_name, version, given, dtypes, rules, count, rule, run)                              \
    {                                                                                              \
        .domain = "", .name = op_name, .since = version, .min_inputs = given, .max_inputs = given, \
        .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"input", dtypes, 0}},      \
        .attributes = rules, .attribute_count = count, .infer = rule, .kernel = run,               \
        .flags = OP_HALF                                                                           \
    }
#define ROWS(op_name, first, given, dtypes, dtypes_22, rules, count, rule, run) \
    ROW(op_name, first, given, dtypes, rules, count, rule, run),                \
        ROW(op_name, 22, given, dtypes_22, rules, count, rule, run)

static const op_row rows[] = {
    ROWS("RandomUniform", 1, 0, 0, 0, uniform_rules, RANDOM_SHAPE + 1, random_infer,
         uniform_kernel),
    ROWS("RandomNormal", 1, 0, 0, 0, normal_rules, RANDOM_SHAPE + 1, random_infer, normal_kernel),
    ROWS("RandomUniformLike", 1, 1, LIKE_1, LIKE_22, uniform_rules, LIKE_ATTRIBUTES, like_infer,
         uniform_kernel),
    ROWS("RandomNormalLike", 1, 1, LIKE_1, LIKE_22, normal_rules, LIKE_ATTRIBUTES, like_infer,
         normal_kernel),
    ROWS("Bernoulli", 15, 1, DTYPES_FLOAT_16, DTYPES_FLOAT_HALF, uniform_rules,
         BERNOULLI_ATTRIBUTES, like_infer, bernoulli_kernel),
    ROWS("Multinomial", 7, 1, DTYPES_FLOAT_16, DTYPES_FLOAT_HALF, multinomial_rules, 3,
         multinomial_infer, multinomial_kernel),
};

const op_family ops_random = {rows, sizeof rows / sizeof *rows};
