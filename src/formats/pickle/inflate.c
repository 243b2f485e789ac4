#include <string.h>

#include "base/checked.h"
#include "base/cursor.h"
#include "base/memory.h"
#include "formats/pickle/inflate_parts.h"

#define FIRST_ROOM (UINT64_C(1) << 16)
#define FREE_RATIO (UINT64_C(1) << 20)  /* of so much output no ratio is asked */
#define LONGEST_INPUT ((size_t)1 << 16) /* of one call; zlib and bzip2 count in 32 bits */

/* ---- output and limits */

/* One byte more than the limit, so that it can be seen that there is more. */
static uint64_t most_room(const inflate_job *job) {
    const uint64_t limit = job->limits->inflated_bytes;
    return limit < INT64_MAX ? limit + 1 : INT64_MAX;
}

wlk_status inflate_room(inflate_job *job, uint8_t **at, size_t *room) {
    if (job->length == job->room) {
        const uint64_t doubled = job->room > 0 ? job->room * 2 : FIRST_ROOM;
        const uint64_t most = most_room(job);
        const uint64_t wanted = doubled < most ? doubled : most;
        uint8_t *grown = mem_resize(job->out, wanted);
        if (!grown) return error_at(job->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        job->out = grown;
        job->room = wanted;
    }
    const uint64_t left = job->room - job->length;
    *at = job->out + job->length;
    *room = (size_t)(left < INFLATE_STEP ? left : INFLATE_STEP);
    return WLK_OK;
}

static bool ratio_holds(const inflate_job *job) {
    uint64_t allowed;
    if (job->length <= FREE_RATIO) return true;
    if (!checked_mul(job->position, job->limits->inflate_ratio, &allowed)) return true;
    return job->length - FREE_RATIO <= allowed;
}

wlk_status inflate_step(inflate_job *job, uint64_t read, uint64_t made) {
    job->position += read;
    job->length += made;
    if (job->length > job->limits->inflated_bytes) {
        return error_at(job->error, RULE_LIMIT_INFLATED_BYTES, job->position);
    }
    if (!ratio_holds(job)) return error_at(job->error, RULE_LIMIT_INFLATE_RATIO, job->position);
    return WLK_OK;
}

size_t inflate_next(const inflate_job *job, const uint8_t **at) {
    const uint64_t left = job->size - job->position;
    *at = job->data + job->position;
    return left < LONGEST_INPUT ? (size_t)left : LONGEST_INPUT;
}

/* ---- what can be wrong */

wlk_status inflate_damaged(const inflate_job *job) {
    return error_at(job->error, RULE_INFLATE_DATA, job->position);
}

wlk_status inflate_truncated(const inflate_job *job) {
    return error_at(job->error, RULE_INFLATE_TRUNCATED, job->size);
}

wlk_status inflate_no_memory(const inflate_job *job) {
    return job->over_memory ? error_at(job->error, RULE_LIMIT_INFLATE_MEMORY, job->position)
                            : error_at(job->error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

wlk_status inflate_member(const inflate_job *job, const void *magic, uint64_t length, bool *more) {
    const uint64_t left = job->size - job->position;
    *more = left >= length && memcmp(job->data + job->position, magic, length) == 0;
    if (left == 0 || *more) return WLK_OK;
    return error_at(job->error, RULE_INFLATE_TRAILING, job->position);
}

/* ---- memory of the libraries */

typedef struct taken {
    _Alignas(max_align_t) uint64_t size;
} taken;

void *inflate_take(inflate_job *job, uint64_t count, uint64_t size) {
    uint64_t bytes, held;
    bool over = __builtin_mul_overflow(count, size, &bytes);
    over |= __builtin_add_overflow(bytes, job->memory, &held);
    over |= held > job->limits->inflate_memory;
    if (over) {
        job->over_memory = true;
        return NULL;
    }
    taken *memory = mem_alloc(sizeof *memory + bytes);
    if (!memory) return NULL;
    memory->size = bytes;
    job->memory = held;
    return memory + 1;
}

void inflate_give(inflate_job *job, void *memory) {
    if (!memory) return;
    taken *block = (taken *)memory - 1;
    job->memory -= block->size;
    mem_free(block);
}

/* ---- the codecs */

typedef struct codec_row {
    const char *name;
    const char *magic;
    uint32_t magic_bytes;
    wlk_status (*run)(inflate_job *job);
} codec_row;

static const codec_row codecs[INFLATE_CODEC_COUNT] = {
    [INFLATE_NONE] = {"none", NULL, 0, NULL},
    [INFLATE_ZLIB] = {"zlib", NULL, 0, inflate_zlib},
    [INFLATE_GZIP] = {"gzip", "\x1f\x8b", 2, inflate_gzip},
    [INFLATE_BZ2] = {"bz2", "BZh", 3, inflate_bz2},
    [INFLATE_XZ] = {"xz", "\xfd\x37\x7a\x58\x5a\x00", 6, inflate_xz},
    [INFLATE_LZMA] = {"lzma", "\x5d\x00\x00", 3, inflate_lzma},
    [INFLATE_LZ4] = {"lz4", "\x04\x22\x4d\x18", 4, inflate_lz4},
    [INFLATE_ZF] = {"zf", "ZF", 2, inflate_zf},
};

const char *inflate_name(inflate_codec codec) {
    const uint32_t index = (uint32_t)codec;
    return codecs[index < INFLATE_CODEC_COUNT ? index : INFLATE_NONE].name;
}

/* RFC 1950: deflate with a window of up to 32 KiB, no dictionary, and the two bytes are a
 * multiple of 31. joblib knows only windows of 32 KiB. */
static bool begins_zlib(const uint8_t *data, uint64_t size) {
    if (size < 2 || data[0] != 0x78 || data[1] & 0x20) return false;
    return ((uint32_t)data[0] << 8 | data[1]) % 31 == 0;
}

/* "BZh" and a digit: "BZ" alone also begins a pickle of bytes. */
static bool begins_codec(const codec_row *row, const uint8_t *data, uint64_t size) {
    if (!row->magic || size < row->magic_bytes) return false;
    if (memcmp(data, row->magic, row->magic_bytes) != 0) return false;
    return row->run != inflate_bz2 || (size > 3 && data[3] >= '1' && data[3] <= '9');
}

inflate_codec inflate_detect(const uint8_t *data, uint64_t size) {
    if (begins_zlib(data, size)) return INFLATE_ZLIB;
    for (uint32_t i = 0; i < INFLATE_CODEC_COUNT; i++) {
        if (begins_codec(&codecs[i], data, size)) return (inflate_codec)i;
    }
    return INFLATE_NONE;
}

wlk_status inflate_all(inflate_codec codec, const uint8_t *data, uint64_t size,
                       const wlk_limits *limits, uint8_t **out, uint64_t *length,
                       wlk_error *error) {
    const uint32_t index = (uint32_t)codec;
    inflate_job job = {.limits = limits, .data = data, .size = size, .error = error};
    if (index >= INFLATE_CODEC_COUNT || !codecs[index].run) {
        return error_at(error, RULE_INFLATE_HEADER, 0);
    }
    const wlk_status status = codecs[index].run(&job);
    if (status != WLK_OK) {
        mem_free(job.out);
        return status;
    }
    *out = job.out;
    *length = job.length;
    return WLK_OK;
}
