/* Words, strings and tensors as the tables of cases spell them (case_file.h). */
#ifndef WLK_TESTS_INFER_CASE_TEXT_H
#define WLK_TESTS_INFER_CASE_TEXT_H

#include "infer/model_kit.h"

/* ---- tokens */

typedef struct case_text {
    char *at;
    const char *line; /* for messages */
} case_text;

static inline char *next_word(case_text *t) {
    while (*t->at == ' ') t->at++;
    if (*t->at == 0) return NULL;
    char *word = t->at;
    while (*t->at && *t->at != ' ') t->at++;
    if (*t->at) *t->at++ = 0;
    return word;
}

static inline char *need_word(case_text *t) {
    char *word = next_word(t);
    if (!word) fail_msg("a word is missing: %s", t->line);
    return word;
}

/* A quoted string, decoded in place; false at the end of the line. */
static inline bool next_string(case_text *t, char **text, size_t *length) {
    while (*t->at == ' ') t->at++;
    if (*t->at == 0) return false;
    if (*t->at != '\'') fail_msg("a quote is missing: %s", t->line);
    char *from = t->at + 1;
    char *to = *text = from;
    while (*from && *from != '\'') {
        if (from[0] == '\\' && from[1] == 'x') {
            const char hex[3] = {from[2], from[3], 0};
            *to++ = (char)strtoul(hex, NULL, 16);
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    if (*from == 0) fail_msg("a quote is not closed: %s", t->line);
    *length = (size_t)(to - *text);
    t->at = from + 1;
    *to = 0;
    return true;
}

static inline wlk_dtype parse_dtype(const char *name) {
    const wlk_dtype dtype = wlk_dtype_from_name(name, strlen(name));
    if (dtype == WLK_DTYPE_NONE) fail_msg("no dtype '%s'", name);
    return dtype;
}

/* "[2,?]"; false for "*". */
static inline bool parse_shape(const char *text, uint32_t *rank, int64_t dims[WLK_MAX_RANK]) {
    *rank = 0;
    memset(dims, 0, WLK_MAX_RANK * sizeof *dims);
    if (text[0] == '*') return false;
    if (text[0] != '[') fail_msg("not a shape: %s", text);
    for (const char *at = text + 1; *at && *at != ']';) {
        char *end = NULL;
        dims[*rank] = *at == '?' ? WLK_UNKNOWN_DIM : strtoll(at, &end, 10);
        at = *at == '?' ? at + 1 : end;
        (*rank)++;
        if (*at == ',') at++;
    }
    return true;
}

/* ---- tensors */

typedef struct case_tensor {
    wlk_tensor tensor;
    uint8_t *data;
} case_tensor;

static inline void store_element(wlk_dtype dtype, uint8_t *data, uint64_t i, const char *word) {
    const uint32_t bytes = wlk_dtype_bits(dtype) / 8;
    const double real = strtod(word, NULL);
    const float single = strtof(word, NULL);
    const uint64_t whole =
        word[0] == '-' ? (uint64_t)strtoll(word, NULL, 0) : strtoull(word, NULL, 0);
    if (dtype == WLK_F64) {
        memcpy(data + i * 8, &real, 8);
    } else if (dtype == WLK_F32) {
        memcpy(data + i * 4, &single, 4);
    } else if (bytes == 0) { /* two to a byte, low bits first */
        data[i / 2] = (uint8_t)(data[i / 2] | (whole & 15) << i % 2 * 4);
    } else {
        memcpy(data + i * bytes, &whole, bytes);
    }
}

static inline uint64_t store_strings(case_text *t, uint64_t count, uint8_t *data) {
    uint64_t end = 0;
    store_u64(data, 0);
    for (uint64_t i = 0; i < count; i++) {
        char *text = NULL;
        size_t length = 0;
        if (!next_string(t, &text, &length)) fail_msg("too few strings: %s", t->line);
        memcpy(data + 8 * (count + 1) + end, text, length);
        end += length;
        store_u64(data + 8 * (i + 1), end);
    }
    return 8 * (count + 1) + end;
}

/* "DTYPE SHAPE VALUES" */
static inline case_tensor parse_tensor(case_text *t) {
    case_tensor out = {.data = NULL};
    wlk_tensor *tensor = &out.tensor;
    int64_t dims[WLK_MAX_RANK];
    tensor->dtype = parse_dtype(need_word(t));
    if (!parse_shape(need_word(t), &tensor->rank, dims)) fail_msg("a shape is needed: %s", t->line);
    for (uint32_t i = 0; i < tensor->rank; i++) tensor->shape[i] = (uint64_t)dims[i];
    assert_true(shape_count(tensor->shape, tensor->rank, &tensor->count));
    const uint64_t room = (tensor->count + 1) * 16 + strlen(t->at) + 64;
    out.data = aligned_alloc(64, (room + 63) / 64 * 64);
    assert_non_null(out.data);
    memset(out.data, 0, room);
    if (tensor->dtype == WLK_STR) {
        tensor->nbytes = store_strings(t, tensor->count, out.data);
    } else {
        assert_true(dtype_nbytes(tensor->dtype, tensor->count, &tensor->nbytes));
        for (uint64_t i = 0; i < tensor->count; i++) {
            store_element(tensor->dtype, out.data, i, need_word(t));
        }
    }
    if (next_word(t)) fail_msg("too many values: %s", t->line);
    tensor->data = out.data;
    return out;
}

#endif
