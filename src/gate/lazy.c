/* Models whose tensors stay in the file until they are asked for. What lies before the
 * data is loaded like a whole file: copied, sealed, verified, parsed in the cage. A
 * tensor's bytes are then read into private memory, held there against the digests
 * that were verified, and used; the file is not looked at again (invariant 1). Compressed
 * tensors only a child decodes: a file that has some is loaded whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/envelope.h"
#include "base/memory.h"
#include "gate/artifact.h"
#include "gate/session.h"
#include "gate/weights.h"
#include "image/model.h"
#include "trust/verify.h"

#define HEADER_LEN_AT 14 /* in the envelope */

struct wlk_lazy {
    int fd;        /* the file, which may change */
    snapshot head; /* what lies before its data, which may not */
    envelope layout;
    uint64_t file_bytes;
    wlk_policy policy;
    wlk_model *model; /* with its tensors' bytes if any are compressed */
};

static bool is_whole(const wlk_lazy *lazy) {
    return lazy->layout.codecs != ENVELOPE_CODEC_RAW;
}

/* Bytes [offset, offset + length) of the file, which had them when it was opened. */
static wlk_status read_file(int fd, uint8_t *data, uint64_t length, uint64_t offset,
                            wlk_error *error) {
    while (length > 0) {
        const ssize_t got = pread(fd, data, length, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_errno(error, RULE_GATE_READ, errno, "pread");
        if (got == 0) return error_at(error, RULE_LOAD_CHANGED, offset);
        data += got;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return WLK_OK;
}

/* ---- opening */

/* How long the head is. Nothing else is believed of this envelope: the one that counts
 * is in the sealed copy, and must say the same. */
static wlk_status measure_head(const wlk_lazy *lazy, uint64_t *length, wlk_error *error) {
    const wlk_limits *limits = &lazy->policy.limits;
    const uint64_t size = lazy->file_bytes;
    uint8_t start[ENVELOPE_BYTES];
    envelope e;
    TRY(read_file(lazy->fd, start, size < sizeof start ? size : sizeof start, 0, error));
    if (!envelope_magic_matches(start, size)) return error_at(error, RULE_LOAD_LAZY_FORMAT, 0);
    TRY(envelope_decode(start, size, &e, error));
    if (e.header_len > limits->header_bytes) {
        return error_at(error, RULE_LIMIT_HEADER_BYTES, HEADER_LEN_AT);
    }
    if (e.data_off > limits->snapshot_bytes) {
        return error_at(error, RULE_LIMIT_SNAPSHOT_BYTES, limits->snapshot_bytes);
    }
    *length = e.data_off;
    return WLK_OK;
}

/* What can only be held against the whole file is not passed over. */
static wlk_status check_evidence(const wlk_gate *gate, const wlk_artifact *artifact,
                                 wlk_error *error) {
    const wlk_load_options *options = &gate->options;
    const wlk_evidence *given = &artifact->evidence;
    __attribute__((cleanup(evidence_drop))) evidence known = {0};
    if (options->policy.threshold > 1) {
        return error_text(error, RULE_LOAD_LAZY_EVIDENCE, WLK_NO_OFFSET,
                          "the policy asks for %u signatures, and a file holds one",
                          options->policy.threshold);
    }
    if (given->signature_count > 0 || given->digest_count > 0) {
        return error_at(error, RULE_LOAD_LAZY_EVIDENCE, WLK_NO_OFFSET);
    }
    TRY(evidence_collect(artifact, options->trust, &known, error));
    if (!evidence_has_known_key(&known, options->trust)) return WLK_OK;
    return error_text(error, RULE_LOAD_LAZY_EVIDENCE, WLK_NO_OFFSET,
                      "the signature of a known key lies beside the file");
}

static wlk_status verify(wlk_lazy *lazy, const wlk_gate *gate, wlk_verification *found,
                         wlk_error *error) {
    const wlk_load_options *options = &gate->options;
    const wlk_verify_options verify_options = {.trust = options->trust};
    TRY(verify_head(lazy->head.data, lazy->head.size, lazy->file_bytes, &verify_options, found,
                    &lazy->layout, error));
    return wlk_verification_check(found, options->policy.threshold, options->allow_unsigned, error);
}

/* The child gets the head alone. */
static wlk_status parse(wlk_lazy *lazy, wlk_gate *gate, wlk_load_report *report, wlk_error *error) {
    session s = session_begin(gate, report);
    s.source = lazy->head;
    s.file_bytes = lazy->file_bytes;
    s.data_from = lazy->layout.data_off;
    s.lazy = true;
    const wlk_status status = session_parse(&s, &lazy->model, error);
    s.source = SNAPSHOT_NONE;
    session_end(&s);
    snapshot_close(&lazy->head);
    return status;
}

/* ---- a file whose tensors are compressed */

/* The whole file, of which the head that was verified must be a part. */
static wlk_status take_whole(const wlk_lazy *lazy, session *s, wlk_error *error) {
    TRY(snapshot_take(lazy->fd, lazy->policy.limits.snapshot_bytes, &s->source, error));
    if (s->source.size == lazy->file_bytes &&
        memcmp(s->source.data, lazy->head.data, lazy->head.size) == 0) {
        return WLK_OK;
    }
    return error_at(error, RULE_GATE_CHANGED, WLK_NO_OFFSET);
}

static wlk_status verify_whole(const session *s, wlk_error *error) {
    const wlk_load_options *options = &s->gate->options;
    const wlk_verify_options verify_options = {.trust = options->trust,
                                               .threads = options->threads};
    return wlk_verify_memory(s->source.data, s->source.size, &verify_options,
                             &s->report->verification, error);
}

static wlk_status load_steps(wlk_lazy *lazy, session *s, wlk_error *error) {
    TRY(take_whole(lazy, s, error));
    TRY(verify_whole(s, error));
    s->file_bytes = lazy->file_bytes;
    s->data_from = lazy->layout.data_off;
    s->decodes = true;
    return session_parse(s, &lazy->model, error);
}

static wlk_status load_whole(wlk_lazy *lazy, wlk_gate *gate, wlk_load_report *report,
                             wlk_error *error) {
    session s = session_begin(gate, report);
    const wlk_status status = load_steps(lazy, &s, error);
    session_end(&s);
    snapshot_close(&lazy->head);
    return status;
}

static wlk_status open_steps(wlk_lazy *lazy, wlk_gate *gate, const wlk_artifact *artifact,
                             wlk_load_report *report, wlk_error *error) {
    uint64_t length;
    TRY(artifact_open(artifact, &lazy->fd, error));
    TRY(snapshot_measure(lazy->fd, lazy->policy.limits.file_bytes, &lazy->file_bytes, error));
    report->file_bytes = lazy->file_bytes;
    TRY(measure_head(lazy, &length, error));
    TRY(check_evidence(gate, artifact, error));
    TRY(snapshot_take_head(lazy->fd, length, &lazy->head, error));
    TRY(verify(lazy, gate, &report->verification, error));
    return is_whole(lazy) ? load_whole(lazy, gate, report, error)
                          : parse(lazy, gate, report, error);
}

wlk_status wlk_gate_open_lazy(wlk_gate *gate, const wlk_artifact *artifact, wlk_lazy **lazy,
                              wlk_load_report *report, wlk_error *error) {
    wlk_load_report unused_report;
    wlk_error unused_error;
    wlk_load_report *seen = report ? report : &unused_report;
    wlk_error *out = error ? error : &unused_error;
    *lazy = NULL;
    artifact_clear_outputs(seen, out);
    wlk_lazy *made = mem_zeroed(1, sizeof *made);
    if (!made) return error_at(out, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    made->fd = -1;
    made->head = SNAPSHOT_NONE;
    made->policy = gate->options.policy;
    const wlk_status status = open_steps(made, gate, artifact, seen, out);
    if (status == WLK_OK) {
        *lazy = made;
    } else {
        wlk_lazy_close(made);
    }
    return status;
}

const wlk_model *wlk_lazy_model(const wlk_lazy *lazy) {
    return lazy->model;
}

const uint8_t *wlk_lazy_head(const wlk_lazy *lazy, uint64_t *size) {
    *size = lazy->head.size;
    return lazy->head.data;
}

void wlk_lazy_close(wlk_lazy *lazy) {
    if (!lazy) return;
    wlk_model_free(lazy->model);
    snapshot_drop(&lazy->head);
    if (lazy->fd >= 0) (void)close(lazy->fd);
    mem_free(lazy);
}

/* ---- one tensor */

/* The tensor is bytes [begin, end) of the data. */
typedef struct tensor_read {
    const wlk_lazy *lazy;
    uint64_t begin, end;
    uint8_t *tensor;
    uint8_t *chunk; /* for one of which the tensor is only a part; NULL until there is one */
} tensor_read;

/* Zeros follow a tensor to the next multiple of its alignment, or to the end of the
 * data: always within the tensor's last chunk, which is [from, from + length). */
static wlk_status check_padding(const tensor_read *r, uint64_t from, uint64_t length,
                                wlk_error *error) {
    for (uint64_t at = r->end; at % ENVELOPE_TENSOR_ALIGN != 0 && at < from + length; at++) {
        if (r->chunk[at - from] != 0) {
            return error_at(error, RULE_DATA_PADDING, r->lazy->layout.data_off + at);
        }
    }
    return WLK_OK;
}

/* A chunk of which the tensor is a part. */
static wlk_status keep_part(const tensor_read *r, uint64_t from, uint64_t length,
                            wlk_error *error) {
    const uint64_t first = from > r->begin ? from : r->begin;
    const uint64_t last = from + length < r->end ? from + length : r->end;
    memcpy(r->tensor + (first - r->begin), r->chunk + (first - from), last - first);
    return last == r->end ? check_padding(r, from, length, error) : WLK_OK;
}

/* Reads a chunk, which is hashed as a whole, straight to where it belongs if the
 * tensor has all of it. */
static wlk_status read_chunk(tensor_read *r, uint64_t index, wlk_error *error) {
    const envelope *layout = &r->lazy->layout;
    const uint64_t size = 1ull << layout->chunk_log2, from = index << layout->chunk_log2;
    const uint64_t left = layout->data_len - from, length = left < size ? left : size;
    const bool whole = from >= r->begin && from + length <= r->end;
    if (!whole && !r->chunk) {
        r->chunk = mem_alloc(size);
        if (!r->chunk) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    uint8_t *bytes = whole ? r->tensor + (from - r->begin) : r->chunk;
    TRY(read_file(r->lazy->fd, bytes, length, layout->data_off + from, error));
    TRY(verify_chunk(r->lazy->head.data, layout, index, bytes, length, error));
    return whole ? WLK_OK : keep_part(r, from, length, error);
}

static wlk_status read_chunks(const wlk_lazy *lazy, uint64_t offset, uint64_t nbytes,
                              uint8_t *tensor, wlk_error *error) {
    const unsigned log2 = lazy->layout.chunk_log2;
    const uint64_t begin = offset - lazy->layout.data_off; /* the child could name no less */
    tensor_read r = {.lazy = lazy, .begin = begin, .end = begin + nbytes, .tensor = tensor};
    wlk_status status = WLK_OK;
    for (uint64_t i = r.begin >> log2; status == WLK_OK && i << log2 < r.end; i++) {
        status = read_chunk(&r, i, error);
    }
    mem_free(r.chunk);
    return status;
}

/* The same checks as of a tensor that is loaded with its model, behind the digests. */
static wlk_status read_tensor(const wlk_lazy *lazy, uint32_t index, uint8_t *data,
                              const wlk_tensor *tensor, wlk_error *error) {
    if (tensor->nbytes == 0) return WLK_OK;
    const uint64_t offset = model_tensor_offset(lazy->model, index);
    if (is_whole(lazy)) {
        memcpy(data, tensor->data, tensor->nbytes);
        return weights_audit_tensor(tensor, offset, &lazy->policy, error);
    }
    TRY(read_chunks(lazy, offset, tensor->nbytes, data, error));
    TRY(image_check_payload(tensor, data, offset, error));
    wlk_tensor filled = *tensor;
    filled.data = data;
    return weights_audit_tensor(&filled, offset, &lazy->policy, error);
}

static uint8_t *tensor_new(uint64_t nbytes) {
    uint64_t room;
    if (!checked_align(nbytes ? nbytes : 1, ENVELOPE_TENSOR_ALIGN, &room)) return NULL;
    return mem_aligned(ENVELOPE_TENSOR_ALIGN, room);
}

wlk_status wlk_lazy_tensor(wlk_lazy *lazy, uint32_t index, wlk_tensor *tensor, wlk_error *error) {
    wlk_error unused;
    wlk_error *out = error ? error : &unused;
    *tensor = (wlk_tensor){.name = ""};
    *out = (wlk_error){.offset = WLK_NO_OFFSET};
    if (index >= wlk_model_count(lazy->model, WLK_SECTION_TENSORS)) {
        return error_text(out, RULE_LOAD_LAZY_INDEX, WLK_NO_OFFSET, "%u", index);
    }
    wlk_tensor found = wlk_model_tensor(lazy->model, index);
    if (found.nbytes > lazy->policy.limits.output_bytes) {
        return error_at(out, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
    }
    uint8_t *data = tensor_new(found.nbytes);
    if (!data) return error_at(out, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    const wlk_status status = read_tensor(lazy, index, data, &found, out);
    if (status != WLK_OK) {
        mem_free(data);
        return status;
    }
    *tensor = found;
    tensor->data = data;
    return WLK_OK;
}

void wlk_lazy_release(wlk_tensor *tensor) {
    mem_free((void *)(uintptr_t)tensor->data);
    tensor->data = NULL;
}
