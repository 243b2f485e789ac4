/* ai.onnx.ml DictVectorizer and CastMap: a map becomes one row of a matrix. */
#include <inttypes.h>
#include <string.h>

#include "base/sort.h"
#include "infer/frame.h"
#include "infer/lookup.h"
#include "infer/number_text.h"
#include "infer/ops.h"
#include "infer/text_writer.h"

/* What an entry costs: to look it up or sort it, and to move it. */
#define ENTRY_COST 1024

static const op_tensor *map_keys(const op_call *call) {
    return &op_input(call, 0)->items[0];
}

static const op_tensor *map_values(const op_call *call) {
    return &op_input(call, 0)->items[1];
}

/* A row of `width` columns, and for each the entry of the map that it shows, or
 * LOOKUP_NONE: both are counted. */
static wlk_status entries_take(run *r, const op_call *call, uint64_t width, run_buffer **out) {
    const op_tensor *keys = map_keys(call);
    const op_tensor *values = map_values(call);
    uint64_t bytes = 0;
    if (keys->count >= LOOKUP_NONE || __builtin_mul_overflow(width, sizeof(uint32_t), &bytes)) {
        return op_fail(call, RULE_RUN_MEMORY,
                       "a map of %" PRIu64 " entries for %" PRIu64 " columns", keys->count, width);
    }
    TRY(buffer_take(r, bytes, out));
    const uint64_t text = keys->text_bytes + values->text_bytes;
    TRY(run_charge(r, (keys->count + text) * ENTRY_COST));
    TRY(run_charge(r, width * OP_ELEMENT_COST));
    if (width > 0) memset(buffer_data(*out), 0xFF, bytes); /* LOOKUP_NONE */
    return WLK_OK;
}

/* ---- DictVectorizer: the vocabulary says which key stands in which column; what is not
 * in the map is 0, what is not in the vocabulary is left out */

enum { DICT_INTS, DICT_STRINGS };

static wlk_status dict_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const attribute_value ints = op_attribute(call, DICT_INTS);
    const attribute_value strings = op_attribute(call, DICT_STRINGS);
    const wlk_dtype given = op_input(call, 0)->key_dtype;
    void *room = NULL;
    if (ints.given == strings.given) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "the vocabulary must be either ints or strings");
    }
    const lookup_list keys = strings.given ? lookup_strings(strings) : lookup_ints(ints);
    if (keys.dtype != given) {
        return op_fail(call, RULE_PLAN_MIXED, "the vocabulary is %s, the keys are %s",
                       wlk_dtype_name(keys.dtype), wlk_dtype_name(given));
    }
    TRY(plan_take(memory, 1, sizeof(lookup), &room, call->error));
    *prepared = room;
    return lookup_build(call, memory, &keys, room);
}

static uint32_t vocabulary_count(const op_call *call) {
    return op_attribute(call, DICT_INTS).count + op_attribute(call, DICT_STRINGS).count;
}

static wlk_status dict_infer(op_call *call) {
    const int64_t dims[2] = {1, vocabulary_count(call)};
    op_set_output(call, 0, op_input(call, 0)->dtype, 2, dims);
    return WLK_OK;
}

static void find_entries(const op_call *call, uint32_t *entries) {
    const op_tensor *keys = map_keys(call);
    const lookup *l = call->node->prepared;
    for (uint64_t i = 0; i < keys->count; i++) {
        const uint32_t column = keys->dtype == WLK_STR ? lookup_find_text(l, tensor_string(keys, i))
                                                       : lookup_find_int(l, op_int(keys, i));
        if (column != LOOKUP_NONE) entries[column] = (uint32_t)i;
    }
}

/* Elements as they are: zeros, or empty strings, where there is none. */
static void fill_row(const op_tensor *values, const uint32_t *entries, op_tensor *out) {
    const uint64_t size = wlk_dtype_bits(values->dtype) / 8;
    char *to = out->target;
    if (values->dtype == WLK_STR) {
        text_writer w = text_begin(out);
        for (uint64_t i = 0; i < out->count; i++) {
            if (entries[i] != LOOKUP_NONE) text_add(&w, tensor_string(values, entries[i]));
            text_next(&w);
        }
        return;
    }
    for (uint64_t i = 0; i < out->count; i++, to += size) {
        const char *from = values->data;
        memset(to, 0, size);
        if (entries[i] != LOOKUP_NONE) memcpy(to, from + entries[i] * size, size);
    }
}

/* A text of the map goes to one column at most. */
static wlk_status dict_run(run *r, const op_call *call) {
    const op_tensor *values = map_values(call);
    const int64_t dims[2] = {1, vocabulary_count(call)};
    run_buffer *entries = NULL;
    held out = {.owner = NULL};
    TRY(entries_take(r, call, (uint64_t)dims[1], &entries));
    TRY(held_new(r, values->dtype, 2, dims, values->text_bytes, &out));
    find_entries(call, buffer_data(entries));
    fill_row(values, buffer_data(entries), &out.tensor);
    buffer_drop(r, entries);
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

/* ---- CastMap: values in the order of their keys, or at the column that the key names */

enum { CAST_TO, CAST_FORM, CAST_COLUMNS };

typedef struct cast_target {
    const char *name;
    wlk_dtype dtype;
} cast_target;

static const cast_target targets[] = {
    {"TO_FLOAT", WLK_F32}, {"TO_STRING", WLK_STR}, {"TO_INT64", WLK_I64}};

static wlk_status cast_dtype(const op_call *call, wlk_dtype *out) {
    const char *name = op_attribute(call, CAST_TO).s;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        *out = targets[i].dtype;
        if (strcmp(targets[i].name, name) == 0) return WLK_OK;
    }
    return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "cast_to '%.20s'", name);
}

static bool is_sparse(const op_call *call) {
    return strcmp(op_attribute(call, CAST_FORM).s, "SPARSE") == 0;
}

static wlk_status cast_infer(op_call *call) {
    const char *form = op_attribute(call, CAST_FORM).s;
    const int64_t columns = op_attribute(call, CAST_COLUMNS).i;
    wlk_dtype dtype = WLK_F32;
    TRY(cast_dtype(call, &dtype));
    if (!is_sparse(call) && strcmp(form, "DENSE") != 0) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "map_form '%.20s'", form);
    }
    if (is_sparse(call) && columns < 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "max_map %" PRId64, columns);
    }
    if (op_input(call, 0)->key_dtype != WLK_I64) {
        return op_fail(call, RULE_PLAN_DTYPE, "its keys must be i64");
    }
    const int64_t dims[2] = {1, is_sparse(call) ? columns : WLK_UNKNOWN_DIM};
    op_set_output(call, 0, dtype, 2, dims);
    return WLK_OK;
}

static int compare_entries(const void *context, uint32_t a, uint32_t b) {
    const int64_t *keys = context;
    return (keys[a] > keys[b]) - (keys[a] < keys[b]);
}

static wlk_status repeated_key(const op_call *call, int64_t key) {
    return op_fail(call, RULE_RUN_VALUE, "key %" PRId64 " is there twice", key);
}

static wlk_status dense_entries(run *r, const op_call *call, uint32_t *entries) {
    const op_tensor *keys = map_keys(call);
    const int64_t *key = keys->data;
    const uint32_t count = (uint32_t)keys->count;
    run_buffer *scratch = NULL;
    TRY(buffer_take(r, count * sizeof(uint32_t), &scratch));
    for (uint32_t i = 0; i < count; i++) entries[i] = i;
    sort_u32(entries, count, compare_entries, key, buffer_data(scratch));
    buffer_drop(r, scratch);
    for (uint32_t i = 1; i < count; i++) {
        if (key[entries[i]] == key[entries[i - 1]]) return repeated_key(call, key[entries[i]]);
    }
    return WLK_OK;
}

static wlk_status sparse_entries(const op_call *call, uint64_t width, uint32_t *entries) {
    const op_tensor *keys = map_keys(call);
    const int64_t *key = keys->data;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (key[i] < 0 || (uint64_t)key[i] >= width) {
            return op_fail(call, RULE_RUN_INDEX, "key %" PRId64 " of %" PRIu64 " columns", key[i],
                           width);
        }
        if (entries[key[i]] != LOOKUP_NONE) return repeated_key(call, key[i]);
        entries[key[i]] = i;
    }
    return WLK_OK;
}

/* The value of an entry as a number: 0 where there is none. */
static wlk_status entry_number(const op_call *call, wlk_dtype dtype, uint32_t entry, number *out) {
    const op_tensor *values = map_values(call);
    *out = (number){.kind = NUMBER_INT};
    if (entry == LOOKUP_NONE) return WLK_OK;
    if (values->dtype != WLK_STR) {
        *out = number_load(values->dtype)(values->data, entry);
        return WLK_OK;
    }
    const text_span text = tensor_string(values, entry);
    if (number_parse(dtype, text.text, text.length, out)) return WLK_OK;
    return op_fail(call, RULE_RUN_TEXT, "value %u is not a number", entry);
}

static wlk_status cast_numbers(const op_call *call, const uint32_t *entries, op_tensor *out) {
    const number_storer store = number_store(out->dtype);
    for (uint64_t i = 0; i < out->count; i++) {
        number value;
        TRY(entry_number(call, out->dtype, entries[i], &value));
        store(out->target, i, value);
    }
    return WLK_OK;
}

/* Numbers are spelled as Cast does, and 0 where there is no entry. */
static void cast_texts(const op_call *call, const uint32_t *entries, op_tensor *out) {
    const op_tensor *values = map_values(call);
    text_writer w = text_begin(out);
    for (uint64_t i = 0; i < out->count; i++) {
        char text[NUMBER_TEXT_BYTES] = "0";
        text_span span = {text, 1};
        if (entries[i] != LOOKUP_NONE && values->dtype == WLK_STR) {
            span = tensor_string(values, entries[i]);
        } else if (entries[i] != LOOKUP_NONE) {
            const number value = number_load(values->dtype)(values->data, entries[i]);
            span.length = number_format(values->dtype, value, text);
        }
        text_add(&w, span);
        text_next(&w);
    }
}

static wlk_status cast_row(run *r, const op_call *call, wlk_dtype dtype, uint64_t width,
                           const uint32_t *entries, held *out) {
    const int64_t dims[2] = {1, (int64_t)width};
    uint64_t text = 0;
    if (dtype == WLK_STR && (__builtin_mul_overflow(width, NUMBER_TEXT_BYTES, &text) ||
                             __builtin_add_overflow(text, map_values(call)->text_bytes, &text))) {
        return op_fail(call, RULE_RUN_MEMORY, "its text");
    }
    TRY(held_new(r, dtype, 2, dims, text, out));
    TRY(run_charge(r, width * ENTRY_COST));
    if (dtype != WLK_STR) return cast_numbers(call, entries, &out->tensor);
    cast_texts(call, entries, &out->tensor);
    return WLK_OK;
}

static wlk_status cast_run(run *r, const op_call *call) {
    const bool sparse = is_sparse(call);
    const uint64_t width =
        sparse ? (uint64_t)op_attribute(call, CAST_COLUMNS).i : map_keys(call)->count;
    run_buffer *entries = NULL;
    wlk_dtype dtype = WLK_F32;
    held out = {.owner = NULL};
    TRY(cast_dtype(call, &dtype));
    TRY(entries_take(r, call, width, &entries));
    if (sparse) {
        TRY(sparse_entries(call, width, buffer_data(entries)));
    } else {
        TRY(dense_entries(r, call, buffer_data(entries)));
    }
    TRY(cast_row(r, call, dtype, width, buffer_data(entries), &out));
    buffer_drop(r, entries);
    frame_give_output(r, call, 0, &out);
    return WLK_OK;
}

/* ---- rows */

static const attribute_row dict_attributes[] = {
    [DICT_INTS] = {.name = "int64_vocabulary", .type = WLK_ATTR_INTS},
    [DICT_STRINGS] = {.name = "string_vocabulary", .type = WLK_ATTR_STRINGS},
};
static const attribute_row cast_attributes[] = {
    [CAST_TO] = {.name = "cast_to", .type = WLK_ATTR_STRING, .s = "TO_FLOAT"},
    [CAST_FORM] = {.name = "map_form", .type = WLK_ATTR_STRING, .s = "DENSE"},
    [CAST_COLUMNS] = {.name = "max_map", .type = WLK_ATTR_INT, .i = 1},
};

static const uint32_t map_kind[] = {VALUE_BIT(VALUE_MAP)};
static const op_port dict_port[] = {
    {"X", DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_STR), 0}};
static const op_port cast_port[] = {{"X", DTYPE_BIT(WLK_F32) | DTYPE_BIT(WLK_STR), 0}};

#define ROW(op_name, op_ports, known_attributes, op_shape, op_run)                            \
    .domain = "ai.onnx.ml", .name = op_name, .since = 1, .min_inputs = 1, .max_inputs = 1,    \
    .min_outputs = 1, .max_outputs = 1, .ports = op_ports, .kinds = map_kind,                 \
    .attributes = known_attributes,                                                           \
    .attribute_count = sizeof known_attributes / sizeof *known_attributes, .infer = op_shape, \
    .control = op_run

static const op_row rows[] = {
    {ROW("DictVectorizer", dict_port, dict_attributes, dict_infer, dict_run),
     .prepare = dict_prepare},
    {ROW("CastMap", cast_port, cast_attributes, cast_infer, cast_run)},
};

const op_family ops_ml_map = {rows, sizeof rows / sizeof *rows};
