/* scikit-learn's fitted estimators as a graph (docs/importing.md).
 *
 * An estimator is a record: the name of its class and a dict of its state. A table has a row
 * for each class that is known: its constructor's options, and functions that say in nodes
 * what it computes (sk_row). Nodes and tensors are collected here and go to the image when
 * all has been understood: a refusal comes before any byte of the result.
 *
 * What an estimator takes and gives is a table of rows and columns: sk_table. The columns of
 * the model's own input have no type at first; whoever reads one as numbers or as texts
 * decides it. If all are numbers the model has one input, X [batch, columns] of f64; else
 * each column is an input of its own, [batch, 1] of f64 or str, of the column's name. In
 * texts, "" is a missing value, as NaN is in numbers. */
#ifndef WLK_FORMATS_SKLEARN_SK_H
#define WLK_FORMATS_SKLEARN_SK_H

#include "base/arena.h"
#include "formats/pickle/machine.h"
#include "formats/pickle/numpy.h"
#include "image/assembler.h"

typedef struct sk sk;

/* ---- what refuses (sk.c) */

/* Refuses: "pipeline step 'scale', StandardScaler: " and the text. offset is that of a value
 * of the pickle. Rules: sklearn.class, sklearn.option, sklearn.state, sklearn.shape,
 * sklearn.value, sklearn.column. */
wlk_status sk_refuse(sk *s, wlk_rule rule, const py_value *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* WLK_SYSTEM: there is no memory. */
wlk_status sk_no_memory(sk *s);
/* count * size zeroed bytes of the arena, counted against limits->heap_bytes; NULL if there
 * are none: sk_no_memory. */
void *sk_take(sk *s, uint64_t count, uint64_t size);
/* A text in printf's manner, in the arena; NULL if there is no memory. */
char *sk_format(sk *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A value for messages, cut short: 'text', 3, 0.5, True, None, or of what kind it is. Never
 * NULL; NULL is "nothing". */
const char *sk_quote(sk *s, const py_value *value);

/* Enters and leaves a part of the model, for messages and for the limit estimator_depth
 * (also what stops a state that holds itself). `part` is "pipeline step 'scale'". */
wlk_status sk_enter(sk *s, const py_value *estimator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sk_leave(sk *s);

/* ---- reading state (sk_state.c). A missing or wrong one is refused as sklearn.state, a
 * wrong shape as sklearn.shape, an option that is none of the choices as sklearn.option. */

/* The class's name. */
const char *sk_class(const py_value *estimator);
/* State `key`, NULL if there is none or it is None. */
const py_value *sk_have(const py_value *estimator, const char *key);
wlk_status sk_need(sk *s, const py_value *estimator, const char *key, const py_value **value);

/* Options: the default where the state has no such key. */
wlk_status sk_flag(sk *s, const py_value *estimator, const char *key, bool standard, bool *flag);
wlk_status sk_number(sk *s, const py_value *estimator, const char *key, double *number);
wlk_status sk_integer(sk *s, const py_value *estimator, const char *key, int64_t *number);
/* *choice = the place of the option's text in the list, which NULL ends. */
wlk_status sk_choice(sk *s, const py_value *estimator, const char *key, const char *standard,
                     const char *const *choices, uint32_t *choice);

/* Arrays of numbers. The columns of a matrix may be SK_ANY: as many as there are. A scalar or a
 * number is an array of rank 0. */
#define SK_ANY UINT64_MAX
typedef struct sk_array {
    const double *data; /* row-major, in the arena */
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t count;
    const py_value *at;
    bool single; /* its own dtype is f32 or f16: scikit-learn computed in float32 */
    bool half;   /* it is f16 */
} sk_array;
/* Any rank. */
wlk_status sk_reals_of(sk *s, const py_value *value, const char *what, sk_array *out);
wlk_status sk_reals(sk *s, const py_value *estimator, const char *key, sk_array *out);
/* Exactly this shape. */
wlk_status sk_vector(sk *s, const py_value *estimator, const char *key, uint64_t length,
                     sk_array *out);
wlk_status sk_matrix_of(sk *s, const py_value *estimator, const char *key, uint64_t rows,
                        uint64_t columns, sk_array *out);
/* A number, or an array of one element. */
wlk_status sk_scalar(sk *s, const py_value *estimator, const char *key, double *number);
/* Refuses NaN and infinities, and zeros too. */
wlk_status sk_finite(sk *s, const sk_array *array, const char *what);
wlk_status sk_divisor(sk *s, const sk_array *array, const char *what);
/* Whole numbers within [0, below); also from a mask of `below` bools (the places of True). */
typedef struct sk_indices {
    const uint32_t *list;
    uint32_t count;
} sk_indices;
wlk_status sk_indices_of(sk *s, const py_value *value, const char *what, uint64_t below,
                         sk_indices *out);
/* The items of a list, a tuple, or an array of objects (row-major). */
wlk_status sk_list_of(sk *s, const py_value *value, const char *what, py_value *const **items,
                      uint32_t *count);
/* Number of columns that the estimator was fitted with: n_features_in_, n_features_ ...;
 * `columns` where the state has none. Refuses if it is not `columns`. */
wlk_status sk_columns(sk *s, const py_value *estimator, uint64_t columns);

/* ---- classes and categories (sk_labels.c): values that are all numbers or all texts */
typedef struct sk_labels {
    uint32_t count;
    wlk_dtype dtype;         /* I64, F64, BOOL, STR: how they are given out */
    const int64_t *integers; /* I64, BOOL */
    const double *reals;     /* F64 */
    const py_text *texts;    /* STR */
    uint32_t missing;        /* categories: which one is the missing value; or WLK_NONE */
    const py_value *at;
} sk_labels;
/* From an array of any kind; missing values are allowed if `categories`. Mixed ones are
 * refused, and so is one that comes twice. */
wlk_status sk_labels_of(sk *s, const py_value *array, const char *what, bool categories,
                        sk_labels *out);

/* ---- nodes and tensors (sk_graph.c). A value or tensor is its name, in the arena. */
typedef const char *sk_name;

/* Tensors. Data of up to 256 bytes are copied; larger ones stay where they are, and must lie
 * in the arena or the stream. Equal ones of one element are shared. Not for STR. */
wlk_status sk_constant(sk *s, wlk_dtype dtype, uint32_t rank, const uint64_t *shape,
                       const void *data, sk_name *out);
wlk_status sk_f64(sk *s, double value, sk_name *out);                         /* [] */
wlk_status sk_i64(sk *s, int64_t value, sk_name *out);                        /* [] */
wlk_status sk_f64s(sk *s, const double *data, uint64_t count, sk_name *out);  /* [count] */
wlk_status sk_i64s(sk *s, const int64_t *data, uint64_t count, sk_name *out); /* [count] */
wlk_status sk_f64_matrix(sk *s, const double *data, uint64_t rows, uint64_t columns, sk_name *out);
wlk_status sk_texts(sk *s, const py_text *texts, uint64_t count, sk_name *out); /* [count] */
wlk_status sk_labels_constant(sk *s, const sk_labels *labels, sk_name *out);    /* [count] */

/* A node of ai.onnx ("Add"), or of another domain ("ai.onnx.ml:Binarizer",
 * "org.weighlock:TreeEnsemble"). Inputs: names, "" omits one. */
wlk_status sk_node(sk *s, const char *op, const sk_name *inputs, uint32_t input_count,
                   sk_name *outputs, uint32_t output_count);
/* Attributes of the latest node. */
wlk_status sk_attribute_int(sk *s, const char *name, int64_t value);
wlk_status sk_attribute_float(sk *s, const char *name, double value);
wlk_status sk_attribute_text(sk *s, const char *name, const char *text);
wlk_status sk_attribute_ints(sk *s, const char *name, const int64_t *values, uint32_t count);
wlk_status sk_attribute_dtype(sk *s, const char *name, wlk_dtype dtype);
wlk_status sk_attribute_tensor(sk *s, const char *name, sk_name tensor);
/* With one output. */
wlk_status sk_unary(sk *s, const char *op, sk_name x, sk_name *out);
wlk_status sk_binary(sk *s, const char *op, sk_name a, sk_name b, sk_name *out);
wlk_status sk_cast(sk *s, sk_name x, wlk_dtype to, sk_name *out);
/* Reductions over axis 1 that keep it: ReduceSum, ReduceMax ... */
wlk_status sk_reduce(sk *s, const char *op, sk_name x, sk_name *out);
/* x @ weights + bias; weights [in, out], or [out, in] transposed; bias [out], [1] or NULL. */
wlk_status sk_affine(sk *s, sk_name x, const sk_array *weights, bool transposed,
                     const sk_array *bias, sk_name *out);
/* Columns of a matrix: Gather along axis 1. */
wlk_status sk_gather(sk *s, sk_name x, const uint32_t *columns, uint32_t count, sk_name *out);
/* Concat along axis 1. */
wlk_status sk_concat(sk *s, const sk_name *parts, uint32_t count, sk_name *out);
/* [batch, n] -> [batch, 1] and the like: a Reshape to {-1, columns}; columns 0: to {-1}. */
wlk_status sk_reshape(sk *s, sk_name x, int64_t columns, sk_name *out);

/* ---- tables (sk_table.c) */

typedef struct sk_block {
    sk_name value; /* [batch, columns]; NULL: columns of the model's own input */
    uint32_t columns;
    uint32_t first;         /* of the table's columns: its own first; the functions below set it */
    wlk_dtype dtype;        /* of the value: F64, F32, BOOL, I64, STR */
    const uint32_t *inputs; /* of the model's own: which */
    uint8_t *empty;         /* of a text: sk_empty of the model's own column that it comes of */
} sk_block;

typedef struct sk_table {
    sk_block *blocks; /* from left to right */
    uint32_t block_count;
    uint32_t columns;
} sk_table;

/* A table of one value. */
wlk_status sk_table_of(sk *s, sk_name value, wlk_dtype dtype, uint32_t columns, sk_table *out);
wlk_status sk_table_join(sk *s, const sk_table *tables, uint32_t count, sk_table *out);
/* These columns, in this order. Indices are in range. */
wlk_status sk_table_pick(sk *s, const sk_table *table, const uint32_t *columns, uint32_t count,
                         sk_table *out);
/* The whole table as one f64 [batch, columns]. A column of texts is refused. The model's own
 * columns become numbers. */
wlk_status sk_table_numbers(sk *s, const sk_table *table, sk_name *out);
/* The same in f32: what scikit-learn's trees look at. */
wlk_status sk_table_singles(sk *s, const sk_table *table, sk_name *out);
/* One column as texts, [batch, 1]; one of the model's own becomes a text. */
wlk_status sk_table_texts(sk *s, const sk_table *table, uint32_t column, sk_name *out);
/* One column as f64, [batch, 1]. */
wlk_status sk_table_column(sk *s, const sk_table *table, uint32_t column, sk_name *out);
/* Of a value that was made of a column of texts, [batch, 1]. */
wlk_status sk_table_made_of(sk *s, sk_name value, const sk_table *table, uint32_t column,
                            sk_table *out);
/* What the empty text of a column is to someone. It is an empty field of a CSV file too, and
 * cannot be both: refused wherever the other is met (of what is made of the column as well). */
typedef enum sk_empty { SK_EMPTY_MISSING = 1, SK_EMPTY_KNOWN = 2 } sk_empty;
wlk_status sk_table_empty(sk *s, const sk_table *table, uint32_t column, sk_empty as);
/* What is known of a column: F64 for all numbers, STR, or NONE for one of the model's own
 * that nobody has read yet. */
wlk_dtype sk_table_dtype(const sk *s, const sk_table *table, uint32_t column);
/* The column of the model's own input of that name; WLK_NONE if the table has none: only a
 * table of nothing but the model's own columns has names. */
uint32_t sk_table_find(const sk *s, const sk_table *table, const py_text *name);

/* ---- estimators */

/* What an estimator predicts. Matrices are f64. */
typedef struct sk_prediction {
    /* Of classifiers: */
    sk_labels classes;     /* one output; of more see `parts` */
    sk_name index;         /* i64 [batch]: which class */
    sk_name probabilities; /* [batch, classes], or NULL */
    sk_name scores;        /* decision_function: [batch, 1] or [batch, k]; or NULL */
    uint32_t score_columns;
    /* Of regressors: */
    sk_name values; /* [batch, targets] */
    uint32_t targets;
    bool flat; /* predict gives [batch], not [batch, 1] */
    /* Of clusterers and outlier detectors: index and classes, values the distances. */
    /* Of several outputs: one each; then all else is of no meaning, but for probabilities and
     * scores that all outputs have in one matrix, a column each. */
    struct sk_prediction *parts;
    uint32_t part_count;
} sk_prediction;

typedef wlk_status (*sk_transform)(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_table *out);
typedef wlk_status (*sk_predict)(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out);

typedef enum sk_role {
    SK_TRANSFORMER = 1,
    SK_CLASSIFIER = 2,
    SK_REGRESSOR = 4,
    SK_CLUSTERER = 8,
    SK_OUTLIERS = 16,
    SK_META = 32 /* it hands its rows on; alone: its role is that of what it holds */
} sk_role;

/* An option of the constructor: a key of the state without an underscore at either end. */
typedef enum sk_option_kind {
    SK_OPTION_TRAINING, /* it was for fitting: of no consequence now */
    SK_OPTION_READ      /* the row's functions read it, and refuse what they cannot honour */
} sk_option_kind;
typedef struct sk_option {
    const char *name;
    sk_option_kind kind;
} sk_option;

typedef struct sk_row {
    const char *class; /* the last part of the qualified name */
    uint32_t roles;
    const sk_option *options; /* all, in every version; one that is not here is refused */
    uint32_t option_count;
    sk_transform transform; /* NULL: it has no transform */
    sk_predict predict;     /* NULL: it has no predict */
} sk_row;

/* Each family's rows: sk_rows_<family>.c; sk_rows.c lists the families. */
typedef struct sk_family {
    const sk_row *rows;
    uint32_t count;
} sk_family;
extern const sk_family sk_family_compose;   /* Pipeline, ColumnTransformer, searches ... */
extern const sk_family sk_family_scale;     /* scalers, imputer, polynomials, functions */
extern const sk_family sk_family_encode;    /* encoders of categories and labels */
extern const sk_family sk_family_decompose; /* PCA, TruncatedSVD, selection, KMeans */
extern const sk_family sk_family_linear;    /* linear models */
extern const sk_family sk_family_svm;       /* SVC, SVR, LinearSVC, LinearSVR */
extern const sk_family sk_family_network;   /* MLPClassifier, MLPRegressor */
extern const sk_family sk_family_simple;    /* GaussianNB, dummies */
extern const sk_family sk_family_tree;      /* trees, forests, boosting */
extern const sk_family sk_family_ensemble;  /* Voting, Bagging, AdaBoost, IsolationForest */

/* The row of a class; NULL if there is none. */
const sk_row *sk_find(const char *class_name);

/* Calls the row's function: checks that the class is known, that it has that method, its
 * options, its number of columns, and depth; enters and leaves it. For meta-estimators. */
wlk_status sk_apply_transform(sk *s, const py_value *estimator, const sk_table *in, sk_table *out);
wlk_status sk_apply_predict(sk *s, const py_value *estimator, const sk_table *in,
                            sk_prediction *out);

/* Parts of a prediction that many need (sk_predict.c). */

/* index = the largest of `scores` [batch, k], the first of equals. */
wlk_status sk_argmax(sk *s, sk_name scores, sk_name *index);
/* From scores [batch, 1]: index = scores > 0; from [batch, k] the argmax. */
wlk_status sk_decide(sk *s, sk_name scores, uint32_t columns, sk_name *index);
/* [1 - p, p] of p [batch, 1]. */
wlk_status sk_two_columns(sk *s, sk_name p, sk_name *out);
/* Each row divided by its sum; rows whose sum is 0 stay as they are. */
wlk_status sk_normalise_rows(sk *s, sk_name x, sk_name *out);
/* log(sum(exp(row))) taken out, and exp: softmax along axis 1. */
wlk_status sk_softmax(sk *s, sk_name x, sk_name *out);

/* ---- a whole model (sk_model.c) */

/* Is it an estimator: an object of a class in a module of scikit-learn? */
bool sk_is_estimator(const py_value *value);

/* Builds the image's tensors, graph and metadata from an estimator. `source` are metadata of
 * the file itself (serializer, protocol, compression). */
typedef struct sk_source {
    const char *serializer; /* "pickle", "joblib" */
    const char *compression;
    uint32_t protocol;
} sk_source;
wlk_status sk_build(pickle *p, const py_value *estimator, const sk_source *source,
                    image_builder *builder, wlk_error *error);

/* The state, for those who keep it here. */
struct sk {
    pickle *pickle;
    arena *memory;
    const wlk_limits *limits;
    wlk_error *error;
    struct sk_graph *graph;   /* sk_graph.c */
    struct sk_inputs *inputs; /* sk_table.c */
    struct sk_place *place;   /* sk.c: where in the model, innermost first */
    bool starved;             /* there was no memory for a message */
    uint32_t depth;
    uint64_t taken;   /* bytes, see sk_take */
    bool over_heap;   /* sk_take has refused more than limits->heap_bytes */
    uint64_t applied; /* calls of sk_apply_transform and sk_apply_predict */
};

#endif
