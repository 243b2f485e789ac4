/* Cast, CastLike: between numbers, and between numbers and text. BitCast: the same bits,
 * called something else. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"
#include "infer/elementwise.h"
#include "infer/half.h"
#include "infer/number_block.h"
#include "infer/number_text.h"
#include "infer/ops.h"
#include "infer/parallel.h"

#define DTYPES_CAST_6 (DTYPES_FLOAT | DTYPES_INT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BOOL))
#define DTYPES_CAST_9 (DTYPES_CAST_6 | DTYPE_BIT(WLK_STR))
#define DTYPES_CAST_13 (DTYPES_CAST_9 | DTYPE_BIT(WLK_BF16))
#define DTYPES_CAST_19                                                      \
    (DTYPES_CAST_13 | DTYPE_BIT(WLK_F8E4M3FN) | DTYPE_BIT(WLK_F8E4M3FNUZ) | \
     DTYPE_BIT(WLK_F8E5M2) | DTYPE_BIT(WLK_F8E5M2FNUZ))
#define DTYPES_CAST_21 (DTYPES_CAST_19 | DTYPE_BIT(WLK_I4) | DTYPE_BIT(WLK_U4))
#define DTYPES_CAST_23 (DTYPES_CAST_21 | DTYPE_BIT(WLK_F4E2M1))
#define DTYPES_CAST_24 (DTYPES_CAST_23 | DTYPE_BIT(WLK_F8E8M0))

/* Printing a number and reading it back until it is the same; reading one. */
#define TEXT_COST (16 * OP_CALL_COST)

/* ---- what is wanted */

typedef struct cast_options {
    wlk_dtype to;
    bool saturate;
    number_rounding rounding;
} cast_options;

/* Opset 1 names the dtype. */
static const struct {
    const char *name;
    wlk_dtype dtype;
} cast_1_names[] = {
    {"FLOAT", WLK_F32},  {"FLOAT16", WLK_F16}, {"DOUBLE", WLK_F64}, {"INT8", WLK_I8},
    {"INT16", WLK_I16},  {"INT32", WLK_I32},   {"INT64", WLK_I64},  {"UINT8", WLK_U8},
    {"UINT16", WLK_U16}, {"UINT32", WLK_U32},  {"UINT64", WLK_U64}, {"BOOL", WLK_BOOL},
};

static wlk_dtype named_dtype(const char *name) {
    for (size_t i = 0; i < sizeof cast_1_names / sizeof *cast_1_names; i++) {
        if (strcmp(name, cast_1_names[i].name) == 0) return cast_1_names[i].dtype;
    }
    return WLK_DTYPE_NONE;
}

static const char *const rounding_names[NUMBER_ROUNDINGS] = {
    [ROUND_UP] = "up", [ROUND_DOWN] = "down", [ROUND_NEAREST] = "nearest"};

/* `first` is the place of `saturate` in the row, behind which round_mode follows. */
static wlk_status read_rounding(const op_call *call, uint32_t first, cast_options *options) {
    const op_row *row = call->node->row;
    options->saturate = first >= row->attribute_count || op_attribute(call, first).i;
    options->rounding = ROUND_UP;
    if (first + 1 >= row->attribute_count) return WLK_OK;
    const char *mode = op_attribute(call, first + 1).s;
    for (number_rounding i = ROUND_UP; i < NUMBER_ROUNDINGS; i++) {
        options->rounding = i;
        if (strcmp(mode, rounding_names[i]) == 0) return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "round_mode '%.20s'", mode);
}

enum { CAST_TO, CAST_SATURATE, CAST_ROUNDING, CAST_ATTRIBUTES };

static wlk_status cast_options_of(const op_call *call, cast_options *options) {
    const attribute_value to = op_attribute(call, CAST_TO);
    options->to = call->node->row->since == 1 ? named_dtype(to.s) : (wlk_dtype)to.i;
    return read_rounding(call, CAST_SATURATE, options);
}

static wlk_status castlike_options(const op_call *call, cast_options *options) {
    options->to = op_input(call, 1)->dtype;
    return read_rounding(call, 0, options);
}

/* ---- shape rules */

/* The row's own list serves source and target alike. */
static wlk_status need_target(const op_call *call, wlk_dtype to) {
    if (dtype_known(to) && (call->node->row->ports[0].dtypes & DTYPE_BIT(to))) return WLK_OK;
    return op_fail(call, RULE_PLAN_DTYPE, "%s to %s", wlk_dtype_name(op_input(call, 0)->dtype),
                   wlk_dtype_name(to));
}

static wlk_status infer_to(op_call *call, wlk_dtype to) {
    const op_tensor *in = op_input(call, 0);
    TRY(need_target(call, to));
    uint64_t text = in->text_bytes;
    if (in->dtype != WLK_STR && !checked_mul(in->count, NUMBER_TEXT_BYTES, &text)) {
        text = UINT64_MAX;
    }
    if (call->binding && (in->dtype == WLK_STR) != (to == WLK_STR)) {
        op_add_operations(call, TEXT_COST, in->count, 1, 1);
    }
    op_set_output(call, 0, to, in->rank, in->dims);
    op_set_text(call, 0, to == WLK_STR ? text : 0);
    return WLK_OK;
}

static wlk_status cast_infer(op_call *call) {
    cast_options options;
    TRY(cast_options_of(call, &options));
    return infer_to(call, options.to);
}

static wlk_status castlike_infer(op_call *call) {
    cast_options options;
    TRY(castlike_options(call, &options));
    return infer_to(call, options.to);
}

/* ---- kernels */

typedef struct cast_work {
    const op_tensor *in;
    const op_tensor *out;
    number_storer store;
} cast_work;

/* Pieces begin at even elements, so no two share a byte. */
static void cast_piece(void *context, uint64_t from, uint64_t to) {
    const cast_work *work = context;
    number_block block;
    for (uint64_t at = from; at < to; at += NUMBER_BLOCK) {
        const uint64_t count = to - at < NUMBER_BLOCK ? to - at : NUMBER_BLOCK;
        number_block_load(work->in->dtype, work->in->data, at, count, &block);
        number_block_store(work->out->dtype, work->out->target, at, count, &block, work->store);
    }
}

/* Those that are met most, without a stop in between. */
static void cast_f64_to_f32(void *context, uint64_t from, uint64_t to) {
    const cast_work *work = context;
    const double *restrict source = work->in->data;
    float *restrict target = work->out->target;
    for (uint64_t i = from; i < to; i++) target[i] = (float)source[i];
}

static void cast_f32_to_f64(void *context, uint64_t from, uint64_t to) {
    const cast_work *work = context;
    const float *restrict source = work->in->data;
    double *restrict target = work->out->target;
    for (uint64_t i = from; i < to; i++) target[i] = (double)source[i];
}

static void cast_half_to_f32(void *context, uint64_t from, uint64_t to) {
    const cast_work *work = context;
    half_widen(work->in->dtype, (const uint16_t *)work->in->data + from, to - from,
               (float *)work->out->target + from);
}

static void cast_f32_to_half(void *context, uint64_t from, uint64_t to) {
    const cast_work *work = context;
    half_narrow(work->out->dtype, (const float *)work->in->data + from, to - from,
                (uint16_t *)work->out->target + from);
}

static parallel_body body_for(wlk_dtype from, wlk_dtype to) {
    if (from == WLK_F64 && to == WLK_F32) return cast_f64_to_f32;
    if (from == WLK_F32 && to == WLK_F64) return cast_f32_to_f64;
    if (to == WLK_F32 && (DTYPES_HALF & DTYPE_BIT(from))) return cast_half_to_f32;
    if (from == WLK_F32 && (DTYPES_HALF & DTYPE_BIT(to))) return cast_f32_to_half;
    return cast_piece;
}

static void cast_numbers(const op_call *call, const op_tensor *in, const op_tensor *out,
                         const cast_options *options) {
    cast_work work = {in, out, number_store_as(out->dtype, options->saturate, options->rounding)};
    op_parallel(call, in->count, ELEMENT_PIECE, body_for(in->dtype, out->dtype), &work);
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

static wlk_status cast_from_text(const op_call *call, const op_tensor *in, const op_tensor *out,
                                 const cast_options *options) {
    const number_storer store = number_store_as(out->dtype, options->saturate, options->rounding);
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

static wlk_status cast_by(const op_call *call, const cast_options *options) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    if (in->dtype == out->dtype) return op_copy(call);
    if (in->dtype == WLK_STR) return cast_from_text(call, in, out, options);
    if (out->dtype == WLK_STR) {
        cast_to_text(in, out);
    } else {
        cast_numbers(call, in, out, options);
    }
    return WLK_OK;
}

static wlk_status cast_kernel(const op_call *call) {
    cast_options options;
    TRY(cast_options_of(call, &options));
    return cast_by(call, &options);
}

static wlk_status castlike_kernel(const op_call *call) {
    cast_options options;
    TRY(castlike_options(call, &options));
    return cast_by(call, &options);
}

/* ---- BitCast */

#define DTYPES_BITS \
    (DTYPES_CAST_24 & ~DTYPE_BIT(WLK_STR)) | DTYPE_BIT(WLK_C64) | DTYPE_BIT(WLK_C128)

static wlk_status bitcast_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const wlk_dtype to = (wlk_dtype)op_attribute(call, CAST_TO).i;
    TRY(need_target(call, to));
    if (wlk_dtype_bits(to) != wlk_dtype_bits(in->dtype)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%s to %s, which is of another width",
                       wlk_dtype_name(in->dtype), wlk_dtype_name(to));
    }
    op_set_output(call, 0, to, in->rank, in->dims);
    return WLK_OK;
}

/* Everything that reads bool relies on 0 and 1. */
static wlk_status bitcast_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const uint8_t *bytes = in->data;
    if (op_output(call, 0)->dtype != WLK_BOOL) return op_copy(call);
    for (uint64_t i = 0; i < in->count; i++) {
        if (bytes[i] > 1) {
            return op_fail(call, RULE_RUN_VALUE, "element %llu is %u, which is no bool",
                           (unsigned long long)i, bytes[i]);
        }
    }
    return op_copy(call);
}

/* ---- rows */

static const attribute_row cast_1[] = {
    [CAST_TO] = {.name = "to", .type = WLK_ATTR_STRING, .required = true}};
static const attribute_row cast_6[CAST_ATTRIBUTES] = {
    [CAST_TO] = {.name = "to", .type = WLK_ATTR_DTYPE, .required = true},
    [CAST_SATURATE] = {.name = "saturate", .type = WLK_ATTR_INT, .i = 1},
    [CAST_ROUNDING] = {.name = "round_mode", .type = WLK_ATTR_STRING, .s = "up"},
};

#define CAST(version, dtypes, rules, known)                                                       \
    {                                                                                             \
        .domain = "", .name = "Cast", .since = version, .min_inputs = 1, .max_inputs = 1,         \
        .min_outputs = 1, .max_outputs = 1, .ports = (const op_port[]){{"input", dtypes, 0}},     \
        .attributes = rules, .attribute_count = known, .infer = cast_infer, .kernel = cast_kernel \
    }
/* Its attributes are those of Cast but for `to`. */
#define CASTLIKE(version, dtypes, known)                                                         \
    {                                                                                            \
        .domain = "", .name = "CastLike", .since = version, .min_inputs = 2, .max_inputs = 2,    \
        .min_outputs = 1, .max_outputs = 1,                                                      \
        .ports = (const op_port[]){{"input", dtypes, 0}, {"target_type", dtypes, 0}},            \
        .attributes = cast_6 + CAST_SATURATE, .attribute_count = known, .infer = castlike_infer, \
        .kernel = castlike_kernel                                                                \
    }

static const op_row rows[] = {
    CAST(1, DTYPES_CAST_6, cast_1, 1),
    CAST(6, DTYPES_CAST_6, cast_6, 1),
    CAST(9, DTYPES_CAST_9, cast_6, 1),
    CAST(13, DTYPES_CAST_13, cast_6, 1),
    CAST(19, DTYPES_CAST_19, cast_6, 2),
    CAST(21, DTYPES_CAST_21, cast_6, 2),
    CAST(23, DTYPES_CAST_23, cast_6, 2),
    CAST(24, DTYPES_CAST_24, cast_6, 3),
    CAST(25, DTYPES_CAST_24, cast_6, 3),
    CAST(28, DTYPES_CAST_24, cast_6, 3),
    CASTLIKE(15, DTYPES_CAST_13, 0),
    CASTLIKE(19, DTYPES_CAST_19, 1),
    CASTLIKE(21, DTYPES_CAST_21, 1),
    CASTLIKE(23, DTYPES_CAST_23, 1),
    CASTLIKE(24, DTYPES_CAST_24, 2),
    CASTLIKE(25, DTYPES_CAST_24, 2),
    {.domain = "",
     .name = "BitCast",
     .since = 26,
     .min_inputs = 1,
     .max_inputs = 1,
     .min_outputs = 1,
     .max_outputs = 1,
     .ports = (const op_port[]){{"input", DTYPES_BITS, 0}},
     .attributes = cast_6,
     .attribute_count = 1,
     .infer = bitcast_infer,
     .kernel = bitcast_kernel},
};

const op_family ops_cast = {rows, sizeof rows / sizeof *rows};
