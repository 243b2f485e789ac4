/* Discrete Fourier transforms of any length, in double precision: by radix 2 where the
 * length is a power of two, else as a convolution of such a length (Bluestein 1970). */
#ifndef WLK_INFER_FFT_H
#define WLK_INFER_FFT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fft_number {
    double re;
    double im;
} fft_number;

#define FFT_MOST (1ull << 40)

/* How much working memory a plan for `length` (1..FFT_MOST) needs, in fft_numbers, and
 * the multiply-adds of one transform. */
uint64_t fft_room(uint64_t length);
uint64_t fft_work(uint64_t length);

/* A plan in `room`, the caller's. */
typedef struct fft {
    uint64_t length;
    uint64_t radix_length; /* a power of two; length, or at least twice as long */
    fft_number *roots;     /* e^(-2 pi i k / radix_length), k < radix_length / 2 */
    fft_number *chirp;     /* e^(-pi i k^2 / length), k < length; not for powers of two */
    fft_number *kernel;    /* the transform of what the chirp is convolved with */
    fft_number *work;
} fft;
fft fft_plan(uint64_t length, fft_number *room);

/* data[0..length) becomes its transform; inverse: with the other sign, and divided by
 * the length. */
void fft_run(const fft *f, fft_number *data, bool inverse);

#endif
