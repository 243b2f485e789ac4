/* The walls that stop a fuzzer: signatures and digests, which no change of bytes gets
 * past. A build for fuzzing (FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION, as libFuzzer,
 * AFL++ and OSS-Fuzz call it) takes them away, and nothing else. It is worth nothing
 * against a forgery, so neither program compiles in it. The checksums of secret keys stay:
 * what they protect is the operator's own. */
#ifndef WLK_TRUST_WALL_H
#define WLK_TRUST_WALL_H

#include <stdbool.h>

/* Does whatever a signature or digest is held against count as right? */
static inline bool wall_is_down(void) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    return true;
#else
    return false;
#endif
}

#endif
