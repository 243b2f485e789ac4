#include <string.h>

#include "base/checked.h"
#include "base/dtype.h"
#include "formats/sklearn/sk_internal.h"

#define COPIED_BYTES 256 /* of a tensor that may lie where it will not stay */

/* ---- lists */

void *sk_add(sk *s, sk_items *list, uint64_t size) {
    if (list->count == list->room) {
        if (list->room > UINT32_MAX / 2) return NULL;
        const uint32_t room = list->room ? list->room * 2 : 64;
        void *items = sk_take(s, room, size);
        if (!items) return NULL;
        if (list->count > 0) memcpy(items, list->items, list->count * size);
        list->items = items;
        list->room = room;
    }
    return (char *)list->items + size * list->count++;
}

/* ---- names: a letter and a number */

/* Names are made here alone: digits follow. */
static bool number_of(sk_name name, char letter, uint32_t count, uint32_t *number) {
    uint32_t n = 0;
    if (name[0] != letter) return false;
    for (const char *at = name + 1; *at; at++) n = n * 10 + (uint32_t)(*at - '0');
    *number = n;
    return n < count;
}

bool sk_tensor_of(const sk *s, sk_name name, uint32_t *number) {
    return number_of(name, 'c', s->graph->tensors.count, number);
}

bool sk_value_of(const sk *s, sk_name name, uint32_t *number) {
    return number_of(name, 'v', s->graph->values.count, number);
}

/* ---- tensors */

static wlk_status add_tensor(sk *s, const sk_tensor *tensor, sk_name *out) {
    sk_items *list = &s->graph->tensors;
    if (list->count >= s->limits->tensors) {
        return sk_refuse(s, RULE_LIMIT_TENSORS, NULL, "%u", list->count);
    }
    const uint32_t number = list->count;
    sk_tensor *slot = sk_add(s, list, sizeof *slot);
    *out = sk_format(s, "c%u", number);
    if (!slot || !*out) return sk_no_memory(s);
    *slot = *tensor;
    slot->owner = sk_place_class(s);
    return WLK_OK;
}

/* What lies in a caller's frame does not stay. */
static wlk_status keep_small(sk *s, sk_tensor *tensor) {
    if (tensor->nbytes > COPIED_BYTES) return WLK_OK;
    void *copy = sk_take(s, tensor->nbytes, 1);
    if (!copy) return sk_no_memory(s);
    if (tensor->nbytes > 0) memcpy(copy, tensor->data, tensor->nbytes);
    tensor->data = copy;
    return WLK_OK;
}

/* A key of the map of tensors of one element: dtype, rank and its bytes, of which there are
 * eight at most, in hexadecimal. */
static void write_key(const sk_tensor *tensor, char key[24]) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = tensor->data;
    size_t at = 0;
    key[at++] = (char)('A' + (int)tensor->dtype);
    key[at++] = (char)('0' + (int)tensor->rank);
    for (uint64_t i = 0; i < tensor->nbytes; i++) {
        key[at++] = digits[bytes[i] >> 4];
        key[at++] = digits[bytes[i] & 15];
    }
    key[at] = '\0';
}

static wlk_status add_shared(sk *s, const sk_tensor *tensor, sk_name *out) {
    char key[24];
    uint32_t number;
    write_key(tensor, key);
    if (name_map_get(s->graph->shared, key, &number)) {
        *out = sk_format(s, "c%u", number);
        return *out ? WLK_OK : sk_no_memory(s);
    }
    number = s->graph->tensors.count;
    TRY(add_tensor(s, tensor, out));
    return name_map_set(s->graph->shared, key, number) ? WLK_OK : sk_no_memory(s);
}

wlk_status sk_constant(sk *s, wlk_dtype dtype, uint32_t rank, const uint64_t *shape,
                       const void *data, sk_name *out) {
    sk_tensor tensor = {.dtype = dtype, .rank = rank, .data = data};
    uint64_t count;
    if (!shape_count(shape, rank, &count) || !dtype_nbytes(dtype, count, &tensor.nbytes)) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, NULL, "a tensor of %u dimensions", rank);
    }
    for (uint32_t i = 0; i < rank; i++) tensor.shape[i] = shape[i];
    TRY(keep_small(s, &tensor));
    return count == 1 ? add_shared(s, &tensor, out) : add_tensor(s, &tensor, out);
}

wlk_status sk_f64(sk *s, double value, sk_name *out) {
    return sk_constant(s, WLK_F64, 0, NULL, &value, out);
}

wlk_status sk_i64(sk *s, int64_t value, sk_name *out) {
    return sk_constant(s, WLK_I64, 0, NULL, &value, out);
}

wlk_status sk_f64s(sk *s, const double *data, uint64_t count, sk_name *out) {
    return sk_constant(s, WLK_F64, 1, &count, data, out);
}

wlk_status sk_i64s(sk *s, const int64_t *data, uint64_t count, sk_name *out) {
    return sk_constant(s, WLK_I64, 1, &count, data, out);
}

wlk_status sk_f64_matrix(sk *s, const double *data, uint64_t rows, uint64_t columns, sk_name *out) {
    const uint64_t shape[2] = {rows, columns};
    return sk_constant(s, WLK_F64, 2, shape, data, out);
}

/* count + 1 offsets, then the bytes. */
wlk_status sk_texts(sk *s, const py_text *texts, uint64_t count, sk_name *out) {
    sk_tensor tensor = {.dtype = WLK_STR, .rank = 1, .shape = {count}};
    tensor.nbytes = (count + 1) * sizeof(uint64_t); /* less than the texts themselves take */
    for (uint64_t i = 0; i < count; i++) {
        if (!checked_add(tensor.nbytes, texts[i].length, &tensor.nbytes)) return sk_no_memory(s);
    }
    uint64_t *offsets = sk_take(s, tensor.nbytes, 1);
    if (!offsets) return sk_no_memory(s);
    uint8_t *to = (uint8_t *)(offsets + count + 1);
    for (uint64_t i = 0; i < count; i++) {
        if (texts[i].length > 0) memcpy(to + offsets[i], texts[i].data, texts[i].length);
        offsets[i + 1] = offsets[i] + texts[i].length;
    }
    tensor.data = offsets;
    return add_tensor(s, &tensor, out);
}

wlk_status sk_labels_constant(sk *s, const sk_labels *labels, sk_name *out) {
    const uint64_t count = labels->count;
    if (labels->dtype == WLK_STR) return sk_texts(s, labels->texts, count, out);
    if (labels->dtype == WLK_F64) return sk_f64s(s, labels->reals, count, out);
    if (labels->dtype == WLK_I64) return sk_i64s(s, labels->integers, count, out);
    uint8_t *bytes = sk_take(s, count, 1);
    if (!bytes) return sk_no_memory(s);
    for (uint64_t i = 0; i < count; i++) bytes[i] = labels->integers[i] != 0;
    return sk_constant(s, WLK_BOOL, 1, &count, bytes, out);
}

/* ---- nodes */

/* "org.weighlock:TreeEnsemble" in two; of ai.onnx the domain is "". */
static wlk_status split_op(sk *s, const char *op, sk_op *node) {
    const char *colon = strchr(op, ':');
    node->op = colon ? colon + 1 : op;
    node->domain = "";
    if (!colon) return WLK_OK;
    node->domain = arena_text(s->memory, op, (uint64_t)(colon - op));
    return node->domain ? WLK_OK : sk_no_memory(s);
}

static wlk_status add_value(sk *s, const sk_value *value, sk_name *out) {
    sk_items *list = &s->graph->values;
    if (list->count >= s->limits->values) {
        return sk_refuse(s, RULE_LIMIT_VALUES, NULL, "%u", list->count);
    }
    const uint32_t number = list->count;
    sk_value *slot = sk_add(s, list, sizeof *slot);
    *out = sk_format(s, "v%u", number);
    if (!slot || !*out) return sk_no_memory(s);
    *slot = *value;
    return WLK_OK;
}

wlk_status sk_columns_value(sk *s, const uint32_t *columns, uint32_t count, sk_name *out) {
    const sk_value value = {.node = WLK_NONE, .columns = columns, .column_count = count};
    return add_value(s, &value, out);
}

wlk_status sk_node(sk *s, const char *op, const sk_name *inputs, uint32_t input_count,
                   sk_name *outputs, uint32_t output_count) {
    sk_graph *g = s->graph;
    sk_op node = {.owner = sk_place_class(s),
                  .input_count = input_count,
                  .first_output = g->values.count,
                  .output_count = output_count,
                  .first_attribute = g->attributes.count};
    if (g->nodes.count >= s->limits->nodes) {
        return sk_refuse(s, RULE_LIMIT_NODES, NULL, "%u", g->nodes.count);
    }
    TRY(split_op(s, op, &node));
    sk_name *names = sk_take(s, input_count, sizeof *names);
    if (!names) return sk_no_memory(s);
    for (uint32_t i = 0; i < input_count; i++) names[i] = inputs[i];
    node.inputs = names;
    const sk_value made = {.node = g->nodes.count};
    sk_op *slot = sk_add(s, &g->nodes, sizeof *slot);
    if (!slot) return sk_no_memory(s);
    *slot = node;
    for (uint32_t i = 0; i < output_count; i++) TRY(add_value(s, &made, &outputs[i]));
    return WLK_OK;
}

/* ---- attributes */

static wlk_status add_attribute(sk *s, const char *name, wlk_attribute_type type, uint32_t count,
                                sk_attribute **attribute) {
    sk_graph *g = s->graph;
    if (g->attributes.count >= s->limits->attributes) {
        return sk_refuse(s, RULE_LIMIT_ATTRIBUTES, NULL, "%u", g->attributes.count);
    }
    sk_op *latest = (sk_op *)g->nodes.items + (g->nodes.count - 1);
    *attribute = sk_add(s, &g->attributes, sizeof **attribute);
    char *copy = arena_text(s->memory, name, strlen(name));
    if (!*attribute || !copy) return sk_no_memory(s);
    **attribute = (sk_attribute){.name = copy, .type = type, .count = count};
    latest->attribute_count++;
    return WLK_OK;
}

static wlk_status add_number(sk *s, const char *name, wlk_attribute_type type, uint64_t value) {
    sk_attribute *attribute;
    uint64_t *values = sk_take(s, 1, sizeof *values);
    if (!values) return sk_no_memory(s);
    *values = value;
    TRY(add_attribute(s, name, type, 1, &attribute));
    attribute->values = values;
    return WLK_OK;
}

wlk_status sk_attribute_int(sk *s, const char *name, int64_t value) {
    return add_number(s, name, WLK_ATTR_INT, (uint64_t)value);
}

wlk_status sk_attribute_float(sk *s, const char *name, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return add_number(s, name, WLK_ATTR_FLOAT, bits);
}

wlk_status sk_attribute_dtype(sk *s, const char *name, wlk_dtype dtype) {
    return add_number(s, name, WLK_ATTR_DTYPE, dtype);
}

wlk_status sk_attribute_text(sk *s, const char *name, const char *text) {
    sk_attribute *attribute;
    char *copy = arena_text(s->memory, text, strlen(text));
    if (!copy) return sk_no_memory(s);
    TRY(add_attribute(s, name, WLK_ATTR_STRING, 1, &attribute));
    attribute->text = copy;
    return WLK_OK;
}

wlk_status sk_attribute_ints(sk *s, const char *name, const int64_t *values, uint32_t count) {
    sk_attribute *attribute;
    uint64_t *copy = sk_take(s, count, sizeof *copy);
    if (!copy) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) copy[i] = (uint64_t)values[i];
    TRY(add_attribute(s, name, WLK_ATTR_INTS, count, &attribute));
    attribute->values = copy;
    return WLK_OK;
}

wlk_status sk_attribute_tensor(sk *s, const char *name, sk_name tensor) {
    sk_attribute *attribute;
    uint32_t number;
    if (!sk_tensor_of(s, tensor, &number)) {
        return sk_refuse(s, RULE_INTERNAL_DEFECT, NULL, "attribute %.64s is no tensor", name);
    }
    TRY(add_attribute(s, name, WLK_ATTR_TENSOR, 1, &attribute));
    attribute->tensor = number;
    return WLK_OK;
}
