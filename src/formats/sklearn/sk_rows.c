#include <string.h>

#include "formats/sklearn/sk_internal.h"

static const sk_family *const families[] = {
    &sk_family_compose, &sk_family_scale,    &sk_family_encode,  &sk_family_decompose,
    &sk_family_linear,  &sk_family_svm,      &sk_family_network, &sk_family_simple,
    &sk_family_tree,    &sk_family_ensemble,
};
#define FAMILIES (sizeof families / sizeof *families)

/* Entries of a state; a fitted estimator has a few dozen. */
#define MOST_ENTRIES 512

const sk_row *sk_find(const char *class_name) {
    for (size_t f = 0; f < FAMILIES; f++) {
        const sk_row *rows = families[f]->rows;
        for (uint32_t i = 0; i < families[f]->count; i++) {
            if (strcmp(rows[i].class, class_name) == 0) return &rows[i];
        }
    }
    return NULL;
}

/* ---- what every estimator must hold to */

/* An attribute of fitting ends with an underscore, what is private begins with one. */
static bool is_option(const py_text *key) {
    return key->length > 0 && key->data[0] != '_' && key->data[key->length - 1] != '_';
}

static bool is_known(const sk_row *row, const py_value *key) {
    for (uint32_t i = 0; i < row->option_count; i++) {
        if (py_is_text(key, row->options[i].name)) return true;
    }
    return false;
}

static wlk_status check_options(sk *s, const py_value *estimator, const sk_row *row) {
    const py_items *entries = &estimator->object->state->items;
    if (entries->count / 2 > MOST_ENTRIES) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "its state has %u entries",
                         entries->count / 2);
    }
    for (uint32_t i = 0; i + 1 < entries->count; i += 2) {
        const py_value *key = entries->list[i];
        if (key->kind != PY_STR) {
            return sk_refuse(s, RULE_SKLEARN_STATE, key, "a key of its state is %s",
                             sk_quote(s, key));
        }
        if (!is_option(&key->text) || is_known(row, key)) continue;
        return sk_refuse(s, RULE_SKLEARN_OPTION, key, "option %s is not known", sk_quote(s, key));
    }
    return WLK_OK;
}

static wlk_status find_row(sk *s, const py_value *estimator, const sk_row **row) {
    if (!sk_is_estimator(estimator)) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "this is no estimator");
    }
    *row = sk_find(sk_class(estimator));
    if (!*row) {
        return sk_refuse(s, RULE_SKLEARN_CLASS, estimator, "a class of %.100s",
                         estimator->object->class->module);
    }
    const py_value *state = estimator->object->state;
    /* Python would hand them to its constructor, as options that no state tells of. */
    if (estimator->object->arguments) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "it was made with arguments");
    }
    if (!state || state->kind != PY_DICT) {
        return sk_refuse(s, RULE_SKLEARN_STATE, estimator, "it has no state");
    }
    return check_options(s, estimator, *row);
}

/* ---- calls */

typedef struct call {
    const py_value *estimator;
    const sk_table *in;
    sk_table *table;           /* of a transform */
    sk_prediction *prediction; /* of a prediction; else NULL */
} call;

static wlk_status call_row(sk *s, const sk_row *row, const call *c) {
    if (c->prediction ? !row->predict : !row->transform) {
        return sk_refuse(s, RULE_SKLEARN_METHOD, c->estimator, "it has no %s",
                         c->prediction ? "predict" : "transform");
    }
    TRY(sk_columns(s, c->estimator, c->in->columns));
    if (!c->prediction) return row->transform(s, c->estimator, c->in, c->table);
    *c->prediction = (sk_prediction){0};
    return row->predict(s, c->estimator, c->in, c->prediction);
}

/* What hands its rows on says nothing about them; whoever takes them itself does. */
static wlk_status call_inside(sk *s, const call *c) {
    const sk_row *row = NULL;
    TRY(find_row(s, c->estimator, &row));
    const uint64_t applied = ++s->applied;
    TRY(call_row(s, row, c));
    if (s->applied == applied && !(row->roles & SK_META)) sk_table_seen(s, c->in);
    return WLK_OK;
}

static wlk_status apply(sk *s, const call *c) {
    bool entered;
    TRY(sk_enter_call(s, c->estimator, &entered));
    TRY(call_inside(s, c));
    if (entered) sk_leave(s);
    return WLK_OK;
}

wlk_status sk_apply_transform(sk *s, const py_value *estimator, const sk_table *in, sk_table *out) {
    const call c = {.estimator = estimator, .in = in, .table = out};
    return apply(s, &c);
}

wlk_status sk_apply_predict(sk *s, const py_value *estimator, const sk_table *in,
                            sk_prediction *out) {
    const call c = {.estimator = estimator, .in = in, .prediction = out};
    return apply(s, &c);
}
