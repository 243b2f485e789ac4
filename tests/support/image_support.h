/* A model that uses every section of the image, and a walk through everything
 * that a model's accessors give out. For any test that includes cmocka.h. */
#ifndef WLK_TESTS_IMAGE_SUPPORT_H
#define WLK_TESTS_IMAGE_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/dtype.h"
#include "image/builder.h"
#include "image/memory_sink.h"
#include "image/validate.h"

/* ---- a builder with its sink */

typedef struct image_fixture {
    wlk_limits limits;
    memory_sink *sink;
    image_sink interface;
    image_builder *builder;
} image_fixture;

static inline void image_fixture_open(image_fixture *f, const wlk_limits *limits) {
    f->limits = *limits;
    f->sink = memory_sink_new(&f->limits);
    assert_non_null(f->sink);
    f->interface = memory_sink_interface(f->sink);
    f->builder = image_builder_new(&f->limits, &f->interface);
    assert_non_null(f->builder);
}

static inline void image_fixture_close(image_fixture *f) {
    image_builder_free(f->builder);
    memory_sink_free(f->sink);
}

static inline uint32_t image_literal(image_builder *b, const char *text) {
    return image_string(b, text, strlen(text), 0);
}

/* ---- the sample: numbers of its records, as the builder hands them out */

enum {
    SAMPLE_FILE_BYTES = 12288,
    SAMPLE_DATA_AT = 4096,

    /* tensors 1..27 are one of each dtype, tensor i of wlk_dtype i */
    SAMPLE_HELD = 0, /* without a name; an attribute refers to it */
    SAMPLE_SCALAR = 28,
    SAMPLE_EMPTY = 29,
    SAMPLE_RANK8 = 30,
    SAMPLE_ROWS_IN = 31, /* golden rows */
    SAMPLE_ROWS_OUT = 32,
    SAMPLE_TENSORS = 33,

    SAMPLE_TYPE_X = 0, /* f32 [batch, 3, ?] */
    SAMPLE_TYPE_ANY = 1,
    SAMPLE_TYPE_SEQUENCE = 2,
    SAMPLE_TYPE_MAP = 3,
    SAMPLE_TYPE_OPTIONAL = 4,
    SAMPLE_TYPES = 5,

    SAMPLE_X = 0, /* values */
    SAMPLE_H = 1,
    SAMPLE_Y = 2,
    SAMPLE_Z = 3,
    SAMPLE_OUT = 4,
    SAMPLE_IN1 = 5, /* graph 1 */
    SAMPLE_MID1 = 6,
    SAMPLE_OUT1 = 7,
    SAMPLE_OUT2 = 8, /* graph 2, inside graph 1 */
    SAMPLE_OUT3 = 9, /* graph 3 */
    SAMPLE_VALUES = 10,

    SAMPLE_NODE_ADD = 0, /* graph 0 */
    SAMPLE_NODE_CUSTOM = 1,
    SAMPLE_NODE_BRANCH = 2,
    SAMPLE_NODE_FIRST1 = 3, /* graph 1 */
    SAMPLE_NODE_LOOP = 4,
    SAMPLE_NODE_INNER = 5, /* graph 2 */
    SAMPLE_NODE_ELSE = 6,  /* graph 3 */
    SAMPLE_NODES = 7,

    SAMPLE_ATTRIBUTES = 15,
    SAMPLE_ATTRIBUTE_VALUES = 23,
    SAMPLE_GRAPHS = 4,
    SAMPLE_GRAPH_DEPTH = 2,
    SAMPLE_NODE_EDGES = 3,
    SAMPLE_METADATA = 19,
    SAMPLE_DEPTH = 4, /* /metadata/list/6, with the root */
    SAMPLE_SELFTESTS = 2,
    SAMPLE_LONGEST_NAME = 24,
    SAMPLE_LONGEST_STRING = 60,
};

static const char sample_long_name[] = "a_name_of_24_bytes_in_al";
static const char sample_long_text[] =
    "a text of sixty bytes: \xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\xa2, and it ends at the stop ..";

/* What the sample's tensor of a dtype holds: shape [2, 3], or [2, 64] in blocks
 * of 32 values in 18 bytes. Returns the length; bytes has room for 128. */
static inline uint64_t sample_payload(wlk_dtype dtype, uint8_t *bytes) {
    uint64_t length = 0;
    memset(bytes, 0, 128);
    if (dtype == WLK_STR) { /* "", "a", "bc", "", "\0", "d" */
        static const uint8_t ends[7] = {0, 0, 1, 3, 3, 4, 5};
        for (uint32_t i = 0; i < 7; i++) store_u64(bytes + i * 8, ends[i]);
        memcpy(bytes + 56, "abc\0d", 5);
        return 61;
    }
    if (dtype == WLK_BLOCK) {
        for (uint32_t i = 0; i < 72; i++) bytes[i] = (uint8_t)(i * 3);
        return 72;
    }
    assert_true(dtype_nbytes(dtype, 6, &length));
    for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)(dtype == WLK_BOOL ? i % 2 : i + 1);
    if (wlk_dtype_bits(dtype) < 8) bytes[length - 1] &= 0x0f;
    return length;
}

static inline uint32_t sample_dtype_tensor(image_builder *b, wlk_dtype dtype) {
    static const uint64_t shape[2] = {2, 3};
    static const uint64_t block_shape[2] = {2, 64};
    char name[32] = "t_";
    uint8_t bytes[128];
    const bool is_block = dtype == WLK_BLOCK;
    strcat(name, wlk_dtype_name(dtype));
    const image_tensor_spec spec = {
        .name = image_literal(b, name),
        .dtype = dtype,
        .rank = 2,
        .shape = is_block ? block_shape : shape,
        .block = is_block ? image_block(b, image_literal(b, "q4_0"), 32, 18, 0) : IMAGE_NONE,
        .data = bytes,
        .nbytes = sample_payload(dtype, bytes),
        .file_offset = SAMPLE_DATA_AT + 128 * (uint64_t)dtype,
    };
    return image_tensor(b, &spec);
}

/* An f32 tensor counting from 0, at its own place in the file. */
static inline uint32_t sample_f32_tensor(image_builder *b, const char *name, uint32_t place,
                                         uint32_t rank, const uint64_t *shape) {
    float numbers[32];
    uint64_t count;
    assert_true(shape_count(shape, rank, &count));
    for (uint32_t i = 0; i < 32; i++) numbers[i] = (float)i;
    const image_tensor_spec spec = {
        .name = image_literal(b, name),
        .dtype = WLK_F32,
        .rank = rank,
        .shape = shape,
        .block = IMAGE_NONE,
        .data = (const uint8_t *)numbers,
        .nbytes = count * 4,
        .file_offset = SAMPLE_DATA_AT + 128 * (uint64_t)place,
    };
    return image_tensor(b, &spec);
}

static inline void sample_tensors(image_builder *b) {
    static const uint64_t pair[1] = {2};
    static const uint64_t empty[2] = {0, 3};
    static const uint64_t rank8[8] = {1, 2, 1, 2, 1, 2, 1, 2};
    static const uint64_t rows_in[3] = {2, 3, 1};
    static const uint64_t rows_out[2] = {2, 2};
    assert_int_equal(sample_f32_tensor(b, "", SAMPLE_HELD, 1, pair), SAMPLE_HELD);
    for (uint32_t i = 1; i < WLK_DTYPE_COUNT; i++) {
        assert_int_equal(sample_dtype_tensor(b, (wlk_dtype)i), i);
    }
    assert_int_equal(sample_f32_tensor(b, "scalar", SAMPLE_SCALAR, 0, NULL), SAMPLE_SCALAR);
    assert_int_equal(sample_f32_tensor(b, "empty", SAMPLE_EMPTY, 2, empty), SAMPLE_EMPTY);
    assert_int_equal(sample_f32_tensor(b, "rank8", SAMPLE_RANK8, 8, rank8), SAMPLE_RANK8);
    assert_int_equal(sample_f32_tensor(b, "rows_in", SAMPLE_ROWS_IN, 3, rows_in), SAMPLE_ROWS_IN);
    assert_int_equal(sample_f32_tensor(b, sample_long_name, SAMPLE_ROWS_OUT, 2, rows_out),
                     SAMPLE_ROWS_OUT);
}

static inline void sample_types(image_builder *b) {
    const type_record x = {
        .kind = WLK_TYPE_TENSOR,
        .dtype = WLK_F32,
        .has_shape = 1,
        .element = IMAGE_NONE,
        .rank = 3,
        .dims = {WLK_UNKNOWN_DIM, 3, WLK_UNKNOWN_DIM},
        .symbols = {image_literal(b, "batch")},
    };
    const type_record any = {.kind = WLK_TYPE_TENSOR, .dtype = WLK_STR, .element = IMAGE_NONE};
    const type_record sequence = {.kind = WLK_TYPE_SEQUENCE, .element = SAMPLE_TYPE_ANY};
    const type_record map = {
        .kind = WLK_TYPE_MAP, .key_dtype = WLK_I64, .element = SAMPLE_TYPE_SEQUENCE};
    const type_record optional = {.kind = WLK_TYPE_OPTIONAL, .element = SAMPLE_TYPE_MAP};
    assert_int_equal(image_type(b, &x, 0), SAMPLE_TYPE_X);
    assert_int_equal(image_type(b, &any, 0), SAMPLE_TYPE_ANY);
    assert_int_equal(image_type(b, &sequence, 0), SAMPLE_TYPE_SEQUENCE);
    assert_int_equal(image_type(b, &map, 0), SAMPLE_TYPE_MAP);
    assert_int_equal(image_type(b, &optional, 0), SAMPLE_TYPE_OPTIONAL);
    assert_int_equal(image_type(b, &map, 0), SAMPLE_TYPE_MAP); /* shared */
}

static inline void sample_values(image_builder *b) {
    static const struct {
        const char *name;
        uint32_t type;
    } rows[SAMPLE_VALUES] = {
        [SAMPLE_X] = {"x", SAMPLE_TYPE_X},         [SAMPLE_H] = {"h", IMAGE_NONE},
        [SAMPLE_Y] = {"y", SAMPLE_TYPE_SEQUENCE},  [SAMPLE_Z] = {"z", SAMPLE_TYPE_MAP},
        [SAMPLE_OUT] = {"out", IMAGE_NONE},        [SAMPLE_IN1] = {"in1", SAMPLE_TYPE_OPTIONAL},
        [SAMPLE_MID1] = {"mid1", IMAGE_NONE},      [SAMPLE_OUT1] = {"out1", IMAGE_NONE},
        [SAMPLE_OUT2] = {"out2", SAMPLE_TYPE_ANY}, [SAMPLE_OUT3] = {"out3", IMAGE_NONE},
    };
    for (uint32_t i = 0; i < SAMPLE_VALUES; i++) {
        assert_int_equal(image_value(b, image_literal(b, rows[i].name), rows[i].type, 0), i);
    }
}

/* A node with up to three inputs and outputs; IMAGE_NONE - 1 ends the list. */
#define SAMPLE_END (IMAGE_NONE - 1)
static inline uint32_t sample_node(image_builder *b, const char *op, const char *domain,
                                   const uint32_t *in, const uint32_t *out) {
    const uint32_t node =
        image_node(b, image_literal(b, op), image_literal(b, domain), image_literal(b, ""), 0);
    for (; *in != SAMPLE_END; in++) assert_int_equal(image_node_input(b, *in), WLK_OK);
    for (; *out != SAMPLE_END; out++) assert_int_equal(image_node_output(b, *out), WLK_OK);
    return node;
}

#define SAMPLE_EDGES(...) ((const uint32_t[]){__VA_ARGS__, SAMPLE_END})

static inline void sample_attribute(image_builder *b, const char *name, wlk_attribute_type type,
                                    const uint64_t *values, uint32_t count) {
    assert_int_equal(image_attribute(b, image_literal(b, name), type, values, count, 0), WLK_OK);
}

/* One of each type, named so that their sorted order is another one. */
static inline void sample_attributes(image_builder *b) {
    const uint64_t red = image_literal(b, "red");
    const uint64_t blue = image_literal(b, "blue");
    const uint64_t minus = (uint64_t)-7;
    sample_attribute(b, "zz_int", WLK_ATTR_INT, &minus, 1);
    sample_attribute(b, "a_float", WLK_ATTR_FLOAT, (const uint64_t[]){f64_bits(0.25)}, 1);
    sample_attribute(b, "m_string", WLK_ATTR_STRING, &red, 1);
    sample_attribute(b, "c_tensor", WLK_ATTR_TENSOR, (const uint64_t[]){SAMPLE_HELD}, 1);
    sample_attribute(b, "d_dtype", WLK_ATTR_DTYPE, (const uint64_t[]){WLK_F16}, 1);
    sample_attribute(b, "e_type", WLK_ATTR_TYPE, (const uint64_t[]){SAMPLE_TYPE_MAP}, 1);
    sample_attribute(b, "ints", WLK_ATTR_INTS, (const uint64_t[]){3, minus, 5}, 3);
    sample_attribute(b, "floats", WLK_ATTR_FLOATS,
                     (const uint64_t[]){f64_bits(1.5), f64_bits(-0.0)}, 2);
    sample_attribute(b, "strings", WLK_ATTR_STRINGS, (const uint64_t[]){red, blue, 0, red}, 4);
    sample_attribute(b, "tensors", WLK_ATTR_TENSORS,
                     (const uint64_t[]){SAMPLE_HELD, WLK_F64, SAMPLE_EMPTY}, 3);
    sample_attribute(b, "no_ints", WLK_ATTR_INTS, NULL, 0);
}

static inline void sample_main_graph(image_builder *b) {
    assert_int_equal(image_graph(b, image_literal(b, "main"), 0), 0);
    assert_int_equal(image_graph_input(b, SAMPLE_X), WLK_OK);
    assert_int_equal(image_graph_output(b, SAMPLE_OUT), WLK_OK);
    assert_int_equal(image_graph_output(b, EDGE_TENSOR | WLK_F32), WLK_OK);
    sample_node(b, "Add", "", SAMPLE_EDGES(SAMPLE_X, EDGE_TENSOR | WLK_F32),
                SAMPLE_EDGES(SAMPLE_H));
    sample_node(b, "Custom", "org.weighlock", SAMPLE_EDGES(SAMPLE_H, IMAGE_NONE, SAMPLE_X),
                SAMPLE_EDGES(SAMPLE_Y, IMAGE_NONE, SAMPLE_Z));
    sample_attributes(b);
    sample_node(b, "If", "", SAMPLE_EDGES(SAMPLE_H, EDGE_TENSOR | SAMPLE_EMPTY),
                SAMPLE_EDGES(SAMPLE_OUT));
    sample_attribute(b, "branches", WLK_ATTR_GRAPHS, (const uint64_t[]){1, 3}, 2);
}

/* Graph 1 holds graph 2; both see what the graphs around them have defined. */
static inline void sample_subgraphs(image_builder *b) {
    assert_int_equal(image_graph(b, image_literal(b, "then"), 0), 1);
    assert_int_equal(image_graph_input(b, SAMPLE_IN1), WLK_OK);
    assert_int_equal(image_graph_output(b, SAMPLE_OUT1), WLK_OK);
    assert_int_equal(image_graph_output(b, SAMPLE_H), WLK_OK);
    sample_node(b, "Add", "", SAMPLE_EDGES(SAMPLE_IN1, SAMPLE_Y), SAMPLE_EDGES(SAMPLE_MID1));
    sample_attribute(b, "axis", WLK_ATTR_INT, (const uint64_t[]){1}, 1);
    sample_node(b, "Loop", "", SAMPLE_EDGES(SAMPLE_MID1), SAMPLE_EDGES(SAMPLE_OUT1));
    sample_attribute(b, "body", WLK_ATTR_GRAPH, (const uint64_t[]){2}, 1);
    assert_int_equal(image_graph(b, image_literal(b, ""), 0), 2);
    assert_int_equal(image_graph_output(b, SAMPLE_OUT2), WLK_OK);
    sample_node(b, "Concat", "", SAMPLE_EDGES(SAMPLE_X, SAMPLE_MID1, EDGE_TENSOR | SAMPLE_SCALAR),
                SAMPLE_EDGES(SAMPLE_OUT2));
    assert_int_equal(image_graph(b, image_literal(b, "else"), 0), 3);
    assert_int_equal(image_graph_output(b, SAMPLE_OUT3), WLK_OK);
    sample_node(b, "Add", "", SAMPLE_EDGES(SAMPLE_H, SAMPLE_Z), SAMPLE_EDGES(SAMPLE_OUT3));
    sample_attribute(b, "axis", WLK_ATTR_INT, (const uint64_t[]){0}, 1);
}

typedef struct sample_meta {
    const char *path;
    wlk_meta_type type;
    uint64_t value;
    const char *text; /* of a string */
} sample_meta;

static const sample_meta sample_metadata[SAMPLE_METADATA] = {
    {"/kind", WLK_META_STRING, 0, "classifier"},
    {"/metadata", WLK_META_MAP, 6, NULL},
    {"/metadata/list", WLK_META_ARRAY, 8, NULL},
    {"/metadata/list/0", WLK_META_NULL, 0, NULL},
    {"/metadata/list/1", WLK_META_BOOL, 1, NULL},
    {"/metadata/list/2", WLK_META_INT, (uint64_t)-5, NULL},
    {"/metadata/list/3", WLK_META_UINT, UINT64_MAX, NULL},
    {"/metadata/list/4", WLK_META_FLOAT, 0x3fe0000000000000ull, NULL},
    {"/metadata/list/5", WLK_META_MAP, 0, NULL},
    {"/metadata/list/6", WLK_META_ARRAY, 1, NULL},
    {"/metadata/list/6/0", WLK_META_STRING, 0, "deep"},
    {"/metadata/list/7", WLK_META_STRING, 0, ""},
    {"/metadata/a~1b~0c", WLK_META_INT, 1, NULL},
    {"/metadata/", WLK_META_INT, 2, NULL},
    {"/metadata/text", WLK_META_STRING, 0, sample_long_text},
    {"/metadata/\xc3\xa9", WLK_META_BOOL, 0, NULL},
    {"/metadata/e", WLK_META_ARRAY, 0, NULL},
    {"/producer", WLK_META_STRING, 0, "classifier"},
    {"/x-note", WLK_META_STRING, 0, "x"},
};

static inline void sample_meta_entries(image_builder *b) {
    for (uint32_t i = 0; i < SAMPLE_METADATA; i++) {
        const sample_meta *row = &sample_metadata[i];
        const uint64_t value = row->text ? image_literal(b, row->text) : row->value;
        assert_int_equal(image_meta(b, image_literal(b, row->path), row->type, value, 0), WLK_OK);
    }
}

/* The byte map: envelope, header, padding, a payload every 128 bytes, and one
 * unclaimed byte at the end. Added from the end, to be sorted. */
static inline void sample_spans(image_builder *b) {
    uint8_t bytes[128];
    uint64_t end = SAMPLE_FILE_BYTES - 1;
    assert_int_equal(image_span(b, WLK_SPAN_UNCLAIMED, end, 1, IMAGE_NONE), WLK_OK);
    static const uint64_t other[SAMPLE_TENSORS] = {
        [SAMPLE_HELD] = 8,   [SAMPLE_SCALAR] = 4,   [SAMPLE_EMPTY] = 0,
        [SAMPLE_RANK8] = 64, [SAMPLE_ROWS_IN] = 24, [SAMPLE_ROWS_OUT] = 16};
    for (uint32_t i = SAMPLE_TENSORS; i-- > 0;) {
        const uint64_t at = SAMPLE_DATA_AT + 128 * (uint64_t)i;
        const bool is_dtype = i > 0 && i < WLK_DTYPE_COUNT;
        const uint64_t length = is_dtype ? sample_payload((wlk_dtype)i, bytes) : other[i];
        assert_int_equal(
            image_span(b, WLK_SPAN_PADDING, at + length, end - at - length, IMAGE_NONE), WLK_OK);
        assert_int_equal(image_span(b, WLK_SPAN_PAYLOAD, at, length, i), WLK_OK);
        end = at;
    }
    assert_int_equal(image_span(b, WLK_SPAN_DIGESTS, 1024, SAMPLE_DATA_AT - 1024, IMAGE_NONE),
                     WLK_OK);
    assert_int_equal(image_span(b, WLK_SPAN_HEADER, 256, 768, IMAGE_NONE), WLK_OK);
    assert_int_equal(image_span(b, WLK_SPAN_ENVELOPE, 0, 256, IMAGE_NONE), WLK_OK);
}

/* Fills a builder with the sample; strings are also added that nobody uses. */
static inline void sample_build(image_builder *b) {
    static const uint32_t in[1] = {SAMPLE_ROWS_IN};
    static const uint32_t out[2] = {SAMPLE_ROWS_OUT, WLK_F32};
    (void)image_literal(b, "nobody uses this");
    sample_tensors(b);
    sample_types(b);
    sample_values(b);
    assert_int_equal(image_opset(b, image_literal(b, "org.weighlock"), 1, 0), WLK_OK);
    assert_int_equal(image_opset(b, 0, 17, 0), WLK_OK);
    sample_main_graph(b);
    assert_int_equal(image_selftest(b, in, 1, out, 2, 1e-6, 0.0, 0), WLK_OK);
    sample_subgraphs(b);
    assert_int_equal(image_selftest(b, in, 1, out, 2, 0.0, 0.5, 0), WLK_OK);
    sample_meta_entries(b);
    assert_int_equal(image_finding(b, RULE_STRING_UTF8, WLK_MEDIUM, SAMPLE_FILE_BYTES - 1, 1,
                                   image_literal(b, "a stray byte")),
                     WLK_OK);
    assert_int_equal(image_finding(b, RULE_TENSOR_SIZE, WLK_NOTE, 0, SAMPLE_FILE_BYTES, 0), WLK_OK);
    sample_spans(b);
}

/* The sample as an image with its payloads. */
static inline void sample_image(uint8_t **image, uint64_t *length, image_payloads *payloads) {
    image_fixture f;
    wlk_limits limits;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    image_fixture_open(&f, &limits);
    sample_build(f.builder);
    assert_int_equal(image_finish(f.builder, SAMPLE_FILE_BYTES, image, length, &error), WLK_OK);
    *payloads = memory_sink_payloads(f.sink);
    image_fixture_close(&f);
}

/* Validates a copy of an image against payloads that stay the caller's. */
static inline wlk_status sample_validate(const uint8_t *image, uint64_t length,
                                         const image_payloads *payloads, const wlk_limits *limits,
                                         wlk_model **model, wlk_error *error) {
    image_payloads borrowed = *payloads;
    borrowed.release = NULL;
    uint8_t *copy = malloc(length ? length : 1); /* exactly as long, so that a sanitizer sees */
    assert_non_null(copy);
    if (length > 0) memcpy(copy, image, length);
    return image_validate(copy, length, SAMPLE_FILE_BYTES, &borrowed, limits, model, error);
}

/* ---- walking a model: every accessor, every record, one past the end of every
 * list. Each read lands in the sum, so that a sanitizer sees it; whatever a
 * reference names must exist (invariant 11). */

typedef struct model_walk {
    const wlk_model *model;
    uint64_t sum;
} model_walk;

static inline void walk_text(model_walk *w, const char *text) {
    assert_non_null(text);
    for (; *text; text++) w->sum = w->sum * 31 + (uint8_t)*text;
}

static inline uint32_t walk_count(const model_walk *w, wlk_section section) {
    return wlk_model_count(w->model, section);
}

static inline void walk_ref(model_walk *w, wlk_ref ref) {
    w->sum += (uint64_t)ref.kind + ref.index;
    if (ref.kind == WLK_REF_NONE) return;
    assert_true(ref.kind == WLK_REF_VALUE || ref.kind == WLK_REF_TENSOR);
    assert_true(ref.index < walk_count(w, ref.kind == WLK_REF_VALUE ? WLK_SECTION_VALUES
                                                                    : WLK_SECTION_TENSORS));
}

static inline void walk_tensors(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor t = wlk_model_tensor(w->model, i);
        uint64_t bad = 0;
        walk_text(w, t.name);
        if (i == walk_count(w, WLK_SECTION_TENSORS)) break;
        assert_non_null(t.data);
        assert_int_equal((uintptr_t)t.data % 64, 0);
        assert_true(t.rank <= WLK_MAX_RANK);
        for (uint64_t j = 0; j < t.nbytes; j++) w->sum += ((const uint8_t *)t.data)[j];
        assert_true(t.nbytes == 0 || payload_valid(t.dtype, t.count, t.data, t.nbytes, &bad));
        if (t.dtype == WLK_BLOCK) walk_text(w, t.block_kind);
        if (t.name[0]) assert_int_equal(wlk_model_find_tensor(w->model, t.name), i);
    }
}

static inline void walk_types(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_TYPES); i++) {
        const wlk_type t = wlk_model_type(w->model, i);
        for (uint32_t j = 0; j < t.rank; j++) {
            if (t.symbols[j]) walk_text(w, t.symbols[j]);
            w->sum += (uint64_t)t.dims[j];
        }
        if (t.kind != WLK_TYPE_TENSOR) assert_true(t.element <= i);
    }
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_VALUES); i++) {
        const wlk_value value = wlk_model_value(w->model, i);
        walk_text(w, value.name);
        assert_true(value.type == WLK_NONE || value.type == 0 ||
                    value.type < walk_count(w, WLK_SECTION_TYPES));
    }
}

static inline void walk_attribute(model_walk *w, uint32_t index) {
    const wlk_attribute a = wlk_model_attribute(w->model, index);
    walk_text(w, a.name);
    for (uint32_t i = 0; i <= a.count; i++) {
        const int64_t number = wlk_model_attribute_int(w->model, &a, i);
        w->sum += (uint64_t)number;
        w->sum += f64_bits(wlk_model_attribute_float(w->model, &a, i));
        walk_text(w, wlk_model_attribute_string(w->model, &a, i));
        if (i == a.count) break;
        if (a.type == WLK_ATTR_TENSOR || a.type == WLK_ATTR_TENSORS) {
            assert_true((uint64_t)number < walk_count(w, WLK_SECTION_TENSORS));
        }
        if (a.type == WLK_ATTR_GRAPH || a.type == WLK_ATTR_GRAPHS) {
            assert_true((uint64_t)number < walk_count(w, WLK_SECTION_GRAPHS));
        }
    }
}

static inline void walk_nodes(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_NODES); i++) {
        const wlk_node node = wlk_model_node(w->model, i);
        walk_text(w, node.op);
        walk_text(w, node.domain);
        walk_text(w, node.name);
        for (uint32_t j = 0; j <= node.inputs; j++) {
            walk_ref(w, wlk_model_node_input(w->model, i, j));
        }
        for (uint32_t j = 0; j <= node.outputs; j++) {
            walk_ref(w, wlk_model_node_output(w->model, i, j));
        }
        for (uint32_t j = 0; j < node.attributes; j++) {
            const uint32_t index = node.first_attribute + j;
            walk_attribute(w, index);
            const char *name = wlk_model_attribute(w->model, index).name;
            assert_int_equal(wlk_model_find_attribute(w->model, i, name), index);
        }
    }
    walk_attribute(w, walk_count(w, WLK_SECTION_ATTRIBUTES));
}

static inline void walk_graphs(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_GRAPHS); i++) {
        const wlk_graph graph = wlk_model_graph(w->model, i);
        walk_text(w, graph.name);
        for (uint32_t j = 0; j <= graph.inputs; j++) {
            const uint32_t value = wlk_model_graph_input(w->model, i, j);
            assert_true((j == graph.inputs) == (value == WLK_NONE));
        }
        for (uint32_t j = 0; j <= graph.outputs; j++) {
            const wlk_ref ref = wlk_model_graph_output(w->model, i, j);
            walk_ref(w, ref);
            assert_true((j == graph.outputs) == (ref.kind == WLK_REF_NONE));
        }
    }
}

static inline void walk_selftests(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_SELFTESTS); i++) {
        const wlk_selftest s = wlk_model_selftest(w->model, i);
        assert_true(isfinite(s.rtol) && isfinite(s.atol) && s.rtol >= 0 && s.atol >= 0);
        for (uint32_t j = 0; j < s.inputs; j++) {
            const uint32_t tensor = wlk_model_selftest_input(w->model, i, j);
            assert_true(tensor < walk_count(w, WLK_SECTION_TENSORS));
        }
        for (uint32_t j = 0; j < s.outputs; j++) {
            const uint32_t tensor = wlk_model_selftest_output(w->model, i, j);
            assert_true(tensor < walk_count(w, WLK_SECTION_TENSORS));
        }
        assert_int_equal(wlk_model_selftest_input(w->model, i, s.inputs), WLK_NONE);
        assert_int_equal(wlk_model_selftest_output(w->model, i, s.outputs), WLK_NONE);
    }
}

static inline void walk_descriptions(model_walk *w) {
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_METADATA); i++) {
        const wlk_meta meta = wlk_model_meta(w->model, i);
        walk_text(w, meta.path);
        walk_text(w, meta.s);
        w->sum += (uint64_t)meta.i + meta.u + f64_bits(meta.f);
        if (i == walk_count(w, WLK_SECTION_METADATA)) break;
        assert_int_equal(wlk_model_find_meta(w->model, meta.path), i);
    }
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_OPSETS); i++) {
        walk_text(w, wlk_model_opset(w->model, i).domain);
    }
    for (uint32_t i = 0; i <= walk_count(w, WLK_SECTION_FINDINGS); i++) {
        const wlk_finding finding = wlk_model_finding(w->model, i);
        walk_text(w, finding.evidence);
        walk_text(w, wlk_rule_name(finding.rule));
        assert_true(finding.offset + finding.length <= wlk_model_file_bytes(w->model));
    }
}

/* Invariant 12: the spans tile the artifact. */
static inline void walk_spans(model_walk *w) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < walk_count(w, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(w->model, i);
        assert_int_equal(span.offset, at);
        at += span.length;
        if (span.kind != WLK_SPAN_PAYLOAD) continue;
        assert_true(span.tensor < walk_count(w, WLK_SECTION_TENSORS));
    }
    assert_int_equal(at, wlk_model_file_bytes(w->model));
    assert_int_equal(wlk_model_span(w->model, walk_count(w, WLK_SECTION_SPANS)).length, 0);
}

/* Reads all there is; returns a sum over it. */
static inline uint64_t model_walk_all(const wlk_model *model) {
    model_walk w = {model, 0};
    walk_tensors(&w);
    walk_types(&w);
    walk_graphs(&w);
    walk_nodes(&w);
    walk_selftests(&w);
    walk_descriptions(&w);
    walk_spans(&w);
    return w.sum;
}

/* ---- asserting a refusal by what a user sees of it */

#define assert_refusal(error, expected_rule)                                             \
    do {                                                                                 \
        assert_string_equal(wlk_rule_name((error)->rule), wlk_rule_name(expected_rule)); \
        assert_int_equal((error)->status, rule_status(expected_rule));                   \
    } while (0)

#endif
