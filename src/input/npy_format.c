/* A .npy file in memory (npy.h). */
#include <string.h>

#include "base/memory.h"
#include "base/npy_header.h"
#include "input/npy.h"
#include "input/npy_layout.h"

typedef struct memory_output {
    uint8_t *data;
    uint64_t used;
} memory_output;

/* There is room for the whole file. */
static wlk_status put_memory(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    memory_output *memory = context;
    (void)error;
    memcpy(memory->data + memory->used, bytes, length);
    memory->used += length;
    return WLK_OK;
}

wlk_status npy_format(const wlk_tensor *tensor, uint8_t **data, uint64_t *size, wlk_error *error) {
    npy_layout layout;
    if (!npy_descr(tensor->dtype) && tensor->dtype != WLK_STR) {
        return error_text(error, RULE_NPY_DTYPE, WLK_NO_OFFSET, "%s",
                          wlk_dtype_name(tensor->dtype));
    }
    TRY(npy_layout_of(tensor, UINT64_MAX, &layout, error));
    memory_output memory = {.data = mem_alloc(layout.size)};
    const npy_output output = {&memory, put_memory};
    if (!memory.data) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = npy_put(tensor, &layout, &output, error);
    if (status != WLK_OK) {
        mem_free(memory.data);
        return status;
    }
    *data = memory.data;
    *size = layout.size;
    return WLK_OK;
}
