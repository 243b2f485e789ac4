#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

/* ---- what can stand where */

completion_kind completion_kind_of(const char *argument) {
    static const struct {
        const char *argument;
        completion_kind kind;
    } known[] = {{"DIR", COMPLETE_FOLDERS},      {"FILE", COMPLETE_FILES},
                 {"LIST", COMPLETE_FILES},       {"SECRET", COMPLETE_FILES},
                 {"LAYER,...", COMPLETE_LAYERS}, {"NAME=VALUE", COMPLETE_LIMITS}};
    if (!argument) return COMPLETE_FLAG;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(argument, known[i].argument) == 0) return known[i].kind;
    }
    const bool choices = strchr(argument, '|') && argument[0] >= 'a' && argument[0] <= 'z';
    return choices ? COMPLETE_CHOICES : COMPLETE_ANYTHING;
}

completion_kind completion_operands(const verb *v) {
    static const char *const files[] = {"FILE", "MODEL", "SPEC.json", "KEY.pub"};
    if (v->operands[0] == '\0') return COMPLETE_FLAG;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strncmp(v->operands, files[i], strlen(files[i])) == 0) return COMPLETE_FILES;
    }
    return completion_kind_of(v->operands);
}

void completion_choices(const char *argument) {
    for (; *argument; argument++) (void)putchar(*argument == '|' ? ' ' : *argument);
}

void completion_limits(const char *suffix) {
    wlk_limit_row row;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        (void)printf("%s%s%s", i ? " " : "", row.name, suffix);
    }
}

void completion_layers(void) {
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        (void)printf("%s%s", i ? " " : "", wlk_layer_name(i));
    }
}

bool completion_repeats(const option_row *row) {
    return strstr(row->help, "may be repeated") != NULL;
}

/* ---- words of a verb's name */

size_t completion_first(const verb *v) {
    return strcspn(v->name, " ");
}

const char *completion_second(const verb *v) {
    const size_t first = completion_first(v);
    return v->name[first] ? v->name + first + 1 : NULL;
}

/* Verbs of one group stand together or apart: the first of them stands for it. */
bool completion_begins_group(uint32_t index) {
    const size_t length = completion_first(&verbs[index]) + 1;
    if (!completion_second(&verbs[index])) return false;
    for (uint32_t i = 0; i < index; i++) {
        if (strncmp(verbs[i].name, verbs[index].name, length) == 0) return false;
    }
    return true;
}

bool completion_same_group(const verb *a, const verb *b) {
    return completion_second(b) && strncmp(a->name, b->name, completion_first(a) + 1) == 0;
}

bool completion_is_first_word(uint32_t index) {
    return !completion_second(&verbs[index]) || completion_begins_group(index);
}

/* ---- the verb */

int verb_completion(const cli *c) {
    static const struct {
        const char *shell;
        void (*print)(void);
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    const char *wanted = c->options.operands[0];
    wlk_error error;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(wanted, shells[i].shell) != 0) continue;
        shells[i].print();
        return WLK_OK;
    }
    (void)!error_text(&error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                      "completion %.100s: it is one of bash|zsh|fish", wanted);
    return cli_fail(c, NULL, &error);
}
