/* What single characters of a regular expression's pattern mean: escapes, and sets that
 * have a name. Patterns are UTF-8 that ends in a zero; *at moves behind what was read. */
#ifndef WLK_INFER_REGEX_CHARACTERS_H
#define WLK_INFER_REGEX_CHARACTERS_H

#include <stdbool.h>
#include <stdint.h>

#define REGEX_LAST_CHARACTER 0x10FFFF

/* The character at *at, where the pattern does not end. */
uint32_t regex_take_utf8(const char **at);

/* Behind a backslash, where it is no set and no place: the character that is meant.
 * Returns NULL, or what is wrong with it. */
const char *regex_take_escaped(const char **at, uint32_t *out);

/* Sets: low and high of each range, ascending; NULL if there is no such set. */

/* d, W ...: the letter of an escape; *negated if it is a capital. */
const char *regex_escape_set(char letter, bool *negated);

/* [:alpha:], [:^alpha:] ..., of which *at is at the bracket. */
const char *regex_take_posix_set(const char **at, bool *negated);

#endif
