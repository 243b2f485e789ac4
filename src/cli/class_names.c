#include "cli/class_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define TARGET_NAMES "/metadata/source/target_names"

static void note_outputs(class_names *names, uint32_t node) {
    const uint32_t outputs = wlk_model_node(names->model, node).outputs;
    for (uint32_t i = 0; i < outputs; i++) {
        const wlk_ref made = wlk_model_node_output(names->model, node, i);
        if (made.kind == WLK_REF_VALUE) names->maker[made.index] = node;
    }
}

wlk_status class_names_open(const wlk_model *model, class_names *names, wlk_error *error) {
    const uint32_t values = wlk_model_count(model, WLK_SECTION_VALUES);
    const wlk_graph graph = wlk_model_graph(model, 0);
    *names =
        (class_names){.model = model, .maker = mem_zeroed((size_t)values + 1, sizeof(uint32_t))};
    if (!names->maker) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < values; i++) names->maker[i] = WLK_NONE;
    for (uint32_t i = 0; i < graph.nodes; i++) note_outputs(names, graph.first_node + i);
    return WLK_OK;
}

void class_names_close(class_names *names) {
    mem_free(names->maker);
    *names = (class_names){0};
}

/* The `count` labels of the node that makes an output; WLK_NONE if it has not so many. */
static uint32_t label_attribute(const class_names *names, uint32_t output, uint64_t count) {
    static const char *const spellings[] = {"classlabels_strings", "classlabels_int64s",
                                            "classlabels_ints"};
    const wlk_ref wanted = wlk_model_graph_output(names->model, 0, output);
    const uint32_t node = wanted.kind == WLK_REF_VALUE ? names->maker[wanted.index] : WLK_NONE;
    uint32_t found = WLK_NONE;
    for (unsigned i = 0; node != WLK_NONE && found == WLK_NONE && i < 3; i++) {
        found = wlk_model_find_attribute(names->model, node, spellings[i]);
    }
    if (found == WLK_NONE) return WLK_NONE;
    const wlk_attribute a = wlk_model_attribute(names->model, found);
    const bool list = a.type == WLK_ATTR_STRINGS || a.type == WLK_ATTR_INTS;
    return list && a.count == count ? found : WLK_NONE;
}

/* The first of `count` entries of target_names; WLK_NONE if there are not so many. */
static uint32_t target_names(const wlk_model *model, uint64_t count) {
    const uint32_t list = wlk_model_find_meta(model, TARGET_NAMES);
    if (list == WLK_NONE) return WLK_NONE;
    const wlk_meta m = wlk_model_meta(model, list);
    return m.type == WLK_META_ARRAY && (uint64_t)m.i == count ? list + 1 : WLK_NONE;
}

/* NULL: what stands there is no name of a column. */
static const char *find_name(const wlk_model *model, const class_list *list, uint32_t i,
                             char text[CLASS_NAME_BYTES]) {
    const char *name = text;
    if (list->attribute == WLK_NONE) {
        const wlk_meta entry = wlk_model_meta(model, list->metadata + i);
        if (entry.type != WLK_META_STRING) return NULL;
        name = entry.s;
    } else {
        const wlk_attribute a = wlk_model_attribute(model, list->attribute);
        if (a.type == WLK_ATTR_STRINGS) {
            name = wlk_model_attribute_string(model, &a, i);
        } else {
            (void)snprintf(text, CLASS_NAME_BYTES, "%" PRId64,
                           wlk_model_attribute_int(model, &a, i));
        }
    }
    return strnlen(name, CLASS_NAME_BYTES) < CLASS_NAME_BYTES ? name : NULL;
}

class_list class_names_of(const class_names *names, uint32_t output, const wlk_tensor *tensor,
                          uint64_t most) {
    const class_list none = {WLK_NONE, WLK_NONE, 0};
    class_list list = none;
    char text[CLASS_NAME_BYTES];
    if (tensor->rank != 2 || tensor->count == 0) return none;
    const uint64_t classes = tensor->shape[1];
    if (classes < 2 || classes > most || classes >= WLK_NONE) return none;
    list.attribute = label_attribute(names, output, classes);
    if (list.attribute == WLK_NONE) list.metadata = target_names(names->model, classes);
    if (list.attribute == WLK_NONE && list.metadata == WLK_NONE) return none;
    list.count = (uint32_t)classes;
    for (uint32_t i = 0; i < list.count; i++) {
        if (!find_name(names->model, &list, i, text)) return none;
    }
    return list;
}

const char *class_name(const class_names *names, const class_list *list, uint32_t i,
                       char text[CLASS_NAME_BYTES]) {
    const char *name = find_name(names->model, list, i, text);
    return name ? name : "";
}
