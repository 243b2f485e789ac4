/* Do two models say the same, and does writing and parsing keep what a model says? */
#include <string.h>

#include <weighlock/parse.h>
#include <weighlock/write.h>

#include "base/error.h"
#include "kit/kit.h"
#include "kit/oracle.h"

/* Two models, the second of which may have been written and parsed since. */
typedef struct pair {
    const wlk_model *a, *b;
    bool written;
} pair;

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0; /* so that a NaN is itself, and 0 not -0 */
}

/* A file has no nameless tensors. */
static bool same_tensor_name(const pair *p, const char *a, const char *b) {
    return same_text(a, b) || (p->written && a[0] == '\0');
}

static void same_tensor(const pair *p, uint32_t index) {
    const wlk_tensor a = wlk_model_tensor(p->a, index), b = wlk_model_tensor(p->b, index);
    FUZZ_CHECK(0, same_tensor_name(p, a.name, b.name));
    FUZZ_CHECK(0, a.dtype == b.dtype && a.rank == b.rank && a.count == b.count);
    FUZZ_CHECK(0, memcmp(a.shape, b.shape, sizeof a.shape) == 0);
    FUZZ_CHECK(0, same_text(a.block_kind, b.block_kind));
    FUZZ_CHECK(0, a.block_elements == b.block_elements && a.block_bytes == b.block_bytes);
    FUZZ_CHECK(0, a.nbytes == b.nbytes);
    if (!a.data || !b.data || a.nbytes == 0) return;
    FUZZ_CHECK(0, memcmp(a.data, b.data, a.nbytes) == 0);
}

/* Types that are equal are one in a file: by what they say, not by their numbers. */
static void same_type(const pair *p, uint32_t index_a, uint32_t index_b) {
    while (index_a != WLK_NONE) {
        FUZZ_CHECK(0, index_b != WLK_NONE);
        const wlk_type a = wlk_model_type(p->a, index_a), b = wlk_model_type(p->b, index_b);
        FUZZ_CHECK(0, a.kind == b.kind && a.dtype == b.dtype && a.key_dtype == b.key_dtype);
        FUZZ_CHECK(0, a.has_shape == b.has_shape && a.rank == b.rank);
        FUZZ_CHECK(0, memcmp(a.dims, b.dims, sizeof a.dims) == 0);
        for (uint32_t i = 0; i < a.rank; i++) FUZZ_CHECK(0, same_text(a.symbols[i], b.symbols[i]));
        index_a = a.element;
        index_b = b.element;
    }
    FUZZ_CHECK(0, index_b == WLK_NONE);
}

/* Values are known by their names, which are distinct. */
static void same_value(const pair *p, uint32_t index_a, uint32_t index_b) {
    const wlk_value a = wlk_model_value(p->a, index_a), b = wlk_model_value(p->b, index_b);
    FUZZ_CHECK(0, same_text(a.name, b.name));
    /* A file has types of graphs' inputs and outputs alone. */
    if (p->written && b.type == WLK_NONE) return;
    same_type(p, a.type, b.type);
}

static void same_ref(const pair *p, wlk_ref a, wlk_ref b) {
    FUZZ_CHECK(0, a.kind == b.kind);
    if (a.kind == WLK_REF_VALUE) same_value(p, a.index, b.index);
    if (a.kind == WLK_REF_TENSOR) FUZZ_CHECK(0, a.index == b.index);
}

static void same_attribute(const pair *p, uint32_t index_a, uint32_t index_b) {
    const wlk_attribute a = wlk_model_attribute(p->a, index_a);
    const wlk_attribute b = wlk_model_attribute(p->b, index_b);
    FUZZ_CHECK(0, same_text(a.name, b.name) && a.type == b.type && a.count == b.count);
    for (uint32_t i = 0; i < a.count; i++) {
        const int64_t number_a = wlk_model_attribute_int(p->a, &a, i);
        const int64_t number_b = wlk_model_attribute_int(p->b, &b, i);
        if (a.type == WLK_ATTR_TYPE) {
            same_type(p, (uint32_t)number_a, (uint32_t)number_b);
        } else {
            FUZZ_CHECK(0, number_a == number_b);
        }
        FUZZ_CHECK(0, same_bits(wlk_model_attribute_float(p->a, &a, i),
                                wlk_model_attribute_float(p->b, &b, i)));
        FUZZ_CHECK(0, same_text(wlk_model_attribute_string(p->a, &a, i),
                                wlk_model_attribute_string(p->b, &b, i)));
    }
}

static void same_node(const pair *p, uint32_t index) {
    const wlk_node a = wlk_model_node(p->a, index), b = wlk_model_node(p->b, index);
    FUZZ_CHECK(0, same_text(a.op, b.op) && same_text(a.domain, b.domain));
    FUZZ_CHECK(0, same_text(a.name, b.name) && a.graph == b.graph);
    FUZZ_CHECK(0, a.inputs == b.inputs && a.outputs == b.outputs && a.attributes == b.attributes);
    for (uint32_t i = 0; i < a.inputs; i++) {
        same_ref(p, wlk_model_node_input(p->a, index, i), wlk_model_node_input(p->b, index, i));
    }
    for (uint32_t i = 0; i < a.outputs; i++) {
        same_ref(p, wlk_model_node_output(p->a, index, i), wlk_model_node_output(p->b, index, i));
    }
    for (uint32_t i = 0; i < a.attributes; i++) {
        same_attribute(p, a.first_attribute + i, b.first_attribute + i);
    }
}

static void same_graph(const pair *p, uint32_t index) {
    const wlk_graph a = wlk_model_graph(p->a, index), b = wlk_model_graph(p->b, index);
    FUZZ_CHECK(0, same_text(a.name, b.name) && a.first_node == b.first_node);
    FUZZ_CHECK(0, a.inputs == b.inputs && a.outputs == b.outputs && a.nodes == b.nodes);
    for (uint32_t i = 0; i < a.inputs; i++) {
        const uint32_t value_a = wlk_model_graph_input(p->a, index, i);
        const uint32_t value_b = wlk_model_graph_input(p->b, index, i);
        same_value(p, value_a, value_b);
        FUZZ_CHECK(0, (wlk_model_value(p->a, value_a).type == WLK_NONE) ==
                          (wlk_model_value(p->b, value_b).type == WLK_NONE));
    }
    for (uint32_t i = 0; i < a.outputs; i++) {
        same_ref(p, wlk_model_graph_output(p->a, index, i), wlk_model_graph_output(p->b, index, i));
    }
}

/* By their paths: in a file the keys of a map have one order. */
static void same_meta(const pair *p, uint32_t index) {
    const wlk_meta a = wlk_model_meta(p->a, index);
    const uint32_t found = p->written ? wlk_model_find_meta(p->b, a.path) : index;
    FUZZ_CHECK(0, found != WLK_NONE);
    const wlk_meta b = wlk_model_meta(p->b, found);
    FUZZ_CHECK(0, same_text(a.path, b.path) && a.type == b.type);
    FUZZ_CHECK(0, a.i == b.i && a.u == b.u && same_bits(a.f, b.f));
    FUZZ_CHECK(0, same_text(a.s, b.s));
}

static void same_selftest(const pair *p, uint32_t index) {
    const wlk_selftest a = wlk_model_selftest(p->a, index), b = wlk_model_selftest(p->b, index);
    FUZZ_CHECK(0, a.inputs == b.inputs && a.outputs == b.outputs);
    FUZZ_CHECK(0, same_bits(a.rtol, b.rtol) && same_bits(a.atol, b.atol));
    for (uint32_t i = 0; i < a.inputs; i++) {
        FUZZ_CHECK(0, wlk_model_selftest_input(p->a, index, i) ==
                          wlk_model_selftest_input(p->b, index, i));
    }
    for (uint32_t i = 0; i < a.outputs; i++) {
        FUZZ_CHECK(0, wlk_model_selftest_output(p->a, index, i) ==
                          wlk_model_selftest_output(p->b, index, i));
    }
}

static void same_opset(const pair *p, uint32_t index) {
    const wlk_opset a = wlk_model_opset(p->a, index), b = wlk_model_opset(p->b, index);
    FUZZ_CHECK(0, same_text(a.domain, b.domain) && a.version == b.version);
}

static void same(const pair *p) {
    static const struct {
        wlk_section section;
        void (*compare)(const pair *p, uint32_t index);
    } rows[] = {
        {WLK_SECTION_TENSORS, same_tensor},     {WLK_SECTION_GRAPHS, same_graph},
        {WLK_SECTION_NODES, same_node},         {WLK_SECTION_METADATA, same_meta},
        {WLK_SECTION_SELFTESTS, same_selftest}, {WLK_SECTION_OPSETS, same_opset},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        const uint32_t count = wlk_model_count(p->a, rows[row].section);
        FUZZ_CHECK(0, wlk_model_count(p->b, rows[row].section) == count);
        for (uint32_t i = 0; i < count; i++) rows[row].compare(p, i);
    }
    FUZZ_CHECK(
        0, wlk_model_count(p->a, WLK_SECTION_VALUES) == wlk_model_count(p->b, WLK_SECTION_VALUES));
}

void oracle_same(const wlk_model *a, const wlk_model *b) {
    same(&(pair){a, b, false});
}

/* ---- the fixed point */

static wlk_status write_file(const wlk_model *model, bool compress, uint8_t **file, uint64_t *size,
                             wlk_error *error) {
    const wlk_write_options options = {.threads = 1, .compress = compress};
    return wlk_write_memory(model, &options, file, size, error);
}

/* What was written may be more than a limit allows: names are said once in an image, and
 * each time in a file. Nothing else may be wrong with it. */
static wlk_status read_file(const uint8_t *file, uint64_t size, wlk_model **model,
                            wlk_error *error) {
    const wlk_status status =
        wlk_parse_memory(file, size, WLK_FORMAT_WLK, fuzz_limits(), model, error);
    if (status == WLK_OK) return WLK_OK;
    FUZZ_CHECK(11, status == WLK_LIMIT || error->rule == RULE_INTERNAL_MEMORY);
    error->offset = WLK_NO_OFFSET; /* a place in that file, not in the input */
    return status;
}

typedef struct round_trip {
    uint8_t *file, *again;
    uint64_t size, again_size;
    wlk_model *model;
} round_trip;

static void round_trip_end(round_trip *r) {
    wlk_free(r->file);
    wlk_free(r->again);
    wlk_model_free(r->model);
}

wlk_status oracle_fixed_point(const wlk_model *model, wlk_error *error) {
    __attribute__((cleanup(round_trip_end))) round_trip r = {0};
    TRY(write_file(model, false, &r.file, &r.size, error));
    TRY(read_file(r.file, r.size, &r.model, error));
    oracle_model(r.model, r.size);
    same(&(pair){model, r.model, true});
    const wlk_status status = write_file(r.model, false, &r.again, &r.again_size, error);
    if (status != WLK_OK) {
        FUZZ_CHECK(11, error->rule == RULE_INTERNAL_MEMORY);
        return status;
    }
    FUZZ_CHECK(11, r.size == r.again_size && memcmp(r.file, r.again, r.size) == 0);
    return WLK_OK;
}

wlk_status oracle_compressed(const wlk_model *model, wlk_error *error) {
    __attribute__((cleanup(round_trip_end))) round_trip r = {0};
    TRY(write_file(model, true, &r.file, &r.size, error));
    TRY(read_file(r.file, r.size, &r.model, error));
    oracle_model(r.model, r.size);
    same(&(pair){model, r.model, true});
    return WLK_OK;
}
