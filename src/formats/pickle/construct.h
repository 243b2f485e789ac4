/* What a call in a pickle makes: inert values, by the rows of the allowlist. */
#ifndef WLK_FORMATS_PICKLE_CONSTRUCT_H
#define WLK_FORMATS_PICKLE_CONSTRUCT_H

#include "formats/pickle/machine.h"

/* A call of the value with a TUPLE of arguments. Refuses what is no global (pickle.type), what
 * is only named, and arguments that its own writer never gives (pickle.call). */
wlk_status py_call(pickle *p, const py_value *callable, const py_value *arguments, uint64_t offset,
                   py_value **made, wlk_error *error);

/* The same where the opcode asks for a class's instance without its constructor: only of
 * rows that stand for classes. */
wlk_status py_instance(pickle *p, const py_value *class, const py_value *arguments, uint64_t offset,
                       py_value **made, wlk_error *error);

/* Is it what can be a key of a dict, or lie in a set? (Not what a tuple holds.) */
bool py_is_hashable(const py_value *value);

/* Is it an object of joblib that stands for an array? */
bool py_is_wrapper(const py_value *value);

#endif
