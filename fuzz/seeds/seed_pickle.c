/* Pickles from the tables of their parser: one for each opcode, one for each kind of what a
 * global stands for, and what is wrong by one defect each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include <weighlock/parse.h>

#include "formats/pickle/allow.h"
#include "formats/pickle/opcodes.h"
#include "kit/input_pickle.h"
#include "seeds/seeds.h"

static void put_for(const char *target, const char *name, const seed_buffer *file) {
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    const wlk_status status = wlk_parse_memory(file->data, file->size, WLK_FORMAT_PICKLE,
                                               pickle_limits(), &model, &error);
    wlk_model_free(model);
    if (status != WLK_OK) rules_reached((wlk_rule)error.rule);
    seed_put(target, name, file->data, file->size);
}

static void put(const char *name, const seed_buffer *file) {
    put_for("pickle", name, file);
}

static void put_bytes(const char *name, const char *bytes, size_t size) {
    seed_buffer file = {0};
    seed_add(&file, bytes, size);
    put(name, &file);
    free(file.data);
}

static void add_byte(seed_buffer *file, uint8_t byte) {
    seed_add(file, &byte, 1);
}

/* ---- one for each opcode */

static const struct {
    const char *bytes;
    size_t size;
} arguments[ARGUMENT_COUNT] = {
    [ARGUMENT_U1] = {"\1", 1},
    [ARGUMENT_U2] = {"\1\2", 2},
    [ARGUMENT_U4] = {"\1\0\0\0", 4},
    [ARGUMENT_I4] = {"\xfe\xff\xff\xff", 4},
    [ARGUMENT_U8] = {"\2\0\0\0\0\0\0\0", 8},
    [ARGUMENT_F8] = {"\x3f\xf8\0\0\0\0\0\0", 8},
    [ARGUMENT_BYTES1] = {"\2ab", 3},
    [ARGUMENT_BYTES4] = {"\2\0\0\0ab", 6},
    [ARGUMENT_SIGNED4] = {"\2\0\0\0ab", 6},
    [ARGUMENT_BYTES8] = {"\2\0\0\0\0\0\0\0ab", 10},
    [ARGUMENT_LINE] = {"ab\n", 3},
    [ARGUMENT_LINES] = {"collections\nOrderedDict\n", 24},
    [ARGUMENT_INT] = {"01\n", 3},
    [ARGUMENT_LONG] = {"-12L\n", 5},
    [ARGUMENT_PLACE] = {"1\n", 2},
    [ARGUMENT_FLOAT] = {"-1.5e-07\n", 9},
    [ARGUMENT_QUOTED] = {"'a\\x00\\'b'\n", 11},
};

/* What most of them want to find: texts and containers, something in the memo at 1, a mark. */
static void add_stack(seed_buffer *file, uint8_t code) {
    const pickle_opcode_row *row = &pickle_opcode_rows[code];
    const bool fills = code == OP_APPEND || code == OP_APPENDS || code == OP_ADDITEMS ||
                       code == OP_SETITEM || code == OP_SETITEMS;
    if (code == OP_GET || code == OP_BINGET || code == OP_LONG_BINGET) {
        seed_print(file, "]q%c0", 1);
    }
    if (fills) {
        add_byte(file, code == OP_APPEND || code == OP_APPENDS ? OP_EMPTY_LIST
                       : code == OP_ADDITEMS                   ? OP_EMPTY_SET
                                                               : OP_EMPTY_DICT);
    } else if (code == OP_REDUCE || code == OP_NEWOBJ || code == OP_NEWOBJ_EX) {
        seed_print(file, code == OP_REDUCE ? "cbuiltins\nlist\n" : "cbuiltins\nslice\n");
    } else if (code == OP_BUILD) {
        seed_print(file, "csklearn.dummy\nDummyClassifier\n)\x81");
    } else if (code == OP_STACK_GLOBAL) {
        seed_print(file, "X%c%c%c%cbuiltins", 8, 0, 0, 0);
    }
    if (row->to_mark) add_byte(file, OP_MARK);
    if (code == OP_OBJ) seed_print(file, "cbuiltins\nlist\n");
    if (code == OP_STACK_GLOBAL) seed_print(file, "X%c%c%c%clist", 4, 0, 0, 0);
    if (code == OP_SETITEM) seed_print(file, "I1\n");
    if (code == OP_REDUCE || code == OP_NEWOBJ || code == OP_NEWOBJ_EX)
        add_byte(file, OP_EMPTY_TUPLE);
    if (code == OP_NEWOBJ_EX || code == OP_BUILD) add_byte(file, OP_EMPTY_DICT);
    if (row->to_mark && code != OP_OBJ && code != OP_INST) seed_print(file, "I2\nI3\n");
    if (code == OP_APPEND || code == OP_SETITEM) add_byte(file, OP_NONE);
    if (code >= OP_TUPLE1 && code <= OP_TUPLE3) seed_print(file, "NNN");
    if (row->pops && !fills && !row->to_mark && code < OP_PROTO && code != OP_REDUCE &&
        code != OP_BUILD) {
        add_byte(file, OP_EMPTY_LIST);
    }
    if (code == OP_MEMOIZE || code == OP_READONLY_BUFFER) add_byte(file, OP_EMPTY_LIST);
}

/* In a list, so that one value is left in the end. */
static void put_opcode(uint8_t code) {
    const pickle_opcode_row *row = &pickle_opcode_rows[code];
    seed_buffer file = {0};
    char name[64];
    if (code != OP_PROTO) add_stack(&file, code);
    add_byte(&file, code);
    seed_add(&file, arguments[row->argument].bytes, arguments[row->argument].size);
    if (!row->pushes) add_byte(&file, OP_NONE);
    add_byte(&file, OP_STOP);
    (void)snprintf(name, sizeof name, "opcode-%s", row->name);
    put(name, &file);
    free(file.data);
}

/* ---- one for each kind of global: called with nothing, named alone, and as an instance */

static void put_constructor(const py_global *row, const char *behind, const char *how) {
    seed_buffer file = {0};
    char name[64];
    seed_print(&file, "\x80%cc%s\n%s\n%s.", 2, row->module, row->name, behind);
    (void)snprintf(name, sizeof name, "global-%u-%s", (unsigned)row->makes, how);
    put(name, &file);
    free(file.data);
}

static void put_constructors(void) {
    for (uint32_t makes = 0; makes < PY_CONSTRUCTOR_COUNT; makes++) {
        for (uint32_t i = 0; i < py_allowlist_built_in.count; i++) {
            const py_global *row = &py_allowlist_built_in.rows[i];
            if (row->makes != (py_constructor)makes) continue;
            put_constructor(row, "", "named");
            put_constructor(row, ")R", "called");
            put_constructor(row, ")\x81", "made");
            put_constructor(row, ")\x81}b", "built");
            put_constructor(row, ")R(NNe", "extended");
            put_constructor(row, ")R(NNu", "filled");
            break;
        }
    }
}

/* ---- wrong ones */

#define BYTES(name, text) put_bytes(name, text, sizeof text - 1)

static void put_repeated(const char *name, const char *first, const char *one, size_t count,
                         const char *last) {
    seed_buffer file = {0};
    seed_print(&file, "%s", first);
    for (size_t i = 0; i < count; i++) seed_print(&file, "%s", one);
    seed_print(&file, "%s", last);
    put(name, &file);
    free(file.data);
}

static void put_hostile(void) {
    BYTES("hostile-system", "cos\nsystem\n(S'id'\ntR.");
    BYTES("hostile-eval",
          "\x80\4\x8c\x08"
          "builtins\x8c\4eval\x93\x8c\1"
          "1\x85R.");
    BYTES("hostile-getattr", "c__builtin__\ngetattr\n(c__builtin__\nlist\nS'append'\ntR.");
    BYTES("hostile-dotted-name",
          "\x80\4\x8c\x08"
          "builtins\x8c\x0blist.append\x93.");
    BYTES("hostile-build-on-a-global", "c__builtin__\nlist\n}b.");
    BYTES("hostile-cut", "\x80\4]\x94(K\1K\2");
    BYTES("hostile-no-stack", "\x80\4R.");
    BYTES("hostile-no-mark", "\x80\4]e.");
    BYTES("hostile-memo", "\x80\4j\xff\xff\xff\xff.");
    BYTES("hostile-memo-far", "\x80\4]r\xff\xff\xff\xffj\xff\xff\xff\xff.");
    BYTES("hostile-frame", "\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xffN.");
    BYTES("hostile-long-text",
          "\x80\4\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"
          "a.");
    BYTES("hostile-long-bytes",
          "\x80\4\x8e\0\0\0\0\0\0\0\x80"
          "a.");
    BYTES("hostile-in-itself", "\x80\4]\x94h\0a.");
    BYTES("hostile-dict-in-itself", "\x80\4}\x94h\0h\0s.");
    BYTES("hostile-second", "\x80\4N.\x80\4cos\nsystem\n.");
    BYTES("hostile-behind", "\x80\4N.abc");
    BYTES("hostile-persistent", "\x80\4K\1Q.");
    put_repeated("hostile-opcodes", "", "N0", pickle_limits()->pickle_opcodes / 2 + 1, "N.");
    put_repeated("hostile-objects", "(", "N", pickle_limits()->pickle_objects + 1, "t.");
    put_repeated("hostile-deep", "", "]", 4000, ".");
    put_repeated("hostile-nested", "", "(", 2000, "t.");
    put_repeated("hostile-doubled", "]q", "2e", 100, ".");
}

/* ---- compressed ones that are too much */

static void put_zeros(const char *name, size_t size) {
    uint8_t *zeros = calloc(1, size);
    uLongf length = compressBound(size);
    uint8_t *out = malloc(length);
    if (!zeros || !out || compress2(out, &length, zeros, size, 9) != Z_OK) {
        seed_fail(name, NULL);
    }
    put_for("joblib", name, &(seed_buffer){.data = out, .size = length});
    free(zeros);
    free(out);
}

static void put_compressed(void) {
    static uint8_t dictionary[] = "\x5d\0\0\0\x10\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0";
    static uint8_t promised[] = "ZF0xffffffffffff     \x78\x9c";
    put_for("joblib", "hostile-large-dictionary",
            &(seed_buffer){.data = dictionary, .size = sizeof dictionary - 1});
    put_zeros("hostile-ratio", pickle_limits()->inflated_bytes);
    put_for("joblib", "hostile-length",
            &(seed_buffer){.data = promised, .size = sizeof promised - 1});
}

void seeds_pickle(void) {
    put_compressed();
    for (uint32_t code = 0; code < 256; code++) {
        if (pickle_opcode_rows[code].name) put_opcode((uint8_t)code);
    }
    put_constructors();
    put_hostile();
}
