/* What the fault programs work on, made in the scratch folder: keys, a trust folder, a
 * specification with its arrays, signed models, signatures and digests beside one of
 * them, rows; and whether a folder is as it was, to the last byte. */
#ifndef TESTS_FAULTS_ENDURE_FILES_H
#define TESTS_FAULTS_ENDURE_FILES_H

#include "support/gate_kit.h"

#include <sodium.h>
#include <zlib.h>

#include "base/memory.h"
#include "input/json_spec.h"
#include "input/npy.h"

#define CHUNKS_EXTRA 300000 /* bytes of the third tensor of chunks.wlk: five chunks */

static const char files_spec[] =
    "{\"kind\": \"classifier\", \"name\": \"three kinds\", \"version\": \"1.2\",\n"
    " \"metadata\": {\"metrics\": {\"accuracy\": 0.97}, \"tags\": [\"example\", \"small\"],\n"
    "  \"source\": {\"feature_names\": [\"length\", \"width\"]}, \"x-deep\": [{\"a\": [1, 2.5, "
    "null]}]},\n"
    " \"opset\": {\"\": 13, \"org.weighlock\": 1},\n"
    " \"tensors\": [{\"name\": \"coefficients\", \"file\": \"coefficients.npy\"},\n"
    "  {\"name\": \"intercepts\", \"dtype\": \"f64\", \"values\": [0.5, -0.25, 0]},\n"
    "  {\"name\": \"row\", \"dtype\": \"f64\", \"values\": [1.5, 2.5], \"shape\": [1, 2]},\n"
    "  {\"name\": \"one\", \"dtype\": \"f64\", \"values\": [1], \"shape\": [1]},\n"
    "  {\"name\": \"words\", \"strings\": [\"a\", \"zw\\u00f6lf\", \"\"]}],\n"
    " \"graph\": {\"inputs\": [{\"name\": \"X\", \"type\": {\"tensor\": {\"dtype\": \"f64\",\n"
    "   \"shape\": [\"batch\", 2]}}}],\n"
    "  \"outputs\": [{\"name\": \"class\"}, {\"name\": \"scores\"}],\n"
    "  \"nodes\": [{\"op\": \"Mul\", \"in\": [\"X\", \"one\"], \"out\": [\"Y\"]},\n"
    "   {\"op\": \"LinearClassifier\", \"domain\": \"org.weighlock\",\n"
    "    \"in\": [\"Y\", \"coefficients\", \"intercepts\"], \"out\": [\"class\", \"scores\"],\n"
    "    \"attr\": {\"classlabels_strings\": [\"a\", \"b\", \"c\"], \"post_transform\": "
    "\"SOFTMAX\"}}]},\n"
    " \"selftest\": [{\"inputs\": [\"row\"], \"outputs\": [\"row class\", \"row scores\"],\n"
    "   \"rtol\": 1e9, \"atol\": 1e9}]}\n";

/* Its golden rows name two more tensors, which only say that rows were run. */
static inline char *files_spec_text(void) {
    static const char before[] = "  {\"name\": \"words\"";
    static const char more[] =
        "  {\"name\": \"row class\", \"strings\": [\"a\"]},\n"
        "  {\"name\": \"row scores\", \"dtype\": \"f64\", \"values\": [0, 1, 0],"
        " \"shape\": [1, 3]},\n";
    static char text[sizeof files_spec + sizeof more];
    const char *at = strstr(files_spec, before);
    assert_non_null(at);
    (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - files_spec), files_spec, more, at);
    return text;
}

static inline void files_npy(const char *name, uint64_t rows, uint64_t columns,
                             const double *values) {
    const wlk_tensor tensor = {.dtype = WLK_F64,
                               .rank = 2,
                               .shape = {rows, columns},
                               .data = values,
                               .nbytes = rows * columns * 8,
                               .count = rows * columns};
    uint8_t *data;
    uint64_t size;
    wlk_error error;
    EXPECT_OK(npy_format(&tensor, &data, &size, &error));
    write_bytes(in_scratch(name), data, size);
    mem_free(data);
}

static inline void files_write(const wlk_model *model, const char *name, const wlk_secret_key *key,
                               uint32_t chunk_log2) {
    const wlk_write_options options = {.key = key, .chunk_log2 = chunk_log2, .slack = 4096};
    wlk_error error;
    EXPECT_OK(wlk_write_path(model, &options, in_scratch(name), &error));
}

/* NAME.KEYID.minisig and a line of SHA256SUMS. */
static inline void files_vouch(const char *name) {
    size_t size;
    uint8_t *data = read_bytes(in_scratch(name), &size), sum[32];
    wlk_signature signature;
    wlk_public_key public_key;
    wlk_error error;
    char id[WLK_KEY_ID_TEXT_BYTES], beside[96], hex[65], line[160];
    wlk_secret_key_public(kit.key, &public_key);
    wlk_key_id_text(public_key.id, id);
    (void)snprintf(beside, sizeof beside, "%s.%s.minisig", name, id);
    EXPECT_OK(wlk_sign_detached(data, size, kit.key, "a comment", &signature, &error));
    EXPECT_OK(wlk_signature_write(&signature, in_scratch(beside), &error));
    (void)crypto_hash_sha256(sum, data, size);
    (void)sodium_bin2hex(hex, sizeof hex, sum, sizeof sum);
    const int length = snprintf(line, sizeof line, "%s  %s\n", hex, name);
    write_bytes(in_scratch("SHA256SUMS"), line, (size_t)length);
    free(data);
}

/* trust/: the author's key, another, and one that was revoked. */
static inline void files_trust(void) {
    static const char *const names[] = {"author", "stranger"};
    char path[96];
    wlk_error error;
    assert_int_equal(mkdir(in_scratch("trust"), 0755), 0);
    for (size_t i = 0; i < 2; i++) {
        wlk_trusted_key key;
        (void)snprintf(path, sizeof path, "%s.pub", names[i]);
        EXPECT_OK(wlk_trusted_key_load(in_scratch(path), &key, &error));
        if (i == 1) key.revoked = 1000000000;
        EXPECT_OK(wlk_trust_folder_add(in_scratch("trust"), &key, &error));
    }
}

/* A fitted Normalizer as pickle writes it, and compressed as joblib does. */
static inline void files_pickles(void) {
    static const uint8_t data[] =
        "\x80\x02"
        "csklearn.preprocessing._data\nNormalizer\n)\x81}("
        "X\4\0\0\0normX\2\0\0\0l2X\16\0\0\0n_features_in_K\2"
        "X\20\0\0\0_sklearn_versionX\5\0\0\0001.2.1ub.";
    uint8_t packed[2 * sizeof data];
    uLongf length = sizeof packed;
    assert_int_equal(compress(packed, &length, data, sizeof data - 1), Z_OK);
    write_bytes(in_scratch("scaler.pkl"), data, sizeof data - 1);
    write_bytes(in_scratch("scaler.joblib"), packed, length);
}

static inline void files_make(void) {
    static const double coefficients[6] = {1, 2, -0.5, 0.25, 3, -1};
    static const double rows[6] = {1, 2, 3, 4, 5, 6};
    static const char csv[] = "length,width\n1,2\n3,4\n5,6\n";
    static const char policy[] =
        "[limits]\nnodes = 1000\n[trust]\nthreshold = 1\n[audit]\n"
        "nan = refuse\n";
    const char *spec = files_spec_text();
    wlk_limits limits;
    wlk_model *model;
    wlk_error error;
    wlk_limits_default(&limits);
    files_npy("coefficients.npy", 3, 2, coefficients);
    files_npy("rows.npy", 3, 2, rows);
    write_bytes(in_scratch("rows.csv"), csv, sizeof csv - 1);
    write_bytes(in_scratch("policy.conf"), policy, sizeof policy - 1);
    write_bytes(in_scratch("spec.json"), spec, strlen(spec));
    EXPECT_OK(json_spec_read(in_scratch("spec.json"), &limits, &model, &error));
    files_write(model, "model.wlk", kit.key, 0);
    files_write(model, "beside.wlk", kit.key, 0);
    files_write(model, "unsigned.wlk", NULL, 0);
    wlk_model_free(model);
    files_vouch("beside.wlk");
    model = kit_model(CHUNKS_EXTRA);
    files_write(model, "chunks.wlk", kit.key, 16);
    wlk_model_free(model);
    files_trust();
    files_pickles();
}

/* ---- all that a folder holds, in one number */

static uint64_t files_sum;

static inline void files_mix(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) files_sum = (files_sum ^ at[i]) * 0x100000001b3ull;
}

/* Names, modes and contents; in whatever order the folder gives them. */
static inline int files_mix_one(const char *path, const struct stat *status, int flag,
                                struct FTW *walk) {
    static uint8_t content[1 << 16];
    const uint64_t so_far = files_sum;
    (void)flag, (void)walk;
    files_sum = 0xcbf29ce484222325ull;
    files_mix(path, strlen(path));
    files_mix(&status->st_mode, sizeof status->st_mode);
    const int fd = S_ISREG(status->st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    for (ssize_t got; fd >= 0 && (got = read(fd, content, sizeof content)) > 0;) {
        files_mix(content, (size_t)got);
    }
    if (fd >= 0) (void)close(fd);
    files_sum = so_far + files_sum;
    return 0;
}

static inline uint64_t files_of(const char *folder) {
    files_sum = 0;
    (void)nftw(folder, files_mix_one, 16, FTW_PHYS);
    return files_sum;
}

#endif
