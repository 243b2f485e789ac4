#include "kit/input_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "input/csv_write.h"
#include "kit/kit.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

csv_options csv_options_for(uint64_t hash) {
    static const csv_header headers[] = {CSV_HEADER_AUTO, CSV_HEADER_AUTO, CSV_HEADER_YES,
                                         CSV_HEADER_NO};
    static const char *const missing[] = {"NA", "?"};
    return (csv_options){.header = headers[hash % COUNT(headers)],
                         .missing = missing,
                         .missing_count = (uint32_t)(hash / 4 % (COUNT(missing) + 1))};
}

static wlk_dtype pick_dtype(fuzz_random *random) {
    static const wlk_dtype dtypes[] = {WLK_F64,  WLK_F64, WLK_F32, WLK_F16, WLK_BF16,
                                       WLK_I64,  WLK_I8,  WLK_U64, WLK_I4,  WLK_U4,
                                       WLK_BOOL, WLK_STR, WLK_STR, WLK_C64, WLK_BLOCK};
    return dtypes[random_below(random, COUNT(dtypes))];
}

/* What fits in two of three dimensions, unknown in others, or anything. */
static int64_t pick_dim(uint64_t fits, fuzz_random *random) {
    switch (random_below(random, 6)) {
        case 0:
            return WLK_UNKNOWN_DIM;
        case 1:
            return (int64_t)(random_edge(random) & INT64_MAX);
        default:
            return (int64_t)fits;
    }
}

/* [rows, 1, ..., columns] of any rank. */
static wlk_port pick_port(const char *name, uint64_t rows, uint64_t columns, fuzz_random *random) {
    wlk_port port = {.name = name ? name : "x", .dtype = pick_dtype(random), .rank = 2};
    if (random_below(random, 3) == 0) port.rank = (uint32_t)random_below(random, WLK_MAX_RANK + 1);
    if (random_below(random, 8) == 0) port.rank = WLK_NONE;
    for (uint32_t i = 0; port.rank != WLK_NONE && i < port.rank; i++) {
        port.dims[i] = pick_dim(i == 0 ? rows : i + 1 == port.rank ? columns : 1, random);
    }
    return port;
}

void csv_ports_for(const csv_table *table, uint64_t hash, csv_ports *ports) {
    fuzz_random random = {hash};
    const uint64_t rows = csv_rows(table);
    const uint32_t columns = csv_columns(table);
    const bool several = columns <= CSV_MOST_PORTS && random_below(&random, 2);
    *ports = (csv_ports){.count = several ? columns : 1};
    for (uint32_t i = 0; i < ports->count; i++) {
        ports->list[i] = pick_port(csv_name(table, i), rows, several ? 1 : columns, &random);
    }
    if (!csv_name(table, 0) || columns > CSV_MOST_FEATURES || random_below(&random, 2)) return;
    ports->feature_count = columns;
    for (uint32_t i = 0; i < columns; i++) ports->features[i] = csv_name(table, columns - 1 - i);
}

/* ---- what must hold */

void csv_check_place(const csv_table *table, const uint8_t *data, size_t size, uint64_t hash) {
    const uint64_t row = hash % csv_rows(table);
    const uint32_t column = (uint32_t)(hash / 64 % csv_columns(table));
    const char *cell = csv_cell(table, row, column);
    const uint64_t at = csv_cell_offset(table, row, column), length = strlen(cell);
    FUZZ_CHECK(9, at <= size);
    if (at < size && data[at] == '"') return;
    FUZZ_CHECK(9, length <= size - at && memcmp(data + at, cell, length) == 0);
}

void csv_check_bound(const wlk_port *port, const wlk_tensor *tensor) {
    FUZZ_CHECK(0, tensor->dtype == port->dtype);
    FUZZ_CHECK(0, tensor->rank == (port->rank == WLK_NONE ? 2 : port->rank));
    for (uint32_t i = 0; port->rank != WLK_NONE && i < port->rank; i++) {
        FUZZ_CHECK(0, port->dims[i] < 0 || tensor->shape[i] == (uint64_t)port->dims[i]);
    }
}

static void check_same(const wlk_tensor *read, const wlk_tensor *want) {
    FUZZ_CHECK(0, read->nbytes == want->nbytes);
    FUZZ_CHECK(0, memcmp(read->data, want->data, want->nbytes) == 0);
}

/* All columns of the table as one array. */
static wlk_status take_all(const csv_table *table, wlk_dtype dtype, const wlk_limits *limits,
                           input_array *array, wlk_error *error) {
    const uint32_t count = csv_columns(table);
    uint32_t *columns = mem_zeroed(count, sizeof *columns);
    if (!columns) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) columns[i] = i;
    const wlk_status status = csv_take(table, columns, count, 2, dtype, limits, array, error);
    mem_free(columns);
    return status;
}

static wlk_status read_back(const char *text, size_t length, const wlk_tensor *want,
                            wlk_error *error) {
    static const csv_options plain = {.header = CSV_HEADER_NO};
    wlk_limits limits = *fuzz_limits();
    csv_table *table;
    input_array array;
    limits.input_bytes = length; /* it may have grown */
    TRY(csv_parse((const uint8_t *)text, length, &plain, &limits, &table, error));
    FUZZ_CHECK(0, csv_rows(table) == want->shape[0]);
    const wlk_status status = take_all(table, want->dtype, &limits, &array, error);
    if (status == WLK_OK) {
        check_same(&array.tensor, want);
        input_array_free(&array);
    }
    csv_free(table);
    return status;
}

wlk_status csv_check_written(const wlk_tensor *tensor, wlk_error *error) {
    char *text = NULL;
    size_t length = 0;
    const csv_output output = {.tensor = tensor, .name = "fuzz"};
    FILE *stream = open_memstream(&text, &length);
    if (!stream) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    FUZZ_CHECK(0, csv_write(stream, &output, 1, false, error) == WLK_OK);
    (void)fclose(stream);
    const wlk_status status = read_back(text, length, tensor, error);
    free(text);
    FUZZ_CHECK(0, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    return status;
}
