/* Metadata: a tree in pre-order, each of whose paths says where its entry stands. */
#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/oracle_parts.h"

#define MOST_DEPTH 64
#define FIND_STEP 8 /* looking up one path takes longer than all the rest of an entry */

typedef struct level {
    uint64_t left; /* children still to come */
    uint64_t next;
    const char *path;
    bool is_array;
} level;

/* Is path the level's own, a slash, and one step? */
static void check_path(const level *parent, const char *path) {
    const size_t length = strlen(parent->path);
    FUZZ_CHECK(5, strncmp(path, parent->path, length) == 0 && path[length] == '/');
    const char *step = path + length + 1;
    FUZZ_CHECK(5, strchr(step, '/') == NULL);
    if (!parent->is_array) return;
    char *end;
    FUZZ_CHECK(5, step[0] >= '0' && step[0] <= '9' && (step[0] != '0' || step[1] == '\0'));
    FUZZ_CHECK(5, strtoull(step, &end, 10) == parent->next && *end == '\0');
}

static void check_value(const wlk_meta *meta) {
    FUZZ_CHECK(5, meta->type >= WLK_META_NULL && meta->type <= WLK_META_MAP);
    if (meta->type == WLK_META_STRING) oracle_text(meta->s);
    if (meta->type == WLK_META_BOOL) FUZZ_CHECK(5, meta->i == 0 || meta->i == 1);
    if (meta->type == WLK_META_UINT) FUZZ_CHECK(5, meta->u > INT64_MAX);
}

void oracle_metadata(const wlk_model *model) {
    level stack[MOST_DEPTH] = {{.left = UINT64_MAX, .path = ""}};
    uint32_t top = 0;
    const uint32_t count = wlk_model_count(model, WLK_SECTION_METADATA);
    for (uint32_t i = 0; i < count; i++) {
        const wlk_meta meta = wlk_model_meta(model, i);
        while (stack[top].left == 0) top--;
        oracle_text(meta.path);
        check_path(&stack[top], meta.path);
        check_value(&meta);
        if (i % FIND_STEP == 0) FUZZ_CHECK(5, wlk_model_find_meta(model, meta.path) == i);
        stack[top].left--;
        stack[top].next++;
        if (meta.type != WLK_META_ARRAY && meta.type != WLK_META_MAP) continue;
        FUZZ_CHECK(7, ++top < MOST_DEPTH);
        stack[top] = (level){(uint64_t)meta.i, 0, meta.path, meta.type == WLK_META_ARRAY};
    }
    for (; top > 0; top--) FUZZ_CHECK(5, stack[top].left == 0);
}
