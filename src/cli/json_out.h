/* A JSON writer that holds nothing: what a model says goes to the stream as it is
 * read, so a large or hostile model costs no memory. ASCII only: every control,
 * formatting and other character beyond it is written as \uXXXX. */
#ifndef WLK_CLI_JSON_OUT_H
#define WLK_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct json_out {
    FILE *stream;
    unsigned depth;
    unsigned flat; /* depth from which on everything stands in one line; 0: all of it */
    bool follows;  /* a value stands before the next one on this level */
    bool keyed;    /* a key was written whose value comes next */
} json_out;

/* How a list or map is laid out: one entry a line, or all in one line. */
typedef enum json_layout { JSON_LINES, JSON_FLAT } json_layout;

/* A writer whose outermost value is laid out as said. The line's end is the
 * caller's. */
json_out json_out_to(FILE *stream, json_layout layout);

void json_begin_map(json_out *j, json_layout layout);
void json_end_map(json_out *j);
void json_begin_list(json_out *j, json_layout layout);
void json_end_list(json_out *j);

/* In a map, before each value. */
void json_key(json_out *j, const char *key);
/* The same for any bytes; what is not UTF-8 becomes U+FFFD. */
void json_key_of(json_out *j, const char *key, uint64_t length);
/* The same for a part of a JSON Pointer, in which ~0 and ~1 stand for ~ and /. */
void json_key_token(json_out *j, const char *token);

void json_text(json_out *j, const char *text);
/* Any bytes; what is not UTF-8 becomes U+FFFD. */
void json_text_of(json_out *j, const char *text, uint64_t length);
void json_unsigned(json_out *j, uint64_t value);
void json_signed(json_out *j, int64_t value);
/* 17 significant digits; "nan", "inf", "-inf" as text, for which JSON has no numbers. */
void json_float(json_out *j, double value);
void json_bool(json_out *j, bool value);
void json_put_null(json_out *j);

/* A key and its value. */
void json_pair_text(json_out *j, const char *key, const char *text);
void json_pair_unsigned(json_out *j, const char *key, uint64_t value);

#endif
