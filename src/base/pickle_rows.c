#include "base/pickle_rows.h"

bool pickle_rows_next(cursor *rows, pickle_row *row) {
    uint8_t kind, length;
    if (!cursor_u8(rows, &kind) || !cursor_u8(rows, &length)) return false;
    const uint8_t *name = cursor_take(rows, length);
    const bool known = kind == PICKLE_ROW_RECORD || kind == PICKLE_ROW_OPAQUE;
    if (!name || !known || !pickle_row_named(name, length)) return false;
    *row = (pickle_row){.kind = (pickle_row_kind)kind, .name = name, .length = length};
    return true;
}

bool pickle_rows_valid(const uint8_t *rows, uint64_t length) {
    cursor c = cursor_over(rows, length, 0);
    pickle_row row;
    while (cursor_left(&c) > 0) {
        if (!pickle_rows_next(&c, &row)) return false;
    }
    return true;
}

static bool is_letter(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

bool pickle_row_named(const uint8_t *name, uint64_t length) {
    uint64_t part = 0, dots = 0; /* bytes of the identifier so far */
    if (length > PICKLE_ROW_NAME) return false;
    for (uint64_t i = 0; i < length; i++) {
        const bool digit = name[i] >= '0' && name[i] <= '9';
        const bool dot = name[i] == '.';
        if (part == 0 ? !is_letter(name[i]) : !is_letter(name[i]) && !digit && !dot) return false;
        part = dot ? 0 : part + 1;
        dots += dot;
    }
    return dots > 0 && part > 0;
}
