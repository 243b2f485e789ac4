/* PowerTransformer (Yeo and Johnson; Box and Cox), with an exponent for each column. */
#include "formats/sklearn/sk_prep.h"

typedef struct power {
    const py_value *e;
    sk_array exponents;
    bool by_logarithms; /* how scikit-learn computes Yeo and Johnson's since 1.9 */
} power;

/* One side of a transform: ((base)^k - 1) / k, or log(base) where k is 0, for each column. */
typedef struct side {
    double *k;       /* 1 where it is 0 */
    bool *logarithm; /* where it is 0 */
    bool any;        /* is there one? */
} side;

/* k is the exponent, or 2 minus it. */
static wlk_status read_side(sk *s, const power *p, bool mirrored, double least, side *out) {
    void *room = NULL;
    TRY(prep_take(s, p->exponents.count, sizeof(double), &room));
    out->k = room;
    TRY(prep_take(s, p->exponents.count, sizeof(bool), &room));
    out->logarithm = room;
    for (uint64_t i = 0; i < p->exponents.count; i++) {
        const double k = mirrored ? 2 - p->exponents.data[i] : p->exponents.data[i];
        out->logarithm[i] = mirrored ? !(k > least || k < -least) : k < least && k > -least;
        out->any |= out->logarithm[i];
        out->k[i] = out->logarithm[i] ? 1 : k;
    }
    return WLK_OK;
}

/* (exp(k log) - 1) / k */
static wlk_status from_logarithm(sk *s, sk_name logarithm, sk_name k, sk_name *out) {
    sk_name product = NULL;
    TRY(sk_binary(s, "Mul", logarithm, k, &product));
    TRY(prep_expm1(s, product, &product));
    return sk_binary(s, "Div", product, k, out);
}

/* (base^k - 1) / k */
static wlk_status from_base(sk *s, sk_name base, sk_name k, sk_name *out) {
    sk_name raised = NULL;
    TRY(sk_binary(s, "Pow", base, k, &raised));
    TRY(prep_with(s, "Sub", raised, 1, &raised));
    return sk_binary(s, "Div", raised, k, out);
}

/* The columns of which k is 0 are their logarithms. */
static wlk_status or_logarithm(sk *s, const power *p, const side *of, sk_name logarithm,
                               sk_name *out) {
    sk_name mask = NULL;
    if (!of->any) return WLK_OK;
    TRY(sk_constant(s, WLK_BOOL, 1, &p->exponents.count, of->logarithm, &mask));
    return prep_where(s, mask, logarithm, *out, out);
}

/* One side of Yeo and Johnson's: of x + 1, or of 1 - x. */
static wlk_status yeo_johnson_side(sk *s, const power *p, sk_name x, bool mirrored, sk_name *out) {
    side of = {0};
    sk_name k = NULL, size = x, base = NULL, logarithm = NULL;
    TRY(read_side(s, p, mirrored, 0x1p-52, &of));
    TRY(sk_f64s(s, of.k, p->exponents.count, &k));
    if (mirrored) TRY(sk_unary(s, "Neg", x, &size));
    if (of.any || p->by_logarithms) TRY(prep_log1p(s, size, &logarithm));
    if (p->by_logarithms) {
        TRY(from_logarithm(s, logarithm, k, out));
    } else {
        TRY(prep_with(s, "Add", size, 1, &base));
        TRY(from_base(s, base, k, out));
    }
    return or_logarithm(s, p, &of, logarithm, out);
}

static wlk_status yeo_johnson(sk *s, power *p, sk_name x, sk_name *out) {
    sk_name positive = NULL, right = NULL, left = NULL;
    TRY(prep_since(s, p->e, 1, 9, &p->by_logarithms));
    TRY(prep_with(s, "GreaterOrEqual", x, 0, &positive));
    TRY(yeo_johnson_side(s, p, x, false, &right));
    TRY(yeo_johnson_side(s, p, x, true, &left));
    TRY(sk_unary(s, "Neg", left, &left));
    return prep_where(s, positive, right, left, out);
}

/* Numbers that are not positive are refused when the model runs. */
static wlk_status box_cox(sk *s, const power *p, sk_name x, sk_name *out) {
    side of = {0};
    sk_name k = NULL, logarithm = NULL, wrong = NULL;
    TRY(read_side(s, p, false, 1e-19, &of));
    TRY(prep_with(s, "LessOrEqual", x, 0, &wrong));
    TRY(prep_guard(s, wrong, p->exponents.count, x, &x));
    TRY(sk_f64s(s, of.k, p->exponents.count, &k));
    TRY(sk_unary(s, "Log", x, &logarithm));
    TRY(from_logarithm(s, logarithm, k, out));
    return or_logarithm(s, p, &of, logarithm, out);
}

wlk_status prep_power(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const methods[] = {"yeo-johnson", "box-cox", NULL};
    uint32_t method = 0;
    bool standardize = true;
    power p = {.e = e};
    sk_name x = NULL;
    const py_value *scaler = NULL;
    TRY(sk_choice(s, e, "method", "yeo-johnson", methods, &method));
    TRY(sk_flag(s, e, "standardize", true, &standardize));
    TRY(sk_vector(s, e, "lambdas_", in->columns, &p.exponents));
    TRY(sk_finite(s, &p.exponents, "lambdas_"));
    TRY(sk_table_numbers(s, in, &x));
    if (method == 0) {
        TRY(yeo_johnson(s, &p, x, &x));
    } else {
        TRY(box_cox(s, &p, x, &x));
    }
    TRY(prep_give(s, x, in->columns, out));
    if (!standardize) return WLK_OK;
    sk_table powers = *out;
    TRY(sk_need(s, e, "_scaler", &scaler));
    return sk_apply_transform(s, scaler, &powers, out);
}
