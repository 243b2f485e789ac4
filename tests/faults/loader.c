/* A host of the library, for who disturbs its calls: it loads a file three times through
 * one gate, with the calls of the second load marked for inject.c.
 *
 *     loader MODE CHILD PUBLIC_KEY FILE     MODE: pipe, map, lazy, pool
 *
 * One line for each load, which is the digest of all that came out of it or "VERDICT RULE
 * TEXT", and one for what the second left behind: "nothing", or what there is more of. */
#include <weighlock/load.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARK_CALL 0xfa17 /* of inject.c */
#define AWAIT_MS 2000

typedef struct host {
    wlk_gate *gate;
    wlk_trust *trust;
    const char *path;
    bool lazy, pooled;
} host;

/* ---- what came out */

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *data, uint64_t length) {
    const uint8_t *bytes = data;
    for (uint64_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t mix_tensor(uint64_t hash, const wlk_tensor *tensor) {
    hash = mix(hash, tensor->name, strlen(tensor->name) + 1);
    hash = mix(hash, tensor->shape, sizeof *tensor->shape * tensor->rank);
    return mix(hash, tensor->data, tensor->nbytes);
}

static wlk_status load_whole(const host *h, uint64_t *hash, wlk_error *error) {
    wlk_model *model;
    const wlk_status status = wlk_gate_load_path(h->gate, h->path, &model, NULL, error);
    if (status != WLK_OK) return status;
    for (uint32_t i = 0; i < wlk_model_count(model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor tensor = wlk_model_tensor(model, i);
        *hash = mix_tensor(*hash, &tensor);
    }
    wlk_model_free(model);
    return WLK_OK;
}

static wlk_status load_lazily(const host *h, uint64_t *hash, wlk_error *error) {
    const wlk_artifact artifact = {.path = h->path};
    wlk_lazy *lazy;
    wlk_status status = wlk_gate_open_lazy(h->gate, &artifact, &lazy, NULL, error);
    if (status != WLK_OK) return status;
    const uint32_t count = wlk_model_count(wlk_lazy_model(lazy), WLK_SECTION_TENSORS);
    for (uint32_t i = 0; status == WLK_OK && i < count; i++) {
        wlk_tensor tensor;
        status = wlk_lazy_tensor(lazy, i, &tensor, error);
        if (status == WLK_OK) *hash = mix_tensor(*hash, &tensor);
        wlk_lazy_release(&tensor);
    }
    wlk_lazy_close(lazy);
    return status;
}

/* ---- what is left */

typedef struct things {
    int descriptors, copies, children;
} things;

/* Of all threads, those that have ended too. */
static int count_children(void) {
    char path[288];
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *task; tasks && (task = readdir(tasks)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/children", task->d_name);
        FILE *children = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        while (children && fscanf(children, "%*d") == 0 && !feof(children)) count++;
        if (children) (void)fclose(children);
    }
    if (tasks) (void)closedir(tasks);
    return count;
}

static things count_things(void) {
    things found = {0};
    char line[512];
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) found.descriptors++;
    if (folder) (void)closedir(folder);
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps)) found.copies += strstr(line, "memfd:") != NULL;
    if (maps) (void)fclose(maps);
    found.children = count_children();
    return found;
}

static void tell_things(const things *before, const things *after) {
    if (before->descriptors == after->descriptors && before->copies == after->copies &&
        before->children == after->children) {
        (void)puts("nothing");
        return;
    }
    (void)printf("descriptors %d, copies %d, children %d\n",
                 after->descriptors - before->descriptors, after->copies - before->copies,
                 after->children - before->children);
}

/* ---- the three loads */

/* Until a child waits, as it does at other times. After a start that failed the pool takes
 * a while; one that has ended while it waited is noticed by the next load. */
static void fill_pool(const host *h) {
    for (int loads = 0; h->pooled && loads < 5; loads++) {
        for (int i = 0; i < AWAIT_MS; i++) {
            if (wlk_gate_waiting(h->gate) > 0) return;
            (void)usleep(1000);
        }
        wlk_model *model;
        wlk_error error;
        if (wlk_gate_load_path(h->gate, h->path, &model, NULL, &error) == WLK_OK) {
            wlk_model_free(model);
        }
    }
    if (h->pooled) (void)puts("the pool stays empty");
}

static void load_once(const host *h, bool marked) {
    uint64_t hash = 0xcbf29ce484222325u;
    wlk_error error;
    if (marked) (void)syscall(MARK_CALL, 1);
    const wlk_status status =
        h->lazy ? load_lazily(h, &hash, &error) : load_whole(h, &hash, &error);
    if (marked) (void)syscall(MARK_CALL, 0);
    if (status == WLK_OK) {
        (void)printf("%016llx\n", (unsigned long long)hash);
    } else {
        (void)printf("%d %s %s\n", (int)status, wlk_rule_name(error.rule), error.text);
    }
    fill_pool(h);
}

static wlk_status prepare(host *h, char **words, wlk_error *error) {
    wlk_load_options options;
    wlk_public_key key;
    wlk_status status = wlk_trust_new(&h->trust, error);
    if (status == WLK_OK) status = wlk_public_key_load(words[3], &key, error);
    if (status == WLK_OK) status = wlk_trust_add(h->trust, &key, "author", error);
    if (status != WLK_OK) return status;
    h->path = words[4];
    h->lazy = strcmp(words[1], "lazy") == 0;
    h->pooled = strcmp(words[1], "pool") == 0;
    wlk_load_options_default(&options);
    options.child_path = words[2];
    options.trust = h->trust;
    options.transport = strcmp(words[1], "map") == 0 ? WLK_TRANSPORT_MAP : WLK_TRANSPORT_PIPE;
    options.pool = h->pooled;
    return wlk_gate_open(&options, &h->gate, error);
}

int main(int count, char **words) {
    host h = {0};
    wlk_error error;
    if (count != 5 || prepare(&h, words, &error) != WLK_OK) return 125;
    fill_pool(&h);
    load_once(&h, false);
    (void)fflush(stdout);
    const things before = count_things();
    load_once(&h, true);
    const things after = count_things();
    tell_things(&before, &after);
    load_once(&h, false);
    wlk_gate_close(h.gate);
    wlk_trust_free(h.trust);
    return fflush(stdout) != 0;
}
