/* A pickle as a list of opcodes, for who makes inputs: stack and memo are simulated, so that
 * values can be cut out, copied and swapped, and what a change broke can be mended. The raw
 * bytes of joblib's arrays are members of the list too. */
#ifndef WEIGHLOCK_FUZZ_PICKLE_OPS_H
#define WEIGHLOCK_FUZZ_PICKLE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_OPS 8192
#define PK_IDS (4 * PK_OPS)
#define PK_WORDS (1u << 18)
#define PK_NONE UINT32_MAX

typedef struct pk_op {
    const uint8_t *argument; /* as it lies behind the opcode; of raw bytes all of them */
    uint32_t length;
    uint32_t id;     /* its own, whatever is inserted before it */
    uint32_t refers; /* of what takes from the memo: the id of what put it there */
    uint32_t offset; /* where it was read */
    uint8_t code;
    bool raw; /* no opcode: bytes that stand between */
} pk_op;

typedef struct pk_list {
    pk_op ops[PK_OPS];
    uint32_t count;
    uint32_t ids;            /* so far */
    uint8_t words[PK_WORDS]; /* arguments that were made */
    size_t used;
} pk_list;

/* Takes apart what lives as long as the list. What is no opcode, and what there is no room
 * for, becomes raw. */
void pk_decode(pk_list *list, const uint8_t *data, size_t size);

/* Writes it; numbers of the memo become what they have to be, lengths of frames too. Returns
 * its size, 0 if there is no room. */
size_t pk_encode(const pk_list *list, uint8_t *out, size_t room);

/* For each opcode where the value begins that lies on top of the stack behind it: the index of
 * the first opcode of its expression; PK_NONE if it leaves none there. */
void pk_spans(const pk_list *list, uint32_t *starts);

/* What takes more than there is gets None; a mark that is missing takes its opcode along; one
 * value is left to STOP, which there is. */
void pk_mend(pk_list *list);

/* ops[at..at + removed) become piece[0..count), each with an id of its own: what refers within
 * the piece still does. False if there is no room. */
bool pk_splice(pk_list *list, uint32_t at, uint32_t removed, const pk_op *piece, uint32_t count);

/* An opcode with this argument, which is copied. */
pk_op pk_make(pk_list *list, uint8_t code, const void *argument, size_t length);
/* The same of a whole number, a text (shorter than 64 KiB), a global. */
pk_op pk_make_int(pk_list *list, int64_t number);
pk_op pk_make_text(pk_list *list, const void *text, size_t length);
pk_op pk_make_global(pk_list *list, const char *module, const char *name);

/* The bytes of a text or of bytes, without its length; NULL of other opcodes. */
const uint8_t *pk_text(const pk_op *op, uint32_t *length);
/* The opcode with other bytes: its length is what it has to be. */
pk_op pk_with_text(pk_list *list, const pk_op *op, const void *text, size_t length);
/* Is it a whole number? */
bool pk_int(const pk_op *op, int64_t *number);

bool pk_puts(const pk_op *op); /* into the memo */
bool pk_gets(const pk_op *op);

#endif
