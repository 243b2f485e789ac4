/* The layout of an image follows from its counts alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "image/records.h"

static void test_layout_of_nothing(void **state) {
    (void)state;
    const uint32_t counts[WLK_SECTION_COUNT] = {0};
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    assert_true(image_layout(counts, offsets, &total));
    assert_int_equal(total, sizeof(image_header));
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) assert_int_equal(offsets[i], total);
}

static void test_layout_pads_to_eight(void **state) {
    (void)state;
    uint32_t counts[WLK_SECTION_COUNT] = {0};
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    counts[WLK_SECTION_EDGES] = 3;
    counts[WLK_SECTION_TEXT] = 1;
    assert_true(image_layout(counts, offsets, &total));
    assert_int_equal(offsets[WLK_SECTION_EDGES], 80);
    assert_int_equal(offsets[WLK_SECTION_NUMBERS], 96);
    assert_int_equal(offsets[WLK_SECTION_TEXT], 96);
    assert_int_equal(total, 104);
}

/* Invariant 7: no count leads to a size that wrapped. */
static void test_layout_never_wraps(void **state) {
    (void)state;
    uint64_t offsets[WLK_SECTION_COUNT];
    uint64_t total;
    uint32_t counts[WLK_SECTION_COUNT];
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) counts[i] = UINT32_MAX;
    assert_false(image_layout(counts, offsets, &total));
    for (uint32_t i = 0; i < WLK_SECTION_COUNT; i++) counts[i] = 0;
    const uint32_t fit = (uint32_t)((((uint64_t)1 << 40) - sizeof(image_header)) / 1024);
    counts[WLK_SECTION_TENSORS] = fit; /* 96 bytes each */
    assert_true(image_layout(counts, offsets, &total));
    assert_int_equal(total, sizeof(image_header) + (uint64_t)fit * 96);
    counts[WLK_SECTION_TYPES] = UINT32_MAX; /* 112 * 2^32 is below 2^40 */
    counts[WLK_SECTION_NODES] = UINT32_MAX;
    counts[WLK_SECTION_SELFTESTS] = UINT32_MAX;
    counts[WLK_SECTION_FINDINGS] = UINT32_MAX;
    counts[WLK_SECTION_SPANS] = UINT32_MAX;
    counts[WLK_SECTION_GRAPHS] = UINT32_MAX;
    assert_false(image_layout(counts, offsets, &total));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_of_nothing),
        cmocka_unit_test(test_layout_pads_to_eight),
        cmocka_unit_test(test_layout_never_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
