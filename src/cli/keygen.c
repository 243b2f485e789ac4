#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define PATH_BYTES 4096
#define PASSWORD_BYTES 1024

static const char *value_or(const cli *c, option_id id, const char *standard) {
    return c->options.value[id] ? c->options.value[id] : standard;
}

/* mkdir -p, for the user alone. */
static wlk_status make_folder(const char *folder, wlk_error *error) {
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/", folder) >= sizeof path) {
        return error_errno(error, RULE_TRUST_KEY_WRITE, ENAMETOOLONG, folder);
    }
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
    if (in >= 0) (void)close(in);
    if (size <= 0) return error_errno(error, RULE_TRUST_KEY_READ, errno, from);
    const int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out < 0) return error_errno(error, RULE_TRUST_KEY_WRITE, errno, path);
    const bool written = write(out, text, (size_t)size) == size;
    if (close(out) == 0 && written) return WLK_OK;
    const int reason = errno;
    (void)unlink(path);
    return error_errno(error, RULE_TRUST_KEY_WRITE, reason, path);
}

/* Puts the public key into the trust folder under its own name; path says where. */
static wlk_status trust_key(const cli *c, const char *public_path, char path[PATH_BYTES],
                            wlk_error *error) {
    char folder[PATH_BYTES];
    if (c->options.value[OPTION_TRUST]) {
        (void)snprintf(folder, sizeof folder, "%s", c->options.value[OPTION_TRUST]);
    } else {
        TRY(wlk_trust_folder(folder, sizeof folder, error));
    }
    TRY(make_folder(folder, error));
    const char *slash = strrchr(public_path, '/');
    const char *name = slash ? slash + 1 : public_path;
    const size_t length = strlen(name);
    const bool suffixed = length > 4 && strcmp(name + length - 4, ".pub") == 0;
    if ((size_t)snprintf(path, PATH_BYTES, "%s/%s%s", folder, name, suffixed ? "" : ".pub") >=
        PATH_BYTES) {
        return error_errno(error, RULE_TRUST_KEY_WRITE, ENAMETOOLONG, folder);
    }
    return copy_key(public_path, path, error);
}

static wlk_status generate(const cli *c, const char *secret, const char *public_path,
                           wlk_public_key *key, wlk_error *error) {
    if (option_given(&c->options, OPTION_UNENCRYPTED)) {
        return wlk_keygen(secret, public_path, NULL, key, error);
    }
    char password[PASSWORD_BYTES];
    wlk_status status = cli_password(c, "Password for the secret key: ", true, password,
                                     sizeof password, error);
    if (status == WLK_OK) status = wlk_keygen(secret, public_path, password, key, error);
    sodium_memzero(password, sizeof password);
    return status;
}

static void report(const cli *c, const char *id, const char *secret, const char *public_path,
                   const char *trusted) {
    if (option_given(&c->options, OPTION_JSON)) {
        cli_print_json(json_pack("{s:s, s:o, s:o, s:o}", "key", id, "secret", cli_json_text(secret),
                                 "public", cli_json_text(public_path), "trusted",
                                 cli_json_text(trusted)),
                       false);
        return;
    }
    (void)printf("key %s: secret in ", id);
    cli_print_safe(secret);
    (void)printf(", public in ");
    cli_print_safe(public_path);
    (void)printf(", trusted by ");
    cli_print_safe(trusted);
    (void)putchar('\n');
}

int verb_keygen(const cli *c) {
    const char *secret = value_or(c, OPTION_SECRET, "weighlock.key");
    const char *public_path = value_or(c, OPTION_PUBLIC, "weighlock.pub");
    char trusted[PATH_BYTES], id[WLK_KEY_ID_TEXT_BYTES];
    wlk_public_key key;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = generate(c, secret, public_path, &key, &error);
    if (status == WLK_OK) status = trust_key(c, public_path, trusted, &error);
    if (status != WLK_OK) return cli_fail(c, NULL, &error);
    wlk_key_id_text(key.id, id);
    report(c, id, secret, public_path, trusted);
    return WLK_OK;
}
