/* Takes the place of weighlock-child and looks around, first as it was started,
 * then from inside the cage (all of it but the filter, so that it can look). Ends
 * with CURIOUS_NOTHING, or with the number of the first thing it found. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cage/channel.h"
#include "cage/curious.h"
#include "cage/layers.h"

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static cage self;
static wire_hello hello;

static void found_if(bool found, enum curious what) {
    if (found) _exit((int)what);
}

static bool held(wire_layer layer) {
    return hello.results[layer].held;
}

/* ---- as started */

/* Descriptors from 0 to 4095 that are open. */
static unsigned open_descriptors(unsigned expected) {
    unsigned unexpected = 0;
    for (int fd = 0; fd < 4096; fd++) {
        const bool is_open = fcntl(fd, F_GETFD) >= 0;
        unexpected += is_open != (fd < (int)expected);
    }
    return unexpected;
}

static void look_at_descriptors(void) {
    struct stat control, result, null, snapshot;
    found_if(open_descriptors(4), CURIOUS_DESCRIPTORS);
    found_if(fstat(FD_CONTROL, &control) != 0 || fstat(FD_RESULT, &result) != 0 ||
                 fstat(FD_NULL, &null) != 0 || fstat(FD_SNAPSHOT, &snapshot) != 0,
             CURIOUS_DESCRIPTORS);
    found_if(!S_ISFIFO(control.st_mode) || !S_ISFIFO(result.st_mode) || !S_ISCHR(null.st_mode) ||
                 !S_ISREG(snapshot.st_mode),
             CURIOUS_DESCRIPTORS);
    found_if((fcntl(FD_CONTROL, F_GETFL) & O_ACCMODE) != O_RDONLY, CURIOUS_DIRECTION);
    found_if((fcntl(FD_RESULT, F_GETFL) & O_ACCMODE) != O_WRONLY, CURIOUS_DIRECTION);
    found_if((fcntl(FD_SNAPSHOT, F_GET_SEALS) & ALL_SEALS) != ALL_SEALS, CURIOUS_SEALS);
    found_if(pwrite(FD_SNAPSHOT, "x", 1, 0) >= 0, CURIOUS_SEALS);
}

/* Does the secret lie in [from, to)? It is computed while it is compared, so that
 * the search does not find itself. */
static bool secret_in(const uint8_t *from, const uint8_t *to) {
    for (; to - from >= CURIOUS_SECRET_BYTES; from++) {
        unsigned i = 0;
        while (i < CURIOUS_SECRET_BYTES && from[i] == curious_secret(i)) i++;
        if (i == CURIOUS_SECRET_BYTES) return true;
    }
    return false;
}

/* ... in any memory of this process that can be read. */
static bool secret_in_memory(void) {
    static char text[65536]; /* no stdio: its buffers come and go while we look */
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    for (ssize_t got; (got = read(fd, text + used, sizeof text - 1 - used)) > 0;) {
        used += (size_t)got;
    }
    (void)close(fd);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned long from, to;
        char readable;
        if (sscanf(line, "%lx-%lx %c", &from, &to, &readable) != 3) return true;
        const bool special = strstr(line, "[v") && strstr(line, "[v") < strchr(line, '\n');
        if (readable != 'r' || special) continue;
        if (secret_in((const uint8_t *)from, (const uint8_t *)to)) return true;
    }
    return false;
}

/* The search finds a bait, and nothing when the bait is gone. */
static void look_at_memory(void) {
    static uint8_t memory[CURIOUS_SECRET_BYTES];
    volatile uint8_t *const bait = memory;
    for (unsigned i = 0; i < CURIOUS_SECRET_BYTES; i++) bait[i] = curious_secret(i);
    found_if(!secret_in_memory(), CURIOUS_BLIND);
    for (unsigned i = 0; i < CURIOUS_SECRET_BYTES; i++) bait[i] = 0;
    found_if(secret_in_memory(), CURIOUS_SECRET);
}

/* ---- from inside the cage */

/* What the host blocked or ignored is none of ours: SIGXCPU ends us. */
static void look_at_signals(void) {
    sigset_t blocked;
    struct sigaction action;
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < 32; number++) {
        found_if(sigismember(&blocked, number) == 1, CURIOUS_SIGNALS);
    }
    found_if(sigaction(SIGXCPU, NULL, &action) != 0 || action.sa_handler != SIG_DFL,
             CURIOUS_SIGNALS);
}

static void look_for_files(void) {
    char folder[64];
    found_if(!getcwd(folder, sizeof folder) || strcmp(folder, "/") != 0, CURIOUS_FOLDER);
    found_if(umask(077) != 077, CURIOUS_FOLDER);
    found_if(open_descriptors(3), CURIOUS_DESCRIPTORS_LATER);
    found_if(open("/etc/passwd", O_RDONLY) >= 0 || errno != EMFILE, CURIOUS_FILES);
    found_if(access("/etc/passwd", F_OK) == 0 && held(LAYER_EMPTY_ROOT), CURIOUS_FILES);
    found_if(mkdir("/tmp/weighlock-curious", 0700) == 0, CURIOUS_FILES);
    found_if(socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0,
             CURIOUS_NETWORK);
}

static void look_for_processes(void) {
    const pid_t parent = (pid_t)self.order.parent_pid;
    const bool apart = self.privileged || held(LAYER_PID_NAMESPACE);
    uint8_t byte;
    const struct iovec here = {&byte, 1}, there = {&byte, 1};
    found_if(fork() >= 0, CURIOUS_PROCESSES);
    found_if(kill(parent, 0) == 0 && apart, CURIOUS_PROCESSES);
    found_if(process_vm_readv(parent, &here, 1, &there, 1, 0) >= 0 && apart, CURIOUS_PROCESSES);
}

static void look_for_privileges(void) {
    found_if(geteuid() == 0 || getegid() == 0, CURIOUS_PRIVILEGES);
    found_if(setuid(0) == 0 || setgid(0) == 0, CURIOUS_PRIVILEGES);
    found_if(chroot("/") == 0, CURIOUS_PRIVILEGES);
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    found_if(memory != MAP_FAILED && held(LAYER_MDWE), CURIOUS_PRIVILEGES);
}

int main(int argc, char **argv) {
    static uint8_t policy[WIRE_MAX_POLICY];
    found_if(argc != 1 || strcmp(argv[0], "weighlock-child") != 0, CURIOUS_ARGUMENTS);
    found_if(environ && environ[0], CURIOUS_ENVIRONMENT);
    look_at_descriptors();
    look_at_memory();
    found_if(channel_read_order(&self.order, policy, NULL) != WLK_OK, CURIOUS_ORDER);
    self.privileged = geteuid() == 0;
    self.order.layers &= ~(1u << LAYER_SECCOMP);
    found_if(!cage_lock_down(&self, &hello), CURIOUS_CAGE);
    look_at_signals();
    look_for_files();
    look_for_processes();
    look_for_privileges();
    _exit(CURIOUS_NOTHING);
}
