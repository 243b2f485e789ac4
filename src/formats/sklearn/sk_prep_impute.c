/* SimpleImputer and MissingIndicator: what is missing is replaced, or told. */
#include "formats/sklearn/sk_prep.h"

/* ---- what counts as missing */

/* The option missing_values: a number (NaN too, and None, which is the same here), or a text. */
static wlk_status read_missing(sk *s, const py_value *e, prep_element *missing) {
    const py_value *value = py_get(e, "missing_values");
    *missing = (prep_element){.number = __builtin_nan("")};
    if (!value || value->kind == PY_NONE || prep_number(value, &missing->number)) return WLK_OK;
    if (value->kind != PY_STR) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, value, "missing_values is %s",
                         py_kind_name(value->kind));
    }
    missing->is_text = true;
    missing->text = value->text;
    return WLK_OK;
}

static bool is_nan(double number) {
    return number != number;
}

/* mask = which of the numbers x are missing. */
static wlk_status numbers_missing(sk *s, const py_value *e, const prep_element *missing, sk_name x,
                                  sk_name *mask) {
    if (missing->is_text) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, e,
                         "missing_values is a text, but a column holds "
                         "numbers");
    }
    if (is_nan(missing->number)) return sk_unary(s, "IsNaN", x, mask);
    return prep_with(s, "Equal", x, missing->number, mask);
}

static wlk_status texts_missing(sk *s, const py_value *e, const prep_element *missing, sk_name x,
                                sk_name *mask) {
    static const uint8_t nothing[] = "";
    const py_text empty = {nothing, 0};
    sk_name what = NULL;
    if (!missing->is_text && !is_nan(missing->number)) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, e,
                         "missing_values is a number, but a column "
                         "holds texts");
    }
    TRY(sk_texts(s, missing->is_text ? &missing->text : &empty, 1, &what));
    return sk_binary(s, "Equal", x, what, mask);
}

/* To whom a text is missing the empty one is a text; to all others it is what is missing. */
static wlk_status note_missing(sk *s, const prep_element *missing, const sk_table *in,
                               uint32_t column) {
    if (!missing->is_text) return sk_table_empty(s, in, column, SK_EMPTY_MISSING);
    if (missing->text.length > 0) return WLK_OK;
    return sk_table_empty(s, in, column, SK_EMPTY_KNOWN);
}

/* The mask of these columns, [batch, count] of bool; texts[column] says which hold texts. */
static wlk_status mask_columns(sk *s, const py_value *e, const prep_element *missing,
                               const sk_table *in, const bool *texts, const sk_indices *columns,
                               sk_name *mask) {
    void *room = NULL;
    sk_name x = NULL;
    bool any_text = false;
    sk_table picked;
    for (uint32_t i = 0; i < columns->count; i++) any_text |= texts[columns->list[i]];
    if (!any_text) {
        TRY(sk_table_pick(s, in, columns->list, columns->count, &picked));
        TRY(sk_table_numbers(s, &picked, &x));
        return numbers_missing(s, e, missing, x, mask);
    }
    TRY(prep_take(s, columns->count, sizeof(sk_name), &room));
    sk_name *masks = room;
    for (uint32_t i = 0; i < columns->count; i++) {
        const uint32_t column = columns->list[i];
        if (texts[column]) {
            TRY(sk_table_texts(s, in, column, &x));
            TRY(texts_missing(s, e, missing, x, &masks[i]));
            TRY(note_missing(s, missing, in, column));
        } else {
            TRY(sk_table_column(s, in, column, &x));
            TRY(numbers_missing(s, e, missing, x, &masks[i]));
        }
    }
    return sk_concat(s, masks, columns->count, mask);
}

/* The mask as a table of zeros and ones. */
static wlk_status tell_missing(sk *s, const py_value *e, const prep_element *missing,
                               const sk_table *in, const bool *texts, const sk_indices *columns,
                               sk_table *out) {
    sk_name mask = NULL, x = NULL;
    if (columns->count == 0) return sk_table_pick(s, in, columns->list, 0, out);
    TRY(mask_columns(s, e, missing, in, texts, columns, &mask));
    TRY(sk_cast(s, mask, WLK_F64, &x));
    return prep_give(s, x, columns->count, out);
}

/* ---- SimpleImputer */

typedef struct imputer {
    const py_value *e;
    const sk_table *in;
    prep_element missing;
    prep_element *fills; /* of each column */
    bool *texts;
    bool *dropped;
} imputer;

/* Since some version the statistics are first made numbers of the type that was fitted. */
static double as_fitted(double number, const char *dtype) {
    if (!dtype || is_nan(number)) return number;
    if (dtype[0] == 'f') return dtype[5] == '3' ? (double)(float)number : number;
    if (dtype[0] != 'i' && dtype[0] != 'u') return number;
    return number > -0x1p53 && number < 0x1p53 ? (double)(int64_t)number : number;
}

static wlk_status read_fills(sk *s, imputer *m) {
    const py_value *statistics = NULL;
    void *room = NULL;
    const char *dtype = prep_dtype_name(sk_have(m->e, "_fill_dtype"));
    TRY(sk_need(s, m->e, "statistics_", &statistics));
    if (statistics->kind != PY_ARRAY || statistics->array->rank != 1 ||
        statistics->array->count != m->in->columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, statistics,
                         "statistics_ is not one value for each of %u columns", m->in->columns);
    }
    TRY(prep_take(s, m->in->columns, sizeof(prep_element), &room));
    m->fills = room;
    TRY(prep_take(s, m->in->columns, 2 * sizeof(bool), &room));
    m->texts = room;
    m->dropped = m->texts + m->in->columns;
    for (uint32_t i = 0; i < m->in->columns; i++) {
        TRY(prep_element_of(s, statistics, i, &m->fills[i]));
        m->fills[i].number = as_fitted(m->fills[i].number, dtype);
        m->texts[i] = m->fills[i].is_text || sk_table_dtype(s, m->in, i) == WLK_STR;
    }
    return WLK_OK;
}

/* A column in which nothing was found has NaN as its statistic and is left out; but before 1.8
 * not if there was a constant to put there. */
static wlk_status read_dropped(sk *s, imputer *m) {
    static const char *const strategies[] = {"mean", "median", "most_frequent", "constant", NULL};
    uint32_t strategy = 0;
    bool keep = false, constants_too = true;
    TRY(sk_choice(s, m->e, "strategy", "mean", strategies, &strategy));
    TRY(sk_flag(s, m->e, "keep_empty_features", false, &keep));
    if (strategy == 3) TRY(prep_since(s, m->e, 1, 8, &constants_too));
    for (uint32_t i = 0; i < m->in->columns; i++) {
        m->dropped[i] =
            !keep && constants_too && !m->fills[i].is_text && is_nan(m->fills[i].number);
    }
    return WLK_OK;
}

static wlk_status fill_text(sk *s, const imputer *m, uint32_t column, sk_table *out) {
    sk_name x = NULL, mask = NULL, fill = NULL;
    if (!m->fills[column].is_text) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, m->e,
                         "column %u holds texts, but would be filled "
                         "with a number",
                         column);
    }
    TRY(sk_table_texts(s, m->in, column, &x));
    TRY(texts_missing(s, m->e, &m->missing, x, &mask));
    /* Where the empty text is filled in it does not matter which it was. */
    if (m->fills[column].text.length > 0) TRY(note_missing(s, &m->missing, m->in, column));
    TRY(sk_texts(s, &m->fills[column].text, 1, &fill));
    TRY(prep_where(s, mask, fill, x, &x));
    return sk_table_made_of(s, x, m->in, column, out);
}

/* Columns of numbers, all at once. */
static wlk_status fill_numbers(sk *s, const imputer *m, const uint32_t *columns, uint32_t count,
                               sk_table *out) {
    sk_table picked;
    sk_name x = NULL, mask = NULL, fill = NULL;
    void *room = NULL;
    TRY(prep_take(s, count, sizeof(double), &room));
    double *numbers = room;
    for (uint32_t i = 0; i < count; i++) numbers[i] = m->fills[columns[i]].number;
    TRY(sk_table_pick(s, m->in, columns, count, &picked));
    TRY(sk_table_numbers(s, &picked, &x));
    TRY(numbers_missing(s, m->e, &m->missing, x, &mask));
    TRY(sk_f64s(s, numbers, count, &fill));
    TRY(prep_where(s, mask, fill, x, &x));
    return prep_give(s, x, count, out);
}

/* Runs of columns of numbers, and columns of texts one by one, into `parts`. */
static wlk_status fill_columns(sk *s, const imputer *m, sk_table *parts, uint32_t *part_count) {
    void *room = NULL;
    TRY(prep_take(s, m->in->columns, sizeof(uint32_t), &room));
    uint32_t *run = room, length = 0;
    for (uint32_t i = 0; i < m->in->columns; i++) {
        if (m->dropped[i]) continue;
        if (!m->texts[i]) {
            run[length++] = i;
            continue;
        }
        if (length > 0) TRY(fill_numbers(s, m, run, length, &parts[(*part_count)++]));
        length = 0;
        TRY(fill_text(s, m, i, &parts[(*part_count)++]));
    }
    if (length > 0) TRY(fill_numbers(s, m, run, length, &parts[(*part_count)++]));
    return WLK_OK;
}

static wlk_status add_indicator(sk *s, const imputer *m, sk_table *out) {
    const py_value *indicator = NULL, *features = NULL;
    sk_indices columns;
    TRY(sk_need(s, m->e, "indicator_", &indicator));
    TRY(sk_need(s, indicator, "features_", &features));
    TRY(sk_indices_of(s, features, "features_", m->in->columns, &columns));
    return tell_missing(s, m->e, &m->missing, m->in, m->texts, &columns, out);
}

wlk_status prep_impute(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    imputer m = {.e = e, .in = in};
    bool indicator = false;
    void *room = NULL;
    uint32_t count = 0;
    TRY(read_missing(s, e, &m.missing));
    TRY(read_fills(s, &m));
    TRY(read_dropped(s, &m));
    TRY(sk_flag(s, e, "add_indicator", false, &indicator));
    TRY(prep_take(s, (uint64_t)in->columns + 1, sizeof(sk_table), &room));
    sk_table *parts = room;
    TRY(fill_columns(s, &m, parts, &count));
    if (indicator) TRY(add_indicator(s, &m, &parts[count++]));
    return sk_table_join(s, parts, count, out);
}

/* ---- MissingIndicator */

/* Which of `columns` are none of the listed ones. */
static wlk_status others_of(sk *s, const sk_indices *listed, uint32_t columns, sk_indices *out) {
    void *room = NULL;
    uint32_t count = 0;
    TRY(prep_take(s, columns, sizeof(bool), &room));
    bool *seen = room;
    for (uint32_t i = 0; i < listed->count; i++) seen[listed->list[i]] = true;
    TRY(prep_take(s, columns, sizeof(uint32_t), &room));
    uint32_t *others = room;
    for (uint32_t i = 0; i < columns; i++) {
        if (!seen[i]) others[count++] = i;
    }
    *out = (sk_indices){others, count};
    return WLK_OK;
}

wlk_status prep_missing_indicator(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const choices[] = {"missing-only", "all", NULL};
    uint32_t features = 0;
    bool error_on_new = true;
    prep_element missing;
    const py_value *list = NULL;
    sk_indices told, others;
    sk_name wrong = NULL, x = NULL;
    void *room = NULL;
    TRY(read_missing(s, e, &missing));
    TRY(sk_choice(s, e, "features", "missing-only", choices, &features));
    TRY(sk_flag(s, e, "error_on_new", true, &error_on_new));
    TRY(sk_need(s, e, "features_", &list));
    TRY(sk_indices_of(s, list, "features_", in->columns, &told));
    TRY(prep_take(s, in->columns, sizeof(bool), &room));
    bool *texts = room;
    for (uint32_t i = 0; i < in->columns; i++) {
        texts[i] = missing.is_text || sk_table_dtype(s, in, i) == WLK_STR;
    }
    TRY(tell_missing(s, e, &missing, in, texts, &told, out));
    TRY(others_of(s, &told, in->columns, &others));
    if (features == 1 || !error_on_new || others.count == 0 || told.count == 0) return WLK_OK;
    TRY(mask_columns(s, e, &missing, in, texts, &others, &wrong));
    TRY(sk_table_numbers(s, out, &x));
    TRY(prep_guard(s, wrong, others.count, x, &x));
    return prep_give(s, x, told.count, out);
}
