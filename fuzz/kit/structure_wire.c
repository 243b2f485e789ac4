/* What a child sends (input_wire.h), and what a parent orders: frames alone, if the input
 * begins with one. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "kit/image_edit.h"
#include "kit/image_fields.h"
#include "kit/input_wire.h"
#include "kit/structure.h"

#define MOST_FRAMES 64u
#define MOST_INPUT (256u << 10)
#define UNMENDED_SHARE 8

/* One frame; the last one also has what is left, if that is no frame. */
typedef struct frame_part {
    frame_header header;
    const uint8_t *body;
    size_t length; /* of the body that is there */
    bool whole;    /* it has a header */
} frame_part;

typedef struct wire_draft {
    wire_input head;
    bool has_head;
    const uint8_t *given;
    size_t given_bytes;
    uint32_t count;
    frame_part frames[MOST_FRAMES + 2];
} wire_draft;

static uint8_t taken[MOST_INPUT]; /* the input as it was: bodies lie in it */
static uint8_t spare[MOST_INPUT]; /* a body that was changed */

/* ---- apart and together */

static void take_frames(wire_draft *d, const uint8_t *data, size_t size) {
    size_t at = 0;
    while (at < size && d->count <= MOST_FRAMES) {
        frame_part *f = &d->frames[d->count++];
        const size_t left = size - at;
        f->whole = left >= sizeof f->header && d->count <= MOST_FRAMES;
        if (f->whole) memcpy(&f->header, data + at, sizeof f->header);
        f->whole = f->whole && f->header.magic == FRAME_MAGIC;
        const size_t start = f->whole ? sizeof f->header : 0;
        f->body = data + at + start;
        f->length = left - start;
        if (f->whole && f->header.length < f->length) f->length = (size_t)f->header.length;
        at += start + f->length;
    }
}

static bool begins_with_frame(const uint8_t *data, size_t size) {
    const uint32_t magic = FRAME_MAGIC;
    return size >= sizeof magic && memcmp(data, &magic, sizeof magic) == 0;
}

static wire_draft draft_of(const uint8_t *data, size_t size) {
    wire_draft d = {.has_head = !begins_with_frame(data, size) && size >= sizeof d.head};
    if (d.has_head) {
        const wire_parts parts = wire_input_parts(data, size);
        d.head = parts.head;
        d.given = parts.given;
        d.given_bytes = (size_t)(parts.frames - parts.given);
        take_frames(&d, parts.frames, (size_t)parts.frame_bytes);
    } else {
        take_frames(&d, data, size);
    }
    return d;
}

typedef struct output {
    uint8_t *data;
    size_t room, size;
} output;

static void put(output *out, const void *bytes, size_t length) {
    if (length > out->room - out->size) length = out->room - out->size;
    if (length) memcpy(out->data + out->size, bytes, length);
    out->size += length;
}

/* What does not fit is cut. */
static size_t draft_write(const wire_draft *d, uint8_t *data, size_t room) {
    output out = {data, room, 0};
    if (d->has_head) {
        put(&out, &d->head, sizeof d->head);
        put(&out, d->given, d->given_bytes);
    }
    for (uint32_t i = 0; i < d->count; i++) {
        const frame_part *f = &d->frames[i];
        if (f->whole) put(&out, &f->header, sizeof f->header);
        put(&out, f->body, f->length);
    }
    return out.size;
}

/* ---- frames */

static frame_part *some_frame(wire_draft *d, fuzz_random *random) {
    return d->count ? &d->frames[random_below(random, d->count)] : NULL;
}

/* Sets a field of 1, 2, 4 or 8 bytes. */
static void set(void *field, size_t bytes, uint64_t value) {
    memcpy(field, &value, bytes);
}

static void change_header(wire_draft *d, fuzz_random *random) {
    static const struct {
        size_t at, bytes;
    } fields[] = {
        {offsetof(frame_header, magic), 4},    {offsetof(frame_header, type), 2},
        {offsetof(frame_header, flags), 2},    {offsetof(frame_header, length), 8},
        {offsetof(frame_header, sequence), 8}, {offsetof(frame_header, argument), 8},
    };
    frame_part *f = some_frame(d, random), *other = some_frame(d, random);
    if (!f) return;
    const size_t which = random_below(random, sizeof fields / sizeof *fields);
    uint8_t *field = (uint8_t *)&f->header + fields[which].at;
    uint64_t now = 0;
    memcpy(&now, field, fields[which].bytes);
    switch (random_below(random, 5)) {
        case 0:
            set(field, fields[which].bytes, random_edge(random));
            break;
        case 1:
            set(field, fields[which].bytes, random_below(random, FRAME_TYPE_COUNT + 1));
            break;
        case 2:
            set(field, fields[which].bytes, now + 1);
            break;
        case 3:
            set(field, fields[which].bytes, now - 64);
            break;
        default:
            memcpy(field, (uint8_t *)&other->header + fields[which].at, fields[which].bytes);
    }
}

/* Takes one out, says it twice, or lets two change places. */
static void move_frames(wire_draft *d, fuzz_random *random) {
    if (d->count == 0) return;
    const uint32_t at = (uint32_t)random_below(random, d->count);
    frame_part *f = &d->frames[at];
    const size_t behind = (d->count - at - 1) * sizeof *f;
    switch (random_below(random, 3)) {
        case 0:
            memmove(f, f + 1, behind);
            d->count--;
            break;
        case 1:
            if (d->count > MOST_FRAMES) break;
            memmove(f + 1, f, behind + sizeof *f);
            d->count++;
            break;
        default: {
            frame_part *other = some_frame(d, random);
            const frame_part held = *f;
            *f = *other;
            *other = held;
        }
    }
}

/* A frame of a kind, with a body as it should be. */
static void insert_frame(wire_draft *d, fuzz_random *random) {
    static const struct {
        frame_type type;
        uint16_t flags, length;
    } kinds[] = {{FRAME_HELLO, 0, sizeof(wire_hello)},
                 {FRAME_DATA, 0, 64},
                 {FRAME_DATA, FRAME_RAW, 64},
                 {FRAME_DATA, FRAME_RAW | FRAME_MAPPED, 8},
                 {FRAME_IMAGE, 0, 96},
                 {FRAME_END, 0, 0},
                 {FRAME_REFUSE, 0, sizeof(wire_refuse)},
                 {FRAME_ORDER, 0, sizeof(wire_order)},
                 {FRAME_GO, 0, 0}};
    static uint8_t body[sizeof(wire_order)];
    if (d->count > MOST_FRAMES) return;
    const size_t kind = random_below(random, sizeof kinds / sizeof *kinds);
    const uint32_t at = (uint32_t)random_below(random, d->count + 1);
    frame_part *f = &d->frames[at];
    memset(body, 0, sizeof body);
    if (kinds[kind].flags & FRAME_MAPPED) body[0] = 64;
    if (kinds[kind].type == FRAME_IMAGE) (void)image_smallest(body, sizeof body);
    memmove(f + 1, f, (d->count - at) * sizeof *f);
    *f = (frame_part){.header = frame_make(kinds[kind].type, kinds[kind].flags, kinds[kind].length,
                                           at, kinds[kind].flags ? d->head.data_from : 0),
                      .body = body,
                      .length = kinds[kind].length,
                      .whole = true};
    d->count++;
}

/* ---- bodies */

/* A rule, and mostly that rule's verdict. */
static void change_refuse(uint8_t *body, fuzz_random *random) {
    wire_refuse refuse;
    memcpy(&refuse, body, sizeof refuse);
    refuse.rule = (uint32_t)random_below(random, RULE_COUNT + 2);
    refuse.status = (uint32_t)rule_status(refuse.rule);
    if (random_below(random, UNMENDED_SHARE) == 0) refuse.status = (uint32_t)random_edge(random);
    if (random_below(random, 2)) refuse.offset = random_edge(random);
    memcpy(body, &refuse, sizeof refuse);
}

/* One number, where records begin at multiples of 4. */
static void change_word(uint8_t *body, size_t length, fuzz_random *random) {
    const size_t at = random_below(random, length / 4) * 4;
    const size_t bytes = length - at >= 8 && random_below(random, 2) ? 8 : 4;
    if (length < 4) return;
    set(body + at, bytes, random_below(random, 2) ? random_edge(random) : random_below(random, 32));
}

static void change_body(wire_draft *d, fuzz_random *random) {
    frame_part *f = some_frame(d, random);
    if (!f || f->length > sizeof spare / 2) return;
    if (f->length) memcpy(spare, f->body, f->length);
    f->body = spare;
    switch (f->whole ? f->header.type : FRAME_DATA) {
        case FRAME_IMAGE:
            f->length = image_mutate(spare, f->length, sizeof spare, random);
            break;
        case FRAME_REFUSE:
            if (f->length == sizeof(wire_refuse)) change_refuse(spare, random);
            break;
        case FRAME_HELLO:
        case FRAME_ORDER:
        case FRAME_GO:
            change_word(spare, f->length, random);
            break;
        default:
            f->length = mutate_bytes(spare, f->length, f->length + 64, random);
    }
}

static void change_head(wire_draft *d, fuzz_random *random) {
    uint32_t words[sizeof d->head / 4];
    memcpy(words, &d->head, sizeof words);
    uint32_t *word = &words[random_below(random, sizeof words / 4)];
    switch (random_below(random, 3)) {
        case 0:
            *word = (uint32_t)random_edge(random);
            break;
        case 1:
            *word += random_below(random, 2) ? 1 : (uint32_t)-64;
            break;
        default:
            *word ^= 1u << random_below(random, 32);
    }
    memcpy(&d->head, words, sizeof words);
    if (d->head.given > d->given_bytes) d->head.given = (uint32_t)d->given_bytes;
}

/* ---- mending */

/* What is said to lie in the file is what lies there. */
static void mend_raw(const wire_draft *d, frame_part *f, size_t *used) {
    const uint64_t from = f->header.argument;
    if (!(f->header.flags & FRAME_RAW) || f->header.flags & FRAME_MAPPED) return;
    if (f->length > sizeof spare - *used) return;
    uint8_t *body = spare + *used;
    for (size_t i = 0; i < f->length; i++) {
        const uint64_t given = from + i - d->head.given_at;
        body[i] = given < d->given_bytes ? d->given[given] : wire_input_pattern(from + i);
    }
    f->body = body;
    *used += f->length;
}

static void mend(wire_draft *d, fuzz_random *random) {
    const bool lengths = random_below(random, UNMENDED_SHARE) != 0;
    const bool numbers = random_below(random, UNMENDED_SHARE) != 0;
    const bool raw = random_below(random, UNMENDED_SHARE) != 0 && d->has_head;
    size_t used = sizeof spare / 2; /* the first half has the body that was changed */
    for (uint32_t i = 0; i < d->count; i++) {
        frame_part *f = &d->frames[i];
        if (!f->whole) continue;
        if (numbers) f->header.sequence = i;
        if (lengths) f->header.length = f->length;
        if (raw && f->header.type == FRAME_DATA) mend_raw(d, f, &used);
    }
}

/* ---- the whole */

/* An answer that says nothing but END: HELLO with its placeholder, the smallest image. */
static size_t fresh_input(uint8_t *data, size_t room) {
    static const wire_input head = {.buffers = 16, .output_bytes = 4096, .image_bytes = 4096};
    wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    uint8_t image[128];
    const size_t length = image_smallest(image, sizeof image);
    for (uint16_t i = 0; i < LAYER_COUNT; i++) hello.results[i].layer = i;
    const wire_draft d = {
        .head = head,
        .has_head = true,
        .count = 3,
        .frames = {{frame_make(FRAME_HELLO, 0, sizeof hello, 0, 0), (const uint8_t *)&hello,
                    sizeof hello, true},
                   {frame_make(FRAME_IMAGE, 0, length, 1, 0), image, length, true},
                   {frame_make(FRAME_END, 0, 0, 2, 0), NULL, 0, true}}};
    return draft_write(&d, data, room);
}

static size_t change(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (size > MOST_INPUT) return mutate_bytes(data, size, room, random);
    if (size < sizeof(frame_header)) {
        return random_below(random, 2) ? fresh_input(data, room)
                                       : mutate_bytes(data, size, room, random);
    }
    memcpy(taken, data, size);
    wire_draft d = draft_of(taken, size);
    switch (random_below(random, 8)) {
        case 0:
            change_header(&d, random);
            return draft_write(&d, data, room);
        case 1:
            change_header(&d, random);
            break;
        case 2:
            move_frames(&d, random);
            break;
        case 3:
            insert_frame(&d, random);
            break;
        case 4:
            change_head(&d, random);
            break;
        default:
            change_body(&d, random);
    }
    if (random_below(random, UNMENDED_SHARE)) mend(&d, random);
    return draft_write(&d, data, room);
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (room == 0) return 0;
    const size_t made = change(data, size, room, random);
    return made ? made : fresh_input(data, room);
}

/* The frames of one up to somewhere, and those of the other from somewhere on. */
static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    wire_draft d = draft_of(a, a_size);
    const wire_draft other = draft_of(b, b_size);
    const uint32_t from = (uint32_t)random_below(random, other.count + 1);
    d.count = (uint32_t)random_below(random, d.count + 1);
    for (uint32_t i = from; i < other.count && d.count <= MOST_FRAMES; i++) {
        d.frames[d.count] = other.frames[i];
        if (d.frames[d.count].whole) d.frames[d.count].header.sequence = d.count;
        d.count++;
    }
    return draft_write(&d, out, room);
}

/* ---- for people */

static void show_frame(const frame_part *f, size_t at, FILE *out) {
    static const char *const names[FRAME_TYPE_COUNT] = {"none", "ORDER", "GO",  "HELLO",
                                                        "DATA", "IMAGE", "END", "REFUSE"};
    const frame_header *h = &f->header;
    if (!f->whole) {
        (void)fprintf(out, "  %6zu %zu bytes that are no frame\n", at, f->length);
        return;
    }
    (void)fprintf(out,
                  "  %6zu frame %s (%u) flags %u length %" PRIu64 " sequence %" PRIu64
                  " argument %" PRIu64 "%s\n",
                  at, h->type < FRAME_TYPE_COUNT ? names[h->type] : "unknown", h->type, h->flags,
                  h->length, h->sequence, h->argument, h->length == f->length ? "" : ": cut off");
    if (h->type == FRAME_IMAGE) {
        image_show(f->body, f->length, at + sizeof *h, out);
    } else if (h->type == FRAME_REFUSE && f->length == sizeof(wire_refuse)) {
        wire_refuse refuse;
        memcpy(&refuse, f->body, sizeof refuse);
        const bool known = refuse.rule > RULE_NONE && refuse.rule < RULE_COUNT;
        (void)fprintf(out, "         rule %" PRIu32 " (%s) status %" PRIu32 " offset %" PRIu64 "\n",
                      refuse.rule, known ? wlk_rule_name(refuse.rule) : "unknown", refuse.status,
                      refuse.offset);
    }
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    static const char *const transports[] = {"pipe", "map", "lazy"};
    const wire_draft d = draft_of(data, size);
    size_t at = 0;
    if (d.has_head) {
        const wire_input *h = &d.head;
        (void)fprintf(out,
                      "  %6d transport %s%s, %u bytes a read, at most %" PRIu32
                      " payloads of %" PRIu32 " bytes, an image of %" PRIu32 "\n",
                      0, transports[h->transport % 3], h->raw_only & 1 ? ", raw only" : "", h->step,
                      h->buffers, h->output_bytes, h->image_bytes);
        (void)fprintf(out,
                      "         artifact of %" PRIu32 " bytes, data from %" PRIu32 " on, %" PRIu32
                      " bytes given at %" PRIu32 "\n",
                      h->file_bytes, h->data_from, h->given, h->given_at);
        at = sizeof d.head + d.given_bytes;
    }
    for (uint32_t i = 0; i < d.count; i++) {
        show_frame(&d.frames[i], at, out);
        at += (d.frames[i].whole ? sizeof(frame_header) : 0) + d.frames[i].length;
    }
}

const fuzz_structure structure_wire = {"wire", mutate, cross, show};
