/* Bad input: what a refusal must say, and what it must not leave behind: a child, a
 * descriptor, a mapping, memory, a file. Rows that fail are told, and the others are
 * still run. */
#ifndef TESTS_SUPPORT_LEFTOVERS_H
#define TESTS_SUPPORT_LEFTOVERS_H

#include "support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <weighlock/memory.h>

/* ---- memory: an allocator that counts live blocks */

static atomic_long leftovers_blocks;

static inline void *leftovers_allocate(void *context, size_t size, size_t alignment) {
    (void)context;
    void *memory = NULL;
    if (alignment < sizeof(void *)) alignment = sizeof(void *);
    if (posix_memalign(&memory, alignment, size) != 0) return NULL;
    atomic_fetch_add(&leftovers_blocks, 1);
    return memory;
}

static inline void *leftovers_resize(void *context, void *memory, size_t size) {
    (void)context;
    void *resized = realloc(memory, size);
    if (!memory && resized) atomic_fetch_add(&leftovers_blocks, 1);
    return resized;
}

static inline void leftovers_release(void *context, void *memory) {
    (void)context;
    atomic_fetch_sub(&leftovers_blocks, 1);
    free(memory);
}

/* To be called before anything else of the library. */
static inline void leftovers_count_memory(void) {
    static const wlk_allocator counting = {NULL, leftovers_allocate, leftovers_resize,
                                           leftovers_release};
    wlk_allocator_set(&counting);
}

/* ---- files: the names in a folder, with mode and size */

typedef struct leftovers_list {
    char text[8192];
    size_t length;
} leftovers_list;

static inline void leftovers_list_add(leftovers_list *list, const char *folder, const char *name) {
    char path[PATH_MAX];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &status) != 0) return; /* a row's own temporary thing in a folder of /proc */
    const size_t room = sizeof list->text - list->length;
    const int length = snprintf(list->text + list->length, room, "%s %o %lld\n", name,
                                status.st_mode, (long long)status.st_size);
    assert_true(length > 0 && (size_t)length < room);
    list->length += (size_t)length;
}

static inline leftovers_list leftovers_files(const char *folder) {
    leftovers_list list = {.length = 0};
    struct dirent **entries;
    const int count = folder ? scandir(folder, &entries, NULL, alphasort) : 0;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            leftovers_list_add(&list, folder, name);
        }
        free(entries[i]);
    }
    if (folder) free(entries);
    return list;
}

/* ---- all of it */

typedef struct leftovers {
    const char *folder; /* NULL: no files are looked at */
    unsigned descriptors;
    unsigned snapshots; /* mappings of sealed copies */
    long blocks;
    leftovers_list files;
} leftovers;

static inline unsigned leftovers_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    assert_non_null(folder);
    while (readdir(folder)) count++;
    (void)closedir(folder);
    return count - 3; /* ".", ".." and the folder's own */
}

static inline unsigned leftovers_snapshots(void) {
    char line[PATH_MAX + 128];
    unsigned count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) count += strstr(line, "memfd:weighlock") != NULL;
    (void)fclose(maps);
    return count;
}

/* No child, neither running nor to be collected, of whatever kind. */
static inline bool leftovers_no_child(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == -1 && errno == ECHILD;
}

static inline leftovers leftovers_before(const char *folder) {
    return (leftovers){.folder = folder,
                       .descriptors = leftovers_descriptors(),
                       .snapshots = leftovers_snapshots(),
                       .blocks = atomic_load(&leftovers_blocks),
                       .files = leftovers_files(folder)};
}

/* What was left behind since then; NULL: nothing. */
static inline const char *leftovers_since(const leftovers *before) {
    if (!leftovers_no_child()) return "a child is left";
    if (leftovers_descriptors() != before->descriptors) return "a descriptor is left";
    if (leftovers_snapshots() != before->snapshots) return "a mapping of the copy is left";
    if (atomic_load(&leftovers_blocks) != before->blocks) return "memory is left";
    const leftovers_list files = leftovers_files(before->folder);
    if (strcmp(files.text, before->files.text) != 0) return "the folder's files are not the same";
    return NULL;
}

/* ---- what a refusal says */

#define ACCEPTED "accepted"

/* "RULE", or "RULE@OFFSET" where there is an offset, into `said`. */
typedef struct refusal_text {
    char said[96]; /* a rule of at most 64 bytes */
} refusal_text;

static inline refusal_text refusal_of(const char *rule, uint64_t offset) {
    refusal_text text;
    if (offset == WLK_NO_OFFSET) {
        (void)snprintf(text.said, sizeof text.said, "%s", rule);
    } else {
        (void)snprintf(text.said, sizeof text.said, "%.64s@%llu", rule, (unsigned long long)offset);
    }
    return text;
}

static inline refusal_text refusal_told(wlk_status status, const wlk_error *error) {
    if (status == WLK_OK) return refusal_of(ACCEPTED, WLK_NO_OFFSET);
    return refusal_of(wlk_rule_name(error->rule), error->offset);
}

/* What is wrong with a refusal that should be `want` ("RULE@OFFSET") with the verdict of
 * that rule's row, and say `text` unless that is NULL; NULL if nothing is. */
static inline const char *refusal_fault(const char *want, const char *text, wlk_status status,
                                        const wlk_error *error) {
    if (strcmp(want, refusal_told(status, error).said) != 0) return "refused otherwise";
    if (status == WLK_OK) return NULL;
    if (status != error->status || status != rule_status(error->rule)) return "verdict";
    return text && !strstr(error->text, text) ? "text" : NULL;
}

/* Prints what is wrong with the row of that name; false if something is. */
static inline bool row_passes(const char *name, const char *want, const char *text,
                              wlk_status status, const wlk_error *error, const leftovers *before) {
    const char *wrong = refusal_fault(want, text, status, error);
    if (!wrong) wrong = leftovers_since(before);
    if (!wrong) return true;
    (void)fprintf(stderr, "%s: %s: %s (%s), not %s\n", name, wrong,
                  refusal_told(status, error).said, status == WLK_OK ? "" : error->text, want);
    return false;
}

#endif
