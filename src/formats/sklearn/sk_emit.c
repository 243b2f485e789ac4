/* From the collected nodes to the image: what no output needs is left out. */
#include <string.h>

#include "formats/sklearn/sk_internal.h"

#define SINGLE_INPUT "X"
#define BATCH "batch"

typedef struct emitter {
    sk *s;
    sk_graph *g;
    const sk_output *outputs;
    uint32_t output_count;
    sk_name *output_names; /* in the image */
    name_map *taken;       /* names of inputs and outputs */
    assembler *a;
    sk_name whole; /* the single input, when each column is not one */
} emitter;

static sk_tensor *tensor_at(const emitter *e, uint32_t i) {
    return (sk_tensor *)e->g->tensors.items + i;
}

static sk_value *value_at(const emitter *e, uint32_t i) {
    return (sk_value *)e->g->values.items + i;
}

static sk_op *node_at(const emitter *e, uint32_t i) {
    return (sk_op *)e->g->nodes.items + i;
}

static sk_attribute *attribute_at(const emitter *e, uint32_t i) {
    return (sk_attribute *)e->g->attributes.items + i;
}

/* ---- what is needed */

static void need(const emitter *e, sk_name name) {
    uint32_t number;
    if (sk_tensor_of(e->s, name, &number)) {
        tensor_at(e, number)->used = true;
    } else if (sk_value_of(e->s, name, &number)) {
        sk_value *value = value_at(e, number);
        value->used = true;
        if (value->node != WLK_NONE) node_at(e, value->node)->used = true;
    }
}

static void need_inputs(const emitter *e, const sk_op *node) {
    for (uint32_t i = 0; i < node->input_count; i++) need(e, node->inputs[i]);
    for (uint32_t i = 0; i < node->attribute_count; i++) {
        const sk_attribute *attribute = attribute_at(e, node->first_attribute + i);
        if (attribute->type == WLK_ATTR_TENSOR) tensor_at(e, attribute->tensor)->used = true;
    }
}

/* Nodes stand behind what they read. No operator can do without its first output. */
static void mark(const emitter *e) {
    for (uint32_t i = 0; i < e->output_count; i++) need(e, e->outputs[i].value);
    for (uint32_t i = e->g->nodes.count; i-- > 0;) {
        const sk_op *node = node_at(e, i);
        if (!node->used) continue;
        value_at(e, node->first_output)->used = true;
        need_inputs(e, node);
    }
}

/* ---- names in the image */

/* `name`, with underscores behind it until nobody has it. */
static wlk_status claim(const emitter *e, const char *name, sk_name *out) {
    uint32_t number;
    *out = name;
    while (*out && name_map_get(e->taken, *out, &number)) *out = sk_format(e->s, "%.200s_", *out);
    if (!*out || !name_map_set(e->taken, *out, 0)) return sk_no_memory(e->s);
    return WLK_OK;
}

static wlk_status name_inputs(emitter *e) {
    const sk_inputs *inputs = e->s->inputs;
    if (!sk_inputs_apart(e->s)) return claim(e, SINGLE_INPUT, &e->whole);
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (!name_map_set(e->taken, inputs->names[i], 0)) return sk_no_memory(e->s);
    }
    return WLK_OK;
}

static wlk_status name_outputs(emitter *e) {
    e->output_names = sk_take(e->s, e->output_count, sizeof *e->output_names);
    if (!e->output_names) return sk_no_memory(e->s);
    for (uint32_t i = 0; i < e->output_count; i++) {
        TRY(claim(e, e->outputs[i].name, &e->output_names[i]));
    }
    return WLK_OK;
}

/* The number makes them differ from each other. */
static wlk_status name_rest(emitter *e) {
    for (uint32_t i = 0; i < e->g->tensors.count; i++) {
        sk_tensor *tensor = tensor_at(e, i);
        const char *name = tensor->used ? sk_format(e->s, "%.64s_c%u", tensor->owner, i) : "";
        if (!name) return sk_no_memory(e->s);
        if (tensor->used) TRY(claim(e, name, &tensor->name));
    }
    for (uint32_t i = 0; i < e->g->values.count; i++) {
        sk_value *value = value_at(e, i);
        if (!value->used || value->name) continue;
        const char *owner = value->node == WLK_NONE ? "columns" : node_at(e, value->node)->owner;
        const char *name = sk_format(e->s, "%.64s_v%u", owner, i);
        if (!name) return sk_no_memory(e->s);
        TRY(claim(e, name, &value->name));
    }
    return WLK_OK;
}

/* ---- columns of the model's own */

static bool all_columns(const emitter *e, const sk_value *value) {
    if (value->column_count != e->s->inputs->count) return false;
    for (uint32_t i = 0; i < value->column_count; i++) {
        if (value->columns[i] != i) return false;
    }
    return true;
}

/* Those that are an input as they are take its name; of others a node is made in front. */
static wlk_status resolve_columns(emitter *e, sk_value *value, sk_name *indices) {
    const sk_inputs *inputs = e->s->inputs;
    *indices = NULL;
    if (e->whole) {
        if (all_columns(e, value)) {
            value->name = e->whole;
            return WLK_OK;
        }
        int64_t *list = sk_take(e->s, value->column_count, sizeof *list);
        if (!list) return sk_no_memory(e->s);
        for (uint32_t i = 0; i < value->column_count; i++) list[i] = value->columns[i];
        TRY(sk_i64s(e->s, list, value->column_count, indices));
        need(e, *indices);
        return WLK_OK;
    }
    if (value->column_count == 1) value->name = inputs->names[value->columns[0]];
    return WLK_OK;
}

static wlk_status resolve(emitter *e, sk_name **indices) {
    const uint32_t count = e->g->values.count;
    *indices = sk_take(e->s, count, sizeof **indices);
    if (!*indices) return sk_no_memory(e->s);
    for (uint32_t i = 0; i < count; i++) {
        sk_value *value = value_at(e, i);
        if (!value->used || value->node != WLK_NONE) continue;
        TRY(resolve_columns(e, value, &(*indices)[i]));
    }
    return WLK_OK;
}

/* ---- handing over */

static wlk_status emit_opsets(emitter *e) {
    static const struct {
        const char *domain;
        uint32_t version;
    } opsets[] = {{"ai.onnx.ml", 4}, {"org.weighlock", 1}};
    TRY(assembler_opset(e->a, "", 21, e->s->error));
    for (size_t k = 0; k < sizeof opsets / sizeof *opsets; k++) {
        bool used = false;
        for (uint32_t i = 0; i < e->g->nodes.count && !used; i++) {
            const sk_op *node = node_at(e, i);
            used = node->used && strcmp(node->domain, opsets[k].domain) == 0;
        }
        if (used) TRY(assembler_opset(e->a, opsets[k].domain, opsets[k].version, e->s->error));
    }
    return WLK_OK;
}

static wlk_status emit_tensors(emitter *e) {
    for (uint32_t i = 0; i < e->g->tensors.count; i++) {
        sk_tensor *t = tensor_at(e, i);
        if (!t->used) continue;
        wlk_tensor tensor = {.name = t->name,
                             .dtype = t->dtype,
                             .rank = t->rank,
                             .data = t->data,
                             .nbytes = t->nbytes};
        for (uint32_t k = 0; k < t->rank; k++) tensor.shape[k] = t->shape[k];
        TRY(assembler_tensor(e->a, &tensor, &t->index, e->s->error));
    }
    return WLK_OK;
}

#define ANY_COLUMNS ((uint64_t)WLK_UNKNOWN_DIM)

static wlk_status make_type(emitter *e, wlk_dtype dtype, uint64_t columns, uint32_t *type) {
    const wlk_type made = {.kind = WLK_TYPE_TENSOR,
                           .dtype = dtype,
                           .has_shape = true,
                           .rank = columns > 0 ? 2 : 1,
                           .dims = {WLK_UNKNOWN_DIM, (int64_t)columns},
                           .symbols = {BATCH}};
    return assembler_type(e->a, &made, type, e->s->error);
}

static wlk_status emit_inputs(emitter *e) {
    const sk_inputs *inputs = e->s->inputs;
    uint32_t type;
    if (e->whole) {
        TRY(make_type(e, WLK_F64, inputs->any ? ANY_COLUMNS : inputs->count, &type));
        return assembler_input(e->a, e->whole, type, e->s->error);
    }
    for (uint32_t i = 0; i < inputs->count; i++) {
        TRY(make_type(e, sk_inputs_dtype(e->s, i), 1, &type));
        TRY(assembler_input(e->a, inputs->names[i], type, e->s->error));
    }
    return WLK_OK;
}

static wlk_status emit_outputs(emitter *e) {
    for (uint32_t i = 0; i < e->output_count; i++) {
        uint32_t type;
        TRY(make_type(e, e->outputs[i].dtype, e->outputs[i].columns, &type));
        TRY(assembler_output(e->a, e->output_names[i], type, e->s->error));
    }
    return WLK_OK;
}

static sk_name final_name(const emitter *e, sk_name name) {
    uint32_t number;
    if (sk_tensor_of(e->s, name, &number)) return tensor_at(e, number)->name;
    if (sk_value_of(e->s, name, &number)) return value_at(e, number)->name;
    return "";
}

static wlk_status emit_plain(emitter *e, const char *op, const sk_name *inputs, uint32_t count,
                             sk_name output) {
    const node_spec spec = {.op = op,
                            .domain = "",
                            .name = "",
                            .inputs = inputs,
                            .input_count = count,
                            .outputs = &output,
                            .output_count = 1};
    return assembler_node(e->a, &spec, e->s->error);
}

static wlk_status emit_axis(emitter *e) {
    const uint64_t axis = 1;
    return assembler_attribute(e->a, "axis", WLK_ATTR_INT, &axis, 1, e->s->error);
}

/* Columns that are no input as they are: gathered of the single one, or put together. */
static wlk_status emit_columns(emitter *e, const sk_name *indices) {
    for (uint32_t i = 0; i < e->g->values.count; i++) {
        const sk_value *value = value_at(e, i);
        if (!value->used || value->node != WLK_NONE) continue;
        if (e->whole && indices[i]) {
            const sk_name inputs[2] = {e->whole, final_name(e, indices[i])};
            TRY(emit_plain(e, "Gather", inputs, 2, value->name));
            TRY(emit_axis(e));
        } else if (!e->whole && value->column_count > 1) {
            sk_name *parts = sk_take(e->s, value->column_count, sizeof *parts);
            if (!parts) return sk_no_memory(e->s);
            for (uint32_t k = 0; k < value->column_count; k++) {
                parts[k] = e->s->inputs->names[value->columns[k]];
            }
            TRY(emit_plain(e, "Concat", parts, value->column_count, value->name));
            TRY(emit_axis(e));
        }
    }
    return WLK_OK;
}

static wlk_status emit_attributes(emitter *e, const sk_op *node) {
    for (uint32_t i = 0; i < node->attribute_count; i++) {
        const sk_attribute *x = attribute_at(e, node->first_attribute + i);
        const uint64_t tensor = x->type == WLK_ATTR_TENSOR ? tensor_at(e, x->tensor)->index : 0;
        if (x->text) {
            TRY(assembler_attribute_texts(e->a, x->name, x->type, &x->text, 1, e->s->error));
        } else {
            TRY(assembler_attribute(e->a, x->name, x->type,
                                    x->type == WLK_ATTR_TENSOR ? &tensor : x->values, x->count,
                                    e->s->error));
        }
    }
    return WLK_OK;
}

/* Outputs that nobody reads are left out. */
static wlk_status emit_node(emitter *e, const sk_op *node) {
    const uint32_t edges = node->input_count + node->output_count;
    sk_name *names = sk_take(e->s, edges, sizeof *names);
    if (!names) return sk_no_memory(e->s);
    sk_name *outputs = names + node->input_count;
    for (uint32_t i = 0; i < node->input_count; i++) names[i] = final_name(e, node->inputs[i]);
    for (uint32_t i = 0; i < node->output_count; i++) {
        const sk_value *value = value_at(e, node->first_output + i);
        outputs[i] = value->used ? value->name : "";
    }
    const node_spec spec = {.op = node->op,
                            .domain = node->domain,
                            .name = "",
                            .inputs = names,
                            .input_count = node->input_count,
                            .outputs = outputs,
                            .output_count = node->output_count};
    TRY(assembler_node(e->a, &spec, e->s->error));
    return emit_attributes(e, node);
}

static wlk_status emit_nodes(emitter *e) {
    for (uint32_t i = 0; i < e->g->nodes.count; i++) {
        if (node_at(e, i)->used) TRY(emit_node(e, node_at(e, i)));
    }
    for (uint32_t i = 0; i < e->output_count; i++) {
        const sk_name value = final_name(e, e->outputs[i].value);
        if (value != e->output_names[i]) {
            TRY(emit_plain(e, "Identity", &value, 1, e->output_names[i]));
        }
    }
    return WLK_OK;
}

/* The first output that a node's value is gives it its name; a further one is a copy. */
static void name_made(const emitter *e) {
    for (uint32_t i = 0; i < e->output_count; i++) {
        uint32_t number;
        if (!sk_value_of(e->s, e->outputs[i].value, &number)) continue;
        sk_value *value = value_at(e, number);
        if (value->node != WLK_NONE && !value->name) value->name = e->output_names[i];
    }
}

static wlk_status emit_all(emitter *e) {
    sk_name *indices;
    mark(e);
    TRY(name_inputs(e));
    TRY(name_outputs(e));
    name_made(e);
    TRY(resolve(e, &indices));
    TRY(name_rest(e));
    TRY(emit_opsets(e));
    TRY(emit_tensors(e));
    TRY(assembler_graph(e->a, "", e->s->error));
    TRY(emit_inputs(e));
    TRY(emit_outputs(e));
    TRY(emit_columns(e, indices));
    TRY(emit_nodes(e));
    return assembler_finish(e->a, e->s->error);
}

wlk_status sk_emit(sk *s, const sk_output *outputs, uint32_t count, image_builder *builder) {
    emitter e = {.s = s,
                 .g = s->graph,
                 .outputs = outputs,
                 .output_count = count,
                 .taken = name_map_new(),
                 .a = assembler_new(builder, s->limits)};
    const wlk_status status = e.taken && e.a ? emit_all(&e) : sk_no_memory(s);
    name_map_free(e.taken);
    assembler_free(e.a);
    return status;
}
