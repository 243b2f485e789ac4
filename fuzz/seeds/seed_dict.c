/* Dictionaries: words that inputs are made of, for libFuzzer and AFL++. One group a
 * language, several groups a target. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/envelope.h"
#include "formats/onnx/schema.h"
#include "formats/pickle/allow.h"
#include "formats/pickle/opcodes.h"
#include "formats/wlk/scan.h"
#include "image/records.h"
#include "infer/ops.h"
#include "seeds/seed_answer.h"
#include "seeds/seeds.h"
#include "wire/frame.h"

#define SHORTEST 2
#define LONGEST 40

/* ---- entries: each once, in the order in which they come */

static void add_entry(seed_buffer *out, const void *data, size_t size) {
    seed_buffer line = {0};
    const uint8_t *bytes = data;
    seed_print(&line, "\"");
    for (size_t i = 0; i < size; i++) {
        const bool plain = bytes[i] > ' ' && bytes[i] < 0x7f && !strchr("\"\\", bytes[i]);
        seed_print(&line, plain ? "%c" : "\\x%02x", bytes[i]);
    }
    seed_print(&line, "\"\n");
    const bool known = out->size && memmem(out->data, out->size, line.data, line.size);
    if (!known) seed_add(out, line.data, line.size);
    free(line.data);
}

static void add_words(seed_buffer *out, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) add_entry(out, words[i], strlen(words[i]));
}

/* As msgpack has it, with its head. */
static void add_text(seed_buffer *out, const char *text, size_t length) {
    uint8_t packed[LONGEST + 2];
    if (length > LONGEST) return;
    const size_t head = length < 32 ? 1 : 2;
    packed[0] = head == 1 ? (uint8_t)(0xa0 | length) : 0xd9;
    packed[head - 1] = head == 1 ? packed[0] : (uint8_t)length;
    memcpy(packed + head, text, length);
    add_entry(out, packed, head + length);
}

/* ---- groups */

static void group_dtypes(seed_buffer *out) {
    for (uint32_t d = 1; d < WLK_DTYPE_COUNT; d++) {
        const char *name = wlk_dtype_name((wlk_dtype)d);
        add_entry(out, name, strlen(name));
    }
}

static void group_operators(seed_buffer *out) {
    for (uint32_t i = 0; i < OP_DOMAINS; i++) {
        if (op_domains[i].name[0]) add_text(out, op_domains[i].name, strlen(op_domains[i].name));
    }
    for (uint32_t i = 0; ops_row(i); i++) {
        const op_row *row = ops_row(i);
        add_text(out, row->name, strlen(row->name));
        for (uint32_t a = 0; a < row->attribute_count; a++) {
            add_text(out, row->attributes[a].name, strlen(row->attributes[a].name));
            const char *word = row->attributes[a].s;
            if (word) add_text(out, word, strlen(word));
        }
    }
    static const char *const values[] = {"SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT", "OVR",
                                         "L1",      "L2"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        add_text(out, values[i], strlen(values[i]));
    }
}

/* Every key that the headers of the seeds have. */
static seed_buffer header_words;

void dictionary_learn(const uint8_t *header, size_t size) {
    for (cursor at = cursor_over(header, size, 0); cursor_left(&at) > 0;) {
        const token t = scan_head(&at);
        if (t.kind != KIND_STR || t.count < SHORTEST) continue;
        add_text(&header_words, (const char *)t.text, t.count);
    }
}

static void group_header(seed_buffer *out) {
    seed_add(out, header_words.data, header_words.size);
}

static void group_msgpack(seed_buffer *out) {
    static const char *const heads[] = {"\x80", "\x81", "\x8f", "\x90", "\x91", "\x9f", "\xa0",
                                        "\xbf", "\xc0", "\xc1", "\xc2", "\xc3", "\xc4", "\xc7",
                                        "\xca", "\xcb", "\xcc", "\xcd", "\xce", "\xcf", "\xd0",
                                        "\xd1", "\xd2", "\xd3", "\xd4", "\xd8", "\xd9", "\xda",
                                        "\xdb", "\xdc", "\xdd", "\xde", "\xdf", "\xe0", "\xff"};
    add_words(out, heads, sizeof heads / sizeof *heads);
    add_entry(out, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    add_entry(out, "\xcf\x80\0\0\0\0\0\0\0", 9);
    add_entry(out, "\xcb\x7f\xf8\0\0\0\0\0\0", 9);
    add_entry(out, "\xcb\x7f\xf0\0\0\0\0\0\0", 9);
    add_entry(out, "\xdd\xff\xff\xff\xff", 5);
    add_entry(out, "\xdf\xff\xff\xff\xff", 5);
}

static void group_envelope(seed_buffer *out) {
    const envelope e = {.chunk_log2 = 20, .data_off = ENVELOPE_DATA_ALIGN};
    uint8_t bytes[ENVELOPE_BYTES];
    envelope_encode(&e, bytes);
    add_entry(out, bytes, 2);
    add_entry(out, bytes + 2, 8);
    add_entry(out, bytes + 10, 4);
    add_entry(out, bytes + 30, 8);
}

/* Numbers as records have them. */
static void group_edges(seed_buffer *out) {
    static const uint64_t edges[] = {0,          1,         0x7fffffff, 0x80000000,     0xfffffffe,
                                     0xffffffff, INT64_MAX, 1ull << 63, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (edges[i] <= UINT32_MAX) add_entry(out, &edges[i], 4);
        add_entry(out, &edges[i], 8);
    }
}

static void group_image(seed_buffer *out) {
    static const uint32_t magic[] = {IMAGE_MAGIC, IMAGE_VERSION};
    add_entry(out, magic, sizeof magic);
}

static void group_wire(seed_buffer *out) {
    for (uint32_t type = FRAME_ORDER; type < FRAME_TYPE_COUNT; type++) {
        const frame_header header = frame_make((frame_type)type, 0, 0, 0, 0);
        add_entry(out, &header, 8);
    }
    for (uint16_t flags = 0; flags <= (FRAME_RAW | FRAME_MAPPED); flags++) {
        const frame_header header = frame_make(FRAME_DATA, flags, 0, 0, 0);
        add_entry(out, &header, 8);
    }
}

static void group_rules(seed_buffer *out) {
    for (uint32_t rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        const wire_refuse refuse = {.rule = rule, .status = (uint32_t)rule_status(rule)};
        wlk_error error;
        (void)wire_check_refuse(&refuse, &error);
        if (error.rule == rule) add_entry(out, &refuse, 8);
    }
}

static void group_keys(seed_buffer *out) {
    static const char *const words[] = {"untrusted comment: ",
                                        "trusted comment: ",
                                        "valid-from: ",
                                        "valid-until: ",
                                        "revoked: ",
                                        "minisign public key ",
                                        "minisign encrypted secret key",
                                        "signature from minisign secret key",
                                        "timestamp:",
                                        "RWQ",
                                        "RUT",
                                        "RWS",
                                        "RUQ",
                                        "ED",
                                        "Ed",
                                        "Sc",
                                        "B2",
                                        "==",
                                        "1970-01-01",
                                        "9999-12-31",
                                        "2024-02-29",
                                        "\n",
                                        "\r\n"};
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_policy(seed_buffer *out) {
    static const char *const words[] = {"[limits]", "[trust]", "[audit]",     "folder", "threshold",
                                        "legacy",   "nan",     "infinity",    "accept", "refuse",
                                        "report",   "ignore",  " = ",         "KiB",    "MiB",
                                        "GiB",      "TiB",     "ms",          "s",      "#",
                                        "\n",       "\r\n",    "\xef\xbb\xbf"};
    wlk_limit_row row;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) add_entry(out, row.name, strlen(row.name));
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_digests(seed_buffer *out) {
    static const char *const words[] = {"SHA256 (", "BLAKE2b (", "BLAKE2b-256 (", ") = ", "  ",
                                        " *",       "\\n",       "\\r",           "\\\\", "\n"};
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_json(seed_buffer *out) {
    static const char *const words[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        "\":",
                                        ",",
                                        "null",
                                        "true",
                                        "false",
                                        "NaN",
                                        "-0",
                                        "1e308",
                                        "1e-400",
                                        "\\u0000",
                                        "\\ud800",
                                        "\\ud83d\\udea2",
                                        "\\\"",
                                        "9223372036854775807",
                                        "18446744073709551615",
                                        "-9223372036854775808"};
    add_words(out, words, sizeof words / sizeof *words);
}

/* Keys of a model's description. */
static void group_spec(seed_buffer *out) {
    static const char *const words[] = {
        "\"graph\"",   "\"graphs\"",   "\"inputs\"",   "\"outputs\"",  "\"nodes\"",
        "\"tensors\"", "\"opset\"",    "\"selftest\"", "\"metadata\"", "\"kind\"",
        "\"name\"",    "\"version\"",  "\"created\"",  "\"producer\"", "\"type\"",
        "\"tensor\"",  "\"sequence\"", "\"optional\"", "\"map\"",      "\"key\"",
        "\"value\"",   "\"dtype\"",    "\"shape\"",    "\"op\"",       "\"domain\"",
        "\"in\"",      "\"out\"",      "\"attr\"",     "\"file\"",     "\"strings\"",
        "\"values\"",  "\"raw\"",      "\"block\"",    "\"bytes\"",    "\"elements\"",
        "\"rtol\"",    "\"atol\"",     "\"int\"",      "\"float\"",    "\"string\"",
        "\"ints\"",    "\"floats\""};
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_paths(seed_buffer *out) {
    static const char *const words[] = {"/kind",     "/name",      "/version", "/created",
                                        "/producer", "/metadata/", "metrics",  "hyperparameters",
                                        "training",  "libraries",  "source",   "tags",
                                        "/-",        "/0",         "/1",       "~0",
                                        "~1",        "/x-",        ":=",       "="};
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_csv(seed_buffer *out) {
    static const char *const words[] = {
        ",",     ";",      "\t",           "\"",   "\"\"",       "\n",
        "\r\n",  "\r",     "nan",          "NaN",  "inf",        "-inf",
        "1e308", "1e-320", "-0",           "0x10", "True",       "NA",
        "\xff",  "256",    "\xef\xbb\xbf", "-129", "4294967296", "9223372036854775808"};
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_npy(seed_buffer *out) {
    static const char *const words[] = {"\x93NUMPY", "\x01",           "\x02",
                                        "\x03",      "{'descr': '",    "', 'fortran_order': ",
                                        "False",     "True",           ", 'shape': (",
                                        ",)",        "), }",           "'<f8'",
                                        "'<f4'",     "'<f2'",          "'>f4'",
                                        "'|b1'",     "'|u1'",          "'<i8'",
                                        "'<u4'",     "'<U3'",          "'|S3'",
                                        "'|O'",      "'<c16'",         "'=f8'",
                                        "'<M8[s]'",  "[('a', '<f4')]", "\n"};
    add_words(out, words, sizeof words / sizeof *words);
}

/* ---- ONNX: fields of names, as Protocol Buffers have them */

static void add_field_text(seed_buffer *out, uint32_t number, const char *text) {
    const size_t length = strlen(text);
    uint8_t field[LONGEST + 2] = {(uint8_t)(number << 3 | 2), (uint8_t)length};
    if (length > LONGEST) return;
    memcpy(field + 2, text, length);
    add_entry(out, field, 2 + length);
}

static void group_onnx(seed_buffer *out) {
    for (uint32_t i = 0; i < OP_DOMAINS; i++) add_field_text(out, NODE_DOMAIN, op_domains[i].name);
    for (uint32_t i = 0; ops_row(i); i++) {
        const op_row *row = ops_row(i);
        add_field_text(out, NODE_OP, row->name);
        for (uint32_t a = 0; a < row->attribute_count; a++) {
            add_field_text(out, ATTRIBUTE_NAME, row->attributes[a].name);
            if (row->attributes[a].s) add_field_text(out, ATTRIBUTE_S, row->attributes[a].s);
        }
    }
    add_entry(out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    add_entry(out, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10);
    add_entry(out, "\xff\xff\xff\xff\x0f", 5);
}

/* ---- pickles: globals, opcodes, and what arrays are said to be */

static void add_global(seed_buffer *out, const py_global *row) {
    char text[256];
    const int length = snprintf(text, sizeof text, "c%s\n%s\n", row->module, row->name);
    add_entry(out, text, (size_t)length);
}

static void group_pickle(seed_buffer *out) {
    static const char *const words[] = {"\x80\x02", "\x80\x04", "\x80\x05", "q\x01",   "h\x01",
                                        "tR",       ")R",       "\x81}b",   "\x94",    "\x93",
                                        "\x85R",    "latin1",   "C\x01",    "\x8c\x01"};
    for (uint32_t code = 0; code < 256; code++) {
        const uint8_t twice[2] = {(uint8_t)code, OP_STOP};
        if (pickle_opcode_rows[code].name) add_entry(out, twice, sizeof twice);
    }
    for (uint32_t i = 0; i < py_allowlist_built_in.count; i++) {
        add_global(out, &py_allowlist_built_in.rows[i]);
    }
    add_words(out, words, sizeof words / sizeof *words);
}

static void group_compressed(seed_buffer *out) {
    static const struct {
        const char *bytes;
        size_t size;
    } heads[] = {{"\x78\x9c", 2},
                 {"\x78\x01", 2},
                 {"\x1f\x8b\x08\0", 4},
                 {"BZh9", 4},
                 {"BZh1", 4},
                 {"\xfd\x37zXZ\0", 6},
                 {"\x5d\0\0", 3},
                 {"\x04\x22\x4d\x18", 4},
                 {"ZF0x", 4},
                 {"1AY&SY", 6},
                 {"\x17\x72\x45\x38\x50\x90", 6}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        add_entry(out, heads[i].bytes, heads[i].size);
    }
}

/* ---- targets */

typedef void (*group)(seed_buffer *out);

#define FILE_GROUPS group_envelope, group_header, group_msgpack, group_dtypes, group_operators
static const struct {
    const char *target;
    group groups[8];
} dictionaries[] = {
    {"wlk", {FILE_GROUPS}},
    {"lazy", {FILE_GROUPS}},
    {"roundtrip", {FILE_GROUPS}},
    {"run", {FILE_GROUPS}},
    {"envelope", {group_envelope, group_edges}},
    {"digests", {group_edges}},
    {"header", {group_header, group_msgpack, group_dtypes, group_operators}},
    {"image", {group_image, group_edges, group_dtypes}},
    {"plan", {group_image, group_edges, group_dtypes, group_operators}},
    {"wire", {group_wire, group_rules, group_image, group_edges}},
    {"order", {group_wire, group_edges}},
    {"minisig", {group_keys}},
    {"trusted_key", {group_keys}},
    {"secret_key", {group_keys}},
    {"digest_list", {group_digests}},
    {"policy", {group_policy}},
    {"meta_edit", {group_paths, group_json}},
    {"json_spec", {group_json, group_spec, group_dtypes}},
    {"pack", {group_json, group_spec, group_dtypes}},
    {"csv", {group_csv, group_dtypes}},
    {"npy", {group_npy}},
    {"npy_model", {group_npy, group_pickle}},
    {"pickle", {group_pickle}},
    {"sklearn", {group_pickle}},
    {"joblib", {group_compressed, group_edges}},
    {"inflate", {group_compressed, group_edges}},
    {"onnx", {group_onnx}},
    {"onnx_run", {group_onnx}},
    {"onnx_write", {group_onnx}},
    {"report", {group_json, group_dtypes}},
    {"report_json", {group_json, group_dtypes}},
};

void seeds_dictionaries(void) {
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
        seed_buffer out = {0};
        for (size_t g = 0; g < 8 && dictionaries[i].groups[g]; g++) dictionaries[i].groups[g](&out);
        seed_dictionary(dictionaries[i].target, (const char *)out.data, out.size);
        free(out.data);
    }
    free(header_words.data);
}
