#include "cli/model_json.h"

#include <string.h>

#include "cli/advice.h"
#include "cli/cli.h"
#include "cli/operators.h"

static void signature(json_out *j, const wlk_verification *v) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(v->key_id, id);
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "state", cli_signature_state(v));
    json_pair_text(j, "key", v->state == WLK_UNSIGNED ? "" : id);
    json_pair_text(j, "name", v->key_name);
    json_end_map(j);
}

/* What the policy has counted. */
static void nonfinite(json_out *j, const wlk_model *model, const wlk_nonfinite *n) {
    json_begin_map(j, JSON_FLAT);
    json_pair_unsigned(j, "nan", n->nan);
    json_pair_unsigned(j, "infinity", n->infinity);
    json_key(j, "tensor");
    if (n->tensor == WLK_NONE) {
        json_put_null(j);
    } else {
        json_text(j, wlk_model_tensor(model, n->tensor).name);
    }
    json_key(j, "element");
    if (n->tensor == WLK_NONE) {
        json_put_null(j);
    } else {
        json_unsigned(j, n->element);
    }
    json_end_map(j);
}

/* ---- metadata */

/* Containers are said by their entries, but for those that have none. */
static bool is_shown(const wlk_meta *m) {
    return (m->type != WLK_META_ARRAY && m->type != WLK_META_MAP) || m->i == 0;
}

static void meta_value(json_out *j, const wlk_meta *m) {
    switch (m->type) {
        case WLK_META_BOOL:
            json_bool(j, m->i != 0);
            return;
        case WLK_META_INT:
            json_signed(j, m->i);
            return;
        case WLK_META_UINT:
            json_unsigned(j, m->u);
            return;
        case WLK_META_FLOAT:
            json_float(j, m->f);
            return;
        case WLK_META_STRING:
            json_text(j, m->s);
            return;
        case WLK_META_ARRAY:
            json_begin_list(j, JSON_FLAT);
            json_end_list(j);
            return;
        case WLK_META_MAP:
            json_begin_map(j, JSON_FLAT);
            json_end_map(j);
            return;
        case WLK_META_NULL:
            break;
    }
    json_put_null(j);
}

static void metadata(json_out *j, const wlk_model *model) {
    json_begin_map(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta m = wlk_model_meta(model, i);
        if (!is_shown(&m)) continue;
        json_key(j, m.path);
        meta_value(j, &m);
    }
    json_end_map(j);
}

static void tree_key(json_out *j, const char *path) {
    json_key_token(j, strrchr(path, '/') + 1);
}

/* The entry at *at, and behind it what it holds: as deep as the image validator allows. */
static void tree(json_out *j, const wlk_model *model, uint32_t *at) {
    const wlk_meta m = wlk_model_meta(model, (*at)++);
    const bool map = m.type == WLK_META_MAP;
    if (is_shown(&m)) {
        meta_value(j, &m);
        return;
    }
    (map ? json_begin_map : json_begin_list)(j, JSON_LINES);
    for (int64_t i = 0; i < m.i; i++) {
        if (map) tree_key(j, wlk_model_meta(model, *at).path);
        tree(j, model, at);
    }
    (map ? json_end_map : json_end_list)(j);
}

void model_json_meta(json_out *j, const wlk_model *model, uint32_t entry) {
    if (entry != WLK_NONE) {
        tree(j, model, &entry);
        return;
    }
    json_begin_map(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA);) {
        tree_key(j, wlk_model_meta(model, i).path);
        tree(j, model, &i);
    }
    json_end_map(j);
}

/* ---- tensors */

static void tensor(json_out *j, const wlk_tensor *t) {
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "name", t->name);
    json_pair_text(j, "dtype", wlk_dtype_name(t->dtype));
    json_key(j, "shape");
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < t->rank; i++) json_unsigned(j, t->shape[i]);
    json_end_list(j);
    json_pair_unsigned(j, "nbytes", t->nbytes);
    if (t->block_kind) {
        json_key(j, "block");
        json_begin_map(j, JSON_FLAT);
        json_pair_text(j, "kind", t->block_kind);
        json_pair_unsigned(j, "elements", t->block_elements);
        json_pair_unsigned(j, "bytes", t->block_bytes);
        json_end_map(j);
    }
    json_end_map(j);
}

static void tensors(json_out *j, const wlk_model *model) {
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        tensor(j, &t);
    }
    json_end_list(j);
}

/* ---- types, as in docs/format.md */

static void tensor_type(json_out *j, const wlk_type *type) {
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "dtype", wlk_dtype_name(type->dtype));
    if (type->has_shape) {
        json_key(j, "shape");
        json_begin_list(j, JSON_FLAT);
        for (uint32_t i = 0; i < type->rank; i++) {
            if (type->dims[i] >= 0) {
                json_signed(j, type->dims[i]);
            } else if (type->symbols[i]) {
                json_text(j, type->symbols[i]);
            } else {
                json_put_null(j);
            }
        }
        json_end_list(j);
    }
    json_end_map(j);
}

/* Types nest at most as deep as the validator lets them. */
static void type_json(json_out *j, const wlk_model *model, uint32_t index) {
    const wlk_type type = wlk_model_type(model, index);
    json_begin_map(j, JSON_FLAT);
    switch (type.kind) {
        case WLK_TYPE_TENSOR:
            json_key(j, "tensor");
            tensor_type(j, &type);
            break;
        case WLK_TYPE_SEQUENCE:
            json_key(j, "sequence");
            type_json(j, model, type.element);
            break;
        case WLK_TYPE_OPTIONAL:
            json_key(j, "optional");
            type_json(j, model, type.element);
            break;
        case WLK_TYPE_MAP:
            json_key(j, "map");
            json_begin_map(j, JSON_FLAT);
            json_pair_text(j, "key", wlk_dtype_name(type.key_dtype));
            json_key(j, "value");
            type_json(j, model, type.element);
            json_end_map(j);
            break;
    }
    json_end_map(j);
}

/* ---- graphs */

static const char *ref_name(const wlk_model *model, wlk_ref ref) {
    if (ref.kind == WLK_REF_TENSOR) return wlk_model_tensor(model, ref.index).name;
    return ref.kind == WLK_REF_VALUE ? wlk_model_value(model, ref.index).name : "";
}

static void port(json_out *j, const wlk_model *model, wlk_ref ref) {
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "name", ref_name(model, ref));
    const uint32_t type =
        ref.kind == WLK_REF_VALUE ? wlk_model_value(model, ref.index).type : WLK_NONE;
    if (type != WLK_NONE) {
        json_key(j, "type");
        type_json(j, model, type);
    }
    json_end_map(j);
}

static void attribute_element(json_out *j, const wlk_model *model, const wlk_attribute *a,
                              uint32_t i) {
    const int64_t n = wlk_model_attribute_int(model, a, i);
    switch (a->type) {
        case WLK_ATTR_FLOAT:
        case WLK_ATTR_FLOATS:
            json_float(j, wlk_model_attribute_float(model, a, i));
            return;
        case WLK_ATTR_STRING:
        case WLK_ATTR_STRINGS:
            json_text(j, wlk_model_attribute_string(model, a, i));
            return;
        case WLK_ATTR_TENSOR:
        case WLK_ATTR_TENSORS:
            json_text(j, wlk_model_tensor(model, (uint32_t)n).name);
            return;
        case WLK_ATTR_DTYPE:
            json_text(j, wlk_dtype_name((wlk_dtype)n));
            return;
        case WLK_ATTR_TYPE:
            type_json(j, model, (uint32_t)n);
            return;
        case WLK_ATTR_INT:
        case WLK_ATTR_INTS:
        case WLK_ATTR_GRAPH:
        case WLK_ATTR_GRAPHS:
        case WLK_ATTR_TYPE_COUNT:
            break;
    }
    json_signed(j, n);
}

/* The tag of docs/format.md, section 3; none for int, float and string. */
static const char *const attribute_tags[WLK_ATTR_TYPE_COUNT] = {
    [WLK_ATTR_TENSOR] = "tensor",   [WLK_ATTR_GRAPH] = "graph",     [WLK_ATTR_DTYPE] = "dtype",
    [WLK_ATTR_TYPE] = "type",       [WLK_ATTR_INTS] = "ints",       [WLK_ATTR_FLOATS] = "floats",
    [WLK_ATTR_STRINGS] = "strings", [WLK_ATTR_TENSORS] = "tensors", [WLK_ATTR_GRAPHS] = "graphs"};

static void attribute_value(json_out *j, const wlk_model *model, const wlk_attribute *a) {
    const char *tag = attribute_tags[a->type];
    if (tag) {
        json_begin_map(j, JSON_FLAT);
        json_key(j, tag);
    }
    if (a->type >= WLK_ATTR_INTS) json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < a->count; i++) attribute_element(j, model, a, i);
    if (a->type >= WLK_ATTR_INTS) json_end_list(j);
    if (tag) json_end_map(j);
}

static void attributes(json_out *j, const wlk_model *model, const wlk_node *node) {
    json_begin_map(j, JSON_FLAT);
    for (uint32_t i = 0; i < node->attributes; i++) {
        const wlk_attribute a = wlk_model_attribute(model, node->first_attribute + i);
        json_key(j, a.name);
        attribute_value(j, model, &a);
    }
    json_end_map(j);
}

static void node_json(json_out *j, const wlk_model *model, uint32_t index) {
    const wlk_node node = wlk_model_node(model, index);
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "op", node.op);
    json_pair_text(j, "domain", node.domain);
    json_pair_text(j, "name", node.name);
    json_key(j, "in");
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < node.inputs; i++) {
        json_text(j, ref_name(model, wlk_model_node_input(model, index, i)));
    }
    json_end_list(j);
    json_key(j, "out");
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < node.outputs; i++) {
        json_text(j, ref_name(model, wlk_model_node_output(model, index, i)));
    }
    json_end_list(j);
    json_key(j, "attr");
    attributes(j, model, &node);
    json_end_map(j);
}

static void graph_json(json_out *j, const wlk_model *model, uint32_t index) {
    const wlk_graph graph = wlk_model_graph(model, index);
    json_begin_map(j, JSON_LINES);
    json_pair_text(j, "name", graph.name);
    json_key(j, "inputs");
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < graph.inputs; i++) {
        port(j, model, (wlk_ref){WLK_REF_VALUE, wlk_model_graph_input(model, index, i)});
    }
    json_end_list(j);
    json_key(j, "outputs");
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < graph.outputs; i++) {
        port(j, model, wlk_model_graph_output(model, index, i));
    }
    json_end_list(j);
    json_key(j, "nodes");
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < graph.nodes; i++) node_json(j, model, graph.first_node + i);
    json_end_list(j);
    json_end_map(j);
}

static void graphs(json_out *j, const wlk_model *model) {
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_GRAPHS); i++) {
        graph_json(j, model, i);
    }
    json_end_list(j);
}

static void opsets(json_out *j, const wlk_model *model) {
    json_begin_map(j, JSON_FLAT);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset opset = wlk_model_opset(model, i);
        json_pair_unsigned(j, opset.domain, opset.version);
    }
    json_end_map(j);
}

static void operators(json_out *j, const operator_list *list) {
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < list->count; i++) {
        json_begin_map(j, JSON_FLAT);
        json_pair_text(j, "op", list->items[i].op);
        json_pair_text(j, "domain", list->items[i].domain);
        json_pair_unsigned(j, "count", list->items[i].count);
        json_end_map(j);
    }
    json_end_list(j);
}

/* ---- golden rows, findings, bytes */

static void selftest_tensors(json_out *j, const wlk_model *model, uint32_t set, uint32_t count,
                             uint32_t (*tensor_of)(const wlk_model *, uint32_t, uint32_t)) {
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < count; i++) {
        json_text(j, wlk_model_tensor(model, tensor_of(model, set, i)).name);
    }
    json_end_list(j);
}

static void selftests(json_out *j, const wlk_model *model) {
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SELFTESTS); i++) {
        const wlk_selftest test = wlk_model_selftest(model, i);
        json_begin_map(j, JSON_FLAT);
        json_key(j, "inputs");
        selftest_tensors(j, model, i, test.inputs, wlk_model_selftest_input);
        json_key(j, "outputs");
        selftest_tensors(j, model, i, test.outputs, wlk_model_selftest_output);
        json_key(j, "rtol");
        json_float(j, test.rtol);
        json_key(j, "atol");
        json_float(j, test.atol);
        json_end_map(j);
    }
    json_end_list(j);
}

static void findings(json_out *j, const wlk_model *model) {
    static const char *const severities[WLK_SEVERITY_COUNT] = {
        [WLK_NOTE] = "note", [WLK_LOW] = "low", [WLK_MEDIUM] = "medium", [WLK_HIGH] = "high"};
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_FINDINGS); i++) {
        const wlk_finding f = wlk_model_finding(model, i);
        json_begin_map(j, JSON_FLAT);
        json_pair_text(j, "rule", wlk_rule_name(f.rule));
        json_pair_text(j, "severity", severities[f.severity]);
        json_pair_unsigned(j, "offset", f.offset);
        json_pair_unsigned(j, "length", f.length);
        json_pair_text(j, "evidence", f.evidence);
        json_end_map(j);
    }
    json_end_list(j);
}

static void byte_map(json_out *j, const wlk_model *model) {
    static const char *const kinds[WLK_SPAN_KIND_COUNT] = {
        [WLK_SPAN_ENVELOPE] = "envelope",    [WLK_SPAN_HEADER] = "header",
        [WLK_SPAN_DIGESTS] = "digests",      [WLK_SPAN_PADDING] = "padding",
        [WLK_SPAN_PAYLOAD] = "payload",      [WLK_SPAN_UNCLAIMED] = "unclaimed",
        [WLK_SPAN_OPCODES] = "opcodes",      [WLK_SPAN_ARRAY] = "array",
        [WLK_SPAN_COMPRESSED] = "compressed"};
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(model, i);
        json_begin_map(j, JSON_FLAT);
        json_pair_unsigned(j, "offset", span.offset);
        json_pair_unsigned(j, "length", span.length);
        json_pair_text(j, "kind", kinds[span.kind]);
        if (span.tensor != WLK_NONE) {
            json_pair_text(j, "tensor", wlk_model_tensor(model, span.tensor).name);
        }
        json_end_map(j);
    }
    json_end_list(j);
}

/* ---- all of it */

typedef struct json_part {
    const char *key;
    void (*write)(json_out *j, const wlk_model *model);
} json_part;

static const json_part parts[] = {
    {"metadata", metadata}, {"tensors", tensors},    {"opset", opsets},
    {"graphs", graphs},     {"selftest", selftests}, {"findings", findings},
    {"byte_map", byte_map}, {"advice", advice_json},
};

void model_json_print(const char *file, const wlk_model *model, const wlk_load_report *report,
                      const operator_list *uses, json_layout layout) {
    json_out j = json_out_to(stdout, layout);
    json_begin_map(&j, layout);
    json_pair_text(&j, "file", file);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_unsigned(&j, "bytes", report->file_bytes);
    json_pair_text(&j, "format", wlk_format_name(wlk_model_format(model)));
    json_key(&j, "signature");
    signature(&j, &report->verification);
    json_key(&j, "nonfinite");
    nonfinite(&j, model, &report->nonfinite);
    json_key(&j, "operators");
    operators(&j, uses);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_key(&j, parts[i].key);
        parts[i].write(&j, model);
    }
    json_end_map(&j);
    (void)putchar('\n');
}
