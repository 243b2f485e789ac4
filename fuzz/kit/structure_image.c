/* Inputs that begin with a model image (input_image.h): the image's records are changed, and
 * the payloads in front of it follow. */
#include <inttypes.h>
#include <string.h>

#include "kit/image_edit.h"
#include "kit/image_fields.h"
#include "kit/input_image.h"
#include "kit/structure.h"

#define MOST_LENGTH 4096u /* of a payload that is made longer for a tensor */

/* Offsets of the input's parts. */
typedef struct places {
    image_parts parts;
    size_t rows, payloads, image;
} places;

static places places_of(const uint8_t *data, size_t size) {
    const image_parts parts = image_input_parts(data, size);
    return (places){parts, (size_t)(parts.buffers - data), (size_t)(parts.payloads - data),
                    (size_t)(parts.image - data)};
}

static image_input_buffer row_get(const uint8_t *data, const places *p, uint32_t i) {
    image_input_buffer row;
    memcpy(&row, data + p->rows + i * sizeof row, sizeof row);
    return row;
}

static void row_put(uint8_t *data, const places *p, uint32_t i, const image_input_buffer *row) {
    memcpy(data + p->rows + i * sizeof *row, row, sizeof *row);
}

/* ---- what is in front of the image */

/* No payloads, an artifact of no bytes. */
static size_t fresh_input(uint8_t *data, size_t room) {
    const image_input head = {0};
    if (room < sizeof head) {
        memset(data, 0, room);
        return room;
    }
    memcpy(data, &head, sizeof head);
    return sizeof head + image_smallest(data + sizeof head, room - sizeof head);
}

static void change_row(uint8_t *data, const places *p, fuzz_random *random) {
    const uint32_t i = (uint32_t)random_below(random, p->parts.head.buffers);
    image_input_buffer row = row_get(data, p, i);
    switch (random_below(random, 4)) {
        case 0:
            row.length = (uint32_t)random_edge(random);
            break;
        case 1:
            row.length += random_below(random, 2) ? 1 : (uint32_t)-1;
            break;
        case 2:
            row.file_offset = random_below(random, 2) ? WLK_NO_OFFSET : random_edge(random);
            break;
        default:
            row.file_offset += random_below(random, 2) ? 64 : (uint64_t)-64;
    }
    row_put(data, p, i, &row);
}

static void change_head(uint8_t *data, fuzz_random *random) {
    image_input head;
    memcpy(&head, data, sizeof head);
    if (random_below(random, 2)) {
        head.flags ^= random_below(random, 2) ? IMAGE_INPUT_ABSENT : IMAGE_INPUT_NARROW;
    } else {
        head.file_bytes = random_edge(random);
    }
    memcpy(data, &head, sizeof head);
}

/* Payload bytes in place: str offsets, bools, padding of nibbles. */
static void change_payload(uint8_t *data, const places *p, fuzz_random *random) {
    const size_t length = p->image - p->payloads;
    const size_t at = p->payloads + random_below(random, length);
    data[at] = (uint8_t)(random_below(random, 2) ? random_below(random, 4) : random_next(random));
}

/* One payload more, or none of one that was there; the rest moves. */
static size_t add_row(uint8_t *data, size_t size, size_t room, const places *p) {
    const image_input_buffer row = {MOST_LENGTH, 0, WLK_NO_OFFSET};
    image_input head = p->parts.head;
    if (size + sizeof row > room) return size;
    memmove(data + p->payloads + sizeof row, data + p->payloads, size - p->payloads);
    memcpy(data + p->payloads, &row, sizeof row);
    head.buffers++;
    memcpy(data, &head, sizeof head);
    return size + sizeof row;
}

/* ---- mending */

/* Payloads are as long as the tensors in them need. */
static void fit_payloads(uint8_t *data, const places *p) {
    image_header header;
    uint64_t offsets[WLK_SECTION_COUNT];
    if (p->parts.image_bytes < sizeof header) return;
    memcpy(&header, data + p->image, sizeof header);
    if (image_places(header.counts, offsets) > p->parts.image_bytes) return;
    for (uint32_t i = 0; i < header.counts[WLK_SECTION_TENSORS]; i++) {
        tensor_record tensor;
        memcpy(&tensor, data + p->image + offsets[WLK_SECTION_TENSORS] + i * sizeof tensor,
               sizeof tensor);
        const uint64_t end = tensor.buffer_offset + tensor.nbytes;
        if (tensor.buffer >= p->parts.head.buffers || end > MOST_LENGTH) continue;
        image_input_buffer row = row_get(data, p, tensor.buffer);
        if (row.length < end) row.length = (uint32_t)end;
        row_put(data, p, tensor.buffer, &row);
    }
}

/* The artifact is as long as the image says. */
static void fit_file(uint8_t *data, const places *p) {
    if (p->parts.image_bytes < sizeof(image_header)) return;
    memcpy(data + offsetof(image_input, file_bytes),
           data + p->image + offsetof(image_header, file_bytes), sizeof(uint64_t));
}

static size_t change(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (size < sizeof(image_input)) {
        return random_below(random, 2) ? fresh_input(data, room)
                                       : mutate_bytes(data, size, room, random);
    }
    const places p = places_of(data, size);
    const size_t what = random_below(random, 16);
    if (what == 0) {
        change_head(data, random);
    } else if (what == 1 && p.parts.head.buffers > 0) {
        change_row(data, &p, random);
    } else if (what == 2 && p.image > p.payloads) {
        change_payload(data, &p, random);
    } else if (what == 3) {
        return add_row(data, size, room, &p);
    } else {
        size = p.image + image_mutate(data + p.image, size - p.image, room - p.image, random);
        if (random_below(random, 8) == 0) return size;
        const places now = places_of(data, size);
        fit_payloads(data, &now);
        fit_file(data, &now);
    }
    return size;
}

static size_t mutate(uint8_t *data, size_t size, size_t room, fuzz_random *random) {
    if (room == 0) return 0;
    const size_t made = change(data, size, room, random);
    return made ? made : fresh_input(data, room);
}

static size_t cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                    size_t room, fuzz_random *random) {
    const places first = places_of(a, a_size), second = places_of(b, b_size);
    const size_t front = first.image < room ? first.image : room;
    memcpy(out, a, front);
    const size_t crossed = image_cross(a + first.image, a_size - first.image, b + second.image,
                                       b_size - second.image, out + front, room - front, random);
    if (crossed) return front + crossed;
    /* The payloads of one, the image of the other. */
    const size_t left = b_size - second.image;
    const size_t tail = left < room - front ? left : room - front;
    memcpy(out + front, b + second.image, tail);
    return front + tail;
}

static void show(const uint8_t *data, size_t size, FILE *out) {
    const places p = places_of(data, size);
    uint64_t at = 0;
    (void)fprintf(out, "  %6d artifact of %" PRIu64 " bytes, %" PRIu32 " payloads%s%s\n", 0,
                  p.parts.head.file_bytes, p.parts.head.buffers,
                  p.parts.head.flags & IMAGE_INPUT_ABSENT ? ", which stay in it" : "",
                  p.parts.head.flags & IMAGE_INPUT_NARROW ? "; narrow limits" : "");
    for (uint32_t i = 0; i < p.parts.head.buffers; i++) {
        const uint8_t *given;
        const image_input_buffer row = image_input_buffer_at(&p.parts, i, &at, &given);
        (void)fprintf(out,
                      "  %6zu payload %" PRIu32 ": %" PRIu32 " bytes, %" PRIu32 " given at %zu",
                      p.rows + i * sizeof row, i, row.length, row.given, (size_t)(given - data));
        if (row.file_offset != WLK_NO_OFFSET) {
            (void)fprintf(out, ", at %" PRIu64 " of the artifact", row.file_offset);
        }
        (void)fputc('\n', out);
    }
    image_show(data + p.image, size - p.image, p.image, out);
}

const fuzz_structure structure_image = {"image", mutate, cross, show};
