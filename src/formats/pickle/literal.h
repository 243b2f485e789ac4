/* Opcodes that are a value by themselves: numbers, texts, bytes. */
#ifndef WLK_FORMATS_PICKLE_LITERAL_H
#define WLK_FORMATS_PICKLE_LITERAL_H

#include "formats/pickle/machine.h"
#include "formats/pickle/opcodes.h"

/* Is the opcode one of them: INT to BYTEARRAY8, NONE, NEWTRUE, NEWFALSE? */
bool pickle_is_literal(uint8_t code);

/* The value of an opcode that is: what has to be decoded lies in the arena, all else stays in the
 * stream. Refuses as pickle.argument. */
wlk_status pickle_literal(pickle *p, const pickle_opcode *op, py_value **value, wlk_error *error);

/* Is it UTF-8, where surrogates are allowed (Python's "surrogatepass")? */
bool pickle_text_valid(py_text text);

#endif
