/* A model from its specification: a JSON file that names .npy files beside it
 * (docs/spec-json.md). What `weighlock pack` reads. */
#ifndef WLK_INPUT_JSON_SPEC_H
#define WLK_INPUT_JSON_SPEC_H

#include <weighlock/limits.h>
#include <weighlock/model.h>

#include "base/error.h"

/* Reads the specification at `path`; file names in it are taken from its folder.
 * *model is the caller's. Errors have the JSON path of what is wrong in their
 * text ("graphs[0].nodes[2].attr.alpha"), spec.syntax has the byte offset.
 * Bounded by limits->json_bytes, files by limits->output_bytes. */
wlk_status json_spec_read(const char *path, const wlk_limits *limits, wlk_model **model,
                          wlk_error *error);

/* The same from memory. */
wlk_status json_spec_parse(const char *text, uint64_t size, const char *folder,
                           const wlk_limits *limits, wlk_model **model, wlk_error *error);

#endif
