/* A .wlk file parsed for its image alone, of which only a beginning may be at hand. */
#ifndef WEIGHLOCK_FUZZ_HEAD_PARSE_H
#define WEIGHLOCK_FUZZ_HEAD_PARSE_H

#include <weighlock/status.h>

/* Start with `from` and `to`; the image is the caller's (mem_free), also after a failure. */
typedef struct parsed_head {
    uint64_t from, to; /* where in the file the data are */
    uint8_t *image;
    uint64_t length;
} parsed_head;

/* Parses data[0..size) of a file of p->to bytes. Every payload lies in the data, but for those
 * that were decoded. */
wlk_status head_parse(const uint8_t *data, uint64_t size, parsed_head *p, wlk_error *error);

#endif
