#include "infer/ops.h"

#include <string.h>

static const op_family *const families[] = {
    &ops_gradient,
    &ops_elementwise,
    &ops_pow,
    &ops_compare,
    &ops_minmax,
    &ops_where,
    &ops_unary,
    &ops_dropout,
    &ops_random,
    &ops_activation,
    &ops_shape,
    &ops_shape_make,
    &ops_shape_move,
    &ops_shape_join,
    &ops_slice,
    &ops_pad,
    &ops_gather,
    &ops_gather_scatter,
    &ops_select,
    &ops_select_topk,
    &ops_select_unique,
    &ops_select_boxes,
    &ops_resize,
    &ops_resize_grid,
    &ops_resize_roi,
    &ops_shape_col2im,
    &ops_cast,
    &ops_matrix,
    &ops_conv,
    &ops_pool,
    &ops_pool_global,
    &ops_pool_unpool,
    &ops_conv_transpose,
    &ops_conv_deform,
    &ops_conv_causal,
    &ops_attention,
    &ops_attention_linear,
    &ops_attention_rotary,
    &ops_norm,
    &ops_norm_layer,
    &ops_reduce,
    &ops_softmax,
    &ops_argmax,
    &ops_cumulative,
    &ops_loss,
    &ops_rnn,
    &ops_einsum,
    &ops_signal,
    &ops_window,
    &ops_lp,
    &ops_mean_variance,
    &ops_det,
    &ops_quantize,
    &ops_quantize_matrix,
    &ops_text,
    &ops_tfidf,
    &ops_regex,
    &ops_constant,
    &ops_control,
    &ops_scan,
    &ops_sequence,
    &ops_optional,
    &ops_map,
    &ops_ml_scale,
    &ops_ml_linear,
    &ops_ml_tree,
    &ops_ml_svm,
    &ops_ml_label,
    &ops_ml_encode,
    &ops_ml_features,
    &ops_ml_map,
    &ops_ms,
    &ops_weighlock,
    &ops_weighlock_tree,
    &ops_weighlock_svm,
};
#define FAMILIES (sizeof families / sizeof *families)

const op_domain op_domains[OP_DOMAINS] = {
    {"", "ai.onnx", 1, 28},
    {"ai.onnx.ml", "ai.onnx.ml", 1, 5},
    {"org.weighlock", "org.weighlock", 1, 1},
    {"com.microsoft", "com.microsoft", 1, 1},
    {"ai.onnx.preview.training", "ai.onnx.preview.training", 1, 1},
};

uint32_t ops_domain(const char *name) {
    for (uint32_t i = 0; i < OP_DOMAINS; i++) {
        const op_domain *domain = &op_domains[i];
        if (strcmp(domain->name, name) == 0 || strcmp(domain->title, name) == 0) return i;
    }
    return OP_DOMAINS;
}

const op_row *ops_row(uint32_t i) {
    for (size_t f = 0; f < FAMILIES; f++) {
        if (i < families[f]->count) return &families[f]->rows[i];
        i -= families[f]->count;
    }
    return NULL;
}

static const op_row *find_in(const op_family *family, const char *domain, const char *name,
                             uint32_t opset) {
    const op_row *best = NULL;
    for (uint32_t i = 0; i < family->count; i++) {
        const op_row *row = &family->rows[i];
        if (row->since > opset || strcmp(row->name, name) != 0) continue;
        if (strcmp(row->domain, domain) != 0) continue;
        if (!best || row->since > best->since) best = row;
    }
    return best;
}

const op_row *ops_find(uint32_t domain, const char *name, uint32_t opset) {
    for (size_t f = 0; f < FAMILIES && domain < OP_DOMAINS; f++) {
        const op_row *row = find_in(families[f], op_domains[domain].name, name, opset);
        if (row) return row;
    }
    return NULL;
}
