#include <lzma.h>

#include "formats/pickle/inflate_parts.h"

/* xz, and what xz calls lzma-alone. */

static void *lzma_take(void *job, size_t count, size_t size) {
    return inflate_take(job, count, size);
}

static void lzma_give(void *job, void *memory) {
    inflate_give(job, memory);
}

typedef lzma_ret (*lzma_open)(lzma_stream *stream, uint64_t memory);

/* A check that the library cannot make is not let pass. */
static lzma_ret open_xz(lzma_stream *stream, uint64_t memory) {
    return lzma_stream_decoder(stream, memory, LZMA_TELL_UNSUPPORTED_CHECK);
}

static wlk_status judge(const inflate_job *job, lzma_ret said, bool *ended) {
    *ended = said == LZMA_STREAM_END;
    if (said == LZMA_OK || *ended) return WLK_OK;
    if (said == LZMA_BUF_ERROR) return inflate_truncated(job); /* twice no progress */
    if (said == LZMA_MEM_ERROR) return inflate_no_memory(job);
    if (said == LZMA_MEMLIMIT_ERROR) {
        return error_at(job->error, RULE_LIMIT_INFLATE_MEMORY, job->position);
    }
    return inflate_damaged(job);
}

static wlk_status run_step(inflate_job *job, lzma_stream *stream, bool *ended) {
    uint8_t *at;
    size_t room;
    TRY(inflate_room(job, &at, &room));
    const size_t left = inflate_next(job, &stream->next_in);
    stream->avail_in = left;
    stream->next_out = at;
    stream->avail_out = room;
    const lzma_ret said = lzma_code(stream, LZMA_RUN);
    TRY(inflate_step(job, left - stream->avail_in, room - stream->avail_out));
    return judge(job, said, ended);
}

static wlk_status run_members(inflate_job *job, lzma_stream *stream, lzma_open open,
                              const char *magic, uint64_t length) {
    bool more = true;
    while (more) {
        bool ended = false;
        if (open(stream, job->limits->inflate_memory) != LZMA_OK) return inflate_no_memory(job);
        while (!ended) TRY(run_step(job, stream, &ended));
        TRY(inflate_member(job, magic, length, &more));
    }
    return WLK_OK;
}

static wlk_status run(inflate_job *job, lzma_open open, const char *magic, uint64_t length) {
    const lzma_allocator allocator = {lzma_take, lzma_give, job};
    lzma_stream stream = LZMA_STREAM_INIT;
    stream.allocator = &allocator;
    const wlk_status status = run_members(job, &stream, open, magic, length);
    lzma_end(&stream);
    return status;
}

wlk_status inflate_xz(inflate_job *job) {
    return run(job, open_xz, "\xfd\x37\x7a\x58\x5a\x00", 6);
}

wlk_status inflate_lzma(inflate_job *job) {
    return run(job, lzma_alone_decoder, "\x5d\x00\x00", 3);
}
