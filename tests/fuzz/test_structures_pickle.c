/* What changes pickles: any bytes are taken and come back as they were if nothing is changed,
 * what comes out has room and is the same every time, and most of it is still a pickle that
 * the parser takes to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/pickle/inflate.h"
#include "formats/pickle/machine.h"
#include "formats/pickle/opcodes.h"
#include "kit/input_pickle.h"
#include "kit/pickle_ops.h"
#include "kit/structure.h"

/* The targets themselves are programs of their own. */
const fuzz_structure *const fuzz_input = &structure_pickle;

#define ROOM 4096
#define CHANGES 2000
#define BYTES(text) text, sizeof text - 1

static const struct {
    const char *name, *bytes;
    size_t size;
    bool loads;
} samples[] = {
    {"nothing", BYTES(""), false},
    {"no pickle", BYTES("\xff\xff\xff"), false},
    {"a list in a frame", BYTES("\x80\4\x95\x0d\0\0\0\0\0\0\0]\x94(K\1\x8c\1a\x94h\1e."), true},
    {"a dict of protocol 0", BYTES("(dp0\nVkey\np1\nI12\nsVother\np2\ng1\ns."), true},
    {"an estimator",
     BYTES("\x80\4csklearn.linear_model._ridge\nRidge\n)\x81}(\x8c\5"
           "alphaG?\xf0\0\0\0\0\0\0\x8c\5"
           "coef_]ub."),
     true},
    {"a joblib file's array",
     BYTES(
         "\x80\4cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x08subclasscnumpy\nndarray\n"
         "\x8c\5shapeK\2\x85\x8c\5order\x8c\1C\x8c\5"
         "dtypecnumpy\ndtype\n\x8c\2i1\x89\x88\x87R(K\3\x8c\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
         "K\0tb\x8c\nallow_mmap\x89ub\7\xfe."),
     true},
    {"bytes behind it", BYTES("\x80\4N.abc"), true},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static pk_list list;

static bool loads(const uint8_t *data, size_t size) {
    pickle p = {.limits = pickle_limits(), .stream = cursor_over(data, size, 0)};
    py_value *value;
    const bool loaded = pickle_read(&p, &value, NULL) == WLK_OK;
    pickle_close(&p);
    return loaded;
}

/* With numbers of the memo as they are now written. */
static void test_same_bytes(void **state) {
    uint8_t out[ROOM];
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        const uint8_t *bytes = (const uint8_t *)samples[i].bytes;
        assert_int_equal(loads(bytes, samples[i].size), samples[i].loads);
        pk_decode(&list, bytes, samples[i].size);
        const size_t size = pk_encode(&list, out, sizeof out);
        assert_int_equal(loads(out, size), samples[i].loads);
        if (memchr(bytes, 'p', samples[i].size) && bytes[0] == '(') continue; /* PUT */
        assert_int_equal(size, samples[i].size);
        assert_memory_equal(out, bytes, size);
    }
}

static void test_raw_bytes(void **state) {
    uint32_t raw = 0;
    (void)state;
    pk_decode(&list, (const uint8_t *)samples[5].bytes, samples[5].size);
    for (uint32_t i = 0; i < list.count; i++) {
        if (!list.ops[i].raw) continue;
        raw++;
        assert_int_equal(list.ops[i].length, 2);
        assert_memory_equal(list.ops[i].argument, "\7\xfe", 2);
    }
    assert_int_equal(raw, 1);
}

static void test_no_room(void **state) {
    uint8_t out[ROOM];
    (void)state;
    pk_decode(&list, (const uint8_t *)samples[2].bytes, samples[2].size);
    assert_int_equal(pk_encode(&list, out, samples[2].size - 1), 0);
}

/* A value that is taken out leaves the memo's numbers right. */
static void test_memo(void **state) {
    static const char bytes[] = "\x80\4(]\x94\x8c\1a\x94h\1t.";
    uint8_t out[ROOM];
    (void)state;
    pk_decode(&list, (const uint8_t *)bytes, sizeof bytes - 1);
    assert_true(pk_splice(&list, 2, 2, NULL, 0));
    const size_t size = pk_encode(&list, out, sizeof out);
    assert_int_equal(size, sizeof bytes - 1 - 2);
    assert_memory_equal(out, "\x80\4(\x8c\1a\x94h\0t.", size);
    assert_true(pk_splice(&list, 2, 2, NULL, 0)); /* what h refers to is gone */
    assert_int_equal(pk_encode(&list, out, sizeof out), 6);
    assert_memory_equal(out, "\x80\4(Nt.", 6);
}

static void test_spans(void **state) {
    static const char bytes[] = "(K\1K\2tK\3\x86.";
    uint32_t starts[PK_OPS];
    (void)state;
    pk_decode(&list, (const uint8_t *)bytes, sizeof bytes - 1);
    pk_spans(&list, starts);
    assert_int_equal(starts[0], PK_NONE); /* a mark is no value */
    assert_int_equal(starts[1], 1);
    assert_int_equal(starts[3], 0); /* the tuple, with its mark */
    assert_int_equal(starts[5], 0); /* the pair */
}

static void test_mended(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
    } broken[] = {{BYTES("\x80\4R.")}, {BYTES("\x80\4e.")},    {BYTES("\x80\4]e")},
                  {BYTES("((K\1.")},   {BYTES("\x80\4\x86.")}, {BYTES("s")}};
    uint8_t out[ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        pickle p = {.limits = pickle_limits()};
        py_value *value;
        wlk_error error = {.status = WLK_OK};
        pk_decode(&list, (const uint8_t *)broken[i].bytes, broken[i].size);
        pk_mend(&list);
        p.stream = cursor_over(out, pk_encode(&list, out, sizeof out), 0);
        (void)pickle_read(&p, &value, &error);
        pickle_close(&p);
        assert_int_not_equal(error.rule, RULE_PICKLE_STACK);
        assert_int_not_equal(error.rule, RULE_PICKLE_TRUNCATED);
    }
}

static size_t change(const fuzz_structure *structure, size_t sample, uint64_t seed, uint8_t *out,
                     size_t room) {
    fuzz_random random = {seed};
    memcpy(out, samples[sample].bytes, samples[sample].size);
    return structure->mutate(out, samples[sample].size, room, &random);
}

static void test_changes(void **state) {
    uint8_t once[ROOM], again[ROOM];
    size_t loaded = 0, tried = 0;
    (void)state;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        const size_t sample = seed % SAMPLES, room = seed % 3 ? ROOM : 256;
        const size_t size = change(&structure_pickle, sample, seed, once, room);
        assert_in_range(size, 1, room);
        assert_int_equal(change(&structure_pickle, sample, seed, again, room), size);
        assert_memory_equal(once, again, size);
        if (!samples[sample].loads || room < ROOM) continue;
        tried++;
        loaded += loads(once, size);
    }
    assert_true(loaded > tried / 2);
}

static void test_cross(void **state) {
    uint8_t out[ROOM];
    (void)state;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        const size_t a = seed % SAMPLES, b = seed / SAMPLES % SAMPLES;
        fuzz_random random = {seed};
        const size_t size = structure_pickle.cross(
            (const uint8_t *)samples[a].bytes, samples[a].size, (const uint8_t *)samples[b].bytes,
            samples[b].size, out, sizeof out, &random);
        assert_true(size <= sizeof out);
    }
}

/* What is changed is compressed again, in each of the ways. */
static void test_compressed(void **state) {
    uint8_t out[ROOM];
    bool seen[INFLATE_CODEC_COUNT] = {false};
    (void)state;
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        const size_t sample = seed % SAMPLES, room = seed % 3 ? ROOM : 40;
        const size_t size = change(&structure_compressed, sample, seed, out,
                                   room > samples[sample].size ? room : samples[sample].size);
        assert_in_range(size, 1, ROOM);
        seen[inflate_detect(out, size)] = true;
    }
    for (int codec = INFLATE_NONE + 1; codec < INFLATE_CODEC_COUNT; codec++) {
        if (!seen[codec]) print_message("%s\n", inflate_name((inflate_codec)codec));
        assert_true(seen[codec]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_raw_bytes),
        cmocka_unit_test(test_no_room),    cmocka_unit_test(test_memo),
        cmocka_unit_test(test_spans),      cmocka_unit_test(test_mended),
        cmocka_unit_test(test_changes),    cmocka_unit_test(test_cross),
        cmocka_unit_test(test_compressed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
