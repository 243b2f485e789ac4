#include "cli/results.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "cli/column_groups.h"
#include "cli/output.h"
#include "input/csv_write.h"
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

/* ---- CSV */

/* A table has rows of at least one column, and an end: a shape of [2^40, 0] is
 * cheap to compute and would never be written to the end. */
static wlk_status check_table(const column_groups *groups, wlk_error *error) {
    const uint64_t most = groups->from->limits->columns;
    uint64_t columns = 0;
    for (uint32_t i = 0; i < groups->count; i++) {
        const column_group *g = &groups->list[i];
        const wlk_tensor *t = &g->tensor;
        if (group_is_list(g)) {
            return error_text(error, RULE_CLI_TABLE, WLK_NO_OFFSET, "output %.100s is a %s",
                              g->name,
                              g->kind == WLK_VALUE_SEQUENCE ? "sequence" : "missing value");
        }
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

/* How many columns have a name of their own: those of a table, which are not many. */
static uint32_t named_columns(const column_group *g) {
    return group_is_map(g) ? (uint32_t)g->keys.count : g->classes.count;
}

static char *column_name(const column_groups *groups, const column_group *g, uint32_t i) {
    char text[CLASS_NAME_BYTES], digits[MAP_KEY_BYTES];
    char *made;
    uint64_t length;
    if (group_is_map(g)) {
        const char *key = group_key(g, i, digits, &length);
        return asprintf(&made, "%s[%.*s]", g->name, (int)length, key) >= 0 ? made : NULL;
    }
    const char *class = class_name(&groups->names, &g->classes, i, text);
    return asprintf(&made, "%s[%s]", g->name, class) >= 0 ? made : NULL;
}

/* "NAME[CLASS]" or "NAME[KEY]" for each column; NULL if the model names none. */
static wlk_status column_names(const column_groups *groups, const column_group *g, char ***names,
                               wlk_error *error) {
    const uint32_t count = named_columns(g);
    *names = NULL;
    if (count == 0) return WLK_OK;
    char **made = mem_zeroed(count, sizeof *made);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) {
        made[i] = column_name(groups, g, i);
        if (made[i]) continue;
        free_names(made, count);
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
        free_names(names[i], named_columns(&groups->list[i]));
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

/* ---- .npy */

static wlk_status write_npy(const column_groups *groups, const output *out, wlk_error *error) {
    uint8_t *data;
    uint64_t size;
    TRY(npy_format(&groups->list[0].tensor, &data, &size, error));
    const wlk_status status = output_put(out, data, size, error);
    mem_free(data);
    return status;
}

/* Its dtype npy_format looks at itself. */
static wlk_status check_npy(const column_groups *groups, wlk_error *error) {
    const column_group *g = &groups->list[0];
    if (!group_is_list(g)) return WLK_OK;
    return error_text(error, RULE_CLI_TABLE, WLK_NO_OFFSET, "output %.100s is no tensor", g->name);
}

/* ---- all of it */

static wlk_status check(const column_groups *groups, results_format format, wlk_error *error) {
    if (format == RESULTS_NPY) return check_npy(groups, error);
    TRY(groups_check(groups, error));
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
            status = groups_json(groups, out.stream, error);
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
