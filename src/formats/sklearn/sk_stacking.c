/* Stacking: what members give are the columns that a final estimator looks at. */
#include "formats/sklearn/sk_ensemble.h"

typedef enum stack_method { STACK_PREDICT, STACK_PROBABILITIES, STACK_SCORES } stack_method;

typedef struct stacking {
    const py_value *estimator;
    sk_members members;
    py_value *const *methods; /* of each member, a text */
    uint32_t classes;         /* 0: numbers */
} stacking;

static wlk_status read_method(sk *s, const py_value *value, stack_method *method) {
    static const char *const names[] = {[STACK_PREDICT] = "predict",
                                        [STACK_PROBABILITIES] = "predict_proba",
                                        [STACK_SCORES] = "decision_function"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        *method = (stack_method)i;
        if (py_is_text(value, names[i])) return WLK_OK;
    }
    return sk_refuse(s, RULE_SKLEARN_OPTION, value, "stack_method_ holds %s", sk_quote(s, value));
}

static wlk_status read_stacking(sk *s, stacking *k) {
    const py_value *methods = NULL;
    uint32_t count = 0;
    TRY(sk_members_of(s, k->estimator, &k->members));
    TRY(sk_need(s, k->estimator, "stack_method_", &methods));
    TRY(sk_list_of(s, methods, "stack_method_", &k->methods, &count));
    if (count == k->members.count) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, methods, "methods of %u members, but %u members", count,
                     k->members.count);
}

/* ---- a member's columns */

/* The predicted class, as the number that it is. */
static wlk_status class_column(sk *s, const py_value *member, const sk_prediction *prediction,
                               sk_name *out) {
    sk_name inputs[2] = {NULL, prediction->index};
    if (prediction->classes.dtype == WLK_STR) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, member, "a member's classes are texts");
    }
    TRY(sk_labels_constant(s, &prediction->classes, &inputs[0]));
    TRY(sk_node(s, "Gather", inputs, 2, out, 1));
    TRY(sk_cast(s, *out, WLK_F64, out));
    return sk_reshape(s, *out, 1, out);
}

/* Of two probabilities the second one says all. */
static wlk_status probability_columns(sk *s, const stacking *k, const sk_prediction *prediction,
                                      sk_name *out, uint32_t *columns) {
    const uint32_t second = 1;
    *out = prediction->probabilities;
    *columns = prediction->classes.count;
    if (!*out || k->classes != 2) return WLK_OK;
    if (*columns != 2) *out = NULL;
    *columns = 1;
    return *out ? sk_gather(s, *out, &second, 1, out) : WLK_OK;
}

static wlk_status member_columns(sk *s, const stacking *k, uint32_t i, const sk_table *in,
                                 sk_table *out) {
    const py_value *member = k->members.list[i];
    sk_prediction prediction = {0};
    stack_method method = STACK_PREDICT;
    uint32_t columns = 1;
    sk_name value = NULL;
    TRY(read_method(s, k->methods[i], &method));
    TRY(sk_member_predict(s, &k->members, i, in, &prediction));
    if (method == STACK_PROBABILITIES) {
        TRY(probability_columns(s, k, &prediction, &value, &columns));
    } else if (method == STACK_SCORES) {
        value = prediction.scores;
        columns = prediction.score_columns;
    } else if (prediction.values && k->classes == 0) {
        value = prediction.values;
        columns = prediction.targets;
    } else if (prediction.index) {
        TRY(class_column(s, member, &prediction, &value));
    }
    if (value) return sk_table_of(s, value, WLK_F64, columns, out);
    return sk_refuse(s, RULE_SKLEARN_METHOD, member, "it does not have the method %s",
                     sk_quote(s, k->methods[i]));
}

/* ---- the final estimator */

static wlk_status predict_final(sk *s, stacking *k, const sk_table *in, sk_prediction *out) {
    const py_value *final = NULL;
    sk_table joined = {0};
    bool passthrough = false;
    TRY(read_stacking(s, k));
    TRY(sk_flag(s, k->estimator, "passthrough", false, &passthrough));
    sk_table *parts = sk_take(s, (uint64_t)k->members.count + 1, sizeof *parts);
    if (!parts) return sk_no_memory(s);
    for (uint32_t i = 0; i < k->members.count; i++) {
        TRY(member_columns(s, k, i, in, &parts[i]));
    }
    parts[k->members.count] = *in;
    TRY(sk_table_join(s, parts, k->members.count + (passthrough ? 1 : 0), &joined));
    TRY(sk_need(s, k->estimator, "final_estimator_", &final));
    TRY(sk_enter(s, final, "final estimator"));
    TRY(sk_apply_predict(s, final, &joined, out));
    sk_leave(s);
    if (out->part_count == 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, final, "a final estimator with several outputs");
}

/* The final estimator was trained with numbers for classes. */
wlk_status sk_predict_stacked_classes(sk *s, const py_value *estimator, const sk_table *in,
                                      sk_prediction *out) {
    stacking k = {.estimator = estimator};
    const uint32_t *which = NULL;
    sk_labels classes = {0};
    bool all = false;
    TRY(sk_classes_of(s, estimator, &classes));
    k.classes = classes.count;
    TRY(predict_final(s, &k, in, out));
    TRY(sk_member_classes(s, estimator, out, classes.count, &which, &all));
    out->classes = classes;
    if (all) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, estimator,
                     "its final estimator does not know %u classes", classes.count);
}

wlk_status sk_predict_stacked_values(sk *s, const py_value *estimator, const sk_table *in,
                                     sk_prediction *out) {
    stacking k = {.estimator = estimator};
    TRY(predict_final(s, &k, in, out));
    if (out->values) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, estimator, "its final estimator gives no numbers");
}
