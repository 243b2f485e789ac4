/* Invariants 5, 6 and 7: every frame of an answer that is missing, twice, cut, too long,
 * out of place or wrong in any field of its header, and a child that ends at each step.
 * The sample's answer is DATA, DATA, IMAGE, END. */
#include "gate/hostile_load.h"

#include "wire/frame.h"

enum { A, B, IMAGE, END, STEPS };

typedef struct frame_row {
    const char *name;
    enum hostile_case number;
    uint64_t parameter;
    const char *rule;
} frame_row;

#define ROW(number, first, second, rule) \
    { #number " " #first " " #second, HOSTILE_##number, BEND(first, second), rule }
#define FIELD(frame, field, value, rule)                        \
    {                                                           \
#frame "." #field " " #value, HOSTILE_frame_field,      \
            BEND(frame, BEND(BENT_##field, BENT_##value)), rule \
    }

static const frame_row rows[] = {
    ROW(frame_missing, A, 0, "image.reference"),
    ROW(frame_missing, B, 0, "image.reference"),
    ROW(frame_missing, IMAGE, 0, "wire.state"),
    ROW(frame_missing, END, 0, "wire.truncated"),

    ROW(frame_twice, A, 0, "image.span"), /* b is said to begin where a does */
    ROW(frame_twice, B, 0, "image.buffer"),
    ROW(frame_twice, IMAGE, 0, "wire.state"),
    ROW(frame_twice, END, 0, "wire.trailing"),

    /* a whole frame of each type before each, and behind all */
    ROW(frame_stranger, A, 0, "wire.state"),
    ROW(frame_stranger, A, FRAME_ORDER, "wire.state"),
    ROW(frame_stranger, A, FRAME_GO, "wire.state"),
    ROW(frame_stranger, A, FRAME_HELLO, "wire.state"),
    ROW(frame_stranger, A, FRAME_DATA, "image.span"),
    ROW(frame_stranger, A, FRAME_IMAGE, "wire.state"),
    ROW(frame_stranger, A, FRAME_END, "wire.state"),
    ROW(frame_stranger, A, FRAME_REFUSE, "wire.trailing"),
    ROW(frame_stranger, A, FRAME_TYPE_COUNT, "wire.header"),
    ROW(frame_stranger, B, 0, "wire.state"),
    ROW(frame_stranger, B, FRAME_ORDER, "wire.state"),
    ROW(frame_stranger, B, FRAME_GO, "wire.state"),
    ROW(frame_stranger, B, FRAME_HELLO, "wire.state"),
    ROW(frame_stranger, B, FRAME_DATA, "image.span"),
    ROW(frame_stranger, B, FRAME_IMAGE, "wire.state"),
    ROW(frame_stranger, B, FRAME_END, "wire.state"),
    ROW(frame_stranger, B, FRAME_REFUSE, "wire.trailing"),
    ROW(frame_stranger, B, FRAME_TYPE_COUNT, "wire.header"),
    ROW(frame_stranger, IMAGE, 0, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_ORDER, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_GO, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_HELLO, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_DATA, "image.buffer"),
    ROW(frame_stranger, IMAGE, FRAME_IMAGE, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_END, "wire.state"),
    ROW(frame_stranger, IMAGE, FRAME_REFUSE, "wire.trailing"),
    ROW(frame_stranger, IMAGE, FRAME_TYPE_COUNT, "wire.header"),
    ROW(frame_stranger, END, 0, "wire.state"),
    ROW(frame_stranger, END, FRAME_ORDER, "wire.state"),
    ROW(frame_stranger, END, FRAME_GO, "wire.state"),
    ROW(frame_stranger, END, FRAME_HELLO, "wire.state"),
    ROW(frame_stranger, END, FRAME_DATA, "wire.state"),
    ROW(frame_stranger, END, FRAME_IMAGE, "wire.state"),
    ROW(frame_stranger, END, FRAME_END, "wire.trailing"),
    ROW(frame_stranger, END, FRAME_REFUSE, "wire.trailing"),
    ROW(frame_stranger, END, FRAME_TYPE_COUNT, "wire.header"),
    ROW(frame_stranger, STEPS, FRAME_GO, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_HELLO, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_DATA, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_IMAGE, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_END, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_REFUSE, "wire.trailing"),
    ROW(frame_stranger, STEPS, FRAME_TYPE_COUNT, "wire.trailing"),

    /* so many bytes of it, and then the end */
    ROW(frame_cut, A, 0, "wire.truncated"),
    ROW(frame_cut, A, 1, "wire.truncated"),
    ROW(frame_cut, A, 31, "wire.truncated"),
    ROW(frame_cut, A, 32, "wire.truncated"),
    ROW(frame_cut, A, 33, "wire.truncated"),
    ROW(frame_cut, A, 47, "wire.truncated"),
    ROW(frame_cut, B, 1, "wire.truncated"),
    ROW(frame_cut, B, 32, "wire.truncated"),
    ROW(frame_cut, IMAGE, 1, "wire.truncated"),
    ROW(frame_cut, IMAGE, 31, "wire.truncated"),
    ROW(frame_cut, IMAGE, 32, "wire.truncated"),
    ROW(frame_cut, IMAGE, 33, "wire.truncated"),
    ROW(frame_cut, IMAGE, 500, "wire.truncated"),
    ROW(frame_cut, END, 0, "wire.truncated"),
    ROW(frame_cut, END, 1, "wire.truncated"),
    ROW(frame_cut, END, 31, "wire.truncated"),

    /* bytes that its header knows nothing of */
    ROW(frame_long, A, 1, "wire.header"),
    ROW(frame_long, A, 32, "wire.header"),
    ROW(frame_long, B, 1, "wire.header"),
    ROW(frame_long, IMAGE, 1, "wire.header"),
    ROW(frame_long, IMAGE, 4096, "wire.header"),
    ROW(frame_long, END, 1, "wire.trailing"),
    ROW(frame_long, END, 65536, "wire.trailing"),

    /* headers */
    FIELD(A, magic, one_more, "wire.header"),
    FIELD(IMAGE, magic, high_bit, "wire.header"),
    FIELD(END, magic, zero, "wire.header"),
    FIELD(A, type, one_more, "wire.truncated|wire.header"), /* 16 bytes as an image */
    FIELD(A, type, high_bit, "wire.header"),
    FIELD(B, type, all_ones, "wire.header"),
    FIELD(IMAGE, type, one_less, "wire.header"), /* as DATA, which is raw here */
    FIELD(IMAGE, type, one_more, "wire.state"),
    FIELD(IMAGE, type, high_bit, "wire.header"),
    FIELD(END, type, one_less, "wire.state"),
    FIELD(END, type, one_more, "wire.header"), /* as REFUSE, which has 16 bytes */
    FIELD(END, type, zero, "wire.state"),
    FIELD(A, flags, zero, "wire.header"),
    FIELD(A, flags, one_more, "wire.header"), /* MAPPED alone */
    FIELD(A, flags, high_bit, "wire.header"),
    FIELD(B, flags, all_ones, "wire.header"),
    FIELD(IMAGE, flags, one_more, "wire.header"),
    FIELD(IMAGE, flags, high_bit, "wire.header"),
    FIELD(END, flags, one_more, "wire.header"),
    FIELD(END, flags, all_ones, "wire.header"),
    FIELD(A, length, zero, "wire.header"),
    FIELD(A, length, one_more, "wire.altered"),
    FIELD(A, length, one_less, "wire.header"),
    FIELD(A, length, high_bit, "wire.range"),
    FIELD(A, length, all_ones, "wire.range"),
    FIELD(B, length, one_more, "wire.range"), /* the file ends there */
    FIELD(B, length, one_less, "wire.header"),
    FIELD(B, length, all_ones, "wire.range"),
    FIELD(IMAGE, length, zero, "wire.header"),
    FIELD(IMAGE, length, one_more, "wire.truncated"),
    FIELD(IMAGE, length, one_less, "wire.header"),
    FIELD(IMAGE, length, high_bit, "limit.image-bytes"),
    FIELD(IMAGE, length, all_ones, "limit.image-bytes"),
    FIELD(END, length, one_more, "wire.header"),
    FIELD(END, length, high_bit, "wire.header"),
    FIELD(A, sequence, zero, "wire.sequence"),
    FIELD(A, sequence, one_more, "wire.sequence"),
    FIELD(A, sequence, high_bit, "wire.sequence"),
    FIELD(B, sequence, one_less, "wire.sequence"),
    FIELD(B, sequence, all_ones, "wire.sequence"),
    FIELD(IMAGE, sequence, one_more, "wire.sequence"),
    FIELD(IMAGE, sequence, zero, "wire.sequence"),
    FIELD(END, sequence, one_less, "wire.sequence"),
    FIELD(END, sequence, all_ones, "wire.sequence"),
    FIELD(A, argument, zero, "wire.range"), /* bytes of the envelope */
    FIELD(A, argument, one_less, "wire.range"),
    FIELD(A, argument, one_more, "wire.altered"),
    FIELD(A, argument, high_bit, "wire.range"),
    FIELD(B, argument, one_more, "wire.range"),
    FIELD(B, argument, one_less, "wire.altered"),
    FIELD(B, argument, all_ones, "wire.range"),
    FIELD(IMAGE, argument, one_more, "wire.header"),
    FIELD(IMAGE, argument, all_ones, "wire.header"),
    FIELD(END, argument, one_more, "wire.header"),

    /* it ends behind so many frames */
    ROW(ends_early, A, ENDS_0, "wire.truncated"),
    ROW(ends_early, A, ENDS_1, "cage.exit"),
    ROW(ends_early, A, ENDS_in_crash, "cage.crash"),
    ROW(ends_early, A, ENDS_in_call, "cage.syscall"),
    ROW(ends_early, B, ENDS_0, "wire.truncated"),
    ROW(ends_early, B, ENDS_255, "cage.exit"),
    ROW(ends_early, B, ENDS_in_trap, "cage.crash"),
    ROW(ends_early, B, ENDS_in_call, "cage.syscall"),
    ROW(ends_early, IMAGE, ENDS_0, "wire.truncated"),
    ROW(ends_early, IMAGE, ENDS_1, "cage.exit"),
    ROW(ends_early, IMAGE, ENDS_in_crash, "cage.crash"),
    ROW(ends_early, END, ENDS_0, "wire.truncated"),
    ROW(ends_early, END, ENDS_1, "cage.exit"),
    ROW(ends_early, END, ENDS_in_trap, "cage.crash"),
    ROW(ends_early, END, ENDS_in_call, "cage.syscall"),
    ROW(ends_early, STEPS, ENDS_0, ACCEPTED), /* as it should be */
    ROW(ends_early, STEPS, ENDS_1, "cage.exit"),
    ROW(ends_early, STEPS, ENDS_255, "cage.exit"),
    ROW(ends_early, STEPS, ENDS_in_crash, "cage.crash"),
    ROW(ends_early, STEPS, ENDS_in_trap, "cage.crash"),
    ROW(ends_early, STEPS, ENDS_in_call, "cage.syscall"),

    {"floods_at_once", HOSTILE_floods_at_once, 0, "wire.header"},
};

enum { ROWS = sizeof rows / sizeof *rows };

static bool row_holds(const frame_row *row, wlk_layers layers, uint32_t pool) {
    wlk_load_options options = hostile_options(row->number, row->parameter);
    options.layers = layers;
    options.pool = pool;
    return hostile_ends_with(row->name, &options, &kit.sample, row->rule);
}

static void test_every_frame(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < ROWS; i++) all &= row_holds(&rows[i], WLK_LAYERS_REQUIRED, 0);
    assert_true(all);
}

/* In the whole cage they are told apart as well. */
static void test_some_in_all_layers(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < ROWS; i += 7) all &= row_holds(&rows[i], WLK_LAYERS_ALL, 0);
    assert_true(all);
}

/* A child that has waited in the pool is believed no more than one that has not. */
static void test_some_from_the_pool(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < ROWS; i += 3) {
        if (rows[i].number == HOSTILE_floods_at_once) continue; /* never gets that far */
        all &= row_holds(&rows[i], WLK_LAYERS_REQUIRED, 1);
    }
    assert_true(all);
}

/* Invariant 7: a length is held against its limit before anything else is done with it. */
static void test_an_image_above_its_limit_ends_at_its_header(void **state) {
    (void)state;
    const uint64_t just_more = BEND(IMAGE, BEND(BENT_length, BENT_one_more));
    wlk_load_options options = hostile_options(HOSTILE_frame_field, just_more);
    options.policy.limits.image_bytes = 100;
    assert_true(
        hostile_ends_with("image above its limit", &options, &kit.sample, "limit.image-bytes"));
}

/* One byte a second is late, however few there are of them. */
static void test_a_byte_a_second_is_late(void **state) {
    (void)state;
    wlk_load_options options = hostile_options(HOSTILE_drips_slowly, 0);
    options.policy.limits.deadline_ms = 1500;
    assert_true(hostile_ends_with("drips_slowly", &options, &kit.sample, "limit.deadline"));
}

static int setup(void **state) {
    leftovers_count_memory();
    return kit_sample_setup(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame),
        cmocka_unit_test(test_some_in_all_layers),
        cmocka_unit_test(test_some_from_the_pool),
        cmocka_unit_test(test_an_image_above_its_limit_ends_at_its_header),
        cmocka_unit_test(test_a_byte_a_second_is_late),
    };
    return cmocka_run_group_tests(tests, setup, kit_sample_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){HOSTILE_CHILD, NULL});
}
