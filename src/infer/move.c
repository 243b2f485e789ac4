#include "infer/move.h"

#include <string.h>

#include "infer/parallel.h"
#include "infer/units.h"

int64_t move_step(const op_tensor *tensor, uint32_t axis) {
    return (int64_t)tensor_span(tensor, axis + 1, tensor->rank);
}

void move_add(move *m, uint64_t count, int64_t to, int64_t from) {
    if (count == 0) m->empty = true;
    if (count <= 1 || m->empty) return;
    if (m->rank > 0) {
        move_axis *last = &m->axes[m->rank - 1];
        if (last->to == to * (int64_t)count && last->from == from * (int64_t)count) {
            *last = (move_axis){last->count * count, to, from};
            return;
        }
    }
    m->axes[m->rank++] = (move_axis){count, to, from};
}

/* ---- the two inner axes: `cols` units in a row */

typedef struct plane {
    uint64_t cols;
    int64_t to_row, from_row; /* bytes, as all steps below */
    int64_t to_col, from_col;
    uint64_t size;
} plane;

typedef void (*plane_move)(const plane *p, char *to, const char *from, uint64_t rows);

static void plane_copy(const plane *p, char *to, const char *from, uint64_t rows) {
    const uint64_t bytes = p->cols * p->size;
    for (uint64_t r = 0; r < rows; r++) {
        memcpy(to, from, bytes);
        to += p->to_row;
        from += p->from_row;
    }
}

static void plane_fill(const plane *p, char *to, const char *from, uint64_t rows) {
    for (uint64_t r = 0; r < rows; r++) {
        units_fill(to, p->cols, from, p->size);
        to += p->to_row;
        from += p->from_row;
    }
}

typedef struct unit_16 {
    uint64_t halves[2];
} unit_16;

#define PLANE_STEP(bytes, type)                                                                 \
    static void plane_step_##bytes(const plane *p, char *to, const char *from, uint64_t rows) { \
        const int64_t to_col = p->to_col;                                                       \
        const int64_t from_col = p->from_col;                                                   \
        for (uint64_t r = 0; r < rows; r++) {                                                   \
            for (int64_t c = 0; c < (int64_t)p->cols; c++) {                                    \
                type unit;                                                                      \
                memcpy(&unit, from + c * from_col, sizeof unit);                                \
                memcpy(to + c * to_col, &unit, sizeof unit);                                    \
            }                                                                                   \
            to += p->to_row;                                                                    \
            from += p->from_row;                                                                \
        }                                                                                       \
    }

PLANE_STEP(1, uint8_t)
PLANE_STEP(2, uint16_t)
PLANE_STEP(4, uint32_t)
PLANE_STEP(8, uint64_t)
PLANE_STEP(16, unit_16)

/* Transposes: units lie together along the columns of `to` and the rows of `from`. A
 * square of TILE rows and columns stays in the cache while it is read crosswise. */
#define TILE 16

#define PLANE_SWAP(bytes, type)                                                                 \
    static void tile_##bytes(const plane *p, char *to, const char *from, int64_t rows,          \
                             int64_t cols) {                                                    \
        for (int64_t r = 0; r < rows; r++) {                                                    \
            for (int64_t c = 0; c < cols; c++) {                                                \
                type unit;                                                                      \
                memcpy(&unit, from + r * (int64_t)sizeof unit + c * p->from_col, sizeof unit);  \
                memcpy(to + r * p->to_row + c * (int64_t)sizeof unit, &unit, sizeof unit);      \
            }                                                                                   \
        }                                                                                       \
    }                                                                                           \
    static void plane_swap_##bytes(const plane *p, char *to, const char *from, uint64_t rows) { \
        for (int64_t r = 0; r < (int64_t)rows; r += TILE) {                                     \
            const int64_t tall = (int64_t)rows - r < TILE ? (int64_t)rows - r : TILE;           \
            for (int64_t c = 0; c < (int64_t)p->cols; c += TILE) {                              \
                const int64_t wide = (int64_t)p->cols - c < TILE ? (int64_t)p->cols - c : TILE; \
                char *at = to + r * p->to_row + c * bytes;                                      \
                const char *source = from + r * bytes + c * p->from_col;                        \
                if (tall == TILE && wide == TILE) {                                             \
                    square_##bytes(p, at, source);                                              \
                } else {                                                                        \
                    tile_##bytes(p, at, source, tall, wide);                                    \
                }                                                                               \
            }                                                                                   \
        }                                                                                       \
    }

#define SQUARE(bytes)                                                                  \
    static void tile_##bytes(const plane *p, char *to, const char *from, int64_t rows, \
                             int64_t cols);                                            \
    static void square_##bytes(const plane *p, char *to, const char *from) {           \
        tile_##bytes(p, to, from, TILE, TILE);                                         \
    }

typedef uint32_t four_u32 __attribute__((vector_size(16)));

static four_u32 load_four(const char *at) {
    four_u32 four;
    memcpy(&four, at, sizeof four);
    return four;
}

/* A 4 by 4 square of units of 4 bytes: interleaved in pairs, then pairs of pairs. */
static void square_of_4(const plane *p, char *to, const char *from) {
    const four_u32 a = load_four(from);
    const four_u32 b = load_four(from + p->from_col);
    const four_u32 c = load_four(from + 2 * p->from_col);
    const four_u32 d = load_four(from + 3 * p->from_col);
    const four_u32 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const four_u32 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const four_u32 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const four_u32 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const four_u32 rows[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                              __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                              __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                              __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (int64_t r = 0; r < 4; r++) memcpy(to + r * p->to_row, &rows[r], sizeof rows[r]);
}

static void square_4(const plane *p, char *to, const char *from) {
    for (int64_t r = 0; r < TILE; r += 4) {
        for (int64_t c = 0; c < TILE; c += 4) {
            square_of_4(p, to + r * p->to_row + c * 4, from + r * 4 + c * p->from_col);
        }
    }
}

SQUARE(1)
SQUARE(2)
SQUARE(8)
SQUARE(16)
PLANE_SWAP(1, uint8_t)
PLANE_SWAP(2, uint16_t)
PLANE_SWAP(4, uint32_t)
PLANE_SWAP(8, uint64_t)
PLANE_SWAP(16, unit_16)

static const plane_move steps[] = {[1] = plane_step_1,
                                   [2] = plane_step_2,
                                   [4] = plane_step_4,
                                   [8] = plane_step_8,
                                   [16] = plane_step_16};
static const plane_move swaps[] = {[1] = plane_swap_1,
                                   [2] = plane_swap_2,
                                   [4] = plane_swap_4,
                                   [8] = plane_swap_8,
                                   [16] = plane_swap_16};

/* ---- what goes around the planes */

typedef struct job {
    move outer; /* steps in bytes */
    plane inner;
    plane_move run;
    uint64_t rows;
    uint64_t row_piece; /* rows of one item */
    uint64_t pieces;    /* items for each plane */
    char *to;
    const char *from;
} job;

static bool divides(const move *m, uint64_t count) {
    for (uint32_t i = 0; i + 1 < m->rank; i++) {
        if (m->axes[i].to % (int64_t)count != 0 || m->axes[i].from % (int64_t)count != 0) {
            return false;
        }
    }
    return true;
}

/* A short run of units that stay together is one larger unit. */
static void widen(move *m, uint64_t *size) {
    if (m->rank < 2) return;
    const move_axis last = m->axes[m->rank - 1];
    const bool together = last.to == 1 && last.from == 1;
    const bool fits = last.count == 2 || last.count == 4 || last.count == 8 || last.count == 16;
    if (!together || !fits || last.count * *size > UNIT_BYTES || !divides(m, last.count)) return;
    *size *= last.count;
    m->rank--;
    for (uint32_t i = 0; i < m->rank; i++) {
        m->axes[i].to /= (int64_t)last.count;
        m->axes[i].from /= (int64_t)last.count;
    }
}

/* Takes axis i out of the walk. */
static move_axis take_axis(move *m, uint32_t i) {
    const move_axis taken = m->axes[i];
    m->rank--;
    for (uint32_t j = i; j < m->rank; j++) m->axes[j] = m->axes[j + 1];
    return taken;
}

/* The axis along which `from` lies together, the rank if there is none. */
static uint32_t together_axis(const move *m) {
    uint32_t i = 0;
    while (i < m->rank && m->axes[i].from != 1) i++;
    return i;
}

static void choose_plane(job *j, uint64_t size) {
    move *m = &j->outer;
    const int64_t bytes = (int64_t)size;
    const move_axis none = {1, 0, 0};
    const move_axis cols = m->rank > 0 ? take_axis(m, m->rank - 1) : (move_axis){1, 1, 1};
    const uint32_t across = together_axis(m);
    const bool swap = cols.to == 1 && cols.from != 1 && across < m->rank;
    const move_axis rows = swap          ? take_axis(m, across)
                           : m->rank > 0 ? take_axis(m, m->rank - 1)
                                         : none;
    j->rows = rows.count;
    j->inner = (plane){.cols = cols.count,
                       .to_row = rows.to * bytes,
                       .from_row = rows.from * bytes,
                       .to_col = cols.to * bytes,
                       .from_col = cols.from * bytes,
                       .size = size};
    j->run = swap                             ? swaps[size]
             : cols.to == 1 && cols.from == 1 ? plane_copy
             : cols.to == 1 && cols.from == 0 ? plane_fill
                                              : steps[size];
    for (uint32_t i = 0; i < m->rank; i++) {
        m->axes[i].to *= bytes;
        m->axes[i].from *= bytes;
    }
}

/* About so many bytes are worth a piece of work. */
#define PIECE_BYTES (UINT64_C(64) * 1024)

static void choose_pieces(job *j) {
    const uint64_t row = j->inner.cols * j->inner.size;
    uint64_t piece = PIECE_BYTES / row / TILE * TILE;
    if (piece == 0 && row < PIECE_BYTES) piece = TILE;
    if (piece > j->rows) piece = j->rows;
    if (piece == 0) piece = 1;
    j->row_piece = piece;
    j->pieces = (j->rows + piece - 1) / piece;
}

/* Where plane number `item` begins. */
typedef struct place {
    int64_t to, from;
    uint64_t index[MOVE_AXES];
} place;

static place place_of(const move *m, uint64_t item) {
    place at = {.to = 0, .from = 0};
    for (uint32_t i = m->rank; i-- > 0;) {
        at.index[i] = item % m->axes[i].count;
        item /= m->axes[i].count;
        at.to += (int64_t)at.index[i] * m->axes[i].to;
        at.from += (int64_t)at.index[i] * m->axes[i].from;
    }
    return at;
}

static void place_next(const move *m, place *at) {
    for (uint32_t i = m->rank; i-- > 0;) {
        at->to += m->axes[i].to;
        at->from += m->axes[i].from;
        if (++at->index[i] < m->axes[i].count) return;
        at->index[i] = 0;
        at->to -= (int64_t)m->axes[i].count * m->axes[i].to;
        at->from -= (int64_t)m->axes[i].count * m->axes[i].from;
    }
}

static void run_items(void *context, uint64_t from, uint64_t to) {
    const job *j = context;
    uint64_t part = from % j->pieces;
    place at = place_of(&j->outer, from / j->pieces);
    for (uint64_t item = from; item < to; item++) {
        const uint64_t first = part * j->row_piece;
        const uint64_t left = j->rows - first;
        j->run(&j->inner, j->to + at.to + (int64_t)first * j->inner.to_row,
               j->from + at.from + (int64_t)first * j->inner.from_row,
               left < j->row_piece ? left : j->row_piece);
        if (++part < j->pieces) continue;
        part = 0;
        place_next(&j->outer, &at);
    }
}

void move_run(const op_call *call, const move *m, uint64_t size, char *to, const char *from) {
    if (m->empty) return;
    job j = {.outer = *m, .to = to, .from = from};
    widen(&j.outer, &size);
    choose_plane(&j, size);
    choose_pieces(&j);
    uint64_t planes = 1;
    for (uint32_t i = 0; i < j.outer.rank; i++) planes *= j.outer.axes[i].count;
    const uint64_t bytes = j.row_piece * j.inner.cols * size;
    op_parallel(call, planes * j.pieces, 1 + PIECE_BYTES / (bytes + 1), run_items, &j);
}
