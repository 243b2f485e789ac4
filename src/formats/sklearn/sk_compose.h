/* Estimators that are made of others. */
#ifndef WLK_FORMATS_SKLEARN_SK_COMPOSE_H
#define WLK_FORMATS_SKLEARN_SK_COMPOSE_H

#include "formats/sklearn/sk.h"

/* A part of a list like [(name, estimator, ...), ...]. */
typedef struct sk_part {
    const py_value *name; /* a STR */
    const py_value *estimator;
    const py_value *columns; /* of a ColumnTransformer; else NULL */
} sk_part;

/* The parts of the state's list `key`, each a tuple of `length` values. */
wlk_status sk_parts_of(sk *s, const py_value *estimator, const char *key, uint32_t length,
                       sk_part **parts, uint32_t *count);

/* Is the part 'drop', 'passthrough' or None, and not an estimator? */
bool sk_part_is(const sk_part *part, const char *word);

wlk_status sk_column_transformer(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_table *out);
wlk_status sk_feature_union(sk *s, const py_value *estimator, const sk_table *in, sk_table *out);
wlk_status sk_transformed_target(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out);
wlk_status sk_multi_output_classifier(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out);
wlk_status sk_multi_output_regressor(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out);
wlk_status sk_regressor_chain(sk *s, const py_value *estimator, const sk_table *in,
                              sk_prediction *out);
wlk_status sk_one_vs_rest(sk *s, const py_value *estimator, const sk_table *in, sk_prediction *out);

/* The columns that a ColumnTransformer's part asks for: names, indices, a slice, a mask. */
wlk_status sk_chosen_columns(sk *s, const py_value *columns, const sk_table *in, sk_indices *out);

#endif
