#include "base/envelope.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

/* msgpack bin 8 of 254 bytes, then the magic: a file that was sent through a
 * text-mode channel, cut, or prefixed is seen at once. */
static const uint8_t magic[10] = {0xc4, 0xfe, 0x89, 'W', 'L', 'K', '\r', '\n', 0x1a, '\n'};

enum {
    AT_VERSION = 10,
    AT_CHUNK = 12,
    AT_CODECS = 13,
    AT_HEADER_LEN = 14,
    AT_TABLE_LEN = 22,
    AT_DATA_OFF = 30,
    AT_DATA_LEN = 38,
    AT_HEADER_DIGEST = 46,
    AT_TABLE_DIGEST = 78,
    AT_KEY_ID = 110,
    AT_RESERVED = 182
};

static const uint8_t zeros[ENVELOPE_BYTES];

/* Offset of the first byte in which a and b differ, or `length`. */
static uint64_t first_difference(const uint8_t *a, const uint8_t *b, uint64_t length) {
    uint64_t i = 0;
    while (i < length && a[i] == b[i]) i++;
    return i;
}

int envelope_magic_matches(const uint8_t *data, uint64_t size) {
    return size >= sizeof magic &&
           (memcmp(data, magic, 2) == 0 || memcmp(data + 2, magic + 2, sizeof magic - 2) == 0);
}

int envelope_is_unsigned(const envelope *in) {
    return memcmp(in->key_id, zeros, sizeof in->key_id) == 0;
}

uint64_t envelope_table_len(uint64_t data_len, uint8_t chunk_log2) {
    if (chunk_log2 < ENVELOPE_MIN_CHUNK_LOG2 || chunk_log2 > ENVELOPE_MAX_CHUNK_LOG2) return 0;
    const uint64_t chunk = 1ull << chunk_log2;
    const uint64_t chunks = data_len / chunk + (data_len % chunk != 0);
    return chunks * ENVELOPE_DIGEST_BYTES; /* at most 2^48 * 32 */
}

static wlk_status check_constants(const uint8_t *data, wlk_error *error) {
    const uint64_t differs = first_difference(data, magic, sizeof magic);
    if (differs < sizeof magic) return error_at(error, RULE_ENVELOPE_MAGIC, differs);
    if (load_u16(data + AT_VERSION) != ENVELOPE_VERSION) {
        return error_at(error, RULE_ENVELOPE_VERSION, AT_VERSION);
    }
    const uint8_t chunk = data[AT_CHUNK];
    if (chunk < ENVELOPE_MIN_CHUNK_LOG2 || chunk > ENVELOPE_MAX_CHUNK_LOG2) {
        return error_at(error, RULE_ENVELOPE_CHUNK, AT_CHUNK);
    }
    if (data[AT_CODECS] > ENVELOPE_CODEC_ZSTD) {
        return error_at(error, RULE_ENVELOPE_CODECS, AT_CODECS);
    }
    const uint64_t reserved = ENVELOPE_BYTES - AT_RESERVED;
    const uint64_t nonzero = first_difference(data + AT_RESERVED, zeros, reserved);
    if (nonzero < reserved) return error_at(error, RULE_ENVELOPE_ZERO, AT_RESERVED + nonzero);
    return WLK_OK;
}

/* header, table, slack and data follow each other and end with the file. */
static wlk_status check_layout(const envelope *e, uint64_t file_size, wlk_error *error) {
    uint64_t table_at, table_end, end;
    if (e->header_len == 0 || !checked_add(ENVELOPE_BYTES, e->header_len, &table_at)) {
        return error_at(error, RULE_ENVELOPE_LAYOUT, AT_HEADER_LEN);
    }
    if (e->table_len != envelope_table_len(e->data_len, e->chunk_log2) ||
        !checked_add(table_at, e->table_len, &table_end)) {
        return error_at(error, RULE_ENVELOPE_LAYOUT, AT_TABLE_LEN);
    }
    if (e->data_off % ENVELOPE_DATA_ALIGN != 0 || e->data_off < table_end) {
        return error_at(error, RULE_ENVELOPE_LAYOUT, AT_DATA_OFF);
    }
    if (!checked_add(e->data_off, e->data_len, &end) || end != file_size) {
        return error_at(error, RULE_ENVELOPE_LAYOUT, AT_DATA_LEN);
    }
    if (e->data_off - table_end > ENVELOPE_MAX_SLACK) {
        return error_at(error, RULE_ENVELOPE_SLACK, AT_DATA_OFF);
    }
    return WLK_OK;
}

wlk_status envelope_decode(const uint8_t *data, uint64_t file_size, envelope *out,
                           wlk_error *error) {
    if (file_size < ENVELOPE_BYTES) {
        return error_at(error, RULE_ENVELOPE_TRUNCATED, file_size);
    }
    TRY(check_constants(data, error));
    out->chunk_log2 = data[AT_CHUNK];
    out->codecs = data[AT_CODECS];
    out->header_len = load_u64(data + AT_HEADER_LEN);
    out->table_len = load_u64(data + AT_TABLE_LEN);
    out->data_off = load_u64(data + AT_DATA_OFF);
    out->data_len = load_u64(data + AT_DATA_LEN);
    memcpy(out->header_digest, data + AT_HEADER_DIGEST, sizeof out->header_digest);
    memcpy(out->table_digest, data + AT_TABLE_DIGEST, sizeof out->table_digest);
    memcpy(out->key_id, data + AT_KEY_ID, sizeof out->key_id);
    memcpy(out->signature, data + ENVELOPE_SIGNATURE_AT, sizeof out->signature);
    if (envelope_is_unsigned(out)) {
        const uint64_t nonzero = first_difference(out->signature, zeros, sizeof out->signature);
        if (nonzero < sizeof out->signature) {
            return error_at(error, RULE_ENVELOPE_KEY, ENVELOPE_SIGNATURE_AT + nonzero);
        }
    }
    return check_layout(out, file_size, error);
}

void envelope_encode(const envelope *in, uint8_t bytes[ENVELOPE_BYTES]) {
    memset(bytes, 0, ENVELOPE_BYTES);
    memcpy(bytes, magic, sizeof magic);
    store_u16(bytes + AT_VERSION, ENVELOPE_VERSION);
    bytes[AT_CHUNK] = in->chunk_log2;
    bytes[AT_CODECS] = in->codecs;
    store_u64(bytes + AT_HEADER_LEN, in->header_len);
    store_u64(bytes + AT_TABLE_LEN, in->table_len);
    store_u64(bytes + AT_DATA_OFF, in->data_off);
    store_u64(bytes + AT_DATA_LEN, in->data_len);
    memcpy(bytes + AT_HEADER_DIGEST, in->header_digest, sizeof in->header_digest);
    memcpy(bytes + AT_TABLE_DIGEST, in->table_digest, sizeof in->table_digest);
    memcpy(bytes + AT_KEY_ID, in->key_id, sizeof in->key_id);
    memcpy(bytes + ENVELOPE_SIGNATURE_AT, in->signature, sizeof in->signature);
}
