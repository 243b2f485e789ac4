#include "trust/ready.h"

#include <sodium.h>

wlk_status sodium_ready(wlk_error *error) {
    if (sodium_init() >= 0) return WLK_OK;
    return error_text(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET, "libsodium did not start");
}
