/* The command line tool out of memory, at each of its allocations and those of the
 * libraries beneath it: once, and for good. It ends with the system's verdict, or as if
 * nothing had happened; nobody and no file is left, and no output is half there. */
#include "alloc_points.h"

#include "endure_cli.h"

#include <sys/mman.h>
#include <sys/syscall.h>

static struct { unsigned points, runs, absorbed, failures; } told;

typedef struct starvation {
    long k;
    bool for_good;
    long *calls; /* shared with the run: how many it came to */
} starvation;

static long *calls;

#define SOURCES (SANITIZED ? POINTS_LIBRARY | POINTS_OTHERS : POINTS_OTHERS)

static void save_calls(void) {
    *calls = atomic_load(&points.calls);
}

static void starve(void *context) {
    const starvation *s = context;
    points_arm(SOURCES, s->k, s->for_good);
}

/* The run ends with _exit wherever it ends. */
#pragma GCC visibility push(default)
_Noreturn void _exit(int code) {
    if (calls) save_calls();
    for (;;) (void)syscall(SYS_exit_group, code);
}
#pragma GCC visibility pop

static void tell(const cli_row *row, const starvation *s, const char *wrong,
                 const cli_outcome *got) {
    told.failures++;
    (void)printf("%s: allocation %ld%s: %s: exit %d: %.200s\n", row->line, s->k,
                 s->for_good ? " and on" : "", wrong, got->code, got->err);
}

/* Returns whether there was such an allocation. */
static bool fail_point(const cli_row *row, const cli_outcome *peace, starvation s) {
    static cli_outcome got;
    *calls = 0;
    const bool alone = cli_do(row->line, starve, &s, &got);
    const bool reached = *calls >= s.k;
    const char *wrong = cli_fault(row, peace, &got, alone);
    if (!wrong && !reached && got.code != peace->code) wrong = "failed untouched";
    if (!wrong && got.code != 0 && got.code != WLK_SYSTEM && got.code != peace->code) {
        wrong = "not the system's";
    }
    if (wrong) tell(row, &s, wrong, &got);
    told.absorbed += reached && got.code == 0;
    return reached;
}

static void fail_all(const cli_row *row) {
    static cli_outcome peace;
    const starvation none = {.k = -1};
    if (!cli_do(row->line, NULL, NULL, &peace) || peace.code != 0) {
        tell(row, &none, "not as expected in peace", &peace);
        return;
    }
    for (int for_good = 0; for_good < 2; for_good++) {
        starvation s = {.k = 1, .for_good = for_good};
        for (; fail_point(row, &peace, s); s.k++) {
            told.runs++;
            told.points += !for_good;
        }
    }
}

int main(int argc, char **argv) {
    if (SANITIZED) points_set();
    cli_prepare();
    calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(calls != MAP_FAILED);
    for (size_t i = 0; i < CLI_ROWS; i++) {
        const unsigned before = told.points;
        if (argc > 1 && !strstr(cli_rows[i].line, argv[1])) continue;
        fail_all(&cli_rows[i]);
        if (argc > 1) (void)printf("%s: %u\n", cli_rows[i].line, told.points - before);
    }
    cli_clear_away();
    (void)printf("alloc_cli: %zu commands, %u allocations, %u runs; absorbed %u, failures %u\n",
                 CLI_ROWS, told.points, told.runs, told.absorbed, told.failures);
    (void)fflush(NULL);
    return told.failures != 0;
}
