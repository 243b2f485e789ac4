#include <stdbool.h>

#include <weighlock/trust.h>

#include "base/envelope.h"
#include "base/error.h"

/* The offset of the signature that the verification's state is about. */
static uint64_t signature_offset(const wlk_verification *v) {
    if (!v->native) return WLK_NO_OFFSET;
    if (v->state == WLK_UNSIGNED) return ENVELOPE_KEY_ID_AT;
    const bool inside =
        v->signer_count > 0 && !v->signers[0].detached && v->signers[0].state == v->state;
    return inside ? ENVELOPE_KEY_ID_AT : WLK_NO_OFFSET;
}

static wlk_rule rule_of(wlk_signature_state state) {
    static const wlk_rule rules[] = {[WLK_UNSIGNED] = RULE_TRUST_UNSIGNED,
                                     [WLK_SIGNED_UNKNOWN] = RULE_TRUST_UNKNOWN_KEY,
                                     [WLK_SIGNED_EXPIRED] = RULE_TRUST_KEY_EXPIRED,
                                     [WLK_SIGNED_REVOKED] = RULE_TRUST_KEY_REVOKED};
    return rules[state];
}

static wlk_status not_vouched(const wlk_verification *v, uint32_t threshold, wlk_error *error) {
    char id[WLK_KEY_ID_TEXT_BYTES];
    if (v->state == WLK_SIGNED_TRUSTED) {
        return error_text(error, RULE_TRUST_THRESHOLD, WLK_NO_OFFSET, "%u of %u", v->trusted,
                          threshold);
    }
    const wlk_rule rule = rule_of(v->state);
    if (v->state == WLK_UNSIGNED) return error_at(error, rule, signature_offset(v));
    wlk_key_id_text(v->key_id, id);
    return error_text(error, rule, signature_offset(v), "key %s%s%s", id,
                      v->key_name[0] ? ", " : "", v->key_name);
}

/* A .wlk file's own digests, a trusted signature, or an expected digest: each says
 * at least that the file is whole. */
static bool anything_held(const wlk_verification *v) {
    return v->native || v->trusted > 0 || v->digests > 0;
}

wlk_status wlk_verification_check(const wlk_verification *v, uint32_t threshold, int allow_unsigned,
                                  wlk_error *error) {
    const uint32_t needed = threshold > 0 ? threshold : 1;
    if (v->trusted >= needed) return WLK_OK;
    if (!allow_unsigned) return not_vouched(v, needed, error);
    if (anything_held(v)) return WLK_OK;
    return error_at(error, RULE_TRUST_NOTHING_CHECKED, WLK_NO_OFFSET);
}
