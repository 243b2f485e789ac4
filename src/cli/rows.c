#include "cli/rows.h"

#include <string.h>

#include "base/memory.h"
#include "input/element.h"
#include "input/file.h"
#include "input/npy.h"

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
    return header_mode(c, &mode, error);
}

static wlk_port *all_ports(const wlk_plan *plan) {
    const uint32_t count = wlk_plan_inputs(plan);
    wlk_port *ports = mem_zeroed(count ? count : 1, sizeof *ports);
    if (!ports) return NULL;
    for (uint32_t i = 0; i < count; i++) ports[i] = wlk_plan_input(plan, i);
    return ports;
}

static wlk_status bind_table(const csv_table *table, const wlk_model *model, const wlk_plan *plan,
                             const wlk_limits *limits, input_binding *binding, wlk_error *error) {
    const char **names = NULL;
    uint32_t count = 0;
    TRY(input_feature_names(model, &names, &count, error));
    wlk_port *ports = all_ports(plan);
    const wlk_status status = ports ? input_bind_csv(table, ports, wlk_plan_inputs(plan), names,
                                                     count, limits, binding, error)
                                    : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    mem_free(ports);
    mem_free(names);
    return status;
}

static wlk_status bind_csv(const cli *c, const input_file *file, const wlk_model *model,
                           const wlk_plan *plan, const wlk_limits *limits, input_binding *binding,
                           wlk_error *error) {
    csv_options options = {.missing = c->options.na, .missing_count = c->options.na_count};
    csv_table *table = NULL;
    TRY(header_mode(c, &options.header, error));
    TRY(csv_parse(file->data, file->size, &options, limits, &table, error));
    const wlk_status status = bind_table(table, model, plan, limits, binding, error);
    csv_free(table);
    return status;
}

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

static wlk_status bind_array(input_array *array, const wlk_plan *plan, const wlk_limits *limits,
                             input_binding *binding, wlk_error *error) {
    if (wlk_plan_inputs(plan) != 1) {
        return error_text(error, RULE_CLI_ROWS, WLK_NO_OFFSET,
                          "the model has %u inputs: give CSV with a column for each",
                          wlk_plan_inputs(plan));
    }
    const wlk_port port = wlk_plan_input(plan, 0);
    binding->arrays = mem_zeroed(1, sizeof *binding->arrays);
    if (!binding->arrays) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    binding->count = 1;
    binding->rows = array->tensor.rank ? array->tensor.shape[0] : 0;
    if (array->tensor.dtype != port.dtype) {
        return convert(array, port.dtype, limits, &binding->arrays[0], error);
    }
    binding->arrays[0] = *array;
    *array = (input_array){0};
    return WLK_OK;
}

static wlk_status bind_npy(const input_file *file, const wlk_plan *plan, const wlk_limits *limits,
                           input_binding *binding, wlk_error *error) {
    input_array array = {0};
    TRY(npy_parse(file->data, file->size, limits, &array, error));
    const wlk_status status = bind_array(&array, plan, limits, binding, error);
    input_array_free(&array);
    return status;
}

static bool is_npy(const input_file *file) {
    return file->size >= 6 && memcmp(file->data, "\x93NUMPY", 6) == 0;
}

wlk_status rows_read(const cli *c, const char *path, const wlk_model *model, const wlk_plan *plan,
                     const wlk_limits *limits, input_binding *binding, wlk_error *error) {
    input_file file = {0};
    *binding = (input_binding){0};
    TRY(input_file_read(path, limits->input_bytes, &file, error));
    const wlk_status status = is_npy(&file)
                                  ? bind_npy(&file, plan, limits, binding, error)
                                  : bind_csv(c, &file, model, plan, limits, binding, error);
    input_file_free(&file);
    if (status != WLK_OK) input_binding_free(binding);
    return status;
}
