#include "kit/wlk_file.h"

#include <string.h>

#include <sodium.h>

#include "base/bytes.h"
#include "kit/kit.h"
#include "kit/test_key.h"

/* docs/format.md, section 2. */
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
    AT_KEY = 110,
    AT_SIGNATURE = 118,
    HEADER_AT = 256
};
#define PAGE 4096
#define MOST_PAGES 15

static const uint8_t constant[10] = {0xc4, 0xfe, 0x89, 'W', 'L', 'K', '\r', '\n', 0x1a, '\n'};
static const char context[] = "weighlock envelope v1"; /* the NUL behind it is signed too */
#define SIGNED_FROM 2
#define SIGNED_BYTES (AT_SIGNATURE - SIGNED_FROM)

static size_t to_page(size_t at) {
    return (at + PAGE - 1) / PAGE * PAGE;
}

bool wlk_split(const uint8_t *file, size_t size, wlk_parts *parts) {
    if (size < HEADER_AT || memcmp(file, constant, sizeof constant) != 0) return false;
    const uint64_t header = load_u64(file + AT_HEADER_LEN), table = load_u64(file + AT_TABLE_LEN);
    const uint64_t data_off = load_u64(file + AT_DATA_OFF);
    if (header > size - HEADER_AT || table > size - HEADER_AT - header) return false;
    const size_t table_at = HEADER_AT + (size_t)header, table_end = table_at + (size_t)table;
    const size_t data_at = data_off < size ? (size_t)data_off : size;
    if (data_at < table_end) return false;
    const size_t pages = (data_at - table_end) / PAGE;
    *parts = (wlk_parts){.chunk_log2 = file[AT_CHUNK],
                         .codecs = file[AT_CODECS],
                         .is_signed = !sodium_is_zero(file + AT_KEY, 8),
                         .pages = pages < MOST_PAGES ? pages : MOST_PAGES,
                         .header = {file + HEADER_AT, (size_t)header},
                         .table = {file + table_at, (size_t)table},
                         .data = {file + data_at, size - data_at}};
    return true;
}

uint64_t wlk_packed_memory(const uint8_t *file, size_t size) {
    const bool packed = size > AT_CODECS && file[AT_CODECS] != 0;
    return packed ? (1u << 20) + 3 * fuzz_limits()->output_bytes : 0;
}

void wlk_digest_of(stretch bytes, uint8_t digest[WLK_FILE_DIGEST]) {
    (void)crypto_generichash(digest, WLK_FILE_DIGEST, bytes.at, bytes.size, NULL, 0);
}

static size_t chunk_bytes(const wlk_parts *parts) {
    return (size_t)1 << (parts->chunk_log2 < 32 ? parts->chunk_log2 : 32);
}

static size_t table_size(const wlk_parts *parts, size_t data_size) {
    const size_t chunk = chunk_bytes(parts);
    return (data_size + chunk - 1) / chunk * WLK_FILE_DIGEST;
}

size_t wlk_data_at(const wlk_parts *parts, size_t header_size, size_t data_size) {
    return to_page(HEADER_AT + header_size + table_size(parts, data_size)) + parts->pages * PAGE;
}

static void fill_table(uint8_t *table, const wlk_parts *parts, stretch data) {
    const size_t chunk = chunk_bytes(parts);
    for (size_t at = 0; at < data.size; at += chunk, table += WLK_FILE_DIGEST) {
        const size_t left = data.size - at;
        wlk_digest_of((stretch){data.at + at, left < chunk ? left : chunk}, table);
    }
}

size_t wlk_seal(uint8_t *file, const wlk_parts *parts, size_t header_size, size_t data_size) {
    const size_t table = table_size(parts, data_size), table_at = HEADER_AT + header_size;
    const size_t data_at = wlk_data_at(parts, header_size, data_size);
    memset(file, 0, HEADER_AT);
    memcpy(file, constant, sizeof constant);
    store_u16(file + AT_VERSION, 1);
    file[AT_CHUNK] = parts->chunk_log2;
    file[AT_CODECS] = parts->codecs;
    store_u64(file + AT_HEADER_LEN, header_size);
    store_u64(file + AT_TABLE_LEN, table);
    store_u64(file + AT_DATA_OFF, data_at);
    store_u64(file + AT_DATA_LEN, data_size);
    memset(file + table_at, 0, data_at - table_at);
    fill_table(file + table_at, parts, (stretch){file + data_at, data_size});
    wlk_digest_of((stretch){file + HEADER_AT, header_size}, file + AT_HEADER_DIGEST);
    wlk_digest_of((stretch){file + table_at, table}, file + AT_TABLE_DIGEST);
    return data_at + data_size;
}

static void signed_bytes(const uint8_t *file, uint8_t message[sizeof context + SIGNED_BYTES]) {
    memcpy(message, context, sizeof context);
    memcpy(message + sizeof context, file + SIGNED_FROM, SIGNED_BYTES);
}

void wlk_sign(uint8_t *file) {
    uint8_t message[sizeof context + SIGNED_BYTES];
    memcpy(file + AT_KEY, test_key.id, sizeof test_key.id);
    signed_bytes(file, message);
    (void)crypto_sign_detached(file + AT_SIGNATURE, NULL, message, sizeof message, test_key.key);
}

bool wlk_signature_holds(const uint8_t *file) {
    static const uint8_t public_key[] = {TEST_KEY_PUBLIC};
    uint8_t message[sizeof context + SIGNED_BYTES];
    signed_bytes(file, message);
    return memcmp(file + AT_KEY, test_key.id, sizeof test_key.id) == 0 &&
           crypto_sign_verify_detached(file + AT_SIGNATURE, message, sizeof message, public_key) ==
               0;
}
