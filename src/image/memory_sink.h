/* A sink that keeps payloads in memory: for models that are built in the
 * parent, where there is no pipe to write to. */
#ifndef WLK_IMAGE_MEMORY_SINK_H
#define WLK_IMAGE_MEMORY_SINK_H

#include "image/builder.h"
#include "image/validate.h"

typedef struct memory_sink memory_sink;

/* A new sink, NULL if there is no memory. It takes at most limits->output_bytes
 * (limits are copied). */
memory_sink *memory_sink_new(const wlk_limits *limits);
/* NULL is allowed. Payloads that were handed over are not touched. */
void memory_sink_free(memory_sink *sink);

/* What a builder needs to know of it; valid as long as the sink. The bytes are
 * copied into memory of their own, 64-byte aligned. */
image_sink memory_sink_interface(memory_sink *sink);

/* Hands all buffers over: the caller has to release them (image_validate does).
 * The sink is empty afterwards. */
image_payloads memory_sink_payloads(memory_sink *sink);

/* Finishes the builder, whose sink this is, and validates what came out of it.
 * Builder and sink stay the caller's to free; *model is the caller's. */
wlk_status image_build_model(image_builder *builder, memory_sink *sink, uint64_t file_bytes,
                             const wlk_limits *limits, wlk_model **model, wlk_error *error);

#endif
