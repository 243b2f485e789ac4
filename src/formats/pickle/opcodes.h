/* The opcodes of pickle, protocols 0 to 5, and how they lie in a stream (Python's
 * Lib/pickletools.py). */
#ifndef WLK_FORMATS_PICKLE_OPCODES_H
#define WLK_FORMATS_PICKLE_OPCODES_H

#include "base/cursor.h"
#include "base/error.h"
#include "formats/pickle/value.h"

/* What follows the opcode's byte. */
typedef enum pickle_argument {
    ARGUMENT_NONE = 0,
    ARGUMENT_U1,
    ARGUMENT_U2,
    ARGUMENT_U4,
    ARGUMENT_I4,
    ARGUMENT_U8,
    ARGUMENT_F8,     /* big-endian */
    ARGUMENT_BYTES1, /* a length of one byte, and so many bytes */
    ARGUMENT_BYTES4,
    ARGUMENT_SIGNED4, /* the length is signed, but never negative */
    ARGUMENT_BYTES8,
    /* Text up to the next newline: */
    ARGUMENT_LINE,
    ARGUMENT_LINES,  /* two of them */
    ARGUMENT_INT,    /* a decimal number, or 00 and 01: False and True */
    ARGUMENT_LONG,   /* a decimal number, with or without an L behind it */
    ARGUMENT_PLACE,  /* a decimal number that is not negative */
    ARGUMENT_FLOAT,  /* as Python's repr has it */
    ARGUMENT_QUOTED, /* in quotes, with escapes */
    ARGUMENT_COUNT
} pickle_argument;

/* OPCODE(symbol, byte, argument, pops, to_mark, pushes): `pops` values are taken from the
 * stack, or looked at, and, if to_mark, all above the latest mark and the mark, which lie
 * above them; then there are `pushes` more. (OBJ takes the class from above the mark.) */
#define PICKLE_OPCODES(OPCODE)                      \
    OPCODE(MARK, 0x28, NONE, 0, 0, 0)               \
    OPCODE(STOP, 0x2e, NONE, 1, 0, 0)               \
    OPCODE(POP, 0x30, NONE, 1, 0, 0)                \
    OPCODE(POP_MARK, 0x31, NONE, 0, 1, 0)           \
    OPCODE(DUP, 0x32, NONE, 1, 0, 2)                \
    OPCODE(FLOAT, 0x46, FLOAT, 0, 0, 1)             \
    OPCODE(INT, 0x49, INT, 0, 0, 1)                 \
    OPCODE(BININT, 0x4a, I4, 0, 0, 1)               \
    OPCODE(BININT1, 0x4b, U1, 0, 0, 1)              \
    OPCODE(LONG, 0x4c, LONG, 0, 0, 1)               \
    OPCODE(BININT2, 0x4d, U2, 0, 0, 1)              \
    OPCODE(NONE, 0x4e, NONE, 0, 0, 1)               \
    OPCODE(PERSID, 0x50, LINE, 0, 0, 1)             \
    OPCODE(BINPERSID, 0x51, NONE, 1, 0, 1)          \
    OPCODE(REDUCE, 0x52, NONE, 2, 0, 1)             \
    OPCODE(STRING, 0x53, QUOTED, 0, 0, 1)           \
    OPCODE(BINSTRING, 0x54, SIGNED4, 0, 0, 1)       \
    OPCODE(SHORT_BINSTRING, 0x55, BYTES1, 0, 0, 1)  \
    OPCODE(UNICODE, 0x56, LINE, 0, 0, 1)            \
    OPCODE(BINUNICODE, 0x58, BYTES4, 0, 0, 1)       \
    OPCODE(APPEND, 0x61, NONE, 2, 0, 1)             \
    OPCODE(BUILD, 0x62, NONE, 2, 0, 1)              \
    OPCODE(GLOBAL, 0x63, LINES, 0, 0, 1)            \
    OPCODE(DICT, 0x64, NONE, 0, 1, 1)               \
    OPCODE(EMPTY_DICT, 0x7d, NONE, 0, 0, 1)         \
    OPCODE(APPENDS, 0x65, NONE, 1, 1, 1)            \
    OPCODE(GET, 0x67, PLACE, 0, 0, 1)               \
    OPCODE(BINGET, 0x68, U1, 0, 0, 1)               \
    OPCODE(INST, 0x69, LINES, 0, 1, 1)              \
    OPCODE(LONG_BINGET, 0x6a, U4, 0, 0, 1)          \
    OPCODE(LIST, 0x6c, NONE, 0, 1, 1)               \
    OPCODE(EMPTY_LIST, 0x5d, NONE, 0, 0, 1)         \
    OPCODE(OBJ, 0x6f, NONE, 0, 1, 1)                \
    OPCODE(PUT, 0x70, PLACE, 1, 0, 1)               \
    OPCODE(BINPUT, 0x71, U1, 1, 0, 1)               \
    OPCODE(LONG_BINPUT, 0x72, U4, 1, 0, 1)          \
    OPCODE(SETITEM, 0x73, NONE, 3, 0, 1)            \
    OPCODE(TUPLE, 0x74, NONE, 0, 1, 1)              \
    OPCODE(EMPTY_TUPLE, 0x29, NONE, 0, 0, 1)        \
    OPCODE(SETITEMS, 0x75, NONE, 1, 1, 1)           \
    OPCODE(BINFLOAT, 0x47, F8, 0, 0, 1)             \
    OPCODE(PROTO, 0x80, U1, 0, 0, 0)                \
    OPCODE(NEWOBJ, 0x81, NONE, 2, 0, 1)             \
    OPCODE(EXT1, 0x82, U1, 0, 0, 1)                 \
    OPCODE(EXT2, 0x83, U2, 0, 0, 1)                 \
    OPCODE(EXT4, 0x84, I4, 0, 0, 1)                 \
    OPCODE(TUPLE1, 0x85, NONE, 1, 0, 1)             \
    OPCODE(TUPLE2, 0x86, NONE, 2, 0, 1)             \
    OPCODE(TUPLE3, 0x87, NONE, 3, 0, 1)             \
    OPCODE(NEWTRUE, 0x88, NONE, 0, 0, 1)            \
    OPCODE(NEWFALSE, 0x89, NONE, 0, 0, 1)           \
    OPCODE(LONG1, 0x8a, BYTES1, 0, 0, 1)            \
    OPCODE(LONG4, 0x8b, SIGNED4, 0, 0, 1)           \
    OPCODE(BINBYTES, 0x42, BYTES4, 0, 0, 1)         \
    OPCODE(SHORT_BINBYTES, 0x43, BYTES1, 0, 0, 1)   \
    OPCODE(SHORT_BINUNICODE, 0x8c, BYTES1, 0, 0, 1) \
    OPCODE(BINUNICODE8, 0x8d, BYTES8, 0, 0, 1)      \
    OPCODE(BINBYTES8, 0x8e, BYTES8, 0, 0, 1)        \
    OPCODE(EMPTY_SET, 0x8f, NONE, 0, 0, 1)          \
    OPCODE(ADDITEMS, 0x90, NONE, 1, 1, 1)           \
    OPCODE(FROZENSET, 0x91, NONE, 0, 1, 1)          \
    OPCODE(NEWOBJ_EX, 0x92, NONE, 3, 0, 1)          \
    OPCODE(STACK_GLOBAL, 0x93, NONE, 2, 0, 1)       \
    OPCODE(MEMOIZE, 0x94, NONE, 1, 0, 1)            \
    OPCODE(FRAME, 0x95, U8, 0, 0, 0)                \
    OPCODE(BYTEARRAY8, 0x96, BYTES8, 0, 0, 1)       \
    OPCODE(NEXT_BUFFER, 0x97, NONE, 0, 0, 1)        \
    OPCODE(READONLY_BUFFER, 0x98, NONE, 1, 0, 1)

enum pickle_code {
#define OPCODE(symbol, byte, argument, pops, to_mark, pushes) OP_##symbol = byte,
    PICKLE_OPCODES(OPCODE)
#undef OPCODE
};

typedef struct pickle_opcode_row {
    const char *name; /* as pickletools has it; NULL: the byte is no opcode */
    uint8_t argument; /* pickle_argument */
    uint8_t pops;
    uint8_t to_mark;
    uint8_t pushes;
} pickle_opcode_row;

extern const pickle_opcode_row pickle_opcode_rows[256];

typedef struct pickle_opcode {
    uint8_t code;
    uint64_t offset;
    int64_t number; /* I4, U1 to U4, PLACE (at most 2^63 - 1), and U8 as its 64 bits */
    double real;    /* F8 */
    py_text text;   /* of BYTES and lines, without the newline; of QUOTED without quotes */
    py_text second; /* of LINES */
} pickle_opcode;

/* Reads the next opcode with its argument. RULE_NONE, or what is wrong: pickle.truncated,
 * pickle.opcode, pickle.argument; opcode->offset is set then too, and the cursor is anywhere.
 * What of a textual argument Python's own readers understand differently is wrong. */
wlk_rule pickle_next(cursor *stream, pickle_opcode *opcode);

/* Do these bytes begin like a pickle: with PROTO and at most 5; or, as protocols 0 and 1 do,
 * with opcodes that never take from the stack what is not there, refer to nothing outside, and
 * end with STOP, if not after the first 64? */
bool pickle_looks_like(const uint8_t *data, uint64_t size);

#endif
