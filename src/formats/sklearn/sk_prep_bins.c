/* KBinsDiscretizer: which bin a number lies in, by how many edges are not above it. */
#include "formats/sklearn/sk_prep.h"

/* The edges of one column, ascending; *bins = how many bins they make. */
static wlk_status read_edges(sk *s, const py_value *value, sk_array *edges, uint64_t *bins) {
    TRY(sk_reals_of(s, value, "bin_edges_", edges));
    if (edges->rank != 1 || edges->count < 2) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "edges of bins are fewer than two");
    }
    for (uint64_t i = 1; i < edges->count; i++) {
        if (!(edges->data[i - 1] <= edges->data[i])) {
            return sk_refuse(s, RULE_SKLEARN_VALUE, value, "edges of bins are not ascending");
        }
    }
    *bins = edges->count - 1;
    return WLK_OK;
}

/* Before 1.1 a number slightly below an edge counted as above it. */
static wlk_status lift(sk *s, sk_name x, sk_name *out) {
    sk_name more = NULL;
    TRY(sk_unary(s, "Abs", x, &more));
    TRY(prep_with(s, "Mul", more, 1e-5, &more));
    TRY(prep_with(s, "Add", more, 1e-8, &more));
    return sk_binary(s, "Add", x, more, out);
}

/* The number of the bin, [batch, 1]: of the edges between the first and the last. */
static wlk_status bin_of(sk *s, sk_name x, const sk_array *edges, sk_name *out) {
    static const double none[] = {__builtin_nan("")}; /* nothing reaches it: bin 0 */
    if (edges->count == 2) return prep_count_below(s, x, none, 1, out);
    return prep_count_below(s, x, edges->data + 1, edges->count - 2, out);
}

static wlk_status as_one_hot(sk *s, sk_name bin, uint64_t bins, sk_name *out) {
    sk_name place = NULL;
    TRY(sk_cast(s, bin, WLK_I64, &place));
    return prep_one_hot(s, place, bins, out);
}

wlk_status prep_bins(sk *s, const py_value *e, const sk_table *in, sk_table *out) {
    static const char *const choices[] = {"onehot", "onehot-dense", "ordinal", NULL};
    uint32_t encode = 0, count = 0;
    bool exact = false;
    const py_value *value = NULL;
    py_value *const *lists = NULL;
    void *room = NULL;
    sk_name all = NULL;
    uint64_t total = 0;
    TRY(sk_choice(s, e, "encode", "onehot", choices, &encode));
    TRY(prep_since(s, e, 1, 1, &exact));
    TRY(sk_need(s, e, "bin_edges_", &value));
    TRY(sk_list_of(s, value, "bin_edges_", &lists, &count));
    if (count != in->columns) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, value, "bin_edges_ are of %u columns, not of %u",
                         count, in->columns);
    }
    TRY(sk_table_numbers(s, in, &all));
    TRY(prep_no_nan(s, all, in->columns, &all));
    if (!exact) TRY(lift(s, all, &all));
    TRY(prep_take(s, count, sizeof(sk_name), &room));
    sk_name *parts = room;
    for (uint32_t i = 0; i < count; i++) {
        sk_array edges;
        uint64_t bins = 0;
        sk_name x = NULL;
        TRY(read_edges(s, lists[i], &edges, &bins));
        TRY(sk_gather(s, all, &i, 1, &x));
        TRY(bin_of(s, x, &edges, &parts[i]));
        if (encode != 2) TRY(as_one_hot(s, parts[i], bins, &parts[i]));
        total += encode != 2 ? bins : 1;
    }
    TRY(sk_concat(s, parts, count, &all));
    return prep_give(s, all, total, out);
}
