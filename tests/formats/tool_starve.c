/* Files that are parsed again and again, with memory failing at each place in turn: at each
 * call of the allocator that no earlier failure came from by the same way. One line for each
 * file that does not fail as it should, and how many failures there were.
 *
 *   tool_starve [LIMIT=NUMBER]... FILE...
 *   tool_starve --limits FILE...   under each limit too, from 0 up to where it is no matter
 *   tool_starve [LIMIT=NUMBER]... -
 *                       from standard input: each the number of its bytes, as 4 of them, and
 *                       these; a line for each: how it ends in peace. Only those that
 *                       are refused are parsed again
 *
 * What is accepted in peace is refused then, for the lack of memory; what is refused, by the
 * same rule or for that. Nothing is left, and in peace it ends as it did before. Each piece
 * of an arena (base/arena.h) is memory of its own here, so that it can be the one that is
 * missing, and so that a sanitizer sees where it ends. */
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weighlock/limits.h>
#include <weighlock/memory.h>
#include <weighlock/parse.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "base/error.h"

/* ---- an arena in pieces, in the place of base/arena.c */

struct arena_chunk {
    arena_chunk *next;
    _Alignas(max_align_t) unsigned char memory[];
};

void *arena_take(arena *a, uint64_t count, uint64_t size) {
    uint64_t total;
    if (!checked_mul(count, size, &total) || total > SIZE_MAX / 2) return NULL;
    arena_chunk *chunk = mem_alloc(sizeof *chunk + (size_t)total);
    if (!chunk) return NULL;
    chunk->next = a->chunks;
    a->chunks = chunk;
    return memset(chunk->memory, 0, (size_t)total);
}

char *arena_text(arena *a, const void *text, uint64_t length) {
    char *copy = arena_take(a, length + 1, 1);
    return copy ? memcpy(copy, text, (size_t)length) : NULL;
}

void arena_free(arena *a) {
    while (a->chunks) {
        arena_chunk *next = a->chunks->next;
        mem_free(a->chunks);
        a->chunks = next;
    }
}

/* ---- ways to an allocation that have been taken: a set of hashes */

enum { WAYS = 1 << 20, DEEPEST = 32, OWN_FRAMES = 2, MOST_PLACES = 1 << 16 };

static uint64_t ways[WAYS];
static unsigned way_count;

static uint64_t way_here(void) {
    void *frames[DEEPEST];
    const int count = backtrace(frames, DEEPEST);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = OWN_FRAMES; i < count; i++) {
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash | 1;
}

static bool way_is_new(uint64_t way) {
    uint64_t at = way % WAYS;
    while (ways[at] != 0 && ways[at] != way) at = (at + 1) % WAYS;
    if (ways[at] == way || way_count > WAYS / 2) return false;
    ways[at] = way;
    way_count++;
    return true;
}

/* ---- the allocator */

static struct {
    long calls, alive;
    long fail_at; /* the call that fails, from 1; 0: none does */
    bool looking; /* for ways that are new */
    long places[MOST_PLACES];
    unsigned place_count;
} points;

static bool fails(void) {
    points.calls++;
    if (points.looking && points.place_count < MOST_PLACES && way_is_new(way_here())) {
        points.places[points.place_count++] = points.calls;
    }
    return points.calls == points.fail_at;
}

static void *take(void *context, size_t size, size_t alignment) {
    (void)context;
    if (fails()) return NULL;
    points.alive++;
    return alignment <= sizeof(max_align_t)
               ? malloc(size)
               : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void *resize(void *context, void *memory, size_t size) {
    (void)context;
    if (fails()) return NULL;
    points.alive += memory == NULL;
    return realloc(memory, size);
}

static void release(void *context, void *memory) {
    (void)context;
    points.alive -= memory != NULL;
    free(memory);
}

/* ---- files */

typedef struct outcome {
    wlk_status status;
    wlk_error error;
} outcome;

static outcome parse_within(const wlk_limits *limits, const uint8_t *data, size_t size,
                            long fail_at, bool looking) {
    outcome out = {.error = {.offset = WLK_NO_OFFSET}};
    wlk_model *model = NULL;
    points.calls = 0;
    points.fail_at = fail_at;
    points.looking = looking;
    out.status = wlk_parse_memory(data, size, WLK_FORMAT_NONE, limits, &model, &out.error);
    points.looking = false;
    points.fail_at = 0;
    wlk_model_free(model);
    return out;
}

static wlk_limits given; /* the defaults, but for those of the command line */

static outcome parse(const uint8_t *data, size_t size, long fail_at, bool looking) {
    return parse_within(&given, data, size, fail_at, looking);
}

static bool says(const outcome *out, uint32_t rule) {
    return out->status != WLK_OK && out->error.rule == rule;
}

static const char *fault(const outcome *peace, const outcome *starved) {
    if (points.alive != 0) return "memory is left";
    if (says(starved, RULE_INTERNAL_MEMORY)) return NULL;
    if (starved->status == WLK_OK) return "accepted";
    return says(peace, starved->error.rule) ? NULL : wlk_rule_name(starved->error.rule);
}

static unsigned failures;

/* ---- limits: what one refuses, it refuses by a limit's rule; what it does not ends as before */

static bool under_limit(const char *path, const char *name, uint64_t value, const uint8_t *data,
                        size_t size, const outcome *peace, bool *matters) {
    wlk_limits limits;
    wlk_limits_default(&limits);
    if (wlk_limits_set(&limits, name, value) != WLK_OK) return false;
    const outcome out = parse_within(&limits, data, size, 0, false);
    const bool same = out.status == peace->status && out.error.rule == peace->error.rule;
    *matters = !same;
    if (points.alive == 0 && (same || out.status == WLK_LIMIT)) return true;
    (void)printf("%s: %s = %llu: %s\n", path, name, (unsigned long long)value,
                 out.status == WLK_OK ? "accepted" : wlk_rule_name(out.error.rule));
    return false;
}

static int lower_limits(const char *path, const uint8_t *data, size_t size, const outcome *peace) {
    enum { ONE_BY_ONE = 128 };
    wlk_limit_row row;
    int wrong = 0;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        bool matters = true;
        for (uint64_t value = 0; matters && value < row.standard;
             value = value < ONE_BY_ONE ? value + 1 : 2 * value) {
            wrong |= !under_limit(path, row.name, value, data, size, peace, &matters);
        }
    }
    return wrong;
}

static bool limited;

static int starve(const char *path, const uint8_t *data, size_t size) {
    points.place_count = 0;
    const outcome peace = parse(data, size, 0, true);
    int wrong = points.alive != 0;
    if (wrong) (void)printf("%s: memory is left\n", path);
    for (unsigned i = 0; i < points.place_count; i++, failures++) {
        const outcome starved = parse(data, size, points.places[i], false);
        const char *why = fault(&peace, &starved);
        if (!why) continue;
        (void)printf("%s: allocation %ld of %s: %s\n", path, points.places[i],
                     peace.status == WLK_OK ? "a model" : wlk_rule_name(peace.error.rule), why);
        wrong = 1;
    }
    if (limited) wrong |= lower_limits(path, data, size, &peace);
    const outcome again = parse(data, size, 0, false);
    if (again.status == peace.status) return wrong;
    (void)printf("%s: ends otherwise than before\n", path);
    return 1;
}

static int starve_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) return perror(path), 1;
    const long size = ftell(file);
    rewind(file);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    const size_t got = data ? fread(data, 1, (size_t)size, file) : 0;
    (void)fclose(file);
    const int wrong = data ? starve(path, data, got) : 1;
    free(data);
    return wrong;
}

static int starve_input(void) {
    uint8_t head[4];
    int wrong = 0;
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const uint32_t size = load_u32(head);
        uint8_t *data = malloc(size > 0 ? size : 1);
        if (!data || fread(data, 1, size, stdin) != size) return 1;
        const outcome peace = parse(data, size, 0, false);
        (void)puts(peace.status == WLK_OK ? "-" : wlk_rule_name(peace.error.rule));
        if (peace.status != WLK_OK) wrong += starve("-", data, size);
        free(data);
    }
    return wrong;
}

/* How many of the arguments are limits; -1 where one is none. */
static int take_limits(int count, char **arguments) {
    int i = 1;
    wlk_limits_default(&given);
    for (; i < count && strchr(arguments[i], '='); i++) {
        char *value = strchr(arguments[i], '=');
        *value++ = '\0';
        if (wlk_limits_set(&given, arguments[i], strtoull(value, NULL, 10)) != WLK_OK) return -1;
    }
    return i - 1;
}

int main(int count, char **arguments) {
    static const wlk_allocator counting = {NULL, take, resize, release};
    int wrong = 0;
    (void)way_here(); /* what unwinds the stack is loaded now */
    const int taken = take_limits(count, arguments);
    if (taken < 0) return 2;
    arguments += taken;
    count -= taken;
    wlk_allocator_set(&counting);
    if (count == 2 && strcmp(arguments[1], "-") == 0) return starve_input() != 0;
    limited = count > 1 && strcmp(arguments[1], "--limits") == 0;
    for (int i = 1 + limited; i < count; i++) wrong += starve_file(arguments[i]);
    (void)printf("%d files, %u failures\n", count - 1 - limited, failures);
    return wrong != 0;
}
