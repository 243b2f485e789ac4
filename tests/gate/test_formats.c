/* Files of other formats than the project's own: what the parent says of them before the
 * child has looked (invariant 2), what the child may say that they are (invariant 5), and
 * that they become the same model whichever way they come in. */
#include "gate/hostile_load.h"

#include "conformance/proto.h"
#include "image/model.h"

#define PAYLOADS 3

static kit_file onnx; /* a graph of constants, whose payloads lie as they are and otherwise */

/* ---- the sample */

static void put_tensor(proto_out *graph, unsigned number, proto_out *tensor) {
    const char name[] = {(char)('a' + number), '\0'};
    proto_out attribute = {0}, node = {0}, output = {0};
    proto_put_text(&attribute, 1, "value");
    proto_put_number(&attribute, 20, 4);
    proto_put_message(&attribute, 5, tensor);
    proto_put_text(&node, 2, name);
    proto_put_text(&node, 4, "Constant");
    proto_put_message(&node, 5, &attribute);
    proto_put_message(graph, 1, &node);
    proto_put_text(&output, 1, name);
    proto_put_message(graph, 12, &output);
}

/* f32[4] as raw bytes, i8[3] as numbers, which have to be decoded, bool[2] as raw bytes. */
static kit_file sample(void) {
    static const float floats[] = {1, 2, 3, 4};
    static const uint8_t bools[] = {0, 1};
    proto_out graph = {0}, opset = {0}, model = {0}, tensors[PAYLOADS] = {{0}};
    proto_put_number(&tensors[0], 1, 4);
    proto_put_number(&tensors[0], 2, 1);
    proto_put_body(&tensors[0], 9, floats, sizeof floats);
    proto_put_number(&tensors[1], 1, 3);
    proto_put_number(&tensors[1], 2, 3);
    proto_put_body(&tensors[1], 5, "\1\2\3", 3);
    proto_put_number(&tensors[2], 1, 2);
    proto_put_number(&tensors[2], 2, 9);
    proto_put_body(&tensors[2], 9, bools, sizeof bools);
    for (unsigned i = 0; i < PAYLOADS; i++) put_tensor(&graph, i, &tensors[i]);
    proto_put_text(&graph, 2, "constants");
    proto_put_number(&opset, 2, 13);
    proto_put_number(&model, 1, 7);
    proto_put_message(&model, 7, &graph);
    proto_put_message(&model, 8, &opset);
    return (kit_file){model.data, model.size};
}

static wlk_model *parsed_here(void) {
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_parse_memory(onnx.data, onnx.size, WLK_FORMAT_NONE, NULL, &model, &error));
    return model;
}

/* ---- loads */

static wlk_status load(const wlk_load_options *options, const kit_file *file, wlk_model **model,
                       wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const int fd = kit_memfd(file, ALL_SEALS);
    hostile_wait(gate, options);
    const wlk_status status = wlk_gate_load_fd(gate, fd, model, report, error);
    (void)close(fd);
    wlk_gate_close(gate);
    return status;
}

static void expect_same(const wlk_model *a, const wlk_model *b) {
    uint64_t offsets[WLK_SECTION_COUNT], total;
    assert_true(image_layout(a->view.header->counts, offsets, &total));
    assert_memory_equal(a->image, b->image, total); /* so every accessor agrees */
    for (uint32_t i = 0; i < wlk_model_count(a, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor x = wlk_model_tensor(a, i), y = wlk_model_tensor(b, i);
        assert_int_equal((uintptr_t)y.data % 64, 0);
        assert_int_equal(x.nbytes, y.nbytes);
        assert_memory_equal(x.data, y.data, x.nbytes);
    }
}

static void test_the_same_model_by_every_way(void **state) {
    (void)state;
    static const wlk_transport ways[] = {WLK_TRANSPORT_PIPE, WLK_TRANSPORT_MAP, WLK_TRANSPORT_AUTO};
    wlk_model *here = parsed_here();
    assert_int_equal(wlk_model_format(here), WLK_FORMAT_ONNX);
    assert_int_equal(wlk_model_count(here, WLK_SECTION_TENSORS), PAYLOADS);
    for (unsigned i = 0; i < 6; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        wlk_load_report report;
        wlk_model *model;
        wlk_error error;
        options.transport = ways[i % 3];
        options.pool = i / 3;
        options.allow_unsigned = 1;
        EXPECT_OK(load(&options, &onnx, &model, &report, &error));
        assert_int_equal(report.format, WLK_FORMAT_ONNX);
        assert_int_equal(report.pooled, options.pool);
        assert_int_equal(report.verification.native, 0);
        expect_same(here, model);
        wlk_model_free(model);
    }
    wlk_model_free(here);
}

/* A pool's children serve whatever comes next. */
static void test_one_pool_for_all_formats(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    options.pool = 1;
    options.allow_unsigned = 1;
    wlk_gate *gate = kit_gate(&options);
    for (unsigned i = 0; i < 6; i++) {
        const bool native = i % 2;
        wlk_load_report report;
        wlk_model *model;
        wlk_error error;
        const int fd = kit_memfd(native ? &kit.sample : &onnx, ALL_SEALS);
        hostile_wait(gate, &options);
        EXPECT_OK(wlk_gate_load_fd(gate, fd, &model, &report, &error));
        assert_int_equal(report.pooled, 1);
        assert_int_equal(report.format, native ? WLK_FORMAT_WLK : WLK_FORMAT_ONNX);
        assert_int_equal(wlk_model_format(model), report.format);
        wlk_model_free(model);
        (void)close(fd);
    }
    wlk_gate_close(gate);
}

/* ---- trust */

/* Invariant 2: no child for what nobody vouches for. */
static void test_unsigned_is_refused_before_a_child_starts(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_load_report report;
    wlk_model *model;
    wlk_error error;
    const wlk_status status = load(&options, &onnx, &model, &report, &error);
    expect_refused("unsigned", status, &error, "trust.unsigned", NULL);
    assert_null(model);
    assert_int_equal(report.child_started, 0);
    assert_int_equal(report.format, WLK_FORMAT_NONE);
}

static void test_a_detached_signature_vouches(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_signature signature;
    wlk_load_report report;
    wlk_model *model;
    wlk_error error;
    EXPECT_OK(wlk_sign_detached(onnx.data, onnx.size, kit.key, "", &signature, &error));
    wlk_gate *gate = kit_gate(&options);
    wlk_artifact artifact = {.fd = kit_memfd(&onnx, 0),
                             .evidence = {.signatures = &signature, .signature_count = 1}};
    EXPECT_OK(wlk_gate_load(gate, &artifact, &model, &report, &error));
    assert_int_equal(report.verification.trusted, 1);
    assert_int_equal(report.format, WLK_FORMAT_ONNX);
    wlk_model_free(model);
    assert_int_equal(ftruncate(artifact.fd, (off_t)onnx.size - 1), 0);
    const wlk_status status = wlk_gate_load(gate, &artifact, &model, &report, &error);
    expect_refused("altered", status, &error, "trust.signature", NULL);
    assert_int_equal(report.child_started, 0);
    (void)close(artifact.fd);
    wlk_gate_close(gate);
}

/* ---- what no parser knows */

static void test_no_format_at_all(void **state) {
    (void)state;
    static const char *const files[] = {"hello, world\n", "PK\3\4.....", "GGUF\3\0\0\0",
                                        "\177ELF........"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        kit_file file = {(uint8_t *)(uintptr_t)files[i], strlen(files[i])};
        for (unsigned pool = 0; pool < 2; pool++) {
            wlk_load_options options = kit_options(REAL_CHILD);
            wlk_load_report report;
            wlk_model *model;
            wlk_error error;
            options.allow_unsigned = 1;
            options.pool = pool;
            const wlk_status status = load(&options, &file, &model, &report, &error);
            expect_refused(files[i], status, &error, "format.unknown", NULL);
            assert_int_equal(error.offset, 0);
            assert_int_equal(report.child_started, 1);
            assert_int_equal(report.format, WLK_FORMAT_NONE);
        }
    }
}

/* ---- what a captured child may claim */

/* Invariant 5: what was verified as a .wlk file is one, and nothing else is. */
static void test_claims_of_a_captured_child(void **state) {
    (void)state;
    const struct {
        const char *name;
        const kit_file *file;
        uint64_t format;
        bool good;
    } rows[] = {
        {"a .wlk file is what it is", &kit.sample, WLK_FORMAT_WLK, true},
        {"a .wlk file is ONNX", &kit.sample, WLK_FORMAT_ONNX, false},
        {"a .wlk file is no file", &kit.sample, WLK_FORMAT_NONE, false},
        {"a .wlk file is something else", &kit.sample, WLK_FORMAT_COUNT, false},
        {"another file is ONNX", &onnx, WLK_FORMAT_ONNX, true},
        {"another file is a .wlk file", &onnx, WLK_FORMAT_WLK, false},
        {"another file is no file", &onnx, WLK_FORMAT_NONE, false},
        {"another file is something else", &onnx, UINT16_MAX, false},
    };
    bool all = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned pool = 0; pool < 2; pool++) {
            wlk_load_options options = hostile_options(HOSTILE_claims_format, rows[i].format);
            options.pool = pool;
            all &= hostile_ends_with(rows[i].name, &options, rows[i].file,
                                     rows[i].good ? ACCEPTED : "image.header");
        }
    }
    assert_true(all);
}

/* ---- */

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_sample_setup(state) != 0) return 1;
    onnx = sample();
    return 0;
}

static int teardown(void **state) {
    free(onnx.data);
    return kit_sample_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_model_by_every_way),
        cmocka_unit_test(test_one_pool_for_all_formats),
        cmocka_unit_test(test_unsigned_is_refused_before_a_child_starts),
        cmocka_unit_test(test_a_detached_signature_vouches),
        cmocka_unit_test(test_no_format_at_all),
        cmocka_unit_test(test_claims_of_a_captured_child),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, HOSTILE_CHILD, NULL});
}
