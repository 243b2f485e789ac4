#include "cli/advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/advice_look.h"

#define WORTH_BYTES (1u << 20)
#define WORTH_LEAST (64u << 10) /* together with a tenth of the file */
#define LAZY_FROM (64u << 20)

static const struct {
    const char *word;
    const char *how;
} rows[ADVICE_KINDS] = {
    [ADVICE_ZERO] = {"zero", "leave out and make when needed: all bits are zero"},
    [ADVICE_DUPLICATE] = {"duplicate", "store once: an earlier tensor has the same bytes"},
    [ADVICE_F32_EXACT] = {"narrow", "store as f32: exactly, no value changes"},
    [ADVICE_F32_ROUNDED] = {"narrow", "store as f32: with rounding, every value is in range"},
    [ADVICE_F16_EXACT] = {"narrow", "store as f16: exactly, no value changes"},
    [ADVICE_F16_ROUNDED] = {"narrow", "store as f16: with rounding, every value is in range"},
    [ADVICE_BF16_EXACT] = {"narrow", "store as bf16: exactly, no value changes"},
    [ADVICE_BF16_ROUNDED] = {"narrow", "store as bf16: with rounding, every value is in range"},
    [ADVICE_COMPRESS] = {"compress", "compress the file where it is stored or sent: an estimate"},
    [ADVICE_LAZY] =
        {"lazy",
         "open lazily (weighlock extract --tensor, wlk_gate_open_lazy): memory, and not "
         "the file"},
};

const char *advice_word(advice_kind kind) {
    return rows[kind].word;
}

const char *advice_how(advice_kind kind) {
    return rows[kind].how;
}

void advice_free(advice_list *list) {
    mem_free(list->items);
    *list = (advice_list){0};
}

/* ---- one tensor */

/* All of its advice is found before any is dropped: at most two items a tensor, and one
 * for the model. */
typedef struct advice_search {
    const wlk_model *model;
    uint32_t tensors;
    tensor_look *looks;
    advice_list found;
} advice_search;

static void add(advice_search *s, advice_kind kind, uint32_t tensor, uint64_t saves) {
    const bool sampled = tensor != WLK_NONE && s->looks[tensor].sampled;
    if (saves == 0) return;
    s->found.items[s->found.count++] = (advice){kind, tensor, saves, sampled};
}

/* The narrowest type in which every value survives; exactly, if there is one. */
static void add_narrow(advice_search *s, uint32_t tensor, const wlk_tensor *t) {
    const uint32_t fits = s->looks[tensor].fits;
    static const struct {
        wlk_dtype dtype;
        uint32_t fits;
        advice_kind kind;
    } choices[] = {
        {WLK_F64, FITS_F32_EXACTLY, ADVICE_F32_EXACT},
        {WLK_F64, FITS_F32, ADVICE_F32_ROUNDED},
        {WLK_F32, FITS_F16_EXACTLY, ADVICE_F16_EXACT},
        {WLK_F32, FITS_BF16_EXACTLY, ADVICE_BF16_EXACT},
        {WLK_F32, FITS_F16, ADVICE_F16_ROUNDED},
        {WLK_F32, FITS_BF16, ADVICE_BF16_ROUNDED},
    };
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (choices[i].dtype != t->dtype || !(fits & choices[i].fits)) continue;
        add(s, choices[i].kind, tensor, t->nbytes / 2);
        return;
    }
}

static void add_tensor(advice_search *s, uint32_t tensor) {
    const tensor_look *look = &s->looks[tensor];
    const wlk_tensor t = wlk_model_tensor(s->model, tensor);
    if (look->zero) {
        add(s, ADVICE_ZERO, tensor, t.nbytes);
    } else if (look->same_as != WLK_NONE) {
        add(s, ADVICE_DUPLICATE, tensor, t.nbytes);
    } else {
        add_narrow(s, tensor, &t);
        add(s, ADVICE_COMPRESS, tensor, look->compress_saves);
    }
}

/* ---- all of it */

static bool is_worth(uint64_t saves, uint64_t file_bytes) {
    return saves >= WORTH_BYTES || (saves >= WORTH_LEAST && saves >= file_bytes / 10);
}

static int compare(const void *a, const void *b) {
    const advice *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

/* Keeps the kinds that are worth it. */
static void weigh(advice_search *s) {
    const uint64_t file_bytes = wlk_model_file_bytes(s->model);
    uint64_t saves[ADVICE_KINDS] = {0};
    uint32_t kept = 0;
    advice_list *list = &s->found;
    for (uint32_t i = 0; i < list->count; i++) saves[list->items[i].kind] += list->items[i].saves;
    for (uint32_t i = 0; i < list->count; i++) {
        if (is_worth(saves[list->items[i].kind], file_bytes)) list->items[kept++] = list->items[i];
    }
    list->count = kept;
    if (kept > 0) qsort(list->items, kept, sizeof *list->items, compare);
}

static void search(advice_search *s) {
    uint64_t bytes = 0;
    advice_look(s->model, s->looks);
    for (uint32_t i = 0; i < s->tensors; i++) {
        add_tensor(s, i);
        bytes += wlk_model_tensor(s->model, i).nbytes; /* they are all in memory */
    }
    const bool native = wlk_model_format(s->model) == WLK_FORMAT_WLK;
    if (native && bytes >= LAZY_FROM) add(s, ADVICE_LAZY, WLK_NONE, bytes);
    weigh(s);
}

advice_list advice_of(const wlk_model *model) {
    advice_search s = {.model = model, .tensors = wlk_model_count(model, WLK_SECTION_TENSORS)};
    s.looks = mem_zeroed(s.tensors, sizeof *s.looks);
    s.found.items = mem_zeroed(2 * (size_t)s.tensors + 1, sizeof *s.found.items);
    if (s.looks && s.found.items) search(&s);
    mem_free(s.looks);
    return s.found;
}
