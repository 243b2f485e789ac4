#include "infer/ops.h"

#include <string.h>

static const op_family *const families[] = {
    &ops_elementwise, &ops_activation, &ops_shape,     &ops_cast,      &ops_matrix,
    &ops_reduce,      &ops_ml_scale,   &ops_ml_linear, &ops_weighlock,
};
#define FAMILIES (sizeof families / sizeof *families)

const op_domain op_domains[OP_DOMAINS] = {
    {"", "ai.onnx", 7, 21},
    {"ai.onnx.ml", "ai.onnx.ml", 1, 5},
    {"org.weighlock", "org.weighlock", 1, 1},
};

uint32_t ops_domain(const char *name) {
    for (uint32_t i = 0; i < OP_DOMAINS; i++) {
        const op_domain *domain = &op_domains[i];
        if (strcmp(domain->name, name) == 0 || strcmp(domain->title, name) == 0) return i;
    }
    return OP_DOMAINS;
}

const op_row *ops_row(uint32_t i) {
    for (size_t f = 0; f < FAMILIES; f++) {
        if (i < families[f]->count) return &families[f]->rows[i];
        i -= families[f]->count;
    }
    return NULL;
}

static const op_row *find_in(const op_family *family, const char *domain, const char *name,
                             uint32_t opset) {
    const op_row *best = NULL;
    for (uint32_t i = 0; i < family->count; i++) {
        const op_row *row = &family->rows[i];
        if (row->since > opset || strcmp(row->name, name) != 0) continue;
        if (strcmp(row->domain, domain) != 0) continue;
        if (!best || row->since > best->since) best = row;
    }
    return best;
}

const op_row *ops_find(uint32_t domain, const char *name, uint32_t opset) {
    for (size_t f = 0; f < FAMILIES && domain < OP_DOMAINS; f++) {
        const op_row *row = find_in(families[f], op_domains[domain].name, name, opset);
        if (row) return row;
    }
    return NULL;
}
