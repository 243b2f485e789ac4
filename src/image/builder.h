/* Builds a model image, append only. Used by every parser in the child, and by
 * the parent where a model is made from a specification.
 *
 * Payloads do not enter the image: they go to a sink as numbered buffers (the
 * child's sink frames them onto the pipe, the parent's keeps them). The first
 * error sticks: every later call returns it, so a parser may check once.
 *
 * Order: strings, blocks, types, tensors, values, opsets, metadata, spans and
 * findings in any order. Graphs are begun in index order 0, 1, 2 ...; between
 * image_graph and the next, its inputs, outputs, nodes in order; a node's
 * edges and attributes follow the node. Selftests at any time.
 */
#ifndef WLK_IMAGE_BUILDER_H
#define WLK_IMAGE_BUILDER_H

#include <weighlock/limits.h>

#include "base/error.h"
#include "image/records.h"

/* Where payload bytes go. begin announces a buffer of exactly `length` bytes;
 * file_offset is where in the artifact these bytes lie unchanged, or
 * WLK_NO_OFFSET if they do not (then they were decoded). append is called until
 * `length` bytes have been given; data is NULL for bytes that are not at hand, and a
 * sink that has use for them refuses that. Buffers are numbered from 0 in begin order.
 * Both return a verdict and may fill the error. */
typedef struct image_sink {
    void *context;
    wlk_status (*begin)(void *context, uint64_t length, uint64_t file_offset, wlk_error *error);
    wlk_status (*append)(void *context, const uint8_t *data, uint64_t length, wlk_error *error);
} image_sink;

typedef struct image_builder image_builder;

/* A new builder; NULL if there is no memory. limits and sink are kept by
 * reference. */
image_builder *image_builder_new(const wlk_limits *limits, const image_sink *sink);
void image_builder_free(image_builder *builder);

/* The error that stuck, WLK_OK if none. */
wlk_status image_builder_status(const image_builder *builder, wlk_error *error);

/* Each returns the new record's index, or IMAGE_NONE once an error has stuck.
 * Limits are checked here; what needs the whole image is left to validation.
 * `offset` is where in the artifact the thing lies, for the error. */

/* Interns text: checked to be UTF-8 without NUL and at most limits->string_bytes
 * (image_name: limits->name_bytes). The number is provisional: it is valid for
 * this builder's calls, and image_finish renumbers. */
uint32_t image_string(image_builder *b, const char *text, uint64_t length, uint64_t offset);
uint32_t image_name(image_builder *b, const char *text, uint64_t length, uint64_t offset);

uint32_t image_block(image_builder *b, uint32_t kind, uint32_t elements, uint32_t bytes,
                     uint64_t offset);

/* A tensor and its payload in one call (data may be NULL when nbytes is 0, or where
 * the sink only needs to know where in the artifact the payload lies).
 * Checks dtype, rank, shape, and that nbytes is what they need. block is
 * IMAGE_NONE unless dtype is WLK_BLOCK. */
typedef struct image_tensor_spec {
    uint32_t name; /* string */
    wlk_dtype dtype;
    uint32_t rank;
    const uint64_t *shape;
    uint32_t block;
    const uint8_t *data;
    uint64_t nbytes;
    uint64_t file_offset; /* of data in the artifact if it lies there unchanged */
    uint64_t offset;      /* where the artifact describes it, for errors */
} image_tensor_spec;
uint32_t image_tensor(image_builder *b, const image_tensor_spec *spec);

/* The same for a payload that comes in pieces: begin, then image_payload until
 * nbytes have been given. */
uint32_t image_tensor_begin(image_builder *b, const image_tensor_spec *spec);
wlk_status image_payload(image_builder *b, const uint8_t *data, uint64_t length);

/* A type from a filled record (strings provisional). Equal types are shared. */
uint32_t image_type(image_builder *b, const type_record *type, uint64_t offset);
uint32_t image_value(image_builder *b, uint32_t name, uint32_t type, uint64_t offset);

uint32_t image_graph(image_builder *b, uint32_t name, uint64_t offset);
wlk_status image_graph_input(image_builder *b, uint32_t value);
wlk_status image_graph_output(image_builder *b, uint32_t edge);
uint32_t image_node(image_builder *b, uint32_t op, uint32_t domain, uint32_t name, uint64_t offset);
wlk_status image_node_input(image_builder *b, uint32_t edge);  /* before outputs */
wlk_status image_node_output(image_builder *b, uint32_t edge); /* value or IMAGE_NONE */
/* An attribute of the latest node; values as in NUMBERS. */
wlk_status image_attribute(image_builder *b, uint32_t name, wlk_attribute_type type,
                           const uint64_t *values, uint32_t count, uint64_t offset);

wlk_status image_meta(image_builder *b, uint32_t path, wlk_meta_type type, uint64_t value,
                      uint64_t offset);
wlk_status image_opset(image_builder *b, uint32_t domain, uint32_t version, uint64_t offset);
wlk_status image_selftest(image_builder *b, const uint32_t *inputs, uint32_t input_count,
                          const uint32_t *outputs, uint32_t output_count, double rtol, double atol,
                          uint64_t offset);
wlk_status image_finding(image_builder *b, uint32_t rule, wlk_severity severity, uint64_t offset,
                         uint64_t length, uint32_t evidence);
wlk_status image_span(image_builder *b, wlk_span_kind kind, uint64_t offset, uint64_t length,
                      uint32_t tensor);

/* The format of the artifact that the model is read from; without it the model is one
 * that was built in memory. */
void image_format(image_builder *b, wlk_format format);

/* Sorts and renumbers the strings (dropping unused ones), sorts opsets,
 * attributes of each node and spans, lays the sections out. On success the
 * caller owns *image (mem_free) of *length bytes; the builder can only be freed. */
wlk_status image_finish(image_builder *b, uint64_t file_bytes, uint8_t **image, uint64_t *length,
                        wlk_error *error);

#endif
