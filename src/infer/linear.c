#include "infer/linear.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "infer/blas.h"

linear_rows linear_rows_of(const op_tensor *x) {
    if (x->rank == WLK_NONE) return (linear_rows){WLK_UNKNOWN_DIM, WLK_UNKNOWN_DIM};
    if (x->rank == 1) return (linear_rows){1, x->dims[0]};
    return (linear_rows){x->dims[0], x->dims[1]};
}

wlk_status linear_labels_read(const op_call *call, uint32_t ints, uint32_t strings,
                              linear_labels *labels) {
    const attribute_value by_int = op_attribute(call, ints);
    const attribute_value by_string = op_attribute(call, strings);
    if ((by_int.count > 0) == (by_string.count > 0)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                       "exactly one of classlabels_ints and classlabels_strings must be there");
    }
    *labels = (linear_labels){.count = by_int.count + by_string.count};
    if (by_int.count > 0) labels->ints = by_int.ints;
    if (by_string.count > 0) labels->strings = by_string.strings;
    return WLK_OK;
}

wlk_status linear_transform_read(const op_call *call, uint32_t attribute, score_transform last,
                                 score_transform *transform) {
    const char *name = op_attribute(call, attribute).s;
    if (score_transform_find(name, transform) && *transform <= last) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "post_transform '%.40s'", name);
}

bool linear_labels_fit(const linear_labels *labels, uint64_t scores) {
    return scores == labels->count || (scores == 1 && labels->count == 2);
}

static uint64_t longest_label(const linear_labels *labels) {
    uint64_t longest = 0;
    for (uint32_t i = 0; labels->strings && i < labels->count; i++) {
        const uint64_t length = strlen(labels->strings[i]);
        if (length > longest) longest = length;
    }
    return longest;
}

wlk_status linear_classifier_outputs(op_call *call, int64_t rows, const linear_labels *labels,
                                     wlk_dtype score_dtype) {
    const int64_t dims[2] = {rows, labels->count};
    op_set_output(call, 0, labels->strings ? WLK_STR : WLK_I64, 1, dims);
    op_set_output(call, 1, score_dtype, 2, dims);
    if (!call->binding) return WLK_OK;
    uint64_t text = 0;
    if (!checked_mul((uint64_t)rows, longest_label(labels), &text)) text = UINT64_MAX;
    op_set_text(call, 0, text);
    return op_need_scratch(call, labels->count, sizeof(double));
}

/* ---- the product */

static product product_of(const linear_product *p) {
    return (product){.transpose_b = true, .m = p->rows, .n = p->outputs, .k = p->columns};
}

wlk_status linear_check(op_call *call, const linear_product *p) {
    const product dims = product_of(p);
    op_add_operations(call, 1, p->rows, p->columns, p->outputs);
    if (product_fits(&dims)) return WLK_OK;
    return op_fail(call, RULE_RUN_MATRIX, "%llu rows, %llu columns, %llu outputs",
                   (unsigned long long)p->rows, (unsigned long long)p->columns,
                   (unsigned long long)p->outputs);
}

void linear_scores(const linear_product *p, void *scores) {
    const product dims = product_of(p);
    const uint64_t row_bytes = p->outputs * (wlk_dtype_bits(p->dtype) / 8);
    const int beta = p->intercepts != NULL;
    for (uint64_t i = 0; beta && row_bytes > 0 && i < p->rows; i++) {
        memcpy((char *)scores + i * row_bytes, p->intercepts, row_bytes);
    }
    if (p->dtype == WLK_F32) {
        product_f32(&dims, 1, p->x, p->coefficients, (float)beta, scores);
    } else {
        product_f64(&dims, 1, p->x, p->coefficients, beta, scores);
    }
}

/* ---- rows of scores */

static void row_read(wlk_dtype dtype, const void *scores, uint64_t at, double *row,
                     uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        row[i] = dtype == WLK_F32 ? (double)((const float *)scores)[at + i]
                                  : ((const double *)scores)[at + i];
    }
}

static void row_write(wlk_dtype dtype, void *scores, uint64_t at, const double *row,
                      uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        if (dtype == WLK_F32) {
            ((float *)scores)[at + i] = (float)row[i];
        } else {
            ((double *)scores)[at + i] = row[i];
        }
    }
}

void linear_transform(wlk_dtype dtype, void *scores, uint64_t rows, uint64_t columns,
                      score_transform transform, double *scratch) {
    if (transform == SCORE_NONE || columns == 0) return;
    for (uint64_t i = 0; i < rows; i++) {
        row_read(dtype, scores, i * columns, scratch, columns);
        score_row(transform, scratch, columns);
        row_write(dtype, scores, i * columns, scratch, columns);
    }
}

/* ---- labels */

/* One row: raw scores in, transformed ones out; returns the label's number, or
 * the number of labels for none of them. */
static uint64_t classify_row(const linear_labels *labels, uint64_t scores,
                             score_transform transform, double *row) {
    if (scores == 1 && labels->count == 2) {
        row[1] = row[0];
        row[0] = -row[1];
    }
    const uint64_t best = score_best(row, labels->count);
    score_row(transform, row, labels->count);
    if (labels->count > 1) return best;
    return row[0] >= (transform == SCORE_NONE ? 0 : 0.5) ? 0 : 1;
}

/* A label's number is kept where its offset, or its value, will be. */
static void place_ints(const linear_labels *labels, op_tensor *out) {
    int64_t *values = out->target;
    for (uint64_t i = 0; i < out->count; i++) {
        values[i] = (uint64_t)values[i] < labels->count ? labels->ints[values[i]] : 0;
    }
}

static void place_strings(const linear_labels *labels, op_tensor *out) {
    char *offsets = out->target;
    char *texts = offsets + 8 * (out->count + 1);
    uint64_t end = 0;
    store_u64(offsets, 0);
    for (uint64_t i = 0; i < out->count; i++) {
        const uint64_t number = load_u64(offsets + 8 * (i + 1));
        const char *label = number < labels->count ? labels->strings[number] : "";
        const uint64_t length = strlen(label);
        memcpy(texts + end, label, length);
        end += length;
        store_u64(offsets + 8 * (i + 1), end);
    }
    out->nbytes = 8 * (out->count + 1) + end;
}

void linear_label_number(op_tensor *out, uint64_t i, uint64_t number) {
    store_u64((char *)out->target + 8 * (i + (out->dtype == WLK_STR)), number);
}

void linear_labels_place(const linear_labels *labels, op_tensor *out) {
    if (labels->strings) {
        place_strings(labels, out);
    } else {
        place_ints(labels, out);
    }
}

/* Rows go from the last to the first: where one score becomes two, a row grows
 * over those behind it, which are done. */
void linear_classify(const op_call *call, const linear_labels *labels, uint64_t scores,
                     score_transform transform, double *scratch) {
    op_tensor *out = op_output(call, 0);
    const op_tensor *table = op_output(call, 1);
    for (uint64_t i = out->count; i-- > 0;) {
        row_read(table->dtype, table->target, i * scores, scratch, scores);
        linear_label_number(out, i, classify_row(labels, scores, transform, scratch));
        row_write(table->dtype, table->target, i * labels->count, scratch, labels->count);
    }
    linear_labels_place(labels, out);
}
