/* What the parts of `weighlock convert` share: the verb itself (convert.c), what is noted of
 * the file that a model came from (convert_source.c), golden rows (convert_golden.c). */
#ifndef WLK_CLI_CONVERT_H
#define WLK_CLI_CONVERT_H

#include "cli/cli.h"
#include "gate/snapshot.h"

typedef enum output_form { FORM_WLK, FORM_NPZ, FORM_ONNX } output_form;

typedef struct conversion {
    const cli *c;
    const char *in, *out;
    const char *subject; /* the file that an error is about; NULL: none */
    output_form form;
    wlk_policy policy;
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_signature *beside; /* that lie beside the file */
    snapshot copy;         /* the bytes that were loaded */
    wlk_load_report report;
    wlk_model *model;
    wlk_public_key signer; /* of what is written */
} conversion;

/* Metadata about a file that is no .wlk file: its name, its digest, who vouched for it. */
#define SOURCE_EDITS 3
#define SOURCE_JSON 2048 /* a file's name has 255 bytes, each of which may become six */
typedef struct source_edits {
    wlk_meta_edit edits[SOURCE_EDITS]; /* refer to `json`: the struct is not to be moved */
    char json[SOURCE_EDITS][SOURCE_JSON];
    uint32_t count;
} source_edits;

WLK_MUST_USE wlk_status source_edits_make(const conversion *x, source_edits *edits,
                                          wlk_error *error);

/* Predicts the rows of --selftest, lets `write` write the file with them and what they
 * gave, and runs the golden rows of that file; a file that does not hold is removed. */
WLK_MUST_USE wlk_status convert_with_golden(
    conversion *x, wlk_status (*write)(conversion *x, const wlk_golden *golden, wlk_error *error),
    wlk_error *error);

#endif
