#include <stdio.h>
#include <string.h>

#include "cli/completion.h"

/* In '...' fish takes \\ and \' for what they stand for. */
static void print_quoted(const char *text) {
    (void)putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar('\'');
}

/* A line for the words that may follow `before`. */
static void print_word(const char *before, const char *word, size_t length, const char *summary) {
    (void)printf("complete -c weighlock -f -n '__weighlock_exactly %s' -a '%.*s' -d ", before,
                 (int)length, word);
    print_quoted(summary);
    (void)putchar('\n');
}

static void print_words(const verb *v, uint32_t index) {
    char group[32];
    const char *second = completion_second(v);
    const size_t first = completion_first(v);
    (void)snprintf(group, sizeof group, "%.*s", (int)first, v->name);
    if (completion_is_first_word(index)) {
        print_word("", v->name, first, second ? "several verbs" : v->summary);
        print_word("help", v->name, first, "explain it");
    }
    if (second) print_word(group, second, strlen(second), v->summary);
}

static void print_action(completion_kind kind, const char *argument) {
    switch (kind) {
        case COMPLETE_FILES:
            (void)printf(" -r -F");
            break;
        case COMPLETE_FOLDERS:
            (void)printf(" -x -a '(__fish_complete_directories)'");
            break;
        case COMPLETE_LIMITS:
            (void)printf(" -x -a '");
            completion_limits("=");
            (void)printf("'");
            break;
        case COMPLETE_LAYERS:
            (void)printf(" -x -a '");
            completion_layers();
            (void)printf("'");
            break;
        case COMPLETE_CHOICES:
            (void)printf(" -x -a '");
            completion_choices(argument);
            (void)printf("'");
            break;
        case COMPLETE_ANYTHING:
            (void)printf(" -x");
            break;
        case COMPLETE_FLAG:
            break;
    }
}

static void print_option(const verb *v, const option_row *row) {
    (void)printf("complete -c weighlock -n '__weighlock_verb %s'", v->name);
    if (row->brief) (void)printf(" -s %s", row->brief + 1);
    (void)printf(" -l %s -d ", row->name + 2);
    print_quoted(row->help);
    print_action(completion_kind_of(row->argument), row->argument);
    (void)putchar('\n');
}

static void print_verb(const verb *v) {
    const completion_kind operands = completion_operands(v);
    if (operands == COMPLETE_FILES) {
        (void)printf("complete -c weighlock -n '__weighlock_verb %s' -F\n", v->name);
    }
    if (operands == COMPLETE_CHOICES) {
        (void)printf("complete -c weighlock -n '__weighlock_verb %s' -a '", v->name);
        completion_choices(v->operands);
        (void)printf("'\n");
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (v->options >> i & 1) print_option(v, &option_rows[i]);
    }
}

void completion_fish(void) {
    (void)printf(
        "# Completion of weighlock for fish, made by: weighlock completion fish\n"
        "function __weighlock_exactly\n"
        "    set -l words (commandline -opc)\n"
        "    test \"$words[2..]\" = \"$argv\"\n"
        "end\n"
        "function __weighlock_verb\n"
        "    set -l words (commandline -opc)\n"
        "    set -l last (math 1 + (count $argv))\n"
        "    test (count $words) -ge $last; and test \"$words[2..$last]\" = \"$argv\"\n"
        "end\n"
        "complete -c weighlock -f\n"
        "complete -c weighlock -n '__weighlock_exactly' -l help -s h -d 'show help'\n"
        "complete -c weighlock -n '__weighlock_exactly' -l version -d 'show the version'\n"
        "complete -c weighlock -n '__weighlock_exactly' -a help -d 'explain a verb'\n"
        "complete -c weighlock -n '__weighlock_exactly help' -a limits -d 'list limits'\n");
    for (uint32_t i = 0; i < verb_count; i++) print_words(&verbs[i], i);
    for (uint32_t i = 0; i < verb_count; i++) print_verb(&verbs[i]);
}
