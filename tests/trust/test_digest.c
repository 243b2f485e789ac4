#include "support.h"

#include <pthread.h>

#include "trust/digest.h"

static void test_known_answers(void **state) {
    (void)state;
    /* From Python's hashlib.blake2b(digest_size=32). */
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"},
        {"abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t digest[DIGEST_BYTES];
        char hex[2 * DIGEST_BYTES + 1];
        digest_bytes((const uint8_t *)rows[i].text, strlen(rows[i].text), digest);
        sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
        assert_string_equal(hex, rows[i].hex);
    }
    uint8_t digest[DIGEST_BYTES], empty[DIGEST_BYTES];
    digest_bytes(NULL, 0, digest);
    digest_bytes((const uint8_t *)"", 0, empty);
    assert_memory_equal(digest, empty, sizeof digest);
}

/* Each row of the table is the digest of its chunk, whatever the number of threads. */
static void test_table_is_chunkwise(void **state) {
    (void)state;
    static const struct {
        uint64_t size;
        uint8_t chunk_log2;
    } rows[] = {{0, 16},          {1, 16},        {65535, 16},
                {65536, 16},      {65537, 16},    {(5u << 20) + 3, 16},
                {(5u << 20), 20}, {6u << 20, 22}, {(17u << 20) + 1, 24}};
    static const uint32_t threads[] = {0, 1, 2, 7, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint64_t chunk = 1ull << rows[i].chunk_log2;
        const uint64_t table_len = envelope_table_len(rows[i].size, rows[i].chunk_log2);
        uint8_t *data = malloc(rows[i].size + 1), *want = malloc(table_len + 1);
        uint8_t *table = malloc(table_len + 1);
        assert_true(data && want && table);
        fill_noise(data, rows[i].size, 3);
        for (uint64_t at = 0, k = 0; at < rows[i].size; at += chunk, k++) {
            const uint64_t left = rows[i].size - at;
            (void)crypto_generichash(want + k * 32, 32, data + at, left < chunk ? left : chunk,
                                     NULL, 0);
        }
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            memset(table, 0xee, table_len + 1);
            assert_int_equal(
                digest_table(data, rows[i].size, rows[i].chunk_log2, threads[t], table), WLK_OK);
            assert_memory_equal(table, want, table_len);
            assert_int_equal(table[table_len], 0xee);
        }
        free(data);
        free(want);
        free(table);
    }
}

static void test_chunk_size_out_of_range(void **state) {
    (void)state;
    static const uint8_t sizes[] = {0, 15, 25, 64, 255};
    for (size_t i = 0; i < sizeof sizes; i++) {
        uint8_t data[4] = {0}, table[32] = {7};
        uint64_t bad = 5;
        assert_int_equal(digest_table(data, sizeof data, sizes[i], 2, table), WLK_USAGE);
        assert_int_equal(table[0], 7);
        assert_int_equal(digest_table_check(data, sizeof data, sizes[i], 2, table, &bad),
                         WLK_USAGE);
    }
}

#define DATA_BYTES (6u << 20)
#define CHUNKS (DATA_BYTES >> 16)

static void check_lowest(const uint8_t *data, const uint8_t *table, uint64_t want) {
    static const uint32_t threads[] = {1, 2, 7};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        for (int repeat = 0; repeat < 5; repeat++) {
            uint64_t bad = 12345;
            assert_int_equal(digest_table_check(data, DATA_BYTES, 16, threads[t], table, &bad),
                             WLK_OK);
            assert_int_equal(bad, want);
        }
    }
}

static void test_lowest_bad_chunk_does_not_depend_on_threads(void **state) {
    (void)state;
    static const uint64_t altered[] = {CHUNKS - 1, CHUNKS - 2, 50, 49, 48, 3, 2, 0};
    uint8_t *data = malloc(DATA_BYTES), *table = malloc(CHUNKS * 32);
    assert_true(data && table);
    fill_noise(data, DATA_BYTES, 4);
    assert_int_equal(digest_table(data, DATA_BYTES, 16, 2, table), WLK_OK);
    check_lowest(data, table, CHUNKS);
    for (size_t i = 0; i < sizeof altered / sizeof *altered; i++) {
        data[(altered[i] << 16) + 77] ^= 1;
        check_lowest(data, table, altered[i]);
    }
    free(data);
    free(table);
}

static void *do_nothing(void *argument) {
    return argument;
}

/* Exit code 0: no thread could be started, and the answer was the same. */
static int digest_without_threads(const void *context) {
    (void)context;
    const struct rlimit none = {0, 0};
    pthread_t thread;
    if (setrlimit(RLIMIT_NPROC, &none) != 0) return 1;
    if (pthread_create(&thread, NULL, do_nothing, NULL) != EAGAIN) return 2;
    uint8_t *data = malloc(DATA_BYTES), *table = malloc(CHUNKS * 32);
    if (!data || !table) return 3;
    fill_noise(data, DATA_BYTES, 5);
    if (digest_table(data, DATA_BYTES, 16, 4, table) != WLK_OK) return 4;
    uint8_t last[DIGEST_BYTES];
    digest_bytes(data + DATA_BYTES - 65536, 65536, last);
    if (memcmp(last, table + (CHUNKS - 1) * 32, sizeof last) != 0) return 5;
    data[9 << 16] ^= 1;
    uint64_t bad;
    if (digest_table_check(data, DATA_BYTES, 16, 4, table, &bad) != WLK_OK || bad != 9) return 6;
    free(data);
    free(table);
    return 0;
}

static void test_same_checks_when_no_thread_can_be_started(void **state) {
    (void)state;
    assert_int_equal(run_as(NOBODY, digest_without_threads, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_table_is_chunkwise),
        cmocka_unit_test(test_chunk_size_out_of_range),
        cmocka_unit_test(test_lowest_bad_chunk_does_not_depend_on_threads),
        cmocka_unit_test(test_same_checks_when_no_thread_can_be_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
