/* Members of ensembles, and the nodes that put their results together. */
#include "formats/sklearn/sk_ensemble.h"

wlk_status sk_members_of(sk *s, const py_value *ensemble, sk_members *out) {
    const py_value *value = NULL;
    TRY(sk_need(s, ensemble, "estimators_", &value));
    TRY(sk_list_of(s, value, "estimators_", &out->list, &out->count));
    if (out->count > 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_STATE, value, "'estimators_' is empty");
}

wlk_status sk_member_predict(sk *s, const sk_members *members, uint32_t i, const sk_table *in,
                             sk_prediction *out) {
    const py_value *member = members->list[i];
    TRY(sk_enter(s, member, "estimator %u", i));
    TRY(sk_apply_predict(s, member, in, out));
    sk_leave(s);
    if (out->part_count == 0) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, member, "a member with several outputs");
}

/* What votes or is stacked has its labels back from the encoder it was trained with, whatever
 * became of its own classes_. */
static const py_value *encoder_of(const py_value *ensemble) {
    static const char *const keys[] = {"le_", "_label_encoder", "_le"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const py_value *encoder = sk_have(ensemble, keys[i]);
        if (py_is_object(encoder, "LabelEncoder")) return encoder;
    }
    return ensemble;
}

wlk_status sk_classes_of(sk *s, const py_value *ensemble, sk_labels *out) {
    const py_value *classes = NULL;
    TRY(sk_need(s, encoder_of(ensemble), "classes_", &classes));
    return sk_labels_of(s, classes, "classes_", false, out);
}

static bool class_number(const sk_labels *labels, uint32_t k, uint32_t classes, uint32_t *out) {
    double number = -1;
    if (labels->dtype == WLK_F64) number = labels->reals[k];
    if (labels->dtype == WLK_I64 || labels->dtype == WLK_BOOL) number = (double)labels->integers[k];
    if (!(number >= 0 && number < classes)) return false;
    *out = (uint32_t)number;
    return (double)*out == number;
}

wlk_status sk_member_classes(sk *s, const py_value *member, const sk_prediction *prediction,
                             uint32_t classes, const uint32_t **which, bool *all) {
    const sk_labels *labels = &prediction->classes;
    uint32_t *list = sk_take(s, labels->count, sizeof *list);
    if (!list) return sk_no_memory(s);
    *which = list;
    *all = labels->count == classes;
    if (!prediction->index || labels->count == 0) {
        return sk_refuse(s, RULE_SKLEARN_VALUE, member, "a member that is no classifier");
    }
    for (uint32_t k = 0; k < labels->count; k++) {
        if (!class_number(labels, k, classes, &list[k])) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, member,
                             "a member whose classes are not numbers of the %u classes", classes);
        }
        *all = *all && list[k] == k;
    }
    return WLK_OK;
}

wlk_status sk_one_hot(sk *s, sk_name index, uint32_t classes, double off, double on, sk_name *out) {
    const double pair[2] = {off, on};
    sk_name inputs[3] = {index, NULL, NULL};
    TRY(sk_i64(s, classes, &inputs[1]));
    TRY(sk_f64s(s, pair, 2, &inputs[2]));
    return sk_node(s, "OneHot", inputs, 3, out, 1);
}

wlk_status sk_renumber(sk *s, sk_name index, const uint32_t *which, uint32_t count, sk_name *out) {
    int64_t *list = sk_take(s, count, sizeof *list);
    sk_name inputs[2] = {NULL, index};
    if (!list) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) list[i] = which[i];
    TRY(sk_i64s(s, list, count, &inputs[0]));
    return sk_node(s, "Gather", inputs, 2, out, 1);
}

wlk_status sk_spread(sk *s, sk_name x, const uint32_t *which, uint32_t count, uint32_t classes,
                     sk_name *out) {
    double *ones = sk_take(s, (uint64_t)count * classes, sizeof *ones);
    sk_name inputs[2] = {x, NULL};
    if (!ones) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) ones[(uint64_t)i * classes + which[i]] = 1;
    TRY(sk_f64_matrix(s, ones, count, classes, &inputs[1]));
    return sk_node(s, "MatMul", inputs, 2, out, 1);
}

wlk_status sk_sum(sk *s, const sk_name *values, uint32_t count, sk_name *out) {
    *out = values[0];
    return count == 1 ? WLK_OK : sk_node(s, "Sum", values, count, out, 1);
}

wlk_status sk_divide(sk *s, sk_name x, double divisor, sk_name *out) {
    sk_name by = NULL;
    TRY(sk_f64(s, divisor, &by));
    return sk_binary(s, "Div", x, by, out);
}

wlk_status sk_multiply(sk *s, sk_name x, double factor, sk_name *out) {
    sk_name by = NULL;
    TRY(sk_f64(s, factor, &by));
    return sk_binary(s, "Mul", x, by, out);
}
