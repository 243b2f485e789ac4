#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "base/memory.h"
#include "infer/numbers.h"
#include "infer/plan.h"

#define DTYPES_COMPARED (DTYPES_FLOAT | DTYPE_BIT(WLK_F16) | DTYPE_BIT(WLK_BF16))

/* One output against its golden tensor. */
typedef struct comparison {
    uint32_t set;
    const wlk_selftest *tolerance;
    const wlk_tensor *got;
    const wlk_tensor *want;
    wlk_error *error;
} comparison;

static wlk_status mismatch(const comparison *c, const char *where, const char *got,
                           const char *want) {
    return error_text(c->error, RULE_SELFTEST_MISMATCH, WLK_NO_OFFSET,
                      "set %u, output '%.60s'%s: got %.40s, want %.40s", c->set, c->got->name,
                      where, got, want);
}

static wlk_status compare_type(const comparison *c) {
    const op_tensor got = tensor_from(c->got, ORIGIN_NODE);
    const op_tensor want = tensor_from(c->want, ORIGIN_NODE);
    const bool same_rank = got.dtype == want.dtype && got.rank == want.rank;
    if (same_rank && memcmp(got.dims, want.dims, sizeof got.dims) == 0) return WLK_OK;
    char is[TENSOR_TEXT_BYTES];
    char says[TENSOR_TEXT_BYTES];
    return mismatch(c, "", tensor_text(&got, is), tensor_text(&want, says));
}

/* An infinite value has no distance: it must be met. NaN meets NaN. */
static bool close_enough(const wlk_selftest *tolerance, double got, double want) {
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got);
    if (got == want) return true;
    if (isinf(want) || isinf(got)) return false;
    return fabs(got - want) <= tolerance->atol + tolerance->rtol * fabs(want);
}

static wlk_status compare_floats(const comparison *c) {
    const number_loader load = number_load(c->got->dtype);
    for (uint64_t i = 0; i < c->got->count; i++) {
        const double got = load(c->got->data, i).f;
        const double want = load(c->want->data, i).f;
        if (close_enough(c->tolerance, got, want)) continue;
        char where[40];
        char texts[2][40];
        (void)snprintf(where, sizeof where, ", element %llu", (unsigned long long)i);
        (void)snprintf(texts[0], sizeof texts[0], "%.17g", got);
        (void)snprintf(texts[1], sizeof texts[1], "%.17g", want);
        return mismatch(c, where, texts[0], texts[1]);
    }
    return WLK_OK;
}

static wlk_status compare_strings(const comparison *c) {
    const op_tensor got = tensor_from(c->got, ORIGIN_NODE);
    const op_tensor want = tensor_from(c->want, ORIGIN_NODE);
    for (uint64_t i = 0; i < got.count; i++) {
        const text_span a = tensor_string(&got, i);
        const text_span b = tensor_string(&want, i);
        if (a.length == b.length && memcmp(a.text, b.text, a.length) == 0) continue;
        char where[40];
        char texts[2][40];
        (void)snprintf(where, sizeof where, ", element %llu", (unsigned long long)i);
        (void)snprintf(texts[0], sizeof texts[0], "'%.*s'", (int)(a.length < 30 ? a.length : 30),
                       a.text);
        (void)snprintf(texts[1], sizeof texts[1], "'%.*s'", (int)(b.length < 30 ? b.length : 30),
                       b.text);
        return mismatch(c, where, texts[0], texts[1]);
    }
    return WLK_OK;
}

static void number_text(const wlk_tensor *tensor, uint64_t i, char text[40]) {
    if (!(number_dtypes & DTYPE_BIT(tensor->dtype))) {
        (void)snprintf(text, 40, "another");
        return;
    }
    const number value = number_load(tensor->dtype)(tensor->data, i);
    if (value.kind == NUMBER_INT) (void)snprintf(text, 40, "%lld", (long long)value.i);
    if (value.kind == NUMBER_UINT) (void)snprintf(text, 40, "%llu", (unsigned long long)value.u);
}

/* Whatever is neither float nor text is compared by its bytes. */
static wlk_status compare_exact(const comparison *c) {
    const uint64_t bits = wlk_dtype_bits(c->got->dtype);
    const uint8_t *got = c->got->data;
    const uint8_t *want = c->want->data;
    uint64_t at = 0;
    while (at < c->got->nbytes && got[at] == want[at]) at++;
    if (at == c->got->nbytes) return WLK_OK;
    const uint64_t element = at * 8 / bits;
    char where[40];
    char texts[2][40];
    (void)snprintf(where, sizeof where, ", element %llu", (unsigned long long)element);
    number_text(c->got, element, texts[0]);
    number_text(c->want, element, texts[1]);
    return mismatch(c, where, texts[0], texts[1]);
}

static wlk_status compare(const comparison *c) {
    TRY(compare_type(c));
    if (c->got->dtype == WLK_STR) return compare_strings(c);
    if (DTYPES_COMPARED & DTYPE_BIT(c->got->dtype)) return compare_floats(c);
    return compare_exact(c);
}

static wlk_status compare_all(const wlk_plan *plan, uint32_t set, const wlk_selftest *test,
                              const wlk_result *result, wlk_error *error) {
    for (uint32_t i = 0; i < test->outputs && i < wlk_result_count(result); i++) {
        const wlk_tensor got = wlk_result_tensor(result, i);
        const wlk_tensor want =
            wlk_model_tensor(plan->model, wlk_model_selftest_output(plan->model, set, i));
        const comparison c = {set, test, &got, &want, error};
        TRY(compare(&c));
    }
    return WLK_OK;
}

/* Inputs that do not fit are the model's fault here, not the caller's. */
static wlk_status run_set(const wlk_plan *plan, uint32_t set, const wlk_tensor *inputs,
                          uint32_t count, wlk_result **result, wlk_error *error) {
    wlk_error own = {.status = WLK_OK};
    const wlk_status status = wlk_run(plan, inputs, count, result, &own);
    if (status == WLK_USAGE) {
        return error_text(error, RULE_SELFTEST_INPUT, WLK_NO_OFFSET, "set %u: %.200s", set,
                          own.text);
    }
    if (status != WLK_OK && error) *error = own;
    return status;
}

static wlk_status check_set(const wlk_plan *plan, uint32_t set, const wlk_selftest *test,
                            wlk_tensor *inputs, wlk_error *error) {
    for (uint32_t i = 0; i < test->inputs; i++) {
        inputs[i] = wlk_model_tensor(plan->model, wlk_model_selftest_input(plan->model, set, i));
    }
    wlk_result *result = NULL;
    TRY(run_set(plan, set, inputs, test->inputs, &result, error));
    const wlk_status status = compare_all(plan, set, test, result, error);
    wlk_result_free(result);
    return status;
}

wlk_status wlk_selftest_run(const wlk_plan *plan, uint32_t *ran, wlk_error *error) {
    const uint32_t sets = wlk_model_count(plan->model, WLK_SECTION_SELFTESTS);
    if (ran) *ran = 0;
    for (uint32_t i = 0; i < sets; i++) {
        const wlk_selftest test = wlk_model_selftest(plan->model, i);
        wlk_tensor *inputs = mem_zeroed((size_t)test.inputs + 1, sizeof *inputs);
        if (!inputs) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
        const wlk_status status = check_set(plan, i, &test, inputs, error);
        mem_free(inputs);
        if (status != WLK_OK) return status;
        if (ran) (*ran)++;
    }
    return WLK_OK;
}
