/* The operator table: one const array for each family, joined in ops.c. */
#ifndef WLK_INFER_OPS_H
#define WLK_INFER_OPS_H

#include "infer/op.h"

typedef struct op_family {
    const op_row *rows;
    uint32_t count;
} op_family;

extern const op_family ops_gradient;         /* ai.onnx.preview.training Gradient */
extern const op_family ops_elementwise;      /* Add Sub Mul Div Mod BitShift Bitwise* */
extern const op_family ops_pow;              /* Pow */
extern const op_family ops_compare;          /* Equal Less ... And Or Xor Not IsNaN IsInf */
extern const op_family ops_minmax;           /* Sum Mean Max Min Clip */
extern const op_family ops_where;            /* Where */
extern const op_family ops_unary;            /* Abs Neg Sign Floor Exp Log Sin ... */
extern const op_family ops_dropout;          /* Dropout */
extern const op_family ops_random;           /* RandomNormal RandomUniform Bernoulli Multinomial */
extern const op_family ops_activation;       /* Relu Sigmoid Gelu PRelu ... */
extern const op_family ops_shape;            /* Identity Reshape Flatten Squeeze Unsqueeze */
extern const op_family ops_shape_make;       /* Shape Size ConstantOfShape EyeLike Range */
extern const op_family ops_shape_move;       /* Transpose Expand Tile DepthToSpace SpaceToDepth */
extern const op_family ops_shape_join;       /* Concat Split */
extern const op_family ops_slice;            /* Slice ReverseSequence */
extern const op_family ops_pad;              /* Pad CenterCropPad */
extern const op_family ops_gather;           /* Gather GatherElements GatherND */
extern const op_family ops_gather_scatter;   /* Scatter ScatterElements ScatterND TensorScatter */
extern const op_family ops_select;           /* NonZero Compress OneHot Trilu */
extern const op_family ops_select_topk;      /* TopK */
extern const op_family ops_select_unique;    /* Unique */
extern const op_family ops_select_boxes;     /* NonMaxSuppression */
extern const op_family ops_resize;           /* Resize Upsample */
extern const op_family ops_resize_grid;      /* GridSample AffineGrid */
extern const op_family ops_resize_roi;       /* RoiAlign MaxRoiPool */
extern const op_family ops_shape_col2im;     /* Col2Im */
extern const op_family ops_cast;             /* Cast CastLike BitCast */
extern const op_family ops_matrix;           /* MatMul Gemm */
extern const op_family ops_conv;             /* Conv ConvInteger QLinearConv */
extern const op_family ops_pool;             /* MaxPool AveragePool LpPool */
extern const op_family ops_pool_global;      /* GlobalMaxPool GlobalAveragePool GlobalLpPool */
extern const op_family ops_pool_unpool;      /* MaxUnpool */
extern const op_family ops_conv_transpose;   /* ConvTranspose */
extern const op_family ops_conv_deform;      /* DeformConv */
extern const op_family ops_conv_causal;      /* CausalConvWithState */
extern const op_family ops_attention;        /* Attention */
extern const op_family ops_attention_linear; /* LinearAttention */
extern const op_family ops_attention_rotary; /* RotaryEmbedding */
extern const op_family ops_norm;             /* BatchNormalization InstanceNormalization LRN */
extern const op_family ops_norm_layer; /* LayerNormalization RMSNormalization GroupNormalization */
extern const op_family ops_softmax;    /* Softmax LogSoftmax Hardmax */
extern const op_family ops_argmax;     /* ArgMax ArgMin */
extern const op_family ops_cumulative; /* CumSum CumProd */
extern const op_family ops_loss;       /* NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss */
extern const op_family ops_rnn;        /* RNN GRU LSTM */
extern const op_family ops_einsum;     /* Einsum */
extern const op_family ops_signal;     /* DFT STFT */
extern const op_family ops_window;     /* HannWindow HammingWindow BlackmanWindow MelWeightMatrix */
extern const op_family ops_lp;         /* LpNormalization */
extern const op_family ops_mean_variance; /* MeanVarianceNormalization */
extern const op_family ops_det;           /* Det */
extern const op_family ops_quantize; /* QuantizeLinear DequantizeLinear DynamicQuantizeLinear */
extern const op_family ops_quantize_matrix; /* MatMulInteger QLinearMatMul */
extern const op_family ops_text;            /* StringConcat StringSplit StringNormalizer */
extern const op_family ops_tfidf;           /* TfIdfVectorizer */
extern const op_family ops_regex;           /* RegexFullMatch */
extern const op_family ops_reduce;          /* ReduceSum ReduceMean ... */
extern const op_family ops_constant;        /* Constant */
extern const op_family ops_control;         /* If Loop */
extern const op_family ops_scan;            /* Scan */
extern const op_family ops_sequence;        /* SequenceConstruct SequenceAt SplitToSequence ... */
extern const op_family ops_optional;        /* Optional OptionalHasElement OptionalGetElement */
extern const op_family ops_map;             /* ai.onnx.ml: ZipMap */
extern const op_family ops_ml_scale;        /* ai.onnx.ml: Scaler Normalizer */
extern const op_family ops_ml_linear;       /* ai.onnx.ml: LinearClassifier LinearRegressor */
extern const op_family ops_ml_tree;         /* ai.onnx.ml: TreeEnsemble and its two forerunners */
extern const op_family ops_ml_svm;          /* ai.onnx.ml: SVMClassifier SVMRegressor */
extern const op_family ops_ml_label;        /* ai.onnx.ml: LabelEncoder CategoryMapper */
extern const op_family ops_ml_encode;       /* ai.onnx.ml: OneHotEncoder */
extern const op_family ops_ml_features;    /* ai.onnx.ml: Imputer Binarizer FeatureVectorizer ... */
extern const op_family ops_ml_map;         /* ai.onnx.ml: DictVectorizer CastMap */
extern const op_family ops_ms;             /* com.microsoft: Tokenizer CDist */
extern const op_family ops_weighlock;      /* org.weighlock: Scaler, linear models */
extern const op_family ops_weighlock_tree; /* org.weighlock: TreeEnsemble */
extern const op_family ops_weighlock_svm;  /* org.weighlock: SVMClassifier SVMRegressor */

/* A domain, and the opset versions for which the table is complete as far as it
 * goes: above `newest` an operator may have changed its meaning. */
typedef struct op_domain {
    const char *name;  /* "" is ai.onnx, and is also spelled so */
    const char *title; /* for people */
    uint32_t oldest;
    uint32_t newest;
} op_domain;

#define OP_DOMAINS 5
extern const op_domain op_domains[OP_DOMAINS];

/* The domain of that name, OP_DOMAINS if there is none. */
uint32_t ops_domain(const char *name);

/* Row i over all families, NULL past the last: for documentation and tests. */
const op_row *ops_row(uint32_t i);

/* The operator's newest row that is not newer than `opset`, NULL if none. */
const op_row *ops_find(uint32_t domain, const char *name, uint32_t opset);

#endif
