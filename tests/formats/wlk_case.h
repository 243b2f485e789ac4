/* What the .wlk tests share: a header in the notation of support/wlk_text.h and
 * its data go in, a model or an error comes out, by the parser, the builder and
 * the validator as they are used in production. */
#ifndef TESTS_FORMATS_WLK_CASE_H
#define TESTS_FORMATS_WLK_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/formats.h"
#include "image/memory_sink.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"

typedef struct wlk_case {
    uint8_t *file;
    size_t size;
    wlk_limits limits;
    wlk_model *model;
    wlk_status status;
    wlk_error error;
    bool refused_by_parser; /* and not by the builder's end or the validator */
} wlk_case;

/* Parses c->file under c->limits. */
static inline void wlk_case_parse(wlk_case *c) {
    const format_row *format = format_find(1);
    memory_sink *sink = memory_sink_new(&c->limits);
    const image_sink interface = memory_sink_interface(sink);
    image_builder *builder = image_builder_new(&c->limits, &interface);
    assert_non_null(builder);
    const format_input input = {.data = c->file, .size = c->size, .limits = &c->limits};
    c->error = (wlk_error){.status = WLK_OK};
    c->model = NULL;
    c->status = format->parse(&input, builder, &c->error);
    c->refused_by_parser = c->status != WLK_OK;
    if (c->status == WLK_OK) {
        c->status = image_build_model(builder, sink, c->size, &c->limits, &c->model, &c->error);
    }
    image_builder_free(builder);
    memory_sink_free(sink);
}

/* A file of this header, as bytes, and this data; standard limits. */
static inline wlk_case wlk_case_of(const uint8_t *header, size_t header_size, const void *data,
                                   size_t data_size) {
    wlk_case c = {.model = NULL};
    wlk_limits_default(&c.limits);
    wlk_file_build(header, header_size, data, data_size, &c.file, &c.size);
    return c;
}

/* The same from a header in the notation. *mark becomes the mark's offset in the
 * file; NULL is allowed. */
static inline wlk_case wlk_case_text(const char *text, const void *data, size_t data_size,
                                     uint64_t *mark) {
    size_t at;
    wlk_buffer header = wlk_text_encode(text, &at);
    const wlk_case c = wlk_case_of(header.data, header.size, data, data_size);
    free(header.data);
    if (mark) *mark = at == WLK_TEXT_NO_MARK ? WLK_NO_OFFSET : ENVELOPE_BYTES + at;
    return c;
}

static inline void wlk_case_free(wlk_case *c) {
    wlk_model_free(c->model);
    free(c->file);
    c->model = NULL;
    c->file = NULL;
}

static inline void wlk_case_show(const wlk_case *c, const char *what) {
    char text[512];
    print_error("%s: %s, %s\n", what, wlk_rule_name(c->error.rule),
                c->status == WLK_OK ? "accepted" : wlk_error_format(&c->error, text, sizeof text));
}

/* The whole refusal: verdict, rule and offset. */
static inline bool wlk_case_refused(const wlk_case *c, const char *rule, wlk_status status,
                                    uint64_t offset) {
    return c->status == status && c->error.status == status && c->error.offset == offset &&
           strcmp(wlk_rule_name(c->error.rule), rule) == 0;
}

/* `text` with the first occurrence of `from` replaced; malloc'ed. */
static inline char *wlk_case_replace(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (!at) {
        print_error("not in the header: %s\n", from);
        fail();
    }
    wlk_buffer out = {0};
    wlk_buffer_add(&out, text, (size_t)(at - text));
    wlk_buffer_add(&out, to, strlen(to));
    wlk_buffer_add(&out, at + strlen(from), strlen(at + strlen(from)) + 1);
    return (char *)out.data;
}

#endif
