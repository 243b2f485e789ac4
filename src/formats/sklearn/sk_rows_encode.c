/* Encoders: of columns of categories, and of labels. */
#include "formats/sklearn/sk_prep.h"

#include <string.h>

/* ---- rare categories, which are one */

typedef struct encoder {
    const py_value *e;
    const sk_table *in;
    prep_column *columns;
    py_value *const *infrequent; /* of each column, its rare categories or None; NULL: of none */
    py_value *const *drops;      /* of each column, the one that is left out or None; NULL: none */
} encoder;

static wlk_status list_of_columns(sk *s, const encoder *m, const py_value *value, const char *what,
                                  py_value *const **items) {
    uint32_t count = 0;
    TRY(sk_list_of(s, value, what, items, &count));
    if (count == m->in->columns) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "%s is of %u columns, not of %u", what, count,
                     m->in->columns);
}

static wlk_status read_encoder(sk *s, const py_value *e, const sk_table *in, encoder *m) {
    bool rare = false;
    const py_value *value = NULL;
    *m = (encoder){.e = e, .in = in};
    TRY(prep_categories(s, e, in, &m->columns));
    TRY(sk_flag(s, e, "_infrequent_enabled", false, &rare));
    if (!rare) return WLK_OK;
    TRY(sk_need(s, e, "_infrequent_indices", &value));
    return list_of_columns(s, m, value, "_infrequent_indices", &m->infrequent);
}

/* What the categories of a column are numbered, rare ones alike. */
typedef struct numbering {
    int64_t *numbers; /* of each category; `skipped` (or WLK_NONE) has none */
    uint32_t count;   /* of different numbers */
    bool rare;        /* is the last number that of the rare ones? */
} numbering;

static wlk_status number_categories(sk *s, const encoder *m, uint32_t column, uint32_t skipped,
                                    numbering *n) {
    const uint32_t count = m->columns[column].categories.count;
    const py_value *list = m->infrequent ? m->infrequent[column] : NULL;
    sk_indices rare = {0};
    void *room = NULL;
    TRY(prep_take(s, count, sizeof(int64_t), &room));
    *n = (numbering){.numbers = room};
    if (list && list->kind != PY_NONE) {
        TRY(sk_indices_of(s, list, "_infrequent_indices", count, &rare));
    }
    n->rare = rare.count > 0;
    for (uint32_t i = 0; i < rare.count; i++) n->numbers[rare.list[i]] = -1;
    for (uint32_t i = 0; i < count; i++) {
        if (n->numbers[i] == 0 && i != skipped) n->numbers[i] = n->count++;
    }
    for (uint32_t i = 0; i < rare.count; i++) n->numbers[rare.list[i]] = n->count;
    n->count += n->rare;
    return WLK_OK;
}

/* ---- OneHotEncoder */

enum { UNKNOWN_ERROR, UNKNOWN_IGNORE, UNKNOWN_INFREQUENT, UNKNOWN_WARN };

/* Numbers that drop_idx_ gives are those after rare categories were made one; since 1.3 there
 * is another name for them. */
static wlk_status read_drops(sk *s, encoder *m) {
    const py_value *value = py_get(m->e, "_drop_idx_after_grouping");
    if (!value) value = py_get(m->e, "drop_idx_");
    if (!value || value->kind == PY_NONE) return WLK_OK;
    return list_of_columns(s, m, value, "drop_idx_", &m->drops);
}

/* *drop = the number that is left out of a column; n->count: none. */
static wlk_status drop_of(sk *s, const encoder *m, uint32_t column, const numbering *n,
                          int64_t *drop) {
    const py_value *value = m->drops ? m->drops[column] : NULL;
    *drop = n->count;
    if (!value || value->kind == PY_NONE) return WLK_OK;
    if (value->kind == PY_INT && value->integer >= 0 && value->integer < n->count) {
        *drop = value->integer;
        return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_VALUE, value, "drop_idx_ is none of %u categories", n->count);
}

/* The column of the output for a number; `width`, behind them all, for the dropped one. */
static int64_t place_of(int64_t number, int64_t drop, int64_t width) {
    if (number == drop) return width;
    return number > drop ? number - 1 : number;
}

/* One column as zeros and ones. Where only one category remains and that is dropped, nothing
 * is left but to refuse what is unknown: *width is 0, and *out are zeros, or NULL. */
static wlk_status one_hot_column(sk *s, const encoder *m, uint32_t column, uint32_t unknown,
                                 uint32_t *width, sk_name *out) {
    const prep_column *of = &m->columns[column];
    numbering n;
    int64_t drop = 0, otherwise = 0;
    sk_name place = NULL;
    void *room = NULL;
    TRY(number_categories(s, m, column, WLK_NONE, &n));
    TRY(drop_of(s, m, column, &n, &drop));
    *width = drop < n.count ? n.count - 1 : n.count;
    if (*width == 0 && unknown != UNKNOWN_ERROR) return WLK_OK;
    if (*width == 0) {
        TRY(prep_take(s, of->categories.count, sizeof(double), &room));
        return prep_look_up(s, of, room, NULL, out);
    }
    for (uint32_t i = 0; i < of->categories.count; i++) {
        n.numbers[i] = place_of(n.numbers[i], drop, *width);
    }
    otherwise = *width;
    if (unknown >= UNKNOWN_INFREQUENT && n.rare) otherwise = place_of(n.count - 1, drop, *width);
    TRY(prep_look_up_place(s, of, n.numbers, unknown == UNKNOWN_ERROR ? NULL : &otherwise, &place));
    return prep_one_hot(s, place, *width, out);
}

/* The parts beside each other, with zeros that only refuse added to them. */
static wlk_status join_parts(sk *s, const sk_name *parts, uint32_t count, uint32_t total,
                             sk_name zeros, sk_table *out) {
    sk_name all = NULL;
    if (count == 0) return sk_table_join(s, NULL, 0, out);
    TRY(sk_concat(s, parts, count, &all));
    if (zeros) TRY(sk_binary(s, "Add", all, zeros, &all));
    return prep_give(s, all, total, out);
}

/* Before 1.8 "warn" did not make rare what is unknown. */
static wlk_status read_unknown(sk *s, const py_value *e, uint32_t *unknown) {
    static const char *const choices[] = {"error", "ignore", "infrequent_if_exist", "warn", NULL};
    bool rare = true;
    TRY(sk_choice(s, e, "handle_unknown", "error", choices, unknown));
    if (*unknown == UNKNOWN_WARN) TRY(prep_since(s, e, 1, 8, &rare));
    if (!rare) *unknown = UNKNOWN_IGNORE;
    return WLK_OK;
}

static wlk_status one_hot(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    encoder m;
    uint32_t unknown = 0, count = 0;
    uint64_t total = 0;
    sk_name zeros = NULL;
    void *room = NULL;
    TRY(read_unknown(s, e, &unknown));
    TRY(read_encoder(s, e, in, &m));
    TRY(read_drops(s, &m));
    TRY(prep_take(s, in->columns, sizeof(sk_name), &room));
    sk_name *parts = room;
    for (uint32_t i = 0; i < in->columns; i++) {
        uint32_t width = 0;
        sk_name part = NULL;
        TRY(one_hot_column(s, &m, i, unknown, &width, &part));
        total += width;
        if (width > 0) {
            parts[count++] = part;
        } else if (part && zeros) {
            TRY(sk_binary(s, "Add", zeros, part, &zeros));
        } else if (part) {
            zeros = part;
        }
    }
    if (total > PREP_MAX_COLUMNS) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, e, "it makes more than %u columns",
                         PREP_MAX_COLUMNS);
    }
    return join_parts(s, parts, count, (uint32_t)total, zeros, out);
}

/* ---- OrdinalEncoder */

typedef struct ordinal {
    encoder m;
    bool raises; /* what is unknown is refused */
    double unknown;
    double missing;
    const char *dtype;
} ordinal;

/* The category of a column that is a missing value, by _missing_indices; WLK_NONE: none. */
static wlk_status missing_of(sk *s, const ordinal *o, uint32_t column, uint32_t *missing) {
    const py_value *dict = sk_have(o->m.e, "_missing_indices");
    *missing = WLK_NONE;
    if (!dict) return WLK_OK;
    /* A key is a column, and of one that is there twice the latest counts. */
    if (dict->kind != PY_DICT || dict->items.count / 2 > o->m.in->columns) {
        return sk_refuse(s, RULE_SKLEARN_STATE, dict, "_missing_indices is no dict of columns");
    }
    for (uint32_t i = dict->items.count; i >= 2; i -= 2) {
        const py_value *key = dict->items.list[i - 2], *value = dict->items.list[i - 1];
        if (key->kind != PY_INT) {
            return sk_refuse(s, RULE_SKLEARN_STATE, key, "_missing_indices is no dict of columns");
        }
        if (key->integer != column) continue;
        *missing = o->m.columns[column].categories.missing;
        if (*missing != WLK_NONE && value->kind == PY_INT && value->integer == *missing) {
            return WLK_OK;
        }
        return sk_refuse(s, RULE_SKLEARN_VALUE, value,
                         "_missing_indices names a category that "
                         "is not missing");
    }
    return WLK_OK;
}

/* As a number of the encoder's dtype. */
static wlk_status as_dtype(sk *s, const ordinal *o, double number, double *out) {
    static const struct {
        const char *name;
        double least, most;
    } whole[] = {
        {"int64", -0x1p53, 0x1p53},     {"int", -0x1p53, 0x1p53},
        {"int_", -0x1p53, 0x1p53},      {"int32", -0x1p31, 0x1p31 - 1},
        {"int16", -0x1p15, 0x1p15 - 1}, {"int8", -128, 127},
        {"uint64", 0, 0x1p53},          {"uint32", 0, 0x1p32 - 1},
        {"uint16", 0, 0x1p16 - 1},      {"uint8", 0, 255},
    };
    *out = number;
    if (!o->dtype || strcmp(o->dtype, "float64") == 0 || strcmp(o->dtype, "float") == 0) {
        return WLK_OK;
    }
    if (strcmp(o->dtype, "float32") == 0) {
        *out = (double)(float)number;
        return WLK_OK;
    }
    for (uint32_t i = 0; i < PREP_COUNT(whole); i++) {
        if (strcmp(o->dtype, whole[i].name) == 0 && number >= whole[i].least &&
            number <= whole[i].most) {
            return WLK_OK;
        }
    }
    return sk_refuse(s, RULE_SKLEARN_OPTION, o->m.e, "dtype %s cannot hold what it encodes",
                     o->dtype);
}

static wlk_status read_ordinal(sk *s, const py_value *e, const sk_table *in, ordinal *o) {
    static const char *const choices[] = {"error", "use_encoded_value", NULL};
    uint32_t unknown = 0;
    *o = (ordinal){.missing = __builtin_nan("")};
    TRY(read_encoder(s, e, in, &o->m));
    o->dtype = prep_dtype_name(sk_have(e, "dtype"));
    TRY(sk_choice(s, e, "handle_unknown", "error", choices, &unknown));
    TRY(sk_number(s, e, "encoded_missing_value", &o->missing));
    o->raises = unknown == 0;
    if (o->raises) return WLK_OK;
    TRY(sk_scalar(s, e, "unknown_value", &o->unknown));
    return as_dtype(s, o, o->unknown, &o->unknown);
}

static wlk_status ordinal_column(sk *s, const ordinal *o, uint32_t column, sk_name *out) {
    const prep_column *of = &o->m.columns[column];
    numbering n;
    uint32_t missing = WLK_NONE;
    void *room = NULL;
    TRY(missing_of(s, o, column, &missing));
    TRY(number_categories(s, &o->m, column, missing, &n));
    TRY(prep_take(s, of->categories.count, sizeof(double), &room));
    double *values = room;
    for (uint32_t i = 0; i < of->categories.count; i++) {
        values[i] = i == missing ? o->missing : (double)n.numbers[i];
        TRY(as_dtype(s, o, values[i], &values[i]));
    }
    return prep_look_up(s, of, values, o->raises ? NULL : &o->unknown, out);
}

static wlk_status ordinal_encoder(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    ordinal o;
    void *room = NULL;
    sk_name all = NULL;
    TRY(read_ordinal(s, e, in, &o));
    TRY(prep_take(s, in->columns, sizeof(sk_name), &room));
    sk_name *parts = room;
    for (uint32_t i = 0; i < in->columns; i++) TRY(ordinal_column(s, &o, i, &parts[i]));
    TRY(sk_concat(s, parts, in->columns, &all));
    return prep_give(s, all, in->columns, out);
}

/* ---- TargetEncoder: the mean of the target, of each category (and class) */

static wlk_status read_means(sk *s, const py_value *e, sk_array *means) {
    static const char *const types[] = {"continuous", "binary", "multiclass", NULL};
    uint32_t type = 0;
    TRY(sk_choice(s, e, "target_type_", "", types, &type));
    TRY(sk_reals(s, e, "target_mean_", means));
    if (means->count > 0 && (means->count == 1 || (type == 2 && means->rank == 1))) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, means->at, "target_mean_ is not one for each class");
}

static wlk_status target_encoder(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    const py_value *value = NULL;
    py_value *const *encodings = NULL;
    prep_column *columns = NULL;
    sk_array means;
    uint32_t count = 0;
    void *room = NULL;
    sk_name all = NULL;
    TRY(prep_categories(s, e, in, &columns));
    TRY(read_means(s, e, &means));
    TRY(sk_need(s, e, "encodings_", &value));
    TRY(sk_list_of(s, value, "encodings_", &encodings, &count));
    if (count != in->columns * means.count) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value,
                         "encodings_ is not one for each column "
                         "and class");
    }
    TRY(prep_take(s, count, sizeof(sk_name), &room));
    sk_name *parts = room;
    for (uint32_t i = 0; i < count; i++) {
        const prep_column *of = &columns[i / means.count];
        sk_array encoding;
        TRY(sk_reals_of(s, encodings[i], "encodings_", &encoding));
        if (encoding.count != of->categories.count) {
            return sk_refuse(s, RULE_SKLEARN_SHAPE, encodings[i],
                             "encodings_ is not one for "
                             "each category");
        }
        TRY(prep_look_up(s, of, encoding.data, &means.data[i % means.count], &parts[i]));
    }
    TRY(sk_concat(s, parts, count, &all));
    return prep_give(s, all, count, out);
}

/* ---- LabelEncoder, LabelBinarizer: of one column of labels */

static wlk_status read_classes(sk *s, const py_value *e, const sk_table *in, prep_column *column) {
    const py_value *classes = NULL;
    TRY(sk_need(s, e, "classes_", &classes));
    *column = (prep_column){.table = in};
    TRY(sk_labels_of(s, classes, "classes_", true, &column->categories));
    if (in->columns == 1 && column->categories.count > 0) return prep_note_empty(s, column);
    return sk_refuse(s, RULE_SKLEARN_SHAPE, classes, "it takes one column of labels");
}

static wlk_status label_encoder(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    prep_column column;
    void *room = NULL;
    sk_name x = NULL;
    TRY(read_classes(s, e, in, &column));
    TRY(prep_take(s, column.categories.count, sizeof(double), &room));
    double *values = room;
    for (uint32_t i = 0; i < column.categories.count; i++) values[i] = i;
    TRY(prep_look_up(s, &column, values, NULL, &x));
    return prep_give(s, x, 1, out);
}

/* Of two classes, one column; what is unknown then gives two in scikit-learn, and is refused. */
static wlk_status binarize_two(sk *s, const prep_column *column, const double *labels,
                               sk_table *out) {
    sk_name x = NULL;
    TRY(prep_look_up(s, column, labels, NULL, &x));
    return prep_give(s, x, 1, out);
}

static wlk_status binarize_many(sk *s, const prep_column *column, const double *labels,
                                sk_table *out) {
    const uint32_t count = column->categories.count;
    const int64_t none = count;
    sk_name x = NULL;
    void *room = NULL;
    TRY(prep_take(s, count, sizeof(int64_t), &room));
    int64_t *places = room;
    for (uint32_t i = 0; i < count; i++) places[i] = i;
    TRY(prep_look_up_place(s, column, places, &none, &x));
    TRY(prep_one_hot(s, x, count, &x));
    if (labels[1] - labels[0] != 1) TRY(prep_with(s, "Mul", x, labels[1] - labels[0], &x));
    if (labels[0] != 0) TRY(prep_with(s, "Add", x, labels[0], &x));
    return prep_give(s, x, count, out);
}

static wlk_status label_binarizer(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const types[] = {"binary", "multiclass", NULL};
    prep_column column;
    uint32_t type = 0;
    int64_t negative = 0, positive = 1;
    TRY(read_classes(s, e, in, &column));
    TRY(sk_choice(s, e, "y_type_", "", types, &type));
    TRY(sk_integer(s, e, "neg_label", &negative));
    TRY(sk_integer(s, e, "pos_label", &positive));
    if (column.categories.count == 1) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, e, "it knows a single class");
    }
    const double labels[] = {(double)negative, (double)positive};
    if (column.categories.count == 2) return binarize_two(s, &column, labels, out);
    return binarize_many(s, &column, labels, out);
}

/* ---- rows */

static const sk_option one_hot_options[] = {PREP_TRAINING("categories"),
                                            PREP_TRAINING("drop"),
                                            PREP_TRAINING("sparse"),
                                            PREP_TRAINING("sparse_output"),
                                            PREP_TRAINING("dtype"),
                                            PREP_READ("handle_unknown"),
                                            PREP_TRAINING("min_frequency"),
                                            PREP_TRAINING("max_categories"),
                                            PREP_TRAINING("feature_name_combiner")};
static const sk_option ordinal_options[] = {
    PREP_TRAINING("categories"),        PREP_READ("dtype"),
    PREP_READ("handle_unknown"),        PREP_READ("unknown_value"),
    PREP_READ("encoded_missing_value"), PREP_TRAINING("min_frequency"),
    PREP_TRAINING("max_categories")};
static const sk_option target_options[] = {
    PREP_TRAINING("categories"), PREP_TRAINING("target_type"), PREP_TRAINING("smooth"),
    PREP_TRAINING("cv"),         PREP_TRAINING("shuffle"),     PREP_TRAINING("random_state")};
static const sk_option binarizer_options[] = {PREP_READ("neg_label"), PREP_READ("pos_label"),
                                              PREP_TRAINING("sparse_output")};

static const sk_row rows[] = {
    PREP_ROW("OneHotEncoder", one_hot_options, one_hot),
    PREP_ROW("OrdinalEncoder", ordinal_options, ordinal_encoder),
    PREP_ROW("TargetEncoder", target_options, target_encoder),
    {"LabelEncoder", SK_TRANSFORMER, NULL, 0, label_encoder, NULL},
    PREP_ROW("LabelBinarizer", binarizer_options, label_binarizer),
};

const sk_family sk_family_encode = {rows, PREP_COUNT(rows)};
