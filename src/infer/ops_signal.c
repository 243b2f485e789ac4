/* DFT, STFT. The last axis holds real and imaginary parts, or the real one alone. */
#include <inttypes.h>
#include <string.h>

#include "infer/axes.h"
#include "infer/fft.h"
#include "infer/ops.h"
#include "infer/shape.h"

static double element(const op_tensor *tensor, uint64_t i) {
    return tensor->dtype == WLK_F64 ? ((const double *)tensor->data)[i]
                                    : (double)((const float *)tensor->data)[i];
}

static void store(const op_tensor *tensor, uint64_t i, double value) {
    if (tensor->dtype == WLK_F64) {
        ((double *)tensor->target)[i] = value;
    } else {
        ((float *)tensor->target)[i] = (float)value;
    }
}

static wlk_status need_parts(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    if (in->rank == WLK_NONE) return WLK_OK;
    const int64_t parts = in->dims[in->rank - 1];
    if (parts == 1 || parts == 2 || parts == WLK_UNKNOWN_DIM) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the last axis has %" PRId64 " parts, must be 1 or 2",
                   parts);
}

/* A positive number from input i, whose content is known. */
static wlk_status read_length(const op_call *call, uint32_t i, int64_t *out) {
    const op_tensor *in = op_input(call, i);
    if (in->count != 1) return op_fail(call, op_shape_rule(call), "input %u is no number", i);
    *out = op_int(in, 0);
    if (*out > 0 && (uint64_t)*out <= FFT_MOST) return WLK_OK;
    return op_fail(call, op_value_rule(call), "input %u is %" PRId64, i, *out);
}

/* Room for the plan and the transformed numbers, and the work of so many transforms. */
static wlk_status need_transforms(op_call *call, int64_t length, uint64_t times) {
    const uint64_t n = (uint64_t)length;
    op_add_operations(call, OP_INTEGER_COST, times, fft_work(n), 1);
    op_add_operations(call, OP_ELEMENT_COST, 8, fft_room(n), 1); /* sines */
    TRY(op_need_scratch(call, fft_room(n), sizeof(fft_number)));
    return op_need_scratch(call, n, sizeof(fft_number));
}

static fft_number *numbers_of(const op_call *call, uint64_t length) {
    const uint64_t bytes = fft_room(length) * sizeof(fft_number);
    char *room = call->scratch;
    return (fft_number *)(void *)(room + (bytes + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN);
}

/* ---- DFT */

enum { DFT_IN, DFT_LENGTH, DFT_AXIS };
enum { DFT_17_AXIS, DFT_17_INVERSE, DFT_17_ONESIDED };
enum { DFT_20_INVERSE, DFT_20_ONESIDED };

/* What the node says; `known`: axis and length are known. */
typedef struct dft {
    bool inverse;
    bool onesided;
    bool known;
    uint32_t axis;
    int64_t length; /* of the transform */
} dft;

static bool is_17(const op_call *call) {
    return call->node->row->since < 20;
}

static wlk_status check_axis(const op_call *call, uint32_t rank, const dft *d) {
    if (d->axis + 1 < rank) return WLK_OK;
    return op_fail(call, op_value_rule(call), "axis %u holds the parts of the numbers", d->axis);
}

static wlk_status dft_axis(const op_call *call, dft *d) {
    const uint32_t rank = op_input(call, DFT_IN)->rank;
    d->axis = rank - 2;
    if (is_17(call)) {
        TRY(shape_axis(call, op_attribute(call, DFT_17_AXIS).i, rank, true, &d->axis));
    } else if (op_input(call, DFT_AXIS)) {
        TRY(axis_of_input(call, DFT_AXIS, rank, &d->axis));
    }
    return check_axis(call, rank, d);
}

static wlk_status dft_length(const op_call *call, dft *d) {
    if (op_input(call, DFT_LENGTH)) return read_length(call, DFT_LENGTH, &d->length);
    const int64_t dim = op_input(call, DFT_IN)->dims[d->axis];
    if (dim == WLK_UNKNOWN_DIM) {
        d->known = false;
        return WLK_OK;
    }
    d->length = dim;
    if (d->inverse && d->onesided) {
        d->length = dim > (int64_t)FFT_MOST ? INT64_MAX : 2 * (dim - 1);
    }
    if (d->length > 0 && (uint64_t)d->length <= FFT_MOST) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "axis %u has %" PRId64 " elements", d->axis, dim);
}

static wlk_status dft_read(const op_call *call, dft *d) {
    const bool old = is_17(call);
    const op_tensor *in = op_input(call, DFT_IN);
    *d = (dft){.inverse = op_attribute(call, old ? DFT_17_INVERSE : DFT_20_INVERSE).i != 0,
               .onesided = op_attribute(call, old ? DFT_17_ONESIDED : DFT_20_ONESIDED).i != 0};
    const bool length_known = !op_input(call, DFT_LENGTH) || op_is_known(call, DFT_LENGTH);
    const bool axis_known = !op_input(call, DFT_AXIS) || op_is_known(call, DFT_AXIS);
    TRY(shape_need_rank(call, DFT_IN, 2, WLK_MAX_RANK));
    TRY(need_parts(call));
    d->known = in->rank != WLK_NONE && length_known && axis_known;
    if (!d->known) return WLK_OK;
    TRY(dft_axis(call, d));
    return dft_length(call, d);
}

static wlk_status dft_infer(op_call *call) {
    const op_tensor *in = op_input(call, DFT_IN);
    int64_t dims[WLK_MAX_RANK];
    dft d;
    TRY(dft_read(call, &d));
    for (uint32_t a = 0; a < WLK_MAX_RANK; a++) {
        dims[a] = d.known && a < in->rank ? in->dims[a] : WLK_UNKNOWN_DIM;
    }
    if (d.known) {
        dims[d.axis] = d.onesided && !d.inverse ? d.length / 2 + 1 : d.length;
        dims[in->rank - 1] = d.onesided && d.inverse ? 1 : 2;
    }
    const wlk_dtype dtype = in->dtype;
    const uint32_t rank = in->rank;
    op_set_output(call, 0, dtype, rank, dims);
    if (!call->binding || !d.known) return WLK_OK;
    int64_t others[WLK_MAX_RANK];
    memcpy(others, in->dims, sizeof others);
    others[d.axis] = 1;
    others[rank - 1] = 1;
    return need_transforms(call, d.length, (uint64_t)dim_product(others, 0, rank));
}

/* One of many transforms: where its numbers are in input and output. */
typedef struct dft_line {
    uint64_t from;      /* first element in the input */
    uint64_t from_step; /* elements from one number to the next */
    uint64_t have;      /* numbers that there are */
    uint64_t to;
    uint64_t to_step;
    uint64_t want;
} dft_line;

static void load_line(const op_tensor *in, const dft_line *line, uint64_t length,
                      fft_number *numbers) {
    const bool complex_parts = in->dims[in->rank - 1] == 2;
    const uint64_t have = line->have < length ? line->have : length;
    memset(numbers, 0, length * sizeof *numbers);
    for (uint64_t i = 0; i < have; i++) {
        const uint64_t at = line->from + i * line->from_step;
        numbers[i].re = element(in, at);
        if (complex_parts) numbers[i].im = element(in, at + 1);
    }
}

/* The half that a real signal's spectrum is given by becomes the whole. */
static void mirror(fft_number *numbers, uint64_t length) {
    numbers[0].im = 0;
    if (length % 2 == 0) numbers[length / 2].im = 0;
    for (uint64_t i = 1; 2 * i < length; i++) {
        numbers[length - i] = (fft_number){numbers[i].re, -numbers[i].im};
    }
}

static void store_line(const op_tensor *out, const dft_line *line, const fft_number *numbers) {
    const bool complex_parts = out->dims[out->rank - 1] == 2;
    for (uint64_t i = 0; i < line->want; i++) {
        const uint64_t at = line->to + i * line->to_step;
        store(out, at, numbers[i].re);
        if (complex_parts) store(out, at + 1, numbers[i].im);
    }
}

static wlk_status dft_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, DFT_IN);
    const op_tensor *out = op_output(call, 0);
    dft d;
    TRY(dft_read(call, &d));
    if (out->count == 0) return WLK_OK;
    const uint64_t length = (uint64_t)d.length;
    const fft plan = fft_plan(length, call->scratch);
    fft_number *numbers = numbers_of(call, length);
    const uint64_t outer = tensor_span(out, 0, d.axis);
    const uint64_t from_step = tensor_span(in, d.axis + 1, in->rank);
    const uint64_t to_step = tensor_span(out, d.axis + 1, out->rank);
    const uint64_t inner = tensor_span(out, d.axis + 1, out->rank - 1);
    const uint64_t from_parts = (uint64_t)in->dims[in->rank - 1];
    const uint64_t to_parts = (uint64_t)out->dims[out->rank - 1];
    dft_line line = {.from_step = from_step,
                     .have = (uint64_t)in->dims[d.axis],
                     .to_step = to_step,
                     .want = (uint64_t)out->dims[d.axis]};
    for (uint64_t i = 0; i < outer * inner; i++) {
        line.from = i / inner * line.have * from_step + i % inner * from_parts;
        line.to = i / inner * line.want * to_step + i % inner * to_parts;
        load_line(in, &line, length, numbers);
        if (d.inverse && d.onesided) mirror(numbers, length);
        fft_run(&plan, numbers, d.inverse);
        store_line(out, &line, numbers);
    }
    return WLK_OK;
}

/* ---- STFT */

enum { STFT_SIGNAL, STFT_STEP, STFT_WINDOW, STFT_LENGTH };
enum { STFT_ONESIDED };

typedef struct stft {
    bool known;
    int64_t step;
    int64_t length; /* of a frame */
    int64_t frames;
    int64_t bins;
} stft;

static wlk_status frame_length(const op_call *call, stft *s) {
    const op_tensor *window = op_input(call, STFT_WINDOW);
    s->length = op_input(call, STFT_SIGNAL)->dims[1];
    if (window) s->length = window->dims[0];
    if (op_input(call, STFT_LENGTH)) TRY(read_length(call, STFT_LENGTH, &s->length));
    if (window && window->dims[0] != s->length) {
        return op_fail(call, op_shape_rule(call),
                       "the window has %" PRId64 " elements, a frame %" PRId64, window->dims[0],
                       s->length);
    }
    return WLK_OK;
}

static wlk_status stft_read(const op_call *call, stft *s) {
    const op_tensor *signal = op_input(call, STFT_SIGNAL);
    const op_tensor *window = op_input(call, STFT_WINDOW);
    *s = (stft){.step = 1, .frames = WLK_UNKNOWN_DIM, .bins = WLK_UNKNOWN_DIM};
    TRY(shape_need_rank(call, STFT_SIGNAL, 3, 3));
    if (window) TRY(shape_need_rank(call, STFT_WINDOW, 1, 1));
    TRY(need_parts(call));
    s->known = tensor_is_known(signal) && op_is_known(call, STFT_STEP) &&
               (!window || tensor_is_known(window)) &&
               (!op_input(call, STFT_LENGTH) || op_is_known(call, STFT_LENGTH));
    if (!s->known) return WLK_OK;
    TRY(read_length(call, STFT_STEP, &s->step));
    TRY(frame_length(call, s));
    if (s->length < 1 || (uint64_t)s->length > FFT_MOST || s->length > signal->dims[1]) {
        return op_fail(call, op_shape_rule(call), "a frame of %" PRId64 " in a signal of %" PRId64,
                       s->length, signal->dims[1]);
    }
    s->frames = (signal->dims[1] - s->length) / s->step + 1;
    s->bins = op_attribute(call, STFT_ONESIDED).i != 0 ? s->length / 2 + 1 : s->length;
    return WLK_OK;
}

static wlk_status stft_infer(op_call *call) {
    const op_tensor *signal = op_input(call, STFT_SIGNAL);
    stft s;
    TRY(stft_read(call, &s));
    const int64_t batch = signal->rank == WLK_NONE ? WLK_UNKNOWN_DIM : signal->dims[0];
    const int64_t dims[] = {batch, s.frames, s.bins, 2};
    op_set_output(call, 0, signal->dtype, 4, dims);
    if (!call->binding || !s.known) return WLK_OK;
    return need_transforms(call, s.length, (uint64_t)dim_product(dims, 0, 2));
}

static wlk_status stft_kernel(const op_call *call) {
    const op_tensor *signal = op_input(call, STFT_SIGNAL);
    const op_tensor *window = op_input(call, STFT_WINDOW);
    const op_tensor *out = op_output(call, 0);
    stft s;
    TRY(stft_read(call, &s));
    if (out->count == 0) return WLK_OK;
    const uint64_t length = (uint64_t)s.length;
    const uint64_t parts = (uint64_t)signal->dims[2];
    const uint64_t frames = (uint64_t)s.frames;
    const fft plan = fft_plan(length, call->scratch);
    fft_number *numbers = numbers_of(call, length);
    dft_line line = {.from_step = parts, .have = length, .to_step = 2, .want = (uint64_t)s.bins};
    for (uint64_t i = 0; i < (uint64_t)signal->dims[0] * frames; i++) {
        const uint64_t start = i % frames * (uint64_t)s.step;
        line.from = (i / frames * (uint64_t)signal->dims[1] + start) * parts;
        line.to = i * line.want * 2;
        load_line(signal, &line, length, numbers);
        for (uint64_t k = 0; window && k < length; k++) {
            const double weight = element(window, k);
            numbers[k] = (fft_number){numbers[k].re * weight, numbers[k].im * weight};
        }
        fft_run(&plan, numbers, false);
        store_line(out, &line, numbers);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row dft_17[] = {
    [DFT_17_AXIS] = {.name = "axis", .type = WLK_ATTR_INT, .i = 1},
    [DFT_17_INVERSE] = {.name = "inverse", .type = WLK_ATTR_INT, .i = 0},
    [DFT_17_ONESIDED] = {.name = "onesided", .type = WLK_ATTR_INT, .i = 0},
};
static const attribute_row dft_20[] = {
    [DFT_20_INVERSE] = {.name = "inverse", .type = WLK_ATTR_INT, .i = 0},
    [DFT_20_ONESIDED] = {.name = "onesided", .type = WLK_ATTR_INT, .i = 0},
};
static const attribute_row stft_17[] = {
    [STFT_ONESIDED] = {.name = "onesided", .type = WLK_ATTR_INT, .i = 1}};

#define DTYPES_SIGNAL (DTYPES_FLOAT | DTYPES_HALF)
#define DTYPES_LENGTH (DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32))
static const op_port dft_ports[] = {{"input", DTYPES_SIGNAL, 'T'},
                                    {"dft_length", DTYPES_LENGTH, 0},
                                    {"axis", DTYPE_BIT(WLK_I64), 0}};
static const op_port stft_ports[] = {{"signal", DTYPES_SIGNAL, 'T'},
                                     {"frame_step", DTYPES_LENGTH, 'I'},
                                     {"window", DTYPES_SIGNAL, 'T'},
                                     {"frame_length", DTYPES_LENGTH, 'I'}};

#define ROW(op_name, version, least, most, op_ports, op_attributes, op_shape, op_run)             \
    {                                                                                             \
        .domain = "", .name = op_name, .since = version, .min_inputs = least, .max_inputs = most, \
        .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .attributes = op_attributes,       \
        .attribute_count = sizeof op_attributes / sizeof *op_attributes, .infer = op_shape,       \
        .kernel = op_run, .flags = OP_HALF                                                        \
    }

static const op_row rows[] = {
    ROW("DFT", 17, 1, 2, dft_ports, dft_17, dft_infer, dft_kernel),
    ROW("DFT", 20, 1, 3, dft_ports, dft_20, dft_infer, dft_kernel),
    ROW("STFT", 17, 2, 4, stft_ports, stft_17, stft_infer, stft_kernel),
};

const op_family ops_signal = {rows, sizeof rows / sizeof *rows};
