#include <math.h>
#include <string.h>

#include "infer/math_f32.h"
#include "infer/rnn.h"
#include "infer/scores.h"
#include "infer/text_case.h"

#define ACTIVATION(function, type, expression)                                     \
    static void function(void *row, uint64_t count, double alpha_, double beta_) { \
        type *at = row;                                                            \
        const type alpha = (type)alpha_;                                           \
        const type beta = (type)beta_;                                             \
        (void)alpha;                                                               \
        (void)beta;                                                                \
        for (uint64_t i = 0; i < count; i++) {                                     \
            const type x = at[i];                                                  \
            at[i] = (type)(expression);                                            \
        }                                                                          \
    }

/* log(1 + e^x), without overflow. */
static inline double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* A comparison with NaN is false: NaN stays. */
#define CLAMP_01(x) ((x) < 0 ? 0 : (x) > 1 ? 1 : (x))

#define ACTIVATIONS(suffix, type, tangent, exponential, logistic, magnitude) \
    ACTIVATION(relu_##suffix, type, x < 0 ? 0 : x)                           \
    ACTIVATION(tanh_##suffix, type, tangent(x))                              \
    ACTIVATION(sigmoid_##suffix, type, logistic(x))                          \
    ACTIVATION(affine_##suffix, type, alpha *x + beta)                       \
    ACTIVATION(leaky_##suffix, type, x < 0 ? alpha * x : x)                  \
    ACTIVATION(thresholded_##suffix, type, x < alpha ? 0 : x)                \
    ACTIVATION(scaled_tanh_##suffix, type, alpha *tangent(beta *x))          \
    ACTIVATION(hard_sigmoid_##suffix, type, CLAMP_01(alpha *x + beta))       \
    ACTIVATION(elu_##suffix, type, x < 0 ? alpha * (exponential(x) - 1) : x) \
    ACTIVATION(softsign_##suffix, type, x / (1 + magnitude(x)))              \
    ACTIVATION(softplus_##suffix, type, softplus((double)x))

ACTIVATIONS(f64, double, tanh, exp, score_logistic, fabs)
ACTIVATIONS(f32, float, f32_tanh, f32_exp, f32_logistic, fabsf)

typedef struct activation_row {
    const char *name;
    rnn_named found;
} activation_row;

#define FUNCTION(name, alpha, beta) \
    { name##_f32, name##_f64, alpha, beta }

static const activation_row rows[] = {
    {"Relu", {FUNCTION(relu, 0, 0), false, false}},
    {"Tanh", {FUNCTION(tanh, 0, 0), false, false}},
    {"Sigmoid", {FUNCTION(sigmoid, 0, 0), false, false}},
    {"Affine", {FUNCTION(affine, 1, 0), true, true}},
    {"LeakyRelu", {FUNCTION(leaky, 0.01, 0), true, false}},
    {"ThresholdedRelu", {FUNCTION(thresholded, 1, 0), true, false}},
    {"ScaledTanh", {FUNCTION(scaled_tanh, 1, 1), true, true}},
    {"HardSigmoid", {FUNCTION(hard_sigmoid, 0.2, 0.5), true, true}},
    {"Elu", {FUNCTION(elu, 1, 0), true, false}},
    {"Softsign", {FUNCTION(softsign, 0, 0), false, false}},
    {"Softplus", {FUNCTION(softplus, 0, 0), false, false}},
};

/* Models in the wild spell them "tanh" as well. */
bool rnn_find_activation(const char *name, rnn_named *out) {
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const text_span known = {rows[i].name, strlen(rows[i].name)};
        const text_span given = {name, strlen(name)};
        if (case_compare(CASE_LOWER, known, given) != 0) continue;
        *out = rows[i].found;
        return true;
    }
    return false;
}
