#include "kit/check_npy.h"

#include <string.h>

#include "base/dtype.h"
#include "base/error.h"
#include "base/memory.h"
#include "input/npy.h"
#include "input/npy_layout.h"
#include "input/npz_write.h"
#include "kit/kit.h"

/* An array as it was written: the same elements. */
wlk_status npy_check_written(const wlk_tensor *want, wlk_error *error) {
    wlk_limits limits; /* it may have grown */
    input_array again;
    uint8_t *file;
    uint64_t size;
    wlk_limits_default(&limits);
    TRY(npy_format(want, &file, &size, error));
    const wlk_status status = npy_parse(file, size, &limits, &again, error);
    error->offset = WLK_NO_OFFSET; /* it was one in that file */
    mem_free(file);
    FUZZ_CHECK(0, status == WLK_OK || error->rule == RULE_INTERNAL_MEMORY);
    if (status != WLK_OK) return status;
    const wlk_tensor *got = &again.tensor;
    FUZZ_CHECK(0, got->dtype == want->dtype && got->rank == want->rank);
    FUZZ_CHECK(0, memcmp(got->shape, want->shape, want->rank * sizeof *want->shape) == 0);
    FUZZ_CHECK(0, got->nbytes == want->nbytes && memcmp(got->data, want->data, got->nbytes) == 0);
    input_array_free(&again);
    return WLK_OK;
}

static wlk_status count_bytes(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    uint64_t *count = context;
    (void)bytes;
    (void)error;
    *count += length;
    return WLK_OK;
}

/* The same bytes as so many elements of a packed or foreign type. */
void npy_check_layout(const uint8_t *data, size_t size, uint64_t hash) {
    wlk_tensor tensor = {.name = "", .dtype = (wlk_dtype)(hash % WLK_DTYPE_COUNT), .rank = 1};
    const uint32_t bits = wlk_dtype_bits(tensor.dtype);
    npy_layout layout;
    uint64_t count = 0;
    wlk_error error;
    if (bits == 0 || size == 0) return; /* strings and blocks have a shape of their own */
    tensor.count = tensor.shape[0] = size * 8 / bits;
    tensor.data = data;
    FUZZ_CHECK(0, dtype_nbytes(tensor.dtype, tensor.count, &tensor.nbytes));
    FUZZ_CHECK(0, tensor.nbytes <= size);
    FUZZ_CHECK(0, npy_layout_of(&tensor, UINT64_MAX, &layout, &error) == WLK_OK);
    const npy_output output = {&count, count_bytes};
    FUZZ_CHECK(0, npy_put(&tensor, &layout, &output, &error) == WLK_OK && count == layout.size);
}

/* No path, nothing hidden, and never empty. */
static wlk_status check_member(const char *name, wlk_error *error) {
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-%";
    char *member = npz_member_name(name);
    if (!member) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    FUZZ_CHECK(10, member[0] && member[0] != '.' && member[strspn(member, safe)] == '\0');
    mem_free(member);
    return WLK_OK;
}

wlk_status npy_check_member(const uint8_t *data, size_t size, wlk_error *error) {
    char *name = mem_text_of((const char *)data, size);
    if (!name) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = check_member(name, error);
    mem_free(name);
    return status;
}
