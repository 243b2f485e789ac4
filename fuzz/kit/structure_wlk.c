/* A .wlk file: envelope, msgpack header, digest table, data. What is changed is mended in the
 * order in which a reader looks, so that it gets as far as the change. */
#include <string.h>

#include "kit/msgpack_change.h"
#include "kit/wlk_file.h"
#include "kit/wlk_show.h"

#define MOST_BYTES (1u << 20) /* longer inputs are changed as bytes */
#define LEAST_DATA 4096       /* that tensors may be mended to take, however few there were */
#define MOST_CHANGES 3
#define HEADER_AT 256
#define WINDOW 64

/* Trees are large, and one thread makes inputs. */
static tree changed, other;
static uint8_t source[MOST_BYTES];
static tensor_place before[TREE_NODES]; /* of a tensor's entry, by its node */

/* What a change is made of: an envelope, a header as a tree, and data to which the offsets
 * of its tensors refer. */
typedef struct making {
    wlk_parts parts;
    tree *header;
    bool mend_tensors;
    bool change_data;
} making;

/* ---- data */

static void remember_places(const tree *t) {
    for (uint32_t entry = tensors_first(t); entry; entry = t->nodes[entry].next) {
        before[entry] = (tensor_place){0, 0};
        (void)tensor_at(t, entry, &before[entry]);
    }
}

/* What both have of a tensor's payload. */
static void move_payload(const making *m, const tensor_place *from, const tensor_place *to,
                         uint8_t *data) {
    if (from->offset >= m->parts.data.size) return;
    const uint64_t left = m->parts.data.size - from->offset;
    const uint64_t kept = left < to->nbytes ? left : to->nbytes;
    if (kept) memcpy(data + to->offset, m->parts.data.at + from->offset, kept);
}

/* Tensors take their payloads along. */
static void lay_out(const making *m, uint8_t *data, size_t size) {
    tensor_place now;
    memset(data, 0, size);
    for (uint32_t e = tensors_first(m->header); e; e = m->header->nodes[e].next) {
        if (tensor_at(m->header, e, &now)) move_payload(m, &before[e], &now, data);
    }
}

static void change_window(uint8_t *data, size_t size, fuzz_random *random) {
    if (size == 0) return;
    const size_t at = random_below(random, size);
    const size_t window = size - at < WINDOW ? size - at : WINDOW;
    (void)mutate_bytes(data + at, window, window, random);
}

/* ---- one thing that is left wrong */

static const struct spot {
    uint16_t at, bytes;
    bool behind_signature; /* it is about the signature, or not covered by it */
} spots[] = {
    {10, 2, false}, {12, 1, false}, {13, 1, false},  {14, 8, false},  {22, 8, false},
    {30, 8, false}, {38, 8, false}, {46, 1, false},  {78, 1, false},  {0, 10, true},
    {110, 8, true}, {118, 1, true}, {150, 32, true}, {182, 74, true},
};

/* Length fields are changed as numbers. */
static void spoil(uint8_t *at, size_t bytes, fuzz_random *random) {
    const uint64_t edge = random_edge(random);
    if (bytes == 8 && random_below(random, 2)) {
        memcpy(at, &edge, sizeof edge);
    } else {
        at += random_below(random, bytes);
        *at ^= (uint8_t)(1u << random_below(random, 8));
    }
}

static void sign_some(uint8_t *file, fuzz_random *random) {
    if (random_below(random, 2)) wlk_sign(file);
}

static void finish_wrong(uint8_t *file, size_t size, fuzz_random *random) {
    const struct spot *spot = &spots[random_below(random, sizeof spots / sizeof *spots)];
    const bool body = random_below(random, 4) == 0; /* or a byte behind the envelope */
    const size_t from = body ? HEADER_AT : spot->at, bytes = body ? size - HEADER_AT : spot->bytes;
    if (body || spot->behind_signature) sign_some(file, random);
    if (bytes) spoil(file + from, bytes, random);
    if (!body && !spot->behind_signature) sign_some(file, random);
}

/* ---- a whole file */

/* Where the tensors end behind mending, or as many data as there were. */
static size_t place_tensors(making *m, fuzz_random *random) {
    const size_t most = m->parts.data.size > LEAST_DATA ? m->parts.data.size : LEAST_DATA;
    remember_places(m->header);
    if (m->mend_tensors) {
        const uint64_t end = tensors_mend(m->header, random_below(random, 4) != 0, most);
        m->mend_tensors = end != UINT64_MAX;
        if (m->mend_tensors) return (size_t)end;
    }
    return m->parts.data.size;
}

static void put_data(const making *m, uint8_t *data, size_t size, fuzz_random *random) {
    if (m->mend_tensors) {
        lay_out(m, data, size);
    } else if (size) {
        memcpy(data, m->parts.data.at, size);
    }
    if (m->change_data) change_window(data, size, random);
}

/* Writes the file; 0 if there is no room for it. */
static size_t make(making *m, uint8_t *out, size_t room, fuzz_random *random) {
    const size_t data = place_tensors(m, random);
    const size_t header = tree_encode(m->header, NULL, 0);
    const size_t data_at = wlk_data_at(&m->parts, header, data);
    if (data_at > room || data > room - data_at) return 0;
    (void)tree_encode(m->header, out + HEADER_AT, header);
    put_data(m, out + data_at, data, random);
    const size_t size = wlk_seal(out, &m->parts, header, data);
    if (random_below(random, 8) == 0) {
        finish_wrong(out, size, random);
    } else {
        sign_some(out, random);
    }
    return size;
}

/* ---- what is changed */

static void change_values(making *m, fuzz_random *random) {
    change_value(m->header, random);
    for (size_t i = random_below(random, MOST_CHANGES); i > 0; i--) {
        change_value(m->header, random);
    }
    if (random_below(random, 16)) tree_make_canonical(m->header);
}

static void change_envelope(making *m, fuzz_random *random) {
    if (random_below(random, 2)) {
        m->parts.chunk_log2 = (uint8_t)(15 + random_below(random, 11));
    } else {
        m->parts.pages = random_below(random, 17);
    }
}

static void choose_change(making *m, fuzz_random *random) {
    m->mend_tensors = random_below(random, 8) != 0;
    m->change_data = false;
    switch (random_below(random, 8)) {
        case 0:
            m->change_data = true;
            break;
        case 1:
            change_form(m->header, random);
            break;
        case 2:
            change_envelope(m, random);
            break;
        default:
            change_values(m, random);
            break;
    }
}

/* The parts of what is one, or else of a small file. */
static void take_apart(making *m, tree *t, const uint8_t *file, size_t size) {
    static const uint8_t no_data[8];
    m->header = t;
    if (wlk_split(file, size, &m->parts)) {
        tree_decode(t, m->parts.header.at, m->parts.header.size);
    } else {
        m->parts = (wlk_parts){.chunk_log2 = 20, .data = {no_data, sizeof no_data}};
        tree_decode_small(t);
    }
}

static size_t as_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    size = mutate_bytes(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = 0xc4;
    return size;
}

static bool is_file(const uint8_t *data, size_t size) {
    wlk_parts parts;
    return wlk_split(data, size, &parts);
}

/* What there is no room for is changed as bytes. */
static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    making m;
    if (size > room) size = room;
    if (size > sizeof source) return as_bytes(data, size, room, random);
    if (!is_file(data, size) && random_below(random, 2)) return as_bytes(data, size, room, random);
    if (size) memcpy(source, data, size);
    take_apart(&m, &changed, source, size);
    choose_change(&m, random);
    const size_t made = make(&m, data, room, random);
    if (made) return made;
    if (size) memcpy(data, source, size);
    return as_bytes(data, size, room, random);
}

/* All tensors and their payloads, or a node of the header. */
static void cross_headers(making *a, const making *b, fuzz_random *random) {
    const uint32_t mine = tree_get(a->header, a->header->nodes[0].first, "tensors");
    const uint32_t theirs = tree_get(b->header, b->header->nodes[0].first, "tensors");
    if (mine && theirs && random_below(random, 4) == 0) {
        tree_replace(a->header, mine, tree_clone(a->header, b->header, theirs));
        a->parts.data = b->parts.data;
    } else {
        change_graft(a->header, b->header, random);
    }
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    making first, second;
    take_apart(&first, &changed, a, a_size);
    take_apart(&second, &other, b, b_size);
    first.mend_tensors = random_below(random, 8) != 0;
    first.change_data = false;
    for (size_t i = 1 + random_below(random, MOST_CHANGES); i > 0; i--) {
        cross_headers(&first, &second, random);
    }
    if (random_below(random, 16)) tree_make_canonical(first.header);
    const size_t made = make(&first, out, room, random);
    if (made) return made;
    const size_t kept = a_size < room ? a_size : room;
    if (kept) memcpy(out, a, kept);
    return kept;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    wlk_show(data, size, &changed, out);
}

const fuzz_structure structure_wlk = {
    .name = "wlk", .mutate = mutate, .cross = cross, .show = show};
