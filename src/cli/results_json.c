/* Results as JSON. */
#include "base/memory.h"
#include "cli/column_groups.h"
#include "input/array.h"
#include "input/element.h"

static void json_element(json_out *j, const wlk_tensor *tensor, uint64_t index) {
    if (tensor->dtype == WLK_STR) {
        uint64_t length;
        const char *text = input_array_string(tensor, index, &length);
        json_text_of(j, text, length);
        return;
    }
    const number n = element_get(tensor->dtype, tensor->data, index);
    if (!n.is_integer) {
        json_float(j, n.value);
    } else if (n.negative) {
        json_signed(j, (int64_t)(0 - n.magnitude));
    } else {
        json_unsigned(j, n.magnitude);
    }
}

/* Nested lists, as the shape says; each innermost one in a line. */
static uint64_t json_axis(json_out *j, const wlk_tensor *tensor, uint32_t axis, uint64_t at) {
    if (axis == tensor->rank) {
        json_element(j, tensor, at);
        return at + 1;
    }
    json_begin_list(j, axis + 1 == tensor->rank ? JSON_FLAT : JSON_LINES);
    for (uint64_t i = 0; i < tensor->shape[axis]; i++) at = json_axis(j, tensor, axis + 1, at);
    json_end_list(j);
    return at;
}

static void json_data(json_out *j, const wlk_tensor *tensor) {
    if (tensor->count > 0) {
        (void)json_axis(j, tensor, 0, 0);
        return;
    }
    json_begin_list(j, JSON_FLAT); /* without elements a shape need not end: [2^40, 0] */
    json_end_list(j);
}

/* A map: its values by its keys. */
static void json_map(json_out *j, const column_group *g, uint64_t row) {
    const uint64_t count = g->keys.count;
    char digits[MAP_KEY_BYTES];
    uint64_t length;
    json_begin_map(j, JSON_FLAT);
    for (uint64_t i = 0; i < count; i++) {
        const char *key = group_key(g, i, digits, &length);
        json_key_of(j, key, length);
        json_element(j, &g->tensor, row * count + i);
    }
    json_end_map(j);
}

static void json_maps(json_out *j, const column_group *g) {
    json_begin_list(j, JSON_LINES);
    for (uint64_t i = 0; i < g->tensor.shape[0]; i++) json_map(j, g, i);
    json_end_list(j);
}

static void json_sequence(json_out *j, const column_groups *groups, const column_group *g) {
    json_begin_list(j, JSON_LINES);
    for (uint64_t i = 0; i < group_tensors(groups, g); i++) {
        const wlk_tensor tensor = group_tensor(groups, g, i);
        json_data(j, &tensor);
    }
    json_end_list(j);
}

static void json_group(json_out *j, const column_groups *groups, const column_group *g) {
    switch (g->kind) {
        case WLK_VALUE_MAP:
            json_map(j, g, 0);
            return;
        case WLK_VALUE_MAPS:
            json_maps(j, g);
            return;
        case WLK_VALUE_SEQUENCE:
            json_sequence(j, groups, g);
            return;
        case WLK_VALUE_OPTIONAL:
            json_put_null(j);
            return;
        case WLK_VALUE_TENSOR:
        case WLK_VALUE_OPTIONAL_SEQUENCE:
            break;
    }
    json_data(j, &g->tensor);
}

static void json_classes(json_out *j, const column_groups *groups, const column_group *g) {
    char text[CLASS_NAME_BYTES];
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < g->classes.count; i++) {
        json_text(j, class_name(&groups->names, &g->classes, i, text));
    }
    json_end_list(j);
}

/* An output may be listed twice under its one name; a key must not. */
static wlk_status drop_repeated(column_groups *groups, wlk_error *error) {
    const wlk_model *model = groups->from->model;
    const uint32_t values = wlk_model_count(model, WLK_SECTION_VALUES);
    const uint32_t tensors = wlk_model_count(model, WLK_SECTION_TENSORS);
    uint32_t kept = 0;
    bool *seen = mem_zeroed((size_t)values + tensors + 1, sizeof *seen);
    if (!seen) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < groups->count; i++) {
        const wlk_ref ref = wlk_model_graph_output(model, 0, groups->list[i].output);
        bool *mark = &seen[ref.kind == WLK_REF_TENSOR ? (size_t)values + ref.index : ref.index];
        if (*mark) continue;
        *mark = true;
        groups->list[kept++] = groups->list[i];
    }
    groups->count = kept;
    mem_free(seen);
    return WLK_OK;
}

wlk_status groups_json(column_groups *groups, FILE *stream, wlk_error *error) {
    TRY(drop_repeated(groups, error));
    json_out j = json_out_to(stream, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_key(&j, "outputs");
    json_begin_map(&j, JSON_LINES);
    for (uint32_t i = 0; i < groups->count; i++) {
        json_key(&j, groups->list[i].name);
        json_group(&j, groups, &groups->list[i]);
    }
    json_end_map(&j);
    json_key(&j, "classes");
    json_begin_map(&j, JSON_LINES);
    for (uint32_t i = 0; i < groups->count; i++) {
        if (groups->list[i].classes.count == 0) continue;
        json_key(&j, groups->list[i].name);
        json_classes(&j, groups, &groups->list[i]);
    }
    json_end_map(&j);
    json_end_map(&j);
    (void)fputc('\n', stream);
    return WLK_OK;
}
