#include "infer/rnn.h"

/* min(max(x, -limit), limit); NaN stays. */
#define CLIP(x, limit) ((x) < -(limit) ? -(limit) : (x) > (limit) ? (limit) : (x))

/* The state that LSTM's last activation sees is not clipped: as onnxruntime has it, only
 * what gates and the cell's input come to is.
 *
 * CELLS makes the four functions of rnn_cells for one type. `row` is `hidden` elements. */
#define CELLS(suffix, type)                                                                     \
    static void clip_##suffix(const rnn_step *s, type *row) {                                   \
        const type limit = (type)s->config->clip;                                               \
        if (!s->config->clips) return;                                                          \
        for (uint64_t i = 0; i < s->hidden; i++) row[i] = CLIP(row[i], limit);                  \
    }                                                                                           \
    static void activate_##suffix(const rnn_step *s, uint32_t number, type *row) {              \
        const rnn_activation *f = &s->functions[number];                                        \
        clip_##suffix(s, row);                                                                  \
        f->suffix(row, s->hidden, f->alpha, f->beta);                                           \
    }                                                                                           \
    static void add_##suffix(type *restrict row, const type *restrict more, uint64_t count) {   \
        for (uint64_t i = 0; i < count; i++) row[i] += more[i];                                 \
    }                                                                                           \
    static void peep_##suffix(const rnn_step *s, uint32_t number, type *restrict row) {         \
        const type *weights = s->peepholes;                                                     \
        const type *c = s->c;                                                                   \
        if (!weights) return;                                                                   \
        weights += number * s->hidden;                                                          \
        for (uint64_t i = 0; i < s->hidden; i++) row[i] += weights[i] * c[i];                   \
    }                                                                                           \
    static void plain_##suffix(const rnn_step *s) {                                             \
        type *h = s->h;                                                                         \
        type *input = s->input;                                                                 \
        add_##suffix(input, s->state, s->hidden);                                               \
        activate_##suffix(s, 0, input);                                                         \
        for (uint64_t i = 0; i < s->hidden; i++) h[i] = input[i];                               \
    }                                                                                           \
    static void lstm_##suffix(const rnn_step *s) {                                              \
        const uint64_t n = s->hidden;                                                           \
        type *in = s->input;                                                                    \
        type *out = in + n;                                                                     \
        type *forget = out + n;                                                                 \
        type *cell = forget + n;                                                                \
        type *restrict c = s->c;                                                                \
        type *restrict h = s->h;                                                                \
        add_##suffix(in, s->state, 4 * n);                                                      \
        peep_##suffix(s, 0, in);                                                                \
        activate_##suffix(s, 0, in);                                                            \
        if (s->config->input_forget) {                                                          \
            for (uint64_t i = 0; i < n; i++) forget[i] = 1 - in[i];                             \
        } else {                                                                                \
            peep_##suffix(s, 2, forget);                                                        \
            activate_##suffix(s, 0, forget);                                                    \
        }                                                                                       \
        activate_##suffix(s, 1, cell);                                                          \
        for (uint64_t i = 0; i < n; i++) c[i] = forget[i] * c[i] + in[i] * cell[i];             \
        peep_##suffix(s, 1, out);                                                               \
        activate_##suffix(s, 0, out);                                                           \
        for (uint64_t i = 0; i < n; i++) h[i] = c[i];                                           \
        s->functions[2].suffix(h, n, s->functions[2].alpha, s->functions[2].beta);              \
        for (uint64_t i = 0; i < n; i++) h[i] *= out[i];                                        \
    }                                                                                           \
    static void gru_gates_##suffix(const rnn_step *s) {                                         \
        const uint64_t n = s->hidden;                                                           \
        type *update = s->input;                                                                \
        const type *h = s->h;                                                                   \
        type *restrict reset = s->reset;                                                        \
        add_##suffix(update, s->state, 2 * n);                                                  \
        activate_##suffix(s, 0, update);                                                        \
        activate_##suffix(s, 0, update + n);                                                    \
        for (uint64_t i = 0; i < n; i++) reset[i] = update[n + i] * h[i];                       \
    }                                                                                           \
    static void gru_##suffix(const rnn_step *s) {                                               \
        const uint64_t n = s->hidden;                                                           \
        const bool linear = s->config->linear_before_reset;                                     \
        const type *update = s->input;                                                          \
        const type *gate = update + n;                                                          \
        type *hidden = (type *)s->input + 2 * n;                                                \
        const type *inner = s->inner;                                                           \
        const type *bias = s->inner_bias;                                                       \
        type *restrict h = s->h;                                                                \
        for (uint64_t i = 0; i < n; i++) {                                                      \
            const type recurrent = inner[i] + (bias ? bias[i] : 0);                             \
            hidden[i] += linear ? gate[i] * recurrent : recurrent;                              \
        }                                                                                       \
        activate_##suffix(s, 1, hidden);                                                        \
        for (uint64_t i = 0; i < n; i++) h[i] = (1 - update[i]) * hidden[i] + update[i] * h[i]; \
    }                                                                                           \
    static const rnn_cells cells_##suffix = {plain_##suffix, lstm_##suffix, gru_gates_##suffix, \
                                             gru_##suffix};

CELLS(f32, float)
CELLS(f64, double)

const rnn_cells *rnn_cells_of(wlk_dtype dtype) {
    return dtype == WLK_F64 ? &cells_f64 : &cells_f32;
}
