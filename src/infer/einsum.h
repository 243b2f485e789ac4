/* Einsum's equation, and how it lies over the operands. A label is a letter, or one of
 * the dims that an ellipsis stands for. */
#ifndef WLK_INFER_EINSUM_H
#define WLK_INFER_EINSUM_H

#include "infer/op.h"

#define EINSUM_LETTERS 52
#define EINSUM_LABELS (EINSUM_LETTERS + WLK_MAX_RANK)
#define EINSUM_NO_ELLIPSIS UINT32_MAX

/* The labels of one operand or of the result, with the ellipsis before label number
 * `ellipsis`. */
typedef struct einsum_term {
    uint32_t count;
    uint32_t ellipsis;
    uint8_t labels[WLK_MAX_RANK];
} einsum_term;

typedef struct einsum_equation {
    uint32_t count; /* of terms: one for each input */
    const einsum_term *terms;
    einsum_term result;
} einsum_equation;

/* The `prepare` of Einsum: *prepared is an einsum_equation. plan.attribute-value. */
wlk_status einsum_prepare(op_call *call, plan_memory *memory, const void **prepared);

/* The dims that labels have, and the result's labels in order. A dim of 1 stretches. */
typedef struct einsum_layout {
    bool known; /* are the ranks of all inputs? */
    uint32_t ellipsis_rank;
    int64_t dims[EINSUM_LABELS]; /* 1 where a label does not occur */
    bool occurs[EINSUM_LABELS];
    uint32_t result_rank;
    uint8_t result[WLK_MAX_RANK];
} einsum_layout;

/* plan.shape or run.shape where operands do not fit, plan.rank. */
wlk_status einsum_lay_out(const op_call *call, einsum_layout *out);

/* The label of axis a of an operand of that rank. */
uint32_t einsum_label(const einsum_layout *layout, const einsum_term *term, uint32_t rank,
                      uint32_t axis);

/* Steps of operand i along each label, in elements: 0 where it does not have it or is
 * stretched; the sum where a label stands twice. In a run. */
void einsum_steps(const op_call *call, const einsum_layout *layout, uint32_t i,
                  uint64_t steps[EINSUM_LABELS]);

#endif
