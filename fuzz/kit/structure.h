/* How a target's inputs are built: what a mutator changes and mends, what the decoder
 * prints. One constant object a structure, one source file each. */
#ifndef WEIGHLOCK_FUZZ_STRUCTURE_H
#define WEIGHLOCK_FUZZ_STRUCTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct fuzz_random {
    uint64_t state;
} fuzz_random;

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(fuzz_random *random);
/* A number below `bound`; 0 if that is 0. */
size_t random_below(fuzz_random *random, size_t bound);
/* A number as attackers write them: an edge of some width, a power of two, one beside it. */
uint64_t random_edge(fuzz_random *random);

/* Changes a few bytes of data[0..size) without regard to structure, in place; at most `room`
 * bytes come out. The engine's own mutations where there is an engine. Returns the new size. */
size_t mutate_bytes(uint8_t *data, size_t size, size_t room, fuzz_random *random);

typedef struct fuzz_structure {
    const char *name;
    /* Changes an input in place and mends what the change broke: lengths, digests,
     * signatures. Takes any bytes: what has not this structure is changed as bytes, or
     * replaced by a small valid input. At most `room` bytes come out; returns their number,
     * never 0 if room is not 0. */
    size_t (*mutate)(uint8_t *data, size_t size, size_t room, fuzz_random *random);
    /* Makes one input of two: out has `room` bytes. NULL: as bytes. */
    size_t (*cross)(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random);
    /* Prints what is in an input, one line a part, with its offset. Any bytes. */
    void (*show)(const uint8_t *data, size_t size, FILE *out);
} fuzz_structure;

extern const fuzz_structure structure_bytes;   /* none */
extern const fuzz_structure structure_msgpack; /* a .wlk header alone */
extern const fuzz_structure structure_wlk;     /* envelope, msgpack tree, digest table, data */
extern const fuzz_structure structure_wire;    /* what a child sends */
extern const fuzz_structure structure_image;   /* a model image: records that refer to each other */
extern const fuzz_structure structure_text;    /* lines, fields, base64 */
extern const fuzz_structure structure_npy;     /* .npy: a header of text, an array */
extern const fuzz_structure structure_protobuf;   /* messages of Protocol Buffers: ONNX */
extern const fuzz_structure structure_pickle;     /* opcodes, their values, arrays between them */
extern const fuzz_structure structure_compressed; /* the same, compressed in one of seven ways */

/* The structure of the target that is linked. */
extern const fuzz_structure *const fuzz_input;

#endif
