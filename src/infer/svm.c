#include "infer/svm.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/svm_couple.h"

/* ---- kernels */

#define LANES 8

/* The squared distance, in LANES sums that the compiler keeps in one register. */
static float distance(const float *a, const float *b, uint64_t count) {
    float sums[LANES] = {0};
    float sum = 0;
    uint64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (uint64_t l = 0; l < LANES; l++) {
            const float difference = a[i + l] - b[i + l];
            sums[l] += difference * difference;
        }
    }
    for (uint64_t l = 0; l < LANES; l++) sum += sums[l];
    for (; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static void rbf(const svm_model *svm, const float *x, uint64_t rows, float *values) {
    for (uint64_t i = 0; i < rows; i++) {
        for (uint64_t j = 0; j < svm->row_count; j++) {
            const float square =
                distance(x + i * svm->columns, svm->rows + j * svm->columns, svm->columns);
            values[i * svm->row_count + j] = expf(-svm->gamma * square);
        }
    }
}

static float power(const svm_model *svm, float x) {
    const float base = svm->gamma * x + svm->coef0;
    if (svm->degree == 2) return base * base;
    if (svm->degree == 3) return base * base * base;
    return powf(base, svm->degree);
}

void svm_values(const svm_model *svm, const float *x, uint64_t rows, float *values) {
    const product size = {.transpose_b = true, .m = rows, .n = svm->row_count, .k = svm->columns};
    const uint64_t count = rows * svm->row_count;
    if (svm->kernel == SVM_RBF) {
        rbf(svm, x, rows, values);
        return;
    }
    product_f32(&size, 1, x, svm->rows, 0, values);
    if (svm->kernel == SVM_POLY) {
        for (uint64_t i = 0; i < count; i++) values[i] = power(svm, values[i]);
    }
    if (svm->kernel == SVM_SIGMOID) {
        for (uint64_t i = 0; i < count; i++) {
            values[i] = tanhf(svm->gamma * values[i] + svm->coef0);
        }
    }
}

/* ---- regression */

static double dot(const float *a, const float *b, uint32_t from, uint32_t to) {
    double sum = 0;
    for (uint32_t i = from; i < to; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

double svm_regress(const svm_model *svm, const float *values) {
    double score =
        svm->is_linear ? (double)values[0] : dot(values, svm->coefficients, 0, svm->row_count);
    score += (double)svm->rho[0];
    if (svm->one_class) return score > 0 ? 1 : -1;
    score_row(svm->transform, &score, 1);
    return score;
}

/* ---- pairs of classes */

static bool has_probabilities(const svm_model *svm) {
    return svm->prob_a && !svm->is_linear;
}

uint64_t svm_outputs(const svm_model *svm) {
    if (svm->is_linear || has_probabilities(svm) || svm->labels.count == 2) {
        return svm->labels.count;
    }
    return svm->pairs;
}

/* One score for each pair: above 0 it is a vote for the first of the two. */
static void score_pairs(const svm_model *svm, const float *values, double *scores, double *votes) {
    const uint32_t classes = svm->labels.count;
    const uint32_t *first = svm->first_vector;
    uint64_t pair = 0;
    for (uint32_t i = 0; i < classes; i++) votes[i] = 0;
    for (uint32_t i = 0; i + 1 < classes; i++) {
        for (uint32_t j = i + 1; j < classes; j++, pair++) {
            const float *of_i = svm->coefficients + (uint64_t)(j - 1) * svm->row_count;
            const float *of_j = svm->coefficients + (uint64_t)i * svm->row_count;
            scores[pair] = dot(of_i, values, first[i], first[i + 1]) +
                           dot(of_j, values, first[j], first[j + 1]) + (double)svm->rho[pair];
            votes[scores[pair] > 0 ? i : j]++;
        }
    }
}

/* r[i, j]: how probable class i is against class j. */
static void pair_probabilities(const svm_model *svm, const double *scores, double *r) {
    const uint64_t classes = svm->labels.count;
    uint64_t pair = 0;
    for (uint64_t i = 0; i + 1 < classes; i++) {
        for (uint64_t j = i + 1; j < classes; j++, pair++) {
            const double p =
                couple_pair(scores[pair], (double)svm->prob_a[pair], (double)svm->prob_b[pair]);
            r[i * classes + j] = p;
            r[j * classes + i] = 1 - p;
        }
    }
}

/* ---- classification: scratch is outputs, pair scores, votes, and what coupling needs */

uint64_t svm_row_doubles(const svm_model *svm) {
    const uint64_t classes = svm->labels.count;
    uint64_t all = svm->outputs + svm->pairs + classes;
    uint64_t matrix = 0;
    if (!has_probabilities(svm)) return all;
    if (!checked_mul(classes, classes, &matrix) || !checked_add(all, matrix, &all) ||
        !checked_add(all, couple_doubles(classes), &all)) {
        return UINT64_MAX;
    }
    return all;
}

uint64_t svm_row_work(const svm_model *svm) {
    const uint64_t classes = svm->labels.count;
    uint64_t all = has_probabilities(svm) ? couple_work(classes) : svm->pairs;
    uint64_t sums = 0;
    if (classes == 0) return svm->row_count;
    if (!checked_mul(classes, svm->row_count, &sums)) return UINT64_MAX;
    return checked_add(all, sums, &all) ? all : UINT64_MAX;
}

static uint64_t classify_linear(const svm_model *svm, const float *values, double *scores) {
    const uint64_t classes = svm->labels.count;
    for (uint64_t i = 0; i < classes; i++) scores[i] = (double)values[i] + (double)svm->rho[0];
    uint64_t best = 0;
    for (uint64_t i = 1; i < classes; i++) {
        if (scores[i] > scores[best]) best = i;
    }
    const bool second = svm->all_positive ? scores[best] >= 0.5 : scores[best] > 0;
    if (classes == 2 && !svm->prob_a && second) best = 1;
    score_row(svm->transform, scores, classes);
    return best;
}

/* The score of the one pair stands for both classes. */
static void spread_pair(const svm_model *svm, double s, double *scores) {
    const score_transform t = svm->transform;
    scores[0] = t == SCORE_NONE || t == SCORE_LOGISTIC ? -s : 1 - s;
    scores[1] = s;
    if (t == SCORE_LOGISTIC || t == SCORE_PROBIT) score_row(t, scores, 2);
}

uint64_t svm_classify(const svm_model *svm, const float *values, double *scratch) {
    if (svm->is_linear) return classify_linear(svm, values, scratch);
    const uint64_t classes = svm->labels.count;
    double *pairs = scratch + svm->outputs;
    double *votes = pairs + svm->pairs;
    score_pairs(svm, values, pairs, votes);
    const uint64_t best = score_best(votes, classes);
    if (has_probabilities(svm)) {
        double *r = votes + classes;
        pair_probabilities(svm, pairs, r);
        couple(r, classes, scratch, r + classes * classes);
        score_row(svm->transform, scratch, classes);
    } else if (classes == 2) {
        spread_pair(svm, pairs[0], scratch);
    } else {
        memcpy(scratch, pairs, svm->pairs * sizeof *pairs);
        score_row(svm->transform, scratch, svm->pairs);
    }
    return best;
}
