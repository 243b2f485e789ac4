/* What the parser makes of ONNX files, for scripts that hold it against another reader:
 * one line of JSON for each path. With -q only what is refused, and how long all took. With -o
 * what does not look like ONNX is parsed as ONNX too. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <weighlock/parse.h>

static uint8_t *read_all(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    uint8_t *data = NULL;
    size_t room = 0, got = 1;
    for (*size = 0; got > 0; *size += got) {
        if (room - *size < 65536) data = realloc(data, room = room * 2 + 65536);
        if (!data) break;
        got = fread(data + *size, 1, room - *size, file);
    }
    (void)fclose(file);
    return data;
}

/* Enough to see that two readers have the same bytes. */
static json_t *digest(const wlk_tensor *t) {
    return json_pack("[I, I]", (json_int_t)t->nbytes,
                     (json_int_t)crc32_z(crc32_z(0, NULL, 0), t->data, t->nbytes));
}

static json_t *tensor_json(const wlk_model *model, uint32_t index) {
    const wlk_tensor t = wlk_model_tensor(model, index);
    json_t *shape = json_array();
    for (uint32_t i = 0; i < t.rank; i++) {
        (void)json_array_append_new(shape, json_integer((json_int_t)t.shape[i]));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "name", t.name, "dtype", wlk_dtype_name(t.dtype),
                     "shape", shape, "data", digest(&t));
}

static json_t *type_json(const wlk_model *model, uint32_t index) {
    if (index == WLK_NONE) return json_null();
    const wlk_type type = wlk_model_type(model, index);
    json_t *dims = type.has_shape ? json_array() : json_null();
    for (uint32_t i = 0; type.has_shape && i < type.rank; i++) {
        const bool named = type.dims[i] < 0 && type.symbols[i];
        (void)json_array_append_new(
            dims, named ? json_string(type.symbols[i]) : json_integer(type.dims[i]));
    }
    json_t *element = type.kind == WLK_TYPE_TENSOR ? json_null() : type_json(model, type.element);
    return json_pack("[i, s, s, o, o]", (int)type.kind, wlk_dtype_name(type.dtype),
                     wlk_dtype_name(type.key_dtype), dims, element);
}

static json_t *ref_json(const wlk_model *model, wlk_ref ref) {
    if (ref.kind == WLK_REF_NONE) return json_string("");
    if (ref.kind == WLK_REF_TENSOR) return json_string(wlk_model_tensor(model, ref.index).name);
    return json_string(wlk_model_value(model, ref.index).name);
}

static json_t *value_json(const wlk_model *model, const wlk_attribute *a, uint32_t i) {
    switch (a->type) {
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS: {
            char text[32]; /* JSON has no NaN */
            (void)snprintf(text, sizeof text, "%.17g", wlk_model_attribute_float(model, a, i));
            return json_string(text);
        }
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            return json_string(wlk_model_attribute_string(model, a, i));
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            return tensor_json(model, (uint32_t)wlk_model_attribute_int(model, a, i));
        case WLK_ATTR_TYPE:
            return type_json(model, (uint32_t)wlk_model_attribute_int(model, a, i));
        case WLK_ATTR_INT:
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_DTYPE:
        case WLK_ATTR_INTS:
        case WLK_ATTR_GRAPHS:
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    return json_integer(wlk_model_attribute_int(model, a, i));
}

static json_t *attributes_json(const wlk_model *model, const wlk_node *node) {
    json_t *all = json_object();
    for (uint32_t i = 0; i < node->attributes; i++) {
        const wlk_attribute a = wlk_model_attribute(model, node->first_attribute + i);
        json_t *values = json_array();
        for (uint32_t j = 0; j < a.count; j++) {
            (void)json_array_append_new(values, value_json(model, &a, j));
        }
        (void)json_object_set_new(all, a.name, json_pack("[i, o]", (int)a.type, values));
    }
    return all;
}

static json_t *node_json(const wlk_model *model, uint32_t index) {
    const wlk_node node = wlk_model_node(model, index);
    json_t *in = json_array(), *out = json_array();
    for (uint32_t i = 0; i < node.inputs; i++) {
        (void)json_array_append_new(in, ref_json(model, wlk_model_node_input(model, index, i)));
    }
    for (uint32_t i = 0; i < node.outputs; i++) {
        (void)json_array_append_new(out, ref_json(model, wlk_model_node_output(model, index, i)));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "op", node.op, "domain", node.domain, "name",
                     node.name, "in", in, "out", out, "attributes", attributes_json(model, &node));
}

static json_t *graph_json(const wlk_model *model, uint32_t index) {
    const wlk_graph graph = wlk_model_graph(model, index);
    json_t *in = json_array(), *out = json_array(), *nodes = json_array();
    for (uint32_t i = 0; i < graph.inputs; i++) {
        const wlk_value v = wlk_model_value(model, wlk_model_graph_input(model, index, i));
        (void)json_array_append_new(in, json_pack("[s, o]", v.name, type_json(model, v.type)));
    }
    for (uint32_t i = 0; i < graph.outputs; i++) {
        const wlk_ref ref = wlk_model_graph_output(model, index, i);
        const uint32_t type =
            ref.kind == WLK_REF_VALUE ? wlk_model_value(model, ref.index).type : WLK_NONE;
        (void)json_array_append_new(
            out, json_pack("[o, o]", ref_json(model, ref), type_json(model, type)));
    }
    for (uint32_t i = 0; i < graph.nodes; i++) {
        (void)json_array_append_new(nodes, node_json(model, graph.first_node + i));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", graph.name, "inputs", in, "outputs", out,
                     "nodes", nodes);
}

static json_t *findings_json(const wlk_model *model) {
    json_t *all = json_array();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_FINDINGS); i++) {
        const wlk_finding f = wlk_model_finding(model, i);
        (void)json_array_append_new(
            all, json_pack("[s, I, I, s]", wlk_rule_name(f.rule), (json_int_t)f.offset,
                           (json_int_t)f.length, f.evidence));
    }
    return all;
}

static json_t *spans_json(const wlk_model *model) {
    json_t *all = json_array();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SPANS); i++) {
        const wlk_span s = wlk_model_span(model, i);
        (void)json_array_append_new(
            all, json_pack("[i, I, I]", (int)s.kind, (json_int_t)s.offset, (json_int_t)s.length));
    }
    return all;
}

static json_t *meta_json(const wlk_meta *m) {
    if (m->type == WLK_META_STRING) return json_string(m->s);
    if (m->type == WLK_META_UINT) return json_integer((json_int_t)m->u);
    if (m->type != WLK_META_FLOAT) return json_integer(m->i);
    char text[32]; /* JSON has no NaN */
    (void)snprintf(text, sizeof text, "%.17g", m->f);
    return json_string(text);
}

static json_t *metadata_json(const wlk_model *model) {
    json_t *all = json_object();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta m = wlk_model_meta(model, i);
        (void)json_object_set_new(all, m.path, meta_json(&m));
    }
    return all;
}

static json_t *model_json(const wlk_model *model) {
    json_t *tensors = json_array(), *graphs = json_array(), *opsets = json_object();
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        (void)json_array_append_new(tensors, tensor_json(model, i));
    }
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_GRAPHS); i++) {
        (void)json_array_append_new(graphs, graph_json(model, i));
    }
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset o = wlk_model_opset(model, i);
        (void)json_object_set_new(opsets, o.domain, json_integer(o.version));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "tensors", tensors, "graphs", graphs,
                     "opsets", opsets, "findings", findings_json(model), "spans", spans_json(model),
                     "metadata", metadata_json(model));
}

static json_t *refusal_json(const wlk_error *error) {
    return json_pack("{s:s, s:I, s:i}", "rule", wlk_rule_name(error->rule), "offset",
                     (json_int_t)error->offset, "verdict", (int)error->status);
}

static void print(const char *path, json_t *what) {
    if (!what) {
        (void)fprintf(stderr, "%s: cannot be said in JSON\n", path);
        exit(1);
    }
    (void)json_object_set_new(what, "path", json_string(path));
    (void)json_dumpf(what, stdout, JSON_COMPACT);
    (void)puts("");
    json_decref(what);
}

/* Seconds that parsing took. */
static double parse(const char *path, wlk_format format, bool quiet) {
    size_t size;
    wlk_error error;
    wlk_model *model;
    struct timespec before, after;
    uint8_t *data = read_all(path, &size);
    if (!data) {
        perror(path);
        exit(1);
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    const wlk_status status = wlk_parse_memory(data, size, format, NULL, &model, &error);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    if (status != WLK_OK) {
        print(path, refusal_json(&error));
    } else if (!quiet) {
        print(path, model_json(model));
    }
    wlk_model_free(model);
    free(data);
    return (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
}

int main(int argc, char **argv) {
    bool quiet = false;
    wlk_format format = WLK_FORMAT_NONE;
    double seconds = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-q") == 0) {
            quiet = true;
        } else if (strcmp(argv[i], "-o") == 0) {
            format = WLK_FORMAT_ONNX;
        } else {
            seconds += parse(argv[i], format, quiet);
        }
    }
    if (quiet) (void)printf("%.3f ms\n", seconds * 1e3);
    return 0;
}
