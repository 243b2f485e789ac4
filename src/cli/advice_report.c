/* Advice for people and for programs (advice.h). */
#include <inttypes.h>
#include <stdio.h>

#include "cli/advice.h"

#define SAMPLED " (judged by a sample)"

/* The items of one kind from `first` on, as a line; the number of the one behind. */
static uint32_t print_kind(const advice_list *list, uint32_t first) {
    const advice_kind kind = list->items[first].kind;
    uint64_t saves = 0;
    bool sampled = false;
    uint32_t end = first;
    for (; end < list->count && list->items[end].kind == kind; end++) {
        saves += list->items[end].saves; /* parts of tensors that are in memory */
        sampled |= list->items[end].sampled;
    }
    (void)printf("  %-10s %" PRIu64 " bytes", advice_word(kind), saves);
    if (list->items[first].tensor != WLK_NONE) {
        (void)printf(" of %" PRIu32 " tensor%s", end - first, end - first > 1 ? "s" : "");
    }
    (void)printf(": %s%s\n", advice_how(kind), sampled ? SAMPLED : "");
    return end;
}

void advice_print(const wlk_model *model) {
    advice_list list = advice_of(model);
    if (list.count > 0) (void)printf("advice     what would be saved (--json names the tensors)\n");
    for (uint32_t i = 0; i < list.count;) i = print_kind(&list, i);
    advice_free(&list);
}

void advice_json(json_out *j, const wlk_model *model) {
    advice_list list = advice_of(model);
    json_begin_list(j, JSON_LINES);
    for (uint32_t i = 0; i < list.count; i++) {
        const advice *a = &list.items[i];
        char how[256];
        (void)snprintf(how, sizeof how, "%s%s", advice_how(a->kind), a->sampled ? SAMPLED : "");
        json_begin_map(j, JSON_FLAT);
        json_pair_text(j, "what", advice_word(a->kind));
        json_key(j, "tensor");
        if (a->tensor == WLK_NONE) {
            json_put_null(j);
        } else {
            json_text(j, wlk_model_tensor(model, a->tensor).name);
        }
        json_pair_unsigned(j, "saves_bytes", a->saves);
        json_pair_text(j, "how", how);
        json_end_map(j);
    }
    json_end_list(j);
    advice_free(&list);
}
