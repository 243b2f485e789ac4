/* What the transformers of the families scale, encode and decompose share. */
#ifndef WLK_FORMATS_SKLEARN_SK_PREP_H
#define WLK_FORMATS_SKLEARN_SK_PREP_H

#include "formats/sklearn/sk.h"

#define PREP_COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))
/* Rows of a family. */
#define PREP_TRAINING(option) \
    { option, SK_OPTION_TRAINING }
#define PREP_READ(option) \
    { option, SK_OPTION_READ }
#define PREP_ROW(name, options, apply) \
    { name, SK_TRANSFORMER, options, PREP_COUNT(options), apply, NULL }

/* How many columns a transformer may make. */
#define PREP_MAX_COLUMNS (1u << 20)

/* *since = was it dumped by this version of scikit-learn, or by a later one? Refuses a state
 * that does not say. For what scikit-learn has computed in different ways. */
wlk_status prep_since(sk *s, const py_value *estimator, uint32_t major, uint32_t minor,
                      bool *since);

/* count elements of memory in the arena; internal.memory if there is none. */
wlk_status prep_take(sk *s, uint64_t count, uint64_t size, void **memory);

/* The state's number of output columns, `key`, must be `columns`, if there is one. */
wlk_status prep_agrees(sk *s, const py_value *estimator, const char *key, uint64_t columns);

/* Refuses a zero; NaN is what a column without a single value has. */
wlk_status prep_no_zeros(sk *s, const sk_array *array, const char *what);

/* An object of numpy or of Python itself that stands for a dtype: its name, "float64". NULL if
 * it is none. */
const char *prep_dtype_name(const py_value *value);

/* Is it a number? */
bool prep_number(const py_value *value, double *number);
/* Element i of an array of rank 1, of any kind: a number, or a text (decoded into the arena). A
 * missing one is NaN. Refuses all else. */
typedef struct prep_element {
    bool is_text;
    double number;
    py_text text;
} prep_element;
wlk_status prep_element_of(sk *s, const py_value *array, uint64_t i, prep_element *out);

/* ---- nodes */

/* A matrix [batch, columns] of f64 as a table. */
wlk_status prep_give(sk *s, sk_name value, uint64_t columns, sk_table *out);
wlk_status prep_where(sk *s, sk_name condition, sk_name yes, sk_name no, sk_name *out);
/* op(x, number). */
wlk_status prep_with(sk *s, const char *op, sk_name x, double number, sk_name *out);
/* op(x, vector), along the columns. */
wlk_status prep_along(sk *s, const char *op, sk_name x, const sk_array *vector, sk_name *out);
wlk_status prep_clip(sk *s, sk_name x, double low, double high, sk_name *out);
/* `value` [batch, k] of f64, but the run refuses (run.index) a row where one of `wrong`
 * [batch, columns] of bool is true: where scikit-learn raises an exception. */
wlk_status prep_guard(sk *s, sk_name wrong, uint64_t columns, sk_name value, sk_name *out);
/* x [batch, columns] itself, but rows with a NaN are refused. */
wlk_status prep_no_nan(sk *s, sk_name x, uint64_t columns, sk_name *out);
/* Exact also near zero, as their namesakes in C. */
wlk_status prep_log1p(sk *s, sk_name x, sk_name *out);
wlk_status prep_expm1(sk *s, sk_name x, sk_name *out);
/* How many of the ascending `edges` are <= x [batch, 1]: f64 [batch, 1]. */
wlk_status prep_count_below(sk *s, sk_name x, const double *edges, uint64_t count, sk_name *out);

/* ---- transformers in files of their own */

wlk_status prep_impute(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_missing_indicator(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_function(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_polynomial(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_power(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_quantile(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_bins(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_k_best(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_percentile(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_fpr(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_fdr(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_fwe(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_generic(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_support(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_variance(sk *s, const py_value *e, const sk_table *in, sk_table *out);
wlk_status prep_select_from_model(sk *s, const py_value *e, const sk_table *in, sk_table *out);

/* ---- categories (sk_prep_category.c) */

/* A column and the values that it had in training. */
typedef struct prep_column {
    const sk_table *table;
    uint32_t place; /* of the column in the table */
    sk_labels categories;
} prep_column;

/* Tells the column's table what the empty text is to its categories, if it is any of them. */
wlk_status prep_note_empty(sk *s, const prep_column *column);
/* categories_: one array for each column of the table. */
wlk_status prep_categories(sk *s, const py_value *e, const sk_table *in, prep_column **columns);
/* values[category] of each row, [batch, 1] of f64. What is none of the categories becomes
 * `*unknown`, or, if that is NULL, is refused when the model runs. */
wlk_status prep_look_up(sk *s, const prep_column *column, const double *values,
                        const double *unknown, sk_name *out);
/* The same for i64. */
wlk_status prep_look_up_place(sk *s, const prep_column *column, const int64_t *values,
                              const int64_t *unknown, sk_name *out);
/* Zeros and a one where `place` [batch, 1] (i64) says; no one where it is `width`. */
wlk_status prep_one_hot(sk *s, sk_name place, uint64_t width, sk_name *out);

#endif
