/* Frames: all that parent and child ever say to each other (docs/design.md).
 *
 * Parent to child on fd 0: ORDER, read before the lock-down; GO after
 * attestation, with the file and its format for a child that was started on none. Child to parent
 * on fd 1: HELLO, DATA*, IMAGE, END, or REFUSE, which is final. Every frame starts with a 32-byte
 * header; `length` bytes follow. A frame is legal only in its state and with its sequence number.
 */
#ifndef WLK_WIRE_FRAME_H
#define WLK_WIRE_FRAME_H

#include <stdbool.h>

#include <weighlock/limits.h>
#include <weighlock/parse.h>

#include "base/error.h"

#define FRAME_MAGIC 0x464b4c57u /* "WLKF" */
#define WIRE_PROTOCOL 1u
#define WIRE_BUILD_ID_BYTES 32
#define WIRE_MAX_LAYERS 32
#define WIRE_MAX_POLICY 32768

typedef enum frame_type {
    FRAME_ORDER = 1,
    FRAME_GO = 2,
    FRAME_HELLO = 3,
    FRAME_DATA = 4,
    FRAME_IMAGE = 5,
    FRAME_END = 6,
    FRAME_REFUSE = 7,
    FRAME_TYPE_COUNT = 8
} frame_type;

/* DATA only. RAW: the bytes lie at offset `argument` of the artifact, and the
 * parent compares them. MAPPED (with RAW): the bytes themselves do not follow;
 * the body is one u64, their number, and the parent maps them itself. */
#define FRAME_RAW 1u
#define FRAME_MAPPED 2u

typedef struct frame_header {
    uint32_t magic;
    uint16_t type;
    uint16_t flags; /* zero but for DATA */
    uint64_t length;
    uint64_t sequence; /* counts the frames of one direction from 0 */
    uint64_t argument; /* DATA with RAW: file offset; GO with a file: wire_format; else zero */
} frame_header;

/* What the child is to take the file for. A .wlk file is what the parent has verified as
 * one, and is nothing else; any other file is told apart by content, in the child alone,
 * and is never a .wlk file. */
typedef enum wire_format {
    WIRE_FORMAT_NONE = WLK_FORMAT_NONE, /* a child that waits: GO says it */
    WIRE_FORMAT_WLK = WLK_FORMAT_WLK,
    WIRE_FORMAT_CONTENT = 256 /* beyond every wlk_format */
} wire_format;

typedef enum wire_transport {
    WIRE_TRANSPORT_PIPE = 1,
    WIRE_TRANSPORT_MAP = 2,
    WIRE_TRANSPORT_LAZY = 3, /* the child has no payloads: it can only name them */
} wire_transport;

/* Body of ORDER; `policy_length` bytes of policy follow it. */
typedef struct wire_order {
    uint32_t protocol;
    uint32_t format;    /* wire_format; NONE for a child that waits, and for no other */
    uint32_t transport; /* wire_transport */
    uint32_t spaces;    /* 1: the child is in empty namespaces already, but for mounts */
    uint32_t layers;    /* bit i: apply layer i (see wire_layer) */
    uint32_t required;  /* bit i: without layer i there is no HELLO */
    uint32_t uid;       /* to switch to, when started as root */
    uint32_t gid;
    uint32_t parent_pid; /* as the child will see it: 0 in a new PID namespace */
    uint32_t policy_length;
    uint64_t snapshot_bytes; /* length of the sealed copy on fd 3 */
    uint64_t file_bytes;     /* of the artifact: more only where the rest is lazy */
    uint64_t stream_bytes;   /* the most that GO may bring. A child that waits has no fd 3:
                                snapshot_bytes and file_bytes are 0, and GO's body is the file */
    wlk_limits limits;
} wire_order;

/* Confinement layers, in the order they are applied (src/cage/layers.c). The
 * numbers are part of the protocol: append only. */
typedef enum wire_layer {
    LAYER_DESCRIPTORS = 0,
    LAYER_RLIMITS = 1,
    LAYER_OOM_SCORE = 2,
    LAYER_HEAP = 3,
    LAYER_PID_NAMESPACE = 4, /* made at spawn */
    LAYER_NAMESPACES = 5,
    LAYER_EMPTY_ROOT = 6,
    LAYER_BOUNDING_SET = 7,
    LAYER_IDS = 8,
    LAYER_CAPABILITIES = 9,
    LAYER_REGAIN = 10,
    LAYER_NO_NEW_PRIVS = 11,
    LAYER_NOT_DUMPABLE = 12,
    LAYER_PARENT_DEATH = 13,
    LAYER_LANDLOCK = 14,
    LAYER_MDWE = 15,
    LAYER_SPECULATION = 16,
    LAYER_ZERO_RLIMITS = 17,
    LAYER_SECCOMP = 18,
    LAYER_COUNT = 19
} wire_layer;

typedef struct wire_layer_result {
    uint16_t layer;
    uint16_t held;  /* 1: applied and verified, 0: not */
    int32_t reason; /* errno where it did not hold */
} wire_layer_result;

/* Body of HELLO. */
typedef struct wire_hello {
    uint32_t protocol;
    uint32_t layers; /* number of results in use, == LAYER_COUNT */
    uint8_t build_id[WIRE_BUILD_ID_BYTES];
    wire_layer_result results[WIRE_MAX_LAYERS];
} wire_hello;

/* Body of REFUSE. */
typedef struct wire_refuse {
    uint32_t rule;
    uint32_t status; /* the rule's own verdict */
    uint64_t offset;
    char text[WLK_ERROR_TEXT_BYTES]; /* UTF-8, then NUL and nothing but NUL: the child's word */
} wire_refuse;

/* SHA-256 of the sources that this program was built from. */
extern const uint8_t wire_build_id[WIRE_BUILD_ID_BYTES];

/* A layer's stable name ("no-new-privs"), "unknown" past the last. */
const char *wire_layer_name(uint32_t layer);

/* A header ready to be sent. */
frame_header frame_make(frame_type type, uint16_t flags, uint64_t length, uint64_t sequence,
                        uint64_t argument);

/* The receiving side's state: what the child may say next. */
typedef enum wire_state {
    WIRE_EXPECT_HELLO = 0,
    WIRE_EXPECT_RESULT = 1, /* DATA, IMAGE or REFUSE */
    WIRE_EXPECT_END = 2,    /* END or REFUSE */
    WIRE_DONE = 3
} wire_state;

typedef struct wire_receiver {
    wire_state state;
    uint64_t sequence;
    uint32_t buffers;     /* DATA frames so far */
    uint64_t budget;      /* payload bytes that may still come */
    uint64_t image_limit; /* bytes */
    uint64_t file_bytes;  /* of the artifact, for RAW offsets */
    uint64_t data_from;   /* no payload lies before it */
    uint32_t max_buffers;
    wire_transport transport;
    bool raw_only; /* the format stores every payload raw: a frame without RAW is a lie */
} wire_receiver;

/* Checks a header against the state, the sequence, the budgets; moves the state
 * on. What was accepted is bounded: header->length may be allocated. The text of a
 * wire.* error names the frame; its offset is WLK_NO_OFFSET, since it is no place in
 * the artifact. */
wlk_status wire_receive(wire_receiver *receiver, const frame_header *header, wlk_error *error);

/* Checks the body of a MAPPED frame ([argument, argument+length) within the
 * file's data, 64-byte aligned, within the budget) and charges it. */
wlk_status wire_receive_mapped(wire_receiver *receiver, const frame_header *header,
                               uint64_t mapped_length, wlk_error *error);

/* Checks a HELLO: protocol, build id, one result for each layer in order. */
wlk_status wire_check_hello(const wire_hello *hello, wlk_error *error);

/* The REFUSE that says what the error says. */
wire_refuse wire_make_refuse(const wlk_error *error);

/* Checks a REFUSE and turns it into the error it names; a REFUSE that names no
 * known rule, or another verdict than its rule's, or whose text is not UTF-8 that
 * ends in NULs, is itself a violation. The text is made harmless; whether it is true
 * nobody knows. */
wlk_status wire_check_refuse(const wire_refuse *refuse, wlk_error *error);

/* The child's check of an ORDER. */
wlk_status wire_check_order(const frame_header *header, const wire_order *order, wlk_error *error);

/* The child's check of GO: its body is the file where the order left room for one,
 * which is then never empty, and its argument that file's format; where the order left
 * none, there is neither. */
wlk_status wire_check_go(const frame_header *header, const wire_order *order, wlk_error *error);

#endif
