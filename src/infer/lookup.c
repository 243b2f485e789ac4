#include "infer/lookup.h"

#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "infer/number_block.h"

/* ---- lists */

lookup_list lookup_ints(attribute_value list) {
    return (lookup_list){.dtype = WLK_I64, .count = list.count, .numbers = list.ints};
}

lookup_list lookup_floats(attribute_value list) {
    return (lookup_list){.dtype = WLK_F32, .count = list.count, .numbers = list.floats};
}

lookup_list lookup_strings(attribute_value list) {
    return (lookup_list){.dtype = WLK_STR, .count = list.count, .strings = list.strings};
}

lookup_list lookup_tensor(const op_tensor *tensor) {
    return (lookup_list){.dtype = tensor->dtype,
                         .count = (uint32_t)tensor->count,
                         .numbers = tensor->data,
                         .tensor = tensor};
}

text_span lookup_text(const lookup_list *list, uint32_t i) {
    if (list->tensor) return tensor_string(list->tensor, i);
    return (text_span){list->strings[i], strlen(list->strings[i])};
}

/* ---- codes: numbers whose order is that of the keys */

#define SIGN_BIT ((uint64_t)1 << 63)

static uint64_t code_int(int64_t value) {
    return (uint64_t)value ^ SIGN_BIT;
}

static uint64_t code_float(double value) {
    uint64_t bits = 0;
    if (isnan(value)) return UINT64_MAX;
    if (value == 0) value = 0; /* there are two of them */
    memcpy(&bits, &value, sizeof bits);
    return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

/* The first 8 bytes, zeros behind the end: what most strings differ in. */
static uint64_t code_text(text_span text) {
    unsigned char first[8] = {0};
    uint64_t code = 0;
    if (text.length > 0) memcpy(first, text.text, text.length < 8 ? text.length : 8);
    for (uint32_t i = 0; i < 8; i++) code = code << 8 | first[i];
    return code;
}

static uint64_t code_number(number value) {
    return value.kind == NUMBER_FLOAT ? code_float(value.f) : code_int(value.i);
}

static int compare_texts(text_span a, text_span b) {
    const uint64_t common = a.length < b.length ? a.length : b.length;
    const int order = common > 0 ? memcmp(a.text, b.text, common) : 0;
    if (order != 0) return order;
    return (a.length > b.length) - (a.length < b.length);
}

/* ---- sorting */

typedef struct key_table {
    const uint64_t *codes;
    const text_span *texts; /* NULL: numbers */
} key_table;

static int compare_keys(const void *context, uint32_t a, uint32_t b) {
    const key_table *keys = context;
    if (keys->codes[a] != keys->codes[b]) return keys->codes[a] < keys->codes[b] ? -1 : 1;
    return keys->texts ? compare_texts(keys->texts[a], keys->texts[b]) : 0;
}

static void read_keys(const lookup_list *list, uint64_t *codes, text_span *texts) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (texts) texts[i] = lookup_text(list, i);
        codes[i] =
            texts ? code_text(texts[i]) : code_number(number_load(list->dtype)(list->numbers, i));
    }
}

/* The keys in order, of equal ones the last. */
static void place_keys(const key_table *keys, const uint32_t *order, uint32_t count,
                       uint64_t *codes, uint32_t *places, text_span *texts, uint32_t *kept) {
    uint32_t to = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i + 1 < count && compare_keys(keys, order[i], order[i + 1]) == 0) continue;
        codes[to] = keys->codes[order[i]];
        places[to] = order[i];
        if (texts) texts[to] = keys->texts[order[i]];
        to++;
    }
    *kept = to;
}

typedef struct key_room {
    uint64_t *codes;
    uint32_t *order;
    text_span *texts;
} key_room;

static wlk_status take_room(const op_call *call, plan_memory *memory, const lookup_list *list,
                            key_room *out) {
    void *room[3] = {NULL, NULL, NULL};
    TRY(plan_take(memory, list->count, sizeof(uint64_t), &room[0], call->error));
    TRY(plan_take(memory, list->count, sizeof(uint32_t), &room[1], call->error));
    if (list->dtype == WLK_STR) {
        TRY(plan_take(memory, list->count, sizeof(text_span), &room[2], call->error));
    }
    *out = (key_room){room[0], room[1], room[2]};
    return WLK_OK;
}

wlk_status lookup_build(const op_call *call, plan_memory *memory, const lookup_list *keys,
                        lookup *out) {
    key_room given;
    key_room sorted;
    TRY(take_room(call, memory, keys, &given));
    TRY(take_room(call, memory, keys, &sorted));
    read_keys(keys, given.codes, given.texts);
    const key_table table = {given.codes, given.texts};
    for (uint32_t i = 0; i < keys->count; i++) given.order[i] = i;
    sort_u32(given.order, keys->count, compare_keys, &table, sorted.order);
    *out = (lookup){
        .dtype = keys->dtype, .codes = sorted.codes, .places = sorted.order, .texts = sorted.texts};
    place_keys(&table, given.order, keys->count, sorted.codes, sorted.order, sorted.texts,
               &out->count);
    return WLK_OK;
}

/* ---- finding */

static uint32_t find_code(const lookup *l, uint64_t code) {
    const uint64_t *base = l->codes;
    uint32_t left = l->count;
    if (left == 0) return LOOKUP_NONE;
    while (left > 1) {
        const uint32_t half = left / 2;
        base = base[half] <= code ? base + half : base;
        left -= half;
    }
    return *base == code ? l->places[base - l->codes] : LOOKUP_NONE;
}

uint32_t lookup_find_int(const lookup *l, int64_t value) {
    return find_code(l, code_int(value));
}

uint32_t lookup_find_text(const lookup *l, text_span text) {
    const uint64_t code = code_text(text);
    uint32_t low = 0;
    uint32_t high = l->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        int order = (code > l->codes[middle]) - (code < l->codes[middle]);
        if (order == 0) order = compare_texts(text, l->texts[middle]);
        if (order == 0) return l->places[middle];
        if (order < 0) high = middle;
        if (order > 0) low = middle + 1;
    }
    return LOOKUP_NONE;
}

/* Of integers none is beyond these: then it is no key. */
static uint32_t find_whole(const lookup *l, double value) {
    const double limit = 9223372036854775808.0;
    if (!(value >= -limit && value < limit)) return LOOKUP_NONE;
    return find_code(l, code_int((int64_t)value));
}

static void find_numbers(const lookup *l, const op_tensor *in, uint64_t from, uint64_t count,
                         uint32_t *places) {
    number_block block;
    number_block_load(in->dtype, in->data, from, count, &block);
    if (block.kind != NUMBER_FLOAT) {
        for (uint64_t i = 0; i < count; i++) places[i] = find_code(l, code_int(block.i[i]));
    } else if (number_is_float(l->dtype)) {
        for (uint64_t i = 0; i < count; i++) places[i] = find_code(l, code_float(block.f[i]));
    } else {
        for (uint64_t i = 0; i < count; i++) places[i] = find_whole(l, block.f[i]);
    }
}

void lookup_block(const lookup *l, const op_tensor *in, uint64_t from, uint64_t count,
                  uint32_t *places) {
    if (in->dtype != WLK_STR) {
        find_numbers(l, in, from, count, places);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        places[i] = lookup_find_text(l, tensor_string(in, from + i));
    }
}

void lookup_cost(op_call *call, const lookup *l, const op_tensor *in) {
    uint64_t halvings = 1;
    for (uint32_t left = l->count; left > 1; left /= 2) halvings++;
    op_add_operations(call, 4 * OP_INTEGER_COST, in->count, halvings, 1);
    if (in->dtype == WLK_STR) op_add_operations(call, OP_INTEGER_COST, in->text_bytes, halvings, 1);
}
_Static_assert(LOOKUP_BLOCK <= NUMBER_BLOCK, "a block of elements is loaded at once");
