/* Weighlock's side of the comparisons with onnxruntime: loads models through the cage,
 * runs and times them, as told by lines of standard input.
 *
 *     tool_peer CHILD [TRUST]
 *
 *     load PATH     loads and plans a model, in the place of the one before
 *     inputs PATH   reads what it is to be run on (a value file)
 *     run PATH      runs it and writes what it gives (a value file)
 *     time COUNT    runs it so often
 *     each COUNT    runs it so often, on one row of the inputs after the other
 *
 * Each is answered by a line: "ok SECONDS" (of load, and of one run), or "no " and why.
 * CHILD is weighlock-child. TRUST is a folder of public keys, one of which must then have
 * signed; without it what is unsigned is loaded too.
 *
 * A value file holds values one after the other: "KIND ITEMS\n", and for each item
 * "DTYPE RANK DIM... BYTES\n" and so many bytes, as wlk_value_kind and wlk_tensor have them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <weighlock/infer.h>
#include <weighlock/load.h>

#define MOST_VALUES 64
#define MOST_ITEMS 8
#define LINE_BYTES 4200

typedef struct value {
    wlk_value_kind kind;
    wlk_tensor items[MOST_ITEMS];
    uint64_t count;
} value;

typedef struct peer {
    wlk_gate *gate;
    wlk_model *model;
    wlk_plan *plan;
    value inputs[MOST_VALUES];
    uint32_t input_count;
} peer;

static double seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool say_error(const wlk_error *error) {
    char text[1024];
    (void)printf("no %s\n", wlk_error_format(error, text, sizeof text));
    return false;
}

static bool say(const char *what, const char *path) {
    (void)printf("no %s: %s\n", what, path);
    return false;
}

/* ---- value files */

static bool read_shape(FILE *file, wlk_tensor *t) {
    char name[16];
    if (fscanf(file, "%15s %u", name, &t->rank) != 2 || t->rank > WLK_MAX_RANK) return false;
    t->dtype = wlk_dtype_from_name(name, strlen(name));
    t->count = 1;
    for (uint32_t i = 0; i < t->rank; i++) {
        if (fscanf(file, "%lu", &t->shape[i]) != 1) return false;
        t->count *= t->shape[i];
    }
    return fscanf(file, "%lu", &t->nbytes) == 1 && fgetc(file) == '\n';
}

static bool read_item(FILE *file, wlk_tensor *t) {
    if (!read_shape(file, t)) return false;
    void *data = malloc(t->nbytes + 1);
    t->data = data;
    return data && fread(data, 1, t->nbytes, file) == t->nbytes;
}

static bool read_value(FILE *file, value *v) {
    unsigned kind, count;
    if (fscanf(file, "%u %u", &kind, &count) != 2 || count > MOST_ITEMS) return false;
    v->kind = (wlk_value_kind)kind;
    for (; v->count < count; v->count++) {
        if (!read_item(file, &v->items[v->count])) return false;
    }
    return true;
}

static void write_item(FILE *file, const wlk_tensor *t) {
    (void)fprintf(file, "%s %u", wlk_dtype_name(t->dtype), t->rank);
    for (uint32_t i = 0; i < t->rank; i++) (void)fprintf(file, " %lu", t->shape[i]);
    (void)fprintf(file, " %lu\n", t->nbytes);
    (void)fwrite(t->data, 1, t->nbytes, file);
}

static bool write_result(const wlk_result *result, const char *path) {
    FILE *file = fopen(path, "wbe");
    if (!file) return say("cannot write", path);
    for (uint32_t i = 0; i < wlk_result_count(result); i++) {
        const uint64_t items = wlk_result_items(result, i);
        (void)fprintf(file, "%u %lu\n", (unsigned)wlk_result_kind(result, i), items);
        for (uint64_t k = 0; k < items; k++) {
            const wlk_tensor item = wlk_result_item(result, i, k);
            write_item(file, &item);
        }
    }
    return fclose(file) == 0 || say("cannot write", path);
}

/* ---- what is asked */

static void drop_inputs(peer *p) {
    for (uint32_t i = 0; i < p->input_count; i++) {
        for (uint64_t k = 0; k < p->inputs[i].count; k++) free((void *)p->inputs[i].items[k].data);
    }
    memset(p->inputs, 0, sizeof p->inputs);
    p->input_count = 0;
}

static void drop_model(peer *p) {
    wlk_plan_free(p->plan);
    wlk_model_free(p->model);
    p->plan = NULL;
    p->model = NULL;
}

static bool do_load(peer *p, const char *path, double *took) {
    wlk_error error;
    drop_model(p);
    const double start = seconds();
    if (wlk_gate_load_path(p->gate, path, &p->model, NULL, &error) != WLK_OK ||
        wlk_plan_create(p->model, NULL, &p->plan, &error) != WLK_OK) {
        return say_error(&error);
    }
    *took = seconds() - start;
    return true;
}

static bool do_inputs(peer *p, const char *path) {
    drop_inputs(p);
    FILE *file = fopen(path, "rbe");
    if (!file) return say("cannot read", path);
    bool good = true;
    while (good && p->input_count < MOST_VALUES) {
        const int next = fgetc(file);
        if (next == EOF) break;
        (void)ungetc(next, file);
        good = read_value(file, &p->inputs[p->input_count++]);
    }
    (void)fclose(file);
    return good || say("not a value file", path);
}

static bool run_once(const peer *p, const value *inputs, wlk_result **result) {
    wlk_argument arguments[MOST_VALUES];
    wlk_error error;
    for (uint32_t i = 0; i < p->input_count; i++) {
        arguments[i] = (wlk_argument){inputs[i].kind, inputs[i].items, inputs[i].count};
    }
    return wlk_run_arguments(p->plan, arguments, p->input_count, result, &error) == WLK_OK ||
           say_error(&error);
}

static bool do_run(const peer *p, const char *path) {
    wlk_result *result;
    if (!run_once(p, p->inputs, &result)) return false;
    const bool written = write_result(result, path);
    wlk_result_free(result);
    return written;
}

static bool run_and_drop(const peer *p, const value *inputs) {
    wlk_result *result;
    if (!run_once(p, inputs, &result)) return false;
    wlk_result_free(result);
    return true;
}

static bool do_time(const peer *p, unsigned long count, double *took) {
    const double start = seconds();
    for (unsigned long i = 0; i < count; i++) {
        if (!run_and_drop(p, p->inputs)) return false;
    }
    *took = (seconds() - start) / (double)(count ? count : 1);
    return true;
}

/* Numbers of at least one row. */
static bool has_rows(const value *v) {
    return v->count == 1 && v->items[0].rank > 0 && v->items[0].shape[0] > 0 &&
           wlk_dtype_bits(v->items[0].dtype) >= 8;
}

/* Row `row` of an input, from the first again past the last. */
static value row_of(const value *v, uint64_t row) {
    value one = *v;
    wlk_tensor *t = &one.items[0];
    const uint64_t rows = t->shape[0];
    t->nbytes /= rows;
    t->count /= rows;
    t->shape[0] = 1;
    t->data = (const uint8_t *)t->data + row % rows * t->nbytes;
    return one;
}

static bool do_each(const peer *p, unsigned long count, double *took) {
    value inputs[MOST_VALUES];
    for (uint32_t i = 0; i < p->input_count; i++) {
        if (!has_rows(&p->inputs[i])) return say("has no rows", "an input");
    }
    const double start = seconds();
    for (unsigned long i = 0; i < count; i++) {
        for (uint32_t k = 0; k < p->input_count; k++) inputs[k] = row_of(&p->inputs[k], i);
        if (!run_and_drop(p, inputs)) return false;
    }
    *took = (seconds() - start) / (double)(count ? count : 1);
    return true;
}

/* Every request but `load` and `inputs` needs a model. */
static void answer(peer *p, const char *request, const char *argument) {
    double took = 0;
    bool done;
    if (strcmp(request, "load") == 0) {
        done = do_load(p, argument, &took);
    } else if (strcmp(request, "inputs") == 0) {
        done = do_inputs(p, argument);
    } else if (!p->plan) {
        done = say("there is no model", request);
    } else if (strcmp(request, "run") == 0) {
        done = do_run(p, argument);
    } else if (strcmp(request, "time") == 0) {
        done = do_time(p, strtoul(argument, NULL, 10), &took);
    } else if (strcmp(request, "each") == 0) {
        done = do_each(p, strtoul(argument, NULL, 10), &took);
    } else {
        done = say("unknown request", request);
    }
    if (done) (void)printf("ok %.9f\n", took);
    (void)fflush(stdout);
}

static bool open_gate(peer *p, const char *child, const char *trusted) {
    wlk_load_options options;
    wlk_trust *trust = NULL;
    wlk_error error;
    wlk_load_options_default(&options);
    options.child_path = child;
    options.allow_unsigned = !trusted;
    if (trusted && wlk_trust_open(trusted, &trust, &error) != WLK_OK) return say_error(&error);
    options.trust = trust; /* as long as the program */
    return wlk_gate_open(&options, &p->gate, &error) == WLK_OK || say_error(&error);
}

int main(int argc, char **argv) {
    static peer p;
    char line[LINE_BYTES];
    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: tool_peer CHILD [TRUST]\n");
        return 2;
    }
    if (!open_gate(&p, argv[1], argc == 3 ? argv[2] : NULL)) return 2;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *space = strchr(line, ' ');
        if (space) *space = '\0';
        answer(&p, line, space ? space + 1 : "");
    }
    drop_inputs(&p);
    drop_model(&p);
    wlk_gate_close(p.gate);
    return 0;
}
