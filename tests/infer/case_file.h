/* Tables of models with what they must give, in text files: tests/infer/cases.
 *
 *   case NAME                          begins a case
 *   opset VERSION [DOMAIN]             ai.onnx if no domain is named
 *   input NAME DTYPE SHAPE             SHAPE: [2,?] or [] or * (unknown rank)
 *   output NAME [DTYPE SHAPE]          with a declared type
 *   tensor NAME DTYPE SHAPE VALUES     a constant of the model
 *   node OP[@DOMAIN] IN,IN -> OUT,OUT  _ omits one
 *   attr NAME TYPE VALUES              of the latest node; a tensor is the number of its line
 *   graph                              what follows is the next subgraph (attr graph: its
 *                                      number, from 1); its inputs may be without a type
 *   limit NAME VALUE
 *   feed DTYPE SHAPE VALUES            the next input of the run
 *   want DTYPE SHAPE VALUES            the next output of the run
 *   tolerance RTOL ATOL                for floats; default 0 0
 *   run                                runs what was fed so far; more may follow
 *   refuse RULE [WORDS]                the run, or the plan, must end so; WORDS are
 *                                      part of the error's text
 *   golden                             makes of feed and want golden rows
 *   selftest RULE [WORDS]              runs the golden rows; RULE is ok where all hold
 *
 * Numbers are decimal, nan, inf; f16 and bf16 are their bits; strings stand in
 * single quotes, with \xHH. Lines that begin with # are comments. */
#ifndef WLK_TESTS_INFER_CASE_FILE_H
#define WLK_TESTS_INFER_CASE_FILE_H

#include "infer/case_text.h"

#include <inttypes.h>
#include <math.h>

#define CASE_TENSORS 16
#define CASE_VALUES 4096

/* ---- one case */

typedef struct case_run {
    char name[80];
    case_tensor inputs[CASE_TENSORS];
    uint32_t input_count;
    case_tensor wants[CASE_TENSORS];
    uint32_t want_count;
    double rtol, atol;
    bool refused;
    char rule[40];
    char words[120];
} case_run;

static inline void run_clear(case_run *r) {
    for (uint32_t i = 0; i < r->input_count; i++) free(r->inputs[i].data);
    for (uint32_t i = 0; i < r->want_count; i++) free(r->wants[i].data);
    r->input_count = r->want_count = 0;
    r->refused = false;
    r->words[0] = 0;
}

static inline bool floats_agree(const case_run *r, double got, double want) {
    if (isnan(want)) return isnan(got);
    if (isinf(want) || isinf(got)) return got == want;
    return fabs(got - want) <= r->atol + r->rtol * fabs(want);
}

static inline double float_at(const wlk_tensor *t, uint64_t i) {
    return t->dtype == WLK_F32 ? (double)((const float *)t->data)[i] : ((const double *)t->data)[i];
}

static inline void compare_tensor(const case_run *r, uint32_t i, const wlk_tensor *got) {
    const wlk_tensor *want = &r->wants[i].tensor;
    if (got->dtype != want->dtype || got->rank != want->rank ||
        memcmp(got->shape, want->shape, sizeof got->shape) != 0) {
        fail_msg("%s: output %u is %s rank %u [%" PRIu64 ",%" PRIu64 "]", r->name, i,
                 wlk_dtype_name(got->dtype), got->rank, got->shape[0], got->shape[1]);
    }
    if (got->nbytes != want->nbytes) fail_msg("%s: output %u: nbytes", r->name, i);
    assert_int_equal((uintptr_t)got->data % 64, 0);
    if (got->dtype != WLK_F32 && got->dtype != WLK_F64) {
        if (got->nbytes > 0 && memcmp(got->data, want->data, got->nbytes) != 0) {
            fail_msg("%s: output %u differs", r->name, i);
        }
        return;
    }
    for (uint64_t j = 0; j < got->count; j++) {
        if (floats_agree(r, float_at(got, j), float_at(want, j))) continue;
        fail_msg("%s: output %u element %" PRIu64 ": got %.17g, want %.17g", r->name, i, j,
                 float_at(got, j), float_at(want, j));
    }
}

static inline void check_refusal(const case_run *r, wlk_status status, const wlk_error *error) {
    char text[512] = "nothing refused";
    if (status != WLK_OK) (void)wlk_error_format(error, text, sizeof text);
    const char *rule = status == WLK_OK ? "ok" : wlk_rule_name(error->rule);
    if (!r->refused && status != WLK_OK) fail_msg("%s: %s", r->name, text);
    if (r->refused && (strcmp(rule, r->rule) != 0 || !strstr(text, r->words))) {
        fail_msg("%s: want %s '%s', got %s: %s", r->name, r->rule, r->words, rule, text);
    }
}

static inline void run_plan(case_run *r, const wlk_plan *plan) {
    wlk_tensor inputs[CASE_TENSORS];
    wlk_result *result = NULL;
    wlk_error error = {.status = WLK_OK};
    memset(inputs, 0, sizeof inputs);
    for (uint32_t i = 0; i < r->input_count; i++) inputs[i] = r->inputs[i].tensor;
    const wlk_status status = wlk_run(plan, inputs, r->input_count, &result, &error);
    check_refusal(r, status, &error);
    if (status != WLK_OK) {
        assert_null(result);
        return;
    }
    if (wlk_result_count(result) != r->want_count) fail_msg("%s: number of outputs", r->name);
    for (uint32_t i = 0; i < r->want_count; i++) {
        const wlk_tensor got = wlk_result_tensor(result, i);
        assert_string_equal(got.name, wlk_plan_output(plan, i).name);
        compare_tensor(r, i, &got);
    }
    wlk_result_free(result);
}

/* ---- reading a case */

typedef struct case_reader {
    model_kit kit;
    wlk_limits limits;
    bool graph_begun;
    bool outputs_given;
    case_run run;
    wlk_model *model;
    wlk_plan *plan;
    uint32_t runs;
    uint32_t golden; /* sets of golden rows */
} case_reader;

static inline void need_graph(case_reader *c) {
    if (!c->graph_begun) kit_graph(&c->kit);
    c->graph_begun = true;
}

static inline uint32_t parse_type(case_reader *c, case_text *t) {
    int64_t dims[WLK_MAX_RANK];
    uint32_t rank = 0;
    const wlk_dtype dtype = parse_dtype(need_word(t));
    const bool has_shape = parse_shape(need_word(t), &rank, dims);
    return kit_type(&c->kit, dtype, has_shape, rank, dims);
}

static inline void line_opset(case_reader *c, case_text *t) {
    const uint32_t version = (uint32_t)strtoul(need_word(t), NULL, 10);
    const char *domain = next_word(t);
    kit_opset(&c->kit, domain ? domain : "", version);
}

static inline void line_input(case_reader *c, case_text *t) {
    const char *name = need_word(t);
    const uint32_t type = *t->at ? parse_type(c, t) : IMAGE_NONE;
    need_graph(c);
    kit_input(&c->kit, name, type);
}

static inline void line_graph(case_reader *c, case_text *t) {
    (void)t;
    need_graph(c);
    kit_graph(&c->kit);
}

static inline void line_output(case_reader *c, case_text *t) {
    const char *name = need_word(t);
    need_graph(c);
    kit_output(&c->kit, name, *t->at ? parse_type(c, t) : IMAGE_NONE);
}

static inline void line_tensor(case_reader *c, case_text *t) {
    const char *name = need_word(t);
    case_tensor tensor = parse_tensor(t);
    tensor.tensor.name = name;
    (void)kit_tensor(&c->kit, &tensor.tensor);
    free(tensor.data);
}

static inline uint32_t split_names(char *list, const char **names) {
    uint32_t count = 0;
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        assert_true(count < CASE_TENSORS);
        names[count++] = strcmp(name, "_") == 0 ? "" : name;
    }
    return count;
}

static inline void line_node(case_reader *c, case_text *t) {
    const char *in[CASE_TENSORS];
    const char *out[CASE_TENSORS];
    char *op = need_word(t);
    char *domain = strchr(op, '@');
    if (domain) *domain++ = 0;
    char *list = need_word(t);
    uint32_t inputs = 0;
    if (strcmp(list, "->") != 0) {
        inputs = split_names(list, in);
        (void)need_word(t);
    }
    list = next_word(t);
    const uint32_t outputs = list ? split_names(list, out) : 0;
    need_graph(c);
    kit_node(&c->kit, domain ? domain : "", op, in, inputs, out, outputs);
}

static inline wlk_attribute_type attribute_type(const char *name) {
    static const struct {
        const char *name;
        wlk_attribute_type type;
    } types[] = {
        {"int", WLK_ATTR_INT},     {"float", WLK_ATTR_FLOAT},   {"string", WLK_ATTR_STRING},
        {"ints", WLK_ATTR_INTS},   {"floats", WLK_ATTR_FLOATS}, {"strings", WLK_ATTR_STRINGS},
        {"dtype", WLK_ATTR_DTYPE}, {"tensor", WLK_ATTR_TENSOR}, {"graph", WLK_ATTR_GRAPH}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) return types[i].type;
    }
    fail_msg("no attribute type '%s'", name);
    return WLK_ATTR_INT;
}

static inline void line_attr(case_reader *c, case_text *t) {
    static uint64_t values[CASE_VALUES];
    static const char *texts[CASE_VALUES];
    const char *name = need_word(t);
    const wlk_attribute_type type = attribute_type(need_word(t));
    uint32_t count = 0;
    if (type == WLK_ATTR_STRING || type == WLK_ATTR_STRINGS) {
        size_t length = 0;
        char *text = NULL;
        while (next_string(t, &text, &length)) texts[count++] = text;
        kit_texts(&c->kit, name, type, texts, count);
        return;
    }
    for (const char *word = next_word(t); word; word = next_word(t)) {
        assert_true(count < CASE_VALUES);
        const bool real = type == WLK_ATTR_FLOAT || type == WLK_ATTR_FLOATS;
        values[count] = real ? f64_bits(strtod(word, NULL)) : (uint64_t)strtoll(word, NULL, 10);
        if (type == WLK_ATTR_DTYPE) values[count] = parse_dtype(word);
        count++;
    }
    kit_attribute(&c->kit, name, type, values, count);
}

static inline void line_limit(case_reader *c, case_text *t) {
    const char *name = need_word(t);
    assert_int_equal(wlk_limits_set(&c->limits, name, strtoull(need_word(t), NULL, 10)), WLK_OK);
}

static inline void line_feed(case_reader *c, case_text *t) {
    assert_true(c->run.input_count < CASE_TENSORS);
    c->run.inputs[c->run.input_count++] = parse_tensor(t);
}

static inline void line_want(case_reader *c, case_text *t) {
    assert_true(c->run.want_count < CASE_TENSORS);
    c->run.wants[c->run.want_count++] = parse_tensor(t);
}

static inline void line_tolerance(case_reader *c, case_text *t) {
    c->run.rtol = strtod(need_word(t), NULL);
    c->run.atol = strtod(need_word(t), NULL);
}

static inline void line_refuse(case_reader *c, case_text *t) {
    c->run.refused = true;
    (void)snprintf(c->run.rule, sizeof c->run.rule, "%s", need_word(t));
    (void)snprintf(c->run.words, sizeof c->run.words, "%s", t->at);
}

/* Makes model and plan at the first run; false if the plan was refused, as it was
 * to be. */
static inline bool need_plan(case_reader *c) {
    wlk_error error = {.status = WLK_OK};
    c->runs++;
    if (!c->model) c->model = kit_close(&c->kit);
    if (c->plan) return true;
    const wlk_status status = wlk_plan_create(c->model, &c->limits, &c->plan, &error);
    if (status == WLK_OK) return true;
    assert_null(c->plan);
    check_refusal(&c->run, status, &error);
    return false;
}

static inline void line_run(case_reader *c, case_text *t) {
    (void)t;
    if (need_plan(c)) run_plan(&c->run, c->plan);
    run_clear(&c->run);
}

static inline uint32_t golden_tensor(case_reader *c, const case_tensor *from, char kind,
                                     uint32_t i) {
    char name[32];
    wlk_tensor tensor = from->tensor;
    (void)snprintf(name, sizeof name, "golden-%u-%c%u", c->golden, kind, i);
    tensor.name = name;
    return kit_tensor(&c->kit, &tensor);
}

static inline void line_golden(case_reader *c, case_text *t) {
    (void)t;
    case_run *r = &c->run;
    uint32_t in[CASE_TENSORS];
    uint32_t out[CASE_TENSORS];
    for (uint32_t i = 0; i < r->input_count; i++) in[i] = golden_tensor(c, &r->inputs[i], 'i', i);
    for (uint32_t i = 0; i < r->want_count; i++) out[i] = golden_tensor(c, &r->wants[i], 'o', i);
    kit_check(&c->kit, assembler_selftest(c->kit.assembler, in, r->input_count, out, r->want_count,
                                          r->rtol, r->atol, &c->kit.error));
    c->golden++;
    run_clear(r);
}

static inline void line_selftest(case_reader *c, case_text *t) {
    wlk_error error = {.status = WLK_OK};
    uint32_t ran = UINT32_MAX;
    line_refuse(c, t);
    c->run.refused = strcmp(c->run.rule, "ok") != 0;
    if (!need_plan(c)) fail_msg("%s: no plan", c->run.name);
    const wlk_status status = wlk_selftest_run(c->plan, &ran, &error);
    check_refusal(&c->run, status, &error);
    if (status == WLK_OK) assert_int_equal(ran, c->golden);
    if (status != WLK_OK) assert_true(ran < c->golden);
    run_clear(&c->run);
}

typedef struct case_line {
    const char *word;
    void (*read)(case_reader *c, case_text *t);
} case_line;

static const case_line case_lines[] = {
    {"opset", line_opset},         {"input", line_input},       {"output", line_output},
    {"tensor", line_tensor},       {"node", line_node},         {"attr", line_attr},
    {"limit", line_limit},         {"feed", line_feed},         {"want", line_want},
    {"tolerance", line_tolerance}, {"refuse", line_refuse},     {"run", line_run},
    {"golden", line_golden},       {"selftest", line_selftest}, {"graph", line_graph},
};

static inline void read_line(case_reader *c, char *line) {
    case_text t = {.at = line, .line = line};
    const char *word = next_word(&t);
    for (size_t i = 0; i < sizeof case_lines / sizeof *case_lines; i++) {
        if (strcmp(case_lines[i].word, word) == 0) {
            case_lines[i].read(c, &t);
            return;
        }
    }
    fail_msg("%s: no such line: %s", c->run.name, word);
}

static inline void case_open(case_reader *c, const char *name) {
    memset(c, 0, sizeof *c);
    kit_open(&c->kit);
    wlk_limits_default(&c->limits);
    (void)snprintf(c->run.name, sizeof c->run.name, "%s", name);
}

/* What is left at the end of a case is its last run. */
static inline void case_close(case_reader *c) {
    char nothing[1] = "";
    case_text t = {.at = nothing, .line = nothing};
    if (c->runs == 0 || c->run.input_count > 0 || c->run.refused) line_run(c, &t);
    wlk_plan_free(c->plan);
    wlk_model_free(c->model);
}

/* Runs every case of a file; returns how many there were. */
static inline uint32_t run_case_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("cannot open %s", path);
    case_reader c;
    char *line = NULL;
    size_t room = 0;
    uint32_t cases = 0;
    while (getline(&line, &room, file) >= 0) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#' || line[strspn(line, " ")] == 0) continue;
        if (strncmp(line, "case ", 5) == 0) {
            if (cases++ > 0) case_close(&c);
            case_open(&c, line + 5);
        } else {
            if (cases == 0) fail_msg("%s: a line before the first case", path);
            read_line(&c, line);
        }
    }
    if (cases > 0) case_close(&c);
    free(line);
    (void)fclose(file);
    return cases;
}

#endif
