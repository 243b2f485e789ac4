/* Constant: what an attribute holds is the output, where it lies. */
#include <string.h>

#include "base/bytes.h"
#include "infer/ops.h"
#include "infer/shape.h"

/* In every version's list the forms stand in this order, as far as there are any. */
enum { VALUE, SPARSE, FLOAT, FLOATS, INT, INTS, STRING, STRINGS, FORMS };

static wlk_status take_array(plan_memory *memory, op_tensor *out, uint64_t bytes, void **data,
                             wlk_error *error) {
    TRY(plan_take(memory, bytes, 1, data, error));
    out->data = *data;
    out->origin = ORIGIN_CONSTANT;
    out->nbytes = bytes;
    return WLK_OK;
}

static wlk_status take_numbers(const op_call *call, plan_memory *memory, uint32_t form,
                               op_tensor *out) {
    const attribute_value value = op_attribute(call, form);
    const bool is_int = form == INT || form == INTS;
    const uint64_t size = is_int ? sizeof(int64_t) : sizeof(float);
    void *data = NULL;
    out->dtype = is_int ? WLK_I64 : WLK_F32;
    TRY(take_array(memory, out, out->count * size, &data, call->error));
    const float number = (float)value.f;
    const void *from = is_int ? (const void *)value.ints : (const void *)value.floats;
    if (form == INT) from = &value.i;
    if (form == FLOAT) from = &number;
    if (out->count > 0) memcpy(data, from, out->count * size);
    return WLK_OK;
}

static wlk_status take_texts(const op_call *call, plan_memory *memory, const char *const *texts,
                             op_tensor *out) {
    uint64_t bytes = 8 * (out->count + 1);
    for (uint64_t i = 0; i < out->count; i++) bytes += strlen(texts[i]);
    void *data = NULL;
    out->dtype = WLK_STR;
    TRY(take_array(memory, out, bytes, &data, call->error));
    out->text_bytes = bytes - 8 * (out->count + 1);
    char *at = (char *)data + 8 * (out->count + 1);
    uint64_t end = 0;
    for (uint64_t i = 0; i < out->count; i++) {
        const size_t length = strlen(texts[i]);
        memcpy(at + end, texts[i], length);
        end += length;
        store_u64((char *)data + 8 * (i + 1), end);
    }
    return WLK_OK;
}

static wlk_status take_form(const op_call *call, plan_memory *memory, uint32_t form,
                            op_tensor *out) {
    const attribute_value value = op_attribute(call, form);
    const bool is_list = form == FLOATS || form == INTS || form == STRINGS;
    if (form == VALUE || form == SPARSE) {
        *out = *op_attribute_tensor(call, form);
        if (out->dtype != WLK_BLOCK) return WLK_OK;
        return op_fail(call, RULE_PLAN_DTYPE, "its value is of blocks");
    }
    out->rank = is_list ? 1 : 0;
    out->dims[0] = is_list ? value.count : 0;
    out->count = is_list ? value.count : 1;
    if (form == STRING) return take_texts(call, memory, &value.s, out);
    if (form == STRINGS) return take_texts(call, memory, value.strings, out);
    return take_numbers(call, memory, form, out);
}

static wlk_status constant_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    uint32_t form = FORMS;
    void *made = NULL;
    for (uint32_t i = 0; i < call->node->row->attribute_count; i++) {
        if (!op_attribute(call, i).given) continue;
        if (form != FORMS) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE, "there is more than one value");
        }
        form = i;
    }
    if (form == FORMS) return op_fail(call, RULE_PLAN_ATTRIBUTE, "there is no value");
    TRY(plan_take(memory, 1, sizeof(op_tensor), &made, call->error));
    *prepared = made;
    return take_form(call, memory, form, made);
}

static wlk_status constant_infer(op_call *call) {
    *op_output(call, 0) = *(const op_tensor *)call->node->prepared;
    return WLK_OK;
}

/* ---- rows */

static const op_port no_port[] = {{"none", DTYPES_FLOAT, 0}};
static const attribute_row forms[] = {
    [VALUE] = {.name = "value", .type = WLK_ATTR_TENSOR},
    [SPARSE] = {.name = "sparse_value", .type = WLK_ATTR_TENSOR},
    [FLOAT] = {.name = "value_float", .type = WLK_ATTR_FLOAT},
    [FLOATS] = {.name = "value_floats", .type = WLK_ATTR_FLOATS},
    [INT] = {.name = "value_int", .type = WLK_ATTR_INT},
    [INTS] = {.name = "value_ints", .type = WLK_ATTR_INTS},
    [STRING] = {.name = "value_string", .type = WLK_ATTR_STRING, .s = ""},
    [STRINGS] = {.name = "value_strings", .type = WLK_ATTR_STRINGS},
};

/* The plan takes the output from the shape rule: the kernel has nothing to do. */
static wlk_status constant_kernel(const op_call *call) {
    (void)call;
    return WLK_OK;
}

#define CONSTANT(version, forms_count)                                                          \
    {                                                                                           \
        .domain = "", .name = "Constant", .since = version, .min_outputs = 1, .max_outputs = 1, \
        .ports = no_port, .attributes = forms, .attribute_count = forms_count,                  \
        .infer = constant_infer, .kernel = constant_kernel, .prepare = constant_prepare         \
    }

static const op_row rows[] = {
    CONSTANT(1, 1),      CONSTANT(9, 1),      CONSTANT(11, 2),     CONSTANT(12, FORMS),
    CONSTANT(13, FORMS), CONSTANT(19, FORMS), CONSTANT(21, FORMS), CONSTANT(23, FORMS),
    CONSTANT(24, FORMS), CONSTANT(25, FORMS),
};

const op_family ops_constant = {rows, sizeof rows / sizeof *rows};
