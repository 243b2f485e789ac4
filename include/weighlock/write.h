/* Writing .wlk files, and building models to be written.
 *
 * The same model gives the same bytes: no clock, no random numbers, no order of
 * insertion (docs/format.md, section 6).
 *
 * A wlk_writer belongs to one thread. The same model may be written, with the same
 * key, from any number of them.
 */
#ifndef WEIGHLOCK_WRITE_H
#define WEIGHLOCK_WRITE_H

#include <weighlock/limits.h>
#include <weighlock/memory.h>
#include <weighlock/model.h>
#include <weighlock/trust.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Golden rows: a tensor for each input of the main graph and one for each output, in their
 * order. */
typedef struct wlk_golden {
    const wlk_tensor *inputs;
    const wlk_tensor *outputs;
    uint32_t input_count;
    uint32_t output_count;
    double rtol, atol;
} wlk_golden;

/* All zero is the default; where options are taken, NULL is it too. */
typedef struct wlk_write_options {
    const wlk_secret_key *key; /* signs the file; NULL: unsigned */
    uint32_t chunk_log2;       /* 16..24: log2 of a digest's chunk in bytes; 0: 20 */
    uint32_t slack;            /* bytes of zeros before the data, at least, so that metadata can
                                  grow and be signed again in place; at most 61440 */
    uint32_t threads;          /* for hashing; 0: 2 */
    bool compress;             /* payloads that get shorter by it are written as zstd frames */
    const struct wlk_meta_edit *edits; /* made to the metadata as they are written */
    uint32_t edit_count;
    const wlk_golden *golden; /* added to the model's own; NULL: none. As many tensors as the main
                                 graph has inputs and outputs */
} wlk_write_options;

/* Writes the model as a .wlk file in memory. *data is the caller's (wlk_free). Verdicts:
 * refused (metadata that the format does not have, no "/kind"), usage (options),
 * system. Findings and the byte map of a model that was loaded are not written;
 * nameless tensors get a name. */
WLK_API WLK_MUST_USE wlk_status wlk_write_memory(const wlk_model *model,
                                                 const wlk_write_options *options, uint8_t **data,
                                                 uint64_t *size, wlk_error *error);

/* The same to a file: written where nobody sees it, synced, and then put in its place,
 * so that nobody ever sees a part of it; on failure nothing is left behind, nor if the
 * process is killed where the file system has files without a name (O_TMPFILE). A
 * regular file of that name is replaced, anything else is write.target. Payloads are
 * not copied in memory. */
WLK_API WLK_MUST_USE wlk_status wlk_write_path(const wlk_model *model,
                                               const wlk_write_options *options, const char *path,
                                               wlk_error *error);

/* ---- ONNX */

/* Writes the model as an ONNX file in memory (docs/onnx.md, section 9). *data is the
 * caller's (wlk_free). What the standard cannot say is write.onnx, which names it. */
WLK_API WLK_MUST_USE wlk_status wlk_write_onnx_memory(const wlk_model *model, uint8_t **data,
                                                      uint64_t *size, wlk_error *error);

/* The same to a file, as wlk_write_path writes one. */
WLK_API WLK_MUST_USE wlk_status wlk_write_onnx_path(const wlk_model *model, const char *path,
                                                    wlk_error *error);

/* ---- changing metadata in place */

/* One change: what is at `path` (a JSON Pointer as in wlk_writer_meta_string) is
 * removed with all that it holds, then set to `json` (RFC 8259, UTF-8), unless that
 * is NULL. "/metadata/tags/-" appends to an array. */
typedef struct wlk_meta_edit {
    const char *path;
    const char *json;
} wlk_meta_edit;

/* Makes the new first `head_bytes` bytes of a .wlk file, which are all that lies before
 * its data (envelope, header, digest table, zeros): metadata as `model` has it with
 * `edits` applied in order, signed with `key`, or unsigned if that is NULL. head is
 * what lies there now and was verified, model what was loaded from that file
 * (wlk_lazy_head, wlk_lazy_model). Graph, tensors and data stay where they are, and
 * the data are not read: the digest table says of them what it said before. A header
 * for which there is no room before the data is write.room. */
WLK_API WLK_MUST_USE wlk_status wlk_meta_rewrite(const uint8_t *head, uint64_t head_bytes,
                                                 const wlk_model *model, const wlk_meta_edit *edits,
                                                 uint32_t count, const wlk_secret_key *key,
                                                 uint8_t *new_head, wlk_error *error);

/* ---- building a model
 *
 * Order: opsets, types and tensors first; then each graph: its inputs, its
 * outputs, its nodes in topological order, a node's attributes behind the node.
 * Golden rows come last, metadata at any time. Everything is copied.
 *
 * The first error sticks: every later call does nothing, and wlk_writer_finish
 * says what it was. So only that call has to be checked. */

typedef struct wlk_writer wlk_writer;

/* A new writer. limits may be NULL for the defaults. */
WLK_API WLK_MUST_USE wlk_status wlk_writer_new(const wlk_limits *limits, wlk_writer **writer,
                                               wlk_error *error);
/* NULL is allowed. */
WLK_API void wlk_writer_free(wlk_writer *writer);

/* Validates what was built: *model is the caller's. "/kind" is "model" if nobody
 * has set it. The writer can then only be freed. */
WLK_API WLK_MUST_USE wlk_status wlk_writer_finish(wlk_writer *writer, wlk_model **model,
                                                  wlk_error *error);

/* Metadata, by JSON Pointer (RFC 6901): "/kind", "/name", "/version", "/created",
 * "/producer", "/metadata/metrics/accuracy", "/x-note" (docs/format.md, sections 3.1
 * and 3.2). Maps on the way come into being; each entry can be set once. The
 * elements of an array are set behind it, in order: "/metadata/tags/0". */
WLK_API void wlk_writer_meta_string(wlk_writer *w, const char *path, const char *text);
WLK_API void wlk_writer_meta_int(wlk_writer *w, const char *path, int64_t value);
WLK_API void wlk_writer_meta_uint(wlk_writer *w, const char *path, uint64_t value);
WLK_API void wlk_writer_meta_float(wlk_writer *w, const char *path, double value);
WLK_API void wlk_writer_meta_bool(wlk_writer *w, const char *path, bool value);
WLK_API void wlk_writer_meta_null(wlk_writer *w, const char *path);
WLK_API void wlk_writer_meta_array(wlk_writer *w, const char *path);
WLK_API void wlk_writer_meta_map(wlk_writer *w, const char *path);
/* An array of strings in one call. */
WLK_API void wlk_writer_meta_strings(wlk_writer *w, const char *path, const char *const *texts,
                                     uint32_t count);

/* The version of a domain's operators; "" is ai.onnx. */
WLK_API void wlk_writer_opset(wlk_writer *w, const char *domain, uint32_t version);

/* A tensor: name, dtype, shape, data and nbytes are read (and block_* of a block
 * tensor). Returns its index, WLK_NONE after an error. The name may be "" if an
 * attribute refers to it. */
WLK_API uint32_t wlk_writer_tensor(wlk_writer *w, const wlk_tensor *tensor);
/* A str tensor of as many strings as its shape says. */
WLK_API uint32_t wlk_writer_strings(wlk_writer *w, const char *name, uint32_t rank,
                                    const uint64_t *shape, const char *const *texts);

/* Types. Each returns an index, WLK_NONE after an error. The short form is a
 * tensor's with its shape; a dim of WLK_UNKNOWN_DIM is not known. */
WLK_API uint32_t wlk_writer_type(wlk_writer *w, const wlk_type *type);
WLK_API uint32_t wlk_writer_tensor_type(wlk_writer *w, wlk_dtype dtype, uint32_t rank,
                                        const int64_t *dims);

/* Begins a graph and returns its index; the first is the main one, index 0. A
 * subgraph's index is what wlk_writer_attr_graph has promised for it. name may
 * be "". */
WLK_API uint32_t wlk_writer_graph(wlk_writer *w, const char *name);
/* A new value that the graph takes. type is required in the main graph, else it
 * may be WLK_NONE. */
WLK_API void wlk_writer_input(wlk_writer *w, const char *name, uint32_t type);
/* What the graph gives: the name of a value or tensor that is there already, or of
 * one that a node of this graph will make, which may have a type. */
WLK_API void wlk_writer_output(wlk_writer *w, const char *name, uint32_t type);
/* A node. inputs and outputs are lists of names that end with NULL; "" omits an
 * optional one. domain and name may be "". */
WLK_API void wlk_writer_node(wlk_writer *w, const char *op, const char *domain, const char *name,
                             const char *const *inputs, const char *const *outputs);

/* Attributes of the latest node. */
WLK_API void wlk_writer_attr_int(wlk_writer *w, const char *name, int64_t value);
WLK_API void wlk_writer_attr_float(wlk_writer *w, const char *name, double value);
WLK_API void wlk_writer_attr_string(wlk_writer *w, const char *name, const char *text);
WLK_API void wlk_writer_attr_ints(wlk_writer *w, const char *name, const int64_t *values,
                                  uint32_t count);
WLK_API void wlk_writer_attr_floats(wlk_writer *w, const char *name, const double *values,
                                    uint32_t count);
WLK_API void wlk_writer_attr_strings(wlk_writer *w, const char *name, const char *const *texts,
                                     uint32_t count);
/* Tensors by their index, graphs by the index that they will have, types by index. */
WLK_API void wlk_writer_attr_tensor(wlk_writer *w, const char *name, uint32_t tensor);
WLK_API void wlk_writer_attr_tensors(wlk_writer *w, const char *name, const uint32_t *tensors,
                                     uint32_t count);
WLK_API void wlk_writer_attr_graph(wlk_writer *w, const char *name, uint32_t graph);
WLK_API void wlk_writer_attr_graphs(wlk_writer *w, const char *name, const uint32_t *graphs,
                                    uint32_t count);
WLK_API void wlk_writer_attr_dtype(wlk_writer *w, const char *name, wlk_dtype dtype);
WLK_API void wlk_writer_attr_type(wlk_writer *w, const char *name, uint32_t type);

/* Golden rows: names of tensors, in lists that end with NULL; as many as the main
 * graph has inputs and outputs. */
WLK_API void wlk_writer_selftest(wlk_writer *w, const char *const *inputs,
                                 const char *const *outputs, double rtol, double atol);

#ifdef __cplusplus
}
#endif
#endif
