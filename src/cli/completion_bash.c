#include <stdio.h>

#include "cli/completion.h"

/* The first words of all verbs, and "help". */
static void print_first_words(void) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (!completion_is_first_word(i)) continue;
        (void)printf("%.*s ", (int)completion_first(&verbs[i]), verbs[i].name);
    }
    (void)printf("help");
}

/* "trust" asks for its second word. */
static void print_groups(void) {
    for (uint32_t i = 0; i < verb_count; i++) {
        if (!completion_begins_group(i)) continue;
        (void)printf("        %.*s) words='", (int)completion_first(&verbs[i]), verbs[i].name);
        for (uint32_t k = i; k < verb_count; k++) {
            if (!completion_same_group(&verbs[i], &verbs[k])) continue;
            (void)printf("%s%s", k > i ? " " : "", completion_second(&verbs[k]));
        }
        (void)printf("' ;;\n");
    }
}

static void print_options(const verb *v) {
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!(v->options >> i & 1)) continue;
        (void)printf(" %s%s%s", option_rows[i].name, option_rows[i].brief ? " " : "",
                     option_rows[i].brief ? option_rows[i].brief : "");
    }
}

static void print_operands(const verb *v) {
    const completion_kind kind = completion_operands(v);
    if (kind == COMPLETE_FILES) (void)printf("operands=files");
    if (kind != COMPLETE_CHOICES) return;
    (void)printf("operands='");
    completion_choices(v->operands);
    (void)printf("'");
}

static void print_verbs(void) {
    for (uint32_t i = 0; i < verb_count; i++) {
        (void)printf("        '%s') options='", verbs[i].name);
        print_options(&verbs[i]);
        (void)printf("' ");
        print_operands(&verbs[i]);
        (void)printf(" ;;\n");
    }
}

/* What stands behind an option that takes a value. */
static void print_value(const option_row *row) {
    (void)printf("        %s%s%s) ", row->brief ? row->brief : "", row->brief ? "|" : "",
                 row->name);
    switch (completion_kind_of(row->argument)) {
        case COMPLETE_FILES:
            (void)printf("_weighlock_files -f");
            break;
        case COMPLETE_FOLDERS:
            (void)printf("_weighlock_files -d");
            break;
        case COMPLETE_LIMITS:
            (void)printf("compopt -o nospace 2>/dev/null; _weighlock_words '");
            completion_limits("=");
            (void)printf("'");
            break;
        case COMPLETE_LAYERS:
            (void)printf("_weighlock_words '");
            completion_layers();
            (void)printf("'");
            break;
        case COMPLETE_CHOICES:
            (void)printf("_weighlock_words '");
            completion_choices(row->argument);
            (void)printf("'");
            break;
        case COMPLETE_FLAG:
        case COMPLETE_ANYTHING:
            (void)printf(":");
            break;
    }
    (void)printf("; return ;;\n");
}

static void print_values(void) {
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (option_rows[i].argument) print_value(&option_rows[i]);
    }
}

void completion_bash(void) {
    (void)printf(
        "# Completion of weighlock for bash, made by: weighlock completion bash\n"
        "_weighlock_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
        "_weighlock_files() {\n"
        "    compopt -o filenames 2>/dev/null\n"
        "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
        "}\n"
        "_weighlock() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local verb=${COMP_WORDS[1]} options= operands= words= i\n"
        "    COMPREPLY=()\n"
        "    # Readline takes the = of --option=value for a word of its own.\n"
        "    if [[ $cur == = ]]; then cur=\n"
        "    elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
        "    if ((COMP_CWORD == 1)); then\n"
        "        _weighlock_words '--help --version ");
    print_first_words();
    (void)printf("'\n        return\n    fi\n    case $verb in\n        help) words='limits ");
    print_first_words();
    (void)printf("' ;;\n");
    print_groups();
    (void)printf(
        "    esac\n"
        "    if [[ $words ]]; then\n"
        "        if ((COMP_CWORD == 2)); then _weighlock_words \"$words\"; return; fi\n"
        "        verb+=\" ${COMP_WORDS[2]}\"\n"
        "    fi\n"
        "    case $verb in\n");
    print_verbs();
    (void)printf(
        "    esac\n"
        "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
        "        if [[ ${COMP_WORDS[i]} == -- ]]; then options= previous=; fi\n"
        "    done\n"
        "    [[ \" $options \" == *\" $previous \"* ]] && case $previous in\n");
    print_values();
    (void)printf(
        "    esac\n"
        "    if [[ $options && $cur == -* ]]; then _weighlock_words \"$options\"\n"
        "    elif [[ $operands == files ]]; then _weighlock_files -f\n"
        "    else _weighlock_words \"$operands\"; fi\n"
        "}\n"
        "complete -F _weighlock weighlock\n");
}
