/* Where the trust folder is. */
#ifndef WLK_TRUST_FOLDER_H
#define WLK_TRUST_FOLDER_H

#include <stdint.h>

#include "base/error.h"

#define TRUST_SYSTEM_FOLDER "/etc/weighlock/trust"

/* The folder in force: system_folder unless it does not exist; else weighlock/trust
 * below config_home, else below home/.config. The latter two count only if they
 * are absolute paths (XDG base directory specification) and may be NULL. Not
 * being able to tell whether system_folder exists is an error: what an
 * administrator decided is not overruled by what a user has. */
WLK_MUST_USE wlk_status trust_folder_choose(const char *system_folder, const char *config_home,
                                            const char *home, char *path, uint64_t size,
                                            wlk_error *error);

#endif
