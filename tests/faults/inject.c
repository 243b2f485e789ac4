/* Runs a command and disturbs one system call of one of its processes.
 *
 *     inject [OPTIONS] -- COMMAND...
 *
 *     -t            disturb nothing: report every call that has a number
 *     -p PROCESS    whose call: 0, the default, is the command with its threads; its
 *                   children are 1, 2 ... in the order in which they appear
 *     -k INDEX      which call, from 0 on; of a child from its clone on
 *     -n NUMBER     only if it is the call of that number: threads take turns as they like
 *     -a ACTION     kill   SIGKILL instead of the call
 *                   stop   SIGSTOP; it stays stopped
 *                   pause  SIGSTOP, and SIGCONT 50 ms later
 *                   fail   the call is not made and gives an error
 *                   lie    the call is made and gives an error nevertheless
 *                   skip   the call is not made and gives 0
 *                   short  at most one byte is read or written
 *     -e ERRNO      of fail and lie
 *     -b BEGIN      where the command's numbers begin: entry, the default, at its own
 *                   first instruction, behind the dynamic loader; or mark, between
 *                   the calls MARK_CALL(1) and MARK_CALL(0)
 *     -f FIRST      who runs first, the other waiting until that one sleeps or has
 *                   ended: command or children. So the calls of both come in the same
 *                   order each time. Default: nobody, both run as they would
 *     -s SECONDS    after which all are killed; default 10
 *     -r DESCRIPTOR where the report goes; default 3
 *
 * The report is of lines:
 *
 *     call PROCESS INDEX NUMBER ARGUMENT0 ARGUMENT1 ARGUMENT2 RESULT      (with -t)
 *     end exit E signal S fired F hung H zombies Z outlived O left L
 *
 * fired: the call was there; zombies: children of the command that it did not collect;
 * outlived: processes that ended later than the command; left: those that two seconds
 * later were still there.
 *
 * Why not strace: its error= puts -1 where the number of the call is, and for that the
 * filter of a confined child kills it; and it cannot count the calls of one child alone.
 * Here a call that is not made becomes write(1, NULL, 0), which the filter lets through
 * and the kernel does nothing for.
 */
#include "faults/injection.h"
#include "faults/tracee.h"

#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

#define MARK_CALL 0xfa17 /* no kernel has so many */
#define LEFT_MS 2000
#define PAUSE_MS 50
#define OPTIONS                                                                              \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | \
     PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL)

typedef struct run {
    injection order;
    task_table table;
    pid_t root;
    int processes;            /* that have appeared */
    long counted[MOST_TASKS]; /* calls, by process */
    bool counting;            /* those of the command */
    uint64_t entry;           /* where the breakpoint is, 0: none */
    long entry_word;          /* what was there */
    bool fired, released;     /* released: nothing is left to do but to wait */
    bool root_ended;
    int root_status;
    pid_t paused;
    unsigned zombies, outlived, left;
} run;

static volatile sig_atomic_t time_is_up;

static void on_alarm(int number) {
    (void)number;
    time_is_up = 1;
}

static void sleep_microseconds(long microseconds) {
    const struct timespec wait = {.tv_nsec = microseconds * 1000};
    (void)nanosleep(&wait, NULL);
}

/* ---- going on */

/* A task that has died meanwhile will be reported as that. */
static void let_go(task *t, int signal_number) {
    t->stopped = t->held = t->attached = false;
    (void)ptrace(PTRACE_DETACH, t->pid, NULL, (void *)(intptr_t)signal_number);
}

static bool wants_calls(const run *r, const task *t) {
    if (t->process == 0 && !r->counting && !r->order.marked) return false; /* the loader's */
    return r->order.list || r->order.first != NOBODY || t->process == r->order.process;
}

/* Ends a stop. */
static void go_on(run *r, task *t, int signal_number) {
    if (r->released && !t->in_changed) {
        let_go(t, signal_number);
        return;
    }
    t->stopped = t->held = false;
    const enum __ptrace_request how =
        wants_calls(r, t) || t->in_changed ? PTRACE_SYSCALL : PTRACE_CONT;
    (void)ptrace(how, t->pid, NULL, (void *)(intptr_t)signal_number);
}

/* From here on everything runs as if it were alone. */
static void release(run *r) {
    r->released = true;
    for (int i = 0; i < r->table.count; i++) {
        task *t = &r->table.tasks[i];
        if (t->stopped && t->known) go_on(r, t, 0);
    }
}

/* ---- whose turn it is */

/* A child runs in its parent's memory until it has executed its program: there the
 * parent waits for it, and nobody else can. */
static bool is_first(const run *r, const task *t) {
    return r->order.first == COMMAND ? t->process == 0 : t->process != 0;
}

static bool must_wait(const run *r, const task *t) {
    if (r->order.first == NOBODY || r->released || is_first(r, t)) return false;
    return t->process == 0 || t->executed;
}

static bool all_first_are_idle(const run *r) {
    for (int i = 0; i < r->table.count; i++) {
        const task *t = &r->table.tasks[i];
        if (t->known && is_first(r, t) && !is_idle(t)) return false;
    }
    return true;
}

static bool anyone_is_held(const run *r) {
    for (int i = 0; i < r->table.count; i++) {
        if (r->table.tasks[i].held) return true;
    }
    return false;
}

static void release_held(run *r) {
    for (int i = 0; i < r->table.count; i++) {
        if (r->table.tasks[i].held) go_on(r, &r->table.tasks[i], 0);
    }
}

/* Can one of the first ones fall asleep without a stop before it? */
static bool a_first_one_may_sleep(const run *r) {
    for (int i = 0; i < r->table.count; i++) {
        const task *t = &r->table.tasks[i];
        if (!t->known || t->ended || !t->attached || !is_first(r, t) || t->stopped) continue;
        switch (t->in_call ? t->number : -1) {
            case SYS_read:
            case SYS_write:
            case SYS_poll:
            case SYS_ppoll:
            case SYS_waitid:
            case SYS_wait4:
            case SYS_futex:
            case SYS_exit:
            case SYS_exit_group:
                return true;
            default:
                break;
        }
    }
    return all_first_are_idle(r);
}

/* ---- the call that is disturbed */

static void get_registers(const task *t, struct user_regs_struct *registers) {
    if (ptrace(PTRACE_GETREGS, t->pid, NULL, registers) != 0) give_up("registers");
}

static void set_registers(const task *t, const struct user_regs_struct *registers) {
    if (ptrace(PTRACE_SETREGS, t->pid, NULL, registers) != 0) give_up("registers");
}

/* write(1, NULL, 0) instead. brk tells of no error: it says where the end is, and fails
 * by saying where it was. */
static void replace_call(struct user_regs_struct *registers) {
    if (registers->orig_rax == SYS_brk) {
        registers->rdi = 0;
        return;
    }
    registers->orig_rax = SYS_write;
    registers->rdi = 1;
    registers->rsi = registers->rdx = 0;
}

static void shorten_call(struct user_regs_struct *registers) {
    unsigned long long *count =
        registers->orig_rax == SYS_sendfile ? &registers->r10 : &registers->rdx;
    if (*count > 1) *count = 1;
}

static void change_call(run *r, task *t) {
    struct user_regs_struct registers;
    get_registers(t, &registers);
    if (r->order.action == FAIL || r->order.action == SKIP) replace_call(&registers);
    if (r->order.action == SHORT) shorten_call(&registers);
    set_registers(t, &registers);
    t->in_changed = true;
    release(r); /* this task too, as far as the end of the call */
}

/* Behind the call: its result, and the arguments as its caller left them. */
static void change_result(const run *r, task *t) {
    struct user_regs_struct registers;
    get_registers(t, &registers);
    const bool is_brk = t->number == SYS_brk;
    if ((r->order.action == FAIL && !is_brk) || r->order.action == LIE) {
        registers.rax = (unsigned long long)-(long long)r->order.reason;
    }
    if (r->order.action == SKIP && !is_brk) registers.rax = 0;
    registers.rdi = t->arguments[0];
    registers.rsi = t->arguments[1];
    registers.rdx = t->arguments[2];
    registers.r10 = t->arguments[3];
    set_registers(t, &registers);
    t->in_changed = false;
}

static void disturb(run *r, task *t) {
    r->fired = true;
    switch (r->order.action) {
        case KILL:
            (void)kill(t->pid, SIGKILL);
            t->stopped = false; /* not to be let go: its end is still told to us */
            release(r);
            break;
        case STOP:
        case PAUSE:
            (void)kill(t->pid, SIGSTOP);
            if (r->order.action == PAUSE) r->paused = t->pid;
            release(r);
            break;
        case FAIL:
        case LIE:
        case SKIP:
        case SHORT:
            change_call(r, t);
            break;
        case NOTHING:
        case ACTIONS:
        default:
            go_on(r, t, 0);
            break;
    }
}

/* ---- stops */

/* How often somebody looks again before he sleeps is nobody's number: neither
 * sched_yield nor the same call again behind it. Nor is how threads wait. */
static bool has_number(const run *r, task *t, long number) {
    if (number == MARK_CALL || (t->process == 0 && !r->counting)) return false;
    if (number == SYS_futex || number == SYS_rt_sigreturn || number == SYS_restart_syscall) {
        return false;
    }
    if (number == SYS_sched_yield) {
        t->after_yield = true;
        return false;
    }
    const bool again = t->after_yield && number == t->number;
    t->after_yield = false;
    return !again;
}

static void report_call(const run *r, const task *t, int64_t result) {
    if (!r->order.list || t->index < 0) return;
    (void)dprintf(r->order.report, "call %d %ld %ld %lu %lu %lu %ld\n", t->process, t->index,
                  t->number, t->arguments[0], t->arguments[1], t->arguments[2], result);
}

static bool is_ordered(const run *r, const task *t) {
    const injection *order = &r->order;
    return !order->list && t->process == order->process && t->index == order->index &&
           (order->number < 0 || t->number == order->number);
}

static void on_call_entry(run *r, task *t, const struct __ptrace_syscall_info *info) {
    const long number = (long)info->entry.nr;
    const bool numbered = has_number(r, t, number);
    for (int i = 0; i < 6; i++) t->arguments[i] = info->entry.args[i];
    if (number != SYS_sched_yield) t->number = number;
    t->index = numbered ? r->counted[t->process]++ : -1;
    t->in_call = true;
    if (number == MARK_CALL && r->order.marked) r->counting = t->arguments[0] != 0;
    if (number == SYS_exit || number == SYS_exit_group) report_call(r, t, 0);
    if (numbered && is_ordered(r, t) && !r->fired) {
        disturb(r, t);
    } else if (must_wait(r, t) && !all_first_are_idle(r)) {
        t->held = true;
    } else {
        go_on(r, t, 0);
    }
}

static void on_call_exit(run *r, task *t, const struct __ptrace_syscall_info *info) {
    t->in_call = false;
    report_call(r, t, info->exit.rval);
    if (t->in_changed) change_result(r, t);
    go_on(r, t, 0);
}

static void on_call(run *r, task *t) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof info, &info) < 0) {
        if (errno != ESRCH) give_up("the call");
        return; /* killed meanwhile */
    }
    if (r->released && !t->in_changed) {
        go_on(r, t, 0);
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        on_call_entry(r, t, &info);
    } else {
        on_call_exit(r, t, &info);
    }
}

/* The breakpoint instruction where the program begins. */
static void set_breakpoint(run *r, const task *t) {
    r->entry = task_entry(t->pid);
    errno = 0;
    r->entry_word = ptrace(PTRACE_PEEKTEXT, t->pid, (void *)r->entry, NULL);
    if (r->entry == 0 || errno != 0) give_up("the program's entry");
    const long word = (r->entry_word & ~0xffl) | 0xcc;
    if (ptrace(PTRACE_POKETEXT, t->pid, (void *)r->entry, (void *)word) != 0) give_up("breakpoint");
}

static bool is_at_breakpoint(const run *r, const task *t) {
    struct user_regs_struct registers;
    if (r->entry == 0 || t->process != 0) return false;
    get_registers(t, &registers);
    return registers.rip == r->entry + 1;
}

static void on_entry(run *r, task *t) {
    struct user_regs_struct registers;
    get_registers(t, &registers);
    registers.rip = r->entry;
    set_registers(t, &registers);
    (void)ptrace(PTRACE_POKETEXT, t->pid, (void *)r->entry, (void *)r->entry_word);
    r->entry = 0;
    r->counting = !r->order.marked;
    go_on(r, t, 0);
}

static void on_exec(run *r, task *t) {
    if (t->process == 0 && !t->executed) set_breakpoint(r, t);
    t->executed = true;
    go_on(r, t, 0);
}

/* Threads of the command are the command; whatever else it starts is a child. */
static void on_new_task(run *r, task *parent, bool is_thread) {
    unsigned long pid;
    if (ptrace(PTRACE_GETEVENTMSG, parent->pid, NULL, &pid) != 0) give_up("the new process");
    task *t = task_of(&r->table, (pid_t)pid);
    t->known = true;
    t->process = is_thread ? parent->process : ++r->processes;
    t->executed = is_thread && parent->executed;
    if (t->stopped) go_on(r, t, 0);
    go_on(r, parent, 0);
}

static void on_stop(run *r, task *t, int status) {
    const int number = WSTOPSIG(status), event = status >> 16;
    t->stopped = true;
    if (number == (SIGTRAP | 0x80)) {
        on_call(r, t);
    } else if (event == PTRACE_EVENT_EXEC) {
        on_exec(r, t);
    } else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
               event == PTRACE_EVENT_VFORK) {
        on_new_task(r, t, event == PTRACE_EVENT_CLONE);
    } else if (event == PTRACE_EVENT_STOP) {
        if (t->known) go_on(r, t, 0); /* else when its parent has told of it */
    } else if (number == SIGTRAP && is_at_breakpoint(r, t)) {
        on_entry(r, t);
    } else {
        go_on(r, t, number);
    }
}

/* The end of a task is told to its tracer. Whoever is told of it without being that one
 * has inherited it from a command that did not wait for it. */
static void on_end(run *r, task *t, int status) {
    const bool to_tracer = t->attached && !t->ended;
    t->ended = true;
    t->stopped = t->held = false;
    if (t->pid == r->root) {
        r->root_ended = true;
        r->root_status = status;
        release(r);
    } else if (t->process != 0) {
        if (r->root_ended && to_tracer) r->outlived++;
        if (!to_tracer) r->zombies++;
    }
}

/* ---- the whole run */

static void wake_paused(run *r) {
    if (r->paused == 0) return;
    sleep_microseconds(PAUSE_MS * 1000);
    (void)kill(r->paused, SIGCONT);
    r->paused = 0;
}

/* Waits for something to happen; false when nobody is left. */
static bool step(run *r, int more) {
    int status;
    const bool looks = anyone_is_held(r) && a_first_one_may_sleep(r);
    const pid_t pid = waitpid(-1, &status, __WALL | more | (looks ? WNOHANG : 0));
    if (pid < 0) return errno == EINTR;
    if (pid == 0) {
        if (looks && all_first_are_idle(r))
            release_held(r);
        else
            sleep_microseconds(20);
        return true;
    }
    task *t = task_of(&r->table, pid);
    if (WIFSTOPPED(status)) {
        on_stop(r, t, status);
    } else {
        on_end(r, t, status);
    }
    return true;
}

static uint64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* All that are left get a while; then they are ended. */
static void await_others(run *r) {
    const uint64_t until = now_ms() + LEFT_MS;
    bool some = true;
    while (some && now_ms() < until && !time_is_up) some = step(r, WNOHANG);
    for (int i = 0; some && i < 1000; i++) {
        r->left = 1;
        kill_children();
        some = step(r, WNOHANG);
        sleep_microseconds(1000);
    }
}

static void follow(run *r) {
    while (!r->root_ended && !time_is_up) {
        (void)step(r, 0);
        wake_paused(r);
    }
    if (!r->root_ended) {
        for (int i = 0; i < r->table.count; i++) {
            if (!r->table.tasks[i].ended) (void)kill(r->table.tasks[i].pid, SIGKILL);
        }
    }
    await_others(r);
}

/* The command waits until it is being traced. */
static pid_t start(char **command) {
    int ready[2];
    char byte;
    if (pipe2(ready, O_CLOEXEC) != 0) give_up("pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        (void)close(ready[1]);
        (void)!read(ready[0], &byte, 1);
        (void)execvp(command[0], command);
        _exit(127);
    }
    if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) != 0) give_up(command[0]);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void set_alarm(unsigned seconds) {
    const struct sigaction action = {.sa_handler = on_alarm}; /* waitpid is interrupted */
    const struct itimerval timer = {.it_value = {.tv_sec = seconds}, .it_interval = {.tv_sec = 1}};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

static void report_end(const run *r) {
    const int status = r->root_status;
    (void)dprintf(r->order.report,
                  "end exit %d signal %d fired %d hung %d zombies %u outlived %u left %u\n",
                  r->root_ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                  r->root_ended && WIFSIGNALED(status) ? WTERMSIG(status) : 0, r->fired,
                  (int)time_is_up, r->zombies, r->outlived, r->left);
}

int main(int count, char **words) {
    static run r;
    r.order = read_options(count, words);
    if (optind >= count) {
        (void)fprintf(stderr, "usage: inject [OPTIONS] -- COMMAND...\n");
        return 125;
    }
    (void)fcntl(r.order.report, F_SETFD, FD_CLOEXEC);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    set_alarm(r.order.seconds);
    r.root = start(words + optind);
    task *t = task_of(&r.table, r.root);
    t->known = true;
    t->process = 0;
    follow(&r);
    report_end(&r);
    return 0;
}
