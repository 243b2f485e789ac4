/* An artifact as a caller names it: the file itself, and what is known of it besides
 * its bytes, which is what the caller knows and the signatures that lie beside it. */
#ifndef WLK_GATE_ARTIFACT_H
#define WLK_GATE_ARTIFACT_H

#include <stdbool.h>

#include <weighlock/load.h>

#include "base/error.h"

/* Opens the path, once, or duplicates the descriptor: *fd is the caller's to close. */
wlk_status artifact_open(const wlk_artifact *artifact, int *fd, wlk_error *error);

typedef struct evidence {
    wlk_evidence all;
    wlk_signature *beside; /* owned, like: */
    wlk_signature *joined; /* the caller's and those beside; NULL where one of them is all */
} evidence;

/* Reads the signatures beside artifact->path. Release with evidence_drop, also after
 * a failure. The artifact's own lists must outlive it. */
wlk_status evidence_collect(const wlk_artifact *artifact, const wlk_trust *trust, evidence *out,
                            wlk_error *error);
void evidence_drop(evidence *e);

/* Is one of the signatures by a key that is known? */
bool evidence_has_known_key(const evidence *e, const wlk_trust *trust);

/* What a report and an error say before anything has happened. */
void artifact_clear_outputs(wlk_load_report *report, wlk_error *error);

#endif
