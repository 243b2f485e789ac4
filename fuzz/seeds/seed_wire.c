/* What a child writes into the result pipe about a file, over each transport, and what a
 * captured one might write instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/envelope.h"
#include "kit/input_wire.h"
#include "kit/kit.h"
#include "seeds/seed_answer.h"
#include "seeds/seeds.h"

#define MOST_FRAMES (ANSWER_BUFFERS + 4)

/* An input as it grows; frames[i] is where frame i begins, behind head and file bytes. */
typedef struct wire_seed {
    wire_input head;
    const uint8_t *given;
    seed_buffer frames;
    size_t at[MOST_FRAMES];
    uint32_t count;
} wire_seed;

static void add_frame(wire_seed *s, frame_type type, uint16_t flags, const void *body,
                      uint64_t length, uint64_t argument) {
    const frame_header header = frame_make(type, flags, length, s->count, argument);
    s->at[s->count++] = s->frames.size;
    seed_add(&s->frames, &header, sizeof header);
    seed_add(&s->frames, body, length);
}

/* Its build id is a placeholder (kit/input_wire.h). */
static void add_hello(wire_seed *s) {
    wire_hello hello = {.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    for (uint16_t i = 0; i < LAYER_COUNT; i++) {
        hello.results[i] = (wire_layer_result){.layer = i, .held = i != LAYER_MDWE, .reason = 0};
    }
    hello.results[LAYER_MDWE].reason = 22;
    add_frame(s, FRAME_HELLO, 0, &hello, sizeof hello, 0);
}

static void add_payload(wire_seed *s, const image_buffer *b, wire_transport transport) {
    if (transport == WIRE_TRANSPORT_PIPE) {
        add_frame(s, FRAME_DATA, FRAME_RAW, b->data, b->length, b->file_offset);
    } else {
        add_frame(s, FRAME_DATA, FRAME_RAW | FRAME_MAPPED, &b->length, sizeof b->length,
                  b->file_offset);
    }
}

static wire_seed seed_begin(const seed_answer *answer, wire_transport transport) {
    envelope e = {.data_off = 0};
    wire_seed s = {.given = answer->file};
    if (answer->file) (void)envelope_decode(answer->file, answer->file_bytes, &e, NULL);
    s.head = (wire_input){.transport = (uint8_t)(transport - WIRE_TRANSPORT_PIPE),
                          .raw_only = 1,
                          .buffers = ANSWER_BUFFERS,
                          .file_bytes = (uint32_t)answer->file_bytes,
                          .data_from = (uint32_t)e.data_off,
                          .output_bytes = 1u << 16,
                          .image_bytes = 1u << 16,
                          .given = (uint32_t)e.data_len,
                          .given_at = (uint32_t)e.data_off};
    if (s.given) s.given += e.data_off;
    add_hello(&s);
    return s;
}

static wire_seed seed_whole(const seed_answer *answer, wire_transport transport) {
    wire_seed s = seed_begin(answer, transport);
    for (uint32_t i = 0; i < answer->count; i++) add_payload(&s, &answer->buffers[i], transport);
    add_frame(&s, FRAME_IMAGE, 0, answer->image, answer->image_bytes, 0);
    add_frame(&s, FRAME_END, 0, NULL, 0, 0);
    return s;
}

static void seed_free(wire_seed *s) {
    free(s->frames.data);
}

/* Writes it, and hears how the parent takes it: the rule that it refuses it with. */
static wlk_rule put_heard(const char *name, const wire_seed *s) {
    wire_hearing h;
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    seed_buffer out = {0};
    seed_add(&out, &s->head, sizeof s->head);
    seed_add(&out, s->given, s->head.given);
    seed_add(&out, s->frames.data, s->frames.size);
    seed_put("wire", name, out.data, out.size);
    if (wire_hear(&h, out.data, out.size, &model, &error) == WLK_OK) {
        if (strncmp(name, "hostile-", 8) == 0) seed_fail(name, NULL);
    } else {
        if (strncmp(name, "hostile-", 8) != 0) seed_fail(name, &error);
    }
    wlk_model_free(model);
    wire_hearing_drop(&h);
    free(out.data);
    return error.status == WLK_OK ? RULE_NONE : (wlk_rule)error.rule;
}

static void put_wire(const char *name, const wire_seed *s) {
    rules_reached(put_heard(name, s));
}

void seeds_wire(const char *name, const uint8_t *file, size_t size) {
    static const char *const ways[] = {"", "pipe", "map", "lazy"};
    char text[128];
    seed_answer answer;
    if (size > WIRE_INPUT_FILE) return;
    answer_of_file(file, size, &answer);
    for (wire_transport t = WIRE_TRANSPORT_PIPE; t <= WIRE_TRANSPORT_LAZY; t++) {
        if (t != WIRE_TRANSPORT_PIPE && answer.count == 0) continue;
        wire_seed s = seed_whole(&answer, t);
        (void)snprintf(text, sizeof text, "%s-%s", name, ways[t]);
        put_wire(text, &s);
        seed_free(&s);
    }
    answer_free(&answer);
}

/* ---- one field of one frame */

/* Behind the frames' start: frame LAST is END, LAST - 1 the image. */
#define LAST 100
#define IN(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define BODY(type, member) \
    sizeof(frame_header) + offsetof(type, member), sizeof(((type *)0)->member)

static const struct wire_bend {
    const char *name;
    uint32_t frame;
    size_t at, bytes;
    uint64_t value;
} wire_bends[] = {
    {"hostile-magic", 0, IN(frame_header, magic), 0x4b4c5746},
    {"hostile-type-0", 1, IN(frame_header, type), 0},
    {"hostile-type-8", 1, IN(frame_header, type), FRAME_TYPE_COUNT},
    {"hostile-go-from-the-child", 1, IN(frame_header, type), FRAME_GO},
    {"hostile-hello-again", 1, IN(frame_header, type), FRAME_HELLO},
    {"hostile-end-at-once", 1, IN(frame_header, type), FRAME_END},
    {"hostile-sequence-repeats", 2, IN(frame_header, sequence), 1},
    {"hostile-sequence-jumps", 1, IN(frame_header, sequence), UINT64_MAX},
    {"hostile-flag-unknown", 1, IN(frame_header, flags), 5},
    {"hostile-mapped-but-not-raw", 1, IN(frame_header, flags), 2},
    {"hostile-not-raw", 1, IN(frame_header, flags), 0},
    {"hostile-flags-of-an-image", LAST - 1, IN(frame_header, flags), 1},
    {"hostile-argument-of-end", LAST, IN(frame_header, argument), 1},
    {"hostile-no-payload", 1, IN(frame_header, length), 0},
    {"hostile-payload-of-2-63-bytes", 1, IN(frame_header, length), 1ull << 63},
    {"hostile-payload-beyond-the-budget", 1, IN(frame_header, length), 1u << 17},
    {"hostile-payload-of-the-header", 1, IN(frame_header, argument), 64},
    {"hostile-payload-that-wraps", 1, IN(frame_header, argument), UINT64_MAX - 3},
    {"hostile-payload-of-another", 2, IN(frame_header, argument), 4096},
    {"hostile-image-of-79-bytes", LAST - 1, IN(frame_header, length), 79},
    {"hostile-image-beyond-the-limit", LAST - 1, IN(frame_header, length), 1u << 17},
    {"hostile-end-with-a-body", LAST, IN(frame_header, length), 1},
    {"hostile-hello-of-another-length", 0, IN(frame_header, length), 295},
    {"hostile-protocol", 0, BODY(wire_hello, protocol), 2},
    {"hostile-build-id", 0, BODY(wire_hello, build_id[3]), 7},
    {"hostile-20-layers", 0, BODY(wire_hello, layers), LAYER_COUNT + 1},
    {"hostile-layer-twice", 0, BODY(wire_hello, results[1].layer), 0},
    {"hostile-layer-held-twice", 0, BODY(wire_hello, results[1].held), 2},
    {"hostile-result-of-no-layer", 0, BODY(wire_hello, results[31].reason), 1},
    {"hostile-payload-altered", 1, sizeof(frame_header), 1, 0xee},
    {"hostile-payload-altered-at-its-end", 1, sizeof(frame_header) + 11, 1, 0xee},
    {"hostile-image-altered", LAST - 1, sizeof(frame_header), 4, 0},
    {"hostile-image-of-another-file", LAST - 1, BODY(image_header, file_bytes), 1},
};

static uint8_t *bend_at(const wire_seed *s, const struct wire_bend *bend) {
    const uint32_t frame =
        bend->frame >= LAST - 1 ? s->count - 1 - (LAST - bend->frame) : bend->frame;
    return s->frames.data + s->at[frame] + bend->at;
}

static void put_wire_bends(const seed_answer *answer) {
    for (size_t i = 0; i < sizeof wire_bends / sizeof *wire_bends; i++) {
        wire_seed s = seed_whole(answer, WIRE_TRANSPORT_PIPE);
        memcpy(bend_at(&s, &wire_bends[i]), &wire_bends[i].value, wire_bends[i].bytes);
        put_wire(wire_bends[i].name, &s);
        seed_free(&s);
    }
}

/* ---- what is about the whole answer */

static void put_cut(const seed_answer *answer) {
    static const struct {
        const char *name;
        size_t left;
    } cuts[] = {{"hostile-nothing", 0},
                {"hostile-cut-in-a-header", 20},
                {"hostile-cut-behind-hello", 32 + sizeof(wire_hello)},
                {"hostile-cut-in-a-payload", 32 + sizeof(wire_hello) + 40}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        wire_seed s = seed_whole(answer, WIRE_TRANSPORT_PIPE);
        s.frames.size = cuts[i].left;
        put_wire(cuts[i].name, &s);
        seed_free(&s);
    }
}

static void put_more(const seed_answer *answer) {
    static const uint8_t zeros[8];
    wire_seed s = seed_whole(answer, WIRE_TRANSPORT_PIPE);
    seed_add(&s.frames, zeros, 1);
    put_wire("hostile-a-byte-behind-end", &s);
    s.frames.size--;
    add_frame(&s, FRAME_END, 0, NULL, 0, 0);
    put_wire("hostile-end-twice", &s);
    seed_free(&s);
    s = seed_begin(answer, WIRE_TRANSPORT_PIPE);
    add_frame(&s, FRAME_IMAGE, 0, answer->image, answer->image_bytes, 0);
    add_frame(&s, FRAME_IMAGE, 0, answer->image, answer->image_bytes, 0);
    put_wire("hostile-two-images", &s);
    seed_free(&s);
}

/* The same answer, to who allows less. */
static void put_budgets(const seed_answer *answer) {
    wire_seed s = seed_whole(answer, WIRE_TRANSPORT_PIPE);
    s.head.buffers = 1;
    put_wire("hostile-more-buffers-than-tensors", &s);
    s.head.buffers = ANSWER_BUFFERS;
    s.head.output_bytes = 20;
    put_wire("hostile-more-bytes-than-allowed", &s);
    s.head.output_bytes = 1u << 16;
    s.head.image_bytes = 100;
    put_wire("hostile-a-larger-image-than-allowed", &s);
    seed_free(&s);
}

static void put_transports(const seed_answer *answer) {
    static const struct {
        const char *name;
        wire_transport said, kept;
    } rows[] = {
        {"hostile-bytes-where-only-places-are-known", WIRE_TRANSPORT_PIPE, WIRE_TRANSPORT_LAZY},
        {"hostile-mapped-over-the-pipe", WIRE_TRANSPORT_MAP, WIRE_TRANSPORT_PIPE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wire_seed s = seed_whole(answer, rows[i].said);
        s.head.transport = (uint8_t)(rows[i].kept - WIRE_TRANSPORT_PIPE);
        put_wire(rows[i].name, &s);
        seed_free(&s);
    }
    static const uint64_t lengths[] = {0, UINT64_MAX, 1u << 17};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char name[64];
        wire_seed s = seed_whole(answer, WIRE_TRANSPORT_MAP);
        memcpy(s.frames.data + s.at[1] + sizeof(frame_header), &lengths[i], 8);
        (void)snprintf(name, sizeof name, "hostile-mapped-length-%zu", i);
        put_wire(name, &s);
        seed_free(&s);
    }
}

/* Payload that was decoded, one byte at a time, with a finding: another format's answer. */
static void put_decoded(void) {
    seed_answer answer;
    answer_with_finding(&answer);
    wire_seed s = seed_whole(&answer, WIRE_TRANSPORT_PIPE);
    s.head.raw_only = 0;
    s.head.step = 1;
    put_wire("finding-byte-by-byte", &s);
    seed_free(&s);
    answer_free(&answer);
}

void seeds_wire_hostile(const uint8_t *file, size_t size) {
    seed_answer answer;
    answer_of_file(file, size, &answer);
    put_wire_bends(&answer);
    put_cut(&answer);
    put_more(&answer);
    put_budgets(&answer);
    put_transports(&answer);
    put_decoded();
    answer_free(&answer);
}

/* ---- refusals */

static void put_refusal(const char *name, const wire_refuse *refuse) {
    const seed_answer nothing = {.file_bytes = 4096};
    wire_seed s = seed_begin(&nothing, WIRE_TRANSPORT_PIPE);
    add_frame(&s, FRAME_REFUSE, 0, refuse, sizeof *refuse, 0);
    const wlk_rule rule = put_heard(name, &s);
    if (rule != refuse->rule) rules_reached(rule); /* else it is only the child's word */
    seed_free(&s);
}

/* Each rule that a parser can refuse with, and, for one of each layer, that it cannot. */
void seeds_refusals(void) {
    char name[96];
    const char *last = "";
    for (uint32_t rule = RULE_NONE + 1; rule < RULE_COUNT; rule++) {
        const wire_refuse refuse = {
            .rule = rule, .status = (uint32_t)rule_status(rule), .offset = 256, .text = "text"};
        const char *rule_name = wlk_rule_name(rule);
        wlk_error error;
        (void)wire_check_refuse(&refuse, &error);
        const bool is_childs = error.rule == rule;
        const bool new_layer = strncmp(last, rule_name, strcspn(rule_name, ".")) != 0;
        last = rule_name;
        (void)snprintf(name, sizeof name, "hostile-refuse-%s", rule_name);
        if (is_childs || new_layer) put_refusal(name, &refuse);
    }
    put_refusal("hostile-refuse-nothing", &(wire_refuse){.rule = RULE_NONE, .status = WLK_OK});
    put_refusal("hostile-refuse-no-rule",
                &(wire_refuse){.rule = RULE_COUNT, .status = WLK_REFUSED});
    put_refusal("hostile-refuse-with-another-verdict",
                &(wire_refuse){.rule = RULE_HEADER_TYPE, .offset = UINT64_MAX});
}
