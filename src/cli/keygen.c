#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keyring.h"
#include "trust/trust_set.h"

#define SUFFIX ".pub"

/* What is made, and where. */
typedef struct key_places {
    const char *secret;
    const char *public;
    char name[WLK_KEY_NAME_BYTES]; /* what the key is called */
    keyring folder;                /* where it is trusted */
} key_places;

static const char *value_or(const cli *c, option_id id, const char *standard) {
    return c->options.value[id] ? c->options.value[id] : standard;
}

/* ---- before anything is made */

/* The name of the public key's file without folder and suffix. */
static wlk_status key_name(const char *public_path, char name[WLK_KEY_NAME_BYTES],
                           wlk_error *error) {
    const char *slash = strrchr(public_path, '/');
    const char *base = slash ? slash + 1 : public_path;
    size_t length = strlen(base);
    const size_t stem = length - (length >= strlen(SUFFIX) ? strlen(SUFFIX) : 0);
    if (strcmp(base + stem, SUFFIX) == 0) length = stem;
    if (length < WLK_KEY_NAME_BYTES) {
        (void)snprintf(name, WLK_KEY_NAME_BYTES, "%.*s", (int)length, base);
        return WLK_OK;
    }
    return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%.100s", base);
}

/* A name that the trust folder would not take would spoil the folder, and one that
 * begins with a dot would not be looked at. */
static wlk_status check_name(const char *name, wlk_error *error) {
    if (name[0] != '.') return trust_check_name(name, error);
    return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s begins with a dot", name);
}

static wlk_status check_free(const char *path, wlk_error *error) {
    struct stat info;
    if (lstat(path, &info) != 0) return WLK_OK; /* other errors come when it is written */
    return error_text(error, RULE_TRUST_KEY_EXISTS, WLK_NO_OFFSET, "%s", path);
}

/* Finds the places and refuses what would fail later, before a password is asked
 * for. */
static wlk_status choose_places(const cli *c, key_places *places, wlk_error *error) {
    places->secret = value_or(c, OPTION_SECRET, "weighlock.key");
    places->public = value_or(c, OPTION_PUBLIC, "weighlock.pub");
    TRY(key_name(places->public, places->name, error));
    TRY(check_name(places->name, error));
    TRY(keyring_choose(c, &places->folder, error));
    TRY(keyring_check_free(&places->folder, places->name, error));
    TRY(check_free(places->secret, error));
    return check_free(places->public, error);
}

/* ---- making it */

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

static wlk_status trust_it(key_places *places, const wlk_public_key *key, wlk_error *error) {
    wlk_trusted_key trusted = {
        .key = *key, .valid_from = INT64_MIN, .valid_until = INT64_MAX, .revoked = INT64_MAX};
    (void)snprintf(trusted.name, sizeof trusted.name, "%s", places->name);
    return keyring_add(&places->folder, &trusted, error);
}

/* All three files, or none. */
static wlk_status make_all(const cli *c, key_places *places, wlk_public_key *key,
                           wlk_error *error) {
    TRY(make_pair(c, places, key, error));
    const wlk_status status = trust_it(places, key, error);
    if (status == WLK_OK) return WLK_OK;
    (void)unlink(places->secret);
    (void)unlink(places->public);
    return status;
}

/* ---- the verb */

static void report(const cli *c, const wlk_public_key *key, const key_places *places) {
    char id[WLK_KEY_ID_TEXT_BYTES], trusted[PATH_MAX + WLK_KEY_NAME_BYTES + 8];
    wlk_key_id_text(key->id, id);
    (void)snprintf(trusted, sizeof trusted, "%s/%s" SUFFIX, places->folder.path, places->name);
    if (!cli_json(c)) {
        (void)printf("key %s: secret in ", id);
        cli_print_safe(places->secret);
        (void)printf(", public in ");
        cli_print_safe(places->public);
        (void)printf(", trusted by ");
        cli_print_safe(trusted);
        (void)putchar('\n');
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "key", id);
    json_pair_text(&j, "secret", places->secret);
    json_pair_text(&j, "public", places->public);
    json_pair_text(&j, "trusted", trusted);
    json_end_map(&j);
    (void)putchar('\n');
}

int verb_keygen(const cli *c) {
    key_places places = {0};
    wlk_public_key key;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = choose_places(c, &places, &error);
    if (status == WLK_OK) status = make_all(c, &places, &key, &error);
    if (status == WLK_OK) {
        report(c, &key, &places);
    } else {
        (void)cli_fail(c, NULL, &error);
    }
    keyring_close(&places.folder);
    return (int)status;
}
