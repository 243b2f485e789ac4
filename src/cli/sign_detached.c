#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/utf8.h"
#include "cli/sign.h"

#define SUFFIX ".minisig"

/* ---- where it goes */

/* A .wlk file may have several signatures beside it, each named by its key. */
static wlk_status choose_path(const signing *s, const wlk_public_key *signer, char path[PATH_MAX],
                              wlk_error *error) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(signer->id, id);
    const int size = s->out ? snprintf(path, PATH_MAX, "%s", s->out)
                            : snprintf(path, PATH_MAX, "%s%s%s" SUFFIX, s->file,
                                       s->native ? "." : "", s->native ? id : "");
    if (size > 0 && size < PATH_MAX) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "the name is too long: %.100s",
                      s->out ? s->out : s->file);
}

/* It would be replaced by its signature. */
static wlk_status check_other(const signing *s, wlk_error *error) {
    struct stat file, out;
    if (!s->out || stat(s->out, &out) != 0 || stat(s->file, &file) != 0) return WLK_OK;
    if (out.st_dev != file.st_dev || out.st_ino != file.st_ino) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "--output %.100s is the file that is signed", s->out);
}

/* ---- what it says */

/* As minisign has it, if nothing else is asked for. */
static void usual_comment(const signing *s, char comment[WLK_COMMENT_BYTES]) {
    char name[NAME_MAX + 1];
    const char *slash = strrchr(s->file, '/');
    (void)snprintf(name, sizeof name, "%s", slash ? slash + 1 : s->file);
    utf8_make_harmless(name);
    (void)snprintf(comment, WLK_COMMENT_BYTES, "timestamp:%lld\tfile:%s\thashed",
                   (long long)time(NULL), name);
}

static wlk_status make(const signing *s, wlk_public_key *signer, wlk_signature *signature,
                       wlk_error *error) {
    char usual[WLK_COMMENT_BYTES];
    const char *comment = s->c->options.value[OPTION_COMMENT];
    wlk_secret_key *key = NULL;
    if (!comment) usual_comment(s, usual);
    TRY(cli_secret_key(s->c, s->c->options.value[OPTION_SECRET], &key, error));
    wlk_secret_key_public(key, signer);
    const wlk_status status = wlk_sign_detached(s->copy.data, s->copy.size, key,
                                                comment ? comment : usual, signature, error);
    wlk_secret_key_free(key);
    return status;
}

/* ---- all of it */

static void report(const signing *s, const char *path, const wlk_public_key *signer,
                   const wlk_signature *signature) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(signer->id, id);
    if (!cli_json(s->c)) {
        cli_print_safe(path);
        (void)printf(": wrote the signature of ");
        cli_print_safe(s->file);
        (void)printf(" with key %s\n", id);
        return;
    }
    json_out j = json_out_to(stdout, JSON_FLAT);
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", s->file);
    json_pair_text(&j, "signature", path);
    json_pair_text(&j, "key", id);
    json_pair_text(&j, "trusted_comment", signature->trusted_comment);
    json_end_map(&j);
    (void)putchar('\n');
}

wlk_status sign_detached(const signing *s, wlk_error *error) {
    char path[PATH_MAX];
    wlk_public_key signer;
    wlk_signature signature;
    TRY(check_other(s, error));
    TRY(make(s, &signer, &signature, error));
    TRY(choose_path(s, &signer, path, error));
    TRY(wlk_signature_write(&signature, path, error));
    report(s, path, &signer, &signature);
    return WLK_OK;
}
