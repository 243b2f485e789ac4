/* Fills a str tensor one string after the other. */
#ifndef WLK_INFER_TEXT_WRITER_H
#define WLK_INFER_TEXT_WRITER_H

#include <string.h>

#include "base/bytes.h"
#include "infer/tensor.h"

typedef struct text_writer {
    op_tensor *out;
    uint64_t strings; /* that are complete */
    uint64_t end;     /* of the text so far */
} text_writer;

static inline text_writer text_begin(op_tensor *out) {
    store_u64(out->target, 0);
    out->nbytes = 8 * (out->count + 1);
    return (text_writer){.out = out};
}

/* Room for `length` bytes of the string that is being written. */
static inline char *text_extend(text_writer *w, uint64_t length) {
    char *at = (char *)w->out->target + 8 * (w->out->count + 1) + w->end;
    w->end += length;
    return at;
}

static inline void text_add(text_writer *w, text_span text) {
    char *to = text_extend(w, text.length);
    if (text.length > 0) memcpy(to, text.text, text.length);
}

/* The string ends here. */
static inline void text_next(text_writer *w) {
    w->strings++;
    store_u64((char *)w->out->target + 8 * w->strings, w->end);
    w->out->nbytes = 8 * (w->out->count + 1) + w->end;
}

#endif
