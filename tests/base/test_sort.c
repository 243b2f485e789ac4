/* sort_u32: order, stability, and a bounded number of comparisons. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/sort.h"

#define MOST 4100

typedef struct keyed {
    uint32_t keys[MOST];
    uint64_t comparisons;
} keyed;

static int compare_keys(const void *context, uint32_t a, uint32_t b) {
    keyed *k = (keyed *)(uintptr_t)context;
    k->comparisons++;
    return (k->keys[a] > k->keys[b]) - (k->keys[a] < k->keys[b]);
}

static uint32_t key_constant(uint32_t i) {
    (void)i;
    return 7;
}
static uint32_t key_ascending(uint32_t i) {
    return i;
}
static uint32_t key_descending(uint32_t i) {
    return UINT32_MAX - i;
}
static uint32_t key_few(uint32_t i) {
    return i * 2654435761u >> 29;
}
static uint32_t key_mixed(uint32_t i) {
    return i * 2654435761u;
}

static void check_sorted(uint32_t count, uint32_t (*key)(uint32_t)) {
    static keyed k;
    static uint32_t items[MOST], scratch[MOST + 1];
    k.comparisons = 0;
    for (uint32_t i = 0; i < count; i++) {
        k.keys[i] = key(i);
        items[i] = i;
    }
    scratch[count] = 0xfeedbeef;
    sort_u32(items, count, compare_keys, &k, scratch);
    assert_int_equal(scratch[count], 0xfeedbeef);
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t before = items[i - 1];
        assert_true(k.keys[before] <= k.keys[items[i]]);
        if (k.keys[before] == k.keys[items[i]]) assert_true(before < items[i]); /* stable */
    }
    uint64_t log = 0;
    while ((uint64_t)1 << log < count) log++;
    assert_true(k.comparisons <= count * log);
}

static void test_sort_orders(void **state) {
    (void)state;
    uint32_t (*const keys[])(uint32_t) = {key_constant, key_ascending, key_descending, key_few,
                                          key_mixed};
    static const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 1000, 4096, MOST};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        for (size_t j = 0; j < sizeof counts / sizeof *counts; j++) {
            check_sorted(counts[j], keys[i]);
        }
    }
}

static void test_sort_keeps_every_item(void **state) {
    (void)state;
    static keyed k;
    uint32_t items[] = {5, 3, 3, 0, 9};
    uint32_t scratch[5];
    const uint32_t expected[] = {9, 0, 5, 3, 3};
    memcpy(k.keys, (const uint32_t[]){1, 0, 0, 8, 0, 4, 0, 0, 0, 0}, 40);
    sort_u32(items, 5, compare_keys, &k, scratch);
    assert_memory_equal(items, expected, sizeof items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort_orders),
        cmocka_unit_test(test_sort_keeps_every_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
