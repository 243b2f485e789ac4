/* The operator's policy file, beyond <weighlock/policy.h>. Its text is described in
 * weighlock-policy(5). */
#ifndef WLK_TRUST_POLICY_H
#define WLK_TRUST_POLICY_H

#include <weighlock/policy.h>

#include "base/error.h"

#define POLICY_TEXT_BYTES 65536 /* the longest policy file */

/* The policy that the programs of a machine begin with. A fixed path: no environment
 * variable leads elsewhere. */
#define POLICY_SYSTEM_FILE "/etc/weighlock/policy.conf"

/* wlk_policy_load, but that a file which does not exist leaves *policy as it is. One
 * that is there and cannot be used is refused, not passed over. */
WLK_MUST_USE wlk_status policy_load_if_there(const char *path, wlk_policy *policy,
                                             wlk_error *error);

#endif
