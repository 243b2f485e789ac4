/* Pad and CenterCropPad: a tensor gets a border, or loses one. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/move.h"
#include "infer/ops.h"
#include "infer/pick.h"
#include "infer/shape.h"
#include "infer/units.h"

/* Of each axis: where the output begins, counted in the input (negative in front of
 * it), and how long it is. */
typedef struct border {
    bool known;
    int64_t begin[WLK_MAX_RANK];
    int64_t dims[WLK_MAX_RANK]; /* WLK_UNKNOWN_DIM where it is not known */
} border;

/* ---- what both share: copy what lies within, fill the rest */

static wlk_status border_set(op_call *call, const border *b) {
    const op_tensor *in = op_input(call, 0);
    op_set_output(call, 0, in->dtype, in->rank, b->dims);
    TRY(units_need_input(call, 0));
    return units_need_output(call, 0);
}

/* The part of the output that is also in the input, as a walk over both. */
static move border_walk(const op_tensor *in, const op_tensor *out, const border *b, int64_t *to,
                        int64_t *from) {
    move m = {.empty = in->count == 0 || out->count == 0};
    for (uint32_t i = 0; i < in->rank && !m.empty; i++) {
        const int64_t first = b->begin[i] > 0 ? b->begin[i] : 0;
        const int64_t end =
            in->dims[i] - b->begin[i] < out->dims[i] ? in->dims[i] : b->begin[i] + out->dims[i];
        m.empty = end <= first;
        if (m.empty) break; /* and the steps below might not fit */
        *to += (first - b->begin[i]) * move_step(out, i);
        *from += first * move_step(in, i);
        move_add(&m, (uint64_t)(end - first), move_step(out, i), move_step(in, i));
    }
    return m;
}

static void fill_border(const op_call *call, const border *b, units *u,
                        const char unit[UNIT_BYTES]) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    const char *from = units_read(u, in);
    char *to = units_write(u, out);
    int64_t to_at = 0;
    int64_t from_at = 0;
    const move m = border_walk(in, out, b, &to_at, &from_at);
    units_fill(to, out->count, unit, u->size);
    if (!m.empty) {
        move_run(call, &m, u->size, to + to_at * (int64_t)u->size,
                 from + from_at * (int64_t)u->size);
    }
    units_end(u, out, to);
}

/* ---- Pad: pads are an attribute before version 11 ("paddings" in the first) */

enum { PAD_MODE, PAD_PADS, PAD_VALUE };
enum { PAD_INPUT_PADS = 1, PAD_INPUT_VALUE, PAD_INPUT_AXES };

typedef enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } pad_mode;

static wlk_status pad_read_mode(const op_call *call, pad_mode *mode) {
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *name = op_attribute(call, PAD_MODE).s;
    const uint32_t known = call->node->row->since >= 19 ? 4 : 3;
    for (uint32_t i = 0; i < known; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *mode = (pad_mode)i;
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.40s'", name);
}

static wlk_status pad_lists(const op_call *call, int_list *pads, int_list *axes) {
    *axes = (int_list){.known = true};
    *pads = ints_of_attribute(call, PAD_PADS);
    if (call->node->row->since < 11) return WLK_OK;
    TRY(ints_of_input(call, PAD_INPUT_PADS, pads));
    return ints_of_input(call, PAD_INPUT_AXES, axes);
}

/* Positions and dims can be added to a pad without overflow. */
#define PAD_MOST (INT64_MAX / 4)

static wlk_status pad_axis(const op_call *call, const int_list *pads, uint32_t i, uint32_t count,
                           uint32_t axis, border *b) {
    const int64_t begin = int_at(pads, i);
    const int64_t end = int_at(pads, i + count);
    const int64_t dim = op_input(call, 0)->dims[axis];
    if (begin < -PAD_MOST || begin > PAD_MOST)
        return ints_fail(call, pads, "a pad is out of range", begin);
    if (end < -PAD_MOST || end > PAD_MOST)
        return ints_fail(call, pads, "a pad is out of range", end);
    b->begin[axis] = -begin;
    b->dims[axis] = WLK_UNKNOWN_DIM;
    if (dim == WLK_UNKNOWN_DIM) return WLK_OK;
    if (__builtin_add_overflow(dim, begin, &b->dims[axis]) ||
        __builtin_add_overflow(b->dims[axis], end, &b->dims[axis]) || b->dims[axis] < 0) {
        return op_fail(call, op_shape_rule(call),
                       "axis %u of %" PRId64 " elements and pads of %" PRId64 " and %" PRId64, axis,
                       dim, begin, end);
    }
    return WLK_OK;
}

static wlk_status pad_border(const op_call *call, border *b) {
    const op_tensor *in = op_input(call, 0);
    int_list pads;
    int_list list;
    TRY(pad_lists(call, &pads, &list));
    b->known = pads.known && list.known;
    for (uint32_t i = 0; i < in->rank; i++) {
        b->begin[i] = 0;
        b->dims[i] = b->known ? in->dims[i] : WLK_UNKNOWN_DIM;
    }
    if (!b->known) return WLK_OK;
    axis_list axes;
    TRY(axes_read(call, &list, in->rank, true, &axes));
    TRY(ints_need_count(call, &pads, "pads", 2 * (uint64_t)axes.count));
    for (uint32_t i = 0; i < axes.count; i++) {
        TRY(pad_axis(call, &pads, i, axes.count, axes.axes[i], b));
    }
    return WLK_OK;
}

/* What is left of an axis after cropping, which comes before repeating: [first, end). */
static void pad_cropped(const op_tensor *in, const border *b, uint32_t i, int64_t *first,
                        int64_t *end) {
    const int64_t behind = b->dims[i] - in->dims[i] + b->begin[i]; /* the pad at the end */
    *first = b->begin[i] > 0 ? b->begin[i] : 0;
    *end = behind < 0 ? in->dims[i] + behind : in->dims[i];
}

/* Of what is not constant, every axis has something to repeat. */
static wlk_status pad_check_mode(const op_call *call, pad_mode mode, const border *b) {
    const op_tensor *in = op_input(call, 0);
    for (uint32_t i = 0; i < in->rank && mode != PAD_CONSTANT; i++) {
        if (b->dims[i] == 0 || b->dims[i] == WLK_UNKNOWN_DIM) continue;
        int64_t first = 0;
        int64_t end = 0;
        pad_cropped(in, b, i, &first, &end);
        if (first < end) continue;
        return op_fail(call, op_shape_rule(call), "axis %u is empty: there is nothing to repeat",
                       i);
    }
    return WLK_OK;
}

static wlk_status pad_check_value(const op_call *call) {
    const op_tensor *value = op_input(call, PAD_INPUT_VALUE);
    if (!value || !tensor_is_known(value)) return WLK_OK;
    if (dim_product(value->dims, 0, value->rank) == 1) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "input 2, the constant value, is not a scalar");
}

/* An upper bound of the text: every string of the output is one of the input's, or the
 * constant. */
static void pad_set_text(const op_call *call, pad_mode mode) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *out = op_output(call, 0);
    const op_tensor *value = op_input(call, PAD_INPUT_VALUE);
    if (in->dtype != WLK_STR || !tensor_is_known(out)) return;
    const uint64_t count = tensor_span(out, 0, out->rank);
    units_set_text(call, 0, 0, mode == PAD_CONSTANT ? 1 : count);
    uint64_t text = 0;
    if (mode != PAD_CONSTANT || !value) return;
    if (__builtin_mul_overflow(count, value->text_bytes, &text) ||
        __builtin_add_overflow(text, in->text_bytes, &text)) {
        text = UINT64_MAX;
    }
    op_set_text(call, 0, text);
}

/* A table for each axis, where the constant mode needs none. */
static wlk_status pad_need_tables(op_call *call, pad_mode mode, const border *b) {
    const uint32_t rank = op_input(call, 0)->rank;
    for (uint32_t i = 0; i < rank && mode != PAD_CONSTANT && call->binding; i++) {
        TRY(op_need_scratch(call, (uint64_t)b->dims[i], sizeof(int64_t)));
    }
    return WLK_OK;
}

static wlk_status pad_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    pad_mode mode = PAD_CONSTANT;
    border b = {.known = false};
    TRY(pad_read_mode(call, &mode));
    TRY(pad_check_value(call));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(pad_border(call, &b));
    TRY(pad_check_mode(call, mode, &b));
    TRY(border_set(call, &b));
    pad_set_text(call, mode);
    return b.known ? pad_need_tables(call, mode, &b) : WLK_OK;
}

/* The remainder that is not negative. */
static int64_t modulo(int64_t a, int64_t n) {
    const int64_t rest = a % n;
    return rest < 0 ? rest + n : rest;
}

/* Which element of 0..n stands for position x outside of it? */
static int64_t pad_position(pad_mode mode, int64_t x, int64_t n) {
    if (x >= 0 && x < n) return x;
    if (mode == PAD_EDGE || n == 1) return x < 0 ? 0 : n - 1;
    if (mode == PAD_WRAP) return modulo(x, n);
    const int64_t turned = modulo(x, 2 * (n - 1));
    return turned < n ? turned : 2 * (n - 1) - turned;
}

static void pad_tables(const op_call *call, pad_mode mode, const border *b, units *u) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    static const char nothing[UNIT_BYTES];
    pick p = {.rank = in->rank, .block = 1, .size = u->size, .outside = nothing};
    p.from = units_read(u, in);
    p.to = units_write(u, out);
    for (uint32_t i = 0; i < in->rank; i++) {
        int64_t *table = units_take(u, (uint64_t)out->dims[i], sizeof *table);
        int64_t first = 0;
        int64_t end = 0;
        pad_cropped(in, b, i, &first, &end);
        for (int64_t j = 0; j < out->dims[i] && out->count > 0; j++) {
            const int64_t at = pad_position(mode, b->begin[i] + j - first, end - first);
            table[j] = (first + at) * move_step(in, i);
        }
        p.axes[i] = (pick_axis){(uint64_t)out->dims[i], table};
    }
    if (out->count > 0) pick_run(call, &p);
    units_end(u, out, p.to);
}

/* The constant: an attribute before version 11, then an input, else zero. */
static void pad_constant(const op_call *call, char unit[UNIT_BYTES]) {
    const op_tensor *value = op_input(call, PAD_INPUT_VALUE);
    const wlk_dtype dtype = op_input(call, 0)->dtype;
    memset(unit, 0, UNIT_BYTES);
    if (call->node->row->since < 11) {
        unit_from_number(dtype, op_attribute(call, PAD_VALUE).f, unit);
    } else if (value && dtype == WLK_STR) {
        const text_span span = tensor_string(value, 0);
        memcpy(unit, &span, sizeof span);
    } else if (value) {
        memcpy(unit, value->data, value->nbytes);
    }
}

static wlk_status pad_kernel(const op_call *call) {
    pad_mode mode = PAD_CONSTANT;
    border b = {.known = false};
    TRY(pad_read_mode(call, &mode));
    TRY(pad_border(call, &b));
    units u = units_begin(call, op_input(call, 0)->dtype);
    if (mode != PAD_CONSTANT) {
        pad_tables(call, mode, &b, &u);
        return WLK_OK;
    }
    _Alignas(UNIT_BYTES) char unit[UNIT_BYTES];
    pad_constant(call, unit);
    fill_border(call, &b, &u, unit);
    return WLK_OK;
}

/* ---- CenterCropPad: the middle stays; what does not divide evenly is at the end */

enum { CENTER_AXES };

static wlk_status center_border(const op_call *call, border *b) {
    const op_tensor *in = op_input(call, 0);
    const int_list list = ints_of_attribute(call, CENTER_AXES);
    int_list shape;
    axis_list axes;
    TRY(ints_of_input(call, 1, &shape));
    TRY(axes_read(call, &list, in->rank, true, &axes));
    TRY(ints_need_count(call, &shape, "shape", axes.count));
    b->known = shape.known;
    for (uint32_t i = 0; i < in->rank; i++) b->dims[i] = in->dims[i];
    for (uint32_t i = 0; i < axes.count; i++) {
        const uint32_t axis = axes.axes[i];
        b->dims[axis] = WLK_UNKNOWN_DIM;
        if (!shape.known) continue;
        b->dims[axis] = int_at(&shape, i);
        if (b->dims[axis] < 0) return ints_fail(call, &shape, "a dim is negative", b->dims[axis]);
        if (in->dims[axis] == WLK_UNKNOWN_DIM) continue;
        const int64_t more = b->dims[axis] - in->dims[axis];
        b->begin[axis] = more > 0 ? -(more / 2) : -more / 2;
    }
    return WLK_OK;
}

static wlk_status center_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    border b = {.known = false};
    TRY(shape_need_rank(call, 1, 1, 1));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, in->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    TRY(center_border(call, &b));
    TRY(border_set(call, &b));
    op_set_text(call, 0, in->text_bytes);
    return WLK_OK;
}

static wlk_status center_kernel(const op_call *call) {
    static const char nothing[UNIT_BYTES];
    border b = {.known = false};
    TRY(center_border(call, &b));
    units u = units_begin(call, op_input(call, 0)->dtype);
    fill_border(call, &b, &u, nothing);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row pad_1[] = {
    [PAD_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "constant"},
    [PAD_PADS] = {.name = "paddings", .type = WLK_ATTR_INTS, .required = true},
    [PAD_VALUE] = {.name = "value", .type = WLK_ATTR_FLOAT}};
static const attribute_row pad_2[] = {
    [PAD_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "constant"},
    [PAD_PADS] = {.name = "pads", .type = WLK_ATTR_INTS, .required = true},
    [PAD_VALUE] = {.name = "value", .type = WLK_ATTR_FLOAT}};
static const attribute_row center_attributes[] = {
    [CENTER_AXES] = {.name = "axes", .type = WLK_ATTR_INTS}};

#define DTYPES_POSITION (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))
#define PORTS(name, dtypes)                                         \
    static const op_port name[] = {{"data", dtypes, 'T'},           \
                                   {"pads", DTYPE_BIT(WLK_I64), 0}, \
                                   {"constant_value", dtypes, 'T'}, \
                                   {"axes", DTYPES_POSITION, 0}}
PORTS(pad_float, DTYPES_MOVED_FLOAT);
PORTS(pad_11, DTYPES_MOVED_FLOAT | DTYPES_INT);
PORTS(pad_13, DTYPES_MOVED_13);
PORTS(pad_21, DTYPES_MOVED_21);
PORTS(pad_23, DTYPES_MOVED_23);
PORTS(pad_24, DTYPES_MOVED_24);
static const op_port center_ports[] = {{"input_data", DTYPES_MOVED_13, 'T'},
                                       {"shape", DTYPES_POSITION, 0}};

#define ROW(op_name, version, least, most, op_ports, rows, known, op_shape, op_run)               \
    {                                                                                             \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = rows,                \
        .attribute_count = known, .infer = op_shape, .kernel = op_run                             \
    }
#define PAD(version, least, most, ports, rows, known) \
    ROW("Pad", version, least, most, ports, rows, known, pad_infer, pad_kernel)

static const op_row rows[] = {
    PAD(1, 1, 1, pad_float, pad_1, 3),
    PAD(2, 1, 1, pad_float, pad_2, 3),
    PAD(11, 2, 3, pad_11, pad_2, 1),
    PAD(13, 2, 3, pad_13, pad_2, 1),
    PAD(18, 2, 4, pad_13, pad_2, 1),
    PAD(19, 2, 4, pad_13, pad_2, 1),
    PAD(21, 2, 4, pad_21, pad_2, 1),
    PAD(23, 2, 4, pad_23, pad_2, 1),
    PAD(24, 2, 4, pad_24, pad_2, 1),
    PAD(25, 2, 4, pad_24, pad_2, 1),
    ROW("CenterCropPad", 18, 2, 2, center_ports, center_attributes, 1, center_infer, center_kernel),
};

const op_family ops_pad = {rows, sizeof rows / sizeof *rows};
