/* docs/operators.md holds the operator table and cannot drift from it: what stands
 * between its markers is printed from the rows and compared.
 *
 *     test_operators --write     puts the table into the page
 */
#include "support/scratch.h"

#include <inttypes.h>

#include "infer/ops.h"

#define PAGE "docs/operators.md"
#define PAGE_BYTES ((size_t)1 << 20)
#define BEGIN "<!-- begin: the operator table, written by tests/infer/test_operators.c -->\n"
#define END "<!-- end: the operator table -->\n"

/* ---- cells */

static void print_dtypes(FILE *out, uint32_t dtypes) {
    const char *separator = "";
    for (uint32_t i = 1; i < WLK_DTYPE_COUNT; i++) {
        if (!(dtypes & DTYPE_BIT(i))) continue;
        (void)fprintf(out, "%s%s", separator, wlk_dtype_name((wlk_dtype)i));
        separator = " ";
    }
}

static uint32_t ports_of(const op_row *row) {
    return row->max_inputs == OP_MANY ? 1 : row->max_inputs;
}

/* "A, B, [C]": what may be omitted is in brackets. */
static void print_inputs(FILE *out, const op_row *row) {
    for (uint32_t i = 0; i < ports_of(row); i++) {
        const bool optional = i >= row->min_inputs;
        (void)fprintf(out, "%s%s%s%s", i ? ", " : "", optional ? "[" : "", row->ports[i].name,
                      optional ? "]" : "");
    }
    if (row->max_inputs == OP_MANY) (void)fprintf(out, ", …");
}

/* Does an input before this one have the same type variable? */
static bool is_bound(const op_row *row, uint32_t port) {
    for (uint32_t i = 0; i < port; i++) {
        if (row->ports[port].variable != 0 && row->ports[i].variable == row->ports[port].variable) {
            return true;
        }
    }
    return false;
}

/* "T: f64 f32; shape: i64": inputs of one variable have the same dtype. */
static void print_types(FILE *out, const op_row *row) {
    for (uint32_t i = 0; i < ports_of(row); i++) {
        const op_port *port = &row->ports[i];
        if (is_bound(row, i)) continue;
        if (i) (void)fprintf(out, "; ");
        if (port->variable) {
            (void)fprintf(out, "%c: ", port->variable);
        } else {
            (void)fprintf(out, "%s: ", port->name);
        }
        print_dtypes(out, port->dtypes);
    }
}

static const char *const type_names[WLK_ATTR_TYPE_COUNT] = {
    [WLK_ATTR_INT] = "int",         [WLK_ATTR_FLOAT] = "float",     [WLK_ATTR_STRING] = "string",
    [WLK_ATTR_TENSOR] = "tensor",   [WLK_ATTR_GRAPH] = "graph",     [WLK_ATTR_DTYPE] = "dtype",
    [WLK_ATTR_TYPE] = "type",       [WLK_ATTR_INTS] = "ints",       [WLK_ATTR_FLOATS] = "floats",
    [WLK_ATTR_STRINGS] = "strings", [WLK_ATTR_TENSORS] = "tensors", [WLK_ATTR_GRAPHS] = "graphs",
};

static void print_default(FILE *out, const attribute_row *attribute) {
    if (attribute->required) (void)fprintf(out, ", required");
    if (attribute->required) return;
    if (attribute->type == WLK_ATTR_INT) (void)fprintf(out, " = %" PRId64, attribute->i);
    if (attribute->type == WLK_ATTR_FLOAT) (void)fprintf(out, " = %g", attribute->f);
    if (attribute->type == WLK_ATTR_STRING && attribute->s) {
        (void)fprintf(out, " = %s", attribute->s);
    }
}

static void print_attributes(FILE *out, const op_row *row) {
    for (uint32_t i = 0; i < row->attribute_count; i++) {
        const attribute_row *attribute = &row->attributes[i];
        (void)fprintf(out, "%s`%s` %s", i ? "; " : "", attribute->name,
                      type_names[attribute->type]);
        print_default(out, attribute);
    }
}

/* ---- tables */

static void print_row(FILE *out, const op_row *row) {
    (void)fprintf(out, "| %s | %" PRIu32 " | ", row->name, row->since);
    print_inputs(out, row);
    (void)fprintf(out, " | ");
    print_types(out, row);
    (void)fprintf(out, " | %" PRIu32 " | ", row->max_outputs);
    print_attributes(out, row);
    (void)fprintf(out, " |\n");
}

static void print_domain(FILE *out, const op_domain *domain) {
    (void)fprintf(out, "\n### %s\n\n", domain->title);
    (void)fprintf(out, "Opset versions %" PRIu32 " to %" PRIu32 ".\n\n", domain->oldest,
                  domain->newest);
    (void)fprintf(out,
                  "| operator | since | inputs | dtypes | outputs | attributes |\n"
                  "|---|---:|---|---|---:|---|\n");
    for (uint32_t i = 0; ops_row(i); i++) {
        if (strcmp(ops_row(i)->domain, domain->name) == 0) print_row(out, ops_row(i));
    }
}

/* The text that belongs between the markers; the caller's. */
static char *make_table(void) {
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    for (uint32_t i = 0; i < OP_DOMAINS; i++) print_domain(out, &op_domains[i]);
    (void)fprintf(out, "\n");
    return fclose(out) == 0 ? text : NULL;
}

/* ---- the page */

/* The page's text, the caller's; NULL if it cannot be read or is too long. */
static char *read_page(void) {
    char *text = calloc(1, PAGE_BYTES);
    FILE *page = fopen(PAGE, "re");
    const size_t got = text && page ? fread(text, 1, PAGE_BYTES, page) : 0;
    if (page) (void)fclose(page);
    if (got > 0 && got < PAGE_BYTES) return text;
    free(text);
    return NULL;
}

/* The places behind the first marker and before the second; false if either is
 * missing. */
static bool find_table(char *page, char **from, char **to) {
    char *begin = strstr(page, BEGIN);
    *from = begin ? begin + strlen(BEGIN) : NULL;
    *to = begin ? strstr(*from, END) : NULL;
    return *to != NULL;
}

static void test_the_page_is_the_table(void **state) {
    (void)state;
    char *table = make_table(), *page = read_page(), *from, *to;
    assert_non_null(table);
    assert_non_null(page);
    assert_true(find_table(page, &from, &to));
    *to = 0;
    if (strcmp(from, table) != 0) {
        fail_msg(
            "%s is not what the rows say: write it with BUILD/tests/infer/test_operators "
            "--write",
            PAGE);
    }
    free(table);
    free(page);
}

static int write_page(void) {
    char *table = make_table(), *page = read_page(), *from, *to;
    if (!table || !page || !find_table(page, &from, &to)) return 1;
    FILE *out = fopen(PAGE, "we");
    if (!out) return 1;
    (void)fwrite(page, 1, (size_t)(from - page), out);
    (void)fprintf(out, "%s%s", table, to);
    free(table);
    free(page);
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_is_the_table),
    };
    if (argc > 1 && strcmp(argv[1], "--write") == 0) return write_page();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
