/* The host's allocator: everything that the library asks for comes from there and
 * goes back there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weighlock/memory.h>

#include "base/memory.h"

typedef struct account {
    size_t alive, asked, left; /* blocks; allocations; allocations that may succeed */
} account;

static bool may(account *a) {
    a->asked++;
    if (a->left == 0) return false;
    a->left--;
    return true;
}

static void *take(void *context, size_t size, size_t alignment) {
    account *a = context;
    assert_true(size > 0 && alignment > 0 && (alignment & (alignment - 1)) == 0);
    void *memory = NULL;
    if (!may(a) || posix_memalign(&memory, alignment < 8 ? 8 : alignment, size) != 0) return NULL;
    memset(memory, 0xa5, size);
    a->alive++;
    return memory;
}

static void *change(void *context, void *memory, size_t size) {
    account *a = context;
    assert_true(size > 0);
    if (!may(a)) return NULL;
    void *moved = realloc(memory, size);
    if (moved && !memory) a->alive++;
    return moved;
}

static void give_back(void *context, void *memory) {
    account *a = context;
    assert_non_null(memory);
    assert_true(a->alive > 0);
    a->alive--;
    free(memory);
}

static void use(account *a) {
    wlk_allocator_set(&(wlk_allocator){a, take, change, give_back});
}

static void test_everything_comes_from_the_host(void **state) {
    (void)state;
    account a = {.left = SIZE_MAX};
    use(&a);
    uint8_t *zeroed = mem_zeroed(3, 5);
    for (int i = 0; i < 15; i++) assert_int_equal(zeroed[i], 0);
    uint8_t *aligned = mem_aligned(4096, 1);
    assert_int_equal((uintptr_t)aligned % 4096, 0);
    char *text = mem_text("weigh"), *part = mem_text_of("weighlock", 5);
    assert_string_equal(text, part);
    uint8_t *grown = mem_resize_array(NULL, 4, 4);
    grown = mem_resize(grown, 100);
    assert_int_equal(a.alive, 5);
    assert_int_equal(a.asked, 6);
    mem_free(zeroed);
    mem_free(aligned);
    mem_free(text);
    mem_free(grown);
    wlk_free(part);
    mem_free(NULL);
    wlk_free(NULL);
    assert_int_equal(a.alive, 0);
}

static void test_none_is_null(void **state) {
    (void)state;
    account a = {0};
    use(&a);
    assert_null(mem_alloc(1));
    assert_null(mem_zeroed(1, 1));
    assert_null(mem_aligned(64, 64));
    assert_null(mem_resize(NULL, 1));
    assert_null(mem_text("x"));
    assert_null(mem_text_of("x", 1));
}

/* Invariant 7: a product that overflows asks for nothing. */
static void test_products_that_overflow(void **state) {
    (void)state;
    account a = {.left = SIZE_MAX};
    for (int plain = 0; plain < 2; plain++) {
        if (plain) wlk_allocator_set(NULL);
        if (!plain) use(&a);
        assert_null(mem_zeroed(SIZE_MAX / 2, 3));
        assert_null(mem_resize_array(NULL, SIZE_MAX / 2, 3));
        if (plain) assert_null(mem_aligned(64, SIZE_MAX - 8));
    }
    assert_int_equal(a.alive, 0);
}

/* Nothing is something: NULL always means that there was no memory. */
static void test_no_bytes(void **state) {
    (void)state;
    wlk_allocator_set(NULL);
    void *memory[] = {mem_alloc(0), mem_zeroed(0, 8), mem_aligned(64, 0), mem_resize(NULL, 0)};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        assert_non_null(memory[i]);
        mem_free(memory[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_comes_from_the_host),
        cmocka_unit_test(test_none_is_null),
        cmocka_unit_test(test_products_that_overflow),
        cmocka_unit_test(test_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
