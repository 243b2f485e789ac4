/* Prints the table of scikit-learn's classes that are known, as docs/importing.md has it and
 * tests/parity/options.py reads it. */
#include <stdio.h>

#include "formats/sklearn/sk.h"

static const sk_family *const families[] = {
    &sk_family_compose, &sk_family_scale,    &sk_family_encode,  &sk_family_decompose,
    &sk_family_linear,  &sk_family_svm,      &sk_family_network, &sk_family_simple,
    &sk_family_tree,    &sk_family_ensemble,
};

static const char *methods(const sk_row *row) {
    if (!row->predict) return "transform";
    return row->transform ? "predict, transform" : "predict";
}

/* The options that the row's functions read. */
static void print_row(const sk_row *row) {
    const char *between = "";
    printf("| `%s` | %s | ", row->class, methods(row));
    for (uint32_t i = 0; i < row->option_count; i++) {
        if (row->options[i].kind != SK_OPTION_READ) continue;
        printf("%s`%s`", between, row->options[i].name);
        between = ", ";
    }
    printf(" |\n");
}

int main(void) {
    printf("| class | methods | options that predictions depend on |\n");
    printf("|---|---|---|\n");
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        for (uint32_t i = 0; i < families[f]->count; i++) print_row(&families[f]->rows[i]);
    }
    return 0;
}
