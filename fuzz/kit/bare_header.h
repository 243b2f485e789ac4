/* A .wlk header without a file: what lies around it is made, and its tensors' payloads are
 * only named, as in a lazy model. So a header of 100 bytes is an input of 100 bytes. */
#ifndef WEIGHLOCK_FUZZ_BARE_HEADER_H
#define WEIGHLOCK_FUZZ_BARE_HEADER_H

#include <weighlock/limits.h>
#include <weighlock/model.h>

/* Parses header[0..size) as that of a file whose data ends with its last tensor, and
 * validates what comes out. *model is the caller's; its tensors have no data. The error's
 * offset is in the header, or WLK_NO_OFFSET. */
wlk_status bare_header_parse(const uint8_t *header, size_t size, const wlk_limits *limits,
                             wlk_model **model, wlk_error *error);

#endif
