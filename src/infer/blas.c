#include "infer/blas.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <cblas.h>

/* Debian builds the single-threaded OpenBLAS without locks around its packing
 * buffer: two callers at once get each other's numbers (its documentation asks for
 * USE_LOCKING). So products take turns. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

bool product_fits(const product *p) {
    return p->m <= INT_MAX && p->n <= INT_MAX && p->k <= INT_MAX;
}

static CBLAS_TRANSPOSE transposed(bool yes) {
    return yes ? CblasTrans : CblasNoTrans;
}

/* What is left of the product without columns in A: beta C. */
#define SCALE(function, type)                                    \
    static void function(type beta, type *c, uint64_t count) {   \
        for (uint64_t i = 0; i < count; i++) c[i] = beta * c[i]; \
    }

/* C is cleared where it is not read: BLAS kernels differ in whether 0 times what
 * happens to lie there can become NaN. */
#define PRODUCT(function, type, scale, gemm)                                                   \
    void function(const product *p, type alpha, const type *a, const type *b, type beta,       \
                  type *c) {                                                                   \
        const int lda = (int)(p->transpose_a ? p->m : p->k);                                   \
        const int ldb = (int)(p->transpose_b ? p->k : p->n);                                   \
        const uint64_t count = p->m * p->n;                                                    \
        if (count == 0) return;                                                                \
        if (beta == 0) memset(c, 0, count * sizeof *c);                                        \
        if (p->k == 0) {                                                                       \
            if (beta != 0) scale(beta, c, count);                                              \
            return;                                                                            \
        }                                                                                      \
        (void)pthread_mutex_lock(&one_at_a_time);                                              \
        gemm(CblasRowMajor, transposed(p->transpose_a), transposed(p->transpose_b), (int)p->m, \
             (int)p->n, (int)p->k, alpha, a, lda, b, ldb, beta, c, (int)p->n);                 \
        (void)pthread_mutex_unlock(&one_at_a_time);                                            \
    }

SCALE(scale_f32, float)
SCALE(scale_f64, double)
PRODUCT(product_f32, float, scale_f32, cblas_sgemm)
PRODUCT(product_f64, double, scale_f64, cblas_dgemm)

/* Squared; more multiplications than any path without a packing buffer takes. */
#define WARM_UP 104

static void warm_up(void) {
    static const float zeros[WARM_UP * WARM_UP];
    float out[WARM_UP * WARM_UP];
    const product square = {.m = WARM_UP, .n = WARM_UP, .k = WARM_UP};
    product_f32(&square, 1, zeros, zeros, 0, out);
}

void blas_warm_up(void) {
    static pthread_once_t warm = PTHREAD_ONCE_INIT; /* the BLAS keeps its buffer */
    (void)pthread_once(&warm, warm_up);
}
