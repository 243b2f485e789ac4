/* Invariants 5, 7 and 11: twenty thousand damaged images, the same ones in every
 * run. None may crash the validator, and what it accepts can be read to the end. */
#include "support/image_support.h"

enum { ROUNDS = 20000 };

static uint64_t random_next(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t random_below(uint64_t *state, uint64_t bound) {
    return random_next(state) % bound;
}

/* Numbers at which something changes. */
static uint64_t edge_case(uint64_t *state) {
    static const uint64_t cases[] = {
        0,    1,      2,         3,          7,           8,         0x7f,       0x80,
        0xff, 0xffff, INT32_MAX, UINT32_MAX, EDGE_TENSOR, INT64_MAX, UINT64_MAX, UINT32_MAX - 1};
    const uint64_t value = cases[random_below(state, sizeof cases / sizeof *cases)];
    return random_below(state, 2) ? value : random_below(state, 40);
}

/* One change: a bit, a byte, a word set, a word from elsewhere, a neighbour. */
static void damage(uint8_t *image, uint64_t length, uint64_t *state) {
    const uint64_t at = random_below(state, length);
    const uint64_t word = random_below(state, length / 4) * 4;
    uint64_t value = edge_case(state);
    switch (random_below(state, 6)) {
        case 0:
            image[at] ^= (uint8_t)(1u << random_below(state, 8));
            break;
        case 1:
            image[at] = (uint8_t)random_next(state);
            break;
        case 2:
            memcpy(image + word, &value, 4);
            break;
        case 3:
            if (word + 8 <= length) memcpy(image + word, &value, 8);
            break;
        case 4:
            memmove(image + word, image + random_below(state, length / 4) * 4, 4);
            break;
        default:
            store_u32(image + word, load_u32(image + word) + (random_below(state, 2) ? 1u : -1u));
            break;
    }
}

typedef struct tally {
    uint64_t accepted;
    uint64_t refused;
    uint64_t sum;
    uint8_t rules_seen[RULE_COUNT];
} tally;

static void check(const uint8_t *image, uint64_t length, const image_payloads *payloads, tally *t) {
    wlk_limits limits;
    wlk_model *model = NULL;
    wlk_error error = {0};
    wlk_limits_default(&limits);
    const wlk_status status = sample_validate(image, length, payloads, &limits, &model, &error);
    if (status == WLK_OK) {
        t->accepted++;
        t->sum += model_walk_all(model);
        wlk_model_free(model);
        return;
    }
    t->refused++;
    assert_null(model);
    assert_int_equal(status, error.status);
    assert_int_equal(status, rule_status(error.rule));
    assert_true(status == WLK_CAGE || status == WLK_LIMIT || status == WLK_REFUSED);
    t->rules_seen[error.rule] = 1;
}

static void test_random_damage(void **state) {
    (void)state;
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    uint64_t seed = 0x5eed0f0b0a71e5ull;
    tally t = {0};
    sample_image(&image, &length, &payloads);
    uint8_t *damaged = malloc(length);
    assert_non_null(damaged);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        memcpy(damaged, image, length);
        for (uint64_t j = random_below(&seed, 3) + 1; j > 0; j--) damage(damaged, length, &seed);
        check(damaged, length, &payloads, &t);
    }
    /* the loop saw both sides, and most of what can be wrong */
    uint32_t rules = 0;
    for (uint32_t i = 0; i < RULE_COUNT; i++) rules += t.rules_seen[i];
    assert_true(t.accepted > 100);
    assert_true(t.refused > ROUNDS / 2);
    assert_true(rules > 20);
    free(damaged);
    free(image);
    payloads.release(payloads.owner);
}

static void test_random_payloads(void **state) {
    (void)state;
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    uint64_t seed = 0xb0a75ull;
    tally t = {0};
    sample_image(&image, &length, &payloads);
    for (uint32_t i = 0; i < ROUNDS / 10; i++) {
        const image_buffer *buffer = &payloads.buffers[random_below(&seed, 2) ? WLK_STR : WLK_BOOL];
        uint8_t *data = (uint8_t *)(uintptr_t)buffer->data;
        uint8_t before[128];
        assert_true(buffer->length <= sizeof before);
        memcpy(before, data, buffer->length);
        damage(data, buffer->length, &seed);
        check(image, length, &payloads, &t);
        memcpy(data, before, buffer->length);
    }
    assert_true(t.accepted > 10 && t.refused > 100);
    assert_int_equal(t.rules_seen[RULE_TENSOR_PAYLOAD], 1);
    free(image);
    payloads.release(payloads.owner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_random_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
