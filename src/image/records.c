#include "image/records.h"

#define IMAGE_MAX_BYTES ((uint64_t)1 << 40)

const uint32_t image_record_bytes[WLK_SECTION_COUNT] = {
    [WLK_SECTION_STRINGS] = sizeof(string_record),
    [WLK_SECTION_BLOCKS] = sizeof(block_record),
    [WLK_SECTION_TENSORS] = sizeof(tensor_record),
    [WLK_SECTION_TYPES] = sizeof(type_record),
    [WLK_SECTION_VALUES] = sizeof(value_record),
    [WLK_SECTION_GRAPHS] = sizeof(graph_record),
    [WLK_SECTION_NODES] = sizeof(node_record),
    [WLK_SECTION_ATTRIBUTES] = sizeof(attribute_record),
    [WLK_SECTION_EDGES] = sizeof(uint32_t),
    [WLK_SECTION_NUMBERS] = sizeof(uint64_t),
    [WLK_SECTION_METADATA] = sizeof(meta_record),
    [WLK_SECTION_SELFTESTS] = sizeof(selftest_record),
    [WLK_SECTION_OPSETS] = sizeof(opset_record),
    [WLK_SECTION_FINDINGS] = sizeof(finding_record),
    [WLK_SECTION_SPANS] = sizeof(span_record),
    [WLK_SECTION_TEXT] = 1,
};

/* Both sides of the pipe agree on these, whatever compiler built them. */
_Static_assert(sizeof(image_header) == 80, "image_header has no padding");
_Static_assert(sizeof(string_record) == 8, "string_record has no padding");
_Static_assert(sizeof(block_record) == 16, "block_record has no padding");
_Static_assert(sizeof(tensor_record) == 96, "tensor_record has no padding");
_Static_assert(sizeof(type_record) == 112, "type_record has no padding");
_Static_assert(sizeof(value_record) == 8, "value_record has no padding");
_Static_assert(sizeof(graph_record) == 32, "graph_record has no padding");
_Static_assert(sizeof(node_record) == 40, "node_record has no padding");
_Static_assert(sizeof(attribute_record) == 16, "attribute_record has no padding");
_Static_assert(sizeof(meta_record) == 16, "meta_record has no padding");
_Static_assert(sizeof(selftest_record) == 32, "selftest_record has no padding");
_Static_assert(sizeof(opset_record) == 8, "opset_record has no padding");
_Static_assert(sizeof(finding_record) == 32, "finding_record has no padding");
_Static_assert(sizeof(span_record) == 24, "span_record has no padding");

bool image_layout(const uint32_t counts[WLK_SECTION_COUNT], uint64_t offsets[WLK_SECTION_COUNT],
                  uint64_t *total) {
    uint64_t at = sizeof(image_header); /* below 2^43: counts have 32 bits, records 7 */
    for (uint32_t section = 0; section < WLK_SECTION_COUNT; section++) {
        offsets[section] = at;
        at += (uint64_t)counts[section] * image_record_bytes[section];
        at = (at + 7) / 8 * 8;
    }
    *total = at;
    return at <= IMAGE_MAX_BYTES;
}
