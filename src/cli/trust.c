#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/keyring.h"

/* ---- showing keys */

static void print_key(const wlk_trusted_key *key, int64_t now) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    const key_dates dates = key_dates_of(key);
    wlk_key_id_text(key->key.id, id);
    (void)printf("%s  %-7s  %-10s  %-10s  %-10s  ", id, key_state(key, now), dates.from,
                 dates.until, dates.revoked);
    cli_print_safe(key->name);
    (void)putchar('\n');
}

static void print_keys(const keyring *folder) {
    const uint32_t count = wlk_trust_count(folder->trust);
    cli_print_safe(folder->path);
    (void)printf(": %" PRIu32 " key%s\n", count, count == 1 ? "" : "s");
    if (count == 0) return;
    (void)printf("%-16s  %-7s  %-10s  %-10s  %-10s  %s\n", "number", "state", "from", "until",
                 "revoked", "name");
    for (uint32_t i = 0; i < count; i++) {
        const wlk_trusted_key key = wlk_trust_key(folder->trust, i);
        print_key(&key, folder->now);
    }
}

static void json_date(json_out *j, const char *name, const char *date) {
    json_key(j, name);
    if (strcmp(date, "-") == 0) {
        json_put_null(j);
    } else {
        json_text(j, date);
    }
}

static void json_one_key(json_out *j, const wlk_trusted_key *key, int64_t now) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    const key_dates dates = key_dates_of(key);
    const int64_t left = key_days_left(key, now);
    wlk_key_id_text(key->key.id, id);
    json_pair_text(j, "name", key->name);
    json_pair_text(j, "key", id);
    json_pair_text(j, "state", key_state(key, now));
    json_date(j, "valid_from", dates.from);
    json_date(j, "valid_until", dates.until);
    json_date(j, "revoked", dates.revoked);
    json_key(j, "days_left");
    if (left < 0) {
        json_put_null(j);
    } else {
        json_signed(j, left);
    }
    json_key(j, "ends_soon");
    json_bool(j, key_ends_soon(key, now));
}

/* The folder's keys as one object; an error, if there is one, is a part of it. */
static void json_keys(const keyring *folder, wlk_status status, const wlk_error *error) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    if (status == WLK_OK) {
        json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    } else {
        cli_json_refusal(&j, NULL, error);
    }
    json_pair_text(&j, "folder", folder->path);
    json_key(&j, "keys");
    json_begin_list(&j, JSON_LINES);
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        const wlk_trusted_key key = wlk_trust_key(folder->trust, i);
        json_begin_map(&j, JSON_FLAT);
        json_one_key(&j, &key, folder->now);
        json_end_map(&j);
    }
    json_end_list(&j);
    json_end_map(&j);
    (void)putchar('\n');
}

/* The one key that a verb has changed. */
static void report_change(const cli *c, const keyring *folder, const wlk_trusted_key *key,
                          const char *what) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    if (cli_json(c)) {
        json_out j = json_out_to(stdout, JSON_FLAT);
        json_begin_map(&j, JSON_FLAT);
        json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
        json_pair_text(&j, "folder", folder->path);
        json_one_key(&j, key, folder->now);
        json_end_map(&j);
        (void)putchar('\n');
        return;
    }
    wlk_key_id_text(key->key.id, id);
    cli_print_safe(folder->path);
    (void)printf(": %s ", what);
    cli_print_safe(key->name);
    (void)printf(" (key %s)\n", id);
}

static int finish(const cli *c, keyring *folder, wlk_status status, const wlk_error *error) {
    if (status != WLK_OK) (void)cli_fail(c, NULL, error);
    keyring_close(folder);
    return (int)status;
}

/* ---- trust add */

/* --until names the last day on which the key counts. */
static wlk_status set_dates(const cli *c, wlk_trusted_key *key, wlk_error *error) {
    const char *from = c->options.value[OPTION_FROM], *until = c->options.value[OPTION_UNTIL];
    if (from) TRY(wlk_date_parse(from, &key->valid_from, error));
    if (until) {
        TRY(wlk_date_parse(until, &key->valid_until, error));
        key->valid_until += KEY_DAY_SECONDS;
    }
    if (key->valid_from < key->valid_until) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "the key would end before it begins");
}

static wlk_status set_name(const cli *c, wlk_trusted_key *key, wlk_error *error) {
    const char *name = c->options.value[OPTION_NAME];
    if (!name) return WLK_OK;
    const int size = snprintf(key->name, sizeof key->name, "%s", name);
    if (size >= 0 && (size_t)size < sizeof key->name) return WLK_OK;
    return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%.100s", name);
}

static wlk_status add(const cli *c, keyring *folder, wlk_trusted_key *key, wlk_error *error) {
    TRY(wlk_trusted_key_load(c->options.operands[0], key, error));
    TRY(set_name(c, key, error));
    TRY(set_dates(c, key, error));
    TRY(keyring_choose(c, folder, error));
    return keyring_add(folder, key, error);
}

int verb_trust_add(const cli *c) {
    keyring folder = {0};
    wlk_trusted_key key;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = add(c, &folder, &key, &error);
    if (status == WLK_OK) report_change(c, &folder, &key, "added");
    return finish(c, &folder, status, &error);
}

/* ---- trust list */

static wlk_status open_chosen(const cli *c, keyring *folder, wlk_error *error) {
    TRY(keyring_choose(c, folder, error));
    return keyring_open(folder, error);
}

int verb_trust_list(const cli *c) {
    keyring folder = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = open_chosen(c, &folder, &error);
    if (status == WLK_OK && cli_json(c)) {
        json_keys(&folder, status, &error);
    } else if (status == WLK_OK) {
        print_keys(&folder);
    }
    return finish(c, &folder, status, &error);
}

/* ---- trust revoke */

static bool is_meant(const wlk_trusted_key *key, const char *name_or_number) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    wlk_key_id_text(key->key.id, id);
    return strcmp(key->name, name_or_number) == 0 || strcasecmp(id, name_or_number) == 0;
}

/* The key is shown as the folder has it now. */
static wlk_status revoke(const cli *c, keyring *folder, wlk_trusted_key *key, wlk_error *error) {
    const char *meant = c->options.operands[0];
    TRY(keyring_choose(c, folder, error));
    TRY(wlk_trust_folder_revoke(folder->path, meant, folder->now, error));
    TRY(keyring_open(folder, error));
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        *key = wlk_trust_key(folder->trust, i);
        if (is_meant(key, meant)) return WLK_OK;
    }
    return error_text(error, RULE_TRUST_KEY_MISSING, WLK_NO_OFFSET, "%.100s", meant);
}

int verb_trust_revoke(const cli *c) {
    keyring folder = {0};
    wlk_trusted_key key = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = revoke(c, &folder, &key, &error);
    if (status == WLK_OK) report_change(c, &folder, &key, "revoked");
    return finish(c, &folder, status, &error);
}

/* ---- trust check */

static void print_warnings(const keyring *folder) {
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        const wlk_trusted_key key = wlk_trust_key(folder->trust, i);
        const int64_t left = key_days_left(&key, folder->now);
        if (!key_ends_soon(&key, folder->now)) continue;
        (void)printf("warning: ");
        cli_print_safe(key.name);
        (void)printf(" counts for %" PRId64 " more day%s\n", left, left == 1 ? "" : "s");
    }
}

/* A folder in which no key counts vouches for nothing. */
static wlk_status check(const cli *c, keyring *folder, wlk_error *error) {
    TRY(open_chosen(c, folder, error));
    for (uint32_t i = 0; i < wlk_trust_count(folder->trust); i++) {
        const wlk_trusted_key key = wlk_trust_key(folder->trust, i);
        if (key_counts(&key, folder->now)) return WLK_OK;
    }
    return error_text(error, RULE_TRUST_NO_KEY, WLK_NO_OFFSET, "%s", folder->path);
}

int verb_trust_check(const cli *c) {
    keyring folder = {0};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = check(c, &folder, &error);
    if (folder.trust && cli_json(c)) {
        json_keys(&folder, status, &error);
        keyring_close(&folder);
        return (int)status;
    }
    if (folder.trust) {
        print_keys(&folder);
        print_warnings(&folder);
    }
    return finish(c, &folder, status, &error);
}
