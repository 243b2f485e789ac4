/* The ONNX parser's state, and the parts that it is made of (docs/onnx.md).
 *
 * First the whole file's structure is checked (scan.c). Then graphs are built one after the
 * other, the main one first: a subgraph is queued where an attribute holds it. Calls of
 * model-local functions are replaced by their nodes while a graph is walked. Nothing here is
 * recursive, and no list is held that is longer than the file's own. */
#ifndef WLK_FORMATS_ONNX_READER_H
#define WLK_FORMATS_ONNX_READER_H

#include "formats/formats.h"
#include "formats/onnx/proto.h"
#include "formats/onnx/schema.h"
#include "image/name_map.h"

/* An array that grows. */
typedef struct onnx_list {
    void *items;
    uint32_t count;
    uint32_t room;
} onnx_list;

/* A name that the file uses for values. */
typedef struct name_entry {
    const uint8_t *text; /* in the artifact, of the latest place that interned it */
    uint32_t length;
    uint32_t suffix; /* the latest number that was tried behind it */
    bool claimed;    /* by a value or a tensor of the image */
    bool again;      /* it means something in more scopes than the first one, which is */
    uint32_t scope;  /* that, or IMAGE_NONE */
    uint32_t definition;
} name_entry;

typedef enum definition_kind {
    DEFINITION_DECLARED, /* only its type is known */
    DEFINITION_PROMISED, /* an output of the graph, which has its value already */
    DEFINITION_WANTED,   /* an output of a function: the caller's name for it is known */
    DEFINITION_MADE      /* it may be used */
} definition_kind;

/* What a name means in a scope. */
typedef struct definition {
    definition_kind kind;
    uint32_t edge;     /* PROMISED, MADE; IMAGE_NONE: an omitted argument of a function */
    uint32_t position; /* MADE: 0 at the graph's beginning, i + 1 by its node i */
    uint32_t type;     /* declared, or IMAGE_NONE */
    uint32_t scope;    /* WANTED: the caller's */
    uint32_t name;     /* WANTED: the caller's name */
} definition;

/* Where names are defined: a graph, or one call of a function. */
typedef struct onnx_scope {
    uint32_t parent;   /* whose names may be used too; IMAGE_NONE: nobody's */
    uint32_t limit;    /* ... as far as they were made at this position */
    uint32_t graph;    /* in which nodes and values come to lie */
    uint32_t call;     /* the scope of the call within whose function this is, or IMAGE_NONE */
    uint32_t function; /* of a call: which function, */
    uint32_t caller;   /*            in which scope it stands, */
    cursor node;       /*            and its NodeProto */
    uint32_t calls;    /* nested calls so far, this one included */
} onnx_scope;

/* A graph of the image. */
typedef struct onnx_graph {
    cursor message;
    uint32_t scope;    /* of the names that it may use besides its own, or IMAGE_NONE */
    uint32_t limit;    /* ... as far as they were made there */
    uint32_t holder;   /* the graph of the node that holds it */
    uint32_t position; /* that node's number */
    uint32_t depth;    /* 1 for the main graph */
} onnx_graph;

typedef struct onnx_function {
    cursor message;
    uint32_t calls;
} onnx_function;

typedef struct reader {
    const format_input *input;
    const wlk_limits *limits;
    image_builder *builder;
    cursor file;
    uint64_t ir_version;

    name_map *name_ids; /* -> names */
    onnx_list names;    /* name_entry */
    name_map *bound;    /* scope and name -> definitions, but for a name's first */
    onnx_list definitions;
    onnx_list scopes;
    onnx_list graphs;
    onnx_list functions;
    name_map *function_ids; /* domain, name and overload -> functions */
    name_map *domains;      /* -> version */
    name_map *attributes;   /* of nodes -> number of the latest node that had it */
    name_map *shared;       /* place of a TensorProto or a list -> tensor, plus 1 */

    uint32_t graph;    /* that is being built */
    uint32_t position; /* nodes that it has so far */
    uint32_t nodes;    /* of all graphs */
    uint32_t calls;    /* of functions */
    uint32_t attribute_names;
    uint64_t again; /* bytes of functions and graphs that were read more than once */
    uint64_t dense; /* bytes of sparse tensors made dense */

    onnx_list values; /* u64: of the attribute that is being read */
    onnx_list spans;  /* span_record: payloads, and what is not looked into */
    uint32_t findings;
    char *key; /* room for a name and a suffix */
    uint64_t key_room;
} reader;

/* ---- lists.c */

/* Appends a copy of the item; IMAGE_NONE if there is no memory. */
uint32_t onnx_append(onnx_list *list, const void *item, size_t size);
/* The same; a failure fills in the error. */
wlk_status onnx_add(onnx_list *list, const void *item, size_t size, wlk_error *error);

/* Writes a number as five bytes none of which is NUL: a part of a name_map's key. */
char *onnx_key_number(char *at, uint32_t number);

/* Makes the reader's room hold a key of `length` bytes, or one and a suffix. */
wlk_status onnx_key_room(reader *r, uint64_t length, wlk_error *error);

/* A text as a NUL-terminated key of name_map, in the reader's room; refuses what is not UTF-8
 * or has a NUL, and what is longer than a name may be. */
wlk_status onnx_key(reader *r, cursor text, const char **key, wlk_error *error);

/* The builder's error, which sticks. */
wlk_status onnx_built(const reader *r, wlk_error *error);

/* A text as a name of the image. */
uint32_t onnx_name(const reader *r, cursor text);

/* ---- scan.c */

/* Checks the structure of the whole file. */
wlk_status onnx_scan_model(reader *r, wlk_error *error);

/* ---- byte_map.c */

/* Remembers a range that is not ordinary structure. */
wlk_status onnx_byte_map_add(reader *r, wlk_span_kind kind, uint64_t offset, uint64_t length,
                             uint32_t tensor, wlk_error *error);
/* The same for what nothing looks into, with a finding. `field` is 0 or a field's number. */
wlk_status onnx_byte_map_skip(reader *r, wlk_rule rule, const char *what, uint32_t field,
                              uint64_t offset, uint64_t length, wlk_error *error);
wlk_status onnx_byte_map_build(reader *r, wlk_error *error);

/* ---- names.c */

/* The number of a name, which is made if it has none. */
wlk_status onnx_names_intern(reader *r, cursor text, uint32_t *name, wlk_error *error);

/* A string of the image for the name, which nothing else of the image has: the name itself,
 * or with a number behind it. */
wlk_status onnx_names_claim(reader *r, uint32_t name, uint64_t offset, uint32_t *string,
                            wlk_error *error);

/* What the name means in exactly this scope; NULL if nothing. It moves when one is added. */
definition *onnx_names_own(const reader *r, uint32_t scope, uint32_t name);
/* Gives it a meaning; it had none. */
wlk_status onnx_names_define(reader *r, uint32_t scope, uint32_t name, const definition *made,
                             uint64_t offset, wlk_error *error);
/* What the name means for a node in this scope; NULL if it may not be used there. */
const definition *onnx_names_visible(const reader *r, uint32_t scope, uint32_t name);

/* ---- types.c */

/* The dtype of TensorProto's number, of which there must be one. */
wlk_status onnx_type_dtype(uint64_t number, uint64_t offset, wlk_dtype *dtype, wlk_error *error);

/* A TypeProto's type; IMAGE_NONE if it says nothing. */
wlk_status onnx_type_read(const reader *r, cursor message, uint32_t *type, wlk_error *error);

/* ---- tensor.c */

/* Builds a tensor from a TensorProto; its name is a string of the image. */
wlk_status onnx_tensor_read(reader *r, cursor message, uint32_t name, uint32_t *tensor,
                            wlk_error *error);

/* The same, but a message that has been read already gives the tensor that it became: one
 * function's body is read at each call. */
wlk_status onnx_tensor_once(reader *r, cursor message, uint32_t *tensor, wlk_error *error);
/* The tensor that something at this place became before; IMAGE_NONE if none. */
uint32_t onnx_tensor_shared(const reader *r, cursor message);
wlk_status onnx_tensor_share(reader *r, cursor message, uint32_t tensor, wlk_error *error);

/* ---- sparse.c */

/* The same from a SparseTensorProto, whose elements that are not there become 0. */
wlk_status onnx_sparse_read(reader *r, cursor message, uint32_t name, uint32_t *tensor,
                            wlk_error *error);

/* ---- graph.c */

/* Queues a graph that an attribute of the latest node holds; `scope` is where the attribute
 * stands. *index is the graph's number. */
wlk_status onnx_graph_queue(reader *r, cursor message, uint32_t scope, uint32_t *index,
                            wlk_error *error);
/* Builds the main graph and all that it holds. */
wlk_status onnx_graphs_build(reader *r, cursor main, wlk_error *error);

/* Makes room for a node's output, which becomes a value of the graph. */
wlk_status onnx_graph_make_value(reader *r, uint32_t scope, cursor name, uint32_t *edge,
                                 wlk_error *error);

/* Types of values that a graph or a function declares; `field` is the number of its list. */
wlk_status onnx_graph_declare(reader *r, cursor message, uint32_t field, uint32_t scope,
                              wlk_error *error);

/* ---- node.c */

/* Builds a node that is no call. */
wlk_status onnx_node_build(reader *r, cursor message, uint32_t scope, wlk_error *error);
/* What the name means at a node of this scope: its edge. "" is IMAGE_NONE. */
wlk_status onnx_node_edge(reader *r, cursor name, uint32_t scope, uint32_t *edge, wlk_error *error);
/* A domain; ai.onnx is "". */
cursor onnx_node_domain(cursor domain);

/* ---- attribute.c */

/* Takes the names of a node's attributes, of which none may come twice. */
wlk_status onnx_attributes_claim(reader *r, cursor node, wlk_error *error);
/* Builds an attribute of the latest node. */
wlk_status onnx_attribute_build(reader *r, cursor message, uint32_t scope, wlk_error *error);

/* ---- functions.c */

wlk_status onnx_functions_read(reader *r, wlk_error *error);
/* The function that a node calls; false if it calls none. */
wlk_status onnx_function_called(reader *r, cursor node, uint32_t *function, wlk_error *error);
/* Enters a call: *scope is that of the function's nodes. */
wlk_status onnx_function_enter(reader *r, uint32_t function, cursor node, uint32_t caller,
                               uint32_t *scope, wlk_error *error);
/* Leaves it: every output that the caller wants has been made. */
wlk_status onnx_function_leave(reader *r, uint32_t scope, wlk_error *error);
/* The attribute that a name stands for within a call: its AttributeProto and the scope where
 * it stands; *found is false if the call has none and the function no default. */
wlk_status onnx_function_attribute(reader *r, cursor name, uint32_t *scope, cursor *attribute,
                                   bool *found, wlk_error *error);
/* Counts bytes that are read again. */
wlk_status onnx_function_charge(reader *r, const cursor *message, wlk_error *error);
/* Counts fields whose content is not read again. */
wlk_status onnx_function_charge_fields(reader *r, uint64_t fields, uint64_t offset,
                                       wlk_error *error);
/* Says of which functions nothing was used. */
wlk_status onnx_functions_unused(reader *r, wlk_error *error);

/* ---- opsets.c */

wlk_status onnx_opsets_read(reader *r, wlk_error *error);
/* Those of a function that is used. */
wlk_status onnx_opsets_join(reader *r, cursor function, wlk_error *error);
/* Is there a version for the domain? */
wlk_status onnx_opsets_need(reader *r, cursor domain, uint64_t offset, wlk_error *error);

/* ---- metadata.c */

wlk_status onnx_metadata(reader *r, wlk_error *error);

#endif
