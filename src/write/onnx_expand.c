/* Nodes of org.weighlock as nodes of ONNX: scalers and linear models (docs/onnx.md,
 * section 9). What they compute is the same in float64, to the last bits of a sum. */
#include <string.h>

#include "base/bytes.h"
#include "write/onnx_source.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool is_given(const char *name) {
    return name[0] != '\0';
}

/* ---- Scaler */

static wlk_status expand_scaler(onnx_source *s, uint32_t node, onnx_out *graph) {
    const char *x = onnx_input_name(s, node, 0);
    const char *mean = onnx_input_name(s, node, 1);
    const char *scale = onnx_input_name(s, node, 2);
    const char *y = onnx_output_name(s, node, 0);
    char moved[ONNX_NAME_BYTES];
    onnx_make_name(s, moved);
    if (is_given(mean) && is_given(scale)) {
        onnx_put_node(graph, "", "Sub", NAMES(x, mean), NAMES(moved), NULL);
        onnx_put_node(graph, "", "Div", NAMES(moved, scale), NAMES(y), NULL);
    } else if (is_given(mean)) {
        onnx_put_node(graph, "", "Sub", NAMES(x, mean), NAMES(y), NULL);
    } else if (is_given(scale)) {
        onnx_put_node(graph, "", "Div", NAMES(x, scale), NAMES(y), NULL);
    } else {
        onnx_put_node(graph, "", "Identity", NAMES(x), NAMES(y), NULL);
    }
    return WLK_OK;
}

/* ---- LinearRegressor, and the scores of LinearClassifier */

static void put_product(const onnx_source *s, uint32_t node, const char *y, onnx_out *graph) {
    const char *intercepts = onnx_input_name(s, node, 2);
    onnx_out attributes = {0};
    onnx_put_attribute_int(&attributes, "transB", 1);
    onnx_put_node(graph, "", "Gemm",
                  NAMES(onnx_input_name(s, node, 0), onnx_input_name(s, node, 1),
                        is_given(intercepts) ? intercepts : NULL),
                  NAMES(y), &attributes);
}

static wlk_status expand_regressor(onnx_source *s, uint32_t node, onnx_out *graph) {
    put_product(s, node, onnx_output_name(s, node, 0), graph);
    return WLK_OK;
}

/* ---- LinearClassifier */

typedef struct classifier {
    onnx_source *s;
    uint32_t node;
    onnx_out *graph;
    uint64_t labels;
    char label_name[ONNX_NAME_BYTES]; /* the tensor of all labels */
} classifier;

static void name_tensor(onnx_out *tensor, const char *name, wlk_dtype dtype, uint64_t count) {
    onnx_put_int(tensor, TENSOR_DIMS, (int64_t)count);
    onnx_put_int(tensor, TENSOR_TYPE, onnx_dtype_number(dtype));
    onnx_put_text(tensor, TENSOR_NAME, name);
}

/* Labels that a list of the node holds. */
static void put_label_list(classifier *c, const wlk_attribute *a) {
    const bool is_text = a->type == WLK_ATTR_STRINGS;
    onnx_out tensor = {0}, numbers = {0};
    name_tensor(&tensor, c->label_name, is_text ? WLK_STR : WLK_I64, a->count);
    for (uint32_t i = 0; i < a->count; i++) {
        uint8_t bytes[8];
        store_u64(bytes, (uint64_t)wlk_model_attribute_int(c->s->model, a, i));
        if (!is_text) onnx_put_raw(&numbers, bytes, sizeof bytes);
        if (is_text) {
            onnx_put_text(&tensor, TENSOR_STRINGS, wlk_model_attribute_string(c->s->model, a, i));
        }
    }
    if (!is_text) onnx_put_message(&tensor, TENSOR_RAW, &numbers);
    onnx_put_message(c->graph, GRAPH_INITIALIZER, &tensor);
    c->labels = a->count;
}

/* Labels are a list or, if they are many, a tensor. */
static wlk_status put_labels(classifier *c) {
    onnx_source *s = c->s;
    uint32_t index = wlk_model_find_attribute(s->model, c->node, "classlabels_ints");
    if (index == WLK_NONE) {
        index = wlk_model_find_attribute(s->model, c->node, "classlabels_strings");
    }
    const wlk_attribute a = wlk_model_attribute(s->model, index);
    onnx_make_name(s, c->label_name);
    if (a.type == WLK_ATTR_INTS || a.type == WLK_ATTR_STRINGS) {
        put_label_list(c, &a);
        return WLK_OK;
    }
    if (a.type != WLK_ATTR_TENSOR) return onnx_cannot(s, "LinearClassifier without labels");
    wlk_tensor tensor =
        wlk_model_tensor(s->model, (uint32_t)wlk_model_attribute_int(s->model, &a, 0));
    tensor.name = c->label_name;
    c->labels = tensor.count;
    return onnx_put_tensor(s, &tensor, GRAPH_INITIALIZER, c->graph);
}

/* Raw scores [n, labels] as `raw`. One score for two labels stands for -s and s. */
static wlk_status put_raw_scores(classifier *c, const char *raw) {
    onnx_source *s = c->s;
    const wlk_ref ref = wlk_model_node_input(s->model, c->node, 1);
    const wlk_tensor weights =
        wlk_model_tensor(s->model, ref.kind == WLK_REF_TENSOR ? ref.index : WLK_NONE);
    char one[ONNX_NAME_BYTES], minus[ONNX_NAME_BYTES];
    onnx_out attributes = {0};
    if (weights.rank != 2)
        return onnx_cannot(s, "LinearClassifier whose coefficients are computed");
    if (weights.shape[0] == c->labels && c->labels > 1) {
        put_product(s, c->node, raw, c->graph);
        return WLK_OK;
    }
    if (weights.shape[0] != 1 || c->labels != 2) {
        return onnx_cannot(s, "LinearClassifier with %llu scores for %llu labels",
                           (unsigned long long)weights.shape[0], (unsigned long long)c->labels);
    }
    onnx_make_name(s, one);
    onnx_make_name(s, minus);
    put_product(s, c->node, one, c->graph);
    onnx_put_node(c->graph, "", "Neg", NAMES(one), NAMES(minus), NULL);
    onnx_put_attribute_int(&attributes, "axis", 1);
    onnx_put_node(c->graph, "", "Concat", NAMES(minus, one), NAMES(raw), &attributes);
    return WLK_OK;
}

/* The first of the largest scores. */
static void put_best_label(classifier *c, const char *raw, const char *label) {
    char best[ONNX_NAME_BYTES];
    onnx_out attributes = {0};
    onnx_make_name(c->s, best);
    onnx_put_attribute_int(&attributes, "axis", 1);
    onnx_put_attribute_int(&attributes, "keepdims", 0);
    onnx_put_node(c->graph, "", "ArgMax", NAMES(raw), NAMES(best), &attributes);
    onnx_put_node(c->graph, "", "Gather", NAMES(c->label_name, best), NAMES(label), NULL);
}

/* Each row divided by its sum, which a product with ones gives. */
static void put_one_vs_rest(classifier *c, const char *raw, const char *scores) {
    char logistic[ONNX_NAME_BYTES], sums[ONNX_NAME_BYTES], axis[ONNX_NAME_BYTES];
    uint8_t bytes[8];
    onnx_out tensor = {0};
    onnx_make_name(c->s, logistic);
    onnx_make_name(c->s, sums);
    onnx_make_name(c->s, axis);
    store_u64(bytes, 1);
    name_tensor(&tensor, axis, WLK_I64, 1);
    onnx_put_bytes(&tensor, TENSOR_RAW, bytes, sizeof bytes);
    onnx_put_message(c->graph, GRAPH_INITIALIZER, &tensor);
    onnx_put_node(c->graph, "", "Sigmoid", NAMES(raw), NAMES(logistic), NULL);
    onnx_put_node(c->graph, "", "ReduceSum", NAMES(logistic, axis), NAMES(sums), NULL);
    onnx_put_node(c->graph, "", "Div", NAMES(logistic, sums), NAMES(scores), NULL);
}

static wlk_status put_scores(classifier *c, const char *raw, const char *scores) {
    const uint32_t index = wlk_model_find_attribute(c->s->model, c->node, "post_transform");
    const wlk_attribute a = wlk_model_attribute(c->s->model, index);
    const char *transform =
        a.type == WLK_ATTR_STRING ? wlk_model_attribute_string(c->s->model, &a, 0) : "NONE";
    static const char *const rows[][2] = {
        {"NONE", "Identity"}, {"SOFTMAX", "Softmax"}, {"LOGISTIC", "Sigmoid"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i][0], transform) != 0) continue;
        onnx_put_node(c->graph, "", rows[i][1], NAMES(raw), NAMES(scores), NULL);
        return WLK_OK;
    }
    if (strcmp(transform, "OVR") != 0) {
        return onnx_cannot(c->s, "LinearClassifier with post_transform %.40s", transform);
    }
    put_one_vs_rest(c, raw, scores);
    return WLK_OK;
}

static wlk_status expand_classifier(onnx_source *s, uint32_t node, onnx_out *graph) {
    classifier c = {.s = s, .node = node, .graph = graph};
    char raw[ONNX_NAME_BYTES];
    const char *label = onnx_output_name(s, node, 0);
    const char *scores = onnx_output_name(s, node, 1);
    onnx_make_name(s, raw);
    TRY(put_labels(&c));
    TRY(put_raw_scores(&c, raw));
    if (is_given(label)) put_best_label(&c, raw, label);
    return is_given(scores) ? put_scores(&c, raw, scores) : WLK_OK;
}

/* ---- all */

#define FIRST_OPSET 13 /* of what expansions are made of */

typedef struct expansion {
    const char *op;
    wlk_status (*expand)(onnx_source *s, uint32_t node, onnx_out *graph);
} expansion;

static const expansion expansions[] = {
    {"Scaler", expand_scaler},
    {"LinearClassifier", expand_classifier},
    {"LinearRegressor", expand_regressor},
    {"TreeEnsemble", onnx_expand_tree},
};

wlk_status onnx_expand(onnx_source *s, uint32_t index, onnx_out *graph) {
    const wlk_node node = wlk_model_node(s->model, index);
    for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++) {
        if (strcmp(expansions[i].op, node.op) != 0) continue;
        if (s->opset == 0) s->opset = FIRST_OPSET;
        if (s->opset >= FIRST_OPSET) return expansions[i].expand(s, index, graph);
        return onnx_cannot(s,
                           "node %u '%.40s' org.weighlock.%.40s beside version %u of ai.onnx, "
                           "which must be %d or newer",
                           index, node.name, node.op, s->opset, FIRST_OPSET);
    }
    return onnx_cannot(s, "node %u '%.40s' org.weighlock.%.40s", index, node.name, node.op);
}
