/* libsodium must be started before its first use; starting it again is free. */
#ifndef WLK_TRUST_READY_H
#define WLK_TRUST_READY_H

#include "base/error.h"

/* Starts libsodium; may be called from any thread, any number of times. */
WLK_MUST_USE wlk_status sodium_ready(wlk_error *error);

#endif
