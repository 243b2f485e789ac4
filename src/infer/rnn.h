/* What RNN, GRU and LSTM share: their attributes as read once, and one step of one
 * sequence. */
#ifndef WLK_INFER_RNN_H
#define WLK_INFER_RNN_H

#include "infer/op.h"

typedef enum rnn_kind { RNN_PLAIN, RNN_GRU, RNN_LSTM } rnn_kind;

/* Applies a function to row[0..count), f32 or f64. */
typedef void (*rnn_function)(void *row, uint64_t count, double alpha, double beta);

typedef struct rnn_activation {
    rnn_function f32;
    rnn_function f64;
    double alpha;
    double beta;
} rnn_activation;

#define RNN_DIRECTIONS 2
#define RNN_ACTIVATIONS 3 /* the most that one direction has */

/* A node's attributes, for its kernel: what `prepare` makes. */
typedef struct rnn_config {
    rnn_kind kind;
    uint32_t gates;       /* 1, 3, 4 */
    uint32_t activations; /* of one direction: 1, 2, 3 */
    uint32_t directions;
    bool reverse; /* the first direction goes backwards */
    bool batch_first;
    bool linear_before_reset;
    bool input_forget;
    bool clips;
    double clip;
    int64_t hidden; /* WLK_UNKNOWN_DIM if the node does not say */
    rnn_activation functions[RNN_DIRECTIONS][RNN_ACTIVATIONS];
} rnn_config;

/* Reads the node's attributes by their names. plan.attribute-value if one cannot be. */
wlk_status rnn_prepare(op_call *call, plan_memory *memory, const void **prepared);

/* The activation of that name with its default alpha and beta; which of the two it has
 * at all. False if there is none. */
typedef struct rnn_named {
    rnn_activation function;
    bool has_alpha;
    bool has_beta;
} rnn_named;
bool rnn_find_activation(const char *name, rnn_named *out);

/* One step of one sequence. All are rows of `hidden` elements, or of so many for each
 * gate, in the order in which the standard stores gates. */
typedef struct rnn_step {
    const rnn_config *config;
    const rnn_activation *functions;
    uint64_t hidden;
    void *input;            /* what X and the biases give, for each gate; is overwritten */
    const void *state;      /* what the recurrence gives, for each gate (GRU: z and r) */
    const void *inner;      /* GRU: what it gives for the hidden gate */
    void *reset;            /* GRU: r (.) H goes here */
    const void *inner_bias; /* GRU: the recurrence's bias of the hidden gate, or NULL */
    const void *peepholes;  /* LSTM: i, o, f; NULL if there are none */
    void *h;
    void *c;
} rnn_step;

/* The functions of one dtype. GRU takes its step in two parts, between which the caller
 * computes `inner` from `reset`. */
typedef struct rnn_cells {
    void (*plain)(const rnn_step *step);
    void (*lstm)(const rnn_step *step);
    void (*gru_gates)(const rnn_step *step);
    void (*gru)(const rnn_step *step);
} rnn_cells;
const rnn_cells *rnn_cells_of(wlk_dtype dtype);

#endif
