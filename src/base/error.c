#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

typedef struct rule_row {
    const char *name;
    wlk_status status;
    const char *text;
    const char *hint;
} rule_row;

static const rule_row rules[RULE_COUNT] = {
    [RULE_NONE] = {"internal.unknown", WLK_SYSTEM, "an error without a rule",
                   "report this as a defect"},
#define RULE(symbol, rule_name, rule_verdict, rule_text, rule_hint) \
    [RULE_##symbol] = {rule_name, rule_verdict, rule_text, rule_hint},
#include "gen/rules.inc"
#undef RULE
};

static const char *const status_names[] = {"ok",   "refused", "undecided", "unsupported", "usage",
                                           "cage", "limit",   "trust",     "system"};

static const rule_row *row_of(uint32_t rule) {
    return &rules[rule < RULE_COUNT ? rule : RULE_NONE];
}

const char *wlk_status_name(wlk_status status) {
    const unsigned index = (unsigned)status;
    return index < sizeof status_names / sizeof *status_names ? status_names[index] : "unknown";
}

const char *wlk_rule_name(uint32_t rule) {
    return row_of(rule)->name;
}

const char *wlk_rule_text(uint32_t rule) {
    return row_of(rule)->text;
}

const char *wlk_rule_hint(uint32_t rule) {
    return row_of(rule)->hint;
}

wlk_status rule_status(uint32_t rule) {
    return row_of(rule)->status;
}

wlk_status error_at(wlk_error *error, wlk_rule rule, uint64_t offset) {
    if (error) {
        *error = (wlk_error){.status = rule_status(rule), .rule = rule, .offset = offset};
    }
    return rule_status(rule);
}

wlk_status error_text(wlk_error *error, wlk_rule rule, uint64_t offset, const char *format, ...) {
    const wlk_status status = error_at(error, rule, offset);
    if (!error) return status;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    utf8_make_harmless(error->text);
    return status;
}

wlk_status error_errno(wlk_error *error, wlk_rule rule, int error_number, const char *what) {
    /* strerror_r is another function in glibc and in musl; both strerrors are thread-safe. */
    /* A long path must leave room for the reason. */
    return error_text(error, rule, WLK_NO_OFFSET, "%.192s: %s", what, strerror(error_number));
}

/* A character of which the room's end has left only the beginning goes. */
static void drop_cut_character(char *text) {
    const uint8_t *bytes = (const uint8_t *)text;
    const size_t length = strlen(text);
    size_t start = length;
    while (start > 0 && length - start < 3 && (bytes[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0 || bytes[start - 1] < 0xc0) return;
    if (!utf8_valid_payload(bytes + start - 1, length - start + 1)) text[start - 1] = '\0';
}

char *wlk_error_format(const wlk_error *error, char *text, uint64_t size) {
    const rule_row *row = row_of(error->rule);
    const int layer = (int)strcspn(row->name, ".");
    const char *separator = error->text[0] ? ": " : "";
    char place[40] = "";
    if (error->offset != WLK_NO_OFFSET) {
        (void)snprintf(place, sizeof place, " at offset %llu", (unsigned long long)error->offset);
    }
    const int length = snprintf(text, size, "%.*s: %s%s%s%s (%s)", layer, row->name, row->text,
                                separator, error->text, place, row->hint);
    if (size > 0 && length >= 0 && (uint64_t)length >= size) drop_cut_character(text);
    return text;
}
