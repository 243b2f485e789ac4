/* Runs models of ONNX's own test data and compares what they give with what they should:
 *
 *     run_model [-c CHILD] [-m MISSES] [-v] [-t THREADS] FOLDER...
 *
 * A FOLDER holds model.onnx and test_data_set_*, or folders that do. With -c each model
 * comes in through the cage: CHILD is weighlock-child; without it is parsed in this process.
 * Each model is also written as a .wlk file and as an ONNX file and read back, and must then
 * give the same bits.
 * -v shows what passes too. MISSES lists the models that are known not to pass, one
 * "NAME | reason" a line, NAME being the last two parts of the folder. Exit code 0: all that
 * is not listed passes, and nothing that is listed; else 1. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weighlock/load.h>
#include <weighlock/write.h>

#include "conformance/compare.h"
#include "conformance/proto.h"

#define PATH_BYTES 4096
#define MOST_PORTS 64
#define POOL_CHILDREN 4

typedef struct miss {
    char *name, *reason;
    bool seen;
} miss;

typedef struct suite {
    wlk_gate *gate; /* NULL: parse in this process */
    bool show_passed;
    wlk_plan_options plan;
    miss *misses;
    size_t miss_count;
    bool listed;                    /* there is a list */
    unsigned models, passed, wrong; /* wrong: otherwise than the list says */
} suite;

/* ---- files */

static uint8_t *read_file(const char *path, size_t *size) {
    struct stat info;
    FILE *file = fopen(path, "rbe");
    uint8_t *data = NULL;
    if (file && fstat(fileno(file), &info) == 0) {
        *size = (size_t)info.st_size;
        data = malloc(*size + 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
        if (data) data[*size] = '\0';
    }
    if (file) (void)fclose(file);
    return data;
}

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

static bool say_error(comparison *c, const char *step, const wlk_error *error) {
    char text[120];
    (void)snprintf(text, sizeof text, "%.119s", error->text);
    return COMPARE_SAY(c, "%s: %s %s", step, wlk_rule_name(error->rule), text);
}

/* ---- one data set */

typedef struct data_set {
    proto_value inputs[MOST_PORTS];
    proto_value outputs[MOST_PORTS];
    uint32_t input_count, output_count;
} data_set;

static void data_set_free(data_set *set) {
    for (uint32_t i = 0; i < set->input_count; i++) proto_value_free(&set->inputs[i]);
    for (uint32_t i = 0; i < set->output_count; i++) proto_value_free(&set->outputs[i]);
}

/* NumPy has no bf16, so the data hold its bits as u16. */
static void take_bits(proto_value *value, wlk_dtype declared) {
    for (uint32_t i = 0; i < value->count; i++) {
        wlk_tensor *t = &value->items[i];
        if (declared == WLK_BF16 && t->dtype == WLK_U16) t->dtype = WLK_BF16;
    }
}

static bool read_value(const char *folder, const char *what, uint32_t i, const wlk_port *port,
                       proto_value *value, comparison *c) {
    char path[PATH_BYTES];
    size_t size;
    wlk_error error;
    (void)snprintf(path, sizeof path, "%s/%s_%u.pb", folder, what, i);
    uint8_t *data = read_file(path, &size);
    if (!data) return COMPARE_SAY(c, "%s_%u.pb: %s", what, i, strerror(errno));
    const bool read = proto_read(data, size, port->kind, value, &error);
    free(data);
    take_bits(value, port->dtype);
    if (read) return true;
    (void)snprintf(path, sizeof path, "%s_%u.pb", what, i);
    proto_value_free(value);
    return say_error(c, path, &error);
}

static bool data_set_read(const char *folder, const wlk_plan *plan, data_set *set, comparison *c) {
    const uint32_t inputs = wlk_plan_inputs(plan), outputs = wlk_plan_outputs(plan);
    if (inputs > MOST_PORTS || outputs > MOST_PORTS) return COMPARE_SAY(c, "too many ports");
    for (uint32_t i = 0; i < inputs; i++, set->input_count++) {
        const wlk_port port = wlk_plan_input(plan, i);
        if (!read_value(folder, "input", i, &port, &set->inputs[i], c)) return false;
    }
    for (uint32_t i = 0; i < outputs; i++, set->output_count++) {
        const wlk_port port = wlk_plan_output(plan, i);
        if (!read_value(folder, "output", i, &port, &set->outputs[i], c)) return false;
    }
    return true;
}

static bool compare_output(const wlk_result *result, uint32_t i, const proto_value *want,
                           comparison *c) {
    const wlk_value_kind kind = wlk_result_kind(result, i);
    const uint64_t count = wlk_result_items(result, i);
    if (kind != want->kind || count != want->count) {
        return COMPARE_SAY(c, "output %u is of kind %d with %llu items, not %d with %u", i,
                           (int)kind, (unsigned long long)count, (int)want->kind, want->count);
    }
    for (uint32_t k = 0; k < want->count; k++) {
        const wlk_tensor got = wlk_result_item(result, i, k);
        comparison inner;
        if (compare_tensors(&got, &want->items[k], &inner)) continue;
        return COMPARE_SAY(c, "output %u: %.200s", i, inner.text);
    }
    return true;
}

/* A model, and what became of it as a file of each format. */
#define WRITTEN 2
static const struct {
    const char *name;
    wlk_format format;
} formats[WRITTEN] = {{"a .wlk file", WLK_FORMAT_WLK}, {"an ONNX file", WLK_FORMAT_ONNX}};

typedef struct plans {
    wlk_plan *plan;
    wlk_plan *written[WRITTEN];
} plans;

/* Has the written model given the same bits? */
static bool compare_bits(const wlk_result *a, const wlk_result *b, uint32_t output,
                         const char *format, comparison *c) {
    const uint64_t count = wlk_result_items(a, output);
    bool same = wlk_result_kind(a, output) == wlk_result_kind(b, output) &&
                count == wlk_result_items(b, output);
    for (uint64_t k = 0; same && k < count; k++) {
        const wlk_tensor x = wlk_result_item(a, output, k), y = wlk_result_item(b, output, k);
        comparison unused;
        same = compare_forms(&x, &y, &unused) && compare_bytes(&x, &y, &unused);
    }
    return same || COMPARE_SAY(c, "output %u: as %s the model gives other bits", output, format);
}

static bool compare_results(const wlk_result *result, const data_set *set, comparison *c) {
    for (uint32_t i = 0; i < set->output_count; i++) {
        if (!compare_output(result, i, &set->outputs[i], c)) return false;
    }
    return true;
}

static bool run_written(const plans *p, uint32_t format, const wlk_argument *arguments,
                        const wlk_result *result, const data_set *set, comparison *c) {
    wlk_result *written = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    bool same = wlk_run_arguments(p->written[format], arguments, set->input_count, &written,
                                  &error) == WLK_OK ||
                say_error(c, formats[format].name, &error);
    for (uint32_t i = 0; same && i < set->output_count; i++) {
        same = compare_bits(result, written, i, formats[format].name, c);
    }
    wlk_result_free(written);
    return same;
}

static bool run_set(const plans *p, const data_set *set, comparison *c) {
    wlk_argument arguments[MOST_PORTS];
    wlk_result *result = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    for (uint32_t i = 0; i < set->input_count; i++) {
        const proto_value *value = &set->inputs[i];
        arguments[i] = (wlk_argument){value->kind, value->items, value->count};
    }
    bool same = wlk_run_arguments(p->plan, arguments, set->input_count, &result, &error) == WLK_OK;
    same = same ? compare_results(result, set, c) : say_error(c, "run", &error);
    for (uint32_t i = 0; same && i < WRITTEN; i++) {
        same = run_written(p, i, arguments, result, set, c);
    }
    wlk_result_free(result);
    return same;
}

static bool run_folder(const char *folder, const plans *p, comparison *c) {
    data_set set = {.input_count = 0};
    const bool passed = data_set_read(folder, p->plan, &set, c) && run_set(p, &set, c);
    data_set_free(&set);
    return passed;
}

/* ---- one model */

static bool load_model(const suite *s, const char *path, wlk_model **model, comparison *c) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    if (s->gate) {
        const wlk_status status = wlk_gate_load_path(s->gate, path, model, NULL, &error);
        return status == WLK_OK || say_error(c, "load", &error);
    }
    size_t size;
    uint8_t *data = read_file(path, &size);
    if (!data) return COMPARE_SAY(c, "model.onnx: %s", strerror(errno));
    const wlk_status status = wlk_parse_memory(data, size, WLK_FORMAT_NONE, NULL, model, &error);
    free(data);
    return status == WLK_OK || say_error(c, "parse", &error);
}

static bool run_sets(const char *folder, const plans *p, comparison *c) {
    unsigned sets = 0;
    for (;; sets++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/test_data_set_%u", folder, sets);
        if (!exists(path)) break;
        if (!run_folder(path, p, c)) return false;
    }
    return sets > 0 || COMPARE_SAY(c, "there is no data set");
}

/* As a file, and back. */
static bool convert(const wlk_model *model, uint32_t format, wlk_model **written, comparison *c) {
    uint8_t *data;
    uint64_t size;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = formats[format].format == WLK_FORMAT_WLK
                            ? wlk_write_memory(model, NULL, &data, &size, &error)
                            : wlk_write_onnx_memory(model, &data, &size, &error);
    if (status != WLK_OK) return say_error(c, formats[format].name, &error);
    status = wlk_parse_memory(data, size, WLK_FORMAT_NONE, NULL, written, &error);
    wlk_free(data);
    return status == WLK_OK || say_error(c, formats[format].name, &error);
}

static bool make_plan(const suite *s, const wlk_model *model, wlk_plan **plan, comparison *c) {
    wlk_error error = {.offset = WLK_NO_OFFSET};
    return wlk_plan_create_with(model, NULL, &s->plan, plan, &error) == WLK_OK ||
           say_error(c, "plan", &error);
}

static bool make_plans(const suite *s, const wlk_model *model, wlk_model **written, plans *p,
                       comparison *c) {
    if (!make_plan(s, model, &p->plan, c)) return false;
    for (uint32_t i = 0; i < WRITTEN; i++) {
        if (!convert(model, i, &written[i], c)) return false;
        if (!make_plan(s, written[i], &p->written[i], c)) return false;
    }
    return true;
}

static bool run_model(const suite *s, const char *folder, comparison *c) {
    char path[PATH_BYTES];
    wlk_model *model, *written[WRITTEN] = {NULL};
    plans p = {.plan = NULL};
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (!load_model(s, path, &model, c)) return false;
    const bool passed = make_plans(s, model, written, &p, c) && run_sets(folder, &p, c);
    wlk_plan_free(p.plan);
    for (uint32_t i = 0; i < WRITTEN; i++) {
        wlk_plan_free(p.written[i]);
        wlk_model_free(written[i]);
    }
    wlk_model_free(model);
    return passed;
}

/* ---- the list of misses */

static bool read_misses(suite *s, const char *path) {
    char line[1024];
    FILE *file = fopen(path, "re");
    if (!file) return false;
    s->listed = true;
    while (fgets(line, sizeof line, file)) {
        char *bar = strstr(line, " | ");
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') continue;
        if (!bar) {
            (void)fprintf(stderr, "%s: no reason: %s\n", path, line);
            (void)fclose(file);
            return false;
        }
        *bar = '\0';
        s->misses = realloc(s->misses, (s->miss_count + 1) * sizeof *s->misses);
        if (!s->misses) abort();
        s->misses[s->miss_count++] = (miss){strdup(line), strdup(bar + 3), false};
    }
    (void)fclose(file);
    return true;
}

static miss *find_miss(const suite *s, const char *name) {
    for (size_t i = 0; i < s->miss_count; i++) {
        if (strcmp(s->misses[i].name, name) == 0) return &s->misses[i];
    }
    return NULL;
}

static void free_misses(suite *s) {
    for (size_t i = 0; i < s->miss_count; i++) {
        free(s->misses[i].name);
        free(s->misses[i].reason);
    }
    free(s->misses);
}

/* ---- folders */

/* The last two parts of a path: "node/test_abs". */
static const char *name_of(const char *folder) {
    const char *last = strrchr(folder, '/');
    if (!last || last == folder) return folder;
    for (const char *at = last - 1; at >= folder; at--) {
        if (*at == '/') return at + 1;
    }
    return folder;
}

static void judge(suite *s, const char *folder) {
    comparison c = {""};
    const char *name = name_of(folder);
    const bool passed = run_model(s, folder, &c);
    miss *known = find_miss(s, name);
    if (known) known->seen = true;
    s->models++;
    s->passed += passed;
    if (passed && known) {
        s->wrong++;
        (void)printf("PASS %s, which is listed as a miss: %s\n", name, known->reason);
    } else if (passed) {
        if (s->show_passed) (void)printf("PASS %s\n", name);
    } else {
        s->wrong += !known;
        (void)printf("%s %s: %s\n", known ? "MISS" : "FAIL", name, c.text);
    }
    (void)fflush(stdout);
}

static int only_names(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* The models in a folder, by name. */
static bool judge_all(suite *s, const char *folder) {
    char path[PATH_BYTES];
    struct dirent **entries;
    (void)snprintf(path, sizeof path, "%s/model.onnx", folder);
    if (exists(path)) {
        judge(s, folder);
        return true;
    }
    const int count = scandir(folder, &entries, only_names, alphasort);
    if (count < 0) {
        (void)fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s/model.onnx", folder, entries[i]->d_name);
        if (exists(path)) {
            *strrchr(path, '/') = '\0';
            judge(s, path);
        }
        free(entries[i]);
    }
    free(entries);
    return true;
}

static void check_listed(suite *s) {
    for (size_t i = 0; i < s->miss_count; i++) {
        if (s->misses[i].seen) continue;
        s->wrong++;
        (void)printf("GONE %s, which is listed as a miss\n", s->misses[i].name);
    }
}

/* ---- the program */

static bool open_gate(suite *s, const char *child) {
    wlk_load_options options;
    wlk_error error;
    wlk_load_options_default(&options);
    options.child_path = child;
    options.allow_unsigned = 1;
    options.pool = POOL_CHILDREN;
    if (wlk_gate_open(&options, &s->gate, &error) == WLK_OK) return true;
    (void)fprintf(stderr, "gate: %s %s\n", wlk_rule_name(error.rule), error.text);
    return false;
}

static bool take_options(suite *s, int argc, char **argv) {
    for (int option; (option = getopt(argc, argv, "c:m:t:v")) != -1;) {
        if (option == 'v') {
            s->show_passed = true;
        } else if (option == 't') {
            s->plan.threads = (uint32_t)strtoul(optarg, NULL, 10);
        } else if (option == 'c') {
            if (!open_gate(s, optarg)) return false;
        } else if (option != 'm') {
            return false;
        } else if (!read_misses(s, optarg)) {
            (void)fprintf(stderr, "%s: cannot be read\n", optarg);
            return false;
        }
    }
    return optind < argc;
}

int main(int argc, char **argv) {
    suite s = {.gate = NULL};
    bool ran = take_options(&s, argc, argv);
    for (int i = optind; ran && i < argc; i++) ran = judge_all(&s, argv[i]);
    if (ran && s.listed) check_listed(&s);
    if (ran) {
        (void)printf("%u/%u models give what they should; %u otherwise than is known\n", s.passed,
                     s.models, s.wrong);
    }
    wlk_gate_close(s.gate);
    free_misses(&s);
    return ran && s.models > 0 && s.wrong == 0 ? 0 : 1;
}
