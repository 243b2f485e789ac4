#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "formats/onnx/reader.h"

#define FIRST_ROOM 16
#define SUFFIX_ROOM 16 /* behind a name: two underscores, ten digits, NUL */

static bool reserve(onnx_list *list, size_t size) {
    if (list->count < list->room) return true;
    if (list->room > UINT32_MAX / 4) return false;
    const uint32_t room = list->room ? list->room * 2 : FIRST_ROOM;
    void *items = mem_resize_array(list->items, room, size);
    if (!items) return false;
    list->items = items;
    list->room = room;
    return true;
}

uint32_t onnx_append(onnx_list *list, const void *item, size_t size) {
    if (!reserve(list, size)) return IMAGE_NONE;
    memcpy((uint8_t *)list->items + list->count * size, item, size);
    return list->count++;
}

wlk_status onnx_add(onnx_list *list, const void *item, size_t size, wlk_error *error) {
    if (onnx_append(list, item, size) != IMAGE_NONE) return WLK_OK;
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

char *onnx_key_number(char *at, uint32_t number) {
    for (unsigned shift = 0; shift < 35; shift += 7) {
        *at++ = (char)(0x80 | (number >> shift & 0x7f));
    }
    return at;
}

wlk_status onnx_key_room(reader *r, uint64_t length, wlk_error *error) {
    if (length + SUFFIX_ROOM <= r->key_room) return WLK_OK;
    char *key = mem_resize_array(r->key, length + SUFFIX_ROOM, 2);
    if (!key) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    r->key = key;
    r->key_room = (length + SUFFIX_ROOM) * 2;
    return WLK_OK;
}

wlk_status onnx_key(reader *r, cursor text, const char **key, wlk_error *error) {
    if (text.size > r->limits->name_bytes) return error_at(error, RULE_LIMIT_NAME_BYTES, text.base);
    if (!utf8_valid(text.data, text.size)) return error_at(error, RULE_STRING_UTF8, text.base);
    TRY(onnx_key_room(r, text.size, error));
    if (text.size > 0) memcpy(r->key, text.data, text.size);
    r->key[text.size] = '\0';
    *key = r->key;
    return WLK_OK;
}

wlk_status onnx_built(const reader *r, wlk_error *error) {
    return image_builder_status(r->builder, error);
}

uint32_t onnx_name(const reader *r, cursor text) {
    return image_name(r->builder, (const char *)text.data, text.size, text.base);
}
