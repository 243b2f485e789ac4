/* A model whose tensors are taken one by one: opened lazily where what is inside the
 * file is all that vouches for it, else loaded whole. Either way gives the same. */
#ifndef WLK_CLI_MODEL_SOURCE_H
#define WLK_CLI_MODEL_SOURCE_H

#include "cli/cli.h"

typedef struct model_source {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_lazy *lazy; /* one of these two */
    wlk_model *whole;
    wlk_load_report report;
} model_source;

/* Opens the file as the options say. The caller closes it in any case. */
WLK_MUST_USE wlk_status model_source_open(const cli *c, const char *file, bool allow_unsigned,
                                          model_source *source, wlk_error *error);
void model_source_close(model_source *source);

const wlk_model *model_source_model(const model_source *source);

/* A tensor with its data, valid until it is released. */
WLK_MUST_USE wlk_status model_source_tensor(const model_source *source, uint32_t index,
                                            wlk_tensor *tensor, wlk_error *error);
void model_source_release(const model_source *source, wlk_tensor *tensor);

#endif
