#include <string.h>

#include "base/memory.h"
#include "image/validate_internal.h"

/* A tree in pre-order; each path spells out where its entry stands. */

typedef struct meta_frame {
    uint64_t left; /* children still to come */
    uint64_t next; /* number of the next child */
    uint32_t path; /* string */
    bool is_array;
} meta_frame;

/* Is token[0..length) the number in decimal, without leading zeros? */
static bool token_is_number(const char *token, uint64_t length, uint64_t number) {
    uint64_t at = length;
    do {
        if (at == 0 || token[--at] != (char)('0' + number % 10)) return false;
        number /= 10;
    } while (number > 0);
    return at == 0;
}

/* One step of a JSON Pointer (RFC 6901): no slash, ~ only as ~0 or ~1. */
static bool token_is_escaped(const char *token, uint64_t length) {
    for (uint64_t i = 0; i < length; i++) {
        if (token[i] == '/') return false;
        if (token[i] != '~') continue;
        i++;
        if (i == length || (token[i] != '0' && token[i] != '1')) return false;
    }
    return true;
}

/* Does `path` lead from the frame to its next child? */
static bool path_extends(const image_view *view, const meta_frame *frame, uint32_t path) {
    const string_record *parent = &view->strings[frame->path];
    const string_record *child = &view->strings[path];
    const char *text = view->text + child->offset;
    if (child->length <= parent->length || text[parent->length] != '/') return false;
    if (memcmp(text, view->text + parent->offset, parent->length) != 0) return false;
    const char *token = text + parent->length + 1;
    const uint64_t length = child->length - parent->length - 1;
    return frame->is_array ? token_is_number(token, length, frame->next)
                           : token_is_escaped(token, length);
}

static wlk_status check_meta_value(validation *v, uint32_t index) {
    const meta_record *meta = &v->view.metadata[index];
    bool fits = false;
    switch ((wlk_meta_type)meta->type) {
        case WLK_META_NULL:
            fits = meta->value == 0;
            break;
        case WLK_META_BOOL:
            fits = meta->value <= 1;
            break;
        case WLK_META_INT:
        case WLK_META_FLOAT:
            fits = true;
            break;
        case WLK_META_UINT:
            fits = meta->value > INT64_MAX;
            break;
        case WLK_META_STRING:
            return validation_text(v, meta->value, WLK_SECTION_METADATA, index);
        case WLK_META_ARRAY:
        case WLK_META_MAP:
            fits = meta->value < v->counts[WLK_SECTION_METADATA] - index;
            break;
    }
    if (fits) return WLK_OK;
    return validation_fail(v, RULE_IMAGE_METADATA, WLK_SECTION_METADATA, index);
}

static wlk_status check_meta_path(validation *v, const meta_frame *frame, uint32_t index) {
    const uint32_t path = v->view.metadata[index].path;
    TRY(validation_text(v, path, WLK_SECTION_METADATA, index));
    if (!path_extends(&v->view, frame, path) || v->paths[path] != IMAGE_NONE) {
        return validation_fail(v, RULE_IMAGE_METADATA, WLK_SECTION_METADATA, index);
    }
    v->paths[path] = index;
    return WLK_OK;
}

/* Walks the entries; stack[0] is the root, level 1, which has no record. */
static wlk_status walk_metadata(validation *v, meta_frame *stack) {
    const uint32_t count = v->counts[WLK_SECTION_METADATA];
    uint64_t top = 0;
    stack[0] = (meta_frame){.left = UINT64_MAX};
    for (uint32_t i = 0; i < count; i++) {
        const meta_record *meta = &v->view.metadata[i];
        while (stack[top].left == 0) top--;
        TRY(check_meta_path(v, &stack[top], i));
        TRY(check_meta_value(v, i));
        stack[top].left--;
        stack[top].next++;
        if (meta->type != WLK_META_ARRAY && meta->type != WLK_META_MAP) continue;
        if (top + 2 > v->limits->header_depth) {
            return validation_fail(v, RULE_LIMIT_HEADER_DEPTH, WLK_SECTION_METADATA, i);
        }
        stack[++top] = (meta_frame){meta->value, 0, meta->path, meta->type == WLK_META_ARRAY};
    }
    for (; top > 0; top--) {
        if (stack[top].left > 0) {
            return validation_fail(v, RULE_IMAGE_METADATA, WLK_SECTION_METADATA, count);
        }
    }
    return WLK_OK;
}

wlk_status validate_metadata(validation *v) {
    const uint64_t entries = v->counts[WLK_SECTION_METADATA];
    const uint64_t depth = v->limits->header_depth < entries ? v->limits->header_depth : entries;
    meta_frame *stack = mem_zeroed(depth + 1, sizeof *stack);
    if (!stack) return error_at(v->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = walk_metadata(v, stack);
    mem_free(stack);
    return status;
}
