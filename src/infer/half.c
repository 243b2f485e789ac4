#include "infer/half.h"

#include <string.h>

#include "base/checked.h"

/* ---- conversions: no branches, so that the loops become vector code */

static inline float f32_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The exponent is moved by a product with a power of two, which also makes the
 * subnormal ones normal; infinities and NaNs get the exponent of theirs. */
static inline float widen_f16(uint16_t half) {
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0;
    const uint32_t scaled = bits_of_f32(f32_of_bits(magnitude) * 0x1p112f);
    const uint32_t bits = (special ? magnitude | special : scaled);
    return f32_of_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

/* Normal numbers are rounded by adding half of the last place kept (ties to even);
 * small ones by adding a float whose last place is that of the subnormal numbers. */
static inline uint16_t narrow_f16(float value) {
    const uint32_t bits = bits_of_f32(value);
    const uint32_t sign = bits >> 16 & 0x8000;
    const uint32_t magnitude = bits & 0x7fffffff;
    const uint32_t normal = (magnitude - 0x38000000u + 0x0fffu + (magnitude >> 13 & 1)) >> 13;
    const uint32_t small = bits_of_f32(f32_of_bits(magnitude) + 0.5f) - 0x3f000000u;
    uint32_t out = magnitude < 0x38800000u ? small : normal;
    out = magnitude >= 0x477ff000u ? 0x7c00 : out;
    out = magnitude > 0x7f800000u ? 0x7e00 : out;
    return (uint16_t)(sign | out);
}

static inline float widen_bf16(uint16_t half) {
    return f32_of_bits((uint32_t)half << 16);
}

static inline uint16_t narrow_bf16(float value) {
    const uint32_t bits = bits_of_f32(value);
    const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    const bool is_nan = (bits & 0x7fffffff) > 0x7f800000u;
    return (uint16_t)(is_nan ? bits >> 16 | 0x40 : rounded);
}

void half_widen(wlk_dtype from, const void *data, uint64_t count, float *out) {
    const uint16_t *halves = data;
    if (from == WLK_F16) {
        for (uint64_t i = 0; i < count; i++) out[i] = widen_f16(halves[i]);
    } else {
        for (uint64_t i = 0; i < count; i++) out[i] = widen_bf16(halves[i]);
    }
}

void half_narrow(wlk_dtype to, const float *data, uint64_t count, void *out) {
    uint16_t *halves = out;
    if (to == WLK_F16) {
        for (uint64_t i = 0; i < count; i++) halves[i] = narrow_f16(data[i]);
    } else {
        for (uint64_t i = 0; i < count; i++) halves[i] = narrow_bf16(data[i]);
    }
}

/* ---- the shadow */

static bool is_half(const op_tensor *tensor) {
    return tensor && (DTYPES_HALF & DTYPE_BIT(tensor->dtype));
}

uint64_t half_shadow_bytes(uint64_t edges) {
    return edges * (sizeof(op_tensor) + sizeof(float[HALF_CONTENT]));
}

half_shadow half_shadow_at(void *memory, uint64_t edges) {
    char *content = (char *)memory + edges * sizeof(op_tensor);
    return (half_shadow){.tensors = memory, .content = (float(*)[HALF_CONTENT])(void *)content};
}

bool half_is_needed(const op_call *call) {
    if (!(call->node->row->flags & OP_HALF)) return false;
    for (uint32_t i = 0; i < call->node->inputs; i++) {
        if (is_half(op_input(call, i))) return true;
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        if (is_half(op_output(call, i))) return true;
    }
    return false;
}

/* The call that sees the shadow in the place of the node; *node is its own. */
static op_call shadow_call(const op_call *call, const half_shadow *shadow, plan_node *node) {
    *node = *call->node;
    node->edges = call->node->shadow;
    op_call inner = *call;
    inner.node = node;
    inner.values = shadow->tensors;
    inner.wanted = NULL;
    return inner;
}

/* Input i as f32. Its content is there if it is known and small. */
static void shadow_input(const op_call *call, const half_shadow *shadow, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    op_tensor *out = &shadow->tensors[i];
    if (!in) return;
    *out = *in;
    if (!is_half(in)) return;
    const bool is_there = in->origin == ORIGIN_CONSTANT || in->origin == ORIGIN_COMPUTED ||
                          (in->origin == ORIGIN_INPUT && call->binding);
    out->dtype = WLK_F32;
    out->nbytes = 2 * in->nbytes;
    out->data = NULL;
    if (is_there && in->count <= HALF_CONTENT) {
        half_widen(in->dtype, in->data, in->count, shadow->content[i]);
        out->data = shadow->content[i];
    } else {
        out->origin = ORIGIN_NODE;
    }
}

static void shadow_inputs(const op_call *call, const half_shadow *shadow) {
    for (uint32_t i = 0; i < call->node->inputs; i++) shadow_input(call, shadow, i);
}

/* Bytes of a tensor of 16 bits as f32, rounded up; 0 for any other. */
static bool add_widened(const op_tensor *tensor, uint64_t *bytes) {
    uint64_t own;
    if (!is_half(tensor)) return true;
    return checked_mul(tensor->count, sizeof(float), &own) &&
           checked_align(own, TENSOR_ALIGN, &own) && checked_add(*bytes, own, bytes);
}

/* Takes the outputs' dims from the shadow, and counts the converted tensors. */
static wlk_status take_outputs(op_call *call, const half_shadow *shadow) {
    const plan_node *node = call->node;
    bool fits = true;
    for (uint32_t i = 0; call->binding && i < node->inputs; i++) {
        fits = fits && add_widened(op_input(call, i), &call->scratch_bytes);
    }
    for (uint32_t i = 0; i < node->outputs; i++) {
        op_tensor *out = op_output(call, i);
        if (!out) continue;
        const op_tensor *seen = &shadow->tensors[node->inputs + i];
        out->rank = seen->rank;
        memcpy(out->dims, seen->dims, sizeof out->dims);
        out->text_bytes = seen->text_bytes;
        if (!call->binding || !tensor_is_known(out)) continue;
        fits = fits && tensor_measure(out) && add_widened(out, &call->scratch_bytes);
    }
    return fits ? WLK_OK : op_fail(call, RULE_RUN_MEMORY, "its elements as f32");
}

/* The rule says twice what it makes: of the 16 bits that there are, for the dtypes, and
 * of f32, for dims, memory and work. */
wlk_status node_infer(op_call *call, const half_shadow *shadow) {
    const op_infer infer = call->node->row->infer;
    TRY(infer(call));
    if (!(call->node->marks & NODE_HALF)) return WLK_OK;
    plan_node node;
    op_call inner = shadow_call(call, shadow, &node);
    inner.scratch_bytes = 0;
    inner.operations = 0;
    shadow_inputs(call, shadow);
    TRY(infer(&inner));
    call->scratch_bytes = inner.scratch_bytes;
    call->operations = inner.operations;
    return take_outputs(call, shadow);
}

wlk_status node_prepare(op_call *call, const half_shadow *shadow, plan_memory *memory,
                        const void **prepared) {
    const op_prepare prepare = call->node->row->prepare;
    if (!prepare) return WLK_OK;
    if (!(call->node->marks & NODE_HALF)) return prepare(call, memory, prepared);
    plan_node node;
    op_call inner = shadow_call(call, shadow, &node);
    shadow_inputs(call, shadow);
    return prepare(&inner, memory, prepared);
}

/* ---- the kernel */

/* Room for one tensor as f32, from the front of the working memory. */
static float *take_widened(char **scratch, const op_tensor *tensor) {
    uint64_t bytes = 0;
    float *room = (float *)(void *)*scratch;
    (void)add_widened(tensor, &bytes); /* fitted when it was bound */
    *scratch += bytes;
    return room;
}

static void widen_input(const op_call *call, op_tensor *seen, uint32_t i, char **scratch) {
    const op_tensor *in = op_input(call, i);
    if (!in) return;
    *seen = *in;
    if (!is_half(in)) return;
    float *room = take_widened(scratch, in);
    half_widen(in->dtype, in->data, in->count, room);
    seen->dtype = WLK_F32;
    seen->nbytes = in->count * sizeof(float);
    seen->data = room;
}

static void lend_output(const op_call *call, op_tensor *seen, uint32_t i, char **scratch) {
    const op_tensor *out = op_output(call, i);
    if (!out) return;
    *seen = *out;
    if (!is_half(out)) return;
    seen->dtype = WLK_F32;
    seen->nbytes = out->count * sizeof(float);
    seen->target = take_widened(scratch, out);
    seen->data = seen->target;
}

static void take_output(const op_call *call, const op_tensor *seen, uint32_t i) {
    op_tensor *out = op_output(call, i);
    if (!out) return;
    if (is_half(out)) {
        half_narrow(out->dtype, seen->data, out->count, out->target);
    } else {
        out->nbytes = seen->nbytes; /* of str perhaps less than planned */
    }
}

wlk_status node_kernel(const op_call *call, const half_shadow *shadow) {
    if (!(call->node->marks & NODE_HALF)) return call->node->row->kernel(call);
    const uint32_t inputs = call->node->inputs;
    plan_node node;
    op_call inner = shadow_call(call, shadow, &node);
    char *scratch = call->scratch;
    for (uint32_t i = 0; i < inputs; i++) widen_input(call, &shadow->tensors[i], i, &scratch);
    for (uint32_t i = 0; i < node.outputs; i++) {
        lend_output(call, &shadow->tensors[inputs + i], i, &scratch);
    }
    inner.scratch = scratch;
    TRY(node.row->kernel(&inner));
    for (uint32_t i = 0; i < node.outputs; i++) take_output(call, &shadow->tensors[inputs + i], i);
    return WLK_OK;
}
