#include "trust/digest.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

#include "base/envelope.h"
#include "trust/blake2b_lanes.h"
#include "trust/ready.h"
#include "trust/wall.h"

_Static_assert(DIGEST_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(DIGEST_BYTES == ENVELOPE_DIGEST_BYTES, "the envelope's digests");
_Static_assert(DIGEST_BYTES == BLAKE2B_DIGEST_BYTES, "what the lanes give");

/* Below this, starting a thread costs more than it saves. */
#define PARALLEL_FROM (4u << 20)

/* One pass over all chunks, shared by the threads that make it. Chunk numbers
 * are handed out in ascending order. */
typedef struct chunk_pass {
    const uint8_t *data;
    uint64_t size;
    uint64_t chunk_bytes;
    uint64_t chunks;
    uint64_t together;      /* that a thread hashes at once */
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

static blake2b_message chunk_at(const chunk_pass *pass, uint64_t chunk) {
    const uint64_t offset = chunk * pass->chunk_bytes; /* below size */
    const uint64_t left = pass->size - offset;
    return (blake2b_message){pass->data + offset,
                             left < pass->chunk_bytes ? left : pass->chunk_bytes};
}

static void use_digest(chunk_pass *pass, uint64_t chunk, const uint8_t digest[DIGEST_BYTES]) {
    if (pass->fill) {
        memcpy(pass->fill + chunk * DIGEST_BYTES, digest, DIGEST_BYTES);
    } else if (!wall_is_down() &&
               memcmp(pass->compare + chunk * DIGEST_BYTES, digest, DIGEST_BYTES) != 0) {
        note_bad(pass, chunk);
    }
}

/* Chunks [first, end), at most BLAKE2B_LANES; lanes without one repeat the first. */
static void digest_together(chunk_pass *pass, uint64_t first, uint64_t end) {
    blake2b_message messages[BLAKE2B_LANES];
    uint8_t digests[BLAKE2B_LANES][DIGEST_BYTES];
    for (uint64_t i = 0; i < BLAKE2B_LANES; i++) {
        messages[i] = chunk_at(pass, first + i < end ? first + i : first);
    }
    blake2b_lanes(blake2b_lanes_best(), messages, digests);
    for (uint64_t i = first; i < end; i++) use_digest(pass, i, digests[i - first]);
}

static void digest_alone(chunk_pass *pass, uint64_t chunk) {
    uint8_t digest[DIGEST_BYTES];
    const blake2b_message message = chunk_at(pass, chunk);
    digest_bytes(message.data, message.size, digest);
    use_digest(pass, chunk, digest);
}

/* Every chunk below the lowest bad one has been handed to some thread before,
 * and that thread finishes it: stopping early does not change the answer. */
static void *run_pass(void *argument) {
    chunk_pass *pass = argument;
    for (;;) {
        const uint64_t first = atomic_fetch_add(&pass->next, pass->together);
        if (first >= pass->chunks || first >= atomic_load(&pass->bad)) return NULL;
        const uint64_t left = pass->chunks - first;
        const uint64_t end = first + (left < pass->together ? left : pass->together);
        if (end - first > 1) {
            digest_together(pass, first, end);
        } else {
            digest_alone(pass, first);
        }
    }
}

static uint32_t useful_threads(const chunk_pass *pass, uint32_t threads) {
    if (threads == 0 || pass->size < PARALLEL_FROM) return 1;
    if (threads > DIGEST_MAX_THREADS) threads = DIGEST_MAX_THREADS;
    return threads < pass->chunks ? threads : (uint32_t)pass->chunks;
}

/* Lanes are worth less than threads: none goes without a chunk for them. */
static uint64_t chunks_together(const chunk_pass *pass, uint32_t threads) {
    const uint64_t each = pass->chunks / threads;
    if (each < 2 || blake2b_lanes_best() == 0) return 1;
    return each < BLAKE2B_LANES ? each : BLAKE2B_LANES;
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
    pass.together = chunks_together(&pass, used);
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
