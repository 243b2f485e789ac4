#include "cage/rehearse.h"

#include <stdlib.h>
#include <string.h>

#include "base/envelope.h"
#include "formats/formats.h"

#define DATA_BYTES 8

/* {graphs: [{inputs: [x: f32[n, 2]], nodes: [Mul(x, w) -> y {a: 1, b: {ints: [1, 2]}}],
 *  outputs: [y]}], kind: model, metadata: {source: {a: 1.5}}, opset: {"": 13},
 *  tensors: [w: f32[2]]}, as docs/format.md section 3 has it. */
static const char header[] =
    "\x85\xa6graphs\x91\x83\xa6inputs\x91\x82\xa4name\xa1x\xa4type\x81\xa6tensor\x82\xa5"
    "dtype\xa3"
    "f32\xa5shape\x92\xa1n\x02\xa5nodes\x91\x84\xa4"
    "attr\x82\xa1"
    "a\x01\xa1"
    "b\x81\xa4ints\x92\x01\x02\xa2in\x92\xa1x\xa1w\xa2op\xa3Mul\xa3out\x91\xa1y\xa7outputs"
    "\x91\x81\xa4name\xa1y\xa4kind\xa5model\xa8metadata\x81\xa6source\x81\xa1"
    "a\xcb?\xf8"
    "\0\0\0\0\0\0\xa5opset\x81\xa0\x0d\xa7tensors\x91\x86\xa5"
    "codec\xa3raw\xa5"
    "dtype\xa3"
    "f32\xa4name\xa1w\xa6nbytes\x08\xa6offset\0\xa5shape\x91\x02";
#define HEADER_BYTES (sizeof header - 1)

static wlk_status drop_begin(void *context, uint64_t length, uint64_t file_offset,
                             wlk_error *error) {
    (void)context;
    (void)length;
    (void)file_offset;
    (void)error;
    return WLK_OK;
}

static wlk_status drop_append(void *context, const uint8_t *data, uint64_t length,
                              wlk_error *error) {
    (void)context;
    (void)data;
    (void)length;
    (void)error;
    return WLK_OK;
}

static void parse_sample(const format_input *input, image_builder *builder) {
    uint8_t *image = NULL;
    uint64_t length;
    if (format_parse_wlk(input, builder, NULL) == WLK_OK &&
        image_finish(builder, input->size, &image, &length, NULL) == WLK_OK) {
        free(image);
    }
}

void rehearse(const wlk_limits *limits) {
    static uint8_t file[ENVELOPE_DATA_ALIGN + DATA_BYTES]; /* zeros where nothing is written */
    const envelope layout = {.chunk_log2 = ENVELOPE_MIN_CHUNK_LOG2,
                             .header_len = HEADER_BYTES,
                             .table_len = ENVELOPE_DIGEST_BYTES,
                             .data_off = ENVELOPE_DATA_ALIGN,
                             .data_len = DATA_BYTES};
    const image_sink sink = {.begin = drop_begin, .append = drop_append};
    const format_input input = {.data = file, .size = sizeof file, .limits = limits};
    envelope_encode(&layout, file);
    memcpy(file + ENVELOPE_BYTES, header, HEADER_BYTES);
    image_builder *builder = image_builder_new(limits, &sink);
    if (builder) parse_sample(&input, builder);
    image_builder_free(builder);
}
