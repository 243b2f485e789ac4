#include "infer/conv.h"

#include <string.h>

#include "infer/parallel.h"

/* As in blas.c: a panel stays in the first cache, and the accumulators of a block of rows
 * beside it. */
enum { DEPTH = 256, BLOCK_ROWS = 96, VECTOR_BYTES = 64, BLOCK_PANELS = 8 };

/* ---- how an image lies in memory */

typedef struct conv_layout {
    bool copied;
    bool gathered;                    /* a slab's columns are picked one by one */
    uint64_t phases[WINDOW_MAX_AXES]; /* of the stride that taps fall upon */
    uint64_t extent[WINDOW_MAX_AXES]; /* of each phase */
    uint64_t steps[WINDOW_MAX_AXES];  /* from one position along an axis to the next */
    uint64_t plane;                   /* elements of a channel */
    uint64_t source;                  /* ... of an image, and what tiles read behind it */
    uint64_t taps;
    uint64_t depth;   /* channels * taps */
    uint64_t slabs;   /* an image's output, cut along all but its last two axes */
    uint64_t rows;    /* of a slab */
    uint64_t columns; /* positions of a slab that are computed */
} conv_layout;

static bool in_place(const window *w) {
    for (uint32_t i = 0; i < w->axes; i++) {
        if (w->before[i] > 0 || w->after[i] > 0 || w->stride[i] > 1) return false;
    }
    return true;
}

static uint64_t saturating(uint64_t a, uint64_t b) {
    uint64_t result;
    return __builtin_mul_overflow(a, b, &result) ? UINT64_MAX : result;
}

static void layout_axes(const window *w, conv_layout *l) {
    l->plane = 1;
    for (uint32_t i = w->axes; i-- > 0;) {
        const int64_t last = window_reach(w, i) - 1; /* how far the last tap lies */
        const int64_t stride = w->stride[i];
        l->phases[i] = (uint64_t)(last + 1 < stride ? last + 1 : stride);
        l->extent[i] = (uint64_t)(w->out[i] + last / stride);
        l->steps[i] = l->plane;
        l->plane = saturating(l->plane, l->extent[i]);
    }
    for (uint32_t i = 0; i < w->axes; i++) l->plane = saturating(l->plane, l->phases[i]);
}

/* Positions of a slab lie in rows of the copy's width, so a tile also computes what
 * falls between two rows. Where that would be much, columns are picked. */
static void layout_columns(const window *w, conv_layout *l) {
    const uint32_t last = w->axes - 1;
    const uint64_t width = (uint64_t)w->out[last];
    l->slabs = 1;
    for (uint32_t i = 0; i + 2 < w->axes; i++) l->slabs = saturating(l->slabs, (uint64_t)w->out[i]);
    l->rows = w->axes > 1 ? (uint64_t)w->out[last - 1] : 1;
    const uint64_t wanted = saturating(l->rows, width);
    const uint64_t spanned = saturating(l->rows - 1, l->extent[last]) + width;
    l->gathered = spanned / 2 > wanted;
    l->columns = l->gathered ? wanted : spanned;
}

static conv_layout layout_of(const conv_shape *shape) {
    conv_layout l = {.copied = !in_place(&shape->w), .taps = 1};
    layout_axes(&shape->w, &l);
    layout_columns(&shape->w, &l);
    for (uint32_t i = 0; i < shape->w.axes; i++) {
        l.taps = saturating(l.taps, (uint64_t)shape->w.kernel[i]);
    }
    l.depth = saturating(shape->channels, l.taps);
    l.source = saturating(saturating(l.plane, shape->channels), shape->groups);
    if (__builtin_add_overflow(l.source, TILE_MAX_WIDE, &l.source)) l.source = UINT64_MAX;
    return l;
}

static uint64_t size_of(const conv_shape *shape) {
    return shape->element == TILE_F32 || shape->element == TILE_U32 ? 4 : 8;
}

wlk_status conv_need(op_call *call, const conv_shape *shape, uint64_t cost) {
    const conv_layout l = layout_of(shape);
    const uint64_t sums = saturating(saturating(shape->images, shape->groups), shape->outputs);
    op_add_operations(call, cost, sums, saturating(l.slabs, l.columns + TILE_MAX_COLUMNS), l.depth);
    op_add_operations(call, OP_ELEMENT_COST, l.depth, 1, 1);
    TRY(op_need_scratch(call, l.depth, sizeof(int64_t)));
    if (!l.copied) return WLK_OK;
    op_add_operations(call, OP_ELEMENT_COST, shape->images, l.source, 1);
    return op_need_scratch(call, l.source, size_of(shape));
}

/* ---- the run */

typedef struct conv {
    const conv_shape *shape;
    const conv_data *data;
    conv_layout layout;
    const tile_kernels *kernels;
    uint64_t size;
    const int64_t *offsets; /* of each tap of each channel of a group */
    const char *image;      /* of the batch, as given */
    char *copy;
    char *out;      /* this image's */
    uint64_t plane; /* of an output channel */
    uint64_t width; /* of an output row */
    /* items of work: groups x row blocks x slabs x blocks of panels */
    uint64_t row_blocks;
    uint64_t panel_blocks;
    uint64_t block_columns;
} conv;

/* Where tap number `tap` of a channel lies. */
static int64_t tap_offset(const conv *c, uint64_t tap) {
    const window *w = &c->shape->w;
    uint64_t offset = 0;
    uint64_t phase = 0;
    uint64_t unit = 1;
    uint64_t phases = 1;
    for (uint32_t i = 0; i < w->axes; i++) phases *= c->layout.phases[i];
    for (uint32_t i = w->axes; i-- > 0;) {
        const uint64_t kernel = (uint64_t)w->kernel[i];
        const uint64_t at = tap % kernel * (uint64_t)w->dilation[i];
        tap /= kernel;
        offset += at / (uint64_t)w->stride[i] * c->layout.steps[i];
        phase += at % (uint64_t)w->stride[i] * unit;
        unit *= c->layout.phases[i];
    }
    return (int64_t)(phase * (c->layout.plane / phases) + offset);
}

static void fill_offsets(const conv *c, int64_t *offsets) {
    for (uint64_t tap = 0; tap < c->layout.taps; tap++) {
        const int64_t at = tap_offset(c, tap);
        for (uint64_t channel = 0; channel < c->shape->channels; channel++) {
            offsets[channel * c->layout.taps + tap] = at + (int64_t)(channel * c->layout.plane);
        }
    }
}

/* ---- the copy */

/* Every step-th element; the usual steps are constants, for vectors. */
#define COPY_STEPS(function, type)                                                    \
    static void function(char *to, const char *from, uint64_t count, uint64_t step) { \
        type *restrict out = (type *)(void *)to;                                      \
        const type *in = (const type *)(const void *)from;                            \
        for (uint64_t i = 0; step == 1 && i < count; i++) out[i] = in[i];             \
        for (uint64_t i = 0; step == 2 && i < count; i++) out[i] = in[i * 2];         \
        for (uint64_t i = 0; step > 2 && i < count; i++) out[i] = in[i * step];       \
    }

COPY_STEPS(copy_steps_4, uint32_t)
COPY_STEPS(copy_steps_8, uint64_t)

/* A row of the copy: one phase of the last axis. Of its elements [first, end) are the
 * image's, from `start` on; the others are padding. */
typedef struct copy_span {
    uint64_t first;
    uint64_t end;
    uint64_t start;
} copy_span;

static copy_span span_of(const window *w, const conv_layout *l, uint64_t phase) {
    const uint32_t last = w->axes - 1;
    const int64_t step = w->stride[last];
    const int64_t at = (int64_t)phase - w->before[last];
    const int64_t first = at >= 0 ? 0 : (-at + step - 1) / step;
    int64_t end = at >= w->in[last] ? 0 : (w->in[last] - at + step - 1) / step;
    if (end > (int64_t)l->extent[last]) end = (int64_t)l->extent[last];
    if (first >= end) return (copy_span){.first = 0};
    return (copy_span){(uint64_t)first, (uint64_t)end, (uint64_t)(at + first * step)};
}

static void copy_row(const conv *c, const char *from, const copy_span *span, char *to) {
    const uint32_t last = c->shape->w.axes - 1;
    const uint64_t step = (uint64_t)c->shape->w.stride[last];
    const uint64_t count = span->end - span->first;
    char *const begin = to + span->first * c->size;
    char *const behind = to + span->end * c->size;
    if (span->first > 0) memset(to, 0, span->first * c->size);
    if (c->size == 4) {
        copy_steps_4(begin, from + span->start * 4, count, step);
    } else {
        copy_steps_8(begin, from + span->start * 8, count, step);
    }
    const uint64_t rest = c->layout.extent[last] - span->end;
    if (rest > 0) memset(behind, 0, rest * c->size);
}

/* A place among the rows of a channel's copy: which phase of each axis, and which position
 * within it of all but the last. */
typedef struct copy_place {
    uint64_t phase[WINDOW_MAX_AXES];
    uint64_t at[WINDOW_MAX_AXES];
} copy_place;

/* The row of the image that lies there; UINT64_MAX is padding. */
static uint64_t image_row(const window *w, const copy_place *place) {
    uint64_t row = 0;
    for (uint32_t i = 0; i + 1 < w->axes; i++) {
        const int64_t at =
            (int64_t)place->phase[i] + (int64_t)place->at[i] * w->stride[i] - w->before[i];
        if (at < 0 || at >= w->in[i]) return UINT64_MAX;
        row = row * (uint64_t)w->in[i] + (uint64_t)at;
    }
    return row;
}

/* False behind the last row of the phase. */
static bool next_row(const conv_layout *l, uint32_t axes, copy_place *place) {
    for (uint32_t i = axes - 1; i-- > 0;) {
        if (++place->at[i] < l->extent[i]) return true;
        place->at[i] = 0;
    }
    return false;
}

static bool next_phase(const conv_layout *l, uint32_t axes, copy_place *place) {
    for (uint32_t i = axes; i-- > 0;) {
        if (++place->phase[i] < l->phases[i]) return true;
        place->phase[i] = 0;
    }
    return false;
}

static uint64_t image_span(const window *w) {
    uint64_t span = 1;
    for (uint32_t i = 0; i < w->axes; i++) span *= (uint64_t)w->in[i];
    return span;
}

static void copy_channel(const conv *c, const char *from, char *to) {
    static const copy_span padding = {.first = 0};
    const window *w = &c->shape->w;
    const conv_layout *l = &c->layout;
    const uint32_t last = w->axes - 1;
    const uint64_t line = (uint64_t)w->in[last] * c->size;
    copy_place place = {.phase = {0}};
    do {
        const copy_span span = span_of(w, l, place.phase[last]);
        do {
            const uint64_t row = image_row(w, &place);
            if (row == UINT64_MAX) {
                copy_row(c, from, &padding, to);
            } else {
                copy_row(c, from + row * line, &span, to);
            }
            to += l->extent[last] * c->size;
        } while (next_row(l, w->axes, &place));
    } while (next_phase(l, w->axes, &place));
}

static void copy_channels(void *context, uint64_t from, uint64_t to) {
    const conv *c = context;
    const uint64_t span = image_span(&c->shape->w) * c->size;
    for (uint64_t channel = from; channel < to; channel++) {
        copy_channel(c, c->image + channel * span, c->copy + channel * c->layout.plane * c->size);
    }
}

/* ---- panels */

/* What one block of rows does with one panel of columns. */
typedef struct panel {
    const char *source; /* of the group and slab */
    uint64_t column;
    uint64_t count;
    uint64_t width; /* in elements, of the tile */
    char *packed;   /* room for DEPTH rows */
} panel;

/* The position of column j of a slab. */
static uint64_t position(const conv *c, uint64_t j) {
    if (!c->layout.gathered) return j;
    return j / c->width * c->layout.extent[c->shape->w.axes - 1] + j % c->width;
}

#define GATHER(function, type)                                                                    \
    static void function(const conv *c, const panel *p, const int64_t *offsets, uint64_t depth) { \
        const type *from = (const type *)(const void *)p->source;                                 \
        type *restrict to = (type *)(void *)p->packed;                                            \
        uint64_t at[TILE_MAX_COLUMNS];                                                            \
        for (uint64_t j = 0; j < p->count; j++) at[j] = position(c, p->column + j);               \
        for (uint64_t l = 0; l < depth; l++) {                                                    \
            const type *row = from + offsets[l];                                                  \
            for (uint64_t j = 0; j < p->count; j++) to[j] = row[at[j]];                           \
            for (uint64_t j = p->count; j < p->width; j++) to[j] = 0;                             \
            to += p->width;                                                                       \
        }                                                                                         \
    }

GATHER(gather_4, uint32_t)
GATHER(gather_8, uint64_t)

static void fill_rows(const conv *c, char *to, uint64_t step, uint64_t rows, uint64_t count,
                      const char *bias) {
    for (uint64_t i = 0; i < rows; i++) {
        char *row = to + i * step * c->size;
        if (c->size == 4) {
            uint32_t value;
            memcpy(&value, bias + i * 4, 4);
            for (uint64_t j = 0; j < count; j++) ((uint32_t *)(void *)row)[j] = value;
        } else {
            uint64_t value;
            memcpy(&value, bias + i * 8, 8);
            for (uint64_t j = 0; j < count; j++) ((uint64_t *)(void *)row)[j] = value;
        }
    }
}

/* Sums the block's rows over the depth into t->c. */
static void panel_sums(const conv *c, const panel *p, tile *t, const char *weights, uint64_t rows) {
    int64_t packed_offsets[DEPTH];
    const bool pack = c->layout.gathered || (!c->layout.copied && p->count < p->width);
    const uint64_t strips = (rows + c->kernels->rows - 1) / c->kernels->rows;
    char *const sums = t->c;
    for (uint64_t l = 0; pack && l < DEPTH; l++) packed_offsets[l] = (int64_t)(l * p->width);
    for (uint64_t l = 0; l < c->layout.depth; l += DEPTH) {
        const int64_t *offsets = c->offsets + l;
        t->depth = c->layout.depth - l < DEPTH ? c->layout.depth - l : DEPTH;
        t->b = pack ? p->packed : p->source + p->column * c->size;
        t->offsets = pack ? packed_offsets : offsets;
        if (pack) (c->size == 4 ? gather_4 : gather_8)(c, p, offsets, t->depth);
        uint64_t row = 0;
        for (uint64_t i = 0; i < strips; i++) {
            const uint64_t height = rows / strips + (i < rows % strips);
            t->a = weights + (row * c->layout.depth + l) * c->size;
            t->c = sums + row * t->c_row * c->size;
            if (p->width == (uint64_t)c->kernels->lanes * TILE_WIDE) {
                c->kernels->wide(t);
            } else {
                c->kernels->runs[p->width / c->kernels->lanes - 1][height - 1](t);
            }
            row += height;
        }
        t->add = true;
    }
    t->c = sums;
}

/* Puts the sums of a panel's columns where they belong, leaving out what lies between two
 * rows of the output. */
static void store_panel(const conv *c, const panel *p, const tile *t, char *out, uint64_t rows) {
    const uint64_t extent = c->layout.gathered ? c->width : c->layout.extent[c->shape->w.axes - 1];
    const uint64_t end = p->column + p->count;
    for (uint64_t j = p->column; j < end;) {
        const uint64_t row = j / extent;
        const uint64_t at = j % extent;
        const uint64_t length = at < c->width ? c->width - at : extent - at;
        const uint64_t piece = length < end - j ? length : end - j;
        for (uint64_t i = 0; at < c->width && i < rows; i++) {
            memcpy(out + (i * c->plane + row * c->width + at) * c->size,
                   (const char *)t->c + (i * t->c_row + j - p->column) * c->size, piece * c->size);
        }
        j += piece;
    }
}

/* How wide a tile for so many columns: a single row takes a wide one. */
static uint64_t tile_width(const conv *c, uint64_t left) {
    const uint64_t lanes = c->kernels->lanes;
    const bool in_full = c->layout.copied || left >= lanes * TILE_WIDE;
    if (c->shape->outputs == 1 && !c->layout.gathered && in_full && left > lanes * TILE_VECTORS) {
        return lanes * TILE_WIDE;
    }
    return left > lanes ? lanes * TILE_VECTORS : lanes;
}

static void block_panel(const conv *c, panel *p, uint64_t channel, uint64_t rows, char *out) {
    /* Filled before they are read. */
    char sums[BLOCK_ROWS * TILE_VECTORS * VECTOR_BYTES]
        __attribute__((aligned(VECTOR_BYTES), uninitialized));
    const char *bias = c->data->bias;
    const char *weights = c->data->w;
    const bool straight =
        p->count == p->width &&
        (c->layout.gathered || c->layout.extent[c->shape->w.axes - 1] == c->width);
    tile t = {.a_row = c->layout.depth,
              .a_step = 1,
              .c = straight ? out + p->column * c->size : sums,
              .c_row = straight ? c->plane : p->width,
              .add = bias != NULL || c->layout.depth == 0};
    if (bias) {
        fill_rows(c, t.c, t.c_row, rows, p->width, bias + channel * c->size);
    } else if (t.add) {
        for (uint64_t i = 0; i < rows; i++) {
            memset((char *)t.c + i * t.c_row * c->size, 0, p->width * c->size);
        }
    }
    panel_sums(c, p, &t, weights + channel * c->layout.depth * c->size, rows);
    if (!straight) store_panel(c, p, &t, out, rows);
}

/* The position at which a slab begins in the copy. */
static uint64_t slab_start(const conv *c, uint64_t slab) {
    const window *w = &c->shape->w;
    uint64_t at = 0;
    for (uint32_t i = w->axes < 2 ? 0 : w->axes - 2; i-- > 0;) {
        at += slab % (uint64_t)w->out[i] * c->layout.steps[i];
        slab /= (uint64_t)w->out[i];
    }
    return at;
}

static void run_items(void *context, uint64_t from, uint64_t to) {
    const conv *c = context;
    const conv_shape *shape = c->shape;
    char packed[DEPTH * TILE_VECTORS * VECTOR_BYTES]
        __attribute__((aligned(VECTOR_BYTES), uninitialized));
    const char *source = c->layout.copied ? c->copy : c->image;
    for (uint64_t i = from; i < to; i++) {
        uint64_t rest = i;
        const uint64_t column = rest % c->panel_blocks * c->block_columns;
        rest /= c->panel_blocks;
        const uint64_t slab = rest % c->layout.slabs;
        rest /= c->layout.slabs;
        const uint64_t row = rest % c->row_blocks * BLOCK_ROWS;
        const uint64_t group = rest / c->row_blocks;
        const uint64_t rows = shape->outputs - row < BLOCK_ROWS ? shape->outputs - row : BLOCK_ROWS;
        const uint64_t channel = group * shape->outputs + row;
        char *out = c->out + (channel * c->plane + slab * c->layout.rows * c->width) * c->size;
        const uint64_t end = column + c->block_columns < c->layout.columns
                                 ? column + c->block_columns
                                 : c->layout.columns;
        panel p = {
            .source = source +
                      (group * shape->channels * c->layout.plane + slab_start(c, slab)) * c->size,
            .packed = packed};
        for (p.column = column; p.column < end; p.column += p.count) {
            p.width = tile_width(c, end - p.column);
            p.count = end - p.column < p.width ? end - p.column : p.width;
            block_panel(c, &p, channel, rows, out);
        }
    }
}

/* Enough work that handing it to a thread does not show. */
#define PIECE_WORK (UINT64_C(1) << 21)

static void run_image(const op_call *call, conv *c) {
    const conv_shape *shape = c->shape;
    const conv_layout *l = &c->layout;
    if (l->copied) {
        const uint64_t channels = shape->groups * shape->channels;
        memset(c->copy + channels * l->plane * c->size, 0, TILE_MAX_WIDE * c->size);
        op_parallel(call, channels, 1 + PIECE_WORK / 16 / (l->plane + 1), copy_channels, c);
    }
    const uint64_t height = shape->outputs < BLOCK_ROWS ? shape->outputs : BLOCK_ROWS;
    const uint64_t work = height * c->block_columns * (l->depth + 1);
    op_parallel(call, shape->groups * c->row_blocks * l->slabs * c->panel_blocks,
                1 + PIECE_WORK / work, run_items, c);
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

void conv_run(const op_call *call, const conv_shape *shape, const conv_data *data) {
    const window *w = &shape->w;
    if (shape->images == 0 || shape->outputs == 0) return;
    conv c = {.shape = shape,
              .data = data,
              .layout = layout_of(shape),
              .kernels = tile_kernels_of(shape->element),
              .size = size_of(shape)};
    int64_t *offsets = data->scratch;
    c.offsets = offsets;
    c.copy = (char *)data->scratch +
             divide_up(c.layout.depth * sizeof *offsets, TENSOR_ALIGN) * TENSOR_ALIGN;
    c.width = (uint64_t)w->out[w->axes - 1];
    c.plane = c.layout.slabs * c.layout.rows * c.width;
    c.block_columns = BLOCK_PANELS * (uint64_t)c.kernels->lanes *
                      (shape->outputs == 1 ? TILE_WIDE : TILE_VECTORS);
    c.panel_blocks = divide_up(c.layout.columns, c.block_columns);
    c.row_blocks = divide_up(shape->outputs, BLOCK_ROWS);
    fill_offsets(&c, offsets);
    for (uint64_t i = 0; i < shape->images; i++) {
        c.image =
            (const char *)data->x + i * shape->groups * shape->channels * image_span(w) * c.size;
        c.out = (char *)data->y + i * shape->groups * shape->outputs * c.plane * c.size;
        run_image(call, &c);
    }
}
