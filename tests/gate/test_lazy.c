/* Models whose tensors stay in the file. Invariant 1: whatever becomes of the file, what
 * is handed out is what was signed. Invariant 2: nothing is parsed before the head is
 * verified. Invariant 6: what is refused, as a whole or a tensor, gives nothing. What
 * hostile children do is in test_hostile.c. */
#include "support/gate_kit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/envelope.h"
#include "image/model.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"
#include "write/everything.h"

#define CHUNK 65536u

/* ---- files and openings */

/* Signed, with the smallest chunks there are. */
static kit_file in_chunks(wlk_model *model) {
    const wlk_write_options options = {.key = kit.key, .chunk_log2 = ENVELOPE_MIN_CHUNK_LOG2};
    kit_file file;
    wlk_error error;
    EXPECT_OK(wlk_write_memory(model, &options, &file.data, &file.size, &error));
    wlk_model_free(model);
    return file;
}

/* A header in the notation of support/wlk_text.h, and its data: signed, and hostile if
 * they are. */
static kit_file in_text(const char *header, const void *data, size_t data_size) {
    size_t mark, size;
    wlk_buffer bytes = wlk_text_encode(header, &mark);
    kit_file file;
    wlk_error error;
    wlk_file_build(bytes.data, bytes.size, data, data_size, &file.data, &size);
    file.size = size;
    EXPECT_OK(wlk_sign_memory(file.data, file.size, kit.key, &error));
    free(bytes.data);
    return file;
}

static wlk_status open_fd(const wlk_load_options *options, int fd, wlk_lazy **lazy,
                          wlk_load_report *report, wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    const wlk_artifact artifact = {.fd = fd};
    const wlk_status status = wlk_gate_open_lazy(gate, &artifact, lazy, report, error);
    wlk_gate_close(gate); /* a lazy model outlives it */
    return status;
}

/* A file that can be changed in place, and what was opened of it. */
typedef struct opened {
    int fd;
    wlk_lazy *lazy;
    const wlk_model *model;
} opened;

static opened open_file(const wlk_load_options *options, const kit_file *file) {
    opened o = {.fd = kit_memfd(file, 0)};
    wlk_error error;
    EXPECT_OK(open_fd(options, o.fd, &o.lazy, NULL, &error));
    o.model = wlk_lazy_model(o.lazy);
    return o;
}

static void close_file(opened *o) {
    wlk_lazy_close(o->lazy);
    (void)close(o->fd);
}

static void put(const opened *o, uint64_t offset, uint8_t byte) {
    assert_int_equal(pwrite(o->fd, &byte, 1, (off_t)offset), 1);
}

static void expect_not_opened(const wlk_load_options *options, const kit_file *file,
                              const char *rule, uint64_t offset) {
    const int fd = kit_memfd(file, 0);
    const unsigned before = kit_descriptors();
    wlk_lazy *lazy = (wlk_lazy *)(uintptr_t)1;
    wlk_load_report report;
    wlk_error error;
    const wlk_status status = open_fd(options, fd, &lazy, &report, &error);
    expect_refused(rule, status, &error, rule, NULL);
    assert_int_equal(error.offset, offset);
    assert_null(lazy);
    assert_true(kit_is_clean(before));
    (void)close(fd);
}

/* Reading the tensor is refused, and gives nothing. */
static void expect_no_tensor(const opened *o, uint32_t index, const char *rule, uint64_t offset) {
    wlk_tensor tensor;
    wlk_error error;
    const wlk_status status = wlk_lazy_tensor(o->lazy, index, &tensor, &error);
    expect_refused(rule, status, &error, rule, NULL);
    assert_int_equal(error.offset, offset);
    assert_null(tensor.data);
    wlk_lazy_release(&tensor); /* of nothing */
}

static uint64_t file_offset(const opened *o, uint32_t index) {
    return model_tensor_offset(o->model, index);
}

/* ---- the same model as when it is loaded at once */

static void expect_same_tensor(const opened *o, const wlk_model *loaded, uint32_t index) {
    const wlk_tensor want = wlk_model_tensor(loaded, index);
    wlk_tensor got;
    wlk_error error;
    EXPECT_OK(wlk_lazy_tensor(o->lazy, index, &got, &error));
    assert_string_equal(got.name, want.name);
    assert_int_equal(got.dtype, want.dtype);
    assert_int_equal(got.count, want.count);
    assert_int_equal(got.nbytes, want.nbytes);
    assert_non_null(got.data);
    assert_int_equal((uintptr_t)got.data % 64, 0);
    if (got.nbytes) assert_memory_equal(got.data, want.data, got.nbytes);
    const wlk_tensor inside = wlk_model_tensor(o->model, index);
    assert_true(got.nbytes == 0 || inside.data == NULL);
    wlk_lazy_release(&got);
    assert_null(got.data);
}

static void expect_same_model(const kit_file *file) {
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *loaded = read_back(file->data, file->size);
    opened o = open_file(&options, file);
    uint64_t offsets[WLK_SECTION_COUNT], total, head;
    assert_true(image_layout(loaded->view.header->counts, offsets, &total));
    assert_memory_equal(loaded->image, o.model->image, total); /* so every accessor agrees */
    assert_int_equal(wlk_model_file_bytes(o.model), file->size);
    assert_memory_equal(wlk_lazy_head(o.lazy, &head), file->data, 4096);
    assert_int_equal(head % 4096, 0);
    for (uint32_t i = 0; i < wlk_model_count(loaded, WLK_SECTION_TENSORS); i++) {
        expect_same_tensor(&o, loaded, i);
    }
    wlk_model_free(loaded);
    close_file(&o);
}

/* Tensors that end before, at and behind the border of a chunk, and fill several. */
static void test_every_tensor_is_what_a_load_gives(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0,
                                     1,
                                     CHUNK - 129,
                                     CHUNK - 128,
                                     CHUNK - 127,
                                     CHUNK,
                                     2 * CHUNK - 128,
                                     2 * CHUNK - 127,
                                     300000,
                                     5 * CHUNK - 128};
    kit_file file = in_chunks(everything());
    expect_same_model(&file);
    free(file.data);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        file = in_chunks(kit_model(sizes[i]));
        expect_same_model(&file);
        free(file.data);
    }
}

/* ---- what is read, and how often */

static uint64_t bytes_read(void) {
    unsigned long long count = 0;
    FILE *file = fopen("/proc/self/io", "re");
    if (!file || fscanf(file, "rchar: %llu", &count) != 1) count = 0;
    if (file) (void)fclose(file);
    return count;
}

static void test_no_byte_is_read_twice(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = in_chunks(kit_model(3 * CHUNK - 128)); /* a and b are in the first chunk */
    opened o = open_file(&options, &file);
    static const uint64_t chunks[] = {1, 1, 3};
    const uint64_t idle_start = bytes_read();
    const uint64_t idle = bytes_read() - idle_start; /* what the look itself costs */
    for (uint32_t i = 0; i < 3; i++) {
        wlk_tensor tensor;
        wlk_error error;
        const uint64_t before = bytes_read();
        EXPECT_OK(wlk_lazy_tensor(o.lazy, i, &tensor, &error));
        const uint64_t read = bytes_read() - before - idle;
        assert_in_range(read, chunks[i] * CHUNK - 64, chunks[i] * CHUNK + 64);
        wlk_lazy_release(&tensor);
    }
    close_file(&o);
    free(file.data);
}

/* ---- invariant 1: the file may change */

static void test_invariant_1_a_chunk_that_was_altered(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = in_chunks(kit_model(2 * CHUNK));
    opened o = open_file(&options, &file);
    wlk_model *loaded = read_back(file.data, file.size);
    const uint64_t data = file_offset(&o, 0); /* extra begins in chunk 0 and ends in chunk 2 */
    for (uint64_t at = 0; at < file.size - data; at += 4093) {
        const uint64_t chunk = data + at / CHUNK * CHUNK;
        put(&o, data + at, file.data[data + at] ^ 1);
        expect_no_tensor(&o, 2, "trust.chunk-digest", chunk);
        if (at < CHUNK) {
            expect_no_tensor(&o, 0, "trust.chunk-digest", data);
        } else {
            expect_same_tensor(&o, loaded, 0);
        }
        put(&o, data + at, file.data[data + at]);
    }
    expect_same_tensor(&o, loaded, 2);
    wlk_model_free(loaded);
    close_file(&o);
    free(file.data);
}

static void test_invariant_1_head_and_path_count_no_more(void **state) {
    (void)state;
    const char *path = in_scratch("lazy.wlk"), *other = in_scratch("other.wlk");
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    uint8_t zeros[4096] = {0};
    opened o = {0};
    wlk_error error;
    write_bytes(path, kit.sample.data, kit.sample.size);
    EXPECT_OK(wlk_gate_open_lazy(gate, &(wlk_artifact){.path = path}, &o.lazy, NULL, &error));
    o.model = wlk_lazy_model(o.lazy);
    wlk_gate_close(gate);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, zeros, sizeof zeros, 0), sizeof zeros);
    (void)close(fd);
    write_bytes(other, zeros, sizeof zeros);
    assert_int_equal(rename(other, path), 0);
    wlk_model *loaded = read_back(kit.sample.data, kit.sample.size);
    expect_same_tensor(&o, loaded, 0);
    expect_same_tensor(&o, loaded, 1);
    wlk_model_free(loaded);
    wlk_lazy_close(o.lazy);
}

static void test_a_file_that_got_shorter(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = in_chunks(kit_model(2 * CHUNK));
    opened o = open_file(&options, &file);
    const uint64_t data = file_offset(&o, 0);
    assert_int_equal(ftruncate(o.fd, (off_t)(data + CHUNK + 5)), 0);
    expect_no_tensor(&o, 2, "load.changed", data + CHUNK + 5);
    wlk_model *loaded = read_back(file.data, file.size);
    expect_same_tensor(&o, loaded, 0); /* its chunk is all there */
    assert_int_equal(ftruncate(o.fd, 0), 0);
    expect_no_tensor(&o, 0, "load.changed", data);
    wlk_model_free(loaded);
    close_file(&o);
    free(file.data);
}

typedef struct scribbler {
    int fd;
    uint64_t offset;
    uint8_t byte;
    atomic_bool stop;
} scribbler;

static void *scribble(void *argument) {
    scribbler *s = argument;
    for (unsigned i = 0; !atomic_load(&s->stop); i++) {
        const uint8_t byte = i % 2 ? s->byte : s->byte ^ 0x55;
        (void)!pwrite(s->fd, &byte, 1, (off_t)s->offset);
    }
    return NULL;
}

/* While somebody writes to the file all the time, a tensor is what was signed, or there
 * is none. */
static void test_invariant_1_a_file_that_is_written_to(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = in_chunks(kit_model(4 * CHUNK));
    opened o = open_file(&options, &file);
    const uint64_t extra = file_offset(&o, 2), at = extra + 2 * CHUNK;
    scribbler s = {.fd = o.fd, .offset = at, .byte = file.data[at]};
    pthread_t thread;
    unsigned good = 0, bad = 0;
    assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
    const double end = kit_seconds() + 10;
    while ((good == 0 || bad == 0 || good + bad < 200) && kit_seconds() < end) {
        wlk_tensor tensor;
        wlk_error error;
        if (wlk_lazy_tensor(o.lazy, 2, &tensor, &error) == WLK_OK) {
            assert_memory_equal(tensor.data, file.data + extra, tensor.nbytes);
            good++;
        } else {
            assert_string_equal(wlk_rule_name(error.rule), "trust.chunk-digest");
            bad++;
        }
        wlk_lazy_release(&tensor);
    }
    atomic_store(&s.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good > 0 && bad > 0);
    close_file(&o);
    free(file.data);
}

/* ---- invariant 2: the head is verified before it is parsed */

static void test_invariant_2_every_byte_of_the_head(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate = kit_gate(&options);
    const wlk_artifact artifact = {.fd = kit_memfd(&kit.sample, 0)};
    for (uint64_t at = 0; at < 4096; at++) {
        const uint8_t altered = kit.sample.data[at] ^ (uint8_t)(1u << at % 8);
        wlk_lazy *lazy;
        wlk_load_report report;
        wlk_error error;
        assert_int_equal(pwrite(artifact.fd, &altered, 1, (off_t)at), 1);
        const wlk_status status = wlk_gate_open_lazy(gate, &artifact, &lazy, &report, &error);
        if (status != WLK_TRUST || lazy || report.child_started) {
            fail_msg("byte %u: %s, child %d", (unsigned)at, wlk_rule_name(error.rule),
                     report.child_started);
        }
        assert_int_equal(pwrite(artifact.fd, kit.sample.data + at, 1, (off_t)at), 1);
    }
    (void)close(artifact.fd);
    wlk_gate_close(gate);
}

static void test_who_signed_it(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    kit_file by_nobody = kit_written(kit_model(0), NULL);
    kit_file by_stranger = kit_written(kit_model(0), kit.stranger);
    expect_not_opened(&options, &by_nobody, "trust.unsigned", ENVELOPE_KEY_ID_AT);
    expect_not_opened(&options, &by_stranger, "trust.unknown-key", ENVELOPE_KEY_ID_AT);
    options.allow_unsigned = 1;
    expect_same_model(&kit.sample);
    opened o = open_file(&options, &by_nobody);
    close_file(&o);
    free(by_nobody.data);
    free(by_stranger.data);
}

/* ---- what is over the whole file is not passed over */

static wlk_status open_artifact(const wlk_load_options *options, const wlk_artifact *artifact,
                                wlk_error *error) {
    wlk_gate *gate = kit_gate(options);
    wlk_lazy *lazy;
    const wlk_status status = wlk_gate_open_lazy(gate, artifact, &lazy, NULL, error);
    wlk_lazy_close(lazy);
    wlk_gate_close(gate);
    return status;
}

static void sign_beside(const char *path, const char *beside, const wlk_secret_key *key) {
    wlk_signature signature;
    wlk_error error;
    size_t size;
    uint8_t *data = read_bytes(path, &size);
    EXPECT_OK(wlk_sign_detached(data, size, key, "lazy", &signature, &error));
    EXPECT_OK(wlk_signature_write(&signature, beside, &error));
    free(data);
}

static void test_evidence_over_the_whole_file(void **state) {
    (void)state;
    const char *path = in_scratch("evidence.wlk"), *beside = in_scratch("evidence.wlk.minisig");
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_signature signature;
    wlk_error error;
    write_bytes(path, kit.sample.data, kit.sample.size);
    wlk_artifact artifact = {.path = path};
    EXPECT_OK(open_artifact(&options, &artifact, &error));

    sign_beside(path, beside, kit.stranger); /* says nothing to us */
    EXPECT_OK(open_artifact(&options, &artifact, &error));
    EXPECT_OK(wlk_signature_load(beside, &signature, &error));
    assert_int_equal(unlink(beside), 0);

    const wlk_digest digest = {.kind = WLK_SHA256, .length = 32};
    artifact.evidence = (wlk_evidence){.digests = &digest, .digest_count = 1};
    expect_refused("digest", open_artifact(&options, &artifact, &error), &error,
                   "load.lazy-evidence", NULL);
    artifact.evidence = (wlk_evidence){.signatures = &signature, .signature_count = 1};
    expect_refused("signature", open_artifact(&options, &artifact, &error), &error,
                   "load.lazy-evidence", NULL);
    artifact.evidence = (wlk_evidence){0};

    sign_beside(path, beside, kit.key);
    expect_refused("beside", open_artifact(&options, &artifact, &error), &error,
                   "load.lazy-evidence", "beside");
    write_bytes(beside, "no signature", 12);
    expect_refused("text", open_artifact(&options, &artifact, &error), &error,
                   "trust.signature-text", NULL);
    assert_int_equal(unlink(beside), 0);

    options.policy.threshold = 2;
    expect_refused("threshold", open_artifact(&options, &artifact, &error), &error,
                   "load.lazy-evidence", "2 signatures");
    assert_int_equal(error.status, WLK_USAGE);
}

/* ---- what is no .wlk file, and limits on both sides */

static void test_what_is_not_opened(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    uint8_t zeros[300] = {0};
    const kit_file other = {zeros, sizeof zeros}, nothing = {zeros, 0};
    expect_not_opened(&options, &other, "load.lazy-format", 0);
    expect_not_opened(&options, &nothing, "format.empty", 0);
    for (uint64_t size = 1; size < ENVELOPE_BYTES; size++) {
        const kit_file cut = {kit.sample.data, size};
        const bool known = size >= 10;
        expect_not_opened(&options, &cut, known ? "envelope.truncated" : "load.lazy-format",
                          known ? size : 0);
    }
    for (uint64_t size = ENVELOPE_BYTES; size < kit.sample.size; size += 255) {
        const kit_file cut = {kit.sample.data, size};
        expect_not_opened(&options, &cut, "envelope.layout", 38);
    }
    wlk_error error;
    wlk_artifact nowhere = {.path = in_scratch("nowhere")};
    expect_refused("path", open_artifact(&options, &nowhere, &error), &error, "gate.open", NULL);
    nowhere = (wlk_artifact){.fd = -1};
    expect_refused("fd", open_artifact(&options, &nowhere, &error), &error, "gate.read", NULL);
}

/* Invariant 7. */
static void test_limits_of_a_lazy_model(void **state) {
    (void)state;
    const uint64_t header = load_u64(kit.sample.data + 14);
    const struct {
        const char *name, *rule;
        uint64_t least, offset;
    } rows[] = {
        {"file_bytes", "limit.file-bytes", kit.sample.size, kit.sample.size - 1},
        {"snapshot_bytes", "limit.snapshot-bytes", 4096, 4095},
        {"header_bytes", "limit.header-bytes", header, 14},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        assert_int_equal(wlk_limits_set(&options.policy.limits, rows[i].name, rows[i].least), 0);
        opened o = open_file(&options, &kit.sample);
        close_file(&o);
        assert_int_equal(wlk_limits_set(&options.policy.limits, rows[i].name, rows[i].least - 1),
                         0);
        expect_not_opened(&options, &kit.sample, rows[i].rule, rows[i].offset);
    }
}

/* Of all tensors together nothing is held, so the limit is for each. */
static void test_output_limit_is_for_one_tensor(void **state) {
    (void)state;
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_model *loaded = read_back(kit.sample.data, kit.sample.size);
    options.policy.limits.output_bytes = 16;
    opened o = open_file(&options, &kit.sample);
    expect_same_tensor(&o, loaded, 0);
    expect_same_tensor(&o, loaded, 1);
    close_file(&o);
    options.policy.limits.output_bytes = 15;
    o = open_file(&options, &kit.sample);
    expect_no_tensor(&o, 0, "limit.output-bytes", WLK_NO_OFFSET);
    expect_no_tensor(&o, 2, "load.lazy-index", WLK_NO_OFFSET);
    expect_no_tensor(&o, UINT32_MAX, "load.lazy-index", WLK_NO_OFFSET);
    close_file(&o);
    wlk_model_free(loaded);
}

/* ---- content: seen when it is read, by the same rules as in a load */

#define F32 "{codec:raw, dtype:f32, name:t, nbytes:8, offset:0, shape:[2]}"
#define INFINITY_AND_NAN {0, 0, 0x80, 0x7f, 1, 0, 0x80, 0x7f}, 8

static void test_content_that_a_load_refuses(void **state) {
    (void)state;
    static const struct {
        const char *tensor;
        uint8_t data[80];
        size_t size;
        const char *rule;
        uint64_t offset; /* in the data */
        wlk_action nan, infinity;
    } rows[] = {
        {"{codec:raw, dtype:bool, name:t, nbytes:4, offset:0, shape:[4]}",
         {1, 0, 2, 1},
         4,
         "tensor.payload",
         2,
         WLK_REPORT,
         WLK_REPORT},
        {"{codec:raw, dtype:u4, name:t, nbytes:2, offset:0, shape:[3]}",
         {0x21, 0x13},
         2,
         "tensor.payload",
         1,
         WLK_REPORT,
         WLK_REPORT},
        {F32, INFINITY_AND_NAN, "audit.nan", 4, WLK_REFUSE, WLK_IGNORE},
        {F32, INFINITY_AND_NAN, "audit.nan", 4, WLK_REFUSE, WLK_REFUSE},
        {F32, INFINITY_AND_NAN, "audit.infinity", 0, WLK_REPORT, WLK_REFUSE},
        /* zeros that are none, behind the tensor and before the next */
        {"{codec:raw, dtype:u8, name:t, nbytes:3, offset:0, shape:[3]},"
         "{codec:raw, dtype:u8, name:u, nbytes:3, offset:64, shape:[3]}",
         {1, 1, 1, [63] = 1, 2, 2, 2},
         67,
         "data.padding",
         63,
         WLK_REPORT,
         WLK_REPORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        char header[256];
        (void)snprintf(header, sizeof header, "{kind:model, tensors:[%s]}", rows[i].tensor);
        kit_file file = in_text(header, rows[i].data, rows[i].size);
        options.policy.nan = rows[i].nan;
        options.policy.infinity = rows[i].infinity;
        opened o = open_file(&options, &file);
        expect_no_tensor(&o, 0, rows[i].rule, 4096 + rows[i].offset);
        close_file(&o);
        wlk_model *model;
        wlk_error error;
        const wlk_status status = kit_load(&options, &file, &model, NULL, &error);
        expect_refused("at once", status, &error, rows[i].rule, NULL);
        assert_int_equal(error.offset, 4096 + rows[i].offset);
        assert_null(model);
        free(file.data);
    }
}

/* ---- many readers, and nothing left behind */

typedef struct lazy_reader {
    pthread_t thread;
    const opened *o;
    const uint8_t *want;
    uint32_t index;
    unsigned good;
} lazy_reader;

static void *read_many(void *argument) {
    lazy_reader *r = argument;
    for (unsigned i = 0; i < 50; i++) {
        wlk_tensor tensor;
        if (wlk_lazy_tensor(r->o->lazy, r->index, &tensor, NULL) != WLK_OK) continue;
        r->good += memcmp(tensor.data, r->want, tensor.nbytes) == 0;
        wlk_lazy_release(&tensor);
    }
    return NULL;
}

static void test_eight_threads_read(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    kit_file file = in_chunks(kit_model(4 * CHUNK));
    opened o = open_file(&options, &file);
    lazy_reader readers[8] = {0};
    for (uint32_t i = 0; i < 8; i++) {
        readers[i].o = &o;
        readers[i].index = i % 3;
        readers[i].want = file.data + file_offset(&o, i % 3);
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_many, &readers[i]), 0);
    }
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_int_equal(readers[i].good, 50);
    }
    close_file(&o);
    free(file.data);
}

/* The file's own descriptor, and no other; no child. */
static void test_nothing_is_left_behind(void **state) {
    (void)state;
    const wlk_load_options options = kit_options(REAL_CHILD);
    const unsigned before = kit_descriptors();
    opened o = open_file(&options, &kit.sample);
    assert_true(kit_is_clean(before + 2));
    (void)close(o.fd); /* the caller's own is not needed any more */
    wlk_model *loaded = read_back(kit.sample.data, kit.sample.size);
    expect_same_tensor(&o, loaded, 1);
    wlk_model_free(loaded);
    wlk_lazy_close(o.lazy);
    assert_true(kit_is_clean(before));
    wlk_lazy_close(NULL);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_tensor_is_what_a_load_gives),
        cmocka_unit_test(test_no_byte_is_read_twice),
        cmocka_unit_test(test_invariant_1_a_chunk_that_was_altered),
        cmocka_unit_test(test_invariant_1_head_and_path_count_no_more),
        cmocka_unit_test(test_a_file_that_got_shorter),
        cmocka_unit_test(test_invariant_1_a_file_that_is_written_to),
        cmocka_unit_test(test_invariant_2_every_byte_of_the_head),
        cmocka_unit_test(test_who_signed_it),
        cmocka_unit_test(test_evidence_over_the_whole_file),
        cmocka_unit_test(test_what_is_not_opened),
        cmocka_unit_test(test_limits_of_a_lazy_model),
        cmocka_unit_test(test_output_limit_is_for_one_tensor),
        cmocka_unit_test(test_content_that_a_load_refuses),
        cmocka_unit_test(test_eight_threads_read),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, kit_sample_setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
