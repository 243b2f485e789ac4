/* Random changes to an answer, the same for the same seed: what a captured child might
 * say that nobody has thought of. They know frames, fields and records, so that most of
 * them come far before they are caught. */
#ifndef TESTS_GATE_HOSTILE_MUTATE_H
#define TESTS_GATE_HOSTILE_MUTATE_H

#include "gate/hostile_fields.h"

/* splitmix64 */
static inline uint64_t mutate_next(uint64_t *random) {
    uint64_t z = *random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* 0 for a bound of 0. */
static inline uint64_t mutate_below(uint64_t *random, uint64_t bound) {
    const uint64_t number = mutate_next(random);
    return bound ? number % bound : 0;
}

/* A number that is like `now`, or one at which something changes. */
static inline uint64_t mutate_number(uint64_t *random, uint64_t now) {
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     8,
                                     63,
                                     64,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     4096,
                                     0xffff,
                                     0x10000,
                                     INT32_MAX,
                                     UINT32_MAX,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     EDGE_TENSOR,
                                     UINT32_MAX - 1,
                                     UINT64_MAX - 63,
                                     (uint64_t)1 << 40};
    switch (mutate_below(random, 6)) {
        case 0:
            return now + 1;
        case 1:
            return now - 1;
        case 2:
            return now ^ (uint64_t)1 << mutate_below(random, 64);
        case 3:
            return mutate_below(random, 48);
        default:
            return edges[mutate_below(random, sizeof edges / sizeof *edges)];
    }
}

/* ---- bytes */

static inline void mutate_bytes(uint8_t *bytes, uint64_t length, uint64_t *random) {
    const uint64_t at = mutate_below(random, length);
    const uint64_t size = (uint64_t)1 << mutate_below(random, 4);
    uint64_t word = 0;
    if (length == 0) return;
    switch (mutate_below(random, 4)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << mutate_below(random, 8));
            break;
        case 1:
            bytes[at] = (uint8_t)mutate_next(random);
            break;
        case 2:
            if (size > length) break;
            memcpy(&word, bytes + at / size * size % (length - size + 1), size);
            word = mutate_number(random, word);
            memcpy(bytes + at / size * size % (length - size + 1), &word, size);
            break;
        default:
            if (size > length) break;
            memmove(bytes + at % (length - size + 1),
                    bytes + mutate_below(random, length - size + 1), size);
            break;
    }
}

static inline void mutate_body(answer *a, uint64_t *random) {
    const unsigned frame = (unsigned)mutate_below(random, a->count);
    uint8_t *body = answer_body(a, frame);
    if (body) mutate_bytes(body, a->frames[frame].length, random);
}

static inline void mutate_image(answer *a, uint64_t *random) {
    const unsigned frame = answer_image(a);
    uint8_t *body = frame < ANSWER_FRAMES ? answer_body(a, frame) : NULL;
    if (body) mutate_bytes(body, a->frames[frame].length, random);
}

/* Text that stays text: what accepted models are called. */
static inline void mutate_text(answer *a, uint64_t *random) {
    static const char letters[] = "\x1b\x07\x7f\n/~0aZ\xc2\x85";
    answer_view v;
    if (!answer_open(a, &v) || v.counts[WLK_SECTION_TEXT] == 0) return;
    const uint32_t at = (uint32_t)mutate_below(random, v.counts[WLK_SECTION_TEXT]);
    *answer_record_at(&v, WLK_SECTION_TEXT, at) =
        (uint8_t)letters[mutate_below(random, sizeof letters - 1)];
}

/* ---- records */

/* A field that has a record; false if the image has none. */
static inline bool mutate_pick(answer *a, uint64_t *random, answer_view *v, const image_field **f,
                               uint32_t *record) {
    if (!answer_open(a, v)) return false;
    *f = &image_fields[mutate_below(random, IMAGE_FIELDS)];
    *record = (uint32_t)mutate_below(random, v->counts[(*f)->section]);
    return v->counts[(*f)->section] > 0;
}

static inline void mutate_field(answer *a, uint64_t *random) {
    answer_view v;
    const image_field *f;
    uint32_t record;
    if (!mutate_pick(a, random, &v, &f, &record)) return;
    field_set(&v, f, record, mutate_number(random, field_get(&v, f, record)));
}

/* What another record has there: in range, and yet not right. */
static inline void mutate_field_from_another(answer *a, uint64_t *random) {
    answer_view v;
    const image_field *f;
    uint32_t record;
    if (!mutate_pick(a, random, &v, &f, &record)) return;
    const uint32_t other = (uint32_t)mutate_below(random, v.counts[f->section]);
    field_set(&v, f, record, field_get(&v, f, other));
}

static inline void mutate_count(answer *a, uint64_t *random) {
    answer_view v;
    if (!answer_open(a, &v)) return;
    image_header *header = (void *)v.image;
    uint32_t *count = &header->counts[mutate_below(random, WLK_SECTION_COUNT)];
    *count = (uint32_t)mutate_number(random, *count);
}

static inline void mutate_swap_records(answer *a, uint64_t *random) {
    answer_view v;
    uint8_t kept[sizeof(tensor_record) + sizeof(type_record)];
    const unsigned section = (unsigned)mutate_below(random, WLK_SECTION_COUNT);
    if (!answer_open(a, &v) || v.counts[section] == 0) return;
    const uint32_t size = image_record_bytes[section];
    uint8_t *one = answer_record_at(&v, section, (uint32_t)mutate_below(random, v.counts[section]));
    uint8_t *other =
        answer_record_at(&v, section, (uint32_t)mutate_below(random, v.counts[section]));
    memcpy(kept, one, size);
    memmove(one, other, size);
    memcpy(other, kept, size);
}

/* One record more or less, with the counts and lengths that belong to it. */
static inline void mutate_resize(answer *a, uint64_t *random) {
    answer_view v;
    const unsigned section = (unsigned)mutate_below(random, WLK_SECTION_COUNT);
    if (!answer_open(a, &v)) return;
    const uint32_t like = (uint32_t)mutate_below(random, v.counts[section]);
    (void)answer_resize(a, section, like, mutate_below(random, 2));
}

/* ---- frames */

static inline void mutate_header(frame_header *h, uint64_t *random) {
    switch (mutate_below(random, 8)) {
        case 0:
            h->magic = (uint32_t)mutate_number(random, h->magic);
            break;
        case 1:
            h->type = (uint16_t)mutate_number(random, h->type);
            break;
        case 2:
            h->flags = (uint16_t)mutate_number(random, h->flags);
            break;
        case 3:
            h->sequence = mutate_number(random, h->sequence);
            break;
        case 4:
            h->flags = (uint16_t)mutate_below(random, 4);
            break;
        case 5:
            h->length = mutate_number(random, h->length);
            break;
        default:
            h->argument += mutate_below(random, 2) ? mutate_number(random, 0) : 64;
            break;
    }
}

static inline void mutate_frame_header(answer *a, uint64_t *random) {
    mutate_header(&a->frames[mutate_below(random, a->count)].header, random);
}

/* A body that is longer or shorter, and a header that says so. */
static inline void mutate_length(answer *a, uint64_t *random) {
    static const uint64_t sizes[] = {1, 2, 4, 8, 16, 64, 100, 4096};
    const unsigned frame = (unsigned)mutate_below(random, a->count);
    const sent_frame before = a->frames[frame];
    const uint64_t change = sizes[mutate_below(random, sizeof sizes / sizeof *sizes)];
    const uint64_t less = change < before.length ? change : before.length;
    const uint64_t length = mutate_below(random, 2) ? before.length + change : before.length - less;
    uint8_t *body = answer_new_body(a, frame, length);
    const uint64_t kept = length < before.length ? length : before.length;
    if (body && kept) memcpy(body, before.body, kept);
}

/* A body that is longer or shorter, and a header that does not. */
static inline void mutate_lie(answer *a, uint64_t *random) {
    sent_frame *f = &a->frames[mutate_below(random, a->count)];
    f->length = mutate_below(random, f->length + 1);
}

static inline void mutate_cut(answer *a, uint64_t *random) {
    uint64_t total = 0;
    for (unsigned i = 0; i < a->count; i++) {
        total += sizeof a->frames[i].header + a->frames[i].length;
    }
    a->cut = mutate_below(random, total);
}

static inline void mutate_drop(answer *a, uint64_t *random) {
    if (a->count > 1) answer_drop(a, (unsigned)mutate_below(random, a->count));
}

static inline void mutate_repeat(answer *a, uint64_t *random) {
    const sent_frame f = a->frames[mutate_below(random, a->count)];
    answer_insert(a, (unsigned)mutate_below(random, a->count + 1), f);
}

static inline void mutate_swap_frames(answer *a, uint64_t *random) {
    sent_frame *one = &a->frames[mutate_below(random, a->count)];
    sent_frame *other = &a->frames[mutate_below(random, a->count)];
    const sent_frame kept = *one;
    *one = *other;
    *other = kept;
    if (mutate_below(random, 4)) answer_renumber(a);
}

/* The start of one frame's body with the end of another's. */
static inline void mutate_splice(answer *a, uint64_t *random) {
    const unsigned frame = (unsigned)mutate_below(random, a->count);
    const sent_frame other = a->frames[mutate_below(random, a->count)];
    uint8_t *body = answer_body(a, frame);
    const uint64_t length = a->frames[frame].length;
    const uint64_t from = mutate_below(random, length + 1);
    const uint64_t left = length - from;
    const uint64_t taken = other.length < left ? other.length : left;
    if (body && taken) memcpy(body + from, other.body + (other.length - taken), taken);
}

/* A frame that was not there, whole and numbered rightly. */
static inline void mutate_foreign(answer *a, uint64_t *random) {
    static const uint64_t lengths[FRAME_TYPE_COUNT] = {[FRAME_HELLO] = sizeof(wire_hello),
                                                       [FRAME_DATA] = sizeof(uint64_t),
                                                       [FRAME_IMAGE] = 80,
                                                       [FRAME_REFUSE] = sizeof(wire_refuse)};
    const unsigned at = (unsigned)mutate_below(random, a->count + 1);
    const frame_type type = (frame_type)mutate_below(random, FRAME_TYPE_COUNT);
    if (a->count == ANSWER_FRAMES) return;
    answer_insert(a, at, (sent_frame){frame_make(type, 0, 0, 0, 0), NULL, 0});
    uint8_t *body = answer_new_body(a, at, lengths[type]);
    if (!body || type != FRAME_REFUSE) return;
    const uint32_t rule = (uint32_t)mutate_below(random, RULE_COUNT + 1);
    const wire_refuse refuse = {
        .rule = rule, .status = (uint32_t)rule_status(rule), .offset = mutate_number(random, 0)};
    memcpy(body, &refuse, sizeof refuse);
    if (mutate_below(random, 2)) a->count = at + 1; /* and nothing behind it */
}

/* ---- one of them after the other */

typedef void answer_mutation(answer *a, uint64_t *random);

/* Named as often as they are to be chosen. */
static answer_mutation *const answer_mutations[] = {
    mutate_field,
    mutate_field,
    mutate_field,
    mutate_field,
    mutate_field_from_another,
    mutate_field_from_another,
    mutate_field_from_another,
    mutate_swap_records,
    mutate_resize,
    mutate_resize,
    mutate_count,
    mutate_image,
    mutate_image,
    mutate_text,
    mutate_text,
    mutate_body,
    mutate_splice,
    mutate_lie,
    mutate_cut,
    mutate_frame_header,
    mutate_frame_header,
    mutate_length,
    mutate_drop,
    mutate_repeat,
    mutate_swap_frames,
    mutate_foreign,
};

/* Changes an answer in one to three ways. */
static inline void answer_mutate(answer *a, uint64_t seed) {
    uint64_t random = seed * 0x2545f4914f6cdd1dull + 1;
    for (uint64_t steps = 1 + mutate_below(&random, 3); steps > 0; steps--) {
        const uint64_t which =
            mutate_below(&random, sizeof answer_mutations / sizeof *answer_mutations);
        answer_mutations[which](a, &random);
        if (a->count == 0) return;
    }
}

/* Every sixteenth seed changes HELLO instead. */
static inline bool mutates_hello(uint64_t seed) {
    return seed % 16 == 15;
}

static inline void hello_mutate(frame_header *header, wire_hello *hello, uint64_t seed) {
    uint64_t random = seed;
    if (mutate_below(&random, 3) == 0) {
        mutate_header(header, &random);
    } else {
        mutate_bytes((uint8_t *)hello, sizeof *hello, &random);
    }
}

#endif
