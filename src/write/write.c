#include <weighlock/write.h>

#include <string.h>

#include "base/memory.h"
#include "write/layout.h"

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

static wlk_status put_and_sign(const file_layout *layout, const wlk_secret_key *key, uint8_t *data,
                               wlk_error *error) {
    memory_output memory = {.data = data};
    const file_output output = {&memory, put_memory};
    TRY(layout_put(layout, &output, error));
    return key ? wlk_sign_memory(data, layout->size, key, error) : WLK_OK;
}

static wlk_status write_memory(const file_layout *layout, const wlk_secret_key *key, uint8_t **data,
                               uint64_t *size, wlk_error *error) {
    uint8_t *made = mem_alloc(layout->size);
    if (!made) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = put_and_sign(layout, key, made, error);
    if (status != WLK_OK) {
        mem_free(made);
        return status;
    }
    *data = made;
    *size = layout->size;
    return WLK_OK;
}

wlk_status wlk_write_memory(const wlk_model *model, const wlk_write_options *options,
                            uint8_t **data, uint64_t *size, wlk_error *error) {
    file_layout layout;
    *data = NULL;
    *size = 0;
    wlk_status status = layout_open(model, options, &layout, error);
    if (status == WLK_OK) {
        status = write_memory(&layout, options ? options->key : NULL, data, size, error);
    }
    layout_close(&layout);
    return status;
}
