/* The record of one tree: which of its fields lies where. Versions differ in the fields and
 * their places, machines in the size of numbers and their byte order; a field is found by its
 * name, and one whose meaning is not known is refused. */
#include <string.h>

#include "formats/sklearn/sk_forest.h"

typedef enum field_use {
    FIELD_NEEDED,
    FIELD_OPTIONAL,
    FIELD_IGNORED, /* of training, or follows from the others */
    FIELD_UNUSED   /* without meaning as long as it is zero */
} field_use;

typedef struct field_row {
    const char *name;
    field_use use;
    const char *kinds; /* numpy's letters */
    uint32_t sizes;    /* the sum of the sizes that it may have */
    size_t at;         /* in sk_tree */
} field_row;

/* Splits by categories are in the records of versions to come; where there are none, the
 * fields that describe them are zero. */
static const field_row tree_rows[] = {
    {"left_child", FIELD_NEEDED, "i", 4 + 8, offsetof(sk_tree, left)},
    {"right_child", FIELD_NEEDED, "i", 4 + 8, offsetof(sk_tree, right)},
    {"feature", FIELD_NEEDED, "i", 4 + 8, offsetof(sk_tree, feature)},
    {"threshold", FIELD_NEEDED, "f", 8, offsetof(sk_tree, threshold)},
    {"n_node_samples", FIELD_NEEDED, "i", 4 + 8, offsetof(sk_tree, samples)},
    {"missing_go_to_left", FIELD_OPTIONAL, "u", 1, offsetof(sk_tree, nan_left)},
    {"impurity", FIELD_IGNORED, NULL, 0, 0},
    {"weighted_n_node_samples", FIELD_IGNORED, NULL, 0, 0},
    {"left_cat_bitset", FIELD_UNUSED, NULL, 0, 0},
    {"split_kind", FIELD_UNUSED, NULL, 0, 0},
};

static const field_row histogram_rows[] = {
    {"value", FIELD_NEEDED, "f", 8, offsetof(sk_tree, value)},
    {"feature_idx", FIELD_NEEDED, "iu", 4 + 8, offsetof(sk_tree, feature)},
    {"num_threshold", FIELD_NEEDED, "f", 8, offsetof(sk_tree, threshold)},
    {"missing_go_to_left", FIELD_NEEDED, "u", 1, offsetof(sk_tree, nan_left)},
    {"left", FIELD_NEEDED, "u", 4, offsetof(sk_tree, left)},
    {"right", FIELD_NEEDED, "u", 4, offsetof(sk_tree, right)},
    {"is_leaf", FIELD_NEEDED, "u", 1, offsetof(sk_tree, is_leaf)},
    {"is_categorical", FIELD_NEEDED, "u", 1, offsetof(sk_tree, is_set)},
    {"bitset_idx", FIELD_NEEDED, "u", 4, offsetof(sk_tree, set)},
    {"count", FIELD_IGNORED, NULL, 0, 0},
    {"gain", FIELD_IGNORED, NULL, 0, 0},
    {"depth", FIELD_IGNORED, NULL, 0, 0},
    {"bin_threshold", FIELD_IGNORED, NULL, 0, 0},
};

typedef struct field_table {
    const field_row *rows;
    uint32_t count;
} field_table;

static const field_table tree_table = {tree_rows, sizeof tree_rows / sizeof *tree_rows};
static const field_table histogram_table = {histogram_rows,
                                            sizeof histogram_rows / sizeof *histogram_rows};

/* ---- fields by their names */

static const field_row *find_row(const field_table *table, const py_text *name) {
    for (uint32_t i = 0; i < table->count; i++) {
        const char *known = table->rows[i].name;
        if (strlen(known) == name->length && memcmp(known, name->data, name->length) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static wlk_status refuse_field(sk *s, const sk_tree *tree, const char *name, size_t length,
                               const char *what) {
    return sk_refuse(s, RULE_SKLEARN_STATE, tree->at, "the field '%.*s' of its nodes %s",
                     (int)(length < 64 ? length : 64), name, what);
}

static wlk_status set_field(sk *s, sk_tree *tree, const field_row *row, const py_field *field) {
    const py_dtype *dtype = field->dtype;
    const uint32_t size = dtype->itemsize;
    const bool fits = strchr(row->kinds, dtype->kind) && (size == 1 || size == 4 || size == 8);
    if (!fits || !(size & row->sizes))
        return refuse_field(s, tree, row->name, strlen(row->name), "is of another type");
    tree_field *place = (tree_field *)((char *)tree + row->at);
    *place = (tree_field){(uint32_t)field->offset, (uint8_t)dtype->itemsize, dtype->kind == 'i',
                          dtype->big};
    return WLK_OK;
}

static wlk_status take_field(sk *s, sk_tree *tree, const field_table *table,
                             const py_field *field) {
    const char *name = (const char *)field->name.data;
    const field_row *row = find_row(table, &field->name);
    const uint64_t end = field->offset + field->dtype->itemsize;
    if (!row) return refuse_field(s, tree, name, field->name.length, "is not known");
    if (field->offset > tree->node_bytes || end > tree->node_bytes) {
        return refuse_field(s, tree, name, field->name.length, "lies outside of them");
    }
    if (row->use == FIELD_IGNORED) return WLK_OK;
    if (row->use != FIELD_UNUSED) return set_field(s, tree, row, field);
    if (tree->unused_count == TREE_UNUSED_FIELDS) {
        return refuse_field(s, tree, name, field->name.length, "comes too often");
    }
    tree->unused[tree->unused_count++] =
        (struct tree_span){(uint32_t)field->offset, field->dtype->itemsize};
    return WLK_OK;
}

static wlk_status take_fields(sk *s, sk_tree *tree, const field_table *table,
                              const py_dtype *dtype) {
    for (uint32_t i = 0; i < dtype->field_count; i++) {
        TRY(take_field(s, tree, table, &dtype->fields[i]));
    }
    for (uint32_t i = 0; i < table->count; i++) {
        const field_row *row = &table->rows[i];
        const tree_field *field = (const tree_field *)((const char *)tree + row->at);
        if (row->use != FIELD_NEEDED || field->size > 0) continue;
        return refuse_field(s, tree, row->name, strlen(row->name), "is missing");
    }
    return WLK_OK;
}

/* ---- state */

static wlk_status need_array(sk *s, const sk_tree *tree, const char *key, const py_array **out) {
    const py_value *value = py_get(tree->at, key);
    if (!value || value->kind != PY_ARRAY) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree->at, "its tree has no array '%s'", key);
    }
    *out = value->array;
    return WLK_OK;
}

static wlk_status take_nodes(sk *s, sk_tree *tree, const field_table *table) {
    const py_array *nodes = NULL;
    TRY(need_array(s, tree, "nodes", &nodes));
    if (nodes->dtype->kind != 'V' || nodes->rank != 1) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree->at, "the nodes are no list of records");
    }
    if (nodes->count == 0 || nodes->count > UINT32_MAX / 4) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, tree->at, "a tree of %llu nodes",
                         (unsigned long long)nodes->count);
    }
    tree->nodes = nodes->data;
    tree->count = (uint32_t)nodes->count;
    tree->node_bytes = nodes->dtype->itemsize;
    return take_fields(s, tree, table, nodes->dtype);
}

static wlk_status take_count(sk *s, const sk_tree *tree) {
    const py_value *count = py_get(tree->at, "node_count");
    if (count && count->kind == PY_INT && count->integer == tree->count) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_SHAPE, tree->at, "node_count is not %u, the number of nodes",
                     tree->count);
}

static wlk_status take_values(sk *s, sk_tree *tree) {
    const py_array *values = NULL;
    TRY(need_array(s, tree, "values", &values));
    if (values->dtype->kind != 'f' || values->dtype->itemsize != 8 || values->fortran) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree->at, "the values are no rows of float64");
    }
    const bool fits = values->rank == 3 && values->shape[0] == tree->count &&
                      values->shape[1] == tree->outputs && values->shape[2] > 0 &&
                      values->shape[2] <= UINT32_MAX / tree->outputs;
    if (!fits) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, tree->at,
                         "the values are not %u of %u outputs each", tree->count, tree->outputs);
    }
    tree->values = values->data;
    tree->values_big = values->dtype->big;
    tree->classes = (uint32_t)values->shape[2];
    tree->stride = tree->outputs * tree->classes;
    return WLK_OK;
}

/* Argument i of the constructor: a number from 1 on. */
static wlk_status take_argument(sk *s, const sk_tree *tree, uint32_t i, uint32_t *out) {
    const py_value *arguments = tree->at->object->arguments;
    const bool there = arguments && (arguments->items.count == 3 || arguments->items.count == 4);
    const py_value *value = there ? arguments->items.list[i] : NULL;
    if (!value || value->kind != PY_INT || value->integer < 1 || value->integer > INT32_MAX) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree->at,
                         "its tree does not say how many features and outputs it has");
    }
    *out = (uint32_t)value->integer;
    return WLK_OK;
}

/* A forest may have one tree many times: what is looked up in its state is looked up as often. */
#define MOST_ENTRIES 64

static bool is_tree(const py_value *value, const char *class_name) {
    if (!py_is_object(value, class_name)) return false;
    const py_value *state = value->object->state;
    return state && state->kind == PY_DICT && state->items.count / 2 <= MOST_ENTRIES;
}

wlk_status sk_tree_read(sk *s, const py_value *tree, uint64_t features, sk_tree *out) {
    *out = (sk_tree){.at = tree};
    if (!is_tree(tree, "Tree")) {
        return sk_refuse(s, RULE_SKLEARN_STATE, tree, "'tree_' is no tree");
    }
    TRY(take_argument(s, out, 0, &out->features));
    TRY(take_argument(s, out, 2, &out->outputs));
    if (out->features != features) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, tree, "its tree has %u features, not %llu",
                         out->features, (unsigned long long)features);
    }
    TRY(take_nodes(s, out, &tree_table));
    TRY(take_count(s, out));
    return take_values(s, out);
}

static wlk_status take_sets(sk *s, sk_tree *tree) {
    const py_array *sets = NULL;
    TRY(need_array(s, tree, "raw_left_cat_bitsets", &sets));
    const bool fits = sets->dtype->kind == 'u' && sets->dtype->itemsize == 4 && !sets->fortran &&
                      sets->rank == 2 && sets->shape[1] == 8 && sets->shape[0] <= tree->count;
    if (!fits) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, tree->at,
                         "the sets of categories are no rows of 8 uint32");
    }
    tree->sets = sets->data;
    tree->sets_big = sets->dtype->big;
    tree->set_count = (uint32_t)sets->shape[0];
    return WLK_OK;
}

wlk_status sk_tree_read_histogram(sk *s, const py_value *predictor, uint64_t features,
                                  sk_tree *out) {
    *out = (sk_tree){.at = predictor, .features = (uint32_t)features, .outputs = 1, .stride = 1};
    if (!is_tree(predictor, "TreePredictor")) {
        return sk_refuse(s, RULE_SKLEARN_STATE, predictor, "'_predictors' holds what is no tree");
    }
    TRY(take_nodes(s, out, &histogram_table));
    return take_sets(s, out);
}
