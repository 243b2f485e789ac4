#include "cli/rows.h"

#include <string.h>

#include "base/memory.h"
#include "input/bind.h"
#include "input/element.h"
#include "input/file.h"
#include "input/npy.h"

void model_inputs_free(model_inputs *inputs) {
    for (uint32_t i = 0; i < inputs->array_count; i++) input_array_free(&inputs->arrays[i]);
    mem_free(inputs->arrays);
    mem_free(inputs->items);
    mem_free(inputs->arguments);
    *inputs = (model_inputs){0};
}

/* ---- options */

static wlk_status header_mode(const cli *c, csv_header *mode, wlk_error *error) {
    static const char *const names[] = {
        [CSV_HEADER_AUTO] = "auto", [CSV_HEADER_YES] = "yes", [CSV_HEADER_NO] = "no"};
    const char *text = c->options.value[OPTION_HEADER];
    unsigned choice = CSV_HEADER_AUTO;
    if (text) TRY(options_choice(OPTION_HEADER, text, names, 3, &choice, error));
    *mode = (csv_header)choice;
    return WLK_OK;
}

wlk_status rows_check(const cli *c, wlk_error *error) {
    csv_header mode;
    for (uint32_t i = 0; i < c->options.input_count; i++) {
        const char *text = c->options.input[i], *equals = strchr(text, '=');
        if (equals && equals != text && equals[1] != '\0') continue;
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--input %.100s: NAME=FILE is wanted", text);
    }
    return header_mode(c, &mode, error);
}

/* ---- what is collected */

typedef struct collector {
    const cli *c;
    const wlk_plan *plan;
    wlk_limits limits; /* input_bytes: what is left of them */
    input_array *arrays;
    uint32_t *ports; /* by array: the input that it is for */
    uint32_t count;
    uint32_t port_count;
} collector;

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* Takes over the array, whatever comes of it. */
static void keep(collector *all, input_array *array, uint32_t port) {
    all->limits.input_bytes -= array->tensor.nbytes < all->limits.input_bytes
                                   ? array->tensor.nbytes
                                   : all->limits.input_bytes;
    all->ports[all->count] = port;
    all->arrays[all->count++] = *array;
    *array = (input_array){0};
}

static uint32_t files_for(const collector *all, uint32_t port) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < all->count; i++) count += all->ports[i] == port;
    return count;
}

static bool is_sequence(wlk_value_kind kind) {
    return kind == WLK_VALUE_SEQUENCE || kind == WLK_VALUE_OPTIONAL_SEQUENCE;
}

static bool is_optional(wlk_value_kind kind) {
    return kind == WLK_VALUE_OPTIONAL || kind == WLK_VALUE_OPTIONAL_SEQUENCE;
}

static bool is_map(wlk_value_kind kind) {
    return kind == WLK_VALUE_MAP || kind == WLK_VALUE_MAPS;
}

/* ---- arrays */

/* `from` as another dtype; every element must fit. */
static wlk_status convert(const input_array *from, wlk_dtype dtype, const wlk_limits *limits,
                          input_array *to, wlk_error *error) {
    const wlk_tensor *t = &from->tensor;
    if (!element_is_numeric(t->dtype) || !element_is_numeric(dtype)) {
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET, "%s where %s is wanted",
                          wlk_dtype_name(t->dtype), wlk_dtype_name(dtype));
    }
    TRY(input_array_new(dtype, t->rank, t->shape, 0, limits->input_bytes, to, error));
    for (uint64_t i = 0; i < t->count; i++) {
        const number n = element_get(t->dtype, t->data, i);
        if (element_put(dtype, to->owned, i, &n)) continue;
        input_array_free(to);
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET, "element %llu does not fit %s",
                          (unsigned long long)i, wlk_dtype_name(dtype));
    }
    return WLK_OK;
}

static wlk_status take_array(collector *all, input_array *array, uint32_t port, wlk_error *error) {
    const wlk_port wanted = wlk_plan_input(all->plan, port);
    input_array converted = {0};
    if (array->tensor.dtype == wanted.dtype) {
        keep(all, array, port);
        return WLK_OK;
    }
    TRY(convert(array, wanted.dtype, &all->limits, &converted, error));
    keep(all, &converted, port);
    return WLK_OK;
}

static wlk_status take_npy(collector *all, const input_file *file, uint32_t port,
                           wlk_error *error) {
    input_array array = {0};
    TRY(npy_parse(file->data, file->size, &all->limits, &array, error));
    const wlk_status status = take_array(all, &array, port, error);
    input_array_free(&array);
    return status;
}

static bool is_npy(const input_file *file) {
    return file->size >= 6 && memcmp(file->data, "\x93NUMPY", 6) == 0;
}

/* ---- --input NAME=FILE */

static wlk_status unknown_input(const wlk_plan *plan, const char *text, wlk_error *error) {
    const uint32_t count = wlk_plan_inputs(plan);
    char name[128] = "";
    const char **known = mem_zeroed((size_t)count + 1, sizeof *known);
    if (!known) return no_memory(error);
    for (uint32_t i = 0; i < count; i++) known[i] = wlk_plan_input(plan, i).name;
    const size_t length = strcspn(text, "=");
    memcpy(name, text, length < sizeof name ? length : sizeof name - 1);
    const wlk_status status = options_unknown("input", name, known, count, error);
    mem_free(known);
    return status;
}

/* The input that the text names, and the file behind it: a name may hold "=" itself. */
static wlk_status find_input(const wlk_plan *plan, const char *text, uint32_t *port,
                             const char **file, wlk_error *error) {
    for (uint32_t i = 0; i < wlk_plan_inputs(plan); i++) {
        const char *name = wlk_plan_input(plan, i).name;
        const size_t length = strlen(name);
        if (strncmp(text, name, length) != 0 || text[length] != '=') continue;
        *port = i;
        *file = text + length + 1;
        return WLK_OK;
    }
    return unknown_input(plan, text, error);
}

static wlk_status check_named(const collector *all, uint32_t port, wlk_error *error) {
    const wlk_port wanted = wlk_plan_input(all->plan, port);
    if (is_map(wanted.kind)) {
        return error_text(error, RULE_CLI_INPUT_KIND, WLK_NO_OFFSET, "input %.100s is a map",
                          wanted.name);
    }
    if (is_sequence(wanted.kind) || files_for(all, port) == 0) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--input %.100s more than once",
                      wanted.name);
}

static wlk_status take_named(collector *all, const char *text, const char **subject,
                             wlk_error *error) {
    input_file file = {0};
    uint32_t port;
    const char *path;
    TRY(find_input(all->plan, text, &port, &path, error));
    TRY(check_named(all, port, error));
    *subject = path;
    TRY(input_file_read(path, all->limits.input_bytes, &file, error));
    const wlk_status status = is_npy(&file)
                                  ? take_npy(all, &file, port, error)
                                  : error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET,
                                               "it is no .npy file: --input takes nothing else");
    input_file_free(&file);
    return status;
}

/* ---- the rows, for the inputs that are left */

/* Those that have no file yet. NULL without memory. */
static wlk_port *ports_left(const collector *all, uint32_t *numbers, uint32_t *count) {
    wlk_port *ports = mem_zeroed((size_t)all->port_count + 1, sizeof *ports);
    *count = 0;
    for (uint32_t i = 0; ports && i < all->port_count; i++) {
        if (files_for(all, i) > 0) continue;
        ports[*count] = wlk_plan_input(all->plan, i);
        numbers[(*count)++] = i;
    }
    return ports;
}

static wlk_status check_left(const wlk_port *ports, uint32_t count, wlk_error *error) {
    if (count == 0) {
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET, "no input is left for rows");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!is_sequence(ports[i].kind) && !is_map(ports[i].kind)) continue;
        return error_text(error, RULE_CLI_INPUT_KIND, WLK_NO_OFFSET, "input %.100s is a %s",
                          ports[i].name, is_map(ports[i].kind) ? "map" : "sequence");
    }
    return WLK_OK;
}

static wlk_status bind_table(collector *all, const csv_table *table, const wlk_model *model,
                             const wlk_port *ports, const uint32_t *numbers, uint32_t count,
                             wlk_error *error) {
    const char **names = NULL;
    uint32_t name_count = 0;
    input_binding binding = {0};
    TRY(input_feature_names(model, &names, &name_count, error));
    const wlk_status status = input_bind_csv(table, ports, count, names, name_count,
                                             option_given(&all->c->options, OPTION_IGNORE_UNKNOWN),
                                             &all->limits, &binding, error);
    for (uint32_t i = 0; status == WLK_OK && i < count; i++) {
        keep(all, &binding.arrays[i], numbers[i]);
    }
    input_binding_free(&binding);
    mem_free(names);
    return status;
}

static wlk_status take_csv(collector *all, const input_file *file, const wlk_model *model,
                           const wlk_port *ports, const uint32_t *numbers, uint32_t count,
                           wlk_error *error) {
    const option_values *given = &all->c->options;
    csv_options options = {.missing = given->na, .missing_count = given->na_count};
    csv_table *table = NULL;
    TRY(header_mode(all->c, &options.header, error));
    TRY(csv_parse(file->data, file->size, &options, &all->limits, &table, error));
    const wlk_status status = bind_table(all, table, model, ports, numbers, count, error);
    csv_free(table);
    return status;
}

static wlk_status take_file(collector *all, const input_file *file, const wlk_model *model,
                            const wlk_port *ports, const uint32_t *numbers, uint32_t count,
                            wlk_error *error) {
    TRY(check_left(ports, count, error));
    if (!is_npy(file)) return take_csv(all, file, model, ports, numbers, count, error);
    if (count == 1) return take_npy(all, file, numbers[0], error);
    return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET,
                      "the model has %u inputs: give each its file with --input NAME=FILE, or "
                      "CSV with a column for each",
                      count);
}

static wlk_status take_rows(collector *all, const char *path, const wlk_model *model,
                            wlk_error *error) {
    input_file file = {0};
    uint32_t count;
    TRY(input_file_read(path, all->limits.input_bytes, &file, error));
    uint32_t *numbers = mem_zeroed((size_t)all->port_count + 1, sizeof *numbers);
    wlk_port *ports = numbers ? ports_left(all, numbers, &count) : NULL;
    const wlk_status status =
        ports ? take_file(all, &file, model, ports, numbers, count, error) : no_memory(error);
    mem_free(ports);
    mem_free(numbers);
    input_file_free(&file);
    return status;
}

/* ---- arguments */

/* A sequence may be empty only where that can be said: as an optional's nothing. */
static wlk_status argument_of(const collector *all, uint32_t port, model_inputs *inputs,
                              wlk_tensor **next, wlk_error *error) {
    const wlk_port wanted = wlk_plan_input(all->plan, port);
    wlk_argument *argument = &inputs->arguments[port];
    *argument = (wlk_argument){.kind = WLK_VALUE_TENSOR, .items = *next};
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->ports[i] != port) continue;
        *(*next)++ = all->arrays[i].tensor;
        argument->count++;
    }
    if (argument->count == 0 && !is_optional(wanted.kind)) {
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET,
                          "nothing is given for input %.100s: add --input %.100s=FILE.npy",
                          wanted.name, wanted.name);
    }
    if (argument->count == 0) {
        argument->kind = WLK_VALUE_OPTIONAL;
    } else if (is_sequence(wanted.kind)) {
        argument->kind = WLK_VALUE_SEQUENCE;
    } else if (argument->items->rank > 0 && inputs->rows == 0) {
        inputs->rows = argument->items->shape[0];
    }
    return WLK_OK;
}

/* *inputs takes over the arrays. */
static wlk_status make_arguments(collector *all, model_inputs *inputs, wlk_error *error) {
    wlk_tensor *next;
    *inputs =
        (model_inputs){.count = all->port_count, .arrays = all->arrays, .array_count = all->count};
    all->arrays = NULL;
    inputs->arguments = mem_zeroed((size_t)all->port_count + 1, sizeof *inputs->arguments);
    inputs->items = next = mem_zeroed((size_t)all->count + 1, sizeof *inputs->items);
    if (!inputs->arguments || !inputs->items) return no_memory(error);
    const collector from = {
        .plan = all->plan, .arrays = inputs->arrays, .ports = all->ports, .count = all->count};
    for (uint32_t i = 0; i < all->port_count; i++) {
        TRY(argument_of(&from, i, inputs, &next, error));
    }
    return WLK_OK;
}

static wlk_status collect(collector *all, const char *path, const wlk_model *model,
                          const char **subject, wlk_error *error) {
    const size_t most = (size_t)all->port_count + OPTION_MAX_REPEAT;
    all->arrays = mem_zeroed(most, sizeof *all->arrays);
    all->ports = mem_zeroed(most, sizeof *all->ports);
    if (!all->arrays || !all->ports) return no_memory(error);
    for (uint32_t i = 0; i < all->c->options.input_count; i++) {
        TRY(take_named(all, all->c->options.input[i], subject, error));
    }
    if (!path) return WLK_OK;
    *subject = path;
    return take_rows(all, path, model, error);
}

wlk_status rows_read(const cli *c, const char *path, const wlk_model *model, const wlk_plan *plan,
                     const wlk_limits *limits, model_inputs *inputs, const char **subject,
                     wlk_error *error) {
    collector all = {.c = c, .plan = plan, .limits = *limits, .port_count = wlk_plan_inputs(plan)};
    *inputs = (model_inputs){0};
    wlk_status status = collect(&all, path, model, subject, error);
    if (status == WLK_OK) status = make_arguments(&all, inputs, error);
    if (all.arrays) *inputs = (model_inputs){.arrays = all.arrays, .array_count = all.count};
    mem_free(all.ports);
    if (status != WLK_OK) model_inputs_free(inputs);
    return status;
}
