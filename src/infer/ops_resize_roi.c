/* RoiAlign and MaxRoiPool: parts of images, given by their corners, as pictures of one
 * size. The corners are hostile numbers, and may lie anywhere. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

/* What both work on: batches of [channels, height, width] to [channels, rows, cols]. */
typedef struct roi_job {
    const op_tensor *in, *rois, *batches, *out;
    uint64_t channels;
    int64_t height, width;
    int64_t rows, cols;
    double scale;
    int64_t ratio;   /* RoiAlign: samples along each side of a bin; 0: as many as pixels */
    bool half_pixel; /* RoiAlign */
    bool max;        /* RoiAlign */
} roi_job;

static double roi_at(const op_tensor *rois, uint64_t i) {
    return rois->dtype == WLK_F32 ? (double)((const float *)rois->data)[i]
                                  : ((const double *)rois->data)[i];
}

static double image_at(const op_tensor *in, uint64_t i) {
    return in->dtype == WLK_F32 ? (double)((const float *)in->data)[i]
                                : ((const double *)in->data)[i];
}

static void put_at(const op_tensor *out, uint64_t i, double value) {
    if (out->dtype == WLK_F32) ((float *)out->target)[i] = (float)value;
    if (out->dtype == WLK_F64) ((double *)out->target)[i] = value;
}

/* The output's shape, and that of the regions: [n, columns]. */
static wlk_status roi_shapes(const op_call *call, int64_t columns, int64_t rows, int64_t cols,
                             int64_t dims[4]) {
    const op_tensor *in = op_input(call, 0);
    const op_tensor *rois = op_input(call, 1);
    TRY(shape_need_rank(call, 0, 4, 4));
    TRY(shape_need_rank(call, 1, 2, 2));
    if (rows < 1 || cols < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "pictures of %" PRId64 " by %" PRId64, rows,
                       cols);
    }
    if (rois->rank != WLK_NONE && !dim_agrees(rois->dims[1], columns)) {
        return op_fail(call, op_shape_rule(call), "a region has %" PRId64 " numbers, not %" PRId64,
                       rois->dims[1], columns);
    }
    dims[0] = rois->rank == WLK_NONE ? WLK_UNKNOWN_DIM : rois->dims[0];
    dims[1] = in->rank == WLK_NONE ? WLK_UNKNOWN_DIM : in->dims[1];
    dims[2] = rows;
    dims[3] = cols;
    for (uint32_t i = 0; in->rank != WLK_NONE && i < 4; i++) {
        if (i == 1 || in->dims[i] != 0 || dims[0] == 0) continue;
        return op_fail(call, op_shape_rule(call), "axis %u of the images is empty", i);
    }
    return WLK_OK;
}

/* ---- RoiAlign */

enum { ALIGN_MODE, ALIGN_HEIGHT, ALIGN_WIDTH, ALIGN_RATIO, ALIGN_SCALE, ALIGN_TRANSFORM };

static wlk_status align_read(const op_call *call, roi_job *job) {
    const char *mode = op_attribute(call, ALIGN_MODE).s;
    const char *transform = op_attribute(call, ALIGN_TRANSFORM).s;
    job->rows = op_attribute(call, ALIGN_HEIGHT).i;
    job->cols = op_attribute(call, ALIGN_WIDTH).i;
    job->ratio = op_attribute(call, ALIGN_RATIO).i;
    job->scale = op_attribute(call, ALIGN_SCALE).f;
    job->max = strcmp(mode, "max") == 0;
    job->half_pixel = transform && strcmp(transform, "half_pixel") == 0;
    if (!job->max && strcmp(mode, "avg") != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mode '%.40s'", mode);
    }
    if (transform && !job->half_pixel && strcmp(transform, "output_half_pixel") != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "'%.40s'", transform);
    }
    if (job->ratio >= 0 && job->ratio <= INT32_MAX) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "sampling_ratio is %" PRId64, job->ratio);
}

/* A region that is larger has no samples: they could not be told apart. */
#define SAMPLES_MOST 0x1p31

/* One side of a region: `bins` bins of `samples` samples each. */
typedef struct roi_side {
    double start;
    double bin;
    double samples;
} roi_side;

static roi_side side_of(const roi_job *job, double from, double to, int64_t bins) {
    const double offset = job->half_pixel ? 0.5 : 0;
    roi_side side = {.start = from * job->scale - offset};
    double length = to * job->scale - offset - side.start;
    if (!job->half_pixel && !(length > 1)) length = 1;
    side.bin = length / (double)bins;
    side.samples = job->ratio > 0 ? (double)job->ratio : ceil(side.bin);
    const bool sound = side.samples > 0 && side.samples <= SAMPLES_MOST;
    if (!sound || !isfinite(side.start) || !isfinite(side.bin)) side.samples = 0;
    return side;
}

static void sides_of(const roi_job *job, uint64_t roi, roi_side *y, roi_side *x) {
    *y = side_of(job, roi_at(job->rois, 4 * roi + 1), roi_at(job->rois, 4 * roi + 3), job->rows);
    *x = side_of(job, roi_at(job->rois, 4 * roi), roi_at(job->rois, 4 * roi + 2), job->cols);
}

/* The samples of bin b that can lie in an image of so many pixels: [first, end). Without a
 * given ratio samples stand at least half a pixel apart, so these are few however large
 * the region. */
static void sample_range(const roi_job *job, const roi_side *side, int64_t b, int64_t pixels,
                         int64_t *first, int64_t *end) {
    const double step = side->bin / side->samples;
    const double base = side->start + (double)b * side->bin;
    const double samples = side->samples; /* SAMPLES_MOST at most */
    *first = 0;
    *end = (int64_t)samples;
    if (job->ratio > 0 || !(step > 0)) return;
    const double low = floor((-1 - base) / step - 0.5) - 1;
    const double high = ceil(((double)pixels - base) / step - 0.5) + 2;
    if (low > 0) *first = (int64_t)(low < samples ? low : samples);
    if (high < samples) *end = high > (double)*first ? (int64_t)high : *first;
}

/* A place between pixels: the two beside it and the weight of the second. */
typedef struct between {
    bool inside;
    uint64_t low, high;
    double weight;
} between;

static between between_at(double at, int64_t pixels) {
    between out = {.inside = at >= -1 && at <= (double)pixels};
    if (!out.inside) return out;
    if (at < 0) at = 0;
    out.low = (uint64_t)at;
    out.high = out.low + 1;
    if (out.low + 1 < (uint64_t)pixels) {
        out.weight = at - (double)out.low;
    } else {
        out.low = out.high = (uint64_t)pixels - 1;
    }
    return out;
}

/* The sum, or the largest, so far of one bin of one channel. */
typedef struct roi_sum {
    double value;
    bool begun;
} roi_sum;

static void add_sample(const roi_job *job, const between *y, const between *x, uint64_t channel,
                       roi_sum *sum) {
    const uint64_t low = channel + y->low * (uint64_t)job->width;
    const uint64_t high = channel + y->high * (uint64_t)job->width;
    const double corners[4] = {(1 - y->weight) * (1 - x->weight) * image_at(job->in, low + x->low),
                               (1 - y->weight) * x->weight * image_at(job->in, low + x->high),
                               y->weight * (1 - x->weight) * image_at(job->in, high + x->low),
                               y->weight * x->weight * image_at(job->in, high + x->high)};
    if (!job->max) {
        sum->value += corners[0] + corners[1] + corners[2] + corners[3];
        return;
    }
    for (uint32_t i = 0; i < 4; i++) {
        if (!sum->begun || corners[i] > sum->value) sum->value = corners[i];
        sum->begun = true;
    }
}

/* One bin of one channel. A sample outside of the image is 0. */
static double align_bin(const roi_job *job, const roi_side *y, const roi_side *x, int64_t row,
                        int64_t col, uint64_t channel) {
    int64_t y_first = 0;
    int64_t y_end = 0;
    int64_t x_first = 0;
    int64_t x_end = 0;
    roi_sum sum = {.value = 0};
    double inside = 0;
    const double count = y->samples * x->samples;
    if (!(count > 0)) return 0;
    sample_range(job, y, row, job->height, &y_first, &y_end);
    sample_range(job, x, col, job->width, &x_first, &x_end);
    for (int64_t i = y_first; i < y_end; i++) {
        const double at_y =
            y->start + (double)row * y->bin + ((double)i + 0.5) * y->bin / y->samples;
        const between beside_y = between_at(at_y, job->height);
        for (int64_t j = x_first; beside_y.inside && j < x_end; j++) {
            const double at_x =
                x->start + (double)col * x->bin + ((double)j + 0.5) * x->bin / x->samples;
            const between beside_x = between_at(at_x, job->width);
            if (!beside_x.inside) continue;
            add_sample(job, &beside_y, &beside_x, channel, &sum);
            inside++;
        }
    }
    if (!job->max) return sum.value / count;
    return inside < count && sum.value < 0 ? 0 : sum.value;
}

static void align_items(void *context, uint64_t from, uint64_t to) {
    const roi_job *job = context;
    const uint64_t pixels = (uint64_t)job->height * (uint64_t)job->width;
    for (uint64_t item = from; item < to; item++) {
        const uint64_t roi = item / job->channels;
        const uint64_t batch = (uint64_t)op_int(job->batches, roi);
        const uint64_t channel = (batch * job->channels + item % job->channels) * pixels;
        roi_side y;
        roi_side x;
        sides_of(job, roi, &y, &x);
        for (int64_t row = 0; row < job->rows; row++) {
            for (int64_t col = 0; col < job->cols; col++) {
                const uint64_t at =
                    (item * (uint64_t)job->rows + (uint64_t)row) * (uint64_t)job->cols +
                    (uint64_t)col;
                put_at(job->out, at, align_bin(job, &y, &x, row, col, channel));
            }
        }
    }
}

/* An upper bound of the samples along one side of a region that lie in the image. */
static double side_samples(const roi_job *job, const roi_side *side, int64_t bins, int64_t pixels) {
    const double all = side->samples * (double)bins;
    const double fit = 2 * (double)pixels + 6 * (double)bins + 8;
    return job->ratio > 0 || all < fit ? all : fit;
}

static void align_work(op_call *call, roi_job *job) {
    const op_tensor *in = op_input(call, 0);
    job->rois = op_input(call, 1);
    double samples = 0;
    const uint64_t rois = (uint64_t)job->rois->dims[0];
    if (job->ratio > 0) {
        const double bins = (double)job->rows * (double)job->cols;
        samples = (double)rois * bins * (double)job->ratio * (double)job->ratio;
    }
    for (uint64_t i = 0; i < rois && job->ratio == 0; i++) {
        const op_tensor *regions = job->rois;
        number corners[4];
        for (uint32_t j = 0; j < 4; j++) {
            corners[j] = number_load(regions->dtype)(regions->data, 4 * i + j);
        }
        const roi_side y = side_of(job, corners[1].f, corners[3].f, job->rows);
        const roi_side x = side_of(job, corners[0].f, corners[2].f, job->cols);
        samples += side_samples(job, &y, job->rows, in->dims[2]) *
                   side_samples(job, &x, job->cols, in->dims[3]);
    }
    const uint64_t counted = samples < 0x1p63 ? (uint64_t)samples : UINT64_MAX;
    op_add_operations(call, 8 * OP_ELEMENT_COST, counted, (uint64_t)in->dims[1], 1);
}

static wlk_status align_infer(op_call *call) {
    roi_job job = {.max = false};
    int64_t dims[4];
    TRY(align_read(call, &job));
    TRY(roi_shapes(call, 4, job.rows, job.cols, dims));
    TRY(shape_need_rank(call, 2, 1, 1));
    const op_tensor *batches = op_input(call, 2);
    if (batches->rank != WLK_NONE && !dim_agrees(batches->dims[0], dims[0])) {
        return shape_mismatch(call, 1, 2);
    }
    /* How much work it is, the regions say: in a run they must be known before. */
    if (call->binding && job.ratio == 0 && !op_is_known(call, 1)) dims[0] = WLK_UNKNOWN_DIM;
    op_set_output(call, 0, op_input(call, 0)->dtype, 4, dims);
    if (call->binding && dims[0] != WLK_UNKNOWN_DIM) align_work(call, &job);
    return WLK_OK;
}

static wlk_status align_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    roi_job job = {.in = in,
                   .rois = op_input(call, 1),
                   .batches = op_input(call, 2),
                   .out = op_output(call, 0),
                   .channels = (uint64_t)in->dims[1],
                   .height = in->dims[2],
                   .width = in->dims[3]};
    TRY(align_read(call, &job));
    for (uint64_t i = 0; i < job.batches->count; i++) {
        const int64_t batch = op_int(job.batches, i);
        if (batch >= 0 && batch < in->dims[0]) continue;
        return op_fail(call, RULE_RUN_INDEX, "batch index %" PRId64 " of %" PRId64, batch,
                       in->dims[0]);
    }
    if (job.out->count == 0) return WLK_OK;
    op_parallel(call, job.rois->count / 4 * job.channels, 1, align_items, &job);
    return WLK_OK;
}

/* ---- MaxRoiPool: bins of whole pixels */

enum { POOL_SHAPE, POOL_SCALE };

static wlk_status pool_read(const op_call *call, roi_job *job) {
    const attribute_value shape = op_attribute(call, POOL_SHAPE);
    job->scale = op_attribute(call, POOL_SCALE).f;
    if (shape.count != 2) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "pooled_shape has %u numbers, not 2",
                       shape.count);
    }
    job->rows = shape.ints[0];
    job->cols = shape.ints[1];
    return WLK_OK;
}

static wlk_status pool_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    roi_job job = {.max = true};
    int64_t dims[4];
    TRY(pool_read(call, &job));
    TRY(roi_shapes(call, 5, job.rows, job.cols, dims));
    op_set_output(call, 0, in->dtype, 4, dims);
    if (!call->binding) return WLK_OK;
    const double rows = (double)in->dims[2] + 2 * (double)job.rows;
    const double cols = (double)in->dims[3] + 2 * (double)job.cols;
    const double pixels = rows * cols;
    op_add_operations(call, OP_ELEMENT_COST, pixels < 0x1p63 ? (uint64_t)pixels : UINT64_MAX,
                      (uint64_t)dims[0], (uint64_t)dims[1]);
    return WLK_OK;
}

/* Pixels [first, end) of bin b of a side that goes from pixel `from` to pixel `to`. */
static void pool_range(double from, double to, int64_t b, int64_t bins, int64_t pixels,
                       int64_t *first, int64_t *end) {
    const double length = to - from + 1 > 1 ? to - from + 1 : 1;
    const double bin = length / (double)bins;
    const double low = floor((double)b * bin) + from;
    const double high = ceil((double)(b + 1) * bin) + from;
    *first = !(low > 0) ? 0 : low < (double)pixels ? (int64_t)low : pixels;
    *end = !(high > 0) ? 0 : high < (double)pixels ? (int64_t)high : pixels;
}

static double pool_bin(const roi_job *job, const int64_t range[4], uint64_t channel) {
    double largest = 0;
    bool begun = false;
    for (int64_t y = range[0]; y < range[1]; y++) {
        for (int64_t x = range[2]; x < range[3]; x++) {
            const double value = image_at(job->in, channel + (uint64_t)(y * job->width + x));
            if (!begun || value > largest) largest = value;
            begun = true;
        }
    }
    return largest;
}

static void pool_items(void *context, uint64_t from, uint64_t to) {
    const roi_job *job = context;
    const uint64_t pixels = (uint64_t)job->height * (uint64_t)job->width;
    for (uint64_t item = from; item < to; item++) {
        const uint64_t roi = 5 * (item / job->channels);
        double corners[4]; /* x, y, x, y */
        for (uint32_t i = 0; i < 4; i++) {
            corners[i] = round(roi_at(job->rois, roi + 1 + i) * job->scale);
        }
        const uint64_t batch = (uint64_t)roi_at(job->rois, roi);
        const uint64_t channel = (batch * job->channels + item % job->channels) * pixels;
        for (int64_t i = 0; i < job->rows * job->cols; i++) {
            int64_t range[4];
            pool_range(corners[1], corners[3], i / job->cols, job->rows, job->height, &range[0],
                       &range[1]);
            pool_range(corners[0], corners[2], i % job->cols, job->cols, job->width, &range[2],
                       &range[3]);
            put_at(job->out, item * (uint64_t)(job->rows * job->cols) + (uint64_t)i,
                   pool_bin(job, range, channel));
        }
    }
}

static wlk_status pool_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    roi_job job = {.in = in,
                   .rois = op_input(call, 1),
                   .out = op_output(call, 0),
                   .channels = (uint64_t)in->dims[1],
                   .height = in->dims[2],
                   .width = in->dims[3]};
    TRY(pool_read(call, &job));
    for (uint64_t i = 0; i < job.rois->count / 5; i++) {
        const double batch = roi_at(job.rois, 5 * i);
        if (batch >= 0 && batch < (double)in->dims[0]) continue;
        return op_fail(call, RULE_RUN_INDEX, "batch index %g of %" PRId64, batch, in->dims[0]);
    }
    if (job.out->count == 0) return WLK_OK;
    op_parallel(call, job.rois->count / 5 * job.channels, 1, pool_items, &job);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row align_attributes[] = {
    [ALIGN_MODE] = {.name = "mode", .type = WLK_ATTR_STRING, .s = "avg"},
    [ALIGN_HEIGHT] = {.name = "output_height", .type = WLK_ATTR_INT, .i = 1},
    [ALIGN_WIDTH] = {.name = "output_width", .type = WLK_ATTR_INT, .i = 1},
    [ALIGN_RATIO] = {.name = "sampling_ratio", .type = WLK_ATTR_INT},
    [ALIGN_SCALE] = {.name = "spatial_scale", .type = WLK_ATTR_FLOAT, .f = 1},
    [ALIGN_TRANSFORM] = {
        .name = "coordinate_transformation_mode", .type = WLK_ATTR_STRING, .s = "half_pixel"}};
static const attribute_row pool_attributes[] = {
    [POOL_SHAPE] = {.name = "pooled_shape", .type = WLK_ATTR_INTS, .required = true},
    [POOL_SCALE] = {.name = "spatial_scale", .type = WLK_ATTR_FLOAT, .f = 1}};

#define DTYPES_OLD (DTYPES_FLOAT | DTYPE_BIT(WLK_F16))
#define PORTS(suffix, dtypes)                 \
    static const op_port ports_##suffix[] = { \
        {"X", dtypes, 'T'}, {"rois", dtypes, 'T'}, {"batch_indices", DTYPE_BIT(WLK_I64), 0}}
PORTS(10, DTYPES_OLD);
PORTS(22, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(op_name, version, inputs, op_ports, rows, known, op_shape, op_run)             \
    {                                                                                      \
        .domain = "", .name = op_name, .since = version, .min_inputs = inputs,             \
        .max_inputs = inputs, .min_outputs = 1, .max_outputs = 1, .ports = op_ports,       \
        .attributes = rows, .attribute_count = known, .infer = op_shape, .kernel = op_run, \
        .flags = OP_HALF                                                                   \
    }

static const op_row rows[] = {
    ROW("RoiAlign", 10, 3, ports_10, align_attributes, 5, align_infer, align_kernel),
    ROW("RoiAlign", 16, 3, ports_10, align_attributes, 6, align_infer, align_kernel),
    ROW("RoiAlign", 22, 3, ports_22, align_attributes, 6, align_infer, align_kernel),
    ROW("MaxRoiPool", 1, 2, ports_10, pool_attributes, 2, pool_infer, pool_kernel),
    ROW("MaxRoiPool", 22, 2, ports_22, pool_attributes, 2, pool_infer, pool_kernel),
};

const op_family ops_resize_roi = {rows, sizeof rows / sizeof *rows};
