/* A .wlk header alone: the scan of its structure against msgpack-c, which it stands before,
 * and the reader behind it. What the scan accepts msgpack-c unpacks, to the last byte, and
 * packs again as the same bytes, so both have understood the same; what the reader accepts
 * the image validator accepts. */
#include <string.h>

#include <msgpack/object.h>
#include <msgpack/pack.h>
#include <msgpack/unpack.h>

#include "formats/wlk/scan.h"
#include "kit/bare_header.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_msgpack;

/* Takes what is packed and holds it against what was unpacked. */
static int compare(void *context, const char *bytes, size_t length) {
    const uint8_t *same = cursor_take(context, length);
    FUZZ_CHECK(12, same && (length == 0 || memcmp(same, bytes, length) == 0));
    return 0;
}

static void check_unpacked(const uint8_t *data, size_t size) {
    size_t end = 0;
    cursor again = cursor_over(data, size, 0);
    msgpack_packer packer;
    msgpack_unpacked found;
    msgpack_unpacked_init(&found);
    const msgpack_unpack_return result =
        msgpack_unpack_next(&found, (const char *)data, size, &end);
    FUZZ_CHECK(12, result == MSGPACK_UNPACK_SUCCESS && end == size);
    msgpack_packer_init(&packer, &again, compare);
    FUZZ_CHECK(12, msgpack_pack_object(&packer, found.data) == 0 && cursor_left(&again) == 0);
    msgpack_unpacked_destroy(&found);
}

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model = NULL;
    if (size == 0) return WLK_OK;
    TRY(scan_header(cursor_over(data, size, 0), fuzz_limits(), error));
    if (fuzz_hash(data, size) % 2 == 0)
        check_unpacked(data, size); /* it takes a third of the time */
    const wlk_status status = bare_header_parse(data, size, fuzz_limits(), &model, error);
    FUZZ_CHECK(5, status != WLK_CAGE);
    FUZZ_CHECK(5, (status == WLK_OK) == (model != NULL));
    wlk_model_free(model);
    return status;
}

/* An empty array among metadata is one byte here, and at most 92 of builder and image while
 * both are there; a page lies in front of the data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1u << 16, .memory_per_byte = 112}, data,
                    size);
}
