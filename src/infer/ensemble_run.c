#include "infer/ensemble_run.h"

#include <string.h>

#include "base/checked.h"
#include "infer/parallel.h"
#include "infer/shape.h"

#define PIECE_ROWS 128 /* a tree stays in the cache for so many rows */

/* ---- shapes and working memory */

/* Scores of all rows, then what was voted for, then the rows as f64 where they are not
 * what the trees take. */
typedef struct tree_memory {
    double *scores;
    uint8_t *voted;
    double *x;
} tree_memory;

static bool needs_doubles(const op_call *call) {
    const ensemble *e = call->node->prepared;
    return e->wide && op_input(call, 0)->dtype != WLK_F64;
}

static uint64_t padded(uint64_t bytes) {
    return (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

static wlk_status need_memory(op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    uint64_t scores = 0;
    if (!checked_mul(rows, e->targets, &scores)) scores = UINT64_MAX;
    TRY(op_need_scratch(call, scores, sizeof(double)));
    if (ensemble_needs_voted(e)) TRY(op_need_scratch(call, scores, 1));
    if (!needs_doubles(call)) return WLK_OK;
    return op_need_scratch(call, op_input(call, 0)->count, sizeof(double));
}

static tree_memory memory_of(const op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    char *at = call->scratch;
    tree_memory memory = {.scores = (double *)(void *)at};
    at += padded(rows * e->targets * sizeof(double));
    if (ensemble_needs_voted(e)) {
        memory.voted = (uint8_t *)at;
        at += padded(rows * e->targets);
    }
    if (needs_doubles(call)) memory.x = (double *)(void *)at;
    return memory;
}

/* A step reads a slot and an element; a transform is about ten operations. */
#define STEP_COST ((uint64_t)2 * OP_ELEMENT_COST)
#define TRANSFORM_COST ((uint64_t)10 * OP_ELEMENT_COST)

wlk_status ensemble_rows(op_call *call, int64_t *rows) {
    const ensemble *e = call->node->prepared;
    TRY(shape_need_rank(call, 0, 1, 2));
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    *rows = shape.rows;
    if (shape.columns == WLK_UNKNOWN_DIM || shape.columns >= e->features) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the trees read %u columns, input 0 has %lld",
                   e->features, (long long)shape.columns);
}

wlk_status ensemble_declare(op_call *call, uint64_t rows) {
    const ensemble *e = call->node->prepared;
    op_add_operations(call, STEP_COST, rows, e->steps, 1);
    op_add_operations(call, OP_INTEGER_COST, rows, e->votes, 1);
    op_add_operations(call, e->transform == SCORE_NONE ? OP_ELEMENT_COST : TRANSFORM_COST, rows,
                      e->targets, 1);
    return need_memory(call, rows);
}

/* ---- kernels */

typedef struct tree_run {
    const op_call *call;
    const ensemble *e;
    tree_memory memory;
    uint64_t columns;
    bool is_classifier;
} tree_run;

static void to_doubles(const op_tensor *x, double *out, uint64_t from, uint64_t to) {
    const float *f32 = x->data;
    const int64_t *i64 = x->data;
    const int32_t *i32 = x->data;
    if (x->dtype == WLK_F32) {
        for (uint64_t i = from; i < to; i++) out[i] = (double)f32[i];
    } else if (x->dtype == WLK_I64) {
        for (uint64_t i = from; i < to; i++) out[i] = (double)i64[i];
    } else {
        for (uint64_t i = from; i < to; i++) out[i] = (double)i32[i];
    }
}

static const void *rows_at(const tree_run *run, uint64_t from, uint64_t to) {
    const op_tensor *x = op_input(run->call, 0);
    const uint64_t first = from * run->columns;
    if (run->memory.x) {
        to_doubles(x, run->memory.x, first, to * run->columns);
        return run->memory.x + first;
    }
    if (run->e->wide) return (const double *)x->data + first;
    return (const float *)x->data + first;
}

static void write_row(op_tensor *out, uint64_t at, const double *row, uint32_t count) {
    if (out->dtype == WLK_F64) {
        memcpy((double *)out->target + at, row, count * sizeof *row);
        return;
    }
    float *values = (float *)out->target + at;
    for (uint32_t i = 0; i < count; i++) values[i] = (float)row[i];
}

static void finish_row(const tree_run *run, uint64_t i) {
    const ensemble *e = run->e;
    double *row = run->memory.scores + i * e->targets;
    const uint8_t *voted = run->memory.voted ? run->memory.voted + i * e->targets : NULL;
    if (!run->is_classifier) {
        ensemble_regress(e, row);
        write_row(op_output(run->call, 0), i * e->targets, row, e->targets);
        return;
    }
    linear_label_number(op_output(run->call, 0), i, ensemble_classify(e, row, voted));
    write_row(op_output(run->call, 1), i * e->targets, row, e->targets);
}

static void do_rows(void *context, uint64_t from, uint64_t to) {
    const tree_run *run = context;
    const ensemble *e = run->e;
    const ensemble_block block = {
        .x = rows_at(run, from, to),
        .columns = run->columns,
        .rows = to - from,
        .scores = run->memory.scores + from * e->targets,
        .voted = run->memory.voted ? run->memory.voted + from * e->targets : NULL,
    };
    ensemble_walk(e, &block);
    for (uint64_t i = from; i < to; i++) finish_row(run, i);
}

wlk_status ensemble_kernel(const op_call *call) {
    const linear_rows shape = linear_rows_of(op_input(call, 0));
    const ensemble *e = call->node->prepared;
    tree_run run = {.call = call,
                    .e = e,
                    .memory = memory_of(call, (uint64_t)shape.rows),
                    .columns = (uint64_t)shape.columns,
                    .is_classifier = e->labels.count > 0};
    op_parallel(call, (uint64_t)shape.rows, PIECE_ROWS, do_rows, &run);
    if (run.is_classifier) linear_labels_place(&e->labels, op_output(call, 0));
    return WLK_OK;
}
