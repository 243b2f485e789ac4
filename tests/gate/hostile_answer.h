/* What an honest child answers, recorded frame by frame to be spoiled: in the hostile
 * child, which then says it, and in tests that put it into a pipe themselves. Both make
 * the same answer of the same file. */
#ifndef TESTS_GATE_HOSTILE_ANSWER_H
#define TESTS_GATE_HOSTILE_ANSWER_H

#include <stdlib.h>
#include <string.h>

#include "formats/formats.h"
#include "image/records.h"
#include "wire/frame.h"

/* HELLO is not among them: it is said before the artifact is looked at. */
typedef struct sent_frame {
    frame_header header;
    const uint8_t *body;
    uint64_t length; /* of the body that is really sent */
} sent_frame;

enum { ANSWER_FRAMES = 96, ANSWER_COPIES = 64 };

typedef struct answer {
    sent_frame frames[ANSWER_FRAMES];
    unsigned count;
    uint64_t mapped_lengths[ANSWER_FRAMES]; /* bodies of frames with MAPPED */
    uint64_t cut;                   /* how many bytes of it all are sent; UINT64_MAX: all of them */
    uint8_t *copies[ANSWER_COPIES]; /* bodies that were changed */
    unsigned copy_count;
} answer;

/* What is answered about. */
typedef struct answer_source {
    const uint8_t *data;
    uint64_t bytes;      /* of it */
    uint64_t file_bytes; /* more where the rest is lazy */
    uint32_t transport;  /* wire_transport */
    bool finding;        /* a finding is made up, so that the image has records of each kind */
} answer_source;

/* The frame that carries the image; ANSWER_FRAMES if there is none. */
static inline unsigned answer_image(const answer *a) {
    unsigned i = 0;
    while (i < a->count && a->frames[i].header.type != FRAME_IMAGE) i++;
    return i < a->count ? i : ANSWER_FRAMES;
}

static inline void answer_add(answer *a, frame_type type, unsigned flags, const void *body,
                              uint64_t length, uint64_t argument) {
    if (a->count == ANSWER_FRAMES) return;
    a->frames[a->count] = (sent_frame){
        frame_make(type, (uint16_t)flags, length, 1 + a->count, argument), body, length};
    a->count++;
}

/* ---- recording */

typedef struct answer_recorder {
    answer *a;
    const answer_source *source;
} answer_recorder;

static inline wlk_status answer_begin(void *context, uint64_t length, uint64_t offset,
                                      wlk_error *error) {
    const answer_recorder *r = context;
    answer *a = r->a;
    (void)error;
    if (r->source->transport == WIRE_TRANSPORT_PIPE) {
        answer_add(a, FRAME_DATA, FRAME_RAW, r->source->data + offset, length, offset);
    } else {
        uint64_t *body = &a->mapped_lengths[a->count];
        *body = length;
        answer_add(a, FRAME_DATA, FRAME_RAW | FRAME_MAPPED, body, sizeof *body, offset);
    }
    return WLK_OK;
}

static inline wlk_status answer_append(void *context, const uint8_t *data, uint64_t length,
                                       wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

/* Fills in *a, which stays where it is and needs the source; false where the file is not
 * one, or memory is short. The image is never freed. */
static inline bool answer_record(answer *a, const answer_source *source) {
    static wlk_limits limits;
    answer_recorder recorder = {a, source};
    const image_sink sink = {&recorder, answer_begin, answer_append};
    wlk_limits_default(&limits); /* a test's own may be small */
    const format_input input = {.data = source->data,
                                .size = source->bytes,
                                .absent = source->file_bytes - source->bytes,
                                .limits = &limits};
    image_builder *builder = image_builder_new(&limits, &sink);
    uint8_t *image = NULL;
    uint64_t length = 0;
    a->count = a->copy_count = 0;
    a->cut = UINT64_MAX;
    if (builder) image_format(builder, WLK_FORMAT_WLK);
    bool made = builder && format_parse_wlk(&input, builder, NULL) == WLK_OK;
    if (made && source->finding) {
        const uint32_t evidence = image_string(builder, "evidence", 8, 0);
        made = image_finding(builder, RULE_TENSOR_SIZE, WLK_LOW, 1, 2, evidence) == WLK_OK;
    }
    made = made && image_finish(builder, source->file_bytes, &image, &length, NULL) == WLK_OK;
    image_builder_free(builder);
    answer_add(a, FRAME_IMAGE, 0, image, length, 0);
    answer_add(a, FRAME_END, 0, NULL, 0, 0);
    return made && a->count < ANSWER_FRAMES / 2;
}

/* ---- changing it */

static inline void answer_renumber(answer *a) {
    for (unsigned i = 0; i < a->count; i++) a->frames[i].header.sequence = 1 + i;
}

static inline void answer_drop(answer *a, unsigned index) {
    for (unsigned i = index; i + 1 < a->count; i++) a->frames[i] = a->frames[i + 1];
    a->count--;
    answer_renumber(a);
}

static inline void answer_insert(answer *a, unsigned index, sent_frame f) {
    if (a->count == ANSWER_FRAMES) return;
    for (unsigned i = a->count++; i > index; i--) a->frames[i] = a->frames[i - 1];
    a->frames[index] = f;
    answer_renumber(a);
}

/* A body of `length` zeros for a frame, to be written to; its header says so too. NULL:
 * no more. */
static inline uint8_t *answer_new_body(answer *a, unsigned index, uint64_t length) {
    uint8_t *body = a->copy_count < ANSWER_COPIES ? calloc(1, length + 1) : NULL;
    if (!body) return NULL;
    a->copies[a->copy_count++] = body;
    a->frames[index].body = body;
    a->frames[index].header.length = a->frames[index].length = length;
    return body;
}

/* The frame's body as a copy that can be written to; what its header says stays. */
static inline uint8_t *answer_body(answer *a, unsigned index) {
    const sent_frame before = a->frames[index];
    uint8_t *body = answer_new_body(a, index, before.length);
    if (!body) return NULL;
    a->frames[index].header = before.header;
    if (before.length) memcpy(body, before.body, before.length);
    return body;
}

/* Frees the bodies that were changed. */
static inline void answer_forget(answer *a) {
    for (unsigned i = 0; i < a->copy_count; i++) free(a->copies[i]);
    a->copy_count = 0;
}

/* ---- its image */

/* An image as it lies in a frame. */
typedef struct answer_view {
    uint8_t *image;
    uint64_t length;
    const uint32_t *counts;
    uint64_t offsets[WLK_SECTION_COUNT];
} answer_view;

/* Looks at an image; false where its counts do not fit its length. */
static inline bool answer_look(uint8_t *image, uint64_t length, answer_view *v) {
    uint64_t total;
    if (length < sizeof(image_header)) return false;
    *v = (answer_view){image, length, ((const image_header *)(const void *)image)->counts, {0}};
    return image_layout(v->counts, v->offsets, &total) && total == length;
}

/* The same of the answer's image, to be written to. */
static inline bool answer_open(answer *a, answer_view *v) {
    const unsigned at = answer_image(a);
    if (at == ANSWER_FRAMES) return false;
    uint8_t *image = answer_body(a, at);
    return image && answer_look(image, a->frames[at].length, v);
}

static inline uint8_t *answer_record_at(const answer_view *v, unsigned section, uint32_t index) {
    return v->image + v->offsets[section] + (uint64_t)index * image_record_bytes[section];
}

/* The image with one record of a section more (a copy of record `like`) or, with `like`
 * the record, one less; all that is behind it moves. */
static inline bool answer_resize(answer *a, unsigned section, uint32_t like, bool more) {
    answer_view old, new;
    const unsigned at = answer_image(a);
    if (at == ANSWER_FRAMES || !answer_open(a, &old) || like >= old.counts[section]) return false;
    image_header header = *(const image_header *)(const void *)old.image;
    uint64_t offsets[WLK_SECTION_COUNT], total;
    header.counts[section] += more ? 1 : UINT32_MAX;
    if (!image_layout(header.counts, offsets, &total)) return false;
    uint8_t *image = answer_new_body(a, at, total);
    if (!image) return false;
    memcpy(image, &header, sizeof header);
    if (!answer_look(image, total, &new)) return false;
    for (unsigned i = 0; i < WLK_SECTION_COUNT; i++) {
        const uint64_t size = image_record_bytes[i];
        const uint32_t kept = i == section ? like + (more ? 1 : 0) : old.counts[i];
        memcpy(answer_record_at(&new, i, 0), answer_record_at(&old, i, 0), kept * size);
        if (i != section) continue;
        const uint32_t from = more ? like : like + 1;
        memcpy(answer_record_at(&new, i, kept), answer_record_at(&old, i, from),
               (old.counts[i] - from) * size);
    }
    return true;
}

/* ---- saying it */

/* Puts what is sent into `room` bytes; returns how many there are of it, of which what
 * there is no room for is left out. */
static inline uint64_t answer_write(const answer *a, uint8_t *to, uint64_t room) {
    uint64_t at = 0;
    const uint64_t end = a->cut < room ? a->cut : room;
    for (unsigned i = 0; i < a->count; i++) {
        const void *const parts[2] = {&a->frames[i].header, a->frames[i].body};
        const uint64_t lengths[2] = {sizeof a->frames[i].header, a->frames[i].length};
        for (unsigned j = 0; j < 2; j++) {
            const uint64_t left = end - at;
            const uint64_t length = lengths[j] < left ? lengths[j] : left;
            if (length) memcpy(to + at, parts[j], length);
            at += length;
        }
    }
    return at;
}

#endif
