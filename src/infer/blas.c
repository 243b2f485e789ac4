#include "infer/blas.h"

#include <limits.h>
#include <string.h>

/* A panel of DEPTH rows lies in the first cache beside a strip of A. */
enum { DEPTH = 256, VECTOR_BYTES = 64 };
#define PANEL_BYTES ((size_t)DEPTH * TILE_VECTORS * VECTOR_BYTES)

const tile_kernels *tile_kernels_of(tile_element element) {
#ifdef SIMD_X86
    const tile_kernels *const levels[SIMD_LEVELS] = {
        [SIMD_BASE] = tile_base, [SIMD_AVX2] = tile_avx2, [SIMD_AVX512] = tile_avx512};
    return &levels[simd_best()][element];
#else
    return &tile_base[element];
#endif
}

static uint64_t size_of(tile_element element) {
    return element == TILE_F32 || element == TILE_U32 ? 4 : 8;
}

bool product_fits(const product *p) {
    return p->m <= INT_MAX && p->n <= INT_MAX && p->k <= INT_MAX;
}

/* ---- packing */

/* A panel of op(B): rows [l, l + depth), columns [j, j + count), of a width that tiles
 * read whole: what is beyond the columns is 0. */
typedef struct panel_range {
    uint64_t l;
    uint64_t depth;
    uint64_t j;
    uint64_t count;
    uint64_t width;
} panel_range;

typedef void (*pack_run)(const product *p, double alpha, const void *b, const panel_range *r,
                         void *panel);

/* A transposed B is read along its rows, which are the panel's columns. */
#define PACK(function, type, through)                                                         \
    static void function(const product *p, double alpha, const void *b, const panel_range *r, \
                         void *panel) {                                                       \
        const type *from = b;                                                                 \
        const type factor = (type)(through)alpha;                                             \
        type *restrict to = panel;                                                            \
        if (r->count < r->width) memset(to, 0, r->depth * r->width * sizeof *to);             \
        for (uint64_t j = 0; p->transpose_b && j < r->count; j++) {                           \
            const type *row = from + (r->j + j) * p->k + r->l;                                \
            for (uint64_t l = 0; l < r->depth; l++) to[l * r->width + j] = factor * row[l];   \
        }                                                                                     \
        for (uint64_t l = 0; !p->transpose_b && l < r->depth; l++) {                          \
            const type *row = from + (r->l + l) * p->n + r->j;                                \
            for (uint64_t j = 0; j < r->count; j++) to[l * r->width + j] = factor * row[j];   \
        }                                                                                     \
    }

PACK(pack_f32, float, float)
PACK(pack_f64, double, double)
PACK(pack_u32, uint32_t, int64_t)
PACK(pack_u64, uint64_t, int64_t)

static const pack_run pack_runs[TILE_ELEMENTS] = {
    [TILE_F32] = pack_f32, [TILE_F64] = pack_f64, [TILE_U32] = pack_u32, [TILE_U64] = pack_u64};

static uint64_t panel_width(tile_element element) {
    return (uint64_t)tile_kernels_of(element)->lanes * TILE_VECTORS;
}

uint64_t product_packed_bytes(const product *p, tile_element element) {
    const uint64_t panels = p->n / PRODUCT_COLUMNS + (p->n % PRODUCT_COLUMNS != 0);
    uint64_t bytes = PRODUCT_COLUMNS * size_of(element);
    if (__builtin_mul_overflow(bytes, panels, &bytes) ||
        __builtin_mul_overflow(bytes, p->k, &bytes)) {
        return UINT64_MAX;
    }
    return bytes;
}

void product_pack(const product *p, tile_element element, const void *b, void *packed) {
    const uint64_t width = panel_width(element);
    const uint64_t size = size_of(element);
    for (uint64_t j = 0; j < p->n; j += width) {
        const uint64_t count = p->n - j < width ? p->n - j : width;
        const panel_range all = {.depth = p->k, .j = j, .count = count, .width = width};
        pack_runs[element](p, 1, b, &all, (char *)packed + j * p->k * size);
    }
}

/* ---- beta */

#define SCALE(function, type, through)                                       \
    static void function(double beta, void *c, uint64_t count) {             \
        type *to = c;                                                        \
        const type factor = (type)(through)beta;                             \
        for (uint64_t i = 0; i < count; i++) to[i] = (type)(factor * to[i]); \
    }

SCALE(scale_f32, float, float)
SCALE(scale_f64, double, double)
SCALE(scale_u32, uint32_t, int64_t)
SCALE(scale_u64, uint64_t, int64_t)

static void (*const scales[TILE_ELEMENTS])(double, void *, uint64_t) = {
    [TILE_F32] = scale_f32, [TILE_F64] = scale_f64, [TILE_U32] = scale_u32, [TILE_U64] = scale_u64};

/* ---- tiles */

/* A part of a product that is being computed. */
typedef struct part {
    const product_job *job;
    const tile_kernels *kernels;
    uint64_t size; /* of an element */
    bool add;      /* to C, already in the first block of the depth */
    uint64_t row;
    uint64_t rows;
    uint64_t row_step; /* of A */
    uint64_t depth_step;
    char *panel; /* PANEL_BYTES */
} part;

/* A tile of which only `columns` are wanted, by way of a whole one. */
static void edge_tile(const part *p, const tile *t, tile_run run, uint64_t rows, uint64_t columns) {
    char whole[TILE_MAX_ROWS * TILE_VECTORS * VECTOR_BYTES] __attribute__((aligned(VECTOR_BYTES)));
    const uint64_t width = (uint64_t)p->kernels->lanes * TILE_VECTORS;
    tile own = *t;
    own.c = whole;
    own.c_row = width;
    memset(whole, 0, sizeof whole);
    for (uint64_t i = 0; t->add && i < rows; i++) {
        memcpy(whole + i * width * p->size, (const char *)t->c + i * t->c_row * p->size,
               columns * p->size);
    }
    run(&own);
    for (uint64_t i = 0; i < rows; i++) {
        memcpy((char *)t->c + i * t->c_row * p->size, whole + i * width * p->size,
               columns * p->size);
    }
}

/* The panel's columns for all rows of the part, in strips of nearly the same height. */
static void panel_tiles(const part *p, tile *t, uint64_t l, uint64_t column, uint64_t columns) {
    const uint64_t lanes = p->kernels->lanes;
    const uint64_t vectors = columns <= lanes ? 1 : TILE_VECTORS;
    const uint64_t strips = (p->rows + p->kernels->rows - 1) / p->kernels->rows;
    uint64_t row = p->row;
    t->add = p->add || l > 0;
    for (uint64_t i = 0; i < strips; i++) {
        const uint64_t rows = p->rows / strips + (i < p->rows % strips);
        const tile_run run = p->kernels->runs[vectors - 1][rows - 1];
        t->a = (const char *)p->job->a + (row * p->row_step + l * p->depth_step) * p->size;
        t->c = (char *)p->job->c + (row * p->job->size.n + column) * p->size;
        if (columns == vectors * lanes) {
            run(t);
        } else {
            edge_tile(p, t, run, rows, columns);
        }
        row += rows;
    }
}

/* As many as a product of this depth looks at: of a small one, all would be most of the work. */
static void fill_offsets(int64_t offsets[DEPTH], uint64_t depth, uint64_t step) {
    for (uint64_t l = 0; l < depth && l < DEPTH; l++) offsets[l] = (int64_t)(l * step);
}

/* One row of A reads B once, so packing would be half of the work. */
static uint64_t wide_columns(const part *p, uint64_t column, uint64_t columns) {
    const product_job *job = p->job;
    const uint64_t width = (uint64_t)p->kernels->lanes * TILE_WIDE;
    const bool in_place = !job->packed && !job->size.transpose_b && job->alpha == 1;
    int64_t offsets[DEPTH] __attribute__((uninitialized));
    if (!in_place || p->rows != 1 || columns < width) return 0;
    fill_offsets(offsets, job->size.k, job->size.n);
    uint64_t done = 0;
    for (; columns - done >= width; done += width) {
        for (uint64_t l = 0; l < job->size.k; l += DEPTH) {
            const uint64_t depth = job->size.k - l < DEPTH ? job->size.k - l : DEPTH;
            const uint64_t j = column + done;
            const tile t = {
                .depth = depth,
                .a = (const char *)job->a + (p->row * p->row_step + l * p->depth_step) * p->size,
                .a_step = p->depth_step,
                .b = (const char *)job->b + (l * job->size.n + j) * p->size,
                .offsets = offsets,
                .c = (char *)job->c + (p->row * job->size.n + j) * p->size,
                .add = p->add || l > 0};
            p->kernels->wide(&t);
        }
    }
    return done;
}

static void packed_columns(part *p, uint64_t column, uint64_t columns) {
    const product_job *job = p->job;
    const uint64_t width = (uint64_t)p->kernels->lanes * TILE_VECTORS;
    int64_t offsets[DEPTH] __attribute__((uninitialized));
    fill_offsets(offsets, job->size.k, width);
    tile t = {
        .a_row = p->row_step, .a_step = p->depth_step, .offsets = offsets, .c_row = job->size.n};
    for (uint64_t j = column; j < column + columns; j += width) {
        const uint64_t left = column + columns - j;
        panel_range r = {.j = j, .count = left < width ? left : width, .width = width};
        for (r.l = 0; r.l < job->size.k; r.l += DEPTH) {
            r.depth = job->size.k - r.l < DEPTH ? job->size.k - r.l : DEPTH;
            t.depth = r.depth;
            t.b = p->panel;
            if (job->packed) {
                t.b = (const char *)job->packed + (j * job->size.k + r.l * width) * p->size;
            } else {
                pack_runs[job->element](&job->size, job->alpha, job->b, &r, p->panel);
            }
            panel_tiles(p, &t, r.l, j, r.count);
        }
    }
}

/* What C counts for: false if nothing is to be added to it. */
static bool scale_part(const part *p, uint64_t column, uint64_t columns) {
    const product_job *job = p->job;
    const bool nothing = job->size.k == 0 || job->alpha == 0;
    for (uint64_t i = 0; i < p->rows && (nothing || job->beta != 0); i++) {
        char *row = (char *)job->c + ((p->row + i) * job->size.n + column) * p->size;
        if (job->beta == 0) {
            memset(row, 0, columns * p->size);
        } else if (job->beta != 1) {
            scales[job->element](job->beta, row, columns);
        }
    }
    return !nothing;
}

/* A strip of A this high, as deep as a panel, stays in the second cache. */
#define BLOCK_ROWS 480

static void plain_part(const product_job *job, uint64_t row, uint64_t rows, uint64_t column,
                       uint64_t columns) {
    /* Filled before it is read: clearing it would cost as much as a small product. */
    char panel[PANEL_BYTES] __attribute__((aligned(VECTOR_BYTES), uninitialized));
    part p = {.job = job,
              .kernels = tile_kernels_of(job->element),
              .size = size_of(job->element),
              .add = job->beta != 0,
              .row_step = job->size.transpose_a ? 1 : job->size.k,
              .depth_step = job->size.transpose_a ? job->size.m : 1,
              .panel = panel};
    for (uint64_t i = 0; i < rows; i += BLOCK_ROWS) {
        p.row = row + i;
        p.rows = rows - i < BLOCK_ROWS ? rows - i : BLOCK_ROWS;
        if (!scale_part(&p, column, columns)) continue;
        const uint64_t done = wide_columns(&p, column, columns);
        packed_columns(&p, column + done, columns - done);
    }
}

/* A row times a transposed B is B times a column: B need not be turned. */
static void turned_part(const product_job *job, uint64_t column, uint64_t columns) {
    const uint64_t size = size_of(job->element);
    product_job turned = *job;
    turned.size = (product){.m = columns, .n = 1, .k = job->size.k};
    turned.a = (const char *)job->b + column * job->size.k * size;
    turned.b = job->a;
    turned.c = (char *)job->c + column * size;
    plain_part(&turned, 0, columns, 0, 1);
}

void product_part(const product_job *job, uint64_t row, uint64_t rows, uint64_t column,
                  uint64_t columns) {
    if (rows == 0 || columns == 0) return;
    if (job->size.m == 1 && job->size.k > 0 && job->size.transpose_b && !job->packed) {
        turned_part(job, column, columns);
    } else {
        plain_part(job, row, rows, column, columns);
    }
}

void product_f32(const product *p, float alpha, const float *a, const float *b, float beta,
                 float *c) {
    const product_job job = {
        .size = *p, .element = TILE_F32, .alpha = alpha, .beta = beta, .a = a, .b = b, .c = c};
    product_part(&job, 0, p->m, 0, p->n);
}

void product_f64(const product *p, double alpha, const double *a, const double *b, double beta,
                 double *c) {
    const product_job job = {
        .size = *p, .element = TILE_F64, .alpha = alpha, .beta = beta, .a = a, .b = b, .c = c};
    product_part(&job, 0, p->m, 0, p->n);
}
