/* What must hold of text that people see, whatever a stranger wrote into it. */
#ifndef WEIGHLOCK_FUZZ_HARMLESS_H
#define WEIGHLOCK_FUZZ_HARMLESS_H

#include <jansson.h>
#include <stddef.h>

/* UTF-8 without control, escape, line separating, bidirectional and tag characters. */
void check_harmless(const char *text, size_t size);

/* So many such lines, each with its end, and nothing behind them. */
void check_harmless_lines(const char *text, size_t size, size_t lines);

/* JSON in one line of printable ASCII, without its end; what it says is the caller's. */
json_t *check_json_line(const char *text, size_t size);

/* Does a JSON string give text[0..size) back, or, of what is no UTF-8, one character for each
 * byte? */
void check_json_text(const json_t *value, const char *text, size_t size);

#endif
