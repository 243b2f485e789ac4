/* Which operators a model uses, and how often: the summary of a graph that is too long to
 * be shown node by node. */
#ifndef WLK_CLI_OPERATORS_H
#define WLK_CLI_OPERATORS_H

#include <weighlock/model.h>

#include "base/error.h"

typedef struct operator_use {
    const char *domain; /* "" is ai.onnx */
    const char *op;
    uint32_t count; /* nodes, those of subgraphs among them */
} operator_use;

typedef struct operator_list {
    operator_use *items;
    uint32_t count;
} operator_list;

/* Each operator once, the most frequent first. Rule: internal.memory. */
wlk_status operators_of(const wlk_model *model, operator_list *list, wlk_error *error);
void operators_free(operator_list *list);

#endif
