/* How inputs of text and .npy files are changed, mixed and shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <weighlock/limits.h>
#include <weighlock/trust.h>

#include "base/error.h"
#include "input/npy.h"
#include "kit/structure.h"

/* The kit's own, which nothing here calls. */
extern const fuzz_structure *const fuzz_input;
const fuzz_structure *const fuzz_input = &structure_text;

#define ROOM 1024
#define GUARD 0xa5
#define CHANGES 2000

static const char minisig[] =
    "untrusted comment: signature from minisign secret key\n"
    "RUQAAQIDBAUGBwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3"
    "ODk6Ozw9Pj8=\n"
    "trusted comment: timestamp:1700000000\tfile:m.wlk\thashed\n"
    "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6foKGiow==\n";
static const char json[] =
    "{\"kind\": \"model\", \"opset\": {\"\": 13}, \"tags\": [\"a\", \"b\", null, 1.5],"
    " \"graph\": {\"nodes\": [{\"op\": \"Relu\", \"in\": [\"x\"], \"out\": [\"y\"]}]}}";
static const char npy[] =
    "\x93NUMPY\x01\x00\x3a\x00{'descr': '<f4', 'fortran_order': False, "
    "'shape': (2, 3), }\n0123456789abcdefghijklmn";

typedef struct sample {
    const fuzz_structure *structure;
    const char *data;
    size_t size;
} sample;

static const sample samples[] = {
    {&structure_text, minisig, sizeof minisig - 1},
    {&structure_text, json, sizeof json - 1},
    {&structure_text, "", 0},
    {&structure_text, "\0\xff\n\"[{:,", 9},
    {&structure_text, "a,b\r\n\"1\",'2'", 12},
    {&structure_text, "[[[[[[[[{{{{{{{{\"\\", 18},
    {&structure_npy, npy, sizeof npy - 1},
    {&structure_npy, "", 0},
    {&structure_npy, "\x93NUMPY\x02\0\xff\xff\xff\xff", 12},
    {&structure_npy, "\x93NUMPY\x01\0\0\0", 10},
    {&structure_npy, minisig, sizeof minisig - 1},
};
#define SAMPLES (sizeof samples / sizeof *samples)

typedef struct changed {
    uint8_t data[ROOM + 16];
    size_t size;
} changed;

/* Change number `seed` of a sample, in a buffer of `room` bytes with a guard behind. */
static void change(const sample *s, uint64_t seed, size_t room, changed *out) {
    fuzz_random random = {seed};
    memset(out->data, GUARD, sizeof out->data);
    memcpy(out->data, s->data, s->size);
    out->size = s->structure->mutate(out->data, s->size, room, &random);
    if (out->size > room) fail_msg("%zu bytes where there is room for %zu", out->size, room);
    for (size_t i = room; i < sizeof out->data; i++) {
        if (out->data[i] != GUARD) fail_msg("seed %zu writes at %zu", (size_t)seed, i);
    }
}

static void test_any_bytes_stay_in_their_room(void **state) {
    changed out;
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t rooms[] = {samples[i].size, samples[i].size + 1, samples[i].size + 7, ROOM};
        for (uint64_t seed = 0; seed < CHANGES; seed++) {
            const size_t room = rooms[seed % 4];
            change(&samples[i], seed, room, &out);
            if (room && out.size == 0) fail_msg("sample %zu, seed %zu: empty", i, (size_t)seed);
        }
    }
}

static void test_a_change_follows_from_its_seed(void **state) {
    changed first, second;
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            change(&samples[i], seed, ROOM, &first);
            change(&samples[i], seed, ROOM, &second);
            assert_int_equal(first.size, second.size);
            assert_memory_equal(first.data, second.data, first.size);
        }
    }
}

/* ---- what changes are for: they get past the first check of a parser */

typedef bool (*is_good)(const changed *c);

/* The text's own form holds, and it does not say what it said. */
static bool good_minisig(const changed *c) {
    wlk_signature signature, before;
    wlk_error error;
    if (wlk_signature_parse((const uint8_t *)minisig, sizeof minisig - 1, &before, &error)) {
        fail_msg("the sample is no signature");
    }
    return wlk_signature_parse(c->data, c->size, &signature, &error) == WLK_OK &&
           memcmp(signature.signature, before.signature, sizeof before.signature) != 0;
}

static bool good_json(const changed *c) {
    if (c->size == sizeof json - 1 && memcmp(c->data, json, c->size) == 0) return false;
    json_t *value = json_loadb((const char *)c->data, c->size, JSON_REJECT_DUPLICATES, NULL);
    json_decref(value);
    return value != NULL;
}

static bool good_npy(const changed *c) {
    wlk_limits limits;
    input_array array;
    wlk_limits_default(&limits);
    if (npy_parse(c->data, c->size, &limits, &array, NULL) != WLK_OK) return false;
    const bool other = array.tensor.dtype != WLK_F32;
    input_array_free(&array);
    return other;
}

static void test_changes_reach_behind_the_first_check(void **state) {
    /* percent of the changes that do, at least */
    static const struct {
        sample from;
        is_good good;
        size_t percent;
    } rows[] = {
        {{&structure_text, minisig, sizeof minisig - 1}, good_minisig, 2},
        {{&structure_text, json, sizeof json - 1}, good_json, 15},
        {{&structure_npy, npy, sizeof npy - 1}, good_npy, 10},
    };
    changed out;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t good = 0;
        for (uint64_t seed = 0; seed < CHANGES; seed++) {
            change(&rows[i].from, seed, ROOM, &out);
            good += rows[i].good(&out);
        }
        if (good < CHANGES * rows[i].percent / 100) {
            fail_msg("row %zu: only %zu of %d changes", i, good, CHANGES);
        }
    }
}

/* ---- two inputs */

static bool holds(const uint8_t *data, size_t size, const char *word) {
    return memmem(data, size, word, strlen(word)) != NULL;
}

static void test_a_cross_takes_from_both(void **state) {
    static const char a[] = "one\ntwo\nthree\n", b[] = "[\"four\",\"five\"]\nsix\n";
    uint8_t out[64];
    size_t mixed = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        fuzz_random random = {seed};
        const size_t room = 1 + seed % sizeof out;
        memset(out, GUARD, sizeof out);
        const size_t size = structure_text.cross(
            (const uint8_t *)a, sizeof a - 1, (const uint8_t *)b, sizeof b - 1, out, room, &random);
        assert_true(size > 0 && size <= room);
        for (size_t i = room; i < sizeof out; i++) assert_int_equal(out[i], GUARD);
        const bool of_a = holds(out, size, "one") || holds(out, size, "two");
        mixed += of_a && (holds(out, size, "four") || holds(out, size, "six"));
    }
    if (mixed < 50) fail_msg("only %zu of 500 hold parts of both", mixed);
}

static void test_a_cross_takes_nothing(void **state) {
    uint8_t out[4] = {0};
    fuzz_random random = {1};
    (void)state;
    assert_int_equal(structure_text.cross(out, 0, out, 0, out, sizeof out, &random), 1);
    assert_int_equal(structure_text.cross(out, 0, out, 0, out, 0, &random), 0);
}

/* ---- what is printed */

static void test_show_says_where_what_stands(void **state) {
    static const struct {
        const fuzz_structure *structure;
        const char *data;
        size_t size;
        const char *shown;
    } rows[] = {
        {&structure_text, "", 0, ""},
        {&structure_text, "a\tb\n\\\xff", 6,
         "       0  line 1: a\\x09b\\n\n       4  line 2: \\x5c\\xff\n"},
        {&structure_npy, "\x93NUMPY\x01\0\x03\0{}\nab", 15,
         "       0  version 1.0\n      10  header of 3 bytes\n       0  line 1: {}\\n\n"
         "      13  array of 2 bytes\n"},
        {&structure_npy, "\x93NUM", 4, "       0  no .npy file\n       0  line 1: \\x93NUM\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *shown = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&shown, &length);
        rows[i].structure->show((const uint8_t *)rows[i].data, rows[i].size, out);
        (void)fclose(out);
        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_bytes_stay_in_their_room),
        cmocka_unit_test(test_a_change_follows_from_its_seed),
        cmocka_unit_test(test_changes_reach_behind_the_first_check),
        cmocka_unit_test(test_a_cross_takes_from_both),
        cmocka_unit_test(test_a_cross_takes_nothing),
        cmocka_unit_test(test_show_says_where_what_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
