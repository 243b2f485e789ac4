/* A .npy file: magic, version, the header's length, a Python dictionary, the array. The
 * dictionary is changed as text, or made anew to fit the bytes behind it; its length is
 * mended. */
#include <stdbool.h>
#include <string.h>

#include "kit/structure.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define PREFIX_MOST 12 /* magic, version, length of 4 bytes */
#define TEXT_BYTES 2048
#define MOST_AXES 9 /* one more than there may be */
#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct npy {
    uint8_t major, minor;
    uint8_t text[TEXT_BYTES];
    size_t text_bytes; /* of the dictionary with its line end */
    size_t body;       /* where the array begins */
} npy;

static size_t prefix_bytes(uint8_t major) {
    return MAGIC_BYTES + 2 + (major == 1 ? 2 : 4);
}

/* False: it does not begin like one, or its header does not end. */
static bool take_apart(const uint8_t *data, size_t size, npy *file) {
    if (size < PREFIX_MOST || memcmp(data, MAGIC, MAGIC_BYTES) != 0) return false;
    const size_t prefix = prefix_bytes(data[MAGIC_BYTES]);
    size_t length = 0;
    for (size_t i = prefix; i-- > MAGIC_BYTES + 2;) length = length << 8 | data[i];
    if (length > size - prefix || length > TEXT_BYTES) return false;
    file->major = data[MAGIC_BYTES];
    file->minor = data[MAGIC_BYTES + 1];
    memcpy(file->text, data + prefix, length);
    file->text_bytes = length;
    file->body = prefix + length;
    return true;
}

/* Puts the header in front of the array, which moves; what there is no room for is cut. */
static size_t put_together(const npy *file, uint8_t *data, size_t size, size_t room) {
    const size_t prefix = prefix_bytes(file->major), head = prefix + file->text_bytes;
    size_t body = size - file->body;
    if (head > room) return size;
    if (body > room - head) body = room - head;
    memmove(data + head, data + file->body, body);
    memcpy(data, MAGIC, MAGIC_BYTES);
    data[MAGIC_BYTES] = file->major;
    data[MAGIC_BYTES + 1] = file->minor;
    for (size_t i = MAGIC_BYTES + 2; i < prefix; i++) {
        data[i] = (uint8_t)(file->text_bytes >> 8 * (i - MAGIC_BYTES - 2));
    }
    memcpy(data + prefix, file->text, file->text_bytes);
    return head + body;
}

/* ---- a dictionary that fits */

typedef struct element {
    const char *descr;
    size_t bytes;
} element;

static const element elements[] = {
    {"<f8", 8}, {">f8", 8}, {"<f4", 4}, {"<f2", 2},    {">i8", 8},   {"<i4", 4}, {"<u2", 2},
    {"|i1", 1}, {"|u1", 1}, {"|b1", 1}, {">c8", 8},    {"<c16", 16}, {"<U1", 4}, {">U3", 12},
    {"|S1", 1}, {"|S5", 5}, {"|O", 8},  {"<M8[s]", 8}, {"|V3", 3},
};

static const size_t factors[] = {1, 1, 2, 3, 4, 5, 7, 8};

/* "(2, 3, 8)": axes whose product is `items`. */
static int shape_text(size_t items, char *text, size_t room, fuzz_random *random) {
    const size_t rank =
        items == 1 ? random_below(random, MOST_AXES + 1) : 1 + random_below(random, MOST_AXES);
    int length = snprintf(text, room, "(");
    for (size_t axis = 0; axis < rank; axis++) {
        size_t dim = axis + 1 == rank ? items : factors[random_below(random, COUNT(factors))];
        if (dim && items % dim != 0) dim = 1;
        if (dim) items /= dim;
        length += snprintf(text + length, room - (size_t)length, "%zu%s", dim,
                           rank == 1 || axis + 1 < rank ? ", " : "");
    }
    return length + snprintf(text + length, room - (size_t)length, ")");
}

/* Makes the dictionary anew; the array loses what is no whole element. Returns the size. */
static size_t compose(npy *file, size_t size, fuzz_random *random) {
    const element *e = &elements[random_below(random, COUNT(elements))];
    const size_t items = (size - file->body) / e->bytes;
    char shape[256];
    (void)shape_text(items, shape, sizeof shape, random);
    const int length = snprintf((char *)file->text, sizeof file->text,
                                "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", e->descr,
                                random_below(random, 2) ? "True" : "False", shape);
    file->text_bytes = (size_t)length;
    file->major = (uint8_t)(1 + random_below(random, 3));
    file->minor = 0;
    return file->body + items * e->bytes;
}

/* ---- the structure */

/* Changes the dictionary as text. */
static void change_text(npy *file, fuzz_random *random) {
    file->text_bytes =
        structure_text.mutate(file->text, file->text_bytes, sizeof file->text, random);
    if (file->text_bytes && random_below(random, 4)) file->text[file->text_bytes - 1] = '\n';
}

static size_t change_body(const npy *file, uint8_t *data, size_t size, size_t room,
                          fuzz_random *random) {
    return file->body +
           mutate_bytes(data + file->body, size - file->body, room - file->body, random);
}

static size_t change(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    npy file = {.major = 1};
    if (size > room) size = room;
    if (room < PREFIX_MOST) return structure_text.mutate(data, size, room, random);
    if (!take_apart(data, size, &file)) { /* all of it becomes an array */
        size = compose(&file, size, random);
        return put_together(&file, data, size, room);
    }
    switch (random_below(random, 4)) {
        case 0:
            change_text(&file, random);
            break;
        case 1:
            size = compose(&file, size, random);
            break;
        case 2:
            return change_body(&file, data, size, room, random);
        default: /* another version, whose length may be wider */
            file.major = (uint8_t)random_below(random, 5);
            file.minor = random_below(random, 4) == 0;
    }
    return put_together(&file, data, size, room);
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    size = change(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = 0x93;
    return size;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    npy file;
    if (!take_apart(data, size, &file)) {
        (void)fputs("       0  no .npy file\n", out);
        structure_text.show(data, size, out);
        return;
    }
    const size_t prefix = file.body - file.text_bytes;
    (void)fprintf(out, "       0  version %u.%u\n%8zu  header of %zu bytes\n", file.major,
                  file.minor, prefix, file.text_bytes);
    structure_text.show(file.text, file.text_bytes, out);
    (void)fprintf(out, "%8zu  array of %zu bytes\n", file.body, size - file.body);
}

const fuzz_structure structure_npy = {.name = "npy", .mutate = mutate, .show = show};
