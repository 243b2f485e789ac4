#include "formats/sklearn/sk_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES WLK_ERROR_TEXT_BYTES
#define QUOTED_BYTES 48 /* of a text that a message shows */
#define CLASS_BYTES 64

struct sk_place {
    struct sk_place *outer;
    const char *part; /* "" where the class says enough */
    const py_value *estimator;
    bool called; /* what was entered has been called */
};

/* ---- memory */

wlk_status sk_no_memory(sk *s) {
    const wlk_rule rule = s->over_heap ? RULE_LIMIT_HEAP_BYTES : RULE_INTERNAL_MEMORY;
    return error_at(s->error, rule, WLK_NO_OFFSET);
}

void *sk_take(sk *s, uint64_t count, uint64_t size) {
    if (count > (s->limits->heap_bytes - s->taken) / size) {
        s->over_heap = true;
        return NULL;
    }
    s->taken += count * size;
    return arena_take(s->memory, count, size);
}

static char *format_list(sk *s, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));
static char *format_list(sk *s, const char *format, va_list list) {
    char text[TEXT_BYTES] = "";
    (void)vsnprintf(text, sizeof text, format, list);
    return arena_text(s->memory, text, strlen(text));
}

char *sk_format(sk *s, const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *text = format_list(s, format, list);
    va_end(list);
    return text;
}

/* ---- what a message shows */

static const char *quote_text(sk *s, const py_text *text) {
    const bool cut = text->length > QUOTED_BYTES;
    const int length = cut ? QUOTED_BYTES : (int)text->length;
    return sk_format(s, "'%.*s%s'", length, (const char *)text->data, cut ? "..." : "");
}

static const char *quote_some(sk *s, const py_value *value) {
    switch (value->kind) {
        case PY_STR:
            return quote_text(s, &value->text);
        case PY_NONE:
            return "None";
        case PY_BOOL:
            return value->boolean ? "True" : "False";
        case PY_INT:
            return sk_format(s, "%lld", (long long)value->integer);
        case PY_FLOAT:
            return sk_format(s, "%.17g", value->real);
        case PY_GLOBAL:
            return sk_format(s, "%.40s.%.60s", value->global->module, value->global->name);
        case PY_LONG:
        case PY_COMPLEX:
        case PY_BYTES:
        case PY_BYTEARRAY:
        case PY_LIST:
        case PY_TUPLE:
        case PY_DICT:
        case PY_SET:
        case PY_FROZENSET:
        case PY_OBJECT:
        case PY_DTYPE:
        case PY_ARRAY:
        case PY_OPAQUE:
        case PY_KIND_COUNT:
            break;
    }
    return sk_format(s, "of type %.60s", py_kind_name(value->kind));
}

const char *sk_quote(sk *s, const py_value *value) {
    const char *text = value ? quote_some(s, value) : "nothing";
    if (!text) s->starved = true;
    return text ? text : "?";
}

/* ---- where in the model */

static wlk_status push(sk *s, const py_value *estimator, const char *part) {
    struct sk_place *place = part ? sk_take(s, 1, sizeof *place) : NULL;
    if (!place) return sk_no_memory(s);
    if (s->depth >= s->limits->estimator_depth) {
        return sk_refuse(s, RULE_LIMIT_ESTIMATOR_DEPTH, estimator, "%llu levels",
                         (unsigned long long)s->limits->estimator_depth);
    }
    *place = (struct sk_place){s->place, part, estimator, false};
    s->place = place;
    s->depth++;
    return WLK_OK;
}

wlk_status sk_enter(sk *s, const py_value *estimator, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *part = format_list(s, format, list);
    va_end(list);
    return push(s, estimator, part);
}

wlk_status sk_enter_call(sk *s, const py_value *estimator, bool *entered) {
    *entered = !s->place || s->place->estimator != estimator || s->place->called;
    if (*entered) TRY(push(s, estimator, ""));
    s->place->called = true;
    return WLK_OK;
}

void sk_leave(sk *s) {
    s->place = s->place->outer;
    s->depth--;
}

const char *sk_place_class(const sk *s) {
    return s->place ? sk_class(s->place->estimator) : "model";
}

/* ---- refusals */

/* Parts from the outermost to the innermost: `place` and what is around it. What does not fit
 * is left out at the outer end. */
static size_t write_parts(const struct sk_place *place, char *text, size_t room) {
    size_t length = 0;
    const size_t own = strlen(place->part) + (place->part[0] ? 2 : 0);
    if (own >= room) return 0;
    if (place->outer) length = write_parts(place->outer, text, room - own);
    if (own == 0) return length;
    (void)snprintf(text + length, room - length, "%s, ", place->part);
    return length + own;
}

wlk_status sk_refuse(sk *s, wlk_rule rule, const py_value *at, const char *format, ...) {
    char detail[TEXT_BYTES] = "", where[TEXT_BYTES] = "";
    va_list list;
    va_start(list, format);
    (void)vsnprintf(detail, sizeof detail, format, list);
    va_end(list);
    const uint64_t offset = at ? at->offset : WLK_NO_OFFSET;
    if (!s->place) return error_text(s->error, rule, offset, "%s", detail);
    const char *class = sk_place_class(s);
    const size_t taken = strlen(detail) + CLASS_BYTES + 4;
    if (taken < sizeof where) (void)write_parts(s->place, where, sizeof where - taken);
    return error_text(s->error, rule, offset, "%s%.*s: %s", where, CLASS_BYTES, class, detail);
}
