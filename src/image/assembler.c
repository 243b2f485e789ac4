#include "image/assembler_internal.h"

#include <string.h>

#include "base/dtype.h"
#include "base/memory.h"

wlk_status assembler_no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status assembler_refuse(wlk_error *error, wlk_rule rule, const char *name) {
    return error_text(error, rule, WLK_NO_OFFSET, "\"%.160s\"", name);
}

wlk_status assembler_built(const assembler *a, wlk_error *error) {
    return image_builder_status(a->builder, error);
}

/* Room for item `count`; NULL if there is no memory. It is the caller's to count. */
static void *list_slot(list *l, size_t size) {
    if (l->count == l->room) {
        if (l->room > UINT32_MAX / 2) return NULL;
        const uint32_t room = l->room ? l->room * 2 : 16;
        void *items = mem_resize_array(l->items, room, size);
        if (!items) return NULL;
        l->items = items;
        l->room = room;
    }
    return (char *)l->items + l->count * size;
}

static wlk_status list_add(list *l, const void *item, size_t size, wlk_error *error) {
    void *slot = list_slot(l, size);
    if (!slot) return assembler_no_memory(error);
    memcpy(slot, item, size);
    l->count++;
    return WLK_OK;
}

static void promises_clear(assembler *a) {
    promise *promises = a->promises.items;
    for (uint32_t i = 0; i < a->promises.count; i++) mem_free(promises[i].name);
    a->promises.count = 0;
}

assembler *assembler_new(image_builder *builder, const wlk_limits *limits) {
    assembler *a = mem_zeroed(1, sizeof *a);
    if (!a) return NULL;
    a->builder = builder;
    a->limits = *limits;
    a->names = name_map_new();
    a->domains = name_map_new();
    a->attributes = name_map_new();
    if (a->names && a->domains && a->attributes) return a;
    assembler_free(a);
    return NULL;
}

void assembler_free(assembler *a) {
    if (!a) return;
    promises_clear(a);
    name_map_free(a->names);
    name_map_free(a->domains);
    name_map_free(a->attributes);
    mem_free(a->entries.items);
    mem_free(a->tensors.items);
    mem_free(a->types.items);
    mem_free(a->main_inputs.items);
    mem_free(a->holders.items);
    mem_free(a->promises.items);
    mem_free(a);
}

/* ---- names */

name_entry *assembler_find(const assembler *a, const char *name) {
    uint32_t number;
    if (!name_map_get(a->names, name, &number)) return NULL;
    return (name_entry *)a->entries.items + number;
}

/* Gives the name a meaning; it must have none. *number is the entry's. */
static wlk_status claim(assembler *a, const char *name, name_entry entry, uint32_t *number,
                        wlk_error *error) {
    if (name[0] == '\0') return error_at(error, RULE_ASSEMBLE_EMPTY_NAME, WLK_NO_OFFSET);
    if (assembler_find(a, name)) return assembler_refuse(error, RULE_ASSEMBLE_DUPLICATE_NAME, name);
    *number = a->entries.count;
    TRY(list_add(&a->entries, &entry, sizeof entry, error));
    return name_map_set(a->names, name, *number) ? WLK_OK : assembler_no_memory(error);
}

uint32_t assembler_name(const assembler *a, const char *name) {
    return image_name(a->builder, name, strlen(name), WLK_NO_OFFSET);
}

wlk_status assembler_claim_value(assembler *a, const char *name, uint32_t type, entry_kind kind,
                                 uint32_t position, uint32_t *number, wlk_error *error) {
    name_entry entry = {kind, 0, a->graphs - 1, position};
    entry.index = image_value(a->builder, assembler_name(a, name), type, WLK_NO_OFFSET);
    TRY(assembler_built(a, error));
    return claim(a, name, entry, number, error);
}

bool assembler_sees(const assembler *a, const name_entry *value, uint32_t graph,
                    uint32_t position) {
    const graph_holder *holders = a->holders.items;
    while (value->graph != graph) {
        if (graph == 0) return false;
        position = holders[graph].position;
        graph = holders[graph].graph;
    }
    return value->position < position;
}

uint32_t assembler_edge(const name_entry *entry) {
    return entry->kind == ENTRY_TENSOR ? EDGE_TENSOR | entry->index : entry->index;
}

/* ---- opsets, tensors, types */

wlk_status assembler_opset(assembler *a, const char *domain, uint32_t version, wlk_error *error) {
    uint32_t known;
    if (name_map_get(a->domains, domain, &known)) {
        return assembler_refuse(error, RULE_ASSEMBLE_DUPLICATE_NAME, domain);
    }
    if (!name_map_set(a->domains, domain, version)) return assembler_no_memory(error);
    (void)image_opset(a->builder, assembler_name(a, domain), version, WLK_NO_OFFSET);
    return assembler_built(a, error);
}

/* The builder knows no names of tensors in its errors; people do. */
static wlk_status name_culprit(wlk_status status, const char *name, wlk_error *error) {
    if (status == WLK_OK || !error || error->text[0] != '\0') return status;
    return error_text(error, (wlk_rule)error->rule, error->offset, "tensor \"%.160s\"", name);
}

static wlk_status check_payload(const wlk_tensor *tensor, wlk_error *error) {
    uint64_t count, bad;
    if (tensor->nbytes == 0 || !shape_count(tensor->shape, tensor->rank, &count)) return WLK_OK;
    if (payload_valid(tensor->dtype, count, tensor->data, tensor->nbytes, &bad)) return WLK_OK;
    return error_text(error, RULE_TENSOR_PAYLOAD, WLK_NO_OFFSET,
                      "tensor \"%.160s\", byte %llu of it", tensor->name, (unsigned long long)bad);
}

static wlk_status build_tensor(assembler *a, const wlk_tensor *tensor, uint32_t *index,
                               wlk_error *error) {
    image_tensor_spec spec = {.name = assembler_name(a, tensor->name),
                              .dtype = tensor->dtype,
                              .rank = tensor->rank,
                              .shape = tensor->shape,
                              .block = IMAGE_NONE,
                              .data = tensor->data,
                              .nbytes = tensor->nbytes,
                              .file_offset = WLK_NO_OFFSET,
                              .offset = WLK_NO_OFFSET};
    if (tensor->dtype == WLK_BLOCK) {
        const char *kind = tensor->block_kind ? tensor->block_kind : "";
        spec.block = image_block(a->builder, assembler_name(a, kind), tensor->block_elements,
                                 tensor->block_bytes, WLK_NO_OFFSET);
    }
    *index = image_tensor(a->builder, &spec);
    TRY(assembler_built(a, error));
    return check_payload(tensor, error);
}

wlk_status assembler_tensor(assembler *a, const wlk_tensor *tensor, uint32_t *index,
                            wlk_error *error) {
    uint32_t number, entry;
    TRY(name_culprit(build_tensor(a, tensor, &number, error), tensor->name, error));
    tensor_form form = {tensor->dtype, tensor->rank, {0}, tensor->name[0] != '\0', false};
    for (uint32_t i = 0; i < tensor->rank; i++) form.shape[i] = tensor->shape[i];
    TRY(list_add(&a->tensors, &form, sizeof form, error));
    if (index) *index = number;
    if (!form.named) return WLK_OK;
    return claim(a, tensor->name, (name_entry){ENTRY_TENSOR, number, 0, 0}, &entry, error);
}

wlk_status assembler_find_tensor(const assembler *a, const char *name, uint32_t *index,
                                 wlk_error *error) {
    const name_entry *entry = assembler_find(a, name);
    if (!entry) return assembler_refuse(error, RULE_ASSEMBLE_UNDEFINED, name);
    if (entry->kind != ENTRY_TENSOR) return assembler_refuse(error, RULE_ASSEMBLE_NOT_TENSOR, name);
    *index = entry->index;
    return WLK_OK;
}

wlk_status assembler_type(assembler *a, const wlk_type *type, uint32_t *index, wlk_error *error) {
    const bool is_tensor = type->kind == WLK_TYPE_TENSOR;
    type_record record = {.kind = (uint8_t)type->kind,
                          .dtype = is_tensor ? (uint8_t)type->dtype : 0,
                          .key_dtype = type->kind == WLK_TYPE_MAP ? (uint8_t)type->key_dtype : 0,
                          .has_shape = is_tensor && type->has_shape,
                          .element = is_tensor ? IMAGE_NONE : type->element};
    if (is_tensor && type->has_shape) {
        if (type->rank > WLK_MAX_RANK) return error_at(error, RULE_TYPE_FORM, WLK_NO_OFFSET);
        record.rank = type->rank;
        for (uint32_t i = 0; i < type->rank; i++) {
            record.dims[i] = type->dims[i];
            if (type->symbols[i]) record.symbols[i] = assembler_name(a, type->symbols[i]);
        }
    }
    *index = image_type(a->builder, &record, WLK_NO_OFFSET);
    TRY(assembler_built(a, error));
    if (*index < a->types.count) return WLK_OK; /* shared with an equal one */
    return list_add(&a->types, type, sizeof *type, error);
}

/* ---- graphs */

/* Every output that was promised must have been made by now. */
static wlk_status close_graph(assembler *a, wlk_error *error) {
    const promise *promises = a->promises.items;
    const name_entry *entries = a->entries.items;
    for (uint32_t i = 0; i < a->promises.count; i++) {
        if (entries[promises[i].entry].kind == ENTRY_PROMISED) {
            return assembler_refuse(error, RULE_ASSEMBLE_UNDEFINED, promises[i].name);
        }
    }
    promises_clear(a);
    return WLK_OK;
}

graph_holder *assembler_holder(assembler *a, uint32_t index) {
    while (a->holders.count <= index) {
        graph_holder *slot = list_slot(&a->holders, sizeof *slot);
        if (!slot) return NULL;
        *slot = (graph_holder){.graph = IMAGE_NONE};
        a->holders.count++;
    }
    return (graph_holder *)a->holders.items + index;
}

static wlk_status check_holder(assembler *a, wlk_error *error) {
    graph_holder *holder = assembler_holder(a, a->graphs);
    if (!holder) return assembler_no_memory(error);
    if (a->graphs == 0) {
        holder->depth = 1;
        return WLK_OK;
    }
    if (holder->graph == IMAGE_NONE) {
        return error_text(error, RULE_ASSEMBLE_SUBGRAPH, WLK_NO_OFFSET, "graph %u", a->graphs);
    }
    const graph_holder *outer = assembler_holder(a, holder->graph);
    holder->depth = outer->depth + 1;
    if (holder->depth <= a->limits.graph_depth) return WLK_OK;
    return error_text(error, RULE_LIMIT_GRAPH_DEPTH, WLK_NO_OFFSET, "graph %u", a->graphs);
}

wlk_status assembler_graph(assembler *a, const char *name, wlk_error *error) {
    TRY(close_graph(a, error));
    (void)image_graph(a->builder, assembler_name(a, name), WLK_NO_OFFSET);
    TRY(assembler_built(a, error));
    TRY(check_holder(a, error));
    a->graphs++;
    a->nodes = 0;
    a->has_node = false;
    return WLK_OK;
}

/* Inputs and outputs stand before the nodes of their graph. */
static wlk_status check_port(const assembler *a, const char *name, uint32_t type,
                             wlk_error *error) {
    if (a->graphs == 0 || a->nodes > 0) return assembler_refuse(error, RULE_ASSEMBLE_ORDER, name);
    if (type == IMAGE_NONE || type < a->types.count) return WLK_OK;
    return assembler_refuse(error, RULE_TYPE_FORM, name);
}

wlk_status assembler_input(assembler *a, const char *name, uint32_t type, wlk_error *error) {
    uint32_t number;
    TRY(check_port(a, name, type, error));
    if (a->graphs == 1) {
        if (type == IMAGE_NONE) return assembler_refuse(error, RULE_ASSEMBLE_UNTYPED, name);
        TRY(list_add(&a->main_inputs, &type, sizeof type, error));
    }
    TRY(assembler_claim_value(a, name, type, ENTRY_VALUE, 0, &number, error));
    (void)image_graph_input(a->builder, ((name_entry *)a->entries.items)[number].index);
    return assembler_built(a, error);
}

static wlk_status promise_output(assembler *a, const char *name, uint32_t type, name_entry **entry,
                                 wlk_error *error) {
    promise made = {0, mem_text(name)};
    if (!made.name) return assembler_no_memory(error);
    wlk_status status =
        assembler_claim_value(a, name, type, ENTRY_PROMISED, UINT32_MAX, &made.entry, error);
    if (status == WLK_OK) status = list_add(&a->promises, &made, sizeof made, error);
    if (status != WLK_OK) {
        mem_free(made.name);
        return status;
    }
    *entry = (name_entry *)a->entries.items + made.entry;
    return WLK_OK;
}

wlk_status assembler_output(assembler *a, const char *name, uint32_t type, wlk_error *error) {
    TRY(check_port(a, name, type, error));
    name_entry *entry = assembler_find(a, name);
    if (!entry) {
        TRY(promise_output(a, name, type, &entry, error));
    } else {
        /* A promise is of this graph: it is kept before the next one begins. */
        const bool own_promise = entry->kind == ENTRY_PROMISED;
        if (type != IMAGE_NONE) return assembler_refuse(error, RULE_ASSEMBLE_OUTPUT_TYPE, name);
        if (!own_promise && entry->kind != ENTRY_TENSOR &&
            !assembler_sees(a, entry, a->graphs - 1, UINT32_MAX)) {
            return assembler_refuse(error, RULE_ASSEMBLE_SCOPE, name);
        }
    }
    (void)image_graph_output(a->builder, assembler_edge(entry));
    a->main_outputs += a->graphs == 1;
    return assembler_built(a, error);
}

/* ---- golden rows, the end */

/* Could the tensor be fed to an input of this type? */
static bool fits_type(const tensor_form *tensor, const wlk_type *type) {
    if (type->kind != WLK_TYPE_TENSOR || type->dtype != tensor->dtype) return false;
    if (!type->has_shape) return true;
    if (type->rank != tensor->rank) return false;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (type->dims[i] >= 0 && (uint64_t)type->dims[i] != tensor->shape[i]) return false;
    }
    return true;
}

static wlk_status check_selftest(const assembler *a, const uint32_t *inputs, uint32_t input_count,
                                 uint32_t output_count, wlk_error *error) {
    const tensor_form *tensors = a->tensors.items;
    const wlk_type *types = a->types.items;
    const uint32_t *main_inputs = a->main_inputs.items;
    if (a->graphs == 0 || input_count != a->main_inputs.count || output_count != a->main_outputs) {
        return error_text(error, RULE_ASSEMBLE_SELFTEST, WLK_NO_OFFSET,
                          "the main graph has %u inputs and %u outputs", a->main_inputs.count,
                          a->main_outputs);
    }
    for (uint32_t i = 0; i < input_count; i++) {
        if (inputs[i] >= a->tensors.count ||
            !fits_type(&tensors[inputs[i]], &types[main_inputs[i]])) {
            return error_text(error, RULE_ASSEMBLE_SELFTEST, WLK_NO_OFFSET,
                              "input %u is not of the graph's type", i);
        }
    }
    return WLK_OK;
}

wlk_status assembler_selftest(assembler *a, const uint32_t *inputs, uint32_t input_count,
                              const uint32_t *outputs, uint32_t output_count, double rtol,
                              double atol, wlk_error *error) {
    const tensor_form *tensors = a->tensors.items;
    TRY(check_selftest(a, inputs, input_count, output_count, error));
    for (uint32_t i = 0; i < input_count + output_count; i++) {
        const uint32_t tensor = i < input_count ? inputs[i] : outputs[i - input_count];
        if (tensor >= a->tensors.count || !tensors[tensor].named) {
            return error_text(error, RULE_ASSEMBLE_SELFTEST, WLK_NO_OFFSET, "tensor %u has no name",
                              tensor);
        }
    }
    (void)image_selftest(a->builder, inputs, input_count, outputs, output_count, rtol, atol,
                         WLK_NO_OFFSET);
    return assembler_built(a, error);
}

wlk_status assembler_finish(assembler *a, wlk_error *error) {
    const tensor_form *tensors = a->tensors.items;
    TRY(close_graph(a, error));
    if (a->holders.count > a->graphs) {
        return error_text(error, RULE_ASSEMBLE_SUBGRAPH, WLK_NO_OFFSET,
                          "graph %u is referred to and is not there", a->holders.count - 1);
    }
    for (uint32_t i = 0; i < a->tensors.count; i++) {
        if (!tensors[i].named && !tensors[i].held) {
            return error_text(error, RULE_ASSEMBLE_EMPTY_NAME, WLK_NO_OFFSET, "tensor %u", i);
        }
    }
    return assembler_built(a, error);
}
