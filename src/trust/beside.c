/* The signatures that lie beside a file: FILE.minisig, FILE.KEYID.minisig. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include <weighlock/trust.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct signature_list {
    wlk_signature *items;
    uint32_t count;
    uint32_t capacity;
} signature_list;

static void drop(signature_list *list) {
    mem_free(list->items);
}

static wlk_status make_room(signature_list *list, wlk_error *error) {
    if (list->count < list->capacity) return WLK_OK;
    const uint32_t capacity = list->capacity ? list->capacity * 2 : 1;
    wlk_signature *items = mem_resize_array(list->items, capacity, sizeof *items);
    if (!items) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    list->items = items;
    list->capacity = capacity;
    return WLK_OK;
}

/* A name that is too long for a file is that of none, and so is one below what is no
 * folder: there the file itself is not either. */
static wlk_status is_there(const char *path, bool *there, wlk_error *error) {
    struct stat status;
    *there = lstat(path, &status) == 0;
    if (*there || errno == ENOENT || errno == ENAMETOOLONG) return WLK_OK;
    if (errno == ENOTDIR || errno == ELOOP) return WLK_OK;
    return error_errno(error, RULE_TRUST_SIGNATURE_READ, errno, path);
}

/* Adds FILE.ID.minisig if it is there; id is "" for FILE.minisig. */
static wlk_status add(const char *file, const char *id, signature_list *list, wlk_error *error) {
    char path[PATH_MAX];
    bool there;
    const int length = snprintf(path, sizeof path, "%s%s%s.minisig", file, id[0] ? "." : "", id);
    if ((size_t)length >= sizeof path) return WLK_OK; /* see is_there */
    TRY(is_there(path, &there, error));
    if (!there) return WLK_OK;
    TRY(make_room(list, error));
    return wlk_signature_load(path, &list->items[list->count++], error);
}

wlk_status wlk_signatures_beside(const char *file, const wlk_trust *trust, wlk_signature **list,
                                 uint32_t *count, wlk_error *error) {
    __attribute__((cleanup(drop))) signature_list found = {0};
    *list = NULL;
    *count = 0;
    TRY(add(file, "", &found, error));
    for (uint32_t i = 0; i < wlk_trust_count(trust); i++) {
        char id[WLK_KEY_ID_TEXT_BYTES];
        const wlk_trusted_key key = wlk_trust_key(trust, i);
        wlk_key_id_text(key.key.id, id);
        TRY(add(file, id, &found, error));
    }
    *list = found.items;
    *count = found.count;
    found.items = NULL;
    return WLK_OK;
}
