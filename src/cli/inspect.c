#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/advice.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/model_json.h"
#include "cli/operators.h"

#define MOST_LINES 40 /* of one table in text; --json shows all */
#define MOST_NODES 12 /* of a graph that is shown node by node */

static void print_shape(const wlk_tensor *t) {
    (void)printf("[");
    for (uint32_t i = 0; i < t->rank; i++) {
        (void)printf("%s%" PRIu64, i ? ", " : "", t->shape[i]);
    }
    (void)printf("]");
}

static void print_rest(uint32_t shown, uint32_t count, const char *what) {
    if (count > shown) {
        (void)printf("  ... and %" PRIu32 " more %s (--json shows all)\n", count - shown, what);
    }
}

static void print_tensors(const wlk_model *model) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_TENSORS);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) bytes += wlk_model_tensor(model, i).nbytes;
    (void)printf("tensors    %" PRIu32 ", %" PRIu64 " bytes\n", count, bytes);
    for (uint32_t i = 0; i < count && i < MOST_LINES; i++) {
        const wlk_tensor t = wlk_model_tensor(model, i);
        (void)printf("  ");
        cli_print_short(t.name);
        (void)printf("  %s ", wlk_dtype_name(t.dtype));
        print_shape(&t);
        (void)putchar('\n');
    }
    print_rest(MOST_LINES, count, "tensors");
}

static void print_type_shape(const wlk_type *type) {
    if (!type->has_shape) return;
    (void)printf("[");
    for (uint32_t i = 0; i < type->rank; i++) {
        if (i) (void)printf(", ");
        if (type->dims[i] >= 0) {
            (void)printf("%" PRId64, type->dims[i]);
        } else {
            cli_print_short(type->symbols[i] ? type->symbols[i] : "?");
        }
    }
    (void)printf("]");
}

/* "f64[batch, 4]", "sequence of map from i64 to f32" */
static void print_type(const wlk_model *model, uint32_t index) {
    wlk_type type = wlk_model_type(model, index);
    while (type.kind != WLK_TYPE_TENSOR && type.kind != 0) {
        if (type.kind == WLK_TYPE_SEQUENCE) (void)printf("sequence of ");
        if (type.kind == WLK_TYPE_OPTIONAL) (void)printf("optional ");
        if (type.kind == WLK_TYPE_MAP)
            (void)printf("map from %s to ", wlk_dtype_name(type.key_dtype));
        type = wlk_model_type(model, type.element);
    }
    (void)printf("%s", wlk_dtype_name(type.dtype));
    print_type_shape(&type);
}

static void print_value(const wlk_model *model, const char *label, wlk_ref ref) {
    (void)printf("  %-8s ", label);
    if (ref.kind == WLK_REF_TENSOR) {
        cli_print_short(wlk_model_tensor(model, ref.index).name);
    } else if (ref.kind == WLK_REF_VALUE) {
        const wlk_value value = wlk_model_value(model, ref.index);
        cli_print_short(value.name);
        if (value.type != WLK_NONE) {
            (void)printf("  ");
            print_type(model, value.type);
        }
    }
    (void)putchar('\n');
}

static void print_operator(const char *label, const char *domain, const char *op) {
    (void)printf("  %-8s ", label);
    if (domain[0]) {
        cli_print_short(domain);
        (void)putchar('.');
    }
    cli_print_short(op);
}

static void print_nodes(const wlk_model *model, const wlk_graph *graph) {
    for (uint32_t i = 0; i < graph->nodes; i++) {
        const wlk_node node = wlk_model_node(model, graph->first_node + i);
        print_operator("node", node.domain, node.op);
        (void)putchar('\n');
    }
}

/* Each operator and how many nodes it has, in all graphs. */
static void print_operators(const operator_list *list) {
    for (uint32_t i = 0; i < list->count && i < MOST_LINES; i++) {
        print_operator("operator", list->items[i].domain, list->items[i].op);
        (void)printf("  %" PRIu32 "\n", list->items[i].count);
    }
    print_rest(MOST_LINES, list->count, "operators");
}

/* "opset      ai.onnx 17, ai.onnx.ml 3" */
static void print_opsets(const wlk_model *model) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_OPSETS);
    if (count == 0) return;
    (void)printf("opset      ");
    for (uint32_t i = 0; i < count && i < MOST_LINES; i++) {
        const wlk_opset opset = wlk_model_opset(model, i);
        if (i) (void)printf(", ");
        cli_print_short(opset.domain[0] ? opset.domain : "ai.onnx");
        (void)printf(" %" PRIu32, opset.version);
    }
    (void)printf("%s\n", count > MOST_LINES ? " ... (--json shows all)" : "");
}

/* "graph      12 nodes", "graph      30 nodes in 3 graphs" */
static void print_graph_size(const wlk_model *model) {
    const uint32_t nodes = wlk_model_count(model, WLK_SECTION_NODES);
    const uint32_t graphs = wlk_model_count(model, WLK_SECTION_GRAPHS);
    (void)printf("graph      %" PRIu32 " node%s", nodes, nodes == 1 ? "" : "s");
    if (graphs > 1) (void)printf(" in %" PRIu32 " graphs", graphs);
    (void)putchar('\n');
}

static void print_graph(const wlk_model *model, const operator_list *uses) {
    if (wlk_model_count(model, WLK_SECTION_GRAPHS) == 0) return;
    const wlk_graph graph = wlk_model_graph(model, 0);
    const uint32_t nodes = wlk_model_count(model, WLK_SECTION_NODES);
    print_opsets(model);
    print_graph_size(model);
    for (uint32_t i = 0; i < graph.inputs && i < MOST_LINES; i++) {
        print_value(model, "input", (wlk_ref){WLK_REF_VALUE, wlk_model_graph_input(model, 0, i)});
    }
    print_rest(MOST_LINES, graph.inputs, "inputs");
    if (nodes <= MOST_NODES && nodes == graph.nodes) {
        print_nodes(model, &graph);
    } else {
        print_operators(uses);
    }
    for (uint32_t i = 0; i < graph.outputs && i < MOST_LINES; i++) {
        print_value(model, "output", wlk_model_graph_output(model, 0, i));
    }
    print_rest(MOST_LINES, graph.outputs, "outputs");
}

static void print_meta_value(const wlk_meta *m) {
    if (m->type == WLK_META_STRING) cli_print_short(m->s);
    if (m->type == WLK_META_INT) (void)printf("%" PRId64, m->i);
    if (m->type == WLK_META_UINT) (void)printf("%" PRIu64, m->u);
    if (m->type == WLK_META_FLOAT) (void)printf("%.17g", m->f);
    if (m->type == WLK_META_BOOL) (void)printf("%s", m->i ? "true" : "false");
    if (m->type == WLK_META_NULL) (void)printf("null");
}

static bool is_leaf(const wlk_meta *m) {
    return m->type != WLK_META_ARRAY && m->type != WLK_META_MAP;
}

/* "/name", but not "/metadata/tags/0" */
static bool is_top(const wlk_meta *m) {
    return m->path[0] == '/' && !strchr(m->path + 1, '/');
}

static void print_entry(const wlk_meta *m, const char *path) {
    (void)printf("  ");
    cli_print_short(path);
    (void)printf("  ");
    print_meta_value(m);
    (void)putchar('\n');
}

/* What the model says of itself (`top`: kind, name, version, producer), or all the
 * rest of its metadata. */
static void print_metadata(const wlk_model *model, bool top) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta m = wlk_model_meta(model, i);
        if (!is_leaf(&m) || is_top(&m) != top) continue;
        if (count == 0) (void)printf("%s\n", top ? "model" : "metadata");
        if (count++ >= MOST_LINES) continue;
        print_entry(&m, top ? m.path + 1 : m.path);
    }
    print_rest(MOST_LINES, count, "entries");
}

static void print_counts(const wlk_model *model) {
    const uint32_t selftests = wlk_model_count(model, WLK_SECTION_SELFTESTS);
    const uint32_t findings = wlk_model_count(model, WLK_SECTION_FINDINGS);
    if (selftests) {
        (void)printf("golden     %" PRIu32 " set%s of rows\n", selftests, selftests > 1 ? "s" : "");
    }
    if (findings) (void)printf("findings   %" PRIu32 " (--json shows them)\n", findings);
}

/* What the bytes of a file are whose layout is not this project's own. */
static void print_bytes(const wlk_model *model) {
    static const char *const kinds[WLK_SPAN_KIND_COUNT] = {
        [WLK_SPAN_HEADER] = "structure",     [WLK_SPAN_PADDING] = "padding",
        [WLK_SPAN_PAYLOAD] = "tensor data",  [WLK_SPAN_UNCLAIMED] = "not understood",
        [WLK_SPAN_OPCODES] = "opcodes",      [WLK_SPAN_ARRAY] = "arrays",
        [WLK_SPAN_COMPRESSED] = "compressed"};
    uint64_t bytes[WLK_SPAN_KIND_COUNT] = {0};
    const char *comma = "";
    if (wlk_model_format(model) == WLK_FORMAT_WLK) return;
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(model, i);
        bytes[span.kind] += span.length;
    }
    (void)printf("bytes      ");
    for (unsigned kind = 0; kind < WLK_SPAN_KIND_COUNT; kind++) {
        if (!kinds[kind] || bytes[kind] == 0) continue;
        (void)printf("%s%" PRIu64 " %s", comma, bytes[kind], kinds[kind]);
        comma = ", ";
    }
    (void)putchar('\n');
}

/* The text of a metadata entry; NULL if there is none. */
static const char *meta_text(const wlk_model *model, const char *path) {
    const uint32_t found = wlk_model_find_meta(model, path);
    if (found == WLK_NONE) return NULL;
    const wlk_meta m = wlk_model_meta(model, found);
    return m.type == WLK_META_STRING ? m.s : NULL;
}

/* What was made into this model, and by what it had been written. */
static void print_source(const wlk_model *model) {
    const char *estimator = meta_text(model, "/metadata/source/estimator");
    const char *serializer = meta_text(model, "/metadata/source/serializer");
    const char *compression = meta_text(model, "/metadata/source/compression");
    if (!serializer) return;
    (void)printf("source     ");
    if (estimator) {
        cli_print_short(estimator);
        (void)printf(", ");
    }
    (void)printf("written by ");
    cli_print_short(serializer);
    if (compression) {
        (void)printf(" with ");
        cli_print_short(compression);
    }
    (void)putchar('\n');
}

static void print_nonfinite(const wlk_model *model, const wlk_nonfinite *n) {
    if (n->tensor == WLK_NONE) return;
    (void)printf("weights    %" PRIu64 " NaN and %" PRIu64 " infinite, the first in ", n->nan,
                 n->infinity);
    cli_print_short(wlk_model_tensor(model, n->tensor).name);
    (void)printf(" at element %" PRIu64 "\n", n->element);
}

static void print_text(const wlk_model *model, const wlk_load_report *report,
                       const operator_list *uses) {
    static const char *const titles[WLK_FORMAT_COUNT] = {[WLK_FORMAT_NONE] = "",
                                                         [WLK_FORMAT_WLK] = ".wlk version 1",
                                                         [WLK_FORMAT_ONNX] = "ONNX",
                                                         [WLK_FORMAT_PICKLE] = "pickle",
                                                         [WLK_FORMAT_NPY] = ".npy"};
    char signature[256];
    cli_signature_text(&report->verification, signature, sizeof signature);
    (void)printf("file       %" PRIu64 " bytes, %s, ", report->file_bytes,
                 titles[wlk_model_format(model)]);
    cli_print_safe(signature);
    (void)putchar('\n');
    print_source(model);
    print_metadata(model, true);
    print_graph(model, uses);
    print_tensors(model);
    print_nonfinite(model, &report->nonfinite);
    print_counts(model);
    print_bytes(model);
    print_metadata(model, false);
    advice_print(model);
}

static wlk_status print_model(const cli *c, const char *file, const wlk_model *model,
                              const wlk_load_report *report, wlk_error *error) {
    operator_list uses;
    TRY(operators_of(model, &uses, error));
    if (cli_json(c)) {
        const bool line = option_given(&c->options, OPTION_STDIN0);
        model_json_print(file, model, report, &uses, line ? JSON_FLAT : JSON_LINES);
    } else {
        print_text(model, report, &uses);
    }
    operators_free(&uses);
    return WLK_OK;
}

typedef struct inspection {
    const cli *c;
    wlk_gate *gate;
} inspection;

static wlk_status inspect_file(void *context, const char *file) {
    const inspection *i = context;
    wlk_model *model = NULL;
    wlk_load_report report = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = cli_load(i->c, i->gate, file, &model, &report, &error);
    if (status == WLK_OK) status = print_model(i->c, file, model, &report, &error);
    if (status != WLK_OK) (void)cli_fail(i->c, file, &error);
    wlk_model_free(model);
    return status;
}

/* Unsigned files are shown, unless so many signatures are asked for. */
static wlk_status open_gate(const cli *c, wlk_gate **gate, wlk_trust **trust, wlk_error *error) {
    *gate = NULL;
    *trust = NULL;
    TRY(cli_one_digest(c, error));
    const uint32_t children = option_given(&c->options, OPTION_STDIN0) ? BATCH_CHILDREN : 0;
    return cli_pool_gate(c, !option_given(&c->options, OPTION_THRESHOLD), children, gate, trust,
                         error);
}

int verb_inspect(const cli *c) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = open_gate(c, &gate, &trust, &error);
    inspection all = {c, gate};
    if (status != WLK_OK) {
        (void)cli_fail(c, NULL, &error);
    } else if (option_given(&c->options, OPTION_STDIN0)) {
        status = batch_run(c, inspect_file, &all);
    } else {
        status = inspect_file(&all, c->options.operands[0]);
    }
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return (int)status;
}
