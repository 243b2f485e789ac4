#include "wire/frame.h"

#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

_Static_assert(sizeof(frame_header) == 32, "a frame header is 32 bytes");
_Static_assert(sizeof(wire_hello) == 8 + WIRE_BUILD_ID_BYTES + 8 * WIRE_MAX_LAYERS,
               "HELLO has no padding");
_Static_assert(sizeof(wire_refuse) == 16 + WLK_ERROR_TEXT_BYTES, "REFUSE has no padding");
_Static_assert(sizeof(wire_order) == 64 + sizeof(wlk_limits), "ORDER has no padding");
_Static_assert((int)WLK_FORMAT_COUNT <= (int)WIRE_FORMAT_CONTENT,
               "no format has the number of all");
_Static_assert(LAYER_COUNT <= WIRE_MAX_LAYERS, "every layer has room in HELLO");

#define MAPPED_ALIGN 64
#define IMAGE_MIN_BYTES 80 /* an image header and a string table with "" in it */

const uint8_t wire_build_id[WIRE_BUILD_ID_BYTES] = {
#include "gen/build_id.inc"
};

static const char *const layer_names[LAYER_COUNT] = {
    [LAYER_DESCRIPTORS] = "descriptors",
    [LAYER_RLIMITS] = "rlimits",
    [LAYER_OOM_SCORE] = "oom-score",
    [LAYER_PID_NAMESPACE] = "pid-namespace",
    [LAYER_NAMESPACES] = "namespaces",
    [LAYER_EMPTY_ROOT] = "empty-root",
    [LAYER_BOUNDING_SET] = "bounding-set",
    [LAYER_IDS] = "ids",
    [LAYER_CAPABILITIES] = "capabilities",
    [LAYER_REGAIN] = "regain",
    [LAYER_NO_NEW_PRIVS] = "no-new-privs",
    [LAYER_NOT_DUMPABLE] = "not-dumpable",
    [LAYER_PARENT_DEATH] = "parent-death",
    [LAYER_LANDLOCK] = "landlock",
    [LAYER_MDWE] = "mdwe",
    [LAYER_SPECULATION] = "speculation",
    [LAYER_HEAP] = "heap",
    [LAYER_ZERO_RLIMITS] = "zero-rlimits",
    [LAYER_SECCOMP] = "seccomp",
};

const char *wire_layer_name(uint32_t layer) {
    return layer < LAYER_COUNT ? layer_names[layer] : "unknown";
}

frame_header frame_make(frame_type type, uint16_t flags, uint64_t length, uint64_t sequence,
                        uint64_t argument) {
    return (frame_header){.magic = FRAME_MAGIC,
                          .type = (uint16_t)type,
                          .flags = flags,
                          .length = length,
                          .sequence = sequence,
                          .argument = argument};
}

/* What is legal in each state, as bits by frame type. */
static const uint32_t legal[] = {
    [WIRE_EXPECT_HELLO] = 1u << FRAME_HELLO,
    [WIRE_EXPECT_RESULT] = 1u << FRAME_DATA | 1u << FRAME_IMAGE | 1u << FRAME_REFUSE,
    [WIRE_EXPECT_END] = 1u << FRAME_END | 1u << FRAME_REFUSE,
    [WIRE_DONE] = 0,
};

static const wire_state next_state[FRAME_TYPE_COUNT] = {
    [FRAME_HELLO] = WIRE_EXPECT_RESULT, [FRAME_DATA] = WIRE_EXPECT_RESULT,
    [FRAME_IMAGE] = WIRE_EXPECT_END,    [FRAME_END] = WIRE_DONE,
    [FRAME_REFUSE] = WIRE_DONE,
};

/* A violation: which frame it was. */
static wlk_status violated(wlk_rule rule, uint64_t sequence, wlk_error *error) {
    return error_text(error, rule, WLK_NO_OFFSET, "frame %llu", (unsigned long long)sequence);
}

/* Do the bytes lie in the part of the file that holds payloads? */
static bool lies_in_data(const wire_receiver *receiver, uint64_t offset, uint64_t length) {
    return offset >= receiver->data_from && range_within(offset, length, receiver->file_bytes);
}

static wlk_status charge(wire_receiver *receiver, uint64_t bytes, wlk_error *error) {
    if (bytes > receiver->budget) return error_at(error, RULE_LIMIT_OUTPUT_BYTES, WLK_NO_OFFSET);
    receiver->budget -= bytes;
    return WLK_OK;
}

static wlk_status receive_data(wire_receiver *receiver, const frame_header *header,
                               wlk_error *error) {
    const bool raw = header->flags & FRAME_RAW;
    const bool mapped = header->flags & FRAME_MAPPED;
    if (receiver->buffers >= receiver->max_buffers) {
        return violated(RULE_WIRE_BUFFERS, header->sequence, error);
    }
    if (header->flags & ~(FRAME_RAW | FRAME_MAPPED) || (mapped && !raw) ||
        (!raw && (header->argument != 0 || receiver->raw_only)) || header->length == 0) {
        return violated(RULE_WIRE_HEADER, header->sequence, error);
    }
    receiver->buffers++;
    /* What the child does not have it can only name. */
    const bool lazy = receiver->transport == WIRE_TRANSPORT_LAZY;
    if (mapped || lazy) {
        const bool fits = mapped && header->length == sizeof(uint64_t) &&
                          (lazy || receiver->transport == WIRE_TRANSPORT_MAP);
        return fits ? WLK_OK : violated(RULE_WIRE_HEADER, header->sequence, error);
    }
    if (raw && !lies_in_data(receiver, header->argument, header->length)) {
        return violated(RULE_WIRE_RANGE, header->sequence, error);
    }
    return charge(receiver, header->length, error);
}

/* The lengths that are fixed, or bounded by a limit. */
static wlk_status receive_other(const wire_receiver *receiver, const frame_header *header,
                                wlk_error *error) {
    static const uint64_t fixed[FRAME_TYPE_COUNT] = {
        [FRAME_HELLO] = sizeof(wire_hello), [FRAME_REFUSE] = sizeof(wire_refuse)};
    if (header->flags != 0 || header->argument != 0) {
        return violated(RULE_WIRE_HEADER, header->sequence, error);
    }
    if (header->type != FRAME_IMAGE) {
        const bool fits = header->length == fixed[header->type];
        return fits ? WLK_OK : violated(RULE_WIRE_HEADER, header->sequence, error);
    }
    if (header->length < IMAGE_MIN_BYTES) {
        return violated(RULE_WIRE_HEADER, header->sequence, error);
    }
    return header->length <= receiver->image_limit
               ? WLK_OK
               : error_at(error, RULE_LIMIT_IMAGE_BYTES, WLK_NO_OFFSET);
}

wlk_status wire_receive(wire_receiver *receiver, const frame_header *header, wlk_error *error) {
    if (header->magic != FRAME_MAGIC || header->type >= FRAME_TYPE_COUNT) {
        return violated(RULE_WIRE_HEADER, receiver->sequence, error);
    }
    if (header->sequence != receiver->sequence) {
        return violated(RULE_WIRE_SEQUENCE, receiver->sequence, error);
    }
    if (!(legal[receiver->state] >> header->type & 1)) {
        return violated(RULE_WIRE_STATE, receiver->sequence, error);
    }
    TRY(header->type == FRAME_DATA ? receive_data(receiver, header, error)
                                   : receive_other(receiver, header, error));
    receiver->sequence++;
    receiver->state = next_state[header->type];
    return WLK_OK;
}

wlk_status wire_receive_mapped(wire_receiver *receiver, const frame_header *header,
                               uint64_t mapped_length, wlk_error *error) {
    if (mapped_length == 0 || header->argument % MAPPED_ALIGN != 0 ||
        !lies_in_data(receiver, header->argument, mapped_length)) {
        return violated(RULE_WIRE_RANGE, header->sequence, error);
    }
    return charge(receiver, mapped_length, error);
}

wlk_status wire_check_hello(const wire_hello *hello, wlk_error *error) {
    if (hello->protocol != WIRE_PROTOCOL ||
        memcmp(hello->build_id, wire_build_id, sizeof wire_build_id) != 0) {
        return error_at(error, RULE_CAGE_BUILD, WLK_NO_OFFSET);
    }
    if (hello->layers != LAYER_COUNT) return error_at(error, RULE_WIRE_HELLO, WLK_NO_OFFSET);
    for (uint32_t i = 0; i < WIRE_MAX_LAYERS; i++) {
        const wire_layer_result *result = &hello->results[i];
        const bool used = i < LAYER_COUNT;
        if (result->layer != (used ? i : 0) || result->held > used ||
            (!used && result->reason != 0)) {
            return error_at(error, RULE_WIRE_HELLO, WLK_NO_OFFSET);
        }
    }
    return WLK_OK;
}

/* What a parser can have to say: something about the artifact, or its own limits. Of keys,
 * users, files and the machine it knows nothing, and a captured child must not pass for
 * the parent: a bad signature, a full disk, try again. */
static bool is_childs_rule(uint32_t rule) {
    static const char *const starts[] = {
        "data.",    "format.", "graph.",  "header.", "inflate.", "internal.", "joblib.",
        "limit.",   "npy.",    "numpy.",  "onnx.",   "opset.",   "pickle.",   "selftest.tolerance",
        "sklearn.", "string.", "tensor.", "type."};
    static const wlk_rule parents[] = {RULE_INTERNAL_MEMORY, /* the child's is limit.heap-bytes */
                                       RULE_LIMIT_FILE_BYTES,   RULE_LIMIT_SNAPSHOT_BYTES,
                                       RULE_LIMIT_CPU_SECONDS,  RULE_LIMIT_DEADLINE,
                                       RULE_LIMIT_POOL_CHILDREN};
    const char *name = wlk_rule_name(rule);
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        if (rule == parents[i]) return false;
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (strncmp(name, starts[i], strlen(starts[i])) == 0) return true;
    }
    return false;
}

wire_refuse wire_make_refuse(const wlk_error *error) {
    wire_refuse refuse = {
        .rule = error->rule, .status = (uint32_t)rule_status(error->rule), .offset = error->offset};
    const size_t length = strnlen(error->text, sizeof error->text - 1);
    memcpy(refuse.text, error->text, length);
    return refuse;
}

/* One way to write a text: UTF-8, and NULs up to the end of its room. */
static bool is_text(const char text[WLK_ERROR_TEXT_BYTES]) {
    const size_t length = strnlen(text, WLK_ERROR_TEXT_BYTES);
    for (size_t i = length; i < WLK_ERROR_TEXT_BYTES; i++) {
        if (text[i] != 0) return false;
    }
    return length < WLK_ERROR_TEXT_BYTES && utf8_valid((const uint8_t *)text, length);
}

wlk_status wire_check_refuse(const wire_refuse *refuse, wlk_error *error) {
    if (refuse->rule == RULE_NONE || refuse->rule >= RULE_COUNT ||
        refuse->status != (uint32_t)rule_status(refuse->rule) || refuse->status == WLK_OK ||
        !is_childs_rule(refuse->rule) || !is_text(refuse->text)) {
        return error_at(error, RULE_WIRE_REFUSE, WLK_NO_OFFSET);
    }
    return error_text(error, (wlk_rule)refuse->rule, refuse->offset, "%s", refuse->text);
}

/* Does an order, or GO, name a format as it must? */
static bool names_format(uint64_t format) {
    return format == WIRE_FORMAT_WLK || format == WIRE_FORMAT_CONTENT;
}

wlk_status wire_check_order(const frame_header *header, const wire_order *order, wlk_error *error) {
    const bool header_fits = header->magic == FRAME_MAGIC && header->type == FRAME_ORDER &&
                             header->flags == 0 && header->sequence == 0 && header->argument == 0;
    if (!header_fits || order->policy_length > WIRE_MAX_POLICY ||
        header->length != sizeof *order + order->policy_length) {
        return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    }
    const bool whole = order->file_bytes == order->snapshot_bytes;
    const bool lazy = order->transport == WIRE_TRANSPORT_LAZY;
    const bool streams = order->stream_bytes > 0;
    const bool format_fits =
        streams ? order->format == WIRE_FORMAT_NONE
                : names_format(order->format) && (!lazy || order->format == WIRE_FORMAT_WLK);
    if (!format_fits) return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    if (order->protocol != WIRE_PROTOCOL || order->spaces > 1 ||
        order->transport < WIRE_TRANSPORT_PIPE || order->transport > WIRE_TRANSPORT_LAZY ||
        (!whole && !lazy) || order->file_bytes < order->snapshot_bytes ||
        (streams && (lazy || order->file_bytes > 0))) {
        return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    }
    return WLK_OK;
}

wlk_status wire_check_go(const frame_header *header, const wire_order *order, wlk_error *error) {
    const bool header_fits = header->magic == FRAME_MAGIC && header->type == FRAME_GO &&
                             header->flags == 0 && header->sequence == 1;
    const bool waited = order->stream_bytes > 0;
    const bool format_fits = waited ? names_format(header->argument) : header->argument == 0;
    if (!header_fits || !format_fits || header->length > order->stream_bytes ||
        (waited && header->length == 0)) {
        return error_at(error, RULE_WIRE_ORDER, WLK_NO_OFFSET);
    }
    return WLK_OK;
}
