/* Ways to spoil any frame of an answer, in the hostile child: each is one function over
 * the answer and the two numbers of BEND. */
#ifndef TESTS_GATE_HOSTILE_BEND_H
#define TESTS_GATE_HOSTILE_BEND_H

#include "gate/hostile_answer.h"
#include "gate/hostile_cases.h"

/* A frame of that type as it should be, but for where it stands. */
static inline sent_frame bend_stranger(const answer *a, uint32_t type) {
    static const wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    static const wire_refuse refuse = {.rule = RULE_FORMAT_UNKNOWN, .status = WLK_UNDECIDED};
    const frame_type frame = (frame_type)type;
    for (unsigned i = 0; i < a->count; i++) {
        if (a->frames[i].header.type == type) return a->frames[i];
    }
    if (type == FRAME_HELLO) {
        return (sent_frame){frame_make(frame, 0, sizeof hello, 0, 0), (const uint8_t *)&hello,
                            sizeof hello};
    }
    if (type == FRAME_REFUSE) {
        return (sent_frame){frame_make(frame, 0, sizeof refuse, 0, 0), (const uint8_t *)&refuse,
                            sizeof refuse};
    }
    return (sent_frame){frame_make(frame, 0, 0, 0, 0), NULL, 0};
}

/* What is sent ends after so many bytes of that frame. */
static inline void bend_cut(answer *a, unsigned index, uint64_t bytes) {
    a->cut = bytes;
    for (unsigned i = 0; i < index; i++) {
        a->cut += sizeof a->frames[i].header + a->frames[i].length;
    }
}

/* Bytes behind a frame of which its header knows nothing. */
static inline void bend_long(answer *a, unsigned index, uint64_t bytes) {
    const sent_frame before = a->frames[index];
    uint8_t *body = answer_new_body(a, index, before.length + bytes);
    if (!body) return;
    if (before.length) memcpy(body, before.body, before.length);
    a->frames[index].header = before.header;
}

static inline uint64_t bend_number(uint64_t now, uint64_t value, unsigned bits) {
    if (value == BENT_zero) return 0;
    if (value == BENT_one_more) return now + 1;
    if (value == BENT_one_less) return now - 1;
    if (value == BENT_high_bit) return now | (uint64_t)1 << (bits - 1);
    return UINT64_MAX;
}

static inline void bend_field(frame_header *h, uint64_t field, uint64_t value) {
    if (field == BENT_magic) h->magic = (uint32_t)bend_number(h->magic, value, 32);
    if (field == BENT_type) h->type = (uint16_t)bend_number(h->type, value, 16);
    if (field == BENT_flags) h->flags = (uint16_t)bend_number(h->flags, value, 16);
    if (field == BENT_length) h->length = bend_number(h->length, value, 64);
    if (field == BENT_sequence) h->sequence = bend_number(h->sequence, value, 64);
    if (field == BENT_argument) h->argument = bend_number(h->argument, value, 64);
}

/* Spoils the answer, if the case is one of frames. */
static inline void bend_frames(answer *a, enum hostile_case number, uint64_t parameter) {
    const unsigned index = (unsigned)(parameter & 0xff);
    const uint64_t value = parameter >> 8;
    const bool there = index < a->count;
    if (number == HOSTILE_frame_stranger) {
        answer_insert(a, index, bend_stranger(a, (uint32_t)value));
    }
    if (number == HOSTILE_frame_missing && there) answer_drop(a, index);
    if (number == HOSTILE_frame_twice && there) answer_insert(a, index, a->frames[index]);
    if (number == HOSTILE_frame_cut && there) bend_cut(a, index, value);
    if (number == HOSTILE_frame_long && there) bend_long(a, index, value);
    if (number == HOSTILE_frame_field && there) {
        bend_field(&a->frames[index].header, value & 0xff, value >> 8);
    }
}

#endif
