/* Changes of a model image that know its records. */
#ifndef WEIGHLOCK_FUZZ_IMAGE_EDIT_H
#define WEIGHLOCK_FUZZ_IMAGE_EDIT_H

#include "kit/structure.h"

/* Changes one or a few records of image[0..size) in place and mends what that put out of
 * order, mostly. Any bytes: what is no image becomes the smallest one, or is changed as
 * bytes. At most `room` bytes come out. */
size_t image_mutate(uint8_t *image, size_t size, size_t room, fuzz_random *random);

/* Two images: the records of one, and a section that it has from the other. 0 where they
 * are no images or there is no room. */
size_t image_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                   size_t room, fuzz_random *random);

/* The smallest image that is valid, for an artifact of no bytes; 0 where it has no room. */
size_t image_smallest(uint8_t *image, size_t room);

#endif
