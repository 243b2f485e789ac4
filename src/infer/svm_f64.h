/* Support vector machines in float64, as libsvm computes them: kernel values of rows, scores
 * of pairs of classes, votes. What ai.onnx.ml says in float32 is in svm.h. */
#ifndef WLK_INFER_SVM_F64_H
#define WLK_INFER_SVM_F64_H

#include "infer/svm.h"

typedef struct svm_f64 {
    svm_kernel kernel;
    double gamma;
    double coef0;
    uint32_t degree;
    const double *vectors; /* [vector_count, columns] */
    uint32_t vector_count;
    uint32_t columns;
    const double *dual;       /* of classes: [classes - 1, vector_count]; else [vector_count] */
    const double *intercepts; /* one for each pair, or one */
    /* Of classifiers: */
    uint32_t classes; /* at least 2; 0: a regressor */
    uint32_t pairs;
    const uint32_t *first_vector; /* of each class, and behind the last */
    const double *prob_a;         /* one for each pair, or NULL */
    const double *prob_b;
    bool break_ties; /* the class is that of the largest score, not of most votes */
} svm_f64;

/* values [rows, vector_count] = the kernel of each row of x with each support vector. */
void svm_f64_values(const svm_f64 *svm, const double *x, uint64_t rows, double *values);

/* One row's values: its prediction, without classes. */
double svm_f64_regress(const svm_f64 *svm, const double *values);

/* One row's values: a score for each pair of classes (0, 1), (0, 2) ... (1, 2) ...; above 0
 * it is a vote for the first of the two. */
void svm_f64_pairs(const svm_f64 *svm, const double *values, double *pairs);

/* The class with the most votes, the first of equals. votes: room for classes. */
uint64_t svm_f64_vote(const svm_f64 *svm, const double *pairs, double *votes);

/* probabilities [classes] by the pairs' sigmoids; scratch: svm_f64_doubles. */
void svm_f64_probabilities(const svm_f64 *svm, const double *pairs, double *probabilities,
                           double *scratch);
uint64_t svm_f64_doubles(const svm_f64 *svm);

/* scikit-learn's decision function of one against the rest. Of two classes: scores[0],
 * above 0 for the second. Of more: scores [classes], the votes, and below 1/3 how sure the
 * pairs are; a pair's 0 is a vote for its first class here. sums: room for classes. */
void svm_f64_scores(const svm_f64 *svm, const double *pairs, double *scores, double *sums);

#endif
