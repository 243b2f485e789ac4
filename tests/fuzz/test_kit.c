/* The kit sees what it is there to see: each broken promise ends a process of its own with
 * a message that names the invariant. */
#include "support/scratch.h"

#include <signal.h>
#include <sys/resource.h>

#include <weighlock/parse.h>

#include "base/memory.h"
#include "kit/heap.h"
#include "kit/kit.h"
#include "kit/oracle.h"
#include "kit/oracle_parts.h"
#include "support/sanitized.h"
#include "write/everything.h"

/* The kit's own, which nothing here calls. */
extern const fuzz_structure *const fuzz_input;
const fuzz_structure *const fuzz_input = &structure_text;

static unsigned runs;
static void *volatile kept; /* so that no compiler leaves an allocation out */

/* ---- targets, most of which break a promise */

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static wlk_status take(size_t bytes, wlk_error *error) {
    kept = mem_alloc(bytes);
    return kept ? WLK_OK : no_memory(error);
}

static wlk_status well_behaved(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data;
    runs++;
    TRY(take(size + 64, error));
    memset(kept, 1, size + 64);
    void *more = mem_resize(kept, size + 128);
    mem_free(more ? more : kept);
    return more ? WLK_OK : no_memory(error);
}

static wlk_status refusing(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data;
    runs++;
    return error_at(error, RULE_FORMAT_UNKNOWN, size);
}

static wlk_status leaking(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    return take(64, error);
}

static wlk_status releasing_twice(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    TRY(take(64, error));
    mem_free(kept);
    mem_free(kept);
    return WLK_OK;
}

static wlk_status greedy(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    TRY(take(4096, error));
    mem_free(kept);
    return WLK_OK;
}

static wlk_status greedy_in_parts(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    for (int i = 0; i < 16; i++) TRY(take(256, error));
    return WLK_OK;
}

static wlk_status greedy_when_large(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data;
    TRY(take(size * 100, error));
    mem_free(kept);
    return WLK_OK;
}

static wlk_status blaming_the_file(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    void *memory = mem_alloc(64);
    if (!memory) return error_at(error, RULE_FORMAT_UNKNOWN, 0);
    mem_free(memory);
    return WLK_OK;
}

static wlk_status passing_over_it(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size, (void)error;
    mem_free(mem_alloc(64));
    return WLK_OK;
}

static wlk_status changeable(const uint8_t *data, size_t size, wlk_error *error) {
    static bool again;
    (void)data, (void)size;
    if (again) return WLK_OK;
    again = true;
    TRY(take(64, error));
    mem_free(kept);
    return WLK_OK;
}

static wlk_status complaining_of_memory(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    return no_memory(error);
}

static wlk_status another_verdict(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    (void)error_at(error, RULE_FORMAT_UNKNOWN, 0);
    return WLK_REFUSED;
}

static wlk_status a_verdict_not_of_the_rule(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    (void)error_at(error, RULE_FORMAT_UNKNOWN, 0);
    return error->status = WLK_REFUSED;
}

static wlk_status no_rule(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    return error->status = WLK_REFUSED;
}

static wlk_status an_unknown_rule(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    error->rule = RULE_COUNT;
    return error->status = WLK_REFUSED;
}

static wlk_status an_own_defect(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    return error_at(error, RULE_INTERNAL_DEFECT, WLK_NO_OFFSET);
}

static wlk_status a_place_outside(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data;
    return error_at(error, RULE_FORMAT_UNKNOWN, size + 1);
}

static wlk_status text_without_end(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    (void)error_at(error, RULE_FORMAT_UNKNOWN, 0);
    memset(error->text, 'a', sizeof error->text);
    return error->status;
}

/* ---- what only a sanitizer sees */

#if SANITIZED
static wlk_status reading_beyond_the_input(const uint8_t *data, size_t size, wlk_error *error) {
    (void)error;
    oracle_read(data + size, 1);
    return WLK_OK;
}

static wlk_status reading_before_the_input(const uint8_t *data, size_t size, wlk_error *error) {
    (void)size, (void)error;
    oracle_read(data - 1, 1);
    return WLK_OK;
}

static wlk_status reading_beyond_a_block(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    TRY(take(40, error));
    memset(kept, 0, 40);
    oracle_read(kept, 41);
    mem_free(kept);
    return WLK_OK;
}

static wlk_status reading_what_was_released(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    TRY(take(64, error));
    mem_free(kept);
    oracle_read(kept, 1);
    return WLK_OK;
}

static wlk_status reading_what_has_moved(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size;
    TRY(take(64, error));
    void *moved = mem_resize(kept, 16);
    if (moved) oracle_read(kept, 1);
    mem_free(moved ? moved : kept);
    return moved ? WLK_OK : no_memory(error);
}
#endif

/* ---- in a process of its own */

/* An input of which the kit lets an allocation fail, or one of which it does not. */
static uint8_t input_byte(bool failing) {
    uint8_t byte = 0;
    while ((fuzz_hash(&byte, 1) % 4 == 0) != failing) byte++;
    return byte;
}

/* Ends the process, if the kit does not before. */
static _Noreturn void run_alone(wlk_status (*run)(const uint8_t *, size_t, wlk_error *), int said) {
    const struct rlimit none = {0, 0};
    const uint8_t byte = input_byte(true);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGABRT, SIG_DFL);
    (void)dup2(said, STDERR_FILENO);
    (void)fuzz_run(&(fuzz_target){.run = run, .memory = 1024, .memory_per_byte = 16}, &byte, 1);
    _exit(0);
}

/* What it said goes into text; returns how it ended, as waitpid has it. */
static int said_by(wlk_status (*run)(const uint8_t *, size_t, wlk_error *), char *text,
                   size_t room) {
    int said[2], how;
    size_t used = 0;
    assert_int_equal(pipe(said), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) run_alone(run, said[1]);
    (void)close(said[1]);
    for (ssize_t got; (got = read(said[0], text + used, room - 1 - used)) > 0;) used += (size_t)got;
    text[used] = '\0';
    (void)close(said[0]);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return how;
}

typedef struct promise {
    wlk_status (*broken_by)(const uint8_t *, size_t, wlk_error *);
    const char *message;
} promise;

static const promise promises[] = {
    {leaking, "invariant 0 does not hold: count.held == 0"},
    {releasing_twice, "invariant 0 does not hold: *held != 0"},
    {greedy, "invariant 7 does not hold: size <= heap.limit"},
    {greedy_in_parts, "invariant 7 does not hold: size <= heap.limit"},
    {blaming_the_file, "invariant 9 does not hold: error.rule == RULE_INTERNAL_MEMORY"},
    {passing_over_it, "invariant 9 does not hold: status != WLK_OK"},
    {changeable, "invariant 9 does not hold: heap_count().failed"},
    {complaining_of_memory, "invariant 9 does not hold: status == WLK_OK || error.rule"},
    {another_verdict, "invariant 9 does not hold: error->status == status"},
    {a_verdict_not_of_the_rule, "invariant 9 does not hold: rule_status(error->rule) == status"},
    {no_rule, "invariant 9 does not hold: error->rule > RULE_NONE"},
    {an_unknown_rule, "invariant 9 does not hold: error->rule > RULE_NONE"},
    {an_own_defect, "invariant 9 does not hold: error->rule != RULE_INTERNAL_DEFECT"},
    {a_place_outside, "invariant 9 does not hold: error->offset == WLK_NO_OFFSET"},
    {text_without_end, "invariant 9 does not hold: memchr(error->text"},
#if SANITIZED
    {reading_beyond_the_input, "AddressSanitizer: use-after-poison"},
    {reading_before_the_input, "AddressSanitizer: use-after-poison"},
    {reading_beyond_a_block, "AddressSanitizer: use-after-poison"},
    {reading_what_was_released, "AddressSanitizer: use-after-poison"},
    {reading_what_has_moved, "AddressSanitizer: use-after-poison"},
#endif
};

static void test_a_broken_promise_ends_the_process(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        char text[16384];
        const int how = said_by(promises[i].broken_by, text, sizeof text);
        if (WIFEXITED(how) && WEXITSTATUS(how) == 0) {
            fail_msg("%zu: not noticed: %s", i, promises[i].message);
        }
        if (!strstr(text, promises[i].message)) fail_msg("%s: said: %s", promises[i].message, text);
    }
}

static void test_a_good_target_passes(void **state) {
    static const uint8_t large[4096];
    const struct {
        wlk_status (*run)(const uint8_t *, size_t, wlk_error *);
        bool failing;
        unsigned runs;
    } rows[] = {{well_behaved, false, 1},
                {well_behaved, true, 2}, /* once more without memory */
                {refusing, false, 1},
                {refusing, true, 1}}; /* it asks for none */
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t byte = input_byte(rows[i].failing);
        runs = 0;
        assert_int_equal(fuzz_run(&(fuzz_target){.run = rows[i].run, .memory = 1024}, &byte, 1), 0);
        assert_int_equal(runs, rows[i].runs);
    }
    const fuzz_target target = {.run = greedy_when_large, .memory_per_byte = 100};
    assert_int_equal(fuzz_run(&target, large, sizeof large), 0);
}

/* ---- oracles */

/* Made before the kit's heap is there, and so never released. */
static wlk_model *model; /* with something of everything */
static wlk_model *other;

static int models_make(void **state) {
    (void)state;
    model = everything();
    wlk_writer *w = writer_new();
    wlk_writer_meta_int(w, "/x-note", 1);
    other = writer_end(w);
    return 0;
}

static wlk_status the_same_twice(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size, (void)error;
    oracle_model(model, 0);
    oracle_same(model, model);
    return WLK_OK;
}

static wlk_status another_size(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size, (void)error;
    oracle_model(model, 1);
    return WLK_OK;
}

static wlk_status two_models(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size, (void)error;
    oracle_same(model, other);
    return WLK_OK;
}

static wlk_status a_bad_string(const uint8_t *data, size_t size, wlk_error *error) {
    (void)data, (void)size, (void)error;
    oracle_text("\xed\xa0\x80");
    return WLK_OK;
}

static wlk_status a_bad_tensor(const uint8_t *data, size_t size, wlk_error *error) {
    static const _Alignas(64) uint8_t two[] = {2};
    (void)data, (void)size, (void)error;
    oracle_tensor(&(wlk_tensor){.name = "",
                                .dtype = WLK_BOOL,
                                .rank = 1,
                                .shape = {1},
                                .count = 1,
                                .nbytes = 1,
                                .data = two});
    return WLK_OK;
}

static void test_oracles_see_what_is_wrong(void **state) {
    static const promise rows[] = {
        {the_same_twice, ""},
        {another_size, "invariant 12 does not hold: wlk_model_file_bytes(model) == size"},
        {two_models, "invariant 0 does not hold"},
        {a_bad_string, "invariant 5 does not hold: oracle_utf8"},
        {a_bad_tensor, "invariant 11 does not hold: data[i] <= 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16384];
        const int how = said_by(rows[i].broken_by, text, sizeof text);
        const bool good = rows[i].message[0] == '\0';
        if (good != (WIFEXITED(how) && WEXITSTATUS(how) == 0)) fail_msg("row %zu: %s", i, text);
        if (!strstr(text, rows[i].message)) fail_msg("%s: said: %s", rows[i].message, text);
    }
}

/* The oracle's own reading of RFC 3629, which it holds the library's against. */
static void test_utf8_is_known_by_its_table(void **state) {
    static const struct {
        const char *text;
        size_t length;
        bool valid;
    } rows[] = {
        {"", 0, true},
        {"a\0b", 3, true},
        {"\x7f", 1, true},
        {"\x80", 1, false},
        {"\xc1\xbf", 2, false},
        {"\xc2\x80", 2, true},
        {"\xc2", 1, false},
        {"\xdf\xbf", 2, true},
        {"\xe0\x9f\xbf", 3, false},
        {"\xe0\xa0\x80", 3, true},
        {"\xed\x9f\xbf", 3, true},
        {"\xed\xa0\x80", 3, false},
        {"\xee\x80\x80", 3, true},
        {"\xef\xbf\xbf", 3, true},
        {"\xef\xbf", 2, false},
        {"\xf0\x8f\xbf\xbf", 4, false},
        {"\xf0\x90\x80\x80", 4, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xf8\x88\x80\x80\x80", 5, false},
        {"\xff", 1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool valid = oracle_utf8((const uint8_t *)rows[i].text, rows[i].length);
        if (valid != rows[i].valid) fail_msg("row %zu", i);
    }
}

/* Writing and parsing keep all that a model can say. */
static void test_everything_is_a_fixed_point(void **state) {
    wlk_error error = {0};
    (void)state;
    EXPECT_OK(oracle_fixed_point(model, &error));
    EXPECT_OK(oracle_fixed_point(other, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_is_known_by_its_table),
        cmocka_unit_test(test_everything_is_a_fixed_point),
        cmocka_unit_test(test_oracles_see_what_is_wrong),
        cmocka_unit_test(test_a_broken_promise_ends_the_process),
        cmocka_unit_test(test_a_good_target_passes), /* sets the heap: last */
    };
    return cmocka_run_group_tests(tests, models_make, NULL);
}
