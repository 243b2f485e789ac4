/* `meta set` in the file itself: only what lies before the data is read and written. */
#ifndef WLK_CLI_META_PLACE_H
#define WLK_CLI_META_PLACE_H

#include <weighlock/write.h>

#include "cli/cli.h"

/* Does no detached signature lie beside the file, which would not hold for another one of
 * that name? write.signatures names it. */
WLK_MUST_USE wlk_status meta_place_check_signatures(const char *file, wlk_error *error);

/* Makes the edits and signs with the key of --secret, if it is given, whose public half
 * is then *signer. The new head has been through the cage before the key is opened. */
WLK_MUST_USE wlk_status meta_place_set(const cli *c, const char *file, const wlk_meta_edit *edits,
                                       uint32_t count, wlk_public_key *signer, wlk_error *error);

#endif
