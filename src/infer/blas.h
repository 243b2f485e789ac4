/* Dense products, by the tiles of blas_tile.h: no library, no lock, no memory but the
 * stack. Safe from any number of threads.
 *
 * An element of C is summed in the same order whatever part of C is asked for, so that
 * a product that is divided among threads has the bits of an undivided one. */
#ifndef WLK_INFER_BLAS_H
#define WLK_INFER_BLAS_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/blas_tile.h"

/* op(A) is m x k, op(B) is k x n, C is m x n; all row-major and packed; op
 * transposes where the flag says so. */
typedef struct product {
    bool transpose_a;
    bool transpose_b;
    uint64_t m;
    uint64_t n;
    uint64_t k;
} product;

/* Is every dim below 2^31? Larger ones are refused (run.matrix). */
bool product_fits(const product *p);

/* C = alpha op(A) op(B) + beta C. beta 0: C is only written; alpha 0: A and B
 * count as zero whatever they hold, as in every BLAS. Empty dims are fine. */
void product_f32(const product *p, float alpha, const float *a, const float *b, float beta,
                 float *c);
void product_f64(const product *p, double alpha, const double *a, const double *b, double beta,
                 double *c);

/* A product of elements of any kind (integers: alpha is 1), whose parts can be computed
 * one by one. */
typedef struct product_job {
    product size;
    tile_element element;
    double alpha;
    double beta; /* 0, 1, or of floats anything */
    const void *a;
    const void *b;      /* NULL where it is packed */
    const void *packed; /* what product_pack made of B, or NULL */
    void *c;
} product_job;

/* Rows [row, row + rows) and the columns likewise of C. Parts that do not overlap may be
 * computed at once. column must be a multiple of PRODUCT_COLUMNS. */
#define PRODUCT_COLUMNS 32
void product_part(const product_job *job, uint64_t row, uint64_t rows, uint64_t column,
                  uint64_t columns);

/* B in the order in which tiles read it: for a B that many products share. Bytes, or
 * UINT64_MAX if too many to count. */
uint64_t product_packed_bytes(const product *p, tile_element element);
void product_pack(const product *p, tile_element element, const void *b, void *packed);

#endif
