/* Takes the place of weighlock-child. It is confined like that, and then makes a call that
 * its filter forbids, or tries to look as if it had: a case of caller_cases.h. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/channel.h"
#include "cage/layers.h"
#include "formats/formats.h"
#include "gate/caller_cases.h"

static cage self;
static channel out;
static bool watched;

static bool is(enum caller_case number) {
    return self.order.limits.columns == number;
}

/* ---- calls */

static const struct call_row {
    enum caller_case number;
    long call;
    unsigned long first;
} calls[] = {
#define CALLER_ROW(name, number, first) {CALLER_##name, number, first},
    CALLER_CALLS(CALLER_ROW)
#if defined(__x86_64__)
        CALLER_X86_CALLS(CALLER_ROW)
#endif
#undef CALLER_ROW
};

static void make_call(void) {
    const unsigned long a[] = CALLER_ARGUMENTS;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call_row *row = &calls[i];
        if (!is(row->number)) continue;
        (void)syscall(row->call, row->first ? row->first : a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

#if defined(__x86_64__)
static void call_i386(long number) {
    const unsigned long a[] = CALLER_ARGUMENTS;
    register unsigned long r_bp __asm__("r15") = a[5];
    long result;
    __asm__ volatile("xchg %%rbp, %1\n int $0x80\n xchg %%rbp, %1"
                     : "=a"(result), "+r"(r_bp)
                     : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
                     : "memory", "r8", "r9", "r10", "r11");
    (void)result;
}

#define VSYSCALL_TIME 0xffffffffff600400ul /* time(2) of old, at its fixed address */

static void use_vsyscall(void) {
    long now;
    ((long (*)(long *))VSYSCALL_TIME)(&now);
}

/* The last call that is seen is a write that is allowed; the forbidden one seems to return
 * to the same place, by its first of two ways round. */
static void hide_behind_write(void) {
    long call = SYS_write, descriptor = FD_RESULT;
    __asm__ volatile(
        "xor %%ebx, %%ebx\n"
        "lea 1f(%%rip), %%r12\n"
        "syscall\n"
        "1: test %%ebx, %%ebx\n"
        "jnz 2f\n"
        "inc %%ebx\n"
        "xor %%edi, %%edi\n"
        "push %%r12\n"
        "jmp *%2\n"
        "2:"
        : "+a"(call), "+D"(descriptor)
        : "r"(VSYSCALL_TIME), "S"(""), "d"(0l)
        : "memory", "rbx", "r12", "rcx", "r11");
}

static void make_strange_call(void) {
    if (is(CALLER_opens_as_i386)) call_i386(CALLER_OPEN_I386);
    if (is(CALLER_exits_as_i386)) call_i386(1);
    if (is(CALLER_uses_vsyscall)) use_vsyscall();
    if (is(CALLER_hides_behind_write)) hide_behind_write();
}

static void breakpoint(void) {
    __asm__ volatile("int3");
}
#else
static void make_strange_call(void) {
}

static void breakpoint(void) {
    __asm__ volatile("brk #0");
}
#endif

/* ---- lies, and other ends */

static _Noreturn void hang(void) {
    char byte;
    for (;;) (void)!read(FD_CONTROL, &byte, 1);
}

static void claim_violation(void) {
    const wire_refuse body = {.rule = RULE_CAGE_SYSCALL, .status = WLK_CAGE};
    if (!is(CALLER_claims_violation) && !is(CALLER_claims_and_hangs)) return;
    (void)(channel_send(&out, FRAME_REFUSE, &body, sizeof body) && channel_flush(&out));
    if (is(CALLER_claims_and_hangs)) hang();
    _exit(0);
}

static void end_otherwise(void) {
    volatile uintptr_t nowhere = 8;
    volatile uint64_t work = 0;
    if (is(CALLER_crashes)) *(volatile int *)nowhere = 1;
    if (is(CALLER_traps)) __builtin_trap();
    if (is(CALLER_breaks) || is(CALLER_breaks_and_opens)) breakpoint();
    if (is(CALLER_breaks_and_opens)) (void)syscall(SYS_openat, 0, 0, 0, 0);
    if (is(CALLER_exits_7)) _exit(7);
    if (is(CALLER_opens_unwatched) && !watched) (void)syscall(SYS_openat, 0, 0, 0, 0);
    while (is(CALLER_spins)) (void)!write(FD_RESULT, "", 0);
    if (is(CALLER_hangs)) hang();
    while (is(CALLER_burns)) work++;
}

/* What the real child does. */
static wlk_status answer(void) {
    const image_sink sink = channel_sink(&out);
    const format_input input = {.data = self.snapshot,
                                .size = self.order.snapshot_bytes,
                                .absent = self.order.file_bytes - self.order.snapshot_bytes,
                                .limits = &self.order.limits};
    image_builder *builder = image_builder_new(&self.order.limits, &sink);
    uint8_t *image = NULL;
    uint64_t length = 0;
    if (!builder) return WLK_SYSTEM;
    image_format(builder, WLK_FORMAT_WLK);
    TRY(format_parse_wlk(&input, builder, NULL));
    TRY(image_finish(builder, self.order.file_bytes, &image, &length, NULL));
    return channel_send(&out, FRAME_IMAGE, image, length) &&
                   channel_send(&out, FRAME_END, NULL, 0) && channel_flush(&out)
               ? WLK_OK
               : WLK_SYSTEM;
}

static bool is_watched(void) {
    char status[4096] = "";
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, status, sizeof status - 1) <= 0) _exit(95);
    (void)close(fd);
    return !strstr(status, "\nTracerPid:\t0\n");
}

static void before_the_cage(void) {
    watched = is_watched();
    if (is(CALLER_signals_itself)) (void)syscall(SYS_kill, getpid(), SIGSYS);
    if (is(CALLER_kills_itself)) (void)syscall(SYS_kill, getpid(), SIGKILL);
    if (is(CALLER_stops_itself)) (void)syscall(SYS_kill, getpid(), SIGSTOP);
}

int main(void) {
    static uint8_t policy[WIRE_MAX_POLICY];
    wire_hello hello;
    if (channel_read_order(&self.order, policy, NULL) != WLK_OK) _exit(90);
    self.privileged = geteuid() == 0;
    out.transport = self.order.transport;
    before_the_cage();
    if (!cage_lock_down(&self, &hello)) _exit(92);
    if (!channel_send(&out, FRAME_HELLO, &hello, sizeof hello) || !channel_flush(&out)) _exit(93);
    if (!channel_wait_go(&self)) _exit(91);
    make_call();
    make_strange_call();
    claim_violation();
    end_otherwise();
    _exit(answer() == WLK_OK ? 0 : 94);
}
