/* StringConcat, StringSplit, StringNormalizer. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/sort.h"
#include "infer/broadcast.h"
#include "infer/ops.h"
#include "infer/shape.h"
#include "infer/text_case.h"
#include "infer/text_writer.h"

/* ---- StringConcat */

/* Broadcasting repeats each string of an input equally often. */
static uint64_t repeated_text(const op_tensor *in, uint64_t count) {
    uint64_t bytes = 0;
    if (in->count == 0) return 0;
    return checked_mul(in->text_bytes, count / in->count, &bytes) ? bytes : UINT64_MAX;
}

static wlk_status concat_infer(op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    int64_t dims[WLK_MAX_RANK];
    if (a->rank == WLK_NONE || b->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_STR, WLK_NONE, NULL);
        return WLK_OK;
    }
    const uint32_t rank = a->rank > b->rank ? a->rank : b->rank;
    if (!dims_broadcast(a->dims, a->rank, b->dims, b->rank, dims)) {
        return shape_mismatch(call, 0, 1);
    }
    op_set_output(call, 0, WLK_STR, rank, dims);
    if (!call->binding) return WLK_OK;
    const int64_t count = dim_product(dims, 0, rank);
    uint64_t text = UINT64_MAX;
    if (count != WLK_UNKNOWN_DIM &&
        checked_add(repeated_text(a, (uint64_t)count), repeated_text(b, (uint64_t)count), &text)) {
        op_set_text(call, 0, text);
        return WLK_OK;
    }
    return op_fail(call, RULE_RUN_MEMORY, "its text");
}

static wlk_status concat_kernel(const op_call *call) {
    const op_tensor *a = op_input(call, 0);
    const op_tensor *b = op_input(call, 1);
    op_tensor *out = op_output(call, 0);
    text_writer w = text_begin(out);
    broadcast_walk walk = broadcast_start(broadcast_of(out), broadcast_of(a), broadcast_of(b));
    for (; !walk.done; broadcast_next(&walk)) {
        for (uint64_t i = 0; i < walk.length; i++) {
            text_add(&w, tensor_string(a, walk.at[0] + i * walk.step[0]));
            text_add(&w, tensor_string(b, walk.at[1] + i * walk.step[1]));
            text_next(&w);
        }
    }
    return WLK_OK;
}

/* ---- StringSplit */

enum { SPLIT_DELIMITER, SPLIT_MOST };
enum { OUT_PARTS, OUT_COUNTS };

/* What is left of a string, and how often it may still be split. */
typedef struct splitter {
    text_span left;
    text_span delimiter; /* empty: any white space */
    uint64_t splits;
    bool done;
} splitter;

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static text_span skip(text_span text, uint64_t bytes) {
    return (text_span){text.text + bytes, text.length - bytes};
}

static text_span skip_spaces(text_span text) {
    while (text.length > 0 && is_space(*text.text)) text = skip(text, 1);
    return text;
}

static splitter split_begin(const op_call *call, text_span text) {
    const attribute_value delimiter = op_attribute(call, SPLIT_DELIMITER);
    const attribute_value most = op_attribute(call, SPLIT_MOST);
    splitter s = {.left = text, .splits = UINT64_MAX};
    if (delimiter.given) s.delimiter = (text_span){delimiter.s, strlen(delimiter.s)};
    if (most.given && most.i >= 0) s.splits = (uint64_t)most.i;
    if (s.delimiter.length == 0) s.left = skip_spaces(text);
    s.done = s.delimiter.length == 0 && s.left.length == 0;
    return s;
}

/* Where the part that `left` begins with ends. */
static uint64_t part_length(const splitter *s) {
    const text_span left = s->left;
    if (s->splits == 0 || left.length == 0) return left.length;
    if (s->delimiter.length > 0) {
        const char *found = memmem(left.text, left.length, s->delimiter.text, s->delimiter.length);
        return found ? (uint64_t)(found - left.text) : left.length;
    }
    uint64_t length = 0;
    while (length < left.length && !is_space(left.text[length])) length++;
    return length;
}

/* The next part; false if there is none. */
static bool split_next(splitter *s, text_span *part) {
    if (s->done) return false;
    const uint64_t length = part_length(s);
    *part = (text_span){s->left.text, length};
    s->done = length == s->left.length;
    if (s->done) return true;
    s->left = skip(s->left, length);
    s->left = s->delimiter.length > 0 ? skip(s->left, s->delimiter.length) : skip_spaces(s->left);
    if (s->delimiter.length == 0) s->done = s->left.length == 0;
    s->splits--;
    return true;
}

static uint64_t count_parts(const op_call *call, text_span text) {
    splitter s = split_begin(call, text);
    text_span part;
    uint64_t count = 0;
    while (split_next(&s, &part)) count++;
    return count;
}

static int64_t most_parts(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    uint64_t most = 0;
    for (uint64_t i = 0; i < in->count; i++) {
        const uint64_t parts = count_parts(call, tensor_string(in, i));
        if (parts > most) most = parts;
    }
    return (int64_t)most;
}

static wlk_status split_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[WLK_MAX_RANK + 1];
    if (in->rank == WLK_NONE) {
        op_set_output(call, OUT_PARTS, WLK_STR, WLK_NONE, NULL);
        op_set_output(call, OUT_COUNTS, WLK_I64, WLK_NONE, NULL);
        return WLK_OK;
    }
    if (in->rank == WLK_MAX_RANK) return op_fail(call, RULE_PLAN_RANK, "the parts");
    memcpy(dims, in->dims, sizeof in->dims);
    dims[in->rank] = op_is_known(call, 0) ? most_parts(call) : WLK_UNKNOWN_DIM;
    op_set_output(call, OUT_PARTS, WLK_STR, in->rank + 1, dims);
    op_set_output(call, OUT_COUNTS, WLK_I64, in->rank, in->dims);
    op_set_text(call, OUT_PARTS, in->text_bytes);
    if (call->binding) op_add_operations(call, 2 * OP_ELEMENT_COST, in->text_bytes, 1, 1);
    return WLK_OK;
}

static wlk_status split_kernel(const op_call *call) {
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, OUT_PARTS);
    int64_t *counts = op_output(call, OUT_COUNTS)->target;
    const uint64_t width = (uint64_t)out->dims[out->rank - 1];
    text_writer w = text_begin(out);
    for (uint64_t i = 0; i < in->count; i++) {
        splitter s = split_begin(call, tensor_string(in, i));
        text_span part;
        uint64_t count = 0;
        for (; split_next(&s, &part); count++) {
            text_add(&w, part);
            text_next(&w);
        }
        counts[i] = (int64_t)count;
        for (; count < width; count++) text_next(&w);
    }
    return WLK_OK;
}

/* ---- StringNormalizer */

enum { NORMALIZE_CASE, NORMALIZE_SENSITIVE, NORMALIZE_LOCALE, NORMALIZE_STOPWORDS };

/* Stop words in order, so that one is found by halving. */
typedef struct normalizer {
    case_change change;
    case_change compared; /* what words are compared after */
    const char *const *words;
    uint32_t *order;
    uint32_t count;
} normalizer;

static text_span span_of(const char *text) {
    return (text_span){text, strlen(text)};
}

static int word_compare(const void *context, uint32_t a, uint32_t b) {
    const normalizer *n = context;
    return case_compare(n->compared, span_of(n->words[a]), span_of(n->words[b]));
}

static wlk_status read_change(const op_call *call, normalizer *n) {
    const char *name = op_attribute(call, NORMALIZE_CASE).s;
    n->change = strcmp(name, "LOWER") == 0   ? CASE_LOWER
                : strcmp(name, "UPPER") == 0 ? CASE_UPPER
                                             : CASE_NONE;
    n->compared = op_attribute(call, NORMALIZE_SENSITIVE).i != 0 ? CASE_NONE : CASE_LOWER;
    if (n->change != CASE_NONE || strcmp(name, "NONE") == 0) return WLK_OK;
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "case_change_action '%.20s'", name);
}

static wlk_status normalize_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const attribute_value words = op_attribute(call, NORMALIZE_STOPWORDS);
    void *room = NULL;
    void *order = NULL;
    void *scratch = NULL;
    TRY(plan_take(memory, 1, sizeof(normalizer), &room, call->error));
    TRY(plan_take(memory, words.count, sizeof(uint32_t), &order, call->error));
    TRY(plan_take(memory, words.count, sizeof(uint32_t), &scratch, call->error));
    normalizer *n = room;
    *n = (normalizer){.words = words.strings, .order = order, .count = words.count};
    TRY(read_change(call, n));
    for (uint32_t i = 0; i < n->count; i++) n->order[i] = i;
    sort_u32(n->order, n->count, word_compare, n, scratch);
    *prepared = n;
    return WLK_OK;
}

static bool is_stopword(const normalizer *n, text_span word) {
    uint32_t low = 0;
    uint32_t high = n->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = case_compare(n->compared, word, span_of(n->words[n->order[middle]]));
        if (order == 0) return true;
        if (order < 0) high = middle;
        if (order > 0) low = middle + 1;
    }
    return false;
}

/* What is left; one empty string if that is nothing. */
static int64_t normalized_count(const op_call *call) {
    const normalizer *n = call->node->prepared;
    const op_tensor *in = op_input(call, 0);
    int64_t kept = 0;
    for (uint64_t i = 0; i < in->count; i++) kept += !is_stopword(n, tensor_string(in, i));
    return kept > 0 ? kept : 1;
}

static wlk_status normalize_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    int64_t dims[2] = {1, WLK_UNKNOWN_DIM};
    TRY(shape_need_rank(call, 0, 1, 2));
    if (in->rank == 2 && !dim_agrees(in->dims[0], 1)) {
        return op_fail(call, op_shape_rule(call),
                       "the first axis has %" PRId64 " elements, must have 1", in->dims[0]);
    }
    if (in->rank == WLK_NONE) {
        op_set_output(call, 0, WLK_STR, WLK_NONE, NULL);
        return WLK_OK;
    }
    if (op_is_known(call, 0)) dims[1] = normalized_count(call);
    op_set_output(call, 0, WLK_STR, in->rank, in->rank == 2 ? dims : dims + 1);
    op_set_text(call, 0, in->text_bytes);
    if (call->binding) op_add_operations(call, 32 * OP_ELEMENT_COST, in->text_bytes, 1, 1);
    return WLK_OK;
}

static wlk_status normalize_kernel(const op_call *call) {
    const normalizer *n = call->node->prepared;
    const op_tensor *in = op_input(call, 0);
    text_writer w = text_begin(op_output(call, 0));
    for (uint64_t i = 0; i < in->count; i++) {
        const text_span word = tensor_string(in, i);
        if (is_stopword(n, word)) continue;
        case_copy(n->change, word, text_extend(&w, word.length));
        text_next(&w);
    }
    if (w.strings == 0) text_next(&w);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row split_attributes[] = {
    [SPLIT_DELIMITER] = {.name = "delimiter", .type = WLK_ATTR_STRING},
    [SPLIT_MOST] = {.name = "maxsplit", .type = WLK_ATTR_INT},
};
static const attribute_row normalize_attributes[] = {
    [NORMALIZE_CASE] = {.name = "case_change_action", .type = WLK_ATTR_STRING, .s = "NONE"},
    [NORMALIZE_SENSITIVE] = {.name = "is_case_sensitive", .type = WLK_ATTR_INT, .i = 0},
    [NORMALIZE_LOCALE] = {.name = "locale", .type = WLK_ATTR_STRING},
    [NORMALIZE_STOPWORDS] = {.name = "stopwords", .type = WLK_ATTR_STRINGS},
};

static const op_port ports[] = {{"X", DTYPE_BIT(WLK_STR), 0}, {"Y", DTYPE_BIT(WLK_STR), 0}};

#define ROW(op_name, version, inputs, outputs, op_shape, op_run)                                 \
    .domain = "", .name = op_name, .since = version, .min_inputs = inputs, .max_inputs = inputs, \
    .min_outputs = outputs, .max_outputs = outputs, .ports = ports, .infer = op_shape,           \
    .kernel = op_run

static const op_row rows[] = {
    {ROW("StringConcat", 20, 2, 1, concat_infer, concat_kernel)},
    {ROW("StringSplit", 20, 1, 2, split_infer, split_kernel), .attributes = split_attributes,
     .attribute_count = 2},
    {ROW("StringNormalizer", 10, 1, 1, normalize_infer, normalize_kernel),
     .attributes = normalize_attributes, .attribute_count = 4, .prepare = normalize_prepare},
};

const op_family ops_text = {rows, sizeof rows / sizeof *rows};
