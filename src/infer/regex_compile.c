#include <string.h>

#include "infer/regex.h"
#include "infer/regex_characters.h"

#define GROUPS_MOST 100
#define REPEATS_MOST 1000 /* as in RE2 */
#define NOTHING UINT32_MAX

/* An open group. Alternatives that are complete end in jumps to the group's end, which
 * are chained (`pending` is the latest) until that is known. */
typedef struct open_group {
    uint32_t start;
    uint32_t alternative;
    int32_t pending;
    bool fold; /* the flags outside of it */
    bool dot_all;
} open_group;

typedef struct compiler {
    regex *out;
    const char *at;
    const char *why;
    uint32_t atom; /* where the latest one begins, that a repetition would repeat */
    uint32_t depth;
    bool fold;
    bool dot_all;
    open_group groups[GROUPS_MOST];
} compiler;

static bool fail(compiler *c, const char *why) {
    c->why = why;
    return false;
}

/* ---- the program */

static bool emit(compiler *c, regex_instruction in) {
    if (c->out->count == REGEX_MOST) return fail(c, "the pattern is too large");
    c->out->program[c->out->count++] = in;
    return true;
}

static bool insert(compiler *c, uint32_t at, regex_instruction in) {
    regex_instruction *program = c->out->program;
    if (!emit(c, in)) return false;
    memmove(program + at + 1, program + at, (c->out->count - 1 - at) * sizeof *program);
    program[at] = in;
    return true;
}

static bool add_range(compiler *c, uint32_t low, uint32_t high) {
    if (c->out->range_count == REGEX_MOST) return fail(c, "the pattern has too many ranges");
    c->out->ranges[c->out->range_count++] = (regex_range){low, high};
    return true;
}

/* The other case of the letters in a range. */
static bool add_folded(compiler *c, uint32_t low, uint32_t high, uint32_t first, int shift) {
    const uint32_t from = low > first ? low : first;
    const uint32_t to = high < first + 25 ? high : first + 25;
    if (from > to) return true;
    return add_range(c, (uint32_t)((int)from + shift), (uint32_t)((int)to + shift));
}

static bool add_class_range(compiler *c, uint32_t low, uint32_t high) {
    if (!add_range(c, low, high)) return false;
    if (!c->fold) return true;
    return add_folded(c, low, high, 'a', -32) && add_folded(c, low, high, 'A', 32);
}

/* Ranges as they are in named sets. */
static bool add_set(compiler *c, const char *pairs, bool negated) {
    uint32_t next = 0; /* the first character behind the ranges so far */
    for (const char *pair = pairs; *pair; pair += 2) {
        const uint32_t low = (unsigned char)pair[0];
        const uint32_t high = (unsigned char)pair[1];
        if (!negated && !add_class_range(c, low, high)) return false;
        if (negated && low > next && !add_range(c, next, low - 1)) return false;
        next = high + 1;
    }
    return !negated || add_range(c, next, REGEX_LAST_CHARACTER);
}

/* A character behind a backslash. */
static bool take_escaped(compiler *c, uint32_t *out) {
    const char *why = regex_take_escaped(&c->at, out);
    return !why || fail(c, why);
}

/* ---- atoms */

/* The ranges that were added since there were `first` are one atom. */
static bool emit_ranges(compiler *c, uint32_t first, bool negated) {
    c->atom = c->out->count;
    return emit(c, (regex_instruction){.code = REGEX_RANGES,
                                       .negated = negated,
                                       .first = first,
                                       .count = c->out->range_count - first});
}

static bool emit_character(compiler *c, uint32_t value) {
    const uint32_t first = c->out->range_count;
    return add_class_range(c, value, value) && emit_ranges(c, first, false);
}

static bool emit_dot(compiler *c) {
    const uint32_t first = c->out->range_count;
    if (!c->dot_all && !add_range(c, '\n', '\n')) return false;
    return emit_ranges(c, first, true);
}

/* Places can be repeated as well, for what it is worth. */
static bool emit_place(compiler *c, regex_code code) {
    c->atom = c->out->count;
    return emit(c, (regex_instruction){.code = code});
}

static bool take_posix(compiler *c) {
    bool negated = false;
    const char *pairs = regex_take_posix_set(&c->at, &negated);
    return pairs ? add_set(c, pairs, negated) : fail(c, "a class that is not known");
}

static bool take_class_character(compiler *c, uint32_t *out) {
    if (*c->at == '\0') return fail(c, "a class without an end");
    if (*c->at != '\\') {
        *out = regex_take_utf8(&c->at);
        return true;
    }
    c->at++;
    return take_escaped(c, out);
}

static bool take_class_item(compiler *c) {
    bool negated = false;
    uint32_t low = 0;
    uint32_t high = 0;
    if (strncmp(c->at, "[:", 2) == 0) return take_posix(c);
    const char *pairs = c->at[0] == '\\' ? regex_escape_set(c->at[1], &negated) : NULL;
    if (pairs) {
        c->at += 2;
        return add_set(c, pairs, negated);
    }
    if (!take_class_character(c, &low)) return false;
    high = low;
    if (c->at[0] == '-' && c->at[1] != ']' && c->at[1] != '\0') {
        c->at++;
        if (!take_class_character(c, &high)) return false;
    }
    return low <= high ? add_class_range(c, low, high)
                       : fail(c, "a range that ends before it begins");
}

/* Behind the bracket. One that closes is an ordinary character if it comes first. */
static bool take_class(compiler *c) {
    const uint32_t first = c->out->range_count;
    const bool negated = *c->at == '^';
    if (negated) c->at++;
    do {
        if (!take_class_item(c)) return false;
    } while (*c->at != ']');
    c->at++;
    return emit_ranges(c, first, negated);
}

/* \Q...\E: all as it stands. */
static bool take_quoted(compiler *c) {
    while (*c->at && strncmp(c->at, "\\E", 2) != 0) {
        if (!emit_character(c, regex_take_utf8(&c->at))) return false;
    }
    if (*c->at) c->at += 2;
    return true;
}

static bool take_escape(compiler *c) {
    bool negated = false;
    uint32_t value = 0;
    const char *set = regex_escape_set(*c->at, &negated);
    const uint32_t first = c->out->range_count;
    if (set) {
        c->at++;
        return add_set(c, set, negated) && emit_ranges(c, first, false);
    }
    switch (*c->at) {
        case 'b':
            c->at++;
            return emit_place(c, REGEX_WORD);
        case 'B':
            c->at++;
            return emit_place(c, REGEX_NOT_WORD);
        case 'A':
            c->at++;
            return emit_place(c, REGEX_BEGIN);
        case 'z':
            c->at++;
            return emit_place(c, REGEX_END);
        case 'Q':
            c->at++;
            return take_quoted(c);
        default:
            return take_escaped(c, &value) && emit_character(c, value);
    }
}

/* ---- groups */

static bool open(compiler *c) {
    if (c->depth == GROUPS_MOST) return fail(c, "too many groups in groups");
    c->groups[c->depth++] = (open_group){.start = c->out->count,
                                         .alternative = c->out->count,
                                         .pending = -1,
                                         .fold = c->fold,
                                         .dot_all = c->dot_all};
    c->atom = NOTHING;
    return true;
}

static void close_alternatives(compiler *c, const open_group *group) {
    int32_t pending = group->pending;
    while (pending >= 0) {
        regex_instruction *jump = &c->out->program[pending];
        const int32_t next = jump->jump;
        jump->jump = (int32_t)c->out->count - pending;
        pending = next;
    }
}

static bool close(compiler *c) {
    if (c->depth <= 1) return fail(c, "a parenthesis that closes nothing");
    const open_group *group = &c->groups[--c->depth];
    close_alternatives(c, group);
    c->atom = group->start;
    c->fold = group->fold;
    c->dot_all = group->dot_all;
    return true;
}

static bool alternative(compiler *c) {
    open_group *group = &c->groups[c->depth - 1];
    const uint32_t start = group->alternative;
    if (!insert(c, start, (regex_instruction){.code = REGEX_SPLIT})) return false;
    const int32_t pending = (int32_t)c->out->count;
    if (!emit(c, (regex_instruction){.code = REGEX_JUMP, .jump = group->pending})) return false;
    c->out->program[start].jump = (int32_t)(c->out->count - start);
    group->pending = pending;
    group->alternative = c->out->count;
    c->atom = NOTHING;
    return true;
}

/* Behind "(?": flags for the group that begins here, or for the rest of the one around. */
static bool take_flags(compiler *c) {
    bool on = true;
    bool fold = c->fold;
    bool dot_all = c->dot_all;
    for (; *c->at && *c->at != ')' && *c->at != ':'; c->at++) {
        if (*c->at == '-' && on)
            on = false;
        else if (*c->at == 'i')
            fold = on;
        else if (*c->at == 's')
            dot_all = on;
        else
            return fail(c, "a flag that is not known");
    }
    if (*c->at == ':' && !open(c)) return false;
    if (*c->at == '\0') return fail(c, "a group without an end");
    c->fold = fold;
    c->dot_all = dot_all;
    c->atom = NOTHING;
    c->at++;
    return true;
}

static bool take_group(compiler *c) {
    if (*c->at != '?') return open(c);
    c->at++;
    if (strncmp(c->at, "P<", 2) == 0) c->at++;
    if (*c->at != '<') return take_flags(c);
    while (*c->at && *c->at != '>') c->at++;
    if (*c->at == '\0') return fail(c, "a name without an end");
    c->at++;
    return open(c);
}

/* ---- repetitions: of the instructions from the atom on */

static bool split_before(compiler *c, uint32_t at, uint32_t size) {
    return insert(c, at, (regex_instruction){.code = REGEX_SPLIT, .jump = (int32_t)size + 1});
}

static bool any_number(compiler *c) {
    const uint32_t size = c->out->count - c->atom;
    return split_before(c, c->atom, size + 1) &&
           emit(c, (regex_instruction){.code = REGEX_JUMP, .jump = -(int32_t)(size + 1)});
}

static bool once_or_more(compiler *c, uint32_t size) {
    return emit(c, (regex_instruction){.code = REGEX_SPLIT, .jump = -(int32_t)size});
}

static bool copy(compiler *c, uint32_t from, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (!emit(c, c->out->program[from + i])) return false;
    }
    return true;
}

/* A copy that may be left out. */
static bool copy_or_not(compiler *c, uint32_t from, uint32_t size) {
    return emit(c, (regex_instruction){.code = REGEX_SPLIT, .jump = (int32_t)size + 1}) &&
           copy(c, from, size);
}

/* {least,most}; most is NOTHING where there is no end. */
static bool repeat(compiler *c, uint32_t least, uint32_t most) {
    const uint32_t size = c->out->count - c->atom;
    uint32_t from = c->atom;
    if (most == 0) {
        c->out->count = c->atom;
        return true;
    }
    if (least == 0 && most == NOTHING) return any_number(c);
    if (least == 0) {
        if (!split_before(c, c->atom, size)) return false;
        from++;
        least = 1;
    }
    for (uint32_t i = 1; i < least; i++) {
        if (!copy(c, from, size)) return false;
    }
    if (most == NOTHING) return once_or_more(c, size);
    for (uint32_t i = least; i < most; i++) {
        if (!copy_or_not(c, from, size)) return false;
    }
    return true;
}

static bool take_number(const char **at, uint32_t *out) {
    uint32_t value = 0;
    if (**at < '0' || **at > '9') return false;
    while (**at >= '0' && **at <= '9' && value <= REPEATS_MOST) {
        value = value * 10 + (uint32_t)(*(*at)++ - '0');
    }
    *out = value;
    return true;
}

/* Behind a brace: {2}, {2,}, {2,3}. What is none of them is ordinary text. */
static bool is_repetition(const char **at, uint32_t *least, uint32_t *most) {
    if (!take_number(at, least)) return false;
    *most = *least;
    if (**at == ',') {
        (*at)++;
        if (**at == '}')
            *most = NOTHING;
        else if (!take_number(at, most))
            return false;
    }
    return *(*at)++ == '}';
}

/* A repetition behind an atom; *none if there is none here. */
static bool take_repetition(compiler *c, bool *none) {
    const char *at = c->at + 1;
    uint32_t least = 0;
    uint32_t most = NOTHING;
    *none = false;
    if (*c->at == '+') {
        least = 1;
    } else if (*c->at == '?') {
        most = 1;
    } else if (*c->at == '{') {
        *none = !is_repetition(&at, &least, &most);
    } else if (*c->at != '*') {
        *none = true;
    }
    if (*none) return true;
    if (c->atom == NOTHING) return fail(c, "a repetition of nothing");
    if (least > REPEATS_MOST || (most != NOTHING && (most > REPEATS_MOST || most < least))) {
        return fail(c, "a repetition that is out of range");
    }
    if (!repeat(c, least, most)) return false;
    c->at = *at == '?' ? at + 1 : at; /* as few as possible: all the same for a full match */
    c->atom = NOTHING;
    return true;
}

/* ---- the pattern */

static bool take_atom(compiler *c) {
    switch (*c->at) {
        case '(':
            c->at++;
            return take_group(c);
        case ')':
            c->at++;
            return close(c);
        case '|':
            c->at++;
            return alternative(c);
        case '[':
            c->at++;
            return take_class(c);
        case '.':
            c->at++;
            return emit_dot(c);
        case '^':
            c->at++;
            return emit_place(c, REGEX_BEGIN);
        case '$':
            c->at++;
            return emit_place(c, REGEX_END);
        case '\\':
            c->at++;
            return take_escape(c);
        default:
            return emit_character(c, regex_take_utf8(&c->at));
    }
}

static bool compile(compiler *c) {
    if (!open(c)) return false;
    while (*c->at) {
        bool none = true;
        if (!take_repetition(c, &none)) return false;
        if (none && !take_atom(c)) return false;
    }
    if (c->depth != 1) return fail(c, "a group without an end");
    close_alternatives(c, &c->groups[0]);
    return emit(c, (regex_instruction){.code = REGEX_MATCH});
}

bool regex_compile(const char *pattern, regex *out, const char **why) {
    compiler c = {.out = out, .at = pattern, .why = ""};
    out->count = out->range_count = 0;
    const bool compiled = compile(&c);
    *why = c.why;
    return compiled;
}
