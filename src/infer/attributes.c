#include "infer/attributes.h"

#include <string.h>

#include "base/onnx_dtype.h"
#include "infer/op.h"

static const char *const type_names[WLK_ATTR_TYPE_COUNT] = {
    [WLK_ATTR_INT] = "int",         [WLK_ATTR_FLOAT] = "float",     [WLK_ATTR_STRING] = "string",
    [WLK_ATTR_TENSOR] = "tensor",   [WLK_ATTR_GRAPH] = "graph",     [WLK_ATTR_DTYPE] = "dtype",
    [WLK_ATTR_TYPE] = "type",       [WLK_ATTR_INTS] = "ints",       [WLK_ATTR_FLOATS] = "floats",
    [WLK_ATTR_STRINGS] = "strings", [WLK_ATTR_TENSORS] = "tensors", [WLK_ATTR_GRAPHS] = "graphs",
};

/* Lists of which type are these dtypes' tensors? */
static const wlk_attribute_type list_of[WLK_DTYPE_COUNT] = {
    [WLK_I64] = WLK_ATTR_INTS, [WLK_F32] = WLK_ATTR_FLOATS, [WLK_STR] = WLK_ATTR_STRINGS};

/* A dtype may be ONNX's number for it, a long list a tensor of one axis. */
static bool also_spelled(const op_call *call, wlk_attribute_type wanted,
                         const wlk_attribute *attribute) {
    if (wanted == WLK_ATTR_DTYPE) return attribute->type == WLK_ATTR_INT;
    if (attribute->type != WLK_ATTR_TENSOR) return false;
    const op_tensor *list = &call->constants[wlk_model_attribute_int(call->model, attribute, 0)];
    return list->rank == 1 && list->count <= UINT32_MAX && list_of[list->dtype] == wanted;
}

static wlk_status find_row(const op_call *call, const wlk_attribute *attribute, uint32_t *found) {
    for (uint32_t i = 0; i < call->node->row->attribute_count; i++) {
        const attribute_row *row = &call->node->row->attributes[i];
        if (strcmp(row->name, attribute->name) != 0) continue;
        if (row->type != attribute->type && !also_spelled(call, row->type, attribute)) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE, "attribute '%.60s' must be of type %s",
                           row->name, type_names[row->type]);
        }
        *found = i;
        return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE, "attribute '%.60s' is not known", attribute->name);
}

static attribute_value default_of(const attribute_row *row) {
    attribute_value value = {.given = false};
    if (row->type == WLK_ATTR_INT || row->type == WLK_ATTR_DTYPE) value.i = row->i;
    if (row->type == WLK_ATTR_FLOAT) value.f = row->f;
    if (row->type == WLK_ATTR_STRING) value.s = row->s;
    return value;
}

/* Each reader fills in one value; lists are copied into the plan's memory. */
typedef wlk_status (*attribute_reader)(const op_call *call, plan_memory *memory,
                                       const wlk_attribute *attribute, attribute_value *value);

static wlk_status read_int(const op_call *call, plan_memory *memory, const wlk_attribute *attribute,
                           attribute_value *value) {
    (void)memory;
    value->i = wlk_model_attribute_int(call->model, attribute, 0);
    return WLK_OK;
}

static wlk_status read_float(const op_call *call, plan_memory *memory,
                             const wlk_attribute *attribute, attribute_value *value) {
    (void)memory;
    value->f = wlk_model_attribute_float(call->model, attribute, 0);
    return WLK_OK;
}

static wlk_status read_string(const op_call *call, plan_memory *memory,
                              const wlk_attribute *attribute, attribute_value *value) {
    (void)memory;
    value->s = wlk_model_attribute_string(call->model, attribute, 0);
    return WLK_OK;
}

static wlk_status read_ints(const op_call *call, plan_memory *memory,
                            const wlk_attribute *attribute, attribute_value *value) {
    void *list = NULL;
    TRY(plan_take(memory, attribute->count, sizeof(int64_t), &list, call->error));
    int64_t *ints = list;
    for (uint32_t i = 0; i < attribute->count; i++) {
        ints[i] = wlk_model_attribute_int(call->model, attribute, i);
    }
    value->ints = ints;
    return WLK_OK;
}

static wlk_status read_floats(const op_call *call, plan_memory *memory,
                              const wlk_attribute *attribute, attribute_value *value) {
    void *list = NULL;
    TRY(plan_take(memory, attribute->count, sizeof(float), &list, call->error));
    float *floats = list;
    for (uint32_t i = 0; i < attribute->count; i++) {
        floats[i] = (float)wlk_model_attribute_float(call->model, attribute, i);
    }
    value->floats = floats;
    return WLK_OK;
}

static wlk_status read_strings(const op_call *call, plan_memory *memory,
                               const wlk_attribute *attribute, attribute_value *value) {
    void *list = NULL;
    TRY(plan_take(memory, attribute->count, sizeof(char *), &list, call->error));
    const char **strings = list;
    for (uint32_t i = 0; i < attribute->count; i++) {
        strings[i] = wlk_model_attribute_string(call->model, attribute, i);
    }
    value->strings = strings;
    return WLK_OK;
}

static wlk_status read_number_of_dtype(const op_call *call, plan_memory *memory,
                                       const wlk_attribute *attribute, attribute_value *value) {
    (void)memory;
    const int64_t number = wlk_model_attribute_int(call->model, attribute, 0);
    value->i = onnx_dtype(number);
    if (value->i != WLK_DTYPE_NONE || number == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE,
                   "attribute '%.60s': no dtype has the number %lld", attribute->name,
                   (long long)number);
}

/* Every text and a NUL behind it: attributes are read as C strings. */
static wlk_status read_texts(const op_call *call, plan_memory *memory, const op_tensor *list,
                             attribute_value *value) {
    void *pointers = NULL;
    void *texts = NULL;
    TRY(plan_take(memory, list->count, sizeof(char *), &pointers, call->error));
    TRY(plan_take(memory, list->count + list->text_bytes, 1, &texts, call->error));
    const char **strings = pointers;
    char *at = texts;
    for (uint64_t i = 0; i < list->count; i++) {
        const text_span span = tensor_string(list, i);
        if (span.length > 0) memcpy(at, span.text, span.length);
        strings[i] = at;
        at += span.length + 1; /* zeroed memory */
    }
    value->strings = strings;
    return WLK_OK;
}

static wlk_status read_list(const op_call *call, plan_memory *memory,
                            const wlk_attribute *attribute, attribute_value *value) {
    const op_tensor *list = &call->constants[wlk_model_attribute_int(call->model, attribute, 0)];
    value->count = (uint32_t)list->count;
    if (list->dtype == WLK_STR) return read_texts(call, memory, list, value);
    value->ints = list->data; /* or floats: the same pointer */
    if (list->dtype == WLK_F32) value->floats = list->data;
    return WLK_OK;
}

static const attribute_reader readers[WLK_ATTR_TYPE_COUNT] = {
    [WLK_ATTR_INT] = read_int,       [WLK_ATTR_FLOAT] = read_float,
    [WLK_ATTR_STRING] = read_string, [WLK_ATTR_TENSOR] = read_int,
    [WLK_ATTR_GRAPH] = read_int,     [WLK_ATTR_TYPE] = read_int,
    [WLK_ATTR_DTYPE] = read_int,     [WLK_ATTR_INTS] = read_ints,
    [WLK_ATTR_FLOATS] = read_floats, [WLK_ATTR_STRINGS] = read_strings,
};

static attribute_reader reader_of(wlk_attribute_type wanted, wlk_attribute_type given) {
    if (wanted == given) return readers[given];
    return wanted == WLK_ATTR_DTYPE ? read_number_of_dtype : read_list;
}

static wlk_status read_given(const op_call *call, plan_memory *memory, attribute_value *values) {
    const wlk_node node = wlk_model_node(call->model, call->node_index);
    for (uint32_t i = 0; i < node.attributes; i++) {
        const wlk_attribute attribute = wlk_model_attribute(call->model, node.first_attribute + i);
        uint32_t row = 0;
        TRY(find_row(call, &attribute, &row));
        values[row].given = true;
        values[row].count = attribute.count;
        const attribute_reader read =
            reader_of(call->node->row->attributes[row].type, attribute.type);
        TRY(read(call, memory, &attribute, &values[row]));
    }
    return WLK_OK;
}

wlk_status attributes_read(const op_call *call, plan_memory *memory,
                           const attribute_value **values) {
    const op_row *row = call->node->row;
    void *list = NULL;
    TRY(plan_take(memory, row->attribute_count, sizeof(attribute_value), &list, call->error));
    attribute_value *out = list;
    for (uint32_t i = 0; i < row->attribute_count; i++) out[i] = default_of(&row->attributes[i]);
    TRY(read_given(call, memory, out));
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        if (row->attributes[i].required && !out[i].given) {
            return op_fail(call, RULE_PLAN_ATTRIBUTE, "attribute '%s' is missing",
                           row->attributes[i].name);
        }
    }
    *values = out;
    return WLK_OK;
}
