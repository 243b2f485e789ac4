/* Ensembles of any estimators: what their members have in common. */
#ifndef WLK_FORMATS_SKLEARN_SK_ENSEMBLE_H
#define WLK_FORMATS_SKLEARN_SK_ENSEMBLE_H

#include "formats/sklearn/sk.h"

typedef struct sk_members {
    py_value *const *list;
    uint32_t count; /* 1 or more */
} sk_members;

/* ---- sk_members.c */

wlk_status sk_members_of(sk *s, const py_value *ensemble, sk_members *out);
wlk_status sk_member_predict(sk *s, const sk_members *members, uint32_t i, const sk_table *in,
                             sk_prediction *out);

/* The classes of the ensemble. */
wlk_status sk_classes_of(sk *s, const py_value *ensemble, sk_labels *out);

/* The member was trained with the numbers of the ensemble's classes for classes: (*which)[k] is
 * its class k. *all: they are all of them, in order. A member without classes is refused. */
wlk_status sk_member_classes(sk *s, const py_value *member, const sk_prediction *prediction,
                             uint32_t classes, const uint32_t **which, bool *all);

/* index [batch] -> [batch, classes]: `on` in that column, else `off`. */
wlk_status sk_one_hot(sk *s, sk_name index, uint32_t classes, double off, double on, sk_name *out);
/* index [batch] -> which[index]. */
wlk_status sk_renumber(sk *s, sk_name index, const uint32_t *which, uint32_t count, sk_name *out);
/* [batch, count] -> [batch, classes]: column k becomes column which[k], the others are 0. */
wlk_status sk_spread(sk *s, sk_name x, const uint32_t *which, uint32_t count, uint32_t classes,
                     sk_name *out);
/* The sum of values of one shape, 1 or more of them. */
wlk_status sk_sum(sk *s, const sk_name *values, uint32_t count, sk_name *out);
/* x / divisor, x * factor. */
wlk_status sk_divide(sk *s, sk_name x, double divisor, sk_name *out);
wlk_status sk_multiply(sk *s, sk_name x, double factor, sk_name *out);

/* ---- the families */

wlk_status sk_predict_boosted_members(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out); /* AdaBoostClassifier */
wlk_status sk_predict_boosted_median(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out); /* AdaBoostRegressor */
wlk_status sk_predict_bagged_classes(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out);
wlk_status sk_predict_bagged_values(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out);
wlk_status sk_predict_voted_classes(sk *s, const py_value *estimator, const sk_table *in,
                                    sk_prediction *out);
wlk_status sk_predict_voted_values(sk *s, const py_value *estimator, const sk_table *in,
                                   sk_prediction *out);
wlk_status sk_predict_stacked_classes(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out);
wlk_status sk_predict_stacked_values(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out);
wlk_status sk_predict_isolation(sk *s, const py_value *estimator, const sk_table *in,
                                sk_prediction *out);

#endif
