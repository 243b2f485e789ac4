/* What the selectors of columns know of each other. */
#ifndef WLK_FORMATS_SKLEARN_SK_SELECT_H
#define WLK_FORMATS_SKLEARN_SK_SELECT_H

#include "formats/sklearn/sk.h"

/* *order = the numbers of the scores, least first, equal ones as they stand. In the arena. */
wlk_status select_sorted(sk *s, const double *scores, uint32_t count, uint32_t **order);

/* Of a SelectFromModel: how important its estimator finds each column, and from where on a
 * column is kept (sk_select_importance.c). In the arena; none is NaN. */
wlk_status select_importances(sk *s, const py_value *e, uint32_t columns, double **importances,
                              double *threshold);

/* Importances of trees, as scikit-learn's feature_importances_, to the last bit
 * (sk_select_trees.c). *known = false where the estimator is of another kind. */
wlk_status select_tree_importances(sk *s, const py_value *estimator, uint32_t columns,
                                   double *importances, bool *known);

/* numpy's sum of a vector: the order of additions matters to the last bit. */
double select_sum(const double *numbers, uint64_t count);

#endif
