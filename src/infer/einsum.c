#include "infer/einsum.h"

#include <string.h>

#include "infer/shape.h"

/* ---- the equation */

/* A place in the equation; spaces do not count. */
typedef struct scanner {
    const op_call *call;
    const char *at;
} scanner;

static char peek(scanner *s) {
    while (*s->at == ' ') s->at++;
    return *s->at;
}

static wlk_status equation_fail(const scanner *s, const char *what) {
    return op_fail(s->call, RULE_PLAN_ATTRIBUTE_VALUE, "equation: %s before '%.20s'", what, s->at);
}

static bool label_of(char letter, uint8_t *label) {
    if (letter >= 'A' && letter <= 'Z')
        *label = (uint8_t)(letter - 'A');
    else if (letter >= 'a' && letter <= 'z')
        *label = (uint8_t)(letter - 'a' + 26);
    else
        return false;
    return true;
}

static wlk_status read_term(scanner *s, einsum_term *term) {
    uint8_t label = 0;
    *term = (einsum_term){.ellipsis = EINSUM_NO_ELLIPSIS};
    for (;;) {
        const char next = peek(s);
        if (label_of(next, &label)) {
            if (term->count == WLK_MAX_RANK) return equation_fail(s, "more than 8 letters");
            term->labels[term->count++] = label;
            s->at++;
        } else if (next == '.' && strncmp(s->at, "...", 3) == 0) {
            if (term->ellipsis != EINSUM_NO_ELLIPSIS) return equation_fail(s, "a second ellipsis");
            term->ellipsis = term->count;
            s->at += 3;
        } else {
            return WLK_OK;
        }
    }
}

/* How often each letter stands on the left. */
typedef struct letter_counts {
    uint32_t of[EINSUM_LETTERS];
    bool ellipsis;
} letter_counts;

static void count_letters(const einsum_term *term, letter_counts *counts) {
    for (uint32_t i = 0; i < term->count; i++) counts->of[term->labels[i]]++;
    if (term->ellipsis != EINSUM_NO_ELLIPSIS) counts->ellipsis = true;
}

/* Without "->" the result has the letters that stand once, in order. */
static wlk_status implied_result(const scanner *s, const letter_counts *counts,
                                 einsum_term *result) {
    *result = (einsum_term){.ellipsis = counts->ellipsis ? 0 : EINSUM_NO_ELLIPSIS};
    for (uint32_t label = 0; label < EINSUM_LETTERS; label++) {
        if (counts->of[label] != 1) continue;
        if (result->count == WLK_MAX_RANK) {
            return op_fail(s->call, RULE_PLAN_RANK, "the result of the equation");
        }
        result->labels[result->count++] = (uint8_t)label;
    }
    return WLK_OK;
}

static wlk_status read_result(scanner *s, const letter_counts *counts, einsum_term *result) {
    bool seen[EINSUM_LETTERS] = {false};
    TRY(read_term(s, result));
    for (uint32_t i = 0; i < result->count; i++) {
        const uint32_t label = result->labels[i];
        if (counts->of[label] == 0) return equation_fail(s, "a letter that no input has");
        if (seen[label]) return equation_fail(s, "a letter twice in the result");
        seen[label] = true;
    }
    if (result->ellipsis != EINSUM_NO_ELLIPSIS && !counts->ellipsis) {
        return equation_fail(s, "an ellipsis that no input has");
    }
    return WLK_OK;
}

static wlk_status read_inputs(scanner *s, uint32_t count, einsum_term *terms,
                              letter_counts *counts) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && peek(s) != ',') return equation_fail(s, "fewer terms than inputs");
        if (i > 0) s->at++;
        TRY(read_term(s, &terms[i]));
        count_letters(&terms[i], counts);
    }
    return WLK_OK;
}

wlk_status einsum_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    void *room = NULL;
    void *terms = NULL;
    const uint32_t count = call->node->inputs;
    scanner s = {.call = call, .at = op_attribute(call, 0).s};
    letter_counts counts = {.ellipsis = false};
    TRY(plan_take(memory, 1, sizeof(einsum_equation), &room, call->error));
    TRY(plan_take(memory, count, sizeof(einsum_term), &terms, call->error));
    einsum_equation *equation = room;
    *equation = (einsum_equation){.count = count, .terms = terms};
    TRY(read_inputs(&s, count, terms, &counts));
    if (peek(&s) == '-' && s.at[1] == '>') {
        s.at += 2;
        TRY(read_result(&s, &counts, &equation->result));
    } else {
        TRY(implied_result(&s, &counts, &equation->result));
    }
    if (peek(&s) != '\0') return equation_fail(&s, "something that is no term");
    *prepared = equation;
    return WLK_OK;
}

/* ---- over the operands */

/* Ellipses of different lengths are aligned at their last dim, as in broadcasting. */
uint32_t einsum_label(const einsum_layout *layout, const einsum_term *term, uint32_t rank,
                      uint32_t axis) {
    const uint32_t dots = rank - term->count;
    if (axis < term->ellipsis) return term->labels[axis];
    if (axis >= term->ellipsis + dots) return term->labels[axis - dots];
    return EINSUM_LETTERS + layout->ellipsis_rank - dots + (axis - term->ellipsis);
}

static wlk_status check_rank(const op_call *call, const einsum_term *term, uint32_t i) {
    const op_tensor *in = op_input(call, i);
    const bool open = term->ellipsis != EINSUM_NO_ELLIPSIS;
    if (in->rank == term->count || (open && in->rank > term->count)) return WLK_OK;
    return op_fail(call, op_shape_rule(call), "input %u has %u dimensions, its term %u", i,
                   in->rank, term->count);
}

static wlk_status lay_operand(const op_call *call, const einsum_term *term, uint32_t i,
                              einsum_layout *out) {
    const op_tensor *in = op_input(call, i);
    for (uint32_t a = 0; a < in->rank; a++) {
        const uint32_t label = einsum_label(out, term, in->rank, a);
        if (!dims_broadcast(&out->dims[label], 1, &in->dims[a], 1, &out->dims[label])) {
            return op_fail(call, op_shape_rule(call), "axis %u of input %u does not fit the others",
                           a, i);
        }
        out->occurs[label] = true;
    }
    return WLK_OK;
}

static wlk_status lay_result(const op_call *call, const einsum_term *term, einsum_layout *out) {
    const uint32_t dots = term->ellipsis == EINSUM_NO_ELLIPSIS ? 0 : out->ellipsis_rank;
    out->result_rank = term->count + dots;
    if (out->result_rank > WLK_MAX_RANK) {
        return op_fail(call, RULE_PLAN_RANK, "the result of the equation");
    }
    for (uint32_t a = 0; a < out->result_rank; a++) {
        out->result[a] = (uint8_t)einsum_label(out, term, out->result_rank, a);
    }
    return WLK_OK;
}

wlk_status einsum_lay_out(const op_call *call, einsum_layout *out) {
    const einsum_equation *equation = call->node->prepared;
    memset(out, 0, sizeof *out);
    out->known = true;
    for (uint32_t i = 0; i < EINSUM_LABELS; i++) out->dims[i] = 1;
    for (uint32_t i = 0; i < equation->count; i++) {
        const op_tensor *in = op_input(call, i);
        if (in->rank == WLK_NONE) {
            out->known = false;
            continue;
        }
        TRY(check_rank(call, &equation->terms[i], i));
        const uint32_t dots = in->rank - equation->terms[i].count;
        if (dots > out->ellipsis_rank) out->ellipsis_rank = dots;
    }
    if (!out->known) return WLK_OK;
    for (uint32_t i = 0; i < equation->count; i++) {
        TRY(lay_operand(call, &equation->terms[i], i, out));
    }
    return lay_result(call, &equation->result, out);
}

void einsum_steps(const op_call *call, const einsum_layout *layout, uint32_t i,
                  uint64_t steps[EINSUM_LABELS]) {
    const einsum_equation *equation = call->node->prepared;
    const op_tensor *in = op_input(call, i);
    uint64_t step = 1;
    memset(steps, 0, EINSUM_LABELS * sizeof *steps);
    for (uint32_t a = in->rank; a-- > 0;) {
        const uint32_t label = einsum_label(layout, &equation->terms[i], in->rank, a);
        if (in->dims[a] != 1) steps[label] += step;
        step *= (uint64_t)in->dims[a];
    }
}
