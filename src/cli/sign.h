/* What the two ways to sign share: inside a .wlk file (sign.c), and in a file beside
 * any artifact (sign_detached.c). */
#ifndef WLK_CLI_SIGN_H
#define WLK_CLI_SIGN_H

#include "cli/cli.h"
#include "gate/snapshot.h"

typedef struct signing {
    const cli *c;
    const char *file;    /* what is signed */
    const char *out;     /* --output, or NULL */
    const char *subject; /* the file that an error is about; NULL: none */
    bool detached;
    bool native; /* it is a .wlk file */
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_signature *beside; /* that were looked at */
    snapshot copy;         /* the bytes that were examined and are signed */
} signing;

/* Signs the copy, which has been examined, and writes and reports the .minisig file. */
WLK_MUST_USE wlk_status sign_detached(const signing *s, wlk_error *error);

#endif
