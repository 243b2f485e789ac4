/* Where: each element from X or from Y, all three broadcast. Elements are moved by their
 * size (units.h): first all of X, then Y over it where the condition is false. */
#include "base/checked.h"
#include "infer/elementwise.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/units.h"

/* ---- the shape */

static uint64_t saturating_add(uint64_t a, uint64_t b) {
    uint64_t sum;
    return checked_add(a, b, &sum) ? sum : UINT64_MAX;
}

/* The most text that the output may hold of input i. */
static uint64_t text_of(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    const op_tensor *out = op_output(call, 0);
    if (in->count == 0) return 0;
    units_set_text(call, 0, i, tensor_span(out, 0, out->rank) / in->count);
    return out->text_bytes;
}

static wlk_status need_units(op_call *call) {
    for (uint32_t i = 1; i <= 2; i++) TRY(units_need_input(call, i));
    TRY(units_need_output(call, 0));
    if (!call->binding || op_input(call, 1)->dtype != WLK_STR) return WLK_OK;
    const uint64_t from_x = text_of(call, 1);
    const uint64_t from_y = text_of(call, 2);
    op_set_text(call, 0, saturating_add(from_x, from_y));
    return WLK_OK;
}

static wlk_status where_infer(op_call *call) {
    const op_tensor *condition = op_input(call, 0);
    const op_tensor *x = op_input(call, 1);
    const op_tensor *y = op_input(call, 2);
    int64_t some[WLK_MAX_RANK] = {0};
    int64_t dims[WLK_MAX_RANK] = {0};
    if (condition->rank == WLK_NONE || x->rank == WLK_NONE || y->rank == WLK_NONE) {
        op_set_output(call, 0, x->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    const uint32_t rank = x->rank > y->rank ? x->rank : y->rank;
    if (!dims_broadcast(x->dims, x->rank, y->dims, y->rank, some)) {
        return shape_mismatch(call, 1, 2);
    }
    if (!dims_broadcast(some, rank, condition->dims, condition->rank, dims)) {
        return shape_mismatch(call, 0, x->rank == rank ? 1 : 2);
    }
    op_set_output(call, 0, x->dtype, rank > condition->rank ? rank : condition->rank, dims);
    return need_units(call);
}

/* ---- loops, one for each size of a unit */

typedef struct unit_16 {
    uint64_t low;
    uint64_t high;
} unit_16;

typedef void (*where_run)(void *out, const void *from, const uint8_t *condition,
                          const binary_span *span);

/* span->step is of `from`, then of the condition. */
#define WHERE(bits, type)                                                                          \
    static void spread_##bits(void *out, const void *from, const uint8_t *condition,               \
                              const binary_span *span) {                                           \
        type *restrict result = out;                                                               \
        const type *source = from;                                                                 \
        const uint64_t count = span->count;                                                        \
        const type first = source[0];                                                              \
        (void)condition;                                                                           \
        if (span->step[0]) {                                                                       \
            for (uint64_t i = 0; i < count; i++) result[i] = source[i];                            \
        } else {                                                                                   \
            for (uint64_t i = 0; i < count; i++) result[i] = first;                                \
        }                                                                                          \
    }                                                                                              \
    static void replace_##bits(void *out, const void *from, const uint8_t *condition,              \
                               const binary_span *span) {                                          \
        type *restrict result = out;                                                               \
        const type *source = from;                                                                 \
        const uint64_t count = span->count;                                                        \
        const type first = source[0];                                                              \
        if (span->step[1] == 0) {                                                                  \
            if (!condition[0]) spread_##bits(out, from, condition, span);                          \
        } else if (span->step[0]) {                                                                \
            for (uint64_t i = 0; i < count; i++) result[i] = condition[i] ? result[i] : source[i]; \
        } else {                                                                                   \
            for (uint64_t i = 0; i < count; i++) result[i] = condition[i] ? result[i] : first;     \
        }                                                                                          \
    }

WHERE(8, uint8_t)
WHERE(16, uint16_t)
WHERE(32, uint32_t)
WHERE(64, uint64_t)
WHERE(128, unit_16)

/* By the size of a unit: 1, 2, 4, 8, 16. */
static const where_run spread_runs[UNIT_BYTES + 1] = {
    [1] = spread_8, [2] = spread_16, [4] = spread_32, [8] = spread_64, [16] = spread_128};
static const where_run replace_runs[UNIT_BYTES + 1] = {
    [1] = replace_8, [2] = replace_16, [4] = replace_32, [8] = replace_64, [16] = replace_128};

/* ---- the kernel */

typedef struct where_work {
    where_run run;
    broadcast_walk walk;
    char *out;
    const char *from;
    const uint8_t *condition;
    uint64_t size;
} where_work;

static void where_piece(void *context, uint64_t from, uint64_t to) {
    const where_work *work = context;
    broadcast_walk walk = work->walk;
    broadcast_seek(&walk, from);
    for (uint64_t i = from; i < to; i++, broadcast_next(&walk)) {
        const binary_span span = {walk.length, {walk.step[0], walk.step[1]}};
        work->run(work->out + walk.out * work->size, work->from + walk.at[0] * work->size,
                  work->condition + walk.at[1], &span);
    }
}

/* Runs over the output with input i and the condition as operands. */
static void where_pass(const op_call *call, uint32_t i, where_work *work) {
    const op_tensor *condition = op_input(call, 0);
    work->condition = condition->data;
    work->walk = broadcast_start(broadcast_of(op_output(call, 0)), broadcast_of(op_input(call, i)),
                                 broadcast_of(condition));
    if (work->walk.done) return;
    op_parallel(call, broadcast_runs(&work->walk), ELEMENT_PIECE / work->walk.length + 1,
                where_piece, work);
}

static wlk_status where_kernel(const op_call *call) {
    op_tensor *out = op_output(call, 0);
    units u = units_begin(call, out->dtype);
    const char *x = units_read(&u, op_input(call, 1));
    const char *y = units_read(&u, op_input(call, 2));
    char *to = units_write(&u, out);
    where_work work = {.run = spread_runs[u.size], .out = to, .from = x, .size = u.size};
    where_pass(call, 1, &work);
    work.run = replace_runs[u.size];
    work.from = y;
    where_pass(call, 2, &work);
    units_end(&u, out, to);
    return WLK_OK;
}

/* ---- rows */

#define ROW(version, dtypes)                                                                    \
    {                                                                                           \
        .domain = "", .name = "Where", .since = version, .min_inputs = 3, .max_inputs = 3,      \
        .min_outputs = 1, .max_outputs = 1,                                                     \
        .ports =                                                                                \
            (const op_port[]){                                                                  \
                {"condition", DTYPE_BIT(WLK_BOOL), 0}, {"X", dtypes, 'T'}, {"Y", dtypes, 'T'}}, \
        .infer = where_infer, .kernel = where_kernel                                            \
    }

static const op_row rows[] = {ROW(9, DTYPES_MOVED_1), ROW(16, DTYPES_MOVED_13)};

const op_family ops_where = {rows, sizeof rows / sizeof *rows};
