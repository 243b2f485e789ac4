/* The nodes that estimators are made of most. */
#include "formats/sklearn/sk_internal.h"

wlk_status sk_unary(sk *s, const char *op, sk_name x, sk_name *out) {
    return sk_node(s, op, &x, 1, out, 1);
}

wlk_status sk_binary(sk *s, const char *op, sk_name a, sk_name b, sk_name *out) {
    const sk_name inputs[2] = {a, b};
    return sk_node(s, op, inputs, 2, out, 1);
}

wlk_status sk_cast(sk *s, sk_name x, wlk_dtype to, sk_name *out) {
    TRY(sk_unary(s, "Cast", x, out));
    return sk_attribute_dtype(s, "to", to);
}

wlk_status sk_reduce(sk *s, const char *op, sk_name x, sk_name *out) {
    const int64_t axis = 1;
    sk_name axes;
    TRY(sk_i64s(s, &axis, 1, &axes));
    return sk_binary(s, op, x, axes, out);
}

/* The weights are a matrix; the bias has a number for each output, or one for all. */
wlk_status sk_affine(sk *s, sk_name x, const sk_array *weights, bool transposed,
                     const sk_array *bias, sk_name *out) {
    sk_name inputs[3] = {x, NULL, NULL};
    TRY(sk_f64_matrix(s, weights->data, weights->shape[0], weights->shape[1], &inputs[1]));
    if (bias) TRY(sk_f64s(s, bias->data, bias->count, &inputs[2]));
    TRY(sk_node(s, "Gemm", inputs, bias ? 3 : 2, out, 1));
    return transposed ? sk_attribute_int(s, "transB", 1) : WLK_OK;
}

wlk_status sk_gather(sk *s, sk_name x, const uint32_t *columns, uint32_t count, sk_name *out) {
    int64_t *places = sk_take(s, count, sizeof *places);
    sk_name indices;
    if (!places) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) places[i] = columns[i];
    TRY(sk_i64s(s, places, count, &indices));
    TRY(sk_binary(s, "Gather", x, indices, out));
    return sk_attribute_int(s, "axis", 1);
}

wlk_status sk_concat(sk *s, const sk_name *parts, uint32_t count, sk_name *out) {
    *out = parts[0];
    if (count == 1) return WLK_OK;
    TRY(sk_node(s, "Concat", parts, count, out, 1));
    return sk_attribute_int(s, "axis", 1);
}

wlk_status sk_reshape(sk *s, sk_name x, int64_t columns, sk_name *out) {
    const int64_t dims[2] = {-1, columns};
    sk_name shape;
    TRY(sk_i64s(s, dims, columns > 0 ? 2 : 1, &shape));
    return sk_binary(s, "Reshape", x, shape, out);
}
