#include "write/header.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"

/* ---- tensors */

static void pack_block(const wlk_tensor *tensor, packer *out) {
    pack_map(out, 3);
    pack_text(out, "bytes");
    pack_uint(out, tensor->block_bytes);
    pack_text(out, "elements");
    pack_uint(out, tensor->block_elements);
    pack_text(out, "kind");
    pack_text(out, tensor->block_kind);
}

static void pack_tensor(const header_source *source, uint32_t index, packer *out) {
    const wlk_tensor tensor = source_tensor(source->tensors, index);
    const packed_payload *payload = &source->payloads[index];
    const bool is_block = tensor.dtype == WLK_BLOCK;
    pack_map(out, is_block ? 7 : 6);
    if (is_block) {
        pack_text(out, "block");
        pack_block(&tensor, out);
    }
    pack_text(out, "codec");
    pack_text(out, payload->length == tensor.nbytes ? "raw" : "zstd");
    pack_text(out, "dtype");
    pack_text(out, wlk_dtype_name(tensor.dtype));
    pack_text(out, "name");
    header_tensor_name(source, index, out);
    pack_text(out, "nbytes");
    pack_uint(out, payload->length);
    pack_text(out, "offset");
    pack_uint(out, payload->offset);
    pack_text(out, "shape");
    pack_array(out, tensor.rank);
    for (uint32_t i = 0; i < tensor.rank; i++) pack_uint(out, tensor.shape[i]);
}

static void pack_tensors(const header_source *source, packer *out) {
    const uint32_t count = source_count(source->tensors);
    pack_array(out, count);
    for (uint32_t i = 0; i < count; i++) pack_tensor(source, i, out);
}

/* ---- what the whole model has to be known for */

static uint32_t leading_underscores(const char *name) {
    uint32_t count = 0;
    while (name[count] == '_') count++;
    return count;
}

/* A tensor may be nameless in an image, not in a file. It gets a name with more
 * underscores before it than any other has, so that it is nobody else's. */
static wlk_status choose_prefix(header_source *source, wlk_error *error) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < wlk_model_count(source->model, WLK_SECTION_TENSORS); i++) {
        const uint32_t count = leading_underscores(wlk_model_tensor(source->model, i).name);
        if (count > most) most = count;
    }
    for (uint32_t i = 0; i < wlk_model_count(source->model, WLK_SECTION_VALUES); i++) {
        const uint32_t count = leading_underscores(wlk_model_value(source->model, i).name);
        if (count > most) most = count;
    }
    const uint32_t room = sizeof source->nameless_prefix;
    if (most + 2 > room) return error_at(error, RULE_WRITE_NAMELESS, WLK_NO_OFFSET);
    memset(source->nameless_prefix, '_', most + 1);
    source->nameless_prefix[most + 1] = '\0';
    return WLK_OK;
}

/* The name of a tensor of golden rows that are added. */
static void made_up_name(const header_source *source, uint32_t index, char *made, size_t size) {
    const uint32_t own = wlk_model_count(source->model, WLK_SECTION_TENSORS);
    const uint32_t inputs = source->tensors->golden ? source->tensors->golden->input_count : 0;
    const bool input = index >= own && index - own < inputs;
    const char *what = index < own ? "tensor" : input ? "selftest_input" : "selftest_output";
    const uint32_t number = index < own ? index : input ? index - own : index - own - inputs;
    (void)snprintf(made, size, "%s%s_%u", source->nameless_prefix, what, number);
}

void header_tensor_name(const header_source *source, uint32_t index, packer *out) {
    char made[sizeof source->nameless_prefix + 32];
    const bool own = index < wlk_model_count(source->model, WLK_SECTION_TENSORS);
    const char *name = own ? wlk_model_tensor(source->model, index).name : "";
    if (name[0] == '\0') {
        made_up_name(source, index, made, sizeof made);
        name = made;
    }
    pack_text(out, name);
}

static bool has_nameless(const wlk_model *model) {
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        if (wlk_model_tensor(model, i).name[0] == '\0') return true;
    }
    return false;
}

static wlk_status find_definitions(header_source *source, wlk_error *error) {
    const wlk_model *model = source->model;
    const uint32_t values = wlk_model_count(model, WLK_SECTION_VALUES);
    uint32_t *defining = mem_zeroed(values ? values : 1, sizeof *defining);
    if (!defining) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < values; i++) defining[i] = WLK_NONE;
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_NODES); i++) {
        const wlk_node node = wlk_model_node(model, i);
        for (uint32_t j = 0; j < node.outputs; j++) {
            const wlk_ref ref = wlk_model_node_output(model, i, j);
            if (ref.kind == WLK_REF_VALUE) defining[ref.index] = node.graph;
        }
    }
    source->defining_graph = defining;
    return WLK_OK;
}

/* ---- the header's keys: some from sections of the image, some from metadata */

typedef enum top_kind { TOP_META, TOP_GRAPHS, TOP_OPSET, TOP_SELFTEST, TOP_TENSORS } top_kind;

typedef struct top_entry {
    const char *key; /* as in a path */
    top_kind kind;
    uint32_t meta; /* TOP_META: the entry */
} top_entry;

static int compare_top(const void *a, const void *b) {
    return meta_key_compare(((const top_entry *)a)->key, ((const top_entry *)b)->key);
}

/* The keys that come from sections; how many there are. */
static uint32_t list_sections(const wlk_model *model, bool golden, top_entry list[4]) {
    const bool graphs = wlk_model_count(model, WLK_SECTION_GRAPHS) > 0;
    const bool opsets = wlk_model_count(model, WLK_SECTION_OPSETS) > 0;
    uint32_t count = 0;
    list[count++] = (top_entry){"tensors", TOP_TENSORS, 0};
    if (graphs) list[count++] = (top_entry){"graphs", TOP_GRAPHS, 0};
    if (graphs || opsets) list[count++] = (top_entry){"opset", TOP_OPSET, 0};
    if (golden || wlk_model_count(model, WLK_SECTION_SELFTESTS) > 0) {
        list[count++] = (top_entry){"selftest", TOP_SELFTEST, 0};
    }
    return count;
}

static wlk_status pack_top_entry(const header_source *source, const meta_index *index,
                                 const top_entry *entry, packer *out, wlk_error *error) {
    pack_meta_key(out, entry->key);
    switch (entry->kind) {
        case TOP_META:
            return header_meta(index, entry->meta, out, error);
        case TOP_GRAPHS:
            return header_graphs(source, out, error);
        case TOP_OPSET:
            header_opset(source, out);
            return WLK_OK;
        case TOP_SELFTEST:
            header_selftest(source, out);
            return WLK_OK;
        case TOP_TENSORS:
            pack_tensors(source, out);
            return WLK_OK;
    }
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

static wlk_status pack_top(const header_source *source, const meta_index *index, packer *out,
                           wlk_error *error) {
    top_entry *list = mem_zeroed((size_t)index->count + 4, sizeof *list);
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    uint32_t count = list_sections(source->model, source->tensors->golden, list);
    for (uint32_t i = 0; i < index->count; i = index->ends[i]) {
        const wlk_meta meta = wlk_model_meta(index->model, i);
        list[count++] = (top_entry){meta_key_of(meta.path), TOP_META, i};
    }
    qsort(list, count, sizeof *list, compare_top);
    pack_map(out, count);
    wlk_status status = WLK_OK;
    for (uint32_t i = 0; i < count && status == WLK_OK; i++) {
        status = pack_top_entry(source, index, &list[i], out, error);
    }
    mem_free(list);
    return status;
}

static wlk_status encode(header_source *source, meta_index *index, packer *out, wlk_error *error) {
    TRY(meta_index_open(source->metadata, index, error));
    if (wlk_model_find_meta(source->metadata, "/kind") == WLK_NONE) {
        return error_at(error, RULE_WRITE_KIND, WLK_NO_OFFSET);
    }
    if (source->tensors->golden || has_nameless(source->model)) TRY(choose_prefix(source, error));
    TRY(find_definitions(source, error));
    TRY(pack_top(source, index, out, error));
    return out->failed ? error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET) : WLK_OK;
}

wlk_status header_encode(const tensor_source *tensors, const wlk_model *metadata,
                         const packed_payload *payloads, packer *out, wlk_error *error) {
    header_source source = {
        .model = tensors->model, .tensors = tensors, .metadata = metadata, .payloads = payloads};
    meta_index index = {0};
    msgpack_sbuffer_init(&out->buffer);
    out->failed = false;
    const wlk_status status = encode(&source, &index, out, error);
    meta_index_close(&index);
    mem_free(source.defining_graph);
    return status;
}
