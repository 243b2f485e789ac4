/* Digests over a whole file: those that an operator expects, and the one that
 * detached signatures are over. One pass over the bytes makes all that are wanted,
 * on a thread of its own where that helps. */
#ifndef WLK_TRUST_FILE_DIGEST_H
#define WLK_TRUST_FILE_DIGEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weighlock/trust.h>

#include "base/error.h"

/* The rows of the table of digests. */
typedef enum file_digest {
    FILE_SHA256 = 0,
    FILE_BLAKE2B_256 = 1,
    FILE_BLAKE2B_512 = 2,
    FILE_DIGEST_COUNT = 3
} file_digest;

typedef struct file_pass {
    const uint8_t *data;
    uint64_t size;
    bool wanted[FILE_DIGEST_COUNT];
    uint8_t value[FILE_DIGEST_COUNT][WLK_DIGEST_BYTES]; /* of those, when finished */
    pthread_t helper;
    bool helped;      /* the helper runs */
    bool done;        /* the values are there */
    _Atomic bool end; /* nobody wants them any more */
} file_pass;

/* Which row is this digest? False if there is no such kind, or it has not that
 * length. */
bool file_digest_of(const wlk_digest *digest, file_digest *row);

/* Lets the pass begin on a thread of its own, if something is wanted and the file is
 * large enough. */
void file_pass_start(file_pass *pass);
/* Waits for it, or makes it. */
void file_pass_finish(file_pass *pass);
/* For __attribute__((cleanup)): ends a pass that is still running. */
void file_pass_drop(file_pass *pass);

/* Is the digest that of the file? The pass is finished. */
WLK_MUST_USE wlk_status file_pass_check(const file_pass *pass, const wlk_digest *digest,
                                        wlk_error *error);

#endif
