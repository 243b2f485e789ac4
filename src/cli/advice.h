/* What would make a model smaller, or lighter to open: narrower types, tensors that say
 * nothing, compression, lazy loading. Time is bounded whatever the model's size: of
 * large ones only samples are looked at, and it is said so. */
#ifndef WLK_CLI_ADVICE_H
#define WLK_CLI_ADVICE_H

#include <stdbool.h>

#include <weighlock/model.h>

#include "cli/json_out.h"

typedef enum advice_kind {
    ADVICE_ZERO,
    ADVICE_DUPLICATE,
    ADVICE_F32_EXACT,
    ADVICE_F32_ROUNDED,
    ADVICE_F16_EXACT,
    ADVICE_F16_ROUNDED,
    ADVICE_BF16_EXACT,
    ADVICE_BF16_ROUNDED,
    ADVICE_COMPRESS,
    ADVICE_LAZY,
    ADVICE_KINDS
} advice_kind;

typedef struct advice {
    advice_kind kind;
    uint32_t tensor; /* WLK_NONE: the whole model */
    uint64_t saves;  /* bytes of the file; of memory for ADVICE_LAZY */
    bool sampled;    /* judged by a part of the tensor */
} advice;

typedef struct advice_list {
    advice *items;
    uint32_t count;
} advice_list;

/* One word: "zero", "duplicate", "narrow", "compress", "lazy". */
const char *advice_word(advice_kind kind);
/* What to do: "store as f32: no value changes". */
const char *advice_how(advice_kind kind);

/* What is worth doing: of each kind all of it, if together it saves a MiB, or a tenth of
 * the file and 64 KiB. In the order of kinds, then of tensors. Without memory there is
 * no advice. Tensors have their data. */
advice_list advice_of(const wlk_model *model);
void advice_free(advice_list *list);

/* ---- advice_report.c */

/* A line a kind, below a heading; nothing where there is no advice. */
void advice_print(const wlk_model *model);
/* A list of {what, tensor (or null), saves_bytes, how}. */
void advice_json(json_out *j, const wlk_model *model);

#endif
