/* Runs a fuzz target without a fuzzer: over each file named on the command line,
 * and over MUTATIONS mutations of it that come from the file's own bytes, so that a
 * failure can be had again. Prints the input's name and the mutation's number when
 * the target ends the process.
 *
 *     replay [-n MUTATIONS] FILE...
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_BYTES (1u << 20)
#define MOST_GROWTH 64
#define SECONDS_PER_FILE 60

static const char *current_file;
static unsigned long current_mutation;

static void say_where(int signal_number) {
    char text[512];
    const int length = snprintf(text, sizeof text, "replay: %s, mutation %lu: signal %d\n",
                                current_file, current_mutation, signal_number);
    (void)!write(STDERR_FILENO, text, (size_t)length);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t bound) {
    return bound ? (size_t)(next(state) % bound) : 0;
}

/* One change: a bit, a byte, a cut, a repetition, a number at its edge. */
static size_t mutate_once(uint8_t *data, size_t size, size_t room, uint64_t *state) {
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '\n', '\r', ' ', '='};
    const size_t at = below(state, size);
    switch (below(state, 6)) {
        case 0:
            if (size) data[at] ^= (uint8_t)(1u << below(state, 8));
            return size;
        case 1:
            if (size) data[at] = (uint8_t)next(state);
            return size;
        case 2:
            if (size) data[at] = edges[below(state, sizeof edges)];
            return size;
        case 3:
            return below(state, size + 1); /* cut the end off */
        case 4: {                          /* cut a piece out */
            const size_t length = below(state, size - at < 16 ? size - at + 1 : 16);
            memmove(data + at, data + at + length, size - at - length);
            return size - length;
        }
        default: { /* say a piece twice */
            size_t length = below(state, size - at < 16 ? size - at + 1 : 16);
            if (length > room - size) length = room - size;
            memmove(data + at + length, data + at, size - at);
            return size + length;
        }
    }
}

static size_t mutate(uint8_t *data, size_t size, size_t room, uint64_t *state) {
    const size_t changes = 1 + below(state, 4);
    for (size_t i = 0; i < changes; i++) size = mutate_once(data, size, room, state);
    return size;
}

/* In a buffer of exactly its size, so that a sanitizer sees every step beyond it. */
static void feed(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact) exit(2);
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static uint64_t seed_of(const uint8_t *data, size_t size) {
    uint64_t state = size;
    for (size_t i = 0; i < size; i++) state = state * 31 + data[i];
    return state;
}

static void replay(const uint8_t *data, size_t size, unsigned long mutations) {
    static uint8_t changed[MOST_BYTES + MOST_GROWTH];
    uint64_t state = seed_of(data, size);
    current_mutation = 0;
    feed(data, size);
    for (current_mutation = 1; current_mutation <= mutations; current_mutation++) {
        memcpy(changed, data, size);
        feed(changed, mutate(changed, size, size + MOST_GROWTH, &state));
    }
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

int main(int argc, char **argv) {
    static uint8_t data[MOST_BYTES];
    unsigned long mutations = 0;
    int first = 1;
    if (argc > 3 && strcmp(argv[1], "-n") == 0) {
        mutations = strtoul(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc) {
        (void)fprintf(stderr, "usage: %s [-n MUTATIONS] FILE...\n", argv[0]);
        return 2;
    }
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGALRM, SIGTRAP};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) (void)signal(fatal[i], say_where);
    for (int i = first; i < argc; i++) {
        current_file = argv[i];
        (void)alarm(SECONDS_PER_FILE);
        replay(data, read_file(argv[i], data), mutations);
    }
    (void)printf("%d inputs, each with %lu mutations\n", argc - first, mutations);
    return 0;
}
