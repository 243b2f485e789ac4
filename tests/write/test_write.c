#include "support/scratch.h"

#include <sodium.h>

#include "write/everything.h"

static uint8_t *written(const wlk_model *model, const wlk_write_options *options, uint64_t *size) {
    uint8_t *bytes;
    wlk_error error = {0};
    EXPECT_OK(wlk_write_memory(model, options, &bytes, size, &error));
    return bytes;
}

/* ---- the smallest files, byte by byte */

/* The file of docs/format.md, section 7, unsigned: its header and its digests. */
static void test_the_file_of_the_specification(void **state) {
    (void)state;
    static const char header[] =
        "84a66772617068739183a6696e7075747390a56e6f6465739183a2696e91a177a26f70a84964656e74697479"
        "a36f757491a179a76f7574707574739182a46e616d65a179a47479706581a674656e736f7282a56474797065"
        "a3663332a5736861706591"
        "03a46b696e64a56d6f64656ca56f7073657481a00da774656e736f72739186a5636f646563a3726177"
        "a56474797065a3663332a46e616d65a177a66e62797465730ca66f666673657400a573686170659103";
    static const char digests[] =
        "23d5c143125a89d5adc2bc5caea48b8f288a41949a148af7b0dd067b0f58435c"
        "788d2b1c9286bb17290282a0bb832260765b147e7dec629a296700";
    static const float data[] = {0.5f, -1.0f, 2.0f};
    const wlk_tensor tensor = {.name = "w",
                               .dtype = WLK_F32,
                               .rank = 1,
                               .shape = {3},
                               .data = data,
                               .nbytes = sizeof data};
    char hex[512];
    uint64_t size;
    wlk_writer *w = writer_new();
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_tensor(w, &tensor);
    (void)wlk_writer_graph(w, "");
    wlk_writer_output(w, "y", wlk_writer_tensor_type(w, WLK_F32, 1, (const int64_t[]){3}));
    wlk_writer_node(w, "Identity", "", "", LIST("w"), LIST("y"));
    wlk_model *model = writer_end(w);
    uint8_t *bytes = written(model, NULL, &size);
    assert_int_equal(size, 4096 + 12);
    sodium_bin2hex(hex, sizeof hex, bytes + 256, 181);
    assert_string_equal(hex, header);
    sodium_bin2hex(hex, sizeof hex, bytes + 46, 58);
    assert_memory_equal(hex, digests, 110);
    assert_memory_equal(bytes + 4096, data, sizeof data);
    free(bytes);
    wlk_model_free(model);
}

static void test_a_file_without_anything(void **state) {
    (void)state;
    uint64_t size;
    envelope e;
    wlk_error error = {0};
    wlk_model *model = writer_end(writer_new());
    uint8_t *bytes = written(model, NULL, &size);
    EXPECT_OK(envelope_decode(bytes, size, &e, &error));
    assert_int_equal(size, 4096);
    assert_int_equal(e.chunk_log2, 20);
    assert_int_equal(e.data_len, 0);
    assert_int_equal(e.table_len, 0);
    assert_memory_equal(bytes + 256, "\x82\xa4kind\xa5model\xa7tensors\x90", e.header_len);
    free(bytes);
    wlk_model_free(model);
}

/* ---- everything */

/* model -> bytes -> model -> the same bytes. */
static void test_everything_comes_back(void **state) {
    (void)state;
    uint64_t size, again_size;
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *back = read_back(bytes, size);
    uint8_t *again = written(back, NULL, &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(bytes, again, size);
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) {
        /* a file has its byte map, types are shared in another order, and nameless
         * tensors have got a name */
        if (i == WLK_SECTION_SPANS || i == WLK_SECTION_TYPES || i == WLK_SECTION_STRINGS ||
            i == WLK_SECTION_TEXT) {
            continue;
        }
        assert_int_equal(wlk_model_count(model, (wlk_section)i),
                         wlk_model_count(back, (wlk_section)i));
    }
    free(bytes);
    free(again);
    wlk_model_free(model);
    wlk_model_free(back);
}

/* Whoever follows docs/format.md reads the same and writes the same. */
static void test_the_second_implementation_agrees(void **state) {
    (void)state;
    wlk_model *model = everything();
    wlk_error error = {0};
    EXPECT_OK(wlk_write_path(model, NULL, in_scratch("everything.wlk"), &error));
    run_python("tests/write/reread.py", in_scratch("everything.wlk"));
    wlk_model_free(model);
}

static void test_tensors_keep_every_bit(void **state) {
    (void)state;
    uint64_t size;
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *back = read_back(bytes, size);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor a = wlk_model_tensor(model, i), b = wlk_model_tensor(back, i);
        assert_string_equal(a.name[0] ? a.name : "___tensor_32", b.name);
        assert_int_equal(a.dtype, b.dtype);
        assert_int_equal(a.rank, b.rank);
        assert_memory_equal(a.shape, b.shape, sizeof a.shape);
        assert_int_equal(a.nbytes, b.nbytes);
        assert_memory_equal(a.data, b.data, a.nbytes);
    }
    free(bytes);
    wlk_model_free(model);
    wlk_model_free(back);
}

static void test_metadata_comes_back(void **state) {
    (void)state;
    uint64_t size;
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *back = read_back(bytes, size);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_METADATA); i++) {
        const wlk_meta a = wlk_model_meta(model, i), b = wlk_model_meta(back, i);
        assert_string_equal(a.path, b.path);
        assert_int_equal(a.type, b.type);
        assert_int_equal(a.i, b.i);
        assert_true(a.u == b.u);
        assert_memory_equal(&a.f, &b.f, sizeof a.f);
        if (a.type == WLK_META_STRING) assert_string_equal(a.s, b.s);
    }
    free(bytes);
    wlk_model_free(model);
    wlk_model_free(back);
}

static void test_attributes_come_back(void **state) {
    (void)state;
    uint64_t size;
    wlk_model *model = everything();
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *back = read_back(bytes, size);
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_ATTRIBUTES); i++) {
        const wlk_attribute a = wlk_model_attribute(model, i), b = wlk_model_attribute(back, i);
        assert_string_equal(a.name, b.name);
        assert_int_equal(a.type, b.type);
        assert_int_equal(a.count, b.count);
        for (uint32_t j = 0; j < a.count && a.type != WLK_ATTR_TYPE; j++) {
            const double f = wlk_model_attribute_float(model, &a, j);
            const double g = wlk_model_attribute_float(back, &b, j);
            assert_int_equal(wlk_model_attribute_int(model, &a, j),
                             wlk_model_attribute_int(back, &b, j));
            assert_memory_equal(&f, &g, sizeof f);
            assert_string_equal(wlk_model_attribute_string(model, &a, j),
                                wlk_model_attribute_string(back, &b, j));
        }
    }
    free(bytes);
    wlk_model_free(model);
    wlk_model_free(back);
}

/* The order in which things were set is not in the file, and neither is the
 * time, nor anything else. */
static void test_the_same_model_gives_the_same_bytes(void **state) {
    (void)state;
    uint64_t size, again_size;
    wlk_model *model = everything(), *again = everything();
    uint8_t *bytes = written(model, NULL, &size);
    for (uint32_t threads = 1; threads <= 3; threads++) {
        const wlk_write_options options = {.threads = threads};
        uint8_t *others = written(again, &options, &again_size);
        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, others, size);
        free(others);
    }
    free(bytes);
    wlk_model_free(model);
    wlk_model_free(again);
}

static void test_order_of_setting_does_not_matter(void **state) {
    (void)state;
    static const char *const paths[] = {"/x-a/b", "/x-a/a", "/name", "/metadata/metrics/m"};
    static const char *const names[] = {"k", "l", "m", "z"};
    uint8_t *first = NULL;
    uint64_t size = 0;
    for (int turn = 0; turn < 4; turn++) {
        uint64_t other_size;
        wlk_writer *w = writer_new();
        for (int i = 0; i < 4; i++) wlk_writer_meta_string(w, paths[(i + turn) % 4], "v");
        wlk_writer_opset(w, turn % 2 ? "b" : "a", 1);
        wlk_writer_opset(w, turn % 2 ? "a" : "b", 1);
        (void)wlk_writer_graph(w, "");
        wlk_writer_node(w, "N", "a", "", NO_NAMES, NO_NAMES);
        for (int i = 0; i < 4; i++) wlk_writer_attr_int(w, names[(i + turn) % 4], 1);
        wlk_model *model = writer_end(w);
        uint8_t *bytes = written(model, NULL, &other_size);
        if (!first) {
            first = bytes;
            size = other_size;
        } else {
            assert_int_equal(size, other_size);
            assert_memory_equal(first, bytes, size);
            free(bytes);
        }
        wlk_model_free(model);
    }
    free(first);
}

/* ---- digests and options */

static wlk_model *large_model(uint64_t nbytes) {
    uint8_t *data = malloc(nbytes);
    uint64_t random = 1;
    assert_non_null(data);
    for (uint64_t i = 0; i + 8 <= nbytes; i += 8) store_u64(data + i, next_random(&random));
    wlk_writer *w = writer_new();
    for (int i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "w%d", i);
        const wlk_tensor t = {.name = name,
                              .dtype = WLK_U8,
                              .rank = 1,
                              .shape = {nbytes - 8 - (uint64_t)i * 13},
                              .data = data,
                              .nbytes = nbytes - 8 - (uint64_t)i * 13};
        (void)wlk_writer_tensor(w, &t);
    }
    free(data);
    return writer_end(w);
}

/* Whatever chunks and threads: what was written verifies. */
static void test_what_is_written_verifies(void **state) {
    (void)state;
    wlk_model *model = large_model(3 << 20);
    for (uint32_t chunk = 16; chunk <= 24; chunk += 4) {
        for (uint32_t threads = 1; threads <= 4; threads += 3) {
            const wlk_write_options options = {
                .chunk_log2 = chunk, .threads = threads, .slack = chunk * 1000};
            uint64_t size;
            envelope e;
            wlk_verification verification;
            wlk_error error = {0};
            uint8_t *bytes = written(model, &options, &size);
            EXPECT_OK(wlk_verify_memory(bytes, size,
                                        &(wlk_verify_options){.trust = NULL, .threads = 2},
                                        &verification, &error));
            assert_int_equal(verification.state, WLK_UNSIGNED);
            EXPECT_OK(envelope_decode(bytes, size, &e, &error));
            assert_int_equal(e.chunk_log2, chunk);
            assert_true(e.data_off - e.table_len - e.header_len - 256 >= options.slack);
            wlk_model *back = read_back(bytes, size);
            assert_memory_equal(wlk_model_tensor(back, 2).data, wlk_model_tensor(model, 2).data,
                                wlk_model_tensor(model, 2).nbytes);
            wlk_model_free(back);
            free(bytes);
        }
    }
    wlk_model_free(model);
}

static void test_refused_options(void **state) {
    (void)state;
    static const wlk_write_options rows[] = {{.chunk_log2 = 15},
                                             {.chunk_log2 = 25},
                                             {.chunk_log2 = 276},
                                             {.slack = 61441},
                                             {.slack = UINT32_MAX}};
    wlk_model *model = everything();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *bytes;
        uint64_t size;
        wlk_error error = {0};
        const wlk_status status = wlk_write_memory(model, &rows[i], &bytes, &size, &error);
        expect_refused("options", status, &error, "write.options", NULL);
        assert_int_equal(status, WLK_USAGE);
        assert_null(bytes);
    }
    const wlk_write_options most = {.slack = 61440};
    uint64_t size;
    wlk_verification verification;
    wlk_error error = {0};
    uint8_t *bytes = written(model, &most, &size);
    EXPECT_OK(wlk_verify_memory(bytes, size, &(wlk_verify_options){.trust = NULL, .threads = 1},
                                &verification, &error));
    free(bytes);
    wlk_model_free(model);
}

/* ---- models that a file cannot hold */

typedef struct raw_meta {
    const char *path;
    wlk_meta_type type;
    uint64_t value;
} raw_meta;

/* A model straight from the builder, as a parser of another format makes it. */
static wlk_model *raw_model(const raw_meta *metadata, size_t count) {
    wlk_limits limits;
    wlk_model *model;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    limits.header_depth = 100;
    memory_sink *sink = memory_sink_new(&limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *b = image_builder_new(&limits, &interface);
    for (size_t i = 0; i < count; i++) {
        const uint32_t path = image_string(b, metadata[i].path, strlen(metadata[i].path), 0);
        const bool text = metadata[i].type == WLK_META_STRING;
        (void)image_meta(b, path, metadata[i].type, text ? path : metadata[i].value, 0);
    }
    EXPECT_OK(image_build_model(b, sink, 0, &limits, &model, &error));
    image_builder_free(b);
    memory_sink_free(sink);
    return model;
}

static void test_metadata_that_the_format_does_not_have(void **state) {
    (void)state;
    static const struct {
        raw_meta metadata[20];
        const char *rule;
        const char *says;
    } rows[] = {
        {{{"/name", WLK_META_STRING, 0}}, "write.kind", NULL},
        {{{"/kind", WLK_META_INT, 0}}, "write.metadata", "/kind"},
        {{{"/kind", WLK_META_STRING, 0}, {"/ir_version", WLK_META_INT, 0}},
         "write.metadata",
         "/ir_version"},
        {{{"/kind", WLK_META_STRING, 0}, {"/tensors", WLK_META_ARRAY, 0}},
         "write.metadata",
         "/tensors"},
        {{{"/kind", WLK_META_STRING, 0},
          {"/metadata", WLK_META_MAP, 1},
          {"/metadata/own", WLK_META_MAP, 0}},
         "write.metadata",
         "/metadata/own"},
        {{{"/kind", WLK_META_STRING, 0},
          {"/x-", WLK_META_MAP, 1},
          {"/x-/1", WLK_META_MAP, 1},
          {"/x-/1/2", WLK_META_MAP, 1},
          {"/x-/1/2/3", WLK_META_MAP, 1},
          {"/x-/1/2/3/4", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a/b", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a/b/c", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d/e", WLK_META_MAP, 1},
          {"/x-/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f", WLK_META_MAP, 0}},
         "write.depth",
         "/x-/1/2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *bytes;
        uint64_t size;
        size_t count = 0;
        wlk_error error = {0};
        while (rows[i].metadata[count].path) count++;
        wlk_model *model = raw_model(rows[i].metadata, count);
        expect_refused("metadata", wlk_write_memory(model, NULL, &bytes, &size, &error), &error,
                       rows[i].rule, rows[i].says);
        wlk_model_free(model);
    }
}

/* A parser may list its metadata in any order: the file has it sorted. */
static void test_unsorted_metadata_is_sorted(void **state) {
    (void)state;
    static const raw_meta metadata[] = {
        {"/x-b", WLK_META_MAP, 3},       {"/x-b/z", WLK_META_INT, 1},
        {"/x-b/a~0", WLK_META_ARRAY, 2}, {"/x-b/a~0/0", WLK_META_INT, 7},
        {"/x-b/a~0/1", WLK_META_MAP, 0}, {"/x-b/a~1", WLK_META_INT, 2},
        {"/kind", WLK_META_STRING, 0},   {"/x-a", WLK_META_NULL, 0},
    };
    static const char *const sorted[] = {"/kind",    "/x-a",       "/x-b",       "/x-b/a~1",
                                         "/x-b/a~0", "/x-b/a~0/0", "/x-b/a~0/1", "/x-b/z"};
    uint64_t size;
    wlk_model *model = raw_model(metadata, sizeof metadata / sizeof *metadata);
    uint8_t *bytes = written(model, NULL, &size);
    wlk_model *back = read_back(bytes, size);
    for (uint32_t i = 0; i < 8; i++) {
        assert_string_equal(wlk_model_meta(back, i).path, sorted[i]);
    }
    free(bytes);
    wlk_model_free(model);
    wlk_model_free(back);
}

/* Types nest as deep as the header may, and no deeper. */
static void test_deep_types(void **state) {
    (void)state;
    for (int depth = 8; depth <= 9; depth++) {
        uint8_t *bytes;
        uint64_t size;
        wlk_error error = {0};
        wlk_writer *w = writer_new();
        uint32_t type = wlk_writer_tensor_type(w, WLK_F32, 1, (const int64_t[]){2});
        for (int i = 0; i < depth; i++) type = wrapped(w, WLK_TYPE_SEQUENCE, type);
        (void)wlk_writer_graph(w, "");
        wlk_writer_input(w, "x", type);
        wlk_model *model = writer_end(w);
        const wlk_status status = wlk_write_memory(model, NULL, &bytes, &size, &error);
        if (depth == 8) {
            EXPECT_OK(status);
            wlk_model_free(read_back(bytes, size));
            free(bytes);
        } else {
            expect_refused("depth", status, &error, "write.depth", NULL);
        }
        wlk_model_free(model);
    }
}

/* Of names with nothing but underscores there is always a longer one, up to a
 * point. */
static void test_nameless_tensors(void **state) {
    (void)state;
    for (size_t underscores = 40; underscores <= 70; underscores += 30) {
        char name[128] = {0};
        uint8_t *bytes;
        uint64_t size;
        wlk_error error = {0};
        memset(name, '_', underscores);
        wlk_writer *w = writer_new();
        wlk_tensor t = {.name = name, .dtype = WLK_U8, .rank = 0, .data = "", .nbytes = 1};
        (void)wlk_writer_tensor(w, &t);
        t.name = "";
        wlk_writer_opset(w, "", 1);
        const uint32_t nameless = wlk_writer_tensor(w, &t);
        (void)wlk_writer_graph(w, "");
        wlk_writer_node(w, "N", "", "", NO_NAMES, NO_NAMES);
        wlk_writer_attr_tensor(w, "t", nameless);
        wlk_model *model = writer_end(w);
        const wlk_status status = wlk_write_memory(model, NULL, &bytes, &size, &error);
        if (underscores == 40) {
            EXPECT_OK(status);
            wlk_model_free(read_back(bytes, size));
            free(bytes);
        } else {
            expect_refused("names", status, &error, "write.nameless", NULL);
        }
        wlk_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file_of_the_specification),
        cmocka_unit_test(test_a_file_without_anything),
        cmocka_unit_test(test_everything_comes_back),
        cmocka_unit_test(test_the_second_implementation_agrees),
        cmocka_unit_test(test_tensors_keep_every_bit),
        cmocka_unit_test(test_metadata_comes_back),
        cmocka_unit_test(test_attributes_come_back),
        cmocka_unit_test(test_the_same_model_gives_the_same_bytes),
        cmocka_unit_test(test_order_of_setting_does_not_matter),
        cmocka_unit_test(test_what_is_written_verifies),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_metadata_that_the_format_does_not_have),
        cmocka_unit_test(test_unsorted_metadata_is_sorted),
        cmocka_unit_test(test_deep_types),
        cmocka_unit_test(test_nameless_tensors),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
