/* The .wlk parser's state, and the parts that it is made of. Each part reads one
 * chapter of the schema (docs/format.md, section 3) out of slices of the header
 * that scan_header has accepted.
 *
 * First tensors and the definitions of names are read, then everything is built,
 * payloads last: a header that breaks a rule is refused before any has left. */
#ifndef WLK_FORMATS_WLK_READER_H
#define WLK_FORMATS_WLK_READER_H

#include "base/envelope.h"
#include "formats/formats.h"
#include "formats/wlk/names.h"
#include "formats/wlk/schema.h"

/* The header's keys, in the order of the schema's table. */
typedef enum header_key {
    HEADER_CREATED,
    HEADER_GRAPHS,
    HEADER_KIND,
    HEADER_METADATA,
    HEADER_NAME,
    HEADER_OPSET,
    HEADER_PRODUCER,
    HEADER_SELFTEST,
    HEADER_TENSORS,
    HEADER_VERSION,
    HEADER_KEYS
} header_key;

/* A text within the artifact. */
typedef struct text_ref {
    const uint8_t *text;
    uint64_t length;
    uint64_t offset; /* of its head in the artifact */
} text_ref;

typedef struct tensor_entry {
    text_ref name;
    text_ref block_kind; /* for WLK_BLOCK */
    uint32_t block_elements;
    uint32_t block_bytes;
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    uint64_t offset;       /* from data_off */
    uint64_t stored;       /* bytes of the payload in the file */
    uint64_t nbytes;       /* and when it is plain; the same unless it is packed */
    bool packed;           /* zstd */
    uint64_t described_at; /* the element's offset in the artifact */
} tensor_entry;

typedef enum graph_key {
    GRAPH_INPUTS,
    GRAPH_NAME,
    GRAPH_NODES,
    GRAPH_OUTPUTS,
    GRAPH_KEYS
} graph_key;

/* Where a subgraph hangs. The main graph's level is 1, and 0 stands for a graph
 * to which nothing has referred yet. */
typedef struct graph_entry {
    uint32_t parent;
    uint32_t parent_position; /* the referring node's number + 1 */
    uint32_t level;
    uint32_t nodes;
    cursor slice;
    cursor fields[GRAPH_KEYS]; /* values of its keys */
} graph_entry;

/* What golden rows are held against: the declared type of a main graph's input. */
typedef struct main_input {
    bool is_tensor;
    bool has_shape;
    wlk_dtype dtype;
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
} main_input;

typedef struct opset_entry {
    text_ref domain;
    uint32_t version;
} opset_entry;

typedef struct reader {
    const format_input *input;
    const wlk_limits *limits;
    image_builder *builder;
    envelope envelope;
    uint64_t max_objects; /* of an element */
    cursor header;
    cursor fields[HEADER_KEYS]; /* values of the header's keys */
    tensor_entry *tensors;
    uint32_t tensor_count;
    graph_entry *graphs;
    uint32_t graph_count;
    main_input *main_inputs;
    uint32_t main_input_count;
    opset_entry *opsets; /* ascending by domain */
    uint32_t opset_count;
    uint64_t node_count;  /* over all graphs, as far as they were collected */
    uint32_t value_count; /* likewise */
    name_table names;
} reader;

/* The artifact's size, bytes that are absent included. */
uint64_t reader_file_bytes(const reader *r);

/* The result of a builder's call: its error, which sticks, is fetched. */
wlk_status reader_built(const reader *r, wlk_error *error);

/* How many elements the array at the beginning of `field` has (0 if the field is
 * absent), and a cursor at the first. More than `most` are refused as `rule`. */
wlk_status reader_array(cursor field, uint64_t most, wlk_rule rule, cursor *first, uint32_t *count,
                        wlk_error *error);

/* The same of an array that was read before, whose number of elements is known to do. */
uint32_t reader_array_again(cursor field, cursor *first);

/* A text of an element, by reference. */
text_ref reader_text(const element *e, const msgpack_object *text);

/* A text as a string or a name of the image. */
uint32_t reader_name(const reader *r, text_ref text);

/* ---- tensors.c */

/* Reads and checks all tensors, their places in the data, and the zeros between
 * them; adds their names. */
wlk_status tensors_read(reader *r, wlk_error *error);
/* Builds the tensors, payloads included. */
wlk_status tensors_build(const reader *r, wlk_error *error);

/* ---- packed.c: compressed payloads (docs/format.md, section 4.6) */

/* Reads how long the payload is when it is plain, and checks that its frames tile what is
 * stored, and its growth against the limits. */
wlk_status packed_measure(const reader *r, tensor_entry *tensor, wlk_error *error);
/* Decodes the payload into the tensor that was begun last. */
wlk_status packed_build(const reader *r, const tensor_entry *tensor, wlk_error *error);

/* ---- layout.c */

/* Are the bytes between digest table and data, and those between the tensors,
 * zero, as far as they are at hand, and do the tensors fill the data? */
wlk_status layout_check(const reader *r, wlk_error *error);
/* Builds the byte map. */
wlk_status layout_build(const reader *r, wlk_error *error);

/* ---- types.c */

/* Reads a type and builds it: *type is its index. *outermost (NULL is allowed)
 * becomes its record, in which `element` is not meant. */
wlk_status type_read(const reader *r, const element *e, const msgpack_object *object,
                     uint32_t *type, type_record *outermost, wlk_error *error);

/* ---- opsets.c */

wlk_status opsets_read(reader *r, wlk_error *error);
wlk_status opsets_build(const reader *r, wlk_error *error);
bool opsets_have(const reader *r, const void *domain, uint64_t length);

/* ---- nodes.c */

typedef enum node_key {
    NODE_ATTR,
    NODE_DOMAIN,
    NODE_IN,
    NODE_NAME,
    NODE_OP,
    NODE_OUT,
    NODE_KEYS
} node_key;

/* Reads a node: its fields, the kinds within its lists, its domain's opset. */
wlk_status node_read(const reader *r, const element *e, const msgpack_object **fields,
                     wlk_error *error);

/* An attribute's name, type, and the object or the list of objects that are its
 * values. */
typedef struct attribute {
    text_ref name;
    wlk_attribute_type type;
    const msgpack_object *values;
    uint32_t count;
} attribute;

/* How many attributes the node with these fields has, and one of them. */
uint32_t node_attributes(const msgpack_object *const *fields);
wlk_status attribute_read(const element *e, const msgpack_object *const *fields, uint32_t index,
                          attribute *out, wlk_error *error);

/* ---- definitions.c: the first pass over the graphs */

/* A graph's input or output: its name, and its type's object or NULL. */
wlk_status port_read(const element *e, const msgpack_object **name, const msgpack_object **type,
                     wlk_error *error);

/* Reads all graphs: adds the names of inputs and of node outputs, and finds where
 * subgraphs hang. */
wlk_status definitions_read(reader *r, wlk_error *error);

/* ---- scope.c: what a name stands for; the names are sorted */

/* A place in the header where names are used: in a node of a graph (position is
 * the node's number + 1), or at the graph's end. */
typedef struct name_use {
    uint32_t graph;
    uint32_t position;
} name_use;

/* What the name means there; graph.undefined, .order, .scope. */
wlk_status scope_resolve(const reader *r, const element *e, const msgpack_object *name,
                         name_use use, name_entry **entry, wlk_error *error);

/* The tensor of that name; graph.undefined, .not-tensor. */
wlk_status scope_find_tensor(const reader *r, const element *e, const msgpack_object *name,
                             uint32_t *tensor, wlk_error *error);

/* The place at the end of a graph. */
name_use scope_graph_end(const reader *r, uint32_t graph);

/* Reads the types that stand at graph outputs. */
wlk_status scope_read_output_types(const reader *r, wlk_error *error);

/* ---- graphs.c: the second pass */

/* Builds values, graphs, nodes and attributes, and resolves every name. */
wlk_status graphs_build(const reader *r, wlk_error *error);

/* ---- metadata.c, selftests.c */

wlk_status metadata_build(const reader *r, wlk_error *error);
wlk_status selftests_build(const reader *r, wlk_error *error);

#endif
