/* A node's attributes, checked against its operator's schema and read once, when
 * the plan is made: rules and kernels find them by their place in the schema.
 *
 * Where ONNX stores a number of its type enumeration in an int ("to" of Cast),
 * the attribute is of type dtype here; the number is taken too. In the place of a
 * list of ints, floats or strings a tensor i64, f32 or str of one axis is taken: how
 * a format stores what is long. */
#ifndef WLK_INFER_ATTRIBUTES_H
#define WLK_INFER_ATTRIBUTES_H

#include "infer/memory.h"

/* One row of a schema. An attribute that is absent and not required has the
 * default; an absent list is empty. */
typedef struct attribute_row {
    const char *name;
    wlk_attribute_type type;
    bool required;
    int64_t i;     /* default of INT, DTYPE */
    double f;      /* default of FLOAT */
    const char *s; /* default of STRING */
} attribute_row;

/* An attribute's value; which member holds it follows from the row's type. Lists
 * lie in the plan's memory; floats of a list are 32-bit, as ONNX's are. */
typedef struct attribute_value {
    bool given;
    uint32_t count; /* of a list */
    union {
        int64_t i; /* INT; DTYPE: wlk_dtype; TENSOR, GRAPH, TYPE: its index */
        double f;
        const char *s;
        const int64_t *ints;
        const float *floats;
        const char *const *strings;
    };
} attribute_value;

struct op_call;

/* Reads the node's attributes as its row's schema says: *values is an array of
 * that many. Rules: plan.attribute, plan.memory. */
wlk_status attributes_read(const struct op_call *call, plan_memory *memory,
                           const attribute_value **values);

#endif
