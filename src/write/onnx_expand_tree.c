/* org.weighlock TreeEnsemble as ai.onnx.ml TreeEnsembleRegressor of version 3, whose
 * thresholds and weights are float64 and whose result is float32. */
#include <string.h>

#include "base/bytes.h"
#include "write/onnx_source.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ML_OPSET 3
#define FLAG_NAN_LEFT 1u
#define FLAG_SET 2u
#define F64_NUMBER 11

typedef struct forest {
    onnx_source *s;
    uint32_t node;
    wlk_tensor roots;
    wlk_tensor right;
    wlk_tensor features;
    wlk_tensor thresholds;
    wlk_tensor values;
    wlk_tensor flags;
    wlk_tensor base;
} forest;

/* ---- reading; only what is read here is checked: the plan of the file that comes of it
 * looks at everything (infer/ensemble.h) */

static wlk_status broken(const forest *f) {
    return onnx_cannot(
        f->s, "node %u org.weighlock.TreeEnsemble, whose attributes are not as they must be",
        f->node);
}

/* The tensor of that attribute, all zero if there is none or its dtype is not one of two. */
static wlk_tensor take(const forest *f, const char *name, uint32_t rank, wlk_dtype a, wlk_dtype b) {
    const uint32_t index = wlk_model_find_attribute(f->s->model, f->node, name);
    const wlk_attribute attribute = wlk_model_attribute(f->s->model, index);
    const wlk_tensor none = {.name = ""};
    if (attribute.type != WLK_ATTR_TENSOR) return none;
    const wlk_tensor tensor = wlk_model_tensor(
        f->s->model, (uint32_t)wlk_model_attribute_int(f->s->model, &attribute, 0));
    const bool fits = tensor.rank == rank && (tensor.dtype == a || tensor.dtype == b);
    return fits && tensor.data ? tensor : none;
}

static uint32_t u32_at(const wlk_tensor *tensor, uint64_t i) {
    const uint8_t *data = tensor->data;
    return tensor->dtype == WLK_U16 ? load_u16(data + 2 * i) : load_u32(data + 4 * i);
}

static bool is_leaf(const forest *f, uint64_t node) {
    return u32_at(&f->right, node) == 0;
}

static uint32_t flags_at(const forest *f, uint64_t node) {
    return f->flags.count > 0 ? ((const uint8_t *)f->flags.data)[node] : 0;
}

static wlk_status read_forest(forest *f) {
    f->roots = take(f, "roots", 1, WLK_U32, WLK_U32);
    f->right = take(f, "right", 1, WLK_U32, WLK_U32);
    f->features = take(f, "features", 1, WLK_U16, WLK_U32);
    f->thresholds = take(f, "thresholds", 1, WLK_F32, WLK_F64);
    f->values = take(f, "values", 2, WLK_F64, WLK_F64);
    f->flags = take(f, "flags", 1, WLK_U8, WLK_U8);
    f->base = take(f, "base", 1, WLK_F64, WLK_F64);
    const uint64_t nodes = f->right.count;
    if (nodes == 0 || nodes > INT32_MAX || f->roots.count == 0 || u32_at(&f->roots, 0) != 0 ||
        f->features.count != nodes || f->thresholds.count != nodes || f->values.count == 0 ||
        (f->flags.count != 0 && f->flags.count != nodes)) {
        return broken(f);
    }
    uint64_t leaves = 0;
    for (uint64_t i = 0; i < nodes; i++) {
        leaves += is_leaf(f, i);
        if (flags_at(f, i) & FLAG_SET) {
            return onnx_cannot(f->s, "node %u org.weighlock.TreeEnsemble with sets of categories",
                               f->node);
        }
    }
    return leaves == f->values.shape[0] ? WLK_OK : broken(f);
}

/* ---- one list a time: for each node its number, or that of each of a leaf's targets */

typedef enum tree_list {
    LIST_TREES,
    LIST_IDS,
    LIST_TRUE,
    LIST_FALSE,
    LIST_FEATURES,
    LIST_MISSING
} tree_list;

typedef struct tree_place {
    uint64_t tree;
    uint64_t root;
    uint64_t node;
} tree_place;

static uint64_t number_of(const forest *f, tree_list list, const tree_place *at) {
    const uint64_t id = at->node - at->root;
    const uint32_t right = u32_at(&f->right, at->node);
    switch (list) {
        case LIST_TREES:
            return at->tree;
        case LIST_IDS:
            return id;
        case LIST_TRUE:
            return right == 0 ? 0 : id + 1;
        case LIST_FALSE:
            return right == 0 ? 0 : id + right;
        case LIST_FEATURES:
            return right == 0 ? 0 : u32_at(&f->features, at->node);
        case LIST_MISSING:
            break;
    }
    return right == 0 ? 0 : flags_at(f, at->node) & FLAG_NAN_LEFT;
}

/* Goes on to the next node. */
static void advance(const forest *f, tree_place *at) {
    at->node++;
    if (at->tree + 1 < f->roots.count && u32_at(&f->roots, at->tree + 1) == at->node) {
        at->tree++;
        at->root = at->node;
    }
}

static void put_nodes(const forest *f, const char *name, tree_list list, onnx_out *attributes) {
    onnx_out numbers = {0};
    tree_place at = {0};
    for (; at.node < f->right.count && !numbers.failed; advance(f, &at)) {
        onnx_put_number(&numbers, number_of(f, list, &at));
    }
    onnx_put_attribute_ints(attributes, name, &numbers);
}

static void put_targets(const forest *f, const char *name, tree_list list, onnx_out *attributes) {
    onnx_out numbers = {0};
    tree_place at = {0};
    for (; at.node < f->right.count && !numbers.failed; advance(f, &at)) {
        if (!is_leaf(f, at.node)) continue;
        for (uint64_t t = 0; t < f->values.shape[1] && !numbers.failed; t++) {
            onnx_put_number(&numbers, number_of(f, list, &at));
        }
    }
    onnx_put_attribute_ints(attributes, name, &numbers);
}

static void put_target_ids(const forest *f, onnx_out *attributes) {
    onnx_out numbers = {0};
    for (uint64_t i = 0; i < f->values.count && !numbers.failed; i++) {
        onnx_put_number(&numbers, i % f->values.shape[1]);
    }
    onnx_put_attribute_ints(attributes, "target_ids", &numbers);
}

static void put_modes(const forest *f, onnx_out *attributes) {
    onnx_out modes = {0};
    for (uint64_t i = 0; i < f->right.count && !modes.failed; i++) {
        onnx_put_text(&modes, ATTRIBUTE_STRINGS, is_leaf(f, i) ? "LEAF" : "BRANCH_LEQ");
    }
    onnx_put_attribute_texts(attributes, "nodes_modes", &modes);
}

/* ---- numbers as tensors of f64 */

static double threshold_at(const forest *f, uint64_t i) {
    const uint8_t *data = f->thresholds.data;
    double wide;
    float narrow;
    if (f->thresholds.dtype == WLK_F64) {
        memcpy(&wide, data + 8 * i, sizeof wide);
        return wide;
    }
    memcpy(&narrow, data + 4 * i, sizeof narrow);
    return (double)narrow;
}

static void put_thresholds(const forest *f, onnx_out *attributes) {
    onnx_out attribute = {0}, tensor = {0}, numbers = {0};
    for (uint64_t i = 0; i < f->thresholds.count; i++) {
        uint8_t bytes[8];
        store_u64(bytes, f64_bits(threshold_at(f, i)));
        onnx_put_raw(&numbers, bytes, sizeof bytes);
    }
    onnx_put_int(&tensor, TENSOR_DIMS, (int64_t)f->thresholds.count);
    onnx_put_int(&tensor, TENSOR_TYPE, F64_NUMBER);
    onnx_put_message(&tensor, TENSOR_RAW, &numbers);
    onnx_put_text(&attribute, ATTRIBUTE_NAME, "nodes_values_as_tensor");
    onnx_put_int(&attribute, ATTRIBUTE_TYPE, KIND_TENSOR);
    onnx_put_message(&attribute, ATTRIBUTE_T, &tensor);
    onnx_put_message(attributes, NODE_ATTRIBUTE, &attribute);
}

static wlk_status put_reals(const forest *f, const char *name, const wlk_tensor *given,
                            onnx_out *attributes) {
    wlk_tensor tensor = *given;
    tensor.name = "";
    tensor.rank = 1;
    tensor.shape[0] = tensor.count;
    return onnx_put_attribute_tensor(f->s, attributes, name, &tensor);
}

/* ---- the node */

static const char *aggregate_of(const forest *f) {
    const uint32_t index = wlk_model_find_attribute(f->s->model, f->node, "aggregate");
    const wlk_attribute a = wlk_model_attribute(f->s->model, index);
    return a.type == WLK_ATTR_STRING ? wlk_model_attribute_string(f->s->model, &a, 0) : "SUM";
}

static wlk_status put_attributes(const forest *f, onnx_out *out) {
    put_nodes(f, "nodes_treeids", LIST_TREES, out);
    put_nodes(f, "nodes_nodeids", LIST_IDS, out);
    put_nodes(f, "nodes_featureids", LIST_FEATURES, out);
    put_nodes(f, "nodes_truenodeids", LIST_TRUE, out);
    put_nodes(f, "nodes_falsenodeids", LIST_FALSE, out);
    put_nodes(f, "nodes_missing_value_tracks_true", LIST_MISSING, out);
    put_modes(f, out);
    put_thresholds(f, out);
    put_targets(f, "target_treeids", LIST_TREES, out);
    put_targets(f, "target_nodeids", LIST_IDS, out);
    put_target_ids(f, out);
    onnx_put_attribute_int(out, "n_targets", (int64_t)f->values.shape[1]);
    onnx_put_attribute_text(out, "aggregate_function", aggregate_of(f));
    if (f->base.count > 0) TRY(put_reals(f, "base_values_as_tensor", &f->base, out));
    return put_reals(f, "target_weights_as_tensor", &f->values, out);
}

static void put_cast(const char *from, const char *to, onnx_out *graph) {
    onnx_out attributes = {0};
    onnx_put_attribute_int(&attributes, "to", F64_NUMBER);
    onnx_put_node(graph, "", "Cast", NAMES(from), NAMES(to), &attributes);
}

wlk_status onnx_expand_tree(onnx_source *s, uint32_t node, onnx_out *graph) {
    forest f = {.s = s, .node = node};
    char x[ONNX_NAME_BYTES], y[ONNX_NAME_BYTES];
    onnx_out attributes = {0};
    if (s->ml_opset == 0) s->ml_opset = ML_OPSET;
    if (s->ml_opset < ML_OPSET || s->ml_opset > 4) {
        return onnx_cannot(s,
                           "org.weighlock.TreeEnsemble beside version %u of ai.onnx.ml, which "
                           "must be 3 or 4",
                           s->ml_opset);
    }
    TRY(read_forest(&f));
    onnx_make_name(s, x);
    onnx_make_name(s, y);
    put_cast(onnx_input_name(s, node, 0), x, graph);
    const wlk_status status = put_attributes(&f, &attributes);
    onnx_put_node(graph, "ai.onnx.ml", "TreeEnsembleRegressor", NAMES(x), NAMES(y), &attributes);
    put_cast(y, onnx_output_name(s, node, 0), graph);
    return status;
}
