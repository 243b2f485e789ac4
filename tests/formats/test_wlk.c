/* Every construct of the schema is accepted, and what it says is what the model
 * has: through parser, builder and validator, seen with the public accessors. */
#include "formats/wlk_case.h"

#include "base/bytes.h"
#include "base/dtype.h"

static wlk_case accept(const char *text, const void *data, size_t size) {
    wlk_case c = wlk_case_text(text, data, size, NULL);
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, text);
    assert_int_equal(c.status, WLK_OK);
    return c;
}

/* Invariant 12: the spans tile the file, in order, without one of length zero. */
static void assert_spans_tile(const wlk_case *c) {
    uint64_t at = 0;
    for (uint32_t i = 0; i < wlk_model_count(c->model, WLK_SECTION_SPANS); i++) {
        const wlk_span span = wlk_model_span(c->model, i);
        assert_int_equal(span.offset, at);
        assert_true(span.length > 0);
        at += span.length;
    }
    assert_int_equal(at, c->size);
}

static void the_smallest_file_is_accepted(void **state) {
    (void)state;
    wlk_case c = accept("{kind:weights, tensors:[]}", NULL, 0);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_TENSORS), 0);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_GRAPHS), 0);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_METADATA), 1);
    assert_string_equal(wlk_model_meta(c.model, 0).path, "/kind");
    assert_string_equal(wlk_model_meta(c.model, 0).s, "weights");
    assert_spans_tile(&c);
    wlk_case_free(&c);
}

/* ---- tensors */

static uint64_t dtype_size(wlk_dtype dtype, uint64_t count) {
    uint64_t nbytes;
    if (dtype == WLK_STR) return 8 * (count + 1) + 2 * count;
    if (dtype == WLK_BLOCK) return count / 2 * 5;
    assert_true(dtype_nbytes(dtype, count, &nbytes));
    return nbytes;
}

/* Bytes that are a usable payload of any dtype: ones in every byte (bool), zero
 * padding, and for str two letters an element. */
static void fill(uint8_t *at, wlk_dtype dtype, uint64_t count) {
    const uint64_t size = dtype_size(dtype, count);
    if (dtype != WLK_STR) {
        memset(at, 1, size);
        return;
    }
    for (uint64_t i = 0; i <= count; i++) store_u64(at + 8 * i, 2 * i);
    memset(at + 8 * (count + 1), 'a', 2 * count);
}

/* One tensor of shape [1, 4] of each dtype, `t_NAME`, one behind the other. */
static wlk_case every_dtype(uint8_t *data, size_t *size) {
    wlk_buffer text = {0};
    uint64_t end = 0;
    wlk_buffer_print(&text, "{kind:weights, tensors:[");
    for (uint32_t i = 1; i < WLK_DTYPE_COUNT; i++) {
        const wlk_dtype dtype = (wlk_dtype)i;
        const uint64_t offset = (end + 63) / 64 * 64;
        const char *block = dtype == WLK_BLOCK ? "block:{bytes:5, elements:2, kind:q4_0}," : "";
        wlk_buffer_print(&text, "{%s codec:raw, dtype:%s, name:t_%s, nbytes:%llu,", block,
                         wlk_dtype_name(dtype), wlk_dtype_name(dtype),
                         (unsigned long long)dtype_size(dtype, 4));
        wlk_buffer_print(&text, "offset:%llu, shape:[1,4]}", (unsigned long long)offset);
        fill(data + offset, dtype, 4);
        end = offset + dtype_size(dtype, 4);
    }
    wlk_buffer_print(&text, "]}");
    *size = end;
    const wlk_case c = accept((const char *)text.data, data, end);
    free(text.data);
    return c;
}

static void every_dtype_arrives_with_its_bytes(void **state) {
    (void)state;
    uint8_t data[8192] = {0};
    size_t size;
    wlk_case c = every_dtype(data, &size);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_TENSORS), WLK_DTYPE_COUNT - 1);
    uint64_t end = 0;
    for (uint32_t i = 0; i + 1 < WLK_DTYPE_COUNT; i++) {
        const wlk_tensor tensor = wlk_model_tensor(c.model, i);
        const uint64_t offset = (end + 63) / 64 * 64;
        assert_int_equal(tensor.dtype, i + 1);
        assert_string_equal(tensor.name + 2, wlk_dtype_name(tensor.dtype));
        assert_int_equal(tensor.rank, 2);
        assert_int_equal(tensor.shape[0], 1);
        assert_int_equal(tensor.shape[1], 4);
        assert_int_equal(tensor.count, 4);
        assert_int_equal(tensor.nbytes, dtype_size(tensor.dtype, 4));
        assert_memory_equal(tensor.data, data + offset, tensor.nbytes);
        end = offset + tensor.nbytes;
    }
    const wlk_tensor block = wlk_model_tensor(c.model, WLK_BLOCK - 1);
    assert_string_equal(block.block_kind, "q4_0");
    assert_int_equal(block.block_elements, 2);
    assert_int_equal(block.block_bytes, 5);
    assert_spans_tile(&c);
    wlk_case_free(&c);
}

/* Invariant 12: each byte of the file is of the kind that the layout says. */
static void the_byte_map_names_every_part(void **state) {
    (void)state;
    const char *text =
        "{kind:weights, tensors:["
        "{codec:raw, dtype:u8, name:a, nbytes:3, offset:0, shape:[3]},"
        "{codec:raw, dtype:u8, name:b, nbytes:0, offset:64, shape:[0]},"
        "{codec:raw, dtype:u8, name:c, nbytes:64, offset:64, shape:[64]},"
        "{codec:raw, dtype:u8, name:d, nbytes:1, offset:128, shape:[]}]}";
    uint8_t data[129] = {7, 8, 9};
    memset(data + 64, 5, 65);
    wlk_case c = accept(text, data, sizeof data);
    const uint64_t header = load_u64(c.file + 14);
    const wlk_span expected[] = {
        {0, 256, WLK_SPAN_ENVELOPE, WLK_NONE},
        {256, header, WLK_SPAN_HEADER, WLK_NONE},
        {256 + header, 32, WLK_SPAN_DIGESTS, WLK_NONE},
        {288 + header, 4096 - 288 - header, WLK_SPAN_PADDING, WLK_NONE},
        {4096, 3, WLK_SPAN_PAYLOAD, 0},
        {4099, 61, WLK_SPAN_PADDING, WLK_NONE},
        {4160, 64, WLK_SPAN_PAYLOAD, 2},
        {4224, 1, WLK_SPAN_PAYLOAD, 3},
    };
    const uint32_t count = sizeof expected / sizeof *expected;
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_SPANS), count);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_span span = wlk_model_span(c.model, i);
        assert_int_equal(span.offset, expected[i].offset);
        assert_int_equal(span.length, expected[i].length);
        assert_int_equal(span.kind, expected[i].kind);
        assert_int_equal(span.tensor, expected[i].tensor);
    }
    wlk_case_free(&c);
}

/* A header that ends where a page does, and data that begins without slack. */
static void parts_of_length_zero_are_not_in_the_byte_map(void **state) {
    (void)state;
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{kind:'");
    for (int i = 0; i < 4096 - 256 - 18; i++) wlk_buffer_print(&text, "a");
    wlk_buffer_print(&text, "', tensors:[]}");
    wlk_case c = accept((const char *)text.data, NULL, 0);
    assert_int_equal(c.size, 4096);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_SPANS), 2);
    assert_spans_tile(&c);
    wlk_case_free(&c);
    free(text.data);
}

static void slack_up_to_its_limit_is_padding(void **state) {
    (void)state;
    wlk_buffer header = wlk_text_encode("{kind:a, tensors:[]}", NULL);
    wlk_case c = {.model = NULL};
    wlk_limits_default(&c.limits);
    wlk_file_build_slack(header.data, header.size, NULL, 0, 15, &c.file, &c.size);
    wlk_case_parse(&c);
    assert_int_equal(c.status, WLK_OK);
    assert_int_equal(c.size, 65536);
    assert_int_equal(wlk_model_span(c.model, 2).kind, WLK_SPAN_PADDING);
    assert_spans_tile(&c);
    wlk_case_free(&c);
    free(header.data);
}

static void shapes_of_any_rank_are_kept(void **state) {
    (void)state;
    wlk_case c = accept(
        "{kind:weights, tensors:["
        "{codec:raw, dtype:u8, name:scalar, nbytes:1, offset:0, shape:[]},"
        "{codec:raw, dtype:u8, name:eight, nbytes:2, offset:64, shape:[1,1,1,2,1,1,1,1]},"
        "{codec:raw, dtype:f64, name:empty, nbytes:0, offset:128, shape:[5,0,4294967296]},"
        "{codec:raw, dtype:str, name:no_text, nbytes:8, offset:128, shape:[0]}]}",
        (const uint8_t[136]){1}, 136);
    assert_int_equal(wlk_model_tensor(c.model, 0).rank, 0);
    assert_int_equal(wlk_model_tensor(c.model, 0).count, 1);
    assert_int_equal(wlk_model_tensor(c.model, 1).rank, 8);
    assert_int_equal(wlk_model_tensor(c.model, 1).shape[3], 2);
    assert_int_equal(wlk_model_tensor(c.model, 2).count, 0);
    assert_int_equal(wlk_model_tensor(c.model, 2).shape[2], 4294967296);
    assert_int_equal(wlk_model_tensor(c.model, 3).nbytes, 8);
    assert_int_equal(wlk_model_find_tensor(c.model, "eight"), 1);
    wlk_case_free(&c);
}

/* ---- metadata */

static const wlk_meta expected_metadata[] = {
    {.path = "/created", .type = WLK_META_STRING, .s = "2024-01-01"},
    {.path = "/kind", .type = WLK_META_STRING, .s = "model"},
    {.path = "/metadata", .type = WLK_META_MAP, .i = 7},
    {.path = "/metadata/hyperparameters", .type = WLK_META_MAP, .i = 1},
    {.path = "/metadata/hyperparameters/alpha", .type = WLK_META_FLOAT, .f = 0.25},
    {.path = "/metadata/libraries", .type = WLK_META_MAP, .i = 1},
    {.path = "/metadata/libraries/scikit-learn", .type = WLK_META_STRING, .s = "1.2.1"},
    {.path = "/metadata/metrics", .type = WLK_META_MAP, .i = 3},
    {.path = "/metadata/metrics/a~1b", .type = WLK_META_INT, .i = -5},
    {.path = "/metadata/metrics/a~0b", .type = WLK_META_UINT, .u = UINT64_MAX},
    {.path = "/metadata/metrics/n", .type = WLK_META_INT, .i = INT64_MAX},
    {.path = "/metadata/source", .type = WLK_META_MAP, .i = 0},
    {.path = "/metadata/tags", .type = WLK_META_ARRAY, .i = 2},
    {.path = "/metadata/tags/0", .type = WLK_META_STRING, .s = "iris"},
    {.path = "/metadata/tags/1", .type = WLK_META_STRING, .s = ""},
    {.path = "/metadata/training", .type = WLK_META_MAP, .i = 1},
    {.path = "/metadata/training/", .type = WLK_META_BOOL, .i = 1},
    {.path = "/metadata/x-deep", .type = WLK_META_ARRAY, .i = 2},
    {.path = "/metadata/x-deep/0", .type = WLK_META_MAP, .i = 1},
    {.path = "/metadata/x-deep/0/a", .type = WLK_META_ARRAY, .i = 0},
    {.path = "/metadata/x-deep/1", .type = WLK_META_NULL},
    {.path = "/name", .type = WLK_META_STRING, .s = "n"},
    {.path = "/producer", .type = WLK_META_STRING, .s = "p"},
    {.path = "/version", .type = WLK_META_STRING, .s = ""},
    {.path = "/x-", .type = WLK_META_BOOL, .i = 0},
    {.path = "/x-a", .type = WLK_META_INT, .i = 3},
};

static void metadata_become_paths_and_values_in_the_order_of_the_file(void **state) {
    (void)state;
    wlk_case c = accept(
        "{created:'2024-01-01', kind:model, metadata:{hyperparameters:{alpha:0.25},"
        "libraries:{scikit-learn:'1.2.1'},"
        "metrics:{'a/b':-5, 'a~b':18446744073709551615, n:9223372036854775807}, source:{},"
        "tags:[iris,''], training:{'':true}, x-deep:[{a:[]}, null]},"
        "name:n, producer:p, tensors:[], version:'', x-:false, x-a:3}",
        NULL, 0);
    const uint32_t count = sizeof expected_metadata / sizeof *expected_metadata;
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_METADATA), count);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_meta meta = wlk_model_meta(c.model, i);
        const wlk_meta *expected = &expected_metadata[i];
        assert_string_equal(meta.path, expected->path);
        assert_int_equal(meta.type, expected->type);
        assert_int_equal(meta.i, expected->i);
        assert_int_equal(meta.u, expected->u);
        assert_true(meta.f == expected->f);
        if (expected->s) assert_string_equal(meta.s, expected->s);
        assert_int_equal(wlk_model_find_meta(c.model, expected->path), i);
    }
    wlk_case_free(&c);
}

static void a_path_of_more_than_ten_elements_counts_in_decimal(void **state) {
    (void)state;
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{kind:a, tensors:[], x-list:[");
    for (int i = 0; i < 1001; i++) wlk_buffer_print(&text, "%d,", i);
    wlk_buffer_print(&text, "]}");
    wlk_case c = accept((const char *)text.data, NULL, 0);
    static const int indices[] = {0, 9, 10, 99, 100, 1000};
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/x-list/%d", indices[i]);
        const uint32_t at = wlk_model_find_meta(c.model, path);
        assert_int_not_equal(at, WLK_NONE);
        assert_int_equal(wlk_model_meta(c.model, at).i, indices[i]);
    }
    wlk_case_free(&c);
    free(text.data);
}

/* ---- types */

static wlk_type input_type(const wlk_model *model, uint32_t input) {
    const uint32_t value = wlk_model_graph_input(model, 0, input);
    return wlk_model_type(model, wlk_model_value(model, value).type);
}

static void types_of_inputs_are_kept(void **state) {
    (void)state;
    wlk_case c = accept(
        "{graphs:[{inputs:["
        "{name:a, type:{tensor:{dtype:f32, shape:[batch, 4, null]}}},"
        "{name:b, type:{tensor:{dtype:str}}},"
        "{name:c, type:{tensor:{dtype:i64, shape:[]}}},"
        "{name:d, type:{sequence:{map:{key:str, value:{tensor:{dtype:f32, shape:[0]}}}}}},"
        "{name:e, type:{optional:{sequence:{tensor:{dtype:bool}}}}},"
        "{name:f, type:{map:{key:i64, value:{tensor:{dtype:u4,"
        " shape:[1,2,3,4,5,6,7,9223372036854775807]}}}}}"
        "], nodes:[], outputs:[]}], kind:model, opset:{}, tensors:[]}",
        NULL, 0);
    const wlk_type a = input_type(c.model, 0);
    assert_int_equal(a.kind, WLK_TYPE_TENSOR);
    assert_int_equal(a.dtype, WLK_F32);
    assert_true(a.has_shape);
    assert_int_equal(a.rank, 3);
    assert_int_equal(a.dims[0], WLK_UNKNOWN_DIM);
    assert_string_equal(a.symbols[0], "batch");
    assert_int_equal(a.dims[1], 4);
    assert_null(a.symbols[1]);
    assert_int_equal(a.dims[2], WLK_UNKNOWN_DIM);
    assert_null(a.symbols[2]);
    assert_false(input_type(c.model, 1).has_shape);
    assert_int_equal(input_type(c.model, 1).dtype, WLK_STR);
    assert_true(input_type(c.model, 2).has_shape);
    assert_int_equal(input_type(c.model, 2).rank, 0);
    const wlk_type sequence = input_type(c.model, 3);
    assert_int_equal(sequence.kind, WLK_TYPE_SEQUENCE);
    const wlk_type map = wlk_model_type(c.model, sequence.element);
    assert_int_equal(map.kind, WLK_TYPE_MAP);
    assert_int_equal(map.key_dtype, WLK_STR);
    const wlk_type of_map = wlk_model_type(c.model, map.element);
    assert_int_equal(of_map.kind, WLK_TYPE_TENSOR);
    assert_int_equal(of_map.dims[0], 0);
    const wlk_type optional = input_type(c.model, 4);
    assert_int_equal(optional.kind, WLK_TYPE_OPTIONAL);
    assert_int_equal(wlk_model_type(c.model, optional.element).kind, WLK_TYPE_SEQUENCE);
    assert_int_equal(input_type(c.model, 5).key_dtype, WLK_I64);
    assert_int_equal(wlk_model_type(c.model, input_type(c.model, 5).element).dims[7], INT64_MAX);
    wlk_case_free(&c);
}

/* ---- graphs */

/* A main graph with two subgraphs, one of which has one of its own. */
static const char *const graphs =
    "{graphs:["
    "{inputs:[{name:x, type:{tensor:{dtype:f32, shape:[null]}}}], name:main, nodes:["
    "{in:[x, w, ''], name:first, op:Foo, out:[y, '', z]},"
    "{attr:{else:{graph:2}, then:{graph:1}}, in:[y], op:If, out:[r]},"
    "{domain:ai.onnx.ml, in:[r, z], op:Bar, out:[]}"
    "], outputs:[{name:r, type:{tensor:{dtype:f32}}}, {name:w}, {name:x}, {name:z}]},"
    "{inputs:[{name:i}], nodes:[{in:[x, i, z], op:Add, out:[j]},"
    "{attr:{bodies:{graphs:[3]}}, in:[], op:Loop, out:[k]}], outputs:[{name:j}, {name:y}]},"
    "{inputs:[], nodes:[], outputs:[{name:y}]},"
    "{inputs:[], name:inner, nodes:[{in:[j, i, x, w], op:Sum, out:[m]}], outputs:[{name:m}]}],"
    "kind:model, opset:{'':13, ai.onnx.ml:3}, tensors:["
    "{codec:raw, dtype:f32, name:w, nbytes:4, offset:0, shape:[]}]}";

static void assert_ref(wlk_model *model, wlk_ref ref, const char *name) {
    const bool is_tensor = ref.kind == WLK_REF_TENSOR;
    if (!name) {
        assert_int_equal(ref.kind, WLK_REF_NONE);
        return;
    }
    assert_int_not_equal(ref.kind, WLK_REF_NONE);
    assert_string_equal(is_tensor ? wlk_model_tensor(model, ref.index).name
                                  : wlk_model_value(model, ref.index).name,
                        name);
}

static void graphs_keep_their_nodes_edges_and_names(void **state) {
    (void)state;
    wlk_case c = accept(graphs, "\0\0\0", 4);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_GRAPHS), 4);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_NODES), 6);
    const wlk_graph main_graph = wlk_model_graph(c.model, 0);
    assert_string_equal(main_graph.name, "main");
    assert_int_equal(main_graph.nodes, 3);
    assert_int_equal(main_graph.outputs, 4);
    static const char *const outputs[] = {"r", "w", "x", "z"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_ref(c.model, wlk_model_graph_output(c.model, 0, i), outputs[i]);
    }
    assert_int_equal(wlk_model_graph_output(c.model, 0, 1).kind, WLK_REF_TENSOR);
    const wlk_node foo = wlk_model_node(c.model, 0);
    assert_string_equal(foo.op, "Foo");
    assert_string_equal(foo.domain, "");
    assert_string_equal(foo.name, "first");
    assert_ref(c.model, wlk_model_node_input(c.model, 0, 0), "x");
    assert_ref(c.model, wlk_model_node_input(c.model, 0, 1), "w");
    assert_ref(c.model, wlk_model_node_input(c.model, 0, 2), NULL);
    assert_ref(c.model, wlk_model_node_output(c.model, 0, 0), "y");
    assert_ref(c.model, wlk_model_node_output(c.model, 0, 1), NULL);
    assert_ref(c.model, wlk_model_node_output(c.model, 0, 2), "z");
    assert_string_equal(wlk_model_node(c.model, 2).domain, "ai.onnx.ml");
    assert_int_equal(wlk_model_node(c.model, 2).outputs, 0);
    assert_string_equal(wlk_model_graph(c.model, 1).name, "");
    assert_ref(c.model, wlk_model_graph_output(c.model, 1, 1), "y");
    assert_string_equal(wlk_model_graph(c.model, 3).name, "inner");
    const uint32_t sum = wlk_model_graph(c.model, 3).first_node;
    assert_ref(c.model, wlk_model_node_input(c.model, sum, 0), "j");
    assert_ref(c.model, wlk_model_node_input(c.model, sum, 3), "w");
    assert_spans_tile(&c);
    wlk_case_free(&c);
}

static void subgraphs_are_attributes(void **state) {
    (void)state;
    wlk_case c = accept(graphs, "\0\0\0", 4);
    const uint32_t at = wlk_model_find_attribute(c.model, 1, "else");
    const wlk_attribute branch = wlk_model_attribute(c.model, at);
    assert_int_equal(branch.type, WLK_ATTR_GRAPH);
    assert_int_equal(wlk_model_attribute_int(c.model, &branch, 0), 2);
    const uint32_t loop = wlk_model_graph(c.model, 1).first_node + 1;
    const wlk_attribute bodies =
        wlk_model_attribute(c.model, wlk_model_find_attribute(c.model, loop, "bodies"));
    assert_int_equal(bodies.type, WLK_ATTR_GRAPHS);
    assert_int_equal(bodies.count, 1);
    assert_int_equal(wlk_model_attribute_int(c.model, &bodies, 0), 3);
    wlk_case_free(&c);
}

static void types_of_outputs_become_types_of_values(void **state) {
    (void)state;
    wlk_case c = accept(graphs, "\0\0\0", 4);
    const wlk_ref r = wlk_model_graph_output(c.model, 0, 0);
    assert_int_equal(wlk_model_type(c.model, wlk_model_value(c.model, r.index).type).dtype,
                     WLK_F32);
    const wlk_ref z = wlk_model_graph_output(c.model, 0, 3);
    assert_int_equal(wlk_model_value(c.model, z.index).type, WLK_NONE);
    wlk_case_free(&c);
}

static void the_opset_has_its_versions(void **state) {
    (void)state;
    wlk_case c = accept("{kind:a, opset:{'':1, ai.onnx.ml:3, z:4294967295}, tensors:[]}", NULL, 0);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_OPSETS), 3);
    assert_string_equal(wlk_model_opset(c.model, 0).domain, "");
    assert_int_equal(wlk_model_opset(c.model, 0).version, 1);
    assert_string_equal(wlk_model_opset(c.model, 1).domain, "ai.onnx.ml");
    assert_int_equal(wlk_model_opset(c.model, 2).version, UINT32_MAX);
    wlk_case_free(&c);
}

static wlk_attribute attribute_named(const wlk_model *model, const char *name) {
    const uint32_t index = wlk_model_find_attribute(model, 0, name);
    assert_int_not_equal(index, WLK_NONE);
    return wlk_model_attribute(model, index);
}

static const char *const all_attributes =
    "{graphs:[{inputs:[], nodes:[{attr:{"
    "a:-9223372036854775808, b:9223372036854775807, c:-0.0, d:text, e:'',"
    "f:{dtype:bf16}, g:{floats:[1.0, nan, -inf]}, h:{floats:[]}, i:{ints:[0,-1,65536]},"
    "j:{strings:[p,'',p]}, k:{tensor:w}, l:{tensors:[v,w,v]},"
    "m:{type:{sequence:{tensor:{dtype:i8}}}}, n:{ints:[]}, o:{tensors:[]}, p:{graphs:[]},"
    "q:{strings:[]}"
    "}, in:[], op:A, out:[]}], outputs:[]}], kind:a, opset:{'':1}, tensors:["
    "{codec:raw, dtype:u8, name:v, nbytes:0, offset:0, shape:[0]},"
    "{codec:raw, dtype:u8, name:w, nbytes:1, offset:0, shape:[1]}]}";

static void scalar_attributes_have_their_values(void **state) {
    (void)state;
    wlk_case c = accept(all_attributes, "\7", 1);
    const wlk_model *m = c.model;
    wlk_attribute a = attribute_named(m, "a");
    assert_int_equal(a.type, WLK_ATTR_INT);
    assert_true(wlk_model_attribute_int(m, &a, 0) == INT64_MIN);
    a = attribute_named(m, "b");
    assert_true(wlk_model_attribute_int(m, &a, 0) == INT64_MAX);
    a = attribute_named(m, "c");
    assert_int_equal(a.type, WLK_ATTR_FLOAT);
    assert_int_equal(f64_bits(wlk_model_attribute_float(m, &a, 0)), 1ull << 63);
    a = attribute_named(m, "d");
    assert_int_equal(a.type, WLK_ATTR_STRING);
    assert_string_equal(wlk_model_attribute_string(m, &a, 0), "text");
    a = attribute_named(m, "e");
    assert_string_equal(wlk_model_attribute_string(m, &a, 0), "");
    a = attribute_named(m, "f");
    assert_int_equal(a.type, WLK_ATTR_DTYPE);
    assert_int_equal(wlk_model_attribute_int(m, &a, 0), WLK_BF16);
    a = attribute_named(m, "k");
    assert_int_equal(a.type, WLK_ATTR_TENSOR);
    assert_int_equal(wlk_model_attribute_int(m, &a, 0), 1);
    a = attribute_named(m, "m");
    assert_int_equal(a.type, WLK_ATTR_TYPE);
    const uint32_t type = (uint32_t)wlk_model_attribute_int(m, &a, 0);
    assert_int_equal(wlk_model_type(m, type).kind, WLK_TYPE_SEQUENCE);
    wlk_case_free(&c);
}

static void list_attributes_have_their_values(void **state) {
    (void)state;
    wlk_case c = accept(all_attributes, "\7", 1);
    const wlk_model *m = c.model;
    wlk_attribute a = attribute_named(m, "g");
    assert_int_equal(a.type, WLK_ATTR_FLOATS);
    assert_int_equal(a.count, 3);
    assert_true(wlk_model_attribute_float(m, &a, 0) == 1.0);
    assert_true(wlk_model_attribute_float(m, &a, 1) != wlk_model_attribute_float(m, &a, 1));
    assert_true(wlk_model_attribute_float(m, &a, 2) < -1e308);
    a = attribute_named(m, "i");
    assert_int_equal(a.type, WLK_ATTR_INTS);
    assert_int_equal(a.count, 3);
    assert_int_equal(wlk_model_attribute_int(m, &a, 1), -1);
    assert_int_equal(wlk_model_attribute_int(m, &a, 2), 65536);
    a = attribute_named(m, "j");
    assert_int_equal(a.type, WLK_ATTR_STRINGS);
    assert_string_equal(wlk_model_attribute_string(m, &a, 1), "");
    assert_string_equal(wlk_model_attribute_string(m, &a, 2), "p");
    a = attribute_named(m, "l");
    assert_int_equal(a.type, WLK_ATTR_TENSORS);
    assert_int_equal(wlk_model_attribute_int(m, &a, 0), 0);
    assert_int_equal(wlk_model_attribute_int(m, &a, 1), 1);
    static const struct {
        const char *name;
        wlk_attribute_type type;
    } empty[] = {{"h", WLK_ATTR_FLOATS},
                 {"n", WLK_ATTR_INTS},
                 {"o", WLK_ATTR_TENSORS},
                 {"p", WLK_ATTR_GRAPHS},
                 {"q", WLK_ATTR_STRINGS}};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        a = attribute_named(m, empty[i].name);
        assert_int_equal(a.type, empty[i].type);
        assert_int_equal(a.count, 0);
    }
    wlk_case_free(&c);
}

/* ---- golden rows */

static void golden_rows_name_their_tensors(void **state) {
    (void)state;
    wlk_case c = accept(
        "{graphs:[{inputs:[{name:x, type:{tensor:{dtype:u8, shape:[n, 2]}}},"
        "{name:y, type:{tensor:{dtype:u8}}}], nodes:[], outputs:[{name:x}]}], kind:a, opset:{},"
        "selftest:[{atol:0.0, inputs:[g,h], outputs:[h], rtol:0.5},"
        "{atol:1e-300, inputs:[g,g], outputs:[g], rtol:1e300}], tensors:["
        "{codec:raw, dtype:u8, name:g, nbytes:6, offset:0, shape:[3,2]},"
        "{codec:raw, dtype:u8, name:h, nbytes:1, offset:64, shape:[]}]}",
        (const uint8_t[65]){1, 2, 3}, 65);
    assert_int_equal(wlk_model_count(c.model, WLK_SECTION_SELFTESTS), 2);
    const wlk_selftest first = wlk_model_selftest(c.model, 0);
    assert_int_equal(first.inputs, 2);
    assert_int_equal(first.outputs, 1);
    assert_true(first.rtol == 0.5);
    assert_true(first.atol == 0.0);
    assert_int_equal(wlk_model_selftest_input(c.model, 0, 0), 0);
    assert_int_equal(wlk_model_selftest_input(c.model, 0, 1), 1);
    assert_int_equal(wlk_model_selftest_output(c.model, 0, 0), 1);
    assert_int_equal(wlk_model_selftest_input(c.model, 1, 1), 0);
    wlk_case_free(&c);
}

/* The first row of a file is not the first in memory order: names may be given
 * in any order, and look-ups find the right one among many. */
static void many_names_are_told_apart(void **state) {
    (void)state;
    enum { COUNT = 500 };
    wlk_buffer text = {0};
    wlk_buffer_print(&text, "{graphs:[{inputs:[{name:x, type:{tensor:{dtype:u8}}}], nodes:[");
    for (unsigned i = 0; i < COUNT; i++) {
        const unsigned name = i * 7919u % COUNT;
        const unsigned before = (i - 1) * 7919u % COUNT;
        if (i == 0) wlk_buffer_print(&text, "{in:[x], op:A, out:[v%u]}", name);
        if (i > 0) wlk_buffer_print(&text, "{in:[v%u], op:A, out:[v%u]}", before, name);
    }
    wlk_buffer_print(&text, "], outputs:[]}], kind:a, opset:{'':1}, tensors:[]}");
    wlk_case c = accept((const char *)text.data, NULL, 0);
    for (uint32_t i = 1; i < COUNT; i++) {
        const wlk_ref in = wlk_model_node_input(c.model, i, 0);
        const wlk_ref out = wlk_model_node_output(c.model, i - 1, 0);
        assert_int_equal(in.kind, WLK_REF_VALUE);
        assert_int_equal(in.index, out.index);
    }
    wlk_case_free(&c);
    free(text.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_file_is_accepted),
        cmocka_unit_test(every_dtype_arrives_with_its_bytes),
        cmocka_unit_test(the_byte_map_names_every_part),
        cmocka_unit_test(parts_of_length_zero_are_not_in_the_byte_map),
        cmocka_unit_test(slack_up_to_its_limit_is_padding),
        cmocka_unit_test(shapes_of_any_rank_are_kept),
        cmocka_unit_test(metadata_become_paths_and_values_in_the_order_of_the_file),
        cmocka_unit_test(a_path_of_more_than_ten_elements_counts_in_decimal),
        cmocka_unit_test(types_of_inputs_are_kept),
        cmocka_unit_test(graphs_keep_their_nodes_edges_and_names),
        cmocka_unit_test(subgraphs_are_attributes),
        cmocka_unit_test(types_of_outputs_become_types_of_values),
        cmocka_unit_test(the_opset_has_its_versions),
        cmocka_unit_test(scalar_attributes_have_their_values),
        cmocka_unit_test(list_attributes_have_their_values),
        cmocka_unit_test(golden_rows_name_their_tensors),
        cmocka_unit_test(many_names_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
