/* What linear models, support vector machines and networks share: coefficients as matrices,
 * classes, and what becomes of scores. */
#ifndef WLK_FORMATS_SKLEARN_SK_LINEAR_H
#define WLK_FORMATS_SKLEARN_SK_LINEAR_H

#include "formats/sklearn/sk.h"

/* Numbers of an array, or of a sparse matrix of scipy (csr, dense afterwards). */
wlk_status sk_dense_of(sk *s, const py_value *value, const char *what, sk_array *out);

/* coef_ and intercept_ of a linear model. */
typedef struct sk_linear {
    sk_array weights; /* [outputs, columns] */
    sk_array bias;    /* one number for each output, or for all */
    uint32_t outputs;
    bool flat; /* coef_ has one axis: so have its predictions */
} sk_linear;

/* Checks shapes against the columns of its input, and that all is finite. */
wlk_status sk_linear_read(sk *s, const py_value *estimator, uint32_t columns, sk_linear *out);
/* The same of any two states. */
wlk_status sk_linear_read_as(sk *s, const py_value *estimator, const char *coefficients,
                             const char *intercepts, uint32_t columns, sk_linear *out);
/* in @ weights + bias: [batch, outputs]. */
wlk_status sk_linear_scores(sk *s, const sk_linear *model, const sk_table *in, sk_name *scores);

/* classes_: at least two of them. */
wlk_status sk_classes(sk *s, const py_value *estimator, sk_labels *out);

/* A classifier of these classes and scores: one column for two classes, else one for each.
 * Fills in everything but the probabilities. */
wlk_status sk_classify_scores(sk *s, const sk_labels *classes, sk_name scores, uint32_t columns,
                              const py_value *at, sk_prediction *out);

/* The labels 0 and 1, or -1 and 1. */
wlk_status sk_two_labels(sk *s, int64_t first, int64_t second, sk_labels *out);

/* -1 and 1 for each row: 1 where `op` ("Greater") holds between decision [batch, 1] and 0. */
wlk_status sk_outliers(sk *s, sk_name decision, const char *op, sk_prediction *out);

/* Several outputs of yes and no: values [batch, count]; output i is 1 where its column is
 * above the threshold. As probabilities, values are that of the 1; else they are scores. */
wlk_status sk_multilabel(sk *s, sk_name values, uint32_t count, double threshold,
                         bool are_probabilities, sk_prediction *out);

/* Logistic function of each element. */
wlk_status sk_sigmoid(sk *s, sk_name x, sk_name *out);
/* Logistic function of each, then divided by the row's sum, as the estimator's version does it
 * where the sum is 0; of one column [1 - p, p]. */
wlk_status sk_linear_one_vs_rest(sk *s, const py_value *estimator, sk_name scores, uint32_t columns,
                                 sk_name *out);

/* Is the text value of `key` such a text? False where it is missing. */
bool sk_is(const py_value *estimator, const char *key, const char *text);
/* The version of scikit-learn that wrote it, as 1000 * major + minor; 0: not known. */
uint32_t sk_linear_version(const py_value *estimator);

#endif
