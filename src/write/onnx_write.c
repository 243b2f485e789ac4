/* A model as an ONNX file (docs/onnx.md, section 9). */
#include <weighlock/write.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "file/whole_file.h"
#include "write/onnx_source.h"

/* ---- what the parts share */

wlk_status onnx_cannot(const onnx_source *s, const char *format, ...) {
    char text[WLK_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_text(s->error, RULE_WRITE_ONNX, WLK_NO_OFFSET, "%s", text);
}

bool onnx_is_main(const char *domain) {
    return domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
}

void onnx_make_name(onnx_source *s, char name[ONNX_NAME_BYTES]) {
    (void)snprintf(name, ONNX_NAME_BYTES, "%s%u", s->prefix, s->made_names++);
}

static void note_underscores(const char *name, size_t *most) {
    const size_t count = strspn(name, "_");
    if (count > *most) *most = count;
}

/* More underscores than any name begins with. */
static wlk_status choose_prefix(onnx_source *s) {
    size_t most = 0;
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_TENSORS); i++) {
        note_underscores(wlk_model_tensor(s->model, i).name, &most);
    }
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_VALUES); i++) {
        note_underscores(wlk_model_value(s->model, i).name, &most);
    }
    if (most + 2 > sizeof s->prefix)
        return onnx_cannot(s, "a name that begins with %zu underscores", most);
    memset(s->prefix, '_', most + 1);
    return WLK_OK;
}

/* ---- who makes, takes, gives and uses what */

static void note_value(uint8_t *marks, wlk_ref ref) {
    if (ref.kind == WLK_REF_VALUE) marks[ref.index] = 1;
}

static void note_edge(onnx_source *s, wlk_ref ref) {
    if (ref.kind == WLK_REF_TENSOR) s->uses[ref.index] |= ONNX_USE_EDGE;
}

static void note_ports(onnx_source *s, uint32_t graph) {
    const wlk_graph g = wlk_model_graph(s->model, graph);
    for (uint32_t i = 0; i < g.inputs; i++) {
        const uint32_t value = wlk_model_graph_input(s->model, graph, i);
        s->makers[value] = graph;
        s->ports[value] = 1;
    }
    for (uint32_t i = 0; i < g.outputs; i++) {
        const wlk_ref ref = wlk_model_graph_output(s->model, graph, i);
        note_value(s->ports, ref);
        note_edge(s, ref);
    }
}

static void note_attributes(onnx_source *s, const wlk_node *node) {
    for (uint32_t i = 0; i < node->attributes; i++) {
        const wlk_attribute a = wlk_model_attribute(s->model, node->first_attribute + i);
        if (a.type != WLK_ATTR_TENSOR && a.type != WLK_ATTR_TENSORS) continue;
        for (uint32_t k = 0; k < a.count; k++) {
            s->uses[wlk_model_attribute_int(s->model, &a, k)] |= ONNX_USE_ELSEWHERE;
        }
    }
}

static void note_node(onnx_source *s, uint32_t index) {
    const wlk_node node = wlk_model_node(s->model, index);
    for (uint32_t i = 0; i < node.inputs; i++) {
        note_edge(s, wlk_model_node_input(s->model, index, i));
    }
    for (uint32_t i = 0; i < node.outputs; i++) {
        const wlk_ref ref = wlk_model_node_output(s->model, index, i);
        if (ref.kind == WLK_REF_VALUE) s->makers[ref.index] = node.graph;
    }
    note_attributes(s, &node);
}

static void note_golden_rows(onnx_source *s) {
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_SELFTESTS); i++) {
        const wlk_selftest rows = wlk_model_selftest(s->model, i);
        for (uint32_t k = 0; k < rows.inputs; k++) {
            s->uses[wlk_model_selftest_input(s->model, i, k)] |= ONNX_USE_ELSEWHERE;
        }
        for (uint32_t k = 0; k < rows.outputs; k++) {
            s->uses[wlk_model_selftest_output(s->model, i, k)] |= ONNX_USE_ELSEWHERE;
        }
    }
}

static void note_opsets(onnx_source *s) {
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset opset = wlk_model_opset(s->model, i);
        if (onnx_is_main(opset.domain)) s->opset = opset.version;
        if (strcmp(opset.domain, "ai.onnx.ml") == 0) s->ml_opset = opset.version;
    }
}

static wlk_status survey(onnx_source *s) {
    const uint32_t graphs = wlk_model_count(s->model, WLK_SECTION_GRAPHS);
    const uint32_t values = wlk_model_count(s->model, WLK_SECTION_VALUES);
    s->graph_count = graphs > 0 ? graphs : 1;
    s->graphs = mem_zeroed(s->graph_count, sizeof *s->graphs);
    s->makers = mem_zeroed((size_t)values + 1, sizeof *s->makers);
    s->ports = mem_zeroed((size_t)values + 1, sizeof *s->ports);
    s->uses = mem_zeroed((size_t)wlk_model_count(s->model, WLK_SECTION_TENSORS) + 1, 1);
    if (!s->graphs || !s->makers || !s->ports || !s->uses) {
        return error_at(s->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    for (uint32_t i = 0; i < graphs; i++) note_ports(s, i);
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_NODES); i++) note_node(s, i);
    note_golden_rows(s);
    note_opsets(s);
    return choose_prefix(s);
}

static void source_free(onnx_source *s) {
    for (uint32_t i = 0; s->graphs && i < s->graph_count; i++) onnx_out_free(&s->graphs[i]);
    mem_free(s->graphs);
    mem_free(s->makers);
    mem_free(s->ports);
    mem_free(s->uses);
}

/* ---- the file */

static void put_opset(const char *domain, uint32_t version, onnx_out *model) {
    onnx_out opset = {0};
    if (domain[0] != '\0') onnx_put_text(&opset, OPSET_DOMAIN, domain);
    onnx_put_int(&opset, OPSET_VERSION, version);
    onnx_put_message(model, MODEL_OPSET, &opset);
}

/* What expansions have brought in is there besides; ours is not ONNX's. */
static void put_opsets(const onnx_source *s, onnx_out *model) {
    if (s->opset > 0) put_opset("", s->opset, model);
    if (s->ml_opset > 0) put_opset("ai.onnx.ml", s->ml_opset, model);
    for (uint32_t i = 0; i < wlk_model_count(s->model, WLK_SECTION_OPSETS); i++) {
        const wlk_opset opset = wlk_model_opset(s->model, i);
        const bool is_put = onnx_is_main(opset.domain) || strcmp(opset.domain, "ai.onnx.ml") == 0;
        const bool is_ours = strcmp(opset.domain, "org.weighlock") == 0;
        if (!is_put && !is_ours) put_opset(opset.domain, opset.version, model);
    }
}

/* The IR version that came with an operator set, by the standard's table; from 4 on a
 * constant is no input. */
static int64_t ir_version_of(const onnx_source *s) {
    static const struct {
        uint32_t opset;
        int64_t ir_version;
    } rows[] = {{9, 4}, {10, 5}, {11, 6}, {14, 7}, {18, 8}, {20, 9}, {22, 10}, {24, 11}, {25, 12}};
    const uint32_t meta = wlk_model_find_meta(s->model, "/metadata/source/ir_version");
    const wlk_meta said = wlk_model_meta(s->model, meta);
    if (said.type == WLK_META_INT) return said.i > 4 ? said.i : 4;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (s->opset <= rows[i].opset) return rows[i].ir_version;
    }
    return 13;
}

static wlk_status write_model(onnx_source *s, onnx_out *model) {
    TRY(survey(s));
    TRY(onnx_write_graphs(s));
    if (s->opset == 0 && s->ml_opset == 0) s->opset = 13;
    onnx_put_int(model, MODEL_IR_VERSION, ir_version_of(s));
    TRY(onnx_put_metadata(s, model));
    put_opsets(s, model);
    onnx_put_message(model, MODEL_GRAPH, &s->graphs[0]);
    if (model->too_large) return onnx_cannot(s, "more than 2 GiB in one file");
    return model->failed ? error_at(s->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET) : WLK_OK;
}

/* *model is the caller's to free in any case. */
static wlk_status make(const wlk_model *model, onnx_out *out, wlk_error *error) {
    onnx_source source = {.model = model, .error = error};
    const wlk_status status = write_model(&source, out);
    source_free(&source);
    return status;
}

/* ---- to memory */

typedef struct memory_output {
    uint8_t *data;
    uint64_t used;
} memory_output;

static wlk_status put_memory(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    memory_output *memory = context;
    (void)error;
    memcpy(memory->data + memory->used, bytes, length);
    memory->used += length;
    return WLK_OK;
}

wlk_status wlk_write_onnx_memory(const wlk_model *model, uint8_t **data, uint64_t *size,
                                 wlk_error *error) {
    onnx_out out = {0};
    memory_output memory = {0};
    wlk_status status = make(model, &out, error);
    *data = NULL;
    *size = 0;
    if (status == WLK_OK) {
        memory.data = mem_alloc(onnx_out_size(&out));
        status = memory.data ? onnx_out_each(&out, put_memory, &memory, error)
                             : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    if (status == WLK_OK) {
        *data = memory.data;
        *size = memory.used;
    }
    onnx_out_free(&out);
    return status;
}

/* ---- to a file */

static wlk_status put_file(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    return whole_file_write(context, bytes, length, error);
}

wlk_status wlk_write_onnx_path(const wlk_model *model, const char *path, wlk_error *error) {
    const whole_place place = {
        .folder = AT_FDCWD, .path = path, .failed = RULE_WRITE_FAILED, .mode = 0666};
    whole_file to = WHOLE_FILE_NONE;
    onnx_out out = {0};
    wlk_status status = make(model, &out, error);
    if (status == WLK_OK) status = whole_file_open(&place, &to, error);
    if (status == WLK_OK) status = onnx_out_each(&out, put_file, &to, error);
    if (status == WLK_OK) status = whole_file_commit(&to, error);
    whole_file_close(&to);
    onnx_out_free(&out);
    return status;
}
