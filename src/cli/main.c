#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#error "a build for fuzzing takes every signature and digest for right: no program is made of it"
#endif

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
        (void)fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].summary);
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

/* Does the verb's name begin with that word? Both words, where it has two, if `more`
 * is the second. */
static bool is_called(const verb *v, const char *word, const char *more) {
    const size_t length = strlen(word);
    if (strncmp(v->name, word, length) != 0) return false;
    if (v->name[length] == '\0') return !more;
    return v->name[length] == ' ' && more && strcmp(v->name + length + 1, more) == 0;
}

/* The verb at the beginning of words[0..count), and of how many words its name is. */
static const verb *find_verb(const char *const *words, int count, uint32_t *used) {
    for (uint32_t i = 0; i < verb_count; i++) {
        for (*used = 1; *used <= 2 && (int)*used <= count; ++*used) {
            if (is_called(&verbs[i], words[0], *used == 2 ? words[1] : NULL)) return &verbs[i];
        }
    }
    return NULL;
}

/* "trust": the first word of several verbs. */
static bool is_group(const char *word) {
    const size_t length = strlen(word);
    for (uint32_t i = 0; i < verb_count; i++) {
        if (strncmp(verbs[i].name, word, length) == 0 && verbs[i].name[length] == ' ') return true;
    }
    return false;
}

static void print_group(FILE *out, const char *word) {
    const size_t length = strlen(word);
    (void)fprintf(out, "usage: weighlock %s VERB [OPTIONS] ...\n\n", word);
    for (uint32_t i = 0; i < verb_count; i++) {
        if (strncmp(verbs[i].name, word, length) != 0 || verbs[i].name[length] != ' ') continue;
        (void)fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(out, "\n`weighlock help %s VERB` explains a verb, with examples.\n", word);
}

static int unknown_verb(const char *word, const char *more) {
    const cli bare = {0};
    const char *known[MOST_VERBS] = {"help"};
    char name[128];
    size_t count = 1;
    wlk_error error;
    (void)snprintf(name, sizeof name, "%.60s%s%.60s", word, more ? " " : "", more ? more : "");
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

/* An error before --json or --stdin0 was reached is reported as JSON too. */
static void look_for_json(cli *c, const verb *v, const char **arguments, uint32_t count) {
    static const option_id looked_for[] = {OPTION_JSON, OPTION_STDIN0};
    for (uint32_t i = 0; i < 2 * count; i++) {
        if (strcmp(arguments[i / 2], option_rows[looked_for[i % 2]].name) != 0) continue;
        c->options.given |= v->options & OPTION_BIT(looked_for[i % 2]);
    }
}

static wlk_status check_operands(const verb *v, const option_values *options, wlk_error *error) {
    const uint32_t count = options->operand_count;
    const bool from_stdin = option_given(options, OPTION_STDIN0);
    if (from_stdin && count > 0) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--stdin0 takes the names of files from standard input alone");
    }
    if (from_stdin || (count >= v->least && count <= v->most)) return WLK_OK;
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "%u operands, where this is wanted: weighlock %s [OPTIONS] %s", count,
                      v->name, v->operands);
}

static int run_verb(const verb *v, const char **arguments, uint32_t count) {
    char child[4096];
    cli c = {.verb = v, .child_path = find_child(child, sizeof child)};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    if (options_parse(arguments, count, v->options, &c.options, &error) != WLK_OK) {
        look_for_json(&c, v, arguments, count);
        return cli_fail(&c, NULL, &error);
    }
    if (option_given(&c.options, OPTION_HELP)) {
        print_verb_help(v);
        return WLK_OK;
    }
    if (check_operands(v, &c.options, &error) != WLK_OK) return cli_fail(&c, NULL, &error);
    return v->run(&c);
}

/* "help", "help VERB", "help limits". */
static int run_help(const char *const *topic, int count) {
    uint32_t used;
    if (count == 0) {
        print_help(stdout);
        return WLK_OK;
    }
    const verb *v = find_verb(topic, count, &used);
    if (v) {
        print_verb_help(v);
    } else if (is_group(topic[0]) && count == 1) {
        print_group(stdout, topic[0]);
    } else if (strcmp(topic[0], "limits") == 0) {
        print_limits();
    } else {
        return unknown_verb(topic[0], count > 1 ? topic[1] : NULL);
    }
    return WLK_OK;
}

static int run_group(const char *const *words, int count) {
    if (count == 1) {
        print_group(stderr, words[0]);
        return WLK_USAGE;
    }
    if (strcmp(words[1], "--help") != 0 && strcmp(words[1], "-h") != 0) {
        return unknown_verb(words[0], words[1]);
    }
    print_group(stdout, words[0]);
    return WLK_OK;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return WLK_USAGE;
    }
    const char **words = (const char **)(argv + 1);
    const int count = argc - 1;
    uint32_t used;
    const verb *v = find_verb(words, count, &used);
    if (v) return run_verb(v, words + used, (uint32_t)count - used);
    if (is_group(words[0])) return run_group(words, count);
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) return run_help(NULL, 0);
    if (strcmp(words[0], "help") == 0) return run_help(words + 1, count - 1);
    if (strcmp(words[0], "--version") != 0) return unknown_verb(words[0], NULL);
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
    (void)signal(SIGCHLD, SIG_DFL); /* ignored by who started us, it would hide a child's end */
}

int main(int argc, char **argv) {
    hold_standard_descriptors();
    turn_signals_into_errors();
    return cli_finish(run(argc, argv));
}
