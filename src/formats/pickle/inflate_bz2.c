#include <bzlib.h>

#include "formats/pickle/inflate_parts.h"

/* The library ends the process where its own state is broken, which no input can bring
 * about: damaged data are an error code. */

static void *bz2_take(void *job, int count, int size) {
    return inflate_take(job, (uint64_t)count, (uint64_t)size);
}

static void bz2_give(void *job, void *memory) {
    inflate_give(job, memory);
}

static wlk_status judge(const inflate_job *job, int said, bool stuck, bool *ended) {
    *ended = said == BZ_STREAM_END;
    if (*ended) return WLK_OK;
    if (said == BZ_MEM_ERROR) return inflate_no_memory(job);
    if (said != BZ_OK) return inflate_damaged(job);
    return stuck ? inflate_truncated(job) : WLK_OK;
}

static wlk_status run_step(inflate_job *job, bz_stream *stream, bool *ended) {
    uint8_t *at;
    size_t room;
    const uint8_t *input;
    TRY(inflate_room(job, &at, &room));
    const size_t left = inflate_next(job, &input);
    stream->next_in = (char *)(uintptr_t)input; /* it is only read */
    stream->avail_in = (unsigned)left;
    stream->next_out = (char *)at;
    stream->avail_out = (unsigned)room;
    const int said = BZ2_bzDecompress(stream);
    const size_t read = left - stream->avail_in;
    const size_t made = room - stream->avail_out;
    TRY(inflate_step(job, read, made));
    return judge(job, said, read + made == 0, ended);
}

static wlk_status run_member(inflate_job *job) {
    bz_stream stream = {.bzalloc = bz2_take, .bzfree = bz2_give, .opaque = job};
    bool ended = false;
    wlk_status status = WLK_OK;
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return inflate_no_memory(job);
    while (status == WLK_OK && !ended) status = run_step(job, &stream, &ended);
    (void)BZ2_bzDecompressEnd(&stream);
    return status;
}

wlk_status inflate_bz2(inflate_job *job) {
    bool more = true;
    while (more) {
        TRY(run_member(job));
        TRY(inflate_member(job, "BZh", 3, &more));
    }
    return WLK_OK;
}
