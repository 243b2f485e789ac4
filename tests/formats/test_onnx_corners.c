/* An ONNX file whose function is called again and again: without memory, under every limit from
 * none upwards, with a sink that takes no more. What asks for more than one file, or for one
 * that is large. */
#include "formats/onnx_case.h"

#include <stdlib.h>

#include "support/no_memory.h"

#define CALLS 18 /* more scopes than an array has room for at first */
#define ANY UINT64_MAX

/* Names whose function needs a longer key than any of them alone. */
static const char name[] = "a_function_with_a_name_so_long";
static const char domain[] = "org.example.a.domain.this.long";
static const char overload[] = "an_overload_with_as_long_a_one";

static onnx_case case_of(const uint8_t *file, size_t size) {
    onnx_case c = {.file = file, .size = size};
    wlk_limits_default(&c.limits);
    return c;
}

/* ---- the file */

static proto reference(const char *own, const char *other) {
    proto attribute = {.size = 0};
    proto_text(&attribute, 1, own);
    proto_text(&attribute, 21, other);
    return attribute;
}

/* A sparse tensor that has one element, of as many as the one axis is long. */
static proto sparse_of(const char *tensor, int64_t axis) {
    proto sparse = {.size = 0}, values = onnx_tensor(tensor, 1, 1);
    proto indices = onnx_tensor("", 1, 7);
    proto_float(&values, 4, 2.5f);
    proto_int(&indices, 7, 1);
    proto_put(&sparse, 1, &values);
    proto_put(&sparse, 2, &indices);
    proto_int(&sparse, 3, axis);
    return sparse;
}

/* c = Op(a, a) with attributes of the call and of the function, and a tensor of its own; e is
 * a, which needs a node. */
static proto called_node(void) {
    proto node = onnx_node("Op", "", "a", "c"), own = onnx_attribute("own", 11);
    const proto sparse = sparse_of("", 3000);
    const proto given = reference("given", "k"), standard = reference("standard", "t");
    const proto absent = reference("absent", "formal");
    proto_text(&node, 1, "a");
    proto_text(&node, 2, "d");
    proto_put(&own, 22, &sparse);
    const proto *const all[] = {&given, &standard, &absent, &own};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) proto_put(&node, 5, all[i]);
    return node;
}

static proto called_function(void) {
    proto function = {.size = 0}, standard = onnx_attribute("t", 4);
    proto tensor = onnx_tensor("", 1, 1);
    const proto node = called_node(), opset = onnx_opset("", 17), declared = onnx_value("t");
    proto_data(&tensor, 4, "\0\0\x80\x3f", 4);
    proto_put(&standard, 5, &tensor);
    proto_text(&function, 1, name);
    proto_text(&function, 4, "a");
    proto_text(&function, 5, "c");
    proto_text(&function, 5, "a");
    proto_text(&function, 6, "k");
    proto_text(&function, 6, "formal");
    proto_put(&function, 7, &node);
    proto_put(&function, 9, &opset);
    proto_text(&function, 10, domain);
    proto_put(&function, 11, &standard);
    proto_put(&function, 12, &declared);
    proto_text(&function, 13, overload);
    return function;
}

/* Two functions of which each holds a graph in a graph, the first a call of the second. */
static proto nesting_function(const char *own, const char *op, const char *op_domain) {
    proto function = {.size = 0}, node = onnx_node(op, op_domain, "a", "c");
    for (int i = 0; i < 2; i++) {
        proto graph = {.size = 0}, attribute = onnx_attribute("g", 5);
        const proto out = onnx_value("c");
        proto_put(&graph, 1, &node);
        proto_put(&graph, 12, &out);
        proto_put(&attribute, 6, &graph);
        node = onnx_node("If", "", "a", "c");
        proto_put(&node, 5, &attribute);
    }
    proto_text(&function, 1, own);
    proto_text(&function, 4, "a");
    proto_text(&function, 5, "c");
    proto_put(&function, 7, &node);
    proto_text(&function, 10, "nest");
    return function;
}

static proto call(unsigned i) {
    char first[8], second[8];
    (void)snprintf(first, sizeof first, "c%u", i);
    (void)snprintf(second, sizeof second, "e%u", i);
    proto node = onnx_node(name, domain, "x", first), given = onnx_attribute("k", 4);
    proto tensor = onnx_tensor("", 2, 7);
    proto_data(&tensor, 7, "\5\6", 2);
    proto_put(&given, 5, &tensor);
    proto_text(&node, 2, second);
    proto_put(&node, 5, &given);
    proto_text(&node, 8, overload);
    return node;
}

static proto calls_graph(void) {
    proto graph = {.size = 0}, weights = onnx_tensor("weights", 1, 1);
    const proto x = onnx_value("x"), sparse = sparse_of("sparse", 2);
    const proto nest = onnx_node("N", "nest", "x", "nested");
    proto_data(&weights, 9, "\0\0\x80\x3f", 4);
    proto_put(&graph, 5, &weights);
    proto_put(&graph, 15, &sparse);
    proto_put(&graph, 11, &x);
    for (unsigned i = 0; i < CALLS; i++) {
        const proto node = call(i);
        proto_put(&graph, 1, &node);
    }
    proto_put(&graph, 1, &nest);
    for (unsigned i = 0; i < 4; i++) {
        const char declared[] = {'v', (char)('0' + i), '\0'};
        const proto value = onnx_value(declared);
        proto_put(&graph, 13, &value);
    }
    return graph;
}

static proto calls_onnx(void) {
    proto model = {.size = 0};
    const proto opset = onnx_opset("", 17), graph = calls_graph(), function = called_function();
    const proto outer = nesting_function("N", "M", "nest"),
                inner = nesting_function("M", "Neg", "");
    const proto unused = nesting_function("unused", "Neg", "");
    const proto one = onnx_entry("one", "1"), two = onnx_entry("two", "2");
    proto_int(&model, 1, 8);
    proto_put(&model, 8, &opset);
    proto_put(&model, 14, &one);
    proto_put(&model, 14, &two);
    proto_put(&model, 25, &function);
    proto_put(&model, 25, &outer);
    proto_put(&model, 25, &inner);
    proto_put(&model, 25, &unused);
    proto_put(&model, 7, &graph);
    return model;
}

/* A function with so many constants that what is known of them needs room again and again. */
static proto constants_onnx(void) {
    proto model = {.size = 0}, function = {.size = 0}, graph = {.size = 0};
    proto node = onnx_node("Op", "", "a", "c");
    const proto opset = onnx_opset("", 17), sparse = sparse_of("", 2), x = onnx_value("x");
    const proto first = onnx_node("F", "d", "x", "y");
    for (char i = 'A'; i <= 'Z'; i++) {
        const char own[] = {i, '\0'};
        proto attribute = onnx_attribute(own, 11);
        proto_put(&attribute, 22, &sparse);
        proto_put(&node, 5, &attribute);
    }
    proto_text(&function, 1, "F");
    proto_text(&function, 4, "a");
    proto_text(&function, 5, "c");
    proto_put(&function, 7, &node);
    proto_text(&function, 10, "d");
    proto_put(&graph, 11, &x);
    proto_put(&graph, 1, &first);
    proto_int(&model, 1, 8);
    proto_put(&model, 8, &opset);
    proto_put(&model, 25, &function);
    proto_put(&model, 7, &graph);
    proto_text(&model, 77, "unknown"); /* the byte map has it before anything is built */
    return model;
}

/* ---- what becomes of it */

static void its_tensors_are_read_once(void **state) {
    (void)state;
    const proto file = calls_onnx();
    onnx_case c = case_of(file.bytes, file.size);
    assert_int_equal(onnx_case_parse(&c, &c.error), WLK_OK);
    /* two of the graph, two of the function, one of each call */
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_TENSORS), 4 + CALLS);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_GRAPHS), 5);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_NODES), CALLS * 2 + 5);
    wlk_model_free(c.model);
}

static wlk_status run(const void *context, wlk_error *error) {
    onnx_case c = *(const onnx_case *)context;
    const wlk_status status = onnx_case_parse(&c, error);
    wlk_model_free(c.model);
    return status;
}

static void memory_runs_out(void **state) {
    (void)state;
    const proto files[] = {calls_onnx(), constants_onnx()};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const onnx_case c = case_of(files[i].bytes, files[i].size);
        no_memory_everywhere("a file of calls", run, &c);
    }
}

/* ---- limits */

typedef struct limit_row {
    const char *limit;
    uint64_t step;
    uint64_t most; /* the least value that is accepted, or ANY */
    const char *rules[2];
} limit_row;

/* Invariant 7: below the least value that is accepted nothing is, and the rule is the limit's
 * own, wherever in the file it is met; from there on everything is. */
static void check_limit(const proto *file, const limit_row *row) {
    bool accepted = false;
    for (uint64_t value = 0; !accepted; value += row->step) {
        onnx_case c = case_of(file->bytes, file->size);
        assert_int_equal(wlk_limits_set(&c.limits, row->limit, value), WLK_OK);
        accepted = onnx_case_parse(&c, &c.error) == WLK_OK;
        wlk_model_free(c.model);
        const char *rule = accepted ? "accepted" : wlk_rule_name(c.error.rule);
        const bool own = strcmp(rule, row->rules[0]) == 0 || strcmp(rule, row->rules[1]) == 0;
        if (accepted ? row->most != ANY && row->most != value : !own) {
            fail_msg("%s %llu: %s", row->limit, (unsigned long long)value, rule);
        }
    }
}

static void each_limit_from_none_upwards(void **state) {
    static const limit_row rows[] = {
        {"nodes", 1, CALLS * 2 + 5, {"limit.nodes", ""}},
        {"node_edges", 1, 2, {"limit.node-edges", ""}},
        {"values", 1, ANY, {"limit.values", ""}},
        {"graphs", 1, 5, {"limit.graphs", ""}},
        {"graph_depth", 1, 5, {"limit.graph-depth", ""}},
        {"tensors", 1, 4 + CALLS, {"limit.tensors", ""}},
        {"rank", 1, 2, {"limit.rank", ""}},
        {"attributes", 1, ANY, {"limit.attributes", ""}},
        {"attribute_values", 1, ANY, {"limit.attribute-values", ""}},
        {"metadata_entries", 1, ANY, {"limit.metadata-entries", ""}},
        {"name_bytes", 1, sizeof name - 1, {"limit.name-bytes", ""}},
        {"output_bytes", 256, ANY, {"limit.output-bytes", ""}},
        {"image_bytes", 8, ANY, {"limit.image-bytes", "onnx.expansion"}},
    };
    const proto file = calls_onnx();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_limit(&file, &rows[i]);
    const proto constants = constants_onnx();
    check_limit(&constants, &rows[sizeof rows / sizeof *rows - 1]);
}

/* ---- sinks and inputs */

/* Takes so many pieces of payloads and no more. */
typedef struct narrow_sink {
    unsigned left;
} narrow_sink;

static wlk_status narrow_begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    (void)context, (void)length, (void)offset, (void)error;
    return WLK_OK;
}

static wlk_status narrow_append(void *context, const uint8_t *data, uint64_t length,
                                wlk_error *error) {
    narrow_sink *sink = context;
    (void)data, (void)length;
    if (sink->left == 0) return error_at(error, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
    sink->left--;
    return WLK_OK;
}

/* Parses the whole file and its end, which may be absent. */
static wlk_status parse_into(const onnx_case *c, unsigned pieces, uint64_t absent,
                             wlk_error *error) {
    narrow_sink narrow = {pieces};
    const image_sink sink = {.context = &narrow, .begin = narrow_begin, .append = narrow_append};
    image_builder *builder = image_builder_new(&c->limits, &sink);
    const format_input input = {
        .data = c->file, .size = c->size, .limits = &c->limits, .absent = absent};
    assert_non_null(builder);
    const wlk_status status = format_find(WLK_FORMAT_ONNX)->parse(&input, builder, error);
    image_builder_free(builder);
    return status;
}

static void a_sink_that_takes_no_more(void **state) {
    const proto file = calls_onnx();
    const onnx_case c = case_of(file.bytes, file.size);
    wlk_error error;
    unsigned pieces = 0;
    (void)state;
    while (parse_into(&c, pieces, 0, &error) != WLK_OK) {
        assert_string_equal(wlk_rule_name(error.rule), "limit.output-bytes");
        pieces++;
    }
    assert_true(pieces > CALLS);
}

static void a_file_that_is_not_all_there(void **state) {
    const proto file = calls_onnx();
    const onnx_case c = case_of(file.bytes, file.size);
    wlk_error error;
    (void)state;
    assert_int_equal(parse_into(&c, UINT32_MAX, 1, &error), WLK_REFUSED);
    assert_string_equal(wlk_rule_name(error.rule), "onnx.truncated");
    assert_int_equal(error.offset, file.size);
}

/* ---- a large file */

#define SPARSE_BYTES (65ull << 20)

/* A sparse tensor's zeros may be as many bytes as the file, if that is more than 64 MiB. */
static void zeros_like_the_file(void **state) {
    static const uint64_t sizes[] = {SPARSE_BYTES, SPARSE_BYTES - 1};
    proto model = {.size = 0}, graph = {.size = 0};
    const proto opset = onnx_opset("", 17), sparse = sparse_of("s", (int64_t)SPARSE_BYTES / 4);
    (void)state;
    proto_put(&graph, 15, &sparse);
    proto_int(&model, 1, 8);
    proto_put(&model, 8, &opset);
    proto_put(&model, 7, &graph);
    proto_varint(&model, 6 << 3 | 2); /* doc_string: the rest of the file */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        proto head = model;
        uint8_t *file = test_malloc(sizes[i]);
        wlk_error error;
        proto_varint(&head, sizes[i] - model.size - 4); /* a length of four bytes */
        assert_int_equal(head.size, model.size + 4);
        memset(file, ' ', sizes[i]);
        memcpy(file, head.bytes, head.size);
        onnx_case c = case_of(file, sizes[i]);
        c.limits.string_bytes = SPARSE_BYTES;
        if (parse_into(&c, UINT32_MAX, 0, &error) != WLK_OK) {
            assert_string_equal(wlk_rule_name(error.rule), "onnx.sparse-size");
            assert_int_equal(i, 1);
        } else {
            assert_int_equal(i, 0);
        }
        test_free(file);
    }
}

/* ---- deep types */

#define MOST_TYPES 32 /* that the parser follows, whatever the limit */

/* A sequence of sequences ... of tensors. */
static proto deep_type(unsigned depth) {
    proto type = {.size = 0}, tensor = {.size = 0};
    proto_int(&tensor, 1, 1);
    proto_put(&type, 1, &tensor);
    for (unsigned i = 0; i < depth; i++) {
        proto list = {.size = 0}, outer = {.size = 0};
        proto_put(&list, 1, &type);
        proto_put(&outer, 4, &list);
        type = outer;
    }
    return type;
}

static void types_within_types(void **state) {
    (void)state;
    for (unsigned depth = MOST_TYPES; depth <= MOST_TYPES + 1; depth++) {
        proto model = {.size = 0}, graph = {.size = 0}, input = {.size = 0};
        const proto opset = onnx_opset("", 17), type = deep_type(depth);
        wlk_error error;
        proto_text(&input, 1, "x");
        proto_put(&input, 2, &type);
        proto_put(&graph, 11, &input);
        proto_put(&model, 8, &opset);
        proto_put(&model, 7, &graph);
        onnx_case c = case_of(model.bytes, model.size);
        c.limits.header_depth = 100;
        const wlk_status status = parse_into(&c, 0, 0, &error);
        if (depth == MOST_TYPES) {
            assert_int_equal(status, WLK_OK);
        } else {
            assert_int_equal(status, WLK_LIMIT);
            assert_string_equal(wlk_rule_name(error.rule), "limit.header-depth");
        }
    }
}

int main(void) {
    points_set();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_tensors_are_read_once),    cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(each_limit_from_none_upwards), cmocka_unit_test(a_sink_that_takes_no_more),
        cmocka_unit_test(a_file_that_is_not_all_there), cmocka_unit_test(zeros_like_the_file),
        cmocka_unit_test(types_within_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
