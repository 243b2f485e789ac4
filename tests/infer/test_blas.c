/* Tiles of every level that this processor has, and products made of them, against sums
 * one by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/blas.h"

static uint64_t seed = 88172645463325252u;

static uint64_t next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t below(uint64_t n) {
    return next() % n;
}

static size_t size_of(tile_element element) {
    return element == TILE_F32 || element == TILE_U32 ? 4 : 8;
}

/* Small whole numbers: floats then sum without rounding, in any order. Integers of all
 * bits wrap around. */
static void set(tile_element element, void *data, uint64_t i) {
    const int64_t small = (int64_t)below(17) - 8;
    switch (element) {
        case TILE_F32:
            ((float *)data)[i] = (float)small;
            break;
        case TILE_F64:
            ((double *)data)[i] = (double)small;
            break;
        case TILE_U32:
            ((uint32_t *)data)[i] = (uint32_t)next();
            break;
        case TILE_U64:
        case TILE_ELEMENTS:
            ((uint64_t *)data)[i] = next();
            break;
    }
}

/* c += a * b, of elements at these places. */
static void multiply_add(tile_element element, const void *a, uint64_t i, const void *b, uint64_t j,
                         void *c, uint64_t k) {
    switch (element) {
        case TILE_F32:
            ((float *)c)[k] += ((const float *)a)[i] * ((const float *)b)[j];
            break;
        case TILE_F64:
            ((double *)c)[k] += ((const double *)a)[i] * ((const double *)b)[j];
            break;
        case TILE_U32:
            ((uint32_t *)c)[k] += ((const uint32_t *)a)[i] * ((const uint32_t *)b)[j];
            break;
        case TILE_U64:
        case TILE_ELEMENTS:
            ((uint64_t *)c)[k] += ((const uint64_t *)a)[i] * ((const uint64_t *)b)[j];
            break;
    }
}

static void *filled(tile_element element, uint64_t count) {
    char *data = malloc(count * size_of(element) + 1);
    assert_non_null(data);
    for (uint64_t i = 0; i < count; i++) set(element, data, i);
    return data;
}

enum { TILE_DEPTH = 37, B_ELEMENTS = 5000 };

static void check_tile(tile_element element, const tile_kernels *kernels, uint64_t rows,
                       uint64_t columns, tile_run run, bool add) {
    int64_t offsets[TILE_DEPTH];
    const uint64_t c_row = columns + 3;
    const uint64_t c_count = rows * c_row;
    const uint64_t step = 1 + below(3);
    const uint64_t row = TILE_DEPTH * step + below(5);
    char *a = filled(element, rows * row);
    char *b = filled(element, B_ELEMENTS);
    char *got = filled(element, c_count);
    char *want = malloc(c_count * size_of(element));
    assert_non_null(want);
    memcpy(want, got, c_count * size_of(element));
    for (int l = 0; l < TILE_DEPTH; l++) offsets[l] = (int64_t)below(B_ELEMENTS - columns);
    for (uint64_t i = 0; i < rows; i++) {
        for (uint64_t j = 0; j < columns; j++) {
            if (!add) memset(want + (i * c_row + j) * size_of(element), 0, size_of(element));
            for (uint64_t l = 0; l < TILE_DEPTH; l++) {
                multiply_add(element, a, i * row + l * step, b, (uint64_t)offsets[l] + j, want,
                             i * c_row + j);
            }
        }
    }
    const tile t = {.depth = TILE_DEPTH,
                    .a = a,
                    .a_row = row,
                    .a_step = step,
                    .b = b,
                    .offsets = offsets,
                    .c = got,
                    .c_row = c_row,
                    .add = add};
    assert_true(rows <= kernels->rows);
    run(&t);
    /* What lies between the rows must not be touched. */
    assert_memory_equal(got, want, c_count * size_of(element));
    free(a);
    free(b);
    free(got);
    free(want);
}

static void check_level(const tile_kernels *level) {
    for (tile_element e = TILE_F32; e < TILE_ELEMENTS; e++) {
        const tile_kernels *k = &level[e];
        for (uint64_t add = 0; add < 2; add++) {
            for (uint64_t vectors = 1; vectors <= TILE_VECTORS; vectors++) {
                for (uint64_t rows = 1; rows <= k->rows; rows++) {
                    check_tile(e, k, rows, vectors * k->lanes, k->runs[vectors - 1][rows - 1], add);
                }
            }
            check_tile(e, k, 1, (uint64_t)k->lanes * TILE_WIDE, k->wide, add);
        }
    }
}

static void test_tiles_of_every_level(void **state) {
    (void)state;
    check_level(tile_base);
#ifdef SIMD_X86
    if (simd_best() >= SIMD_AVX2) check_level(tile_avx2);
    if (simd_best() >= SIMD_AVX512) check_level(tile_avx512);
#endif
    assert_ptr_equal(tile_kernels_of(TILE_F64), tile_kernels_of(TILE_F32) + 1);
}

static uint64_t at(bool transposed, uint64_t rows, uint64_t columns, uint64_t i, uint64_t j) {
    return transposed ? j * rows + i : i * columns + j;
}

static void *expected(const product_job *job) {
    const product *p = &job->size;
    char *want = calloc(p->m * p->n + 1, 8);
    assert_non_null(want);
    for (uint64_t i = 0; i < p->m; i++) {
        for (uint64_t j = 0; j < p->n; j++) {
            for (uint64_t l = 0; l < p->k; l++) {
                multiply_add(job->element, job->a, at(p->transpose_a, p->m, p->k, i, l), job->b,
                             at(p->transpose_b, p->k, p->n, l, j), want, i * p->n + j);
            }
        }
    }
    return want;
}

/* Part by part, packed or not, the bits of the whole. */
static void check_product(product_job job) {
    const product *p = &job.size;
    const size_t bytes = p->m * p->n * size_of(job.element);
    void *want = expected(&job);
    char *c = malloc(bytes + 1);
    void *packed = malloc(product_packed_bytes(p, job.element) + 1);
    assert_non_null(c);
    assert_non_null(packed);
    product_pack(p, job.element, job.b, packed);
    for (int way = 0; way < 4; way++) {
        memset(c, 0xa5, bytes);
        job.c = c;
        job.packed = way % 2 ? packed : NULL;
        const uint64_t rows = way < 2 ? p->m : 5;
        const uint64_t columns = way < 2 ? p->n : PRODUCT_COLUMNS;
        for (uint64_t i = 0; i < p->m; i += rows) {
            for (uint64_t j = 0; j < p->n; j += columns) {
                product_part(&job, i, p->m - i < rows ? p->m - i : rows, j,
                             p->n - j < columns ? p->n - j : columns);
            }
        }
        assert_memory_equal(c, want, bytes);
    }
    free(packed);
    free(c);
    free(want);
}

static void test_products(void **state) {
    (void)state;
    static const uint64_t sizes[][3] = {{1, 1, 1},   {1, 300, 7}, {3, 5, 0},    {13, 33, 257},
                                        {12, 32, 3}, {1, 31, 40}, {25, 70, 20}, {500, 9, 11}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int form = 0; form < 16; form++) {
            product_job job = {.size = {.transpose_a = form & 1,
                                        .transpose_b = form >> 1 & 1,
                                        .m = sizes[i][0],
                                        .n = sizes[i][1],
                                        .k = sizes[i][2]},
                               .element = (tile_element)(form >> 2),
                               .alpha = 1};
            void *a = filled(job.element, job.size.m * job.size.k);
            void *b = filled(job.element, job.size.k * job.size.n);
            job.a = a;
            job.b = b;
            check_product(job);
            free(a);
            free(b);
        }
    }
}

static void test_factors(void **state) {
    (void)state;
    const product p = {.m = 2, .n = 2, .k = 1};
    const float a[2] = {1, 2};
    const float b[2] = {3, 5};
    const float poison[2] = {NAN, INFINITY};
    float c[4] = {NAN, NAN, NAN, NAN};
    product_f32(&p, 0.5F, a, b, 0, c);
    assert_true(c[0] == 1.5F && c[1] == 2.5F && c[2] == 3 && c[3] == 5);
    product_f32(&p, 2, a, b, -1, c);
    assert_true(c[0] == 4.5F && c[1] == 7.5F && c[2] == 9 && c[3] == 15);
    product_f32(&p, 0, poison, b, 1, c);
    assert_true(c[0] == 4.5F && c[3] == 15);
    product_f32(&p, 0, poison, b, 0, c);
    assert_true(c[0] == 0 && c[3] == 0);
    product_f32(&p, 1, poison, b, 0, c);
    assert_true(isnan(c[0]) && isinf(c[3]));
    assert_true(product_fits(&p));
    assert_false(product_fits(&(product){.m = UINT64_C(1) << 31}));
    assert_true(product_packed_bytes(&(product){.n = UINT64_MAX, .k = 2}, TILE_F32) == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles_of_every_level),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
