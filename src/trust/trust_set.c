#include "trust/trust_set.h"

#include <string.h>

#include "base/memory.h"
#include "trust/key_text.h"
#include "trust/public_key.h"
#include "trust/ready.h"

struct wlk_trust {
    wlk_trusted_key *keys;
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

wlk_trusted_key wlk_trust_key(const wlk_trust *trust, uint32_t index) {
    return index < wlk_trust_count(trust) ? trust->keys[index] : (wlk_trusted_key){0};
}

const wlk_trusted_key *trust_find(const wlk_trust *trust, const uint8_t id[WLK_KEY_ID_BYTES]) {
    for (uint32_t i = 0; i < wlk_trust_count(trust); i++) {
        if (memcmp(trust->keys[i].key.id, id, WLK_KEY_ID_BYTES) == 0) return &trust->keys[i];
    }
    return NULL;
}

wlk_signature_state trusted_key_state(const wlk_trusted_key *key, int64_t now) {
    if (key->revoked != INT64_MAX) return WLK_SIGNED_REVOKED;
    const int within = key->valid_from <= now && now < key->valid_until;
    return within ? WLK_SIGNED_TRUSTED : WLK_SIGNED_EXPIRED;
}

wlk_status trust_check_name(const char *name, wlk_error *error) {
    const size_t length = name ? strnlen(name, TRUST_NAME_BYTES) : 0;
    if (length == 0 || length == TRUST_NAME_BYTES ||
        !text_is_printable((const uint8_t *)name, length)) {
        return error_text(error, RULE_TRUST_KEY_NAME, WLK_NO_OFFSET, "%.*s", (int)length,
                          name ? name : "");
    }
    return WLK_OK;
}

static wlk_status make_room(wlk_trust *trust, wlk_error *error) {
    if (trust->count < trust->capacity) return WLK_OK;
    if (trust->count == TRUST_MAX_KEYS) {
        return error_at(error, RULE_TRUST_KEY_LIMIT, WLK_NO_OFFSET);
    }
    const uint32_t capacity = trust->capacity ? trust->capacity * 2 : 16; /* up to the maximum */
    wlk_trusted_key *keys = mem_resize_array(trust->keys, capacity, sizeof *keys);
    if (!keys) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    trust->keys = keys;
    trust->capacity = capacity;
    return WLK_OK;
}

static wlk_trusted_key *find_point(const wlk_trust *trust, const wlk_public_key *key) {
    for (uint32_t i = 0; i < trust->count; i++) {
        if (memcmp(trust->keys[i].key.key, key->key, sizeof key->key) == 0) return &trust->keys[i];
    }
    return NULL;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The same key once more: it counts only when both say so, so that no second copy
 * brings back a key that was revoked. */
static void narrow(wlk_trusted_key *known, const wlk_trusted_key *again) {
    if (again->valid_from > known->valid_from) known->valid_from = again->valid_from;
    known->valid_until = smaller(known->valid_until, again->valid_until);
    known->revoked = smaller(known->revoked, again->revoked);
}

/* A key under a second name or a second number is no second key: it would count
 * twice where distinct keys are asked for. */
static wlk_status add(wlk_trust *trust, const wlk_trusted_key *key, wlk_error *error) {
    const wlk_trusted_key *numbered = trust_find(trust, key->key.id);
    wlk_trusted_key *known = find_point(trust, &key->key);
    if (known && known == numbered) {
        narrow(known, key);
        return WLK_OK;
    }
    if (numbered) {
        return error_text(error, RULE_TRUST_KEY_CONFLICT, WLK_NO_OFFSET, "%s and %s",
                          numbered->name, key->name);
    }
    if (known) {
        return error_text(error, RULE_TRUST_KEY_NUMBERS, WLK_NO_OFFSET, "%s and %s", known->name,
                          key->name);
    }
    TRY(make_room(trust, error));
    trust->keys[trust->count++] = *key;
    return WLK_OK;
}

wlk_status wlk_trust_add_key(wlk_trust *trust, const wlk_trusted_key *key, wlk_error *error) {
    TRY(sodium_ready(error));
    TRY(trust_check_name(key->name, error));
    TRY(public_key_check(&key->key, key->name, error));
    return add(trust, key, error);
}

wlk_status wlk_trust_add(wlk_trust *trust, const wlk_public_key *key, const char *name,
                         wlk_error *error) {
    wlk_trusted_key always = {
        .key = *key, .valid_from = INT64_MIN, .valid_until = INT64_MAX, .revoked = INT64_MAX};
    TRY(trust_check_name(name, error));
    memcpy(always.name, name, strlen(name));
    return wlk_trust_add_key(trust, &always, error);
}
