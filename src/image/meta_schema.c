#include "image/meta_schema.h"

#include <string.h>

typedef struct schema_row {
    wlk_meta_type type;
    wlk_meta_type element; /* 0: any */
} schema_row;

static const char *const top_keys[] = {"created", "kind",     "metadata",
                                       "name",    "producer", "version"};
static const schema_row top_rows[] = {
    {WLK_META_STRING, 0}, {WLK_META_STRING, 0}, {WLK_META_MAP, 0},
    {WLK_META_STRING, 0}, {WLK_META_STRING, 0}, {WLK_META_STRING, 0},
};
static const char *const metadata_keys[] = {"hyperparameters", "libraries", "metrics",
                                            "source",          "tags",      "training"};
static const schema_row metadata_rows[] = {
    {WLK_META_MAP, 0}, {WLK_META_MAP, WLK_META_STRING},   {WLK_META_MAP, 0},
    {WLK_META_MAP, 0}, {WLK_META_ARRAY, WLK_META_STRING}, {WLK_META_MAP, 0},
};

#define TOP_COUNT (sizeof top_keys / sizeof *top_keys)
#define METADATA_COUNT (sizeof metadata_keys / sizeof *metadata_keys)

static const schema_row *find(const char *const *keys, const schema_row *rows, size_t count,
                              const char *key, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(keys[i]) == length && memcmp(keys[i], key, length) == 0) return &rows[i];
    }
    return NULL;
}

static bool is_extension(const char *key) {
    return key[0] == 'x' && key[1] == '-';
}

/* An entry of /metadata; `key` is what stands behind "/metadata/". */
static bool metadata_allows(const char *key, wlk_meta_type type) {
    if (is_extension(key)) return true;
    const size_t length = strcspn(key, "/");
    const schema_row *row = find(metadata_keys, metadata_rows, METADATA_COUNT, key, length);
    if (!row) return false;
    if (key[length] == '\0') return type == row->type;
    return row->element == 0 || type == row->element;
}

bool meta_schema_allows(const char *path, wlk_meta_type type) {
    const char *key = path + 1; /* behind the first slash */
    if (is_extension(key)) return true;
    const size_t length = strcspn(key, "/");
    const schema_row *row = find(top_keys, top_rows, TOP_COUNT, key, length);
    if (!row) return false;
    if (key[length] == '\0') return type == row->type;
    return row->type == WLK_META_MAP && metadata_allows(key + length + 1, type);
}

const char *const *meta_schema_keys(const char *path, size_t *count) {
    *count = 0;
    if (path[0] == '\0') {
        *count = TOP_COUNT;
        return top_keys;
    }
    if (strcmp(path, "/metadata") != 0) return NULL;
    *count = METADATA_COUNT;
    return metadata_keys;
}
