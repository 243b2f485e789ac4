#include "infer/pick.h"

#include <string.h>

#include "infer/parallel.h"
#include "infer/units.h"

/* A row of the innermost axis: base is the sum over the others. */
typedef void (*pick_row)(const pick *p, const pick_axis *row, char *to, int64_t base);

#define PICK_ROW(bytes, type)                                                              \
    static void row_##bytes(const pick *p, const pick_axis *row, char *to, int64_t base) { \
        type outside;                                                                      \
        memcpy(&outside, p->outside, sizeof outside);                                      \
        for (uint64_t i = 0; i < row->count; i++) {                                        \
            type unit = outside;                                                           \
            if (row->from[i] != PICK_OUTSIDE) {                                            \
                memcpy(&unit, p->from + (base + row->from[i]) * bytes, sizeof unit);       \
            }                                                                              \
            memcpy(to + i * bytes, &unit, sizeof unit);                                    \
        }                                                                                  \
    }

typedef struct unit_16 {
    uint64_t halves[2];
} unit_16;

PICK_ROW(1, uint8_t)
PICK_ROW(2, uint16_t)
PICK_ROW(4, uint32_t)
PICK_ROW(8, uint64_t)
PICK_ROW(16, unit_16)

static const pick_row rows[] = {[1] = row_1, [2] = row_2, [4] = row_4, [8] = row_8, [16] = row_16};

static void row_of_blocks(const pick *p, const pick_axis *row, char *to, int64_t base) {
    const uint64_t bytes = p->block * p->size;
    for (uint64_t i = 0; i < row->count; i++) {
        if (row->from[i] == PICK_OUTSIDE) {
            units_fill(to + i * bytes, p->block, p->outside, p->size);
        } else {
            memcpy(to + i * bytes, p->from + (base + row->from[i]) * (int64_t)p->size, bytes);
        }
    }
}

typedef struct pick_job {
    const pick *p;
    pick_axis row;
    pick_row run;
    uint64_t row_bytes;
} pick_job;

/* The sum of what the axes around row number `item` pick; false: one is outside. */
static bool row_base(const pick *p, uint64_t item, int64_t *base) {
    bool inside = true;
    *base = 0;
    for (uint32_t i = p->rank - 1; i-- > 0;) {
        const int64_t from = p->axes[i].from[item % p->axes[i].count];
        item /= p->axes[i].count;
        if (from == PICK_OUTSIDE) inside = false;
        if (inside) *base += from;
    }
    return inside;
}

static void run_rows(void *context, uint64_t from, uint64_t to) {
    const pick_job *job = context;
    const pick *p = job->p;
    for (uint64_t item = from; item < to; item++) {
        char *at = p->to + item * job->row_bytes;
        int64_t base = 0;
        if (row_base(p, item, &base)) {
            job->run(p, &job->row, at, base);
        } else {
            units_fill(at, job->row.count * p->block, p->outside, p->size);
        }
    }
}

void pick_run(const op_call *call, const pick *p) {
    static const int64_t nothing = 0;
    pick whole = *p;
    if (whole.rank == 0) whole.axes[whole.rank++] = (pick_axis){1, &nothing};
    pick_job job = {.p = &whole, .row = whole.axes[whole.rank - 1]};
    job.run = whole.block == 1 ? rows[whole.size] : row_of_blocks;
    job.row_bytes = job.row.count * whole.block * whole.size;
    uint64_t items = 1;
    for (uint32_t i = 0; i + 1 < whole.rank; i++) items *= whole.axes[i].count;
    op_parallel(call, items, 1 + 65536 / (job.row_bytes + 1), run_rows, &job);
}
