/* RotaryEmbedding: pairs of elements turned by the angle of their position. */
#include <inttypes.h>
#include <string.h>

#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"

enum { RO_INTERLEAVED, RO_HEADS, RO_DIM, RO_ATTRIBUTES };
enum { RO_X, RO_COS, RO_SIN, RO_POSITIONS };

/* X as batch, heads, length, size; of each `turned` elements turn. */
typedef struct rotary {
    const op_call *call;
    int64_t batch;
    int64_t heads;
    int64_t length;
    int64_t size;
    int64_t turned;
    bool flat; /* [batch, length, heads * size] */
} rotary;

static wlk_status rotary_of(const op_call *call, rotary *r) {
    const op_tensor *x = op_input(call, RO_X);
    const int64_t dim = op_attribute(call, RO_DIM).i;
    const int64_t heads = op_attribute(call, RO_HEADS).i;
    *r = (rotary){.call = call, .batch = x->dims[0], .flat = x->rank == 3};
    r->heads = r->flat ? heads : x->dims[1];
    r->length = r->flat ? x->dims[1] : x->dims[2];
    r->size = r->flat ? x->dims[2] : x->dims[3];
    if (r->flat && heads < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "num_heads is %" PRId64, heads);
    }
    if (dim < 0 || dim % 2 != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "rotary_embedding_dim is %" PRId64, dim);
    }
    if (r->size == WLK_UNKNOWN_DIM) {
        r->turned = dim > 0 ? dim : WLK_UNKNOWN_DIM;
        return WLK_OK;
    }
    const bool divides = !r->flat || r->size % heads == 0;
    if (r->flat) r->size /= heads;
    r->turned = dim > 0 ? dim : r->size;
    if (divides && r->turned <= r->size && r->turned % 2 == 0) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "%" PRId64 " of %" PRId64 " elements turn", r->turned,
                   r->size);
}

/* Tables are [positions, turned / 2], or [batch, length, turned / 2]. */
static wlk_status need_table(const op_call *call, uint32_t i, const rotary *r) {
    const op_tensor *table = op_input(call, i);
    const op_tensor *positions = op_input(call, RO_POSITIONS);
    if (table->rank == WLK_NONE) return WLK_OK;
    const uint32_t rank = positions ? 2 : 3;
    const int64_t half = r->turned == WLK_UNKNOWN_DIM ? WLK_UNKNOWN_DIM : r->turned / 2;
    bool fits = table->rank == rank && dim_agrees(table->dims[rank - 1], half);
    if (fits && !positions) {
        fits = dim_agrees(table->dims[0], r->batch) && dim_agrees(table->dims[1], r->length);
    }
    return fits ? WLK_OK : shape_mismatch(call, RO_X, i);
}

static wlk_status rotary_infer(op_call *call) {
    const op_tensor *x = op_input(call, RO_X);
    const op_tensor *positions = op_input(call, RO_POSITIONS);
    TRY(shape_need_rank(call, RO_X, 3, 4));
    op_set_output(call, 0, x->dtype, x->rank, x->dims);
    if (x->rank == WLK_NONE) return WLK_OK;
    rotary r;
    TRY(rotary_of(call, &r));
    TRY(need_table(call, RO_COS, &r));
    TRY(need_table(call, RO_SIN, &r));
    const op_tensor *cosines = op_input(call, RO_COS);
    const op_tensor *sines = op_input(call, RO_SIN);
    if (cosines->rank != WLK_NONE && sines->rank != WLK_NONE &&
        !dim_agrees(cosines->dims[0], sines->dims[0])) {
        return shape_mismatch(call, RO_COS, RO_SIN);
    }
    if (positions && positions->rank != WLK_NONE &&
        (positions->rank != 2 || !dim_agrees(positions->dims[0], r.batch) ||
         !dim_agrees(positions->dims[1], r.length))) {
        return shape_mismatch(call, RO_X, RO_POSITIONS);
    }
    if (call->binding) op_add_operations(call, OP_ELEMENT_COST, x->count, 1, 1);
    return WLK_OK;
}

/* One head of one token. Pairs lie side by side, or half of the turned elements apart. */
static void turn(const float *restrict x, float *restrict out, uint64_t half, bool interleaved,
                 const float *cosines, const float *sines) {
    const uint64_t step = interleaved ? 2 : 1;
    const uint64_t other = interleaved ? 1 : half;
    for (uint64_t i = 0; i < half; i++) {
        const float a = x[i * step];
        const float b = x[i * step + other];
        out[i * step] = cosines[i] * a - sines[i] * b;
        out[i * step + other] = sines[i] * a + cosines[i] * b;
    }
}

/* Tokens [from, to) of all batches. */
static void turn_tokens(void *context, uint64_t from, uint64_t to) {
    const rotary *r = context;
    const op_tensor *positions = op_input(r->call, RO_POSITIONS);
    const bool interleaved = op_attribute(r->call, RO_INTERLEAVED).i != 0;
    const float *x = op_input(r->call, RO_X)->data;
    float *out = op_output(r->call, 0)->target;
    const uint64_t half = (uint64_t)r->turned / 2;
    const uint64_t heads = (uint64_t)r->heads;
    const uint64_t size = (uint64_t)r->size;
    const uint64_t length = (uint64_t)r->length;
    for (uint64_t token = from; token < to; token++) {
        const uint64_t row =
            positions ? (uint64_t)((const int64_t *)positions->data)[token] : token;
        const float *cosines = (const float *)op_input(r->call, RO_COS)->data + row * half;
        const float *sines = (const float *)op_input(r->call, RO_SIN)->data + row * half;
        for (uint64_t head = 0; head < heads; head++) {
            const uint64_t at =
                r->flat ? (token * heads + head) * size
                        : ((token / length * heads + head) * length + token % length) * size;
            turn(x + at, out + at, half, interleaved, cosines, sines);
            memcpy(out + at + 2 * half, x + at + 2 * half, (size - 2 * half) * sizeof *x);
        }
    }
}

static wlk_status rotary_kernel(const op_call *call) {
    const op_tensor *x = op_input(call, RO_X);
    const op_tensor *positions = op_input(call, RO_POSITIONS);
    rotary r;
    TRY(rotary_of(call, &r));
    const int64_t rows = op_input(call, RO_COS)->dims[0];
    for (uint64_t i = 0; positions && i < positions->count; i++) {
        const int64_t position = ((const int64_t *)positions->data)[i];
        if (position >= 0 && position < rows) continue;
        return op_fail(call, RULE_RUN_INDEX, "position %" PRId64 " of %" PRId64, position, rows);
    }
    if (x->count == 0) return WLK_OK;
    const uint64_t each = (uint64_t)r.heads * (uint64_t)r.size;
    op_parallel(call, (uint64_t)r.batch * (uint64_t)r.length, 1 + (1 << 15) / (each + 1),
                turn_tokens, &r);
    return WLK_OK;
}

static const attribute_row attributes[] = {
    [RO_INTERLEAVED] = {.name = "interleaved", .type = WLK_ATTR_INT},
    [RO_HEADS] = {.name = "num_heads", .type = WLK_ATTR_INT},
    [RO_DIM] = {.name = "rotary_embedding_dim", .type = WLK_ATTR_INT},
};

#define FLOATS DTYPE_BIT(WLK_F32) | DTYPES_HALF
static const op_port ports[] = {[RO_X] = {"X", FLOATS, 'T'},
                                [RO_COS] = {"cos_cache", FLOATS, 'T'},
                                [RO_SIN] = {"sin_cache", FLOATS, 'T'},
                                [RO_POSITIONS] = {"position_ids", DTYPE_BIT(WLK_I64), 0}};

static const op_row rows[] = {{.domain = "",
                               .name = "RotaryEmbedding",
                               .since = 23,
                               .min_inputs = 3,
                               .max_inputs = 4,
                               .min_outputs = 1,
                               .max_outputs = 1,
                               .ports = ports,
                               .attributes = attributes,
                               .attribute_count = RO_ATTRIBUTES,
                               .infer = rotary_infer,
                               .kernel = rotary_kernel,
                               .flags = OP_HALF}};

const op_family ops_attention_rotary = {rows, sizeof rows / sizeof *rows};
