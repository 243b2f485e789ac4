/* Hostile headers and data, one defect a row: verdict, rule and exact offset.
 * Invariant 9: every refusal says why. */
#include "formats/wlk_hostile_rows.h"
#include "formats/wlk_whole.h"

/* Rows without a mark complain about the place that this text begins. */
typedef struct unmarked_row {
    const char *what;
    const char *place;
} unmarked_row;

static const unmarked_row unmarked[] = {
    {"no kind", "{graphs"},
    {"graphs without opset", "{graphs"},
    {"ai.onnx is not in opset", "{attr:{alpha"},
    {"no node refers to a graph", "{inputs:[{name:i}]"},
    {"another dimension", "g], outputs"},
    {"a sequence cannot be fed", "g], outputs"},
};

/* The header of a row, with a mark where it has none. */
static char *row_text(const hostile_row *row) {
    char *text = wlk_case_replace(row->from ? whole : row->to, row->from ? row->from : "",
                                  row->from ? row->to : "");
    for (size_t i = 0; i < sizeof unmarked / sizeof *unmarked; i++) {
        if (strcmp(unmarked[i].what, row->what) != 0 || strchr(text, '@')) continue;
        char place[64];
        (void)snprintf(place, sizeof place, "@%s", unmarked[i].place);
        char *marked = wlk_case_replace(text, unmarked[i].place, place);
        free(text);
        text = marked;
    }
    return text;
}

static void check_row(const hostile_row *row) {
    uint8_t data[DATA_BYTES];
    uint64_t mark;
    whole_data(data);
    char *text = row_text(row);
    wlk_case c = wlk_case_text(text, data, row->from ? DATA_BYTES : 0, &mark);
    assert_int_not_equal(mark, WLK_NO_OFFSET);
    wlk_case_parse(&c);
    const wlk_status status = row->status == WLK_OK ? WLK_REFUSED : row->status;
    const bool right = wlk_case_refused(&c, row->rule, status, mark) && c.refused_by_parser;
    if (!right) {
        wlk_case_show(&c, row->what);
        print_error("  wanted %s at %llu\n", row->rule, (unsigned long long)mark);
    }
    wlk_case_free(&c);
    free(text);
    assert_true(right);
}

#define CHECK_TABLE(table)                                                                   \
    static void each_of_##table##_is_refused(void **state) {                                 \
        (void)state;                                                                         \
        for (size_t i = 0; i < sizeof(table) / sizeof *(table); i++) check_row(&(table)[i]); \
    }
CHECK_TABLE(structure)
CHECK_TABLE(top)
CHECK_TABLE(tensors)
CHECK_TABLE(graphs)
CHECK_TABLE(attributes)
CHECK_TABLE(types)
CHECK_TABLE(selftests)

/* Rows are worth something only if what they alter is accepted. */
static void the_unaltered_file_is_accepted(void **state) {
    (void)state;
    uint8_t data[DATA_BYTES];
    whole_data(data);
    wlk_case c = wlk_case_text(whole, data, sizeof data, NULL);
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, "unaltered");
    assert_int_equal(c.status, WLK_OK);
    wlk_case_free(&c);
}

/* ---- the data */

typedef struct data_row {
    const char *what;
    size_t size; /* of the data */
    size_t at;   /* of the byte that is set to 1; WLK_NONE: none is */
    const char *rule;
    uint64_t offset; /* in the data */
} data_row;

/* Invariant 12: bytes that belong to nothing are zero or refused. */
static const data_row data_rows[] = {
    {"first byte of a gap", DATA_BYTES, 12, "data.padding", 12},
    {"last byte of a gap", DATA_BYTES, 63, "data.padding", 63},
    {"a gap in the middle", DATA_BYTES, 150, "data.padding", 150},
    {"last byte of the last gap", DATA_BYTES, 255, "data.padding", 255},
    {"one byte too many", DATA_BYTES + 1, WLK_NONE, "data.trailing", DATA_BYTES},
    {"a chunk too many", DATA_BYTES + 65536, WLK_NONE, "data.trailing", DATA_BYTES},
};

static void bytes_that_belong_to_nothing_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof data_rows / sizeof *data_rows; i++) {
        const data_row *row = &data_rows[i];
        uint8_t *data = test_calloc(row->size, 1);
        whole_data(data);
        if (row->at != WLK_NONE) data[row->at] = 1;
        wlk_case c = wlk_case_text(whole, data, row->size, NULL);
        wlk_case_parse(&c);
        if (c.error.offset != 4096 + row->offset) wlk_case_show(&c, row->what);
        assert_true(wlk_case_refused(&c, row->rule, WLK_REFUSED, 4096 + row->offset));
        wlk_case_free(&c);
        test_free(data);
    }
}

/* The last tensor is of a type whose size its shape fixes, and then the file ends
 * a byte too early. */
static void data_that_end_too_early_are_refused(void **state) {
    (void)state;
    uint64_t mark;
    wlk_case c = wlk_case_text(
        "{kind:a, tensors:[{codec:raw, dtype:u8, name:w, nbytes:@5, offset:0, shape:[5]}]}", "abcd",
        4, &mark);
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "header.tensor-range", WLK_REFUSED, mark));
    wlk_case_free(&c);
    c = wlk_case_text("{kind:a, tensors:[]}", "abcd", 4, NULL);
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "data.trailing", WLK_REFUSED, 4096));
    wlk_case_free(&c);
}

/* The parent has checked this before: here the parser stands alone. */
static void slack_that_is_not_zero_is_refused(void **state) {
    (void)state;
    wlk_case c = wlk_case_text("{kind:a, tensors:[]}", NULL, 0, NULL);
    c.file[4000] = 1;
    wlk_case_parse(&c);
    assert_true(wlk_case_refused(&c, "envelope.slack-zero", WLK_TRUST, 4000));
    wlk_case_free(&c);
}

static void an_envelope_that_lies_is_refused(void **state) {
    (void)state;
    wlk_case c = wlk_case_text("{kind:a, tensors:[]}", NULL, 0, NULL);
    c.file[14 + 7] = 0xff; /* header_len */
    wlk_case_parse(&c);
    assert_int_equal(c.status, WLK_TRUST);
    assert_true(c.refused_by_parser);
    wlk_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_unaltered_file_is_accepted),
        cmocka_unit_test(each_of_structure_is_refused),
        cmocka_unit_test(each_of_top_is_refused),
        cmocka_unit_test(each_of_tensors_is_refused),
        cmocka_unit_test(each_of_graphs_is_refused),
        cmocka_unit_test(each_of_attributes_is_refused),
        cmocka_unit_test(each_of_types_is_refused),
        cmocka_unit_test(each_of_selftests_is_refused),
        cmocka_unit_test(bytes_that_belong_to_nothing_are_refused),
        cmocka_unit_test(data_that_end_too_early_are_refused),
        cmocka_unit_test(slack_that_is_not_zero_is_refused),
        cmocka_unit_test(an_envelope_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
