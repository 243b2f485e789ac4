#include <stdio.h>
#include <string.h>

#include "cli/completion.h"

/* Text inside '...[...]' of a specification for _arguments. */
static void print_escaped(const char *text) {
    for (; *text; text++) {
        if (*text == '\'') {
            (void)printf("'\\''");
        } else {
            if (strchr("[]:\\", *text)) (void)putchar('\\');
            (void)putchar(*text);
        }
    }
}

static void print_action(completion_kind kind, const char *argument) {
    switch (kind) {
        case COMPLETE_FILES:
            (void)printf(":file:_files");
            break;
        case COMPLETE_FOLDERS:
            (void)printf(":folder:_files -/");
            break;
        case COMPLETE_LIMITS:
            (void)printf(":limit:compadd -S \"\" -- ");
            completion_limits("=");
            break;
        case COMPLETE_LAYERS:
            (void)printf(":layers:_values -s , layer ");
            completion_layers();
            break;
        case COMPLETE_CHOICES:
            (void)printf(":value:(");
            completion_choices(argument);
            (void)printf(")");
            break;
        case COMPLETE_ANYTHING:
            (void)printf(":value: ");
            break;
        case COMPLETE_FLAG:
            break;
    }
}

/* '(-o --output)'{-o,--output=}'[write to this file]:file:_files' */
static void print_option(const option_row *row) {
    const char *equals = row->argument ? "=" : "";
    (void)printf(" \\\n                ");
    if (completion_repeats(row)) {
        (void)printf("'*'");
    } else if (row->brief) {
        (void)printf("'(%s %s)'", row->brief, row->name);
    }
    if (row->brief) {
        (void)printf("{%s,%s%s}'[", row->brief, row->name, equals);
    } else {
        (void)printf("'%s%s[", row->name, equals);
    }
    print_escaped(row->help);
    (void)printf("]");
    print_action(completion_kind_of(row->argument), row->argument);
    (void)printf("'");
}

static void print_verb(const verb *v) {
    const completion_kind operands = completion_operands(v);
    (void)printf("        '%s')\n            _arguments -S", v->name);
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (v->options >> i & 1) print_option(&option_rows[i]);
    }
    if (operands != COMPLETE_FLAG) {
        (void)printf(" \\\n                '*");
        print_action(operands, v->operands);
        (void)printf("'");
    }
    (void)printf(" ;;\n");
}

static void print_described(const verb *v, const char *name, size_t length) {
    (void)printf(" \\\n            '%.*s:", (int)length, name);
    print_escaped(v->summary);
    (void)printf("'");
}

static void print_first_words(void) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (!completion_is_first_word(i)) continue;
        print_described(&verbs[i], verbs[i].name, completion_first(&verbs[i]));
    }
}

static void print_groups(void) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (!completion_begins_group(i)) continue;
        (void)printf("        %.*s) words_of_group=(", (int)completion_first(&verbs[i]),
                     verbs[i].name);
        for (uint32_t k = i; k < verb_count; k++) {
            const char *second = completion_second(&verbs[k]);
            if (!completion_same_group(&verbs[i], &verbs[k])) continue;
            print_described(&verbs[k], second, strlen(second));
        }
        (void)printf(") ;;\n");
    }
}

void completion_zsh(void) {
    (void)printf(
        "#compdef weighlock\n"
        "# Completion of weighlock for zsh, made by: weighlock completion zsh\n"
        "_weighlock() {\n"
        "    local verb=$words[2]\n"
        "    local -a verbs\n"
        "    verbs=(");
    print_first_words();
    (void)printf(
        " \\\n            'help:explain a verb')\n"
        "    if ((CURRENT == 2)); then _describe verb verbs; return; fi\n"
        "    if [[ $verb == help ]]; then ((CURRENT == 3)) && _describe verb verbs; "
        "return; fi\n"
        "    _weighlock_verb\n"
        "}\n"
        "_weighlock_verb() {\n"
        "    local -a words_of_group\n"
        "    case $verb in\n");
    print_groups();
    (void)printf(
        "    esac\n"
        "    if ((${#words_of_group})); then\n"
        "        if ((CURRENT == 3)); then _describe verb words_of_group; return; fi\n"
        "        verb+=\" $words[3]\"\n"
        "        shift words; ((CURRENT--))\n"
        "    fi\n"
        "    shift words; ((CURRENT--))\n"
        "    case $verb in\n");
    for (uint32_t i = 0; i < verb_count; i++) print_verb(&verbs[i]);
    (void)printf("    esac\n}\n_weighlock \"$@\"\n");
}
