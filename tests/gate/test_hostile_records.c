/* Invariants 5 and 7: each field of each record of the image is given values that it must
 * not have, one at a time: indices behind the last, lists that overlap or leave gaps, kinds
 * that do not exist, places outside the file. All of them in a pipe, and those of the first
 * and last record of each section from a captured child as well. */
#include "gate/hostile_load.h"
#include "gate/hostile_pipes.h"

#define FEWEST_CHANGES 1400 /* of the rich model */
#define FEWEST_LOADS 250

/* The honest answer of the rich model; its image is looked at, and not changed. */
typedef struct subject {
    pipe_source source;
    answer_view view;
    uint64_t buffers;
} subject;

static subject rich;

static void subject_open(subject *s, kit_file file) {
    pipe_source_open(&s->source, "rich", file, WIRE_TRANSPORT_PIPE);
    s->buffers = answer_image(&s->source.honest);
    const sent_frame *f = &s->source.honest.frames[s->buffers];
    assert_true(answer_look((uint8_t *)(uintptr_t)f->body, f->length, &s->view));
}

/* The image alone may be to blame: not the wire, and not the child. */
static bool is_images_rule(const char *rule) {
    return begins_with(rule, "image.") || begins_with(rule, "limit.") ||
           strcmp(rule, "tensor.payload") == 0; /* a str tensor of another shape */
}

static void name_change(const image_change *c, char *text, size_t size) {
    const image_field *f = &image_fields[c->field];
    (void)snprintf(text, size, "%s of record %u = %llu", f->name, c->record,
                   (unsigned long long)c->value);
}

/* ---- in a pipe */

static bool change_is_refused(const subject *s, const image_change *c) {
    static answer a;
    static pipe_parent p;
    wire_hello body = pipe_hello();
    const sent_frame hello = {frame_make(FRAME_HELLO, 0, sizeof body, 0, 0), (const uint8_t *)&body,
                              sizeof body};
    const wlk_limits limits = pipe_limits();
    answer_view v;
    wlk_model *model;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const long blocks = atomic_load(&leftovers_blocks);
    a = s->source.honest;
    assert_true(answer_open(&a, &v));
    field_set(&v, &image_fields[c->field], c->record, c->value);
    const wlk_status status = pipe_run(&p, &s->source, &a, &hello, &limits, &model, &error);
    answer_forget(&a);
    const char *got = status == WLK_OK ? ACCEPTED : wlk_rule_name(error.rule);
    const bool holds = status != WLK_OK && status == rule_status(error.rule) &&
                       is_images_rule(got) && atomic_load(&leftovers_blocks) == blocks;
    if (!holds) {
        char name[128];
        name_change(c, name, sizeof name);
        (void)fprintf(stderr, "%s: %s\n", name, got);
        wlk_model_free(model);
    }
    return holds;
}

static void test_every_field_of_every_record(void **state) {
    (void)state;
    image_change c = {0};
    bool all = true, seen[IMAGE_FIELDS] = {false};
    unsigned changes = 0;
    for (; image_next_change(&rich.view, rich.buffers, &c); changes++) {
        all &= change_is_refused(&rich, &c);
        seen[c.field] = true;
    }
    (void)printf("%u changes\n", changes);
    assert_true(all);
    assert_true(changes >= FEWEST_CHANGES);
    for (unsigned i = 0; i < IMAGE_FIELDS; i++) {
        const bool any = image_fields[i].kind == FIELD_NOTHING;
        if (seen[i] == any) fail_msg("%s", image_fields[i].name);
    }
}

static void test_records_of_every_kind_are_there(void **state) {
    (void)state;
    for (unsigned i = 0; i < WLK_SECTION_COUNT; i++) assert_true(rich.view.counts[i] > 0);
}

/* ---- from a child */

static bool load_is_refused(uint64_t number, const image_change *c) {
    const wlk_load_options options = hostile_options(HOSTILE_image_change, number);
    wlk_model *model = (wlk_model *)(uintptr_t)1;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = kit_load(&options, &rich.source.file, &model, NULL, &error);
    const char *got = status == WLK_OK ? ACCEPTED : wlk_rule_name(error.rule);
    const bool holds =
        status != WLK_OK && status == rule_status(error.rule) && !model && is_images_rule(got);
    if (!holds) {
        char name[128];
        name_change(c, name, sizeof name);
        (void)fprintf(stderr, "%s, from a child: %s (%s)\n", name, got, error.text);
        wlk_model_free(model);
    }
    return holds;
}

/* The first and the last record of each section. */
static void test_captured_children_with_wrong_records(void **state) {
    (void)state;
    image_change c = {0};
    bool all = true;
    unsigned loads = 0;
    const leftovers before = leftovers_before(NULL);
    for (uint64_t number = 0; image_next_change(&rich.view, rich.buffers, &c); number++) {
        const wlk_section section = image_fields[c.field].section;
        const bool chosen = c.record == 0 || c.record + 1 == rich.view.counts[section];
        if (!chosen) continue;
        all &= load_is_refused(number, &c);
        loads++;
    }
    const char *left = leftovers_since(&before);
    (void)printf("%u loads\n", loads);
    assert_true(all);
    assert_null(left);
    assert_true(loads >= FEWEST_LOADS);
}

static int setup(void **state) {
    leftovers_count_memory();
    if (kit_setup(state) != 0) return 1;
    subject_open(&rich, kit_written(model_rich(), kit.key));
    return 0;
}

static int teardown(void **state) {
    pipe_source_close(&rich.source);
    return kit_teardown(state);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_of_every_kind_are_there),
        cmocka_unit_test(test_every_field_of_every_record),
        cmocka_unit_test(test_captured_children_with_wrong_records),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){HOSTILE_CHILD, NULL});
}
