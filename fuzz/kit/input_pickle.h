/* Limits for targets that read pickles. What a pickle makes of its bytes goes by objects and
 * by what estimators say, not by its length: small, so that a bound on memory means
 * something. */
#ifndef WEIGHLOCK_FUZZ_INPUT_PICKLE_H
#define WEIGHLOCK_FUZZ_INPUT_PICKLE_H

#include <weighlock/limits.h>

const wlk_limits *pickle_limits(void);

/* What may be held at once under these limits, whatever the input: values, what estimators
 * take, the image and its sections while they grow. */
#define PICKLE_MEMORY (24u << 20)
/* And for each byte of it: a value, a place on the stack, in the memo and in a list, each
 * twice while it grows. */
#define PICKLE_MEMORY_PER_BYTE 512

#endif
