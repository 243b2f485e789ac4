/* FunctionTransformer: no function, or one of numpy's that work element by element, which are
 * known by their names and built from operators. */
#include "formats/sklearn/sk_prep.h"

#include <string.h>

typedef wlk_status (*function_build)(sk *s, sk_name x, sk_name *out);

static wlk_status keep(sk *s, sk_name x, sk_name *out) {
    (void)s;
    *out = x;
    return WLK_OK;
}

static wlk_status square(sk *s, sk_name x, sk_name *out) {
    return sk_binary(s, "Mul", x, x, out);
}

static wlk_status log2_of(sk *s, sk_name x, sk_name *out) {
    TRY(sk_unary(s, "Log", x, out));
    return prep_with(s, "Div", *out, 0.693147180559945309417232121458176568, out);
}

static wlk_status log10_of(sk *s, sk_name x, sk_name *out) {
    TRY(sk_unary(s, "Log", x, out));
    return prep_with(s, "Div", *out, 2.30258509299404568401799145468436421, out);
}

static wlk_status exp2_of(sk *s, sk_name x, sk_name *out) {
    sk_name two = NULL;
    TRY(sk_f64(s, 2, &two));
    return sk_binary(s, "Pow", two, x, out);
}

static wlk_status signed_again(sk *s, sk_name x, sk_name size, sk_name *out) {
    sk_name sign = NULL;
    TRY(sk_unary(s, "Sign", x, &sign));
    return sk_binary(s, "Mul", sign, size, out);
}

static wlk_status cbrt_of(sk *s, sk_name x, sk_name *out) {
    sk_name size = NULL;
    TRY(sk_unary(s, "Abs", x, &size));
    TRY(prep_with(s, "Pow", size, 1.0 / 3, &size));
    return signed_again(s, x, size, out);
}

/* Toward zero. */
static wlk_status trunc_of(sk *s, sk_name x, sk_name *out) {
    sk_name size = NULL;
    TRY(sk_unary(s, "Abs", x, &size));
    TRY(sk_unary(s, "Floor", size, &size));
    return signed_again(s, x, size, out);
}

static wlk_status degrees_of(sk *s, sk_name x, sk_name *out) {
    return prep_with(s, "Mul", x, 180 / 3.14159265358979323846, out);
}

static wlk_status radians_of(sk *s, sk_name x, sk_name *out) {
    return prep_with(s, "Mul", x, 3.14159265358979323846 / 180, out);
}

typedef struct function_row {
    const char *name;
    const char *op; /* one operator that does it, or */
    function_build build;
} function_row;

static const function_row functions[] = {
    {"absolute", "Abs", NULL},
    {"arccos", "Acos", NULL},
    {"arccosh", "Acosh", NULL},
    {"arcsin", "Asin", NULL},
    {"arcsinh", "Asinh", NULL},
    {"arctan", "Atan", NULL},
    {"arctanh", "Atanh", NULL},
    {"cbrt", NULL, cbrt_of},
    {"ceil", "Ceil", NULL},
    {"cos", "Cos", NULL},
    {"cosh", "Cosh", NULL},
    {"deg2rad", NULL, radians_of},
    {"degrees", NULL, degrees_of},
    {"exp", "Exp", NULL},
    {"exp2", NULL, exp2_of},
    {"expm1", NULL, prep_expm1},
    {"fabs", "Abs", NULL},
    {"floor", "Floor", NULL},
    {"log", "Log", NULL},
    {"log10", NULL, log10_of},
    {"log1p", NULL, prep_log1p},
    {"log2", NULL, log2_of},
    {"negative", "Neg", NULL},
    {"positive", NULL, keep},
    {"rad2deg", NULL, degrees_of},
    {"radians", NULL, radians_of},
    {"reciprocal", "Reciprocal", NULL},
    {"rint", "Round", NULL},
    {"sign", "Sign", NULL},
    {"sin", "Sin", NULL},
    {"sinh", "Sinh", NULL},
    {"sqrt", "Sqrt", NULL},
    {"square", NULL, square},
    {"tan", "Tan", NULL},
    {"tanh", "Tanh", NULL},
    {"trunc", NULL, trunc_of},
};

/* Where numpy says that its functions live; "numpy" since 2.0. */
static bool is_numpy(const char *module) {
    static const char *const modules[] = {"numpy", "numpy.core._multiarray_umath",
                                          "numpy._core._multiarray_umath", "numpy.core.umath"};
    for (uint32_t i = 0; i < PREP_COUNT(modules); i++) {
        if (strcmp(module, modules[i]) == 0) return true;
    }
    return false;
}

static const function_row *find(const py_value *func) {
    if (func->kind != PY_GLOBAL || !is_numpy(func->global->module)) return NULL;
    for (uint32_t i = 0; i < PREP_COUNT(functions); i++) {
        if (strcmp(func->global->name, functions[i].name) == 0) return &functions[i];
    }
    return NULL;
}

static wlk_status refuse_function(sk *s, const py_value *func) {
    if (func->kind == PY_GLOBAL) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, func,
                         "func is %s.%s, which is none of numpy's "
                         "functions of one element",
                         func->global->module, func->global->name);
    }
    return sk_refuse(s, RULE_SKLEARN_OPTION, func,
                     "func is none of numpy's functions of one "
                     "element");
}

static wlk_status no_arguments(sk *s, const py_value *e) {
    const py_value *arguments = sk_have(e, "kw_args");
    if (!arguments || (arguments->kind == PY_DICT && arguments->items.count == 0)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_OPTION, arguments, "kw_args gives the function arguments");
}

wlk_status prep_function(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    const py_value *func = sk_have(e, "func");
    sk_name x = NULL;
    TRY(no_arguments(s, e));
    if (!func) {
        *out = *in;
        return WLK_OK;
    }
    const function_row *row = find(func);
    if (!row) return refuse_function(s, func);
    TRY(sk_table_numbers(s, in, &x));
    if (row->op) {
        TRY(sk_unary(s, row->op, x, &x));
    } else {
        TRY(row->build(s, x, &x));
    }
    return prep_give(s, x, in->columns, out);
}
