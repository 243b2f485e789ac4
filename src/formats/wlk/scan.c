#include "formats/wlk/scan.h"

#include <string.h>

#include "base/utf8.h"

/* The heads c0..df: kind, bytes of the argument that follows, and the range of
 * arguments for which no shorter head exists. Kind 0 is not used by the format. */
typedef struct head_row {
    uint8_t kind;
    uint8_t argument;
    bool is_signed;
    uint64_t smallest; /* unsigned arguments */
    int64_t largest;   /* signed arguments, which are used below zero only */
} head_row;

static const head_row heads[32] = {
    [0x00] = {.kind = KIND_NIL},
    [0x02] = {.kind = KIND_BOOL},
    [0x03] = {.kind = KIND_BOOL},
    [0x0b] = {.kind = KIND_FLOAT, .argument = 8},
    [0x0c] = {.kind = KIND_UINT, .argument = 1, .smallest = 1u << 7},
    [0x0d] = {.kind = KIND_UINT, .argument = 2, .smallest = 1u << 8},
    [0x0e] = {.kind = KIND_UINT, .argument = 4, .smallest = 1u << 16},
    [0x0f] = {.kind = KIND_UINT, .argument = 8, .smallest = 1ull << 32},
    [0x10] = {.kind = KIND_NEGATIVE, .argument = 1, .is_signed = true, .largest = -33},
    [0x11] = {.kind = KIND_NEGATIVE, .argument = 2, .is_signed = true, .largest = INT8_MIN - 1},
    [0x12] = {.kind = KIND_NEGATIVE, .argument = 4, .is_signed = true, .largest = INT16_MIN - 1},
    [0x13] = {.kind = KIND_NEGATIVE,
              .argument = 8,
              .is_signed = true,
              .largest = (int64_t)INT32_MIN - 1},
    [0x19] = {.kind = KIND_STR, .argument = 1, .smallest = 1u << 5},
    [0x1a] = {.kind = KIND_STR, .argument = 2, .smallest = 1u << 8},
    [0x1b] = {.kind = KIND_STR, .argument = 4, .smallest = 1u << 16},
    [0x1c] = {.kind = KIND_ARRAY, .argument = 2, .smallest = 1u << 4},
    [0x1d] = {.kind = KIND_ARRAY, .argument = 4, .smallest = 1u << 16},
    [0x1e] = {.kind = KIND_MAP, .argument = 2, .smallest = 1u << 4},
    [0x1f] = {.kind = KIND_MAP, .argument = 4, .smallest = 1u << 16},
};

static bool read_big_endian(cursor *c, unsigned length, uint64_t *value) {
    const uint8_t *bytes = cursor_take(c, length);
    if (!bytes) return false;
    uint64_t result = 0;
    for (unsigned i = 0; i < length; i++) result = result << 8 | bytes[i];
    *value = result;
    return true;
}

static bool is_shortest(const head_row *row, uint64_t argument) {
    if (!row->is_signed) return argument >= row->smallest;
    const unsigned unused = 64u - 8u * row->argument;
    return (int64_t)(argument << unused) >> unused <= row->largest;
}

/* A head with an argument behind it, or nil, bool, or what is not allowed. */
static wlk_status read_long_head(cursor *c, uint8_t byte, token *out, wlk_error *error) {
    const head_row *row = &heads[byte & 0x1f];
    uint64_t argument = 0;
    if (row->kind == 0) return error_at(error, RULE_HEADER_TYPE_BYTE, out->offset);
    if (!read_big_endian(c, row->argument, &argument)) {
        return error_at(error, RULE_HEADER_TRUNCATED, out->offset);
    }
    out->kind = (object_kind)row->kind;
    if (out->kind == KIND_FLOAT) return WLK_OK;
    if (row->argument > 0 && !is_shortest(row, argument)) {
        return error_at(error, RULE_HEADER_NOT_CANONICAL, out->offset);
    }
    if (out->kind & (KIND_STR | KIND_ARRAY | KIND_MAP)) out->count = argument;
    return WLK_OK;
}

static wlk_status read_head(cursor *c, uint8_t byte, token *out, wlk_error *error) {
    if (byte < 0x80) {
        out->kind = KIND_UINT;
    } else if (byte < 0x90) {
        out->kind = KIND_MAP;
        out->count = byte & 0x0fu;
    } else if (byte < 0xa0) {
        out->kind = KIND_ARRAY;
        out->count = byte & 0x0fu;
    } else if (byte < 0xc0) {
        out->kind = KIND_STR;
        out->count = byte & 0x1fu;
    } else if (byte < 0xe0) {
        return read_long_head(c, byte, out, error);
    } else {
        out->kind = KIND_NEGATIVE;
    }
    return WLK_OK;
}

uint64_t token_children(const token *t) {
    if (t->kind == KIND_ARRAY) return t->count;
    return t->kind == KIND_MAP ? 2 * t->count : 0; /* count < 2^32 */
}

wlk_status token_read(cursor *c, token *out, wlk_error *error) {
    *out = (token){.offset = cursor_offset(c)};
    uint8_t byte;
    if (!cursor_u8(c, &byte)) return error_at(error, RULE_HEADER_TRUNCATED, out->offset);
    TRY(read_head(c, byte, out, error));
    if (out->kind == KIND_STR) {
        out->text = cursor_take(c, out->count);
        return out->text ? WLK_OK : error_at(error, RULE_HEADER_TRUNCATED, out->offset);
    }
    /* The smallest object is one byte: a count that cannot be true ends here. */
    if (token_children(out) > cursor_left(c)) {
        return error_at(error, RULE_HEADER_COUNT, out->offset);
    }
    return WLK_OK;
}

/* One open container. */
typedef struct scan_level {
    uint64_t left; /* objects that are still to come, keys included */
    bool is_map;
    token key; /* the latest, kind 0 before the first */
} scan_level;

typedef struct scan_state {
    cursor at;
    scan_level levels[SCAN_MAX_DEPTH];
    unsigned depth; /* open containers */
    uint64_t depth_limit;
} scan_state;

static int compare_text(const token *a, const token *b) {
    const uint64_t shorter = a->count < b->count ? a->count : b->count;
    const int order = shorter ? memcmp(a->text, b->text, shorter) : 0;
    if (order != 0) return order;
    return (a->count > b->count) - (a->count < b->count);
}

static wlk_status check_key(scan_level *level, const token *key, wlk_error *error) {
    if (key->kind != KIND_STR) return error_at(error, RULE_HEADER_KEY_TYPE, key->offset);
    if (level->key.kind == KIND_STR) {
        const int order = compare_text(&level->key, key);
        if (order == 0) return error_at(error, RULE_HEADER_KEY_DUPLICATE, key->offset);
        if (order > 0) return error_at(error, RULE_HEADER_KEY_ORDER, key->offset);
    }
    level->key = *key;
    return WLK_OK;
}

static wlk_status open_level(scan_state *s, const token *t, wlk_error *error) {
    if (s->depth == SCAN_MAX_DEPTH) return error_at(error, RULE_HEADER_DEPTH, t->offset);
    if (s->depth >= s->depth_limit) return error_at(error, RULE_LIMIT_HEADER_DEPTH, t->offset);
    s->levels[s->depth++] = (scan_level){.left = token_children(t), .is_map = t->kind == KIND_MAP};
    return WLK_OK;
}

/* Reads one object's head where the innermost open container expects it. */
static wlk_status scan_object(scan_state *s, wlk_error *error) {
    token t;
    TRY(token_read(&s->at, &t, error));
    if (t.kind == KIND_STR && !utf8_valid(t.text, t.count)) {
        return error_at(error, RULE_HEADER_UTF8, t.offset);
    }
    if (s->depth > 0) {
        scan_level *level = &s->levels[s->depth - 1];
        /* A map's keys and values alternate, and their number is even. */
        if (level->is_map && level->left % 2 == 0) TRY(check_key(level, &t, error));
        level->left--;
    }
    if (t.kind & (KIND_ARRAY | KIND_MAP)) TRY(open_level(s, &t, error));
    while (s->depth > 0 && s->levels[s->depth - 1].left == 0) s->depth--;
    return WLK_OK;
}

wlk_status scan_header(cursor header, const wlk_limits *limits, wlk_error *error) {
    scan_state s = {.at = header, .depth_limit = limits->header_depth};
    do {
        TRY(scan_object(&s, error));
    } while (s.depth > 0);
    if (cursor_left(&s.at) > 0) {
        return error_at(error, RULE_HEADER_TRAILING, cursor_offset(&s.at));
    }
    return WLK_OK;
}

token scan_head(cursor *c) {
    token head;
    return token_read(c, &head, NULL) == WLK_OK ? head : (token){.offset = head.offset};
}

cursor scan_slice(cursor *c, uint64_t *objects) {
    cursor ahead = *c;
    cursor slice = {.size = 0};
    uint64_t seen = 0;
    /* Each object takes a byte at least, so `left` stays below 2^33 times the
     * length of the header. */
    for (uint64_t left = 1; left > 0; left--, seen++) {
        const token t = scan_head(&ahead);
        left += token_children(&t);
    }
    if (objects) *objects = seen;
    (void)cursor_slice(c, ahead.position - c->position, &slice); /* it has been walked over */
    return slice;
}

token scan_enter(cursor slice, cursor *inside) {
    *inside = slice;
    return scan_head(inside);
}

uint64_t scan_text_head(uint64_t length) {
    if (length < 1u << 5) return 1;
    if (length < 1u << 8) return 2;
    return length < 1u << 16 ? 3 : 5;
}
