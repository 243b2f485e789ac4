/* A small file cut at every length and altered at every byte: nothing crashes,
 * what is refused says why, and what is accepted is a whole model. */
#include "formats/wlk_whole.h"

/* What may become of a file that is a little wrong. An image that the parser has
 * built and the validator does not believe would be WLK_CAGE: a defect. */
static void check_outcome(const wlk_case *c) {
    if (c->status == WLK_OK) {
        uint64_t at = 0;
        for (uint32_t i = 0; i < wlk_model_count(c->model, WLK_SECTION_SPANS); i++) {
            const wlk_span span = wlk_model_span(c->model, i);
            assert_int_equal(span.offset, at);
            at += span.length;
        }
        assert_int_equal(at, c->size); /* invariant 12: every byte is explained */
        return;
    }
    /* Invariant 9: every refusal says why, and where. */
    if (c->status != WLK_REFUSED && c->status != WLK_UNSUPPORTED && c->status != WLK_LIMIT) {
        wlk_case_show(c, "mutation");
    }
    assert_true(c->status == WLK_REFUSED || c->status == WLK_UNSUPPORTED || c->status == WLK_LIMIT);
    assert_int_equal(c->error.status, c->status);
    assert_int_not_equal(c->error.rule, 0);
    assert_in_range(c->error.offset, ENVELOPE_BYTES, c->size);
}

static void a_header_cut_at_any_length_is_refused(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_buffer header = wlk_text_encode(whole, NULL);
    for (size_t size = 1; size < header.size; size++) {
        /* Its own allocation, so that a sanitizer sees a read behind its end. */
        uint8_t *cut = test_malloc(size);
        memcpy(cut, header.data, size);
        wlk_case c = wlk_case_of(cut, size, data, sizeof data);
        wlk_case_parse(&c);
        check_outcome(&c);
        assert_int_equal(c.status, WLK_REFUSED);
        assert_in_range(c.error.offset, ENVELOPE_BYTES, ENVELOPE_BYTES + size);
        wlk_case_free(&c);
        test_free(cut);
    }
    free(header.data);
}

/* Also data of any length that is not the right one. */
static void data_cut_at_any_length_are_refused(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    for (size_t size = 0; size < DATA_BYTES; size++) {
        wlk_case c = wlk_case_text(whole, data, size, NULL);
        wlk_case_parse(&c);
        check_outcome(&c);
        assert_string_equal(wlk_rule_name(c.error.rule), "header.tensor-range");
        wlk_case_free(&c);
    }
}

/* The ten values that a byte is changed to: 00, ff, and each bit flipped. */
static uint8_t mutated(uint8_t byte, unsigned how) {
    if (how == 0) return 0x00;
    if (how == 1) return 0xff;
    return (uint8_t)(byte ^ 1u << (how - 2));
}

/* Alters each of `count` bytes from `from` on; how many were accepted. */
static unsigned mutate(wlk_case *c, size_t from, size_t count) {
    unsigned accepted = 0;
    for (size_t at = from; at < from + count; at++) {
        const uint8_t before = c->file[at];
        for (unsigned how = 0; how < 10; how++) {
            c->file[at] = mutated(before, how);
            if (c->file[at] == before) continue;
            wlk_case_parse(c);
            check_outcome(c);
            if (c->status == WLK_OK) accepted++;
            wlk_model_free(c->model);
            c->model = NULL;
        }
        c->file[at] = before;
    }
    return accepted;
}

static void a_header_altered_in_any_byte_is_a_model_or_refused(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_buffer header = wlk_text_encode(whole, NULL);
    wlk_case c = wlk_case_of(header.data, header.size, data, sizeof data);
    const unsigned accepted = mutate(&c, ENVELOPE_BYTES, header.size);
    /* Letters of names for people, versions and tolerances may change. */
    assert_in_range(accepted, 100, 10 * header.size / 4);
    wlk_case_free(&c);
    free(header.data);
}

/* Payloads may hold anything but where their type says more; what lies between
 * them may not. */
static void data_altered_in_any_byte_are_a_model_or_refused(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
    static const struct {
        size_t from, count;
        bool is_payload;
    } ranges[] = {{0, 12, true},   {12, 52, false},  {64, 24, true},
                  {88, 40, false}, {128, 4, true},   {132, 60, false},
                  {192, 10, true}, {202, 54, false}, {256, 26, true}};
    const size_t data_off = c.size - sizeof data;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const unsigned accepted = mutate(&c, data_off + ranges[i].from, ranges[i].count);
        assert_int_equal(accepted > 0, ranges[i].is_payload);
    }
    wlk_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_cut_at_any_length_is_refused),
        cmocka_unit_test(data_cut_at_any_length_are_refused),
        cmocka_unit_test(a_header_altered_in_any_byte_is_a_model_or_refused),
        cmocka_unit_test(data_altered_in_any_byte_are_a_model_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
