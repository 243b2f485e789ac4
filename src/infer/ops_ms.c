/* com.microsoft Tokenizer and CDist: what exporters of scikit-learn's models add to the
 * standard's operators.
 *
 *   Tokenizer(X)   texts [c] or [n, c] become tokens [c, d] or [n, c, d], where d is the
 *       most that any text has; the others are filled up with pad_value. With `mark`,
 *       0x02 and 0x03 stand around the tokens of each text. Of no tokens at all d is 0.
 *   CDist(A, B)    distances [n, m] of the rows of A [n, k] from those of B [m, k]. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "infer/frame.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/shape.h"
#include "infer/text_writer.h"
#include "infer/tokens.h"

/* ---- Tokenizer */

enum { TOKENIZER_MARK, TOKENIZER_LEAST, TOKENIZER_PAD, TOKENIZER_SEPARATORS, TOKENIZER_PATTERN };

#define STEP_COST 512 /* of a search (regex.h) */
#define TEXT_MOST UINT32_MAX

static wlk_status read_rules(const op_call *call, plan_memory *memory, token_rules *rules) {
    const attribute_value separators = op_attribute(call, TOKENIZER_SEPARATORS);
    const attribute_value pattern = op_attribute(call, TOKENIZER_PATTERN);
    const bool separates = separators.given && separators.count > 0;
    const uint32_t count = separates ? separators.count : 1;
    const char *const *texts = separates ? separators.strings : &pattern.s;
    void *room = NULL;
    if (separates == pattern.given) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "either separators or tokenexp must be there");
    }
    if (count > TOKEN_SEPARATORS_MOST) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u separators, at most %d", count,
                       TOKEN_SEPARATORS_MOST);
    }
    rules->is_characters = count == 1 && strcmp(texts[0], separates ? "" : ".") == 0;
    if (rules->is_characters) return WLK_OK;
    rules->separators = separates ? count : 0;
    TRY(plan_take(memory, count, sizeof(token_pattern), &room, call->error));
    token_pattern *patterns = room;
    rules->patterns = patterns;
    for (uint32_t i = 0; i < count; i++) {
        TRY(token_pattern_read(call, memory, texts[i], separates, &patterns[i]));
        const uint64_t needed = regex_find_room(patterns[i].program);
        if (needed > rules->room) rules->room = needed;
    }
    return WLK_OK;
}

static wlk_status tokenizer_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const int64_t least = op_attribute(call, TOKENIZER_LEAST).i;
    void *room = NULL;
    TRY(plan_take(memory, 1, sizeof(token_rules), &room, call->error));
    token_rules *rules = room;
    *prepared = rules;
    rules->least = least > 1 ? (uint64_t)least : 1;
    TRY(read_rules(call, memory, rules));
    if (!rules->is_characters || rules->least == 1) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "mincharnum %" PRId64 " of single characters",
                   least);
}

static wlk_status tokenizer_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[3] = {0};
    TRY(shape_need_rank(call, 0, 1, 2));
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_STR, WLK_NONE, NULL);
        return WLK_OK;
    }
    memcpy(dims, in->dims, in->rank * sizeof *dims);
    dims[in->rank] = WLK_UNKNOWN_DIM;
    op_set_output(call, 0, WLK_STR, in->rank + 1, dims);
    return WLK_OK;
}

/* The run's work so far limits how far a search may go. */
static void source_open(const run *r, const token_rules *rules, uint32_t *room,
                        token_source *source) {
    const uint64_t limit = r->plan->limits.run_operations;
    const uint64_t left = limit > r->operations ? limit - r->operations : 0;
    source->rules = rules;
    source->room = room;
    source->depth = 0;
    source->steps = 0;
    source->most = left / STEP_COST;
}

static wlk_status source_close(run *r, const token_source *source) {
    uint64_t work = UINT64_MAX;
    if (__builtin_mul_overflow(source->steps, STEP_COST, &work)) work = UINT64_MAX;
    return run_charge(r, work);
}

/* How many tokens the texts have at most, and the bytes of all. */
typedef struct token_count {
    uint64_t most;
    uint64_t total;
    uint64_t bytes;
} token_count;

static wlk_status count_tokens(const op_call *call, token_source *source, token_count *out) {
    const op_tensor *in = op_input(call, 0);
    for (uint64_t i = 0; i < in->count; i++) {
        const text_span text = tensor_string(in, i);
        uint64_t count = 0;
        text_span token;
        if (text.length >= TEXT_MOST) return op_fail(call, RULE_RUN_VALUE, "a text of 4 GiB");
        tokens_begin(source, text);
        for (; tokens_next(source, &token); count++) out->bytes += token.length;
        out->total += count;
        if (count > out->most) out->most = count;
    }
    return WLK_OK;
}

/* A new tensor for that many. */
static wlk_status tokens_take(run *r, const op_call *call, const token_count *count, held *out) {
    const op_tensor *in = op_input(call, 0);
    const uint64_t marks = op_attribute(call, TOKENIZER_MARK).i != 0 && count->most > 0 ? 2 : 0;
    const uint64_t width = count->most + marks;
    const uint64_t pad = strlen(op_attribute(call, TOKENIZER_PAD).s);
    int64_t dims[3] = {0};
    uint64_t cells = 0;
    uint64_t text = 0;
    memcpy(dims, in->dims, in->rank * sizeof *dims);
    dims[in->rank] = (int64_t)width;
    if (__builtin_mul_overflow(in->count, width, &cells) ||
        __builtin_mul_overflow(cells - count->total, pad, &text) ||
        __builtin_add_overflow(text, count->bytes + marks * in->count, &text) ||
        cells > INT64_MAX / (16 * OP_ELEMENT_COST)) {
        return op_fail(call, RULE_RUN_MEMORY, "its tokens");
    }
    TRY(held_new(r, WLK_STR, in->rank + 1, dims, text, out));
    return run_charge(r, cells * 8 * OP_ELEMENT_COST + text);
}

static void write_one(text_writer *w, text_span text, uint64_t *left) {
    text_add(w, text);
    text_next(w);
    (*left)--;
}

static void write_tokens(const op_call *call, token_source *source, op_tensor *out) {
    const op_tensor *in = op_input(call, 0);
    const uint64_t width = (uint64_t)out->dims[out->rank - 1];
    const bool marked = op_attribute(call, TOKENIZER_MARK).i != 0;
    const char *pad = op_attribute(call, TOKENIZER_PAD).s;
    const text_span filler = {pad, strlen(pad)};
    text_writer w = text_begin(out);
    for (uint64_t i = 0; width > 0 && i < in->count; i++) {
        uint64_t left = width;
        text_span token;
        if (marked) write_one(&w, (text_span){"\x02", 1}, &left);
        tokens_begin(source, tensor_string(in, i));
        while (tokens_next(source, &token)) write_one(&w, token, &left);
        if (marked) write_one(&w, (text_span){"\x03", 1}, &left);
        while (left > 0) write_one(&w, filler, &left);
    }
}

/* Tokens are searched for twice: to count them, and to write them. */
static wlk_status tokenizer_run(run *r, const op_call *call) {
    const token_rules *rules = call->node->prepared;
    run_buffer *room = NULL;
    run_buffer *memory = NULL;
    token_count count = {0};
    held out = {.owner = NULL};
    const uint32_t rank = op_input(call, 0)->rank; /* perhaps not known while planning */
    if (rank < 1 || rank > 2) {
        return op_fail(call, RULE_RUN_SHAPE, "input 0 has rank %u, must be 1 to 2", rank);
    }
    TRY(buffer_take(r, rules->room * sizeof(uint32_t), &room));
    TRY(buffer_take(r, sizeof(token_source), &memory));
    token_source *source = buffer_data(memory);
    source_open(r, rules, buffer_data(room), source);
    TRY(count_tokens(call, source, &count));
    TRY(source_close(r, source));
    TRY(source_close(r, source)); /* the second time costs as much */
    TRY(tokens_take(r, call, &count, &out));
    source->steps = 0;
    source->most = UINT64_MAX;
    write_tokens(call, source, &out.tensor);
    buffer_drop(r, memory);
    buffer_drop(r, room);
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

/* ---- CDist */

enum { CDIST_METRIC };

static wlk_status cdist_metric(const op_call *call, bool *root) {
    const char *name = op_attribute(call, CDIST_METRIC).s;
    *root = strcmp(name, "euclidean") == 0;
    if (*root || strcmp(name, "sqeuclidean") == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "metric '%.40s'", name);
}

/* B's rows go in panels of LANES: element k of each beside each other, so that the
 * distances from one row of A grow in one vector. */
#define LANES 16

static uint64_t panel_count(uint64_t rows) {
    return rows / LANES + (rows % LANES > 0);
}

static wlk_status cdist_infer(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    bool root = false;
    TRY(cdist_metric(call, &root));
    TRY(shape_need_rank(call, 0, 2, 2));
    TRY(shape_need_rank(call, 1, 2, 2));
    const bool known = a->rank != WLK_NONE && b->rank != WLK_NONE;
    if (known && !dim_agrees(a->dims[1], b->dims[1])) return shape_mismatch(call, 0, 1);
    const int64_t dims[2] = {a->rank != WLK_NONE ? a->dims[0] : WLK_UNKNOWN_DIM,
                             b->rank != WLK_NONE ? b->dims[0] : WLK_UNKNOWN_DIM};
    op_set_output(call, 0, a->dtype, 2, dims);
    if (!call->binding) return WLK_OK;
    const uint64_t panels = panel_count((uint64_t)b->dims[0]);
    op_add_operations(call, 2ull * LANES, (uint64_t)a->dims[0], panels, (uint64_t)a->dims[1]);
    uint64_t width = 0;
    if (__builtin_mul_overflow(panels * LANES, (uint64_t)b->dims[1], &width)) width = UINT64_MAX;
    return op_need_scratch(call, width, wlk_dtype_bits(a->dtype) / 8);
}

typedef struct cdist_job {
    const void *a;
    const void *panels;
    void *out;
    uint64_t columns; /* of A and B */
    uint64_t others;  /* rows of B */
    bool root;
} cdist_job;

#define CDIST(suffix, type, square_root)                                                      \
    static void pack_##suffix(const type *b, uint64_t rows, uint64_t columns, type *panels) { \
        for (uint64_t j = 0; j < rows; j++) {                                                 \
            type *to = panels + j / LANES * LANES * columns + j % LANES;                      \
            for (uint64_t k = 0; k < columns; k++) to[k * LANES] = b[j * columns + k];        \
        }                                                                                     \
    }                                                                                         \
    static void distances_##suffix(const type *row, const type *panel, uint64_t columns,      \
                                   type sums[LANES]) {                                        \
        type sum[LANES] = {0};                                                                \
        for (uint64_t k = 0; k < columns; k++) {                                              \
            for (uint32_t l = 0; l < LANES; l++) {                                            \
                const type away = row[k] - panel[k * LANES + l];                              \
                sum[l] += away * away;                                                        \
            }                                                                                 \
        }                                                                                     \
        memcpy(sums, sum, sizeof sum);                                                        \
    }                                                                                         \
    static void rows_##suffix(void *context, uint64_t from, uint64_t to) {                    \
        const cdist_job *job = context;                                                       \
        for (uint64_t i = from; i < to; i++) {                                                \
            const type *row = (const type *)job->a + i * job->columns;                        \
            type *out = (type *)job->out + i * job->others;                                   \
            for (uint64_t j = 0; j < job->others; j += LANES) {                               \
                const type *panel = (const type *)job->panels + j * job->columns;             \
                const uint64_t left = job->others - j < LANES ? job->others - j : LANES;      \
                type sums[LANES];                                                             \
                distances_##suffix(row, panel, job->columns, sums);                           \
                for (uint64_t l = 0; l < left; l++) {                                         \
                    out[j + l] = job->root ? square_root(sums[l]) : sums[l];                  \
                }                                                                             \
            }                                                                                 \
        }                                                                                     \
    }

CDIST(f32, float, sqrtf)
CDIST(f64, double, sqrt)

static wlk_status cdist_kernel(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    cdist_job job = {.a = a->data,
                     .panels = call->scratch,
                     .out = op_output(call, 0)->target,
                     .columns = (uint64_t)a->dims[1],
                     .others = (uint64_t)b->dims[0]};
    TRY(cdist_metric(call, &job.root));
    const uint64_t rows = (uint64_t)a->dims[0];
    const uint64_t panels = panel_count(job.others);
    const uint64_t bytes = panels * LANES * job.columns * (wlk_dtype_bits(a->dtype) / 8);
    const uint64_t work = 1 + panels * LANES * (job.columns + 1);
    if (bytes > 0) memset(call->scratch, 0, bytes); /* lanes behind the last row */
    if (a->dtype == WLK_F32) {
        pack_f32(b->data, job.others, job.columns, call->scratch);
        op_parallel(call, rows, 1 + 65536 / work, rows_f32, &job);
    } else {
        pack_f64(b->data, job.others, job.columns, call->scratch);
        op_parallel(call, rows, 1 + 65536 / work, rows_f64, &job);
    }
    return WLK_OK;
}

/* ---- rows */

static const attribute_row tokenizer_attributes[] = {
    [TOKENIZER_MARK] = {.name = "mark", .type = WLK_ATTR_INT, .required = true},
    [TOKENIZER_LEAST] = {.name = "mincharnum", .type = WLK_ATTR_INT, .required = true},
    [TOKENIZER_PAD] = {.name = "pad_value", .type = WLK_ATTR_STRING, .required = true},
    [TOKENIZER_SEPARATORS] = {.name = "separators", .type = WLK_ATTR_STRINGS},
    [TOKENIZER_PATTERN] = {.name = "tokenexp", .type = WLK_ATTR_STRING},
};
static const attribute_row cdist_attributes[] = {
    [CDIST_METRIC] = {.name = "metric", .type = WLK_ATTR_STRING, .s = "sqeuclidean"},
};

static const op_port tokenizer_port[] = {{"X", DTYPE_BIT(WLK_STR), 0}};
static const op_port cdist_ports[] = {{"A", DTYPES_FLOAT, 'T'}, {"B", DTYPES_FLOAT, 'T'}};

#define ROW(op_name, inputs, op_ports, known_attributes, op_shape)                \
    .domain = "com.microsoft", .name = op_name, .since = 1, .min_inputs = inputs, \
    .max_inputs = inputs, .min_outputs = 1, .max_outputs = 1, .ports = op_ports,  \
    .attributes = known_attributes,                                               \
    .attribute_count = sizeof known_attributes / sizeof *known_attributes, .infer = op_shape

static const op_row rows[] = {
    {ROW("Tokenizer", 1, tokenizer_port, tokenizer_attributes, tokenizer_infer),
     .prepare = tokenizer_prepare, .control = tokenizer_run},
    {ROW("CDist", 2, cdist_ports, cdist_attributes, cdist_infer), .kernel = cdist_kernel},
};

const op_family ops_ms = {rows, sizeof rows / sizeof *rows};
