/* A model as JSON: what `weighlock inspect --json` prints. */
#ifndef WLK_CLI_MODEL_JSON_H
#define WLK_CLI_MODEL_JSON_H

#include <weighlock/load.h>

/* Writes one JSON object to stdout: file, verdict, signature, metadata (by JSON
 * Pointer), tensors, opset, graphs with inputs, outputs, nodes and attributes,
 * selftest, findings and the byte map. Payloads are not printed. */
void model_json_print(const char *file, const wlk_model *model, const wlk_load_report *report);

#endif
