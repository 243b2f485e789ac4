/* From the sums of an ensemble to what its operator gives. */
#include <math.h>

#include "infer/ensemble.h"

static double base_of(const ensemble *e, uint32_t target) {
    if (target >= e->base_count) return 0;
    return e->base_values[target];
}

/* A target without votes is 0 for every aggregate. */
void ensemble_regress(const ensemble *e, double *row) {
    for (uint32_t i = 0; i < e->targets; i++) {
        if (e->aggregate == AGGREGATE_AVERAGE) row[i] /= e->trees;
        if (!e->base_first) row[i] += base_of(e, i);
    }
    score_row(e->transform, row, e->targets);
}

/* Of two labels only one class gets votes. For class 0 their sum is the score of the
 * second label, and the first one's follows from it: 1 - s where all weights are
 * positive, for s is a probability then, else -s. onnxruntime's rule, as the standard is
 * silent. */
static uint64_t classify_one(const ensemble *e, double *row) {
    const double base = e->voted_class == 0 ? base_of(e, 0) : 0;
    const double s = (double)(float)(row[e->voted_class] + base);
    const bool second = s > (e->all_positive ? 0.5 : 0);
    if (e->voted_class == 1) {
        row[0] = 0;
        row[1] = s;
        score_row(e->transform, row, 2);
        return second;
    }
    row[0] = e->all_positive && e->transform != SCORE_LOGISTIC ? 1 - s : -s;
    row[1] = s;
    if (e->transform == SCORE_LOGISTIC || e->transform == SCORE_PROBIT) {
        score_row(e->transform, row, 2);
    }
    return second;
}

/* The best among the classes that got a vote or have a base value. */
static uint64_t best_voted(const ensemble *e, const double *row, const uint8_t *voted) {
    uint64_t best = e->targets;
    for (uint32_t i = 0; i < e->targets; i++) {
        if (voted && !voted[i] && e->base_count == 0) continue;
        if (best == e->targets || row[i] > row[best]) best = i;
    }
    return best < e->targets ? best : 0;
}

/* Labels are chosen by scores as precise as they are given out: half of the trees of a
 * forest, each with the float32 next to 1/n, are no more than half. */
uint64_t ensemble_classify(const ensemble *e, double *row, const uint8_t *voted) {
    if (e->one_class) return classify_one(e, row);
    for (uint32_t i = 0; i < e->targets; i++) row[i] = (double)(float)(row[i] + base_of(e, i));
    const uint64_t best = e->targets > 1 ? best_voted(e, row, voted) : !(row[0] > 0);
    score_row(e->transform, row, e->targets);
    return best;
}
