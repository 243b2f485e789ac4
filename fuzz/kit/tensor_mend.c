/* msgpack_change.h: the entries of "tensors" as numbers, and put right. */
#include <string.h>

#include "base/checked.h"
#include "base/dtype.h"
#include "kit/msgpack_change.h"

#define TENSOR_ALIGN 64

static bool number_of(const tree *t, uint32_t at, uint64_t *value) {
    *value = t->nodes[at].value;
    return t->nodes[at].kind == TREE_UINT;
}

static void set_number(tree *t, uint32_t at, uint64_t value) {
    t->nodes[at].value = value;
}

uint32_t tensors_first(const tree *t) {
    const uint32_t list = tree_get(t, t->nodes[0].first, "tensors");
    return t->nodes[list].kind == TREE_ARRAY ? t->nodes[list].first : 0;
}

bool tensor_at(const tree *t, uint32_t entry, tensor_place *place) {
    return number_of(t, tree_get(t, entry, "offset"), &place->offset) &&
           number_of(t, tree_get(t, entry, "nbytes"), &place->nbytes);
}

static bool elements(const tree *t, uint32_t entry, uint64_t *count) {
    const uint32_t list = tree_get(t, entry, "shape");
    uint64_t shape[WLK_MAX_RANK];
    uint32_t rank = 0;
    if (t->nodes[list].kind != TREE_ARRAY) return false;
    for (uint32_t i = t->nodes[list].first; i; i = t->nodes[i].next) {
        if (rank == WLK_MAX_RANK || !number_of(t, i, &shape[rank++])) return false;
    }
    return shape_count(shape, rank, count);
}

static bool block_nbytes(const tree *t, uint32_t entry, uint64_t count, uint64_t *nbytes) {
    const uint32_t block = tree_get(t, entry, "block");
    uint64_t each, bytes;
    return number_of(t, tree_get(t, block, "elements"), &each) && each > 0 &&
           number_of(t, tree_get(t, block, "bytes"), &bytes) &&
           checked_mul(count / each, bytes, nbytes);
}

/* How many bytes a compressed one has is no matter of its shape. */
static bool is_packed(const tree *t, uint32_t entry) {
    const tree_node *codec = &t->nodes[tree_get(t, entry, "codec")];
    return codec->kind == TREE_STR && codec->length == 4 && memcmp(codec->bytes, "zstd", 4) == 0;
}

/* What shape and dtype want; a tensor of strings may be longer. */
static bool wanted_nbytes(const tree *t, uint32_t entry, uint64_t *nbytes) {
    const tree_node *name = &t->nodes[tree_get(t, entry, "dtype")];
    uint64_t count;
    if (is_packed(t, entry)) return false;
    if (name->kind != TREE_STR || !elements(t, entry, &count)) return false;
    const wlk_dtype dtype = wlk_dtype_from_name((const char *)name->bytes, name->length);
    if (dtype == WLK_BLOCK) return block_nbytes(t, entry, count, nbytes);
    if (dtype != WLK_STR) return dtype_nbytes(dtype, count, nbytes);
    const uint64_t said = *nbytes;
    if (!checked_add(count, 1, nbytes) || !checked_mul(*nbytes, 8, nbytes)) return false;
    if (said > *nbytes) *nbytes = said;
    return true;
}

/* *end is where the tensor before it ended, and becomes where this one does. */
static bool mend_entry(tree *t, uint32_t entry, bool size, uint64_t most, uint64_t *end) {
    tensor_place place;
    if (!tensor_at(t, entry, &place)) return false;
    uint64_t wanted = place.nbytes;
    if (size && wanted_nbytes(t, entry, &wanted) && wanted <= most) place.nbytes = wanted;
    if (!checked_align(*end, TENSOR_ALIGN, &place.offset) ||
        !checked_add(place.offset, place.nbytes, end) || *end > most) {
        return false;
    }
    set_number(t, tree_get(t, entry, "offset"), place.offset);
    set_number(t, tree_get(t, entry, "nbytes"), place.nbytes);
    return true;
}

uint64_t tensors_mend(tree *t, bool sizes, uint64_t most) {
    uint64_t end = 0;
    const uint32_t list = tree_get(t, t->nodes[0].first, "tensors");
    if (t->nodes[list].kind != TREE_ARRAY) return UINT64_MAX;
    for (uint32_t entry = t->nodes[list].first; entry; entry = t->nodes[entry].next) {
        if (!mend_entry(t, entry, sizes, most, &end)) return UINT64_MAX;
    }
    return end;
}
