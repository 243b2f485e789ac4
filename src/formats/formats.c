#include "formats/formats.h"

#include <stddef.h>

#include "base/envelope.h"

static const format_row formats[] = {
    {WLK_FORMAT_WLK, "wlk", envelope_magic_matches, format_parse_wlk},
    {WLK_FORMAT_ONNX, "onnx", onnx_begins, format_parse_onnx},
    {WLK_FORMAT_PICKLE, "pickle", pickle_begins, format_parse_pickle},
    {WLK_FORMAT_NPY, "npy", npy_begins, format_parse_npy},
};
#define FORMATS (sizeof formats / sizeof *formats)

const format_row *format_find(uint32_t id) {
    for (size_t i = 0; i < FORMATS; i++) {
        if (formats[i].id == id) return &formats[i];
    }
    return NULL;
}

wlk_status format_detect(const uint8_t *data, uint64_t size, const format_row **row,
                         wlk_error *error) {
    *row = NULL;
    for (size_t i = 0; i < FORMATS; i++) {
        if (!formats[i].begins(data, size)) continue;
        if (*row) {
            return error_text(error, RULE_FORMAT_AMBIGUOUS, 0, "%s and %s", (*row)->name,
                              formats[i].name);
        }
        *row = &formats[i];
    }
    return *row ? WLK_OK : error_at(error, RULE_FORMAT_UNKNOWN, 0);
}
