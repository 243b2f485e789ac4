/* Completion at the prompt of a shell, made from the table of verbs and the rows of
 * options (completion.c); a file for each shell writes its script. What is printed
 * comes from constant tables. */
#ifndef WLK_CLI_COMPLETION_H
#define WLK_CLI_COMPLETION_H

#include "cli/cli.h"

typedef enum completion_kind {
    COMPLETE_FLAG, /* there is no value */
    COMPLETE_ANYTHING,
    COMPLETE_FILES,
    COMPLETE_FOLDERS,
    COMPLETE_CHOICES, /* "pipe|map|auto" */
    COMPLETE_LIMITS,
    COMPLETE_LAYERS
} completion_kind;

/* What completes an option's argument as its row names it, or a verb's operands. */
completion_kind completion_kind_of(const char *argument);
completion_kind completion_operands(const verb *v);

/* Print words with blanks between them: "pipe map auto"; the limits, each with this
 * suffix; the layers. */
void completion_choices(const char *argument);
void completion_limits(const char *suffix);
void completion_layers(void);

/* May the option be given more than once? */
bool completion_repeats(const option_row *row);

/* The length of the first word of a verb's name; its second word, or NULL. */
size_t completion_first(const verb *v);
const char *completion_second(const verb *v);
/* Is it the first verb of its group in the table? Are two verbs of one group? Does the
 * verb at this index bring a new first word? */
bool completion_begins_group(uint32_t index);
bool completion_same_group(const verb *a, const verb *b);
bool completion_is_first_word(uint32_t index);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
