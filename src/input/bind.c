#include "input/bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/nearest.h"

#define FEATURE_NAMES_PATH "/metadata/source/feature_names"

void input_binding_free(input_binding *binding) {
    for (uint32_t i = 0; i < binding->count; i++) input_array_free(&binding->arrays[i]);
    mem_free(binding->arrays);
    *binding = (input_binding){0};
}

wlk_status input_feature_names(const wlk_model *model, const char ***names, uint32_t *count,
                               wlk_error *error) {
    *names = NULL;
    *count = 0;
    const uint32_t at = wlk_model_find_meta(model, FEATURE_NAMES_PATH);
    if (at == WLK_NONE) return WLK_OK;
    const wlk_meta list = wlk_model_meta(model, at);
    if (list.type != WLK_META_ARRAY || list.i <= 0) return WLK_OK;
    const uint32_t length = (uint32_t)list.i; /* validated: so many entries follow */
    const char **made = mem_zeroed(length, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < length; i++) {
        const wlk_meta name = wlk_model_meta(model, at + 1 + i);
        if (name.type != WLK_META_STRING) {
            mem_free(made);
            return WLK_OK;
        }
        made[i] = name.s;
    }
    *names = made;
    *count = length;
    return WLK_OK;
}

/* ---- columns by name */

/* What the model wants, and whether the table may have more. */
typedef struct name_list {
    const char *const *names;
    uint32_t count;
    bool ignore_unknown;
} name_list;

typedef struct named_column {
    const char *name;
    uint32_t column;
    bool taken;
} named_column;

static int compare_names(const void *a, const void *b) {
    const named_column *x = a, *y = b;
    const int order = strcmp(x->name, y->name);
    return order ? order : (x->column > y->column) - (x->column < y->column);
}

/* The table's columns sorted by name, so that look-ups do not search them all. */
static wlk_status sort_columns(const csv_table *table, named_column **sorted, wlk_error *error) {
    const uint32_t count = csv_columns(table);
    named_column *list = mem_zeroed(count, sizeof *list);
    if (!list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) list[i] = (named_column){csv_name(table, i), i, false};
    qsort(list, count, sizeof *list, compare_names);
    for (uint32_t i = 1; i < count; i++) {
        if (strcmp(list[i - 1].name, list[i].name) != 0) continue;
        const wlk_status status = error_text(error, RULE_INPUT_DUPLICATE_COLUMN, WLK_NO_OFFSET,
                                             "\"%.128s\"", list[i].name);
        mem_free(list);
        return status;
    }
    *sorted = list;
    return WLK_OK;
}

static named_column *find_column(named_column *sorted, uint32_t count, const char *name) {
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = strcmp(sorted[middle].name, name);
        if (order == 0) return &sorted[middle];
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* The first column of the table that no name took, WLK_NONE if all are taken. */
static uint32_t first_untaken(const named_column *sorted, uint32_t count) {
    uint32_t first = WLK_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (!sorted[i].taken && sorted[i].column < first) first = sorted[i].column;
    }
    return first;
}

static wlk_status unknown_column(const char *name, name_list wanted, wlk_error *error) {
    const char *near = nearest_name(name, wanted.names, wanted.count);
    if (near) {
        return error_text(error, RULE_INPUT_UNKNOWN_COLUMN, WLK_NO_OFFSET,
                          "\"%.64s\"; the nearest that the model has is \"%.64s\"", name, near);
    }
    return error_text(error, RULE_INPUT_UNKNOWN_COLUMN, WLK_NO_OFFSET, "\"%.128s\"", name);
}

/* With the most similar of the columns that no other name has taken. */
static wlk_status missing_column(const char *name, const named_column *sorted, uint32_t count,
                                 wlk_error *error) {
    const char **names = mem_zeroed((size_t)count + 1, sizeof *names);
    uint32_t left = 0;
    if (!names) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) {
        if (!sorted[i].taken) names[left++] = sorted[i].name;
    }
    const char *near = nearest_name(name, names, left);
    const wlk_status status =
        near ? error_text(error, RULE_INPUT_MISSING_COLUMN, WLK_NO_OFFSET,
                          "\"%.64s\"; the nearest that the table has is \"%.64s\"", name, near)
             : error_text(error, RULE_INPUT_MISSING_COLUMN, WLK_NO_OFFSET, "\"%.128s\"", name);
    mem_free(names);
    return status;
}

/* Finds the column of each wanted name. Of a mistyped column, which is both
 * unknown and missing, the table's own spelling is told: that can be searched. */
static wlk_status match_sorted(const csv_table *table, named_column *sorted, name_list wanted,
                               uint32_t *columns, wlk_error *error) {
    const uint32_t have = csv_columns(table);
    const char *missing = NULL;
    for (uint32_t i = 0; i < wanted.count; i++) {
        named_column *found = find_column(sorted, have, wanted.names[i]);
        if (!found) {
            if (!missing) missing = wanted.names[i];
            continue;
        }
        if (found->taken) {
            return error_text(error, RULE_INPUT_FEATURES, WLK_NO_OFFSET, "\"%.128s\"",
                              wanted.names[i]);
        }
        found->taken = true;
        columns[i] = found->column;
    }
    const uint32_t unknown = first_untaken(sorted, have);
    if (unknown != WLK_NONE && !wanted.ignore_unknown) {
        return unknown_column(csv_name(table, unknown), wanted, error);
    }
    return missing ? missing_column(missing, sorted, have, error) : WLK_OK;
}

/* columns has room for wanted.count entries. */
static wlk_status match_columns(const csv_table *table, name_list wanted, uint32_t *columns,
                                wlk_error *error) {
    named_column *sorted = NULL;
    TRY(sort_columns(table, &sorted, error));
    const wlk_status status = match_sorted(table, sorted, wanted, columns, error);
    mem_free(sorted);
    return status;
}

/* ---- one input */

/* Columns that a port asks for, WLK_NONE if it takes any number. */
static wlk_status port_width(const wlk_port *port, uint32_t *width, wlk_error *error) {
    uint64_t product = 1;
    *width = WLK_NONE;
    if (port->rank == WLK_NONE) return WLK_OK;
    for (uint32_t i = 1; i < port->rank; i++) {
        if (port->dims[i] < 0) {
            if (port->rank == 2) return WLK_OK;
            return error_text(error, RULE_INPUT_PORT_SHAPE, WLK_NO_OFFSET,
                              "input \"%.128s\" has unknown dimensions", port->name);
        }
        if (!checked_mul(product, (uint64_t)port->dims[i], &product)) product = WLK_NONE - 1;
    }
    *width = product < WLK_NONE ? (uint32_t)product : WLK_NONE - 1;
    return WLK_OK;
}

static wlk_status check_rows(const csv_table *table, const wlk_port *port, wlk_error *error) {
    if (port->rank == WLK_NONE || port->dims[0] < 0) return WLK_OK;
    if ((uint64_t)port->dims[0] == csv_rows(table)) return WLK_OK;
    return error_text(error, RULE_INPUT_ROWS, WLK_NO_OFFSET, "input \"%.64s\" takes %lld, not %llu",
                      port->name, (long long)port->dims[0], (unsigned long long)csv_rows(table));
}

static wlk_status check_width(const csv_table *table, const wlk_port *port, wlk_error *error) {
    uint32_t width;
    TRY(port_width(port, &width, error));
    if (width == WLK_NONE || width == csv_columns(table)) return WLK_OK;
    return error_text(error, RULE_INPUT_COLUMNS, WLK_NO_OFFSET, "input \"%.64s\" takes %u, not %u",
                      port->name, width, csv_columns(table));
}

/* [rows, 64] becomes [rows, 1, 8, 8]; the elements stay where they are. */
static void reshape(input_array *array, const wlk_port *port) {
    if (port->rank == WLK_NONE || port->rank <= 2) return;
    array->tensor.rank = port->rank;
    for (uint32_t i = 1; i < port->rank; i++) array->tensor.shape[i] = (uint64_t)port->dims[i];
}

static wlk_status take_port(const csv_table *table, const wlk_port *port, const uint32_t *columns,
                            uint32_t count, const wlk_limits *limits, input_array *array,
                            wlk_error *error) {
    const uint32_t rank = port->rank == 1 ? 1 : 2;
    TRY(csv_take(table, columns, count, rank, port->dtype, limits, array, error));
    reshape(array, port);
    array->tensor.name = port->name;
    return WLK_OK;
}

/* Which columns the input takes, in its order. */
static wlk_status order_columns(const csv_table *table, const wlk_port *port, name_list features,
                                uint32_t *columns, wlk_error *error) {
    uint32_t width;
    if (!csv_name(table, 0) || features.count == 0) {
        for (uint32_t i = 0; i < csv_columns(table); i++) columns[i] = i;
        return check_width(table, port, error);
    }
    TRY(port_width(port, &width, error));
    if (width != WLK_NONE && width != features.count) {
        return error_text(error, RULE_INPUT_FEATURES, WLK_NO_OFFSET, "%u and %u", features.count,
                          width);
    }
    return match_columns(table, features, columns, error);
}

static wlk_status bind_one(const csv_table *table, const wlk_port *port, name_list features,
                           const wlk_limits *limits, input_array *array, wlk_error *error) {
    const uint32_t have = csv_columns(table);
    const uint32_t count = csv_name(table, 0) && features.count > 0 ? features.count : have;
    if (port->rank == 0) {
        return error_text(error, RULE_INPUT_PORT_SHAPE, WLK_NO_OFFSET,
                          "input \"%.128s\" is a scalar", port->name);
    }
    TRY(check_rows(table, port, error));
    const uint32_t room = have > features.count ? have : features.count;
    uint32_t *columns = mem_zeroed(room, sizeof *columns);
    if (!columns) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = order_columns(table, port, features, columns, error);
    if (status == WLK_OK) status = take_port(table, port, columns, count, limits, array, error);
    mem_free(columns);
    return status;
}

/* ---- several inputs */

static wlk_status check_single_column(const csv_table *table, const wlk_port *port,
                                      wlk_error *error) {
    const bool column = port->rank == WLK_NONE || port->rank == 1 ||
                        (port->rank == 2 && (port->dims[1] < 0 || port->dims[1] == 1));
    if (column) return check_rows(table, port, error);
    return error_text(error, RULE_INPUT_PORT_SHAPE, WLK_NO_OFFSET,
                      "input \"%.128s\" is not one column", port->name);
}

static wlk_status match_ports(const csv_table *table, const wlk_port *ports, uint32_t count,
                              bool ignore_unknown, uint32_t *columns, wlk_error *error) {
    if (!csv_name(table, 0)) return error_at(error, RULE_INPUT_HEADER, WLK_NO_OFFSET);
    const char **names = mem_zeroed(count, sizeof *names);
    if (!names) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) names[i] = ports[i].name;
    const wlk_status status =
        match_columns(table, (name_list){names, count, ignore_unknown}, columns, error);
    mem_free(names);
    return status;
}

static wlk_status bind_ports(const csv_table *table, const wlk_port *ports, const uint32_t *columns,
                             const wlk_limits *limits, input_binding *binding, wlk_error *error) {
    for (uint32_t i = 0; i < binding->count; i++) {
        TRY(take_port(table, &ports[i], &columns[i], 1, limits, &binding->arrays[i], error));
    }
    return WLK_OK;
}

static wlk_status bind_several(const csv_table *table, const wlk_port *ports, bool ignore_unknown,
                               const wlk_limits *limits, input_binding *binding, wlk_error *error) {
    for (uint32_t i = 0; i < binding->count; i++) {
        TRY(check_single_column(table, &ports[i], error));
    }
    uint32_t *columns = mem_zeroed(binding->count, sizeof *columns);
    if (!columns) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = match_ports(table, ports, binding->count, ignore_unknown, columns, error);
    if (status == WLK_OK) status = bind_ports(table, ports, columns, limits, binding, error);
    mem_free(columns);
    return status;
}

wlk_status input_bind_csv(const csv_table *table, const wlk_port *ports, uint32_t port_count,
                          const char *const *feature_names, uint32_t feature_count,
                          bool ignore_unknown, const wlk_limits *limits, input_binding *binding,
                          wlk_error *error) {
    *binding = (input_binding){0};
    if (port_count == 0) return error_at(error, RULE_INPUT_PORTS, WLK_NO_OFFSET);
    binding->arrays = mem_zeroed(port_count, sizeof *binding->arrays);
    if (!binding->arrays) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    binding->count = port_count;
    binding->rows = csv_rows(table);
    const name_list features = {feature_names, feature_count, ignore_unknown};
    const wlk_status status =
        port_count == 1 ? bind_one(table, ports, features, limits, binding->arrays, error)
                        : bind_several(table, ports, ignore_unknown, limits, binding, error);
    if (status != WLK_OK) input_binding_free(binding);
    return status;
}
