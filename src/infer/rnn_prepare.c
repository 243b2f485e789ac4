#include <string.h>

#include "infer/rnn.h"

/* The attribute of that name: versions and operators have different ones. Not given
 * where this row has none. */
static attribute_value named(const op_call *call, const char *name) {
    for (uint32_t i = 0; i < call->node->row->attribute_count; i++) {
        if (strcmp(call->node->row->attributes[i].name, name) == 0) return op_attribute(call, i);
    }
    return (attribute_value){.given = false};
}

static wlk_status read_kind(const op_call *call, rnn_config *config) {
    static const struct {
        const char *name;
        rnn_kind kind;
        uint32_t gates;
        uint32_t activations;
    } kinds[] = {{"RNN", RNN_PLAIN, 1, 1}, {"GRU", RNN_GRU, 3, 2}, {"LSTM", RNN_LSTM, 4, 3}};
    for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, call->node->row->name) != 0) continue;
        config->kind = kinds[i].kind;
        config->gates = kinds[i].gates;
        config->activations = kinds[i].activations;
        return WLK_OK;
    }
    return op_fail(call, RULE_INTERNAL_DEFECT, "no such recurrent operator");
}

static wlk_status read_direction(const op_call *call, rnn_config *config) {
    const attribute_value direction = named(call, "direction");
    const char *name = direction.given ? direction.s : "forward";
    config->directions = strcmp(name, "bidirectional") == 0 ? 2 : 1;
    config->reverse = strcmp(name, "reverse") == 0;
    if (config->directions == 2 || config->reverse || strcmp(name, "forward") == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "direction '%.20s'", name);
}

static wlk_status read_sizes(const op_call *call, rnn_config *config) {
    const attribute_value hidden = named(call, "hidden_size");
    const attribute_value clip = named(call, "clip");
    const attribute_value layout = named(call, "layout");
    config->hidden = hidden.given ? hidden.i : WLK_UNKNOWN_DIM;
    if (hidden.given && hidden.i <= 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "hidden_size %lld", (long long)hidden.i);
    }
    config->clips = clip.given;
    config->clip = clip.given ? clip.f : 0;
    if (clip.given && !(clip.f >= 0)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "clip %g", clip.f);
    }
    config->batch_first = layout.given && layout.i == 1;
    if (layout.given && layout.i != 0 && layout.i != 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "layout %lld", (long long)layout.i);
    }
    config->linear_before_reset = named(call, "linear_before_reset").i != 0;
    config->input_forget = named(call, "input_forget").i != 0;
    return WLK_OK;
}

/* alpha and beta are lists for those functions alone that have one, in their order. */
typedef struct rnn_scales {
    attribute_value alphas;
    attribute_value betas;
    uint32_t alpha;
    uint32_t beta;
} rnn_scales;

static wlk_status read_function(const op_call *call, const char *name, rnn_scales *scales,
                                rnn_activation *out) {
    rnn_named found;
    if (!rnn_find_activation(name, &found)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "activation '%.30s'", name);
    }
    *out = found.function;
    if (found.has_alpha && scales->alpha < scales->alphas.count) {
        out->alpha = (double)scales->alphas.floats[scales->alpha++];
    }
    if (found.has_beta && scales->beta < scales->betas.count) {
        out->beta = (double)scales->betas.floats[scales->beta++];
    }
    return WLK_OK;
}

static const char *default_function(rnn_kind kind, uint32_t number) {
    return kind != RNN_PLAIN && number == 0 ? "Sigmoid" : "Tanh";
}

static wlk_status read_functions(const op_call *call, rnn_config *config) {
    const attribute_value list = named(call, "activations");
    const uint32_t needed = config->directions * config->activations;
    rnn_scales scales = {.alphas = named(call, "activation_alpha"),
                         .betas = named(call, "activation_beta")};
    if (list.count > 0 && list.count < needed) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u activations, %u are needed", list.count,
                       needed);
    }
    for (uint32_t i = 0; i < needed; i++) {
        const uint32_t number = i % config->activations;
        const char *name =
            list.count > 0 ? list.strings[i] : default_function(config->kind, number);
        TRY(read_function(call, name, &scales,
                          &config->functions[i / config->activations][number]));
    }
    return WLK_OK;
}

wlk_status rnn_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    void *room = NULL;
    TRY(plan_take(memory, 1, sizeof(rnn_config), &room, call->error));
    rnn_config *config = room;
    TRY(read_kind(call, config));
    TRY(read_direction(call, config));
    TRY(read_sizes(call, config));
    TRY(read_functions(call, config));
    *prepared = config;
    return WLK_OK;
}
