/* What changes ONNX files: any bytes are taken and come back as they were if nothing is
 * changed, what comes out has room and is the same every time, most of it is still a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit/protobuf_tree.h"
#include "kit/structure.h"

/* The targets themselves are programs of their own. */
const fuzz_structure *const fuzz_input = &structure_protobuf;

#define ROOM 4096
#define CHANGES 2000

static const struct {
    const char *name, *bytes;
    size_t size;
} samples[] = {
    {"nothing", "", 0},
    {"no message", "\xff\xff\xff", 3},
    {"a model",
     "\x08\x08\x42\x02\x10\x11\x3a\x13\x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu\x12\x03"
     "abc",
     27},
    {"a length beyond the end", "\x08\x08\x3a\x7f\x0a\x01x", 7},
    {"a group, and bytes behind it", "\x08\x08\x0b\x0c\x01", 5},
};

static pb_tree tree;

static void test_same_bytes(void **state) {
    uint8_t out[ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        pb_decode(&tree, (const uint8_t *)samples[i].bytes, samples[i].size);
        assert_int_equal(pb_encode(&tree, out, sizeof out), samples[i].size);
        assert_memory_equal(out, samples[i].bytes, samples[i].size);
    }
}

static void test_no_room(void **state) {
    uint8_t out[ROOM];
    (void)state;
    pb_decode(&tree, (const uint8_t *)samples[2].bytes, samples[2].size);
    assert_int_equal(pb_encode(&tree, out, samples[2].size - 1), 0);
}

static size_t change(size_t sample, uint64_t seed, uint8_t *out, size_t room) {
    fuzz_random random = {seed};
    memcpy(out, samples[sample].bytes, samples[sample].size);
    return structure_protobuf.mutate(out, samples[sample].size, room, &random);
}

static void test_changes(void **state) {
    uint8_t once[ROOM], again[ROOM];
    size_t messages = 0;
    (void)state;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        const size_t sample = seed % (sizeof samples / sizeof *samples);
        const size_t room = seed % 3 ? ROOM : 32, size = change(sample, seed, once, room);
        assert_in_range(size, 1, room);
        assert_int_equal(change(sample, seed, again, room), size);
        assert_memory_equal(once, again, size);
        pb_decode(&tree, once, size);
        messages += tree.nodes[tree.nodes[PB_ROOT].first].kind != PB_LOOSE;
    }
    assert_true(messages > CHANGES / 2);
}

static void test_cross(void **state) {
    uint8_t out[ROOM];
    (void)state;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        fuzz_random random = {seed};
        const size_t size = structure_protobuf.cross(
            (const uint8_t *)samples[2].bytes, samples[2].size, (const uint8_t *)samples[3].bytes,
            samples[3].size, out, 48, &random);
        assert_in_range(size, 1, 48);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_cross)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
