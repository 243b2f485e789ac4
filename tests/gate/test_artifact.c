/* What is known of an artifact besides its bytes: signatures that lie beside it, those
 * that a caller has, digests that are expected. And what this process finds in weights
 * that were loaded. */
#include "support/gate_kit.h"

#include <math.h>

#include <sodium.h>

#include "gate/weights.h"
#include "image/model.h"
#include "write/everything.h"

/* ---- artifacts in the scratch folder */

typedef struct placed_file {
    char path[PATH_MAX];
    kit_file file;
} placed_file;

static placed_file placed(const char *name, const void *data, uint64_t size) {
    placed_file a = {.file = {(uint8_t *)(uintptr_t)data, size}};
    (void)snprintf(a.path, sizeof a.path, "%s/%s", scratch, name);
    write_bytes(a.path, data, size);
    return a;
}

static wlk_signature signature_by(const placed_file *a, const wlk_secret_key *key) {
    wlk_signature signature;
    wlk_error error;
    EXPECT_OK(wlk_sign_detached(a->file.data, a->file.size, key, "a comment", &signature, &error));
    return signature;
}

/* Writes FILE.minisig. */
static void sign_beside(const placed_file *a, const wlk_secret_key *key) {
    const wlk_signature signature = signature_by(a, key);
    char path[PATH_MAX + 16];
    wlk_error error;
    (void)snprintf(path, sizeof path, "%s.minisig", a->path);
    EXPECT_OK(wlk_signature_write(&signature, path, &error));
}

static void unsign(const placed_file *a) {
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s.minisig", a->path);
    (void)unlink(path);
}

static wlk_status verify_it(const wlk_load_options *options, const wlk_artifact *artifact,
                            wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const wlk_status status = wlk_gate_verify(gate, artifact, report, error);
    wlk_gate_close(gate);
    assert_int_equal(report->child_started, 0);
    return status;
}

static wlk_status load_it(const wlk_load_options *options, const wlk_artifact *artifact,
                          wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    const wlk_status status = wlk_gate_load(gate, artifact, &model, report, error);
    assert_int_equal(status == WLK_OK, model != NULL);
    wlk_model_free(model);
    wlk_gate_close(gate);
    return status;
}

/* ---- any artifact can be verified; only .wlk files can be loaded */

static const char onnx[] = "\x08\x07\x12\x04 not the real thing, but no .wlk file either";

static void expect_verified(const wlk_artifact *artifact, wlk_signature_state state,
                            uint32_t trusted, uint32_t digests) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_load_report report;
    wlk_error error;
    EXPECT_OK(verify_it(&options, artifact, &report, &error));
    assert_int_equal(report.verification.state, state);
    assert_int_equal(report.verification.trusted, trusted);
    assert_int_equal(report.verification.digests, digests);
    assert_int_equal(report.verification.native, 0);
}

static void test_an_artifact_of_another_format(void **state) {
    (void)state;
    const placed_file a = placed("model.onnx", onnx, sizeof onnx);
    wlk_load_options options = kit_options(REAL_CHILD);
    const wlk_artifact named = {.path = a.path};
    wlk_load_report report;
    wlk_error error;
    wlk_status status = verify_it(&options, &named, &report, &error);
    expect_refused("nothing known", status, &error, "format.unknown", NULL);
    assert_int_equal(status, WLK_UNDECIDED);

    sign_beside(&a, kit.key);
    expect_verified(&named, WLK_SIGNED_TRUSTED, 1, 0);
    sign_beside(&a, kit.stranger);
    expect_verified(&named, WLK_SIGNED_UNKNOWN, 0, 0);
    unsign(&a);

    wlk_digest digest = {.kind = WLK_SHA256, .length = 32};
    assert_int_equal(crypto_hash_sha256(digest.value, (const uint8_t *)onnx, sizeof onnx), 0);
    const wlk_artifact expected = {.path = a.path,
                                   .evidence = {.digests = &digest, .digest_count = 1}};
    expect_verified(&expected, WLK_UNSIGNED, 0, 1);
    digest.value[31] ^= 1;
    status = verify_it(&options, &expected, &report, &error);
    expect_refused("digest", status, &error, "trust.digest", NULL);
}

/* Verified first, then asked for its format: an altered file is not just unknown. */
static void test_order_of_checks_in_a_load(void **state) {
    (void)state;
    const placed_file a = placed("other.onnx", onnx, sizeof onnx);
    const wlk_load_options options = kit_options(REAL_CHILD);
    const wlk_artifact named = {.path = a.path};
    wlk_load_report report;
    wlk_error error;
    sign_beside(&a, kit.key);
    wlk_status status = load_it(&options, &named, &report, &error);
    expect_refused("signed", status, &error, "format.unknown", NULL);
    assert_int_equal(report.verification.trusted, 1);
    write_bytes(a.path, onnx, sizeof onnx - 1);
    status = load_it(&options, &named, &report, &error);
    expect_refused("altered", status, &error, "trust.signature", NULL);
    assert_int_equal(report.child_started, 0); /* invariant 2 */
}

/* ---- .wlk files with signatures beside them */

static void test_a_signature_beside_vouches(void **state) {
    (void)state;
    kit_file unsigned_file = kit_written(kit_model(0), NULL);
    const placed_file a = placed("beside.wlk", unsigned_file.data, unsigned_file.size);
    const wlk_load_options options = kit_options(REAL_CHILD);
    const wlk_artifact named = {.path = a.path};
    wlk_load_report report;
    wlk_error error;
    wlk_status status = load_it(&options, &named, &report, &error);
    expect_refused("unsigned", status, &error, "trust.unsigned", NULL);
    sign_beside(&a, kit.key);
    EXPECT_OK(load_it(&options, &named, &report, &error));
    assert_string_equal(report.verification.trusted_comment, "a comment");
    assert_int_equal(report.verification.native, 1);

    /* A descriptor has no neighbours; the caller knows the signature. */
    wlk_artifact open_one = {.fd = open(a.path, O_RDONLY | O_CLOEXEC)};
    status = load_it(&options, &open_one, &report, &error);
    expect_refused("descriptor", status, &error, "trust.unsigned", NULL);
    const wlk_signature signature = signature_by(&a, kit.key);
    open_one.evidence = (wlk_evidence){.signatures = &signature, .signature_count = 1};
    EXPECT_OK(load_it(&options, &open_one, &report, &error));
    (void)close(open_one.fd);

    char beside[PATH_MAX + 16];
    (void)snprintf(beside, sizeof beside, "%s.minisig", a.path);
    write_bytes(beside, "no signature\n", 13);
    status = load_it(&options, &named, &report, &error);
    expect_refused("broken", status, &error, "trust.signature-text", NULL);
    unsign(&a);
    free(unsigned_file.data);
}

/* Threshold 2: one signature inside, another beside or known to the caller; each key
 * counts once. */
static void test_threshold_over_inside_beside_and_given(void **state) {
    (void)state;
    const placed_file a = placed("twice.wlk", kit.sample.data, kit.sample.size);
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_public_key second;
    wlk_load_report report;
    wlk_error error;
    wlk_trust *both;
    wlk_secret_key *second_key = kit_key("second", &second);
    EXPECT_OK(wlk_trust_new(&both, &error));
    EXPECT_OK(wlk_trust_add_key(both,
                                &(wlk_trusted_key){.key = second,
                                                   .name = "second",
                                                   .valid_from = INT64_MIN,
                                                   .valid_until = INT64_MAX,
                                                   .revoked = INT64_MAX},
                                &error));
    wlk_trusted_key first = wlk_trust_key(kit.trust, 0);
    EXPECT_OK(wlk_trust_add_key(both, &first, &error));
    options.trust = both;
    options.policy.threshold = 2;
    wlk_artifact named = {.path = a.path};
    wlk_status status = load_it(&options, &named, &report, &error);
    expect_refused("one", status, &error, "trust.threshold", NULL);
    sign_beside(&a, kit.key); /* the same key again */
    status = load_it(&options, &named, &report, &error);
    expect_refused("the same", status, &error, "trust.threshold", NULL);
    const wlk_signature given = signature_by(&a, second_key);
    named.evidence = (wlk_evidence){.signatures = &given, .signature_count = 1};
    EXPECT_OK(load_it(&options, &named, &report, &error));
    assert_int_equal(report.verification.trusted, 2);
    named.evidence = (wlk_evidence){0};
    sign_beside(&a, second_key);
    EXPECT_OK(load_it(&options, &named, &report, &error));
    options.policy.threshold = 3;
    named.evidence = (wlk_evidence){.signatures = &given, .signature_count = 1};
    status = load_it(&options, &named, &report, &error);
    expect_refused("three", status, &error, "trust.threshold", NULL);
    unsign(&a);
    wlk_secret_key_free(second_key);
    wlk_trust_free(both);
}

/* ---- NaN and infinity */

/* Four tensors: floats of three widths and one of none, `bytes` of f32 in the second. */
static wlk_model *weights(uint64_t bytes, const float *values) {
    static const uint8_t bf16[4] = {0x80, 0x3f, 0x80, 0x7f}; /* 1, infinity */
    static const double f64[2] = {1, 2};
    static const uint8_t u8[4] = {0xff, 0xff, 0xff, 0x7f};
    wlk_writer *w = writer_new();
    const wlk_tensor tensors[] = {
        {.name = "plain", .dtype = WLK_F64, .rank = 1, .shape = {2}, .data = f64, .nbytes = 16},
        {.name = "w",
         .dtype = WLK_F32,
         .rank = 1,
         .shape = {bytes / 4},
         .data = values,
         .nbytes = bytes},
        {.name = "u", .dtype = WLK_U8, .rank = 1, .shape = {4}, .data = u8, .nbytes = 4},
        {.name = "b", .dtype = WLK_BF16, .rank = 1, .shape = {2}, .data = bf16, .nbytes = 4},
    };
    for (size_t i = 0; i < 4; i++) (void)wlk_writer_tensor(w, &tensors[i]);
    return writer_end(w);
}

static void test_nonfinite_weights_are_counted(void **state) {
    (void)state;
    const float values[] = {1, INFINITY, NAN, -INFINITY, 5, NAN};
    kit_file file = kit_written(weights(sizeof values, values), kit.key);
    static const struct {
        wlk_action nan, infinity;
        uint64_t nans, infinities;
        uint32_t tensor;
        uint64_t element;
        const char *rule;
        uint64_t in_tensor; /* offset of the refused element in w */
        const char *text;
    } rows[] = {
        {WLK_REPORT, WLK_REPORT, 2, 3, 1, 1, NULL, 0, NULL},
        {WLK_REPORT, WLK_IGNORE, 2, 0, 1, 2, NULL, 0, NULL},
        {WLK_IGNORE, WLK_REPORT, 0, 3, 1, 1, NULL, 0, NULL},
        {WLK_IGNORE, WLK_IGNORE, 0, 0, WLK_NONE, 0, NULL, 0, NULL},
        {WLK_REFUSE, WLK_REPORT, 2, 3, 1, 1, "audit.nan", 8, "tensor w, element 2"},
        {WLK_REPORT, WLK_REFUSE, 2, 3, 1, 1, "audit.infinity", 4, "tensor w, element 1"},
        {WLK_REFUSE, WLK_REFUSE, 2, 3, 1, 1, "audit.nan", 8, "tensor w, element 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        wlk_model *model;
        wlk_load_report report;
        wlk_error error;
        options.policy.nan = rows[i].nan;
        options.policy.infinity = rows[i].infinity;
        const wlk_status status = kit_load(&options, &file, &model, &report, &error);
        if (rows[i].rule) {
            expect_refused("row", status, &error, rows[i].rule, rows[i].text);
            assert_int_equal(error.offset, 4096 + 64 + rows[i].in_tensor);
            assert_null(model);
        } else {
            expect_ok(status, &error);
        }
        assert_int_equal(report.nonfinite.nan, rows[i].nans);
        assert_int_equal(report.nonfinite.infinity, rows[i].infinities);
        assert_int_equal(report.nonfinite.tensor, rows[i].tensor);
        assert_int_equal(report.nonfinite.element, rows[i].element);
        wlk_model_free(model);
    }
    free(file.data);
}

/* The one among millions, wherever it is, by any number of threads. */
static void test_one_nan_in_a_large_tensor(void **state) {
    (void)state;
    enum { COUNT = 1300001 };
    static const uint64_t places[] = {0, 1023, 262143, 262144, 524289, COUNT - 1};
    static const uint32_t threads[] = {0, 1, 2, 5, 1000};
    float *values = calloc(COUNT, sizeof *values);
    assert_non_null(values);
    wlk_policy policy;
    wlk_policy_default(&policy);
    policy.nan = WLK_REFUSE;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        values[places[i]] = NAN;
        wlk_model *model = weights(COUNT * sizeof *values, values);
        for (size_t j = 0; j < sizeof threads / sizeof *threads; j++) {
            wlk_nonfinite found;
            wlk_error error;
            const wlk_status status = weights_audit(model, &policy, threads[j], &found, &error);
            expect_refused("large", status, &error, "audit.nan", NULL);
            assert_int_equal(error.offset, WLK_NO_OFFSET); /* it lies in no file */
            assert_int_equal(found.nan, 1);
            assert_int_equal(found.infinity, 1); /* the one of b */
            assert_int_equal(found.tensor, 1);
            assert_int_equal(found.element, places[i]);
        }
        wlk_model_free(model);
        values[places[i]] = 0;
    }
    free(values);
}

/* Invariant 5: a child may let many tensors name the same bytes. */
static void test_the_search_is_bounded(void **state) {
    (void)state;
    const float values[] = {1, 2, 3, 4};
    wlk_model *model = weights(sizeof values, values);
    wlk_policy policy;
    wlk_nonfinite found;
    wlk_error error;
    wlk_policy_default(&policy);
    policy.limits.output_bytes = 16 + 16 + 4; /* what cannot hold a NaN does not count */
    EXPECT_OK(weights_audit(model, &policy, 2, &found, &error));
    policy.limits.output_bytes--;
    const wlk_status status = weights_audit(model, &policy, 2, &found, &error);
    expect_refused("bounded", status, &error, "limit.output-bytes", NULL);
    assert_int_equal(found.tensor, WLK_NONE);
    wlk_model_free(model);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_artifact_of_another_format),
        cmocka_unit_test(test_order_of_checks_in_a_load),
        cmocka_unit_test(test_a_signature_beside_vouches),
        cmocka_unit_test(test_threshold_over_inside_beside_and_given),
        cmocka_unit_test(test_nonfinite_weights_are_counted),
        cmocka_unit_test(test_one_nan_in_a_large_tensor),
        cmocka_unit_test(test_the_search_is_bounded),
    };
    return cmocka_run_group_tests(tests, kit_sample_setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
