/* Selection of columns: what each selector keeps follows from scores that training left. */
#include "base/sort.h"
#include "formats/sklearn/sk_prep.h"
#include "formats/sklearn/sk_select.h"

/* The columns of which keep[column] is true. */
static wlk_status keep_columns(sk *s, const sk_table *in, const bool *keep, sk_table *out) {
    void *room = NULL;
    uint32_t count = 0;
    TRY(prep_take(s, in->columns, sizeof(uint32_t), &room));
    uint32_t *kept = room;
    for (uint32_t i = 0; i < in->columns; i++) {
        if (keep[i]) kept[count++] = i;
    }
    return sk_table_pick(s, in, kept, count, out);
}

/* ---- an order of columns */

static int by_score(const void *context, uint32_t a, uint32_t b) {
    const double *scores = context;
    return (scores[a] > scores[b]) - (scores[a] < scores[b]);
}

wlk_status select_sorted(sk *s, const double *scores, uint32_t count, uint32_t **order) {
    void *room = NULL;
    TRY(prep_take(s, count, 2 * sizeof(uint32_t), &room));
    *order = room;
    for (uint32_t i = 0; i < count; i++) (*order)[i] = i;
    sort_u32(*order, count, by_score, scores, *order + count);
    return WLK_OK;
}

/* ---- univariate selection */

/* How a selector decides, from its state and the number that is its option. */
typedef struct selection {
    const py_value *e;
    const char *option; /* where the number stands */
    uint32_t columns;
    bool *keep;
} selection;
typedef wlk_status (*select_rule)(sk *s, selection *m);

/* Scores; one that is NaN is the least number there is. */
static wlk_status clean_scores(sk *s, const selection *m, double **scores, bool *single) {
    sk_array array;
    void *room = NULL;
    TRY(sk_vector(s, m->e, "scores_", m->columns, &array));
    TRY(prep_take(s, m->columns, sizeof(double), &room));
    *scores = room;
    *single = array.single;
    for (uint32_t i = 0; i < m->columns; i++) {
        const double score = array.data[i];
        const double least = array.single ? -0x1.fffffep127 : -0x1.fffffffffffffp1023;
        (*scores)[i] = score == score ? score : least;
    }
    return WLK_OK;
}

static void keep_all(selection *m) {
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] = true;
}

/* The k best; of equals those further right. */
static wlk_status k_best(sk *s, selection *m) {
    int64_t k = 10;
    double *scores = NULL;
    uint32_t *order = NULL;
    bool single = false;
    if (py_is_text(py_get(m->e, m->option), "all")) {
        keep_all(m);
        return WLK_OK;
    }
    TRY(sk_integer(s, m->e, m->option, &k));
    if (k < 0) return sk_refuse(s, RULE_SKLEARN_OPTION, m->e, "%s is negative", m->option);
    TRY(clean_scores(s, m, &scores, &single));
    TRY(select_sorted(s, scores, m->columns, &order));
    for (uint32_t i = 0; i < m->columns; i++) {
        m->keep[order[i]] = (int64_t)i >= (int64_t)m->columns - k;
    }
    return WLK_OK;
}

/* numpy's percentile of sorted numbers, with its ways of rounding. */
static wlk_status percentile_of(sk *s, const selection *m, const double *scores,
                                const uint32_t *order, bool single, double percent, double *out) {
    const double place = (m->columns - 1) * (percent / 100);
    const uint32_t below = (uint32_t)place;
    const double part = place - below;
    *out = scores[order[below]];
    if (part == 0) return WLK_OK;
    if (single) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, m->e,
                         "a percentile of scores of float32 cannot "
                         "be computed in the same way");
    }
    const double next = scores[order[below + 1]], width = next - *out;
    *out = part >= 0.5 ? next - width * (1 - part) : *out + width * part;
    return WLK_OK;
}

/* Scores above the percentile; of those that are equal to it the first, up to the number. */
static wlk_status percentile(sk *s, selection *m) {
    double percent = 10, threshold = 0, *scores = NULL;
    uint32_t *order = NULL, kept = 0;
    bool single = false;
    TRY(sk_number(s, m->e, m->option, &percent));
    if (!(percent >= 0 && percent <= 100)) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, m->e, "%s is no percentage", m->option);
    }
    if (percent == 0) return WLK_OK;
    if (percent == 100) {
        keep_all(m);
        return WLK_OK;
    }
    TRY(clean_scores(s, m, &scores, &single));
    TRY(select_sorted(s, scores, m->columns, &order));
    TRY(percentile_of(s, m, scores, order, single, 100 - percent, &threshold));
    const uint32_t most = (uint32_t)(m->columns * percent / 100);
    for (uint32_t i = 0; i < m->columns; i++) kept += m->keep[i] = scores[i] > threshold;
    for (uint32_t i = 0; i < m->columns && kept < most; i++) {
        if (scores[i] == threshold) kept += m->keep[i] = true;
    }
    return WLK_OK;
}

static wlk_status read_p_values(sk *s, const selection *m, double *alpha, sk_array *p) {
    *alpha = 0.05;
    TRY(sk_number(s, m->e, m->option, alpha));
    return sk_vector(s, m->e, "pvalues_", m->columns, p);
}

static wlk_status false_positive(sk *s, selection *m) {
    double alpha = 0;
    sk_array p;
    TRY(read_p_values(s, m, &alpha, &p));
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] = p.data[i] < alpha;
    return WLK_OK;
}

static wlk_status family_wise(sk *s, selection *m) {
    double alpha = 0;
    sk_array p;
    TRY(read_p_values(s, m, &alpha, &p));
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] = p.data[i] < alpha / m->columns;
    return WLK_OK;
}

/* Benjamini and Hochberg: up to the largest p-value that is below its share of alpha. */
static wlk_status false_discovery(sk *s, selection *m) {
    double alpha = 0, largest = -1;
    sk_array p;
    uint32_t *order = NULL, rank = 0;
    void *room = NULL;
    TRY(read_p_values(s, m, &alpha, &p));
    TRY(prep_take(s, m->columns, sizeof(double), &room));
    double *values = room;
    for (uint32_t i = 0; i < m->columns; i++) {
        values[i] = p.data[i] == p.data[i] ? p.data[i] : __builtin_inf();
    }
    TRY(select_sorted(s, values, m->columns, &order));
    for (uint32_t i = 0; i < m->columns; i++) {
        if (values[order[i]] <= alpha / m->columns * ++rank) largest = values[order[i]];
    }
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] = p.data[i] <= largest;
    return WLK_OK;
}

static wlk_status select_by(sk *s, const py_value *e, const sk_table *in, const char *option,
                            select_rule rule, sk_table *out) {
    selection m = {.e = e, .option = option, .columns = in->columns};
    void *room = NULL;
    if (in->columns == 0) return sk_refuse(s, RULE_SKLEARN_SHAPE, e, "it takes no column");
    TRY(prep_take(s, in->columns, sizeof(bool), &room));
    m.keep = room;
    TRY(rule(s, &m));
    return keep_columns(s, in, m.keep, out);
}

wlk_status prep_select_k_best(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "k", k_best, out);
}

wlk_status prep_select_percentile(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "percentile", percentile, out);
}

wlk_status prep_select_fpr(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "alpha", false_positive, out);
}

wlk_status prep_select_fdr(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "alpha", false_discovery, out);
}

wlk_status prep_select_fwe(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "alpha", family_wise, out);
}

wlk_status prep_select_generic(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const modes[] = {"percentile", "k_best", "fpr", "fdr", "fwe", NULL};
    static const select_rule rules[] = {percentile, k_best, false_positive, false_discovery,
                                        family_wise};
    uint32_t mode = 0;
    const py_value *param = NULL;
    TRY(sk_choice(s, e, "mode", "percentile", modes, &mode));
    TRY(sk_need(s, e, "param", &param));
    return select_by(s, e, in, "param", rules[mode], out);
}

/* ---- others */

/* RFE, RFECV, SequentialFeatureSelector. */
wlk_status prep_select_support(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    const py_value *support = NULL;
    sk_indices kept;
    TRY(sk_need(s, e, "support_", &support));
    TRY(sk_indices_of(s, support, "support_", in->columns, &kept));
    return sk_table_pick(s, in, kept.list, kept.count, out);
}

static wlk_status above_threshold(sk *s, selection *m) {
    double threshold = 0;
    sk_array variances;
    TRY(sk_number(s, m->e, m->option, &threshold));
    TRY(sk_vector(s, m->e, "variances_", m->columns, &variances));
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] = variances.data[i] > threshold;
    return WLK_OK;
}

wlk_status prep_select_variance(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "threshold", above_threshold, out);
}

/* ---- SelectFromModel */

/* The max_features most important ones, the first of equals; others are none. */
static wlk_status keep_most_important(sk *s, const selection *m, const double *importances) {
    int64_t most = 0;
    uint32_t *order = NULL;
    void *room = NULL;
    const char *key = sk_have(m->e, "max_features_") ? "max_features_" : "max_features";
    TRY(sk_integer(s, m->e, key, &most));
    if (most < 0) return sk_refuse(s, RULE_SKLEARN_OPTION, m->e, "%s is negative", key);
    TRY(prep_take(s, m->columns, sizeof(double), &room));
    double *negated = room;
    for (uint32_t i = 0; i < m->columns; i++) negated[i] = -importances[i];
    TRY(select_sorted(s, negated, m->columns, &order));
    for (uint32_t i = 0; i < m->columns; i++) m->keep[order[i]] = i < most;
    return WLK_OK;
}

static wlk_status important(sk *s, selection *m) {
    double threshold = 0, *importances = NULL;
    TRY(select_importances(s, m->e, m->columns, &importances, &threshold));
    keep_all(m);
    if (sk_have(m->e, "max_features")) TRY(keep_most_important(s, m, importances));
    for (uint32_t i = 0; i < m->columns; i++) m->keep[i] &= !(importances[i] < threshold);
    return WLK_OK;
}

wlk_status prep_select_from_model(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    return select_by(s, e, in, "threshold", important, out);
}
