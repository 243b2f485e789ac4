/* The command line tool as a function: each run is a fork of the test program, without
 * exec, so that what is set for it holds from main on, and no start-up of a library is in
 * the way. Runs are in a folder that is made anew when one has changed it. */
#ifndef TESTS_FAULTS_ENDURE_CLI_H
#define TESTS_FAULTS_ENDURE_CLI_H

#include "endure_files.h"

/* ---- the tool's main, which believes to lie in $BUILD/bin */

static inline ssize_t endure_readlink(const char *path, char *text, size_t size) {
    char program[PATH_MAX];
    (void)path;
    (void)snprintf(program, sizeof program, "%s/bin/weighlock", getenv("BUILD_FOLDER"));
    const size_t length = strnlen(program, size);
    memcpy(text, program, length);
    return (ssize_t)length;
}

int weighlock_main(int argc, char **argv);

#define main weighlock_main
#define readlink endure_readlink
#include "cli/main.c"
#undef main
#undef readlink

/* ---- what is run */

#define CLI_WORDS 16

typedef enum cli_kind {
    CLI_STEADY, /* writes the same each time */
    CLI_RANDOM, /* never does */
    CLI_DONE,   /* a failure may come when all was done, and only to be told */
    CLI_TELLS   /* of the machine as it is now: only its last line, the verdict, is the same */
} cli_kind;

typedef struct cli_row {
    const char *line; /* words with one blank between them */
    cli_kind kind;
} cli_row;

static const cli_row cli_rows[] = {
    {"keygen -s new.key -p new.pub --unencrypted --trust newtrust", CLI_RANDOM},
    {"sign unsigned.wlk -s author.key -o signed.wlk", CLI_STEADY},
    {"sign --detached unsigned.wlk -s author.key -o unsigned.wlk.minisig --comment text",
     CLI_STEADY},
    {"verify model.wlk beside.wlk chunks.wlk --trust trust --json", CLI_STEADY},
    {"verify beside.wlk --trust trust --checksums SHA256SUMS", CLI_STEADY},
    {"pack spec.json -o packed.wlk --sign author.key", CLI_STEADY},
    {"inspect model.wlk --trust trust", CLI_STEADY},
    {"inspect model.wlk --trust trust --json", CLI_STEADY},
    {"predict model.wlk rows.csv --trust trust --selftest -o out.csv", CLI_STEADY},
    {"predict model.wlk rows.csv --trust trust --json --policy policy.conf", CLI_STEADY},
    {"predict scaler.pkl rows.csv --allow-unsigned --json", CLI_STEADY},
    {"inspect scaler.joblib --json", CLI_STEADY},
    {"convert scaler.joblib --allow-unsigned --sign author.key --selftest rows.csv -o scaler.wlk",
     CLI_STEADY},
    {"convert scaler.pkl --allow-unsigned -o scaler.onnx", CLI_STEADY},
    {"convert chunks.wlk --trust trust --compress -o smaller.wlk", CLI_STEADY},
    {"convert model.wlk --trust trust -o all.npz", CLI_STEADY},
    {"predict model.wlk rows.npy --trust trust --format npy --select scores -o out.npy",
     CLI_STEADY},
    {"extract model.wlk --trust trust -o all.npz", CLI_STEADY},
    {"extract chunks.wlk --trust trust --tensor extra -o extra.npy", CLI_STEADY},
    {"meta get model.wlk --trust trust /metadata/source", CLI_STEADY},
    {"meta set model.wlk --trust trust /version=9 /metadata/tags/-=more -s author.key", CLI_STEADY},
    {"meta set model.wlk --trust trust /version=9 -s author.key -o changed.wlk", CLI_STEADY},
    {"trust add stranger.pub --name other --trust newtrust", CLI_STEADY},
    {"trust list --trust trust --json", CLI_STEADY},
    {"trust revoke author --trust trust", CLI_DONE},
    {"trust check --trust trust", CLI_STEADY},
    {"doctor", CLI_TELLS},
    {"policy --policy policy.conf --json", CLI_STEADY},
    {"completion bash", CLI_STEADY},
    {"help predict", CLI_STEADY},
};
#define CLI_ROWS (sizeof cli_rows / sizeof *cli_rows)

/* ---- one run */

#define CLI_SECONDS 30
#define CLI_TEXT 65536

typedef struct cli_outcome {
    int code;       /* the exit code; 1000 and the signal */
    uint64_t files; /* what the folder holds afterwards */
    size_t out_length, err_length;
    char out[CLI_TEXT], err[CLI_TEXT];
} cli_outcome;

static struct {
    char pristine[96], work[160];
    uint64_t files; /* of a folder that is as it was */
    uint64_t now;
    int out, err; /* what the run writes to */
} cli_run;

static inline void cli_copy(const char *name) {
    char command[480];
    (void)snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", name, cli_run.pristine,
                   name);
    assert_int_equal(system(command), 0);
}

/* The folder's sum does not depend on where it lies. */
static inline uint64_t cli_sum(const char *folder) {
    const int back = open(".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    assert_true(back >= 0 && chdir(folder) == 0);
    const uint64_t sum = files_of(".");
    assert_int_equal(fchdir(back), 0);
    (void)close(back);
    return sum;
}

static inline void cli_restore(void) {
    if (cli_run.now == cli_run.files) return;
    cli_copy(cli_run.work);
    cli_run.now = cli_sum(cli_run.work);
    assert_true(cli_run.now == cli_run.files);
}

static inline void cli_prepare(void) {
    char build[PATH_MAX];
    void *state = NULL;
    const char *folder = getenv("BUILD");
    assert_non_null(realpath(folder ? folder : "build", build));
    (void)setenv("BUILD_FOLDER", build, 1);
    assert_int_equal(kit_setup(&state), 0);
    files_make();
    (void)setenv("HOME", scratch, 1);
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)snprintf(cli_run.pristine, sizeof cli_run.pristine, "%s", scratch);
    (void)snprintf(cli_run.work, sizeof cli_run.work, "%s.work", scratch);
    cli_run.files = cli_sum(cli_run.pristine);
    cli_run.out = memfd_create("out", MFD_CLOEXEC);
    cli_run.err = memfd_create("err", MFD_CLOEXEC);
    assert_true(cli_run.out >= 0 && cli_run.err >= 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    cli_restore();
}

static inline void cli_forget_work(void) {
    char command[192];
    (void)snprintf(command, sizeof command, "rm -rf %s", cli_run.work);
    (void)!system(command);
}

static inline void cli_clear_away(void) {
    void *state = NULL;
    cli_forget_work();
    (void)kit_teardown(&state);
}

static inline size_t cli_text(int fd, char text[CLI_TEXT]) {
    const ssize_t got = pread(fd, text, CLI_TEXT - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    return got < 0 ? 0 : (size_t)got;
}

_Noreturn static inline void cli_in_fork(const char *line, void (*prepare)(void *), void *context) {
    static char words[512], *arguments[CLI_WORDS + 1], name[] = "weighlock";
    int count = 1;
    kit_crash_as_usual();
    (void)snprintf(words, sizeof words, "%s", line);
    arguments[0] = name;
    for (char *at = strtok(words, " "); at && count < CLI_WORDS; at = strtok(NULL, " ")) {
        arguments[count++] = at;
    }
    if (chdir(cli_run.work) != 0 || dup2(cli_run.out, 1) != 1 || dup2(cli_run.err, 2) != 2) {
        _exit(99);
    }
    (void)close(0);
    if (open("/dev/null", O_RDONLY) != 0) _exit(99);
    (void)alarm(CLI_SECONDS);
    if (prepare) prepare(context);
    const int code = weighlock_main(count, arguments);
    _exit(code);
}

/* Nobody is left of those whom the run started: it was their ancestor, now we are. */
static inline bool cli_alone(void) {
    for (unsigned i = 0; i < 2000; i++) {
        const pid_t got = waitpid(-1, NULL, WNOHANG | __WALL);
        if (got < 0 && errno == ECHILD) return true;
        if (got == 0) (void)usleep(1000);
    }
    return false;
}

/* Runs the line after prepare(context), which may be NULL. False: somebody is left. */
static inline bool cli_do(const char *line, void (*prepare)(void *), void *context,
                          cli_outcome *outcome) {
    int status = 0;
    cli_restore();
    assert_int_equal(ftruncate(cli_run.out, 0), 0);
    assert_int_equal(ftruncate(cli_run.err, 0), 0);
    (void)lseek(cli_run.out, 0, SEEK_SET);
    (void)lseek(cli_run.err, 0, SEEK_SET);
    (void)fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) cli_in_fork(line, prepare, context);
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    outcome->code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    outcome->out_length = cli_text(cli_run.out, outcome->out);
    outcome->err_length = cli_text(cli_run.err, outcome->err);
    outcome->files = cli_run.now = cli_sum(cli_run.work);
    return cli_alone();
}

/* ---- judging it by a run in peace */

static inline bool cli_is_verdict(int code) {
    return code >= 0 && code <= WLK_SYSTEM;
}

static inline const char *cli_last_line(const char *text) {
    const char *last = text;
    for (const char *end; (end = strchr(last, '\n')) != NULL && end[1] != '\0';) last = end + 1;
    return last;
}

/* What is wrong with a run that met a failure; NULL: nothing. */
static inline const char *cli_fault(const cli_row *row, const cli_outcome *peace,
                                    const cli_outcome *got, bool alone) {
    if (!alone) return "somebody is left";
    if (!cli_is_verdict(got->code)) return "not a verdict";
    if (got->code != 0 && got->err_length == 0 && got->out_length == 0) return "says nothing";
    if (got->code == 0 && peace->code == 0 && row->kind != CLI_RANDOM) {
        if (got->files != peace->files) return "other files";
        const bool same = row->kind == CLI_TELLS
                              ? strcmp(cli_last_line(got->out), cli_last_line(peace->out)) == 0
                              : strcmp(got->out, peace->out) == 0;
        if (!same) return "other output";
    }
    if (got->code == 0 || got->files == cli_run.files) return NULL;
    return row->kind == CLI_DONE && got->files == peace->files ? NULL
                                                               : "files are not as they were";
}

#endif
