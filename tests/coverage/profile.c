/* How a program of a coverage build keeps what it counted: when it ends it adds to one file
 * of its own below PROFILES, wherever it was started and whoever it has become.
 *
 * The compiler's own way writes on standard error what it cannot do, calls write(), which
 * tests count, and dies where the size of files is limited. This way, what cannot be kept
 * is lost without a word: a program under test behaves as it always does. */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of compiler-rt's libclang_rt.profile, InstrProfiling.h. */
uint64_t __llvm_profile_get_size_for_buffer(void);
int __llvm_profile_write_buffer(char *buffer);
int __llvm_profile_check_compatibility(const char *profile, uint64_t size);
int __llvm_profile_merge_from_buffer(const char *profile, uint64_t size);
const char *__llvm_profile_begin_names(void);
const char *__llvm_profile_end_names(void);

/* Where this is defined, the compiler's own way is not linked. */
extern int __llvm_profile_runtime;
int __llvm_profile_runtime;

/* FNV-1a over the functions' names and the size: no two programs share a file. */
static uint64_t program_number(uint64_t size) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ size;
    const char *end = __llvm_profile_end_names();
    for (const char *at = __llvm_profile_begin_names(); at < end; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Can a file be that long? Where the test has forbidden it, and nobody else, it is allowed
 * once more; *before is what it was. */
static bool may_be_written(uint64_t size, struct rlimit *before) {
    const struct rlimit endless = {RLIM_INFINITY, RLIM_INFINITY};
    if (getrlimit(RLIMIT_FSIZE, before) != 0) return false;
    return before->rlim_cur >= size || setrlimit(RLIMIT_FSIZE, &endless) == 0;
}

static void add(char *profile, uint64_t size, bool is_new) {
    if (!is_new) {
        if (__llvm_profile_check_compatibility(profile, size) != 0) return;
        if (__llvm_profile_merge_from_buffer(profile, size) != 0) return;
    }
    (void)__llvm_profile_write_buffer(profile);
}

static void add_to(int file, uint64_t size) {
    struct stat found;
    (void)fchmod(file, 0666); /* the next may be somebody else's */
    if (flock(file, LOCK_EX) != 0 || fstat(file, &found) != 0) return;
    const bool is_new = found.st_size == 0;
    if (!is_new && (uint64_t)found.st_size != size) return;
    if (is_new && posix_fallocate(file, 0, (off_t)size) != 0) return;
    void *profile = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (profile == MAP_FAILED) return;
    add(profile, size, is_new);
    (void)munmap(profile, size);
}

/* By a call that the programs under test do not make: tests count those that they make. */
static int open_quietly(const char *name) {
    const struct open_how how = {.flags = O_RDWR | O_CREAT | O_CLOEXEC, .mode = 0666};
    return (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
}

__attribute__((destructor(101))) static void keep(void) {
    char name[4096];
    const uint64_t size = __llvm_profile_get_size_for_buffer();
    (void)snprintf(name, sizeof name, PROFILES "/%016" PRIx64 ".profraw", program_number(size));
    struct rlimit limit;
    if (!may_be_written(size, &limit)) return;
    const int file = open_quietly(name);
    if (file >= 0) {
        add_to(file, size);
        (void)close(file);
    }
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}
