/* Takes the place of weighlock-child and misbehaves in one way of
 * hostile_cases.h. Whatever it does after HELLO it does from inside the cage,
 * like a child that the artifact has captured: with read, write and exit_group,
 * and with everything the parent sent it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cage/channel.h"
#include "cage/layers.h"
#include "gate/hostile_bend.h"
#include "gate/hostile_forge.h"
#include "gate/hostile_mutate.h"

static cage self;
static uint64_t parameter;

static bool is(enum hostile_case number) {
    return self.order.limits.columns == number;
}

/* ---- what the honest child would send, recorded to be spoiled */

enum { A, B, IMAGE, END }; /* the sample's two tensors come first */
static answer said;

static answer_source source_of(void) {
    return (answer_source){.data = self.snapshot,
                           .bytes = self.order.snapshot_bytes,
                           .file_bytes = self.order.file_bytes,
                           .transport = self.order.transport,
                           .finding = is(HOSTILE_mutates) || is(HOSTILE_image_change)};
}

/* Whatever the file is: nothing, in this format. */
static void claim_format(const answer_source *source) {
    if (!forge_empty_tensors(&said, source, 0)) _exit(99);
    image_header *header = (void *)answer_body(&said, 0);
    if (!header) _exit(97);
    header->format = (uint16_t)parameter;
    said.cut = UINT64_MAX;
}

static void record_answer(void) {
    static answer_source source;
    source = source_of();
    if (is(HOSTILE_claims_format)) {
        claim_format(&source);
    } else if (!answer_record(&said, &source))
        _exit(99);
}

/* ---- saying it */

static void say(const void *data, uint64_t length) {
    const uint8_t *at = data;
    while (length > 0) {
        const ssize_t put = write(FD_RESULT, at, length);
        if (put <= 0) _exit(98);
        at += put;
        length -= (uint64_t)put;
    }
}

static void say_frame(const sent_frame *f) {
    say(&f->header, sizeof f->header);
    say(f->body, f->length);
}

static void say_up_to(unsigned end) {
    for (unsigned i = 0; i < end; i++) say_frame(&said.frames[i]);
}

/* Everything, or what is left of it, and then a good end. */
static _Noreturn void say_all(void) {
    uint64_t left = said.cut;
    for (unsigned i = 0; i < said.count; i++) {
        sent_frame f = said.frames[i];
        if (left < sizeof f.header) say(&f.header, left);
        if (left < sizeof f.header) break;
        left -= sizeof f.header;
        if (left < f.length) f.length = left;
        left -= f.length;
        say_frame(&f);
    }
    _exit(0);
}

/* Reading is allowed, and nothing comes. */
static _Noreturn void hang(void) {
    char byte;
    for (;;) (void)!read(FD_CONTROL, &byte, 1);
}

static void pause_ms(long ms) {
    struct timespec start, now;
    (void)clock_gettime(CLOCK_MONOTONIC, &start); /* no system call: answered by the vDSO */
    do {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static _Noreturn void drip(const void *data, uint64_t length, long ms) {
    for (uint64_t i = 0; i < length; i++) {
        say((const uint8_t *)data + i, 1);
        pause_ms(ms);
    }
    hang();
}

/* The image byte by byte, with no more time between them than a parent may stay awake. */
static _Noreturn void trickle(void) {
    const sent_frame *f = &said.frames[IMAGE];
    say_up_to(IMAGE);
    say(&f->header, sizeof f->header);
    for (uint64_t i = 0; i < f->length; i++) {
        say(f->body + i, 1);
        pause_ms(1);
    }
    hang();
}

static void drop(unsigned index) {
    answer_drop(&said, index);
}

static void insert(unsigned index, sent_frame f) {
    answer_insert(&said, index, f);
}

/* A copy of a frame's body that can be written. */
static uint8_t *spoil(unsigned index) {
    uint8_t *copy = answer_body(&said, index);
    if (!copy) _exit(97);
    return copy;
}

static void *section(unsigned which) {
    uint64_t offsets[WLK_SECTION_COUNT], total;
    uint8_t *image = spoil(IMAGE);
    const image_header *header = (const void *)image;
    if (!image_layout(header->counts, offsets, &total)) _exit(96);
    return image + offsets[which];
}

static void say_garbage_endlessly(void) {
    static uint8_t garbage[65536];
    memset(garbage, 0x5a, sizeof garbage);
    for (;;) say(garbage, sizeof garbage);
}

/* ---- before HELLO */

static void raise_unconfined(int number) {
    (void)syscall(SYS_kill, getpid(), number);
}

static void crash(void) {
    volatile uintptr_t nowhere = 8;
    *(volatile int *)nowhere = 1;
}

static void misbehave_at_once(void) {
    const frame_header data = frame_make(FRAME_DATA, FRAME_RAW, 16, 0, 0);
    const frame_header end = frame_make(FRAME_END, 0, 0, 0, 0);
    const wire_refuse body = {.rule = RULE_FORMAT_UNKNOWN, .status = WLK_UNDECIDED};
    const frame_header refuse = frame_make(FRAME_REFUSE, 0, sizeof body, 0, 0);
    if (is(HOSTILE_exits_0_at_once)) _exit(0);
    if (is(HOSTILE_exits_1_at_once)) _exit(1);
    if (is(HOSTILE_silent_at_once)) hang();
    if (is(HOSTILE_stops_itself)) raise_unconfined(SIGSTOP);
    if (is(HOSTILE_kills_itself)) raise_unconfined(SIGKILL);
    if (is(HOSTILE_crashes_at_once)) crash();
    if (is(HOSTILE_data_before_hello)) say(&data, sizeof data), say(&data, 16), _exit(0);
    if (is(HOSTILE_floods_at_once)) say_garbage_endlessly();
    if (is(HOSTILE_end_before_hello)) say(&end, sizeof end), _exit(0);
    if (is(HOSTILE_refuse_before_hello)) {
        say(&refuse, sizeof refuse);
        say(&body, sizeof body);
        _exit(0);
    }
}

/* ---- the cage, with a piece left out */

static int run_forever(void *unused) {
    (void)unused;
    while (syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0) != 0) continue;
    return 0;
}

static void add_thread(void) {
    static _Alignas(16) uint8_t stack[16384];
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    if (clone(run_forever, stack + sizeof stack, flags, NULL) < 0) _exit(95);
}

static void add_filter(void) {
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {1, &allow};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) _exit(94);
}

/* Takes on the ids, but for what the case keeps. */
static void change_ids(void) {
    const gid_t groups[1] = {4242};
    const uid_t uid = self.order.uid, gid = self.order.gid;
    const uid_t other = is(HOSTILE_takes_other_uid) ? uid - 1 : uid;
    if (!self.privileged) return;
    if (setgroups(is(HOSTILE_keeps_groups), groups) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(other, other, is(HOSTILE_keeps_saved_uid) ? 0 : other) != 0) {
        _exit(93);
    }
}

static bool left_out(unsigned layer) {
    if (is(HOSTILE_loses_layer) && self.order.snapshot_bytes <= HOSTILE_LARGE) return false;
    if (is(HOSTILE_waits_without_layer) && self.order.stream_bytes == 0) return false;
    const bool leaves = is(HOSTILE_waits_without_layer) || is(HOSTILE_claims_layer) ||
                        is(HOSTILE_admits_layer) || is(HOSTILE_loses_layer);
    return leaves && layer == parameter;
}

static int hold(unsigned layer) {
    const layer_row *row = &cage_layers[layer];
    if (layer == LAYER_IDS &&
        (is(HOSTILE_keeps_groups) || is(HOSTILE_keeps_saved_uid) || is(HOSTILE_takes_other_uid))) {
        change_ids();
        return 0;
    }
    if (layer == LAYER_REGAIN && is(HOSTILE_keeps_saved_uid)) return 0;
    if (layer == LAYER_NOT_DUMPABLE && is(HOSTILE_makes_dumpable)) {
        return prctl(PR_SET_DUMPABLE, 1) == 0 ? 0 : errno;
    }
    if (layer == LAYER_ZERO_RLIMITS && is(HOSTILE_adds_thread)) add_thread();
    if (layer == LAYER_ZERO_RLIMITS && is(HOSTILE_keeps_descriptor) && dup(FD_NULL) < 0) _exit(92);
    if (layer == LAYER_SECCOMP && is(HOSTILE_adds_filter)) add_filter();
    const int applied = row->apply(&self);
    return applied != 0 ? applied : row->verify(&self);
}

static void lock_down(wire_hello *hello) {
    *hello = (wire_hello){.protocol = WIRE_PROTOCOL, .layers = LAYER_COUNT};
    memcpy(hello->build_id, wire_build_id, sizeof wire_build_id);
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        hello->results[i].layer = (uint16_t)i;
        const bool claimed = is(HOSTILE_claims_layer) && left_out(i);
        if (!(self.order.layers >> i & 1) && !claimed) continue;
        const int reason = left_out(i) ? EPERM : hold(i);
        /* A lie takes others: what rests on the layer does not hold either. */
        const bool lies = is(HOSTILE_claims_layer) && self.order.required >> i & 1;
        hello->results[i].held = reason == 0 || claimed || lies;
        hello->results[i].reason = hello->results[i].held ? 0 : reason;
    }
}

/* ---- HELLO */

static void say_hello(wire_hello *hello) {
    sent_frame f = {frame_make(FRAME_HELLO, 0, sizeof *hello, 0, 0), (const uint8_t *)hello,
                    sizeof *hello};
    if (is(HOSTILE_hello_build)) hello->build_id[31] ^= 1;
    if (is(HOSTILE_hello_protocol)) hello->protocol++;
    if (is(HOSTILE_hello_magic)) f.header.magic = 0;
    if (is(HOSTILE_hello_sequence)) f.header.sequence = 1;
    if (is(HOSTILE_hello_short)) f.header.length--;
    if (is(HOSTILE_hello_long)) f.header.length = 1ull << 63;
    if (is(HOSTILE_hello_layer_count)) hello->layers--;
    if (is(HOSTILE_hello_layer_order)) hello->results[0].layer = 1;
    if (is(HOSTILE_hello_held_2)) hello->results[0].held = 2;
    if (is(HOSTILE_hello_unused)) hello->results[LAYER_COUNT].held = 1;
    if (is(HOSTILE_hello_drips)) drip(&f.header, sizeof f.header, 100);
    if (is(HOSTILE_hello_cut)) f.length = 16;
    if (is(HOSTILE_mutates) && mutates_hello(parameter)) hello_mutate(&f.header, hello, parameter);
    say_frame(&f);
    if (is(HOSTILE_hello_cut) || is(HOSTILE_exits_0_after_hello)) _exit(0);
    if (is(HOSTILE_exits_1_after_hello)) _exit(1);
    f.header.sequence = 1;
    if (is(HOSTILE_hello_twice)) say_frame(&f);
}

/* ---- GO */

static void say_garbage_endlessly(void);

static void misbehave_in_go(void) {
    const frame_header early = frame_make(FRAME_END, 0, 0, 1, 0);
    const bool mine = self.order.limits.columns >= HOSTILE_reads_no_go &&
                      self.order.limits.columns <= HOSTILE_floods_in_go;
    frame_header go;
    if (!mine) return;
    for (volatile bool forever = is(HOSTILE_reads_no_go); forever;) continue;
    if (!channel_read(&go, sizeof go)) _exit(89);
    if (is(HOSTILE_ends_in_go)) _exit(0);
    if (is(HOSTILE_crashes_in_go)) crash();
    if (is(HOSTILE_speaks_in_go)) say(&early, sizeof early);
    if (is(HOSTILE_floods_in_go)) say_garbage_endlessly();
    for (volatile bool forever = true; forever;) continue;
}

/* ---- after GO, one function a group of cases; each ends the process if the case is its own */

static void spoil_headers(void) {
    frame_header *a = &said.frames[A].header, *b = &said.frames[B].header,
                 *end = &said.frames[END].header;
    if (is(HOSTILE_sequence_skips)) b->sequence++;
    if (is(HOSTILE_sequence_repeats)) b->sequence--;
    if (is(HOSTILE_sequence_restarts)) a->sequence = 0;
    if (is(HOSTILE_magic)) b->magic = 0x464b4c58;
    if (is(HOSTILE_type_zero)) a->type = 0;
    if (is(HOSTILE_type_unknown)) a->type = FRAME_TYPE_COUNT;
    if (is(HOSTILE_type_huge)) a->type = UINT16_MAX;
    if (is(HOSTILE_type_order)) a->type = FRAME_ORDER;
    if (is(HOSTILE_type_go)) a->type = FRAME_GO;
    if (is(HOSTILE_type_hello)) a->type = FRAME_HELLO;
    if (is(HOSTILE_end_flags)) end->flags = 1;
    if (is(HOSTILE_end_length)) end->length = 1;
    if (is(HOSTILE_data_flags)) b->flags |= 4;
    if (is(HOSTILE_data_empty)) b->length = 0;
    if (is(HOSTILE_data_huge)) b->length = 1ull << 63;
    if (is(HOSTILE_data_not_raw)) b->flags = 0, b->argument = 0;
    if (is(HOSTILE_raw_outside)) b->argument = self.order.file_bytes;
    if (is(HOSTILE_raw_across_the_end)) b->argument = self.order.file_bytes - 15;
    if (is(HOSTILE_raw_wraps)) b->argument = UINT64_MAX - 7;
    if (is(HOSTILE_raw_from_elsewhere)) b->argument = a->argument;
    if (is(HOSTILE_mapped)) b->flags |= FRAME_MAPPED;
    if (is(HOSTILE_mapped_not_raw)) b->flags = FRAME_MAPPED, b->argument = 0;
    if (is(HOSTILE_mapped_misaligned)) b->argument -= 32;
    if (is(HOSTILE_mapped_outside)) b->argument += 64;
    if (is(HOSTILE_mapped_before_the_data)) b->argument = a->argument - 64;
    if (is(HOSTILE_mapped_too_long)) said.mapped_lengths[A] += 64;
    if (is(HOSTILE_mapped_all)) said.mapped_lengths[A] = self.order.file_bytes - a->argument;
    if (is(HOSTILE_sends_what_is_absent)) b->flags = FRAME_RAW, b->length = 8;
    if (is(HOSTILE_mapped_wraps)) said.mapped_lengths[B] = UINT64_MAX;
    if (is(HOSTILE_mapped_nothing)) said.mapped_lengths[B] = 0;
    if (is(HOSTILE_mapped_body_length)) b->length = 9;
}

static void spoil_bodies(void) {
    if (is(HOSTILE_raw_altered_first)) spoil(B)[0] ^= 0x80;
    if (is(HOSTILE_raw_altered_last)) spoil(B)[said.frames[B].length - 1] ^= 1;
    if (is(HOSTILE_data_long)) said.frames[B].length += 4;
    if (is(HOSTILE_data_short)) said.frames[B].length -= 4;
    if (is(HOSTILE_header_cut)) say_up_to(B), say(&said.frames[B].header, 31), _exit(0);
    if (is(HOSTILE_data_cut)) said.frames[B].length -= 1, say_up_to(IMAGE), _exit(0);
    if (is(HOSTILE_mapped_cut)) said.frames[B].length = 7, say_up_to(IMAGE), _exit(0);
}

/* The same bytes again and again, in frames that are well-formed. */
static void repeat_frames(void) {
    if (!is(HOSTILE_too_many_buffers) && !is(HOSTILE_too_much_output) &&
        !is(HOSTILE_endless_frames)) {
        return;
    }
    if (!is(HOSTILE_too_much_output)) said.frames[A].header.length = said.frames[A].length = 1;
    for (said.frames[A].header.sequence = 1;; said.frames[A].header.sequence++)
        say_frame(&said.frames[A]);
}

static void spoil_image_frame(void) {
    frame_header *header = &said.frames[IMAGE].header;
    if (is(HOSTILE_image_huge)) header->length = 1ull << 40;
    if (is(HOSTILE_image_tiny)) header->length = said.frames[IMAGE].length = 79;
    if (is(HOSTILE_image_flags)) header->flags = FRAME_RAW;
    if (is(HOSTILE_image_cut)) said.frames[IMAGE].length--, say_up_to(END), _exit(0);
    if (is(HOSTILE_image_short)) header->length = said.frames[IMAGE].length -= 8;
    if (is(HOSTILE_image_zero)) memset(spoil(IMAGE), 0, said.frames[IMAGE].length);
    if (is(HOSTILE_image_garbage) || is(HOSTILE_image_garbage_hangs))
        memset(spoil(IMAGE), 0xa5, said.frames[IMAGE].length);
    if (is(HOSTILE_image_counts)) {
        image_header *image = (void *)spoil(IMAGE);
        image->counts[WLK_SECTION_TENSORS] = UINT32_MAX;
    }
    if (is(HOSTILE_image_other_file)) ((image_header *)(void *)spoil(IMAGE))->file_bytes++;
}

static void spoil_image_records(void) {
    if (is(HOSTILE_image_name_index)) {
        ((tensor_record *)section(WLK_SECTION_TENSORS))[1].name = 0x7fffffff;
    }
    if (is(HOSTILE_image_buffer_index)) {
        ((tensor_record *)section(WLK_SECTION_TENSORS))[1].buffer = 2;
    }
    if (is(HOSTILE_image_buffer_range)) {
        ((tensor_record *)section(WLK_SECTION_TENSORS))[1].buffer_offset = 4;
    }
    if (is(HOSTILE_image_edge)) {
        ((uint32_t *)section(WLK_SECTION_EDGES))[1] = EDGE_TENSOR | 0x1000000;
    }
    if (is(HOSTILE_image_gap)) ((span_record *)section(WLK_SECTION_SPANS))[0].length -= 8;
    if (is(HOSTILE_image_unused_buffer)) insert(B + 1, said.frames[A]);
    if (is(HOSTILE_image_missing_buffer)) drop(B);
}

/* The two tensors change places; the byte map agrees. */
static void swap_tensors(void) {
    if (!is(HOSTILE_image_swapped)) return;
    tensor_record *tensors = section(WLK_SECTION_TENSORS);
    const image_header *header = (const void *)said.frames[IMAGE].body;
    const uint32_t spans = header->counts[WLK_SECTION_SPANS];
    tensors[0].buffer = 1;
    tensors[1].buffer = 0;
    span_record *map = (span_record *)section(WLK_SECTION_SPANS);
    for (uint32_t i = 0; i < spans; i++) {
        if (map[i].kind == WLK_SPAN_PAYLOAD) map[i].tensor ^= 1;
    }
}

static void spoil_order(void) {
    if (is(HOSTILE_image_twice)) insert(END, said.frames[IMAGE]);
    if (is(HOSTILE_data_after_image)) insert(END, said.frames[A]);
    if (is(HOSTILE_no_image)) drop(IMAGE);
    if (is(HOSTILE_no_end)) drop(END);
    if (is(HOSTILE_end_twice)) insert(END, said.frames[END]);
    if (is(HOSTILE_says_nothing)) _exit(0);
    if (is(HOSTILE_silent)) hang();
    if (is(HOSTILE_trickles)) trickle();
    if (is(HOSTILE_drips)) drip(said.frames[IMAGE].body, said.frames[IMAGE].length, 100);
    if (is(HOSTILE_drips_slowly)) drip(&said.frames[A].header, sizeof said.frames[A].header, 1000);
    if (is(HOSTILE_endless_garbage)) say_garbage_endlessly();
}

static void call_open(void) {
    (void)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void misbehave_after_end(void) {
    static const enum hostile_case cases[] = {
        HOSTILE_byte_after_end,      HOSTILE_flood_after_end,   HOSTILE_hangs_after_end,
        HOSTILE_image_garbage_hangs, HOSTILE_exits_1_after_end, HOSTILE_crashes_after_end,
        HOSTILE_calls_after_end};
    bool mine = false;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) mine |= is(cases[i]);
    if (!mine) return;
    say_up_to(said.count);
    if (is(HOSTILE_byte_after_end)) say("", 1);
    if (is(HOSTILE_flood_after_end)) say_garbage_endlessly();
    if (is(HOSTILE_hangs_after_end) || is(HOSTILE_image_garbage_hangs)) hang();
    if (is(HOSTILE_exits_1_after_end)) _exit(1);
    if (is(HOSTILE_crashes_after_end)) crash();
    if (is(HOSTILE_calls_after_end)) call_open();
    _exit(0);
}

static void refuse(void) {
    static wire_refuse body = {.rule = RULE_FORMAT_UNKNOWN, .status = WLK_UNDECIDED, .offset = 77};
    if (!(self.order.limits.columns >= HOSTILE_refuses &&
          self.order.limits.columns <= HOSTILE_refuses_and_hangs)) {
        return;
    }
    say_up_to(B);
    unsigned sent = B;
    if (is(HOSTILE_refuses_after_image)) drop(B), say_frame(&said.frames[B]), sent++;
    if (is(HOSTILE_refuse_rule_zero)) body.rule = 0;
    if (is(HOSTILE_refuse_rule_unknown)) body.rule = RULE_COUNT;
    if (is(HOSTILE_refuse_other_verdict)) body.status = WLK_TRUST;
    if (is(HOSTILE_refuse_verdict_ok)) body.status = WLK_OK;
    if (is(HOSTILE_refuse_text_endless)) memset(body.text, 'a', sizeof body.text);
    if (is(HOSTILE_refuse_text_not_utf8)) memcpy(body.text, "a\xff", 2);
    if (is(HOSTILE_refuse_text_behind_its_end)) memcpy(body.text, "a\0b", 3);
    sent_frame f = {frame_make(FRAME_REFUSE, 0, sizeof body, 1 + sent, 0), (const uint8_t *)&body,
                    sizeof body};
    if (is(HOSTILE_refuse_length)) f.header.length = f.length = 8;
    if (is(HOSTILE_refuse_cut)) f.length--;
    say_frame(&f);
    if (is(HOSTILE_refuse_trailing)) say("", 1);
    if (is(HOSTILE_refuse_floods)) say_garbage_endlessly();
    f.header.sequence++;
    if (is(HOSTILE_refuse_twice)) say_frame(&f);
    if (is(HOSTILE_refuses_and_hangs)) hang();
    _exit(is(HOSTILE_refuses_and_exits_1));
}

__attribute__((noinline)) static unsigned recurse(volatile uint8_t *above) {
    volatile uint8_t page[4096];
    page[0] = above[0];
    return page[0] == 1 ? 0 : recurse(page) + page[0];
}

static void read_parent(void) {
    char byte;
    const struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)4096, 1};
    (void)syscall(SYS_process_vm_readv, self.order.parent_pid, &here, 1, &there, 1, 0);
}

static void misbehave_in_the_middle(void) {
    volatile uint8_t start[1] = {0};
    if (is(HOSTILE_burns)) {
        for (;;) start[0]++;
    }
    if (self.order.limits.columns < HOSTILE_crashes ||
        self.order.limits.columns > HOSTILE_writes_elsewhere) {
        return;
    }
    say_up_to(B);
    if (is(HOSTILE_crashes)) crash();
    if (is(HOSTILE_overflows_stack)) _exit((int)recurse(start));
    if (is(HOSTILE_traps)) __builtin_trap();
    if (is(HOSTILE_opens_file)) call_open();
    if (is(HOSTILE_reads_parent)) read_parent();
    if (is(HOSTILE_writes_elsewhere)) (void)!write(FD_NULL, "", 1);
}

/* ---- with a parameter */

static void end_early(void) {
    const uint64_t how = parameter >> 8;
    if (!is(HOSTILE_ends_early)) return;
    say_up_to((unsigned)(parameter & 0xff));
    if (how == ENDS_in_crash) crash();
    if (how == ENDS_in_trap) __builtin_trap();
    if (how == ENDS_in_call) call_open();
    _exit(how == ENDS_0 ? 0 : how == ENDS_1 ? 1 : 255);
}

static void say_something_else(void) {
    static answer_source source;
    source = source_of();
    bool made = true;
    if (is(HOSTILE_image_change)) made = answer_change(&said, parameter);
    if (is(HOSTILE_mutates) && !mutates_hello(parameter)) answer_mutate(&said, parameter);
    if (is(HOSTILE_forges)) {
        made = forge_answer(&said, &source, (enum hostile_forgery)parameter);
    }
    if (is(HOSTILE_empty_tensors)) {
        made = forge_empty_tensors(&said, &source, (uint32_t)parameter);
    }
    if (is(HOSTILE_takes_its_time)) pause_ms((long)parameter);
    if (!made) _exit(89);
}

static void refuse_with(void) {
    const wire_refuse body = {.rule = (uint32_t)parameter,
                              .status = (uint32_t)rule_status((uint32_t)parameter),
                              .offset = 5,
                              .text = "said \x1b[2J\nweighlock: good \xe2\x80\xae"};
    if (!is(HOSTILE_refuses_with)) return;
    const sent_frame f = {frame_make(FRAME_REFUSE, 0, sizeof body, 1, 0), (const uint8_t *)&body,
                          sizeof body};
    say_frame(&f);
    _exit(0);
}

int main(void) {
    static uint8_t policy[WIRE_MAX_POLICY];
    wire_hello hello;
    if (channel_read_order(&self.order, policy, NULL) != WLK_OK) _exit(90);
    self.privileged = geteuid() == 0;
    parameter = self.order.limits.json_bytes;
    misbehave_at_once();
    lock_down(&hello);
    say_hello(&hello);
    misbehave_in_go();
    if (!channel_wait_go(&self)) _exit(91);
    record_answer();
    misbehave_in_the_middle();
    spoil_headers();
    spoil_bodies();
    repeat_frames();
    spoil_image_frame();
    spoil_image_records();
    swap_tensors();
    spoil_order();
    misbehave_after_end();
    refuse();
    bend_frames(&said, (enum hostile_case)self.order.limits.columns, parameter);
    end_early();
    refuse_with();
    say_something_else();
    say_all();
}
