/* Runs a fuzz target without a fuzzer: over each file named on the command line, and over
 * -n changes of it that come from the file's own bytes, so that a failure can be had again.
 * Half of them know the input's structure. -s prints what is in each file instead. Prints
 * the input's name and the change's number when the target ends the process, or takes
 * longer than its seconds (-t).
 *
 *     fuzz_TARGET [-n CHANGES] [-t SECONDS] FILE|FOLDER...
 *     fuzz_TARGET -s FILE|FOLDER...
 *     fuzz_TARGET -b SECONDS FILE|FOLDER...
 *
 * -b runs the files of at most 4 KiB for so many seconds of processor time, in random order,
 * and prints how many executions a second that were.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kit/kit.h"

#define MOST_BYTES (1u << 20)
#define MOST_GROWTH 4096
#define PATH_BYTES 4096
#define BENCH_BYTES 4096
#define BENCH_STEP 256 /* executions between two looks at the clock */

static struct {
    const char *file;
    unsigned long change, changes, files;
    unsigned seconds, bench;
    bool show;
} now = {.seconds = 10};

/* The inputs that are to be timed. */
static struct {
    uint8_t **inputs;
    size_t *sizes;
    size_t count;
} kept;

static void say_where(int signal_number) {
    char text[PATH_BYTES + 128];
    const int length =
        snprintf(text, sizeof text, "replay: %s, change %lu: %s %d\n", now.file, now.change,
                 signal_number == SIGALRM ? "too slow: signal" : "signal", signal_number);
    (void)!write(STDERR_FILENO, text, (size_t)length);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

/* In a buffer of exactly its size, so that a sanitizer sees every step beyond it. */
static void feed(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) exit(2);
    memcpy(exact, data, size);
    (void)alarm(now.seconds);
    (void)LLVMFuzzerTestOneInput(exact, size);
    (void)alarm(0);
    free(exact);
}

static void replay(const uint8_t *data, size_t size) {
    static uint8_t changed[MOST_BYTES + MOST_GROWTH];
    fuzz_random random = {fuzz_hash(data, size)};
    now.change = 0;
    feed(data, size);
    for (now.change = 1; now.change <= now.changes; now.change++) {
        memcpy(changed, data, size);
        feed(changed, now.change % 2
                          ? mutate_bytes(changed, size, size + MOST_GROWTH, &random)
                          : fuzz_input->mutate(changed, size, size + MOST_GROWTH, &random));
    }
}

static void keep(const uint8_t *data, size_t size) {
    if (size > BENCH_BYTES) return;
    kept.inputs = realloc(kept.inputs, (kept.count + 1) * sizeof *kept.inputs);
    kept.sizes = realloc(kept.sizes, (kept.count + 1) * sizeof *kept.sizes);
    uint8_t *copy = malloc(size ? size : 1);
    if (!kept.inputs || !kept.sizes || !copy) exit(2);
    memcpy(copy, data, size);
    kept.inputs[kept.count] = copy;
    kept.sizes[kept.count++] = size;
}

static double processor_seconds(void) {
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* The first round of all inputs is not timed: memory is touched for the first time. */
static void bench(void) {
    fuzz_random random = {1};
    unsigned long runs = 0;
    if (kept.count == 0) exit(2);
    for (size_t i = 0; i < kept.count; i++) {
        (void)LLVMFuzzerTestOneInput(kept.inputs[i], kept.sizes[i]);
    }
    const double start = processor_seconds();
    double used;
    do {
        for (unsigned i = 0; i < BENCH_STEP; i++) {
            const size_t drawn = random_below(&random, kept.count);
            (void)LLVMFuzzerTestOneInput(kept.inputs[drawn], kept.sizes[drawn]);
        }
        runs += BENCH_STEP;
        used = processor_seconds() - start;
    } while (used < now.bench);
    (void)printf("%.0f executions a second, %zu inputs\n", (double)runs / used, kept.count);
}

static size_t read_file(const char *path, uint8_t *data) {
    FILE *file = fopen(path, "rbe");
    if (!file) {
        perror(path);
        exit(2);
    }
    const size_t size = fread(data, 1, MOST_BYTES, file);
    const int more = fgetc(file);
    if (ferror(file) || more != EOF) {
        (void)fprintf(stderr, "replay: %s: cannot be read, or is longer than 1 MiB\n", path);
        exit(2);
    }
    (void)fclose(file);
    return size;
}

static void take_file(const char *path) {
    static uint8_t data[MOST_BYTES];
    const size_t size = read_file(path, data);
    now.file = path;
    now.files++;
    if (now.bench) {
        keep(data, size);
        return;
    }
    if (!now.show) {
        replay(data, size);
        return;
    }
    (void)printf("%s: %zu bytes, %s\n", path, size, fuzz_input->name);
    fuzz_input->show(data, size, stdout);
}

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* A folder's files in the order of their names; not what lies in folders of it. */
static void take(const char *path) {
    struct dirent **entries;
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode)) {
        take_file(path);
        return;
    }
    const int count = scandir(path, &entries, visible, alphasort);
    if (count < 0) {
        perror(path);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char file[PATH_BYTES];
        (void)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        take_file(file);
        free(entries[i]);
    }
    free(entries);
}

static int options(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "n:t:b:s")) != -1) {
        switch (option) {
            case 'n':
                now.changes = strtoul(optarg, NULL, 10);
                break;
            case 't':
                now.seconds = (unsigned)strtoul(optarg, NULL, 10);
                break;
            case 'b':
                now.bench = (unsigned)strtoul(optarg, NULL, 10);
                break;
            case 's':
                now.show = true;
                break;
            default:
                return 0;
        }
    }
    return optind < argc;
}

int main(int argc, char **argv) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGALRM, SIGTRAP};
    if (!options(argc, argv)) {
        (void)fprintf(stderr,
                      "usage: %s [-n CHANGES] [-t SECONDS] [-b SECONDS] [-s] FILE|FOLDER...\n",
                      argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) (void)signal(fatal[i], say_where);
    for (int i = optind; i < argc; i++) take(argv[i]);
    if (now.bench) {
        bench();
    } else if (!now.show) {
        (void)printf("%lu inputs, each with %lu changes\n", now.files, now.changes);
    }
    return now.files ? 0 : 2;
}
