#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "trust/key_text.h"
#include "trust/trust_set.h"

#define PATH_BYTES 4096
#define SUFFIX ".pub"

/* What is made, and where. */
typedef struct key_places {
    const char *secret;
    const char *public;
    char folder[PATH_BYTES];  /* the trust folder */
    char trusted[PATH_BYTES]; /* the copy of the public key in it */
} key_places;

static const char *value_or(const cli *c, option_id id, const char *standard) {
    return c->options.value[id] ? c->options.value[id] : standard;
}

/* ---- before anything is made */

static wlk_status too_long(const char *path, wlk_error *error) {
    return error_errno(error, RULE_TRUST_KEY_WRITE, ENAMETOOLONG, path);
}

/* The name of the public key without folder and suffix. */
static wlk_status key_name(const char *public_path, char *name, size_t size, wlk_error *error) {
    const char *slash = strrchr(public_path, '/');
    const int length = snprintf(name, size, "%s", slash ? slash + 1 : public_path);
    if (length < 0 || (size_t)length >= size) return too_long(public_path, error);
    const size_t stem = strlen(name) - (strlen(name) >= strlen(SUFFIX) ? strlen(SUFFIX) : 0);
    if (strcmp(name + stem, SUFFIX) == 0) name[stem] = '\0';
    return WLK_OK;
}

/* A name that the trust folder would not take would spoil the folder, and one that
 * begins with a dot would not be looked at. */
static wlk_status check_name(const char *name, wlk_error *error) {
    const size_t length = strlen(name);
    if (name[0] == '.') {
        return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s begins with a dot", name);
    }
    const bool usable =
        length > 0 && length < TRUST_NAME_BYTES && text_is_printable((const uint8_t *)name, length);
    return usable ? WLK_OK : error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s", name);
}

/* A trust folder that is there must be sound, and ours to write to. */
static wlk_status check_folder(const char *folder, wlk_error *error) {
    struct stat info;
    wlk_trust *trust;
    if (lstat(folder, &info) != 0 && errno == ENOENT) return WLK_OK;
    TRY(wlk_trust_open(folder, &trust, error));
    wlk_trust_free(trust);
    if (access(folder, W_OK | X_OK) == 0) return WLK_OK;
    return error_errno(error, RULE_TRUST_KEY_WRITE, errno, folder);
}

static wlk_status check_free(const char *path, wlk_error *error) {
    struct stat info;
    if (lstat(path, &info) != 0) return WLK_OK; /* other errors come when it is written */
    return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s", path);
}

/* Finds the places and refuses what would fail later, before a password is asked
 * for. */
static wlk_status choose_places(const cli *c, key_places *places, wlk_error *error) {
    char name[256];
    places->secret = value_or(c, OPTION_SECRET, "weighlock.key");
    places->public = value_or(c, OPTION_PUBLIC, "weighlock.pub");
    TRY(key_name(places->public, name, sizeof name, error));
    TRY(check_name(name, error));
    const char *named = c->options.value[OPTION_TRUST];
    if (!named) TRY(wlk_trust_folder(places->folder, sizeof places->folder, error));
    if (named && (size_t)snprintf(places->folder, PATH_BYTES, "%s", named) >= PATH_BYTES) {
        return too_long(named, error);
    }
    TRY(check_folder(places->folder, error));
    const int length = snprintf(places->trusted, PATH_BYTES, "%s/%s" SUFFIX, places->folder, name);
    if (length < 0 || length >= PATH_BYTES) return too_long(places->folder, error);
    TRY(check_free(places->secret, error));
    TRY(check_free(places->public, error));
    return check_free(places->trusted, error);
}

/* ---- making it */

/* mkdir -p. Others may read the folder, but not change it. */
static wlk_status make_folder(const char *folder, wlk_error *error) {
    char path[PATH_BYTES + 1];
    (void)snprintf(path, sizeof path, "%s/", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
        }
        *slash = '/';
    }
    return WLK_OK;
}

/* Copies the public key file, whose few bytes we have just written, to `path`,
 * which must not exist. */
static wlk_status copy_key(const char *from, const char *path, wlk_error *error) {
    char text[1024];
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const ssize_t size = in < 0 ? -1 : read(in, text, sizeof text);
    const int unread = errno;
    if (in >= 0) (void)close(in);
    if (size < 0) return error_errno(error, RULE_TRUST_KEY_READ, unread, from);
    const int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out < 0) return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
    const bool written = write(out, text, (size_t)size) == size;
    const int unwritten = errno;
    if (close(out) == 0 && written) return WLK_OK;
    (void)unlink(path);
    return error_errno(error, RULE_TRUST_KEY_WRITE, written ? errno : unwritten, path);
}

static wlk_status make_pair(const cli *c, const key_places *places, wlk_public_key *key,
                            wlk_error *error) {
    if (option_given(&c->options, OPTION_UNENCRYPTED)) {
        return wlk_keygen(places->secret, places->public, NULL, key, error);
    }
    char password[CLI_PASSWORD_BYTES];
    wlk_status status = cli_password(c, "Password for the secret key: ", true, password, error);
    if (status == WLK_OK) {
        status = wlk_keygen(places->secret, places->public, password, key, error);
    }
    sodium_memzero(password, sizeof password);
    return status;
}

/* All three files, or none. */
static wlk_status make_all(const cli *c, const key_places *places, wlk_public_key *key,
                           wlk_error *error) {
    TRY(make_pair(c, places, key, error));
    wlk_status status = make_folder(places->folder, error);
    if (status == WLK_OK) status = copy_key(places->public, places->trusted, error);
    if (status == WLK_OK) return WLK_OK;
    (void)unlink(places->secret);
    (void)unlink(places->public);
    return status;
}

/* ---- the verb */

static void report(const cli *c, const wlk_public_key *key, const key_places *places) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(key->id, id);
    if (!cli_json(c)) {
        (void)printf("key %s: secret in ", id);
        cli_print_safe(places->secret);
        (void)printf(", public in ");
        cli_print_safe(places->public);
        (void)printf(", trusted by ");
        cli_print_safe(places->trusted);
        (void)putchar('\n');
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "key", id);
    json_pair_text(&j, "secret", places->secret);
    json_pair_text(&j, "public", places->public);
    json_pair_text(&j, "trusted", places->trusted);
    json_end_map(&j);
    (void)putchar('\n');
}

int verb_keygen(const cli *c) {
    key_places places;
    wlk_public_key key;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = choose_places(c, &places, &error);
    if (status == WLK_OK) status = make_all(c, &places, &key, &error);
    if (status != WLK_OK) return cli_fail(c, NULL, &error);
    report(c, &key, &places);
    return WLK_OK;
}
