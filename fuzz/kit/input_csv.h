/* Inputs of a model for a table of rows: some that it fits, and some that it does not; and
 * what must hold of what was bound to them. */
#ifndef WEIGHLOCK_FUZZ_INPUT_CSV_H
#define WEIGHLOCK_FUZZ_INPUT_CSV_H

#include <weighlock/infer.h>

#include "input/csv.h"

#define CSV_MOST_PORTS 4
#define CSV_MOST_FEATURES 8

typedef struct csv_ports {
    wlk_port list[CSV_MOST_PORTS];
    uint32_t count;
    const char *features[CSV_MOST_FEATURES]; /* the table's names, from the last to the first */
    uint32_t feature_count;
} csv_ports;

/* How a table is read, and the ports for it, follow from `hash`. The names are the table's. */
csv_options csv_options_for(uint64_t hash);
void csv_ports_for(const csv_table *table, uint64_t hash, csv_ports *ports);

/* One cell, which one follows from `hash`, stands where it is said to stand in the data. */
void csv_check_place(const csv_table *table, const uint8_t *data, size_t size, uint64_t hash);

/* Is the tensor what the port asks for? */
void csv_check_bound(const wlk_port *port, const wlk_tensor *tensor);

/* Writes the tensor, [rows] or [rows, ...], and reads what was written: the same elements,
 * to the last bit. Fails for want of memory alone. */
wlk_status csv_check_written(const wlk_tensor *tensor, wlk_error *error);

#endif
