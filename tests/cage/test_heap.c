/* The child's heap, under other names. Invariant 7: asking for more than the limit
 * is an ordinary NULL. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *heap_malloc(size_t size);
void *heap_calloc(size_t count, size_t size);
void *heap_realloc(void *memory, size_t size);
void heap_free(void *memory);

#undef malloc
#undef calloc
#undef realloc
#undef free
#define malloc(...) heap_malloc(__VA_ARGS__)
#define calloc(...) heap_calloc(__VA_ARGS__)
#define realloc(...) heap_realloc(__VA_ARGS__)
#define free(...) heap_free(__VA_ARGS__)
#include "cage/heap.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

#define LIMIT ((size_t)8 << 20)

/* A new heap of LIMIT bytes; the one before is left alone. */
static void fresh_heap(void) {
    assert_int_equal(heap_reserve(LIMIT), 0);
    memset(heap.free, 0, sizeof heap.free);
}

static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* ---- before main */

static void test_start_up_is_served_from_a_few_kib(void **state) {
    (void)state;
    uint8_t *first = heap_malloc(1000), *second = heap_malloc(1000);
    assert_true(first >= before_main && first < before_main + sizeof before_main);
    assert_true(second >= first + 1000 && second < before_main + sizeof before_main);
    memset(first, 1, 1000);
    assert_null(heap_malloc(sizeof before_main));
    heap_free(second);
    assert_ptr_equal(heap_malloc(1000), second);
    /* What was allocated before lives on beside the reservation. */
    fresh_heap();
    uint8_t *later = heap_malloc(1000);
    assert_false(later >= before_main && later < before_main + sizeof before_main);
    uint8_t *moved = heap_realloc(first, 3000);
    assert_non_null(moved);
    for (unsigned i = 0; i < 1000; i++) assert_int_equal(moved[i], 1);
}

static void test_a_reservation_that_cannot_be_made(void **state) {
    (void)state;
    assert_int_not_equal(heap_reserve(SIZE_MAX & ~(size_t)4095), 0);
    assert_int_not_equal(heap_reserve(0), 0);
}

/* ---- sizes */

/* Every size up to beyond a few classes: aligned, usable to the last byte, apart. */
static void test_every_small_size(void **state) {
    (void)state;
    fresh_heap();
    uint8_t *before = NULL;
    size_t before_size = 0;
    for (size_t size = 0; size < 3000; size++) {
        uint8_t *memory = heap_malloc(size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        memset(memory, (int)(size % 251), size);
        for (size_t i = 0; i < before_size; i += 7) {
            assert_int_equal(before[i], (size - 1) % 251); /* the last one is as it was */
        }
        before = memory;
        before_size = size;
    }
}

/* The class is the smallest that holds the size, and holds a quarter more at most. */
static void test_size_classes(void **state) {
    (void)state;
    size_t last = 0;
    for (size_t size = 64; size < (size_t)1 << 47; size += size / 37 + 1) {
        size_t class_size, same;
        const unsigned list = class_of(size, &class_size);
        assert_true(class_size >= size && class_size <= size + size / 4);
        assert_true(list < CLASSES);
        assert_true(class_size >= last);
        assert_int_equal(class_of(class_size, &same), list);
        assert_int_equal(same, class_size);
        last = class_size;
    }
}

static void test_too_much_is_null(void **state) {
    (void)state;
    static const size_t sizes[] = {LIMIT,           LIMIT + 1,     LIMIT * 2,
                                   SIZE_MAX / 2,    SIZE_MAX - 16, SIZE_MAX,
                                   (size_t)1 << 48, PTRDIFF_MAX,   SIZE_MAX - 64};
    fresh_heap();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        assert_null(heap_malloc(sizes[i]));
        assert_int_equal(errno, ENOMEM);
        assert_null(heap_calloc(1, sizes[i]));
        uint8_t *small = heap_malloc(100);
        memset(small, 7, 100);
        assert_null(heap_realloc(small, sizes[i]));
        for (unsigned j = 0; j < 100; j++) assert_int_equal(small[j], 7); /* still ours */
        heap_free(small);
    }
    assert_non_null(heap_malloc(LIMIT / 2));
}

static void test_calloc_does_not_overflow(void **state) {
    (void)state;
    static const struct {
        size_t count, size;
    } rows[] = {
        {SIZE_MAX, 2},
        {2, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX},
        {(size_t)1 << 32, (size_t)1 << 32},
        {((size_t)1 << 32) + 1, (size_t)1 << 32},
        {SIZE_MAX / 16 + 2, 16},
    };
    fresh_heap();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        errno = 0;
        assert_null(heap_calloc(rows[i].count, rows[i].size));
        assert_int_equal(errno, ENOMEM);
    }
    assert_non_null(heap_calloc(0, SIZE_MAX));
    assert_non_null(heap_calloc(SIZE_MAX, 0));
}

/* ---- exhaustion */

static void test_exhausted_and_used_again(void **state) {
    (void)state;
    fresh_heap();
    static void *blocks[LIMIT / 1024];
    size_t first = 0, second = 0;
    while ((blocks[first] = heap_malloc(1000)) != NULL) first++;
    assert_true(first * 1040 <= LIMIT && first * 1040 > LIMIT - 2080);
    assert_null(heap_malloc(1000));
    for (size_t i = 0; i < first; i++) heap_free(blocks[i]);
    while ((blocks[second] = heap_malloc(1000)) != NULL) second++;
    assert_int_equal(first, second);
}

/* An array that grows, as parsers let them: in place, without a copy in between, so
 * that it may become nearly as large as the heap. */
static void test_an_array_that_grows(void **state) {
    (void)state;
    fresh_heap();
    uint8_t *array = heap_malloc(64), *const start = array;
    size_t size = 64;
    for (uint8_t *grown; (grown = heap_realloc(array, size * 2)) != NULL; size *= 2) {
        array = grown;
        assert_ptr_equal(array, start);
        memset(array, 1, size * 2);
    }
    assert_int_equal(size, LIMIT / 2);
    for (size_t i = 0; i < size; i++) assert_int_equal(array[i], 1);
    assert_ptr_equal(heap_realloc(array, 1), array);
    assert_ptr_equal(heap_realloc(array, size), array); /* it did not shrink */
}

static void test_growing_beside_another(void **state) {
    (void)state;
    fresh_heap();
    uint8_t *first = heap_malloc(100);
    memset(first, 1, 100);
    uint8_t *second = heap_malloc(100);
    memset(second, 2, 100);
    uint8_t *moved = heap_realloc(first, 500);
    assert_ptr_not_equal(moved, first);
    memset(moved + 100, 3, 400);
    for (unsigned i = 0; i < 100; i++) assert_int_equal(moved[i], 1);
    for (unsigned i = 0; i < 100; i++) assert_int_equal(second[i], 2);
    assert_ptr_equal(heap_malloc(100), first); /* its old place is free */
}

/* ---- zeros */

static void test_calloc_gives_zeros(void **state) {
    (void)state;
    fresh_heap();
    for (unsigned round = 0; round < 3; round++) {
        for (size_t size = 1; size < 5000; size += 61) {
            uint8_t *memory = heap_calloc(1, size);
            for (size_t i = 0; i < size; i++) assert_int_equal(memory[i], 0);
            memset(memory, 0xff, size);
            heap_free(memory);
        }
    }
}

static void test_what_does_nothing(void **state) {
    (void)state;
    fresh_heap();
    heap_free(NULL);
    void *memory = heap_realloc(NULL, 100);
    assert_non_null(memory);
    assert_ptr_equal(heap_realloc(memory, 0), memory);
    assert_ptr_equal(heap_realloc(memory, 100), memory);
    assert_int_equal(heap_check(), 0);
}

/* ---- all of it in any order */

enum { LIVE = 200 };
typedef struct live_block {
    uint8_t *memory;
    size_t size;
    uint8_t fill;
} live_block;

static void check_block(const live_block *b) {
    for (size_t i = 0; i < b->size; i++) {
        if (b->memory[i] != b->fill) fail_msg("byte %zu of %zu was overwritten", i, b->size);
    }
}

static size_t random_size(uint64_t *random) {
    const unsigned bits = (unsigned)(next_random(random) % 18);
    return next_random(random) % ((size_t)1 << bits);
}

static void allocate_block(live_block *b, uint64_t *random) {
    b->size = random_size(random);
    b->fill = (uint8_t)next_random(random);
    const bool zero = next_random(random) % 2;
    b->memory = zero ? heap_calloc(b->size, 1) : heap_malloc(b->size);
    if (!b->memory) {
        b->size = 0; /* full: an ordinary answer */
        return;
    }
    for (size_t i = 0; zero && i < b->size; i++) assert_int_equal(b->memory[i], 0);
    memset(b->memory, b->fill, b->size);
}

static void resize_block(live_block *b, uint64_t *random) {
    const size_t size = random_size(random);
    uint8_t *moved = heap_realloc(b->memory, size);
    if (!moved) return;
    b->memory = moved;
    if (size < b->size) b->size = size;
    check_block(b);
    b->size = size;
    memset(b->memory, b->fill, size);
}

static void test_random_use(void **state) {
    (void)state;
    uint64_t random = 1;
    fresh_heap();
    static live_block blocks[LIVE];
    for (unsigned step = 0; step < 100000; step++) {
        live_block *b = &blocks[next_random(&random) % LIVE];
        if (b->memory) check_block(b);
        if (!b->memory) {
            allocate_block(b, &random);
        } else if (next_random(&random) % 2) {
            resize_block(b, &random);
        } else {
            heap_free(b->memory);
            b->memory = NULL;
        }
        if (b->memory) {
            assert_int_equal((uintptr_t)b->memory % 16, 0);
            assert_true(b->memory >= heap.end - LIMIT && b->memory + b->size <= heap.next);
        }
    }
    for (unsigned i = 0; i < LIVE; i++) {
        if (blocks[i].memory) check_block(&blocks[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_up_is_served_from_a_few_kib),
        cmocka_unit_test(test_a_reservation_that_cannot_be_made),
        cmocka_unit_test(test_every_small_size),
        cmocka_unit_test(test_size_classes),
        cmocka_unit_test(test_too_much_is_null),
        cmocka_unit_test(test_calloc_does_not_overflow),
        cmocka_unit_test(test_exhausted_and_used_again),
        cmocka_unit_test(test_an_array_that_grows),
        cmocka_unit_test(test_growing_beside_another),
        cmocka_unit_test(test_calloc_gives_zeros),
        cmocka_unit_test(test_what_does_nothing),
        cmocka_unit_test(test_random_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
