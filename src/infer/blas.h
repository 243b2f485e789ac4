/* Dense products by whatever cblas the program is linked with.
 *
 * Safe from any number of threads, but products take turns (blas.c says why).
 *
 * The BLAS may take memory for itself: OpenBLAS maps its packing buffer when a
 * product first needs one. blas_warm_up does that ahead of a run, which then makes
 * no system call but for its own memory. */
#ifndef WLK_INFER_BLAS_H
#define WLK_INFER_BLAS_H

#include <stdbool.h>
#include <stdint.h>

/* op(A) is m x k, op(B) is k x n, C is m x n; all row-major and packed; op
 * transposes where the flag says so. */
typedef struct product {
    bool transpose_a;
    bool transpose_b;
    uint64_t m;
    uint64_t n;
    uint64_t k;
} product;

/* Does every dim fit the BLAS's int? */
bool product_fits(const product *p);

/* C = alpha op(A) op(B) + beta C. beta 0: C is only written; alpha 0: A and B
 * count as zero whatever they hold, as in every BLAS. Empty dims are fine. The
 * caller has checked product_fits. */
void product_f32(const product *p, float alpha, const float *a, const float *b, float beta,
                 float *c);
void product_f64(const product *p, double alpha, const double *a, const double *b, double beta,
                 double *c);

void blas_warm_up(void);

#endif
