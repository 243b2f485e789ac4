/* The input of fuzz_wire.c: what the parent knows of the file it had parsed, then what an
 * attacker in the child's place writes into the result pipe.
 *
 *     wire_input     32 bytes
 *     file bytes     `given` of them: the artifact's from `given_at` on; what is not given
 *                    is a pattern
 *     frames         all that is left: HELLO, DATA ..., IMAGE, END or REFUSE, as src/wire has
 *                    them
 *
 * Little-endian. Any bytes are an input: what does not fit is cut. A HELLO whose build id is
 * 32 equal bytes is given the build id of this program, so that an input outlives it. */
#ifndef WEIGHLOCK_FUZZ_INPUT_WIRE_H
#define WEIGHLOCK_FUZZ_INPUT_WIRE_H

#include "gate/receive.h"

typedef struct wire_input {
    uint8_t transport; /* modulo 3: pipe, map, lazy */
    uint8_t raw_only;  /* bit 0: every payload must lie in the file */
    uint16_t step;     /* the most bytes that one read gives; 0: all that are asked for */
    uint32_t buffers;  /* the most DATA frames */
    uint32_t file_bytes;
    uint32_t data_from;
    uint32_t output_bytes;
    uint32_t image_bytes;
    uint32_t given;
    uint32_t given_at;
} wire_input;

#define WIRE_INPUT_FILE 16384u       /* the most file_bytes */
#define WIRE_INPUT_OUTPUT (2u << 20) /* the most output_bytes: beyond mappings of their own */
#define WIRE_INPUT_IMAGE (1u << 20)
#define WIRE_INPUT_BUILD_ID 40 /* the build id's place in the frames */

/* An input taken apart; the limits are cut to what is above. */
typedef struct wire_parts {
    wire_input head;
    const uint8_t *given;
    const uint8_t *frames;
    uint64_t frame_bytes;
} wire_parts;

wire_parts wire_input_parts(const uint8_t *data, size_t size);

/* The byte of the pattern at that place of the file. */
uint8_t wire_input_pattern(uint64_t at);

/* The parent's side of one answer, from HELLO to the model. */
typedef struct wire_hearing {
    wire_parts parts;
    uint64_t position; /* in the frames */
    snapshot file;     /* the sealed copy; no data for a lazy transport */
    wire_receiver receiver;
    received result;
    bool ended; /* END came */
} wire_hearing;

/* Hears the answer and validates it, as src/gate/session.c does. *model is the caller's, to
 * be freed before wire_hearing_drop. Offsets of errors are places in the image or none:
 * one in the artifact is checked to lie in it (invariant 9) and taken away. */
wlk_status wire_hear(wire_hearing *h, const uint8_t *data, size_t size, wlk_model **model,
                     wlk_error *error);
void wire_hearing_drop(wire_hearing *h);

/* Of an answer that was accepted: every payload lies in the budget, and if it is said to lie
 * in the file, there and with the file's bytes; END came and nothing behind it (invariants 5,
 * 6 and 7). While the model lives. */
void wire_check_taken(const wire_hearing *h);

/* What that may hold at once: the file; what may be declared and not come, which is one payload
 * below the size from which on it is a mapping of its own, and one image; and what does not
 * grow. For each byte of the input: a DATA frame of 33 bytes has 64 for its payload and at
 * most 72 in the table of payloads, while that grows. */
#define WIRE_INPUT_MEMORY (WIRE_INPUT_FILE + (1u << 20) + WIRE_INPUT_IMAGE + 4096u)
#define WIRE_INPUT_MEMORY_PER_BYTE 5

#endif
