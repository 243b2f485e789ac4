/* Digests of data that lie scattered over a model's tensors (layout.h). Chunks
 * are independent, so they are spread over threads; each is hashed run by run.
 * trust/digest.h hashes data that lie in one piece. */
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>

#include "trust/digest.h"
#include "write/layout.h"

#define PARALLEL_FROM (4u << 20) /* below this, starting a thread costs more than it saves */

data_run layout_run(const file_layout *layout, uint64_t offset, uint32_t *tensor) {
    static const uint8_t zeros[ENVELOPE_TENSOR_ALIGN];
    for (;; (*tensor)++) {
        const packed_payload *payload = &layout->payloads[*tensor];
        const uint64_t end = payload->offset + payload->length;
        const bool last = *tensor + 1 == layout->tensors;
        const uint64_t next = last ? layout->envelope.data_len : payload[1].offset;
        if (offset >= next) continue;
        if (offset < end) {
            const uint8_t *bytes =
                payload->bytes ? payload->bytes : source_tensor(&layout->source, *tensor).data;
            return (data_run){bytes + (offset - payload->offset), end - offset};
        }
        return (data_run){zeros, next - offset}; /* less than the alignment */
    }
}

/* The last tensor that begins at or before an offset of the data. */
static uint32_t tensor_at(const file_layout *layout, uint64_t offset) {
    uint32_t low = 0, high = layout->tensors;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (layout->payloads[middle].offset <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* One pass over all chunks, shared by the threads that make it. */
typedef struct chunk_pass {
    file_layout *layout;
    uint64_t chunks;
    _Atomic uint64_t next;
} chunk_pass;

static void digest_chunk(const file_layout *layout, uint64_t chunk) {
    const uint64_t chunk_bytes = 1ull << layout->envelope.chunk_log2;
    const uint64_t start = chunk * chunk_bytes; /* below data_len */
    const uint64_t left = layout->envelope.data_len - start;
    const uint64_t end = start + (left < chunk_bytes ? left : chunk_bytes);
    crypto_generichash_state state;
    /* None of these can fail: the digest's length is a constant in its range. */
    (void)crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    uint32_t tensor = tensor_at(layout, start);
    for (uint64_t at = start; at < end;) {
        const data_run run = layout_run(layout, at, &tensor);
        const uint64_t some = run.length < end - at ? run.length : end - at;
        (void)crypto_generichash_update(&state, run.bytes, some);
        at += some;
    }
    (void)crypto_generichash_final(&state, layout->table + chunk * DIGEST_BYTES, DIGEST_BYTES);
}

static void *run_pass(void *argument) {
    chunk_pass *pass = argument;
    for (;;) {
        const uint64_t chunk = atomic_fetch_add(&pass->next, 1);
        if (chunk >= pass->chunks) return NULL;
        digest_chunk(pass->layout, chunk);
    }
}

/* Helper threads take no signals: those are for the application's own. Where one
 * cannot be started, the others do its work. */
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

wlk_status layout_digest(file_layout *layout, uint32_t threads, wlk_error *error) {
    chunk_pass pass = {.layout = layout, .chunks = layout->envelope.table_len / DIGEST_BYTES};
    if (layout->envelope.table_len == 0 && layout->envelope.data_len > 0) {
        return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
    }
    uint32_t useful = threads < DIGEST_MAX_THREADS ? threads : DIGEST_MAX_THREADS;
    if (layout->envelope.data_len < PARALLEL_FROM) useful = 1;
    if (useful > pass.chunks) useful = (uint32_t)pass.chunks;
    run_threads(&pass, useful);
    return WLK_OK;
}
