/* What a child says about a file: payloads and a model image. */
#ifndef WEIGHLOCK_SEED_ANSWER_H
#define WEIGHLOCK_SEED_ANSWER_H

#include "formats/formats.h"
#include "kit/input_image.h"

#define ANSWER_BUFFERS 32

typedef struct seed_answer {
    const uint8_t *file;
    uint64_t file_bytes;
    image_buffer buffers[ANSWER_BUFFERS]; /* their data lie in the file */
    uint32_t count;
    uint8_t *image; /* 8-byte aligned */
    uint64_t image_bytes;
} seed_answer;

/* The answer to a valid .wlk file, which must outlive it. */
void answer_of_file(const uint8_t *file, size_t size, seed_answer *answer);
/* One with a finding, and without payloads. */
void answer_with_finding(seed_answer *answer);
void answer_free(seed_answer *answer);

#endif
