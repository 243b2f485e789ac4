/* Mappings that may be made of huge pages hold what they should, whether they are or not, and
 * whatever the system refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/huge.h"

/* ---- what fails: this program's functions stand before those of the library */

static struct {
    unsigned mappings, sizes;    /* which call of mmap, of ftruncate fails; 0: none */
    bool size, page, huge, read; /* ftruncate, pwrite, MADV_COLLAPSE, pread */
    bool interrupted;            /* the next pread is, once */
    size_t most;                 /* that a pread gives; 0: all */
} fails;

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))
#define COLLAPSE 25

#pragma GCC visibility push(default)
void *mmap(void *place, size_t size, int protection, int flags, int fd, off_t offset) {
    if (fails.mappings > 0 && --fails.mappings == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return REAL(mmap)(place, size, protection, flags, fd, offset);
}

int madvise(void *memory, size_t size, int advice) {
    if (advice != COLLAPSE) return REAL(madvise)(memory, size, advice);
    if (fails.huge) return -1;
    /* Whether this kernel makes huge pages or not: the same is copied. */
    (void)!REAL(madvise)(memory, size, advice);
    return 0;
}

int ftruncate(int fd, off_t size) {
    if (fails.sizes > 0 && --fails.sizes == 0) return -1;
    return fails.size ? -1 : REAL(ftruncate)(fd, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return fails.page ? -1 : REAL(pwrite)(fd, data, size, at);
}

ssize_t pread(int fd, void *data, size_t size, off_t at) {
    if (fails.interrupted) {
        fails.interrupted = false;
        errno = EINTR;
        return -1;
    }
    if (fails.read) {
        errno = EIO;
        return -1;
    }
    return REAL(pread)(fd, data, fails.most > 0 && fails.most < size ? fails.most : size, at);
}
#pragma GCC visibility pop

/* ---- files */

static uint8_t byte_at(size_t at) {
    return (uint8_t)(at * 2654435761u >> 13);
}

/* A memfd of so many bytes, which depend on where they are. */
static int make_file(size_t size) {
    const int fd = memfd_create("test", MFD_CLOEXEC);
    uint8_t *bytes = malloc(size + 1);
    assert_true(fd >= 0 && bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = byte_at(i);
    for (size_t at = 0; at < size;) {
        const ssize_t put = write(fd, bytes + at, size - at);
        assert_true(put > 0);
        at += (size_t)put;
    }
    free(bytes);
    return fd;
}

static void assert_bytes(const uint8_t *memory, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (memory[i] != byte_at(i)) fail_msg("byte %zu", i);
    }
}

static uint64_t size_of(int fd) {
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return (uint64_t)status.st_size;
}

/* ---- mappings */

static void test_map_of_a_file(void **state) {
    (void)state;
    const size_t sizes[] = {1, 4097, HUGE_BYTES - 1, HUGE_BYTES, 2 * HUGE_BYTES + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int fd = make_file(sizes[i]);
        uint8_t *memory = huge_map(fd, sizes[i], PROT_READ);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_bytes(memory, sizes[i]);
        if (sizes[i] >= HUGE_BYTES) assert_int_equal((uintptr_t)memory % HUGE_BYTES, 0);
        (void)munmap(memory, sizes[i]);
        (void)close(fd);
    }
}

static void test_map_of_fresh_memory(void **state) {
    (void)state;
    const size_t size = 3 * HUGE_BYTES - 1;
    uint8_t *memory = huge_map(-1, size, PROT_READ | PROT_WRITE);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal((uintptr_t)memory % HUGE_BYTES, 0);
    for (size_t i = 0; i < size; i += 4096) {
        assert_int_equal(memory[i], 0);
        memory[i] = 1;
    }
    (void)munmap(memory, size);
}

/* Without a place for huge pages there is one for small ones; without any, none. */
static void test_no_room(void **state) {
    (void)state;
    fails.mappings = 1;
    void *memory = huge_map(-1, HUGE_BYTES, PROT_READ);
    assert_ptr_not_equal(memory, MAP_FAILED);
    (void)munmap(memory, HUGE_BYTES);
    fails.mappings = 2;
    assert_ptr_equal(huge_map(-1, HUGE_BYTES, PROT_READ), MAP_FAILED);
    assert_ptr_equal(huge_map(-1, SIZE_MAX - 4096, PROT_READ), MAP_FAILED);
    assert_int_equal(fails.mappings, 0);
}

/* Whatever part of it is a huge page, the memory holds what it held. */
static void test_advise_changes_no_byte(void **state) {
    (void)state;
    const size_t sizes[] = {0, 1, HUGE_BYTES / 2, HUGE_BYTES, 2 * HUGE_BYTES + 77, 4 * HUGE_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *memory = malloc(sizes[i] + 1);
        assert_non_null(memory);
        for (size_t k = 0; k <= sizes[i]; k++) memory[k] = byte_at(k);
        huge_advise(memory, sizes[i]);
        assert_bytes(memory, sizes[i] + 1);
        free(memory);
    }
}

/* ---- copies */

static void expect_copy(size_t size, uint64_t claimed, uint64_t copied) {
    const int from = make_file(size), to = memfd_create("copy", MFD_CLOEXEC);
    const bool sized = fails.size || fails.sizes > 0;
    assert_true(to >= 0);
    assert_int_equal(huge_copy(from, to, claimed), copied);
    if (!sized) assert_int_equal(size_of(to), copied);
    if (copied > 0) {
        uint8_t *memory = mmap(NULL, copied, PROT_READ, MAP_PRIVATE, to, 0);
        assert_ptr_not_equal(memory, MAP_FAILED);
        assert_bytes(memory, copied);
        (void)munmap(memory, copied);
    }
    (void)close(from);
    (void)close(to);
}

static void test_copy_whole_pages(void **state) {
    (void)state;
    const size_t sizes[] = {1, HUGE_BYTES - 1, HUGE_BYTES, HUGE_BYTES + 1, 3 * HUGE_BYTES + 4096};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        expect_copy(sizes[i], sizes[i], sizes[i] / HUGE_BYTES * HUGE_BYTES);
    }
    fails.most = 100001;
    expect_copy(2 * HUGE_BYTES, 2 * HUGE_BYTES, 2 * HUGE_BYTES);
    fails.most = 0;
    fails.interrupted = true;
    expect_copy(HUGE_BYTES, HUGE_BYTES, HUGE_BYTES);
    assert_false(fails.interrupted);
}

/* A file that has become shorter than it was. */
static void test_copy_of_a_shorter_file(void **state) {
    (void)state;
    expect_copy(HUGE_BYTES + 10, 2 * HUGE_BYTES, HUGE_BYTES + 10);
    expect_copy(10, HUGE_BYTES, 10);
}

static void test_copy_that_the_system_refuses(void **state) {
    (void)state;
    bool *const refused[] = {&fails.size, &fails.page, &fails.huge, &fails.read};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        *refused[i] = true;
        expect_copy(HUGE_BYTES, HUGE_BYTES, 0);
        *refused[i] = false;
    }
    fails.sizes = 2; /* the second sets the end to where the copy ends */
    expect_copy(HUGE_BYTES, HUGE_BYTES, 0);
    assert_int_equal(fails.sizes, 0);
    fails.mappings = 2; /* the first one looks for a place */
    expect_copy(HUGE_BYTES, HUGE_BYTES, 0);
    assert_int_equal(fails.mappings, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_of_a_file),
        cmocka_unit_test(test_map_of_fresh_memory),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_advise_changes_no_byte),
        cmocka_unit_test(test_copy_whole_pages),
        cmocka_unit_test(test_copy_of_a_shorter_file),
        cmocka_unit_test(test_copy_that_the_system_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
