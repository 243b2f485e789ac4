/* Build-time program: policy/syscalls.policy -> the child's seccomp filter, as C
 * source, and as a PFC listing for people and for the golden test.
 *
 *     filter_compile POLICY OUT.inc OUT.pfc [ARCH]
 *
 * ARCH is x86_64 or aarch64; the default is the machine's own. Compiling here
 * keeps libseccomp, and the allocations it makes, out of the child. Rules are
 * added with _exact: the plain call silently skips names that the architecture
 * lacks. One equality rule a call: libseccomp before 2.6.1 can weaken a filter
 * when it merges several range rules on one call (GHSA-4q85-33p6-j5g6).
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void fail(const char *what, int code) {
    (void)fprintf(stderr, "filter_compile: %s: %s\n", what, strerror(code < 0 ? -code : code));
    exit(1);
}

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\n", text[length - 1])) text[--length] = 0;
    return text;
}

/* "arg0 == N", or nothing. */
static void add_rule(scmp_filter_ctx filter, const char *name, const char *condition) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) fail(name, EINVAL);
    unsigned argument = 0;
    unsigned long value = 0;
    char rest = 0;
    int result;
    if (*condition == 0) {
        result = seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, number, 0);
    } else if (sscanf(condition, "arg%u == %lu%c", &argument, &value, &rest) == 2) {
        const struct scmp_arg_cmp equal = {argument, SCMP_CMP_EQ, value, 0}; /* all 64 bits */
        result = seccomp_rule_add_exact(filter, SCMP_ACT_ALLOW, number, 1, equal);
    } else {
        fail(condition, EINVAL);
    }
    if (result != 0) fail(name, result);
}

static void add_policy(scmp_filter_ctx filter, const char *path) {
    FILE *policy = fopen(path, "re");
    if (!policy) fail(path, errno);
    char line[512];
    unsigned rules = 0;
    while (fgets(line, sizeof line, policy)) {
        char *row = trim(line);
        if (*row == 0 || *row == '#') continue;
        char *condition = strchr(row, '|');
        char *why = condition ? strchr(condition + 1, '|') : NULL;
        if (!why || *trim(why + 1) == 0) fail("a row is: name | condition | why", EINVAL);
        *condition++ = 0;
        *why = 0;
        add_rule(filter, trim(row), trim(condition));
        rules++;
    }
    (void)fclose(policy);
    if (rules == 0) fail("no rules", EINVAL);
}

static void export_program(scmp_filter_ctx filter, const char *path) {
    FILE *program = tmpfile();
    FILE *out = fopen(path, "we");
    if (!program || !out) fail(path, errno);
    const int result = seccomp_export_bpf(filter, fileno(program));
    if (result != 0) fail("seccomp_export_bpf", result);
    struct {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } instruction;
    rewind(program);
    while (fread(&instruction, sizeof instruction, 1, program) == 1) {
        (void)fprintf(out, "{0x%04x, %u, %u, 0x%08x},\n", instruction.code, instruction.jt,
                      instruction.jf, instruction.k);
    }
    if (fclose(out) != 0 || fclose(program) != 0) fail(path, errno);
}

static void export_listing(scmp_filter_ctx filter, const char *path) {
    const int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0) fail(path, errno);
    const int result = seccomp_export_pfc(filter, out);
    if (result != 0 || close(out) != 0) fail(path, result ? result : errno);
}

static void choose_architecture(scmp_filter_ctx filter, const char *name) {
    const uint32_t wanted = seccomp_arch_resolve_name(name);
    if (wanted == 0) fail(name, EINVAL);
    if (wanted == seccomp_arch_native()) return;
    int result = seccomp_arch_add(filter, wanted);
    if (result == 0) result = seccomp_arch_remove(filter, seccomp_arch_native());
    if (result != 0) fail(name, result);
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) fail("usage: POLICY OUT.inc OUT.pfc [ARCH]", EINVAL);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) fail("seccomp_init", ENOMEM);
    /* libseccomp kills only the thread for a foreign architecture by default. */
    const int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result != 0) fail("SCMP_FLTATR_ACT_BADARCH", result);
    if (argc == 5) choose_architecture(filter, argv[4]);
    add_policy(filter, argv[1]);
    export_program(filter, argv[2]);
    export_listing(filter, argv[3]);
    seccomp_release(filter);
    return 0;
}
