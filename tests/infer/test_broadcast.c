/* Walks of broadcast operands against positions worked out one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "infer/broadcast.h"
#include "infer/shape.h"

typedef struct shape {
    uint32_t rank;
    int64_t dims[WLK_MAX_RANK];
} shape;

static broadcast_shape view(const shape *s) {
    return (broadcast_shape){.dims = s->dims, .rank = s->rank};
}

/* Where element `at` of the result comes from in an operand. */
static uint64_t source_of(const shape *out, const shape *operand, uint64_t at) {
    uint64_t position = 0;
    uint64_t step = 1;
    for (uint32_t axis = out->rank; axis-- > 0;) {
        const uint64_t index = at % (uint64_t)out->dims[axis];
        at /= (uint64_t)out->dims[axis];
        const uint32_t missing = out->rank - operand->rank;
        if (axis < missing) continue;
        const uint64_t dim = (uint64_t)operand->dims[axis - missing];
        if (dim != 1) position += index * step;
        step *= dim;
    }
    return position;
}

/* Returns the number of runs. */
static uint32_t check(const shape *a, const shape *b) {
    shape out = {.rank = a->rank > b->rank ? a->rank : b->rank};
    assert_true(dims_broadcast(a->dims, a->rank, b->dims, b->rank, out.dims));
    uint64_t at = 0;
    uint32_t runs = 0;
    broadcast_walk walk = broadcast_start(view(&out), view(a), view(b));
    for (; !walk.done; broadcast_next(&walk)) {
        assert_int_equal(walk.out, at);
        assert_true(walk.step[0] <= 1 && walk.step[1] <= 1);
        for (uint64_t i = 0; i < walk.length; i++, at++) {
            assert_int_equal(walk.at[0] + i * walk.step[0], source_of(&out, a, at));
            assert_int_equal(walk.at[1] + i * walk.step[1], source_of(&out, b, at));
        }
        runs++;
    }
    uint64_t count = 1;
    for (uint32_t i = 0; i < out.rank; i++) count *= (uint64_t)out.dims[i];
    assert_int_equal(at, count);
    return runs;
}

static void test_runs_are_long(void **state) {
    (void)state;
    static const struct {
        shape a, b;
        uint32_t runs;
    } rows[] = {
        {{0, {0}}, {0, {0}}, 1},
        {{1, {5}}, {1, {5}}, 1},
        {{3, {2, 3, 4}}, {3, {2, 3, 4}}, 1},
        {{3, {2, 3, 4}}, {0, {0}}, 1},
        {{3, {2, 3, 4}}, {1, {4}}, 6},
        {{3, {2, 3, 4}}, {2, {3, 4}}, 2},
        {{3, {2, 3, 4}}, {3, {2, 1, 1}}, 2},
        {{3, {2, 3, 1}}, {1, {4}}, 6},
        {{4, {2, 1, 3, 1}}, {2, {1, 5}}, 6},
        {{2, {0, 3}}, {1, {3}}, 0},
        {{1, {1}}, {1, {0}}, 0},
        {{8, {1, 2, 1, 2, 1, 2, 1, 2}}, {8, {2, 1, 2, 1, 2, 1, 2, 1}}, 128},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(check(&rows[i].a, &rows[i].b), rows[i].runs);
    }
}

static uint64_t chance(uint64_t *state, uint64_t below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void test_random_shapes(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (uint32_t i = 0; i < 3000; i++) {
        shape full = {.rank = (uint32_t)chance(&seed, 6)};
        shape operands[2];
        for (uint32_t j = 0; j < full.rank; j++) full.dims[j] = (int64_t)chance(&seed, 4) + 1;
        for (uint32_t k = 0; k < 2; k++) {
            const uint32_t missing = (uint32_t)chance(&seed, full.rank + 1);
            operands[k] = (shape){.rank = full.rank - missing};
            for (uint32_t j = 0; j < operands[k].rank; j++) {
                operands[k].dims[j] = chance(&seed, 3) ? full.dims[j + missing] : 1;
            }
        }
        (void)check(&operands[0], &operands[1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_are_long),
        cmocka_unit_test(test_random_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
