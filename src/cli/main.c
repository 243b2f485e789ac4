#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#ifndef WLK_VERSION
#define WLK_VERSION "0.1.0"
#endif

#define MOST_VERBS 32

/* ---- help */

static void print_help(FILE *out) {
    (void)fprintf(out,
                  "usage: weighlock VERB [OPTIONS] ...\n\n"
                  "Opens machine-learning models that a stranger uploaded: verified, parsed by\n"
                  "a confined child, handed out as validated data, or refused with a reason.\n\n");
    for (uint32_t i = 0; i < verb_count; i++) {
        (void)fprintf(out, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(
        out,
        "\n`weighlock help VERB` explains a verb, with examples; `weighlock help limits`\n"
        "lists the limits; `weighlock --version` shows the version.\n\n"
        "Exit codes: 0 ok, 1 refused, 2 undecided, 3 unsupported, 4 usage, 5 cage,\n"
        "6 limit, 7 trust, 8 system.\n");
}

static void print_limits(void) {
    wlk_limit_row row;
    (void)printf(
        "Limits: the largest value that is still accepted. Set with --limit NAME=VALUE.\n\n");
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        (void)printf("  %-16s %13" PRIu64 " %-7s  %s\n", row.name, row.standard, row.unit,
                     row.reason);
    }
}

static void print_option(const option_row *row) {
    char left[48];
    (void)snprintf(left, sizeof left, "%s%s%s%s%s", row->brief ? row->brief : "",
                   row->brief ? ", " : "", row->name, row->argument ? " " : "",
                   row->argument ? row->argument : "");
    (void)printf("  %-28s %s\n", left, row->help);
}

static void print_verb_help(const verb *v) {
    (void)printf("usage: weighlock %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", v->name,
                 v->operands[0] ? " " : "", v->operands, v->details);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (v->options >> i & 1) print_option(&option_rows[i]);
    }
    (void)printf("\nExamples:\n%s", v->examples);
}

/* ---- verbs */

static const verb *find_verb(const char *name) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    }
    return NULL;
}

static int unknown_verb(const char *name) {
    const cli bare = {0};
    const char *known[MOST_VERBS] = {"help"};
    size_t count = 1;
    wlk_error error;
    for (uint32_t i = 0; i < verb_count && count < MOST_VERBS; i++) known[count++] = verbs[i].name;
    (void)!options_unknown("verb", name, known, count, &error);
    return cli_fail(&bare, NULL, &error);
}

/* The child lies beside this program (build tree) or in ../libexec/weighlock
 * (installed); where neither is there, the library's own default is tried. */
static const char *find_child(char *path, size_t size) {
    static const char *const places[] = {"", "../libexec/weighlock/"};
    char self[3072];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0) return NULL;
    self[length] = 0;
    char *slash = strrchr(self, '/');
    if (!slash) return NULL;
    slash[1] = 0;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, size, "%s%sweighlock-child", self, places[i]);
        if (access(path, F_OK) == 0) return path;
    }
    return NULL;
}

/* An error before --json was reached is reported as JSON too. */
static void look_for_json(cli *c, const verb *v, const char **arguments, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(arguments[i], option_rows[OPTION_JSON].name) != 0) continue;
        c->options.given |= v->options & OPTION_BIT(OPTION_JSON);
    }
}

static int run_verb(const verb *v, const char **arguments, uint32_t count) {
    char child[4096];
    cli c = {.child_path = find_child(child, sizeof child)};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    if (options_parse(arguments, count, v->options, &c.options, &error) != WLK_OK) {
        look_for_json(&c, v, arguments, count);
        return cli_fail(&c, NULL, &error);
    }
    if (option_given(&c.options, OPTION_HELP)) {
        print_verb_help(v);
        return WLK_OK;
    }
    if (c.options.operand_count < v->least || c.options.operand_count > v->most) {
        (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "%u operands, where this is wanted: weighlock %s [OPTIONS] %s",
                          c.options.operand_count, v->name, v->operands);
        return cli_fail(&c, NULL, &error);
    }
    return v->run(&c);
}

/* "help", "help VERB", "help limits". */
static int run_help(const char *topic) {
    const verb *v = topic ? find_verb(topic) : NULL;
    if (!topic) {
        print_help(stdout);
    } else if (v) {
        print_verb_help(v);
    } else if (strcmp(topic, "limits") == 0) {
        print_limits();
    } else {
        return unknown_verb(topic);
    }
    return WLK_OK;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return WLK_USAGE;
    }
    const char *name = argv[1];
    const verb *v = find_verb(name);
    if (v) return run_verb(v, (const char **)(argv + 2), (uint32_t)(argc - 2));
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return run_help(NULL);
    if (strcmp(name, "help") == 0) return run_help(argv[2]);
    if (strcmp(name, "--version") != 0) return unknown_verb(name);
    (void)printf("weighlock %s\n", WLK_VERSION);
    return WLK_OK;
}

/* ---- the process */

/* Descriptors 0 to 2 are always open, so that no file that we open becomes one.
 * One that was closed is opened the wrong way round: to use it is an error. */
static void hold_standard_descriptors(void) {
    static const int wrong_way[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int i = 0; i < 3; i++) {
        if (fcntl(i, F_GETFD) < 0) (void)!open("/dev/null", wrong_way[i]);
    }
}

/* A closed pipe and a file that may not grow are errors of the write, so that what
 * was begun is cleared away. */
static void turn_signals_into_errors(void) {
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv) {
    hold_standard_descriptors();
    turn_signals_into_errors();
    return cli_finish(run(argc, argv));
}
