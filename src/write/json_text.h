/* JSON (RFC 8259) as metadata can hold it: what an operator gives as a new value. */
#ifndef WLK_WRITE_JSON_TEXT_H
#define WLK_WRITE_JSON_TEXT_H

#include "write/meta_node.h"

/* Reads one value, UTF-8 and nothing behind it but blanks. Numbers without a fraction or
 * an exponent are integers from -2^63 to 2^64 - 1; all others are floats and finite.
 * Text holds no U+0000. Lists and maps nest at most HEADER_MAX_DEPTH deep. write.json
 * says at which byte; a key that stands twice is found by meta_node_to_model. *value is
 * the caller's. */
wlk_status json_text_read(const char *text, uint64_t length, meta_node **value, wlk_error *error);

#endif
