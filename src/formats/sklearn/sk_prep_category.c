/* Columns of categories: a value is looked up among those of the training, and becomes what
 * belongs to it. */
#include "formats/sklearn/sk_prep.h"

/* ---- reading categories */

static wlk_status refuse_category(sk *s, const sk_labels *categories, const char *why) {
    return sk_refuse(s, RULE_SKLEARN_VALUE, categories->at, "categories_ %s", why);
}

wlk_status prep_note_empty(sk *s, const prep_column *column) {
    const sk_labels *categories = &column->categories;
    for (uint32_t i = 0; categories->dtype == WLK_STR && i < categories->count; i++) {
        const bool missing = i == categories->missing;
        if (!missing && categories->texts[i].length > 0) continue;
        TRY(sk_table_empty(s, column->table, column->place,
                           missing ? SK_EMPTY_MISSING : SK_EMPTY_KNOWN));
    }
    return WLK_OK;
}

wlk_status prep_categories(sk *s, const py_value *e, const sk_table *in, prep_column **columns) {
    const py_value *value = NULL;
    py_value *const *lists = NULL;
    uint32_t count = 0;
    void *room = NULL;
    TRY(sk_need(s, e, "categories_", &value));
    TRY(sk_list_of(s, value, "categories_", &lists, &count));
    if (count != in->columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "categories_ are of %u columns, not of %u",
                         count, in->columns);
    }
    TRY(prep_take(s, count, sizeof(prep_column), &room));
    *columns = room;
    for (uint32_t i = 0; i < count; i++) {
        prep_column *column = &(*columns)[i];
        column->table = in;
        column->place = i;
        TRY(sk_labels_of(s, lists[i], "categories_", true, &column->categories));
        TRY(prep_note_empty(s, column));
        if (column->categories.count == 0) {
            return refuse_category(s, &column->categories, "of a column is empty");
        }
    }
    return WLK_OK;
}

/* ---- a table of keys */

static double key_of(const sk_labels *categories, uint32_t i) {
    if (i == categories->missing) return __builtin_nan("");
    if (categories->dtype == WLK_F64) return categories->reals[i];
    return (double)categories->integers[i];
}

static wlk_status number_keys(sk *s, const sk_labels *categories, sk_name *keys) {
    void *room = NULL;
    TRY(prep_take(s, categories->count, sizeof(double), &room));
    double *numbers = room;
    for (uint32_t i = 0; i < categories->count; i++) {
        numbers[i] = key_of(categories, i);
        if (numbers[i] > 0x1p53 || numbers[i] < -0x1p53) {
            return refuse_category(s, categories, "holds a number beyond 2^53");
        }
    }
    return sk_f64s(s, numbers, categories->count, keys);
}

static wlk_status text_keys(sk *s, const sk_labels *categories, sk_name *keys) {
    static const uint8_t nothing[] = "";
    void *room = NULL;
    TRY(prep_take(s, categories->count, sizeof(py_text), &room));
    py_text *texts = room;
    for (uint32_t i = 0; i < categories->count; i++) {
        texts[i] = i == categories->missing ? (py_text){nothing, 0} : categories->texts[i];
    }
    return sk_texts(s, texts, categories->count, keys);
}

static wlk_status look_up(sk *s, const prep_column *column, sk_name values, sk_name otherwise,
                          sk_name *out) {
    sk_name x = NULL, keys = NULL;
    if (column->categories.dtype == WLK_STR) {
        TRY(sk_table_texts(s, column->table, column->place, &x));
        TRY(text_keys(s, &column->categories, &keys));
    } else {
        TRY(sk_table_column(s, column->table, column->place, &x));
        TRY(number_keys(s, &column->categories, &keys));
    }
    TRY(sk_unary(s, "ai.onnx.ml:LabelEncoder", x, out));
    TRY(sk_attribute_tensor(s, "keys_tensor", keys));
    TRY(sk_attribute_tensor(s, "values_tensor", values));
    return sk_attribute_tensor(s, "default_tensor", otherwise);
}

/* ---- what belongs to a category */

/* The number of the category; of what is none, the number of categories, at which a table of
 * `values` ends: the run refuses it. */
static wlk_status known_place(sk *s, const prep_column *column, sk_name *out) {
    const uint32_t count = column->categories.count;
    const int64_t behind = count;
    void *room = NULL;
    sk_name values = NULL, otherwise = NULL;
    TRY(prep_take(s, count, sizeof(int64_t), &room));
    int64_t *numbers = room;
    for (uint32_t i = 0; i < count; i++) numbers[i] = i;
    TRY(sk_i64s(s, numbers, count, &values));
    TRY(sk_i64s(s, &behind, 1, &otherwise));
    return look_up(s, column, values, otherwise, out);
}

wlk_status prep_look_up(sk *s, const prep_column *column, const double *values,
                        const double *unknown, sk_name *out) {
    sk_name table = NULL, otherwise = NULL, place = NULL;
    TRY(sk_f64s(s, values, column->categories.count, &table));
    if (unknown) {
        TRY(sk_f64s(s, unknown, 1, &otherwise));
        return look_up(s, column, table, otherwise, out);
    }
    TRY(known_place(s, column, &place));
    return sk_binary(s, "Gather", table, place, out);
}

wlk_status prep_look_up_place(sk *s, const prep_column *column, const int64_t *values,
                              const int64_t *unknown, sk_name *out) {
    sk_name table = NULL, otherwise = NULL, place = NULL;
    TRY(sk_i64s(s, values, column->categories.count, &table));
    if (unknown) {
        TRY(sk_i64s(s, unknown, 1, &otherwise));
        return look_up(s, column, table, otherwise, out);
    }
    TRY(known_place(s, column, &place));
    return sk_binary(s, "Gather", table, place, out);
}

wlk_status prep_one_hot(sk *s, sk_name place, uint64_t width, sk_name *out) {
    static const double off_and_on[] = {0, 1};
    sk_name inputs[3] = {place, NULL, NULL};
    TRY(sk_i64(s, (int64_t)width, &inputs[1]));
    TRY(sk_f64s(s, off_and_on, 2, &inputs[2]));
    TRY(sk_node(s, "OneHot", inputs, 3, out, 1));
    return sk_reshape(s, *out, (int64_t)width, out);
}
