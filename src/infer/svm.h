/* Support vector machines: kernel values of rows, and what is made of them. */
#ifndef WLK_INFER_SVM_H
#define WLK_INFER_SVM_H

#include "infer/linear.h"

typedef enum svm_kernel { SVM_LINEAR, SVM_POLY, SVM_RBF, SVM_SIGMOID } svm_kernel;

typedef struct svm_model {
    svm_kernel kernel;
    float gamma;
    float coef0;
    float degree;
    bool is_linear;    /* no support vectors: rows are the coefficients of each output */
    const float *rows; /* [row_count, columns] */
    uint32_t row_count;
    uint32_t columns;
    const float *coefficients; /* of classes: [classes - 1, row_count]; else [row_count] */
    const float *rho;          /* one for each pair, or one */
    score_transform transform;
    uint64_t outputs; /* scores for each row */
    bool one_class;   /* of a regressor: 1 and -1 */
    /* Of classifiers: */
    linear_labels labels; /* none: a regressor */
    uint64_t pairs;
    const uint32_t *first_vector; /* of each class, and behind the last */
    const float *prob_a;          /* one for each pair, or NULL */
    const float *prob_b;
    bool all_positive; /* the coefficients */
} svm_model;

/* Scores that a classifier gives for each row: its classes; without probabilities one
 * for each pair of more than two classes. */
uint64_t svm_outputs(const svm_model *svm);

/* Doubles that svm_classify works in, and about how many steps it takes: saturated. */
uint64_t svm_row_doubles(const svm_model *svm);
uint64_t svm_row_work(const svm_model *svm);

/* values [rows, row_count] = the kernel of each row of x with each of the model's rows. */
void svm_values(const svm_model *svm, const float *x, uint64_t rows, float *values);

/* One row's values: scores to scratch[0..outputs), and the number of the label. */
uint64_t svm_classify(const svm_model *svm, const float *values, double *scratch);
double svm_regress(const svm_model *svm, const float *values);

#endif
