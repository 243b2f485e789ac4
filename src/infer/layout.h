/* Where the values of a run lie in its one block of memory. Values are placed in
 * the order they are made and given up after their last use; what is given up is
 * used again. Nothing is allocated here but the records: this is arithmetic.
 *
 * Free ranges are kept in bins of like size and merged with their neighbours, so
 * placing and giving up take constant time whatever a model's values look like
 * (the scheme of TLSF: Masmano, Ripoll, Crespo, Real, ECRTS 2004). */
#ifndef WLK_INFER_LAYOUT_H
#define WLK_INFER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_NONE UINT32_MAX
#define LAYOUT_BINS 256
#define LAYOUT_BIN_WORDS (LAYOUT_BINS / 64)

/* A range; ranges tile [0, end). */
typedef struct layout_range {
    uint64_t offset;
    uint64_t size;
    uint32_t before; /* neighbours by address */
    uint32_t behind;
    uint32_t previous; /* in its bin, or in the list of unused records */
    uint32_t next;
    bool is_free;
} layout_range;

typedef struct layout {
    layout_range *ranges;
    uint32_t unused; /* first unused record */
    uint32_t last;   /* range with the highest address */
    uint64_t end;    /* bytes needed in all */
    uint32_t bins[LAYOUT_BINS];
    uint64_t filled[LAYOUT_BIN_WORDS]; /* bit b: bin b is not empty */
} layout;

/* Records needed where at most `live` ranges are in use at once. */
uint64_t layout_records(uint64_t live);

/* An empty layout over `count` records, the caller's. */
void layout_begin(layout *plan, layout_range *ranges, uint32_t count);

/* Places `size` bytes, a positive multiple of 64: *range is the record, its
 * offset a multiple of 64. False if the end would not fit in 62 bits. */
bool layout_take(layout *plan, uint64_t size, uint32_t *range);
void layout_give(layout *plan, uint32_t range);

#endif
