/* What changes images and frames: the same changes for the same number, never more than there
 * is room for, most of them still as the other side wants them, and any bytes survived. */
#include "fuzz/records_input.h"

#include <stdio.h>

#include "kit/image_draft.h"
#include "kit/image_edit.h"
#include "kit/image_fields.h"
#include "kit/kit.h"

/* The targets themselves are programs of their own. */
const fuzz_structure *const fuzz_input = &structure_image;

enum { CHANGES = 2000, ROOM = RECORDS_BYTES + 4096, TRANSPORTS = 3 };

/* ---- inputs */

typedef void (*records_make)(records_input *in);

static void make_pipe(records_input *in) {
    records_wire(in, WIRE_TRANSPORT_PIPE);
}
static void make_map(records_input *in) {
    records_wire(in, WIRE_TRANSPORT_MAP);
}
static void make_lazy(records_input *in) {
    records_wire(in, WIRE_TRANSPORT_LAZY);
}
static void make_refuse(records_input *in) {
    records_refuse(in, RULE_FORMAT_EMPTY);
}
static void make_order(records_input *in) {
    records_order(in, 0);
}
static void make_pool_order(records_input *in) {
    records_order(in, 64);
}

static const struct {
    const char *name;
    const fuzz_structure *structure;
    records_make make;
} samples[] = {
    {"image", &structure_image, records_image}, {"pipe", &structure_wire, make_pipe},
    {"map", &structure_wire, make_map},         {"lazy", &structure_wire, make_lazy},
    {"refuse", &structure_wire, make_refuse},   {"order", &structure_wire, make_order},
    {"pool", &structure_wire, make_pool_order},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static records_input input;
static uint8_t changed[ROOM], again[ROOM];

/* ---- what the other side says */

static wlk_status validate(const uint8_t *data, size_t size, wlk_error *error) {
    wlk_model *model;
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    const wlk_status status = image_input_validate(data, size, fuzz_limits(), &model, error);
    wlk_model_free(model);
    return status;
}

static wlk_status hear(const uint8_t *data, size_t size, wlk_error *error) {
    wire_hearing h;
    wlk_model *model;
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    const wlk_status status = wire_hear(&h, data, size, &model, error);
    wlk_model_free(model);
    wire_hearing_drop(&h);
    return status;
}

static void test_samples_are_accepted(void **state) {
    wlk_error error;
    (void)state;
    records_image(&input);
    assert_int_equal(validate(input.data, input.size, &error), WLK_OK);
    for (int i = 1; i <= TRANSPORTS; i++) {
        records_wire(&input, (wire_transport)i);
        assert_int_equal(hear(input.data, input.size, &error), WLK_OK);
    }
    records_refuse(&input, RULE_FORMAT_EMPTY);
    assert_int_equal(hear(input.data, input.size, &error), WLK_UNDECIDED);
    assert_int_equal(error.rule, RULE_FORMAT_EMPTY);
}

/* An input outlives the build: another build id than the placeholder's is none of ours. */
static void test_build_id(void **state) {
    wlk_error error;
    (void)state;
    records_wire(&input, WIRE_TRANSPORT_MAP);
    const size_t id = sizeof(wire_input) + 4288 + WIRE_INPUT_BUILD_ID;
    input.data[id + 7] ^= 1;
    assert_int_equal(hear(input.data, input.size, &error), WLK_CAGE);
    assert_int_equal(error.rule, RULE_CAGE_BUILD);
    memcpy(input.data + id, wire_build_id, WIRE_BUILD_ID_BYTES);
    assert_int_equal(hear(input.data, input.size, &error), WLK_OK);
}

/* Reads of any size give the same model. */
static void test_small_reads(void **state) {
    static const uint16_t steps[] = {1, 2, 31, 33, 4096};
    wlk_error error;
    (void)state;
    records_wire(&input, WIRE_TRANSPORT_PIPE);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        memcpy(input.data + offsetof(wire_input, step), &steps[i], sizeof steps[i]);
        assert_int_equal(hear(input.data, input.size, &error), WLK_OK);
    }
}

/* ---- mutators */

static void test_deterministic(void **state) {
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        samples[s].make(&input);
        for (uint64_t seed = 0; seed < 200; seed++) {
            fuzz_random one = {seed}, two = {seed};
            memcpy(changed, input.data, input.size);
            memcpy(again, input.data, input.size);
            const size_t size = samples[s].structure->mutate(changed, input.size, ROOM, &one);
            /* another input in between leaves nothing behind */
            uint8_t other[512] = {1, 2, 3};
            fuzz_random third = {seed};
            (void)samples[s].structure->mutate(other, 100, sizeof other, &third);
            assert_int_equal(samples[s].structure->mutate(again, input.size, ROOM, &two), size);
            assert_memory_equal(changed, again, size);
        }
    }
}

/* Behind `room` bytes nothing is written, and something always comes out. */
static void change_within(const fuzz_structure *structure, const uint8_t *data, size_t size,
                          size_t room, uint64_t seed) {
    fuzz_random random = {seed};
    uint8_t *exact = malloc(room); /* so that a sanitizer sees every step beyond it */
    assert_non_null(exact);
    memcpy(exact, data, size);
    const size_t made = structure->mutate(exact, size, room, &random);
    assert_in_range(made, 1, room);
    free(exact);
}

static void test_room(void **state) {
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        samples[s].make(&input);
        for (uint64_t seed = 0; seed < 300; seed++) {
            const size_t more = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 7 : 4000;
            change_within(samples[s].structure, input.data, input.size, input.size + more, seed);
        }
    }
}

/* Cut anywhere, with bytes changed anywhere, or no sense at all. */
static void test_junk(void **state) {
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        samples[s].make(&input);
        for (uint64_t seed = 0; seed < 1500; seed++) {
            fuzz_random random = {seed};
            memcpy(changed, input.data, input.size);
            const size_t size = random_below(&random, input.size + 1);
            for (size_t n = random_below(&random, 20); n > 0 && size > 0; n--) {
                changed[random_below(&random, size)] = (uint8_t)random_next(&random);
            }
            change_within(samples[s].structure, changed, size, size + 1 + seed % 600, seed);
        }
        for (size_t size = 0; size < 200; size++) {
            memset(changed, (int)size, size);
            change_within(samples[s].structure, changed, size, size + 1, size);
        }
    }
}

typedef struct share {
    uint32_t accepted;
    uint32_t rules; /* how many different refusals */
    uint8_t seen[RULE_COUNT];
} share;

static share share_of(const fuzz_structure *structure, const records_input *from,
                      wlk_status (*judge)(const uint8_t *, size_t, wlk_error *)) {
    share found = {0};
    for (uint64_t seed = 0; seed < CHANGES; seed++) {
        fuzz_random random = {seed};
        wlk_error error;
        memcpy(changed, from->data, from->size);
        const size_t size = structure->mutate(changed, from->size, ROOM, &random);
        if (judge(changed, size, &error) == WLK_OK) {
            found.accepted++;
        } else if (!found.seen[error.rule]) {
            found.seen[error.rule] = 1;
            found.rules++;
        }
    }
    return found;
}

/* Changes reach deep: many are accepted, the others are refused by most of the rules that
 * there are. */
static void test_share_of_images(void **state) {
    (void)state;
    records_image(&input);
    const share found = share_of(&structure_image, &input, validate);
    (void)printf("images: %u of %u accepted, %u rules\n", found.accepted, (unsigned)CHANGES,
                 found.rules);
    assert_true(found.accepted > CHANGES / 8 && found.accepted < CHANGES * 3 / 4);
    assert_true(found.rules >= 24);
}

static void test_share_of_answers(void **state) {
    (void)state;
    for (int i = 1; i <= TRANSPORTS; i++) {
        records_wire(&input, (wire_transport)i);
        const share found = share_of(&structure_wire, &input, hear);
        (void)printf("answers by transport %d: %u of %u accepted, %u rules\n", i, found.accepted,
                     (unsigned)CHANGES, found.rules);
        assert_true(found.accepted > CHANGES / 10 && found.accepted < CHANGES * 3 / 4);
        assert_true(found.rules >= 20);
    }
}

/* What mending makes of a whole image is the same image. */
static void test_mending_keeps_what_is_right(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*mend)(image_draft *d);
    } mends[] = {{"lists", draft_mend_lists},       {"strings", draft_mend_strings},
                 {"metadata", draft_mend_metadata}, {"spans", draft_mend_spans},
                 {"order", draft_mend_order},       {"tensors", draft_mend_tensors}};
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    image_draft d;
    sample_image(&image, &length, &payloads);
    for (size_t i = 0; i < sizeof mends / sizeof *mends; i++) {
        assert_true(draft_load(&d, image, length));
        mends[i].mend(&d);
        assert_int_equal(draft_store(&d, changed, ROOM), length);
        if (memcmp(changed, image, length) != 0) fail_msg("%s", mends[i].name);
    }
    mem_free(image);
    payloads.release(payloads.owner);
}

/* A record more and the same one less: every reference is what it was. */
static void test_insert_and_remove(void **state) {
    (void)state;
    uint8_t *image;
    uint64_t length;
    image_payloads payloads;
    image_draft d;
    sample_image(&image, &length, &payloads);
    assert_true(draft_load(&d, image, length));
    for (uint32_t section = 0; section < WLK_SECTION_TEXT; section++) {
        for (uint32_t i = 0; i <= d.sections[section].count; i++) {
            assert_true(draft_insert(&d, section, i));
            draft_remove(&d, section, i);
        }
    }
    assert_int_equal(draft_store(&d, changed, ROOM), length);
    assert_memory_equal(changed, image, length);
    mem_free(image);
    payloads.release(payloads.owner);
}

static void test_cross(void **state) {
    static records_input second;
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        uint32_t different = 0;
        samples[s].make(&input);
        samples[(s + 2) % SAMPLES].make(&second);
        for (uint64_t seed = 0; seed < 300; seed++) {
            fuzz_random random = {seed};
            const size_t room = seed % 2 ? ROOM : seed;
            const size_t size = samples[s].structure->cross(input.data, input.size, second.data,
                                                            second.size, changed, room, &random);
            assert_true(size <= room);
            different += size != input.size || memcmp(changed, input.data, size) != 0;
        }
        assert_true(different > 100);
    }
}

/* ---- for people */

static char *shown(const fuzz_structure *structure, const uint8_t *data, size_t size) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    structure->show(data, size, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), length);
    return text;
}

static void test_show(void **state) {
    static const char *const words[][7] = {
        {"artifact of 12288 bytes", "payload 0:", "tensor 0 name", "shape", "\"a_name_of_24",
         "span", "edge"},
        {"transport pipe, raw only", "frame HELLO (3)", "frame DATA (4) flags 1", "frame IMAGE (5)",
         "node 0 op", "frame END (6)", "artifact of 12288"},
        {"transport map", "flags 3 length 8", "frame IMAGE", NULL},
        {"transport lazy", "flags 3 length 8", "frame END", NULL},
        {"frame REFUSE (7)", "(format.empty)", "offset 12", NULL},
        {"frame ORDER (1)", "frame GO (2)", NULL},
        {"frame ORDER (1)", "frame GO (2) flags 0 length 64", NULL},
    };
    (void)state;
    for (size_t s = 0; s < SAMPLES; s++) {
        samples[s].make(&input);
        char *text = shown(samples[s].structure, input.data, input.size);
        for (size_t i = 0; i < 7 && words[s][i]; i++) {
            if (!strstr(text, words[s][i])) fail_msg("%s: no \"%s\"", samples[s].name, words[s][i]);
        }
        free(text);
        for (size_t cut = 0; cut < input.size; cut += 97) {
            free(shown(samples[s].structure, input.data, cut));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_are_accepted),
        cmocka_unit_test(test_build_id),
        cmocka_unit_test(test_small_reads),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_junk),
        cmocka_unit_test(test_share_of_images),
        cmocka_unit_test(test_share_of_answers),
        cmocka_unit_test(test_mending_keeps_what_is_right),
        cmocka_unit_test(test_insert_and_remove),
        cmocka_unit_test(test_cross),
        cmocka_unit_test(test_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
