#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/model_source.h"
#include "cli/output.h"
#include "input/npz_write.h"

#define MOST_LINES 40 /* in text; --json shows all */

/* A tensor that is wanted, and how it was written. */
typedef struct extracted {
    uint32_t tensor;
    char descr[sizeof((npy_layout *)0)->descr];
    const char *as;
    char *member; /* its name in the archive; NULL: there is none */
} extracted;

typedef struct extraction {
    const cli *c;
    model_source source;
    const char *out; /* "-": standard output */
    bool archive;    /* .npz */
    extracted *wanted;
    uint32_t count;
    uint64_t limit; /* bytes of one array */
    uint64_t bytes; /* written */
    output to;
} extraction;

static wlk_status usage(wlk_error *error, const char *what) {
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s", what);
}

/* ---- what is asked for */

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static wlk_status choose_form(extraction *x, wlk_error *error) {
    x->out = x->c->options.value[OPTION_OUTPUT];
    if (!x->out) return usage(error, "extract needs --output FILE");
    if (strcmp(x->out, "-") == 0) {
        return cli_json(x->c) ? usage(error, "--json and --output - both want standard output")
                              : WLK_OK;
    }
    x->archive = ends_with(x->out, ".npz");
    if (x->archive || ends_with(x->out, ".npy")) return WLK_OK;
    return usage(error, "--output: a name that ends with .npy or .npz, or - for standard output");
}

static wlk_status no_tensor(const wlk_model *model, const char *name, wlk_error *error) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_TENSORS);
    const char **names = mem_zeroed(count, sizeof *names);
    if (!names) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < count; i++) names[i] = wlk_model_tensor(model, i).name;
    const char *near = nearest_name(name, names, count);
    const wlk_status status =
        near ? error_text(error, RULE_CLI_TENSOR, WLK_NO_OFFSET, "%.100s; did you mean %.100s?",
                          name, near)
             : error_text(error, RULE_CLI_TENSOR, WLK_NO_OFFSET, "%.100s", name);
    mem_free(names);
    return status;
}

/* The order of the model, whatever that of the options is: the same bytes. */
static wlk_status mark_wanted(const extraction *x, const wlk_model *model, bool *marks,
                              wlk_error *error) {
    const option_values *options = &x->c->options;
    for (uint32_t i = 0; i < options->tensor_count; i++) {
        const uint32_t index = wlk_model_find_tensor(model, options->tensor[i]);
        if (index == WLK_NONE) return no_tensor(model, options->tensor[i], error);
        marks[index] = true;
    }
    return WLK_OK;
}

static wlk_status choose_tensors(extraction *x, const wlk_model *model, wlk_error *error) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_TENSORS);
    const bool all = x->c->options.tensor_count == 0;
    bool *marks = mem_zeroed(count, sizeof *marks);
    x->wanted = mem_zeroed(count, sizeof *x->wanted);
    wlk_status status = marks && x->wanted ? mark_wanted(x, model, marks, error)
                                           : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    for (uint32_t i = 0; status == WLK_OK && i < count; i++) {
        if (all || marks[i]) x->wanted[x->count++].tensor = i;
    }
    mem_free(marks);
    if (status != WLK_OK || x->archive || x->count == 1) return status;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "a .npy file holds one tensor, and not %" PRIu32
                      "; give one --tensor, or an --output that ends with .npz",
                      x->count);
}

/* ---- writing */

static wlk_status put_stream(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    extraction *x = context;
    TRY(output_put(&x->to, bytes, length, error));
    x->bytes += length;
    return WLK_OK;
}

static wlk_status put_tensor(extraction *x, npz_writer *npz, const npy_output *put,
                             extracted *wanted, const wlk_tensor *tensor, wlk_error *error) {
    npy_layout layout;
    TRY(npy_layout_of(tensor, x->limit, &layout, error));
    memcpy(wanted->descr, layout.descr, sizeof wanted->descr);
    wanted->as = layout.as;
    if (npz && !(wanted->member = npz_member_name(tensor->name))) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    return npz ? npz_add(npz, tensor, &layout, error) : npy_put(tensor, &layout, put, error);
}

/* One tensor is in memory at a time. */
static wlk_status put_tensors(extraction *x, npz_writer *npz, const npy_output *put,
                              wlk_error *error) {
    for (uint32_t i = 0; i < x->count; i++) {
        wlk_tensor tensor;
        TRY(model_source_tensor(&x->source, x->wanted[i].tensor, &tensor, error));
        const wlk_status status = put_tensor(x, npz, put, &x->wanted[i], &tensor, error);
        model_source_release(&x->source, &tensor);
        TRY(status);
    }
    return npz ? npz_finish(npz, error) : WLK_OK;
}

static wlk_status put_all(extraction *x, wlk_error *error) {
    const npy_output put = {x, put_stream};
    npz_writer *npz = x->archive ? npz_new(&put) : NULL;
    if (x->archive && !npz) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = put_tensors(x, npz, &put, error);
    npz_free(npz);
    return status;
}

static wlk_status write_out(extraction *x, wlk_error *error) {
    TRY(output_open(x->out, &x->to, error));
    return output_close(&x->to, put_all(x, error), error);
}

/* ---- what was written */

static void json_tensor(json_out *j, const extraction *x, const extracted *e) {
    const wlk_tensor t = wlk_model_tensor(model_source_model(&x->source), e->tensor);
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "name", t.name);
    json_pair_text(j, "dtype", wlk_dtype_name(t.dtype));
    json_key(j, "shape");
    json_begin_list(j, JSON_FLAT);
    for (uint32_t i = 0; i < t.rank; i++) json_unsigned(j, t.shape[i]);
    json_end_list(j);
    json_pair_text(j, "descr", e->descr);
    json_key(j, "as");
    if (e->as) {
        json_text(j, e->as);
    } else {
        json_put_null(j);
    }
    json_key(j, "member");
    if (e->member) {
        json_text(j, e->member);
    } else {
        json_put_null(j);
    }
    json_end_map(j);
}

static void print_json(const extraction *x) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "file", x->out);
    json_pair_unsigned(&j, "bytes", x->bytes);
    json_key(&j, "tensors");
    json_begin_list(&j, JSON_LINES);
    for (uint32_t i = 0; i < x->count; i++) json_tensor(&j, x, &x->wanted[i]);
    json_end_list(&j);
    json_end_map(&j);
    (void)putchar('\n');
}

static void print_tensor(const extraction *x, const extracted *e) {
    const wlk_tensor t = wlk_model_tensor(model_source_model(&x->source), e->tensor);
    (void)printf("  ");
    cli_print_short(t.name);
    (void)printf("  %s [", wlk_dtype_name(t.dtype));
    for (uint32_t i = 0; i < t.rank; i++) (void)printf("%s%" PRIu64, i ? ", " : "", t.shape[i]);
    (void)printf("]");
    if (e->as) (void)printf(" as %s", e->as);
    if (e->member && strcmp(e->member, t.name) != 0) {
        (void)printf(", named ");
        cli_print_short(e->member);
    }
    (void)putchar('\n');
}

static void print_text(const extraction *x) {
    cli_print_safe(x->out);
    (void)printf(": wrote %" PRIu64 " bytes, %" PRIu32 " tensor%s\n", x->bytes, x->count,
                 x->count == 1 ? "" : "s");
    for (uint32_t i = 0; i < x->count && i < MOST_LINES; i++) print_tensor(x, &x->wanted[i]);
    if (x->count > MOST_LINES) {
        (void)printf("  ... and %" PRIu32 " more tensors (--json shows all)\n",
                     x->count - MOST_LINES);
    }
}

static void report(const extraction *x) {
    if (strcmp(x->out, "-") == 0) return; /* standard output has the array */
    if (cli_json(x->c)) {
        print_json(x);
    } else {
        print_text(x);
    }
}

/* ---- the verb */

static void extraction_free(extraction *x) {
    for (uint32_t i = 0; x->wanted && i < x->count; i++) mem_free(x->wanted[i].member);
    mem_free(x->wanted);
}

/* *subject: the file that an error is about. */
static wlk_status extract(extraction *x, const char **subject, wlk_error *error) {
    wlk_policy policy;
    TRY(options_policy(&x->c->options, &policy, error));
    x->limit = policy.limits.output_bytes;
    *subject = x->c->options.operands[0];
    TRY(model_source_open(x->c, *subject, option_given(&x->c->options, OPTION_ALLOW_UNSIGNED),
                          &x->source, error));
    TRY(choose_tensors(x, model_source_model(&x->source), error));
    return write_out(x, error);
}

int verb_extract(const cli *c) {
    extraction x = {.c = c};
    const char *subject = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = choose_form(&x, &error);
    if (status == WLK_OK) status = extract(&x, &subject, &error);
    if (status == WLK_OK) report(&x);
    if (error.rule == RULE_CLI_OUTPUT || error.rule == RULE_WRITE_TARGET) subject = NULL;
    model_source_close(&x.source);
    extraction_free(&x);
    return status == WLK_OK ? WLK_OK : cli_fail(c, subject, &error);
}
