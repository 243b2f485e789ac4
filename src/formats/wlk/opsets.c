#include <string.h>

#include "base/memory.h"
#include "formats/wlk/reader.h"

static wlk_status read_opset(const reader *r, cursor *at, opset_entry *opset, wlk_error *error) {
    ELEMENT_CLEANUP element e = ELEMENT_NONE;
    const token domain = scan_head(at);
    TRY(element_next(&e, at, r->max_objects, error));
    TRY(schema_check_kind(&e, e.root, KIND_UINT, error));
    const uint64_t version = e.root->via.u64;
    if (version == 0) return element_refuse(&e, e.root, RULE_OPSET_VERSION, error);
    if (version > UINT32_MAX) return element_refuse(&e, e.root, RULE_HEADER_VALUE, error);
    *opset = (opset_entry){.domain = {domain.text, domain.count, domain.offset},
                           .version = (uint32_t)version};
    return WLK_OK;
}

wlk_status opsets_read(reader *r, wlk_error *error) {
    const cursor field = r->fields[HEADER_OPSET];
    cursor at;
    if (field.size == 0) return WLK_OK;
    const token head = scan_enter(field, &at);
    if (head.count == 0) return WLK_OK;
    /* An entry takes two bytes of the header at least, and msgpack counts to 2^32-1. */
    r->opsets = mem_zeroed(head.count, sizeof *r->opsets);
    if (!r->opsets) return error_at(error, RULE_INTERNAL_MEMORY, head.offset);
    for (uint32_t i = 0; i < head.count; i++) TRY(read_opset(r, &at, &r->opsets[i], error));
    r->opset_count = (uint32_t)head.count;
    return WLK_OK;
}

wlk_status opsets_build(const reader *r, wlk_error *error) {
    for (uint32_t i = 0; i < r->opset_count; i++) {
        const opset_entry *opset = &r->opsets[i];
        (void)image_opset(r->builder, reader_name(r, opset->domain), opset->version,
                          opset->domain.offset);
        TRY(reader_built(r, error));
    }
    return WLK_OK;
}

static int compare_domain(const opset_entry *opset, const void *domain, uint64_t length) {
    const uint64_t known = opset->domain.length;
    const uint64_t shorter = known < length ? known : length;
    const int order = shorter ? memcmp(opset->domain.text, domain, shorter) : 0;
    return order != 0 ? order : (known > length) - (known < length);
}

/* A map's keys ascend, so the entries do. */
bool opsets_have(const reader *r, const void *domain, uint64_t length) {
    uint32_t low = 0;
    uint32_t high = r->opset_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = compare_domain(&r->opsets[middle], domain, length);
        if (order == 0) return true;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}
