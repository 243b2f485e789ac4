/* Attributes as ONNX has them (onnx_source.h). What ONNX stores as a list of numbers or texts
 * may be a tensor of one axis in a model (docs/onnx.md, section 5): it becomes a list again. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "write/onnx_source.h"

/* ---- one attribute after the other */

static void begin(onnx_out *attribute, const char *name, int64_t kind) {
    onnx_put_text(attribute, ATTRIBUTE_NAME, name);
    onnx_put_int(attribute, ATTRIBUTE_TYPE, kind);
}

void onnx_put_attribute_int(onnx_out *out, const char *name, int64_t value) {
    onnx_out attribute = {0};
    begin(&attribute, name, KIND_INT);
    onnx_put_int(&attribute, ATTRIBUTE_I, value);
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
}

void onnx_put_attribute_text(onnx_out *out, const char *name, const char *text) {
    onnx_out attribute = {0};
    begin(&attribute, name, KIND_STRING);
    onnx_put_text(&attribute, ATTRIBUTE_S, text);
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
}

void onnx_put_attribute_ints(onnx_out *out, const char *name, onnx_out *numbers) {
    onnx_out attribute = {0};
    begin(&attribute, name, KIND_INTS);
    onnx_put_message(&attribute, ATTRIBUTE_INTS, numbers);
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
}

void onnx_put_attribute_texts(onnx_out *out, const char *name, onnx_out *texts) {
    onnx_out attribute = {0};
    begin(&attribute, name, KIND_STRINGS);
    onnx_put_fields(&attribute, texts);
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
}

wlk_status onnx_put_attribute_tensor(onnx_source *s, onnx_out *out, const char *name,
                                     const wlk_tensor *tensor) {
    onnx_out attribute = {0};
    begin(&attribute, name, KIND_TENSOR);
    const wlk_status status = onnx_put_tensor(s, tensor, ATTRIBUTE_T, &attribute);
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
    return status;
}

/* ---- lists that the model keeps as tensors */

/* Attributes of the standard that are tensors, and may have one axis. */
static bool is_tensor_attribute(const char *name) {
    static const char *const names[] = {"value",          "nodes_splits", "nodes_hitrates",
                                        "nodes_modes",    "leaf_weights", "membership_values",
                                        "default_tensor", "keys_tensor",  "values_tensor"};
    static const char ending[] = "_as_tensor";
    const size_t length = strlen(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return length >= sizeof ending && strcmp(name + length + 1 - sizeof ending, ending) == 0;
}

static bool is_standard(const char *domain) {
    return onnx_is_main(domain) || strcmp(domain, "ai.onnx.ml") == 0;
}

static bool is_list(const wlk_node *node, const char *name, const wlk_tensor *tensor) {
    const bool fits =
        tensor->dtype == WLK_I64 || tensor->dtype == WLK_F32 || tensor->dtype == WLK_STR;
    return fits && tensor->rank == 1 && tensor->data && is_standard(node->domain) &&
           !is_tensor_attribute(name);
}

static void put_list(const char *name, const wlk_tensor *tensor, onnx_out *out) {
    const uint8_t *data = tensor->data;
    onnx_out list = {0};
    onnx_out attribute = {0};
    switch ((int)tensor->dtype) {
        case WLK_I64:
            for (uint64_t i = 0; i < tensor->count && !list.failed; i++) {
                onnx_put_number(&list, load_u64(data + 8 * i));
            }
            onnx_put_attribute_ints(out, name, &list);
            return;
        case WLK_STR:
            for (uint64_t i = 0; i < tensor->count && !list.failed; i++) {
                onnx_put_string(tensor, i, ATTRIBUTE_STRINGS, &list);
            }
            onnx_put_attribute_texts(out, name, &list);
            return;
        default:
            begin(&attribute, name, KIND_FLOATS);
            onnx_put_payload(&attribute, ATTRIBUTE_FLOATS, data, tensor->nbytes);
            onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
            return;
    }
}

/* ---- an attribute of the model */

/* One value, as a field of AttributeProto. */
static wlk_status put_value(onnx_source *s, const wlk_attribute *a, uint32_t i, onnx_out *out) {
    const int64_t number = wlk_model_attribute_int(s->model, a, i);
    const bool is_one = a->type < WLK_ATTR_INTS;
    switch (a->type) {
        case WLK_ATTR_INT:
            onnx_put_int(out, ATTRIBUTE_I, number);
            return WLK_OK;
        case WLK_ATTR_INTS:
            onnx_put_int(out, ATTRIBUTE_INTS, number);
            return WLK_OK;
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS: {
            const double value = wlk_model_attribute_float(s->model, a, i);
            if (isfinite(value) && fabs(value) > (double)FLT_MAX) {
                return onnx_cannot(s, "attribute \"%.60s\" is %g, more than float32 holds", a->name,
                                   value);
            }
            onnx_put_float(out, is_one ? ATTRIBUTE_F : ATTRIBUTE_FLOATS, (float)value);
            return WLK_OK;
        }
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            onnx_put_text(out, is_one ? ATTRIBUTE_S : ATTRIBUTE_STRINGS,
                          wlk_model_attribute_string(s->model, a, i));
            return WLK_OK;
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS: {
            const wlk_tensor tensor = wlk_model_tensor(s->model, (uint32_t)number);
            return onnx_put_tensor(s, &tensor, is_one ? ATTRIBUTE_T : ATTRIBUTE_TENSORS, out);
        }
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
            onnx_put_message(out, is_one ? ATTRIBUTE_G : ATTRIBUTE_GRAPHS, &s->graphs[number]);
            return WLK_OK;
        case WLK_ATTR_DTYPE:
            if (onnx_dtype_number((wlk_dtype)number) == 0) {
                return onnx_cannot(s, "attribute \"%.60s\" is dtype %s", a->name,
                                   wlk_dtype_name((wlk_dtype)number));
            }
            onnx_put_int(out, ATTRIBUTE_I, onnx_dtype_number((wlk_dtype)number));
            return WLK_OK;
        case WLK_ATTR_TYPE:
            return onnx_put_type(s, (uint32_t)number, ATTRIBUTE_TYPE_VALUE, out);
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return error_at(s->error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

static const int64_t kinds[WLK_ATTR_TYPE_COUNT] = {
    [WLK_ATTR_INT] = KIND_INT,       [WLK_ATTR_INTS] = KIND_INTS,
    [WLK_ATTR_FLOAT] = KIND_FLOAT,   [WLK_ATTR_FLOATS] = KIND_FLOATS,
    [WLK_ATTR_STRING] = KIND_STRING, [WLK_ATTR_STRINGS] = KIND_STRINGS,
    [WLK_ATTR_TENSOR] = KIND_TENSOR, [WLK_ATTR_TENSORS] = KIND_TENSORS,
    [WLK_ATTR_GRAPH] = KIND_GRAPH,   [WLK_ATTR_GRAPHS] = KIND_GRAPHS,
    [WLK_ATTR_DTYPE] = KIND_INT,     [WLK_ATTR_TYPE] = KIND_TYPE,
};

static wlk_status put_attribute(onnx_source *s, const wlk_node *node, const wlk_attribute *a,
                                onnx_out *out) {
    onnx_out attribute = {0};
    wlk_status status = WLK_OK;
    if (a->type == WLK_ATTR_TENSOR) {
        const wlk_tensor tensor =
            wlk_model_tensor(s->model, (uint32_t)wlk_model_attribute_int(s->model, a, 0));
        if (is_list(node, a->name, &tensor)) {
            put_list(a->name, &tensor, out);
            return WLK_OK;
        }
    }
    begin(&attribute, a->name, kinds[a->type]);
    for (uint32_t i = 0; i < a->count && status == WLK_OK; i++) {
        status = put_value(s, a, i, &attribute);
    }
    onnx_put_message(out, NODE_ATTRIBUTE, &attribute);
    return status;
}

wlk_status onnx_put_attributes(onnx_source *s, const wlk_node *node, onnx_out *out) {
    for (uint32_t i = 0; i < node->attributes; i++) {
        const wlk_attribute a = wlk_model_attribute(s->model, node->first_attribute + i);
        TRY(put_attribute(s, node, &a, out));
    }
    return WLK_OK;
}
