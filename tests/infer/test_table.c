/* The operator table itself: every row is complete, and found where it should. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "infer/ops.h"

static bool same_operator(const op_row *a, const op_row *b) {
    return strcmp(a->domain, b->domain) == 0 && strcmp(a->name, b->name) == 0;
}

static void check_ports(const op_row *row) {
    const uint32_t listed = row->port_count ? row->port_count : 1;
    const uint32_t ports = row->max_inputs == OP_MANY ? listed : row->max_inputs;
    assert_true(row->min_inputs <= row->max_inputs);
    assert_true(row->max_outputs >= 1 && row->min_outputs <= row->max_outputs);
    for (uint32_t i = 0; i < ports; i++) {
        assert_non_null(row->ports[i].name);
        assert_int_not_equal(row->ports[i].dtypes, 0);
        assert_int_equal(row->ports[i].dtypes & DTYPE_BIT(WLK_BLOCK), 0);
        assert_int_equal(row->ports[i].dtypes & DTYPE_BIT(WLK_DTYPE_NONE), 0);
    }
}

static void check_attributes(const op_row *row) {
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        const attribute_row *a = &row->attributes[i];
        assert_non_null(a->name);
        assert_true(a->type > 0 && a->type < WLK_ATTR_TYPE_COUNT);
        for (uint32_t j = 0; j < i; j++) assert_string_not_equal(a->name, row->attributes[j].name);
    }
}

static void test_rows_are_complete(void **state) {
    (void)state;
    uint32_t count = 0;
    for (const op_row *row = ops_row(0); row; row = ops_row(++count)) {
        const uint32_t domain = ops_domain(row->domain);
        assert_in_range(domain, 0, OP_DOMAINS - 1);
        assert_true(row->since >= 1 && row->since <= op_domains[domain].newest);
        assert_non_null(row->infer);
        assert_true((row->kernel != NULL) != (row->control != NULL));
        if (row->flags & OP_ALIAS) assert_int_equal(row->max_outputs, 1);
        check_ports(row);
        check_attributes(row);
        for (uint32_t i = 0; i < count; i++) {
            if (same_operator(ops_row(i), row)) assert_int_not_equal(ops_row(i)->since, row->since);
        }
    }
    assert_true(count >= 59);
    assert_null(ops_row(UINT32_MAX));
}

/* A row serves from its own version up to the next one's. */
static void test_the_newest_row_that_is_not_too_new(void **state) {
    (void)state;
    static const struct {
        const char *domain, *name;
        uint32_t opset, since; /* 0: none */
    } rows[] = {
        {"", "Cast", 5, 1},
        {"", "Scan", 7, 0},
        {"", "Scan", 8, 8},
        {"", "If", 10, 1},
        {"", "Loop", 28, 25},
        {"", "Cast", 6, 6},
        {"", "Cast", 8, 6},
        {"", "Cast", 9, 9},
        {"", "Cast", 12, 9},
        {"", "Cast", 13, 13},
        {"", "Cast", 18, 13},
        {"", "Cast", 21, 21},
        {"", "Softmax", 12, 11},
        {"", "Softmax", 13, 13},
        {"ai.onnx", "Softmax", 21, 13},
        {"", "ArgMax", 12, 12},
        {"", "Scaler", 21, 0},
        {"ai.onnx.ml", "Scaler", 1, 1},
        {"ai.onnx.ml", "Scaler", 5, 1},
        {"org.weighlock", "Scaler", 1, 1},
        {"org.weighlock", "Scaler", 0, 0},
        {"com.example", "Scaler", 1, 0},
        {"", "cast", 13, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint32_t domain = ops_domain(rows[i].domain);
        const op_row *row = ops_find(domain, rows[i].name, rows[i].opset);
        if ((row ? row->since : 0) != rows[i].since) {
            fail_msg("%s in opset %u: %u", rows[i].name, rows[i].opset, row ? row->since : 0);
        }
        if (row) assert_string_equal(row->domain, op_domains[domain].name);
    }
    assert_int_equal(ops_domain("com.example"), OP_DOMAINS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_the_newest_row_that_is_not_too_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
