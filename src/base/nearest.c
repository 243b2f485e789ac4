#include "base/nearest.h"

#include <string.h>

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* Not tolower, which depends on the locale. */
static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Three rows of the usual table are kept: the swap of neighbours looks back two
 * (optimal string alignment). rows[r][j] is the distance of the first bytes. */
typedef struct distance_rows {
    uint32_t rows[3][NEAREST_MAX_BYTES + 1];
} distance_rows;

static uint32_t cell(const distance_rows *d, const char *a, const char *b, size_t i, size_t j) {
    const uint32_t *above = d->rows[(i + 2) % 3];
    const uint32_t *here = d->rows[i % 3];
    const char x = lower(a[i - 1]), y = lower(b[j - 1]);
    uint32_t best = smaller(above[j], here[j - 1]) + 1;
    best = smaller(best, above[j - 1] + (x != y));
    if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y) {
        best = smaller(best, d->rows[(i + 1) % 3][j - 2] + 1);
    }
    return best;
}

uint32_t edit_distance(const char *a, const char *b) {
    const size_t a_length = strnlen(a, NEAREST_MAX_BYTES);
    const size_t b_length = strnlen(b, NEAREST_MAX_BYTES);
    distance_rows d;
    for (size_t j = 0; j <= b_length; j++) d.rows[0][j] = (uint32_t)j;
    for (size_t i = 1; i <= a_length; i++) {
        d.rows[i % 3][0] = (uint32_t)i;
        for (size_t j = 1; j <= b_length; j++) d.rows[i % 3][j] = cell(&d, a, b, i, j);
    }
    return d.rows[a_length % 3][b_length];
}

const char *nearest_name(const char *name, const char *const *candidates, size_t count) {
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t length = strnlen(name, NEAREST_MAX_BYTES);
        const size_t other = strnlen(candidates[i], NEAREST_MAX_BYTES);
        const size_t distance = edit_distance(name, candidates[i]);
        if (distance < best_distance && distance * 2 <= (length > other ? length : other)) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}
