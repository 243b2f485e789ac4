/* What advice is made of: one bounded look at each tensor's bytes. */
#ifndef WLK_CLI_ADVICE_LOOK_H
#define WLK_CLI_ADVICE_LOOK_H

#include <stdbool.h>

#include <weighlock/model.h>

/* Every value of the tensor is one of the narrower type, or in its range: finite stays
 * finite, and what is not zero stays a normal number. */
enum {
    FITS_F32_EXACTLY = 1,
    FITS_F32 = 2,
    FITS_F16_EXACTLY = 4,
    FITS_F16 = 8,
    FITS_BF16_EXACTLY = 16,
    FITS_BF16 = 32
};

typedef struct tensor_look {
    bool sampled; /* not every byte was looked at */
    bool zero;
    uint32_t same_as; /* an earlier tensor of the same type, shape and bytes, or WLK_NONE */
    uint32_t fits;    /* of f64 and f32 */
    uint64_t compress_saves;
    uint64_t hash;
} tensor_look;

/* Fills in looks[i] of each tensor i; all zero before. */
void advice_look(const wlk_model *model, tensor_look *looks);

#endif
