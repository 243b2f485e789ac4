/* Multi-layer perceptrons: dense layers with one activation between them and one behind. */
#include "formats/sklearn/sk_linear.h"

enum {
    ACTIVATION_IDENTITY,
    ACTIVATION_LOGISTIC,
    ACTIVATION_RELU,
    ACTIVATION_TANH,
    ACTIVATION_SOFTMAX,
    ACTIVATION_EXP
};

static wlk_status activate(sk *s, uint32_t activation, sk_name x, sk_name *out) {
    static const char *const nodes[] = {[ACTIVATION_LOGISTIC] = "Sigmoid",
                                        [ACTIVATION_RELU] = "Relu",
                                        [ACTIVATION_TANH] = "Tanh",
                                        [ACTIVATION_EXP] = "Exp"};
    *out = x;
    if (activation == ACTIVATION_IDENTITY) return WLK_OK;
    if (activation == ACTIVATION_SOFTMAX) return sk_softmax(s, x, out);
    return sk_unary(s, nodes[activation], x, out);
}

/* One layer: weights [*columns, units], bias [units]; *columns = units. */
static wlk_status layer(sk *s, const py_value *weights, const py_value *bias, uint64_t *columns,
                        sk_name x, sk_name *out) {
    sk_array w, b;
    TRY(sk_reals_of(s, weights, "coefs_", &w));
    TRY(sk_reals_of(s, bias, "intercepts_", &b));
    if (w.rank != 2 || w.shape[0] != *columns || b.rank != 1 || b.count != w.shape[1] ||
        b.count == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, weights,
                         "a layer's weights and intercepts do not fit its %llu inputs",
                         (unsigned long long)*columns);
    }
    TRY(sk_finite(s, &w, "coefs_"));
    TRY(sk_finite(s, &b, "intercepts_"));
    *columns = w.shape[1];
    return sk_affine(s, x, &w, false, &b, out);
}

typedef struct layers {
    py_value *const *weights;
    py_value *const *biases;
    uint32_t count;
} layers;

static wlk_status read_layers(sk *s, const py_value *estimator, layers *out) {
    const py_value *weights = NULL;
    const py_value *biases = NULL;
    uint32_t bias_count = 0;
    TRY(sk_need(s, estimator, "coefs_", &weights));
    TRY(sk_need(s, estimator, "intercepts_", &biases));
    TRY(sk_list_of(s, weights, "coefs_", &out->weights, &out->count));
    TRY(sk_list_of(s, biases, "intercepts_", &out->biases, &bias_count));
    if (out->count == 0 || out->count != bias_count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, weights, "%u coefs_ and %u intercepts_", out->count,
                         bias_count);
    }
    /* scikit-learn goes through so many layers, whatever else there is. */
    int64_t said = 0;
    TRY(sk_integer(s, estimator, "n_layers_", &said));
    if (said == (int64_t)out->count + 1) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator, "n_layers_ is not %u", out->count + 1);
}

/* What comes out of the last layer: [batch, *outputs]; *last is its activation. */
static wlk_status forward(sk *s, const py_value *estimator, const sk_table *in, sk_name *out,
                          uint32_t *outputs, uint32_t *last) {
    static const char *const hidden[] = {"identity", "logistic", "relu", "tanh", NULL};
    static const char *const ends[] = {"identity", "logistic", "relu", "tanh",
                                       "softmax",  "exp",      NULL};
    uint32_t between = 0;
    uint64_t columns = in->columns;
    layers all;
    TRY(sk_choice(s, estimator, "activation", "relu", hidden, &between));
    TRY(sk_choice(s, estimator, "out_activation_", "", ends, last));
    TRY(read_layers(s, estimator, &all));
    TRY(sk_table_numbers(s, in, out));
    for (uint32_t i = 0; i < all.count; i++) {
        TRY(layer(s, all.weights[i], all.biases[i], &columns, *out, out));
        TRY(activate(s, i + 1 < all.count ? between : *last, *out, out));
    }
    *outputs = (uint32_t)columns;
    return WLK_OK;
}

/* ---- regression */

static wlk_status network_values(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out) {
    uint32_t last = 0;
    *out = (sk_prediction){.targets = 0};
    TRY(forward(s, estimator, in, &out->values, &out->targets, &last));
    out->flat = out->targets == 1;
    return WLK_OK;
}

/* ---- classification: what the last layer gives are probabilities */

enum { LABELS_BINARY, LABELS_MULTICLASS, LABELS_MULTILABEL };

static wlk_status read_labels(sk *s, const py_value *estimator, uint32_t *type,
                              sk_labels *classes) {
    static const char *const types[] = {"binary", "multiclass", "multilabel-indicator", NULL};
    const py_value *binarizer = NULL;
    TRY(sk_need(s, estimator, "_label_binarizer", &binarizer));
    TRY(sk_choice(s, binarizer, "y_type_", "", types, type));
    return sk_classes(s, binarizer, classes);
}

/* Of two classes the second's where it is above 1/2. */
static wlk_status two_classes(sk *s, sk_name p, sk_prediction *out) {
    sk_name half = NULL;
    TRY(sk_f64(s, 0.5, &half));
    TRY(sk_binary(s, "Greater", p, half, &out->index));
    TRY(sk_cast(s, out->index, WLK_I64, &out->index));
    TRY(sk_reshape(s, out->index, 0, &out->index));
    return sk_two_columns(s, p, &out->probabilities);
}

static wlk_status network_classes(sk *s, const py_value *estimator, const sk_table *in,
                                  sk_prediction *out) {
    static const uint32_t activations[] = {[LABELS_BINARY] = ACTIVATION_LOGISTIC,
                                           [LABELS_MULTICLASS] = ACTIVATION_SOFTMAX,
                                           [LABELS_MULTILABEL] = ACTIVATION_LOGISTIC};
    uint32_t type = 0;
    uint32_t outputs = 0;
    uint32_t last = 0;
    sk_name p = NULL;
    *out = (sk_prediction){.targets = 0};
    TRY(read_labels(s, estimator, &type, &out->classes));
    TRY(forward(s, estimator, in, &p, &outputs, &last));
    const uint32_t needed = type == LABELS_BINARY ? 1 : out->classes.count;
    if (outputs != needed || last != activations[type] ||
        (type == LABELS_BINARY && out->classes.count != 2)) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, estimator,
                         "the last layer's %u outputs are not those of %u classes", outputs,
                         out->classes.count);
    }
    if (type == LABELS_MULTILABEL) return sk_multilabel(s, p, outputs, 0.5, true, out);
    if (type == LABELS_BINARY) return two_classes(s, p, out);
    out->probabilities = p;
    return sk_argmax(s, p, &out->index);
}

/* ---- rows */

#define FITTING(name) \
    { name, SK_OPTION_TRAINING }
#define READ(name) \
    { name, SK_OPTION_READ }

/* What `loss` decides is in out_activation_. */
static const sk_option options[] = {
    FITTING("alpha"),
    FITTING("batch_size"),
    FITTING("beta_1"),
    FITTING("beta_2"),
    FITTING("early_stopping"),
    FITTING("epsilon"),
    FITTING("hidden_layer_sizes"),
    FITTING("learning_rate"),
    FITTING("learning_rate_init"),
    FITTING("loss"),
    FITTING("max_fun"),
    FITTING("max_iter"),
    FITTING("momentum"),
    FITTING("n_iter_no_change"),
    FITTING("nesterovs_momentum"),
    FITTING("power_t"),
    FITTING("random_state"),
    FITTING("shuffle"),
    FITTING("solver"),
    FITTING("tol"),
    FITTING("validation_fraction"),
    FITTING("verbose"),
    FITTING("warm_start"),
    READ("activation"),
};

#define ROW(name, role, function)                                             \
    {                                                                         \
        .class = name, .roles = role, .options = options,                     \
        .option_count = sizeof options / sizeof *options, .predict = function \
    }

static const sk_row rows[] = {
    ROW("MLPClassifier", SK_CLASSIFIER, network_classes),
    ROW("MLPRegressor", SK_REGRESSOR, network_values),
};

const sk_family sk_family_network = {rows, sizeof rows / sizeof *rows};
