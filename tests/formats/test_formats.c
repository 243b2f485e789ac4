#include "formats/wlk_case.h"

#include "wire/frame.h"

static void the_wlk_row_has_its_wire_number(void **state) {
    (void)state;
    const format_row *row = format_find(WIRE_FORMAT_WLK);
    assert_non_null(row);
    assert_string_equal(row->name, "wlk");
    assert_true(row->parse == format_parse_wlk);
    assert_int_equal(row->id, WIRE_FORMAT_WLK);
}

static void the_onnx_row_has_its_number(void **state) {
    (void)state;
    const format_row *row = format_find(WLK_FORMAT_ONNX);
    assert_non_null(row);
    assert_string_equal(row->name, "onnx");
    assert_true(row->parse == format_parse_onnx);
}

static void an_unknown_format_has_no_row(void **state) {
    (void)state;
    assert_null(format_find(0));
    assert_null(format_find(WLK_FORMAT_COUNT));
    assert_null(format_find(UINT32_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wlk_row_has_its_wire_number),
        cmocka_unit_test(the_onnx_row_has_its_number),
        cmocka_unit_test(an_unknown_format_has_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
