/* Build-time program: the names of an architecture's system calls, as C source.
 *
 *     syscall_names_compile OUT.inc [ARCH]
 *
 * ARCH is x86_64 or aarch64; the default is the machine's own. The names are for people
 * who are told what a child was killed for; nothing is decided by them, and neither child
 * nor parent holds libseccomp for their sake.
 */
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBERS 1024 /* from 0 on; all that exist are below */

static int write_names(FILE *out, uint32_t architecture) {
    int names = 0;
    (void)fprintf(out, "#define SYSCALL_NAMES_ARCHITECTURE 0x%08xu\n", architecture);
    (void)fprintf(out, "static const char *const syscall_names[%d] = {\n", NUMBERS);
    for (int number = 0; number < NUMBERS; number++) {
        char *name = seccomp_syscall_resolve_num_arch(architecture, number);
        if (!name) continue;
        (void)fprintf(out, "[%d] = \"%s\",\n", number, name);
        free(name);
        names++;
    }
    (void)fprintf(out, "};\n");
    return names;
}

int main(int argc, char **argv) {
    const uint32_t architecture =
        argc == 3 ? seccomp_arch_resolve_name(argv[2]) : seccomp_arch_native();
    FILE *out = argc == 2 || argc == 3 ? fopen(argv[1], "we") : NULL;
    if (!out || architecture == 0) {
        (void)fprintf(stderr, "usage: syscall_names_compile OUT.inc [ARCH]\n");
        return 1;
    }
    const int names = write_names(out, architecture);
    return fclose(out) != 0 || names == 0;
}
