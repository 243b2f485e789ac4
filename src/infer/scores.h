/* What linear models do with the rows of scores behind their product: ONNX's
 * post_transform, and the choice of a label. */
#ifndef WLK_INFER_SCORES_H
#define WLK_INFER_SCORES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum score_transform {
    SCORE_NONE = 0,
    SCORE_SOFTMAX = 1,
    SCORE_LOGISTIC = 2,
    SCORE_SOFTMAX_ZERO = 3, /* softmax in which scores of 0 stay 0 */
    SCORE_PROBIT = 4,
    SCORE_ONE_VS_REST = 5, /* logistic, then divided by the row's sum */
    SCORE_TRANSFORMS = 6
} score_transform;

/* The transform of ONNX's post_transform text ("SOFTMAX"), or "OVR"; false if
 * there is none. */
bool score_transform_find(const char *name, score_transform *out);

/* Transforms one row in place. The inverse error function of PROBIT is the
 * approximation that the standard's reference has (A = 0.147); outside of 0..1 it
 * is NaN, at its ends 0. */
void score_row(score_transform transform, double *row, uint64_t count);

/* 1 / (1 + e^-x), without overflow on either side. */
double score_logistic(double x);

/* The index of the largest score, the first of equals; NaN is the largest. */
uint64_t score_best(const double *row, uint64_t count);

#endif
