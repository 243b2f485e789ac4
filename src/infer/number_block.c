#include "infer/number_block.h"

/* ---- loops of the dtypes that C has */

typedef void (*block_loader)(const void *data, uint64_t count, number_block *block);
typedef void (*block_storer)(void *data, uint64_t count, const number_block *block);

#define LOAD(suffix, type, number_kind, member)                                        \
    static void load_##suffix(const void *data, uint64_t count, number_block *block) { \
        const type *from = data;                                                       \
        block->kind = number_kind;                                                     \
        for (uint64_t i = 0; i < count; i++) block->member[i] = from[i];               \
    }

#define STORE_FLOAT(suffix, type)                                                       \
    static void store_##suffix(void *data, uint64_t count, const number_block *block) { \
        type *to = data;                                                                \
        switch (block->kind) {                                                          \
            case NUMBER_FLOAT:                                                          \
                for (uint64_t i = 0; i < count; i++) to[i] = (type)block->f[i];         \
                break;                                                                  \
            case NUMBER_INT:                                                            \
                for (uint64_t i = 0; i < count; i++) to[i] = (type)block->i[i];         \
                break;                                                                  \
            case NUMBER_UINT:                                                           \
                for (uint64_t i = 0; i < count; i++) to[i] = (type)block->u[i];         \
                break;                                                                  \
        }                                                                               \
    }

/* Of 8 to 32 bits: in int64_t every one of their numbers has its place. */
#define STORE_INT(suffix, type, low, high)                                              \
    static void store_##suffix(void *data, uint64_t count, const number_block *block) { \
        type *to = data;                                                                \
        if (block->kind != NUMBER_FLOAT) {                                              \
            for (uint64_t i = 0; i < count; i++) to[i] = (type)block->u[i];             \
            return;                                                                     \
        }                                                                               \
        for (uint64_t i = 0; i < count; i++) {                                          \
            double value = block->f[i];                                                 \
            value = value > (high) ? (high) : value;                                    \
            value = value >= (low) ? value : value != value ? 0 : (low);                \
            to[i] = (type)value;                                                        \
        }                                                                               \
    }

LOAD(f64, double, NUMBER_FLOAT, f)
LOAD(f32, float, NUMBER_FLOAT, f)
LOAD(i64, int64_t, NUMBER_INT, i)
LOAD(i32, int32_t, NUMBER_INT, i)
LOAD(i16, int16_t, NUMBER_INT, i)
LOAD(i8, int8_t, NUMBER_INT, i)
LOAD(u64, uint64_t, NUMBER_UINT, u)
LOAD(u32, uint32_t, NUMBER_UINT, u)
LOAD(u16, uint16_t, NUMBER_UINT, u)
LOAD(u8, uint8_t, NUMBER_UINT, u)

STORE_FLOAT(f64, double)
STORE_FLOAT(f32, float)
STORE_INT(i32, int32_t, INT32_MIN, INT32_MAX)
STORE_INT(i16, int16_t, INT16_MIN, INT16_MAX)
STORE_INT(i8, int8_t, INT8_MIN, INT8_MAX)
STORE_INT(u32, uint32_t, 0, UINT32_MAX)
STORE_INT(u16, uint16_t, 0, UINT16_MAX)
STORE_INT(u8, uint8_t, 0, UINT8_MAX)

static const block_loader loaders[WLK_DTYPE_COUNT] = {
    [WLK_F64] = load_f64, [WLK_F32] = load_f32, [WLK_I64] = load_i64, [WLK_I32] = load_i32,
    [WLK_I16] = load_i16, [WLK_I8] = load_i8,   [WLK_U64] = load_u64, [WLK_U32] = load_u32,
    [WLK_U16] = load_u16, [WLK_U8] = load_u8,   [WLK_BOOL] = load_u8,
};

static const block_storer storers[WLK_DTYPE_COUNT] = {
    [WLK_F64] = store_f64, [WLK_F32] = store_f32, [WLK_I32] = store_i32, [WLK_I16] = store_i16,
    [WLK_I8] = store_i8,   [WLK_U32] = store_u32, [WLK_U16] = store_u16, [WLK_U8] = store_u8,
};

/* ---- the others, element by element */

static void load_odd(number_loader load, const void *data, uint64_t from, uint64_t count,
                     number_block *block) {
    block->kind = NUMBER_FLOAT;
    for (uint64_t i = 0; i < count; i++) {
        const number value = load(data, from + i);
        block->kind = value.kind;
        block->u[i] = value.u; /* the bits, of whichever kind */
    }
}

void number_block_load(wlk_dtype dtype, const void *data, uint64_t from, uint64_t count,
                       number_block *block) {
    const block_loader load = loaders[dtype];
    if (load) {
        load((const char *)data + from * (wlk_dtype_bits(dtype) / 8), count, block);
    } else {
        load_odd(number_load(dtype), data, from, count, block);
    }
}

void number_block_store(wlk_dtype dtype, void *data, uint64_t from, uint64_t count,
                        const number_block *block, number_storer odd) {
    const block_storer store = storers[dtype];
    if (store) {
        store((char *)data + from * (wlk_dtype_bits(dtype) / 8), count, block);
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        odd(data, from + i, (number){block->kind, {.u = block->u[i]}});
    }
}
