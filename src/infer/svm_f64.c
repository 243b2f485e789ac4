#include "infer/svm_f64.h"

#include <math.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/svm_couple.h"

/* ---- kernels */

#define LANES 4

/* The squared distance, in LANES sums that the compiler keeps in registers. By differences:
 * from norms it would lose the digits that far rows have in common. */
static double distance(const double *a, const double *b, uint64_t count) {
    double sums[LANES] = {0};
    double sum = 0;
    uint64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (uint64_t l = 0; l < LANES; l++) {
            const double difference = a[i + l] - b[i + l];
            sums[l] += difference * difference;
        }
    }
    for (uint64_t l = 0; l < LANES; l++) sum += sums[l];
    for (; i < count; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* Rows run fastest: they stay in the cache while all vectors pass. */
static void rbf(const svm_f64 *svm, const double *x, uint64_t rows, double *values) {
    for (uint64_t j = 0; j < svm->vector_count; j++) {
        const double *vector = svm->vectors + j * svm->columns;
        for (uint64_t i = 0; i < rows; i++) {
            const double square = distance(x + i * svm->columns, vector, svm->columns);
            values[i * svm->vector_count + j] = exp(-svm->gamma * square);
        }
    }
}

static double power(double base, uint32_t degree) {
    double out = 1;
    for (; degree > 0; degree /= 2) {
        if (degree % 2 == 1) out *= base;
        base *= base;
    }
    return out;
}

static void apply(const svm_f64 *svm, double *values, uint64_t count) {
    if (svm->kernel == SVM_LINEAR) return;
    for (uint64_t i = 0; i < count; i++) {
        const double inner = svm->gamma * values[i] + svm->coef0;
        values[i] = svm->kernel == SVM_POLY ? power(inner, svm->degree) : tanh(inner);
    }
}

void svm_f64_values(const svm_f64 *svm, const double *x, uint64_t rows, double *values) {
    const product size = {
        .transpose_b = true, .m = rows, .n = svm->vector_count, .k = svm->columns};
    if (svm->kernel == SVM_RBF) {
        rbf(svm, x, rows, values);
        return;
    }
    product_f64(&size, 1, x, svm->vectors, 0, values);
    apply(svm, values, rows * svm->vector_count);
}

static double dot(const double *a, const double *b, uint32_t from, uint32_t to) {
    double sum = 0;
    for (uint32_t i = from; i < to; i++) sum += a[i] * b[i];
    return sum;
}

double svm_f64_regress(const svm_f64 *svm, const double *values) {
    return dot(svm->dual, values, 0, svm->vector_count) + svm->intercepts[0];
}

/* ---- pairs of classes */

void svm_f64_pairs(const svm_f64 *svm, const double *values, double *pairs) {
    const uint32_t *first = svm->first_vector;
    uint64_t pair = 0;
    for (uint32_t i = 0; i + 1 < svm->classes; i++) {
        for (uint32_t j = i + 1; j < svm->classes; j++, pair++) {
            const double *of_i = svm->dual + (uint64_t)(j - 1) * svm->vector_count;
            const double *of_j = svm->dual + (uint64_t)i * svm->vector_count;
            pairs[pair] = dot(of_i, values, first[i], first[i + 1]) +
                          dot(of_j, values, first[j], first[j + 1]) + svm->intercepts[pair];
        }
    }
}

uint64_t svm_f64_vote(const svm_f64 *svm, const double *pairs, double *votes) {
    uint64_t pair = 0;
    for (uint32_t i = 0; i < svm->classes; i++) votes[i] = 0;
    for (uint32_t i = 0; i + 1 < svm->classes; i++) {
        for (uint32_t j = i + 1; j < svm->classes; j++, pair++) {
            votes[pairs[pair] > 0 ? i : j]++;
        }
    }
    return score_best(votes, svm->classes);
}

uint64_t svm_f64_doubles(const svm_f64 *svm) {
    const uint64_t classes = svm->classes;
    uint64_t all = 0;
    if (!checked_mul(classes, classes, &all) || !checked_add(all, couple_doubles(classes), &all)) {
        return UINT64_MAX;
    }
    return all;
}

void svm_f64_probabilities(const svm_f64 *svm, const double *pairs, double *probabilities,
                           double *scratch) {
    const uint64_t classes = svm->classes;
    double *r = scratch;
    uint64_t pair = 0;
    for (uint64_t i = 0; i + 1 < classes; i++) {
        for (uint64_t j = i + 1; j < classes; j++, pair++) {
            const double p = couple_pair(pairs[pair], svm->prob_a[pair], svm->prob_b[pair]);
            r[i * classes + j] = p;
            r[j * classes + i] = 1 - p;
        }
    }
    couple(r, classes, probabilities, r + classes * classes);
}

void svm_f64_scores(const svm_f64 *svm, const double *pairs, double *scores, double *sums) {
    const uint32_t classes = svm->classes;
    uint64_t pair = 0;
    if (classes == 2) {
        scores[0] = -pairs[0];
        return;
    }
    for (uint32_t i = 0; i < classes; i++) {
        scores[i] = 0;
        sums[i] = 0;
    }
    for (uint32_t i = 0; i + 1 < classes; i++) {
        for (uint32_t j = i + 1; j < classes; j++, pair++) {
            sums[i] += pairs[pair];
            sums[j] -= pairs[pair];
            scores[pairs[pair] < 0 ? j : i]++;
        }
    }
    for (uint32_t i = 0; i < classes; i++) scores[i] += sums[i] / (3 * (fabs(sums[i]) + 1));
}
