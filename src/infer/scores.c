#include "infer/scores.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const char *const names[SCORE_TRANSFORMS] = {
    [SCORE_NONE] = "NONE",         [SCORE_SOFTMAX] = "SOFTMAX",
    [SCORE_LOGISTIC] = "LOGISTIC", [SCORE_SOFTMAX_ZERO] = "SOFTMAX_ZERO",
    [SCORE_PROBIT] = "PROBIT",     [SCORE_ONE_VS_REST] = "OVR",
};

bool score_transform_find(const char *name, score_transform *out) {
    for (uint32_t i = 0; i < SCORE_TRANSFORMS; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (score_transform)i;
            return true;
        }
    }
    return false;
}

uint64_t score_best(const double *row, uint64_t count) {
    uint64_t best = 0;
    for (uint64_t i = 1; i < count && !isnan(row[best]); i++) {
        if (row[i] > row[best] || isnan(row[i])) best = i;
    }
    return best;
}

static void divide(double *row, uint64_t count, double divisor) {
    for (uint64_t i = 0; i < count; i++) row[i] /= divisor;
}

static double sum_of(const double *row, uint64_t count) {
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += row[i];
    return sum;
}

static void none(double *row, uint64_t count) {
    (void)row;
    (void)count;
}

static void softmax(double *row, uint64_t count) {
    const double largest = row[score_best(row, count)];
    for (uint64_t i = 0; i < count; i++) row[i] = exp(row[i] - largest);
    divide(row, count, sum_of(row, count));
}

/* exp never gets a positive argument. */
double score_logistic(double x) {
    const double e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static void logistic(double *row, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) row[i] = score_logistic(row[i]);
}

#define SCORE_ZERO 0.0000001

static void softmax_zero(double *row, uint64_t count) {
    const double largest = row[score_best(row, count)];
    for (uint64_t i = 0; i < count; i++) {
        const bool is_zero = fabs(row[i]) <= SCORE_ZERO;
        row[i] = is_zero ? row[i] * exp(-largest) : exp(row[i] - largest);
    }
    const double sum = sum_of(row, count);
    if (sum != 0) {
        divide(row, count, sum);
    } else {
        for (uint64_t i = 0; i < count; i++) row[i] = 0.5;
    }
}

static double inverse_erf(double x) {
    const double pi = 3.14159265358979323846;
    const double a = 0.147;
    const double rest = (1 - x) * (1 + x);
    if (rest == 0) return 0;
    const double logarithm = log(rest);
    const double v = 2 / (pi * a) + 0.5 * logarithm;
    const double root = sqrt(sqrt(v * v - logarithm / a) - v);
    return x < 0 ? -root : root;
}

static void probit(double *row, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) row[i] = 1.41421356 * inverse_erf(2 * row[i] - 1);
}

static void one_vs_rest(double *row, uint64_t count) {
    logistic(row, count);
    divide(row, count, sum_of(row, count));
}

typedef void (*row_transform)(double *row, uint64_t count);
static const row_transform transforms[SCORE_TRANSFORMS] = {
    [SCORE_NONE] = none,         [SCORE_SOFTMAX] = softmax,
    [SCORE_LOGISTIC] = logistic, [SCORE_SOFTMAX_ZERO] = softmax_zero,
    [SCORE_PROBIT] = probit,     [SCORE_ONE_VS_REST] = one_vs_rest,
};

void score_row(score_transform transform, double *row, uint64_t count) {
    if (count > 0) transforms[transform](row, count);
}
