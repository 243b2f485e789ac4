#include "trust/trust_set.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "trust/key_text.h"
#include "trust/public_key.h"
#include "trust/ready.h"

struct wlk_trust {
    trusted_key *keys;
    uint32_t count;
    uint32_t capacity;
};

wlk_status wlk_trust_new(wlk_trust **trust, wlk_error *error) {
    *trust = mem_zeroed(1, sizeof **trust);
    return *trust ? WLK_OK : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

void wlk_trust_free(wlk_trust *trust) {
    if (!trust) return;
    mem_free(trust->keys);
    mem_free(trust);
}

uint32_t wlk_trust_count(const wlk_trust *trust) {
    return trust ? trust->count : 0;
}

const trusted_key *trust_find(const wlk_trust *trust, const uint8_t id[WLK_KEY_ID_BYTES]) {
    for (uint32_t i = 0; i < wlk_trust_count(trust); i++) {
        if (memcmp(trust->keys[i].key.id, id, WLK_KEY_ID_BYTES) == 0) return &trust->keys[i];
    }
    return NULL;
}

static wlk_status check_name(const char *name, wlk_error *error) {
    const size_t length = name ? strnlen(name, TRUST_NAME_BYTES) : 0;
    if (length == 0 || length == TRUST_NAME_BYTES ||
        !text_is_printable((const uint8_t *)name, length)) {
        return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%s", name ? name : "");
    }
    return WLK_OK;
}

static wlk_status make_room(wlk_trust *trust, wlk_error *error) {
    if (trust->count < trust->capacity) return WLK_OK;
    if (trust->count == TRUST_MAX_KEYS) {
        return error_at(error, RULE_TRUST_KEY_LIMIT, WLK_NO_OFFSET);
    }
    const uint32_t capacity = trust->capacity ? trust->capacity * 2 : 16; /* up to the maximum */
    trusted_key *keys = mem_resize_array(trust->keys, capacity, sizeof *keys);
    if (!keys) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    trust->keys = keys;
    trust->capacity = capacity;
    return WLK_OK;
}

/* The same key under a second name is no second key: it would count twice where
 * distinct keys are asked for. */
wlk_status wlk_trust_add(wlk_trust *trust, const wlk_public_key *key, const char *name,
                         wlk_error *error) {
    TRY(sodium_ready(error));
    TRY(check_name(name, error));
    TRY(public_key_check(key, name, error));
    const trusted_key *known = trust_find(trust, key->id);
    if (known && memcmp(known->key.key, key->key, sizeof key->key) == 0) return WLK_OK;
    if (known) {
        return error_text(error, RULE_TRUST_KEY_CONFLICT, WLK_NO_OFFSET, "%s and %s", known->name,
                          name);
    }
    TRY(make_room(trust, error));
    trusted_key *added = &trust->keys[trust->count++];
    *added = (trusted_key){.key = *key};
    memcpy(added->name, name, strlen(name));
    return WLK_OK;
}
