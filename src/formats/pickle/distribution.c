#include "formats/pickle/distribution.h"

#include <string.h>

/* What scipy executes. \1 stands for names, each with ", " behind it, of the distribution's own
 * arguments; \2 and \3 for those that all distributions of its kind have. */
static const char parser[] =
    "\ndef _parse_args(self, \1 \2):\n    return (\1), \3\n"
    "\ndef _parse_args_rvs(self, \1 \2, size=None):\n"
    "    return self._argcheck_rvs(\1 \3, size=size)\n"
    "\ndef _parse_args_stats(self, \1 \2, moments='mv'):\n    return (\1), \3, moments\n";

static const char *const kinds[][2] = {{"loc=0, scale=1", "loc, scale"}, {"loc=0", "loc, 1"}};

static bool eat(py_text *text, const void *expected, uint64_t length) {
    if (text->length < length || memcmp(text->data, expected, length) != 0) return false;
    text->data += length;
    text->length -= length;
    return true;
}

static bool eat_word(py_text *text, const char *expected) {
    return eat(text, expected, strlen(expected));
}

/* ASCII letters, digits (not as the first one) and _: no locale has a say in it. */
static uint64_t name_length(py_text text) {
    uint64_t i = 0;
    for (; i < text.length; i++) {
        const uint8_t c = text.data[i];
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        const bool digit = i > 0 && c >= '0' && c <= '9';
        if (!letter && !digit && c != '_') break;
    }
    return i;
}

/* The names, each with ", " behind it, that the text begins with. */
static py_text names_of(py_text text) {
    py_text rest = text;
    py_text names = {text.data, 0};
    for (;;) {
        const uint64_t length = name_length(rest);
        rest.data += length;
        rest.length -= length;
        if (length == 0 || !eat_word(&rest, ", ")) return names;
        names.length = text.length - rest.length;
    }
}

static bool is_parser_of(py_text text, const char *const kind[2]) {
    py_text names = {text.data, 0};
    const char *first = strchr(parser, '\1');
    if (text.length < (uint64_t)(first - parser)) return false;
    names.data += first - parser;
    names.length = text.length - (uint64_t)(first - parser);
    names = names_of(names);
    for (const char *p = parser; *p; p++) {
        const bool fits = *p == '\1'   ? eat(&text, names.data, names.length)
                          : *p == '\2' ? eat_word(&text, kind[0])
                          : *p == '\3' ? eat_word(&text, kind[1])
                                       : eat(&text, p, 1);
        if (!fits) return false;
    }
    return text.length == 0;
}

static bool is_parser(const py_value *value) {
    return value->kind == PY_STR &&
           (is_parser_of(value->text, kinds[0]) || is_parser_of(value->text, kinds[1]));
}

/* Nothing that can be called stands where a method would be. */
static bool is_plain(const py_value *value) {
    return value->kind <= PY_STR || value->kind == PY_TUPLE || value->kind == PY_DICT;
}

static bool is_attribute(const py_value *key, const py_value *value) {
    if (key->kind != PY_STR) return false;
    if (py_is_text(key, "_parse_arg_template")) return is_parser(value);
    if (py_is_text(key, "_random_state") || py_is_text(key, "vecentropy")) {
        return value->kind == PY_OPAQUE || value->kind == PY_NONE;
    }
    return is_plain(value);
}

/* Before scipy 1.6. What is newer first takes it for pairs of attributes and values, of which
 * none shall be the text that is executed. */
static bool is_old_state(const py_value *state) {
    if (state->kind != PY_TUPLE || state->items.count != 2) return false;
    const py_value *options = state->items.list[0], *random = state->items.list[1];
    return options->kind == PY_DICT && !py_get(options, "_parse_arg_template") &&
           (random->kind == PY_OPAQUE || random->kind == PY_NONE);
}

bool distribution_is_state(const py_value *state) {
    if (state->kind != PY_DICT) return is_old_state(state);
    for (uint32_t i = 0; i < state->items.count; i += 2) {
        if (!is_attribute(state->items.list[i], state->items.list[i + 1])) return false;
    }
    return true;
}
