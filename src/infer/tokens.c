#include "infer/tokens.h"

#include <string.h>

#include "base/utf8.h"

/* ---- patterns */

static pattern_kind kind_of(const regex *r) {
    const regex_instruction *p = r->program;
    if (p[0].code != REGEX_RANGES) return PATTERN_PROGRAM;
    if (r->count == 2) return PATTERN_ONE; /* and the match */
    const bool repeats = r->count == 3 && p[1].code == REGEX_SPLIT && p[1].jump == -1;
    return repeats ? PATTERN_RUN : PATTERN_PROGRAM;
}

wlk_status token_pattern_read(const op_call *call, plan_memory *memory, const char *text,
                              bool separates, token_pattern *out) {
    const char *why = "";
    void *program = NULL;
    void *room = NULL;
    TRY(plan_take(memory, 1, sizeof(regex), &program, call->error));
    if (!utf8_valid((const uint8_t *)text, strlen(text))) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "a pattern that is not UTF-8");
    }
    if (!regex_compile(text, program, &why)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "pattern '%.40s': %s", text, why);
    }
    *out = (token_pattern){.program = program};
    TRY(plan_take(memory, regex_room(out->program), sizeof(uint32_t), &room, call->error));
    if (separates && regex_may_be_empty(out->program, room)) {
        return op_fail(call, RULE_PLAN_ATTRIBUTE_VALUE, "separator '%.40s' can match nothing",
                       text);
    }
    out->kind = kind_of(out->program);
    for (uint32_t c = 0; out->kind != PATTERN_PROGRAM && c < 128; c++) {
        out->ascii[c] = regex_takes(out->program, &out->program->program[0], c);
    }
    return WLK_OK;
}

static bool in_set(const token_pattern *p, text_span text, uint64_t at, uint64_t *length) {
    const unsigned char first = (unsigned char)text.text[at];
    *length = 1;
    if (first < 128) return p->ascii[first];
    const text_span rest = {text.text + at, text.length - at};
    return regex_takes(p->program, &p->program->program[0], regex_decode(rest, length));
}

/* The next characters that are in the set. */
static bool find_set(const token_pattern *p, text_span text, regex_search *search) {
    uint64_t at = search->from;
    uint64_t length = 0;
    while (at < search->to && !in_set(p, text, at, &length)) at += length;
    search->start = at;
    const bool found = at < search->to;
    if (found) at += length;
    while (found && p->kind == PATTERN_RUN && at < search->to && in_set(p, text, at, &length)) {
        at += length;
    }
    search->end = at;
    search->steps += 1 + (at - search->from) * (1 + p->program->program[0].count / 4) / 4;
    return found;
}

static bool find_pattern(token_source *source, uint32_t pattern, text_span text, uint64_t from,
                         regex_search *search) {
    const token_pattern *p = &source->rules->patterns[pattern];
    *search = (regex_search){.from = from, .to = text.length, .most = source->most};
    search->steps = source->steps;
    const bool found = p->kind == PATTERN_PROGRAM
                           ? regex_find(p->program, text, search, source->room)
                           : find_set(p, text, search);
    source->steps = search->steps;
    return found;
}

/* ---- tokens, however short */

static text_span slice(text_span text, uint64_t from, uint64_t to) {
    return (text_span){text.text + from, to - from};
}

static bool next_character(token_source *source, text_span *token) {
    token_level *level = &source->levels[0];
    uint64_t length = 0;
    if (level->at == level->piece.length) return false;
    (void)regex_decode(slice(level->piece, level->at, level->piece.length), &length);
    *token = slice(level->piece, level->at, level->at + length);
    level->at += length;
    source->steps++;
    return true;
}

static bool next_match(token_source *source, text_span *token) {
    token_level *level = &source->levels[0];
    regex_search search;
    if (!find_pattern(source, 0, level->piece, level->at, &search)) return false;
    *token = slice(level->piece, search.start, search.end);
    level->at = search.end;
    return true;
}

/* What separator number `number` leaves next of its level's piece. */
static text_span next_piece(token_source *source, uint32_t number) {
    token_level *level = &source->levels[number];
    const uint64_t from = level->at;
    regex_search search;
    if (find_pattern(source, number, level->piece, from, &search)) {
        level->at = search.end;
        return slice(level->piece, from, search.start);
    }
    level->is_done = true;
    return slice(level->piece, from, level->piece.length);
}

static bool next_separated(token_source *source, text_span *token) {
    while (source->depth > 0) {
        const uint32_t number = source->depth - 1;
        if (source->levels[number].is_done) {
            source->depth--;
            continue;
        }
        const text_span piece = next_piece(source, number);
        if (source->steps > source->most) return false;
        if (piece.length == 0) continue;
        if (source->depth == source->rules->separators) {
            *token = piece;
            return true;
        }
        source->levels[source->depth++] = (token_level){.piece = piece};
    }
    return false;
}

/* ---- tokens */

static uint64_t characters(text_span text) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.text[i] & 0xC0) != 0x80;
    return count;
}

static bool next_of_any_length(token_source *source, text_span *token) {
    if (source->steps > source->most) return false;
    if (source->rules->is_characters) return next_character(source, token);
    return source->rules->separators > 0 ? next_separated(source, token)
                                         : next_match(source, token);
}

void tokens_begin(token_source *source, text_span text) {
    source->depth = 1;
    source->levels[0] = (token_level){.piece = text};
    source->steps++;
}

bool tokens_next(token_source *source, text_span *token) {
    while (next_of_any_length(source, token)) {
        if (token->length >= source->rules->least && characters(*token) >= source->rules->least) {
            return true;
        }
    }
    return false;
}
