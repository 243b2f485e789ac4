/* Loads with the real child: what is accepted, what is refused and why. */
#include "support/gate_kit.h"

#include <sys/syscall.h>

#include "base/envelope.h"
#include "image/model.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"
#include "write/everything.h"

#define HOSTILE_CHILD "tests/gate/child_hostile"

/* ---- the same model by every way */

static void expect_same(const wlk_model *a, const wlk_model *b) {
    uint64_t offsets[WLK_SECTION_COUNT], total;
    assert_true(image_layout(a->view.header->counts, offsets, &total));
    assert_memory_equal(a->image, b->image, total); /* so every accessor agrees */
    for (uint32_t i = 0; i < wlk_model_count(a, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor x = wlk_model_tensor(a, i), y = wlk_model_tensor(b, i);
        assert_int_equal(x.nbytes, y.nbytes);
        assert_int_equal((uintptr_t)y.data % 64, 0);
        if (x.nbytes) assert_memory_equal(x.data, y.data, x.nbytes);
    }
}

static void expect_same_by_every_transport(const kit_file *file) {
    static const wlk_transport ways[] = {WLK_TRANSPORT_PIPE, WLK_TRANSPORT_MAP, WLK_TRANSPORT_AUTO};
    wlk_model *parsed_here = read_back(file->data, file->size);
    for (size_t i = 0; i < 3; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        wlk_model *model;
        wlk_error error;
        options.transport = ways[i];
        EXPECT_OK(kit_load(&options, file, &model, NULL, &error));
        expect_same(parsed_here, model);
        wlk_model_free(model);
    }
    wlk_model_free(parsed_here);
}

static wlk_model *empty_model(void) {
    wlk_writer *w = writer_new();
    wlk_writer_meta_string(w, "/name", "nothing");
    return writer_end(w);
}

static void test_all_transports_give_the_same_model(void **state) {
    (void)state;
    kit_file files[] = {
        kit_written(everything(), kit.key),
        kit_written(empty_model(), kit.key),
        kit_signed(0),
        kit_signed(1),
        kit_signed(65535),   /* at the size of a pipe's buffer */
        kit_signed(5 << 20), /* AUTO maps it */
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        expect_same_by_every_transport(&files[i]);
        free(files[i].data);
    }
}

/* ---- trust */

static void expect_trust(const kit_file *file, const wlk_trust *trust, const char *rule,
                         wlk_signature_state signature) {
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    options.trust = trust;
    const wlk_status status = kit_load(&options, file, &model, &report, &error);
    if (rule) {
        expect_refused("trust", status, &error, rule, NULL);
        assert_int_equal(report.child_started, 0); /* invariant 2 */
        assert_null(model);
        options.allow_unsigned = 1;
        EXPECT_OK(kit_load(&options, file, &model, &report, &error));
    } else {
        expect_ok(status, &error);
        assert_string_equal(report.verification.key_name, "author");
    }
    assert_int_equal(report.verification.state, signature);
    assert_int_equal(report.file_bytes, file->size);
    assert_int_equal(report.child_started, 1);
    wlk_model_free(model);
}

static void test_who_signed_it(void **state) {
    (void)state;
    kit_file by_nobody = kit_written(kit_model(0), NULL);
    kit_file by_stranger = kit_written(kit_model(0), kit.stranger);
    expect_trust(&kit.sample, kit.trust, NULL, WLK_SIGNED_TRUSTED);
    expect_trust(&kit.sample, NULL, "trust.unknown-key", WLK_SIGNED_UNKNOWN);
    expect_trust(&by_nobody, kit.trust, "trust.unsigned", WLK_UNSIGNED);
    expect_trust(&by_stranger, kit.trust, "trust.unknown-key", WLK_SIGNED_UNKNOWN);
    free(by_nobody.data);
    free(by_stranger.data);
}

static void test_a_stranger_is_named(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = kit_written(kit_model(0), kit.stranger);
    wlk_public_key stranger;
    wlk_model *model;
    wlk_error error;
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_secret_key_public(kit.stranger, &stranger);
    wlk_key_id_text(stranger.id, id);
    const wlk_status status = kit_load(&options, &file, &model, NULL, &error);
    expect_refused("stranger", status, &error, "trust.unknown-key", id);
    free(file.data);
}

/* A signature of a trusted key that fails counts for nothing less, whatever the
 * operator allows: the file is not what its author signed. */
static void test_a_failed_signature_is_not_an_unsigned_file(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    options.allow_unsigned = 1;
    for (unsigned i = ENVELOPE_SIGNATURE_AT; i < ENVELOPE_SIGNATURE_AT + 64; i += 21) {
        kit.sample.data[i] ^= 1;
        const wlk_status status = kit_load(&options, &kit.sample, &model, &report, &error);
        kit.sample.data[i] ^= 1;
        expect_refused("signature", status, &error, "trust.signature", "author");
        assert_int_equal(error.offset, ENVELOPE_SIGNATURE_AT);
        assert_int_equal(report.child_started, 0);
    }
}

static void test_verify_reports_and_does_not_refuse(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    static const wlk_signature_state states[] = {WLK_UNSIGNED, WLK_SIGNED_UNKNOWN,
                                                 WLK_SIGNED_TRUSTED};
    const wlk_secret_key *keys[] = {NULL, kit.stranger, kit.key};
    for (size_t i = 0; i < 3; i++) {
        kit_file file = kit_written(kit_model(0), keys[i]);
        const char *path = in_scratch("verified.wlk");
        wlk_load_report report;
        wlk_error error;
        write_bytes(path, file.data, file.size);
        EXPECT_OK(wlk_gate_verify_path(gate, path, &report, &error));
        assert_int_equal(report.verification.state, states[i]);
        assert_int_equal(report.child_started, 0);
        file.data[file.size - 1] ^= 1;
        write_bytes(path, file.data, file.size);
        const wlk_status status = wlk_gate_verify_path(gate, path, &report, &error);
        expect_refused("verify", status, &error, "trust.chunk-digest", NULL);
        assert_int_not_equal(report.verification.state, WLK_SIGNED_TRUSTED);
        free(file.data);
    }
    wlk_gate_close(gate);
}

/* ---- invariant 10: nothing in an artifact widens trust */

/* A header that asks for all it can think of. */
static wlk_model *asking_model(void) {
    wlk_writer *w = writer_new();
    wlk_public_key stranger;
    wlk_secret_key_public(kit.stranger, &stranger);
    char id[WLK_KEY_ID_TEXT_BYTES];
    size_t length;
    char *text = (char *)read_bytes(in_scratch("stranger.pub"), &length);
    wlk_key_id_text(stranger.id, id);
    wlk_writer_meta_string(w, "/x-trust", id);
    wlk_writer_meta_string(w, "/x-public-key", text);
    wlk_writer_meta_bool(w, "/x-allow-unsigned", true);
    wlk_writer_meta_int(w, "/x-limits/tensors", 1000000);
    wlk_writer_meta_int(w, "/x-limits/name_bytes", 1000000);
    wlk_writer_meta_string(w, "/x-layers", "none");
    wlk_writer_meta_string(w, "/x-transport", "map");
    wlk_writer_meta_string(w, "/metadata/source/trust", id);
    wlk_writer_meta_bool(w, "/metadata/source/trusted", true);
    static const float ones[2] = {1, 1};
    wlk_tensor tensor = {
        .name = "a", .dtype = WLK_F32, .rank = 1, .shape = {2}, .data = ones, .nbytes = 8};
    (void)wlk_writer_tensor(w, &tensor);
    tensor.name = "b";
    (void)wlk_writer_tensor(w, &tensor);
    free(text);
    return writer_end(w);
}

static void test_invariant_10_a_header_cannot_ask_for_trust(void **state) {
    (void)state;
    kit_file by_stranger = kit_written(asking_model(), kit.stranger);
    kit_file by_nobody = kit_written(asking_model(), NULL);
    expect_trust(&by_stranger, kit.trust, "trust.unknown-key", WLK_SIGNED_UNKNOWN);
    expect_trust(&by_nobody, kit.trust, "trust.unsigned", WLK_UNSIGNED);
    free(by_stranger.data);
    free(by_nobody.data);
}

static void test_invariant_10_a_header_cannot_ask_for_limits(void **state) {
    (void)state;
    kit_file file = kit_written(asking_model(), kit.key);
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
    options.policy.limits.tensors = 1;
    const wlk_status status = kit_load(&options, &file, &model, &report, &error);
    expect_refused("limits", status, &error, "limit.tensors", NULL);
    options.policy.limits.tensors = 2;
    EXPECT_OK(kit_load(&options, &file, &model, &report, &error));
    assert_int_equal(report.layers[kit_layer("seccomp")], WLK_LAYER_ATTESTED);
    wlk_model_free(model);
    free(file.data);
}

/* ---- refusals of the parser come through the cage as they are (invariant 9) */

static void test_a_signed_but_hostile_header(void **state) {
    (void)state;
    static const struct {
        const char *header, *rule;
        size_t data_bytes;
    } rows[] = {
        {"{kind:model, tensors:[{codec:raw, dtype:f32, name:a, nbytes:@16, offset:0, shape:[5]}]}",
         "tensor.size", 16},
        {"{kind:model, @other:1}", "header.key-unknown", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        static const uint8_t data[16] = {0};
        size_t mark, size;
        wlk_buffer header = wlk_text_encode(rows[i].header, &mark);
        kit_file file;
        wlk_model *model;
        wlk_load_report report;
        wlk_error error;
        wlk_file_build(header.data, header.size, data, rows[i].data_bytes, &file.data, &size);
        file.size = size;
        EXPECT_OK(wlk_sign_memory(file.data, file.size, kit.key, &error));
        const wlk_status status = kit_load(&options, &file, &model, &report, &error);
        expect_refused(rows[i].header, status, &error, rows[i].rule, NULL);
        assert_int_equal(error.offset, ENVELOPE_BYTES + mark);
        assert_int_equal(report.verification.state, WLK_SIGNED_TRUSTED);
        assert_int_equal(report.child_started, 1);
        free(file.data);
        free(header.data);
    }
}

/* ---- limits of the operator, on both sides (invariant 7) */

static void test_limits_of_the_parent_and_of_the_child(void **state) {
    (void)state;
    wlk_model *parsed = read_back(kit.sample.data, kit.sample.size);
    uint64_t offsets[WLK_SECTION_COUNT], image_bytes;
    assert_true(image_layout(parsed->view.header->counts, offsets, &image_bytes));
    wlk_model_free(parsed);
    const struct {
        const char *name, *rule;
        uint64_t least;
        bool child;
    } rows[] = {
        {"file_bytes", "limit.file-bytes", kit.sample.size, false},
        {"snapshot_bytes", "limit.snapshot-bytes", kit.sample.size, false},
        {"tensors", "limit.tensors", 2, true},
        {"output_bytes", "limit.output-bytes", 32, true},
        {"image_bytes", "limit.image-bytes", image_bytes, true},
        {"nodes", "limit.nodes", 1, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        wlk_model *model;
        wlk_load_report report;
        wlk_error error;
        assert_int_equal(wlk_limits_set(&options.policy.limits, rows[i].name, rows[i].least),
                         WLK_OK);
        EXPECT_OK(kit_load(&options, &kit.sample, &model, &report, &error));
        wlk_model_free(model);
        assert_int_equal(wlk_limits_set(&options.policy.limits, rows[i].name, rows[i].least - 1),
                         WLK_OK);
        const wlk_status status = kit_load(&options, &kit.sample, &model, &report, &error);
        expect_refused(rows[i].name, status, &error, rows[i].rule, NULL);
        assert_int_equal(status, WLK_LIMIT);
        assert_int_equal(report.child_started, rows[i].child);
    }
}

/* Limits that are no limits: nothing wraps around. */
static void test_limits_that_are_boundless(void **state) {
    (void)state;
    static const char *const names[] = {"file_bytes",  "image_bytes", "output_bytes",
                                        "deadline_ms", "tensors",     "header_bytes"};
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model;
    wlk_error error;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(wlk_limits_set(&options.policy.limits, names[i], UINT64_MAX), WLK_OK);
    }
    EXPECT_OK(kit_load(&options, &kit.sample, &model, NULL, &error));
    wlk_model_free(model);
}

/* ---- invariant 1: the bytes that are used are those that were verified */

static void test_invariant_1_a_path_is_opened_once(void **state) {
    (void)state;
    const char *path = in_scratch("good.wlk"), *other = in_scratch("other.wlk");
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    wlk_model *model;
    wlk_error error;
    write_bytes(path, kit.sample.data, kit.sample.size);
    write_bytes(other, "something else", 14);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(rename(other, path), 0);
    EXPECT_OK(wlk_gate_load_fd(gate, fd, &model, NULL, &error));
    assert_memory_equal(wlk_model_tensor(model, 0).data, kit.sample.data + 4096, 16);
    wlk_model_free(model);
    (void)close(fd);
    wlk_gate_close(gate);
}

/* The file is overwritten in place after the load: the model's bytes are private. */
static void test_invariant_1_the_model_does_not_depend_on_the_file(void **state) {
    (void)state;
    static const wlk_transport ways[] = {WLK_TRANSPORT_PIPE, WLK_TRANSPORT_MAP};
    for (size_t i = 0; i < 2; i++) {
        const char *path = in_scratch("overwritten.wlk");
        wlk_load_options options = kit_options(REAL_CHILD);
        uint8_t zeros[64] = {0};
        wlk_model *model;
        wlk_error error;
        options.transport = ways[i];
        write_bytes(path, kit.sample.data, kit.sample.size);
        EXPECT_OK(wlk_load_path(path, &options, &model, NULL, &error));
        const int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, zeros, sizeof zeros, 4096), sizeof zeros);
        assert_int_equal(ftruncate(fd, 1), 0);
        (void)close(fd);
        assert_memory_equal(wlk_model_tensor(model, 0).data, kit.sample.data + 4096, 16);
        wlk_model_free(model);
    }
}

/* Another process exchanges the file for one of a stranger all the time: what is
 * accepted is always the author's. */
static void test_invariant_1_files_that_change_places(void **state) {
    (void)state;
    const char *path = in_scratch("place.wlk"), *other = in_scratch("elsewhere.wlk");
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file evil = kit_written(kit_model(16), kit.stranger);
    wlk_gate *gate = kit_gate(&options);
    unsigned accepted = 0, refused = 0;
    write_bytes(path, kit.sample.data, kit.sample.size);
    write_bytes(other, evil.data, evil.size);
    const pid_t exchanger = fork();
    if (exchanger == 0) {
        const pid_t parent = getppid();
        while (getppid() == parent) {
            (void)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 2 /* EXCHANGE */);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < 150; i++) {
        wlk_model *model;
        wlk_error error;
        const wlk_status status = wlk_gate_load_path(gate, path, &model, NULL, &error);
        if (status == WLK_OK) {
            assert_int_equal(wlk_model_file_bytes(model), kit.sample.size);
            assert_int_equal(wlk_model_find_tensor(model, "extra"), WLK_NONE);
            wlk_model_free(model);
            accepted++;
        } else {
            expect_refused("exchanged", status, &error, "trust.unknown-key", NULL);
            refused++;
        }
    }
    assert_int_equal(kill(exchanger, SIGKILL), 0);
    assert_int_equal(waitpid(exchanger, NULL, 0), exchanger);
    assert_true(accepted > 0 && refused > 0);
    wlk_gate_close(gate);
    free(evil.data);
}

/* ---- what is no model */

static void expect_no_model(const char *path, const char *rule) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    wlk_load_report report;
    wlk_error error;
    memset(&report, 0xff, sizeof report);
    const wlk_status status = wlk_load_path(path, &options, &model, &report, &error);
    expect_refused(path, status, &error, rule, NULL);
    assert_null(model);
    assert_int_equal(report.child_started, 0);
}

static void test_what_is_no_model(void **state) {
    (void)state;
    const char *fifo = in_scratch("pipe"), *path = in_scratch("bytes");
    static const uint8_t zeros[4096] = {0};
    assert_int_equal(mkfifo(fifo, 0600), 0);
    expect_no_model(in_scratch("missing"), "gate.open");
    expect_no_model(fifo, "gate.not-regular");
    expect_no_model(scratch, "gate.not-regular");
    expect_no_model("/dev/null", "gate.not-regular");
    write_bytes(path, "", 0);
    expect_no_model(path, "format.empty");
    write_bytes(path, zeros, sizeof zeros);
    expect_no_model(path, "trust.unsigned"); /* what it is, only a child finds out */
    write_bytes(path, kit.sample.data, 9);
    expect_no_model(path, "trust.unsigned");
    write_bytes(path, kit.sample.data, 10);
    expect_no_model(path, "envelope.truncated");
    write_bytes(path, kit.sample.data, kit.sample.size - 1);
    expect_no_model(path, "envelope.layout");
}

/* ---- the interface */

static void test_report_and_error_may_be_left_out(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    const int fd = kit_memfd(&kit.sample, 0);
    wlk_model *model;
    assert_int_equal(wlk_gate_load_fd(gate, fd, &model, NULL, NULL), WLK_OK);
    wlk_model_free(model);
    assert_int_equal(wlk_gate_check(gate, NULL, NULL), WLK_OK);
    assert_int_equal(ftruncate(fd, 300), 0);
    assert_int_equal(wlk_gate_load_fd(gate, fd, &model, NULL, NULL), WLK_TRUST);
    assert_null(model);
    model = (wlk_model *)(uintptr_t)1;
    assert_int_equal(wlk_gate_load_fd(gate, -1, &model, NULL, NULL), WLK_SYSTEM);
    assert_null(model);
    (void)close(fd);
    wlk_gate_close(gate);
    wlk_gate_close(NULL);
}

/* A model outlives the gate that it came through. */
static void test_a_gate_can_be_closed_early(void **state) {
    (void)state;
    for (wlk_transport way = WLK_TRANSPORT_PIPE; way <= WLK_TRANSPORT_MAP; way++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        const unsigned descriptors = kit_descriptors();
        wlk_model *model;
        wlk_error error;
        options.transport = way;
        EXPECT_OK(kit_load(&options, &kit.sample, &model, NULL, &error));
        assert_true(kit_is_clean(descriptors)); /* a model holds no descriptor */
        assert_memory_equal(wlk_model_tensor(model, 1).data, kit.sample.data + 4096 + 64, 16);
        wlk_model_free(model);
        assert_true(kit_is_clean(descriptors));
    }
}

static void test_threads_for_hashing(void **state) {
    (void)state;
    kit_file file = kit_signed(9 << 20);
    static const uint32_t counts[] = {0, 1, 2, 3, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        wlk_model *model;
        wlk_error error;
        options.threads = counts[i];
        options.transport = WLK_TRANSPORT_MAP;
        EXPECT_OK(kit_load(&options, &file, &model, NULL, &error));
        wlk_model_free(model);
        file.data[file.size - 1] ^= 1;
        const wlk_status status = kit_load(&options, &file, &model, NULL, &error);
        expect_refused("threads", status, &error, "trust.chunk-digest", NULL);
        file.data[file.size - 1] ^= 1;
    }
    free(file.data);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_transports_give_the_same_model),
        cmocka_unit_test(test_who_signed_it),
        cmocka_unit_test(test_a_stranger_is_named),
        cmocka_unit_test(test_a_failed_signature_is_not_an_unsigned_file),
        cmocka_unit_test(test_verify_reports_and_does_not_refuse),
        cmocka_unit_test(test_invariant_10_a_header_cannot_ask_for_trust),
        cmocka_unit_test(test_invariant_10_a_header_cannot_ask_for_limits),
        cmocka_unit_test(test_a_signed_but_hostile_header),
        cmocka_unit_test(test_limits_of_the_parent_and_of_the_child),
        cmocka_unit_test(test_limits_that_are_boundless),
        cmocka_unit_test(test_invariant_1_a_path_is_opened_once),
        cmocka_unit_test(test_invariant_1_the_model_does_not_depend_on_the_file),
        cmocka_unit_test(test_invariant_1_files_that_change_places),
        cmocka_unit_test(test_what_is_no_model),
        cmocka_unit_test(test_report_and_error_may_be_left_out),
        cmocka_unit_test(test_a_gate_can_be_closed_early),
        cmocka_unit_test(test_threads_for_hashing),
    };
    return cmocka_run_group_tests(tests, kit_sample_setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
