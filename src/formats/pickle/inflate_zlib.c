#include <zlib.h>

#include <string.h>

#include "formats/pickle/inflate_parts.h"

/* zlib, gzip, and joblib's own header before zlib. */

#define WINDOW_BITS 15 /* 32 KiB, the largest */
#define GZIP 16        /* added to them: a gzip header and its checksum */

/* "ZF", then the length in hexadecimal, "0x1f", and spaces up to here. Python 2 wrote one
 * space more. */
#define ZF_BYTES 21
#define ZF_DIGITS 16

static void *zlib_take(void *job, unsigned count, unsigned size) {
    return inflate_take(job, count, size);
}

static void zlib_give(void *job, void *memory) {
    inflate_give(job, memory);
}

static void zlib_end(z_stream *stream) {
    (void)inflateEnd(stream);
}

/* What a call of the library said; *ended: the member has. */
static wlk_status judge(const inflate_job *job, int said, bool stuck, bool *ended) {
    *ended = said == Z_STREAM_END;
    if (*ended) return WLK_OK;
    if (said == Z_MEM_ERROR) return inflate_no_memory(job);
    if (said != Z_OK && said != Z_BUF_ERROR) return inflate_damaged(job);
    return stuck ? inflate_truncated(job) : WLK_OK;
}

/* One call: as much as there is room for. */
static wlk_status run_step(inflate_job *job, z_stream *stream, bool *ended) {
    uint8_t *at;
    size_t room;
    const uint8_t *input;
    TRY(inflate_room(job, &at, &room));
    const size_t left = inflate_next(job, &input);
    stream->next_in = (z_const Bytef *)input;
    stream->avail_in = (uInt)left;
    stream->next_out = at;
    stream->avail_out = (uInt)room;
    const int said = inflate(stream, Z_NO_FLUSH);
    const size_t read = left - stream->avail_in;
    const size_t made = room - stream->avail_out;
    TRY(inflate_step(job, read, made));
    return judge(job, said, read + made == 0, ended);
}

static wlk_status run_members(inflate_job *job, z_stream *stream, bool gzip) {
    bool more = true;
    while (more) {
        bool ended = false;
        while (!ended) TRY(run_step(job, stream, &ended));
        /* A member of zlib begins as the file does; so does one of gzip. */
        TRY(inflate_member(job, gzip ? "\x1f\x8b" : "\x78", gzip ? 2 : 1, &more));
        (void)inflateReset(stream); /* fails for a stream that is none */
    }
    return WLK_OK;
}

static wlk_status run(inflate_job *job, bool gzip) {
    z_stream stream = {.zalloc = zlib_take, .zfree = zlib_give, .opaque = job};
    if (inflateInit2(&stream, WINDOW_BITS + (gzip ? GZIP : 0)) != Z_OK) {
        return inflate_no_memory(job);
    }
    const wlk_status status = run_members(job, &stream, gzip);
    zlib_end(&stream);
    return status;
}

wlk_status inflate_zlib(inflate_job *job) {
    return run(job, false);
}

wlk_status inflate_gzip(inflate_job *job) {
    return run(job, true);
}

/* ---- ZF */

static bool hex_digit(uint8_t c, uint64_t *length) {
    const char *digits = "0123456789abcdef";
    const char *at = c != 0 ? strchr(digits, c) : NULL;
    if (at) *length = *length << 4 | (uint64_t)(at - digits);
    return at != NULL;
}

/* The length that the header promises. */
static bool read_zf(const uint8_t *header, uint64_t *length) {
    uint64_t at = 4;
    if (memcmp(header + 2, "0x", 2) != 0) return false;
    *length = 0;
    while (at < 4 + ZF_DIGITS && hex_digit(header[at], length)) at++;
    if (at == 4) return false;
    while (at < ZF_BYTES && header[at] == ' ') at++;
    return at == ZF_BYTES;
}

wlk_status inflate_zf(inflate_job *job) {
    uint64_t promised;
    if (job->size < ZF_BYTES + 1) return inflate_truncated(job);
    if (!read_zf(job->data, &promised)) return error_at(job->error, RULE_INFLATE_HEADER, 0);
    job->position = ZF_BYTES + (job->data[ZF_BYTES] == ' ');
    if (promised > job->limits->inflated_bytes) {
        return error_at(job->error, RULE_LIMIT_INFLATED_BYTES, 0);
    }
    TRY(inflate_zlib(job));
    return job->length == promised ? WLK_OK : error_at(job->error, RULE_INFLATE_HEADER, 0);
}
