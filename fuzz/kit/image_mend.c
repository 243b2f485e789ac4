/* What a change has put out of order in a draft. */
#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "kit/image_draft.h"

static uint8_t spare[1u << 19] __attribute__((aligned(16)));

/* ---- lists */

static uint32_t load(const uint8_t *record, uint32_t at) {
    uint32_t value;
    memcpy(&value, record + at, sizeof value);
    return value;
}

static void store(uint8_t *record, uint32_t at, uint32_t value) {
    memcpy(record + at, &value, sizeof value);
}

/* The list's entries behind the `taken` that are gathered already; what is not there is
 * zeros. A list that is too long for the section is cut. */
static uint32_t gather_list(const draft_section *from, uint8_t *owner, const image_list *list,
                            uint32_t taken) {
    const size_t bytes = image_record_bytes[list->target];
    const uint32_t first = load(owner, list->first);
    uint32_t room = from->capacity - taken;
    const uint32_t places[2] = {list->count, list->more};
    uint32_t total = 0;
    for (int i = 0; i < 2 && places[i] != 0; i++) {
        uint32_t count = load(owner, places[i]);
        if (count > room) count = room;
        store(owner, places[i], count);
        room -= count;
        total += count;
    }
    for (uint32_t i = 0; i < total; i++) {
        const uint64_t index = (uint64_t)first + i;
        uint8_t *to = spare + (taken + i) * bytes;
        if (index < from->count) {
            memcpy(to, from->records + index * bytes, bytes);
        } else {
            memset(to, 0, bytes);
        }
    }
    store(owner, list->first, taken);
    return taken + total;
}

static uint32_t gather_owners(image_draft *d, const image_list *list, uint32_t taken) {
    for (uint32_t i = 0; i < d->sections[list->owner].count; i++) {
        uint8_t *owner = draft_record(d, list->owner, i);
        const uint32_t first = taken;
        taken = gather_list(&d->sections[list->target], owner, list, taken);
        if (list->target != WLK_SECTION_NODES) continue;
        for (uint32_t k = first; k < taken; k++) {
            ((node_record *)(void *)spare)[k].graph = i;
        }
    }
    return taken;
}

void draft_mend_lists(image_draft *d) {
    uint32_t count, taken = 0;
    const image_list *lists = image_lists(&count);
    for (uint32_t i = 0; i < count; i++) {
        draft_section *target = &d->sections[lists[i].target];
        const size_t bytes = image_record_bytes[lists[i].target];
        if (target->capacity * bytes > sizeof spare) return;
        taken = gather_owners(d, &lists[i], taken);
        if (i + 1 < count && lists[i + 1].target == lists[i].target) continue;
        memcpy(target->records, spare, taken * bytes);
        target->count = taken;
        taken = 0;
    }
}

/* ---- strings */

static const uint8_t *text_of(const image_draft *d, uint32_t index, uint32_t *length) {
    const string_record *s = (const void *)draft_record(d, WLK_SECTION_STRINGS, index);
    const draft_section *text = &d->sections[WLK_SECTION_TEXT];
    const bool whole = s->offset <= text->count && s->length <= text->count - s->offset;
    *length = whole ? s->length : 0;
    return text->records + (whole ? s->offset : 0);
}

static int compare(const image_draft *d, uint32_t a, uint32_t b) {
    uint32_t a_length, b_length;
    const uint8_t *first = text_of(d, a, &a_length), *second = text_of(d, b, &b_length);
    const int order = memcmp(first, second, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

typedef struct numbering {
    uint32_t count;   /* of strings before */
    uint32_t *number; /* by string: 1 if it is used, then its new index */
} numbering;

static uint64_t mark_used(void *context, uint32_t target, uint64_t index) {
    const numbering *n = context;
    if (target == WLK_SECTION_STRINGS && index < n->count) n->number[index] = 1;
    return index;
}

static uint64_t number_anew(void *context, uint32_t target, uint64_t index) {
    const numbering *n = context;
    return target == WLK_SECTION_STRINGS && index < n->count ? n->number[index] : index;
}

/* The used strings in their order; insertion, since most are in it already. */
static uint32_t sort_used(const image_draft *d, const numbering *n, uint32_t *sorted) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        uint32_t at = count;
        if (!n->number[i]) continue;
        for (; at > 0 && compare(d, sorted[at - 1], i) > 0; at--) sorted[at] = sorted[at - 1];
        sorted[at] = i;
        count++;
    }
    return count;
}

void draft_mend_strings(image_draft *d) {
    draft_section *strings = &d->sections[WLK_SECTION_STRINGS];
    draft_section *text = &d->sections[WLK_SECTION_TEXT];
    const numbering n = {strings->count, (uint32_t *)(void *)spare};
    uint32_t *sorted = n.number + n.count;
    string_record *records = (string_record *)(void *)(sorted + n.count);
    uint8_t *bytes = (uint8_t *)(records + n.count + 1);
    uint32_t count = 0, at = 0;
    if ((size_t)(bytes - spare) + text->capacity + n.count > sizeof spare || n.count == 0) return;
    memset(n.number, 0, n.count * sizeof *n.number);
    n.number[0] = 1;
    draft_visit(d, mark_used, (void *)(uintptr_t)&n);
    const uint32_t used = sort_used(d, &n, sorted);
    for (uint32_t i = 0; i < used; i++) {
        uint32_t length;
        const uint8_t *from = text_of(d, sorted[i], &length);
        if (i == 0 || compare(d, sorted[i - 1], sorted[i]) != 0) {
            if (at + length + 1 > text->capacity) return; /* strings that shared their text */
            records[count++] = (string_record){at, length};
            memcpy(bytes + at, from, length);
            bytes[at + length] = 0;
            at += length + 1;
        }
        n.number[sorted[i]] = count - 1;
    }
    draft_visit(d, number_anew, (void *)(uintptr_t)&n);
    memcpy(strings->records, records, count * sizeof *records);
    memcpy(text->records, bytes, at);
    strings->count = count;
    text->count = at;
}

/* ---- metadata */

enum { DEEPEST = 64, LONGEST_PATH = 512 };

/* The path's last step, or the index where the parent is an array. */
static uint32_t spell_path(const image_draft *d, const meta_record *meta, uint32_t parent,
                           int64_t index, uint8_t *path) {
    uint32_t length = 0, own = 0;
    const uint8_t *text = parent == IMAGE_NONE ? NULL : text_of(d, parent, &length);
    if (length > LONGEST_PATH / 2) length = LONGEST_PATH / 2;
    if (length) memcpy(path, text, length);
    path[length++] = '/';
    if (index >= 0) {
        char number[24];
        const int digits = snprintf(number, sizeof number, "%lld", (long long)index);
        memcpy(path + length, number, (size_t)digits);
        return length + (uint32_t)digits;
    }
    const uint8_t *step =
        meta->path < d->sections[WLK_SECTION_STRINGS].count ? text_of(d, meta->path, &own) : path;
    for (uint32_t i = own; i > 0; i--) { /* behind the last slash */
        if (step[i - 1] != '/') continue;
        step += i;
        own -= i;
        break;
    }
    if (own > LONGEST_PATH / 4) own = LONGEST_PATH / 4;
    memcpy(path + length, step, own);
    return length + own;
}

/* Is the path what it was? */
static bool same_text(const image_draft *d, uint32_t string, const uint8_t *text, uint32_t size) {
    uint32_t length;
    if (string >= d->sections[WLK_SECTION_STRINGS].count) return false;
    const uint8_t *now = text_of(d, string, &length);
    return length == size && memcmp(now, text, size) == 0;
}

/* A map or an array whose children are still to come. */
typedef struct meta_level {
    uint64_t left;
    int64_t next; /* -1: a map */
    meta_record *entry;
} meta_level;

/* Entry i gets the path that its place in the tree gives it. */
static bool mend_path(image_draft *d, const meta_level *level, meta_record *meta) {
    uint8_t path[LONGEST_PATH];
    const uint32_t parent = level->entry ? level->entry->path : IMAGE_NONE;
    const uint32_t length = spell_path(d, meta, parent, level->next, path);
    if (!same_text(d, meta->path, path, length)) meta->path = draft_string(d, path, length);
    return meta->path != IMAGE_NONE;
}

void draft_mend_metadata(image_draft *d) {
    meta_level stack[DEEPEST] = {{UINT64_MAX, -1, NULL}};
    uint32_t top = 0;
    const uint32_t count = d->sections[WLK_SECTION_METADATA].count;
    for (uint32_t i = 0; i < count; i++) {
        meta_record *meta = (void *)draft_record(d, WLK_SECTION_METADATA, i);
        while (stack[top].left == 0) top--;
        if (!mend_path(d, &stack[top], meta)) return;
        stack[top].left--;
        if (stack[top].next >= 0) stack[top].next++;
        if (meta->type != WLK_META_ARRAY && meta->type != WLK_META_MAP) continue;
        if (meta->value > count - i - 1) meta->value = count - i - 1;
        if (top + 1 == DEEPEST) return;
        stack[++top] = (meta_level){meta->value, meta->type == WLK_META_ARRAY ? 0 : -1, meta};
    }
    for (; top > 0; top--) stack[top].entry->value -= stack[top].left; /* none are behind it */
}

/* ---- the rest */

/* Bytes that the shape needs; 0 where that cannot be said. */
static uint64_t needed_bytes(const image_draft *d, const tensor_record *t) {
    uint64_t count, nbytes = 0;
    if (!dtype_known(t->dtype) || !shape_count(t->shape, t->rank, &count)) return t->nbytes;
    if (t->dtype == WLK_STR) {
        const uint64_t table = (count + 1) * 8;
        return count < 1u << 20 && t->nbytes < table ? table : t->nbytes;
    }
    if (t->dtype == WLK_BLOCK) {
        if (t->block >= d->sections[WLK_SECTION_BLOCKS].count) return t->nbytes;
        const block_record *b = (const void *)draft_record(d, WLK_SECTION_BLOCKS, t->block);
        return b->elements ? count / b->elements * b->bytes : t->nbytes;
    }
    return dtype_nbytes((wlk_dtype)t->dtype, count, &nbytes) ? nbytes : t->nbytes;
}

void draft_mend_tensors(image_draft *d) {
    for (uint32_t i = 0; i < d->sections[WLK_SECTION_TENSORS].count; i++) {
        tensor_record *t = (void *)draft_record(d, WLK_SECTION_TENSORS, i);
        if (t->rank > WLK_MAX_RANK) t->rank = WLK_MAX_RANK;
        for (uint32_t k = t->rank; k < WLK_MAX_RANK; k++) t->shape[k] = 0;
        t->zero = 0;
        if (t->dtype != WLK_BLOCK) t->block = IMAGE_NONE;
        t->nbytes = needed_bytes(d, t);
        if (t->nbytes == 0) {
            t->buffer = IMAGE_NONE;
            t->buffer_offset = 0;
        } else if (t->buffer == IMAGE_NONE) {
            t->buffer = 0;
        }
    }
}

void draft_mend_spans(image_draft *d) {
    const uint32_t count = d->sections[WLK_SECTION_SPANS].count;
    uint64_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        span_record *span = (void *)draft_record(d, WLK_SECTION_SPANS, i);
        const uint64_t left = d->file_bytes - at;
        if (i + 1 == count || span->length > left) span->length = left;
        span->offset = at;
        at += span->length;
    }
}

/* By their first field, a string: opsets as a whole, attributes node by node. */
static void sort_records(image_draft *d, uint32_t section, uint32_t first, uint32_t count) {
    const size_t bytes = image_record_bytes[section];
    uint8_t held[64];
    for (uint32_t i = 1; i < count; i++) {
        uint32_t at = i;
        memcpy(held, draft_record(d, section, first + i), bytes);
        for (; at > 0 && load(draft_record(d, section, first + at - 1), 0) > load(held, 0); at--) {
            memcpy(draft_record(d, section, first + at), draft_record(d, section, first + at - 1),
                   bytes);
        }
        memcpy(draft_record(d, section, first + at), held, bytes);
    }
}

void draft_mend_order(image_draft *d) {
    const uint32_t attributes = d->sections[WLK_SECTION_ATTRIBUTES].count;
    sort_records(d, WLK_SECTION_OPSETS, 0, d->sections[WLK_SECTION_OPSETS].count);
    for (uint32_t i = 0; i < d->sections[WLK_SECTION_NODES].count; i++) {
        const node_record *node = (const void *)draft_record(d, WLK_SECTION_NODES, i);
        const uint32_t first = node->attribute_first;
        if (first >= attributes || node->attributes > attributes - first) continue;
        sort_records(d, WLK_SECTION_ATTRIBUTES, first, node->attributes);
    }
}
