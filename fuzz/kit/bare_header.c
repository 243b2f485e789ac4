#include "kit/bare_header.h"

#include <string.h>

#include "base/envelope.h"
#include "base/memory.h"
#include "formats/formats.h"
#include "image/validate.h"
#include "kit/kit.h"
#include "kit/msgpack_change.h"

#define MOST_DATA (64u << 20) /* said to be there; no header that is accepted needs more */
#define LEAST_TENSOR_BYTES 32 /* of a header that describes one */

/* The places of payloads, which nobody has. */
typedef struct places {
    uint32_t count, room;
    image_buffer buffers[];
} places;

static wlk_status begin(void *context, uint64_t length, uint64_t offset, wlk_error *error) {
    places *p = context;
    (void)error;
    FUZZ_CHECK(7, p->count < p->room);
    p->buffers[p->count++] = (image_buffer){.length = length, .file_offset = offset};
    return WLK_OK;
}

static wlk_status append(void *context, const uint8_t *data, uint64_t length, wlk_error *error) {
    (void)context, (void)length, (void)error;
    FUZZ_CHECK(12, data == NULL);
    return WLK_OK;
}

static uint64_t data_length(const uint8_t *header, size_t size) {
    static tree t;
    uint64_t end = 0;
    tensor_place place;
    tree_decode(&t, header, size);
    for (uint32_t entry = tensors_first(&t); entry; entry = t.nodes[entry].next) {
        if (!tensor_at(&t, entry, &place) || place.nbytes > MOST_DATA || place.offset > MOST_DATA) {
            return 0;
        }
        end = place.offset + place.nbytes;
    }
    return end;
}

/* Envelope, header, digest table and zeros; *e says how long all that is. */
static uint8_t *make_head(const uint8_t *header, size_t size, envelope *e) {
    *e = (envelope){.chunk_log2 = ENVELOPE_MAX_CHUNK_LOG2, .header_len = size};
    e->data_len = data_length(header, size);
    e->table_len = envelope_table_len(e->data_len, e->chunk_log2);
    const uint64_t end = ENVELOPE_BYTES + e->header_len + e->table_len;
    e->data_off = (end + ENVELOPE_DATA_ALIGN - 1) / ENVELOPE_DATA_ALIGN * ENVELOPE_DATA_ALIGN;
    uint8_t *head = mem_zeroed(1, e->data_off);
    if (!head) return NULL;
    envelope_encode(e, head);
    if (size) memcpy(head + ENVELOPE_BYTES, header, size);
    return head;
}

static wlk_status validate(image_builder *builder, places *p, const format_input *input,
                           wlk_model **model, wlk_error *error) {
    uint8_t *image;
    uint64_t length;
    const uint64_t file_bytes = input->size + input->absent;
    const image_payloads payloads = {p->buffers, p->count, p, mem_free, true};
    const wlk_status status = image_finish(builder, file_bytes, &image, &length, error);
    if (status != WLK_OK) {
        mem_free(p);
        return status;
    }
    return image_validate(image, length, file_bytes, &payloads, input->limits, model, error);
}

/* Takes the places over. */
static wlk_status build(const format_input *input, places *p, wlk_model **model, wlk_error *error) {
    const image_sink sink = {p, begin, append};
    image_builder *builder = p ? image_builder_new(input->limits, &sink) : NULL;
    wlk_status status = builder ? format_parse_wlk(input, builder, error)
                                : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    if (status == WLK_OK) {
        status = validate(builder, p, input, model, error);
    } else {
        mem_free(p);
    }
    image_builder_free(builder);
    return status;
}

wlk_status bare_header_parse(const uint8_t *header, size_t size, const wlk_limits *limits,
                             wlk_model **model, wlk_error *error) {
    envelope e;
    const uint32_t room = (uint32_t)(size / LEAST_TENSOR_BYTES + 1);
    uint8_t *head = make_head(header, size, &e);
    if (!head) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    places *p = mem_zeroed(1, sizeof *p + room * sizeof *p->buffers);
    if (p) p->room = room;
    const format_input input = {
        .data = head, .size = e.data_off, .limits = limits, .absent = e.data_len};
    const wlk_status status = build(&input, p, model, error);
    mem_free(head);
    const bool within = error->offset >= ENVELOPE_BYTES && error->offset <= ENVELOPE_BYTES + size;
    error->offset = within ? error->offset - ENVELOPE_BYTES : WLK_NO_OFFSET;
    return status;
}
