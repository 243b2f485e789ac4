/* A table of rows: read, bound to the inputs of a model, written, and read again. How it is
 * read and what the model takes follow from the input. */
#include "base/error.h"
#include "input/bind.h"
#include "kit/input_csv.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_text;

static wlk_status bind(const csv_table *table, uint64_t hash, wlk_error *error) {
    csv_ports ports;
    input_binding bound;
    csv_ports_for(table, hash, &ports);
    TRY(input_bind_csv(table, ports.list, ports.count, ports.features, ports.feature_count, false,
                       fuzz_limits(), &bound, error));
    FUZZ_CHECK(0, bound.count == ports.count && bound.rows == csv_rows(table));
    for (uint32_t i = 0; i < bound.count; i++) {
        csv_check_bound(&ports.list[i], &bound.arrays[i].tensor);
    }
    const wlk_status status = csv_check_written(&bound.arrays[0].tensor, error);
    input_binding_free(&bound);
    return status;
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    const uint64_t hash = fuzz_hash(data, size);
    const csv_options options = csv_options_for(hash);
    csv_table *table;
    TRY(csv_parse(data, size, &options, fuzz_limits(), &table, error));
    csv_check_place(table, data, size, hash);
    const wlk_status status = bind(table, hash, error);
    csv_free(table);
    return status;
}

/* Each byte may be a row of one field: 16 bytes in the table's lists and as many to spare,
 * 48 while those of the table read again grow, an element of 8 bytes twice, and text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1 << 16, .memory_per_byte = 112}, data,
                    size);
}
