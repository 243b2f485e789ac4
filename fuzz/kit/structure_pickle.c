/* Pickles, and joblib's files that are not compressed. */
#include <ctype.h>
#include <string.h>

#include "formats/pickle/opcodes.h"
#include "kit/pickle_change.h"

#define MOST_BYTES (64u << 10) /* longer inputs are changed as bytes */
#define MOST_CHANGES 3
#define SHOWN 48 /* bytes of an argument */

/* [0.5]: what is no pickle is replaced by it now and then. */
static const uint8_t small[] = "\x80\x04]\x94G?\xe0\0\0\0\0\0\0a.";

/* Lists are large, and one thread makes inputs. */
static pk_list changed, other;
static uint8_t source[MOST_BYTES];

static bool is_pickle(const pk_list *list) {
    return list->count > 1 && !list->ops[0].raw;
}

static size_t finish(uint8_t *out, size_t room, fuzz_random *random) {
    if (random_below(random, 16) == 0) pk_change_form(&changed, random);
    if (random_below(random, 16)) pk_mend(&changed);
    return pk_encode(&changed, out, room);
}

static size_t as_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    size = mutate_bytes(data, size, room, random);
    if (size == 0 && room > 0) data[size++] = OP_STOP;
    return size;
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (size > room) size = room;
    if (size > sizeof source) return as_bytes(data, size, room, random);
    if (size) memcpy(source, data, size);
    pk_decode(&changed, source, size);
    if (!is_pickle(&changed)) {
        if (random_below(random, 2)) return as_bytes(data, size, room, random);
        pk_decode(&changed, small, sizeof small - 1);
    }
    for (size_t i = 1 + random_below(random, MOST_CHANGES); i > 0; i--) pk_change(&changed, random);
    const size_t made = finish(data, room, random);
    if (made) return made;
    if (size) memcpy(data, source, size);
    return as_bytes(data, size, room, random);
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    pk_decode(&changed, a, a_size);
    pk_decode(&other, b, b_size);
    for (size_t i = 1 + random_below(random, MOST_CHANGES); i > 0; i--) {
        pk_graft(&changed, &other, random);
    }
    const size_t made = finish(out, room, random);
    if (made) return made;
    const size_t kept = a_size < room ? a_size : room;
    if (kept) memcpy(out, a, kept);
    return kept;
}

/* ---- to look at */

static void show_bytes(const uint8_t *bytes, uint32_t length, FILE *out) {
    const uint32_t shown = length < SHOWN ? length : SHOWN;
    (void)fputs(" \"", out);
    for (uint32_t i = 0; i < shown; i++) {
        const bool plain = isprint(bytes[i]) && bytes[i] != '"' && bytes[i] != '\\';
        (void)fprintf(out, plain ? "%c" : "\\x%02x", bytes[i]);
    }
    (void)fprintf(out, "\"%s", shown < length ? " ..." : "");
}

static void show_op(const pk_op *op, FILE *out) {
    uint32_t length;
    int64_t number;
    const uint8_t *text = pk_text(op, &length);
    (void)fprintf(out, "%8u  %s", op->offset,
                  op->raw ? "bytes between opcodes" : pickle_opcode_rows[op->code].name);
    if (op->raw) (void)fprintf(out, ", %u of them", op->length);
    if (pk_int(op, &number)) {
        (void)fprintf(out, " %lld", (long long)number);
    } else if (text) {
        show_bytes(text, length, out);
    } else if (op->length) {
        show_bytes(op->argument, op->length, out);
    }
    (void)fputc('\n', out);
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    pk_decode(&changed, data, size);
    for (uint32_t i = 0; i < changed.count; i++) show_op(&changed.ops[i], out);
}

const fuzz_structure structure_pickle = {
    .name = "pickle", .mutate = mutate, .cross = cross, .show = show};
