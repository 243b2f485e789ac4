/* The command line tool within limits on the process, from nothing up to where it works:
 * descriptors, the size of files, processes, stack, address space, data. It always ends
 * with a verdict that blames the system, the cage or a limit, never the file; nothing is
 * left, and what it says it did, it did. */
#include "support/sanitized.h"

#include "endure_cli.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#define KIB 1024ull
#define MIB (1024 * KIB)

static struct { unsigned runs, worked, refused, not_started, failures; } told;

/* ---- a limit */

typedef enum how {
    FORKED,  /* main, with all libraries started */
    EXECUTED /* the program */
} how;

typedef struct limit {
    const char *name;
    int resource;
    how how;
    bool above;    /* what is used already comes on top: address space, data */
    bool ordinary; /* root is not held to it */
    uint64_t value;
} limit;

/* Bytes of address space or of data that this process has. */
static uint64_t used_now(int resource) {
    unsigned long long size = 0, data = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file) return 0;
    if (fscanf(file, "%llu %*u %*u %*u %*u %llu", &size, &data) != 2) size = data = 0;
    (void)fclose(file);
    return (resource == RLIMIT_AS ? size : data) * 4096;
}

static void execute(const char *line) {
    static char words[512], program[PATH_MAX], *arguments[CLI_WORDS + 1];
    int count = 0;
    (void)snprintf(program, sizeof program, "%s/bin/weighlock", getenv("BUILD_FOLDER"));
    (void)snprintf(words, sizeof words, "%s", line);
    arguments[count++] = program;
    for (char *at = strtok(words, " "); at && count < CLI_WORDS; at = strtok(NULL, " ")) {
        arguments[count++] = at;
    }
    (void)execv(program, arguments);
    _exit(126);
}

typedef struct setting {
    const limit *limit;
    const char *line;
} setting;

/* In the fork. Descriptors of this program's own are none of the tool's. */
static void set_limit(void *context) {
    const setting *s = context;
    const limit *l = s->limit;
    (void)syscall(SYS_close_range, 3, ~0u, 0);
    if (l->ordinary && geteuid() == 0 && !kit_become_ordinary()) _exit(99);
    const rlim_t value = l->above ? l->value + used_now(l->resource) : l->value;
    const struct rlimit both = {value, value};
    if (setrlimit((__rlimit_resource_t)l->resource, &both) != 0) _exit(98);
    if (l->how == EXECUTED) execute(s->line);
}

/* ---- one run */

static bool is_no_files_fault(int code) {
    return code == WLK_OK || code == WLK_CAGE || code == WLK_LIMIT || code == WLK_SYSTEM;
}

/* The kernel or the loader gave up before main: it has nothing of the tool's to say. */
static bool never_started(const limit *l, const cli_outcome *got) {
    if (l->how != EXECUTED || strncmp(got->err, "weighlock: ", 11) == 0) return false;
    return got->code == 126 || got->code == 127 || got->code == 1000 + SIGKILL ||
           got->code == 1000 + SIGSEGV || got->code == 1000 + SIGABRT;
}

/* Returns whether it worked. */
static bool run_within(const limit *l, const cli_row *row, const cli_outcome *peace) {
    static cli_outcome got;
    setting s = {l, row->line};
    const bool alone = cli_do(row->line, set_limit, &s, &got);
    told.runs++;
    if (never_started(l, &got) && alone && got.files == cli_run.files) {
        told.not_started++;
        return false;
    }
    const char *wrong = cli_fault(row, peace, &got, alone);
    if (!wrong && !is_no_files_fault(got.code)) wrong = "the file is blamed";
    told.worked += got.code == 0;
    told.refused += got.code != 0;
    if (wrong) {
        told.failures++;
        (void)printf("%s %llu: %s: %s: exit %d: %.200s\n", l->name, (unsigned long long)l->value,
                     row->line, wrong, got.code, got.err);
    }
    return got.code == 0;
}

/* ---- all of them */

#define MOST_VALUES 32

typedef struct limit_row {
    limit limit;
    uint64_t values[MOST_VALUES]; /* the rest is 0 behind the last */
} limit_row;

#define STEPS                                                                                  \
    {                                                                                          \
        4 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB,   \
            8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB, 128 * MIB, 256 * MIB, 512 * MIB, 600 * MIB, \
            1024 * MIB, 2048 * MIB, 8192 * MIB                                                 \
    }

static const limit_row rows[] = {
    {{"descriptors", RLIMIT_NOFILE, FORKED, false, false, 0},
     {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,  15,  16,
      17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 32, 64, 256, 1024}},
    {{"file size", RLIMIT_FSIZE, FORKED, false, false, 0},
     {1, 2, 100, 200, 300, 1000, 4095, 4096, 4176, 5000, 8000, 8615, 10000, 20000, 100000, 300000,
      302000, 400000, MIB}},
    {{"processes", RLIMIT_NPROC, FORKED, false, true, 0}, {1, 2, 3, 4, 5, 6, 8, 4096}},
#if !SANITIZED /* whose shadow and start-up know no limits */
    {{"stack", RLIMIT_STACK, EXECUTED, false, false, 0},
     {128 * KIB, 192 * KIB, 256 * KIB, 384 * KIB, 512 * KIB, MIB, 2 * MIB}},
    {{"address space", RLIMIT_AS, FORKED, true, false, 0}, STEPS},
    {{"data", RLIMIT_DATA, FORKED, true, false, 0}, STEPS},
    {{"address space, from the start", RLIMIT_AS, EXECUTED, false, false, 0}, STEPS},
    {{"data, from the start", RLIMIT_DATA, EXECUTED, false, false, 0}, STEPS},
#endif
};

/* What an ordinary user can run in a folder of root's. */
static bool writes(const cli_row *row) {
    static const char *const readers[] = {"verify",     "inspect",     "meta get",
                                          "trust list", "trust check", "doctor",
                                          "policy",     "completion",  "help"};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strncmp(row->line, readers[i], strlen(readers[i])) == 0) return false;
    }
    return true;
}

/* The largest value lets every command work. */
static void run_row(const limit_row *row, const cli_row *command) {
    static cli_outcome peace;
    bool worked = false;
    if (row->limit.ordinary && writes(command)) return;
    (void)cli_do(command->line, NULL, NULL, &peace);
    for (size_t i = 0; i < MOST_VALUES && row->values[i]; i++) {
        limit l = row->limit;
        l.value = row->values[i];
        worked = run_within(&l, command, &peace);
    }
    if (worked) return;
    told.failures++;
    (void)printf("%s: %s: never worked\n", row->limit.name, command->line);
}

int main(int argc, char **argv) {
    cli_prepare();
    assert_int_equal(chmod(cli_run.pristine, 0755), 0);
    cli_run.files = cli_sum(cli_run.pristine);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const unsigned runs = told.runs, worked = told.worked;
        if (argc > 1 && strcmp(rows[i].limit.name, argv[1]) != 0) continue;
        const size_t step = rows[i].limit.how == EXECUTED ? 4 : 1; /* start-up is the same */
        for (size_t j = 0; j < CLI_ROWS; j += step) run_row(&rows[i], &cli_rows[j]);
        (void)printf("%s: %u runs, %u worked\n", rows[i].limit.name, told.runs - runs,
                     told.worked - worked);
    }
    cli_clear_away();
    (void)printf(
        "limits_process: %u runs: %u worked, %u refused, %u not started by the system; "
        "failures %u\n",
        told.runs, told.worked, told.refused, told.not_started, told.failures);
    return told.failures != 0;
}
