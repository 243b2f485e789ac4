#include "formats/formats.h"

#include <stddef.h>

#include "base/envelope.h"

static const format_row formats[] = {
    {WLK_FORMAT_WLK, "wlk", envelope_magic_matches, format_parse_wlk},
    {WLK_FORMAT_ONNX, "onnx", onnx_begins, format_parse_onnx},
};
#define FORMATS (sizeof formats / sizeof *formats)

const format_row *format_find(uint32_t id) {
    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i].id == id) return &formats[i];
    }
    return NULL;
}

const format_row *format_detect(const uint8_t *data, uint64_t size) {
    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i].begins(data, size)) return &formats[i];
    }
    return NULL;
}
