#include "support/scratch.h"

#include "base/bytes.h"
#include "input/bind.h"
#include "input/json_spec.h"

static wlk_limits limits;

#define ANY WLK_UNKNOWN_DIM
#define PORT(n, d, r, ...)                                              \
    {                                                                   \
        .name = (n), .dtype = (d), .rank = (r), .dims = { __VA_ARGS__ } \
    }

typedef struct bind_case {
    const char *csv;
    wlk_port ports[3];
    uint32_t port_count;
    const char *features[4];
    uint32_t feature_count;
} bind_case;

static wlk_status bind_some(const bind_case *c, bool ignore_unknown, input_binding *binding,
                            wlk_error *error) {
    static const csv_options automatic = {0};
    csv_table *table;
    expect_ok(
        csv_parse((const uint8_t *)c->csv, strlen(c->csv), &automatic, &limits, &table, error),
        error);
    const wlk_status status =
        input_bind_csv(table, c->ports, c->port_count, c->features, c->feature_count,
                       ignore_unknown, &limits, binding, error);
    csv_free(table);
    return status;
}

static wlk_status bind_input(const bind_case *c, input_binding *binding, wlk_error *error) {
    return bind_some(c, false, binding, error);
}

static void test_accepted(void **state) {
    (void)state;
    /* values: of all arrays after each other, which are f64 */
    static const struct {
        bind_case given;
        uint64_t rows;
        uint32_t rank;
        uint64_t shape[4]; /* of each array */
        double values[8];
        uint32_t count;
    } rows[] = {
        /* one input takes the columns in their order, header or not */
        {{"1,2\n3,4\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {0}, 0}, 2, 2, {2, 2}, {1, 2, 3, 4}, 4},
        {{"b,a\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {0}, 0}, 1, 2, {1, 2}, {1, 2}, 2},
        {{"1,2\n", {PORT("x", WLK_F64, 2, ANY, ANY)}, 1, {0}, 0}, 1, 2, {1, 2}, {1, 2}, 2},
        {{"1,2\n", {PORT("x", WLK_F64, WLK_NONE, 0)}, 1, {0}, 0}, 1, 2, {1, 2}, {1, 2}, 2},
        {{"1\n2\n", {PORT("x", WLK_F64, 1, ANY)}, 1, {0}, 0}, 2, 1, {2}, {1, 2}, 2},
        {{"1\n2\n", {PORT("x", WLK_F64, 2, 2, 1)}, 1, {0}, 0}, 2, 2, {2, 1}, {1, 2}, 2},
        {{"1,2,3,4\n", {PORT("x", WLK_F64, 4, ANY, 1, 2, 2)}, 1, {0}, 0},
         1,
         4,
         {1, 1, 2, 2},
         {1, 2, 3, 4},
         4},
        /* with feature names, columns go by name */
        {{"b,a\n1,2\n3,4\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2},
         2,
         2,
         {2, 2},
         {2, 1, 4, 3},
         4},
        {{"1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2}, 1, 2, {1, 2}, {1, 2}, 2},
        {{"b,a\n1,2\n", {PORT("x", WLK_F64, WLK_NONE, 0)}, 1, {"a", "b"}, 2},
         1,
         2,
         {1, 2},
         {2, 1},
         2},
        /* several inputs go by their own names */
        {{"b,a\n1,2\n3,4\n",
          {PORT("a", WLK_F64, 2, ANY, 1), PORT("b", WLK_F64, 2, ANY, 1)},
          2,
          {0},
          0},
         2,
         2,
         {2, 1},
         {2, 4, 1, 3},
         4},
        {{"b,a\n1,2\n3,4\n",
          {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, 2)},
          2,
          {"b", "a"},
          2},
         2,
         1,
         {2},
         {2, 4, 1, 3},
         4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_binding binding;
        wlk_error error = {0};
        uint32_t seen = 0;
        EXPECT_OK(bind_input(&rows[i].given, &binding, &error));
        assert_int_equal(binding.rows, rows[i].rows);
        assert_int_equal(binding.count, rows[i].given.port_count);
        for (uint32_t j = 0; j < binding.count; j++) {
            const wlk_tensor *t = &binding.arrays[j].tensor;
            assert_string_equal(t->name, rows[i].given.ports[j].name);
            assert_int_equal(t->rank, rows[i].rank);
            assert_memory_equal(t->shape, rows[i].shape, t->rank * sizeof(uint64_t));
            for (uint64_t k = 0; k < t->count; k++) {
                assert_true(load_f64((const uint8_t *)t->data + 8 * k) == rows[i].values[seen++]);
            }
        }
        assert_int_equal(seen, rows[i].count);
        input_binding_free(&binding);
    }
}

static void test_mixed_dtypes(void **state) {
    (void)state;
    static const bind_case given = {
        "colour,size,ok\nred,3,true\nblue,,0\n",
        {PORT("size", WLK_F32, 2, ANY, 1), PORT("colour", WLK_STR, 2, ANY, 1),
         PORT("ok", WLK_BOOL, 1, ANY)},
        3,
        {0},
        0};
    input_binding binding;
    wlk_error error = {0};
    uint64_t length;
    EXPECT_OK(bind_input(&given, &binding, &error));
    assert_memory_equal(binding.arrays[0].owned, "\x00\x00\x40\x40\x00\x00\xc0\x7f", 8);
    assert_memory_equal(input_array_string(&binding.arrays[1].tensor, 1, &length), "blue", 4);
    assert_int_equal(length, 4);
    assert_memory_equal(binding.arrays[2].owned, "\x01\x00", 2);
    input_binding_free(&binding);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        bind_case given;
        const char *rule;
        const char *says;
    } rows[] = {
        {{"1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {0}, 0},
         "input.columns",
         "input \"x\" takes 2, not 3"},
        {{"a,b,c\n1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {0}, 0},
         "input.columns",
         "takes 2, not 3"},
        {{"1,2,3\n", {PORT("x", WLK_F64, 3, ANY, 2, 2)}, 1, {0}, 0},
         "input.columns",
         "takes 4, not 3"},
        {{"1,2,3\n", {PORT("x", WLK_F64, 4, ANY, 1ll << 40, 1ll << 40, 4)}, 1, {0}, 0},
         "input.columns",
         NULL},
        {{"1,2\n", {PORT("x", WLK_F64, 1, ANY)}, 1, {0}, 0}, "input.columns", "takes 1, not 2"},
        {{"1,2\n", {PORT("x", WLK_F64, 2, 3, 2)}, 1, {0}, 0}, "input.rows", "takes 3, not 1"},
        {{"1,2\n", {PORT("x", WLK_F64, 3, ANY, ANY, 2)}, 1, {0}, 0}, "input.port-shape", "\"x\""},
        {{"1\n", {PORT("x", WLK_F64, 0, 0)}, 1, {0}, 0}, "input.port-shape", "scalar"},
        {{"1\n", {PORT("x", WLK_F64, 0, 0)}, 0, {0}, 0}, "input.ports", NULL},
        {{"1\n", {PORT("x", WLK_C64, 2, ANY, 1)}, 1, {0}, 0}, "input.dtype", "c64"},
        {{"a,lenght\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.unknown-column",
         "\"lenght\"; the nearest that the model has is \"length\""},
        {{"a,zzzzz\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.unknown-column",
         "\"zzzzz\""},
        {{"a,length,id\n1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.unknown-column",
         "\"id\""},
        {{",a,length\n1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.unknown-column",
         "\"\""},
        {{"a\n1\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.missing-column",
         "\"length\""},
        {{"a,a\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "length"}, 2},
         "input.duplicate-column",
         "\"a\""},
        {{"a,b\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b", "c"}, 3},
         "input.features",
         "3 and 2"},
        {{"a,b\n1,2\n", {PORT("x", WLK_F64, WLK_NONE, 0)}, 1, {"a", "b", "a"}, 3},
         "input.features",
         "\"a\""},
        {{"1,2\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, ANY)}, 2, {0}, 0},
         "input.header",
         NULL},
        {{"a,c\n1,2\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, ANY)}, 2, {0}, 0},
         "input.unknown-column",
         "\"c\""},
        {{"a\n1\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, ANY)}, 2, {0}, 0},
         "input.missing-column",
         "\"b\""},
        {{"a,b\n1,2\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 2, ANY, 2)}, 2, {0}, 0},
         "input.port-shape",
         "\"b\" is not one column"},
        {{"a,b\n1,2\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, 7)}, 2, {0}, 0},
         "input.rows",
         "\"b\" takes 7, not 1"},
        {{"a,b\n1,x\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, ANY)}, 2, {0}, 0},
         "csv.number",
         "column \"b\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_binding binding;
        wlk_error error = {0};
        expect_refused(rows[i].given.csv, bind_input(&rows[i].given, &binding, &error), &error,
                       rows[i].rule, rows[i].says);
        assert_null(binding.arrays);
    }
}

/* Columns that the model does not know are left aside where that is asked for, and no other
 * thing is forgiven. */
static void test_unknown_columns_left_aside(void **state) {
    (void)state;
    static const struct {
        bind_case given;
        const char *rule, *says; /* NULL: it is taken, and the first values are 1 and 2 */
    } rows[] = {
        {{"y,b,a,z\nx,2,1,\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2}, NULL, NULL},
        {{"b,,a\n2,7,1\n", {PORT("a", WLK_F64, 1, ANY), PORT("b", WLK_F64, 1, ANY)}, 2, {0}, 0},
         NULL,
         NULL},
        {{"a,B,c\n1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2},
         "input.missing-column",
         "\"b\"; the nearest that the table has is \"B\""},
        {{"a,other\n1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2},
         "input.missing-column",
         "\"b\""},
        {{"a,a,b\n1,1,2\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2},
         "input.duplicate-column",
         "\"a\""},
        {{"1,2,3\n", {PORT("x", WLK_F64, 2, ANY, 2)}, 1, {"a", "b"}, 2}, /* nothing has a name */
         "input.columns",
         "takes 2, not 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        input_binding binding;
        wlk_error error = {0};
        const wlk_status status = bind_some(&rows[i].given, true, &binding, &error);
        if (rows[i].rule) {
            expect_refused(rows[i].given.csv, status, &error, rows[i].rule, rows[i].says);
            continue;
        }
        expect_ok(status, &error);
        const double *first = binding.arrays[0].tensor.data;
        const double *last = binding.arrays[binding.count - 1].tensor.data;
        assert_true(first[0] == 1);
        assert_true((binding.count == 1 ? first[1] : last[0]) == 2);
        input_binding_free(&binding);
        assert_int_not_equal(bind_input(&rows[i].given, &binding, &error), WLK_OK);
    }
}

/* The model's own list, where it is a list of strings. */
static void test_feature_names(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        uint32_t count;
    } rows[] = {
        {"{\"kind\":\"m\",\"metadata\":{\"source\":{\"feature_names\":[\"a\",\"b\"]}}}", 2},
        {"{\"kind\":\"m\",\"metadata\":{\"source\":{\"feature_names\":[]}}}", 0},
        {"{\"kind\":\"m\",\"metadata\":{\"source\":{\"feature_names\":[\"a\",[1],\"b\"]}}}", 0},
        {"{\"kind\":\"m\",\"metadata\":{\"source\":{\"feature_names\":\"a\"}}}", 0},
        {"{\"kind\":\"m\",\"metadata\":{\"source\":{}}}", 0},
        {"{\"kind\":\"m\"}", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char **names;
        uint32_t count;
        wlk_model *model;
        wlk_error error = {0};
        EXPECT_OK(
            json_spec_parse(rows[i].spec, strlen(rows[i].spec), ".", &limits, &model, &error));
        EXPECT_OK(input_feature_names(model, &names, &count, &error));
        assert_int_equal(count, rows[i].count);
        if (count == 2) {
            assert_string_equal(names[0], "a");
            assert_string_equal(names[1], "b");
        }
        free(names);
        wlk_model_free(model);
    }
}

/* Invariant 7: as many columns and names as may be, and no square of them. */
static void test_many_columns(void **state) {
    (void)state;
    enum { COLUMNS = 50000 };
    static const csv_options options = {.header = CSV_HEADER_YES};
    char *text = malloc(COLUMNS * 20), *at = text;
    static char names[COLUMNS][12];
    static const char *features[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) at += sprintf(at, "%sc%d", i ? "," : "", COLUMNS - 1 - i);
    at += sprintf(at, "\n");
    for (int i = 0; i < COLUMNS; i++) at += sprintf(at, "%s%d", i ? "," : "", COLUMNS - 1 - i);
    for (int i = 0; i < COLUMNS; i++) {
        (void)snprintf(names[i], sizeof names[i], "c%d", i);
        features[i] = names[i];
    }
    const wlk_port port = PORT("x", WLK_F64, 2, ANY, COLUMNS);
    csv_table *table;
    input_binding binding;
    wlk_error error = {0};
    EXPECT_OK(
        csv_parse((const uint8_t *)text, (size_t)(at - text), &options, &limits, &table, &error));
    EXPECT_OK(input_bind_csv(table, &port, 1, features, COLUMNS, false, &limits, &binding, &error));
    for (uint64_t i = 0; i < COLUMNS; i++) {
        assert_true(load_f64(binding.arrays[0].owned + 8 * i) == (double)i);
    }
    input_binding_free(&binding);
    csv_free(table);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),     cmocka_unit_test(test_mixed_dtypes),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_feature_names),
        cmocka_unit_test(test_many_columns), cmocka_unit_test(test_unknown_columns_left_aside),
    };
    wlk_limits_default(&limits);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
