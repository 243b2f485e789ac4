/* Changing a trust folder: one key is added, or marked as revoked, in one step. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weighlock/trust.h>

#include "trust/folder.h"
#include "trust/key_file.h"
#include "trust/key_folder.h"
#include "trust/public_key.h"
#include "trust/put_file.h"
#include "trust/ready.h"
#include "trust/trust_set.h"
#include "trust/trusted_key.h"

#define KEY_FOLDER __attribute__((cleanup(key_folder_close))) key_folder

static void free_set(wlk_trust **trust) {
    wlk_trust_free(*trust);
}

typedef struct folder_path {
    char text[PATH_MAX];
} folder_path;

static wlk_status choose(const char *directory, folder_path *path, wlk_error *error) {
    if (!directory) return wlk_trust_folder(path->text, sizeof path->text, error);
    const int length = snprintf(path->text, sizeof path->text, "%s", directory);
    if (length > 0 && (size_t)length < sizeof path->text) return WLK_OK;
    return error_errno(error, RULE_TRUST_FOLDER_READ, length > 0 ? ENAMETOOLONG : ENOENT,
                       directory);
}

/* ---- adding */

/* The name becomes that of a file, which the folder's reader must find again. */
static wlk_status check_file_name(const char *name, wlk_error *error) {
    TRY(trust_check_name(name, error));
    if (name[0] != '.' && !strchr(name, '/')) return WLK_OK;
    return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s", name);
}

/* Others may read the folder, but not change it. *made: it was not there. */
static wlk_status make_folder(const char *path, bool *made, wlk_error *error) {
    *made = mkdir(path, 0755) == 0;
    if (*made || errno == EEXIST) return WLK_OK;
    return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
}

/* Would the folder be as good as before with this key in it? */
static wlk_status check_fits(const key_folder *folder, const wlk_trusted_key *key,
                             wlk_error *error) {
    __attribute__((cleanup(free_set))) wlk_trust *set = NULL;
    TRY(wlk_trust_new(&set, error));
    TRY(key_folder_load(folder, set, error));
    const uint32_t before = wlk_trust_count(set);
    TRY(wlk_trust_add_key(set, key, error));
    if (wlk_trust_count(set) > before) return WLK_OK;
    return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s is in %s as %s", key->name,
                      folder->path, trust_find(set, key->key.id)->name);
}

static wlk_status put(const key_folder *folder, const char *file, put_kind kind,
                      const uint8_t *text, uint64_t length, wlk_error *error) {
    const key_path shown = key_folder_path(folder, file);
    const put_place place = {
        .folder = dirfd(folder->entries), .name = file, .shown = shown.text, .kind = kind};
    return put_file(&place, 0644, text, length, error);
}

/* Into a folder that is there. */
static wlk_status add(const char *path, const wlk_trusted_key *key, const uint8_t *text,
                      uint64_t length, wlk_error *error) {
    char file[WLK_KEY_NAME_BYTES + TRUSTED_KEY_SUFFIX_BYTES];
    KEY_FOLDER folder = {.path = path};
    TRY(key_folder_open(&folder, false, error));
    TRY(check_fits(&folder, key, error));
    (void)snprintf(file, sizeof file, "%s" TRUSTED_KEY_SUFFIX, key->name);
    return put(&folder, file, PUT_KEY, text, length, error);
}

wlk_status wlk_trust_folder_add(const char *directory, const wlk_trusted_key *key,
                                wlk_error *error) {
    folder_path path;
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    bool made;
    TRY(sodium_ready(error));
    TRY(check_file_name(key->name, error));
    TRY(public_key_check(&key->key, key->name, error));
    TRY(trusted_key_encode(key, text, &length, error));
    TRY(choose(directory, &path, error));
    TRY(make_folder(path.text, &made, error));
    const wlk_status status = add(path.text, key, text, length, error);
    if (status != WLK_OK && made) (void)rmdir(path.text); /* unless there is something in it */
    return status;
}

/* ---- revoking */

static bool is_named(const char *file, const char *name) {
    const size_t length = strlen(name);
    return strncmp(file, name, length) == 0 && strcmp(file + length, TRUSTED_KEY_SUFFIX) == 0;
}

static bool is_number(const char *text) {
    return strlen(text) == WLK_KEY_ID_TEXT_BYTES - 1 &&
           strspn(text, "0123456789abcdefABCDEF") == WLK_KEY_ID_TEXT_BYTES - 1;
}

static bool has_number(const wlk_trusted_key *key, const char *number) {
    char text[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(key->key.id, text);
    return strcasecmp(text, number) == 0;
}

/* The name of the file: a name goes before a number that looks like it. */
static wlk_status find_file(const key_folder *folder, const char *name_or_number, const char **file,
                            wlk_error *error) {
    for (uint32_t i = 0; i < folder->count; i++) {
        *file = folder->names[i].text;
        if (is_named(*file, name_or_number)) return WLK_OK;
    }
    for (uint32_t i = 0; is_number(name_or_number) && i < folder->count; i++) {
        wlk_trusted_key key;
        *file = folder->names[i].text;
        TRY(key_folder_read(folder, *file, &key, error));
        if (has_number(&key, name_or_number)) return WLK_OK;
    }
    return error_text(error, RULE_TRUST_KEY_MISSING, WLK_NO_OFFSET, "%s in %s", name_or_number,
                      folder->path);
}

/* The file's text stays as it is, but for the line that comes last. */
static wlk_status revoke_file(const key_folder *folder, const char *file, int64_t when,
                              wlk_error *error) {
    const key_path shown = key_folder_path(folder, file);
    const key_source source = {.folder = dirfd(folder->entries),
                               .name = file,
                               .shown = shown.text,
                               .access = KEY_IN_FOLDER};
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    wlk_trusted_key key;
    TRY(key_file_read(&source, text, &length, error));
    TRY(trusted_key_parse(shown.text, text, length, &key, error));
    if (key.revoked != INT64_MAX) return WLK_OK;
    TRY(trusted_key_revoke(shown.text, when, text, &length, error));
    return put(folder, file, PUT_KEY_AGAIN, text, length, error);
}

wlk_status wlk_trust_folder_revoke(const char *directory, const char *name_or_number, int64_t when,
                                   wlk_error *error) {
    folder_path path;
    const char *file = NULL;
    TRY(choose(directory, &path, error));
    KEY_FOLDER folder = {.path = path.text};
    TRY(key_folder_open(&folder, false, error));
    TRY(find_file(&folder, name_or_number, &file, error));
    return revoke_file(&folder, file, when, error);
}
