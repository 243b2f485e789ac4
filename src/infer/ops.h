/* The operator table: one const array for each family, joined in ops.c. */
#ifndef WLK_INFER_OPS_H
#define WLK_INFER_OPS_H

#include "infer/op.h"

typedef struct op_family {
    const op_row *rows;
    uint32_t count;
} op_family;

extern const op_family ops_elementwise; /* Add Sub Mul Div */
extern const op_family ops_activation;  /* Relu Sigmoid Tanh Softmax */
extern const op_family ops_shape;       /* Identity Reshape Concat */
extern const op_family ops_cast;        /* Cast */
extern const op_family ops_matrix;      /* MatMul Gemm */
extern const op_family ops_reduce;      /* ArgMax */
extern const op_family ops_ml_scale;    /* ai.onnx.ml: Scaler Normalizer */
extern const op_family ops_ml_linear;   /* ai.onnx.ml: LinearClassifier LinearRegressor */
extern const op_family ops_weighlock;   /* org.weighlock */

/* A domain, and the opset versions for which the table is complete as far as it
 * goes: above `newest` an operator may have changed its meaning. */
typedef struct op_domain {
    const char *name;  /* "" is ai.onnx, and is also spelled so */
    const char *title; /* for people */
    uint32_t oldest;
    uint32_t newest;
} op_domain;

#define OP_DOMAINS 3
extern const op_domain op_domains[OP_DOMAINS];

/* The domain of that name, OP_DOMAINS if there is none. */
uint32_t ops_domain(const char *name);

/* Row i over all families, NULL past the last: for documentation and tests. */
const op_row *ops_row(uint32_t i);

/* The operator's newest row that is not newer than `opset`, NULL if none. */
const op_row *ops_find(uint32_t domain, const char *name, uint32_t opset);

#endif
