#include "cli/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/replace.h"
#include "input/csv_write.h"
#include "input/npy.h"

#define NAME_BYTES 256

wlk_status results_format_of(const cli *c, results_format *format, wlk_error *error) {
    static const char *const names[] = {"csv", "json", "npy"}; /* by results_format */
    const char *text = c->options.value[OPTION_FORMAT];
    *format = RESULTS_CSV;
    if (!text) return WLK_OK;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *format = (results_format)i;
        return WLK_OK;
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--format %s", text);
}

/* ---- names of columns */

/* The columns of one output: "NAME[CLASS]", or none if the model names no classes. */
typedef struct column_names {
    char **text;
    uint64_t count;
} column_names;

static void names_free(column_names *names) {
    for (uint64_t i = 0; names->text && i < names->count; i++) free(names->text[i]);
    free(names->text);
    *names = (column_names){0};
}

static wlk_status names_add(column_names *names, uint64_t index, const char *output,
                            const char *class_name, wlk_error *error) {
    if (asprintf(&names->text[index], "%s[%s]", output, class_name) >= 0) return WLK_OK;
    names->text[index] = NULL;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

/* The attribute of the node that makes main graph output i which lists its class
 * labels; WLK_NONE if there is none. */
static uint32_t label_attribute(const wlk_model *model, uint32_t output) {
    static const char *const spellings[] = {"classlabels_strings", "classlabels_int64s",
                                            "classlabels_ints"};
    const wlk_ref wanted = wlk_model_graph_output(model, 0, output);
    const wlk_graph graph = wlk_model_graph(model, 0);
    for (uint32_t n = graph.first_node; n < graph.first_node + graph.nodes; n++) {
        const uint32_t outputs = wlk_model_node(model, n).outputs;
        for (uint32_t i = 0; i < outputs; i++) {
            const wlk_ref made = wlk_model_node_output(model, n, i);
            if (made.kind != WLK_REF_VALUE || wanted.kind != WLK_REF_VALUE ||
                made.index != wanted.index) {
                continue;
            }
            uint32_t found = WLK_NONE;
            for (unsigned s = 0; s < 3 && found == WLK_NONE; s++) {
                found = wlk_model_find_attribute(model, n, spellings[s]);
            }
            return found;
        }
    }
    return WLK_NONE;
}

static wlk_status names_from_attribute(const wlk_model *model, uint32_t attribute,
                                       const char *output, column_names *names,
                                       wlk_error *error) {
    const wlk_attribute a = wlk_model_attribute(model, attribute);
    if (a.count != names->count) return WLK_OK;
    names->text = calloc(names->count, sizeof *names->text);
    if (!names->text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < a.count; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%lld",
                       (long long)wlk_model_attribute_int(model, &a, i));
        const char *text =
            a.type == WLK_ATTR_STRINGS ? wlk_model_attribute_string(model, &a, i) : number;
        TRY(names_add(names, i, output, text, error));
    }
    return WLK_OK;
}

/* "/metadata/source/target_names", where its length fits. */
static wlk_status names_from_metadata(const wlk_model *model, const char *output,
                                      column_names *names, wlk_error *error) {
    const uint32_t list = wlk_model_find_meta(model, "/metadata/source/target_names");
    if (list == WLK_NONE) return WLK_OK;
    const wlk_meta m = wlk_model_meta(model, list);
    if (m.type != WLK_META_ARRAY || (uint64_t)m.i != names->count) return WLK_OK;
    names->text = calloc(names->count, sizeof *names->text);
    if (!names->text) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < names->count; i++) {
        const wlk_meta entry = wlk_model_meta(model, list + 1 + i);
        if (entry.type != WLK_META_STRING) {
            names_free(names);
            return WLK_OK;
        }
        TRY(names_add(names, i, output, entry.s, error));
    }
    return WLK_OK;
}

static wlk_status names_of(const wlk_model *model, uint32_t output, const char *name,
                           const wlk_tensor *tensor, column_names *names, wlk_error *error) {
    *names = (column_names){0};
    if (tensor->rank != 2 || tensor->shape[1] < 2) return WLK_OK;
    names->count = tensor->shape[1];
    const uint32_t attribute = label_attribute(model, output);
    if (attribute != WLK_NONE) TRY(names_from_attribute(model, attribute, name, names, error));
    return names->text ? WLK_OK : names_from_metadata(model, name, names, error);
}

/* ---- formats */

static wlk_status write_csv(FILE *out, const wlk_model *model, const wlk_plan *plan,
                            const wlk_tensor *tensors, uint32_t count, wlk_error *error) {
    csv_output *outputs = calloc(count, sizeof *outputs);
    column_names *names = calloc(count, sizeof *names);
    wlk_status status =
        outputs && names ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; status == WLK_OK && i < count; i++) {
        const char *name = wlk_plan_output(plan, i).name;
        status = names_of(model, i, name, &tensors[i], &names[i], error);
        outputs[i] = (csv_output){.tensor = &tensors[i],
                                  .name = name,
                                  .column_names = (const char *const *)names[i].text};
    }
    if (status == WLK_OK) status = csv_write(out, outputs, count, true, error);
    for (uint32_t i = 0; names && i < count; i++) names_free(&names[i]);
    free(names);
    free(outputs);
    return status;
}

static void write_json_element(FILE *out, const wlk_tensor *tensor, uint64_t index) {
    if (tensor->dtype == WLK_STR) {
        uint64_t length;
        const char *text = input_array_string(tensor, index, &length);
        json_t *string = json_stringn(text, length);
        if (string) (void)json_dumpf(string, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        json_decref(string);
        return;
    }
    char number[64] = "";
    FILE *memory = fmemopen(number, sizeof number, "w");
    if (!memory) return;
    csv_write_number(memory, tensor, index);
    (void)fclose(memory);
    const bool quoted = strpbrk(number, "nN") != NULL; /* nan, inf: JSON has no such numbers */
    (void)fprintf(out, "%s%s%s", quoted ? "\"" : "", number, quoted ? "\"" : "");
}

/* Nested lists, as the shape says. */
static uint64_t write_json_axis(FILE *out, const wlk_tensor *tensor, uint32_t axis, uint64_t at) {
    if (axis == tensor->rank) {
        write_json_element(out, tensor, at);
        return at + 1;
    }
    (void)fputc('[', out);
    for (uint64_t i = 0; i < tensor->shape[axis]; i++) {
        if (i) (void)fputc(',', out);
        at = write_json_axis(out, tensor, axis + 1, at);
    }
    (void)fputc(']', out);
    return at;
}

static void write_json(FILE *out, const wlk_plan *plan, const wlk_tensor *tensors,
                       uint32_t count) {
    (void)fputc('{', out);
    for (uint32_t i = 0; i < count; i++) {
        json_t *name = cli_json_text(wlk_plan_output(plan, i).name);
        if (i) (void)fputc(',', out);
        (void)json_dumpf(name, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        (void)fputc(':', out);
        (void)write_json_axis(out, &tensors[i], 0, 0);
        json_decref(name);
    }
    (void)fputs("}\n", out);
}

/* ---- where to */

static wlk_status deliver(const cli *c, const void *data, size_t size, wlk_error *error) {
    const char *path = c->options.value[OPTION_OUTPUT];
    if (path) return replace_file(path, data, size, error);
    if (fwrite(data, 1, size, stdout) == size && fflush(stdout) == 0) return WLK_OK;
    return error_errno(error, RULE_CLI_OUTPUT, errno, "standard output");
}

static wlk_status write_text(const cli *c, results_format format, const wlk_model *model,
                             const wlk_plan *plan, const wlk_tensor *tensors, uint32_t count,
                             wlk_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = WLK_OK;
    if (format == RESULTS_CSV) {
        status = write_csv(memory, model, plan, tensors, count, error);
    } else {
        write_json(memory, plan, tensors, count);
    }
    const bool complete = !ferror(memory) && fclose(memory) == 0;
    if (status == WLK_OK && !complete) {
        status = error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    if (status == WLK_OK) status = deliver(c, text, size, error);
    free(text);
    return status;
}

static wlk_status write_npy(const cli *c, const wlk_plan *plan, const wlk_tensor *tensors,
                            uint32_t count, wlk_error *error) {
    const char *selected = c->options.value[OPTION_SELECT];
    uint32_t chosen = count == 1 && !selected ? 0 : count;
    for (uint32_t i = 0; selected && i < count; i++) {
        if (strcmp(wlk_plan_output(plan, i).name, selected) == 0) chosen = i;
    }
    if (chosen == count) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "name one output with --select, for example %s",
                          count ? wlk_plan_output(plan, count - 1).name : "none");
    }
    uint8_t *data;
    uint64_t size;
    TRY(npy_format(&tensors[chosen], &data, &size, error));
    const wlk_status status = deliver(c, data, size, error);
    free(data);
    return status;
}

wlk_status results_write(const cli *c, results_format format, const wlk_model *model,
                         const wlk_plan *plan, const wlk_result *result, wlk_error *error) {
    const uint32_t count = wlk_result_count(result);
    wlk_tensor *tensors = calloc(count ? count : 1, sizeof *tensors);
    if (!tensors) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) tensors[i] = wlk_result_tensor(result, i);
    const wlk_status status = format == RESULTS_NPY
                                  ? write_npy(c, plan, tensors, count, error)
                                  : write_text(c, format, model, plan, tensors, count, error);
    free(tensors);
    return status;
}
