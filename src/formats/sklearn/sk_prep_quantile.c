/* QuantileTransformer: numpy's linear interpolation between quantiles, from below and from
 * above; where quantiles are equal the result is the middle of what both give. */
#include "formats/sklearn/sk_prep.h"

/* Quantiles of one column and what they stand for. */
typedef struct curve {
    uint64_t count;
    double *x, *y;
    double *rise;   /* from point i to the next */
    double *before; /* from the point before to point i */
} curve;

static wlk_status refuse_quantiles(sk *s, const sk_array *quantiles) {
    return sk_refuse(s, RULE_SKLEARN_VALUE, quantiles->at,
                     "quantiles_ or references_ are not ascending numbers");
}

/* Quantiles that rounding has put out of order by a trifle are put in order. */
static wlk_status read_points(sk *s, const sk_array *quantiles, const sk_array *references,
                              uint64_t column, curve *c) {
    for (uint64_t i = 0; i < c->count; i++) {
        double x = quantiles->data[i * quantiles->shape[1] + column];
        const double last = i > 0 ? c->x[i - 1] : x;
        if (!(x - x == 0)) return refuse_quantiles(s, quantiles);
        if (x < last) {
            if (last - x > 1e-12 * (last > 0 ? last : -last)) return refuse_quantiles(s, quantiles);
            x = last;
        }
        c->x[i] = x;
        c->y[i] = references->data[i];
        if (i > 0 && !(c->y[i] > c->y[i - 1])) return refuse_quantiles(s, quantiles);
    }
    return WLK_OK;
}

static wlk_status read_curve(sk *s, const sk_array *quantiles, const sk_array *references,
                             uint64_t column, curve *c) {
    void *room = NULL;
    c->count = references->count;
    TRY(prep_take(s, c->count, 4 * sizeof(double), &room));
    c->x = room;
    c->y = c->x + c->count;
    c->rise = c->y + c->count;
    c->before = c->rise + c->count;
    TRY(read_points(s, quantiles, references, column, c));
    for (uint64_t i = 0; i + 1 < c->count; i++) {
        const double width = c->x[i + 1] - c->x[i];
        if (width > 0) c->rise[i] = (c->y[i + 1] - c->y[i]) / width;
        if (!(c->rise[i] - c->rise[i] == 0)) return refuse_quantiles(s, quantiles);
        c->before[i + 1] = c->rise[i];
    }
    return WLK_OK;
}

/* values[place] */
static wlk_status take_at(sk *s, const curve *c, const double *values, sk_name place,
                          sk_name *out) {
    sk_name table = NULL;
    TRY(sk_f64s(s, values, c->count, &table));
    return sk_binary(s, "Gather", table, place, out);
}

/* How many points are <= x (or < x), plus shift, as a point's number. */
static wlk_status place_of(sk *s, const curve *c, sk_name x, const char *compare, int64_t shift,
                           sk_name *out) {
    sk_name points = NULL, below = NULL, number = NULL;
    sk_name clip[3] = {NULL, NULL, NULL};
    TRY(sk_f64s(s, c->x, c->count, &points));
    TRY(sk_binary(s, compare, x, points, &below));
    TRY(sk_cast(s, below, WLK_I64, &number));
    TRY(sk_reduce(s, "ReduceSum", number, &number));
    TRY(sk_i64(s, shift, &points));
    TRY(sk_binary(s, "Add", number, points, &clip[0]));
    TRY(sk_i64(s, 0, &clip[1]));
    TRY(sk_i64(s, (int64_t)c->count - 1, &clip[2]));
    return sk_node(s, "Clip", clip, 3, out, 1);
}

/* slope[place] * (x - point) + reference */
static wlk_status line_at(sk *s, const curve *c, sk_name x, sk_name place, const double *slopes,
                          sk_name *out) {
    sk_name point = NULL, slope = NULL, reference = NULL, rest = NULL;
    TRY(take_at(s, c, c->x, place, &point));
    TRY(take_at(s, c, slopes, place, &slope));
    TRY(take_at(s, c, c->y, place, &reference));
    TRY(sk_binary(s, "Sub", x, point, &rest));
    TRY(sk_binary(s, "Mul", slope, rest, &rest));
    return sk_binary(s, "Add", rest, reference, out);
}

static wlk_status interpolate(sk *s, const curve *c, sk_name x, sk_name *out) {
    sk_name place = NULL, up = NULL, down = NULL, sum = NULL;
    TRY(place_of(s, c, x, "GreaterOrEqual", -1, &place));
    TRY(line_at(s, c, x, place, c->rise, &up));
    TRY(place_of(s, c, x, "Greater", 0, &place));
    TRY(line_at(s, c, x, place, c->before, &down));
    TRY(sk_binary(s, "Add", up, down, &sum));
    return prep_with(s, "Mul", sum, 0.5, out);
}

/* At and beyond the ends it is 0 and 1. */
static wlk_status quantile_of(sk *s, const curve *c, sk_name x, sk_name *out) {
    sk_name y = NULL, end = NULL, bound = NULL;
    TRY(interpolate(s, c, x, &y));
    TRY(sk_f64(s, 1, &bound));
    TRY(prep_with(s, "GreaterOrEqual", x, c->x[c->count - 1], &end));
    TRY(prep_where(s, end, bound, y, &y));
    TRY(sk_f64(s, 0, &bound));
    /* Of a column with one value only, larger ones are 1. */
    TRY(prep_with(s, "LessOrEqual", x, c->x[0], &end));
    return prep_where(s, end, bound, y, out);
}

wlk_status prep_quantile(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const distributions[] = {"uniform", NULL};
    uint32_t distribution = 0;
    sk_array quantiles, references;
    sk_name all = NULL, x = NULL;
    void *room = NULL;
    TRY(sk_choice(s, e, "output_distribution", "uniform", distributions, &distribution));
    TRY(sk_reals(s, e, "references_", &references));
    if (references.rank != 1 || references.count < 2) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, references.at, "references_ are fewer than two");
    }
    TRY(sk_matrix_of(s, e, "quantiles_", references.count, in->columns, &quantiles));
    TRY(sk_table_numbers(s, in, &all));
    TRY(prep_take(s, in->columns, sizeof(sk_name), &room));
    sk_name *parts = room;
    for (uint32_t i = 0; i < in->columns; i++) {
        curve c = {0};
        TRY(read_curve(s, &quantiles, &references, i, &c));
        TRY(sk_gather(s, all, &i, 1, &x));
        TRY(quantile_of(s, &c, x, &parts[i]));
    }
    TRY(sk_concat(s, parts, in->columns, &all));
    return prep_give(s, all, in->columns, out);
}
