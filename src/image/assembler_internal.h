/* The assembler's insides, shared by the files that put tensors and graphs, and
 * nodes with their attributes. */
#ifndef WLK_IMAGE_ASSEMBLER_INTERNAL_H
#define WLK_IMAGE_ASSEMBLER_INTERNAL_H

#include "image/assembler.h"
#include "image/name_map.h"

/* What a name stands for. */
typedef enum entry_kind {
    ENTRY_TENSOR,
    ENTRY_VALUE,
    ENTRY_PROMISED /* an output that no node has made yet */
} entry_kind;

typedef struct name_entry {
    entry_kind kind;
    uint32_t index;    /* tensor or value */
    uint32_t graph;    /* values: where it is defined, */
    uint32_t position; /* 0 by the graph's inputs, i + 1 by its node i */
} name_entry;

typedef struct tensor_form {
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    bool named;
    bool held; /* by an attribute */
} tensor_form;

/* The node that holds a subgraph. */
typedef struct graph_holder {
    uint32_t graph; /* IMAGE_NONE: nobody yet */
    uint32_t position;
    uint32_t depth; /* 1 for the main graph */
} graph_holder;

typedef struct promise {
    uint32_t entry;
    char *name;
} promise;

/* A growing array. */
typedef struct list {
    void *items;
    uint32_t count;
    uint32_t room;
} list;

struct assembler {
    image_builder *builder;
    wlk_limits limits;
    name_map *names;      /* -> entries */
    name_map *domains;    /* that have an opset */
    name_map *attributes; /* -> number of the latest node that had it, plus 1 */
    list entries;         /* name_entry */
    list tensors;         /* tensor_form */
    list types;           /* wlk_type, without symbols */
    list main_inputs;     /* uint32_t: type */
    list holders;         /* graph_holder, by graph */
    list promises;        /* promise, of the latest graph */
    uint32_t main_outputs;
    uint32_t graphs;     /* begun so far */
    uint32_t nodes;      /* of the latest graph */
    uint32_t node_total; /* of all */
    bool has_node;       /* may attributes follow? */
};

wlk_status assembler_no_memory(wlk_error *error);
/* The rule, with the name as detail. */
wlk_status assembler_refuse(wlk_error *error, wlk_rule rule, const char *name);
/* The error that stuck in the builder, if one did. */
wlk_status assembler_built(const assembler *a, wlk_error *error);

/* The entry of a name, NULL if it has none; it moves when a name is added. */
name_entry *assembler_find(const assembler *a, const char *name);
/* The name in the builder. */
uint32_t assembler_name(const assembler *a, const char *name);
/* Gives a new name to a new value of the latest graph; *number is its entry's. */
wlk_status assembler_claim_value(assembler *a, const char *name, uint32_t type, entry_kind kind,
                                 uint32_t position, uint32_t *number, wlk_error *error);

/* Is a value visible at `position` of `graph`? It is if it was made before in
 * this graph, or is visible to the node that holds this graph. */
bool assembler_sees(const assembler *a, const name_entry *value, uint32_t graph, uint32_t position);

/* The edge of what a name stands for. */
uint32_t assembler_edge(const name_entry *entry);

/* The holder of graph `index`, made if there is none; NULL without memory. */
graph_holder *assembler_holder(assembler *a, uint32_t index);

#endif
