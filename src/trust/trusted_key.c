#include "trust/trusted_key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "trust/dates.h"
#include "trust/key_text.h"
#include "trust/public_key.h"
#include "trust/trust_set.h"

/* A line about a date. Files name days, the struct seconds: `behind` is what lies
 * between the day's first second and the one that is meant. */
typedef struct date_line {
    const char *prefix;
    size_t field; /* its place in wlk_trusted_key */
    int64_t none;
    int64_t behind;
} date_line;

#define DATE_LINES 3
static const date_line date_lines[DATE_LINES] = {
    {"valid-from: ", offsetof(wlk_trusted_key, valid_from), INT64_MIN, 0},
    {"valid-until: ", offsetof(wlk_trusted_key, valid_until), INT64_MAX, DAY_SECONDS},
    {"revoked: ", offsetof(wlk_trusted_key, revoked), INT64_MAX, 0},
};
#define REVOKED_LINE (&date_lines[2])

static int64_t *field_of(wlk_trusted_key *key, const date_line *line) {
    return (int64_t *)(void *)((uint8_t *)key + line->field);
}

/* ---- from text */

static bool begins_with(const cursor *line, const char *prefix) {
    const size_t length = strlen(prefix);
    return line->size >= length && memcmp(line->data, prefix, length) == 0;
}

static wlk_status take_date(const char *shown, const cursor *line, const date_line *row,
                            wlk_trusted_key *key, wlk_error *error) {
    const size_t prefix = strlen(row->prefix);
    int64_t day;
    if (!date_of(line->data + prefix, line->size - prefix, &day)) {
        return error_text(error, RULE_TRUST_KEY_DATE, line->base, "%s", shown);
    }
    *field_of(key, row) = day + row->behind;
    return WLK_OK;
}

/* Lines come in the order of the table, so that none can stand twice. */
static wlk_status take_dates(const char *shown, cursor *in, wlk_trusted_key *key,
                             wlk_error *error) {
    cursor line;
    uint32_t next = 0;
    while (text_take_line(in, &line)) {
        while (next < DATE_LINES && !begins_with(&line, date_lines[next].prefix)) next++;
        if (next == DATE_LINES) {
            return error_text(error, RULE_TRUST_KEY_TEXT, line.base,
                              "%s: neither valid-from, valid-until nor revoked, in this order",
                              shown);
        }
        TRY(take_date(shown, &line, &date_lines[next++], key, error));
    }
    return WLK_OK;
}

static wlk_status check_order(const char *shown, const wlk_trusted_key *key, wlk_error *error) {
    if (key->valid_from < key->valid_until) return WLK_OK;
    return error_text(error, RULE_TRUST_KEY_DATE, WLK_NO_OFFSET, "%s", shown);
}

wlk_status trusted_key_parse(const char *shown, const uint8_t *text, uint64_t length,
                             wlk_trusted_key *key, wlk_error *error) {
    cursor in = cursor_over(text, length, 0);
    for (uint32_t i = 0; i < DATE_LINES; i++) *field_of(key, &date_lines[i]) = date_lines[i].none;
    TRY(public_key_take(shown, &in, &key->key, error));
    TRY(take_dates(shown, &in, key, error));
    return check_order(shown, key, error);
}

/* ---- to text */

/* Appends the line. False if there is no room, or no such date. */
static bool append_date(const date_line *row, int64_t time, uint8_t text[KEY_FILE_MAX + 1],
                        uint64_t *length) {
    char date[DATE_CHARACTERS + 1];
    int64_t day;
    if (__builtin_sub_overflow(time, row->behind, &day)) return false;
    if (day < 0 || day >= DATES_END) return false;
    wlk_date_text(day, date);
    const uint64_t room = KEY_FILE_MAX + 1 - *length;
    const int put = snprintf((char *)text + *length, room, "%s%s\n", row->prefix, date);
    if ((uint64_t)put >= room) return false;
    *length += (uint64_t)put;
    return true;
}

/* Do the dates come back from a file as they are? */
static bool dates_exact(const wlk_trusted_key *key) {
    const bool from = key->valid_from == INT64_MIN || key->valid_from % DAY_SECONDS == 0;
    const bool until = key->valid_until == INT64_MAX || key->valid_until % DAY_SECONDS == 0;
    return from && until;
}

wlk_status trusted_key_encode(const wlk_trusted_key *key, uint8_t text[KEY_FILE_MAX + 1],
                              uint64_t *length, wlk_error *error) {
    wlk_trusted_key copy = *key;
    TRY(check_order(key->name, key, error));
    bool fits = dates_exact(key);
    *length = public_key_encode(&key->key, text);
    for (uint32_t i = 0; fits && i < DATE_LINES; i++) {
        const int64_t time = *field_of(&copy, &date_lines[i]);
        if (time != date_lines[i].none) fits = append_date(&date_lines[i], time, text, length);
    }
    return fits ? WLK_OK : error_text(error, RULE_TRUST_KEY_DATE, WLK_NO_OFFSET, "%s", key->name);
}

wlk_status trusted_key_revoke(const char *shown, int64_t when, uint8_t text[KEY_FILE_MAX + 1],
                              uint64_t *length, wlk_error *error) {
    wlk_trusted_key key;
    if (*length > 0 && *length < KEY_FILE_MAX && text[*length - 1] != '\n') {
        text[(*length)++] = '\n';
    }
    if (!append_date(REVOKED_LINE, when, text, length)) {
        return error_text(error, RULE_TRUST_KEY_DATE, WLK_NO_OFFSET, "%s", shown);
    }
    return trusted_key_parse(shown, text, *length, &key, error);
}

/* ---- files */

/* Names that do not end so, which a user may name, are taken whole. */
static wlk_status take_name(const char *file, wlk_trusted_key *key, wlk_error *error) {
    const char *slash = strrchr(file, '/');
    const char *last = slash ? slash + 1 : file;
    size_t length = strlen(last);
    if (length > TRUSTED_KEY_SUFFIX_BYTES &&
        strcmp(last + length - TRUSTED_KEY_SUFFIX_BYTES, TRUSTED_KEY_SUFFIX) == 0) {
        length -= TRUSTED_KEY_SUFFIX_BYTES;
    }
    if (length >= sizeof key->name) {
        return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s", last);
    }
    memset(key->name, 0, sizeof key->name);
    memcpy(key->name, last, length);
    return trust_check_name(key->name, error);
}

wlk_status trusted_key_read(const key_source *source, wlk_trusted_key *key, wlk_error *error) {
    uint8_t text[KEY_FILE_MAX + 1];
    uint64_t length;
    wlk_trusted_key read;
    TRY(key_file_read(source, text, &length, error));
    TRY(trusted_key_parse(source->shown, text, length, &read, error));
    TRY(take_name(source->name, &read, error));
    *key = read;
    return WLK_OK;
}

wlk_status wlk_trusted_key_load(const char *path, wlk_trusted_key *key, wlk_error *error) {
    const key_source source = key_source_named(path, KEY_NAMED_PUBLIC);
    return trusted_key_read(&source, key, error);
}
