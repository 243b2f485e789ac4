/* Cast between numbers, and between numbers and text. */
#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "infer/number_text.h"
#include "infer/ops.h"
#include "infer/shape.h"

#define DTYPES_CAST_6 (DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BOOL))
#define DTYPES_CAST_9 (DTYPES_CAST_6 | DTYPE_BIT(WLK_STR))
#define DTYPES_CAST_13 (DTYPES_CAST_9 | DTYPE_BIT(WLK_BF16))

/* Numbers that have a spelling. */
#define DTYPES_SPELLED (DTYPES_FLOAT | DTYPES_INT)

enum { CAST_TO, CAST_SATURATE };

static wlk_dtype cast_to(const op_call *call) {
    return (wlk_dtype)op_attribute(call, CAST_TO).i;
}

/* The row's own list serves source and target alike. */
static bool cast_has_kernel(const op_call *call, wlk_dtype from, wlk_dtype to) {
    if (!dtype_known(to) || !(call->node->row->ports[0].dtypes & DTYPE_BIT(to))) return false;
    if (from == WLK_STR && to != WLK_STR) return DTYPES_SPELLED & DTYPE_BIT(to);
    if (to == WLK_STR && from != WLK_STR) return DTYPES_SPELLED & DTYPE_BIT(from);
    return true;
}

static wlk_status cast_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const wlk_dtype to = cast_to(call);
    if (!cast_has_kernel(call, in->dtype, to)) {
        return op_fail(call, RULE_PLAN_DTYPE, "%s to %s", wlk_dtype_name(in->dtype),
                       wlk_dtype_name(to));
    }
    uint64_t text = in->text_bytes;
    if (in->dtype != WLK_STR && !checked_mul(in->count, NUMBER_TEXT_BYTES, &text)) {
        text = UINT64_MAX;
    }
    op_set_output(call, 0, to, in->rank, in->dims);
    op_set_text(call, 0, text);
    return WLK_OK;
}

static void cast_numbers(const op_tensor *in, const op_tensor *out) {
    const number_loader load = number_load(in->dtype);
    const number_storer store = number_store(out->dtype);
    for (uint64_t i = 0; i < in->count; i++) store(out->target, i, load(in->data, i));
}

/* The two that are met in practice, without a call for each element. */
static void cast_f64_to_f32(const op_tensor *in, const op_tensor *out) {
    const double *restrict from = in->data;
    float *restrict to = out->target;
    for (uint64_t i = 0; i < in->count; i++) to[i] = (float)from[i];
}

static void cast_f32_to_f64(const op_tensor *in, const op_tensor *out) {
    const float *restrict from = in->data;
    double *restrict to = out->target;
    for (uint64_t i = 0; i < in->count; i++) to[i] = (double)from[i];
}

static void cast_to_text(const op_tensor *in, op_tensor *out) {
    const number_loader load = number_load(in->dtype);
    char *offsets = out->target;
    char *texts = offsets + 8 * (out->count + 1);
    uint64_t end = 0;
    store_u64(offsets, 0);
    for (uint64_t i = 0; i < in->count; i++) {
        end += number_format(in->dtype, load(in->data, i), texts + end);
        store_u64(offsets + 8 * (i + 1), end);
    }
    out->nbytes = 8 * (out->count + 1) + end;
}

static wlk_status cast_from_text(const op_call *call, const op_tensor *in, const op_tensor *out) {
    const number_storer store = number_store(out->dtype);
    for (uint64_t i = 0; i < in->count; i++) {
        const text_span span = tensor_string(in, i);
        number value;
        if (!number_parse(out->dtype, span.text, span.length, &value)) {
            return op_fail(call, RULE_RUN_TEXT, "element %llu", (unsigned long long)i);
        }
        store(out->target, i, value);
    }
    return WLK_OK;
}

static wlk_status cast_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    if (in->dtype == out->dtype) return op_copy(call);
    if (in->dtype == WLK_STR) return cast_from_text(call, in, out);
    if (out->dtype == WLK_STR) {
        cast_to_text(in, out);
    } else if (in->dtype == WLK_F64 && out->dtype == WLK_F32) {
        cast_f64_to_f32(in, out);
    } else if (in->dtype == WLK_F32 && out->dtype == WLK_F64) {
        cast_f32_to_f64(in, out);
    } else {
        cast_numbers(in, out);
    }
    return WLK_OK;
}

/* saturate is for 8-bit floats, which have no kernel: it may be there. */
static const attribute_row attributes[] = {
    [CAST_TO] = {.name = "to", .type = WLK_ATTR_DTYPE, .required = true},
    [CAST_SATURATE] = {.name = "saturate", .type = WLK_ATTR_INT, .i = 1},
};

static const op_port port_6[] = {{"input", DTYPES_CAST_6, 0}};
static const op_port port_9[] = {{"input", DTYPES_CAST_9, 0}};
static const op_port port_13[] = {{"input", DTYPES_CAST_13, 0}};

#define ROW(version, op_port, known_attributes)                                           \
    {                                                                                     \
        .domain = "", .name = "Cast", .since = version, .min_inputs = 1, .max_inputs = 1, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_port, .attributes = attributes,   \
        .attribute_count = known_attributes, .infer = cast_infer, .kernel = cast_kernel   \
    }

static const op_row rows[] = {ROW(6, port_6, 1), ROW(9, port_9, 1), ROW(13, port_13, 1),
                              ROW(19, port_13, 2), ROW(21, port_13, 2)};

const op_family ops_cast = {rows, sizeof rows / sizeof *rows};
