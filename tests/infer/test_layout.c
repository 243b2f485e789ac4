/* The layout of a run's memory: nothing overlaps, and what is given up is used
 * again. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "infer/layout.h"

enum { LIVE = 64, STEPS = 20000 };

typedef struct taken {
    uint32_t range;
    uint64_t offset, size;
} taken;

static uint64_t chance(uint64_t *state, uint64_t below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static layout_range *new_layout(layout *plan, uint32_t live) {
    const uint64_t records = layout_records(live);
    layout_range *ranges = calloc(records, sizeof *ranges);
    assert_non_null(ranges);
    layout_begin(plan, ranges, (uint32_t)records);
    return ranges;
}

static taken take(layout *plan, uint64_t size) {
    taken out = {.size = size};
    assert_true(layout_take(plan, size, &out.range));
    out.offset = plan->ranges[out.range].offset;
    assert_int_equal(out.offset % 64, 0);
    assert_true(out.offset + size <= plan->end);
    return out;
}

static void test_nothing_overlaps(void **state) {
    (void)state;
    layout plan;
    layout_range *ranges = new_layout(&plan, LIVE);
    taken live[LIVE];
    uint32_t count = 0;
    uint64_t seed = 7;
    uint64_t used = 0;
    uint64_t most = 0;
    uint64_t top = 0; /* where the highest of all ended */
    for (uint32_t step = 0; step < STEPS; step++) {
        if (count == LIVE || (count > 0 && chance(&seed, 2))) {
            const uint32_t victim = (uint32_t)chance(&seed, count);
            layout_give(&plan, live[victim].range);
            used -= live[victim].size;
            live[victim] = live[--count];
            continue;
        }
        const taken added = take(&plan, 64 * (1 + chance(&seed, 1u << chance(&seed, 12))));
        for (uint32_t i = 0; i < count; i++) {
            assert_true(added.offset + added.size <= live[i].offset ||
                        live[i].offset + live[i].size <= added.offset);
        }
        live[count++] = added;
        if (added.offset + added.size > top) top = added.offset + added.size;
        assert_int_equal(plan.end, top);
        used += added.size;
        if (used > most) most = used;
    }
    assert_in_range(plan.end, most, 2 * most); /* never worse than twice the need */
    for (uint32_t i = 0; i < count; i++) layout_give(&plan, live[i].range);
    const taken all = take(&plan, plan.end); /* everything has been merged again */
    assert_int_equal(all.offset, 0);
    free(ranges);
}

static void test_a_chain_takes_two_places(void **state) {
    (void)state;
    layout plan;
    layout_range *ranges = new_layout(&plan, 2);
    taken before = take(&plan, 640);
    for (uint32_t i = 0; i < 100; i++) {
        const taken next = take(&plan, 640);
        layout_give(&plan, before.range);
        before = next;
    }
    assert_int_equal(plan.end, 1280);
    free(ranges);
}

static void test_neighbours_merge(void **state) {
    (void)state;
    static const uint32_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (uint32_t i = 0; i < 6; i++) {
        layout plan;
        layout_range *ranges = new_layout(&plan, 4);
        taken three[3];
        for (uint32_t j = 0; j < 3; j++) three[j] = take(&plan, 64 * (j + 1));
        const taken guard = take(&plan, 64);
        for (uint32_t j = 0; j < 3; j++) layout_give(&plan, three[orders[i][j]].range);
        assert_int_equal(take(&plan, 64 * 6).offset, 0);
        assert_int_equal(guard.offset, 64 * 6);
        assert_int_equal(plan.end, 64 * 7);
        free(ranges);
    }
}

static void test_the_last_free_range_grows(void **state) {
    (void)state;
    layout plan;
    layout_range *ranges = new_layout(&plan, 2);
    const taken first = take(&plan, 64);
    layout_give(&plan, take(&plan, 128).range);
    assert_int_equal(take(&plan, 640).offset, 64);
    assert_int_equal(plan.end, 64 + 640);
    assert_int_equal(first.offset, 0);
    free(ranges);
}

/* A block of the end's size was written up to its end before. */
static void test_the_end_never_comes_back(void **state) {
    (void)state;
    layout plan;
    layout_range *ranges = new_layout(&plan, 2);
    layout_give(&plan, take(&plan, 64 * 18).range);
    assert_int_equal(take(&plan, 64 * 17).offset, 0); /* of the same bin */
    assert_int_equal(plan.end, 64 * 18);
    assert_int_equal(take(&plan, 64).offset, 64 * 17);
    assert_int_equal(plan.end, 64 * 18);
    free(ranges);
}

static void test_sizes_without_end(void **state) {
    (void)state;
    layout plan;
    layout_range *ranges = new_layout(&plan, 4);
    uint32_t range = 0;
    const uint64_t quarter = UINT64_C(1) << 61;
    assert_false(layout_take(&plan, UINT64_MAX - 63, &range));
    assert_true(layout_take(&plan, quarter, &range));
    assert_false(layout_take(&plan, 3 * quarter, &range));
    assert_true(layout_take(&plan, quarter, &range));
    assert_false(layout_take(&plan, 64, &range));
    layout_give(&plan, range);
    assert_true(layout_take(&plan, 64, &range));
    free(ranges);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_overlaps),
        cmocka_unit_test(test_a_chain_takes_two_places),
        cmocka_unit_test(test_neighbours_merge),
        cmocka_unit_test(test_the_last_free_range_grows),
        cmocka_unit_test(test_the_end_never_comes_back),
        cmocka_unit_test(test_sizes_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
