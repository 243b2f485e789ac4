/* A refusal, and a stranger's text, as people and programs get to see them. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli.h"

#define ERROR_TEXT_BYTES 1024
#define PIECE_BYTES 256
#define SHORT_BYTES 200

/* The detail without the file's name, which the report begins with anyway. */
static wlk_error without_name(const char *file, const wlk_error *error) {
    wlk_error shorter = *error;
    const size_t length = file ? strlen(file) : 0;
    if (length == 0 || strncmp(error->text, file, length) != 0) return shorter;
    const char *rest = error->text + length;
    if (rest[0] != '\0' && strncmp(rest, ": ", 2) != 0) return shorter;
    rest += rest[0] ? 2 : 0;
    memmove(shorter.text, rest, strlen(rest) + 1);
    return shorter;
}

void cli_json_refusal(json_out *j, const char *file, const wlk_error *error) {
    const wlk_error e = without_name(file, error);
    if (file) json_pair_text(j, "file", file);
    json_pair_text(j, "verdict", wlk_status_name(e.status));
    json_pair_unsigned(j, "exit", (uint64_t)e.status);
    json_pair_text(j, "rule", wlk_rule_name(e.rule));
    json_key(j, "offset");
    if (e.offset == WLK_NO_OFFSET) {
        json_put_null(j);
    } else {
        json_unsigned(j, e.offset);
    }
    json_pair_text(j, "text", wlk_rule_text(e.rule));
    json_pair_text(j, "detail", e.text);
    json_pair_text(j, "hint", wlk_rule_hint(e.rule));
}

/* ---- text for people */

/* The most bytes of text, at most `most`, that do not cut a character in two. */
static size_t whole_characters(const char *text, size_t most) {
    const size_t length = strnlen(text, most + 1);
    if (length <= most) return length;
    for (size_t at = most; at + 4 > most; at--) { /* a character has at most four bytes */
        if (((uint8_t)text[at] & 0xc0) != 0x80) return at;
    }
    return most; /* that is no character */
}

/* Piece by piece, so that it needs no memory: what is printed is never less. */
static void put_safe(FILE *out, const char *text) {
    char piece[PIECE_BYTES + 1];
    while (*text) {
        const size_t length = whole_characters(text, PIECE_BYTES);
        memcpy(piece, text, length);
        piece[length] = '\0';
        utf8_make_harmless(piece);
        (void)fputs(piece, out);
        text += length;
    }
}

void cli_print_safe(const char *text) {
    put_safe(stdout, text);
}

void cli_print_short(const char *text) {
    char start[SHORT_BYTES + 1];
    const size_t length = whole_characters(text, SHORT_BYTES);
    memcpy(start, text, length);
    start[length] = '\0';
    cli_print_safe(start);
    if (text[length]) (void)fputs("...", stdout);
}

void cli_text_refusal(FILE *out, const char *file, const wlk_error *error) {
    const wlk_error e = without_name(file, error);
    char text[ERROR_TEXT_BYTES];
    (void)fputs("weighlock: ", out);
    if (file) put_safe(out, file);
    (void)fprintf(out, "%s%s\n", file ? ": " : "", wlk_error_format(&e, text, sizeof text));
}
