#include "input/npz_write.h"

#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"

#define MOST_32 0xffffffffu /* in a 32-bit field: look into the ZIP64 one */
#define MOST_16 0xffffu
#define VERSION_STORED 20u
#define VERSION_ZIP64 45u
#define MADE_BY_UNIX (3u << 8)
#define DATE_1980_01_01 0x21u /* the first that there is */
#define MODE_FILE (0100644u << 16)
#define SUFFIX ".npy"

enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20 };
enum { EXTRA_HEAD_BYTES = 4, EXTRA_ROOM = EXTRA_HEAD_BYTES + 3 * 8 };

typedef struct npz_member {
    char *name; /* with ".npy" */
    uint16_t name_bytes;
    uint32_t crc;
    uint64_t size;
    uint64_t offset; /* of its local header */
} npz_member;

struct npz_writer {
    const npy_output *output;
    npz_member *members;
    uint64_t count;
    uint64_t room;
    uint64_t offset; /* bytes put out so far */
};

npz_writer *npz_new(const npy_output *output) {
    npz_writer *npz = mem_zeroed(1, sizeof *npz);
    if (npz) npz->output = output;
    return npz;
}

void npz_free(npz_writer *npz) {
    if (!npz) return;
    for (uint64_t i = 0; i < npz->count; i++) mem_free(npz->members[i].name);
    mem_free(npz->members);
    mem_free(npz);
}

/* ---- names */

/* Not isalnum, which depends on the locale. */
static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* numpy takes ".npy" off a name, and so would take "x.npy" for "x". */
static bool is_suffix_dot(const char *at) {
    return strcmp(at, SUFFIX) == 0;
}

char *npz_member_name(const char *name) {
    static const char digits[] = "0123456789ABCDEF";
    uint64_t room;
    if (!checked_mul(strlen(name), 3, &room) || !checked_add(room, 2, &room)) return NULL;
    char *made = mem_alloc(room);
    char *out = made;
    if (!made) return NULL;
    if (name[0] == '\0') *out++ = '%';
    for (const char *at = name; *at; at++) {
        const uint8_t byte = (uint8_t)*at;
        if (is_plain(*at) && !(*at == '.' && (at == name || is_suffix_dot(at)))) {
            *out++ = *at;
        } else {
            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    *out = '\0';
    return made;
}

/* *file is the name of the member as the archive has it; the caller frees. */
static wlk_status file_name(const char *tensor, char **file, wlk_error *error) {
    char *name = npz_member_name(tensor);
    const size_t length = name ? strlen(name) : 0;
    char *longer = name ? mem_resize(name, length + sizeof SUFFIX) : NULL;
    if (!longer) {
        mem_free(name);
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    memcpy(longer + length, SUFFIX, sizeof SUFFIX);
    *file = longer;
    if (length + sizeof SUFFIX <= MOST_16) return WLK_OK;
    mem_free(longer);
    return error_text(error, RULE_NPZ_NAME, WLK_NO_OFFSET, "%.100s...", tensor);
}

/* ---- records of the archive */

/* A record that is filled in field by field. */
typedef struct zip_record {
    uint8_t bytes[END64_BYTES + EXTRA_ROOM];
    uint32_t used;
} zip_record;

static void put16(zip_record *r, uint64_t value) {
    store_u16(r->bytes + r->used, (uint16_t)value);
    r->used += 2;
}
static void put32(zip_record *r, uint64_t value) {
    store_u32(r->bytes + r->used, (uint32_t)value);
    r->used += 4;
}
static void put64(zip_record *r, uint64_t value) {
    store_u64(r->bytes + r->used, value);
    r->used += 8;
}
static uint32_t fit32(uint64_t value) {
    return value < MOST_32 ? (uint32_t)value : MOST_32;
}
static uint16_t fit16(uint64_t value) {
    return value < MOST_16 ? (uint16_t)value : MOST_16;
}

/* Version, flags, method, time, date, CRC, both sizes, length of name and extra field:
 * what both records of a member have. */
static void put_member(zip_record *r, const npz_member *m, uint32_t extra_bytes) {
    put16(r, extra_bytes ? VERSION_ZIP64 : VERSION_STORED);
    put16(r, 0);
    put16(r, 0); /* stored */
    put16(r, 0);
    put16(r, DATE_1980_01_01);
    put32(r, m->crc);
    put32(r, fit32(m->size));
    put32(r, fit32(m->size));
    put16(r, m->name_bytes);
    put16(r, extra_bytes);
}

static void put_extra_head(zip_record *r, uint32_t extra_bytes) {
    put16(r, 1); /* ZIP64 */
    put16(r, extra_bytes - EXTRA_HEAD_BYTES);
}

static wlk_status put_bytes(npz_writer *npz, const void *bytes, uint64_t length, wlk_error *error) {
    if (!checked_add(npz->offset, length, &npz->offset)) {
        return error_at(error, RULE_WRITE_SIZE, WLK_NO_OFFSET);
    }
    return npz->output->put(npz->output->context, bytes, length, error);
}

/* The record up to `head` bytes, the name, and what of the record follows. */
static wlk_status put_named(npz_writer *npz, const zip_record *r, uint32_t head,
                            const npz_member *m, wlk_error *error) {
    TRY(put_bytes(npz, r->bytes, head, error));
    TRY(put_bytes(npz, m->name, m->name_bytes, error));
    return r->used > head ? put_bytes(npz, r->bytes + head, r->used - head, error) : WLK_OK;
}

static wlk_status put_local(npz_writer *npz, const npz_member *m, wlk_error *error) {
    zip_record r = {.used = 0};
    const uint32_t extra = m->size >= MOST_32 ? EXTRA_HEAD_BYTES + 16 : 0;
    put32(&r, 0x04034b50);
    put_member(&r, m, extra);
    if (extra) {
        put_extra_head(&r, extra);
        put64(&r, m->size);
        put64(&r, m->size);
    }
    return put_named(npz, &r, LOCAL_BYTES, m, error);
}

static wlk_status put_central(npz_writer *npz, const npz_member *m, wlk_error *error) {
    zip_record r = {.used = 0};
    const bool large = m->size >= MOST_32, far = m->offset >= MOST_32;
    const uint32_t extra = large || far ? EXTRA_HEAD_BYTES + (large ? 16u : 0) + (far ? 8u : 0) : 0;
    put32(&r, 0x02014b50);
    put16(&r, MADE_BY_UNIX | VERSION_ZIP64);
    put_member(&r, m, extra);
    put16(&r, 0); /* no comment */
    put16(&r, 0); /* the first disk */
    put16(&r, 0);
    put32(&r, MODE_FILE);
    put32(&r, fit32(m->offset));
    if (extra) put_extra_head(&r, extra);
    if (large) {
        put64(&r, m->size);
        put64(&r, m->size);
    }
    if (far) put64(&r, m->offset);
    return put_named(npz, &r, CENTRAL_BYTES, m, error);
}

/* Record and locator of ZIP64: `start` and `size` are those of the directory. */
static wlk_status put_end64(npz_writer *npz, uint64_t start, uint64_t size, wlk_error *error) {
    zip_record end = {.used = 0}, locator = {.used = 0};
    const uint64_t here = npz->offset;
    put32(&end, 0x06064b50);
    put64(&end, END64_BYTES - 12);
    put16(&end, MADE_BY_UNIX | VERSION_ZIP64);
    put16(&end, VERSION_ZIP64);
    put32(&end, 0);
    put32(&end, 0);
    put64(&end, npz->count);
    put64(&end, npz->count);
    put64(&end, size);
    put64(&end, start);
    TRY(put_bytes(npz, end.bytes, END64_BYTES, error));
    put32(&locator, 0x07064b50);
    put32(&locator, 0);
    put64(&locator, here);
    put32(&locator, 1);
    return put_bytes(npz, locator.bytes, LOCATOR_BYTES, error);
}

wlk_status npz_finish(npz_writer *npz, wlk_error *error) {
    zip_record end = {.used = 0};
    const uint64_t start = npz->offset;
    for (uint64_t i = 0; i < npz->count; i++) {
        TRY(put_central(npz, &npz->members[i], error));
    }
    const uint64_t size = npz->offset - start;
    if (npz->count >= MOST_16 || start >= MOST_32 || size >= MOST_32) {
        TRY(put_end64(npz, start, size, error));
    }
    put32(&end, 0x06054b50);
    put16(&end, 0);
    put16(&end, 0);
    put16(&end, fit16(npz->count));
    put16(&end, fit16(npz->count));
    put32(&end, fit32(size));
    put32(&end, fit32(start));
    put16(&end, 0);
    return put_bytes(npz, end.bytes, END_BYTES, error);
}

/* ---- members */

static wlk_status put_crc(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    uint32_t *crc = context;
    (void)error;
    *crc = (uint32_t)crc32_z(*crc, bytes, length);
    return WLK_OK;
}

static wlk_status put_counted(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    return put_bytes(context, bytes, length, error);
}

static wlk_status make_room(npz_writer *npz, wlk_error *error) {
    if (npz->count < npz->room) return WLK_OK;
    const uint64_t room = npz->room ? npz->room * 2 : 64;
    npz_member *members = mem_resize_array(npz->members, room, sizeof *members);
    if (!members) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    npz->members = members;
    npz->room = room;
    return WLK_OK;
}

wlk_status npz_add(npz_writer *npz, const wlk_tensor *tensor, const npy_layout *layout,
                   wlk_error *error) {
    npz_member made = {.size = layout->size, .offset = npz->offset};
    TRY(make_room(npz, error));
    TRY(file_name(tensor->name, &made.name, error));
    made.name_bytes = (uint16_t)strlen(made.name);
    npz_member *m = &npz->members[npz->count++];
    *m = made;
    const npy_output crc = {&m->crc, put_crc}, counted = {npz, put_counted};
    TRY(npy_put(tensor, layout, &crc, error));
    TRY(put_local(npz, m, error));
    return npy_put(tensor, layout, &counted, error);
}
