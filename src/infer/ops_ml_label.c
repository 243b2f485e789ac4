/* ai.onnx.ml LabelEncoder and CategoryMapper: each element is looked up among keys, and
 * becomes the value at the same place, or the default. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "infer/lookup.h"
#include "infer/numbers.h"
#include "infer/ops.h"
#include "infer/parallel.h"
#include "infer/text_writer.h"

/* What a node is made into. The default is the value behind the last. */
typedef struct relabel {
    lookup keys;
    wlk_dtype dtype;
    uint32_t count; /* of the values, without the default */
    const char *numbers;
    const text_span *texts; /* str */
    uint64_t longest;       /* of the texts, in bytes */
} relabel;

/* ---- what both operators do */

static wlk_status relabel_infer(op_call *call) {
    const op_tensor *in = op_input(call, 0);
    const relabel *r = call->node->prepared;
    uint64_t text = 0;
    op_set_output(call, 0, r->dtype, in->rank, in->dims);
    if (!call->binding) return WLK_OK;
    lookup_cost(call, &r->keys, in);
    if (r->dtype != WLK_STR) return WLK_OK;
    if (!checked_mul(in->count, r->longest, &text)) {
        return op_fail(call, RULE_RUN_MEMORY, "its text");
    }
    op_set_text(call, 0, text);
    op_add_operations(call, OP_INTEGER_COST, text, 1, 1);
    return WLK_OK;
}

typedef struct relabel_job {
    const relabel *r;
    const op_tensor *in;
    char *out;
    uint64_t size;
} relabel_job;

/* Places of one block; what is not found is behind the last value. */
static void find_values(const relabel *r, const op_tensor *in, uint64_t from, uint64_t count,
                        uint32_t *places) {
    lookup_block(&r->keys, in, from, count, places);
    for (uint64_t i = 0; i < count; i++) {
        places[i] = places[i] == LOOKUP_NONE ? r->count : places[i];
    }
}

static void copy_values(const relabel_job *job, uint64_t from, uint64_t count,
                        const uint32_t *places) {
    const char *values = job->r->numbers;
    char *to = job->out + from * job->size;
    if (job->size == 8) {
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + 8 * i, values + 8 * (uint64_t)places[i], 8);
    } else if (job->size == 4) {
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + 4 * i, values + 4 * (uint64_t)places[i], 4);
    } else {
        for (uint64_t i = 0; i < count; i++)
            memcpy(to + 2 * i, values + 2 * (uint64_t)places[i], 2);
    }
}

static uint64_t block_at(uint64_t from, uint64_t to) {
    return to - from < LOOKUP_BLOCK ? to - from : LOOKUP_BLOCK;
}

static void relabel_numbers(void *context, uint64_t from, uint64_t to) {
    const relabel_job *job = context;
    uint32_t places[LOOKUP_BLOCK];
    for (uint64_t count = 0; from < to; from += count) {
        count = block_at(from, to);
        find_values(job->r, job->in, from, count, places);
        copy_values(job, from, count, places);
    }
}

static void relabel_texts(const relabel *r, const op_tensor *in, op_tensor *out) {
    uint32_t places[LOOKUP_BLOCK];
    text_writer w = text_begin(out);
    for (uint64_t from = 0, count = 0; from < in->count; from += count) {
        count = block_at(from, in->count);
        find_values(r, in, from, count, places);
        for (uint64_t i = 0; i < count; i++) {
            text_add(&w, r->texts[places[i]]);
            text_next(&w);
        }
    }
}

static uint64_t value_size(wlk_dtype dtype) {
    return wlk_dtype_bits(dtype) / 8;
}

static wlk_status relabel_kernel(const op_call *call) {
    const relabel *r = call->node->prepared;
    const op_tensor *in = op_input(call, 0);
    op_tensor *out = op_output(call, 0);
    relabel_job job = {.r = r, .in = in, .out = out->target, .size = value_size(r->dtype)};
    if (r->dtype == WLK_STR) {
        relabel_texts(r, in, out);
    } else {
        op_parallel(call, in->count, 8ull * LOOKUP_BLOCK, relabel_numbers, &job);
    }
    return WLK_OK;
}

/* ---- keys, values and a default become a table */

typedef struct fallback {
    text_span text;
    number value;
} fallback;

static wlk_status take_texts(const op_call *call, plan_memory *memory, const lookup_list *values,
                             fallback otherwise, relabel *r) {
    void *room = NULL;
    TRY(plan_take(memory, (uint64_t)values->count + 1, sizeof(text_span), &room, call->error));
    text_span *texts = room;
    for (uint32_t i = 0; i < values->count; i++) texts[i] = lookup_text(values, i);
    texts[values->count] = otherwise.text;
    for (uint32_t i = 0; i <= values->count; i++) {
        if (texts[i].length > r->longest) r->longest = texts[i].length;
    }
    r->texts = texts;
    return WLK_OK;
}

static wlk_status take_numbers(const op_call *call, plan_memory *memory, const lookup_list *values,
                               fallback otherwise, relabel *r) {
    const uint64_t size = value_size(values->dtype);
    void *room = NULL;
    TRY(plan_take(memory, (uint64_t)values->count + 1, size, &room, call->error));
    if (values->count > 0) memcpy(room, values->numbers, values->count * size);
    number_store(values->dtype)(room, values->count, otherwise.value);
    r->numbers = room;
    return WLK_OK;
}

static wlk_status relabel_build(const op_call *call, plan_memory *memory, const lookup_list *keys,
                                const lookup_list *values, fallback otherwise,
                                const void **prepared) {
    void *room = NULL;
    if (keys->count != values->count) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "%u keys and %u values", keys->count,
                       values->count);
    }
    TRY(plan_take(memory, 1, sizeof(relabel), &room, call->error));
    relabel *r = room;
    *r = (relabel){.dtype = values->dtype, .count = values->count};
    TRY(lookup_build(call, memory, keys, &r->keys));
    *prepared = r;
    return values->dtype == WLK_STR ? take_texts(call, memory, values, otherwise, r)
                                    : take_numbers(call, memory, values, otherwise, r);
}

static fallback fall_back_to(attribute_value text, attribute_value whole) {
    return (fallback){.text = {text.s, strlen(text.s)},
                      .value = {.kind = NUMBER_INT, .i = whole.i}};
}

static lookup_list swap_if(bool swap, const lookup_list *a, const lookup_list *b) {
    return swap ? *b : *a;
}

/* Strings to integers, or, where the input is of integers, back. */
static wlk_status either_way(const op_call *call, plan_memory *memory, const lookup_list *texts,
                             const lookup_list *ints, fallback otherwise, const void **prepared) {
    const bool back = op_input(call, 0)->dtype == WLK_I64;
    const lookup_list keys = swap_if(back, texts, ints);
    const lookup_list values = swap_if(back, ints, texts);
    return relabel_build(call, memory, &keys, &values, otherwise, prepared);
}

/* ---- CategoryMapper */

enum { MAPPER_INTS, MAPPER_STRINGS, MAPPER_DEFAULT_INT, MAPPER_DEFAULT_STRING };

static wlk_status mapper_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const lookup_list texts = lookup_strings(op_attribute(call, MAPPER_STRINGS));
    const lookup_list ints = lookup_ints(op_attribute(call, MAPPER_INTS));
    return either_way(call, memory, &texts, &ints,
                      fall_back_to(op_attribute(call, MAPPER_DEFAULT_STRING),
                                   op_attribute(call, MAPPER_DEFAULT_INT)),
                      prepared);
}

/* ---- LabelEncoder-1: a class is known by its place in a list */

enum { FIRST_CLASSES, FIRST_DEFAULT_INT, FIRST_DEFAULT_STRING };

static wlk_status first_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const lookup_list texts = lookup_strings(op_attribute(call, FIRST_CLASSES));
    void *room = NULL;
    TRY(plan_take(memory, texts.count, sizeof(int64_t), &room, call->error));
    int64_t *numbers = room;
    for (uint32_t i = 0; i < texts.count; i++) numbers[i] = i;
    const lookup_list ints = {.dtype = WLK_I64, .count = texts.count, .numbers = numbers};
    return either_way(call, memory, &texts, &ints,
                      fall_back_to(op_attribute(call, FIRST_DEFAULT_STRING),
                                   op_attribute(call, FIRST_DEFAULT_INT)),
                      prepared);
}

/* ---- LabelEncoder-2 and -4 */

enum {
    KEYS_STRINGS,
    KEYS_INTS,
    KEYS_FLOATS,
    VALUES_STRINGS,
    VALUES_INTS,
    VALUES_FLOATS,
    DEFAULT_STRING,
    DEFAULT_INT,
    DEFAULT_FLOAT,
    KEYS_TENSOR, /* from here on -4 */
    VALUES_TENSOR,
    DEFAULT_TENSOR
};

#define LABEL_DTYPES                                                               \
    (DTYPE_BIT(WLK_STR) | DTYPES_FLOAT | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_I32) | \
     DTYPE_BIT(WLK_I16))

static wlk_status read_tensor(const op_call *call, uint32_t attribute, lookup_list *out) {
    const op_tensor *tensor = op_attribute_tensor(call, attribute);
    const char *name = call->node->row->attributes[attribute].name;
    char text[TENSOR_TEXT_BYTES];
    if (tensor->rank != 1 || !(LABEL_DTYPES & DTYPE_BIT(tensor->dtype)) ||
        tensor->count >= UINT32_MAX) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "attribute '%s' is %s", name,
                       tensor_text(tensor, text));
    }
    *out = lookup_tensor(tensor);
    return WLK_OK;
}

/* The one list of keys, or of values: strings, ints and floats begin at `first`. */
static wlk_status read_list(const op_call *call, uint32_t first, uint32_t tensor,
                            lookup_list *out) {
    const attribute_value strings = op_attribute(call, first);
    const attribute_value ints = op_attribute(call, first + 1);
    const attribute_value floats = op_attribute(call, first + 2);
    const bool has_tensor = op_attribute(call, tensor).given;
    const int given = strings.given + ints.given + floats.given + has_tensor;
    if (given != 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE, "%d lists of %s, must be 1", given,
                       first == KEYS_STRINGS ? "keys" : "values");
    }
    if (has_tensor) return read_tensor(call, tensor, out);
    *out = strings.given ? lookup_strings(strings)
                         : (ints.given ? lookup_ints(ints) : lookup_floats(floats));
    return WLK_OK;
}

/* Does an integer stay what it is in this dtype? */
static bool fits(wlk_dtype dtype, int64_t value) {
    if (dtype == WLK_I16) return value >= INT16_MIN && value <= INT16_MAX;
    return dtype != WLK_I32 || (value >= INT32_MIN && value <= INT32_MAX);
}

static wlk_status default_of_tensor(const op_call *call, wlk_dtype dtype, fallback *out) {
    const op_tensor *tensor = op_attribute_tensor(call, DEFAULT_TENSOR);
    char text[TENSOR_TEXT_BYTES];
    if (tensor->dtype != dtype || tensor->count != 1) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "default_tensor is %s, must be one %s",
                       tensor_text(tensor, text), wlk_dtype_name(dtype));
    }
    if (dtype == WLK_STR) {
        out->text = tensor_string(tensor, 0);
    } else {
        out->value = number_load(dtype)(tensor->data, 0);
    }
    return WLK_OK;
}

static wlk_status read_default(const op_call *call, wlk_dtype dtype, fallback *out) {
    const attribute_value whole = op_attribute(call, DEFAULT_INT);
    *out = fall_back_to(op_attribute(call, DEFAULT_STRING), whole);
    if (op_attribute(call, DEFAULT_TENSOR).given) return default_of_tensor(call, dtype, out);
    if (number_is_float(dtype)) {
        out->value = (number){.kind = NUMBER_FLOAT, .f = op_attribute(call, DEFAULT_FLOAT).f};
    } else if (!fits(dtype, whole.i)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "default_int64 %" PRId64 " is no %s",
                       whole.i, wlk_dtype_name(dtype));
    }
    return WLK_OK;
}

static wlk_status label_prepare(op_call *call, plan_memory *memory, const void **prepared) {
    const wlk_dtype given = op_input(call, 0)->dtype;
    lookup_list keys;
    lookup_list values;
    fallback otherwise;
    TRY(read_list(call, KEYS_STRINGS, KEYS_TENSOR, &keys));
    TRY(read_list(call, VALUES_STRINGS, VALUES_TENSOR, &values));
    if (keys.dtype != given) {
        return op_fail(call, RULE_PLAN_MIXED, "the keys are %s, the input is %s",
                       wlk_dtype_name(keys.dtype), wlk_dtype_name(given));
    }
    TRY(read_default(call, values.dtype, &otherwise));
    return relabel_build(call, memory, &keys, &values, otherwise, prepared);
}

/* ---- rows */

#define UNUSED_TEXT "_Unused"

static const attribute_row mapper_attributes[] = {
    [MAPPER_INTS] = {.name = "cats_int64s", .type = WLK_ATTR_INTS},
    [MAPPER_STRINGS] = {.name = "cats_strings", .type = WLK_ATTR_STRINGS},
    [MAPPER_DEFAULT_INT] = {.name = "default_int64", .type = WLK_ATTR_INT, .i = -1},
    [MAPPER_DEFAULT_STRING] = {.name = "default_string", .type = WLK_ATTR_STRING, .s = UNUSED_TEXT},
};
static const attribute_row first_attributes[] = {
    [FIRST_CLASSES] = {.name = "classes_strings", .type = WLK_ATTR_STRINGS},
    [FIRST_DEFAULT_INT] = {.name = "default_int64", .type = WLK_ATTR_INT, .i = -1},
    [FIRST_DEFAULT_STRING] = {.name = "default_string", .type = WLK_ATTR_STRING, .s = UNUSED_TEXT},
};
static const attribute_row label_attributes[] = {
    [KEYS_STRINGS] = {.name = "keys_strings", .type = WLK_ATTR_STRINGS},
    [KEYS_INTS] = {.name = "keys_int64s", .type = WLK_ATTR_INTS},
    [KEYS_FLOATS] = {.name = "keys_floats", .type = WLK_ATTR_FLOATS},
    [VALUES_STRINGS] = {.name = "values_strings", .type = WLK_ATTR_STRINGS},
    [VALUES_INTS] = {.name = "values_int64s", .type = WLK_ATTR_INTS},
    [VALUES_FLOATS] = {.name = "values_floats", .type = WLK_ATTR_FLOATS},
    [DEFAULT_STRING] = {.name = "default_string", .type = WLK_ATTR_STRING, .s = UNUSED_TEXT},
    [DEFAULT_INT] = {.name = "default_int64", .type = WLK_ATTR_INT, .i = -1},
    [DEFAULT_FLOAT] = {.name = "default_float", .type = WLK_ATTR_FLOAT, .f = -0.0},
    [KEYS_TENSOR] = {.name = "keys_tensor", .type = WLK_ATTR_TENSOR},
    [VALUES_TENSOR] = {.name = "values_tensor", .type = WLK_ATTR_TENSOR},
    [DEFAULT_TENSOR] = {.name = "default_tensor", .type = WLK_ATTR_TENSOR},
};

static const op_port port_1[] = {{"X", DTYPE_BIT(WLK_STR) | DTYPE_BIT(WLK_I64), 0}};
static const op_port port_2[] = {
    {"X", DTYPE_BIT(WLK_STR) | DTYPE_BIT(WLK_I64) | DTYPE_BIT(WLK_F32), 0}};
static const op_port port_4[] = {{"X", LABEL_DTYPES, 0}};

#define ROW(op_name, version, op_port, known_attributes, known_count, op_make)                  \
    {                                                                                           \
        .domain = "ai.onnx.ml", .name = op_name, .since = version, .min_inputs = 1,             \
        .max_inputs = 1, .min_outputs = 1, .max_outputs = 1, .ports = op_port,                  \
        .attributes = known_attributes, .attribute_count = known_count, .infer = relabel_infer, \
        .kernel = relabel_kernel, .prepare = op_make                                            \
    }

static const op_row rows[] = {
    ROW("CategoryMapper", 1, port_1, mapper_attributes, 4, mapper_prepare),
    ROW("LabelEncoder", 1, port_1, first_attributes, 3, first_prepare),
    ROW("LabelEncoder", 2, port_2, label_attributes, KEYS_TENSOR, label_prepare),
    ROW("LabelEncoder", 4, port_4, label_attributes, 12, label_prepare),
};

const op_family ops_ml_label = {rows, sizeof rows / sizeof *rows};
