/* What the parts of sk.h know of each other: not for the families. */
#ifndef WLK_FORMATS_SKLEARN_SK_INTERNAL_H
#define WLK_FORMATS_SKLEARN_SK_INTERNAL_H

#include "formats/sklearn/sk.h"
#include "image/name_map.h"

/* ---- where in the model (sk.c) */

/* Enters an estimator that is now called, if whoever calls it has not: once for each call,
 * for it may hold itself. */
wlk_status sk_enter_call(sk *s, const py_value *estimator, bool *entered);
/* The class of the one that was entered last. */
const char *sk_place_class(const sk *s);

/* ---- the model's own columns (sk_table.c) */

typedef enum sk_column_use {
    SK_COLUMN_UNREAD = 0,
    SK_COLUMN_SEEN, /* by an estimator that did not care what it holds: numbers */
    SK_COLUMN_NUMBERS,
    SK_COLUMN_TEXTS
} sk_column_use;

#define SK_TABLES_KEPT 8
typedef struct sk_kept_table {
    const sk_block *blocks;
    sk_name numbers;
    sk_name singles;
} sk_kept_table;

typedef struct sk_inputs {
    uint32_t count;
    const char *const *names; /* of each column */
    bool named;               /* in training, not made up */
    bool any;                 /* how many there are is of no matter: X is [batch, ?] */
    uint8_t *use;             /* sk_column_use of each column */
    uint8_t *empty;           /* sk_empty of each column; 0: nobody has asked */
    name_map *places;         /* name -> column */
    /* The latest tables that were made one value, so that several readers share it. */
    sk_kept_table kept[SK_TABLES_KEPT];
    uint32_t kept_count;
} sk_inputs;

/* The table of all of the model's own columns. */
wlk_status sk_table_inputs(sk *s, sk_table *out);
/* Columns of the model's own that nobody has read become SEEN. */
void sk_table_seen(sk *s, const sk_table *table);
/* Is each column an input of its own? */
bool sk_inputs_apart(const sk *s);
/* The dtype of a column that is an input of its own. */
wlk_dtype sk_inputs_dtype(const sk *s, uint32_t column);

/* ---- the graph (sk_graph.c, sk_emit.c) */

typedef struct sk_tensor {
    wlk_dtype dtype;
    uint32_t rank;
    uint64_t shape[WLK_MAX_RANK];
    const void *data;
    uint64_t nbytes;
    const char *owner; /* the class of the estimator that it is of */
    sk_name name;      /* in the image */
    uint32_t index;    /* in the image */
    bool used;
} sk_tensor;

typedef struct sk_attribute {
    const char *name;
    wlk_attribute_type type;
    uint32_t count;
    const uint64_t *values;
    const char *text;
    uint32_t tensor;
} sk_attribute;

typedef struct sk_op {
    const char *domain;
    const char *op;
    const char *owner;
    const sk_name *inputs;
    uint32_t input_count;
    uint32_t first_output; /* a value's number */
    uint32_t output_count;
    uint32_t first_attribute;
    uint32_t attribute_count;
    bool used;
} sk_op;

/* A value is made by a node, or holds columns of the model's own. */
typedef struct sk_value {
    uint32_t node;           /* WLK_NONE: columns */
    const uint32_t *columns; /* which of the model's own */
    uint32_t column_count;
    bool used;
    sk_name name; /* in the image */
} sk_value;

typedef struct sk_items {
    void *items;
    uint32_t count;
    uint32_t room;
} sk_items;

typedef struct sk_graph {
    sk_items tensors;    /* sk_tensor; their names are "c" and the number */
    sk_items values;     /* sk_value; "v" and the number */
    sk_items nodes;      /* sk_op */
    sk_items attributes; /* sk_attribute */
    name_map *shared;    /* small tensors by dtype, shape and bytes */
} sk_graph;

/* Room for one more item, zeroed; NULL if there is no memory. */
void *sk_add(sk *s, sk_items *list, uint64_t size);

/* What a name is the name of; false if it is no such name. */
bool sk_tensor_of(const sk *s, sk_name name, uint32_t *number);
bool sk_value_of(const sk *s, sk_name name, uint32_t *number);

/* A value of columns of the model's own. */
wlk_status sk_columns_value(sk *s, const uint32_t *columns, uint32_t count, sk_name *out);

/* A result of the whole model. */
typedef struct sk_output {
    const char *name;
    sk_name value;
    wlk_dtype dtype;
    uint64_t columns; /* 0: [batch], else [batch, columns] */
} sk_output;

/* Hands everything that the outputs need to the image. */
wlk_status sk_emit(sk *s, const sk_output *outputs, uint32_t count, image_builder *builder);

/* ---- the whole (sk_model.c, sk_rows.c, sk_metadata.c) */

/* What the estimator can do, that of what it holds if it is a meta-estimator: sk_role. */
wlk_status sk_roles(sk *s, const py_value *estimator, uint32_t *roles);

typedef struct sk_summary {
    const py_value *estimator;
    const sk_source *source;
    const char *kind;         /* "classifier" ... */
    const sk_labels *classes; /* whose probabilities the columns are; NULL: none */
} sk_summary;
wlk_status sk_metadata(sk *s, const sk_summary *summary, image_builder *builder);

#endif
