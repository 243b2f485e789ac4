/* Columns of a CSV table as arrays (csv.h). */
#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "input/csv.h"
#include "input/element.h"

typedef struct column_set {
    const csv_table *table;
    const uint32_t *columns;
    uint32_t count;
    wlk_dtype dtype;
} column_set;

static wlk_status bad_cell(const column_set *set, wlk_rule rule, uint64_t row, uint32_t column,
                           wlk_error *error) {
    const char *name = csv_name(set->table, column);
    const char *cell = csv_cell(set->table, row, column);
    const unsigned long long line = csv_row_number(set->table, row);
    const uint64_t at = csv_cell_offset(set->table, row, column);
    const char *dtype = wlk_dtype_name(set->dtype);
    if (name) {
        return error_text(error, rule, at, "row %llu, column \"%.64s\": \"%.64s\" as %s", line,
                          name, cell, dtype);
    }
    return error_text(error, rule, at, "row %llu, column %u: \"%.64s\" as %s", line, column + 1,
                      cell, dtype);
}

static bool is_float(wlk_dtype dtype) {
    return dtype == WLK_F64 || dtype == WLK_F32 || dtype == WLK_F16 || dtype == WLK_BF16;
}

/* Truth values are the numbers 1 and 0 wherever numbers are wanted, as they are in Python. */
static bool parse_bool(const char *cell, number *out) {
    static const char *const words[2][3] = {{"false", "False", "FALSE"}, {"true", "True", "TRUE"}};
    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 3; i++) {
            if (strcmp(cell, words[value][i]) != 0) continue;
            *out = number_of_int(value);
            return true;
        }
    }
    return false;
}

static wlk_status take_number(const column_set *set, uint64_t row, uint32_t column,
                              input_array *array, uint64_t index, wlk_error *error) {
    const char *cell = csv_cell(set->table, row, column);
    number value = number_of_float((double)NAN);
    if (csv_missing(set->table, cell)) {
        if (!is_float(set->dtype)) return bad_cell(set, RULE_CSV_MISSING, row, column, error);
    } else if (!element_parse(cell, &value) && !parse_bool(cell, &value)) {
        return bad_cell(set, RULE_CSV_NUMBER, row, column, error);
    }
    if (element_put(set->dtype, array->owned, index, &value)) return WLK_OK;
    return bad_cell(set, RULE_CSV_NUMBER, row, column, error);
}

static wlk_status take_numbers(const column_set *set, input_array *array, wlk_error *error) {
    const uint64_t rows = csv_rows(set->table);
    uint64_t index = 0;
    for (uint64_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < set->count; i++) {
            TRY(take_number(set, row, set->columns[i], array, index++, error));
        }
    }
    return WLK_OK;
}

/* Text stays as it is: a column of strings has no missing value but "". */
static void take_strings(const column_set *set, input_array *array) {
    const uint64_t rows = csv_rows(set->table);
    uint64_t index = 0;
    for (uint64_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < set->count; i++) {
            const char *cell = csv_cell(set->table, row, set->columns[i]);
            input_array_put_string(array, index++, cell, strlen(cell));
        }
    }
}

/* Bytes of text in the columns: at most the table's own text for each of them. */
static uint64_t measure_text(const column_set *set) {
    const uint64_t rows = csv_rows(set->table);
    uint64_t total = 0;
    for (uint64_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < set->count; i++) {
            total += strlen(csv_cell(set->table, row, set->columns[i]));
        }
    }
    return total;
}

wlk_status csv_take(const csv_table *table, const uint32_t *columns, uint32_t count, uint32_t rank,
                    wlk_dtype dtype, const wlk_limits *limits, input_array *array,
                    wlk_error *error) {
    const column_set set = {table, columns, count, dtype};
    const uint64_t shape[2] = {csv_rows(table), count};
    *array = (input_array){0};
    if (rank != 2 && !(rank == 1 && count == 1)) {
        return error_at(error, RULE_INPUT_SHAPE, WLK_NO_OFFSET);
    }
    if (dtype != WLK_STR && !element_is_numeric(dtype)) {
        return error_text(error, RULE_INPUT_DTYPE, WLK_NO_OFFSET, "%s", wlk_dtype_name(dtype));
    }
    const uint64_t text_bytes = dtype == WLK_STR ? measure_text(&set) : 0;
    TRY(input_array_new(dtype, rank, shape, text_bytes, limits->run_bytes, array, error));
    if (dtype == WLK_STR) {
        take_strings(&set, array);
        return WLK_OK;
    }
    const wlk_status status = take_numbers(&set, array, error);
    if (status != WLK_OK) input_array_free(array);
    return status;
}
