/* Models that a captured child makes up: answers that are not what the file says, most
 * of them well-formed. For the sample of two tensors of 16 bytes, `a` at the start of the data and
 * `b` 64 bytes behind it. */
#ifndef TESTS_GATE_HOSTILE_FORGE_H
#define TESTS_GATE_HOSTILE_FORGE_H

#include "base/envelope.h"
#include "gate/hostile_answer.h"
#include "gate/hostile_cases.h"

typedef struct forge {
    image_builder *b;
    const answer_source *file;
    uint64_t data_at;
    enum hostile_forgery what;
} forge;

static inline uint32_t forge_string(const forge *f, const char *text) {
    return image_string(f->b, text, strlen(text), 0);
}

/* The name as it should be, or one that a terminal would obey. */
static inline uint32_t forge_name(const forge *f, const char *name, const char *hostile) {
    return forge_string(f, f->what == FORGE_hostile_text ? hostile : name);
}

static inline void forge_tensor(const forge *f, uint32_t name, wlk_dtype dtype, uint32_t rank,
                                const uint64_t *shape, uint64_t at, uint64_t nbytes) {
    const image_tensor_spec spec = {.name = name,
                                    .dtype = dtype,
                                    .rank = rank,
                                    .shape = shape,
                                    .block = IMAGE_NONE,
                                    .data = f->file->data + f->data_at + at,
                                    .nbytes = nbytes,
                                    .file_offset = f->data_at + at};
    (void)image_tensor(f->b, &spec);
}

static inline void forge_tensors(const forge *f) {
    static const uint64_t vector[1] = {4}, matrix[2] = {2, 2}, pair[1] = {2};
    const uint32_t a = forge_name(f, "a",
                                  "\x1b]0;owned\x07"
                                  "a");
    const uint32_t b = forge_name(f, "b",
                                  "b\xe2\x80\xae\xc2\x9b"
                                  "31m\n\r\x08\x7f");
    if (f->what == FORGE_other_dtype) {
        forge_tensor(f, a, WLK_I32, 1, vector, 0, 16);
    } else if (f->what == FORGE_other_shape) {
        forge_tensor(f, a, WLK_F32, 2, matrix, 0, 16);
    } else if (f->what == FORGE_middle) {
        forge_tensor(f, a, WLK_F32, 1, pair, 4, 8);
    } else {
        forge_tensor(f, a, WLK_F32, 1, vector, 0, 16);
    }
    if (f->what == FORGE_left_out) return;
    forge_tensor(f, b, WLK_F32, 1, vector, f->what == FORGE_same_bytes ? 0 : 64, 16);
}

static inline void forge_span(const forge *f, wlk_span_kind kind, uint64_t from, uint64_t to,
                              uint32_t tensor) {
    if (to > from) (void)image_span(f->b, kind, from, to - from, tensor);
}

/* Tensor a's range. */
static inline void forge_first_span(const forge *f, uint64_t from, uint64_t to) {
    if (f->what == FORGE_called_padding) {
        forge_span(f, WLK_SPAN_PADDING, from, to, IMAGE_NONE);
    } else if (f->what == FORGE_in_two_ranges) {
        forge_span(f, WLK_SPAN_PAYLOAD, from, from + 8, 0);
        forge_span(f, WLK_SPAN_PADDING, from + 8, to, IMAGE_NONE);
    } else if (f->what == FORGE_outside) { /* what lies there is longer than that */
        forge_span(f, WLK_SPAN_PAYLOAD, from, to - 1, 0);
        forge_span(f, WLK_SPAN_UNCLAIMED, to - 1, to, IMAGE_NONE);
    } else {
        forge_span(f, WLK_SPAN_PAYLOAD, from, to, f->what == FORGE_of_another ? 1 : 0);
    }
}

/* The byte map: what lies before the data is the child's to name. */
static inline void forge_spans(const forge *f) {
    const uint64_t data = f->data_at, end = f->file->file_bytes;
    const uint64_t first = data + (f->what == FORGE_middle ? 4 : 0);
    const uint64_t first_end = first + (f->what == FORGE_middle ? 8 : 16);
    const bool one = f->what == FORGE_left_out || f->what == FORGE_same_bytes;
    const bool odd = f->what == FORGE_map_kinds;
    const wlk_span_kind rest = odd ? WLK_SPAN_UNCLAIMED : WLK_SPAN_PADDING;
    forge_span(f, odd ? WLK_SPAN_DIGESTS : WLK_SPAN_HEADER, 0, data, IMAGE_NONE);
    forge_span(f, rest, data, first, IMAGE_NONE);
    forge_first_span(f, first, first_end);
    forge_span(f, rest, first_end, one ? end : data + 64, IMAGE_NONE);
    if (!one) forge_span(f, WLK_SPAN_PAYLOAD, data + 64, end, 1);
}

static inline void forge_graph(const forge *f) {
    const type_record type = {.kind = WLK_TYPE_TENSOR,
                              .dtype = WLK_F32,
                              .has_shape = 1,
                              .element = IMAGE_NONE,
                              .rank = 1,
                              .dims = {WLK_UNKNOWN_DIM},
                              .symbols = {forge_name(f, "n", "\x1b[7mn")}};
    const uint32_t domain = forge_name(f, "", "org.\x1b[1mexample");
    const uint64_t text = forge_string(f, "\x1b[3J\xe2\x80\xa8");
    const uint32_t in =
        image_value(f->b, forge_name(f, "x", "x\x1b[5m"), image_type(f->b, &type, 0), 0);
    const uint32_t out = image_value(f->b, forge_name(f, "y", "y\xe2\x81\xa6"), IMAGE_NONE, 0);
    (void)image_opset(f->b, domain, 13, 0);
    (void)image_graph(f->b, forge_name(f, "", "main\x1b[0m"), 0);
    (void)image_graph_input(f->b, in);
    (void)image_graph_output(f->b, out);
    (void)image_node(f->b, forge_name(f, f->what == FORGE_graph ? "Mul" : "Add", "Ad\x1b[31md"),
                     domain, forge_name(f, "", "node\xe2\x80\x8f"), 0);
    (void)image_node_input(f->b, in);
    (void)image_node_input(f->b, EDGE_TENSOR | 0);
    (void)image_node_output(f->b, out);
    if (f->what != FORGE_hostile_text) return;
    (void)image_attribute(f->b, forge_string(f, "attr\x1b[4m"), WLK_ATTR_STRING, &text, 1, 0);
}

static inline void forge_metadata(const forge *f) {
    const char *const kind = f->what == FORGE_metadata ? "approved" : "model";
    (void)image_meta(f->b, forge_string(f, "/kind"), WLK_META_STRING,
                     forge_name(f, kind, "model\x1b[2J\x1b[H"), 0);
    if (f->what != FORGE_hostile_text) return;
    (void)image_meta(f->b, forge_string(f, "/metadata"), WLK_META_MAP, 1, 0);
    (void)image_meta(f->b, forge_string(f, "/metadata/\x1b]8;;http:\x1b\\"), WLK_META_STRING,
                     forge_string(f, "a\x1b[31m\xe2\x80\xaetxt.exe\r\nweighlock: good"), 0);
}

static inline void forge_golden_rows(const forge *f) {
    static const uint32_t rows[1] = {0};
    if (f->what == FORGE_golden_rows) (void)image_selftest(f->b, rows, 1, rows, 1, 1e30, 1e30, 0);
}

/* A finding is never the parent's own: none, or one that is made up. */
static inline void forge_findings(const forge *f) {
    if (f->what != FORGE_finding && f->what != FORGE_hostile_text) return;
    const uint32_t evidence =
        forge_name(f, "made up", "\x1b]0;evidence\x07\xe2\x80\xae\xc2\x85\r\n\x1b[2K");
    (void)image_finding(f->b, RULE_HEADER_TRAILING, WLK_HIGH, 0, f->file->file_bytes, evidence);
}

/* Fills in the answer with the forged model; false where that cannot be. */
static inline bool forge_answer(answer *a, const answer_source *file, enum hostile_forgery what) {
    static wlk_limits limits;
    envelope e;
    uint8_t *image;
    uint64_t length;
    answer_recorder recorder = {a, file};
    const image_sink sink = {&recorder, answer_begin, answer_append};
    wlk_limits_default(&limits);
    if (envelope_decode(file->data, file->file_bytes, &e, NULL) != WLK_OK) return false;
    const forge f = {image_builder_new(&limits, &sink), file, e.data_off, what};
    if (!f.b) return false;
    a->count = 0;
    image_format(f.b, WLK_FORMAT_WLK);
    forge_tensors(&f);
    forge_spans(&f);
    forge_graph(&f);
    forge_metadata(&f);
    forge_golden_rows(&f);
    forge_findings(&f);
    if (image_finish(f.b, file->file_bytes, &image, &length, NULL) != WLK_OK) return false;
    answer_add(a, FRAME_IMAGE, 0, image, length, 0);
    answer_add(a, FRAME_END, 0, NULL, 0, 0);
    return true;
}

/* An image of that many tensors without bytes, and nothing else but their names; the
 * file is one unclaimed range. */
static inline bool forge_empty_tensors(answer *a, const answer_source *file, uint32_t tensors) {
    enum { NAME = 9 }; /* "00000001" and a NUL */
    image_header header = {IMAGE_MAGIC, IMAGE_VERSION, WLK_FORMAT_WLK, file->file_bytes, {0}};
    uint64_t offsets[WLK_SECTION_COUNT], total;
    answer_view v;
    header.counts[WLK_SECTION_STRINGS] = tensors + 1;
    header.counts[WLK_SECTION_TENSORS] = tensors;
    header.counts[WLK_SECTION_TEXT] = 1 + tensors * NAME;
    header.counts[WLK_SECTION_SPANS] = 1;
    if (!image_layout(header.counts, offsets, &total)) return false;
    a->count = 0;
    answer_add(a, FRAME_IMAGE, 0, NULL, 0, 0);
    uint8_t *image = answer_new_body(a, 0, total);
    if (!image) return false;
    memcpy(image, &header, sizeof header);
    if (!answer_look(image, total, &v)) return false;
    string_record *strings = (void *)answer_record_at(&v, WLK_SECTION_STRINGS, 0);
    tensor_record *records = (void *)answer_record_at(&v, WLK_SECTION_TENSORS, 0);
    for (uint32_t i = 0; i < tensors; i++) {
        uint8_t *text = answer_record_at(&v, WLK_SECTION_TEXT, 1 + i * NAME);
        for (uint32_t at = NAME - 1, left = i; at-- > 0; left /= 10) {
            text[at] = (uint8_t)('0' + left % 10);
        }
        strings[i + 1] = (string_record){1 + i * NAME, NAME - 1};
        records[i] = (tensor_record){
            .name = i + 1, .dtype = WLK_F32, .rank = 1, .block = IMAGE_NONE, .buffer = IMAGE_NONE};
    }
    const span_record all = {0, file->file_bytes, WLK_SPAN_UNCLAIMED, IMAGE_NONE};
    memcpy(answer_record_at(&v, WLK_SECTION_SPANS, 0), &all, sizeof all);
    answer_add(a, FRAME_END, 0, NULL, 0, 0);
    return true;
}

#endif
