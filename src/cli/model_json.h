/* A model as JSON: what `weighlock inspect --json` prints. */
#ifndef WLK_CLI_MODEL_JSON_H
#define WLK_CLI_MODEL_JSON_H

#include <weighlock/load.h>

#include "base/error.h"

/* Writes one JSON object to stdout: file, signature, metadata (by JSON Pointer),
 * tensors, opsets, graphs with inputs, outputs, nodes and attributes, selftests,
 * findings and the byte map. Payloads are not printed. */
WLK_MUST_USE wlk_status model_json_print(const char *file, const wlk_model *model,
                                         const wlk_load_report *report, wlk_error *error);

#endif
