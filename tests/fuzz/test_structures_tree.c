/* Inputs of the fuzz targets for headers and .wlk files: any bytes are taken, what comes out
 * has room, is the same every time, and gets as far as it is meant to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weighlock/parse.h>
#include <weighlock/trust.h>

#include "formats/wlk/scan.h"
#include "formats/wlk_text_whole.h"
#include "kit/msgpack_change.h"
#include "kit/structure.h"
#include "kit/test_key.h"
#include "kit/wlk_file.h"
#include "support/wlk_file.h"
#include "support/wlk_text.h"

#define ROOM 16384
#define CHANGES 3000

typedef struct input {
    uint8_t bytes[ROOM];
    size_t size;
} input;

static const fuzz_structure *const structures[] = {&structure_msgpack, &structure_wlk};

static input sample_header(void) {
    input in = {.size = 0};
    wlk_buffer header = wlk_text_encode(whole, NULL);
    assert_true(header.size <= ROOM);
    memcpy(in.bytes, header.data, header.size);
    in.size = header.size;
    free(header.data);
    return in;
}

static input sample_file(void) {
    input in = {.size = 0};
    uint8_t data[DATA_BYTES], *file;
    const input header = sample_header();
    whole_data(data);
    wlk_file_build(header.bytes, header.size, data, sizeof data, &file, &in.size);
    assert_true(in.size <= ROOM);
    memcpy(in.bytes, file, in.size);
    free(file);
    return in;
}

static input sample_of(const fuzz_structure *structure) {
    return structure == &structure_wlk ? sample_file() : sample_header();
}

/* ---- the tree */

static void check_comes_back(const uint8_t *data, size_t size) {
    static tree t;
    uint8_t again[1024];
    assert_true(size <= sizeof again);
    tree_decode(&t, data, size);
    assert_int_equal(tree_encode(&t, again, sizeof again), size);
    assert_memory_equal(again, data, size);
}

static void any_bytes_are_a_tree_that_is_written_as_they_are(void **state) {
    (void)state;
    fuzz_random random = {1};
    uint8_t data[600];
    for (int i = 0; i < 20000; i++) {
        const size_t size = random_below(&random, i % 10 ? 40 : sizeof data) + 1;
        for (size_t at = 0; at < size; at++) data[at] = (uint8_t)random_next(&random);
        /* Mostly heads: what follows them is read as their argument. */
        data[0] = (uint8_t)(i % 4 ? 0x80 + i % 128 : data[0]);
        check_comes_back(data, size);
    }
}

static void a_header_cut_anywhere_is_written_as_it_is(void **state) {
    (void)state;
    const input header = sample_header();
    for (size_t size = 1; size <= header.size; size++) check_comes_back(header.bytes, size);
}

static void many_and_deep_objects_are_kept(void **state) {
    (void)state;
    static tree t;
    static uint8_t deep[3 * TREE_NODES], again[sizeof deep];
    static const uint8_t bytes[] = {0x91, 0xc0, 0x81};
    for (size_t i = 0; i < sizeof bytes; i++) {
        memset(deep, bytes[i], sizeof deep);
        tree_decode(&t, deep, sizeof deep);
        assert_true(t.used <= TREE_NODES);
        assert_int_equal(tree_encode(&t, again, sizeof again), sizeof deep);
        assert_memory_equal(again, deep, sizeof deep);
    }
}

/* The text of a notation, made canonical, is that of another. */
static void check_canonical(const char *from, const char *to) {
    static tree t;
    uint8_t made[256];
    wlk_buffer before = wlk_text_encode(from, NULL), after = wlk_text_encode(to, NULL);
    tree_decode(&t, before.data, before.size);
    tree_make_canonical(&t);
    const size_t size = tree_encode(&t, made, sizeof made);
    assert_int_equal(size, after.size);
    assert_memory_equal(made, after.data, size);
    free(before.data);
    free(after.data);
}

static void the_canonical_form_is_short_true_and_in_order(void **state) {
    (void)state;
    check_canonical("{b:1, a:2, c:3}", "{a:2, b:1, c:3}");
    check_canonical("{a:1, a:2, '':3, a:4}", "{'':3, a:1}");
    check_canonical("[<cc 05>, <cd 00 ff>, <cf 00 00 00 01 00 00 00 00>]", "[5, 255, 4294967296]");
    check_canonical("[<d0 05>, <d3 ff ff ff ff ff ff ff ff>, <d1 ff 7f>]", "[5, -1, -129]");
    check_canonical("<d9 01 61>", "a");
    check_canonical("<dd 00 00 00 01 c0>", "[null]");
    check_canonical("<df 00 00 00 02 a1 62 01 a1 61 02>", "{a:2, b:1}");
    check_canonical("<df ff ff ff ff a1 62 01>", "{b:1}"); /* a count that was not true */
    check_canonical("<dd 00 00 00 05 c0>", "[null]");
}

/* Refusals that a canonical tree never gets. */
static bool is_about_form(uint32_t rule) {
    return rule == RULE_HEADER_NOT_CANONICAL || rule == RULE_HEADER_KEY_ORDER ||
           rule == RULE_HEADER_KEY_DUPLICATE || rule == RULE_HEADER_COUNT ||
           rule == RULE_HEADER_TRUNCATED || rule == RULE_HEADER_TYPE_BYTE;
}

static void changed_values_keep_the_form(void **state) {
    (void)state;
    static tree t;
    static uint8_t made[1 << 20];
    const input header = sample_header();
    wlk_limits limits;
    wlk_limits_default(&limits);
    fuzz_random random = {2};
    unsigned accepted = 0;
    for (int i = 0; i < CHANGES; i++) {
        wlk_error error = {.status = WLK_OK};
        tree_decode(&t, header.bytes, header.size);
        change_value(&t, &random);
        tree_make_canonical(&t);
        const size_t size = tree_encode(&t, made, sizeof made);
        assert_true(size <= sizeof made);
        const wlk_status status = scan_header(cursor_over(made, size, 0), &limits, &error);
        if (status == WLK_OK) accepted++;
        if (status != WLK_OK && is_about_form(error.rule)) fail_msg("%s", error.text);
    }
    print_message("%u of %u changed headers are well-formed\n", accepted, CHANGES);
    assert_true(accepted > CHANGES / 2);
}

/* ---- mutators */

/* One change, in memory of exactly its room. */
static input change(const fuzz_structure *structure, const input *from, size_t room,
                    uint64_t seed) {
    input out = {.size = 0};
    fuzz_random random = {seed};
    uint8_t *exact = malloc(room ? room : 1);
    assert_non_null(exact);
    memcpy(exact, from->bytes, from->size);
    out.size = structure->mutate(exact, from->size, room, &random);
    assert_true(out.size <= room);
    if (room) assert_true(out.size > 0);
    memcpy(out.bytes, exact, out.size);
    free(exact);
    return out;
}

static input crossed(const fuzz_structure *structure, const input *a, const input *b, size_t room,
                     uint64_t seed) {
    input out = {.size = 0};
    fuzz_random random = {seed};
    uint8_t *exact = malloc(room ? room : 1);
    assert_non_null(exact);
    out.size = structure->cross(a->bytes, a->size, b->bytes, b->size, exact, room, &random);
    assert_true(out.size <= room);
    memcpy(out.bytes, exact, out.size);
    free(exact);
    return out;
}

static void assert_same(const input *a, const input *b) {
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes, b->bytes, a->size);
}

static void changes_keep_room_and_are_the_same_every_time(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof structures / sizeof *structures; s++) {
        const fuzz_structure *structure = structures[s];
        const input from = sample_of(structure);
        size_t different = 0;
        for (uint64_t seed = 0; seed < CHANGES; seed++) {
            const size_t rooms[] = {from.size, from.size + 1, from.size + 64, ROOM};
            const size_t room = rooms[seed % 4];
            const input once = change(structure, &from, room, seed);
            const input twice = change(structure, &from, room, seed);
            assert_same(&once, &twice);
            different += once.size != from.size || memcmp(once.bytes, from.bytes, from.size) != 0;
        }
        assert_true(different > CHANGES * 9 / 10);
    }
}

static input junk(fuzz_random *random) {
    input in = {.size = random_below(random, 600)};
    for (size_t i = 0; i < in.size; i++) in.bytes[i] = (uint8_t)random_next(random);
    return in;
}

static void show_all(const fuzz_structure *structure, const input *in) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    structure->show(in->bytes, in->size, out);
    assert_int_equal(fclose(out), 0);
    assert_true(in->size == 0 || length > 0);
    free(text);
}

static void junk_is_taken(void **state) {
    (void)state;
    fuzz_random random = {3};
    for (size_t s = 0; s < sizeof structures / sizeof *structures; s++) {
        const input good = sample_of(structures[s]);
        for (uint64_t seed = 0; seed < CHANGES / 3; seed++) {
            input bad = junk(&random);
            const input half = change(structures[s], &good, ROOM, seed);
            /* The beginning of what is right, and junk behind it. */
            if (seed % 2) memcpy(bad.bytes, half.bytes, random_below(&random, bad.size));
            (void)change(structures[s], &bad, bad.size + random_below(&random, 6000), seed);
            (void)crossed(structures[s], &bad, &good, random_below(&random, ROOM), seed);
            (void)crossed(structures[s], &good, &bad, random_below(&random, ROOM), seed);
            show_all(structures[s], &bad);
        }
    }
}

/* What becomes of files whose structure was changed. */
static void most_files_still_hold(void **state) {
    (void)state;
    const input from = sample_file();
    const wlk_verify_options options = {.trust = test_trust(), .threads = 1, .now = 1};
    unsigned right = 0, ours = 0, parsed = 0;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        const input file = change(&structure_wlk, &from, ROOM, seed);
        wlk_verification found;
        wlk_model *model;
        if (wlk_verify_memory(file.bytes, file.size, &options, &found, NULL) == WLK_OK &&
            found.native) {
            right++;
            ours += found.state == WLK_SIGNED_TRUSTED;
        }
        if (wlk_parse_memory(file.bytes, file.size, WLK_FORMAT_WLK, NULL, &model, NULL) == WLK_OK) {
            parsed++;
        }
        wlk_model_free(model);
    }
    print_message("of %u changed files %u have right digests, %u a good signature; %u are models\n",
                  CHANGES, right, ours, parsed);
    assert_in_range(right, CHANGES * 3 / 4, CHANGES * 19 / 20); /* some are wrong by intent */
    assert_in_range(ours, CHANGES / 4, CHANGES * 3 / 4);
    assert_true(parsed > CHANGES / 10);
}

/* ---- crossing */

static bool holds_text(const input *in, const char *text) {
    return memmem(in->bytes, in->size, text, strlen(text)) != NULL;
}

static void a_cross_has_parts_of_both(void **state) {
    (void)state;
    wlk_buffer header = wlk_text_encode("{kind:onlyhere, tensors:[]}", NULL);
    input other = {.size = header.size};
    memcpy(other.bytes, header.data, header.size);
    const input first = sample_header();
    unsigned both = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const input made = crossed(&structure_msgpack, &first, &other, ROOM, seed);
        both += holds_text(&made, "onlyhere") && holds_text(&made, "graphs");
    }
    assert_true(both > 200);
    free(header.data);
}

/* Tensors of one file with the payloads of that file, under the name and graphs of another. */
static void crossed_files_hold(void **state) {
    (void)state;
    static const uint8_t payload[] = "PAYLOAD";
    const char *text =
        "{kind:other, tensors:[{codec:raw, dtype:u8, name:onlyhere, nbytes:8, "
        "offset:0, shape:[8]}]}";
    wlk_buffer header = wlk_text_encode(text, NULL);
    uint8_t *file;
    input other = {.size = 0};
    wlk_file_build(header.data, header.size, payload, sizeof payload, &file, &other.size);
    memcpy(other.bytes, file, other.size);
    free(file);
    free(header.data);
    const input first = sample_file();
    const wlk_verify_options options = {.threads = 1};
    unsigned right = 0, moved = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        const input made = crossed(&structure_wlk, &first, &other, ROOM, seed);
        wlk_verification found;
        right += wlk_verify_memory(made.bytes, made.size, &options, &found, NULL) == WLK_OK;
        moved += holds_text(&made, "onlyhere") && holds_text(&made, "PAYLOAD");
    }
    assert_true(right > 750);
    assert_true(moved > 50);
}

/* ---- printing */

static void check_shown(const fuzz_structure *structure, const input *in, const char *const *lines,
                        size_t count) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    structure->show(in->bytes, in->size, out);
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(text, lines[i])) fail_msg("\"%s\" is not shown in\n%s", lines[i], text);
    }
    free(text);
}

static void a_file_is_shown_with_offsets_and_what_is_wrong(void **state) {
    (void)state;
    static const char *const lines[] = {
        "     14  header_len     ",
        "     30  data_off       4096\n",
        "header digest right, table digest right, unsigned\n",
        "    256  map of ",
        "chunk 0: right\n",
        "   4096  ",
    };
    static const char *const wrong[] = {"header digest wrong", "chunk 0: wrong\n",
                                        "signature wrong, or another key's"};
    input file = sample_file();
    check_shown(&structure_wlk, &file, lines, sizeof lines / sizeof *lines);
    wlk_sign(file.bytes);
    check_shown(&structure_wlk, &file, &(const char *){"signature right\n"}, 1);
    file.bytes[256] ^= 1;
    file.bytes[110] ^= 1;
    file.bytes[4096] ^= 1;
    check_shown(&structure_wlk, &file, wrong, sizeof wrong / sizeof *wrong);
}

static void a_header_is_shown_with_what_is_odd(void **state) {
    (void)state;
    static const char *const lines[] = {
        "        0  map of 1, declared with 1 more\n",
        "        1    str key \"a\"\n",
        "        3    array of 6\n",
        "        4      uint 5, argument of 1 bytes\n",
        "        6      float32 1\n",
        "       11      ext type -1 \"a\"\n",
        "       14      float -0\n",
        "       23      str \"\\xc3\\x22\"\n",
        "       26      bin \"\"\n",
        "       28    raw key \"\\xc1\"\n",
    };
    wlk_buffer header = wlk_text_encode(
        "<83 a1 61 96 cc 05 ca 3f 80 00 00 d4 ff 61 cb 80 00 00 00 00 00 00 00 a2 c3 22 c4 00 c1>",
        NULL);
    input in = {.size = header.size};
    memcpy(in.bytes, header.data, header.size);
    check_shown(&structure_msgpack, &in, lines, sizeof lines / sizeof *lines);
    free(header.data);
    const input two = {.bytes = {0xc0, 0xc3}, .size = 2};
    const char *const second = "  another object behind it\n        1  bool true\n";
    check_shown(&structure_msgpack, &two, &second, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_are_a_tree_that_is_written_as_they_are),
        cmocka_unit_test(a_header_cut_anywhere_is_written_as_it_is),
        cmocka_unit_test(many_and_deep_objects_are_kept),
        cmocka_unit_test(the_canonical_form_is_short_true_and_in_order),
        cmocka_unit_test(changed_values_keep_the_form),
        cmocka_unit_test(changes_keep_room_and_are_the_same_every_time),
        cmocka_unit_test(junk_is_taken),
        cmocka_unit_test(most_files_still_hold),
        cmocka_unit_test(a_cross_has_parts_of_both),
        cmocka_unit_test(crossed_files_hold),
        cmocka_unit_test(a_file_is_shown_with_offsets_and_what_is_wrong),
        cmocka_unit_test(a_header_is_shown_with_what_is_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
