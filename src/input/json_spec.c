#include "input/json_spec.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "image/memory_sink.h"
#include "input/file.h"
#include "input/spec_reader.h"

typedef enum root_key {
    ROOT_KIND,
    ROOT_NAME,
    ROOT_VERSION,
    ROOT_CREATED,
    ROOT_PRODUCER,
    ROOT_METADATA,
    ROOT_OPSET,
    ROOT_TENSORS,
    ROOT_GRAPH,
    ROOT_GRAPHS,
    ROOT_SELFTEST,
    ROOT_KEYS
} root_key;

static const spec_key root_keys[ROOT_KEYS] = {
    [ROOT_KIND] = {"kind", SPEC_STRING, true},
    [ROOT_NAME] = {"name", SPEC_STRING, false},
    [ROOT_VERSION] = {"version", SPEC_STRING, false},
    [ROOT_CREATED] = {"created", SPEC_STRING, false},
    [ROOT_PRODUCER] = {"producer", SPEC_STRING, false},
    [ROOT_METADATA] = {"metadata", SPEC_OBJECT, false},
    [ROOT_OPSET] = {"opset", SPEC_OBJECT, false},
    [ROOT_TENSORS] = {"tensors", SPEC_ARRAY, false},
    [ROOT_GRAPH] = {"graph", SPEC_OBJECT, false},
    [ROOT_GRAPHS] = {"graphs", SPEC_ARRAY, false},
    [ROOT_SELFTEST] = {"selftest", SPEC_ARRAY, false},
};
static const spec_schema root_schema = {root_keys, ROOT_KEYS, true};
_Static_assert(ROOT_KEYS <= SPEC_MAX_KEYS, "check_keys has room for the names");

static wlk_status check_root(const spec_path *root, const json_t *const *values, wlk_error *error) {
    const bool has_graph = values[ROOT_GRAPH] || values[ROOT_GRAPHS];
    if (values[ROOT_GRAPH] && values[ROOT_GRAPHS]) {
        return spec_refuse(root, RULE_SPEC_CONFLICT, error, "\"graph\" and \"graphs\"");
    }
    if (has_graph && !values[ROOT_OPSET]) {
        return spec_refuse(root, RULE_SPEC_MISSING_KEY, error, "\"opset\"");
    }
    if (values[ROOT_SELFTEST] && !has_graph) {
        return spec_refuse(root, RULE_SPEC_MISSING_KEY, error, "\"graph\" or \"graphs\"");
    }
    return WLK_OK;
}

/* One chapter after the other, in the order that the assembler wants. */
static wlk_status read_chapters(spec_reader *r, const spec_path *root, const json_t *const *values,
                                wlk_error *error) {
    const spec_path opset = spec_key_at(root, "opset"), tensors = spec_key_at(root, "tensors");
    const spec_path graph = spec_key_at(root, "graph"), graphs = spec_key_at(root, "graphs");
    const spec_path selftest = spec_key_at(root, "selftest");
    if (values[ROOT_OPSET]) TRY(spec_read_opset(r, &opset, values[ROOT_OPSET], error));
    if (values[ROOT_TENSORS]) TRY(spec_read_tensors(r, &tensors, values[ROOT_TENSORS], error));
    if (values[ROOT_GRAPH]) TRY(spec_read_graph(r, &graph, values[ROOT_GRAPH], error));
    if (values[ROOT_GRAPHS]) TRY(spec_read_graphs(r, &graphs, values[ROOT_GRAPHS], error));
    if (values[ROOT_SELFTEST]) {
        TRY(spec_read_selftests(r, &selftest, values[ROOT_SELFTEST], error));
    }
    const spec_path *last = values[ROOT_GRAPHS] ? &graphs : values[ROOT_GRAPH] ? &graph : root;
    return spec_locate(assembler_finish(r->assembler, error), last, error);
}

static wlk_status read_root(spec_reader *r, const json_t *object, wlk_error *error) {
    const json_t *values[ROOT_KEYS];
    const spec_path root = {0};
    TRY(spec_object(&root, object, &root_schema, values, error));
    TRY(check_root(&root, values, error));
    TRY(spec_read_metadata(r, &root, object, error));
    TRY(read_chapters(r, &root, values, error));
    return spec_locate(meta_tree_finish(r->metadata, error), &root, error);
}

/* ---- the tools that the model is put together with */

typedef struct workshop {
    memory_sink *sink;
    image_sink interface;
    spec_reader reader;
} workshop;

static void workshop_close(workshop *w) {
    mem_free(w->reader.meta_path);
    meta_tree_free(w->reader.metadata);
    assembler_free(w->reader.assembler);
    image_builder_free(w->reader.builder);
    memory_sink_free(w->sink);
}

static bool workshop_open(workshop *w, const char *folder, const wlk_limits *limits) {
    const size_t longest = limits->name_bytes < INT32_MAX ? limits->name_bytes : INT32_MAX;
    *w = (workshop){.reader = {.limits = limits, .folder = folder, .meta_room = longest + 1}};
    w->sink = memory_sink_new(limits);
    if (!w->sink) return false;
    w->interface = memory_sink_interface(w->sink);
    w->reader.builder = image_builder_new(limits, &w->interface);
    if (!w->reader.builder) return false;
    w->reader.assembler = assembler_new(w->reader.builder, limits);
    w->reader.metadata = meta_tree_new(w->reader.builder, limits);
    w->reader.meta_path = mem_zeroed(1, w->reader.meta_room);
    return w->reader.assembler && w->reader.metadata && w->reader.meta_path;
}

static wlk_status build(const json_t *object, const char *folder, const wlk_limits *limits,
                        wlk_model **model, wlk_error *error) {
    workshop w;
    wlk_status status;
    if (!workshop_open(&w, folder, limits)) {
        status = error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    } else {
        status = read_root(&w.reader, object, error);
    }
    if (status == WLK_OK) {
        status = image_build_model(w.reader.builder, w.sink, 0, limits, model, error);
    }
    workshop_close(&w);
    return status;
}

/* ---- text */

/* jansson calls it a syntax error of whatever it stood at when there is no memory; errno,
 * which was 0, says what it was. */
static wlk_status syntax_error(const json_error_t *said, wlk_error *error) {
    if (errno == ENOMEM) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const uint64_t offset = said->position >= 0 ? (uint64_t)said->position : WLK_NO_OFFSET;
    return error_text(error, RULE_SPEC_SYNTAX, offset, "line %d, column %d: %s", said->line,
                      said->column, said->text);
}

wlk_status json_spec_parse(const char *text, uint64_t size, const char *folder,
                           const wlk_limits *limits, wlk_model **model, wlk_error *error) {
    json_error_t said;
    *model = NULL;
    if (size > limits->json_bytes) return error_at(error, RULE_INPUT_SIZE, limits->json_bytes);
    errno = 0;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &said);
    if (!root) return syntax_error(&said, error);
    const wlk_status status = build(root, folder, limits, model, error);
    json_decref(root);
    return status;
}

wlk_status json_spec_read(const char *path, const wlk_limits *limits, wlk_model **model,
                          wlk_error *error) {
    input_file file;
    *model = NULL;
    TRY(input_file_read(path, limits->json_bytes, &file, error));
    char *folder = input_folder_of(path);
    const wlk_status status =
        folder ? json_spec_parse((const char *)file.data, file.size, folder, limits, model, error)
               : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    mem_free(folder);
    input_file_free(&file);
    return status;
}
