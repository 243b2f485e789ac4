/* RNN, GRU, LSTM. What the gates get from the inputs is one product for all steps and
 * sequences; each step then adds what they get from the state. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "infer/blas.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/rnn.h"
#include "infer/shape.h"

enum { IN_X, IN_W, IN_R, IN_B, IN_LENGTHS, IN_H, IN_C, IN_P };
enum { OUT_Y, OUT_H, OUT_C };

/* Sizes of a call, unknown ones WLK_UNKNOWN_DIM. */
typedef struct rnn_dims {
    int64_t steps;
    int64_t batch;
    int64_t input;
    int64_t hidden;
    int64_t gates; /* elements of all gates: gates * hidden */
    int64_t directions;
} rnn_dims;

static const rnn_config *config_of(const op_call *call) {
    return call->node->prepared;
}

/* ---- shapes */

static int64_t dim_of(const op_tensor *tensor, uint32_t axis) {
    return tensor->rank == WLK_NONE ? WLK_UNKNOWN_DIM : tensor->dims[axis];
}

static wlk_status read_dims(const op_call *call, rnn_dims *out) {
    const rnn_config *config = config_of(call);
    const op_tensor *x = op_input(call, IN_X);
    for (uint32_t i = IN_X; i <= IN_R; i++) TRY(shape_need_rank(call, i, 3, 3));
    out->steps = dim_of(x, config->batch_first ? 1 : 0);
    out->batch = dim_of(x, config->batch_first ? 0 : 1);
    out->input = dim_known(dim_of(x, 2), dim_of(op_input(call, IN_W), 2));
    out->hidden = dim_known(dim_of(op_input(call, IN_R), 2), config->hidden);
    out->directions = config->directions;
    const int64_t gates[] = {config->gates, out->hidden};
    out->gates = dim_product(gates, 0, 2);
    return WLK_OK;
}

/* Is input i, if it is given, of exactly these dims, as far as they are known? */
static wlk_status need_dims(const op_call *call, uint32_t i, uint32_t rank, const int64_t *dims) {
    const op_tensor *in = op_input(call, i);
    if (!in || in->rank == WLK_NONE) return WLK_OK;
    bool fits = in->rank == rank;
    for (uint32_t a = 0; fits && a < rank; a++) fits = dim_agrees(in->dims[a], dims[a]);
    if (fits) return WLK_OK;
    op_tensor wanted = {.dtype = in->dtype, .rank = rank};
    char is[TENSOR_TEXT_BYTES];
    char must[TENSOR_TEXT_BYTES];
    memcpy(wanted.dims, dims, rank * sizeof *dims);
    return op_fail(call, op_shape_rule(call), "input %u is %s, must be %s", i, tensor_text(in, is),
                   tensor_text(&wanted, must));
}

/* The dims of a state: for each direction, for each sequence. */
static void state_dims(const op_call *call, const rnn_dims *d, int64_t dims[3]) {
    const bool batch_first = config_of(call)->batch_first;
    dims[0] = batch_first ? d->batch : d->directions;
    dims[1] = batch_first ? d->directions : d->batch;
    dims[2] = d->hidden;
}

static int64_t twice(int64_t dim) {
    const int64_t dims[] = {2, dim};
    return dim_product(dims, 0, 2);
}

static int64_t thrice(int64_t dim) {
    const int64_t dims[] = {3, dim};
    return dim_product(dims, 0, 2);
}

static wlk_status check_inputs(const op_call *call, const rnn_dims *d) {
    int64_t state[3];
    state_dims(call, d, state);
    TRY(need_dims(call, IN_W, 3, (const int64_t[]){d->directions, d->gates, d->input}));
    TRY(need_dims(call, IN_R, 3, (const int64_t[]){d->directions, d->gates, d->hidden}));
    TRY(need_dims(call, IN_B, 2, (const int64_t[]){d->directions, twice(d->gates)}));
    TRY(need_dims(call, IN_LENGTHS, 1, (const int64_t[]){d->batch}));
    TRY(need_dims(call, IN_H, 3, state));
    TRY(need_dims(call, IN_C, 3, state));
    return need_dims(call, IN_P, 2, (const int64_t[]){d->directions, thrice(d->hidden)});
}

static void set_outputs(const op_call *call, const rnn_dims *d) {
    const wlk_dtype dtype = op_input(call, IN_X)->dtype;
    const bool batch_first = config_of(call)->batch_first;
    const int64_t forward[] = {d->steps, d->directions, d->batch, d->hidden};
    const int64_t batched[] = {d->batch, d->steps, d->directions, d->hidden};
    int64_t state[3];
    state_dims(call, d, state);
    op_set_output(call, OUT_Y, dtype, 4, batch_first ? batched : forward);
    op_set_output(call, OUT_H, dtype, 3, state);
    op_set_output(call, OUT_C, dtype, 3, state);
}

/* ---- working memory: parts of the scratch, in this order */

enum {
    ROOM_INPUT, /* [steps * batch, gates]: what X and the biases give */
    ROOM_STATE, /* [batch, gates]: what the recurrence gives */
    ROOM_H,     /* [batch, hidden] */
    ROOM_C,     /* the same */
    ROOM_RESET, /* the same */
    ROOM_BIAS,  /* [gates] */
    ROOMS
};

/* Elements of each; UINT64_MAX if they do not fit. */
static void room_counts(const rnn_dims *d, uint64_t counts[ROOMS]) {
    const int64_t input[] = {d->steps, d->batch, d->gates};
    const int64_t state[] = {d->batch, d->gates};
    const int64_t h[] = {d->batch, d->hidden};
    counts[ROOM_INPUT] = (uint64_t)dim_product(input, 0, 3);
    counts[ROOM_STATE] = (uint64_t)dim_product(state, 0, 2);
    counts[ROOM_H] = counts[ROOM_C] = counts[ROOM_RESET] = (uint64_t)dim_product(h, 0, 2);
    counts[ROOM_BIAS] = (uint64_t)d->gates;
}

static wlk_status need_room(op_call *call, const rnn_dims *d) {
    uint64_t counts[ROOMS];
    room_counts(d, counts);
    for (uint32_t i = 0; i < ROOMS; i++) {
        TRY(op_need_scratch(call, counts[i], wlk_dtype_bits(op_input(call, IN_X)->dtype) / 8));
    }
    return WLK_OK;
}

static product input_product(const rnn_dims *d) {
    return (product){.transpose_b = true,
                     .m = (uint64_t)d->steps * (uint64_t)d->batch,
                     .n = (uint64_t)d->gates,
                     .k = (uint64_t)d->input};
}

static wlk_status need_work(op_call *call, const rnn_dims *d) {
    const product p = input_product(d);
    const uint64_t directions = (uint64_t)d->directions;
    const product recurrent = {.m = (uint64_t)d->batch, .n = p.n, .k = (uint64_t)d->hidden};
    if (!product_fits(&p) || !product_fits(&recurrent)) {
        return op_fail(call, RULE_RUN_MATRIX, "%" PRIu64 " rows of %" PRIu64, p.m, p.n);
    }
    uint64_t elements = 0;
    if (!checked_mul(p.m, p.n, &elements)) elements = UINT64_MAX;
    op_add_operations(call, 1, directions, elements, p.k);
    op_add_operations(call, 1, directions, elements, recurrent.k);
    op_add_operations(call, 4 * OP_ELEMENT_COST, directions, elements, 1);
    op_add_operations(call, 4 * OP_CALL_COST, directions, (uint64_t)d->steps, 1);
    return WLK_OK;
}

static wlk_status rnn_infer(op_call *call) {
    rnn_dims d;
    TRY(read_dims(call, &d));
    TRY(check_inputs(call, &d));
    if (config_of(call)->hidden != WLK_UNKNOWN_DIM && config_of(call)->hidden != d.hidden) {
        return op_fail(call, op_shape_rule(call), "hidden_size is %" PRId64 ", R has %" PRId64,
                       config_of(call)->hidden, d.hidden);
    }
    set_outputs(call, &d);
    if (!call->binding) return WLK_OK;
    TRY(need_work(call, &d));
    return need_room(call, &d);
}

/* ---- one direction */

typedef struct rnn_job {
    const op_call *call;
    const rnn_config *config;
    const rnn_cells *cells;
    uint64_t steps, batch, input, hidden, gates, directions;
    uint64_t size; /* bytes of an element */
    uint64_t direction;
    uint64_t step;
    bool backwards;
    bool second_half; /* of a GRU's step */
    char *rooms[ROOMS];
} rnn_job;

/* Row `i` of an input that has one for each direction, NULL if it is omitted. */
static const char *row_of(const rnn_job *job, uint32_t input, uint64_t length) {
    const op_tensor *in = op_input(job->call, input);
    return in ? (const char *)in->data + job->direction * length * job->size : NULL;
}

static void multiply(const rnn_job *job, const product *p, const void *a, const void *b, bool add,
                     void *c) {
    if (job->size == sizeof(double)) {
        product_f64(p, 1, a, b, add ? 1 : 0, c);
    } else {
        product_f32(p, 1, a, b, add ? 1 : 0, c);
    }
}

/* The sum of both biases. GRU, linear before reset: that of the hidden gate's recurrence
 * comes later. */
static void sum_biases(const rnn_job *job) {
    const char *biases = row_of(job, IN_B, 2 * job->gates);
    const uint64_t late = job->config->linear_before_reset ? job->hidden : 0;
    char *sum = job->rooms[ROOM_BIAS];
    memset(sum, 0, job->gates * job->size);
    if (!biases) return;
    memcpy(sum, biases, job->gates * job->size);
    for (uint64_t i = 0; i + late < job->gates; i++) {
        if (job->size == sizeof(double)) {
            ((double *)(void *)sum)[i] += ((const double *)(const void *)biases)[job->gates + i];
        } else {
            ((float *)(void *)sum)[i] += ((const float *)(const void *)biases)[job->gates + i];
        }
    }
}

static void project_input(const rnn_job *job) {
    const uint64_t row = job->gates * job->size;
    const product p = {
        .transpose_b = true, .m = job->steps * job->batch, .n = job->gates, .k = job->input};
    sum_biases(job);
    for (uint64_t i = 0; i < p.m; i++) {
        memcpy(job->rooms[ROOM_INPUT] + i * row, job->rooms[ROOM_BIAS], row);
    }
    multiply(job, &p, op_input(job->call, IN_X)->data, row_of(job, IN_W, job->gates * job->input),
             true, job->rooms[ROOM_INPUT]);
}

/* out [batch, count] = state [batch, hidden] times rows `first` to `first + count` of R,
 * transposed. */
static void recur(const rnn_job *job, const void *state, uint64_t first, uint64_t count,
                  char *out) {
    const char *weights = row_of(job, IN_R, job->gates * job->hidden);
    const product p = {.transpose_b = true, .m = job->batch, .n = count, .k = job->hidden};
    multiply(job, &p, state, weights + first * job->hidden * job->size, false, out);
}

/* Bytes from one sequence's state to the next, in the tensors of the model. */
static uint64_t state_at(const rnn_job *job, uint64_t sequence) {
    const uint64_t row = job->config->batch_first ? sequence * job->directions + job->direction
                                                  : job->direction * job->batch + sequence;
    return row * job->hidden * job->size;
}

static void load_state(const rnn_job *job, uint32_t input, char *room) {
    const op_tensor *in = op_input(job->call, input);
    const uint64_t row = job->hidden * job->size;
    if (!in) memset(room, 0, job->batch * row);
    for (uint64_t b = 0; in && b < job->batch; b++) {
        memcpy(room + b * row, (const char *)in->data + state_at(job, b), row);
    }
}

static void save_state(const rnn_job *job, uint32_t output, const char *room) {
    const op_tensor *out = op_output(job->call, output);
    const uint64_t row = job->hidden * job->size;
    for (uint64_t b = 0; out && b < job->batch; b++) {
        memcpy((char *)out->target + state_at(job, b), room + b * row, row);
    }
}

/* How many steps sequence number b has. */
static uint64_t length_of(const rnn_job *job, uint64_t b) {
    const op_tensor *lengths = op_input(job->call, IN_LENGTHS);
    return lengths ? (uint64_t)op_int(lengths, b) : job->steps;
}

static void store_output(const rnn_job *job, uint64_t b, uint64_t time, const char *h) {
    const op_tensor *out = op_output(job->call, OUT_Y);
    if (!out) return;
    const uint64_t row = job->config->batch_first
                             ? (b * job->steps + time) * job->directions + job->direction
                             : (time * job->directions + job->direction) * job->batch + b;
    const uint64_t bytes = job->hidden * job->size;
    memcpy((char *)out->target + row * bytes, h, bytes);
}

static rnn_step step_of(const rnn_job *job, uint64_t b, uint64_t time) {
    const uint64_t row = job->config->batch_first ? b * job->steps + time : time * job->batch + b;
    const uint64_t state = b * job->hidden * job->size;
    const bool gru = job->config->kind == RNN_GRU;
    const uint64_t recurrent = gru ? 2 * job->hidden : job->gates;
    const char *biases = row_of(job, IN_B, 2 * job->gates);
    rnn_step step = {.config = job->config,
                     .functions = job->config->functions[job->direction],
                     .hidden = job->hidden,
                     .input = job->rooms[ROOM_INPUT] + row * job->gates * job->size,
                     .state = job->rooms[ROOM_STATE] + b * recurrent * job->size,
                     .reset = job->rooms[ROOM_RESET] + state,
                     .h = job->rooms[ROOM_H] + state,
                     .c = job->rooms[ROOM_C] + state};
    if (job->config->kind == RNN_LSTM) step.peepholes = row_of(job, IN_P, 3 * job->hidden);
    if (!gru) return step;
    step.inner = job->rooms[ROOM_STATE] + job->batch * recurrent * job->size + state;
    if (biases && job->config->linear_before_reset) {
        step.inner_bias = biases + (job->gates + 2 * job->hidden) * job->size;
    }
    return step;
}

/* This step of sequences number from to to; those that have ended keep their state. */
static void step_sequences(void *context, uint64_t from, uint64_t to) {
    const rnn_job *job = context;
    for (uint64_t b = from; b < to; b++) {
        const uint64_t length = length_of(job, b);
        if (job->step >= length) continue;
        const uint64_t time = job->backwards ? length - 1 - job->step : job->step;
        const rnn_step step = step_of(job, b, time);
        if (job->config->kind == RNN_GRU && !job->second_half) {
            job->cells->gru_gates(&step);
            continue;
        }
        if (job->config->kind == RNN_GRU) job->cells->gru(&step);
        if (job->config->kind == RNN_LSTM) job->cells->lstm(&step);
        if (job->config->kind == RNN_PLAIN) job->cells->plain(&step);
        store_output(job, b, time, step.h);
    }
}

static void run_step(rnn_job *job) {
    const uint64_t batch = 8192 / (job->gates + 1) + 1;
    char *state = job->rooms[ROOM_STATE];
    job->second_half = false;
    if (job->config->kind == RNN_GRU) {
        const uint64_t gates = 2 * job->hidden;
        char *inner = state + job->batch * gates * job->size;
        recur(job, job->rooms[ROOM_H], 0, gates, state);
        op_parallel(job->call, job->batch, batch, step_sequences, job);
        recur(job, job->rooms[job->config->linear_before_reset ? ROOM_H : ROOM_RESET], gates,
              job->hidden, inner);
        job->second_half = true;
    } else {
        recur(job, job->rooms[ROOM_H], 0, job->gates, state);
    }
    op_parallel(job->call, job->batch, batch, step_sequences, job);
}

static void run_direction(rnn_job *job, uint32_t direction) {
    job->direction = direction;
    job->backwards = direction == 1 || job->config->reverse;
    load_state(job, IN_H, job->rooms[ROOM_H]);
    load_state(job, IN_C, job->rooms[ROOM_C]);
    memset(job->rooms[ROOM_RESET], 0, job->batch * job->hidden * job->size);
    project_input(job);
    for (job->step = 0; job->step < job->steps; job->step++) run_step(job);
    save_state(job, OUT_H, job->rooms[ROOM_H]);
    save_state(job, OUT_C, job->rooms[ROOM_C]);
}

/* ---- the kernel */

static wlk_status check_lengths(const op_call *call, uint64_t steps) {
    const op_tensor *lengths = op_input(call, IN_LENGTHS);
    for (uint64_t b = 0; lengths && b < lengths->count; b++) {
        const int64_t length = op_int(lengths, b);
        if (length >= 0 && (uint64_t)length <= steps) continue;
        return op_fail(call, RULE_RUN_INDEX,
                       "sequence %" PRIu64 " has %" PRId64 " of %" PRIu64 " steps", b, length,
                       steps);
    }
    return WLK_OK;
}

static void take_rooms(rnn_job *job, const rnn_dims *d) {
    uint64_t counts[ROOMS];
    char *at = job->call->scratch;
    room_counts(d, counts);
    for (uint32_t i = 0; i < ROOMS; i++) {
        job->rooms[i] = at;
        at += (counts[i] * job->size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    }
}

static wlk_status rnn_kernel(const op_call *call) {
    rnn_dims d;
    TRY(read_dims(call, &d));
    const op_tensor *y = op_output(call, OUT_Y);
    rnn_job job = {.call = call,
                   .config = config_of(call),
                   .cells = rnn_cells_of(op_input(call, IN_X)->dtype),
                   .steps = (uint64_t)d.steps,
                   .batch = (uint64_t)d.batch,
                   .input = (uint64_t)d.input,
                   .hidden = (uint64_t)d.hidden,
                   .gates = (uint64_t)d.gates,
                   .directions = (uint64_t)d.directions,
                   .size = wlk_dtype_bits(op_input(call, IN_X)->dtype) / 8};
    TRY(check_lengths(call, job.steps));
    if (job.batch == 0 || job.hidden == 0) return WLK_OK; /* all outputs are empty */
    take_rooms(&job, &d);
    if (y && op_input(call, IN_LENGTHS) && y->nbytes > 0) memset(y->target, 0, y->nbytes);
    for (uint32_t i = 0; i < job.directions; i++) run_direction(&job, i);
    return WLK_OK;
}

/* ---- rows */

#define COMMON                                                            \
    {.name = "activation_alpha", .type = WLK_ATTR_FLOATS},                \
        {.name = "activation_beta", .type = WLK_ATTR_FLOATS},             \
        {.name = "activations", .type = WLK_ATTR_STRINGS},                \
        {.name = "clip", .type = WLK_ATTR_FLOAT},                         \
        {.name = "direction", .type = WLK_ATTR_STRING, .s = "forward"}, { \
        .name = "hidden_size", .type = WLK_ATTR_INT                       \
    }
#define SEQUENCE \
    { .name = "output_sequence", .type = WLK_ATTR_INT, .i = 0 }
#define LAYOUT \
    { .name = "layout", .type = WLK_ATTR_INT, .i = 0 }
#define LINEAR \
    { .name = "linear_before_reset", .type = WLK_ATTR_INT, .i = 0 }
#define FORGET \
    { .name = "input_forget", .type = WLK_ATTR_INT, .i = 0 }

static const attribute_row rnn_1[] = {COMMON, SEQUENCE};
static const attribute_row rnn_7[] = {COMMON};
static const attribute_row rnn_14[] = {COMMON, LAYOUT};
static const attribute_row gru_1[] = {COMMON, SEQUENCE};
static const attribute_row gru_3[] = {COMMON, LINEAR, SEQUENCE};
static const attribute_row gru_7[] = {COMMON, LINEAR};
static const attribute_row gru_14[] = {COMMON, LINEAR, LAYOUT};
static const attribute_row lstm_1[] = {COMMON, FORGET, SEQUENCE};
static const attribute_row lstm_7[] = {COMMON, FORGET};
static const attribute_row lstm_14[] = {COMMON, FORGET, LAYOUT};

#define PORTS(name, dtypes)                       \
    static const op_port name[] = {               \
        {"X", dtypes, 'T'},                       \
        {"W", dtypes, 'T'},                       \
        {"R", dtypes, 'T'},                       \
        {"B", dtypes, 'T'},                       \
        {"sequence_lens", DTYPE_BIT(WLK_I32), 0}, \
        {"initial_h", dtypes, 'T'},               \
        {"initial_c", dtypes, 'T'},               \
        {"P", dtypes, 'T'},                       \
    }
PORTS(ports_1, DTYPES_FLOAT | DTYPE_BIT(WLK_F16));
PORTS(ports_22, DTYPES_FLOAT | DTYPES_HALF);

#define ROW(op_name, version, most, outputs, op_ports, op_attributes)                             \
    {                                                                                             \
        .domain = "", .name = op_name, .since = version, .min_inputs = 3, .max_inputs = most,     \
        .min_outputs = 0, .max_outputs = outputs, .ports = op_ports, .attributes = op_attributes, \
        .attribute_count = sizeof op_attributes / sizeof *op_attributes, .infer = rnn_infer,      \
        .kernel = rnn_kernel, .flags = OP_HALF, .prepare = rnn_prepare                            \
    }

static const op_row rows[] = {
    ROW("RNN", 1, 6, 2, ports_1, rnn_1),      ROW("RNN", 7, 6, 2, ports_1, rnn_7),
    ROW("RNN", 14, 6, 2, ports_1, rnn_14),    ROW("RNN", 22, 6, 2, ports_22, rnn_14),
    ROW("GRU", 1, 6, 2, ports_1, gru_1),      ROW("GRU", 3, 6, 2, ports_1, gru_3),
    ROW("GRU", 7, 6, 2, ports_1, gru_7),      ROW("GRU", 14, 6, 2, ports_1, gru_14),
    ROW("GRU", 22, 6, 2, ports_22, gru_14),   ROW("LSTM", 1, 8, 3, ports_1, lstm_1),
    ROW("LSTM", 7, 8, 3, ports_1, lstm_7),    ROW("LSTM", 14, 8, 3, ports_1, lstm_14),
    ROW("LSTM", 22, 8, 3, ports_22, lstm_14),
};

const op_family ops_rnn = {rows, sizeof rows / sizeof *rows};
