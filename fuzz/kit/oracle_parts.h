/* The parts of oracle_model, and what they share. */
#ifndef WEIGHLOCK_FUZZ_ORACLE_PARTS_H
#define WEIGHLOCK_FUZZ_ORACLE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weighlock/model.h>

/* The length of the character at text[0..left), left > 0, in UTF-8 (RFC 3629), and its code
 * point; 0 if there is none. Written apart from src/base/utf8.c, which it checks. */
size_t oracle_character(const uint8_t *text, size_t left, uint32_t *code);
/* Is all of this UTF-8? */
bool oracle_utf8(const uint8_t *text, size_t length);
/* A string of a model: UTF-8 that ends. */
void oracle_text(const char *text);
/* Reads memory, so that a sanitizer sees it. */
void oracle_read(const void *data, uint64_t size);

void oracle_tensor(const wlk_tensor *tensor);
void oracle_graphs(const wlk_model *model);
void oracle_metadata(const wlk_model *model);

#endif
