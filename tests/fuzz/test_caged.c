/* Invariants 5 and 6: the parse kit and the confined child come to the same end. Each file is
 * loaded through a gate with the real child, by every transport and out of a pool, and parsed
 * in this process: the same verdict, rule and place, or the same model, record by record and
 * byte by byte. What a fuzzer finds in this process is so what a stranger finds in the cage. */
#include "support/gate_kit.h"

#include <dirent.h>
#include <stdio.h>

#include <weighlock/parse.h>

#include "image/model.h"
#include "kit/oracle.h"
#include "support/wlk_file.h"

enum { MOST_FILE = 1 << 20, LEAST_SEEDS = 100 };

/* How a file is loaded. */
static const struct {
    const char *name;
    wlk_transport transport;
    uint32_t pool;
} ways[] = {
    {"pipe", WLK_TRANSPORT_PIPE, 0},
    {"map", WLK_TRANSPORT_MAP, 0},
    {"pool", WLK_TRANSPORT_PIPE, 2},
};
enum { WAYS = sizeof ways / sizeof *ways };

static wlk_gate *gates[WAYS];

typedef struct tally {
    uint32_t files, accepted, refused, outside, pooled, wrong;
} tally;

static int open_gates(void **state) {
    if (kit_setup(state) != 0) return 1;
    for (size_t i = 0; i < WAYS; i++) {
        wlk_load_options options = kit_options(REAL_CHILD);
        options.allow_unsigned = 1;
        options.transport = ways[i].transport;
        options.pool = ways[i].pool;
        options.policy.nan = options.policy.infinity = WLK_IGNORE; /* the gate's own audit */
        gates[i] = kit_gate(&options);
    }
    return 0;
}

static int close_gates(void **state) {
    for (size_t i = 0; i < WAYS; i++) wlk_gate_close(gates[i]);
    return kit_teardown(state);
}

/* ---- one file */

typedef struct outcome {
    wlk_status status;
    wlk_model *model;
    wlk_load_report report;
    wlk_error error;
} outcome;

static outcome load(size_t way, const kit_file *file) {
    outcome out = {0};
    const double end = kit_seconds() + 5;
    while (ways[way].pool && wlk_gate_waiting(gates[way]) == 0 && kit_seconds() < end) {
        (void)usleep(100);
    }
    const int fd = kit_memfd(file, ALL_SEALS);
    out.status = wlk_gate_load_fd(gates[way], fd, &out.model, &out.report, &out.error);
    (void)close(fd);
    return out;
}

static uint64_t image_bytes(const wlk_model *model) {
    uint64_t offsets[WLK_SECTION_COUNT], total = 0;
    assert_true(image_layout(model->view.header->counts, offsets, &total));
    return total;
}

/* The whole image, the byte map too; then every payload. */
static bool same_model(const wlk_model *a, const wlk_model *b) {
    const uint64_t bytes = image_bytes(a);
    if (image_bytes(b) != bytes || memcmp(a->image, b->image, bytes) != 0) return false;
    oracle_same(a, b);
    return true;
}

static bool same_end(const outcome *caged, wlk_status status, const wlk_model *model,
                     const wlk_error *error) {
    if (caged->status != status || (caged->model != NULL) != (model != NULL)) return false;
    if (model) return same_model(caged->model, model);
    return caged->error.rule == error->rule && caged->error.offset == error->offset;
}

static void say(const char *name, const char *way, const outcome *caged, wlk_status status,
                const wlk_error *error) {
    (void)fprintf(stderr, "%s by %s: %d %s at %llu, in this process: %d %s at %llu\n", name, way,
                  caged->status, caged->model ? "" : wlk_rule_name(caged->error.rule),
                  (unsigned long long)caged->error.offset, status,
                  status == WLK_OK ? "" : wlk_rule_name(error->rule),
                  (unsigned long long)error->offset);
}

/* Whose envelope is wrong, the gate refuses before there is a child; so does the parser. */
static void compare_outside(const char *name, const kit_file *file, wlk_status status,
                            const wlk_error *error, tally *t) {
    for (size_t i = 0; i < WAYS; i++) {
        outcome caged = load(i, file);
        if (caged.status == WLK_OK || caged.report.child_started || status == WLK_OK) {
            say(name, ways[i].name, &caged, status, error);
            t->wrong++;
        }
        wlk_model_free(caged.model);
    }
    t->outside++;
}

static void compare_inside(const char *name, const kit_file *file, wlk_status status,
                           const wlk_model *model, const wlk_error *error, tally *t) {
    for (size_t i = 0; i < WAYS; i++) {
        outcome caged = load(i, file);
        if (!same_end(&caged, status, model, error)) {
            say(name, ways[i].name, &caged, status, error);
            t->wrong++;
        }
        t->pooled += caged.report.pooled != 0;
        wlk_model_free(caged.model);
    }
    if (model) {
        t->accepted++;
    } else {
        t->refused++;
    }
}

/* Its digests are made right, so that it comes as far as the child. */
static void compare(const char *name, kit_file *file, tally *t) {
    envelope e;
    wlk_model *model = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const bool native =
        file->size > 0 && envelope_decode(file->data, file->size, &e, NULL) == WLK_OK;
    /* What is not like a .wlk file at all, only the child looks at. */
    const bool other = file->size > 0 && !envelope_magic_matches(file->data, file->size);
    if (native) wlk_file_seal(file->data, file->size);
    const wlk_status status =
        wlk_parse_memory(file->data, file->size, WLK_FORMAT_NONE, NULL, &model, &error);
    t->files++;
    if (native || other) {
        compare_inside(name, file, status, model, &error, t);
    } else {
        compare_outside(name, file, status, &error, t);
    }
    wlk_model_free(model);
}

/* ---- many files */

/* Every file of a folder; a folder that is not there has none. */
static void compare_folder(const char *folder, tally *t) {
    static uint8_t data[MOST_FILE];
    DIR *entries = opendir(folder);
    if (!entries) return;
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[PATH_MAX];
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *in = fopen(path, "rbe");
        assert_non_null(in);
        kit_file file = {data, fread(data, 1, sizeof data, in)};
        assert_true(feof(in) || fgetc(in) == EOF);
        (void)fclose(in);
        compare(entry->d_name, &file, t);
    }
    (void)closedir(entries);
}

static void check(const tally *t) {
    (void)printf("%u files: %u accepted, %u refused, %u before there is a child; %u by the pool\n",
                 t->files, t->accepted, t->refused, t->outside, t->pooled);
    assert_int_equal(t->wrong, 0);
    /* Nearly all of them: a child that is being started is not waited for for ever. */
    assert_true(t->pooled + t->files / 10 >= t->accepted + t->refused);
}

static void test_seeds(void **state) {
    const char *build = getenv("BUILD");
    char folder[PATH_MAX];
    tally t = {0};
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/fuzz/seeds/wlk", build ? build : "build");
    compare_folder(folder, &t);
    assert_true(t.files >= LEAST_SEEDS && t.accepted >= LEAST_SEEDS / 2 && t.refused > 5);
    compare_folder("fuzz/seeds/wlk", &t);
    compare_folder("fuzz/regressions/wlk", &t);
    check(&t);
}

static void test_models_of_tests(void **state) {
    /* Nothing, more than a pipe as the kernel makes it holds, and not a multiple of a page. */
    static const uint64_t sizes[] = {0, 1, 63, 64, 65, 4096, 100000, 900001};
    tally t = {0};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        kit_file file = kit_signed(sizes[i]);
        compare("kit", &file, &t);
        free(file.data);
    }
    assert_int_equal(t.accepted, sizeof sizes / sizeof *sizes);
    compare_folder("tests/models/hostile", &t);
    assert_true(t.refused >= 3);
    check(&t);
}

/* Cut at every place where a part ends, and beside it. */
static void test_cut(void **state) {
    kit_file whole = kit_signed(65);
    tally t = {0};
    (void)state;
    for (uint64_t size = 1; size < whole.size; size += size % 256 < 2 ? 1 : 254) {
        kit_file part = {malloc(size), size};
        assert_non_null(part.data);
        memcpy(part.data, whole.data, size);
        compare("cut", &part, &t);
        free(part.data);
    }
    assert_int_equal(t.accepted, 0);
    assert_int_equal(t.wrong, 0);
    free(whole.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_models_of_tests),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, open_gates, close_gates);
}
