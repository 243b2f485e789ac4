#include "trust/digest_list.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "base/memory.h"
#include "trust/key_file.h"
#include "trust/key_text.h"
#include "trust/ready.h"

/* The form of a line. Without a tag, the number of digits tells the kind. */
typedef struct list_form {
    const char *tag; /* up to the name */
    wlk_digest_kind kind;
    uint32_t length; /* of the digest in bytes */
} list_form;

static const list_form tagged_forms[] = {
    {"SHA256 (", WLK_SHA256, 32},
    {"BLAKE2b (", WLK_BLAKE2B, 64},
    {"BLAKE2b-256 (", WLK_BLAKE2B, 32},
};
static const list_form plain_forms[] = {
    {"", WLK_SHA256, 32},
    {"", WLK_BLAKE2B, 64},
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char tag_end[] = ") = ";
#define TAG_END_BYTES (sizeof tag_end - 1)

typedef struct list_entry {
    wlk_digest digest;
    cursor name;
    bool escaped;
} list_entry;

/* ---- one line */

/* All of hex[0..2 * length) are digits? libsodium alone would do with fewer. */
static bool take_hex(const uint8_t *hex, uint32_t length, uint8_t *value) {
    size_t got = 0;
    return sodium_hex2bin(value, length, (const char *)hex, 2ull * length, NULL, &got, NULL) == 0 &&
           got == length;
}

static void entry_is(list_entry *entry, const list_form *form) {
    entry->digest.kind = form->kind;
    entry->digest.length = form->length;
}

/* TAG, name, ") = ", hex: as long as they are together, the name is what is left. */
static bool take_tagged(const cursor *line, const list_form *form, list_entry *entry) {
    cursor in = *line;
    const uint64_t tag = strlen(form->tag);
    const uint8_t *start = cursor_take(&in, tag);
    if (!start || memcmp(start, form->tag, tag) != 0) return false;
    const uint64_t behind = TAG_END_BYTES + 2ull * form->length;
    if (cursor_left(&in) <= behind) return false;
    if (!cursor_slice(&in, cursor_left(&in) - behind, &entry->name)) return false;
    const uint8_t *end = cursor_take(&in, TAG_END_BYTES);
    const uint8_t *hex = cursor_take(&in, 2ull * form->length);
    entry_is(entry, form);
    return end && hex && memcmp(end, tag_end, TAG_END_BYTES) == 0 &&
           take_hex(hex, form->length, entry->digest.value);
}

static bool take_plain(const cursor *line, const list_form *form, list_entry *entry) {
    cursor in = *line;
    const uint8_t *hex = cursor_take(&in, 2ull * form->length);
    const uint8_t *marker = cursor_take(&in, 2);
    if (!hex || !marker || marker[0] != ' ' || (marker[1] != ' ' && marker[1] != '*')) return false;
    entry_is(entry, form);
    entry->name = cursor_rest(&in);
    return entry->name.size > 0 && take_hex(hex, form->length, entry->digest.value);
}

/* An escaped name has a backslash only before one of these. */
static bool name_valid(const list_entry *entry) {
    const uint8_t *name = entry->name.data;
    if (memchr(name, 0, entry->name.size)) return false;
    for (uint64_t i = 0; entry->escaped && i < entry->name.size; i++) {
        if (name[i] != '\\') continue;
        if (++i == entry->name.size || !memchr("\\nr", name[i], 3)) return false;
    }
    return true;
}

/* Of a line that says something. */
static bool take_entry(cursor line, list_entry *entry) {
    *entry = (list_entry){.escaped = line.data[0] == '\\'};
    if (entry->escaped) (void)cursor_skip(&line, 1);
    bool taken = false;
    for (size_t i = 0; !taken && i < COUNT(tagged_forms); i++) {
        taken = take_tagged(&line, &tagged_forms[i], entry);
    }
    for (size_t i = 0; !taken && i < COUNT(plain_forms); i++) {
        taken = take_plain(&line, &plain_forms[i], entry);
    }
    return taken && name_valid(entry);
}

/* ---- names */

static char unescaped(uint8_t letter) {
    if (letter == 'n') return '\n';
    return letter == 'r' ? '\r' : '\\';
}

static bool names(const list_entry *entry, const char *file) {
    const uint64_t length = strlen(file);
    uint64_t at = 0;
    for (uint64_t i = 0; i < entry->name.size; i++, at++) {
        char character = (char)entry->name.data[i];
        if (entry->escaped && character == '\\') character = unescaped(entry->name.data[++i]);
        if (at == length || character != file[at]) return false;
    }
    return at == length;
}

static bool is_about(const list_entry *entry, const char *file) {
    const char *slash = strrchr(file, '/');
    return names(entry, file) || (slash && names(entry, slash + 1));
}

/* ---- the list */

static bool says_nothing(const cursor *line) {
    return line->size == 0 || line->data[0] == '#';
}

static bool same_digest(const wlk_digest *a, const wlk_digest *b) {
    return a->kind == b->kind && a->length == b->length &&
           memcmp(a->value, b->value, a->length) == 0;
}

wlk_status digest_list_find(const char *shown, const uint8_t *text, uint64_t length,
                            const char *file, wlk_digest *digest, wlk_error *error) {
    cursor in = cursor_over(text, length, 0), line;
    list_entry entry;
    wlk_digest found = {0};
    TRY(sodium_ready(error));
    while (text_take_line(&in, &line)) {
        if (says_nothing(&line)) continue;
        if (!take_entry(line, &entry)) {
            return error_text(error, RULE_TRUST_DIGEST_TEXT, line.base, "%s", shown);
        }
        if (!is_about(&entry, file)) continue;
        if (found.length > 0 && !same_digest(&found, &entry.digest)) {
            return error_text(error, RULE_TRUST_DIGEST_CONFLICT, line.base, "%s: %s", shown, file);
        }
        found = entry.digest;
    }
    if (found.length == 0) {
        return error_text(error, RULE_TRUST_DIGEST_MISSING, WLK_NO_OFFSET, "%s: %s", shown, file);
    }
    *digest = found;
    return WLK_OK;
}

wlk_status wlk_digest_find(const char *list, const char *file, wlk_digest *digest,
                           wlk_error *error) {
    const key_source source = key_source_named(list, DIGEST_LIST);
    uint64_t length;
    uint8_t *text = mem_alloc(DIGEST_LIST_MAX + 1);
    if (!text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = operator_file_read(&source, text, DIGEST_LIST_MAX, &length, error);
    if (status == WLK_OK) status = digest_list_find(list, text, length, file, digest, error);
    mem_free(text);
    return status;
}

wlk_status wlk_digest_parse(wlk_digest_kind kind, const char *hex, wlk_digest *digest,
                            wlk_error *error) {
    const size_t digits = strnlen(hex, 2 * WLK_DIGEST_BYTES + 1);
    wlk_digest parsed = {.kind = kind, .length = (uint32_t)digits / 2};
    const bool known = (kind == WLK_SHA256 && digits == 64) ||
                       (kind == WLK_BLAKE2B && (digits == 64 || digits == 128));
    TRY(sodium_ready(error));
    if (!known || !take_hex((const uint8_t *)hex, parsed.length, parsed.value)) {
        return error_at(error, RULE_TRUST_DIGEST_FORM, WLK_NO_OFFSET);
    }
    *digest = parsed;
    return WLK_OK;
}
