/* TransformedTargetRegressor: a regressor whose targets were transformed, and the way back. */
#include <string.h>

#include "formats/sklearn/sk_compose.h"

/* ---- the inverses of transformers */

/* x op vector, along the columns; the vector has one element a column. */
static wlk_status along(sk *s, const py_value *transformer, const char *key, const char *op,
                        uint32_t columns, sk_name *x) {
    sk_array vector;
    sk_name by;
    TRY(sk_vector(s, transformer, key, columns, &vector));
    TRY(strcmp(op, "Div") == 0 ? sk_divisor(s, &vector, key) : sk_finite(s, &vector, key));
    TRY(sk_f64s(s, vector.data, vector.count, &by));
    return sk_binary(s, op, *x, by, x);
}

typedef struct inverse_step {
    const char *option; /* NULL: always; else only if this option is true */
    const char *key;
    const char *op;
} inverse_step;

typedef struct inverse_row {
    const char *class;
    inverse_step steps[2];
} inverse_row;

static const inverse_row inverses[] = {
    {"StandardScaler", {{"with_std", "scale_", "Mul"}, {"with_mean", "mean_", "Add"}}},
    {"RobustScaler", {{"with_scaling", "scale_", "Mul"}, {"with_centering", "center_", "Add"}}},
    {"MinMaxScaler", {{NULL, "min_", "Sub"}, {NULL, "scale_", "Div"}}},
    {"MaxAbsScaler", {{NULL, "scale_", "Mul"}, {NULL, NULL, NULL}}},
};

static wlk_status undo_scaler(sk *s, const py_value *transformer, const inverse_row *row,
                              uint32_t columns, sk_name *x) {
    for (size_t i = 0; i < 2; i++) {
        const inverse_step *step = &row->steps[i];
        bool done = step->key != NULL;
        if (step->option) TRY(sk_flag(s, transformer, step->option, true, &done));
        if (done) TRY(along(s, transformer, step->key, step->op, columns, x));
    }
    return WLK_OK;
}

static wlk_status new_value(sk *s, const py_value *like, py_kind kind, py_value **out) {
    *out = sk_take(s, 1, sizeof **out);
    if (!*out) return sk_no_memory(s);
    (*out)->kind = kind;
    (*out)->offset = like->offset;
    return WLK_OK;
}

static wlk_status set_entry(sk *s, const py_value *from, const char *key, const char *as,
                            py_items *entries) {
    const py_value *value = py_get(from, key);
    py_value *name = NULL, *copy = NULL;
    TRY(new_value(s, from, PY_STR, &name));
    TRY(new_value(s, from, PY_NONE, &copy));
    if (value) *copy = *value;
    name->text = (py_text){(const uint8_t *)as, strlen(as)};
    entries->list[entries->count++] = name;
    entries->list[entries->count++] = copy;
    return WLK_OK;
}

/* The FunctionTransformer whose function is the inverse of this one's. */
static wlk_status turn_around(sk *s, const py_value *transformer, py_value **out) {
    py_value *state = NULL;
    TRY(new_value(s, transformer, PY_DICT, &state));
    TRY(new_value(s, transformer, PY_OBJECT, out));
    state->items.list = sk_take(s, 4, sizeof *state->items.list);
    (*out)->object = sk_take(s, 1, sizeof *(*out)->object);
    if (!state->items.list || !(*out)->object) return sk_no_memory(s);
    (*out)->object->class = transformer->object->class;
    (*out)->object->state = state;
    TRY(set_entry(s, transformer, "inverse_func", "func", &state->items));
    return set_entry(s, transformer, "inv_kw_args", "kw_args", &state->items);
}

static wlk_status undo_function(sk *s, const py_value *transformer, uint32_t columns, sk_name *x) {
    py_value *inverse = NULL;
    sk_table in, out;
    TRY(turn_around(s, transformer, &inverse));
    TRY(sk_table_of(s, *x, WLK_F64, columns, &in));
    TRY(sk_apply_transform(s, inverse, &in, &out));
    return sk_table_numbers(s, &out, x);
}

static wlk_status undo(sk *s, const py_value *transformer, uint32_t columns, sk_name *x) {
    TRY(sk_columns(s, transformer, columns));
    if (py_is_object(transformer, "FunctionTransformer")) {
        return undo_function(s, transformer, columns, x);
    }
    for (size_t i = 0; i < sizeof inverses / sizeof *inverses; i++) {
        if (!py_is_object(transformer, inverses[i].class)) continue;
        return undo_scaler(s, transformer, &inverses[i], columns, x);
    }
    return sk_refuse(s, RULE_SKLEARN_METHOD, transformer, "its inverse cannot be computed here");
}

/* ---- the regressor */

wlk_status sk_transformed_target(sk *s, const py_value *estimator, const sk_table *in,
                                 sk_prediction *out) {
    const py_value *regressor = NULL, *transformer = NULL;
    int64_t dimensions = 1;
    TRY(sk_need(s, estimator, "regressor_", &regressor));
    TRY(sk_need(s, estimator, "transformer_", &transformer));
    TRY(sk_integer(s, estimator, "_training_dim", &dimensions));
    TRY(sk_enter(s, regressor, "regressor"));
    TRY(sk_apply_predict(s, regressor, in, out));
    sk_leave(s);
    if (!out->values || out->part_count > 0) {
        return sk_refuse(s, RULE_SKLEARN_METHOD, regressor, "its regressor predicts no numbers");
    }
    TRY(sk_enter(s, transformer, "transformer of the target"));
    TRY(undo(s, transformer, out->targets, &out->values));
    sk_leave(s);
    out->flat = dimensions == 1 && out->targets == 1;
    return WLK_OK;
}
