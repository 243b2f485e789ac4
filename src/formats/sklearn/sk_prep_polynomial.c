/* PolynomialFeatures: products of columns, degree by degree, each made of a product of the
 * degree before and one column more, in scikit-learn's order. */
#include "formats/sklearn/sk_prep.h"

#define MAX_DEGREE 64

typedef struct polynomial {
    const py_value *e;
    uint32_t columns;
    int64_t least, most; /* degrees */
    bool distinct;       /* no column twice in a product */
    bool bias;
    sk_name parts[MAX_DEGREE + 2];
    uint32_t part_count;
    uint64_t total; /* columns of the parts */
} polynomial;

/* Products of one degree: those that begin with column f are [starts[f], starts[f + 1]). */
typedef struct products {
    sk_name value;
    uint32_t *starts;
    uint32_t count;
} products;

static wlk_status refuse_degree(sk *s, const py_value *at) {
    return sk_refuse(s, RULE_SKLEARN_OPTION, at,
                     "degree is not a number up to %d, or two in ascending order", MAX_DEGREE);
}

/* degree is the highest, or the lowest and the highest. */
static wlk_status read_degrees(sk *s, polynomial *p) {
    const py_value *degree = NULL;
    TRY(sk_need(s, p->e, "degree", &degree));
    if (degree->kind == PY_TUPLE || degree->kind == PY_LIST) {
        const py_items *pair = &degree->items;
        if (pair->count != 2 || pair->list[0]->kind != PY_INT || pair->list[1]->kind != PY_INT) {
            return refuse_degree(s, degree);
        }
        p->least = pair->list[0]->integer;
        p->most = pair->list[1]->integer;
    } else {
        TRY(sk_integer(s, p->e, "degree", &p->most));
    }
    if (p->least < 0 || p->least > p->most || p->most > MAX_DEGREE) return refuse_degree(s, degree);
    return WLK_OK;
}

static wlk_status add_part(sk *s, polynomial *p, sk_name value, uint64_t columns) {
    p->parts[p->part_count++] = value;
    p->total += columns;
    if (p->total <= PREP_MAX_COLUMNS) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, p->e, "it makes more than %u columns",
                     PREP_MAX_COLUMNS);
}

/* A column of ones: what is put before the first column. */
static wlk_status add_bias(sk *s, polynomial *p, sk_name x) {
    static const int64_t pads[] = {0, 1, 0, 0};
    static const uint32_t first[] = {0};
    sk_name inputs[3] = {x, NULL, NULL}, padded = NULL, ones = NULL;
    TRY(sk_i64s(s, pads, 4, &inputs[1]));
    TRY(sk_f64(s, 1, &inputs[2]));
    TRY(sk_node(s, "Pad", inputs, 3, &padded, 1));
    TRY(sk_gather(s, padded, first, 1, &ones));
    return add_part(s, p, ones, 1);
}

/* Where the products begin that a column f begins in the next degree: those of f and later. */
static uint32_t first_factor(const polynomial *p, const products *of, uint32_t f) {
    return of->starts[p->distinct ? f + 1 : f];
}

static wlk_status count_next(sk *s, const polynomial *p, const products *of, products *next) {
    uint64_t count = 0;
    void *room = NULL;
    TRY(prep_take(s, (uint64_t)p->columns + 1, sizeof(uint32_t), &room));
    next->starts = room;
    for (uint32_t f = 0; f < p->columns; f++) {
        next->starts[f] = (uint32_t)count;
        count += of->count - first_factor(p, of, f);
        if (count > PREP_MAX_COLUMNS) {
            return sk_refuse(s, RULE_SKLEARN_SHAPE, p->e, "it makes more than %u columns",
                             PREP_MAX_COLUMNS);
        }
    }
    next->starts[p->columns] = next->count = (uint32_t)count;
    return WLK_OK;
}

static wlk_status next_degree(sk *s, const polynomial *p, sk_name x, const products *of,
                              products *next) {
    void *room = NULL;
    uint32_t place = 0;
    sk_name products_of = NULL, factors = NULL;
    TRY(count_next(s, p, of, next));
    TRY(prep_take(s, next->count, 2 * sizeof(uint32_t), &room));
    uint32_t *left = room, *right = left + next->count;
    for (uint32_t f = 0; f < p->columns; f++) {
        for (uint32_t i = first_factor(p, of, f); i < of->count; i++, place++) {
            left[place] = i;
            right[place] = f;
        }
    }
    if (place == 0) return WLK_OK;
    TRY(sk_gather(s, of->value, left, place, &products_of));
    TRY(sk_gather(s, x, right, place, &factors));
    return sk_binary(s, "Mul", products_of, factors, &next->value);
}

static wlk_status add_degrees(sk *s, polynomial *p, sk_name x) {
    void *room = NULL;
    TRY(prep_take(s, (uint64_t)p->columns + 1, sizeof(uint32_t), &room));
    products of = {x, room, p->columns};
    for (uint32_t f = 0; f <= p->columns; f++) of.starts[f] = f;
    for (int64_t degree = 1; degree <= p->most && of.count > 0; degree++) {
        if (degree >= p->least) TRY(add_part(s, p, of.value, of.count));
        products next = {0};
        if (degree < p->most) TRY(next_degree(s, p, x, &of, &next));
        of = next;
    }
    return WLK_OK;
}

wlk_status prep_polynomial(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    polynomial p = {.e = e, .columns = in->columns, .most = 2};
    sk_name x = NULL, all = NULL;
    TRY(read_degrees(s, &p));
    TRY(sk_flag(s, e, "interaction_only", false, &p.distinct));
    TRY(sk_flag(s, e, "include_bias", true, &p.bias));
    TRY(sk_table_numbers(s, in, &x));
    if (p.bias) TRY(add_bias(s, &p, x));
    TRY(add_degrees(s, &p, x));
    if (p.part_count == 0) {
        return sk_refuse(s, RULE_SKLEARN_OPTION, e, "degree leaves no column");
    }
    TRY(prep_agrees(s, e, "n_output_features_", p.total));
    TRY(sk_concat(s, p.parts, p.part_count, &all));
    return prep_give(s, all, p.total, out);
}
