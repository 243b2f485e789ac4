#include "infer/fft.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

static bool is_power(uint64_t length) {
    return (length & (length - 1)) == 0;
}

/* The power of two that a transform of this length goes through. */
static uint64_t radix_length(uint64_t length) {
    if (is_power(length)) return length;
    uint64_t power = 1;
    while (power < 2 * length - 1) power *= 2;
    return power;
}

static uint64_t bits_of(uint64_t power) {
    uint64_t bits = 0;
    while (power >>= 1) bits++;
    return bits;
}

uint64_t fft_room(uint64_t length) {
    const uint64_t radix = radix_length(length);
    if (is_power(length)) return radix / 2 + 1;
    return radix / 2 + 1 + length + 2 * radix;
}

uint64_t fft_work(uint64_t length) {
    const uint64_t radix = radix_length(length);
    const uint64_t one = 4 * radix * (bits_of(radix) + 1);
    return is_power(length) ? one : 2 * one + 16 * length;
}

static fft_number times(fft_number a, fft_number b) {
    return (fft_number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static fft_number conjugate(fft_number a) {
    return (fft_number){a.re, -a.im};
}

static void swap_reversed(fft_number *data, uint64_t length) {
    for (uint64_t i = 1, j = 0; i < length; i++) {
        uint64_t bit = length >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            const fft_number kept = data[i];
            data[i] = data[j];
            data[j] = kept;
        }
    }
}

static void radix_run(const fft *f, fft_number *data) {
    const uint64_t length = f->radix_length;
    swap_reversed(data, length);
    for (uint64_t half = 1; half < length; half *= 2) {
        const uint64_t stride = length / (2 * half);
        for (uint64_t start = 0; start < length; start += 2 * half) {
            fft_number *low = data + start;
            fft_number *high = low + half;
            for (uint64_t k = 0; k < half; k++) {
                const fft_number turned = times(high[k], f->roots[k * stride]);
                high[k] = (fft_number){low[k].re - turned.re, low[k].im - turned.im};
                low[k] = (fft_number){low[k].re + turned.re, low[k].im + turned.im};
            }
        }
    }
}

/* k^2 modulo twice the length, so that the angle stays small and exact. */
static void make_chirp(const fft *f) {
    uint64_t square = 0;
    for (uint64_t k = 0; k < f->length; k++) {
        const double angle = PI * (double)square / (double)f->length;
        f->chirp[k] = (fft_number){cos(angle), -sin(angle)};
        square = (square + 2 * k + 1) % (2 * f->length);
    }
}

static void make_kernel(const fft *f) {
    memset(f->kernel, 0, f->radix_length * sizeof *f->kernel);
    for (uint64_t k = 0; k < f->length; k++) {
        const fft_number back = conjugate(f->chirp[k]);
        f->kernel[k] = back;
        if (k > 0) f->kernel[f->radix_length - k] = back;
    }
    radix_run(f, f->kernel);
}

fft fft_plan(uint64_t length, fft_number *room) {
    fft f = {.length = length, .radix_length = radix_length(length), .roots = room};
    for (uint64_t k = 0; k < f.radix_length / 2; k++) {
        const double angle = 2 * PI * (double)k / (double)f.radix_length;
        f.roots[k] = (fft_number){cos(angle), -sin(angle)};
    }
    if (is_power(length)) return f;
    f.chirp = room + f.radix_length / 2 + 1;
    f.kernel = f.chirp + length;
    f.work = f.kernel + f.radix_length;
    make_chirp(&f);
    make_kernel(&f);
    return f;
}

/* The inverse of the radix transform, by conjugates. */
static void radix_back(const fft *f, fft_number *data) {
    const double scale = 1 / (double)f->radix_length;
    for (uint64_t i = 0; i < f->radix_length; i++) data[i] = conjugate(data[i]);
    radix_run(f, data);
    for (uint64_t i = 0; i < f->radix_length; i++) {
        data[i] = (fft_number){data[i].re * scale, -data[i].im * scale};
    }
}

static void chirp_run(const fft *f, fft_number *data) {
    memset(f->work, 0, f->radix_length * sizeof *f->work);
    for (uint64_t k = 0; k < f->length; k++) f->work[k] = times(data[k], f->chirp[k]);
    radix_run(f, f->work);
    for (uint64_t k = 0; k < f->radix_length; k++) f->work[k] = times(f->work[k], f->kernel[k]);
    radix_back(f, f->work);
    for (uint64_t k = 0; k < f->length; k++) data[k] = times(f->work[k], f->chirp[k]);
}

void fft_run(const fft *f, fft_number *data, bool inverse) {
    const double scale = 1 / (double)f->length;
    for (uint64_t i = 0; inverse && i < f->length; i++) data[i] = conjugate(data[i]);
    if (is_power(f->length)) {
        radix_run(f, data);
    } else {
        chirp_run(f, data);
    }
    for (uint64_t i = 0; inverse && i < f->length; i++) {
        data[i] = (fft_number){data[i].re * scale, -data[i].im * scale};
    }
}
