/* Is a result what ONNX's own test data want? The same dtype and shape; numbers within
 * atol + rtol * |wanted|, NaN where NaN is wanted; strings exactly (the tolerances of
 * onnx.backend.test). */
#ifndef TESTS_CONFORMANCE_COMPARE_H
#define TESTS_CONFORMANCE_COMPARE_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <weighlock/infer.h>

#include "infer/numbers.h"

#define COMPARE_ATOL 1e-7
#define COMPARE_RTOL 1e-3

typedef struct comparison {
    char text[512]; /* what is wrong */
} comparison;

#define COMPARE_SAY(c, ...) ((void)snprintf((c)->text, sizeof(c)->text, __VA_ARGS__), false)

static inline void compare_shape(const wlk_tensor *t, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s[", wlk_dtype_name(t->dtype));
    for (uint32_t i = 0; i < t->rank && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%llu", i ? "," : "",
                                 (unsigned long long)t->shape[i]);
    }
    if (used < size) (void)snprintf(text + used, size - used, "]");
}

static inline bool compare_forms(const wlk_tensor *got, const wlk_tensor *want, comparison *c) {
    char mine[96], theirs[96];
    bool same = got->dtype == want->dtype && got->rank == want->rank;
    for (uint32_t i = 0; same && i < got->rank; i++) same = got->shape[i] == want->shape[i];
    if (same) return true;
    compare_shape(got, mine, sizeof mine);
    compare_shape(want, theirs, sizeof theirs);
    return COMPARE_SAY(c, "%s, not %s", mine, theirs);
}

static inline bool compare_close(double got, double want) {
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (isinf(want) || isinf(got)) return got == want;
    return fabs(got - want) <= COMPARE_ATOL + COMPARE_RTOL * fabs(want);
}

/* How the elements are numbers; a complex one is two. NULL: they are compared bit by bit.
 * Integers of 64 bits lose what does not matter here: equal ones stay equal, and
 * COMPARE_RTOL is coarser. */
static inline number_loader compare_loader(wlk_dtype dtype) {
    if (dtype == WLK_C64) return number_load(WLK_F32);
    if (dtype == WLK_C128) return number_load(WLK_F64);
    return number_dtypes >> (unsigned)dtype & 1 ? number_load(dtype) : NULL;
}

static inline double compare_value(number n) {
    if (n.kind == NUMBER_FLOAT) return n.f;
    return n.kind == NUMBER_INT ? (double)n.i : (double)n.u;
}

static inline bool compare_bytes(const wlk_tensor *got, const wlk_tensor *want, comparison *c) {
    if (got->nbytes == want->nbytes && memcmp(got->data, want->data, want->nbytes) == 0) {
        return true;
    }
    return COMPARE_SAY(c, "other %s", want->dtype == WLK_STR ? "strings" : "bits");
}

static inline bool compare_tensors(const wlk_tensor *got, const wlk_tensor *want, comparison *c) {
    if (!compare_forms(got, want, c)) return false;
    const number_loader load = compare_loader(want->dtype);
    const bool complex_number = want->dtype == WLK_C64 || want->dtype == WLK_C128;
    const uint64_t count = complex_number ? 2 * want->count : want->count;
    if (!load) return compare_bytes(got, want, c);
    for (uint64_t i = 0; i < count; i++) {
        const double mine = compare_value(load(got->data, i));
        const double theirs = compare_value(load(want->data, i));
        if (compare_close(mine, theirs)) continue;
        return COMPARE_SAY(c, "element %llu is %.9g, not %.9g", (unsigned long long)i, mine,
                           theirs);
    }
    return true;
}

#endif
