/* Rows of discriminant analysis and nearest centroids. */
#ifndef WLK_FORMATS_SKLEARN_SK_DISCRIMINANT_H
#define WLK_FORMATS_SKLEARN_SK_DISCRIMINANT_H

#include "formats/sklearn/sk_linear.h"

/* log of state `key`: probabilities [classes]. */
wlk_status sk_log_priors(sk *s, const py_value *estimator, const char *key, uint32_t classes,
                         sk_name *out);

/* sk_predict and sk_transform of LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
 * and NearestCentroid. */
wlk_status sk_lda_predict(sk *s, const py_value *estimator, const sk_table *in, sk_prediction *out);
wlk_status sk_lda_transform(sk *s, const py_value *estimator, const sk_table *in, sk_table *out);
wlk_status sk_qda_predict(sk *s, const py_value *estimator, const sk_table *in, sk_prediction *out);
wlk_status sk_centroid_predict(sk *s, const py_value *estimator, const sk_table *in,
                               sk_prediction *out);

#endif
