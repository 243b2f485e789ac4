/* What the scan of a .wlk header says of bytes, for who asks in another language: standard
 * input holds, one after the other, a length (4 bytes, little-endian) and so many bytes; for
 * each there is a line "ok", or the rule and the offset. */
#include <stdio.h>
#include <stdlib.h>

#include "formats/wlk/scan.h"

#define MOST_BYTES (1u << 20)

static void answer(const uint8_t *data, size_t size) {
    wlk_limits limits;
    wlk_error error = {.status = WLK_OK};
    wlk_limits_default(&limits);
    if (scan_header(cursor_over(data, size, 0), &limits, &error) == WLK_OK) {
        (void)puts("ok");
    } else {
        (void)printf("%s %llu\n", wlk_rule_name(error.rule), (unsigned long long)error.offset);
    }
}

/* In memory of exactly its size, so that a sanitizer sees every step beyond it. */
static int answer_next(size_t size) {
    uint8_t *data = malloc(size ? size : 1);
    const int whole = data && fread(data, 1, size, stdin) == size;
    if (whole) answer(data, size);
    free(data);
    return whole;
}

int main(void) {
    uint8_t length[4];
    while (fread(length, 1, sizeof length, stdin) == sizeof length) {
        const uint32_t size = load_u32(length);
        if (size > MOST_BYTES || !answer_next(size)) return 1;
    }
    return feof(stdin) && fflush(stdout) == 0 ? 0 : 1;
}
