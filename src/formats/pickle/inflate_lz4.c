#define LZ4F_STATIC_LINKING_ONLY /* memory by our own functions */
#include <lz4frame.h>

#include <string.h>

#include "formats/pickle/inflate_parts.h"

#define MAGIC "\x04\x22\x4d\x18"

static void *lz4_take(void *job, size_t size) {
    return inflate_take(job, 1, size);
}

static void *lz4_take_zeroed(void *job, size_t size) {
    void *memory = inflate_take(job, 1, size);
    return memory ? memset(memory, 0, size) : NULL;
}

static void lz4_give(void *job, void *memory) {
    inflate_give(job, memory);
}

static wlk_status failed(const inflate_job *job, size_t said) {
    const bool memory = LZ4F_getErrorCode(said) == LZ4F_ERROR_allocation_failed;
    return memory ? inflate_no_memory(job) : inflate_damaged(job);
}

static wlk_status run_step(inflate_job *job, LZ4F_dctx *context, bool *ended) {
    uint8_t *at;
    const uint8_t *input;
    size_t made;
    TRY(inflate_room(job, &at, &made));
    size_t read = inflate_next(job, &input);
    const size_t said = LZ4F_decompress(context, at, &made, input, &read, NULL);
    *ended = said == 0; /* the frame has */
    if (LZ4F_isError(said)) return failed(job, said);
    TRY(inflate_step(job, read, made));
    if (*ended) return WLK_OK;
    return read + made == 0 ? inflate_truncated(job) : WLK_OK;
}

static wlk_status run_members(inflate_job *job, LZ4F_dctx *context) {
    bool more = true;
    while (more) {
        bool ended = false;
        while (!ended) TRY(run_step(job, context, &ended));
        TRY(inflate_member(job, MAGIC, sizeof MAGIC - 1, &more));
    }
    return WLK_OK;
}

wlk_status inflate_lz4(inflate_job *job) {
    const LZ4F_CustomMem memory = {lz4_take, lz4_take_zeroed, lz4_give, job};
    LZ4F_dctx *context = LZ4F_createDecompressionContext_advanced(memory, LZ4F_VERSION);
    if (!context) return inflate_no_memory(job);
    const wlk_status status = run_members(job, context);
    (void)LZ4F_freeDecompressionContext(context);
    return status;
}
