#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#ifndef WLK_VERSION
#define WLK_VERSION "0.1.0"
#endif

static const verb *find_verb(const char *name) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    }
    return NULL;
}

static void print_help(void) {
    (void)printf("usage: weighlock VERB [OPTIONS] ...\n\n"
                 "Opens machine-learning models that a stranger uploaded: verified, parsed by a\n"
                 "confined child, handed out as validated data.\n\n");
    for (uint32_t i = 0; i < verb_count; i++) {
        (void)printf("  %-9s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)printf("\n`weighlock VERB --help` explains a verb and shows examples.\n"
                 "Exit codes: 0 ok, 1 refused, 2 undecided, 3 unsupported, 4 usage, 5 cage,\n"
                 "6 limit, 7 trust, 8 system.\n");
}

static void print_option(const option_row *row) {
    char left[48];
    (void)snprintf(left, sizeof left, "%s%s%s%s%s", row->brief ? row->brief : "",
                   row->brief ? ", " : "", row->name, row->argument ? " " : "",
                   row->argument ? row->argument : "");
    (void)printf("  %-28s %s\n", left, row->help);
}

static void print_verb_help(const verb *v) {
    (void)printf("usage: weighlock %s [OPTIONS] %s\n\n%s\n\nOptions:\n", v->name, v->operands,
                 v->details);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (v->options >> i & 1) print_option(&option_rows[i]);
    }
    (void)printf("\nExamples:\n%s", v->examples);
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

static int run_verb(const verb *v, const char **arguments, uint32_t count) {
    char child[4096];
    cli c = {.child_path = find_child(child, sizeof child)};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    if (options_parse(arguments, count, v->options, &c.options, &error) != WLK_OK) {
        return cli_fail(&c, NULL, &error);
    }
    if (option_given(&c.options, OPTION_HELP)) {
        print_verb_help(v);
        return cli_finish(&c, WLK_OK);
    }
    if (c.options.operand_count < v->least || c.options.operand_count > v->most) {
        (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "weighlock %s [OPTIONS] %s",
                          v->name, v->operands);
        return cli_fail(&c, NULL, &error);
    }
    return cli_finish(&c, v->run(&c));
}

/* Descriptors 0 to 2 are always open, so that no file we open becomes one. */
static void hold_standard_descriptors(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2) (void)close(fd);
}

int main(int argc, char **argv) {
    hold_standard_descriptors();
    const cli bare = {0};
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return cli_finish(&bare, argc > 1 ? WLK_OK : WLK_USAGE);
    }
    if (strcmp(name, "--version") == 0) {
        (void)printf("weighlock %s\n", WLK_VERSION);
        return cli_finish(&bare, WLK_OK);
    }
    const verb *v = find_verb(name);
    if (v) return run_verb(v, (const char **)(argv + 2), (uint32_t)(argc - 2));
    wlk_error error;
    (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET, "unknown verb %s", name);
    return cli_fail(&bare, NULL, &error);
}
