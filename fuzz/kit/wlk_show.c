#include "kit/wlk_show.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "kit/msgpack_change.h"
#include "kit/wlk_file.h"

static const struct field {
    const char *name;
    uint16_t at, bytes;
    bool is_number;
} fields[] = {
    {"wrapper", 0, 2, false},         {"magic", 2, 8, false},          {"version", 10, 2, true},
    {"chunk_log2", 12, 1, true},      {"zero", 13, 1, true},           {"header_len", 14, 8, true},
    {"table_len", 22, 8, true},       {"data_off", 30, 8, true},       {"data_len", 38, 8, true},
    {"header_digest", 46, 32, false}, {"table_digest", 78, 32, false}, {"key_id", 110, 8, false},
    {"signature", 118, 64, false},    {"zeros", 182, 74, false},
};

static void show_field(const uint8_t *file, size_t size, const struct field *field, FILE *out) {
    uint8_t number[8] = {0};
    (void)fprintf(out, "  %7u  %-14s ", field->at, field->name);
    for (size_t at = field->at; at < size && at < field->at + (size_t)field->bytes; at++) {
        if (!field->is_number) (void)fprintf(out, "%02x", file[at]);
        if (field->is_number) number[at - field->at] = file[at];
    }
    if (field->is_number) (void)fprintf(out, "%" PRIu64, load_u64(number));
    if (size < field->at + (size_t)field->bytes) (void)fputs(" (cut)", out);
    (void)fputc('\n', out);
}

static const char *verdict(stretch bytes, const uint8_t *digest) {
    uint8_t found[WLK_FILE_DIGEST];
    wlk_digest_of(bytes, found);
    return memcmp(found, digest, sizeof found) == 0 ? "right" : "wrong";
}

static void show_seals(const uint8_t *file, const wlk_parts *parts, FILE *out) {
    (void)fprintf(out, "header digest %s, ", verdict(parts->header, file + 46));
    (void)fprintf(out, "table digest %s, ", verdict(parts->table, file + 78));
    if (!parts->is_signed) {
        (void)fputs("unsigned\n", out);
    } else {
        (void)fprintf(out, "signature %s\n",
                      wlk_signature_holds(file) ? "right" : "wrong, or another key's");
    }
}

/* The bytes of chunk i, as far as they are there. */
static stretch chunk_of(const wlk_parts *parts, size_t i) {
    const unsigned log = parts->chunk_log2 < 32 ? parts->chunk_log2 : 32;
    const size_t size = parts->data.size, chunk = (size_t)1 << log;
    const size_t from = i <= size >> log ? i << log : size;
    const size_t left = size - from;
    return (stretch){parts->data.at + from, left < chunk ? left : chunk};
}

static void show_table(const uint8_t *file, const wlk_parts *parts, FILE *out) {
    const uint8_t *digest = parts->table.at;
    (void)fprintf(out, "digest table, %zu bytes\n", parts->table.size);
    for (size_t i = 0; i < parts->table.size / WLK_FILE_DIGEST; i++, digest += WLK_FILE_DIGEST) {
        (void)fprintf(out, "  %7td  chunk %zu: %s\n", digest - file, i,
                      verdict(chunk_of(parts, i), digest));
    }
}

static void show_tensors(const tree *t, const uint8_t *file, const wlk_parts *parts, FILE *out) {
    tensor_place place;
    const uint64_t data_at = (uint64_t)(parts->data.at - file);
    (void)fprintf(out, "data, %zu bytes at %" PRIu64 "\n", parts->data.size, data_at);
    for (uint32_t entry = tensors_first(t); entry; entry = t->nodes[entry].next) {
        const tree_node *name = &t->nodes[tree_get(t, entry, "name")];
        if (!tensor_at(t, entry, &place)) continue;
        const bool within =
            place.offset <= parts->data.size && place.nbytes <= parts->data.size - place.offset;
        (void)fprintf(out, "  %7" PRIu64 "  %" PRIu64 " bytes of tensor \"", data_at + place.offset,
                      place.nbytes);
        for (uint32_t i = 0; name->kind == TREE_STR && i < name->length; i++) {
            const uint8_t byte = name->bytes[i];
            (void)fputc(byte >= 0x20 && byte < 0x7f ? byte : '?', out);
        }
        (void)fprintf(out, "\"%s\n", within ? "" : ": not within the data");
    }
}

void wlk_show(const uint8_t *file, size_t size, tree *t, FILE *out) {
    wlk_parts parts;
    (void)fputs("envelope\n", out);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        show_field(file, size, &fields[i], out);
    }
    if (!wlk_split(file, size, &parts)) {
        (void)fputs("its lengths are not those of a file\n", out);
        return;
    }
    show_seals(file, &parts, out);
    (void)fprintf(out, "header, %zu bytes\n", parts.header.size);
    tree_decode(t, parts.header.at, parts.header.size);
    tree_show(t, (uint64_t)(parts.header.at - file), out);
    show_table(file, &parts, out);
    show_tensors(t, file, &parts, out);
}
