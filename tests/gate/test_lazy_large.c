/* A file of 8 GiB, of which nearly all is holes: what one small tensor of it costs in
 * memory and in bytes that are read. */
#include "support/gate_kit.h"

#include <sodium.h>
#include <sys/resource.h>

#include "base/envelope.h"
#include "support/sanitized.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"
#include "trust/secret_key.h"

#define CHUNK_LOG2 20
#define CHUNK (1ull << CHUNK_LOG2)
#define DATA_BYTES (8ull << 30)
#define SMALL_AT (4ull << 30)
#define SMALL_FLOATS 1000
#define MEMORY (512ull << 20)
#define TABLE_BYTES (DATA_BYTES / CHUNK * ENVELOPE_DIGEST_BYTES)

/* Half of the data, the small one, the other half. */
static const char header[] =
    "{kind:model, tensors:["
    "{codec:raw, dtype:u8, name:first, nbytes:4294967296, offset:0, shape:[4294967296]},"
    "{codec:raw, dtype:f32, name:small, nbytes:4000, offset:4294967296, shape:[1000]},"
    "{codec:raw, dtype:u8, name:second, nbytes:4294963264, offset:4294971328,"
    " shape:[4294963264]}]}";

static float small[CHUNK / sizeof(float)]; /* the chunk that holds it: zeros behind it */
static char path[PATH_MAX];
static uint64_t data_off;

/* All chunks of zeros have one digest. */
static void fill_table(uint8_t *table) {
    static uint8_t zeros[CHUNK];
    uint8_t digest[ENVELOPE_DIGEST_BYTES];
    wlk_file_digest(zeros, CHUNK, digest);
    for (uint64_t i = 0; i < DATA_BYTES / CHUNK; i++) {
        memcpy(table + i * sizeof digest, digest, sizeof digest);
    }
    wlk_file_digest((const uint8_t *)small, CHUNK,
                    table + (SMALL_AT / CHUNK) * ENVELOPE_DIGEST_BYTES);
}

/* As docs/format.md has it: wlk_sign_memory would hash all of the 8 GiB first. */
static void sign_head(uint8_t *head) {
    uint8_t message[138] = "weighlock envelope v1";
    memcpy(head + ENVELOPE_KEY_ID_AT, kit.key->id, sizeof kit.key->id);
    memcpy(message + 22, head + ENVELOPE_SIGNED_FROM, ENVELOPE_SIGNED_TO - ENVELOPE_SIGNED_FROM);
    assert_int_equal(crypto_sign_detached(head + ENVELOPE_SIGNATURE_AT, NULL, message,
                                          sizeof message, kit.key->key),
                     0);
}

static uint8_t *make_head(void) {
    size_t mark;
    wlk_buffer text = wlk_text_encode(header, &mark);
    envelope e = {.chunk_log2 = CHUNK_LOG2,
                  .header_len = text.size,
                  .table_len = TABLE_BYTES,
                  .data_len = DATA_BYTES};
    e.data_off = (ENVELOPE_BYTES + text.size + TABLE_BYTES + 4095) / 4096 * 4096;
    data_off = e.data_off;
    uint8_t *head = wlk_file_allocate(e.data_off);
    memcpy(head + ENVELOPE_BYTES, text.data, text.size);
    fill_table(head + ENVELOPE_BYTES + text.size);
    wlk_file_digest(head + ENVELOPE_BYTES, e.header_len, e.header_digest);
    wlk_file_digest(head + ENVELOPE_BYTES + text.size, TABLE_BYTES, e.table_digest);
    envelope_encode(&e, head);
    sign_head(head);
    free(text.data);
    return head;
}

/* Takes about 300 KiB of disk. */
static void make_file(void) {
    for (unsigned i = 0; i < SMALL_FLOATS; i++) small[i] = (float)i + 0.5f;
    uint8_t *head = make_head();
    (void)snprintf(path, sizeof path, "%s/large.wlk", scratch);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)(data_off + DATA_BYTES)), 0);
    assert_int_equal(pwrite(fd, head, data_off, 0), data_off);
    assert_int_equal(pwrite(fd, small, SMALL_FLOATS * sizeof *small, (off_t)(data_off + SMALL_AT)),
                     SMALL_FLOATS * sizeof *small);
    (void)close(fd);
    free(head);
}

/* ---- the reader: a process of its own, of little memory */

/* The number behind a word at a line's beginning in a file of /proc. */
static unsigned long long number_in(const char *file, const char *word) {
    unsigned long long number = 0;
    char line[256];
    FILE *stream = fopen(file, "re");
    while (stream && fgets(line, sizeof line, stream)) {
        if (strncmp(line, word, strlen(word)) != 0) continue;
        number = strtoull(line + strlen(word), NULL, 10);
        break;
    }
    if (stream) (void)fclose(stream);
    return number;
}

/* A sanitizer reserves more than any limit; it is held against what it touches. */
static bool limit_memory(void) {
    const struct rlimit most = {MEMORY, MEMORY};
    return SANITIZED || setrlimit(RLIMIT_AS, &most) == 0;
}

static wlk_lazy *open_large(void) {
    wlk_load_options options = kit_options(REAL_CHILD);
    wlk_gate *gate;
    wlk_lazy *lazy = NULL;
    wlk_error error = {0};
    options.policy.limits.heap_bytes = 64u << 20; /* the child inherits the limit on memory */
    options.policy.limits.output_bytes = 1u << 30;
    if (wlk_gate_open(&options, &gate, NULL) != WLK_OK) return NULL;
    if (wlk_gate_open_lazy(gate, &(wlk_artifact){.path = path}, &lazy, NULL, &error) != WLK_OK) {
        (void)fprintf(stderr, "%s: %s\n", wlk_rule_name(error.rule), error.text);
    }
    wlk_gate_close(gate);
    return lazy;
}

static int read_small(void) {
    wlk_tensor tensor;
    wlk_error error = {0};
    if (!limit_memory()) return 9;
    const unsigned long long before = number_in("/proc/self/io", "rchar:");
    wlk_lazy *lazy = open_large();
    if (!lazy) return 1;
    const uint32_t index = wlk_model_find_tensor(wlk_lazy_model(lazy), "small");
    if (wlk_lazy_tensor(lazy, index, &tensor, &error) != WLK_OK) return 2;
    const unsigned long long read = number_in("/proc/self/io", "rchar:") - before;
    const unsigned long long peak = number_in("/proc/self/status", "VmHWM:") << 10;
    if (memcmp(tensor.data, small, SMALL_FLOATS * sizeof *small) != 0) return 3;
    (void)printf("%llu KiB read, %llu MiB of memory\n", read >> 10, peak >> 20);
    if (read < CHUNK || read > DATA_BYTES / 100) return 4;
    if (peak == 0 || peak > MEMORY) return 5;
    wlk_lazy_release(&tensor);
    wlk_lazy_close(lazy);
    return 0;
}

static void test_one_small_tensor(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(read_small), 0);
}

/* The limit is for one tensor, and holds before there is memory for it. */
static int read_first(void) {
    wlk_tensor tensor;
    wlk_error error = {0};
    if (!limit_memory()) return 9;
    wlk_lazy *lazy = open_large();
    if (!lazy) return 1;
    if (wlk_lazy_tensor(lazy, 0, &tensor, &error) != WLK_LIMIT || tensor.data) return 2;
    wlk_lazy_close(lazy);
    return strcmp(wlk_rule_name(error.rule), "limit.output-bytes") == 0 ? 0 : 3;
}

static void test_a_tensor_that_is_too_large(void **state) {
    (void)state;
    assert_int_equal(kit_in_process(read_first), 0);
}

static void put(uint64_t offset, uint8_t byte) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(data_off + offset)), 1);
    (void)close(fd);
}

/* Invariant 1: what was read was held against the table; what was not read has no say. */
static void test_bytes_that_were_altered(void **state) {
    (void)state;
    wlk_tensor tensor;
    wlk_error error;
    wlk_lazy *lazy = open_large();
    assert_non_null(lazy);
    put(SMALL_AT - 1, 1); /* the chunk before */
    put(SMALL_AT + CHUNK, 1);
    EXPECT_OK(wlk_lazy_tensor(lazy, 1, &tensor, &error));
    wlk_lazy_release(&tensor);
    put(SMALL_AT + CHUNK - 1, 1); /* in the same chunk, and not of the tensor */
    const wlk_status status = wlk_lazy_tensor(lazy, 1, &tensor, &error);
    expect_refused("altered", status, &error, "trust.chunk-digest", NULL);
    assert_int_equal(error.offset, data_off + SMALL_AT);
    wlk_lazy_close(lazy);
    put(SMALL_AT - 1, 0);
    put(SMALL_AT + CHUNK, 0);
    put(SMALL_AT + CHUNK - 1, 0);
}

static int setup(void **state) {
    if (kit_setup(state) != 0) return 1;
    make_file();
    return 0;
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_small_tensor),
        cmocka_unit_test(test_a_tensor_that_is_too_large),
        cmocka_unit_test(test_bytes_that_were_altered),
    };
    return cmocka_run_group_tests(tests, setup, kit_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){REAL_CHILD, NULL});
}
