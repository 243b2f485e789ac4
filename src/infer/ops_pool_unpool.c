/* MaxUnpool: puts maxima back to where MaxPool took them from. */
#include <inttypes.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/window.h"

static const window_places places = {.auto_pad = WLK_NONE, .dilations = WLK_NONE};

/* The image that the indices speak of. */
static wlk_status pooled_dims(const op_call *call, int64_t dims[WLK_MAX_RANK]) {
    const op_tensor *x = op_input(call, 0);
    window w;
    TRY(window_read(call, x, NULL, places, &w));
    dims[0] = x->dims[0];
    dims[1] = x->dims[1];
    for (uint32_t i = 0; i < w.axes; i++) {
        dims[2 + i] = WLK_UNKNOWN_DIM;
        if (w.in[i] == WLK_UNKNOWN_DIM) continue;
        int64_t reach = 0;
        if (__builtin_mul_overflow(w.in[i] - 1, w.stride[i], &reach)) reach = INT64_MIN;
        dims[2 + i] = reach < 0 ? -1 : reach - w.before[i] - w.after[i] + w.kernel[i];
        if (dims[2 + i] < 0) {
            return op_fail(call, op_shape_rule(call), "axis %u of %" PRId64 " has no such image",
                           2 + i, w.in[i]);
        }
    }
    return WLK_OK;
}

/* The output may be larger than that image, which then lies in its corner. */
static wlk_status wanted_dims(const op_call *call, const int64_t image[WLK_MAX_RANK],
                              int64_t dims[WLK_MAX_RANK]) {
    const op_tensor *wanted = op_input(call, 2);
    const uint32_t rank = op_input(call, 0)->rank;
    for (uint32_t i = 0; i < rank; i++) dims[i] = wanted ? WLK_UNKNOWN_DIM : image[i];
    if (!wanted || !op_is_known(call, 2)) return WLK_OK;
    if (wanted->rank != 1 || wanted->count != rank) return shape_mismatch(call, 0, 2);
    for (uint32_t i = 0; i < rank; i++) {
        dims[i] = op_int(wanted, i);
        const bool fits = i < 2 ? dim_agrees(dims[i], image[i]) : dims[i] >= image[i];
        if (dims[i] < 0 || !fits) {
            return op_fail(call, op_value_rule(call), "output_shape has %" PRId64 " for axis %u",
                           dims[i], i);
        }
    }
    return WLK_OK;
}

static wlk_status unpool_infer(op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const op_tensor *index = op_input(call, 1);
    TRY(shape_need_rank(call, 0, 3, WLK_MAX_RANK));
    if (x->rank == WLK_NONE) {
        op_set_output(call, 0, x->dtype, WLK_NONE, NULL);
        return WLK_OK;
    }
    int64_t image[WLK_MAX_RANK];
    int64_t dims[WLK_MAX_RANK];
    for (uint32_t i = 0; index->rank != WLK_NONE && i < x->rank; i++) {
        if (index->rank != x->rank || !dim_agrees(index->dims[i], x->dims[i])) {
            return shape_mismatch(call, 0, 1);
        }
    }
    TRY(pooled_dims(call, image));
    TRY(wanted_dims(call, image, dims));
    op_set_output(call, 0, x->dtype, x->rank, dims);
    return WLK_OK;
}

/* Where element `index` of the image lies in the output. */
static uint64_t place_of(uint64_t index, const int64_t image[WLK_MAX_RANK], const op_tensor *out) {
    uint64_t at = 0;
    uint64_t step = 1;
    for (uint32_t i = out->rank; i-- > 0;) {
        at += index % (uint64_t)image[i] * step;
        index /= (uint64_t)image[i];
        step *= (uint64_t)out->dims[i];
    }
    return at;
}

static wlk_status unpool_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, 0);
    const int64_t *indices = op_input(call, 1)->data;
    const op_tensor *out = op_output(call, 0);
    const uint64_t size = wlk_dtype_bits(out->dtype) / 8;
    int64_t image[WLK_MAX_RANK];
    TRY(pooled_dims(call, image));
    if (out->nbytes > 0) memset(out->target, 0, out->nbytes);
    const int64_t count = dim_product(image, 0, out->rank);
    for (uint64_t i = 0; i < x->count; i++) {
        if (indices[i] < 0 || indices[i] >= count) {
            return op_fail(call, RULE_RUN_INDEX, "index %" PRId64 " of %" PRId64 " elements",
                           indices[i], count);
        }
        const uint64_t at = place_of((uint64_t)indices[i], image, out);
        memcpy((char *)out->target + at * size, (const char *)x->data + i * size, size);
    }
    return WLK_OK;
}

static const attribute_row attributes[] = {WINDOW_ATTRIBUTE_ROWS(true)};

#define PORTS(name, dtypes)         \
    static const op_port name[] = { \
        {"X", dtypes, 'T'}, {"I", DTYPE_BIT(WLK_I64), 0}, {"output_shape", DTYPE_BIT(WLK_I64), 0}}
PORTS(float_ports, DTYPES_FLOAT | DTYPE_BIT(WLK_F16));
PORTS(newest_ports, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(version, op_ports)                                                                 \
    {                                                                                          \
        .domain = "", .name = "MaxUnpool", .since = version, .min_inputs = 2, .max_inputs = 3, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = attributes,       \
        .attribute_count = WINDOW_ATTRIBUTES, .infer = unpool_infer, .kernel = unpool_kernel   \
    }

static const op_row rows[] = {ROW(9, float_ports), ROW(11, float_ports), ROW(22, newest_ports)};

const op_family ops_pool_unpool = {rows, sizeof rows / sizeof *rows};
