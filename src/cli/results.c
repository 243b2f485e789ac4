#include "cli/results.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/class_names.h"
#include "cli/output.h"
#include "input/csv_write.h"
#include "input/element.h"
#include "input/npy.h"

/* ---- what is asked for */

wlk_status results_request_of(const cli *c, results_request *request, wlk_error *error) {
    static const char *const names[] = {
        [RESULTS_CSV] = "csv", [RESULTS_JSON] = "json", [RESULTS_NPY] = "npy"};
    const char *format = c->options.value[OPTION_FORMAT], *path = c->options.value[OPTION_OUTPUT];
    unsigned choice = cli_json(c) ? RESULTS_JSON : RESULTS_CSV;
    if (format) TRY(options_choice(OPTION_FORMAT, format, names, 3, &choice, error));
    *request =
        (results_request){.format = (results_format)choice, .path = path, .selected = WLK_NONE};
    if (path && strcmp(path, "-") == 0) request->path = NULL;
    if (request->path) return WLK_OK;
    if (cli_json(c) && request->format != RESULTS_JSON) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--json and --format %s cannot both go to standard output: add --output",
                          format);
    }
    if (request->format == RESULTS_NPY && isatty(STDOUT_FILENO)) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--format npy does not go to a terminal: add --output");
    }
    return WLK_OK;
}

static wlk_status unknown_output(const wlk_plan *plan, const char *name, wlk_error *error) {
    const uint32_t count = wlk_plan_outputs(plan);
    const char **known = mem_zeroed((size_t)count + 1, sizeof *known);
    if (!known) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) known[i] = wlk_plan_output(plan, i).name;
    const wlk_status status = options_unknown("output", name, known, count, error);
    mem_free(known);
    return status;
}

wlk_status results_select(const cli *c, const wlk_plan *plan, results_request *request,
                          wlk_error *error) {
    const char *name = c->options.value[OPTION_SELECT];
    const uint32_t count = wlk_plan_outputs(plan);
    for (uint32_t i = 0; name && i < count && request->selected == WLK_NONE; i++) {
        if (strcmp(wlk_plan_output(plan, i).name, name) == 0) request->selected = i;
    }
    if (request->selected != WLK_NONE) return WLK_OK;
    if (name) return unknown_output(plan, name, error);
    if (request->format != RESULTS_NPY) return WLK_OK;
    if (count != 1) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "the model has %u outputs, and .npy holds one: add --select %s", count,
                          count ? wlk_plan_output(plan, count - 1).name : "NAME");
    }
    request->selected = 0;
    return WLK_OK;
}

/* ---- what is there */

/* One output that is written. */
typedef struct column_group {
    uint32_t output;
    const char *name;
    wlk_tensor tensor;
    class_list classes;
} column_group;

typedef struct column_groups {
    const results *from;
    class_names names;
    column_group *list;
    uint32_t count;
} column_groups;

static void groups_close(column_groups *groups) {
    class_names_close(&groups->names);
    mem_free(groups->list);
}

static wlk_status groups_open(const results *r, uint32_t selected, column_groups *groups,
                              wlk_error *error) {
    const uint32_t all = wlk_result_count(r->result);
    uint64_t names_left = r->limits->columns;
    *groups = (column_groups){.from = r, .list = mem_zeroed((size_t)all + 1, sizeof(column_group))};
    if (!groups->list) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    TRY(class_names_open(r->model, &groups->names, error));
    for (uint32_t i = 0; i < all; i++) {
        if (selected != WLK_NONE && i != selected) continue;
        column_group *g = &groups->list[groups->count++];
        *g = (column_group){.output = i,
                            .name = wlk_plan_output(r->plan, i).name,
                            .tensor = wlk_result_tensor(r->result, i)};
        g->classes = class_names_of(&groups->names, i, &g->tensor, names_left);
        names_left -= g->classes.count;
    }
    return WLK_OK;
}

static wlk_status check_dtypes(const column_groups *groups, wlk_error *error) {
    for (uint32_t i = 0; i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        if (g->tensor.dtype == WLK_STR || element_is_numeric(g->tensor.dtype)) continue;
        return error_text(error, RULE_INPUT_DTYPE, WLK_NO_OFFSET, "output %.100s is %s", g->name,
                          wlk_dtype_name(g->tensor.dtype));
    }
    return WLK_OK;
}

/* ---- CSV */

/* A table has rows of at least one column, and an end: a shape of [2^40, 0] is
 * cheap to compute and would never be written to the end. */
static wlk_status check_table(const column_groups *groups, wlk_error *error) {
    const uint64_t most = groups->from->limits->columns;
    uint64_t columns = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        const wlk_tensor *t = &g->tensor;
        if (t->rank == 0 || t->shape[0] != groups->list[0].tensor.shape[0] ||
            (t->count == 0 && t->shape[0] != 0)) {
            return error_text(error, RULE_CLI_TABLE, WLK_NO_OFFSET, "output %.100s", g->name);
        }
        uint64_t width = 1;
        for (uint32_t d = 1; d < t->rank; d++) {
            if (!checked_mul(width, t->shape[d], &width)) width = UINT64_MAX;
        }
        if (!checked_add(columns, width, &columns) || columns > most) {
            return error_text(error, RULE_CSV_COLUMNS, WLK_NO_OFFSET, "in the results");
        }
    }
    return WLK_OK;
}

static void free_names(char **names, uint32_t count) {
    for (uint32_t i = 0; names && i < count; i++) mem_free(names[i]);
    mem_free(names);
}

/* "NAME[CLASS]" for each column; NULL if the model names no classes. */
static wlk_status column_names(const column_groups *groups, const column_group *g, char ***names,
                               wlk_error *error) {
    char text[CLASS_NAME_BYTES];
    *names = NULL;
    if (g->classes.count == 0) return WLK_OK;
    char **made = mem_zeroed(g->classes.count, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < g->classes.count; i++) {
        const char *class = class_name(&groups->names, &g->classes, i, text);
        if (asprintf(&made[i], "%s[%s]", g->name, class) >= 0) continue;
        made[i] = NULL;
        free_names(made, g->classes.count);
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    *names = made;
    return WLK_OK;
}

static wlk_status csv_table_write(const column_groups *groups, FILE *stream, wlk_error *error) {
    csv_output *outputs = mem_zeroed((size_t)groups->count + 1, sizeof *outputs);
    char ***names = mem_zeroed((size_t)groups->count + 1, sizeof *names);
    wlk_status status =
        outputs && names ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; status == WLK_OK && i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        status = column_names(groups, g, &names[i], error);
        outputs[i] = (csv_output){
            .tensor = &g->tensor, .name = g->name, .column_names = (const char *const *)names[i]};
    }
    if (status == WLK_OK) status = csv_write(stream, outputs, groups->count, true, error);
    for (uint32_t i = 0; names && i < groups->count; i++) {
        free_names(names[i], groups->list[i].classes.count);
    }
    mem_free(names);
    mem_free(outputs);
    return status;
}

/* Prints text[0..size) line by line; nothing in it moves the cursor or hides. */
static void print_lines(char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0') text[i] = '?';
    }
    for (char *line = text; *line;) {
        char *end = strchrnul(line, '\n');
        const bool more = *end == '\n';
        *end = '\0';
        cli_print_safe(line);
        (void)putchar('\n');
        line = end + more;
    }
}

/* On a terminal the labels of a hostile model must stay text. */
static wlk_status csv_to_terminal(const column_groups *groups, wlk_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = csv_table_write(groups, memory, error);
    if (fclose(memory) != 0 && status == WLK_OK) {
        status = error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    if (status == WLK_OK) print_lines(text, size);
    mem_free(text);
    return status;
}

static wlk_status write_csv(const column_groups *groups, const output *out, wlk_error *error) {
    if (!out->path && isatty(STDOUT_FILENO)) return csv_to_terminal(groups, error);
    const wlk_status status = csv_table_write(groups, out->stream, error);
    const int reason = errno;
    if (status != WLK_SYSTEM || error->rule != RULE_INPUT_WRITE) return status;
    return error_errno(error, RULE_CLI_OUTPUT, reason, out->path ? out->path : "standard output");
}

/* ---- JSON */

static void json_element(json_out *j, const wlk_tensor *tensor, uint64_t index) {
    if (tensor->dtype == WLK_STR) {
        uint64_t length;
        const char *text = input_array_string(tensor, index, &length);
        json_text_of(j, text, length);
        return;
    }
    const number n = element_get(tensor->dtype, tensor->data, index);
    if (!n.is_integer) {
        json_float(j, n.value);
    } else if (n.negative) {
        json_signed(j, (int64_t)(0 - n.magnitude));
    } else {
        json_unsigned(j, n.magnitude);
    }
}

/* Nested lists, as the shape says; each innermost one in a line. */
static uint64_t json_axis(json_out *j, const wlk_tensor *tensor, uint32_t axis, uint64_t at) {
    if (axis == tensor->rank) {
        json_element(j, tensor, at);
        return at + 1;
    }
    json_begin_list(j, axis + 1 == tensor->rank ? JSON_FLAT : JSON_LINES);
    for (uint64_t i = 0; i < tensor->shape[axis]; i++) at = json_axis(j, tensor, axis + 1, at);
    json_end_list(j);
    return at;
}

static void json_data(json_out *j, const wlk_tensor *tensor) {
    if (tensor->count > 0) {
        (void)json_axis(j, tensor, 0, 0);
        return;
    }
    json_begin_list(j, JSON_FLAT); /* without elements a shape need not end: [2^40, 0] */
    json_end_list(j);
}

static void json_classes(json_out *j, const column_groups *groups, const column_group *g) {
    char text[CLASS_NAME_BYTES];
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < g->classes.count; i++) {
        json_text(j, class_name(&groups->names, &g->classes, i, text));
    }
    json_end_list(j);
}

/* An output may be listed twice under its one name; a key must not. */
static wlk_status drop_repeated(column_groups *groups, wlk_error *error) {
    const wlk_model *model = groups->from->model;
    const uint32_t values = wlk_model_count(model, WLK_SECTION_VALUES);
    const uint32_t tensors = wlk_model_count(model, WLK_SECTION_TENSORS);
    uint32_t kept = 0;
    bool *seen = mem_zeroed((size_t)values + tensors + 1, sizeof *seen);
    if (!seen) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < groups->count; i++) {
        const wlk_ref ref = wlk_model_graph_output(model, 0, groups->list[i].output);
        bool *mark = &seen[ref.kind == WLK_REF_TENSOR ? (size_t)values + ref.index : ref.index];
        if (*mark) continue;
        *mark = true;
        groups->list[kept++] = groups->list[i];
    }
    groups->count = kept;
    mem_free(seen);
    return WLK_OK;
}

static wlk_status write_json(column_groups *groups, const output *out, wlk_error *error) {
    TRY(drop_repeated(groups, error));
    json_out j = json_out_to(out->stream, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_key(&j, "outputs");
    json_begin_map(&j, JSON_LINES);
    for (uint32_t i = 0; i < groups->count; i++) {
        json_key(&j, groups->list[i].name);
        json_data(&j, &groups->list[i].tensor);
    }
    json_end_map(&j);
    json_key(&j, "classes");
    json_begin_map(&j, JSON_LINES);
    for (uint32_t i = 0; i < groups->count; i++) {
        if (groups->list[i].classes.count == 0) continue;
        json_key(&j, groups->list[i].name);
        json_classes(&j, groups, &groups->list[i]);
    }
    json_end_map(&j);
    json_end_map(&j);
    (void)fputc('\n', out->stream);
    return WLK_OK;
}

/* ---- .npy */

static wlk_status write_npy(const column_groups *groups, const output *out, wlk_error *error) {
    uint8_t *data;
    uint64_t size;
    TRY(npy_format(&groups->list[0].tensor, &data, &size, error));
    const wlk_status status = output_put(out, data, size, error);
    mem_free(data);
    return status;
}

/* ---- all of it */

static wlk_status check(const column_groups *groups, results_format format, wlk_error *error) {
    if (format == RESULTS_NPY) return WLK_OK; /* npy_format looks for itself */
    TRY(check_dtypes(groups, error));
    return format == RESULTS_CSV ? check_table(groups, error) : WLK_OK;
}

static wlk_status write_to(column_groups *groups, const results_request *request,
                           wlk_error *error) {
    output out;
    TRY(output_open(request->path, &out, error));
    wlk_status status = WLK_OK;
    switch (request->format) {
        case RESULTS_CSV:
            status = write_csv(groups, &out, error);
            break;
        case RESULTS_JSON:
            status = write_json(groups, &out, error);
            break;
        case RESULTS_NPY:
            status = write_npy(groups, &out, error);
            break;
    }
    return output_close(&out, status, error);
}

wlk_status results_write(const results *r, const results_request *request, wlk_error *error) {
    column_groups groups;
    wlk_status status = groups_open(r, request->selected, &groups, error);
    if (status == WLK_OK) status = check(&groups, request->format, error);
    if (status == WLK_OK) status = write_to(&groups, request, error);
    groups_close(&groups);
    return status;
}
