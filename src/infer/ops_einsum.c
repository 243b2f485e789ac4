/* Einsum. Two operands of floats are one product of matrices for each batch; all else
 * goes through every combination of labels. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/einsum.h"
#include "infer/ops.h"
#include "infer/strided.h"

/* ---- two operands: labels are of one of these parts */

enum { PART_BATCH, PART_ROWS, PART_COLUMNS, PART_INNER, PART_LEFT, PART_RIGHT, PARTS };

/* Labels in the order in which they are walked: the result's first, in its order. */
typedef struct einsum_parts {
    uint32_t count[PARTS];
    uint8_t labels[PARTS][EINSUM_LABELS];
    uint64_t sizes[PARTS];
} einsum_parts;

static void put_label(einsum_parts *parts, const einsum_layout *layout, uint32_t part,
                      uint32_t label) {
    parts->labels[part][parts->count[part]++] = (uint8_t)label;
    parts->sizes[part] *= (uint64_t)layout->dims[label];
}

/* A label that only one operand has is summed in it before the product, unless the
 * result has it. */
static uint32_t part_of(bool in_result, bool left, bool right) {
    if (left && right) return in_result ? PART_BATCH : PART_INNER;
    if (left) return in_result ? PART_ROWS : PART_LEFT;
    return in_result ? PART_COLUMNS : PART_RIGHT;
}

/* The sizes are products of one tensor's dims, all of which are at least 2: no dim is 0. */
static void split_labels(const einsum_layout *layout, const uint64_t steps[2][EINSUM_LABELS],
                         einsum_parts *parts) {
    bool in_result[EINSUM_LABELS] = {false};
    memset(parts, 0, sizeof *parts);
    for (uint32_t i = 0; i < PARTS; i++) parts->sizes[i] = 1;
    for (uint32_t a = 0; a < layout->result_rank; a++) {
        const uint32_t label = layout->result[a];
        in_result[label] = true;
        if (layout->dims[label] == 1) continue;
        put_label(parts, layout, part_of(true, steps[0][label] > 0, steps[1][label] > 0), label);
    }
    for (uint32_t label = 0; label < EINSUM_LABELS; label++) {
        if (in_result[label] || layout->dims[label] == 1) continue;
        put_label(parts, layout, part_of(false, steps[0][label] > 0, steps[1][label] > 0), label);
    }
}

static void add_part(const einsum_layout *layout, const einsum_parts *parts, uint32_t part,
                     const uint64_t steps[EINSUM_LABELS], strided *out) {
    for (uint32_t i = 0; i < parts->count[part]; i++) {
        const uint32_t label = parts->labels[part][i];
        strided_add(out, (uint64_t)layout->dims[label], steps[label]);
    }
}

/* An operand as the product wants it: batch, rows, columns of a matrix. */
typedef struct einsum_side {
    strided order;
    strided sums;
    bool transposed; /* it lies there as batch, columns, rows */
    bool packed;     /* and can be taken as it is */
    uint64_t count;
} einsum_side;

static einsum_side side_of(const einsum_layout *layout, const einsum_parts *parts, bool left,
                           const uint64_t steps[EINSUM_LABELS]) {
    const uint32_t rows = left ? PART_ROWS : PART_INNER;
    const uint32_t columns = left ? PART_INNER : PART_COLUMNS;
    einsum_side side = {.packed = false};
    strided turned = {.rank = 0};
    add_part(layout, parts, PART_BATCH, steps, &side.order);
    turned = side.order;
    add_part(layout, parts, rows, steps, &side.order);
    add_part(layout, parts, columns, steps, &side.order);
    add_part(layout, parts, columns, steps, &turned);
    add_part(layout, parts, rows, steps, &turned);
    add_part(layout, parts, left ? PART_LEFT : PART_RIGHT, steps, &side.sums);
    side.count = strided_count(&side.order);
    side.packed = side.sums.rank == 0 && strided_is_packed(&side.order);
    side.transposed = !side.packed && side.sums.rank == 0 && strided_is_packed(&turned);
    return side;
}

typedef struct einsum_product {
    einsum_parts parts;
    einsum_side left;
    einsum_side right;
    strided result; /* the product's places in the order of the result */
    product product;
} einsum_product;

/* The product lies as batch, rows, columns: where is each label of the result? */
static void result_order(const einsum_layout *layout, einsum_product *p) {
    static const uint32_t order[] = {PART_COLUMNS, PART_ROWS, PART_BATCH};
    uint64_t steps[EINSUM_LABELS] = {0};
    uint64_t step = 1;
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t k = p->parts.count[order[i]]; k-- > 0;) {
            const uint32_t label = p->parts.labels[order[i]][k];
            steps[label] = step;
            step *= (uint64_t)layout->dims[label];
        }
    }
    for (uint32_t a = 0; a < layout->result_rank; a++) {
        const uint32_t label = layout->result[a];
        strided_add(&p->result, (uint64_t)layout->dims[label], steps[label]);
    }
}

static void plan_product(const op_call *call, const einsum_layout *layout, einsum_product *p) {
    uint64_t steps[2][EINSUM_LABELS];
    memset(p, 0, sizeof *p);
    for (uint32_t i = 0; i < 2; i++) einsum_steps(call, layout, i, steps[i]);
    split_labels(layout, (const uint64_t(*)[EINSUM_LABELS])steps, &p->parts);
    p->left = side_of(layout, &p->parts, true, steps[0]);
    p->right = side_of(layout, &p->parts, false, steps[1]);
    result_order(layout, p);
    p->product = (product){.transpose_a = p->left.transposed,
                           .transpose_b = p->right.transposed,
                           .m = p->parts.sizes[PART_ROWS],
                           .n = p->parts.sizes[PART_COLUMNS],
                           .k = p->parts.sizes[PART_INNER]};
}

static bool is_taken(const einsum_side *side) {
    return side->packed || side->transposed;
}

static wlk_status need_product(op_call *call, const einsum_layout *layout) {
    const uint64_t size = wlk_dtype_bits(op_input(call, 0)->dtype) / 8;
    einsum_product p;
    uint64_t elements = 0;
    plan_product(call, layout, &p);
    if (!product_fits(&p.product)) {
        return op_fail(call, RULE_RUN_MATRIX, "%" PRIu64 " x %" PRIu64 " x %" PRIu64, p.product.m,
                       p.product.k, p.product.n);
    }
    if (!checked_mul(p.product.m, p.product.n, &elements) ||
        !checked_mul(elements, p.parts.sizes[PART_BATCH], &elements)) {
        return op_fail(call, RULE_RUN_MEMORY, "its result");
    }
    op_add_operations(call, 1, elements, p.product.k, 1);
    op_add_operations(call, OP_CALL_COST, p.parts.sizes[PART_BATCH], 1, 1);
    TRY(op_need_scratch(call, is_taken(&p.left) ? 0 : p.left.count, size));
    TRY(op_need_scratch(call, is_taken(&p.right) ? 0 : p.right.count, size));
    return op_need_scratch(call, strided_is_packed(&p.result) ? 0 : elements, size);
}

static uint64_t room_bytes(uint64_t count, uint64_t size) {
    return (count * size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
}

/* The operand as it is, or gathered into *room, which is moved on. */
static const char *take_side(const op_call *call, const einsum_side *side, uint32_t i,
                             char **room) {
    const op_tensor *in = op_input(call, i);
    char *to = *room;
    if (is_taken(side)) return in->data;
    strided_gather(in->dtype, to, in->data, &side->order, &side->sums);
    *room += room_bytes(side->count, wlk_dtype_bits(in->dtype) / 8);
    return to;
}

static void run_product(const op_call *call, const einsum_layout *layout) {
    const op_tensor *out = op_output(call, 0);
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    const strided nothing = {.rank = 0};
    einsum_product p;
    char *room = call->scratch;
    plan_product(call, layout, &p);
    const char *left = take_side(call, &p.left, 0, &room);
    const char *right = take_side(call, &p.right, 1, &room);
    const bool direct = strided_is_packed(&p.result);
    char *to = direct ? out->target : room;
    for (uint64_t i = 0; i < p.parts.sizes[PART_BATCH]; i++) {
        const void *a = left + i * p.product.m * p.product.k * size;
        const void *b = right + i * p.product.k * p.product.n * size;
        void *c = to + i * p.product.m * p.product.n * size;
        if (out->dtype == WLK_F64) {
            product_f64(&p.product, 1, a, b, 0, c);
        } else {
            product_f32(&p.product, 1, a, b, 0, c);
        }
    }
    if (!direct) strided_gather(out->dtype, out->target, room, &p.result, &nothing);
}

/* ---- any number of operands: every combination of labels */

/* Labels, those of the result first; steps[label][operand]. at[operand] is where each
 * operand is. */
typedef struct einsum_loop {
    uint32_t operands;
    uint32_t outer; /* labels of the result */
    uint32_t rank;  /* all labels */
    uint64_t dims[EINSUM_LABELS];
    uint64_t index[EINSUM_LABELS];
    uint64_t *steps;
    uint64_t *at;
    const void **data;
} einsum_loop;

/* One step of labels first..last as an odometer. */
static void loop_next(einsum_loop *l, uint32_t first, uint32_t last) {
    for (uint32_t a = last; a-- > first;) {
        const uint64_t *steps = l->steps + (uint64_t)a * l->operands;
        const bool carry = ++l->index[a] == l->dims[a];
        for (uint32_t i = 0; i < l->operands; i++) {
            l->at[i] += steps[i] - (carry ? steps[i] * l->dims[a] : 0);
        }
        if (!carry) return;
        l->index[a] = 0;
    }
}

#define LOOP(function, type, sum_type)                                                \
    static void function(einsum_loop *l, void *out, uint64_t count, uint64_t terms) { \
        type *to = out;                                                               \
        for (uint64_t i = 0; i < count; i++) {                                        \
            sum_type sum = 0;                                                         \
            for (uint64_t t = 0; t < terms; t++) {                                    \
                sum_type term = 1;                                                    \
                for (uint32_t k = 0; k < l->operands; k++) {                          \
                    term *= (sum_type)((const type *)l->data[k])[l->at[k]];           \
                }                                                                     \
                sum += term;                                                          \
                loop_next(l, l->outer, l->rank);                                      \
            }                                                                         \
            to[i] = (type)sum;                                                        \
            loop_next(l, 0, l->outer);                                                \
        }                                                                             \
    }

LOOP(loop_f64, double, double)
LOOP(loop_f32, float, double)
LOOP(loop_u64, uint64_t, uint64_t)
LOOP(loop_u32, uint32_t, uint64_t)
LOOP(loop_u16, uint16_t, uint64_t)
LOOP(loop_u8, uint8_t, uint64_t)

typedef void (*loop_run)(einsum_loop *l, void *out, uint64_t count, uint64_t terms);

/* Integers wrap around, so both signs have the same bits. */
static const loop_run loop_runs[WLK_DTYPE_COUNT] = {
    [WLK_F64] = loop_f64, [WLK_F32] = loop_f32, [WLK_I64] = loop_u64, [WLK_U64] = loop_u64,
    [WLK_I32] = loop_u32, [WLK_U32] = loop_u32, [WLK_I16] = loop_u16, [WLK_U16] = loop_u16,
    [WLK_I8] = loop_u8,   [WLK_U8] = loop_u8,
};

static wlk_status need_loop(op_call *call, const einsum_layout *layout) {
    uint64_t points = 1;
    for (uint32_t label = 0; label < EINSUM_LABELS; label++) {
        if (!checked_mul(points, (uint64_t)layout->dims[label], &points)) points = UINT64_MAX;
    }
    op_add_operations(call, OP_ELEMENT_COST, points, call->node->inputs, 2);
    TRY(op_need_scratch(call, (uint64_t)EINSUM_LABELS * call->node->inputs, sizeof(uint64_t)));
    TRY(op_need_scratch(call, call->node->inputs, sizeof(uint64_t)));
    return op_need_scratch(call, call->node->inputs, sizeof(void *));
}

static void loop_axis(const op_call *call, const einsum_layout *layout, uint32_t label,
                      einsum_loop *l) {
    if (layout->dims[label] == 1) return;
    l->dims[l->rank] = (uint64_t)layout->dims[label];
    for (uint32_t i = 0; i < l->operands; i++) {
        uint64_t steps[EINSUM_LABELS];
        einsum_steps(call, layout, i, steps);
        l->steps[(uint64_t)l->rank * l->operands + i] = steps[label];
    }
    l->rank++;
}

static void run_loop(const op_call *call, const einsum_layout *layout) {
    const op_tensor *out = op_output(call, 0);
    bool in_result[EINSUM_LABELS] = {false};
    char *room = call->scratch;
    uint64_t terms = 1;
    einsum_loop l = {.operands = call->node->inputs};
    l.steps = (uint64_t *)(void *)room;
    room += room_bytes((uint64_t)EINSUM_LABELS * l.operands, sizeof(uint64_t));
    l.at = (uint64_t *)(void *)room;
    l.data = (const void **)(void *)(room + room_bytes(l.operands, sizeof(uint64_t)));
    for (uint32_t i = 0; i < l.operands; i++) {
        l.at[i] = 0;
        l.data[i] = op_input(call, i)->data;
    }
    for (uint32_t a = 0; a < layout->result_rank; a++) {
        in_result[layout->result[a]] = true;
        loop_axis(call, layout, layout->result[a], &l);
    }
    l.outer = l.rank;
    for (uint32_t label = 0; label < EINSUM_LABELS; label++) {
        if (!in_result[label]) loop_axis(call, layout, label, &l);
    }
    for (uint32_t a = l.outer; a < l.rank; a++) terms *= l.dims[a];
    loop_runs[out->dtype](&l, out->target, out->count, terms);
}

/* ---- the operator */

static bool is_product(const op_call *call) {
    return call->node->inputs == 2 && (DTYPES_FLOAT & DTYPE_BIT(op_input(call, 0)->dtype));
}

static bool has_elements(const op_call *call) {
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        if (op_input(call, i)->count == 0) return false;
    }
    return true;
}

static wlk_status einsum_infer(op_call *call) {
    einsum_layout layout;
    int64_t dims[WLK_MAX_RANK] = {0};
    TRY(einsum_lay_out(call, &layout));
    for (uint32_t a = 0; a < layout.result_rank; a++) dims[a] = layout.dims[layout.result[a]];
    op_set_output(call, 0, op_input(call, 0)->dtype, layout.known ? layout.result_rank : WLK_NONE,
                  dims);
    if (!call->binding || !has_elements(call)) return WLK_OK;
    return is_product(call) ? need_product(call, &layout) : need_loop(call, &layout);
}

static wlk_status einsum_kernel(const op_call *call) {
    const op_tensor *out = op_output(call, 0);
    einsum_layout layout;
    TRY(einsum_lay_out(call, &layout));
    if (!has_elements(call)) {
        if (out->nbytes > 0) memset(out->target, 0, out->nbytes);
    } else if (is_product(call)) {
        run_product(call, &layout);
    } else {
        run_loop(call, &layout);
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {
    {.name = "equation", .type = WLK_ATTR_STRING, .required = true}};
static const op_port port_12[] = {{"Inputs", DTYPES_FLOAT | DTYPE_BIT(WLK_F16) | DTYPES_INT, 'T'}};
static const op_port port_28[] = {{"Inputs", DTYPES_FLOAT | DTYPES_HALF | DTYPES_INT, 'T'}};

#define ROW(version, op_port)                                                                     \
    {                                                                                             \
        .domain = "", .name = "Einsum", .since = version, .min_inputs = 1, .max_inputs = OP_MANY, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_port, .attributes = attributes,           \
        .attribute_count = 1, .infer = einsum_infer, .kernel = einsum_kernel, .flags = OP_HALF,   \
        .prepare = einsum_prepare                                                                 \
    }

static const op_row rows[] = {ROW(12, port_12), ROW(28, port_28)};

const op_family ops_einsum = {rows, sizeof rows / sizeof *rows};
