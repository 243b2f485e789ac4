#include "trust/digest.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/envelope.h"
#include "trust/ready.h"
#include "trust/wall.h"

_Static_assert(DIGEST_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(DIGEST_BYTES == ENVELOPE_DIGEST_BYTES, "the envelope's digests");

/* Below this, starting a thread costs more than it saves. */
#define PARALLEL_FROM (4u << 20)

/* One pass over all chunks, shared by the threads that make it. Chunk numbers
 * are handed out in ascending order. */
typedef struct chunk_pass {
    const uint8_t *data;
    uint64_t size;
    uint64_t chunk_bytes;
    uint64_t chunks;
    uint8_t *fill;          /* the table to fill in, or NULL: */
    const uint8_t *compare; /* the table to compare with */
    _Atomic uint64_t next;
    _Atomic uint64_t bad; /* the lowest chunk that differs so far, or `chunks` */
} chunk_pass;

void digest_bytes(const uint8_t *data, uint64_t size, uint8_t digest[DIGEST_BYTES]) {
    /* Cannot fail: the output length is a constant within the allowed range. */
    (void)crypto_generichash(digest, DIGEST_BYTES, data, size, NULL, 0);
}

static void note_bad(chunk_pass *pass, uint64_t chunk) {
    uint64_t lowest = atomic_load(&pass->bad);
    while (chunk < lowest && !atomic_compare_exchange_weak(&pass->bad, &lowest, chunk)) {
    }
}

static void digest_chunk(chunk_pass *pass, uint64_t chunk) {
    const uint64_t offset = chunk * pass->chunk_bytes; /* below size */
    const uint64_t left = pass->size - offset;
    uint8_t digest[DIGEST_BYTES];
    digest_bytes(pass->data + offset, left < pass->chunk_bytes ? left : pass->chunk_bytes, digest);
    if (pass->fill) {
        memcpy(pass->fill + chunk * DIGEST_BYTES, digest, DIGEST_BYTES);
    } else if (!wall_is_down() &&
               memcmp(pass->compare + chunk * DIGEST_BYTES, digest, DIGEST_BYTES) != 0) {
        note_bad(pass, chunk);
    }
}

/* Every chunk below the lowest bad one has been handed to some thread before,
 * and that thread finishes it: stopping early does not change the answer. */
static void *run_pass(void *argument) {
    chunk_pass *pass = argument;
    for (;;) {
        const uint64_t chunk = atomic_fetch_add(&pass->next, 1);
        if (chunk >= pass->chunks || chunk >= atomic_load(&pass->bad)) return NULL;
        digest_chunk(pass, chunk);
    }
}

static uint32_t useful_threads(const chunk_pass *pass, uint32_t threads) {
    if (threads == 0 || pass->size < PARALLEL_FROM) return 1;
    if (threads > DIGEST_MAX_THREADS) threads = DIGEST_MAX_THREADS;
    return threads < pass->chunks ? threads : (uint32_t)pass->chunks;
}

/* Helper threads take no signals: those are for the application's own. */
static void run_threads(chunk_pass *pass, uint32_t threads) {
    pthread_t helpers[DIGEST_MAX_THREADS];
    uint32_t started = 0;
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started + 1 < threads && pthread_create(&helpers[started], NULL, run_pass, pass) == 0) {
        started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)run_pass(pass);
    for (uint32_t i = 0; i < started; i++) (void)pthread_join(helpers[i], NULL);
}

static wlk_status digest_chunks(const uint8_t *data, uint64_t size, uint8_t chunk_log2,
                                uint32_t threads, uint8_t *fill, const uint8_t *compare,
                                uint64_t *bad) {
    if (chunk_log2 < ENVELOPE_MIN_CHUNK_LOG2 || chunk_log2 > ENVELOPE_MAX_CHUNK_LOG2) {
        return WLK_USAGE;
    }
    TRY(sodium_ready(NULL));
    const uint64_t chunks = envelope_table_len(size, chunk_log2) / DIGEST_BYTES;
    chunk_pass pass = {.data = data,
                       .size = size,
                       .chunk_bytes = 1ull << chunk_log2,
                       .chunks = chunks,
                       .fill = fill,
                       .compare = compare,
                       .bad = chunks};
    const uint32_t used = useful_threads(&pass, threads);
    if (used > 1) {
        run_threads(&pass, used);
    } else {
        (void)run_pass(&pass);
    }
    *bad = atomic_load(&pass.bad);
    return WLK_OK;
}

wlk_status digest_table(const uint8_t *data, uint64_t size, uint8_t chunk_log2, uint32_t threads,
                        uint8_t *table) {
    uint64_t bad;
    return digest_chunks(data, size, chunk_log2, threads, table, NULL, &bad);
}

wlk_status digest_table_check(const uint8_t *data, uint64_t size, uint8_t chunk_log2,
                              uint32_t threads, const uint8_t *table, uint64_t *bad) {
    return digest_chunks(data, size, chunk_log2, threads, NULL, table, bad);
}
