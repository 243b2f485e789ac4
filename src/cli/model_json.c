#include "cli/model_json.h"

#include <math.h>
#include <stdio.h>

#include "cli/cli.h"

/* jansson refuses what is not finite; JSON has no spelling for it. */
static json_t *number(double value) {
    if (isnan(value)) return json_string("nan");
    if (isinf(value)) return json_string(value > 0 ? "inf" : "-inf");
    return json_real(value);
}

static json_t *integer(uint64_t value) {
    if (value <= INT64_MAX) return json_integer((json_int_t)value);
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return json_string(text);
}

static json_t *signature(const wlk_verification *v) {
    static const char *const states[] = {"unsigned", "unknown-key", "trusted"};
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    return json_pack("{s:s, s:s, s:s}", "state", states[v->state], "key", id, "name", v->key_name);
}

static json_t *meta_value(const wlk_meta *m) {
    switch (m->type) {
        case WLK_META_BOOL: return json_boolean(m->i);
        case WLK_META_INT: return json_integer(m->i);
        case WLK_META_UINT: return integer(m->u);
        case WLK_META_FLOAT: return number(m->f);
        case WLK_META_STRING: return json_string(m->s);
        case WLK_META_ARRAY: return m->i ? NULL : json_array(); /* else its elements say it */
        case WLK_META_MAP: return m->i ? NULL : json_object();
        case WLK_META_NULL: break;
    }
    return json_null();
}

static json_t *metadata(const wlk_model *model) {
    json_t *out = json_object();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta m = wlk_model_meta(model, i);
        json_t *value = meta_value(&m);
        if (value) (void)json_object_set_new(out, m.path, value);
    }
    return out;
}

static json_t *tensors(const wlk_model *model) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        json_t *shape = json_array();
        for (uint32_t d = 0; d < t.rank; d++) (void)json_array_append_new(shape, integer(t.shape[d]));
        json_t *row = json_pack("{s:s, s:s, s:o, s:o}", "name", t.name, "dtype",
                                wlk_dtype_name(t.dtype), "shape", shape, "nbytes",
                                integer(t.nbytes));
        if (t.block_kind) {
            (void)json_object_set_new(
                row, "block",
                json_pack("{s:s, s:I, s:I}", "kind", t.block_kind, "elements",
                          (json_int_t)t.block_elements, "bytes", (json_int_t)t.block_bytes));
        }
        (void)json_array_append_new(out, row);
    }
    return out;
}

static json_t *dims(const wlk_type *type) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < type->rank; i++) {
        json_t *dim = type->dims[i] >= 0 ? json_integer(type->dims[i])
                      : type->symbols[i] ? json_string(type->symbols[i])
                                         : json_null();
        (void)json_array_append_new(out, dim);
    }
    return out;
}

/* Types nest at most as deep as the validator lets them. */
static json_t *type_json(const wlk_model *model, uint32_t index) {
    const wlk_type type = wlk_model_type(model, index);
    switch (type.kind) {
        case WLK_TYPE_TENSOR: break;
        case WLK_TYPE_SEQUENCE:
            return json_pack("{s:o}", "sequence", type_json(model, type.element));
        case WLK_TYPE_OPTIONAL:
            return json_pack("{s:o}", "optional", type_json(model, type.element));
        case WLK_TYPE_MAP:
            return json_pack("{s:{s:s, s:o}}", "map", "key", wlk_dtype_name(type.key_dtype),
                             "value", type_json(model, type.element));
    }
    json_t *tensor = json_pack("{s:s}", "dtype", wlk_dtype_name(type.dtype));
    if (type.has_shape) (void)json_object_set_new(tensor, "shape", dims(&type));
    return json_pack("{s:o}", "tensor", tensor);
}

static const char *ref_name(const wlk_model *model, wlk_ref ref) {
    if (ref.kind == WLK_REF_TENSOR) return wlk_model_tensor(model, ref.index).name;
    return ref.kind == WLK_REF_VALUE ? wlk_model_value(model, ref.index).name : "";
}

static json_t *port(const wlk_model *model, wlk_ref ref) {
    json_t *out = json_pack("{s:s}", "name", ref_name(model, ref));
    if (ref.kind != WLK_REF_VALUE) return out;
    const wlk_value value = wlk_model_value(model, ref.index);
    if (value.type != WLK_NONE) {
        (void)json_object_set_new(out, "type", type_json(model, value.type));
    }
    return out;
}

static json_t *attribute_element(const wlk_model *model, const wlk_attribute *a, uint32_t i) {
    const int64_t n = wlk_model_attribute_int(model, a, i);
    switch (a->type) {
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS: return number(wlk_model_attribute_float(model, a, i));
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS: return json_string(wlk_model_attribute_string(model, a, i));
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS: return json_string(wlk_model_tensor(model, (uint32_t)n).name);
        case WLK_ATTR_DTYPE: return json_string(wlk_dtype_name((wlk_dtype)n));
        case WLK_ATTR_TYPE: return type_json(model, (uint32_t)n);
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
        case WLK_ATTR_TYPE_COUNT: break;
    }
    return json_integer(n);
}

/* The tag of docs/format.md, section 3; plain for int, float and string. */
static json_t *attribute_value(const wlk_model *model, const wlk_attribute *a) {
    static const char *const tags[WLK_ATTR_TYPE_COUNT] = {
        [WLK_ATTR_TENSOR] = "tensor",   [WLK_ATTR_GRAPH] = "graph",   [WLK_ATTR_DTYPE] = "dtype",
        [WLK_ATTR_TYPE] = "type",       [WLK_ATTR_INTS] = "ints",     [WLK_ATTR_FLOATS] = "floats",
        [WLK_ATTR_STRINGS] = "strings", [WLK_ATTR_TENSORS] = "tensors", [WLK_ATTR_GRAPHS] = "graphs"};
    if (a->type < WLK_ATTR_INTS) {
        json_t *one = attribute_element(model, a, 0);
        return tags[a->type] ? json_pack("{s:o}", tags[a->type], one) : one;
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < a->count; i++) {
        (void)json_array_append_new(list, attribute_element(model, a, i));
    }
    return json_pack("{s:o}", tags[a->type], list);
}

static json_t *node_json(const wlk_model *model, uint32_t index) {
    const wlk_node node = wlk_model_node(model, index);
    json_t *in = json_array(), *out = json_array(), *attributes = json_object();
    for (uint32_t i = 0; i < node.inputs; i++) {
        const wlk_ref ref = wlk_model_node_input(model, index, i);
        (void)json_array_append_new(in, json_string(ref_name(model, ref)));
    }
    for (uint32_t i = 0; i < node.outputs; i++) {
        const wlk_ref ref = wlk_model_node_output(model, index, i);
        (void)json_array_append_new(out, json_string(ref_name(model, ref)));
    }
    for (uint32_t i = 0; i < node.attributes; i++) {
        const wlk_attribute a = wlk_model_attribute(model, node.first_attribute + i);
        (void)json_object_set_new(attributes, a.name, attribute_value(model, &a));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "op", node.op, "domain", node.domain,
                     "name", node.name, "in", in, "out", out, "attr", attributes);
}

static json_t *graphs(const wlk_model *model) {
    json_t *all = json_array();
    for (uint32_t g = 0; g < wlk_model_count(model, WLK_SECTION_GRAPHS); g++) {
        const wlk_graph graph = wlk_model_graph(model, g);
        json_t *inputs = json_array(), *outputs = json_array(), *nodes = json_array();
        for (uint32_t i = 0; i < graph.inputs; i++) {
            const wlk_ref ref = {WLK_REF_VALUE, wlk_model_graph_input(model, g, i)};
            (void)json_array_append_new(inputs, port(model, ref));
        }
        for (uint32_t i = 0; i < graph.outputs; i++) {
            (void)json_array_append_new(outputs, port(model, wlk_model_graph_output(model, g, i)));
        }
        for (uint32_t i = 0; i < graph.nodes; i++) {
            (void)json_array_append_new(nodes, node_json(model, graph.first_node + i));
        }
        (void)json_array_append_new(all, json_pack("{s:s, s:o, s:o, s:o}", "name", graph.name,
                                                   "inputs", inputs, "outputs", outputs, "nodes",
                                                   nodes));
    }
    return all;
}

static json_t *opsets(const wlk_model *model) {
    json_t *out = json_object();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset opset = wlk_model_opset(model, i);
        (void)json_object_set_new(out, opset.domain, json_integer(opset.version));
    }
    return out;
}

static json_t *tensor_name(const wlk_model *model, uint32_t tensor) {
    return json_string(wlk_model_tensor(model, tensor).name);
}

static json_t *selftests(const wlk_model *model) {
    json_t *all = json_array();
    for (uint32_t s = 0; s < wlk_model_count(model, WLK_SECTION_SELFTESTS); s++) {
        const wlk_selftest test = wlk_model_selftest(model, s);
        json_t *inputs = json_array(), *outputs = json_array();
        for (uint32_t i = 0; i < test.inputs; i++) {
            const uint32_t tensor = wlk_model_selftest_input(model, s, i);
            (void)json_array_append_new(inputs, tensor_name(model, tensor));
        }
        for (uint32_t i = 0; i < test.outputs; i++) {
            const uint32_t tensor = wlk_model_selftest_output(model, s, i);
            (void)json_array_append_new(outputs, tensor_name(model, tensor));
        }
        (void)json_array_append_new(all, json_pack("{s:o, s:o, s:o, s:o}", "inputs", inputs,
                                                   "outputs", outputs, "rtol", number(test.rtol),
                                                   "atol", number(test.atol)));
    }
    return all;
}

static json_t *findings(const wlk_model *model) {
    json_t *all = json_array();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_FINDINGS); i++) {
        const wlk_finding f = wlk_model_finding(model, i);
        (void)json_array_append_new(
            all, json_pack("{s:s, s:i, s:o, s:o, s:s}", "rule", wlk_rule_name(f.rule), "severity",
                           (int)f.severity, "offset", integer(f.offset), "length",
                           integer(f.length), "evidence", f.evidence));
    }
    return all;
}

static json_t *byte_map(const wlk_model *model) {
    static const char *const kinds[WLK_SPAN_KIND_COUNT] = {
        [WLK_SPAN_ENVELOPE] = "envelope", [WLK_SPAN_HEADER] = "header",
        [WLK_SPAN_DIGESTS] = "digests",   [WLK_SPAN_PADDING] = "padding",
        [WLK_SPAN_PAYLOAD] = "payload",   [WLK_SPAN_UNCLAIMED] = "unclaimed"};
    json_t *all = json_array();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(model, i);
        json_t *row = json_pack("{s:o, s:o, s:s}", "offset", integer(span.offset), "length",
                                integer(span.length), "kind", kinds[span.kind]);
        if (span.tensor != WLK_NONE) {
            (void)json_object_set_new(row, "tensor", tensor_name(model, span.tensor));
        }
        (void)json_array_append_new(all, row);
    }
    return all;
}

wlk_status model_json_print(const char *file, const wlk_model *model,
                            const wlk_load_report *report, wlk_error *error) {
    json_t *out = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                            cli_json_text(file), "verdict", wlk_status_name(WLK_OK), "bytes",
                            integer(report->file_bytes), "signature",
                            signature(&report->verification), "metadata", metadata(model),
                            "tensors", tensors(model), "opset", opsets(model), "graphs",
                            graphs(model), "selftest", selftests(model), "findings",
                            findings(model), "byte_map", byte_map(model));
    if (!out) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    cli_print_json(out, true);
    return WLK_OK;
}
