#include "cli/operators.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_name(const void *a, const void *b) {
    const operator_use *x = a, *y = b;
    const int order = strcmp(x->domain, y->domain);
    return order ? order : strcmp(x->op, y->op);
}

static int by_count(const void *a, const void *b) {
    const operator_use *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return by_name(a, b);
}

/* Equal neighbours become one. */
static uint32_t join(operator_use *items, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && by_name(&items[kept - 1], &items[i]) == 0) {
            items[kept - 1].count++;
        } else {
            items[kept++] = items[i];
        }
    }
    return kept;
}

wlk_status operators_of(const wlk_model *model, operator_list *list, wlk_error *error) {
    const uint32_t nodes = wlk_model_count(model, WLK_SECTION_NODES);
    *list = (operator_list){.items = mem_zeroed((size_t)nodes + 1, sizeof *list->items)};
    if (!list->items) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < nodes; i++) {
        const wlk_node node = wlk_model_node(model, i);
        list->items[i] = (operator_use){node.domain, node.op, 1};
    }
    qsort(list->items, nodes, sizeof *list->items, by_name);
    list->count = join(list->items, nodes);
    qsort(list->items, list->count, sizeof *list->items, by_count);
    return WLK_OK;
}

void operators_free(operator_list *list) {
    mem_free(list->items);
    *list = (operator_list){0};
}
