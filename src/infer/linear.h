/* Linear models: scores by one dense product, and what is made of them. Shared by
 * ai.onnx.ml (float32) and org.weighlock (float64). */
#ifndef WLK_INFER_LINEAR_H
#define WLK_INFER_LINEAR_H

#include "infer/op.h"
#include "infer/scores.h"

/* The rows that a linear operator sees: X is [n, k], or [k], which is one row. */
typedef struct linear_rows {
    int64_t rows; /* WLK_UNKNOWN_DIM: not known yet */
    int64_t columns;
} linear_rows;
linear_rows linear_rows_of(const op_tensor *x);

/* Class labels: exactly one of the lists. */
typedef struct linear_labels {
    const int64_t *ints;
    const char *const *strings;
    uint32_t count; /* at least 1 */
} linear_labels;

/* Reads classlabels_ints and classlabels_strings, attributes number `ints` and
 * `strings`: one of them must be there. plan.attribute-value if not. */
wlk_status linear_labels_read(const op_call *call, uint32_t ints, uint32_t strings,
                              linear_labels *labels);

/* Reads post_transform; `last` is the last one that the operator has. */
wlk_status linear_transform_read(const op_call *call, uint32_t attribute, score_transform last,
                                 score_transform *transform);

/* Do `scores` columns of scores go with these labels: one each, or one score for
 * two classes? */
bool linear_labels_fit(const linear_labels *labels, uint64_t scores);

/* Sets the outputs of a classifier: labels [n], scores [n, classes]; and, when
 * binding, the working memory of linear_classify. */
wlk_status linear_classifier_outputs(op_call *call, int64_t rows, const linear_labels *labels,
                                     wlk_dtype score_dtype);

/* A classifier's output 0: the number of row i's label is kept where its value will be,
 * and, when all rows have one, each becomes the label (0 or "" for labels->count). */
void linear_label_number(op_tensor *out, uint64_t i, uint64_t number);
void linear_labels_place(const linear_labels *labels, op_tensor *out);

/* scores [rows, outputs] = x [rows, columns] * coefficients [outputs, columns]^T
 * + intercepts [outputs], all f32 or all f64; intercepts may be NULL. */
typedef struct linear_product {
    wlk_dtype dtype;
    uint64_t rows;
    uint64_t columns;
    uint64_t outputs;
    const void *x;
    const void *coefficients;
    const void *intercepts;
} linear_product;
wlk_status linear_check(op_call *call, const linear_product *product);
void linear_scores(const linear_product *product, void *scores);

/* Turns a classifier's raw scores, which lie at the start of output 1, into
 * output 0 and 1. The label is that of the largest raw score. One score s for two
 * classes stands for the scores -s and s. One score for one class is that class
 * if it reaches 0 (without a transform) or, transformed, 0.5; else the label 0
 * or "". scratch: room for one row of doubles. */
void linear_classify(const op_call *call, const linear_labels *labels, uint64_t scores,
                     score_transform transform, double *scratch);

/* Transforms `rows` rows of `columns` f32 or f64 scores in place. */
void linear_transform(wlk_dtype dtype, void *scores, uint64_t rows, uint64_t columns,
                      score_transform transform, double *scratch);

#endif
