/* The parse kit: Weighlock's parsers and its image validator over a buffer, in this process.
 *
 * For who fuzzes, tests or measures the parsers, and for who has a sandbox of their own. It
 * is what the confined child and the process behind it do between them, without the cage
 * that makes a stranger's file harmless if a parser is wrong: load such files with load.h.
 * Nothing is verified either: digests and signatures are trust.h's.
 *
 * Bytes in, a validated model or an exact refusal out. No files, no output, no state but
 * the allocator (memory.h); never ends the process. In libweighlock-parse.a.
 */
#ifndef WEIGHLOCK_PARSE_H
#define WEIGHLOCK_PARSE_H

#include <weighlock/limits.h>
#include <weighlock/memory.h>
#include <weighlock/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The format that these bytes begin like, WLK_FORMAT_NONE if there is none. A promise of
 * nothing: the parser may still refuse them. */
WLK_API wlk_format wlk_format_detect(const uint8_t *data, uint64_t size);

/* Parses data[0..size) as `format` (WLK_FORMAT_NONE: what wlk_format_detect says) and
 * validates the result. limits may be NULL for the defaults; they bound memory and work,
 * and so does the input's own length. (Those of a child, heap_bytes, cpu_seconds,
 * deadline_ms and snapshot_bytes, have no meaning here.) *model is the caller's, its tensors
 * are copies: data may be released. On failure *model is NULL. error may be NULL; its offset
 * is a place in data. */
WLK_API WLK_MUST_USE wlk_status wlk_parse_memory(const uint8_t *data, uint64_t size,
                                                 wlk_format format, const wlk_limits *limits,
                                                 wlk_model **model, wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif
