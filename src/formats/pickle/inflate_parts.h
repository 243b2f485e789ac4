/* What the decompressors have in common: one buffer that grows, and the limits. */
#ifndef WLK_FORMATS_PICKLE_INFLATE_PARTS_H
#define WLK_FORMATS_PICKLE_INFLATE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/pickle/inflate.h"

typedef struct inflate_job {
    const wlk_limits *limits;
    const uint8_t *data; /* compressed */
    uint64_t size;
    uint64_t position; /* of what comes next, <= size */
    uint8_t *out;
    uint64_t length;
    uint64_t room;
    uint64_t memory;  /* that the decompressor holds now, against limits->inflate_memory */
    bool over_memory; /* it was refused more than the limit */
    wlk_error *error;
} inflate_job;

/* The most that one step makes: the limits are looked at after each. */
#define INFLATE_STEP (UINT64_C(1) << 20)

/* Room for the next step's output, at least one byte, also where the limit is reached: what
 * then comes is too much. */
wlk_status inflate_room(inflate_job *job, uint8_t **at, size_t *room);
/* A step has read and made so much: the limits of the output. */
wlk_status inflate_step(inflate_job *job, uint64_t read, uint64_t made);
/* The bytes that come next, at most 1 GiB: some libraries count in 32 bits. */
size_t inflate_next(const inflate_job *job, const uint8_t **at);

wlk_status inflate_damaged(const inflate_job *job);
wlk_status inflate_truncated(const inflate_job *job);
/* The decompressor got no memory: of the host, or for the limit. */
wlk_status inflate_no_memory(const inflate_job *job);
/* After a member: does another one begin with these bytes (*more)? inflate.trailing if
 * anything else does. */
wlk_status inflate_member(const inflate_job *job, const void *magic, uint64_t length, bool *more);

/* What libraries allocate with; a block's size stands before it. */
void *inflate_take(inflate_job *job, uint64_t count, uint64_t size);
void inflate_give(inflate_job *job, void *memory);

wlk_status inflate_zlib(inflate_job *job);
wlk_status inflate_gzip(inflate_job *job);
wlk_status inflate_bz2(inflate_job *job);
wlk_status inflate_xz(inflate_job *job);
wlk_status inflate_lzma(inflate_job *job);
wlk_status inflate_lz4(inflate_job *job);
wlk_status inflate_zf(inflate_job *job);

#endif
