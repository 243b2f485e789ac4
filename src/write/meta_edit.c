#include "write/meta_edit.h"

#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "trust/digest.h"
#include "trust/native.h"
#include "trust/ready.h"
#include "write/header.h"
#include "write/json_text.h"

/* ---- edits */

/* Puts the path in front of what is wrong with its value. */
static wlk_status bad_value(const char *path, const wlk_error *reason, wlk_error *error) {
    return error_text(error, (wlk_rule)reason->rule, WLK_NO_OFFSET, "%.100s: %s", path,
                      reason->text);
}

static wlk_status set_value(meta_node *root, const wlk_meta_edit *edit, wlk_error *error) {
    meta_node *value;
    wlk_error reason = {0};
    if (json_text_read(edit->json, strlen(edit->json), &value, &reason) != WLK_OK) {
        return bad_value(edit->path, &reason, error);
    }
    return meta_node_put(root, edit->path, value, error);
}

static wlk_status apply(meta_node *root, const wlk_meta_edit *edits, uint32_t count,
                        wlk_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(edits[i].json ? set_value(root, &edits[i], error)
                          : meta_node_remove(root, edits[i].path, error));
    }
    return WLK_OK;
}

wlk_status meta_edited(const wlk_model *model, const wlk_meta_edit *edits, uint32_t count,
                       const wlk_limits *limits, wlk_model **metadata, wlk_error *error) {
    __attribute__((cleanup(meta_node_drop))) meta_node *root = NULL;
    *metadata = NULL;
    TRY(meta_node_from_model(model, &root, error));
    TRY(apply(root, edits, count, error));
    return meta_node_to_model(root, limits, metadata, error);
}

/* ---- the head */

/* Does the header that lies there describe this model? The encoding is canonical, so
 * there is one answer. */
static wlk_status check_same(const uint8_t *head, const envelope *e, const wlk_model *model,
                             const packed_payload *payloads, wlk_error *error) {
    packer out;
    wlk_status status =
        header_encode(&(tensor_source){.model = model}, model, payloads, &out, error);
    if (status == WLK_OK && (out.buffer.size != e->header_len ||
                             memcmp(out.buffer.data, head + ENVELOPE_BYTES, e->header_len) != 0)) {
        status = error_at(error, RULE_WRITE_HEAD, ENVELOPE_BYTES);
    }
    msgpack_sbuffer_destroy(&out.buffer);
    return status;
}

static wlk_status check_room(const envelope *e, uint64_t header_len, wlk_error *error) {
    uint64_t end;
    if (!checked_add(ENVELOPE_BYTES, header_len, &end) || !checked_add(end, e->table_len, &end)) {
        return error_at(error, RULE_WRITE_SIZE, WLK_NO_OFFSET);
    }
    if (end > e->data_off) {
        return error_text(error, RULE_WRITE_ROOM, WLK_NO_OFFSET, "%llu bytes are missing",
                          (unsigned long long)(end - e->data_off));
    }
    if (e->data_off - end > ENVELOPE_MAX_SLACK) {
        return error_text(error, RULE_WRITE_SLACK, WLK_NO_OFFSET, "%llu bytes",
                          (unsigned long long)(e->data_off - end));
    }
    return WLK_OK;
}

/* There is room. */
static void compose(const uint8_t *head, const envelope *old, const packer *header,
                    uint8_t *new_head) {
    envelope e = *old;
    e.header_len = header->buffer.size;
    digest_bytes((const uint8_t *)header->buffer.data, e.header_len, e.header_digest);
    memset(e.key_id, 0, sizeof e.key_id);
    memset(e.signature, 0, sizeof e.signature);
    memset(new_head, 0, e.data_off);
    envelope_encode(&e, new_head);
    memcpy(new_head + ENVELOPE_BYTES, header->buffer.data, e.header_len);
    memcpy(new_head + ENVELOPE_BYTES + e.header_len, head + ENVELOPE_BYTES + old->header_len,
           e.table_len);
}

static wlk_status make_head(const uint8_t *head, const envelope *e, const wlk_model *model,
                            const wlk_model *metadata, const packed_payload *payloads,
                            uint8_t *new_head, wlk_error *error) {
    packer out;
    TRY(check_same(head, e, model, payloads, error));
    wlk_status status =
        header_encode(&(tensor_source){.model = model}, metadata, payloads, &out, error);
    if (status == WLK_OK) status = check_room(e, out.buffer.size, error);
    if (status == WLK_OK) compose(head, e, &out, new_head);
    msgpack_sbuffer_destroy(&out.buffer);
    return status;
}

wlk_status meta_head(const uint8_t *head, uint64_t head_bytes, const wlk_model *model,
                     const wlk_model *metadata, uint8_t *new_head, wlk_error *error) {
    envelope e;
    const tensor_source source = {.model = model};
    packed_payload *payloads;
    uint64_t data_len;
    TRY(sodium_ready(error));
    if (head_bytes < ENVELOPE_BYTES) return error_at(error, RULE_WRITE_HEAD, head_bytes);
    TRY(envelope_decode(head, wlk_model_file_bytes(model), &e, error));
    if (e.data_off != head_bytes) return error_at(error, RULE_WRITE_HEAD, head_bytes);
    TRY(packed_lengths(model, &payloads, error));
    const bool same = packed_place(&source, payloads, &data_len) && data_len == e.data_len;
    const wlk_status status = same ? make_head(head, &e, model, metadata, payloads, new_head, error)
                                   : error_at(error, RULE_WRITE_HEAD, WLK_NO_OFFSET);
    packed_free(&source, payloads);
    return status;
}

wlk_status wlk_meta_rewrite(const uint8_t *head, uint64_t head_bytes, const wlk_model *model,
                            const wlk_meta_edit *edits, uint32_t count, const wlk_secret_key *key,
                            uint8_t *new_head, wlk_error *error) {
    wlk_limits limits;
    wlk_model *metadata;
    wlk_limits_default(&limits);
    TRY(meta_edited(model, edits, count, &limits, &metadata, error));
    const wlk_status status = meta_head(head, head_bytes, model, metadata, new_head, error);
    wlk_model_free(metadata);
    if (status == WLK_OK && key) native_sign(new_head, key);
    return status;
}
