/* Parts of a prediction that many estimators need. */
#include "formats/sklearn/sk.h"

wlk_status sk_argmax(sk *s, sk_name scores, sk_name *index) {
    TRY(sk_unary(s, "ArgMax", scores, index));
    TRY(sk_attribute_int(s, "axis", 1));
    return sk_attribute_int(s, "keepdims", 0);
}

wlk_status sk_decide(sk *s, sk_name scores, uint32_t columns, sk_name *index) {
    sk_name zero, above, number;
    if (columns != 1) return sk_argmax(s, scores, index);
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_binary(s, "Greater", scores, zero, &above));
    TRY(sk_cast(s, above, WLK_I64, &number));
    return sk_reshape(s, number, 0, index);
}

wlk_status sk_two_columns(sk *s, sk_name p, sk_name *out) {
    sk_name one, parts[2];
    TRY(sk_f64(s, 1, &one));
    TRY(sk_binary(s, "Sub", one, p, &parts[0]));
    parts[1] = p;
    return sk_concat(s, parts, 2, out);
}

wlk_status sk_normalise_rows(sk *s, sk_name x, sk_name *out) {
    sk_name zero, one, sum, empty, divisor;
    TRY(sk_f64(s, 0, &zero));
    TRY(sk_f64(s, 1, &one));
    TRY(sk_reduce(s, "ReduceSum", x, &sum));
    TRY(sk_binary(s, "Equal", sum, zero, &empty));
    const sk_name choice[3] = {empty, one, sum};
    TRY(sk_node(s, "Where", choice, 3, &divisor, 1));
    return sk_binary(s, "Div", x, divisor, out);
}

wlk_status sk_softmax(sk *s, sk_name x, sk_name *out) {
    TRY(sk_unary(s, "Softmax", x, out));
    return sk_attribute_int(s, "axis", 1);
}
