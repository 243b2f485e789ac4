/* The conversions of 16-bit floats against those of Cast, and operators on them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/half.h"
#include "infer/numbers.h"

enum { ALL = 65536 };

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void test_every_one_is_widened(void **state) {
    (void)state;
    static const wlk_dtype dtypes[] = {WLK_F16, WLK_BF16};
    static uint16_t halves[ALL];
    static float floats[ALL];
    for (uint32_t i = 0; i < ALL; i++) halves[i] = (uint16_t)i;
    for (uint32_t d = 0; d < 2; d++) {
        half_widen(dtypes[d], halves, ALL, floats);
        for (uint32_t i = 0; i < ALL; i++) {
            const double want = number_load(dtypes[d])(halves, i).f;
            if (isnan(want)) {
                assert_true(isnan(floats[i]));
            } else {
                assert_int_equal(bits_of(floats[i]), bits_of((float)want));
            }
        }
    }
}

/* Around every 16-bit float: itself, the middle to the next one, and what is next to it. */
static void test_narrowing_rounds_to_nearest(void **state) {
    (void)state;
    static const wlk_dtype dtypes[] = {WLK_F16, WLK_BF16};
    for (uint32_t d = 0; d < 2; d++) {
        for (uint32_t i = 0; i < ALL; i++) {
            const uint16_t pair[2] = {(uint16_t)i, (uint16_t)(i + 1)};
            float wide[2];
            half_widen(dtypes[d], pair, 2, wide);
            const float middle = wide[0] / 2 + wide[1] / 2;
            const float tries[4] = {wide[0], middle, nextafterf(middle, (float)INFINITY),
                                    nextafterf(middle, -(float)INFINITY)};
            uint16_t got[4];
            half_narrow(dtypes[d], tries, 4, got);
            for (uint32_t t = 0; t < 4; t++) {
                uint16_t want = 0;
                number_store(dtypes[d])(&want, 0, (number){NUMBER_FLOAT, {.f = (double)tries[t]}});
                float back = 0;
                half_widen(dtypes[d], &got[t], 1, &back);
                if (isnan(tries[t])) {
                    assert_true(isnan(back));
                } else if (got[t] != want) {
                    fail_msg("dtype %d, %.9g: %04x, not %04x", (int)dtypes[d], (double)tries[t],
                             got[t], want);
                }
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_one_is_widened),
        cmocka_unit_test(test_narrowing_rounds_to_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
