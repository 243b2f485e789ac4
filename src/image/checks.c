#include "image/checks.h"

#include <stddef.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/dtype.h"

#define BLOCK_KIND_BYTES 32
#define BLOCK_MAX 65536
#define F64_EXPONENT 0x7ff0000000000000ull

typedef struct count_limit {
    wlk_rule rule;
    size_t field;
} count_limit;

/* Sections without a row are bounded by the image's bytes. */
static const count_limit count_limits[WLK_SECTION_COUNT] = {
    [WLK_SECTION_TENSORS] = {RULE_LIMIT_TENSORS, offsetof(wlk_limits, tensors)},
    [WLK_SECTION_VALUES] = {RULE_LIMIT_VALUES, offsetof(wlk_limits, values)},
    [WLK_SECTION_GRAPHS] = {RULE_LIMIT_GRAPHS, offsetof(wlk_limits, graphs)},
    [WLK_SECTION_NODES] = {RULE_LIMIT_NODES, offsetof(wlk_limits, nodes)},
    [WLK_SECTION_ATTRIBUTES] = {RULE_LIMIT_ATTRIBUTES, offsetof(wlk_limits, attributes)},
    [WLK_SECTION_METADATA] = {RULE_LIMIT_METADATA_ENTRIES, offsetof(wlk_limits, metadata_entries)},
    [WLK_SECTION_SELFTESTS] = {RULE_LIMIT_SELFTESTS, offsetof(wlk_limits, selftests)},
};

wlk_rule image_count_limit(const wlk_limits *limits, wlk_section section, uint64_t count) {
    const count_limit *row = &count_limits[section];
    if (row->rule == RULE_NONE) return RULE_NONE;
    return count > load_u64((const char *)limits + row->field) ? row->rule : RULE_NONE;
}

bool block_kind_valid(const char *kind, uint64_t length) {
    if (length == 0 || length > BLOCK_KIND_BYTES) return false;
    for (uint64_t i = 0; i < length; i++) {
        const char c = kind[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

bool block_geometry_valid(uint32_t elements, uint32_t bytes) {
    return elements >= 1 && elements <= BLOCK_MAX && bytes >= 1 && bytes <= BLOCK_MAX;
}

/* Blocks lie along the last axis, so no block holds parts of two rows. */
static bool block_size_fits(const uint64_t *shape, uint32_t rank, uint64_t count,
                            const block_record *block, uint64_t nbytes) {
    uint64_t needed;
    if (rank == 0 || shape[rank - 1] % block->elements != 0) return false;
    return checked_mul(count / block->elements, block->bytes, &needed) && needed == nbytes;
}

static bool string_size_fits(uint64_t count, uint64_t nbytes) {
    uint64_t table;
    return checked_add(count, 1, &table) && checked_mul(table, 8, &table) && table <= nbytes;
}

bool tensor_size_fits(wlk_dtype dtype, const uint64_t *shape, uint32_t rank, uint64_t count,
                      const block_record *block, uint64_t nbytes) {
    uint64_t needed;
    if (dtype == WLK_BLOCK) return block && block_size_fits(shape, rank, count, block, nbytes);
    if (dtype == WLK_STR) return string_size_fits(count, nbytes);
    return dtype_nbytes(dtype, count, &needed) && needed == nbytes;
}

static bool is_key_dtype(uint32_t dtype) {
    return (dtype >= WLK_I64 && dtype <= WLK_U4) || dtype == WLK_STR;
}

static bool dims_valid(const type_record *type) {
    for (uint32_t i = 0; i < WLK_MAX_RANK; i++) {
        const int64_t dim = type->dims[i];
        if (i >= type->rank && (dim != 0 || type->symbols[i] != 0)) return false;
        if (dim < WLK_UNKNOWN_DIM) return false;
        if (dim != WLK_UNKNOWN_DIM && type->symbols[i] != 0) return false;
    }
    return true;
}

static bool tensor_type_valid(const type_record *type) {
    return dtype_known(type->dtype) && type->key_dtype == 0 && type->element == IMAGE_NONE &&
           type->has_shape <= 1 && (type->has_shape || type->rank == 0);
}

static bool container_type_valid(const type_record *type, uint32_t index) {
    const bool key_fits =
        type->kind == WLK_TYPE_MAP ? is_key_dtype(type->key_dtype) : type->key_dtype == 0;
    return key_fits && type->dtype == 0 && type->has_shape == 0 && type->rank == 0 &&
           type->element < index;
}

bool type_form_valid(const type_record *type, uint32_t index) {
    if (type->zero != 0 || type->rank > WLK_MAX_RANK || !dims_valid(type)) return false;
    if (type->kind == WLK_TYPE_TENSOR) return tensor_type_valid(type);
    return type->kind >= WLK_TYPE_SEQUENCE && type->kind <= WLK_TYPE_OPTIONAL &&
           container_type_valid(type, index);
}

bool tolerance_valid(uint64_t bits) {
    return bits < F64_EXPONENT;
}
