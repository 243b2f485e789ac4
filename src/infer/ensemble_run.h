/* What all operators of trees share once their attributes have been packed: the node's
 * `prepared` is an ensemble. */
#ifndef WLK_INFER_ENSEMBLE_RUN_H
#define WLK_INFER_ENSEMBLE_RUN_H

#include "infer/ensemble.h"

/* *rows = rows of input 0, [rows, columns] or [columns]. Refuses one with fewer columns
 * than the trees read. */
wlk_status ensemble_rows(op_call *call, int64_t *rows);

/* When binding: adds the operations and the working memory that the rows take. */
wlk_status ensemble_declare(op_call *call, uint64_t rows);

/* The kernel: output 0 the scores as f32 or f64, or of classifiers output 0 the labels and
 * output 1 the scores. */
wlk_status ensemble_kernel(const op_call *call);

#endif
