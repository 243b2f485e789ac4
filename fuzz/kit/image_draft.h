/* A model image taken apart into its sections, to be changed, mended and put together
 * again. There is one draft at a time; its memory is the program's own. */
#ifndef WEIGHLOCK_FUZZ_IMAGE_DRAFT_H
#define WEIGHLOCK_FUZZ_IMAGE_DRAFT_H

#include "image/records.h"
#include "kit/image_fields.h"

#define DRAFT_MOST_BYTES (64u << 10) /* larger images are not taken apart */

typedef struct draft_section {
    uint8_t *records;
    uint32_t count, capacity;
} draft_section;

typedef struct image_draft {
    uint32_t magic;
    uint16_t version, format;
    uint64_t file_bytes;
    draft_section sections[WLK_SECTION_COUNT];
} image_draft;

/* Takes an image apart; false if its counts are not those of so many bytes. */
bool draft_load(image_draft *d, const uint8_t *image, size_t size);

/* Puts it together; 0 if that is more than `room` bytes. */
size_t draft_store(const image_draft *d, uint8_t *image, size_t room);

uint8_t *draft_record(const image_draft *d, uint32_t section, uint32_t index);

/* A copy of records [from, from + count) at the end of their section; what is not there is
 * zeros. The new first index, or IMAGE_NONE where there is no room. */
uint32_t draft_append(image_draft *d, uint32_t section, uint32_t from, uint32_t count);

/* Makes room for one record of zeros at `index`, or takes that record out, and renumbers what
 * refers to the section. */
bool draft_insert(image_draft *d, uint32_t section, uint32_t index);
void draft_remove(image_draft *d, uint32_t section, uint32_t index);

/* A string of this text, as the last one. Its index, or IMAGE_NONE. */
uint32_t draft_string(image_draft *d, const uint8_t *text, uint32_t length);

/* Every reference to a record, string or payload goes through `renumber`. */
typedef uint64_t (*draft_renumber)(void *context, uint32_t target, uint64_t index);
void draft_visit(image_draft *d, draft_renumber renumber, void *context);

/* What a change has put out of order, one thing each. Lists: each takes its entries along to
 * where they belong. Strings: used, sorted, once each. Metadata: paths as the tree has them.
 * Tensors: as many bytes as dtype and shape need. Spans: end to end over the file. Opsets:
 * sorted. */
void draft_mend_lists(image_draft *d);
void draft_mend_strings(image_draft *d);
void draft_mend_metadata(image_draft *d);
void draft_mend_tensors(image_draft *d);
void draft_mend_spans(image_draft *d);
void draft_mend_order(image_draft *d);

#endif
