#include "image/model.h"

#include <string.h>

#include "base/bytes.h"
#include "base/dtype.h"
#include "base/memory.h"

/* What tensors without elements point to: aligned like all others, so that a
 * kernel needs no case for them. */
static const _Alignas(64) uint8_t no_data[64];

static const char *const format_names[WLK_FORMAT_COUNT] = {[WLK_FORMAT_WLK] = "wlk",
                                                           [WLK_FORMAT_ONNX] = "onnx",
                                                           [WLK_FORMAT_PICKLE] = "pickle",
                                                           [WLK_FORMAT_NPY] = "npy"};

const char *wlk_format_name(wlk_format format) {
    const unsigned index = (unsigned)format;
    return index < WLK_FORMAT_COUNT ? format_names[index] : NULL;
}

image_view image_view_of(const uint8_t *image, const uint64_t offsets[WLK_SECTION_COUNT]) {
    return (image_view){
        .header = (const image_header *)image,
        .strings = (const string_record *)(image + offsets[WLK_SECTION_STRINGS]),
        .blocks = (const block_record *)(image + offsets[WLK_SECTION_BLOCKS]),
        .tensors = (const tensor_record *)(image + offsets[WLK_SECTION_TENSORS]),
        .types = (const type_record *)(image + offsets[WLK_SECTION_TYPES]),
        .values = (const value_record *)(image + offsets[WLK_SECTION_VALUES]),
        .graphs = (const graph_record *)(image + offsets[WLK_SECTION_GRAPHS]),
        .nodes = (const node_record *)(image + offsets[WLK_SECTION_NODES]),
        .attributes = (const attribute_record *)(image + offsets[WLK_SECTION_ATTRIBUTES]),
        .edges = (const uint32_t *)(image + offsets[WLK_SECTION_EDGES]),
        .numbers = (const uint64_t *)(image + offsets[WLK_SECTION_NUMBERS]),
        .metadata = (const meta_record *)(image + offsets[WLK_SECTION_METADATA]),
        .selftests = (const selftest_record *)(image + offsets[WLK_SECTION_SELFTESTS]),
        .opsets = (const opset_record *)(image + offsets[WLK_SECTION_OPSETS]),
        .findings = (const finding_record *)(image + offsets[WLK_SECTION_FINDINGS]),
        .spans = (const span_record *)(image + offsets[WLK_SECTION_SPANS]),
        .text = (const char *)(image + offsets[WLK_SECTION_TEXT]),
    };
}

uint32_t image_view_find_string(const image_view *view, const char *text) {
    uint32_t low = 0;
    uint32_t high = view->header->counts[WLK_SECTION_STRINGS];
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        /* no string holds a NUL, so strcmp orders as the image does */
        const int order = strcmp(view->text + view->strings[middle].offset, text);
        if (order == 0) return middle;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return IMAGE_NONE;
}

void wlk_model_free(wlk_model *model) {
    if (!model) return;
    if (model->payloads.release) model->payloads.release(model->payloads.owner);
    mem_free(model->names);
    mem_free(model->paths);
    mem_free(model->image);
    mem_free(model);
}

uint32_t wlk_model_count(const wlk_model *model, wlk_section section) {
    const unsigned index = (unsigned)section;
    return index < WLK_SECTION_COUNT ? model->view.header->counts[index] : 0;
}

uint64_t wlk_model_file_bytes(const wlk_model *model) {
    return model->view.header->file_bytes;
}

wlk_format wlk_model_format(const wlk_model *model) {
    return (wlk_format)model->view.header->format;
}

static bool has(const wlk_model *model, wlk_section section, uint32_t index) {
    return index < model->view.header->counts[section];
}

/* The text of a string that validation has seen. */
static const char *text_of(const wlk_model *model, uint64_t string) {
    return model->view.text + model->view.strings[string].offset;
}

wlk_tensor wlk_model_tensor(const wlk_model *model, uint32_t index) {
    wlk_tensor tensor = {.name = ""};
    if (!has(model, WLK_SECTION_TENSORS, index)) return tensor;
    const tensor_record *record = &model->view.tensors[index];
    tensor.name = text_of(model, record->name);
    tensor.dtype = (wlk_dtype)record->dtype;
    tensor.rank = record->rank;
    memcpy(tensor.shape, record->shape, sizeof tensor.shape);
    (void)shape_count(record->shape, record->rank, &tensor.count); /* validation has seen it fit */
    tensor.nbytes = record->nbytes;
    tensor.data = no_data;
    if (record->buffer != IMAGE_NONE && model->payloads.absent) {
        tensor.data = NULL;
    } else if (record->buffer != IMAGE_NONE) {
        tensor.data = model->payloads.buffers[record->buffer].data + record->buffer_offset;
    }
    if (record->block != IMAGE_NONE) {
        const block_record *block = &model->view.blocks[record->block];
        tensor.block_kind = text_of(model, block->kind);
        tensor.block_elements = block->elements;
        tensor.block_bytes = block->bytes;
    }
    return tensor;
}

uint64_t model_tensor_offset(const wlk_model *model, uint32_t index) {
    const tensor_record *record = &model->view.tensors[index];
    if (record->buffer == IMAGE_NONE) return WLK_NO_OFFSET;
    const uint64_t buffer_offset = model->payloads.buffers[record->buffer].file_offset;
    if (buffer_offset == WLK_NO_OFFSET) return WLK_NO_OFFSET;
    return buffer_offset + record->buffer_offset; /* validation has seen it lie in the file */
}

wlk_type wlk_model_type(const wlk_model *model, uint32_t index) {
    wlk_type type = {.element = WLK_NONE};
    if (!has(model, WLK_SECTION_TYPES, index)) return (wlk_type){0};
    const type_record *record = &model->view.types[index];
    type.kind = (wlk_type_kind)record->kind;
    type.dtype = (wlk_dtype)record->dtype;
    type.key_dtype = (wlk_dtype)record->key_dtype;
    type.has_shape = record->has_shape != 0;
    type.rank = record->rank;
    type.element = record->element;
    for (uint32_t i = 0; i < record->rank; i++) {
        type.dims[i] = record->dims[i];
        if (record->symbols[i] != 0) type.symbols[i] = text_of(model, record->symbols[i]);
    }
    return type;
}

wlk_value wlk_model_value(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_VALUES, index)) return (wlk_value){.name = ""};
    const value_record *record = &model->view.values[index];
    return (wlk_value){text_of(model, record->name), record->type};
}

/* An edge as the public reference. */
static wlk_ref ref_of(uint32_t edge) {
    if (edge == IMAGE_NONE) return (wlk_ref){WLK_REF_NONE, 0};
    if (edge & EDGE_TENSOR) return (wlk_ref){WLK_REF_TENSOR, edge & ~EDGE_TENSOR};
    return (wlk_ref){WLK_REF_VALUE, edge};
}

wlk_graph wlk_model_graph(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_GRAPHS, index)) return (wlk_graph){.name = ""};
    const graph_record *record = &model->view.graphs[index];
    return (wlk_graph){
        .name = text_of(model, record->name),
        .inputs = record->inputs,
        .outputs = record->outputs,
        .first_node = record->node_first,
        .nodes = record->nodes,
    };
}

uint32_t wlk_model_graph_input(const wlk_model *model, uint32_t graph, uint32_t i) {
    if (!has(model, WLK_SECTION_GRAPHS, graph)) return WLK_NONE;
    const graph_record *record = &model->view.graphs[graph];
    return i < record->inputs ? (uint32_t)model->view.numbers[record->input_first + i] : WLK_NONE;
}

wlk_ref wlk_model_graph_output(const wlk_model *model, uint32_t graph, uint32_t i) {
    if (!has(model, WLK_SECTION_GRAPHS, graph)) return (wlk_ref){0};
    const graph_record *record = &model->view.graphs[graph];
    return i < record->outputs ? ref_of(model->view.edges[record->output_first + i]) : (wlk_ref){0};
}

wlk_node wlk_model_node(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_NODES, index)) {
        return (wlk_node){.op = "", .domain = "", .name = ""};
    }
    const node_record *record = &model->view.nodes[index];
    return (wlk_node){
        .op = text_of(model, record->op),
        .domain = text_of(model, record->domain),
        .name = text_of(model, record->name),
        .graph = record->graph,
        .inputs = record->inputs,
        .outputs = record->outputs,
        .first_attribute = record->attribute_first,
        .attributes = record->attributes,
    };
}

wlk_ref wlk_model_node_input(const wlk_model *model, uint32_t node, uint32_t i) {
    if (!has(model, WLK_SECTION_NODES, node)) return (wlk_ref){0};
    const node_record *record = &model->view.nodes[node];
    return i < record->inputs ? ref_of(model->view.edges[record->edge_first + i]) : (wlk_ref){0};
}

wlk_ref wlk_model_node_output(const wlk_model *model, uint32_t node, uint32_t i) {
    if (!has(model, WLK_SECTION_NODES, node)) return (wlk_ref){0};
    const node_record *record = &model->view.nodes[node];
    if (i >= record->outputs) return (wlk_ref){0};
    return ref_of(model->view.edges[record->edge_first + record->inputs + i]);
}

wlk_attribute wlk_model_attribute(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_ATTRIBUTES, index)) return (wlk_attribute){.name = ""};
    const attribute_record *record = &model->view.attributes[index];
    return (wlk_attribute){text_of(model, record->name), (wlk_attribute_type)record->type,
                           record->count, record->first};
}

/* Element i of an attribute's values if that exists. The caller may have made
 * the wlk_attribute itself, so its place is checked too. */
static bool attribute_number(const wlk_model *model, const wlk_attribute *a, uint32_t i,
                             uint64_t *number) {
    const uint64_t index = (uint64_t)a->first + i;
    if (i >= a->count || index >= model->view.header->counts[WLK_SECTION_NUMBERS]) return false;
    *number = model->view.numbers[index];
    return true;
}

static bool is_one_of(wlk_attribute_type type, wlk_attribute_type one, wlk_attribute_type list) {
    return type == one || type == list;
}

int64_t wlk_model_attribute_int(const wlk_model *model, const wlk_attribute *a, uint32_t i) {
    uint64_t number;
    if (is_one_of(a->type, WLK_ATTR_FLOAT, WLK_ATTR_FLOATS)) return 0;
    if (is_one_of(a->type, WLK_ATTR_STRING, WLK_ATTR_STRINGS)) return 0;
    return attribute_number(model, a, i, &number) ? (int64_t)number : 0;
}

double wlk_model_attribute_float(const wlk_model *model, const wlk_attribute *a, uint32_t i) {
    uint64_t number;
    if (!is_one_of(a->type, WLK_ATTR_FLOAT, WLK_ATTR_FLOATS)) return 0.0;
    return attribute_number(model, a, i, &number) ? f64_from_bits(number) : 0.0;
}

const char *wlk_model_attribute_string(const wlk_model *model, const wlk_attribute *a, uint32_t i) {
    uint64_t number;
    if (!is_one_of(a->type, WLK_ATTR_STRING, WLK_ATTR_STRINGS)) return "";
    if (!attribute_number(model, a, i, &number)) return "";
    return number < model->view.header->counts[WLK_SECTION_STRINGS] ? text_of(model, number) : "";
}

wlk_meta wlk_model_meta(const wlk_model *model, uint32_t index) {
    wlk_meta meta = {.path = "", .s = ""};
    if (!has(model, WLK_SECTION_METADATA, index)) return meta;
    const meta_record *record = &model->view.metadata[index];
    meta.path = text_of(model, record->path);
    meta.type = (wlk_meta_type)record->type;
    switch (meta.type) {
        case WLK_META_BOOL:
        case WLK_META_INT:
        case WLK_META_ARRAY:
        case WLK_META_MAP:
            meta.i = (int64_t)record->value;
            break;
        case WLK_META_UINT:
            meta.u = record->value;
            break;
        case WLK_META_FLOAT:
            meta.f = f64_from_bits(record->value);
            break;
        case WLK_META_STRING:
            meta.s = text_of(model, record->value);
            break;
        case WLK_META_NULL:
            break;
    }
    return meta;
}

wlk_selftest wlk_model_selftest(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_SELFTESTS, index)) return (wlk_selftest){0};
    const selftest_record *record = &model->view.selftests[index];
    return (wlk_selftest){record->inputs, record->outputs, f64_from_bits(record->rtol),
                          f64_from_bits(record->atol)};
}

uint32_t wlk_model_selftest_input(const wlk_model *model, uint32_t index, uint32_t i) {
    if (!has(model, WLK_SECTION_SELFTESTS, index)) return WLK_NONE;
    const selftest_record *record = &model->view.selftests[index];
    return i < record->inputs ? (uint32_t)model->view.numbers[record->first + i] : WLK_NONE;
}

uint32_t wlk_model_selftest_output(const wlk_model *model, uint32_t index, uint32_t i) {
    if (!has(model, WLK_SECTION_SELFTESTS, index)) return WLK_NONE;
    const selftest_record *record = &model->view.selftests[index];
    if (i >= record->outputs) return WLK_NONE;
    return (uint32_t)model->view.numbers[record->first + record->inputs + i];
}

wlk_opset wlk_model_opset(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_OPSETS, index)) return (wlk_opset){.domain = ""};
    const opset_record *record = &model->view.opsets[index];
    return (wlk_opset){text_of(model, record->domain), record->version};
}

wlk_finding wlk_model_finding(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_FINDINGS, index)) return (wlk_finding){.evidence = ""};
    const finding_record *record = &model->view.findings[index];
    return (wlk_finding){record->rule, (wlk_severity)record->severity, record->offset,
                         record->length, text_of(model, record->evidence)};
}

wlk_span wlk_model_span(const wlk_model *model, uint32_t index) {
    if (!has(model, WLK_SECTION_SPANS, index)) return (wlk_span){0};
    const span_record *record = &model->view.spans[index];
    return (wlk_span){record->offset, record->length, (wlk_span_kind)record->kind, record->tensor};
}

uint32_t wlk_model_find_tensor(const wlk_model *model, const char *name) {
    const uint32_t string = image_view_find_string(&model->view, name);
    if (string == IMAGE_NONE) return WLK_NONE;
    const wlk_ref ref = ref_of(model->names[string]);
    return ref.kind == WLK_REF_TENSOR ? ref.index : WLK_NONE;
}

uint32_t wlk_model_find_meta(const wlk_model *model, const char *path) {
    const uint32_t string = image_view_find_string(&model->view, path);
    return string == IMAGE_NONE ? WLK_NONE : model->paths[string];
}

uint32_t wlk_model_find_attribute(const wlk_model *model, uint32_t node, const char *name) {
    const uint32_t string = image_view_find_string(&model->view, name);
    if (string == IMAGE_NONE || !has(model, WLK_SECTION_NODES, node)) return WLK_NONE;
    const node_record *record = &model->view.nodes[node];
    uint32_t low = record->attribute_first;
    uint32_t high = low + record->attributes;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint32_t found = model->view.attributes[middle].name;
        if (found == string) return middle;
        if (found < string) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return WLK_NONE;
}
