/* A .npy file: what is read is written and read again. The same bytes as elements of types
 * that NumPy has not, and as a tensor's name. */
#include "base/error.h"
#include "input/npy.h"
#include "kit/check_npy.h"
#include "kit/kit.h"

const fuzz_structure *const fuzz_input = &structure_npy;

static wlk_status run(const uint8_t *data, size_t size, wlk_error *error) {
    input_array array;
    npy_check_layout(data, size, fuzz_hash(data, size));
    TRY(npy_check_member(data, size, error));
    TRY(npy_parse(data, size, fuzz_limits(), &array, error));
    const wlk_status status = npy_check_written(&array.tensor, error);
    input_array_free(&array);
    return status;
}

/* A byte may be a string of one character: an offset of 8 bytes and one of text, 4 bytes
 * written, and both again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return fuzz_run(&(fuzz_target){.run = run, .memory = 1 << 13, .memory_per_byte = 24}, data,
                    size);
}
