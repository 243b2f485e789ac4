/* .wlk files and bare headers: those of the models, signed and with room, and what is
 * wrong by one defect each. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/parse.h>

#include "base/envelope.h"
#include "formats/wlk_hostile_rows.h"
#include "formats/wlk_text_whole.h"
#include "kit/kit.h"
#include "kit/test_key.h"
#include "seeds/seeds.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"

/* Files and headers are small: who begins with one has room to add. */
#define CHUNK_LOG2 16

static const char *const file_targets[] = {"wlk", "run", "roundtrip", "lazy", "envelope"};
#define FILE_TARGETS (sizeof file_targets / sizeof *file_targets)

static void put_header(const char *name, const uint8_t *file, size_t size) {
    envelope e;
    if (envelope_decode(file, size, &e, NULL) != WLK_OK) return;
    seed_put("header", name, file + ENVELOPE_BYTES, e.header_len);
    if (strncmp(name, "hostile-", 8) != 0) dictionary_learn(file + ENVELOPE_BYTES, e.header_len);
}

#define WANT_ALL 3 /* of the targets */

/* Of operators there are many: they are no use to who stops before the graph. */
static void put_file(const char *name, const uint8_t *file, size_t size, bool core) {
    for (size_t i = 0; i < FILE_TARGETS; i++) {
        if (core || i < WANT_ALL) seed_put(file_targets[i], name, file, size);
    }
    put_header(name, file, size);
}

/* Which rule is it that the parsers refuse the file with? */
static wlk_rule refusal(const uint8_t *file, size_t size) {
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    const wlk_status status =
        wlk_parse_memory(file, size, WLK_FORMAT_NONE, fuzz_limits(), &model, &error);
    wlk_model_free(model);
    if (status == WLK_OK) return RULE_NONE;
    rules_reached((wlk_rule)error.rule);
    return (wlk_rule)error.rule;
}

/* ---- valid ones */

static void write_model(const wlk_model *model, const wlk_write_options *options, uint8_t **file,
                        uint64_t *size) {
    wlk_error error = {.status = WLK_OK};
    if (wlk_write_memory(model, options, file, size, &error) != WLK_OK) seed_fail("write", &error);
}

static void visit_model(void *context, const char *name, const wlk_model *model, bool core) {
    const wlk_write_options options = {.chunk_log2 = CHUNK_LOG2, .threads = 1};
    uint8_t *file;
    uint64_t size;
    (void)context;
    write_model(model, &options, &file, &size);
    if (refusal(file, size) != RULE_NONE) seed_fail(name, NULL);
    put_file(name, file, size, core);
    seeds_image(name, file, size);
    seeds_plan(name, file, size);
    if (core) seeds_wire(name, file, size);
    wlk_free(file);
}

/* The same model in other envelopes. */
static void visit_written(void *context, const char *name, const wlk_model *model, bool core) {
    static const struct {
        const char *name;
        wlk_write_options options;
    } ways[] = {{"signed", {.key = &test_key, .chunk_log2 = CHUNK_LOG2, .threads = 1}},
                {"slack", {.chunk_log2 = 24, .slack = 4096, .threads = 1}},
                {"signed-slack", {.key = &test_key, .chunk_log2 = 20, .slack = 1, .threads = 1}}};
    char text[128];
    (void)context;
    (void)core;
    if (strcmp(name, "empty") != 0 && strcmp(name, "dtype-f32") != 0) return;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint8_t *file;
        uint64_t size;
        write_model(model, &ways[i].options, &file, &size);
        (void)snprintf(text, sizeof text, "%s-%s", ways[i].name, name);
        put_file(text, file, size, true);
        wlk_free(file);
    }
}

/* Tensors that are compressed, and what is wrong with such. */
static void visit_packed(void *context, const char *name, const wlk_model *model, bool core) {
    const wlk_write_options options = {.compress = true, .chunk_log2 = CHUNK_LOG2, .threads = 1};
    char text[128];
    uint8_t *file;
    uint64_t size;
    envelope e;
    (void)context;
    (void)core;
    write_model(model, &options, &file, &size);
    if (refusal(file, size) != RULE_NONE) seed_fail(name, NULL);
    put_file(name, file, size, true);
    if (envelope_decode(file, size, &e, NULL) != WLK_OK) seed_fail(name, NULL);
    for (uint64_t at = 0; at < size - e.data_off && at < 12; at += 4) { /* magic, size, block */
        file[e.data_off + at] ^= 1;
        wlk_file_seal(file, size);
        (void)refusal(file, size);
        (void)snprintf(text, sizeof text, "hostile-%s-%llu", name, (unsigned long long)at);
        put_file(text, file, size, true);
        file[e.data_off + at] ^= 1;
    }
    wlk_free(file);
}

static void put_packed(void) {
    static const wlk_dtype dtypes[] = {WLK_F32, WLK_F64, WLK_U8, WLK_I16};
    const model_visitor packed = {NULL, visit_packed};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        wlk_writer *w = model_begin();
        (void)model_tensor(w, "t", dtypes[i], 1, SHAPE(512));
        model_done(&packed, w, true, "packed-%s", wlk_dtype_name(dtypes[i]));
    }
}

/* What can be read, but not run. */
static void visit_bad(void *context, const char *name, const wlk_model *model, bool core) {
    const wlk_write_options options = {.chunk_log2 = CHUNK_LOG2, .threads = 1};
    uint8_t *file;
    uint64_t size;
    (void)context;
    (void)core;
    write_model(model, &options, &file, &size);
    seed_put("run", name, file, size);
    seeds_plan(name, file, size);
    wlk_free(file);
}

/* ---- wrong headers: the parsers' own tests have a table of them */

static char *replaced(const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    const size_t room = strlen(text) + strlen(to) + 1;
    char *out = calloc(1, room);
    if (!at || !out) seed_fail(from, NULL);
    (void)snprintf(out, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return out;
}

/* "hostile-2-64-elements" of "2^64 elements". */
static void name_of(const char *what, char *name, size_t room) {
    size_t at = (size_t)snprintf(name, room, "hostile-");
    for (; *what && at + 1 < room; what++) {
        const bool plain = isalnum((unsigned char)*what) != 0;
        if (plain) name[at++] = (char)tolower((unsigned char)*what);
        if (!plain && name[at - 1] != '-') name[at++] = '-';
    }
    name[at] = 0;
}

static void put_text(const char *name, const char *text, const uint8_t *data, size_t size,
                     const char *rule) {
    wlk_buffer header = wlk_text_encode(text, NULL);
    uint8_t *file;
    size_t bytes;
    wlk_file_build(header.data, header.size, data, size, &file, &bytes);
    const wlk_rule found = refusal(file, bytes);
    const char *is = found == RULE_NONE ? "" : wlk_rule_name(found);
    if (strcmp(is, rule) != 0) {
        (void)fprintf(stderr, "make_seeds: %s: %s, not %s\n", name, is, rule);
        exit(1);
    }
    seed_put("wlk", name, file, bytes);
    seed_put("lazy", name, file, bytes);
    put_header(name, file, bytes);
    free(header.data);
    free(file);
}

static void put_hostile_row(const hostile_row *row) {
    char name[96];
    uint8_t data[DATA_BYTES];
    char *text =
        replaced(row->from ? whole : row->to, row->from ? row->from : "", row->from ? row->to : "");
    name_of(row->what, name, sizeof name);
    whole_data(data);
    put_text(name, text, data, row->from ? DATA_BYTES : 0, row->rule);
    free(text);
}

static void put_hostile_headers(void) {
    for (size_t i = 0; i < sizeof hostile_tables / sizeof *hostile_tables; i++) {
        for (size_t j = 0; j < hostile_tables[i].count; j++) {
            put_hostile_row(&hostile_tables[i].rows[j]);
        }
    }
}

/* ---- beyond a limit, where a small file can be: names and texts said once, lists of many */

static void put_list(seed_buffer *text, const char *before, const char *item, unsigned count,
                     const char *behind) {
    seed_print(text, "%s", before);
    for (unsigned i = 0; i < count; i++) seed_print(text, "%s", item);
    seed_print(text, "%s", behind);
    seed_add(text, "", 1);
}

static const struct limit_row {
    const char *name, *rule;
    const char *before, *item;
    unsigned count;
    const char *behind;
} limit_rows[] = {
    {"hostile-name-of-1025-bytes", "limit.name-bytes",
     "{kind:a, tensors:[{codec:raw, dtype:f32, name:", "a", 1025,
     ", nbytes:0, offset:0, shape:[0]}]}"},
    {"hostile-65-golden-rows", "limit.selftests",
     "{graphs:[{inputs:[{name:x, type:{tensor:{dtype:f32}}}], name:g, nodes:[], outputs:[{name:x}]}"
     "], kind:a, opset:{}, selftest:[",
     "{atol:0.0, inputs:[t], outputs:[t], rtol:0.0},", 65,
     "], tensors:[{codec:raw, dtype:f32, name:t, nbytes:0, offset:0, shape:[0]}]}"},
    {"hostile-1025-graphs", "limit.graphs", "{graphs:[",
     "{inputs:[], nodes:[], outputs:[{name:t}]},", 1025,
     "], kind:a, opset:{}, tensors:[{codec:raw, dtype:f32, name:t, nbytes:0, offset:0, "
     "shape:[0]}]}"},
    {"hostile-65537-edges", "limit.node-edges",
     "{graphs:[{inputs:[{name:x, type:{tensor:{dtype:f32}}}], name:g, nodes:[{in:[", "x,", 65537,
     "], op:Add, out:[y]}], outputs:[{name:x}]}], kind:a, opset:{'':13}, tensors:[]}"},
};

/* Each graph is held by a node of the one before it: one more than may be. */
static void put_deep_graphs(void) {
    const uint64_t deepest = fuzz_limits()->graph_depth + 1;
    seed_buffer text = {0};
    seed_print(&text, "{graphs:[");
    for (uint64_t i = 0; i <= deepest; i++) {
        seed_print(&text, "{inputs:[], nodes:[");
        if (i < deepest) seed_print(&text, "{attr:{body:{graph:%u}}, in:[], ", (unsigned)i + 1);
        if (i < deepest) seed_print(&text, "op:If, out:[v%u]}", (unsigned)i);
        seed_print(&text, "], outputs:[{name:t}]}, ");
    }
    put_list(&text,
             "], kind:a, opset:{'':13}, tensors:[{codec:raw, dtype:f32, name:t, nbytes:0, "
             "offset:0, shape:[0]}]}",
             "", 0, "");
    put_text("hostile-graphs-too-deep", (const char *)text.data, NULL, 0, "limit.graph-depth");
    free(text.data);
}

static void put_limits(void) {
    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        const struct limit_row *row = &limit_rows[i];
        seed_buffer text = {0};
        put_list(&text, row->before, row->item, row->count, row->behind);
        put_text(row->name, (const char *)text.data, NULL, 0, row->rule);
        free(text.data);
    }
    put_deep_graphs();
}

/* ---- wrong data and envelopes */

typedef struct bend {
    const char *name;
    uint64_t at; /* in the envelope, or behind it */
    uint64_t change;
    bool seal; /* digests are right again */
} bend;

/* Bits that change in one byte of the whole small file. */
static const bend bends[] = {
    {"hostile-magic", 2, 1, false},
    {"hostile-version", 10, 2, false},
    {"hostile-chunk-size-of-2-48", 12, 0x20, false},
    {"hostile-zero", 13, 1, false},
    {"hostile-header-longer", 14, 1, false},
    {"hostile-header-of-2-63-bytes", 21, 0x80, false},
    {"hostile-table-longer", 22, 0x20, false},
    {"hostile-data-elsewhere", 31, 0x20, false},
    {"hostile-data-longer", 38, 1, false},
    {"hostile-data-of-2-63-bytes", 45, 0x80, false},
    {"hostile-header-digest", 46, 1, false},
    {"hostile-table-digest", 78, 1, false},
    {"hostile-key-without-signature", 110, 1, false},
    {"hostile-signature-without-key", 118, 1, false},
    {"hostile-behind-the-signature", 200, 1, false},
    {"hostile-header-altered", ENVELOPE_BYTES + 9, 1, false},
    {"hostile-slack", 4000, 1, false},
    {"hostile-data-altered", 4096, 1, false},
    {"hostile-padding-between-tensors", 4096 + 12, 1, true},
    {"hostile-padding-at-its-end", 4096 + 63, 0x80, true},
    {"hostile-string-offset", 4096 + 256 + 15, 0x80, true},
    {"hostile-string-not-utf8", 4096 + 256 + 24, 0x80, true},
};

static void put_bent(const char *name, const uint8_t *file, size_t size) {
    (void)refusal(file, size);
    for (size_t i = 0; i < FILE_TARGETS; i++) seed_put(file_targets[i], name, file, size);
}

static void put_bends(void) {
    uint8_t data[DATA_BYTES + 1];
    wlk_buffer header = wlk_text_encode(whole, NULL);
    whole_data(data);
    data[DATA_BYTES] = 0;
    for (size_t i = 0; i < sizeof bends / sizeof *bends; i++) {
        uint8_t *file;
        size_t size;
        wlk_file_build(header.data, header.size, data, DATA_BYTES, &file, &size);
        file[bends[i].at] ^= (uint8_t)bends[i].change;
        if (bends[i].seal) wlk_file_seal(file, size);
        put_bent(bends[i].name, file, size);
        free(file);
    }
    uint8_t *file;
    size_t size;
    wlk_file_build(header.data, header.size, data, DATA_BYTES + 1, &file, &size);
    put_bent("hostile-data-behind-the-last-tensor", file, size);
    put_bent("hostile-cut-in-the-data", file, size - 100);
    put_bent("hostile-cut-in-the-header", file, 300);
    put_bent("hostile-cut-in-the-envelope", file, 200);
    put_bent("hostile-nothing", file, 0);
    put_bent("hostile-no-format", data, 16);
    free(file);
    free(header.data);
}

static void put_good(void) {
    uint8_t data[DATA_BYTES], *file;
    size_t size;
    wlk_buffer header = wlk_text_encode(whole, NULL);
    whole_data(data);
    wlk_file_build(header.data, header.size, data, DATA_BYTES, &file, &size);
    if (refusal(file, size) != RULE_NONE) seed_fail("the whole file", NULL);
    put_file("whole", file, size, true);
    seeds_image("whole", file, size);
    seeds_plan("whole", file, size);
    seeds_image_hostile(file, size);
    seeds_wire("whole", file, size);
    seeds_wire_hostile(file, size);
    free(file);
    free(header.data);
}

void seeds_wlk(void) {
    const model_visitor each = {NULL, visit_model}, written = {NULL, visit_written},
                        bad = {NULL, visit_bad};
    models_core(&each);
    models_operators(&each);
    models_core(&written);
    models_bad(&bad);
    put_packed();
    put_good();
    put_hostile_headers();
    put_limits();
    put_bends();
}
