/* Col2Im: the blocks of an image, given as columns, added up where they overlap. */
#include <inttypes.h>
#include <string.h>

#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { COL_DILATIONS, COL_PADS, COL_STRIDES };

#define COL_AXES (WLK_MAX_RANK - 2)

typedef struct col_axis {
    int64_t image;    /* elements */
    int64_t block;    /* elements of a block */
    int64_t places;   /* blocks */
    int64_t dilation; /* between elements of a block */
    int64_t stride;   /* between blocks */
    int64_t begin;    /* pad in front */
} col_axis;

typedef struct col_plan {
    bool known;
    uint32_t rank; /* of the image */
    col_axis axes[COL_AXES];
    int64_t elements; /* of a block */
    int64_t places;
} col_plan;

/* Numbers so large that sums of products of them would not fit are no geometry. */
#define COL_MOST INT32_MAX

static wlk_status col_number(const op_call *call, const int_list *list, uint64_t i, int64_t least,
                             int64_t absent, int64_t *out) {
    *out = list->given ? int_at(list, i) : absent;
    if (*out >= least && *out <= COL_MOST) return WLK_OK;
    return ints_fail(call, list, "a number is out of range", *out);
}

static wlk_status col_axis_read(const op_call *call, const int_list *image, const int_list *block,
                                uint32_t i, col_axis *axis) {
    const int_list dilations = ints_of_attribute(call, COL_DILATIONS);
    const int_list pads = ints_of_attribute(call, COL_PADS);
    const int_list strides = ints_of_attribute(call, COL_STRIDES);
    int64_t end = 0;
    TRY(ints_need_count(call, &dilations, "dilations", image->count));
    TRY(ints_need_count(call, &strides, "strides", image->count));
    TRY(ints_need_count(call, &pads, "pads", 2 * image->count));
    TRY(col_number(call, image, i, 1, 0, &axis->image));
    TRY(col_number(call, block, i, 1, 0, &axis->block));
    TRY(col_number(call, &dilations, i, 1, 1, &axis->dilation));
    TRY(col_number(call, &strides, i, 1, 1, &axis->stride));
    TRY(col_number(call, &pads, i, 0, 0, &axis->begin));
    TRY(col_number(call, &pads, i + image->count, 0, 0, &end));
    const int64_t room = axis->image + axis->begin + end - axis->dilation * (axis->block - 1) - 1;
    axis->places = room < 0 ? 0 : room / axis->stride + 1;
    if (axis->places > 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the block does not fit along axis %u", i);
}

static wlk_status col_read(const op_call *call, col_plan *plan) {
    int_list image;
    int_list block;
    *plan = (col_plan){.known = false};
    TRY(ints_of_input(call, 1, &image));
    TRY(ints_of_input(call, 2, &block));
    if (image.count != UINT64_MAX && image.count > COL_AXES) {
        return op_fail(call, op_shape_rule(call), "an image of %" PRIu64 " dimensions",
                       image.count);
    }
    if (!image.known || !block.known) {
        plan->rank = image.count == UINT64_MAX ? WLK_NONE : (uint32_t)image.count;
        return WLK_OK;
    }
    TRY(ints_need_count(call, &block, "block_shape", image.count));
    int64_t blocks[COL_AXES];
    int64_t places[COL_AXES];
    plan->known = true;
    plan->rank = (uint32_t)image.count;
    for (uint32_t i = 0; i < plan->rank; i++) {
        TRY(col_axis_read(call, &image, &block, i, &plan->axes[i]));
        blocks[i] = plan->axes[i].block;
        places[i] = plan->axes[i].places;
    }
    plan->elements = dim_product(blocks, 0, plan->rank);
    plan->places = dim_product(places, 0, plan->rank);
    if (plan->elements >= 0 && plan->places >= 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "the blocks are too large");
}

static wlk_status col_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    col_plan plan;
    int64_t dims[WLK_MAX_RANK];
    TRY(shape_need_rank(call, 0, 3, 3));
    TRY(col_read(call, &plan));
    if (!plan.known || in->rank == WLK_NONE) {
        set_unknown_dims(call, 0, in->dtype, plan.rank == WLK_NONE ? WLK_NONE : plan.rank + 2);
        return WLK_OK;
    }
    const bool divides = in->dims[1] == WLK_UNKNOWN_DIM || in->dims[1] % plan.elements == 0;
    if (!divides || !dim_agrees(in->dims[2], plan.places)) {
        char text[TENSOR_TEXT_BYTES];
        return op_fail(call, op_shape_rule(call),
                       "%s for blocks of %" PRId64 " elements at %" PRId64 " places",
                       tensor_text(in, text), plan.elements, plan.places);
    }
    dims[0] = in->dims[0];
    dims[1] = in->dims[1] == WLK_UNKNOWN_DIM ? WLK_UNKNOWN_DIM : in->dims[1] / plan.elements;
    for (uint32_t i = 0; i < plan.rank; i++) dims[2 + i] = plan.axes[i].image;
    op_set_output(call, 0, in->dtype, plan.rank + 2, dims);
    return WLK_OK;
}

/* ---- the kernel */

typedef void (*col_add)(void *to, const void *from, uint64_t at, uint64_t i);

#define COL_ADD(suffix, type, expression)                                           \
    static void add_##suffix(void *to, const void *from, uint64_t at, uint64_t i) { \
        type *out = (type *)to + at;                                                \
        const type x = *out;                                                        \
        const type y = ((const type *)from)[i];                                     \
        *out = (type)(expression);                                                  \
    }
#define COL_WRAP(suffix, type) COL_ADD(suffix, type, (uint64_t)x + (uint64_t)y)

COL_ADD(f64, double, x + y)
COL_ADD(f32, float, x + y)
COL_WRAP(i64, int64_t)
COL_WRAP(i32, int32_t)
COL_WRAP(i16, int16_t)
COL_WRAP(i8, int8_t)
COL_WRAP(u64, uint64_t)
COL_WRAP(u32, uint32_t)
COL_WRAP(u16, uint16_t)
COL_WRAP(u8, uint8_t)

static const col_add adders[WLK_DTYPE_COUNT] = {
    [WLK_F64] = add_f64, [WLK_F32] = add_f32, [WLK_I64] = add_i64, [WLK_I32] = add_i32,
    [WLK_I16] = add_i16, [WLK_I8] = add_i8,   [WLK_U64] = add_u64, [WLK_U32] = add_u32,
    [WLK_U16] = add_u16, [WLK_U8] = add_u8};

typedef struct col_job {
    const col_plan *plan;
    const op_tensor *in, *out;
    uint64_t size;
    uint64_t pixels;
} col_job;

/* Where, along each axis, element number `element` of a block lies in the first block. */
static void element_start(const col_plan *plan, int64_t element, int64_t start[COL_AXES]) {
    for (uint32_t i = plan->rank; i-- > 0;) {
        const col_axis *axis = &plan->axes[i];
        start[i] = element % axis->block * axis->dilation - axis->begin;
        element /= axis->block;
    }
}

/* One row of the columns: the same element of every block. */
static void add_row(const col_job *job, const int64_t start[COL_AXES], char *to, const char *from) {
    const col_plan *plan = job->plan;
    int64_t index[COL_AXES] = {0};
    for (int64_t place = 0; place < plan->places; place++) {
        int64_t at = 0;
        bool inside = true;
        for (uint32_t i = 0; i < plan->rank; i++) {
            const int64_t x = start[i] + index[i] * plan->axes[i].stride;
            inside = inside && x >= 0 && x < plan->axes[i].image;
            if (inside) at = at * plan->axes[i].image + x;
        }
        if (inside) adders[job->in->dtype](to, from, (uint64_t)at, (uint64_t)place);
        for (uint32_t i = plan->rank; i-- > 0;) {
            if (++index[i] < plan->axes[i].places) break;
            index[i] = 0;
        }
    }
}

static void add_images(void *context, uint64_t begin, uint64_t end) {
    const col_job *job = context;
    const uint64_t elements = (uint64_t)job->plan->elements;
    const uint64_t row = (uint64_t)job->plan->places * job->size;
    for (uint64_t item = begin; item < end; item++) {
        char *to = (char *)job->out->target + item * job->pixels * job->size;
        const char *from = (const char *)job->in->data + item * elements * row;
        memset(to, 0, job->pixels * job->size);
        for (uint64_t i = 0; i < elements; i++) {
            int64_t start[COL_AXES];
            element_start(job->plan, (int64_t)i, start);
            add_row(job, start, to, from + i * row);
        }
    }
}

static wlk_status col_kernel(const op_call *call) {
    col_plan plan;
    TRY(col_read(call, &plan));
    col_job job = {.plan = &plan, .in = op_input(call, 0), .out = op_output(call, 0)};
    job.size = wlk_dtype_bits(job.in->dtype) / 8;
    if (job.out->count == 0) return WLK_OK;
    job.pixels = tensor_span(job.out, 2, job.out->rank);
    op_parallel(call, job.out->count / job.pixels, 1, add_images, &job);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [COL_DILATIONS] = {.name = "dilations", .type = WLK_ATTR_INTS},
    [COL_PADS] = {.name = "pads", .type = WLK_ATTR_INTS},
    [COL_STRIDES] = {.name = "strides", .type = WLK_ATTR_INTS}};
static const op_port ports[] = {{"input", DTYPES_FLOAT | DTYPES_HALF | DTYPES_INT, 0},
                                {"image_shape", DTYPE_BIT(WLK_I64), 0},
                                {"block_shape", DTYPE_BIT(WLK_I64), 0}};

static const op_row rows[] = {{.domain = "",
                               .name = "Col2Im",
                               .since = 18,
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .ports = ports,
                               .attributes = attributes,
                               .attribute_count = 3,
                               .infer = col_infer,
                               .kernel = col_kernel,
                               .flags = OP_HALF}};

const op_family ops_shape_col2im = {rows, sizeof rows / sizeof *rows};
