#include "formats/formats.h"

#include <stddef.h>

/* The numbers are those of wire_format, which orders a parse. */
static const format_row formats[] = {
    {1, "wlk", wlk_parse},
};

const format_row *format_find(uint32_t id) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].id == id) return &formats[i];
    }
    return NULL;
}
