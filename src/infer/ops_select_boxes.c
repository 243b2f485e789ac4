/* NonMaxSuppression: of boxes that overlap, the one with the best score. How many stay
 * follows from all inputs, so the shape rule does the same work as the kernel. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "infer/int_list.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/units.h"

enum { BOXES_CENTER };
enum { BOXES_BOXES, BOXES_SCORES, BOXES_MOST, BOXES_OVERLAP, BOXES_SCORE };

/* A shape rule runs before the limit on operations is held against it, so it has a bound
 * of its own: pairs of boxes that are compared, about a second. */
#define PAIRS_MOST (UINT64_C(1) << 28)

typedef struct box {
    float low[2], high[2];
} box;

/* One class of one batch, and what a candidate is held against. */
typedef struct scene {
    const float *boxes; /* [count, 4] */
    const float *scores;
    uint32_t count;
    bool center;
    uint64_t most;
    float overlap;
    bool has_threshold;
    float threshold;
    uint32_t *order; /* candidates, best first */
    uint32_t *room;
    uint32_t *chosen;
    uint64_t pairs; /* compared so far */
} scene;

static box box_at(const scene *s, uint32_t i) {
    const float *at = s->boxes + 4 * (uint64_t)i;
    box out;
    for (uint32_t axis = 0; axis < 2; axis++) {
        const float a = s->center ? at[axis] - at[axis + 2] / 2 : at[axis];
        const float b = s->center ? at[axis] + at[axis + 2] / 2 : at[axis + 2];
        const bool turned = !s->center && a > b;
        out.low[axis] = turned ? b : a;
        out.high[axis] = turned ? a : b;
    }
    return out;
}

/* The area in common over the area of both; 0 where one has none. */
static float overlap_of(const box *a, const box *b) {
    float common = 1;
    float area_a = 1;
    float area_b = 1;
    for (uint32_t axis = 0; axis < 2; axis++) {
        const float low = a->low[axis] > b->low[axis] ? a->low[axis] : b->low[axis];
        const float high = a->high[axis] < b->high[axis] ? a->high[axis] : b->high[axis];
        if (!(high > low)) return 0;
        common *= high - low;
        area_a *= a->high[axis] - a->low[axis];
        area_b *= b->high[axis] - b->low[axis];
    }
    const float both = area_a + area_b - common;
    if (!(common > 0 && area_a > 0 && area_b > 0 && both > 0)) return 0;
    return common / both;
}

/* Highest score first; NaN behind all. The sort keeps equal ones in order. */
static int compare_scores(const void *context, uint32_t a, uint32_t b) {
    const scene *s = context;
    const float x = s->scores[a];
    const float y = s->scores[b];
    if (x != x || y != y) return (x != x) - (y != y);
    return (x < y) - (x > y);
}

static bool is_suppressed(scene *s, const box *candidate, uint32_t chosen) {
    for (uint32_t i = 0; i < chosen; i++) {
        const box other = box_at(s, s->chosen[i]);
        s->pairs++;
        if (overlap_of(candidate, &other) > s->overlap) return true;
    }
    return false;
}

/* Fills chosen; returns how many. Stops at PAIRS_MOST. */
static uint32_t choose_boxes(scene *s) {
    uint32_t candidates = 0;
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->has_threshold || s->scores[i] > s->threshold) s->order[candidates++] = i;
    }
    sort_u32(s->order, candidates, compare_scores, s, s->room);
    for (uint32_t i = 0; i < candidates && chosen < s->most && s->pairs <= PAIRS_MOST; i++) {
        const box candidate = box_at(s, s->order[i]);
        if (!is_suppressed(s, &candidate, chosen)) s->chosen[chosen++] = s->order[i];
    }
    return chosen;
}

/* ---- all batches and classes */

static float scalar_or_0(const op_tensor *tensor) {
    return tensor && tensor->count > 0 ? *(const float *)tensor->data : 0;
}

static scene scene_of(const op_call *call, uint32_t *memory) {
    const op_tensor *most = op_input(call, BOXES_MOST);
    const op_tensor *threshold = op_input(call, BOXES_SCORE);
    const int64_t limit = most && most->count > 0 ? op_int(most, 0) : 0;
    const uint32_t count = (uint32_t)op_input(call, BOXES_BOXES)->dims[1];
    return (scene){.count = count,
                   .center = op_attribute(call, BOXES_CENTER).i != 0,
                   .most = limit < 0 ? 0 : (uint64_t)limit,
                   .overlap = scalar_or_0(op_input(call, BOXES_OVERLAP)),
                   .has_threshold = threshold && threshold->count > 0,
                   .threshold = scalar_or_0(threshold),
                   .order = memory,
                   .room = memory + count,
                   .chosen = memory + 2 * (uint64_t)count};
}

/* Visits every class; to is NULL or gets [batch, class, box] of each chosen one. Returns
 * how many there are. */
static uint64_t choose_all(const op_call *call, scene *s, int64_t *to) {
    const op_tensor *boxes = op_input(call, BOXES_BOXES);
    const op_tensor *scores = op_input(call, BOXES_SCORES);
    const uint64_t classes = (uint64_t)scores->dims[1];
    uint64_t found = 0;
    if (boxes->count == 0 || scores->count == 0 || s->most == 0) return 0;
    const uint64_t scenes = (uint64_t)scores->dims[0] * classes;
    for (uint64_t i = 0; i < scenes && s->pairs <= PAIRS_MOST; i++) {
        const uint64_t batch = i / classes;
        s->boxes = (const float *)boxes->data + batch * s->count * 4;
        s->scores = (const float *)scores->data + i * s->count;
        const uint32_t chosen = choose_boxes(s);
        for (uint32_t j = 0; to && j < chosen; j++) {
            *to++ = (int64_t)batch;
            *to++ = (int64_t)(i % classes);
            *to++ = s->chosen[j];
        }
        found += chosen;
    }
    return found;
}

/* ---- shape rule and kernel */

static wlk_status boxes_scalar(const op_call *call, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    if (!in) return WLK_OK;
    TRY(shape_need_rank(call, i, 0, 1));
    if (in->rank != 1 || in->dims[0] == WLK_UNKNOWN_DIM || in->dims[0] <= 1) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "input %u is not one number", i);
}

static wlk_status boxes_shapes(const op_call *call) {
    const op_tensor *boxes = op_input(call, BOXES_BOXES);
    const op_tensor *scores = op_input(call, BOXES_SCORES);
    TRY(shape_need_rank(call, BOXES_BOXES, 3, 3));
    TRY(shape_need_rank(call, BOXES_SCORES, 3, 3));
    for (uint32_t i = BOXES_MOST; i <= BOXES_SCORE; i++) TRY(boxes_scalar(call, i));
    if (boxes->rank == WLK_NONE || scores->rank == WLK_NONE) return WLK_OK;
    if (!dim_agrees(boxes->dims[2], 4) || !dim_agrees(boxes->dims[0], scores->dims[0]) ||
        !dim_agrees(boxes->dims[1], scores->dims[2])) {
        return shape_mismatch(call, BOXES_BOXES, BOXES_SCORES);
    }
    if (boxes->dims[1] <= (int64_t)UINT32_MAX) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%" PRId64 " boxes", boxes->dims[1]);
}

static bool boxes_known(const op_call *call) {
    bool known = true;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        known = known && (!op_input(call, i) || op_is_known(call, i));
    }
    return known && call->binding;
}

static wlk_status boxes_count(op_call *call, int64_t *found) {
    const uint64_t count = (uint64_t)op_input(call, BOXES_BOXES)->dims[1];
    uint32_t *memory = mem_alloc(3 * count * sizeof *memory);
    if (!memory) return error_at(call->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    scene s = scene_of(call, memory);
    *found = (int64_t)choose_all(call, &s, NULL);
    mem_free(memory);
    op_add_operations(call, 4 * OP_ELEMENT_COST, s.pairs, 1, 1);
    op_add_operations(call, 32 * OP_ELEMENT_COST, op_input(call, BOXES_SCORES)->count, 1, 1);
    if (s.pairs > PAIRS_MOST) {
        return op_fail(call, RULE_RUN_OPERATIONS, "more than %" PRIu64 " pairs of boxes",
                       PAIRS_MOST);
    }
    return op_need_scratch(call, 3 * count, sizeof *memory);
}

static wlk_status boxes_infer(op_call *call) {
    int64_t dims[2] = {WLK_UNKNOWN_DIM, 3};
    TRY(boxes_shapes(call));
    if (boxes_known(call)) TRY(boxes_count(call, &dims[0]));
    op_set_output(call, 0, WLK_I64, 2, dims);
    return WLK_OK;
}

static wlk_status boxes_kernel(const op_call *call) {
    scene s = scene_of(call, call->scratch);
    (void)choose_all(call, &s, op_output(call, 0)->target);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [BOXES_CENTER] = {.name = "center_point_box", .type = WLK_ATTR_INT}};
static const op_port ports[] = {{"boxes", DTYPE_BIT(WLK_F32), 0},
                                {"scores", DTYPE_BIT(WLK_F32), 0},
                                {"max_output_boxes_per_class", DTYPE_BIT(WLK_I64), 0},
                                {"iou_threshold", DTYPE_BIT(WLK_F32), 0},
                                {"score_threshold", DTYPE_BIT(WLK_F32), 0}};

#define ROW(version)                                                                  \
    {                                                                                 \
        .domain = "", .name = "NonMaxSuppression", .since = version, .min_inputs = 2, \
        .max_inputs = 5, .min_outputs = 1, .max_outputs = 1, .ports = ports,          \
        .attributes = attributes, .attribute_count = 1, .infer = boxes_infer,         \
        .kernel = boxes_kernel                                                        \
    }

static const op_row rows[] = {ROW(10), ROW(11)};

const op_family ops_select_boxes = {rows, sizeof rows / sizeof *rows};
