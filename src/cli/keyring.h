/* The trust folder as the verbs about keys see it: which one it is, what is in it, and
 * what of that counts today. */
#ifndef WLK_CLI_KEYRING_H
#define WLK_CLI_KEYRING_H

#include <limits.h>

#include "cli/cli.h"

#define KEY_DAY_SECONDS 86400
#define KEY_SOON_DAYS 30

typedef struct keyring {
    char path[PATH_MAX];
    bool named;       /* by an option or the policy: it must exist to be opened */
    wlk_trust *trust; /* once it was opened */
    int64_t now;      /* the clock's */
} keyring;

/* The folder of --trust, else the policy's, else the default one. */
WLK_MUST_USE wlk_status keyring_choose(const cli *c, keyring *folder, wlk_error *error);
/* Opens it as a load does. To be closed, whatever the answer. */
WLK_MUST_USE wlk_status keyring_open(keyring *folder, wlk_error *error);
void keyring_close(keyring *folder);

/* Refuses what keyring_add would refuse, as far as that can be told beforehand: the
 * folder, if it is there, must be sound and ours to write to, the key's name free. */
WLK_MUST_USE wlk_status keyring_check_free(keyring *folder, const char *name, wlk_error *error);
/* Puts the key into the folder, which is made if it is not there. One key has one file:
 * a second would go on counting when the first is revoked. */
WLK_MUST_USE wlk_status keyring_add(keyring *folder, const wlk_trusted_key *key, wlk_error *error);

/* ---- one key, today */

/* "counts", "not-yet", "expired" or "revoked". */
const char *key_state(const wlk_trusted_key *key, int64_t now);
bool key_counts(const wlk_trusted_key *key, int64_t now);
/* Days on which it counts yet, today included; -1: there is no end. */
int64_t key_days_left(const wlk_trusted_key *key, int64_t now);
/* It counts, and ends within KEY_SOON_DAYS. */
bool key_ends_soon(const wlk_trusted_key *key, int64_t now);

/* First and last day on which it counts, and the day of its revocation, as YYYY-MM-DD;
 * "-" where there is none. */
typedef struct key_dates {
    char from[11], until[11], revoked[11];
} key_dates;
key_dates key_dates_of(const wlk_trusted_key *key);

#endif
