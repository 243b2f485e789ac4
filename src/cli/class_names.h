/* What a model calls the columns of an output of class scores. */
#ifndef WLK_CLI_CLASS_NAMES_H
#define WLK_CLI_CLASS_NAMES_H

#include <weighlock/model.h>

#include "base/error.h"

/* Which node makes each value of the model: built once, so that looking up many
 * outputs does not search all nodes for each. */
typedef struct class_names {
    const wlk_model *model;
    uint32_t *maker; /* by value index; WLK_NONE: no node of the main graph */
} class_names;

/* Where the names of one output's columns stand. */
typedef struct class_list {
    uint32_t attribute; /* classlabels_* of the node that makes it; or WLK_NONE */
    uint32_t metadata;  /* the first entry of /metadata/source/target_names; or WLK_NONE */
    uint32_t count;     /* 0: the model does not name them */
} class_list;

#define CLASS_NAME_BYTES 257 /* a longer name is not taken for a column's */

WLK_MUST_USE wlk_status class_names_open(const wlk_model *model, class_names *names,
                                         wlk_error *error);
void class_names_close(class_names *names);

/* The names of output i of the main graph, whose result is `tensor`: scores of shape
 * [rows, classes], not empty, with two to `most` classes. count is that of the
 * classes, or 0. */
class_list class_names_of(const class_names *names, uint32_t output, const wlk_tensor *tensor,
                          uint64_t most);

/* The name of class i: in the model, or as a number in `text`. */
const char *class_name(const class_names *names, const class_list *list, uint32_t i,
                       char text[CLASS_NAME_BYTES]);

#endif
