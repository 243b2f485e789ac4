/* Puts a model together by names, as ONNX does: for whoever describes a graph by
 * the names of its values and does not want to number them. Stands on an
 * image_builder and checks, name by name, whatever the format asks of a graph
 * (docs/format.md, section 3.4), so that an error can say which name it is.
 *
 * Order: opsets and tensors first; then graphs by their index, 0 is the main
 * one; of each graph its inputs, its outputs, its nodes in topological order; a
 * node's attributes after the node. A subgraph has been named by an attribute
 * before it begins. Golden rows come last.
 *
 * All fail with a rule of assemble.*, or with what the builder says; an error
 * names the culprit and has no offset. After an error the assembler can only be
 * freed. Texts and arrays are copied. */
#ifndef WLK_IMAGE_ASSEMBLER_H
#define WLK_IMAGE_ASSEMBLER_H

#include <weighlock/model.h>

#include "image/builder.h"

typedef struct assembler assembler;

/* A new assembler; NULL if there is no memory. builder and limits must outlive
 * it. Records that need no names (metadata) may go to the builder directly. */
assembler *assembler_new(image_builder *builder, const wlk_limits *limits);
/* NULL is allowed. */
void assembler_free(assembler *a);

wlk_status assembler_opset(assembler *a, const char *domain, uint32_t version, wlk_error *error);

/* A tensor; *index (NULL is allowed) is its number. Its name may be "" if an
 * attribute will refer to it. tensor->count is not looked at. */
wlk_status assembler_tensor(assembler *a, const wlk_tensor *tensor, uint32_t *index,
                            wlk_error *error);

/* A type; *index is what inputs, outputs and attributes take. For sequence, map
 * and optional, type->element is such an index. */
wlk_status assembler_type(assembler *a, const wlk_type *type, uint32_t *index, wlk_error *error);

/* Begins the next graph. name may be "". */
wlk_status assembler_graph(assembler *a, const char *name, wlk_error *error);
/* A new value that the graph takes. type may be IMAGE_NONE in subgraphs only. */
wlk_status assembler_input(assembler *a, const char *name, uint32_t type, wlk_error *error);
/* Something that the graph gives: a name that is visible here already, or one
 * that a node of this graph will make. Only then may it have a type. */
wlk_status assembler_output(assembler *a, const char *name, uint32_t type, wlk_error *error);

/* A node. "" among the inputs or outputs omits an optional one. */
typedef struct node_spec {
    const char *op;
    const char *domain; /* "" is ai.onnx; an opset has been given for it */
    const char *name;   /* may be "" */
    const char *const *inputs;
    uint32_t input_count;
    const char *const *outputs;
    uint32_t output_count;
} node_spec;
wlk_status assembler_node(assembler *a, const node_spec *node, wlk_error *error);

/* An attribute of the latest node; values as in the image: i64, f64 bits, tensor,
 * graph or type index, dtype. Not for strings. */
wlk_status assembler_attribute(assembler *a, const char *name, wlk_attribute_type type,
                               const uint64_t *values, uint32_t count, wlk_error *error);
/* The same for WLK_ATTR_STRING and WLK_ATTR_STRINGS. */
wlk_status assembler_attribute_texts(assembler *a, const char *name, wlk_attribute_type type,
                                     const char *const *texts, uint32_t count, wlk_error *error);

/* The number of the tensor of that name. */
wlk_status assembler_find_tensor(const assembler *a, const char *name, uint32_t *index,
                                 wlk_error *error);

/* Golden rows: numbers of tensors, as many as the main graph has inputs and
 * outputs. */
wlk_status assembler_selftest(assembler *a, const uint32_t *inputs, uint32_t input_count,
                              const uint32_t *outputs, uint32_t output_count, double rtol,
                              double atol, wlk_error *error);

/* Closes the last graph and checks that nothing is missing. The builder can then
 * be finished. */
wlk_status assembler_finish(assembler *a, wlk_error *error);

#endif
