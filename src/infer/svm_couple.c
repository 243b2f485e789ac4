#include "infer/svm_couple.h"

#include <math.h>

#include "base/checked.h"
#include "infer/scores.h"

#define LEAST_ROUNDS 100
#define ERROR_BOUND 0.005
#define PROBABILITY_LEAST 1e-7

typedef struct coupling {
    uint64_t classes;
    double *q;  /* [classes, classes] */
    double *qp; /* [classes]: q p */
    double *p;
    double pqp;
} coupling;

static uint64_t rounds_of(uint64_t classes) {
    return classes > LEAST_ROUNDS ? classes : LEAST_ROUNDS;
}

uint64_t couple_doubles(uint64_t classes) {
    uint64_t all = 0;
    if (!checked_mul(classes, classes, &all) || !checked_add(all, classes, &all)) {
        return UINT64_MAX;
    }
    return all;
}

uint64_t couple_work(uint64_t classes) {
    uint64_t all = 0;
    if (!checked_mul(classes, classes, &all) || !checked_mul(all, 4, &all) ||
        !checked_mul(all, rounds_of(classes), &all)) {
        return UINT64_MAX;
    }
    return all;
}

double couple_pair(double score, double a, double b) {
    const double p = score_logistic(-(score * a + b));
    if (!(p > PROBABILITY_LEAST)) return PROBABILITY_LEAST;
    return p > 1 - PROBABILITY_LEAST ? 1 - PROBABILITY_LEAST : p;
}

static void coupling_matrix(coupling *c, const double *r) {
    const uint64_t n = c->classes;
    for (uint64_t i = 0; i < n; i++) {
        double sum = 0;
        for (uint64_t j = 0; j < n; j++) {
            if (j == i) continue;
            sum += r[j * n + i] * r[j * n + i];
            c->q[i * n + j] = -r[j * n + i] * r[i * n + j];
        }
        c->q[i * n + i] = sum;
        c->p[i] = 1 / (double)n;
    }
}

/* Recomputes q p; the largest violation of the optimum's condition. */
static double coupling_error(coupling *c) {
    double largest = 0;
    c->pqp = 0;
    for (uint64_t i = 0; i < c->classes; i++) {
        c->qp[i] = 0;
        for (uint64_t j = 0; j < c->classes; j++) c->qp[i] += c->q[i * c->classes + j] * c->p[j];
        c->pqp += c->p[i] * c->qp[i];
    }
    for (uint64_t i = 0; i < c->classes; i++) {
        const double error = fabs(c->qp[i] - c->pqp);
        if (error > largest) largest = error;
    }
    return largest;
}

static void coupling_step(coupling *c, uint64_t t) {
    const double *q = &c->q[t * c->classes];
    const double by = (c->pqp - c->qp[t]) / q[t];
    const double scale = 1 + by;
    c->p[t] += by;
    c->pqp = (c->pqp + by * (by * q[t] + 2 * c->qp[t])) / scale / scale;
    for (uint64_t j = 0; j < c->classes; j++) {
        c->qp[j] = (c->qp[j] + by * q[j]) / scale;
        c->p[j] /= scale;
    }
}

void couple(const double *r, uint64_t classes, double *p, double *scratch) {
    coupling c = {.classes = classes, .q = scratch, .qp = scratch + classes * classes, .p = p};
    coupling_matrix(&c, r);
    for (uint64_t round = 0; round < rounds_of(classes); round++) {
        if (coupling_error(&c) < ERROR_BOUND / (double)classes) return;
        for (uint64_t t = 0; t < classes; t++) coupling_step(&c, t);
    }
}
