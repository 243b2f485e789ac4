/* What a program does with the library, each thing as one function that hands everything
 * back and can be done again: for programs in which memory runs out meanwhile. What a
 * scenario sees that must not be is in have.wrong. */
#ifndef TESTS_FAULTS_ALLOC_SCENARIOS_H
#define TESTS_FAULTS_ALLOC_SCENARIOS_H

#include "alloc_points.h"
#include "endure_files.h"

#include <weighlock/infer.h>

#include "input/bind.h"
#include "input/csv.h"
#include "input/file.h"
#include "input/npz_write.h"

#define KEYS 40
#define PATIENCE 200 /* tenths of a millisecond */

/* ---- what the scenarios use */

static struct {
    wlk_gate *gate, *mapping;
    wlk_lazy *lazy, *chunks;
    wlk_model *model;
    wlk_plan *plan;
    wlk_trust *trust;
    wlk_limits limits;
    kit_file written; /* the model as bytes */
    double rows[6];
    wlk_public_key keys[KEYS];
    const char *wrong; /* what a scenario saw that must not be */
} have;

static void expect(bool condition, const char *what) {
    if (!condition) have.wrong = what;
}

static wlk_evidence no_evidence(void) {
    return (wlk_evidence){0};
}

/* ---- loading */

static bool is_the_model(const wlk_model *model) {
    const wlk_tensor want = wlk_model_tensor(have.model, 0), got = wlk_model_tensor(model, 0);
    return wlk_model_count(model, WLK_SECTION_TENSORS) ==
               wlk_model_count(have.model, WLK_SECTION_TENSORS) &&
           got.nbytes == want.nbytes && memcmp(got.data, want.data, got.nbytes) == 0;
}

static wlk_status load(wlk_gate *gate, const char *name, wlk_error *error) {
    const char *path = in_scratch(name);
    wlk_model *model;
    const wlk_status status = wlk_gate_load_path(gate, path, &model, NULL, error);
    points_disarm();
    expect((status == WLK_OK) == (model != NULL), "a refusal with a model");
    if (model && strcmp(name, "chunks.wlk") != 0) expect(is_the_model(model), "another model");
    wlk_model_free(model);
    return status;
}

static wlk_status load_pipe(wlk_error *error) {
    return load(have.gate, "model.wlk", error);
}

static wlk_status load_map(wlk_error *error) {
    return load(have.mapping, "model.wlk", error);
}

static wlk_status load_beside(wlk_error *error) {
    return load(have.gate, "beside.wlk", error);
}

static wlk_status load_chunks(wlk_error *error) {
    return load(have.mapping, "chunks.wlk", error);
}

static wlk_status open_gate(wlk_error *error) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = NULL;
    TRY(wlk_gate_open(&options, &gate, error));
    const wlk_status status = load(gate, "model.wlk", error);
    wlk_gate_close(gate);
    return status;
}

/* The pool is filled in the background, if there is memory for it. */
static wlk_status open_pool(wlk_error *error) {
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = NULL;
    options.pool = 1;
    TRY(wlk_gate_open(&options, &gate, error));
    for (unsigned i = 0; wlk_gate_waiting(gate) == 0 && i < PATIENCE; i++) (void)usleep(100);
    const wlk_status status = load(gate, "model.wlk", error);
    wlk_gate_close(gate);
    return status;
}

static wlk_status open_lazy(wlk_error *error) {
    wlk_lazy *lazy;
    const wlk_artifact artifact = {.path = in_scratch("chunks.wlk")};
    const wlk_status status = wlk_gate_open_lazy(have.gate, &artifact, &lazy, NULL, error);
    points_disarm();
    expect((status == WLK_OK) == (lazy != NULL), "a refusal with a lazy model");
    wlk_lazy_close(lazy);
    return status;
}

static wlk_status read_tensors(wlk_error *error) {
    wlk_status status = WLK_OK;
    for (uint32_t i = 0; status == WLK_OK && i < 3; i++) {
        wlk_tensor tensor;
        status = wlk_lazy_tensor(have.chunks, i, &tensor, error);
        expect((status == WLK_OK) == (tensor.data != NULL), "a refusal with data");
        wlk_lazy_release(&tensor);
    }
    return status;
}

/* Why a load failed that does not: there is nothing to be found. */
static wlk_status explain(wlk_error *error) {
    const wlk_artifact artifact = {.path = in_scratch("model.wlk")};
    wlk_violation violation;
    const wlk_status status = wlk_gate_explain(have.gate, &artifact, &violation, error);
    expect(!violation.found, "a violation");
    return status;
}

static wlk_status check_cage(wlk_error *error) {
    return wlk_gate_check(have.gate, NULL, error);
}

/* ---- trust */

static wlk_status verify_beside(wlk_error *error) {
    wlk_load_report report;
    TRY(wlk_gate_verify_path(have.gate, in_scratch("beside.wlk"), &report, error));
    expect(report.verification.trusted == 1, "signers");
    return WLK_OK;
}

static wlk_status verify_evidence(wlk_error *error) {
    wlk_digest digest;
    wlk_load_report report;
    wlk_artifact artifact = {.path = in_scratch("beside.wlk"), .evidence = no_evidence()};
    TRY(wlk_digest_find(in_scratch("SHA256SUMS"), "beside.wlk", &digest, error));
    artifact.evidence.digests = &digest;
    artifact.evidence.digest_count = 1;
    TRY(wlk_gate_verify(have.gate, &artifact, &report, error));
    expect(report.verification.digests == 1, "digests");
    return WLK_OK;
}

static wlk_status find_signatures(wlk_error *error) {
    wlk_signature *list = NULL;
    uint32_t count = 0;
    const wlk_status status =
        wlk_signatures_beside(in_scratch("beside.wlk"), kit.trust, &list, &count, error);
    expect(status != WLK_OK || count == 1, "signatures");
    wlk_free(list);
    return status;
}

static wlk_status read_policy(wlk_error *error) {
    wlk_policy policy;
    wlk_policy_default(&policy);
    const wlk_status status = wlk_policy_load(in_scratch("policy.conf"), &policy, error);
    expect((status == WLK_OK) == (policy.limits.nodes == 1000), "a policy that was half read");
    return status;
}

static wlk_status open_trust(wlk_error *error) {
    wlk_trust *trust = NULL;
    const wlk_status status = wlk_trust_open(in_scratch("trust"), &trust, error);
    expect(status != WLK_OK || wlk_trust_count(trust) == 2, "keys that are missing");
    wlk_trust_free(trust);
    return status;
}

static wlk_status add_keys(wlk_error *error) {
    wlk_trust *trust = NULL;
    wlk_status status = wlk_trust_new(&trust, error);
    for (uint32_t i = 0; status == WLK_OK && i < KEYS; i++) {
        status = wlk_trust_add(trust, &have.keys[i], "some", error);
        expect(status == WLK_OK || wlk_trust_count(trust) == i, "a key that was half added");
        if (status == WLK_OK || !points_reached() || points.for_good) continue;
        points_disarm();
        expect(wlk_trust_add(trust, &have.keys[i], "some", NULL) == WLK_OK, "no key can be added");
    }
    expect(status != WLK_OK || wlk_trust_count(trust) == KEYS, "keys that are missing");
    wlk_trust_free(trust);
    return status;
}

static wlk_status add_and_revoke(wlk_error *error) {
    const wlk_trusted_key key = {.key = have.keys[0],
                                 .name = "another",
                                 .valid_from = INT64_MIN,
                                 .valid_until = INT64_MAX,
                                 .revoked = INT64_MAX};
    const char *folder = in_scratch("trust");
    wlk_status status = wlk_trust_folder_add(folder, &key, error);
    if (status == WLK_OK) status = wlk_trust_folder_revoke(folder, "another", 1000000000, error);
    points_disarm();
    (void)unlink(in_scratch("trust/another.pub"));
    return status;
}

static wlk_status make_keys(wlk_error *error) {
    const char *secret = in_scratch("new.key"), *public = in_scratch("new.pub");
    wlk_public_key made;
    wlk_secret_key *key = NULL;
    wlk_status status = wlk_keygen(secret, public, NULL, &made, error);
    expect((status == WLK_OK) == (access(public, F_OK) == 0), "a public key too many or few");
    if (status == WLK_OK) status = wlk_secret_key_load(secret, NULL, &key, error);
    wlk_secret_key_free(key);
    points_disarm();
    (void)unlink(secret);
    (void)unlink(public);
    return status;
}

static wlk_status sign_memory(wlk_error *error) {
    wlk_signature signature;
    const char *path = in_scratch("new.minisig");
    TRY(wlk_sign_memory(have.written.data, have.written.size, kit.key, error));
    TRY(wlk_sign_detached(have.written.data, have.written.size, kit.key, "text", &signature,
                          error));
    const wlk_status status = wlk_signature_write(&signature, path, error);
    points_disarm();
    expect((status == WLK_OK) == (access(path, F_OK) == 0), "a signature too many or few");
    (void)unlink(path);
    return status;
}

/* ---- writing */

static wlk_status write_memory(wlk_error *error) {
    const wlk_write_options options = {.key = kit.key, .slack = 4096};
    uint8_t *data = NULL;
    uint64_t size;
    const wlk_status status = wlk_write_memory(have.model, &options, &data, &size, error);
    points_disarm();
    expect(status != WLK_OK ||
               (size == have.written.size && memcmp(data, have.written.data, size) == 0),
           "other bytes");
    if (status == WLK_OK) wlk_free(data);
    return status;
}

/* Over a file that is there, which stays as it is until it is replaced by the same. */
static wlk_status write_path(wlk_error *error) {
    const wlk_meta_edit edits[] = {{"/metadata/x-deep", "[{\"a\": [1, 2.5, null]}]"}};
    const wlk_write_options options = {
        .key = kit.key, .slack = 4096, .threads = 2, .edits = edits, .edit_count = 1};
    return wlk_write_path(have.model, &options, in_scratch("model.wlk"), error);
}

static wlk_status rewrite_metadata(wlk_error *error) {
    static uint8_t new_head[1 << 16];
    const wlk_meta_edit edits[] = {{"/version", "\"9\""}, {"/metadata/tags/-", "\"more\""}};
    uint64_t size;
    const uint8_t *head = wlk_lazy_head(have.lazy, &size);
    return wlk_meta_rewrite(head, size, wlk_lazy_model(have.lazy), edits, 2, kit.key, new_head,
                            error);
}

static wlk_status build(wlk_error *error) {
    static const char *const texts[] = {"a", "b"};
    wlk_writer *w = NULL;
    wlk_model *model = NULL;
    TRY(wlk_writer_new(NULL, &w, error));
    wlk_writer_meta_strings(w, "/metadata/tags", texts, 2);
    (void)wlk_writer_strings(w, "words", 1, (const uint64_t[]){2}, texts);
    wlk_writer_opset(w, "", 13);
    (void)wlk_writer_graph(w, "");
    wlk_writer_input(w, "x", wlk_writer_tensor_type(w, WLK_F32, 1, (const int64_t[]){2}));
    wlk_writer_output(w, "y", WLK_NONE);
    wlk_writer_node(w, "Relu", "", "", (const char *const[]){"x", NULL},
                    (const char *const[]){"y", NULL});
    wlk_writer_attr_strings(w, "x", texts, 2);
    const wlk_status status = wlk_writer_finish(w, &model, error);
    expect((status == WLK_OK) == (model != NULL), "a refusal with a model");
    wlk_model_free(model);
    wlk_writer_free(w);
    return status;
}

static wlk_status read_spec(wlk_error *error) {
    wlk_model *model = NULL;
    const wlk_status status = json_spec_read(in_scratch("spec.json"), &have.limits, &model, error);
    points_disarm();
    if (model) expect(is_the_model(model), "another model");
    wlk_model_free(model);
    return status;
}

/* ---- running */

static wlk_status plan_model(wlk_error *error) {
    wlk_plan *plan = NULL;
    const wlk_status status = wlk_plan_create(have.model, NULL, &plan, error);
    expect((status == WLK_OK) == (plan != NULL), "a refusal with a plan");
    wlk_plan_free(plan);
    return status;
}

static wlk_status run_plan(wlk_error *error) {
    const wlk_tensor rows = {.dtype = WLK_F64,
                             .rank = 2,
                             .shape = {3, 2},
                             .data = have.rows,
                             .nbytes = sizeof have.rows};
    wlk_result *result = NULL;
    uint32_t ran = 0;
    wlk_status status = wlk_run(have.plan, &rows, 1, &result, error);
    expect((status == WLK_OK) == (result != NULL), "a refusal with a result");
    wlk_result_free(result);
    if (status == WLK_OK) status = wlk_selftest_run(have.plan, &ran, error);
    expect(status != WLK_OK || ran == 1, "golden rows that were not run");
    return status;
}

static wlk_status bind_csv(wlk_error *error) {
    const csv_options options = {0};
    const wlk_port port = wlk_plan_input(have.plan, 0);
    input_binding binding = {0};
    input_file file = {0};
    csv_table *table = NULL;
    const char **names = NULL;
    uint32_t count = 0;
    wlk_status status = input_file_read(in_scratch("rows.csv"), 4096, &file, error);
    if (status == WLK_OK) {
        status = csv_parse(file.data, file.size, &options, &have.limits, &table, error);
    }
    if (status == WLK_OK) status = input_feature_names(have.model, &names, &count, error);
    if (status == WLK_OK) {
        status =
            input_bind_csv(table, &port, 1, names, count, false, &have.limits, &binding, error);
    }
    expect(status != WLK_OK || binding.rows == 3, "rows");
    input_binding_free(&binding);
    mem_free(names);
    csv_free(table);
    input_file_free(&file);
    return status;
}

static wlk_status read_npy(wlk_error *error) {
    input_file file = {0};
    input_array array = {0};
    wlk_status status = input_file_read(in_scratch("rows.npy"), 4096, &file, error);
    if (status == WLK_OK) status = npy_parse(file.data, file.size, &have.limits, &array, error);
    expect(status != WLK_OK || array.tensor.count == 6, "elements");
    input_array_free(&array);
    input_file_free(&file);
    return status;
}

static wlk_status swallow(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    (void)bytes, (void)error;
    *(uint64_t *)context += length;
    return WLK_OK;
}

static wlk_status pack_npz(wlk_error *error) {
    uint64_t size = 0;
    const npy_output output = {&size, swallow};
    npz_writer *npz = npz_new(&output);
    wlk_status status = npz ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; status == WLK_OK && i < 5; i++) {
        const wlk_tensor tensor = wlk_model_tensor(have.model, i);
        npy_layout layout;
        status = npy_layout_of(&tensor, 1 << 20, &layout, error);
        if (status == WLK_OK) status = npz_add(npz, &tensor, &layout, error);
    }
    if (status == WLK_OK) status = npz_finish(npz, error);
    npz_free(npz);
    return status;
}

/* ---- the table */

static const struct {
    const char *name;
    wlk_status (*run)(wlk_error *error);
    bool absorbs; /* what fails in the background is done without */
} scenarios[] = {
    {"load by pipe", load_pipe, false},
    {"load by map", load_map, false},
    {"load with a signature beside", load_beside, false},
    {"load several chunks", load_chunks, false},
    {"open a gate and load", open_gate, false},
    {"open a pool and load", open_pool, true},
    {"open lazily", open_lazy, false},
    {"read tensors lazily", read_tensors, false},
    {"explain", explain, false},
    {"check the cage", check_cage, false},
    {"verify with a signature beside", verify_beside, false},
    {"verify with a list of digests", verify_evidence, false},
    {"find signatures", find_signatures, false},
    {"read a policy", read_policy, false},
    {"open a trust folder", open_trust, false},
    {"add keys", add_keys, false},
    {"add a key to a folder, revoke it", add_and_revoke, false},
    {"make keys", make_keys, false},
    {"sign", sign_memory, false},
    {"write to memory", write_memory, false},
    {"write to a file", write_path, false},
    {"rewrite metadata", rewrite_metadata, false},
    {"build a model", build, false},
    {"read a specification", read_spec, false},
    {"plan", plan_model, false},
    {"run", run_plan, false},
    {"bind a table", bind_csv, false},
    {"read an array", read_npy, false},
    {"pack arrays", pack_npz, false},
};

#endif
