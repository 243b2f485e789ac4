/* A model as JSON: what `weighlock inspect --json` prints. */
#ifndef WLK_CLI_MODEL_JSON_H
#define WLK_CLI_MODEL_JSON_H

#include <weighlock/load.h>

#include "cli/json_out.h"
#include "cli/operators.h"

/* Writes one JSON object to stdout: file, verdict, signature, metadata (by JSON
 * Pointer), tensors, opset, graphs with inputs, outputs, nodes and attributes,
 * selftest, findings, the byte map, advice and NaNs. Payloads are not printed. */
void model_json_print(const char *file, const wlk_model *model, const wlk_load_report *report,
                      const operator_list *uses, json_layout layout);

/* Writes a metadata entry with all that it holds; WLK_NONE: all metadata, as a map. */
void model_json_meta(json_out *j, const wlk_model *model, uint32_t entry);

#endif
