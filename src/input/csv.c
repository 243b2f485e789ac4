#include "input/csv.h"

#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "input/element.h"

/* Fields are unquoted once into `text`, each followed by a NUL; `cells` holds
 * where each begins, row by row, and `row_offsets` where in the data each row
 * begins. Both count the header. text never needs more than the data's own
 * length plus one: a field's NUL takes the place of the comma or line end. */
struct csv_table {
    const uint8_t *data;
    uint64_t size;
    csv_options options;
    char *text;
    uint64_t text_used;
    uint64_t *cells;
    uint64_t cell_count;
    uint64_t cell_room;
    uint64_t *row_offsets;
    uint64_t row_count;
    uint64_t row_room;
    uint32_t columns;
    bool has_header;
};

void csv_free(csv_table *table) {
    if (!table) return;
    mem_free(table->text);
    mem_free(table->cells);
    mem_free(table->row_offsets);
    mem_free(table);
}

static wlk_status append_u64(uint64_t **list, uint64_t *room, uint64_t *count, uint64_t value,
                             wlk_error *error) {
    if (*count == *room) {
        uint64_t wanted, nbytes;
        if (!checked_mul(*room ? *room : 32, 2, &wanted) || !checked_mul(wanted, 8, &nbytes)) {
            return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        }
        uint64_t *grown = mem_resize(*list, nbytes);
        if (!grown) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        *list = grown;
        *room = wanted;
    }
    (*list)[(*count)++] = value;
    return WLK_OK;
}

/* ---- one field */

typedef enum csv_end { END_FIELD, END_ROW, END_DATA } csv_end;

/* What follows a field; it is taken. */
static wlk_status take_separator(cursor *c, csv_end *end, wlk_error *error) {
    uint8_t next;
    const uint64_t at = cursor_offset(c);
    if (!cursor_u8(c, &next)) {
        *end = END_DATA;
        return WLK_OK;
    }
    *end = next == ',' ? END_FIELD : END_ROW;
    if (next == ',' || next == '\n') return WLK_OK;
    if (next != '\r') return error_at(error, RULE_CSV_QUOTE, at);
    if (!cursor_u8(c, &next) || next != '\n') return error_at(error, RULE_CSV_LINE_END, at);
    return WLK_OK;
}

/* Appends a field behind `out`, without quotes; its length in *length. */
static wlk_status take_quoted(cursor *c, char *out, uint64_t *length, wlk_error *error) {
    const uint64_t start = cursor_offset(c);
    uint8_t next;
    (void)cursor_skip(c, 1);
    for (;;) {
        if (!cursor_u8(c, &next)) return error_at(error, RULE_CSV_UNTERMINATED, start);
        if (next == '"') {
            uint8_t after;
            if (!cursor_peek_u8(c, &after) || after != '"') return WLK_OK;
            (void)cursor_skip(c, 1);
        }
        out[(*length)++] = (char)next;
    }
}

static wlk_status take_plain(cursor *c, char *out, uint64_t *length, wlk_error *error) {
    uint8_t next;
    while (cursor_peek_u8(c, &next) && next != ',' && next != '\n' && next != '\r') {
        if (next == '"') return error_at(error, RULE_CSV_QUOTE, cursor_offset(c));
        out[(*length)++] = (char)next;
        (void)cursor_skip(c, 1);
    }
    return WLK_OK;
}

static wlk_status take_field(cursor *c, char *out, csv_end *end, uint64_t *length,
                             wlk_error *error) {
    uint8_t first;
    const uint64_t start = cursor_offset(c);
    *length = 0;
    if (cursor_peek_u8(c, &first) && first == '"') {
        TRY(take_quoted(c, out, length, error));
    } else {
        TRY(take_plain(c, out, length, error));
    }
    if (!utf8_valid((const uint8_t *)out, *length)) {
        return error_at(error, RULE_CSV_ENCODING, start);
    }
    out[*length] = '\0';
    return take_separator(c, end, error);
}

/* ---- rows */

static wlk_status ragged(const csv_table *table, uint64_t fields, uint64_t at, wlk_error *error) {
    return error_text(error, RULE_CSV_RAGGED, at, "row %llu has %llu%s fields, the first row %u",
                      (unsigned long long)table->row_count, (unsigned long long)fields,
                      fields > table->columns ? " or more" : "", table->columns);
}

/* One row. The first fixes the number of columns. */
static wlk_status take_row(csv_table *table, cursor *c, uint64_t max_columns, bool *done,
                           wlk_error *error) {
    const uint64_t at = cursor_offset(c);
    const bool first = table->row_count == 0;
    uint64_t fields = 0, length;
    csv_end end;
    TRY(append_u64(&table->row_offsets, &table->row_room, &table->row_count, at, error));
    do {
        if (!first && fields == table->columns) return ragged(table, fields + 1, at, error);
        if (fields == max_columns) return error_at(error, RULE_CSV_COLUMNS, cursor_offset(c));
        TRY(append_u64(&table->cells, &table->cell_room, &table->cell_count, table->text_used,
                       error));
        TRY(take_field(c, table->text + table->text_used, &end, &length, error));
        table->text_used += length + 1;
        fields++;
    } while (end == END_FIELD);
    if (first) table->columns = (uint32_t)fields;
    if (fields != table->columns) return ragged(table, fields, at, error);
    *done = end == END_DATA || cursor_left(c) == 0; /* a last line end ends no row */
    return WLK_OK;
}

static cursor data_cursor(const csv_table *table) {
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
    cursor c = cursor_over(table->data, table->size, 0);
    if (table->size >= sizeof mark && memcmp(table->data, mark, sizeof mark) == 0) {
        (void)cursor_skip(&c, sizeof mark);
    }
    return c;
}

static wlk_status take_rows(csv_table *table, uint64_t max_columns, wlk_error *error) {
    cursor c = data_cursor(table);
    bool done = cursor_left(&c) == 0;
    if (done) return error_at(error, RULE_CSV_EMPTY, 0);
    while (!done) TRY(take_row(table, &c, max_columns, &done, error));
    return WLK_OK;
}

/* ---- header */

static const char *raw_cell(const csv_table *table, uint64_t row, uint32_t column) {
    return table->text + table->cells[row * table->columns + column];
}

static bool looks_like_header(const csv_table *table) {
    bool named = false;
    for (uint32_t i = 0; i < table->columns; i++) {
        number value;
        const char *cell = raw_cell(table, 0, i);
        if (element_parse(cell, &value)) return false;
        if (!csv_missing(table, cell)) named = true;
    }
    return named;
}

static wlk_status find_header(csv_table *table, wlk_error *error) {
    table->has_header = table->options.header == CSV_HEADER_YES ||
                        (table->options.header == CSV_HEADER_AUTO && looks_like_header(table));
    if (csv_rows(table) > 0) return WLK_OK;
    return error_text(error, RULE_CSV_EMPTY, table->size, "only a header");
}

static wlk_status table_fill(csv_table *table, const wlk_limits *limits, wlk_error *error) {
    uint64_t room;
    const uint64_t most = limits->columns < UINT32_MAX ? limits->columns : UINT32_MAX - 1;
    if (!checked_add(table->size, 2, &room)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    table->text = mem_alloc(room);
    if (!table->text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(take_rows(table, most, error));
    return find_header(table, error);
}

wlk_status csv_parse(const uint8_t *data, uint64_t size, const csv_options *options,
                     const wlk_limits *limits, csv_table **table, wlk_error *error) {
    *table = NULL;
    if (size > limits->input_bytes) return error_at(error, RULE_INPUT_SIZE, limits->input_bytes);
    csv_table *made = mem_zeroed(1, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    made->data = data;
    made->size = size;
    made->options = *options;
    const wlk_status status = table_fill(made, limits, error);
    if (status == WLK_OK) {
        *table = made;
    } else {
        csv_free(made);
    }
    return status;
}

uint64_t csv_rows(const csv_table *table) {
    return table->row_count - table->has_header;
}

uint32_t csv_columns(const csv_table *table) {
    return table->columns;
}

const char *csv_name(const csv_table *table, uint32_t column) {
    return table->has_header ? raw_cell(table, 0, column) : NULL;
}

const char *csv_cell(const csv_table *table, uint64_t row, uint32_t column) {
    return raw_cell(table, row + table->has_header, column);
}

uint64_t csv_row_number(const csv_table *table, uint64_t row) {
    return row + table->has_header + 1;
}

bool csv_missing(const csv_table *table, const char *cell) {
    if (cell[0] == '\0' || strcasecmp(cell, "nan") == 0) return true;
    for (uint32_t i = 0; i < table->options.missing_count; i++) {
        if (strcmp(cell, table->options.missing[i]) == 0) return true;
    }
    return false;
}

/* The end of a field in data that have been read once: quotes are balanced. */
static uint64_t field_end(const csv_table *table, uint64_t at) {
    bool quoted = false;
    for (; at < table->size; at++) {
        const uint8_t c = table->data[at];
        if (c == '"') quoted = !quoted;
        if (!quoted && (c == ',' || c == '\n' || c == '\r')) break;
    }
    return at;
}

uint64_t csv_cell_offset(const csv_table *table, uint64_t row, uint32_t column) {
    uint64_t at = table->row_offsets[row + table->has_header];
    for (uint32_t i = 0; i < column; i++) at = field_end(table, at) + 1;
    return at;
}
