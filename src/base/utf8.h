/* UTF-8: strict validation (Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF) and text made safe for a terminal. */
#ifndef WLK_BASE_UTF8_H
#define WLK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is text[0..length) valid UTF-8 without U+0000? */
bool utf8_valid(const uint8_t *text, size_t length);

/* Is text[0..length) valid UTF-8, U+0000 allowed? For payloads of str tensors. */
bool utf8_valid_payload(const uint8_t *text, size_t length);

/* Writes a character to out and returns its length, 1 to 4; 0 if it is none: a surrogate, or
 * above U+10FFFF. */
uint32_t utf8_encode(uint32_t code, uint8_t out[4]);

/* Replaces in place every byte of what is not valid UTF-8, and every control,
 * escape, line separator and bidirectional formatting character, by '?'. */
void utf8_make_harmless(char *text);

#endif
