/* ai.onnx.preview.training Gradient, of what is computed element by element.
 *
 * The node names, by attributes, values of its own graph: y, and the xs and zs that
 * determine it. What lies between them becomes a tape when the plan is made; the kernel
 * plays it with dual numbers, one element after the other and once for each x (forward
 * mode: Wengert, "A simple automatic derivative evaluation program", 1964). All of it is
 * computed in double. Constants on the way are of one element, or of the xs' shape. */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "infer/ops.h"
#include "infer/shape.h"

enum { GRADIENT_Y, GRADIENT_XS, GRADIENT_ZS };

#define MOST_INPUTS 64   /* xs and zs: each name is looked for among all values */
#define MOST_GRADIENTS 8 /* in a model: each looks at all of it */
#define MOST_STEPS 1024  /* between them and y */
#define NOT_ON_TAPE UINT32_MAX

/* A value and its derivative. */
typedef struct dual {
    double value;
    double slope;
} dual;

typedef dual (*dual_step)(dual a, dual b);

static dual step_add(dual a, dual b) {
    return (dual){a.value + b.value, a.slope + b.slope};
}
static dual step_sub(dual a, dual b) {
    return (dual){a.value - b.value, a.slope - b.slope};
}
static dual step_mul(dual a, dual b) {
    return (dual){a.value * b.value, a.slope * b.value + a.value * b.slope};
}
static dual step_div(dual a, dual b) {
    const double value = a.value / b.value;
    return (dual){value, (a.slope - value * b.slope) / b.value};
}
static dual step_neg(dual a, dual b) {
    (void)b;
    return (dual){-a.value, -a.slope};
}
static dual step_identity(dual a, dual b) {
    (void)b;
    return a;
}
static dual step_exp(dual a, dual b) {
    (void)b;
    const double value = exp(a.value);
    return (dual){value, a.slope * value};
}
static dual step_log(dual a, dual b) {
    (void)b;
    return (dual){log(a.value), a.slope / a.value};
}
static dual step_sqrt(dual a, dual b) {
    (void)b;
    const double value = sqrt(a.value);
    return (dual){value, a.slope / (2 * value)};
}
static dual step_tanh(dual a, dual b) {
    (void)b;
    const double value = tanh(a.value);
    return (dual){value, a.slope * (1 - value * value)};
}
static dual step_sigmoid(dual a, dual b) {
    (void)b;
    const double value = 1 / (1 + exp(-a.value));
    return (dual){value, a.slope * value * (1 - value)};
}

/* The operators of ai.onnx that have a derivative here. */
typedef struct derivative {
    const char *name;
    uint32_t inputs;
    dual_step step;
} derivative;

static const derivative derivatives[] = {
    {"Add", 2, step_add},   {"Sub", 2, step_sub},         {"Mul", 2, step_mul},
    {"Div", 2, step_div},   {"Neg", 1, step_neg},         {"Identity", 1, step_identity},
    {"Exp", 1, step_exp},   {"Log", 1, step_log},         {"Sqrt", 1, step_sqrt},
    {"Tanh", 1, step_tanh}, {"Sigmoid", 1, step_sigmoid},
};
#define DERIVATIVES (sizeof derivatives / sizeof *derivatives)

/* Where a step's operand comes from. */
typedef struct operand {
    bool is_constant;
    uint32_t index; /* of a constant in the plan, else of a place on the tape */
} operand;

typedef struct tape_step {
    const derivative *how;
    operand from[2];
} tape_step;

/* Places of the tape: the xs and zs, then what each step makes. */
typedef struct tape {
    uint32_t inputs;
    uint32_t xs;
    uint32_t steps;
    uint32_t result; /* y's place */
    tape_step *step;
} tape;

/* ---- the tape, made when the plan is */

/* Only while it is made. */
typedef struct taper {
    op_call *call;
    plan_memory *memory;
    tape *made;
    uint32_t *place;  /* of each value of the model, or NOT_ON_TAPE */
    uint8_t *wanted;  /* values that y needs */
    uint32_t *before; /* of steps, in the order in which they were found: the last first */
} taper;

static wlk_status take(const taper *t, uint64_t count, uint64_t size, void **out) {
    return plan_take(t->memory, count, size, out, t->call->error);
}

/* The value of that name; names are distinct over the model. */
static uint32_t find_value(const wlk_model *model, const char *name) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_VALUES);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(wlk_model_value(model, i).name, name) == 0) return i;
    }
    return WLK_NONE;
}

static wlk_status need_value(const op_call *call, const char *name, uint32_t *value) {
    *value = find_value(call->model, name);
    if (*value != WLK_NONE) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "there is no value '%.60s'", name);
}

/* The xs, then the zs, are the first places. */
static wlk_status place_inputs(const taper *t, uint32_t attribute, uint32_t *at) {
    const attribute_value names = op_attribute(t->call, attribute);
    for (uint32_t i = 0; i < names.count; i++) {
        uint32_t value = WLK_NONE;
        TRY(need_value(t->call, names.strings[i], &value));
        if (t->place[value] != NOT_ON_TAPE) {
            return op_fail(t->call, RULE_PLAN_ATTRIBUTE_VALUE, "'%.60s' is named twice",
                           names.strings[i]);
        }
        t->place[value] = (*at)++;
    }
    return WLK_OK;
}

static const derivative *find_derivative(const wlk_node *node) {
    for (size_t i = 0; i < DERIVATIVES; i++) {
        const bool standard = node->domain[0] == '\0' || strcmp(node->domain, "ai.onnx") == 0;
        if (standard && strcmp(derivatives[i].name, node->op) == 0) return &derivatives[i];
    }
    return NULL;
}

/* Does y need what this node makes? */
static bool is_wanted(const taper *t, uint32_t index, const wlk_node *node) {
    for (uint32_t i = 0; i < node->outputs; i++) {
        const wlk_ref out = wlk_model_node_output(t->call->model, index, i);
        if (out.kind != WLK_REF_VALUE || !t->wanted[out.index]) continue;
        if (t->place[out.index] == NOT_ON_TAPE) return true;
    }
    return false;
}

/* Then it needs the node's inputs too. */
static wlk_status want_inputs(const taper *t, uint32_t index, const wlk_node *node) {
    const derivative *how = find_derivative(node);
    if (!how || node->inputs != how->inputs || node->outputs != 1 || node->attributes > 0) {
        return op_fail(t->call, RULE_PLAN_OPERATOR, "no derivative of %.60s", node->op);
    }
    for (uint32_t i = 0; i < node->inputs; i++) {
        const wlk_ref in = wlk_model_node_input(t->call->model, index, i);
        if (in.kind == WLK_REF_VALUE) t->wanted[in.index] = 1;
    }
    return WLK_OK;
}

/* From the node before this one to its graph's first. */
static wlk_status find_steps(const taper *t) {
    const uint32_t at = t->call->node_index;
    const uint32_t graph = wlk_model_node(t->call->model, at).graph;
    const uint32_t first = wlk_model_graph(t->call->model, graph).first_node;
    for (uint32_t i = at; i-- > first;) {
        const wlk_node node = wlk_model_node(t->call->model, i);
        if (!is_wanted(t, i, &node)) continue;
        TRY(want_inputs(t, i, &node));
        if (t->made->steps == MOST_STEPS) {
            return op_fail(t->call, RULE_PLAN_OPERATOR, "more than %d nodes to differentiate",
                           MOST_STEPS);
        }
        t->before[t->made->steps++] = i;
    }
    return WLK_OK;
}

static wlk_status find_operand(const taper *t, wlk_ref ref, operand *out) {
    const bool is_constant = ref.kind == WLK_REF_TENSOR;
    *out = (operand){.is_constant = is_constant, .index = is_constant ? ref.index : NOT_ON_TAPE};
    if (is_constant) {
        const op_tensor *tensor = &t->call->constants[ref.index];
        if (DTYPE_BIT(tensor->dtype) & DTYPES_FLOAT) return WLK_OK;
        return op_fail(t->call, RULE_PLAN_DTYPE, "a constant of dtype %s",
                       wlk_dtype_name(tensor->dtype));
    }
    if (ref.kind == WLK_REF_VALUE) out->index = t->place[ref.index];
    if (out->index != NOT_ON_TAPE) return WLK_OK;
    return op_fail(t->call, RULE_PLAN_ATTRIBUTE_VALUE,
                   "y depends on a value that xs and zs do not name");
}

/* First to last: what a step reads has its place by then. */
static wlk_status lay_steps(const taper *t) {
    tape *made = t->made;
    void *room = NULL;
    TRY(take(t, made->steps, sizeof *made->step, &room));
    made->step = room;
    for (uint32_t i = 0; i < made->steps; i++) {
        const uint32_t index = t->before[made->steps - 1 - i];
        const wlk_node node = wlk_model_node(t->call->model, index);
        tape_step *step = &made->step[i];
        step->how = find_derivative(&node);
        for (uint32_t j = 0; j < node.inputs; j++) {
            const wlk_ref in = wlk_model_node_input(t->call->model, index, j);
            TRY(find_operand(t, in, &step->from[j]));
        }
        t->place[wlk_model_node_output(t->call->model, index, 0).index] = made->inputs + i;
    }
    return WLK_OK;
}

/* Are there too many such nodes before this one? The first that is one too many ends the
 * planning, so that all of them together look at the model a bounded number of times. */
static wlk_status check_number(const op_call *call) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < call->node_index && found < MOST_GRADIENTS; i++) {
        found += strcmp(wlk_model_node(call->model, i).op, "Gradient") == 0;
    }
    if (found < MOST_GRADIENTS) return WLK_OK;
    return op_fail(call, RULE_PLAN_OPERATOR, "more than %d gradients", MOST_GRADIENTS);
}

static wlk_status open_taper(taper *t) {
    const uint32_t values = wlk_model_count(t->call->model, WLK_SECTION_VALUES);
    void *room[4] = {NULL};
    TRY(take(t, 1, sizeof(tape), &room[0]));
    TRY(take(t, values, sizeof *t->place, &room[1]));
    TRY(take(t, values, sizeof *t->wanted, &room[2]));
    TRY(take(t, MOST_STEPS, sizeof *t->before, &room[3]));
    t->made = room[0];
    t->place = room[1];
    t->wanted = room[2];
    t->before = room[3];
    for (uint32_t i = 0; i < values; i++) t->place[i] = NOT_ON_TAPE;
    return WLK_OK;
}

static wlk_status gradient_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    taper t = {.call = call, .memory = memory};
    const uint32_t xs = op_attribute(call, GRADIENT_XS).count;
    const uint64_t names = (uint64_t)xs + op_attribute(call, GRADIENT_ZS).count;
    uint32_t y = WLK_NONE;
    if (names != call->node->inputs || names > MOST_INPUTS || call->node->outputs > xs) {
        return op_fail(call, RULE_PLAN_ARITY, "%u inputs and %u outputs, for %llu names of %u xs",
                       call->node->inputs, call->node->outputs, (unsigned long long)names, xs);
    }
    TRY(check_number(call));
    TRY(open_taper(&t));
    uint32_t at = 0;
    TRY(place_inputs(&t, GRADIENT_XS, &at));
    TRY(place_inputs(&t, GRADIENT_ZS, &at));
    t.made->inputs = at;
    t.made->xs = xs;
    TRY(need_value(call, op_attribute(call, GRADIENT_Y).s, &y));
    t.wanted[y] = 1;
    TRY(find_steps(&t));
    TRY(lay_steps(&t));
    t.made->result = t.place[y];
    if (t.made->result == NOT_ON_TAPE) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "y is not made before this node");
    }
    *prepared = t.made;
    return WLK_OK;
}

/* ---- shapes */

/* All inputs are of one shape; constants of that or of one element. */
static wlk_status gradient_infer(op_call *call) {
    const tape *t = call->node->prepared;
    const op_tensor *first = op_input(call, 0);
    for (uint32_t i = 1; i < call->node->inputs; i++) {
        const op_tensor *in = op_input(call, i);
        bool fits = in->rank == first->rank || in->rank == WLK_NONE || first->rank == WLK_NONE;
        for (uint32_t a = 0;
             fits && in->rank == first->rank && in->rank != WLK_NONE && a < in->rank; a++) {
            fits = dim_agrees(in->dims[a], first->dims[a]);
        }
        if (!fits) return shape_mismatch(call, 0, i);
    }
    for (uint32_t i = 0; i < call->node->outputs; i++) {
        op_set_output(call, i, first->dtype, first->rank, first->dims);
    }
    if (!call->binding) return WLK_OK;
    const uint64_t places = (uint64_t)t->inputs + t->steps;
    op_add_operations(call, OP_ELEMENT_COST, tensor_span(first, 0, first->rank), places,
                      call->node->outputs);
    return op_need_scratch(call, places, sizeof(dual));
}

/* ---- the kernel */

static double element(const op_tensor *tensor, uint64_t i) {
    if (tensor->count == 1) i = 0;
    if (tensor->dtype == WLK_F64) return ((const double *)tensor->data)[i];
    return (double)((const float *)tensor->data)[i];
}

static dual read_operand(const op_call *call, operand from, const dual *places, uint64_t i) {
    if (!from.is_constant) return places[from.index];
    return (dual){element(&call->constants[from.index], i), 0};
}

/* The slope of y's element i along x number `x`. */
static double play(const op_call *call, const tape *t, uint32_t x, uint64_t i) {
    dual *places = call->scratch;
    for (uint32_t k = 0; k < t->inputs; k++) {
        places[k] = (dual){element(op_input(call, k), i), k == x};
    }
    for (uint32_t k = 0; k < t->steps; k++) {
        const tape_step *step = &t->step[k];
        const dual a = read_operand(call, step->from[0], places, i);
        const bool two = step->how->inputs == 2;
        const dual b = two ? read_operand(call, step->from[1], places, i) : a;
        places[t->inputs + k] = step->how->step(a, b);
    }
    return places[t->result].slope;
}

static wlk_status check_constants(const op_call *call, const tape *t, uint64_t count) {
    for (uint32_t k = 0; k < t->steps; k++) {
        for (uint32_t j = 0; j < t->step[k].how->inputs; j++) {
            const operand from = t->step[k].from[j];
            if (!from.is_constant) continue;
            const uint64_t has = call->constants[from.index].count;
            if (has != 1 && has != count) {
                return op_fail(call, RULE_RUN_SHAPE, "a constant of %llu elements, for %llu",
                               (unsigned long long)has, (unsigned long long)count);
            }
        }
    }
    return WLK_OK;
}

static wlk_status gradient_kernel(const op_call *call) {
    const tape *t = call->node->prepared;
    const uint64_t count = op_input(call, 0)->count;
    TRY(check_constants(call, t, count));
    for (uint32_t x = 0; x < call->node->outputs; x++) {
        const op_tensor *out = op_output(call, x);
        if (!out) continue;
        for (uint64_t i = 0; i < count; i++) {
            const double slope = play(call, t, x, i);
            if (out->dtype == WLK_F64) {
                ((double *)out->target)[i] = slope;
            } else {
                ((float *)out->target)[i] = (float)slope;
            }
        }
    }
    return WLK_OK;
}

static const op_port port[] = {{"Inputs", DTYPES_FLOAT, 'T'}};
static const attribute_row attributes[] = {
    [GRADIENT_Y] = {.name = "y", .type = WLK_ATTR_STRING, .required = true},
    [GRADIENT_XS] = {.name = "xs", .type = WLK_ATTR_STRINGS, .required = true},
    [GRADIENT_ZS] = {.name = "zs", .type = WLK_ATTR_STRINGS},
};

static const op_row rows[] = {{
    .domain = "ai.onnx.preview.training",
    .name = "Gradient",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = OP_MANY,
    .min_outputs = 1,
    .max_outputs = OP_MANY,
    .ports = port,
    .attributes = attributes,
    .attribute_count = sizeof attributes / sizeof *attributes,
    .infer = gradient_infer,
    .kernel = gradient_kernel,
    .prepare = gradient_prepare,
}};

const op_family ops_gradient = {rows, sizeof rows / sizeof *rows};
