/* What the parts of the specification's reader share: where in the JSON they
 * are, what may stand there, and what the model is put together with. */
#ifndef WLK_INPUT_SPEC_READER_H
#define WLK_INPUT_SPEC_READER_H

#include <jansson.h>

#include "image/assembler.h"
#include "image/meta_tree.h"
#include "input/array.h"
#include "input/element.h"

/* A place in the JSON: a chain of keys and indices on the C stack. */
typedef struct spec_path {
    const struct spec_path *parent; /* NULL: the root */
    const char *key;                /* NULL: an element of an array */
    size_t index;
} spec_path;

typedef struct spec_reader {
    const wlk_limits *limits;
    const char *folder;
    image_builder *builder;
    assembler *assembler;
    meta_tree *metadata;
    char *meta_path; /* the entry that is read, meta_room bytes */
    size_t meta_room;
} spec_reader;

/* JSON types as bits, so that several can be allowed. */
typedef enum spec_kind {
    SPEC_STRING = 1,
    SPEC_INTEGER = 2,
    SPEC_REAL = 4,
    SPEC_BOOL = 8,
    SPEC_NULL = 16,
    SPEC_ARRAY = 32,
    SPEC_OBJECT = 64,
    SPEC_NUMBER = SPEC_INTEGER | SPEC_REAL
} spec_kind;

typedef struct spec_key {
    const char *name;
    uint32_t kinds;
    bool required;
} spec_key;

typedef struct spec_schema {
    const spec_key *keys;
    uint32_t count;
    bool extensible; /* keys that begin with x- are allowed too */
} spec_schema;

#define SPEC_MAX_KEYS 16
#define SPEC_SCHEMA(table) \
    { (table), sizeof(table) / sizeof *(table), false }

spec_path spec_key_at(const spec_path *parent, const char *key);
spec_path spec_index_at(const spec_path *parent, size_t index);

/* The rule, with the place and printf's detail. */
wlk_status spec_refuse(const spec_path *at, wlk_rule rule, wlk_error *error, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));
/* Puts the place in front of the text of an error that somebody else made. */
wlk_status spec_locate(wlk_status status, const spec_path *at, wlk_error *error);

/* Is the value of one of these kinds? spec.type. */
wlk_status spec_check_kind(const spec_path *at, const json_t *value, uint32_t kinds,
                           wlk_error *error);
/* Reads an object: values[i] is the value of key i, NULL if it is absent.
 * spec.unknown-key names the nearest key. */
wlk_status spec_object(const spec_path *at, const json_t *object, const spec_schema *schema,
                       const json_t *values[], wlk_error *error);
/* Names the nearest of the known keys. */
wlk_status spec_unknown_key(const spec_path *at, const char *key, const char *const *known,
                            size_t count, wlk_error *error);

/* "" for an absent string. */
const char *spec_text(const json_t *value);
/* A number, or "nan", "inf", "-inf". spec.type, spec.value. */
wlk_status spec_number(const spec_path *at, const json_t *value, number *out, wlk_error *error);
/* An integer from 0 to `most`. */
wlk_status spec_count(const spec_path *at, const json_t *value, uint64_t most, uint64_t *out,
                      wlk_error *error);
wlk_status spec_dtype(const spec_path *at, const json_t *value, wlk_dtype *dtype, wlk_error *error);
/* An array of strings: *texts is the caller's (mem_free), the strings are the JSON's. */
wlk_status spec_texts(const spec_path *at, const json_t *array, const char ***texts,
                      uint32_t *count, wlk_error *error);

/* ---- spec_meta.c, spec_tensor.c, spec_graph.c: the chapters */

/* kind, name ... metadata and x- of the root. */
wlk_status spec_read_metadata(spec_reader *r, const spec_path *root, const json_t *object,
                              wlk_error *error);
wlk_status spec_read_opset(spec_reader *r, const spec_path *at, const json_t *object,
                           wlk_error *error);
wlk_status spec_read_tensors(spec_reader *r, const spec_path *at, const json_t *array,
                             wlk_error *error);
wlk_status spec_read_graphs(spec_reader *r, const spec_path *at, const json_t *array,
                            wlk_error *error);
wlk_status spec_read_graph(spec_reader *r, const spec_path *at, const json_t *object,
                           wlk_error *error);
wlk_status spec_read_selftests(spec_reader *r, const spec_path *at, const json_t *array,
                               wlk_error *error);

/* Reads the .npy file of that name below the folder and adds it as a tensor. */
wlk_status spec_add_file(spec_reader *r, const spec_path *at, const char *name, const char *file,
                         uint32_t *index, wlk_error *error);

/* A shape: an array of at most 8 integers. */
wlk_status spec_shape(const spec_path *at, const json_t *array, uint32_t *rank,
                      uint64_t shape[WLK_MAX_RANK], wlk_error *error);

/* ---- spec_attribute.c, spec_type.c */

wlk_status spec_read_type(spec_reader *r, const spec_path *at, const json_t *object, uint32_t *type,
                          wlk_error *error);
wlk_status spec_read_attribute(spec_reader *r, const spec_path *at, const char *name,
                               const json_t *value, wlk_error *error);

#endif
