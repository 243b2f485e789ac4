#include <string.h>

#include "infer/regex.h"

/* Numbers of instructions, each at most once, in the order of adding. */
typedef struct state_list {
    uint32_t count;
    uint32_t *states;
} state_list;

typedef struct matcher {
    const regex *regex;
    state_list now;
    state_list next;
    uint32_t *marks; /* the round in which an instruction was last added */
    uint32_t *stack; /* instructions that are yet to be added */
    uint32_t round;
} matcher;

uint64_t regex_room(const regex *r) {
    return 5 * (uint64_t)r->count; /* a jump and a split leave two on the stack */
}

/* What stands on both sides of a place in the text. */
typedef struct surroundings {
    bool begins;
    bool ends;
    bool word_edge;
} surroundings;

static bool is_word(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool holds(regex_code code, const surroundings *at) {
    if (code == REGEX_BEGIN) return at->begins;
    if (code == REGEX_END) return at->ends;
    return code == REGEX_WORD ? at->word_edge : !at->word_edge;
}

static void push(matcher *m, uint32_t *depth, uint32_t state) {
    if (m->marks[state] == m->round) return;
    m->marks[state] = m->round;
    m->stack[(*depth)++] = state;
}

/* Adds an instruction and all that are reached from it without a character. Each is
 * pushed once in a round: the stack cannot overflow. */
static void add_state(matcher *m, state_list *list, uint32_t state, const surroundings *at) {
    uint32_t depth = 0;
    push(m, &depth, state);
    while (depth > 0) {
        const uint32_t i = m->stack[--depth];
        const regex_instruction *in = &m->regex->program[i];
        const uint32_t target = (uint32_t)((int32_t)i + in->jump);
        if (in->code == REGEX_JUMP) {
            push(m, &depth, target);
        } else if (in->code == REGEX_SPLIT) {
            push(m, &depth, target);
            push(m, &depth, i + 1);
        } else if (in->code == REGEX_RANGES || in->code == REGEX_MATCH) {
            list->states[list->count++] = i;
        } else if (holds(in->code, at)) {
            push(m, &depth, i + 1);
        }
    }
}

bool regex_takes(const regex *r, const regex_instruction *in, uint32_t c) {
    for (uint32_t i = 0; i < in->count; i++) {
        const regex_range *range = &r->ranges[in->first + i];
        if (c >= range->low && c <= range->high) return !in->negated;
    }
    return in->negated;
}

/* The character that text begins with, which is not empty, and its length. Strings of a
 * tensor have been validated. */
uint32_t regex_decode(text_span text, uint64_t *length) {
    const unsigned char *at = (const unsigned char *)text.text;
    const uint64_t want = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t c = want == 1 ? at[0] : at[0] & (0x7Fu >> want);
    *length = want < text.length ? want : text.length;
    for (uint64_t i = 1; i < *length; i++) c = c << 6 | (at[i] & 0x3Fu);
    return c;
}

static void new_round(matcher *m, state_list *list) {
    list->count = 0;
    if (++m->round != 0) return;
    memset(m->marks, 0, m->regex->count * sizeof *m->marks);
    m->round = 1;
}

static bool word_at(text_span text) {
    uint64_t length = 0;
    return text.length > 0 && is_word(regex_decode(text, &length));
}

bool regex_match(const regex *r, text_span text, uint32_t *room) {
    const uint64_t count = r->count;
    matcher m = {.regex = r,
                 .now = {0, room},
                 .next = {0, room + count},
                 .marks = room + 2 * count,
                 .stack = room + 3 * count};
    surroundings at = {true, text.length == 0, word_at(text)};
    memset(m.marks, 0, count * sizeof *m.marks);
    new_round(&m, &m.now);
    add_state(&m, &m.now, 0, &at);
    while (text.length > 0 && m.now.count > 0) {
        uint64_t length = 0;
        const uint32_t c = regex_decode(text, &length);
        text = (text_span){text.text + length, text.length - length};
        at = (surroundings){false, text.length == 0, is_word(c) != word_at(text)};
        new_round(&m, &m.next);
        for (uint32_t i = 0; i < m.now.count; i++) {
            const uint32_t state = m.now.states[i];
            const regex_instruction *in = &r->program[state];
            if (in->code == REGEX_RANGES && regex_takes(r, in, c)) {
                add_state(&m, &m.next, state + 1, &at);
            }
        }
        const state_list kept = m.now;
        m.now = m.next;
        m.next = kept;
    }
    bool matched = false;
    for (uint32_t i = 0; i < m.now.count; i++) {
        matched = matched || r->program[m.now.states[i]].code == REGEX_MATCH;
    }
    return matched && text.length == 0;
}

/* ---- searching: ways through the pattern begin at every character until one has ended.
 * They stand in the order in which they began, so that of several that reach the same
 * instruction the first is kept. */

uint64_t regex_find_room(const regex *r) {
    return 7 * (uint64_t)r->count;
}

typedef struct finder {
    matcher m;
    uint32_t *starts; /* of the ways in `now` */
    uint32_t *next_starts;
    text_span text;
    bool found;
} finder;

static void add_from(finder *f, state_list *list, uint32_t *starts, uint32_t state, uint64_t start,
                     const surroundings *at) {
    const uint32_t from = list->count;
    add_state(&f->m, list, state, at);
    for (uint32_t i = from; i < list->count; i++) starts[i] = (uint32_t)start;
}

static text_span text_behind(text_span text, uint64_t at) {
    return (text_span){text.text + at, text.length - at};
}

/* What is around a place; before: the character in front of it is part of a word. */
static surroundings around(text_span text, uint64_t at, bool before) {
    return (surroundings){at == 0, at == text.length, before != word_at(text_behind(text, at))};
}

/* Notes ways that have ended here, and gives up those that began after it. */
static void note_matches(finder *f, uint64_t at, regex_search *search) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->m.now.count; i++) {
        const uint32_t start = f->starts[i];
        if (f->found && start > search->start) break;
        kept++;
        if (f->m.regex->program[f->m.now.states[i]].code != REGEX_MATCH || start == at) continue;
        f->found = true;
        search->start = start;
        search->end = at;
    }
    f->m.now.count = kept;
}

/* All ways that go on over character c; returns the work. */
static uint64_t follow(finder *f, uint32_t c, const surroundings *at) {
    const regex *r = f->m.regex;
    uint64_t steps = 1 + r->count / 8;
    new_round(&f->m, &f->m.next);
    for (uint32_t i = 0; i < f->m.now.count; i++) {
        const regex_instruction *in = &r->program[f->m.now.states[i]];
        steps += 1 + in->count / 4;
        if (in->code != REGEX_RANGES || !regex_takes(r, in, c)) continue;
        add_from(f, &f->m.next, f->next_starts, f->m.now.states[i] + 1, f->starts[i], at);
    }
    const state_list list = f->m.now;
    uint32_t *const starts = f->starts;
    f->m.now = f->m.next;
    f->m.next = list;
    f->starts = f->next_starts;
    f->next_starts = starts;
    return steps;
}

/* Is the character that ends before `at` part of a word? None but ASCII is. */
static bool word_before(text_span text, uint64_t at) {
    return at > 0 && is_word((unsigned char)text.text[at - 1]);
}

bool regex_find(const regex *r, text_span text, regex_search *search, uint32_t *room) {
    const uint64_t count = r->count;
    uint64_t at = search->from;
    finder f = {.m = {.regex = r,
                      .now = {0, room},
                      .next = {0, room + count},
                      .marks = room + 2 * count,
                      .stack = room + 3 * count},
                .starts = room + 5 * count,
                .next_starts = room + 6 * count,
                .text = text};
    surroundings here = around(text, at, word_before(text, at));
    memset(f.m.marks, 0, count * sizeof *f.m.marks);
    search->steps += count;
    new_round(&f.m, &f.m.now);
    for (;;) {
        uint64_t length = 0;
        if (!f.found) add_from(&f, &f.m.now, f.starts, 0, at, &here);
        note_matches(&f, at, search);
        if (at == search->to || (f.found && f.m.now.count == 0)) return f.found;
        const uint32_t c = regex_decode(text_behind(text, at), &length);
        at += length;
        here = around(text, at, is_word(c));
        search->steps += follow(&f, c, &here);
        if (search->steps > search->most) return false;
    }
}

bool regex_may_be_empty(const regex *r, uint32_t *room) {
    const surroundings inside = {true, true, true};
    matcher m = {.regex = r,
                 .now = {0, room},
                 .marks = room + 2 * (uint64_t)r->count,
                 .stack = room + 3 * (uint64_t)r->count};
    memset(m.marks, 0, r->count * sizeof *m.marks);
    m.round = 1;
    add_state(&m, &m.now, 0, &inside);
    for (uint32_t i = 0; i < m.now.count; i++) {
        if (r->program[m.now.states[i]].code == REGEX_MATCH) return true;
    }
    return false;
}
