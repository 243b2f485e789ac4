/* The text of a policy: lines, sections, names and values. A name is known if a row
 * of the limits or of `settings` has it; everything else is refused with its line. */
#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/nearest.h"
#include "base/pickle_rows.h"
#include "base/utf8.h"
#include "trust/policy.h"

#define MOST_NAMES 64 /* of a section */
#define NAME_BYTES 64 /* a longer name is not known */
_Static_assert(sizeof(wlk_limits) / sizeof(uint64_t) <= MOST_NAMES, "every limit has a bit");

typedef enum section_id {
    SECTION_LIMITS,
    SECTION_TRUST,
    SECTION_AUDIT,
    SECTION_PICKLE, /* its names are the file's own */
    SECTION_COUNT
} section_id;

static const char *const section_names[SECTION_COUNT] = {"limits", "trust", "audit", "pickle"};

typedef struct policy_reader {
    cursor text;
    uint32_t line;           /* counted from 1 */
    section_id section;      /* SECTION_COUNT: none yet */
    uint32_t sections_given; /* bit i: section i */
    uint64_t names_given;    /* bit i: name i of the section */
    wlk_policy policy;       /* as far as it is known */
    wlk_error *error;
} policy_reader;

/* ---- refusals: each says the line, and points at the part that is wrong */

static wlk_status fail(const policy_reader *r, wlk_rule rule, const cursor *at, const char *what) {
    return error_text(r->error, rule, cursor_offset(at), "line %u: %s", r->line, what);
}

static void name_text(const cursor *part, char text[NAME_BYTES]) {
    const uint64_t left = cursor_left(part);
    const uint64_t length = left < NAME_BYTES ? left : NAME_BYTES - 1;
    if (length > 0) memcpy(text, part->data + part->position, length);
    text[length] = '\0';
}

/* The same with the part itself behind it. */
static wlk_status fail_with(const policy_reader *r, wlk_rule rule, const cursor *part,
                            const char *what) {
    char text[NAME_BYTES];
    name_text(part, text);
    return error_text(r->error, rule, cursor_offset(part), "line %u: %s %s", r->line, what, text);
}

static wlk_status fail_unknown(const policy_reader *r, const cursor *part, const char *const *known,
                               size_t count) {
    char name[NAME_BYTES];
    name_text(part, name);
    const char *near = nearest_name(name, known, count);
    return error_text(r->error, RULE_POLICY_NAME, cursor_offset(part), "line %u: %s%s%s%s", r->line,
                      name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* ---- parts of a line */

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static uint8_t first_byte(const cursor *part) {
    uint8_t byte = 0;
    (void)cursor_peek_u8(part, &byte);
    return byte;
}

static uint8_t last_byte(const cursor *part) {
    return cursor_left(part) > 0 ? part->data[part->size - 1] : 0;
}

/* Without the blanks around it. */
static cursor trimmed(cursor part) {
    while (is_blank(first_byte(&part))) (void)cursor_skip(&part, 1);
    while (is_blank(last_byte(&part))) part.size--;
    return part;
}

/* The bytes before the first `separator`, which is skipped; everything, if there is
 * none. */
static bool split(cursor *rest, uint8_t separator, cursor *before) {
    const uint64_t left = cursor_left(rest);
    const uint8_t *start = rest->data + rest->position;
    const uint8_t *found = left > 0 ? memchr(start, separator, left) : NULL;
    (void)cursor_slice(rest, found ? (uint64_t)(found - start) : left, before);
    return cursor_skip(rest, found ? 1 : 0) && found;
}

static bool is_text(const cursor *part, const char *text) {
    const size_t length = strlen(text);
    return cursor_left(part) == length && memcmp(part->data + part->position, text, length) == 0;
}

static bool find_text(const cursor *part, const char *const *texts, uint32_t count,
                      uint32_t *found) {
    for (*found = 0; *found < count; ++*found) {
        if (is_text(part, texts[*found])) return true;
    }
    return false;
}

/* ---- values */

typedef struct unit_row {
    const char *of;   /* the limit's unit */
    const char *name; /* behind the number */
    uint64_t factor;
} unit_row;

static const unit_row units[] = {
    {"bytes", "KiB", 1ull << 10},
    {"bytes", "MiB", 1ull << 20},
    {"bytes", "GiB", 1ull << 30},
    {"bytes", "TiB", 1ull << 40},
    {"ms", "ms", 1},
    {"ms", "s", 1000},
    {"seconds", "s", 1},
};

/* The digits at the beginning: at least one, and no zero before others. */
static bool take_digits(cursor *value, uint64_t *number) {
    const uint64_t left = cursor_left(value);
    const bool zero = first_byte(value) == '0';
    uint8_t digit;
    for (*number = 0; cursor_peek_u8(value, &digit) && digit >= '0' && digit <= '9';) {
        if (!checked_mul(*number, 10, number) || !checked_add(*number, digit - '0', number)) {
            return false;
        }
        (void)cursor_skip(value, 1);
    }
    const uint64_t digits = left - cursor_left(value);
    return digits == 1 || (digits > 1 && !zero);
}

/* A number, and behind it nothing or a unit that goes with `unit`. */
static bool read_number(cursor value, const char *unit, uint64_t *number) {
    if (!take_digits(&value, number)) return false;
    const cursor behind = trimmed(value);
    if (cursor_left(&behind) == 0) return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].of, unit) == 0 && is_text(&behind, units[i].name)) {
            return checked_mul(*number, units[i].factor, number);
        }
    }
    return false;
}

/* The path is shown as it is, so it may hold nothing that plays with a terminal. */
static wlk_status set_folder(policy_reader *r, const cursor *value) {
    const uint64_t length = cursor_left(value);
    char *folder = r->policy.trust_folder;
    if (first_byte(value) != '/') {
        return fail(r, RULE_POLICY_VALUE, value, "folder wants an absolute path");
    }
    if (length >= sizeof r->policy.trust_folder) {
        return fail(r, RULE_POLICY_VALUE, value, "the path is longer than 4095 bytes");
    }
    memcpy(folder, value->data + value->position, length);
    folder[length] = '\0';
    utf8_make_harmless(folder);
    if (is_text(value, folder)) return WLK_OK;
    return fail(r, RULE_POLICY_VALUE, value, "the path holds a formatting character");
}

static wlk_status set_threshold(policy_reader *r, const cursor *value) {
    uint64_t keys;
    if (!read_number(*value, "", &keys) || keys == 0 || keys > UINT32_MAX) {
        return fail_with(r, RULE_POLICY_VALUE, value, "a number of keys from 1 on is wanted, not");
    }
    r->policy.threshold = (uint32_t)keys;
    return WLK_OK;
}

static wlk_status set_legacy(policy_reader *r, const cursor *value) {
    static const char *const words[] = {"refuse", "accept"};
    uint32_t word;
    if (!find_text(value, words, 2, &word)) {
        return fail_with(r, RULE_POLICY_VALUE, value, "accept or refuse is wanted, not");
    }
    r->policy.legacy_signatures = word == 1;
    return WLK_OK;
}

static wlk_status read_action(const policy_reader *r, const cursor *value, wlk_action *action) {
    static const char *const words[] = {
        [WLK_IGNORE] = "ignore", [WLK_REPORT] = "report", [WLK_REFUSE] = "refuse"};
    uint32_t word;
    if (!find_text(value, words, 3, &word)) {
        return fail_with(r, RULE_POLICY_VALUE, value, "ignore, report or refuse is wanted, not");
    }
    *action = (wlk_action)word;
    return WLK_OK;
}

static wlk_status set_nan(policy_reader *r, const cursor *value) {
    return read_action(r, value, &r->policy.nan);
}

static wlk_status set_infinity(policy_reader *r, const cursor *value) {
    return read_action(r, value, &r->policy.infinity);
}

/* ---- rows for pickles */

/* The classes of the built-in list, as a policy would name them. */
static const char *const built_in[] = {
#define ALLOW(module, name, makes) module "." name,
#include "gen/pickle_allow.inc"
#undef ALLOW
};

/* Does a row of the policy name that class already? */
static bool is_pickle_row(const wlk_policy *policy, const cursor *name) {
    const uint64_t length = cursor_left(name);
    cursor rows = cursor_over(policy->pickle, policy->pickle_bytes, 0);
    pickle_row row;
    while (pickle_rows_next(&rows, &row)) {
        if (row.length == length && memcmp(row.name, name->data + name->position, length) == 0) {
            return true;
        }
    }
    return false;
}

static wlk_status check_pickle_name(const policy_reader *r, const cursor *name) {
    if (!pickle_row_named(name->data + name->position, cursor_left(name))) {
        return fail_with(r, RULE_POLICY_NAME, name,
                         "module.Name is wanted, in letters, digits, _ and dots, not");
    }
    if (is_pickle_row(&r->policy, name)) return fail_with(r, RULE_POLICY_TWICE, name, "again");
    uint32_t row;
    if (!find_text(name, built_in, sizeof built_in / sizeof *built_in, &row)) return WLK_OK;
    return fail_with(r, RULE_POLICY_TWICE, name, "it is in the built-in list, which stays:");
}

static wlk_status add_pickle_row(policy_reader *r, const cursor *name, const cursor *value) {
    static const char *const words[] = {"record", "opaque"};
    wlk_policy *policy = &r->policy;
    const uint64_t length = cursor_left(name);
    uint32_t word;
    TRY(check_pickle_name(r, name));
    if (!find_text(value, words, 2, &word)) {
        return fail_with(r, RULE_POLICY_VALUE, value, "record or opaque is wanted, not");
    }
    if (PICKLE_ROW_HEAD + length > sizeof policy->pickle - policy->pickle_bytes) {
        return fail(r, RULE_POLICY_TEXT, name, "more rows of [pickle] than there is room for");
    }
    uint8_t *row = policy->pickle + policy->pickle_bytes;
    row[0] = (uint8_t)(word == 0 ? PICKLE_ROW_RECORD : PICKLE_ROW_OPAQUE);
    row[1] = (uint8_t)length;
    memcpy(row + PICKLE_ROW_HEAD, name->data + name->position, length);
    policy->pickle_bytes += (uint32_t)(PICKLE_ROW_HEAD + length);
    return WLK_OK;
}

/* ---- names */

typedef struct setting_row {
    section_id section;
    const char *name;
    wlk_status (*set)(policy_reader *r, const cursor *value);
} setting_row;

static const setting_row settings[] = {
    {SECTION_TRUST, "folder", set_folder},     {SECTION_TRUST, "threshold", set_threshold},
    {SECTION_TRUST, "legacy", set_legacy},     {SECTION_AUDIT, "nan", set_nan},
    {SECTION_AUDIT, "infinity", set_infinity},
};
#define SETTINGS (sizeof settings / sizeof *settings)

/* The names of a section; in [limits] they are numbered like the limits' rows, in
 * others like `settings`, with "" for those of other sections. */
static uint32_t list_names(section_id section, const char *names[MOST_NAMES]) {
    uint32_t count = 0;
    wlk_limit_row row;
    if (section == SECTION_LIMITS) {
        while (count < MOST_NAMES && wlk_limits_row(count, &row)) names[count++] = row.name;
        return count;
    }
    for (; count < SETTINGS; count++) {
        names[count] = settings[count].section == section ? settings[count].name : "";
    }
    return count;
}

static wlk_status set_limit(policy_reader *r, uint32_t index, const cursor *value) {
    wlk_limit_row row;
    uint64_t number;
    (void)wlk_limits_row(index, &row);
    if (!read_number(*value, row.unit, &number)) {
        return fail_with(r, RULE_POLICY_VALUE, value, "a number is wanted, not");
    }
    return wlk_limits_set(&r->policy.limits, row.name, number);
}

static wlk_status read_setting(policy_reader *r, const cursor *name, const cursor *value) {
    const char *names[MOST_NAMES];
    uint32_t index;
    if (r->section == SECTION_COUNT) {
        return fail(r, RULE_POLICY_TEXT, name, "a name stands before the first section");
    }
    if (r->section == SECTION_PICKLE) return add_pickle_row(r, name, value);
    const uint32_t count = list_names(r->section, names);
    if (!find_text(name, names, count, &index)) return fail_unknown(r, name, names, count);
    if (r->names_given >> index & 1) return fail_with(r, RULE_POLICY_TWICE, name, "again");
    r->names_given |= 1ull << index;
    return r->section == SECTION_LIMITS ? set_limit(r, index, value)
                                        : settings[index].set(r, value);
}

/* ---- lines */

static wlk_status begin_section(policy_reader *r, cursor line) {
    uint32_t index;
    if (last_byte(&line) != ']') return fail(r, RULE_POLICY_TEXT, &line, "] is missing");
    line.size--;
    (void)cursor_skip(&line, 1);
    if (cursor_left(&line) == 0) return fail(r, RULE_POLICY_TEXT, &line, "a section has a name");
    if (!find_text(&line, section_names, SECTION_COUNT, &index)) {
        return fail_unknown(r, &line, section_names, SECTION_COUNT);
    }
    if (r->sections_given >> index & 1) return fail_with(r, RULE_POLICY_TWICE, &line, "again");
    r->sections_given |= 1u << index;
    r->names_given = 0;
    r->section = (section_id)index;
    return WLK_OK;
}

/* Comments too are text: what a terminal shows of the file is what is read. */
static wlk_status check_bytes(const policy_reader *r, const cursor *line) {
    cursor at = *line;
    uint8_t byte;
    for (; cursor_peek_u8(&at, &byte); (void)cursor_skip(&at, 1)) {
        if ((byte < ' ' && byte != '\t') || byte == 0x7f) {
            return fail(r, RULE_POLICY_TEXT, &at, "a control character");
        }
    }
    if (utf8_valid(line->data, line->size)) return WLK_OK;
    return fail(r, RULE_POLICY_TEXT, line, "not valid UTF-8");
}

static wlk_status read_line(policy_reader *r, cursor line) {
    TRY(check_bytes(r, &line));
    line = trimmed(line);
    if (cursor_left(&line) == 0 || first_byte(&line) == '#') return WLK_OK;
    if (first_byte(&line) == '[') return begin_section(r, line);
    cursor value = line, name;
    if (!split(&value, '=', &name)) return fail(r, RULE_POLICY_TEXT, &line, "= is missing");
    name = trimmed(name);
    value = trimmed(value);
    if (cursor_left(&name) == 0) return fail(r, RULE_POLICY_TEXT, &line, "no name before =");
    if (cursor_left(&value) == 0) return fail(r, RULE_POLICY_VALUE, &value, "no value behind =");
    return read_setting(r, &name, &value);
}

static wlk_status read_lines(policy_reader *r) {
    while (cursor_left(&r->text) > 0) {
        cursor line;
        const bool ended = split(&r->text, '\n', &line);
        if (ended && last_byte(&line) == '\r') line.size--;
        r->line++;
        TRY(read_line(r, line));
    }
    return WLK_OK;
}

wlk_status wlk_policy_parse(const char *text, uint64_t length, wlk_policy *policy,
                            wlk_error *error) {
    if (length > POLICY_TEXT_BYTES) {
        return error_text(error, RULE_POLICY_TEXT, POLICY_TEXT_BYTES, "longer than %d bytes",
                          POLICY_TEXT_BYTES);
    }
    policy_reader r = {.text = cursor_over((const uint8_t *)text, length, 0),
                       .section = SECTION_COUNT,
                       .policy = *policy,
                       .error = error};
    TRY(read_lines(&r));
    *policy = r.policy;
    return WLK_OK;
}
